"""One night solved: feasible or repaired, the payment sequence chosen, the answer of all four stages."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from liquidity.program.compile import Program
from liquidity.program.patterns import Choice, choose_pattern
from liquidity.program.repair import Repair, repair
from liquidity.program.solve import Answer, Infeasible, Options, Session
from liquidity.program.stages import Goals, Staged, run_stages


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
    def gave_way(self) -> pd.DataFrame | None:
        """Rows that gave way, or None."""
        return None if self.repair is None else self.repair.gave_way


def solve_night(program: Program, goals: Goals, tier_of: dict[str, int], materiality: float, book: float,
                options: Options, method: str = "ipx") -> Solved:  # fmt: skip
    """Solve the program of one night. `method` is the first algorithm tried, `ipx` or `dual`.

    Raises SolverFailed with the chain of attempts when nothing ends at an optimum.
    """
    methods = ("primal", *dict.fromkeys((method, "ipx", "dual")))
    session, mended = Session(program, options, methods), None
    try:
        choice, _ = settle(session, None)
    except Infeasible:
        program, mended = repair(program, tier_of, materiality, book, options)
        chain = session.chain
        session = Session(program, options, methods)
        session.chain = chain
        choice, _ = settle(session, mended.basis)
    held = hold(program, choice)
    staged = run_stages(session, goals.stages)
    return Solved(program, held, staged, choice, mended, tuple(session.chain))


def settle(session: Session, basis: object) -> tuple[Choice, Answer]:
    """Choose the yes/no decisions where there are any, and solve for net worth with them held."""
    choice, best = choose_pattern(session, basis)
    if best is None:
        return choice, session.solve(basis)
    return choice, session.solve(best.basis)


def hold(program: Program, choice: Choice) -> Program:
    """The program with its yes/no decisions substituted at the answer."""
    if not len(choice.values):
        return program
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[program.integer] = upper[program.integer] = choice.values
    return replace(program, column_lower=lower, column_upper=upper, integer=np.zeros_like(program.integer))
