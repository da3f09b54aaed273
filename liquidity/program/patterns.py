"""Yes/no decisions of sequential pay, by enumeration of monotone patterns (DESIGN 5).

A pattern says in which period each class of an amortising trust ends. Bound programs limit the range of each end;
every remaining pattern is one linear program, cut off where its relaxation cannot beat the best found. Deficiencies
are then decided by branch and bound, to a gap that is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from liquidity.program.branching import WHOLE, Tree
from liquidity.program.compile import Family, Program
from liquidity.program.solve import Answer, Infeasible, Session
from liquidity.program.start import Question, Start

PAID = 1e-7
GAIN = 1e-9
NEAR = 1e-6
"Relative net worth within which the decisions on deficiencies are the best: their bound has many near ties."
PATIENCE = 2
"Warm starts that may fail before a search does without them."


@dataclass(frozen=True)
class Class:
    """One class of an amortising trust: its `done` columns and `pay` columns by period, and its opening notes."""

    trust: str
    name: str
    periods: tuple[int, ...]
    done: np.ndarray
    pay: np.ndarray
    notes: float


@dataclass(frozen=True)
class Choice:
    """The yes/no decisions chosen: values of all integer columns, and how many programs it took.

    `bound`: net worth that no other choice exceeds, program units; None where no choice was left to bounds. `reach`:
    bases of the range programs.
    """

    values: np.ndarray
    solved: int
    note: str
    bound: float | None = None
    reach: Mapping[Question, Any] = field(default_factory=dict)


def classes_of(program: Program) -> list[Class]:
    """Classes whose end is open, trust by trust, most senior first."""
    done, pay, start = (program.column(name) for name in ("done", "pay", "tranche"))
    opening = dict(zip(((f, k) for f, k, t in start.index if t == 0), opening_notes(program, start)))
    place = {index: pay.start + row for row, index in enumerate(pay.index)}
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row, (f, k, t) in enumerate(done.index):
        found.setdefault((f, k), []).append((t, done.start + row))
    return [
        Class(
            f, k, tuple(t for t, _ in ends), np.array([at for _, at in ends]),
            np.array([place[f, k, t] for t, _ in ends]), opening[f, k],
        )
        for (f, k), ends in found.items()
    ]  # fmt: skip


def opening_notes(program: Program, tranche: Family) -> np.ndarray:
    """Opening notes of every class, read off the definition rows."""
    rows = program.row("definition", "opening_tranche")
    return program.row_lower[rows.place]


def choose_pattern(session: Session, start: Start | None = None) -> tuple[Choice, Answer | None]:
    """The best pattern, proved by bounds; leaves the session fixed at it.

    Returns the choice and the optimum at it (None where there is nothing to choose). Raises Infeasible when no pattern
    has a plan.
    """
    program = session.program
    whole = np.flatnonzero(program.integer)
    if not len(whole):
        return Choice(np.zeros(0), 0, "no yes/no decision"), None
    search = Search(session, start or Start())
    best = search.run()
    session.fix(whole, search.kept[whole])
    return Choice(search.kept[whole], search.solved, search.note(), search.most(), search.reach), best


class Search:
    """Depth first over the ends of the classes, best relaxation first, then over open deficiencies.

    `kept` holds the yes/no decisions of the best plan found, in the places of the program's columns.
    """

    def __init__(self, session: Session, start: Start) -> None:
        program = session.program
        self.basis, self.reach = start.basis, dict(start.reach)
        self.session, self.classes, self.goal = session, classes_of(program), session.cost.copy()
        gap = program.column("gap")
        self.gaps = np.arange(gap.start, gap.stop)
        issue = program.column("issue")
        self.issues = np.arange(issue.start, issue.stop)
        self.bound = -np.inf
        self.values = np.zeros(program.shape[1])
        self.kept = self.values.copy()
        self.best: Answer | None = None
        self.solved = 0
        self.ranges: list[tuple[int, ...]] = []
        self.settled = False
        self.tired = 0

    def run(self) -> Answer:
        """Try the pattern in which no class ends, limit the ranges, enumerate what is left."""
        for one in self.classes:
            self._hold(one, len(one.periods))
        never = self._try(self.basis)
        for one in self.classes:
            self._free(one)
        start = self._solve(self.basis) if never is None else never
        self.ranges = self._all_ranges(start.basis)
        self.settled = never is not None and all(
            ends == (len(one.periods),) for one, ends in zip(self.classes, self.ranges)
        )
        if len(self.issues):
            self._branch(start)
        elif never is not None and self.settled:
            self._gap(never)
        else:
            self._descend(0, start)
        if self.best is None:
            raise Infeasible("no sequence of payments has a plan")
        return self.best

    def most(self) -> float | None:
        """Net worth that no plan exceeds; None where every choice was tried."""
        if self.best is None or self.bound == -np.inf:
            return None
        return max(self.bound, self.best.objective)

    def note(self) -> str:
        """What was searched, for the run record."""
        spans = [f"{one.trust}/{one.name}: {len(ends)}" for one, ends in zip(self.classes, self.ranges)]
        note = f"{self.solved} programs; possible ends by class: {', '.join(spans) or 'none'}"
        most = self.most()
        if most is None or self.best is None:
            return note
        gap = (most - self.best.objective) / max(1.0, abs(self.best.objective))
        decided = [f"{len(at)} {name}" for at, name in ((self.issues, "planned issues"), (self.gaps, "deficiencies"))
                   if len(at)]  # fmt: skip
        return f"{note}; {' and '.join(decided)} decided to a gap of {gap:.1e} of net worth"

    # ---- planned issues

    def _branch(self, start: Answer) -> None:
        """Branch and bound over the planned issues; the sequence is searched where they are whole."""
        if self.settled:
            for one in self.classes:
                self._hold(one, len(one.periods))
        tree = Tree(self.session, self.issues, self._allowed(self.session.options.gap), self, self._settle)
        tree.run(start, self._guesses(start))
        self.bound = max(self.bound, tree.bound)

    def _allowed(self, gap: float) -> float:
        """The gap of a tree: what a repair minimises is no net worth, there the least has to be found."""
        program = self.session.program
        return gap if np.array_equal(self.goal[: program.shape[1]], program.cost) else GAIN

    def _guesses(self, start: Answer) -> list[np.ndarray]:
        """Issues rounded from the relaxation: to the nearest, and those whose part would be enough for their window."""
        program = self.session.program
        terms = [program.row("terms", f"issue_at_{name}") for name in ("least", "most")]
        least, most = (program.matrix[rows.place][:, self.issues].diagonal() for rows in terms)
        part = start.x[self.issues]
        tests = (part >= 0.5, (part > WHOLE) & (part * -most >= least - WHOLE))
        found = {tuple(test): test.astype(float) for test in tests}
        return list(found.values())

    def attempt(self, basis: Any) -> Answer | None:
        """The optimum of the session's present numbers; None where there is no plan."""
        answer = self._try(basis, ("warm", "ipx", "dual") if self.tired < PATIENCE else ("ipx", "dual"))
        # where one decision moves the whole plan, as in a large program, dual simplex only loses time
        self.tired += answer is not None and answer.method != "warm"
        return answer

    def _settle(self, answer: Answer, decided: np.ndarray) -> None:
        """Decide sequence and deficiencies at whole issues."""
        self.values[self.issues] = decided
        if self.settled:
            self._gap(answer)
        else:
            self._descend(0, answer)

    # ---- programs

    def _solve(self, basis: Any, methods: tuple[str, ...] = ()) -> Answer:
        self.solved += 1
        return self.session.solve(basis, methods=methods)

    def _try(self, basis: Any, methods: tuple[str, ...] = ()) -> Answer | None:
        try:
            return self._solve(basis, methods)
        except Infeasible:
            return None

    def _all_ranges(self, basis: Any) -> list[tuple[int, ...]]:
        """Ranges of all classes. No class ends before one senior to it, and none where that one does not end."""
        out: list[tuple[int, ...]] = []
        for row, one in enumerate(self.classes):
            never = len(one.periods)
            senior = out[-1] if row and self.classes[row - 1].trust == one.trust else (0,)
            ends = senior if senior == (never,) else self._range(one, basis)
            out.append(tuple(end for end in ends if end >= senior[0]))
        return out

    def _range(self, one: Class, basis: Any) -> tuple[int, ...]:
        """Positions at which the class may end; the number of periods stands for not within the horizon."""
        never = len(one.periods)
        first = self._reached(one, basis, 1.0)
        return tuple(range(first, (never if first == never else self._reached(one, basis, -1.0)) + 1))

    def _reached(self, one: Class, basis: Any, sign: float) -> int:
        """First position by which the class can (sign 1) or must (sign -1) be paid in full; by bisection.

        The last period is asked first: most classes do not end within the horizon.
        """
        low, high, at = 0, len(one.periods), len(one.periods) - 1
        while low < high:
            cost = np.zeros(self.session.program.shape[1])
            cost[one.pay[: at + 1]] = sign
            self.session.objective(cost)
            answer = self._ask((one.trust, one.name, at, sign), basis)
            if answer.x[one.pay[: at + 1]].sum() >= one.notes - PAID * max(1.0, one.notes):
                high = at
            else:
                low = at + 1
            at = (low + high) // 2
        self.session.cost = self.goal.copy()
        return low

    def _ask(self, question: Question, basis: Any) -> Answer:
        """A range program: from its basis in a program like this, else from the plan's."""
        known = self.reach.get(question)
        answer = None if known is None else self.session.near(known)
        if answer is None:
            answer = self._solve(basis)
        else:
            self.solved += 1
        self.reach[question] = answer.basis
        return answer

    def _descend(self, row: int, parent: Answer) -> None:
        """Fix the end of one class after the other."""
        if row == len(self.classes):
            self._gap(parent)
            return
        one, found = self.classes[row], []
        for end in (end for end in self.ranges[row] if end >= self._after(row)):
            self._hold(one, end)
            answer = self._try(parent.basis)
            if answer is not None:
                found.append((answer, end))
        for answer, end in sorted(found, key=lambda child: -child[0].objective):
            if self._beaten(answer):
                break
            self._hold(one, end)
            self._descend(row + 1, answer)
        self._free(one)

    def _after(self, row: int) -> int:
        """The position at which the class before it ends: no class ends earlier than one senior to it."""
        one = self.classes[row]
        if row == 0 or self.classes[row - 1].trust != one.trust:
            return 0
        return len(one.periods) - int(self.values[self.classes[row - 1].done].sum())

    def _beaten(self, answer: Answer) -> bool:
        return self.best is not None and answer.objective <= self.best.objective + GAIN * abs(self.best.objective)

    def _hold(self, one: Class, end: int) -> None:
        done = (np.arange(len(one.periods)) >= end).astype(float)
        self.values[one.done] = done
        self.session.fix(one.done, done)

    def _free(self, one: Class) -> None:
        self.session.lower[one.done], self.session.upper[one.done] = 0.0, 1.0

    def _gap(self, answer: Answer) -> None:
        """Decide the deficiencies at a whole sequence, which the session holds; keep the plan if it is the best."""
        if self._beaten(answer):
            return
        if not len(self.gaps):
            self._keep(answer, np.zeros(0))
            return
        tree = Tree(self.session, self.gaps, self._allowed(NEAR), self, self._keep)
        tree.run(answer)
        self.bound = max(self.bound, tree.bound)

    def _keep(self, answer: Answer, gaps: np.ndarray) -> None:
        if not self._beaten(answer):
            self.best, self.kept = answer, self.values.copy()
            self.kept[self.gaps] = gaps
