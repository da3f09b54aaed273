"""One night solved: feasible or repaired, the payment sequence chosen, the answer of all four stages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from liquidity.errors import SolverFailed
from liquidity.program.compile import Program
from liquidity.program.patterns import Choice, choose_pattern
from liquidity.program.repair import Repair, hurried, repair
from liquidity.program.solve import Infeasible, Options, Session
from liquidity.program.stages import Goals, Staged, run_stages
from liquidity.program.start import Start

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Rulebook


@dataclass(frozen=True)
class Solved:
    """A solved night.

    `program` has the frozen bounds of a repair; `held` is the program with its yes/no decisions substituted, which all
    prices and all later re-solves refer to. `chain` lists every solver step that did not end at an optimum.
    """

    program: Program
    held: Program
    staged: Staged
    choice: Choice
    repair: Repair | None
    chain: tuple[str, ...]

    @property
    def start(self) -> Start:
        """Where the solve of a program like this one begins: near the optimal faces of all stages."""
        return Start(self.staged.last.basis, self.choice.reach)

    @property
    def gave_way(self) -> pd.DataFrame | None:
        """Rows that gave way, or None."""
        return None if self.repair is None else self.repair.gave_way


def solve_night(program: Program, goals: Goals, tier_of: dict[str, float], materiality: float, book: float,
                options: Options, method: str = "ipx", repairs: bool = True,
                start: Start | None = None) -> Solved:  # fmt: skip
    """Solve the program of one night. `method` is the first algorithm tried, `ipx` or `dual`; where there is a `start`
    near its optimum, primal simplex from there comes first.

    Raises SolverFailed with the chain of attempts when nothing ends at an optimum, and Infeasible, instead of letting a
    rule give way, where there are to be no `repairs`.
    """
    methods = ("primal", *dict.fromkeys((method, "ipx", "dual")))
    session, mended = Session(program, options, methods), None
    try:
        choice = settle(session, start)
    except Infeasible:
        if not repairs:
            raise
        session, choice, mended = mend(session, tier_of, materiality, book)
    program = session.program
    held = hold(program, choice)
    staged = run_stages(session, goals.stages)
    return Solved(program, held, staged, choice, mended, tuple(session.chain))


def mend(session: Session, tier_of: dict[str, float], materiality: float,
         book: float) -> tuple[Session, Choice, Repair | None]:  # fmt: skip
    """Loosen the rules and settle the loosened program; no repair where it turns out that nothing had to give way.

    Yes/no decisions seldom stand in the way of a plan and whole ones take many solves, so they are asked for last.
    """
    for whole in (False, True) if session.program.integer.any() else (False,):
        loose, mended = repair(session.program, tier_of, materiality, book, session.options, whole)
        again = Session(loose, hurried(session.options), session.methods)
        again.chain = session.chain
        try:
            choice = settle(again, Start(mended.basis), doubt=True)
        except Infeasible:
            if not whole:
                continue
            choice = keep(again, mended)
        return again, choice, mended if len(mended.gave_way) else None
    raise SolverFailed("the repaired program has no plan", session.chain)


def keep(session: Session, mended: Repair) -> Choice:
    """Solve with the yes/no decisions of the repair, where a search at the edge of what is feasible found none."""
    session.reset()
    session.fix(np.flatnonzero(session.program.integer), mended.choice)
    try:
        session.solve(mended.basis, doubt=True)
    except Infeasible:
        raise SolverFailed("the repaired program has no plan", session.chain) from None
    return Choice(mended.choice, 1, "yes/no decisions as in the repair")


def settle(session: Session, start: Start | None = None, doubt: bool = False) -> Choice:
    """Choose the yes/no decisions where there are any, and solve for net worth with them held.

    `doubt` says that a plan should exist.
    """
    choice, best = choose_pattern(session, start)
    if best is None:
        session.solve(None if start is None else start.basis, doubt=doubt)
    else:
        session.solve(best.basis, doubt=True)
    return choice


def loosened(program: Program, before: Program, solved: Solved) -> Program:
    """A program of the same rows as the night's program `before`, its bounds moved as the night's repair moved them."""
    if solved.repair is None:
        return program
    lower, upper = (np.zeros(program.shape[0]) for _ in range(2))
    np.subtract(solved.program.row_lower, before.row_lower, out=lower, where=np.isfinite(before.row_lower))
    np.subtract(solved.program.row_upper, before.row_upper, out=upper, where=np.isfinite(before.row_upper))
    return replace(program, row_lower=program.row_lower + lower, row_upper=program.row_upper + upper)


def hold(program: Program, choice: Choice) -> Program:
    """The program with its yes/no decisions substituted at the answer."""
    if not len(choice.values):
        return program
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[program.integer] = upper[program.integer] = choice.values
    return replace(program, column_lower=lower, column_upper=upper, integer=np.zeros_like(program.integer))


def solver_options(rulebook: Rulebook) -> Options:
    """The rulebook's solver options as the solver takes them."""
    chosen = rulebook.solver
    return Options(chosen.threads, chosen.tolerance, chosen.simplex_iteration_limit, chosen.time_limit, gap=chosen.gap)
