"""Early amortisations as they are told: what each measures in a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from liquidity.explain.limits import family_limits
from liquidity.program.compile import Compiler
from liquidity.program.events import Event

if TYPE_CHECKING:
    from liquidity.program.compile import Family
    from liquidity.program.night import Solved
    from liquidity.program.pool import Pool


def measured(pool: Pool, solved: Solved, event: Event) -> Event:
    """The event with what its row measures in a plan; as it was where the plan has no such breach."""
    for family, rows in zip(solved.program.rows, pool.rows):
        if (family.owner, family.name) == (event.rule, event.what):
            table = family_limits(pool, solved, family, rows, Compiler(pool), {})
            row = table.iloc[place(family, event)]
            if row.level == "gave_way":
                return replace(event, used=float(row.used), limit=float(row.limit), unit=str(row.unit))
    return event


def place(family: Family, event: Event) -> int:
    """Where the row of an event stands in its family."""
    return list(family.index).index((event.facility, event.broken))


def told(pool: Pool, solved: Solved, events: Iterable[Event]) -> list[dict[str, Any]]:
    """Events for the run record, as the decided plan measures them: facility, from (ISO date), rule, what, period (ISO
    date of the broken one), used, limit, unit. A trust that two rounds found is told once, with the earlier breach.
    """
    out = []
    for event in {event.facility: event for event in events}.values():
        row = asdict(measured(pool, solved, event))
        broken = row.pop("broken")
        out.append({**row, "period": pool.grid.labels[broken - 1], "from": pool.grid.starts[broken].isoformat()})
    return out
