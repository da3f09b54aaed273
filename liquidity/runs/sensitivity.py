"""How far tonight's relending hangs on what nobody knows exactly (DESIGN 5): the reference rate, the horizon, and a
hair of net worth.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from liquidity.book import opening
from liquidity.errors import SolverFailed
from liquidity.program.build import rebuild_pool
from liquidity.program.compile import compile_cost, compile_program
from liquidity.program.inputs import Arrays
from liquidity.program.known import mean_life
from liquidity.program.night import solve_night
from liquidity.program.objective import net_worth
from liquidity.program.solve import Session, with_basic_row
from liquidity.program.stages import make_goals, run_stages
from liquidity.runs.night import solver_options

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Rulebook
    from liquidity.runs.night import Decided

POINT = 0.01
HAIR = 1e-8
MONTHS = 3
STEP = re.compile(r"^(\d+) x 1 month(s?)$")


def relent_sensitivity(night: Decided) -> dict[str, float | None]:
    """Tonight's relent (CNY) as planned, with the reference rate a point lower and higher, with a horizon three months
    shorter, and the least and most that the same net worth to 1e-8 would bear. None where that program has no plan.
    """
    questions: dict[str, Callable[[], float | None]] = {
        "as_planned": lambda: relent(night, night.solved.staged.last.x),
        "ref_minus_1_point": lambda: other_ref(night, -POINT, "ref_minus_1_point"),
        "ref_plus_1_point": lambda: other_ref(night, POINT, "ref_plus_1_point"),
        "horizon_3_months_shorter": lambda: shorter_horizon(night),
        "least_for_1e-8_of_net_worth": lambda: hair(night, -1.0),
        "most_for_1e-8_of_net_worth": lambda: hair(night, 1.0),
    }
    return {name: answer(question) for name, question in questions.items()}


def answer(question: Callable[[], float | None]) -> float | None:
    """What a question says; nothing where its program has no plan, for the night stands without it."""
    try:
        return question()
    except SolverFailed:
        return None


def relent(night: Decided, x: np.ndarray) -> float:
    """Tonight's relent of an answer, CNY."""
    return float((night.goals.relent[0] @ x).sum() * night.pool.unit)


def other_ref(night: Decided, step: float, name: str) -> float:
    """Tonight's relent with another reference rate at the horizon."""
    rate = float(night.pool.inputs.ref_rate) + step
    data = night.pool.inputs.assign(ref_rate=rate, mean_life=mean_life(night.pool.inputs, rate))
    session = Session(night.solved.held, solver_options(night.pool.rulebook))
    session.objective(compile_cost(night.pool, net_worth(night.pool, Arrays(data), name)))
    session.solve(night.solved.staged.first.basis, doubt=True)
    return relent(night, run_stages(session, night.goals.stages[:1]).last.x)


def shorter_horizon(night: Decided) -> float | None:
    """Tonight's relent with a horizon three months shorter; None where the grid has no three months to spare."""
    rulebook = shortened(night.pool.rulebook)
    if rulebook is None:
        return None
    pool = rebuild_pool(night.pool, night.pool.book, rulebook)
    program = compile_program(pool)
    goals = make_goals(pool, program)
    size = opening(night.pool.book).assets / pool.unit
    solved = solve_night(program, goals, rulebook.tiers, rulebook.materiality, size, solver_options(rulebook))
    return float((goals.relent[0] @ solved.staged.last.x).sum() * pool.unit)


def shortened(rulebook: Rulebook) -> Rulebook | None:
    """The rulebook with three months off the end of its horizon."""
    match = STEP.match(rulebook.horizon[-1])
    if match is None or int(match[1]) <= MONTHS:
        return None
    return rulebook.model_copy(update={"horizon": (*rulebook.horizon[:-1], f"{int(match[1]) - MONTHS} x 1 month")})


def hair(night: Decided, sign: float) -> float:
    """The least (sign -1) or most (sign 1) relent tonight that the planned net worth to within 1e-8 would bear, CNY."""
    first = night.solved.staged.first
    program = night.solved.held
    least = first.objective - HAIR * abs(first.objective) - program.constant
    held = program.with_row("worth", "floor", program.cost, least)
    session = Session(held, solver_options(night.pool.rulebook))
    tonight = np.asarray(night.goals.relent[0].sum(axis=0)).ravel()
    session.objective(sign * tonight)
    return float(tonight @ session.solve(with_basic_row(first.basis), doubt=True).x) * night.pool.unit
