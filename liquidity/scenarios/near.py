"""Of all decisions that are worth the same, the one that changes least of the night without scenarios.

Tonight's decision is often not the only best one. What a treasurer reads as a change should be one that the scenarios
ask for, so the sum of all changes of decisions is made as small as the optimum allows.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from liquidity.program.linear import Block, Solver
from liquidity.program.solve import Infeasible
from liquidity.scenarios.benders import Asked, Benders, Master
from liquidity.scenarios.risk import Risk

ROUNDS = 40
IDLE = 1e-3
"""Weight of the amounts themselves beside their changes: a line is paid down less rather than paid down and drawn."""


def nearest(parts: Benders, risk: Risk, plain: np.ndarray, best: float, goal: float) -> Asked | None:
    """The decision nearest to `plain` (program columns, sum of distances) that is worth the `best` up to a share
    `goal`; None where it is not found in `ROUNDS`.
    """
    least = best - goal * max(1.0, abs(best))
    master, used = Near(parts, risk, plain, (best + least) / 2), 0
    for _ in range(ROUNDS):
        master.add(parts.cuts[used:])
        used = len(parts.cuts)
        try:
            _, x = master.solve()
        except Infeasible:
            return None  # the cuts leave less than the best by rounding
        asked = parts.ask(x)
        if parts.worth(asked, risk) >= least:
            return asked
    return None


class Near(Master):
    """The master with a floor under its objective: the least distance of tonight's decisions from `plain`, then the
    least sum of them.
    """

    def __init__(self, parts: Benders, risk: Risk, plain: np.ndarray, floor: float) -> None:
        super().__init__(parts.problem, parts.recourse, parts.kept, risk, parts.options)
        old, places = self.block, tonights(parts)
        count = len(places)
        pick = sp.csr_matrix((np.ones(count), (np.arange(count), places)), shape=(count, self.width))
        eye = sp.identity(count)
        matrix = sp.bmat([[old.matrix, None, None], [sp.csr_matrix(old.cost), None, None], [pick, -eye, eye]])
        sides = plain[places]
        self.width += 2 * count
        cost = np.concatenate([np.zeros(len(old.cost)), -np.ones(2 * count)])
        cost[places] = -IDLE
        self.solver = Solver(Block(
            matrix.tocsc(), cost, 0.0,
            np.concatenate([old.row_lower, [floor], sides]), np.concatenate([old.row_upper, [np.inf], sides]),
            np.concatenate([old.column_lower, np.zeros(2 * count)]),
            np.concatenate([old.column_upper, np.full(2 * count, np.inf)]),
        ), parts.options)  # fmt: skip


def tonights(parts: Benders) -> np.ndarray:
    """Places of tonight's decisions among the columns."""
    program, first = parts.problem.programs[0], parts.problem.first
    decision = np.zeros(len(first), bool)
    for family in program.columns:
        decision[family.place] = family.kind == "decision"
    return np.flatnonzero(decision & first)
