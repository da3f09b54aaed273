"""Early amortisation: a trust whose covenant cannot be met pays its notes back from the next period on (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liquidity.program.compile import Program
    from liquidity.program.night import Solved
    from liquidity.program.pool import Pool


@dataclass(frozen=True)
class Event:
    """A trust that amortises early. `rule` and `what` name the rows of which that of the period `broken` (1 to T) gave
    way; `used` is what was measured there and `limit` what it had to keep, both in `unit`.
    """

    facility: str
    rule: str
    what: str
    broken: int
    used: float = 0.0
    limit: float = 0.0
    unit: str = ""

    @property
    def start(self) -> int:
        """First period in which the trust no longer revolves; T + 1 lies beyond the horizon."""
        return self.broken + 1


def starts(events: Iterable[Event]) -> dict[str, int]:
    """First amortising period by trust."""
    return {event.facility: event.start for event in events}


def next_events(pool: Pool, program: Program, solved: Solved) -> tuple[Event, ...]:
    """The earliest breach that makes a trust amortise earlier than it does; of several the first trust by name.

    Breaches in the last period start nothing within the horizon, so they come together; they are told all the same.
    A planned ABS starts none: it has no opening notes to pay back, and its issue is a decision that a breach undoes.
    What they measure is not looked up here.
    """
    if solved.gave_way is None:
        return ()
    short, found = set(solved.gave_way.row), dict[tuple[int, str], tuple[str, str]]()
    for family in program.rows:
        if family.kind == "rule" and pool.rulebook.rule(family.owner).amortises:
            for row, (facility, period) in enumerate(family.index, family.start):
                end = pool.revolving_end(facility)
                planned = facility in pool.issues
                if row in short and not planned and (end is None or pool.grid.starts[period] < end):
                    found.setdefault((period, facility), (family.owner, family.name))
    order = sorted(found)
    if order and order[0][0] < pool.grid.size:
        order = order[:1]
    return tuple(Event(facility, *found[period, facility], period) for period, facility in order)
