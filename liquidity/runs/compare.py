"""Day over day: what changed tonight's relent since last night, and what became of last night's plan (DESIGN 7.6)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from liquidity.explain.rounding import fen_by_key, in_fen
from liquidity.runs.clock import Clock
from liquidity.runs.compare_fields import changed_fields
from liquidity.runs.compare_inputs import Inputs, Mixer
from liquidity.runs.compare_plan import cash_realised, causes_beside, plan_realised
from liquidity.runs.compare_values import MOST, Split, split
from liquidity.runs.night import Say, quiet
from liquidity.runs.previous import read_record, read_table
from liquidity.runs.restore import read_inputs_of

FEN = 0.01
ROUNDED = 2 * FEN
"""A ledger is printed in whole fen, so what both runs say may differ from what is solved again by a fen each."""
CHANGES = ["segment", "input", "amount", "error"]


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side; amounts in CNY (the currency of the books), tables in whole fen.

    `a` and `b` are the records of the runs. `segments` [segment, relent_a, relent_b, change] of tonight, `changes`
    [segment, input, amount, error] split each change and add up to it, `totals` [input, amount, error] over all
    segments. `fields` are the single fields that changed (`compare_fields.COLUMNS`), `plan` [segment, what, planned,
    realised, difference], `cash` [planned, realised, difference] of the treasury at the opening of the second night,
    both empty where the first run did not plan that night; `why_no_plan` says why. `causes` [period, cause, a, b,
    difference]. `checks` in CNY: what the parts miss of the solved change, and the solved nights of the ledgers.
    """

    a: dict[str, Any]
    b: dict[str, Any]
    segments: pd.DataFrame
    changes: pd.DataFrame
    totals: pd.DataFrame
    fields: pd.DataFrame
    plan: pd.DataFrame
    cash: dict[str, float]
    why_no_plan: str
    causes: pd.DataFrame
    players: tuple[str, ...]
    exact: bool
    solves: int
    gave_way: int
    checks: dict[str, float]
    clock: Clock

    @property
    def currency(self) -> str:
        """ISO code of the currency."""
        return str(self.a["currency"])


def compare(run_a: Path, run_b: Path, say: Say = quiet, most: int = MOST) -> Comparison:
    """Compare two run folders: B against A, the later against the earlier night.

    With more than `most` groups of inputs that changed, orders are sampled and the amounts have errors.

    Raises BadInput where a folder is no run, holds other inputs than its record says, or where the two are of different
    currency or have no segment in common; SolverFailed where a night between the two has no plan.
    """
    clock = Clock()
    with clock.phase("read"):
        a, b = read_record(run_a), read_record(run_b)
        tables = [{name: read_table(run, name) for name in ("ledger", "reasons", "cash")} for run in (run_a, run_b)]
        sides = [Inputs(*read_inputs_of(run)) for run in (run_a, run_b)]
    with clock.phase("inputs"):
        mixer = Mixer(*sides)
        fields = changed_fields(mixer)
    say(f"inputs that changed: {', '.join(mixer.players) or 'none'}")
    with clock.phase("nights"):
        found = split(mixer, say, most)
    segments = tonight([side["ledger"] for side in tables])
    changes, checks = told(mixer, found, segments)
    plan, why = plan_realised(tables[0]["ledger"], tables[1]["ledger"])
    return Comparison(
        a, b, segments, changes, totals(changes, found), fields, plan,
        {} if why else cash_realised(tables[0]["cash"], tables[1]["cash"]), why,
        causes_beside(tables[0]["reasons"], tables[1]["reasons"]), mixer.players, found.exact, found.solves,
        found.gave_way, checks, clock,
    )  # fmt: skip


def tonight(ledgers: list[pd.DataFrame]) -> pd.DataFrame:
    """Relent in each run's first period by segment, as printed; 0 in a run that does not have the segment."""
    relent = [ledger[ledger.period == ledger.period.min()].set_index("segment").relent for ledger in ledgers]
    table = pd.DataFrame({"relent_a": relent[0], "relent_b": relent[1]}).fillna(0.0).rename_axis("segment")
    table["change"] = (in_fen(table.relent_b) - in_fen(table.relent_a)) / 100
    return table.sort_index().reset_index()


def told(mixer: Mixer, found: Split, segments: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float]]:
    """The parts of each segment's change in whole fen, and the checks.

    A segment that only one run has is one part, its whole relent. What the nights solved again miss of the ledgers by
    more than rounding is a part of its own, `unexplained`.
    """
    solved = pd.DataFrame({"start": found.start, "end": found.end}, index=list(found.segments))
    printed = segments.set_index("segment").reindex(solved.index)
    misses = pd.DataFrame({"a": printed.relent_a - solved.start, "b": printed.relent_b - solved.end})
    rows = []
    for number, segment in enumerate(found.segments):
        for code, kind in (("segment_new", mixer.new), ("segment_gone", mixer.gone)):
            if segment in kind:
                rows.append((segment, code, printed.change[segment], 0.0))
        if segment not in mixer.common:
            continue
        rows += [(segment, name, part[number], found.error[name][number] if found.error else 0.0)
                 for name, part in found.part.items()]  # fmt: skip
        miss = misses.b[segment] - misses.a[segment]
        if abs(miss) > ROUNDED:
            rows.append((segment, "unexplained", miss, 0.0))
    changes = pd.DataFrame(rows, columns=CHANGES).astype({"amount": float, "error": float})
    if len(changes):
        total = printed.change[printed.index.isin(changes.segment)].rename_axis("segment")
        changes = fen_by_key(changes, ["segment"], total=total)
    checks = {"parts": found.gap, **{f"ledger_{run}": float(misses[run].abs().max()) for run in "ab"}}
    changes = changes[changes.amount != 0].reset_index(drop=True)
    return changes.assign(error=changes.error.round(2)), checks


def totals(changes: pd.DataFrame, found: Split) -> pd.DataFrame:
    """The changes of all segments together by input [input, amount, error], the largest first."""
    sums = changes.groupby("input").amount.sum().round(2)
    table = sums.reindex(sorted({*sums.index, *found.part}), fill_value=0.0).rename_axis("input").reset_index()
    table["error"] = table.input.map(found.total_error).fillna(0.0).round(2)
    order = table.amount.abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
