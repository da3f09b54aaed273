"""What if one limit were another: the night solved again from where it stands, in well under a second.

The program's pattern is kept and the new numbers are poured into it; where the change makes other rows, it is compiled.
All four stages are walked again, so plan, prices and charges are those of a full solve with the night's yes/no
decisions (the order in which the classes of an ending trust are paid); `choose` chooses those again, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from liquidity.book import Book
from liquidity.book.opening import opening
from liquidity.explain.charges import Charges, make_charges
from liquidity.program.build import rebuild_pool
from liquidity.program.compile import Program
from liquidity.program.night import Solved, hold, solve_night
from liquidity.program.plan import make_plan
from liquidity.program.pool import Pool
from liquidity.program.pouring import pour
from liquidity.program.solve import Infeasible, Options, Session
from liquidity.program.stages import Goals, make_goals, run_stages
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.clock import Clock
from liquidity.runs.night import Night, check_fit, solver_options


@dataclass(frozen=True)
class WhatIf:
    """The answer to a what-if.

    `plan` in CNY (dims segment, facility, ...), `charges` per unit of lending, `refilled` whether the pattern could be
    kept, `clock` seconds by phase.
    """

    pool: Pool
    program: Program
    solved: Solved
    plan: xr.Dataset
    charges: Charges
    refilled: bool
    clock: Clock


def what_if(night: Night, rulebook: Rulebook | None = None, book: Book | None = None, choose: bool = False) -> WhatIf:
    """Solve a night again with another rulebook or book, from its present plan.

    Raises BadInput where the two do not fit, SolverFailed where no plan was found. Where the change leaves no plan with
    the night's yes/no decisions they are chosen again, and a rule that has to give way is repaired as in `allocate`. A
    trust that amortises early goes on doing so: whether it has to is decided by `allocate`. No amounts are computed.

        what_if(night, night.pool.rulebook.edit("capital", ratio=0.22)).plan
    """
    clock, before = Clock(), night.pool
    rulebook, book = rulebook or before.rulebook, book or before.book
    with clock.phase("check"):
        check_fit(book, rulebook)
    with clock.phase("build"):
        pool = rebuild_pool(before, book, rulebook)
    with clock.phase("compile"):
        program, refilled = pour([night.program], pool)
        goals = make_goals(pool, program)
    with clock.phase("solve"):
        solved = None if choose or not refilled else solve_held(night, program, goals, solver_options(rulebook))
        if solved is None:
            size = opening(book).assets / pool.unit
            solved = solve_night(program, goals, rulebook.tiers, rulebook.materiality, size, solver_options(rulebook))
    with clock.phase("charges"):
        first = solved.staged.first
        charges = make_charges(solved.held, first.price, first.reduced)
        plan = make_plan(pool, program, solved.staged.last, first.reduced)
    return WhatIf(pool, program, solved, plan, charges, refilled, clock)


def solve_held(night: Night, program: Program, goals: Goals, options: Options) -> Solved | None:
    """Solve with the night's yes/no decisions, from its last basis; None where that leaves no plan.

    The last basis lies near the optimal faces of all stages: starting there, the later stages take a quarter of the
    time that they take from the basis of the first.
    """
    held = hold(program, night.solved.choice)
    session = Session(held, options)
    try:
        session.solve(night.solved.staged.last.basis)
    except Infeasible:
        return None
    staged = run_stages(session, goals.stages)
    return Solved(program, held, staged, night.solved.choice, None, tuple(session.chain))
