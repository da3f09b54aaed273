"""Who is lent to tonight: the optimiser, or one of two simple policies under the same rules.

A simple policy sees tonight's book, receipts, requests and gates, and the rulebook. It chooses how much each segment's
borrowers are lent tonight and nothing else: `pro_rata` knows no margin, `greedy` knows the margin of each segment. To
make it no straw man all the rest is done for it as well as can be: whether the rules allow a loan is asked of the whole
program (it may lend what leaves a plan that keeps every rule to the horizon), and facilities, lines, notes, sales and
contributions are then chosen for the highest net worth. Its yes/no decisions are those of the optimum of its own book.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from liquidity.book import opening
from liquidity.program.pool import Pool
from liquidity.program.shares import Shares
from liquidity.program.solve import Answer
from liquidity.program.stages import Staged
from liquidity.runs.night import Decided, solver_options

OPTIMISER, PRO_RATA, GREEDY = "optimiser", "pro_rata", "greedy"
POLICIES = (OPTIMISER, PRO_RATA, GREEDY)


def choose(policy: str, decided: Decided) -> tuple[Staged, int]:
    """The policy's plan for a night whose optimum is known, and how many programs were solved for it."""
    if policy == OPTIMISER:
        return decided.solved.staged, 0
    pool, held = decided.pool, decided.solved.held
    shares = Shares(held, asked_tonight(pool), decided.solved.staged.first.basis, solver_options(pool.rulebook))
    if policy == PRO_RATA:
        shares.raise_together()
    else:
        shares.raise_in_turn(by_margin(pool, shares.shared.groups))
    return shares.finish(decided.goals.stages), shares.solves


def asked_tonight(pool: Pool) -> pd.Series:
    """What borrowers may be lent tonight by their requests and gates (segment, borrower), units."""
    first = pool.inputs.isel(period=0, drop=True)
    returning = (first.gates * (first.rep * first.balance).sum("facility")).to_series()
    both = {"returning": returning, "new": first.new_demand.to_series()}
    return pd.concat(both, names=["borrower"]).swaplevel().rename_axis(["segment", "borrower"])


def by_margin(pool: Pool, groups: pd.MultiIndex) -> np.ndarray:
    """Positions of groups, the best margin first; within a segment those who repaid before new borrowers."""
    margin = yearly_margin(pool)
    frame = groups.to_frame(index=False)
    frame["margin"], frame["late"] = margin.reindex(frame.segment).to_numpy(), frame.borrower == "new"
    order = frame.sort_values(["margin", "segment", "late"], ascending=[False, True, True], kind="stable")
    return order.index.to_numpy()


def yearly_margin(pool: Pool) -> pd.Series:
    """What a CNY lent to a segment earns in a year before funding: APR net of guarantee fee, expected loss and running
    cost (segment), 1/year."""
    data = pool.inputs
    return (data.apr - data.default_intensity * data.lgd - data.opex).to_series()


def broken(decided: Decided, answer: Answer) -> pd.DataFrame:
    """Rules broken at tonight's close [rule, what, at, shortfall]: rows of the first period beyond their bounds as the
    rulebook has them; `shortfall` in CNY."""
    program, pool = decided.program, decided.pool
    activity, size = program.matrix @ answer.x[: program.shape[1]], opening(pool.book).assets / pool.unit
    over = np.maximum(program.row_lower - activity, activity - program.row_upper)
    bound = np.where(np.isfinite(program.row_upper), program.row_upper, program.row_lower)
    told = over > 1e-8 * np.maximum(np.abs(bound), 1e-2 * size)
    rows = []
    for family in (family for family in program.rows if family.kind == "rule"):
        for at in np.flatnonzero(told[family.place]).tolist():
            place = dict(zip(family.dims, family.index[at]))
            if place.pop("period", 1) == 1:
                text = ";".join(f"{dim}={value}" for dim, value in place.items())
                rows.append((family.owner, family.name, text, float(over[family.start + at]) * pool.unit))
    return pd.DataFrame(rows, columns=["rule", "what", "at", "shortfall"])
