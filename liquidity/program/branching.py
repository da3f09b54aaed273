"""Yes/no decisions of planned issues, by branch and bound over linear programs.

Best bound first; every program starts from the basis of the one it differs from by one decision, by dual simplex. A
first plan comes from rounding the relaxation. It stops once no open node can be better than the plan by more than the
gap that is allowed.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from liquidity.program.solve import Answer, Session

WHOLE = 1e-6
MOST = 2000
"Programs after which the best plan is taken as it is, its gap told: a bound on time that is the same everywhere."


class Inner(Protocol):
    """The search that knows what is left to decide once every issue is decided."""

    solved: int

    @property
    def best(self) -> Answer | None: ...

    def attempt(self, basis: Any) -> Answer | None:
        """The optimum of the session's present numbers; None where there is no plan."""

    def settle(self, answer: Answer, decided: np.ndarray) -> None:
        """Decide all else at the issues `decided`, which the session holds, and keep the plan if it is the best."""


@dataclass(frozen=True)
class Node:
    """Bounds of the issues and the optimum of the relaxation under them."""

    lower: np.ndarray
    upper: np.ndarray
    answer: Answer


class Tree:
    """Branch and bound over the columns `issues` of a session.

    `bound` is what no plan exceeds, in the objective's unit; `gap` the relative difference at which it stops.
    """

    def __init__(self, session: Session, issues: np.ndarray, limits: tuple[np.ndarray, np.ndarray], gap: float,
                 inner: Inner) -> None:  # fmt: skip
        self.session, self.issues, self.gap, self.inner = session, issues, gap, inner
        self.least, self.most = limits
        self.bound = -np.inf
        self.count = 0
        self.heap: list[tuple[float, int, Node]] = []

    def run(self, start: Answer) -> None:
        """Search from the relaxation `start`; the best plan is the inner search's."""
        none, one = np.zeros(len(self.issues)), np.ones(len(self.issues))
        for guess in self._guesses(start):
            self._leaf(guess, start.basis)
        self._push(Node(none, one, start))
        while self.heap:
            node = heapq.heappop(self.heap)[2]
            if self._beaten(node.answer) or self.inner.solved >= MOST:
                # the best of all open nodes: none of the others is better
                self.bound = max(self.bound, node.answer.objective)
                break
            self._open(node)
        self._hold(none, one)
        if self.inner.best is not None:
            self.bound = max(self.bound, self.inner.best.objective)

    def _guesses(self, start: Answer) -> list[np.ndarray]:
        """Roundings of the relaxation: to the nearest, and those whose part would be enough for their window."""
        part = start.x[self.issues]
        tests = (part >= 0.5, (part > WHOLE) & (part * self.most >= self.least - WHOLE))
        found = {tuple(test): test.astype(float) for test in tests}
        return list(found.values())

    def _leaf(self, decided: np.ndarray, basis: Any, answer: Answer | None = None) -> None:
        """Decide all else at whole issues."""
        self._hold(decided, decided)
        answer = answer or self.inner.attempt(basis)
        if answer is not None:
            self.inner.settle(answer, decided)

    def _open(self, node: Node) -> None:
        """Take a node's plan where its issues are whole; branch where that does not close it."""
        part = node.answer.x[self.issues]
        unsure = np.minimum(part, 1 - part)
        open_ = node.lower < node.upper
        if unsure.max(initial=0.0) <= WHOLE:
            self._leaf(np.round(part), node.answer.basis, node.answer)
            if self._beaten(node.answer) or not open_.any():
                self.bound = max(self.bound, self._least_of(node))
                return
        at = int(np.where(open_, unsure, -1.0).argmax())
        near = float(part[at] >= 0.5)
        for side in (near, 1 - near):
            lower, upper = node.lower.copy(), node.upper.copy()
            lower[at] = upper[at] = side
            self._hold(lower, upper)
            child = self.inner.attempt(node.answer.basis)
            if child is not None:
                self._push(Node(lower, upper, child))

    def _least_of(self, node: Node) -> float:
        """What a closed node still allows: nothing above the plan where every issue was decided."""
        if (node.lower < node.upper).any():
            return node.answer.objective
        return -np.inf

    def _push(self, node: Node) -> None:
        """Keep a node that may hold a better plan, first come first among equals; remember the bound of another."""
        if self._beaten(node.answer):
            self.bound = max(self.bound, node.answer.objective)
            return
        self.count += 1
        heapq.heappush(self.heap, (-node.answer.objective, self.count, node))

    def _beaten(self, answer: Answer) -> bool:
        best = self.inner.best
        return best is not None and answer.objective <= best.objective + self.gap * abs(best.objective)

    def _hold(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self.session.lower[self.issues], self.session.upper[self.issues] = lower, upper
