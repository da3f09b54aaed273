"""What it would take to relend more to a segment tonight (DESIGN 7.5): forced, enabled, break-even.

Forced: hold a floor under the segment's relent and see what it costs and who loses the money. Enabled: the cheapest
single change of a negotiable limit, line, rate or gate that makes the optimum do it by itself. Break-even: the rate and
the default probability at which it would. Nothing is claimed that was not solved: with the change the segment is relent
by as much, with 99% of it it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from liquidity.book import Book
from liquidity.errors import BadInput, Problem, SolverFailed
from liquidity.program.build import rebuild_pool
from liquidity.program.compile import Program
from liquidity.program.night import Solved, hold, loosened
from liquidity.program.pool import Pool
from liquidity.program.pouring import pour
from liquidity.program.solve import Infeasible, Session, with_basic_row
from liquidity.program.stages import Goals, make_goals, run_stages
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.levers import COST, Lever, levers
from liquidity.runs.night import Decided, Say, check_fit, decide, quiet, solver_options

SHORT_OF = 0.99
CLOSE = 0.004
"Searches stop when the change is known to less than half of a hundredth, so that 99% of it falls short."
FIRST_STEP = 1 / 256
ENOUGH = 1e-6
OTHER = {
    "draw": "drawn on lines", "pay_down": "repaid to lines", "note_draw": "drawn on warehouse notes",
    "note_pay": "repaid on warehouse notes", "move": "loans sold to vehicles", "contribute": "paid into warehouses",
    "release": "released by vehicles", "cash": "treasury cash after tonight",
    "facility_cash": "cash of vehicles after tonight",
}  # fmt: skip
BY = {"apr": (1.0, 1.0), "pd": (-1.0, 0.0)}


class Standing(Protocol):
    """A solved night, or as much of it as a contrast needs."""

    @property
    def pool(self) -> Pool: ...

    @property
    def program(self) -> Program: ...

    @property
    def goals(self) -> Goals: ...

    @property
    def solved(self) -> Solved: ...


@dataclass(frozen=True)
class Change:
    """A change of one number, CNY and the number's own unit.

    `room` is what the change gives on the rule's tightest row tonight, `cost` a year of it at the rate of its kind,
    `worth` the change of net worth. `relent` is the segment's with the change, `short` with 99% of it; `proved` says
    that both were found by solving the changed night from the start.
    """

    kind: str
    rule: str
    what: str
    now: float
    to: float
    unit: str
    origin: str
    room: float
    cost: float
    worth: float
    relent: float
    short: float
    proved: bool


@dataclass(frozen=True)
class Contrast:
    """The answer for one segment; amounts in CNY tonight.

    `most` is the largest relent that all rules allow; `cost` (net worth) and `moved` belong to the forced plan and are
    empty where it cannot be forced. `moved` is where the money came from, what changed tonight: relent of other
    segments, lending to new borrowers by segment, and the flows of OTHER. `enabled` by rising cost, `break_even` by
    kind (apr, pd).
    """

    segment: str
    amount: float
    now: float
    wanted: float
    most: float
    cost: float | None
    moved: pd.Series
    enabled: tuple[Change, ...]
    break_even: tuple[Change, ...]
    solves: int


def stand(book: Book, rulebook: Rulebook, previous: pd.Series | None = None, repairs: bool = True) -> Decided:
    """Decide a night, without its explanation. Raises Infeasible where rules contradict and nothing is to give way."""
    check_fit(book, rulebook)
    return decide(book, rulebook, previous, repairs=repairs)


def contrast(night: Standing, segment: str, amount: float, say: Say = quiet) -> Contrast:
    """What it would take to relend `amount` (CNY) more to a segment tonight.

    Raises BadInput for a segment that is not in the book or an amount that is not positive.
    """
    if segment not in night.goals.segments:
        raise BadInput(Problem("--segment", "", "", segment, f"one of {', '.join(night.goals.segments[:5])}, ..."))
    if not amount > 0:
        raise BadInput(Problem("--ask", "", "relend", amount, "an amount above 0 CNY"))
    search = Search(night, segment, amount)
    most = search.most()
    cost, moved = search.forced() if search.target <= most * (1 + ENOUGH) else (None, pd.Series(dtype=float))
    say(f"{segment}: at most {most * search.unit:,.0f} CNY could be relent under every rule")
    found = []
    wanted = float((night.goals.wanted[0] @ night.solved.staged.last.x)[search.row])
    within, may = search.target <= wanted * (1 + ENOUGH), acting(night)
    for lever in levers(night.pool, segment):
        # what no gate lets through is relent under no limit
        change = search.enable(lever) if lever.rule in may and (within or lever.kind == "gate") else None
        if change is not None:
            say(f"{lever.what} ({lever.rule}): {change.now:,.6g} -> {change.to:,.6g} {change.unit}")
            found.append(change)
    found.sort(key=lambda change: (change.cost, change.what))
    enabled = tuple([search.prove(change) for change in found[:1]] + found[1:])
    points = [search.enable(lever) for lever in break_even_levers(night.pool, segment) if within]
    proved = tuple(search.prove(change) for change in points if change is not None)
    now, wanted, most = (part * search.unit for part in (search.now, wanted, most))
    return Contrast(segment, amount, now, wanted, most, cost, moved, enabled, proved, search.solves)


def acting(night: Standing) -> set[str]:
    """Rules with a price at some stage. Loosening another leaves the plan optimal, however far it goes."""
    touched = night.solved.staged.touched
    return {family.owner for family in night.solved.held.rows if touched[family.place].any()}


def yielding(night: Standing) -> set[str]:
    """Rules that gave way."""
    frame = night.solved.gave_way
    return set() if frame is None else set(frame.rule)


def break_even_levers(pool: Pool, segment: str) -> list[Lever]:
    """The rate and the default probability of a segment."""
    out = []
    for name, (way, end) in BY.items():
        now = float(pool.book["segments"][name][segment])

        def apply(value: float, name: str = name) -> tuple[Rulebook, Book]:
            return pool.rulebook, pool.book.edit("segments", segment, **{name: value})

        if (end - now) * way > 0:
            out.append(Lever(name, "", f"{name} of {segment}", now, end, "1/year", "desk", apply))
    return out


class Search:
    """Re-solves one night with one number changed, until it is known how far it has to go. Amounts in units."""

    def __init__(self, night: Standing, segment: str, amount: float) -> None:
        self.night, self.segment = night, segment
        self.unit = night.pool.unit
        self.row = night.goals.segments.index(segment)
        self.now = self.relent(night.goals, night.solved.staged.last.x)
        self.target = self.now + amount / self.unit
        self.solves = 0
        self.tried: dict[tuple[str, float], tuple[float, float]] = {}
        self.bases: dict[str, dict[float, Any]] = {}
        self.applied: dict[str, Callable[[float], tuple[Rulebook, Book]]] = {}

    def relent(self, goals: Goals, x: np.ndarray) -> float:
        """Tonight's relent of the segment."""
        return float((goals.relent[0] @ x)[self.row])

    def most(self) -> float:
        """The largest relent that all rules allow tonight, whatever it costs."""
        night = self.night
        session = Session(night.solved.held, solver_options(night.pool.rulebook))
        session.objective(np.asarray(night.goals.relent[0][[self.row]].todense()).ravel())
        self.solves += 1
        return self.relent(night.goals, session.solve(night.solved.staged.last.basis, doubt=True).x)

    def forced(self) -> tuple[float, pd.Series]:
        """Net worth that the floor costs, and the change of tonight's relent by segment, both CNY."""
        night, first = self.night, self.night.solved.staged.first
        coefficients = night.goals.relent[0][[self.row]]
        held = night.solved.held.with_row("contrast", "floor", coefficients, self.target * (1 - ENOUGH))
        session = Session(held, solver_options(night.pool.rulebook))
        session.solve(with_basic_row(first.basis), doubt=True)
        staged = run_stages(session, night.goals.stages)
        self.solves += 1
        moved = tonight(night.program, staged.last.x) - tonight(night.program, night.solved.staged.last.x)
        moved = (moved * self.unit).drop(f"relent {self.segment}")
        return (first.objective - staged.first.objective) * self.unit, moved[moved.abs() >= 1.0].sort_values()

    # ---- one number changed

    def enable(self, lever: Lever) -> Change | None:
        """The least change of a lever with which the optimum relends as much; None where no change does."""
        self.applied[lever.what] = lever.apply
        far = lever.end - lever.now
        step, before = FIRST_STEP, 0.0
        # in steps, not from the far end: a small step is a few pivots from the step before
        while not self.does(lever, far * step):
            if step == 1:
                return None
            before, step = step, 2 * step
        low, high = before, step
        while high - low > CLOSE * high:
            middle = (low + high) / 2
            low, high = (low, middle) if self.does(lever, far * middle) else (middle, high)
        with_it, worth = self.at(lever, far * high)
        short, _ = self.at(lever, far * high * SHORT_OF)
        if short >= self.target * (1 - ENOUGH):
            return None  # not one threshold: the answer would not stand its own test
        room = self.room(lever, lever.now + far * high) if lever.rule else 0.0
        return Change(lever.kind, lever.rule, lever.what, lever.now, lever.now + far * high, lever.unit, lever.origin,
                      room, room * COST.get(lever.kind, 0.0), worth * self.unit, with_it * self.unit,
                      short * self.unit, False)  # fmt: skip

    def does(self, lever: Lever, change: float) -> bool:
        """Whether the optimum relends the target with the change."""
        return self.at(lever, change)[0] >= self.target * (1 - ENOUGH)

    def at(self, lever: Lever, change: float) -> tuple[float, float]:
        """The segment's relent and the change of net worth, the night's yes/no decisions held."""
        key = lever.what, change
        if key not in self.tried:
            self.tried[key] = self.solve(lever, lever.now + change)
        return self.tried[key]

    def solve(self, lever: Lever, value: float) -> tuple[float, float]:
        """Solve the changed night from the nearest number solved; minus infinity where it is refused or has no plan."""
        night, known = self.night, self.bases.setdefault(lever.what, {lever.now: self.night.solved.staged.last.basis})
        self.solves += 1
        try:
            rulebook, book = lever.apply(value)
            pool = rebuild_pool(night.pool, book, rulebook)
            program, refilled = pour([night.program], pool)
            held = hold(loosened(program, night.program, night.solved), night.solved.choice) if refilled else program
            session = Session(held, solver_options(rulebook))
            session.solve(known[min(known, key=lambda other: abs(other - value))] if refilled else None)
        except (BadInput, Infeasible):
            return -np.inf, 0.0
        goals = make_goals(pool, program)
        staged = run_stages(session, goals.stages[:1])
        if refilled:
            known[value] = staged.last.basis
        gained = (staged.first.objective * pool.unit - night.solved.staged.first.objective * self.unit) / self.unit
        return self.relent(goals, staged.last.x) * pool.unit / self.unit, gained

    def room(self, lever: Lever, value: float) -> float:
        """Room (CNY) that the change gives tonight on the row of the rule that it moves most, with tonight's plan."""
        rulebook, book = lever.apply(value)
        pool = rebuild_pool(self.night.pool, book, rulebook)
        program, refilled = pour([self.night.program], pool)
        if not refilled:
            return 0.0
        x, gained = self.night.solved.staged.last.x, 0.0
        for family in program.rows:
            if family.owner == lever.rule and len(family.index):
                more = slack(program, family.place, x) - slack(self.night.program, family.place, x)
                at = family.dims.index("period") if "period" in family.dims else None
                now = [at is None or index[at] == 1 for index in family.index]
                gained = max(gained, float(more[now].max(initial=0.0)))
        return gained * self.unit

    def prove(self, change: Change) -> Change:
        """Solve the night from the start with the change and with 99% of it."""
        apply = self.applied[change.what]
        with_it, worth = self.whole(change.to, apply)
        short, _ = self.whole(change.now + SHORT_OF * (change.to - change.now), apply)
        target = self.target * (1 - ENOUGH) * self.unit
        return replace(change, relent=with_it, short=short, worth=worth, proved=with_it >= target > short)

    def whole(self, value: float, apply: Callable[[float], tuple[Rulebook, Book]]) -> tuple[float, float]:
        """The segment's relent and the change of net worth, CNY, by a night solved from the start."""
        self.solves += 1
        rulebook, book = apply(value)
        try:
            # what gave way tonight does so with the change too, but nothing else
            repairs = self.night.solved.repair is not None
            night = stand(book, rulebook, self.night.pool.previous, repairs=repairs)
        except SolverFailed:
            return -np.inf, 0.0
        if yielding(night) - yielding(self.night):
            return -np.inf, 0.0
        unit, first = night.pool.unit, night.solved.staged.first
        gained = first.objective * unit - self.night.solved.staged.first.objective * self.unit
        return self.relent(night.goals, night.solved.staged.last.x) * unit, gained


def tonight(program: Program, x: np.ndarray) -> pd.Series:
    """Tonight's flows by what they are, units."""
    lend = program.column("lend").frame()
    lend["amount"] = x[program.column("lend").place]
    lend = lend[lend.period == 1]
    label = lend.borrower.map({"returning": "relent ", "new": "new loans "}) + lend.segment.astype(str)
    parts = [lend.amount.groupby(label).sum()]
    for name, text in OTHER.items():
        family = program.column(name)
        frame = family.frame()
        parts.append(pd.Series({text: float(x[family.place][(frame.period == 1).to_numpy()].sum())}))
    return pd.concat(parts)


def slack(program: Program, place: slice, x: np.ndarray) -> np.ndarray:
    """Room of some rows at a plan, units; rows that bind from both sides have none."""
    activity = (program.matrix @ x)[place]
    return np.minimum(program.row_upper[place] - activity, activity - program.row_lower[place])
