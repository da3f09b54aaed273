"""What if one limit were another: the night solved again from where it stands, in well under a second.

The program's pattern is kept and the new numbers are poured into it; where the change makes other rows, it is compiled.
The plan, prices and charges are those of a full solve: yes/no decisions are chosen again, all four stages are walked.
"""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from liquidity.book import Book
from liquidity.book.opening import opening
from liquidity.explain.charges import Charges, make_charges
from liquidity.program.build import build_pool
from liquidity.program.compile import Program, compile_program, refill_from
from liquidity.program.night import Solved, solve_night
from liquidity.program.plan import make_plan
from liquidity.program.pool import Pool
from liquidity.program.stages import make_goals
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


def what_if(night: Night, rulebook: Rulebook | None = None, book: Book | None = None) -> WhatIf:
    """Solve a night again with another rulebook or book, from its present plan.

    Raises BadInput where the two do not fit, SolverFailed where no plan was found. A rule that has to give way is
    repaired as in `allocate`. No amounts are computed.

        what_if(night, night.pool.rulebook.edit("capital", ratio=0.22)).plan
    """
    clock, before = Clock(), night.pool
    rulebook, book = rulebook or before.rulebook, book or before.book
    with clock.phase("check"):
        check_fit(book, rulebook)
    with clock.phase("build"):
        pool = build_pool(book, rulebook, before.previous, before.cautious)
    with clock.phase("compile"):
        program, refilled = pour(night.program, pool)
        goals = make_goals(pool, program)
    with clock.phase("solve"):
        tiers, size = {rule.name: rule.priority for rule in rulebook.rules}, opening(book).assets / pool.unit
        basis = night.solved.staged.last.basis if refilled else None
        solved = solve_night(program, goals, tiers, rulebook.materiality, size, solver_options(rulebook), basis=basis)
    with clock.phase("charges"):
        first = solved.staged.first
        charges = make_charges(solved.held, first.price, first.reduced)
        plan = make_plan(pool, program, solved.staged.last, first.reduced)
    return WhatIf(pool, program, solved, plan, charges, refilled, clock)


def pour(program: Program, pool: Pool) -> tuple[Program, bool]:
    """The program of another pool: refilled where it has the same rows, else compiled."""
    try:
        return refill_from(program, pool), True
    except ValueError:
        return compile_program(pool), False
