"""One-sided prices: what one unit more and one unit less of a limit are worth, by re-solve (DESIGN 7.4).

At a degenerate optimum a limit has a range of prices and the solver reports one of them, which one depends on the
algorithm. The two ends do not: net worth is concave in a limit, and they are its slopes on either side. Yes/no
decisions stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from liquidity.errors import SolverFailed
from liquidity.program.solve import Options, Session

if TYPE_CHECKING:
    from liquidity.program.night import Solved

STEP = 1e-1
"Program units by which a limit is moved: a millionth of the book or less, and large against the solver's tolerance."
NOISE = 1e-8
"Ends nearer to the price than this (net worth per unit) are the price: the slopes are differences of two optima."
BINDS = 1e-9


def binding_tonight(solved: Solved) -> list[int]:
    """Rows of rules that have a price in the first period, or have no period."""
    out = []
    for family in solved.held.rows:
        if family.kind != "rule" or not family.liftable:
            continue
        at = family.dims.index("period") if "period" in family.dims else None
        for place, index in enumerate(family.index, family.start):
            if (at is None or index[at] == 1) and abs(solved.staged.first.price[place]) > BINDS:
                out.append(place)
    return out


def price_ranges(solved: Solved, rows: Iterable[int], options: Options) -> dict[int, tuple[float, float]]:
    """Lowest and highest price of each row, net worth per unit of its bound.

    The lowest is what one unit more of the bound is worth, the highest what one unit less costs; NaN where that step
    leaves no plan.
    """
    session, out = Session(solved.held, options), {}
    start = session.solve(solved.staged.first.basis, doubt=True)
    for row in rows:
        price = float(solved.staged.first.price[row])
        ends = []
        for step in (STEP, -STEP):
            try:
                end = (moved(session, row, step, start.basis) - start.objective) / step
            except SolverFailed:
                end = np.nan
            ends.append(price if abs(end - price) < NOISE else end)
        out[row] = ends[0], ends[1]
    return out


def moved(session: Session, row: int, step: float, basis: object) -> float:
    """Net worth with the bound of a row moved."""
    session.reset()
    for side in (session.row_lower, session.row_upper):
        if np.isfinite(side[row]):
            side[row] += step
    return session.solve(basis).objective
