"""One scenario solved three ways, how long the lender lives in it, and which channels move its net worth.

- `reoptimise`: tonight and all later periods are decided knowing the scenario;
- `hold`: tonight's decision is the one of the night without a scenario, later periods are decided anew;
- `run_off`: nothing is lent from tonight on; a trust that buys no more loans amortises early.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial
from typing import Literal

import numpy as np
import pandas as pd

from liquidity.book import Book, opening
from liquidity.errors import SolverFailed
from liquidity.program.build import build_pool
from liquidity.program.compile import Program
from liquidity.program.decide import Change, Given, decide
from liquidity.program.events import Event
from liquidity.program.night import Solved, settle, solver_options
from liquidity.program.patterns import Choice
from liquidity.program.pool import Pool
from liquidity.program.pouring import pour
from liquidity.program.shocks import NO_SHOCKS, Shocks
from liquidity.program.solve import Infeasible, Session
from liquidity.program.stages import Goals
from liquidity.program.start import Start
from liquidity.rules.rulebook import Rulebook
from liquidity.scenarios.apply import Applied

Projection = Literal["reoptimise", "hold", "run_off"]
PROJECTIONS: tuple[Projection, ...] = ("reoptimise", "hold", "run_off")
DECIDED = ("lend", "move", "draw", "pay_down", "note_draw", "note_pay", "contribute", "market_draw", "market_pay")
"""Decisions that are carried out tonight; what trusts pay and release follows from their terms."""
FORCED = ("PRIORITY", "STABILITY", "INSTRUCTION")
"""Causes of the rules that make the lender lend; they have no place where nothing is lent."""
FUNDED = ("FUNDING", "FACILITY_TERMS")
"""Causes of the rules that take money back, which alone hold in the question how long the money lasts."""
FREED = ("open_market", "contribute_cap")
"""Terms that are lifted in that question: the market measures what is missing; a vehicle that may not draw is paid its
fees by the lender."""
SLACK = 1e-7
"""Held decisions may move by this much (units), a fraction of a fen: they come out of another solve."""
SHORT = 1e-6
"""Missing money, as a part of the book, that counts as running out."""
Tonight = dict[str, dict[tuple[object, ...], float]]


@dataclass(frozen=True)
class Case:
    """A solved projection: `events` are early amortisations; not `whole` where tonight's decision could only be held in
    part.
    """

    pool: Pool
    program: Program
    goals: Goals
    solved: Solved
    events: tuple[Event, ...] = ()
    whole: bool = True

    @property
    def net_worth(self) -> float:
        """Net worth at the horizon, CNY."""
        return self.solved.staged.first.objective * self.pool.unit

    @property
    def gave_way(self) -> list[str]:
        """Rules that gave way, by name."""
        frame = self.solved.gave_way
        return [] if frame is None else sorted(set(frame.rule))


@dataclass(frozen=True)
class Setting:
    """What all scenarios share: book, rulebook, and the night without a scenario.

    `base` is its program, into which others are poured; `start` where they begin, `worth` its net worth
    (CNY); `tonight` what it decides.
    """

    book: Book
    rulebook: Rulebook
    base: Program | None = None
    start: Start | None = None
    tonight: Tonight | None = None
    worth: float = 0.0


def solve_case(setting: Setting, rulebook: Rulebook, shocks: Shocks, change: Change | None = None,
               start: Start | None = None) -> Case:  # fmt: skip
    """The night under a scenario, its program changed; raises SolverFailed where no plan was found.

    Trusts whose covenants break amortise early, as on any night. `start` is of the setting's program.
    """
    found = decide(Given(setting.book, rulebook, shocks=shocks, known=setting.base, start=start, change=change))
    return Case(found.pool, found.program, found.goals, found.solved, found.events)


def with_night(book: Book, rulebook: Rulebook) -> tuple[Setting, Case]:
    """The setting of a book, and its night without a scenario."""
    setting = Setting(book, rulebook)
    case = solve_case(setting, rulebook, NO_SHOCKS)
    held = decided(case.program, case.solved.staged.last.x)
    # a program that holds a repair or yes/no decisions is no place to pour others into
    plain = None if case.pool.cautious else case.program
    return replace(setting, base=plain, start=case.solved.start, tonight=held, worth=case.net_worth), case


def decided(program: Program, x: np.ndarray) -> Tonight:
    """Tonight's decisions by name and index, units."""
    out: Tonight = {}
    for family in program.columns:
        if family.name in DECIDED and len(family.index):
            out[family.name] = {
                index: float(x[family.start + at]) for at, index in enumerate(family.index) if index[-1] == 1
            }
    return out


