"""How far tonight's relending hangs on what nobody knows exactly (DESIGN 5): the reference rate, the horizon, and a
hair of net worth.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from liquidity.book import opening
from liquidity.errors import SolverFailed
from liquidity.program.build import build_pool
from liquidity.program.compile import Family, Program, compile_cost, compile_program
from liquidity.program.inputs import mean_life
from liquidity.program.night import solve_night
from liquidity.program.objective import net_worth
from liquidity.program.solve import Session, with_basic_row
from liquidity.program.stages import make_goals, run_stages
from liquidity.runs.night import solver_options

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Rulebook
    from liquidity.runs.night import Night

POINT = 0.01
HAIR = 1e-8
MONTHS = 3
STEP = re.compile(r"^(\d+) x 1 month(s?)$")


def relent_sensitivity(night: Night) -> dict[str, float | None]:
    """Tonight's relent (CNY) as planned, with the reference rate a point lower and higher, with a horizon three months
    shorter, and the least and most that the same net worth to 1e-8 would bear. None where that program has no plan.
    """
    session = Session(night.solved.held, solver_options(night.pool.rulebook))
    basis = session.solve(night.solved.staged.first.basis).basis
    out: dict[str, float | None] = {"as_planned": relent(night, night.solved.staged.last.x)}
    for name, step in (("ref_minus_1_point", -POINT), ("ref_plus_1_point", POINT)):
        out[name] = other_ref(night, session, basis, step, name)
    out["horizon_3_months_shorter"] = shorter_horizon(night)
    out["least_for_1e-8_of_net_worth"], out["most_for_1e-8_of_net_worth"] = hair(night)
    return out


def relent(night: Night, x: np.ndarray) -> float:
    """Tonight's relent of an answer, CNY."""
    return float((night.goals.relent[0] @ x).sum() * night.pool.unit)


def other_ref(night: Night, session: Session, basis: object, step: float, name: str) -> float:
    """Tonight's relent with another reference rate at the horizon."""
    rate = float(night.pool.inputs.ref_rate) + step
    data = night.pool.inputs.assign(ref_rate=rate, mean_life=mean_life(night.pool.inputs, rate))
    session.reset()
    session.objective(compile_cost(night.pool, net_worth(night.pool, data, name)))
    session.solve(basis)
    return relent(night, run_stages(session, night.goals.stages[:1]).last.x)


def shorter_horizon(night: Night) -> float | None:
    """Tonight's relent with a horizon three months shorter; None where the grid has no three months to spare."""
    rulebook = shortened(night.pool.rulebook)
    if rulebook is None:
        return None
    pool = build_pool(night.pool.book, rulebook, night.pool.previous, night.pool.cautious)
    program = compile_program(pool)
    goals = make_goals(pool, program)
    tiers = {rule.name: rule.priority for rule in rulebook.rules}
    size = opening(night.pool.book).assets / pool.unit
    try:
        solved = solve_night(program, goals, tiers, rulebook.materiality, size, solver_options(rulebook))
    except SolverFailed:
        return None
    return float((goals.relent[0] @ solved.staged.last.x).sum() * pool.unit)


def shortened(rulebook: Rulebook) -> Rulebook | None:
    """The rulebook with three months off the end of its horizon."""
    match = STEP.match(rulebook.horizon[-1])
    if match is None or int(match[1]) <= MONTHS:
        return None
    return rulebook.model_copy(update={"horizon": (*rulebook.horizon[:-1], f"{int(match[1]) - MONTHS} x 1 month")})


def hair(night: Night) -> tuple[float, float]:
    """Least and most that could be relent tonight for the planned net worth to within 1e-8 of it, CNY."""
    first = night.solved.staged.first
    held = with_floor(night.solved.held, first.objective - HAIR * abs(first.objective))
    session = Session(held, solver_options(night.pool.rulebook))
    start = with_basic_row(first.basis)
    tonight = np.asarray(night.goals.relent[0].sum(axis=0)).ravel()
    found = []
    for sign in (-1.0, 1.0):
        session.objective(sign * tonight)
        found.append(float(tonight @ session.solve(start).x) * night.pool.unit)
    return found[0], found[1]


def with_floor(program: Program, least: float) -> Program:
    """The program with one more row: net worth of at least `least` (units)."""
    return replace(
        program,
        matrix=sp.vstack([program.matrix, sp.csr_matrix(program.cost)]).tocsc(),
        row_lower=np.append(program.row_lower, least - program.constant),
        row_upper=np.append(program.row_upper, np.inf),
        rows=(*program.rows, Family("worth", "floor", "terms", (), ((),), program.shape[0])),
    )
