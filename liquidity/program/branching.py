"""Yes/no decisions by branch and bound over linear programs: planned issues, deficiencies of trusts.

A node is solved when its turn comes, by dual simplex from the basis of the node above it. Until a plan is known the
newest node is next, on the side its relaxation is nearer to; from then on the one with the best bound. It stops once no
open node can be better than the plan by more than the gap that is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from liquidity.program.solve import Answer, Session

WHOLE = 1e-6
MOST = 2000
"Programs after which the best plan is taken as it is, its gap told: a bound on time that is the same everywhere."


class Search(Protocol):
    """The search a tree belongs to: it solves programs and keeps the best plan found anywhere."""

    solved: int

    @property
    def best(self) -> Answer | None: ...

    def attempt(self, basis: Any) -> Answer | None:
        """The optimum of the session's present numbers; None where there is no plan."""


@dataclass(frozen=True)
class Node:
    """Bounds of the columns, net worth that no plan under them exceeds, and the basis to start from."""

    lower: np.ndarray
    upper: np.ndarray
    bound: float
    basis: Any


class Tree:
    """Branch and bound over the yes/no `columns` of a session.

    `settle` decides all else at whole columns, which the session holds, and keeps the plan if it is the best. `bound`
    is what no plan of the tree exceeds, in the objective's unit; `gap` the relative difference at which it stops.
    """

    def __init__(self, session: Session, columns: np.ndarray, gap: float, search: Search,
                 settle: Callable[[Answer, np.ndarray], None]) -> None:  # fmt: skip
        self.session, self.columns, self.gap, self.search, self.settle = session, columns, gap, search, settle
        self.bound = -np.inf
        self.open: list[Node] = []

    def run(self, start: Answer, guesses: Sequence[np.ndarray] = ()) -> None:
        """Search from the relaxation `start`, the whole `guesses` first; the best plan is the search's."""
        before = self.session.lower[self.columns], self.session.upper[self.columns]
        for guess in guesses:
            self._hold(guess, guess)
            answer = self.search.attempt(start.basis)
            if answer is not None:
                self.settle(answer, guess)
        root = Node(np.zeros(len(self.columns)), np.ones(len(self.columns)), start.objective, start.basis)
        self._branch(root, start)
        while self.open:
            node = self._next()
            if self._beaten(node.bound) or (self.search.solved >= MOST and self.search.best is not None):
                # the best of all open nodes: none of the others is better
                self.bound = max(self.bound, node.bound)
                break
            self._hold(node.lower, node.upper)
            answer = self.search.attempt(node.basis)
            if answer is not None:
                self._branch(node, answer)
        self._hold(*before)

    def _next(self) -> Node:
        """The newest open node until a plan is known, then the one of the best bound, first come first among equals."""
        if self.search.best is None:
            return self.open.pop()
        return self.open.pop(max(range(len(self.open)), key=lambda at: self.open[at].bound))

    def _branch(self, node: Node, answer: Answer) -> None:
        """Close a node whose optimum is beaten; take its plan where it is whole; open its two sides otherwise."""
        part = answer.x[self.columns]
        unsure, free = np.minimum(part, 1 - part), node.lower < node.upper
        if not self._beaten(answer.objective) and unsure.max(initial=0.0) <= WHOLE:
            whole = np.round(part)
            self._hold(whole, whole)
            self.settle(answer, whole)
            if not free.any():
                return
        if self._beaten(answer.objective):
            self.bound = max(self.bound, answer.objective)
            return
        at = int(np.where(free, unsure, -1.0).argmax())
        near = float(part[at] >= 0.5)
        for side in (1 - near, near):
            lower, upper = node.lower.copy(), node.upper.copy()
            lower[at] = upper[at] = side
            self.open.append(Node(lower, upper, answer.objective, answer.basis))

    def _beaten(self, bound: float) -> bool:
        best = self.search.best
        return best is not None and bound <= best.objective + self.gap * abs(best.objective)

    def _hold(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self.session.lower[self.columns], self.session.upper[self.columns] = lower, upper
