"""Tonight's lending as shares of what is asked: the program of a night with what a simple policy turns its handle on.

A share column for every segment and kind of borrower that asks tonight, tied to what all facilities lend them; and one
common share that every share is at least. Columns and rows are added at the end: all others keep their places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from liquidity.errors import SolverFailed
from liquidity.program.compile import Family, Program
from liquidity.program.solve import FACE, HERE, Answer, Options, Session, widened
from liquidity.program.stages import Staged, run_stages

WHOLE = 1e-9
"""A share this near to one is one."""
SLIVERS = (1e-6, 1e-5, 1e-4)
"""Parts of a share that may be lost when it is held: without one the plans left over are a set without an interior, in
which no method ends. The next is taken where no method finds a plan though one stands, or only the one with wider
tolerances: the set is too thin still."""


@dataclass(frozen=True)
class Shared:
    """The widened program. `asked` (group) in units, `groups` (segment, borrower); `first` the first share column,
    `common` the column of the common share, `above` the first row that holds a share at least at it."""

    program: Program
    groups: pd.MultiIndex
    asked: np.ndarray
    first: int
    common: int
    above: int


class Shares:
    """A session on the widened program that stands at a vertex: its shares are raised and held one after the other."""

    def __init__(self, program: Program, asked: pd.Series, basis: Any, options: Options) -> None:
        """`program` with its yes/no decisions held, `asked` (segment, borrower) in units, `basis` an optimum of it."""
        self.shared = share(program, asked)
        self.session = Session(self.shared.program, options, ("primal", "ipx", "dual"))
        count = len(self.shared.groups)
        self.solves, self.free = 0, np.ones(count, bool)
        self.held, self.sliver = np.zeros(count), 0
        # at the given optimum the shares are what they are, and the common share is nought
        self._maximise(self._unit(self.shared.common), widened(basis, program.shape[1], count, count))

    @property
    def now(self) -> np.ndarray:
        """The shares as they stand (group)."""
        return np.clip(self.x[self._place], 0.0, 1.0)

    @property
    def _place(self) -> slice:
        return slice(self.shared.first, self.shared.first + len(self.shared.groups))

    def _unit(self, column: int) -> np.ndarray:
        cost = np.zeros(self.shared.program.shape[1])
        cost[column] = 1.0
        return cost

    def _maximise(self, cost: np.ndarray, basis: Any = HERE) -> Answer:
        self.session.objective(cost)
        answer = self._solve(basis)
        self.x, self.price, self.solves = answer.x, answer.price, self.solves + 1
        return answer

    def _solve(self, basis: Any) -> Answer:
        """The optimum; shares that are held lose a little more where no method finds one, or only the last."""
        while True:
            try:
                answer = self.session.solve(basis, doubt=True)
            except SolverFailed:
                if not self._loosen():
                    raise
                continue
            if answer.method == "loose":  # or every group from here on would go through all methods
                self._loosen()
            return answer

    def _loosen(self) -> bool:
        """Let the shares that are held lose a little more; whether there was a way to."""
        if self.free.all() or self.sliver == len(SLIVERS) - 1:
            return False
        self.sliver += 1
        self._let_go(np.flatnonzero(~self.free))
        return True

    def _let_go(self, at: np.ndarray) -> None:
        """Lower bounds of the shares that are held."""
        held = self.held[at]
        self.session.lower[self.shared.first + at] = np.where(held > WHOLE, held * (1 - SLIVERS[self.sliver]), 0.0)

    def hold(self, groups: np.ndarray) -> None:
        """Hold the shares of some groups (mask or positions) where they stand; the common share is no longer theirs."""
        at = np.arange(len(self.free))[groups]
        self.held[at] = self.now[at]
        self._let_go(at)
        self.session.upper[self.shared.first + at] = self.held[at]
        self.session.row_lower[self.shared.above + at] = -np.inf
        self.free[at] = False

    def raise_together(self) -> None:
        """The largest common share; then the groups that keep it from rising are held at it, and the rest goes on.

        A group whose row has a price at the largest common share is at it in every plan that reaches it.
        """
        while self.free.any():
            self._maximise(self._unit(self.shared.common))
            level = float(self.x[self.shared.common])
            tight = np.abs(self.price[self.shared.above : self.shared.above + len(self.free)]) > FACE
            stuck = self.free & tight
            self.hold(self.free if level >= 1 - WHOLE or not stuck.any() else stuck)

    def raise_in_turn(self, order: np.ndarray) -> None:
        """Each group (positions in `order`) as much as every rule and those before it allow."""
        # the common share would ask something for every group
        self.session.fix(np.array([self.shared.common]), np.zeros(1))
        for at in order:
            if self.now[at] < 1 - WHOLE:
                self._maximise(self._unit(self.shared.first + at))
            self.hold(np.array([at]))

    def finish(self, stages: tuple[np.ndarray, ...]) -> Staged:
        """The best plan with the shares as they are held, by the stages of a night.

        The plans that are left may be too thin a set for the stages after net worth, whose choices the shares have
        taken already: then the plan of the highest net worth stands as it is.
        """
        best = self._maximise(self.shared.program.cost)
        more = np.zeros(len(self.free) + 1)
        try:
            return run_stages(self.session, tuple(np.append(goal, more) for goal in stages))
        except SolverFailed:
            return Staged(best, best, np.abs(best.price) > FACE)


def share(program: Program, asked: pd.Series) -> Shared:
    """Add the shares of all groups that ask for something.

    In symbols: sum_f lend[s,u,f,1] - asked[s,u] share[s,u] = 0; share[s,u] - common >= 0; 0 <= share, common <= 1.
    """
    asked = asked[asked > 0]
    lend = program.column("lend").frame()
    tonight = lend[lend.period == 1]
    group = asked.index.get_indexer(pd.MultiIndex.from_frame(tonight[["segment", "borrower"]]))
    mine = group >= 0
    height, width, count = *program.shape, len(asked)
    lent = sp.csr_matrix(
        (np.ones(mine.sum()), (group[mine], tonight.index[mine] + program.column("lend").start)), shape=(count, width)
    )
    eye, none = sp.eye(count), sp.csr_matrix((height, count + 1))
    rows = sp.vstack(
        [
            sp.hstack([lent, -sp.diags(asked.to_numpy(float)), sp.csr_matrix((count, 1))]),
            sp.hstack([sp.csr_matrix((count, width)), eye, -np.ones((count, 1))]),
        ]
    )
    zero, index = np.zeros(count), tuple(asked.index)
    wider = replace(
        program,
        matrix=sp.vstack([sp.hstack([program.matrix, none]), rows]).tocsc(),
        cost=np.append(program.cost, np.zeros(count + 1)),
        column_lower=np.append(program.column_lower, np.zeros(count + 1)),
        column_upper=np.append(program.column_upper, np.ones(count + 1)),
        integer=np.append(program.integer, np.zeros(count + 1, bool)),
        row_lower=np.concatenate([program.row_lower, zero, zero]),
        row_upper=np.concatenate([program.row_upper, zero, np.full(count, np.inf)]),
        columns=(*program.columns, Family("", "share", "decision", ("segment", "borrower"), index, width),
                 Family("", "common", "decision", (), ((),), width + count)),
        rows=(*program.rows, Family("policy", "lent", "terms", ("segment", "borrower"), index, height),
              Family("policy", "above", "terms", ("segment", "borrower"), index, height + count)),
        recipe=None,
    )  # fmt: skip
    return Shared(wider, pd.MultiIndex.from_tuples(index, names=["segment", "borrower"]), asked.to_numpy(float), width,
                  width + count, height + count)  # fmt: skip