def holding(tonight: Tonight, whole: bool = True) -> Change:
    """The change that holds tonight's decisions, or, not `whole`, lets each be as much or less."""

    def change(program: Program) -> Program:
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        for family in program.columns:
            known = tonight.get(family.name, {})
            for at, index in enumerate(family.index) if known else ():
                if index[-1] == 1:
                    value = max(0.0, known[index])
                    lower[family.start + at] = max(0.0, value - SLACK) if whole else 0.0
                    upper[family.start + at] = value + SLACK
        return replace(program, column_lower=lower, column_upper=upper)

    return change


def shutting(names: tuple[str, ...], first: int) -> Change:
    """The change that forbids some decisions from a period on."""

    def change(program: Program) -> Program:
        upper = program.column_upper.copy()
        for family in program.columns:
            if family.name in names:
                late = np.array([index[-1] >= first for index in family.index], bool)
                upper[family.place] = np.where(late, 0.0, upper[family.place])
        return replace(program, column_upper=upper)

    return change


def lifting(keep: Callable[[str], bool]) -> Change:
    """The change that lifts the rows of every rule whose cause is not kept; requests have none and stay."""

    def change(program: Program) -> Program:
        for owner in sorted(
            {row.owner for row in program.rows if row.kind == "rule" and row.code and not keep(row.code)}
        ):
            program = program.lift(owner)
        return program

    return change


def after(*changes: Change) -> Change:
    """Changes one after the other."""

    def change(program: Program) -> Program:
        for one in changes:
            program = one(program)
        return program

    return change


NO_LENDING = after(shutting(("lend",), 1), lifting(lambda code: code not in FORCED))


def project(setting: Setting, applied: Applied, projection: Projection) -> Case:
    """A scenario solved one way; SolverFailed where no plan was found.

    A scenario may make a part of tonight's decision impossible (nobody asks, a partner is gone): then `hold` carries
    out what can be, and nothing beyond it.
    """
    if projection == "run_off":
        stopped = replace(setting, book=amortising(setting.book))
        return solve_case(stopped, applied.rulebook, applied.shocks, NO_LENDING)
    if projection == "reoptimise":
        return solve_case(setting, applied.rulebook, applied.shocks)
    tonight = setting.tonight or {}
    try:
        return solve_case(setting, applied.rulebook, applied.shocks, holding(tonight))
    except SolverFailed:
        case = solve_case(setting, applied.rulebook, applied.shocks, holding(tonight, whole=False))
        return replace(case, whole=False)


def amortising(book: Book) -> Book:
    """The book on the night on which every trust stops buying loans: its revolving period ends tonight."""
    table = book["facilities"].copy()
    tonight = pd.Timestamp(book.as_of)
    table.loc[(table.kind == "abs") & ~(table.revolving_end <= tonight), "revolving_end"] = tonight
    return book.replace("facilities", table.reset_index())


# ---- how long the money lasts


@dataclass(frozen=True)
class Survival:
    """Days until money is missing; `whole` where it lasts over the horizon, so that the days are a least."""

    days: int
    whole: bool


def survival(case: Case) -> Survival:
    """How long the money of a run-off lasts when, besides, no line or note is drawn and no loan sold.

    Only the rules that take money back hold (commitments, terms of facilities); where even these cannot be met,
    commitments alone. The open market measures what is missing: least is borrowed there.
    """
    shut = shutting(("lend", "draw", "note_draw", "move"), 1)
    for kept in (FUNDED, FUNDED[:1]):
        try:
            return lasts(after(shut, keeping(kept))(case.program), case)
        except Infeasible:
            continue
    raise SolverFailed(f"how long the money lasts in {case.pool.shocks.name} has no answer")


def keeping(codes: tuple[str, ...]) -> Change:
    """The change that lifts the rows of every rule of another cause."""
    return lifting(lambda code: code in codes)


def lasts(program: Program, case: Case) -> Survival:
    """The first day on which money is borrowed in the open market, which is lifted, when least is."""
    row_upper, market = program.row_upper.copy(), program.column("market_debt")
    for row in program.rows:
        if row.owner == "terms" and row.name in FREED:
            row_upper[row.place] = np.inf
    cost = np.zeros(program.shape[1])
    cost[market.place] = -1.0
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[program.integer], upper[program.integer] = 0.0, 1.0
    free = replace(program, row_upper=row_upper, column_lower=lower, column_upper=upper)
    session = Session(free, solver_options(case.pool.rulebook))
    session.objective(cost)
    owed = session.solve(doubt=True).x[market.place]
    size, grid = opening(case.pool.book).assets / case.pool.unit, case.pool.grid
    missing = [t for t in range(1, grid.size + 1) if owed[t] > SHORT * size]
    last = grid.starts[missing[0] - 1] if missing else grid.starts[-1]
    return Survival((last - grid.starts[0]).days, not missing)


# ---- what drove the change


def drivers(setting: Setting, applied: Applied, worth: float) -> dict[str, float]:
    """Shapley value of every channel for the change of net worth, CNY; `worth` is that of the whole scenario.

    Exact: every set of channels is solved, from where the set without its last channel ended, and the parts add up to
    `worth` less the net worth without a scenario.
    """
    channels = applied.channels
    value = {frozenset[str](): setting.worth, frozenset(channels): worth}
    known: dict[tuple[str, ...], Start | None] = {(): setting.start}
    for size in range(1, len(channels)):
        for some in combinations(channels, size):
            rulebook, shocks = applied.only(frozenset(some))
            value[frozenset(some)], known[some] = worth_of(setting, rulebook, shocks, known[some[:-1]])
    return shapley(channels, value)


def worth_of(setting: Setting, rulebook: Rulebook, shocks: Shocks,
             start: Start | None) -> tuple[float, Start | None]:  # fmt: skip
    """Net worth alone, CNY, from a start where the program can be poured, in full where a rule has to give way; and
    where to begin from it, None where the program cannot be poured.
    """
    found = plain(setting, rulebook, shocks, start)
    if found is None:
        return solve_case(setting, rulebook, shocks, start=start).net_worth, start
    session, unit, poured, choice = found
    answer = session.refresh()
    return answer.objective * unit, Start(answer.basis, choice.reach) if poured else None


def has_plan(setting: Setting, rulebook: Rulebook, shocks: Shocks) -> bool:
    """Whether some plan keeps every rule, looked for from where the night without a scenario ended."""
    return plain(setting, rulebook, shocks, setting.start) is not None


def plain(setting: Setting, rulebook: Rulebook, shocks: Shocks,
          start: Start | None) -> tuple[Session, float, bool, Choice] | None:  # fmt: skip
    """A session at the highest net worth with every rule kept, its unit (CNY), whether the program was poured, and the
    choice; None where there is no such plan.
    """
    pool = build_pool(setting.book, rulebook, shocks=shocks)
    program, poured = pour(() if setting.base is None else (setting.base,), pool)
    session = Session(program, solver_options(rulebook))
    try:
        choice = settle(session, start if poured else None)
    except SolverFailed:
        return None
    return session, pool.unit, poured, choice


def shapley(players: tuple[str, ...], value: dict[frozenset[str], float]) -> dict[str, float]:
    """The Shapley value of every player from the values of all sets of players."""
    count, out = len(players), dict.fromkeys(players, 0.0)
    for player in players:
        others = [one for one in players if one != player]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for some in combinations(others, size):
                out[player] += weight * (value[frozenset((*some, player))] - value[frozenset(some)])
    return out
