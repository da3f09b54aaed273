"""One decision tonight for many scenarios: the lender's night in two stages, in money.

Tonight's columns are those of period 1 and the opening; everything later is recourse and may differ by scenario. What
is known tonight is the same in all of them. Yes/no decisions are held at the answer of the night without scenarios; a
rule that gave way there gives way as much in every scenario, and a scenario in which rules must give way whatever is
decided is loosened by the least that it needs when it stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from liquidity.book import Book, opening
from liquidity.errors import BadInput, Problem
from liquidity.program.build import build_pool
from liquidity.program.compile import Program, compile_program, refill_from
from liquidity.program.linear import Solver
from liquidity.program.night import Solved, hold, solve_night, solver_options
from liquidity.program.pool import Pool
from liquidity.program.repair import repair
from liquidity.program.shocks import Shocks
from liquidity.program.solve import Infeasible
from liquidity.program.stages import make_goals
from liquidity.rules.rulebook import Rulebook
from liquidity.scenarios.align import align
from liquidity.scenarios.benders import GOAL, Benders
from liquidity.scenarios.measures import Found, Worth, frontier, optimum, solve_stages, worth
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import TwoStage, early_rows, tonight

GAVE_WAY = ["scenario", "rule", "what", "at", "bound", "shortfall"]


@dataclass(frozen=True)
class Prepared:
    """A night's scenarios as a problem. `known`: net worth (units) of each if it were known tonight; `gave_way`:
    scenario, rule, what, at, bound, shortfall (units) of each row that had to give way in a scenario alone.
    """

    pool: Pool
    problem: TwoStage
    names: tuple[str, ...]
    known: np.ndarray
    gave_way: pd.DataFrame


@dataclass(frozen=True)
class TwoStagePlan:
    """The answer, money in CNY.

    `tonight`: decision, its dims, amount; `outcomes`: scenario, probability, net_worth, wait_and_see; `figures`:
    figure, value, unit (RP, WS, EEV, EVPI, VSS, mean, CVaR, gap); `frontier`: weight, mean, cvar, objective, gap.
    """

    tonight: pd.DataFrame
    outcomes: pd.DataFrame
    figures: pd.DataFrame
    frontier: pd.DataFrame
    gave_way: pd.DataFrame
    route: str
    note: str


def two_stage(book: Book, rulebook: Rulebook, shocks: Sequence[Shocks], probability: Sequence[float] | None = None,
              previous: pd.Series | None = None, *, weight: float = 0.0, tail: float = 0.95,
              weights: Sequence[float] = (), route: str = "auto", goal: float = GOAL,
              workers: int = 1) -> TwoStagePlan:  # fmt: skip
    """Tonight's best decision when any of the scenarios may come, equally likely unless `probability` says otherwise.

    Maximises (1 - `weight`) mean + `weight` CVaR of net worth at the horizon, CVaR being the mean of the worst
    1 - `tail`; `weights` asks for a frontier too. `goal` is the relative gap at which the search stops. Raises BadInput
    where a scenario changes what is known tonight, Infeasible where no decision leaves every scenario a plan.
    """
    ready = prepare(book, rulebook, shocks, probability, previous)
    options, risk = solver_options(rulebook), Risk(weight, tail)
    with Benders(ready.problem, options, workers) as parts:
        found = solve_stages(parts, risk, route, goal)
        figures = worth(parts, found, risk, ready.known)
        line = frontier(parts, weights, tail, route, goal)
    unit = ready.pool.unit
    line[["mean", "cvar", "objective"]] *= unit
    outcomes = pd.DataFrame({
        "scenario": ready.names, "probability": ready.problem.probability, "net_worth": found.value * unit,
        "wait_and_see": ready.known * unit,
    })  # fmt: skip
    note = f"{len(ready.names)} scenarios, {found.route}, yes/no decisions held at the answer without scenarios"
    return TwoStagePlan(
        decisions(ready.problem, found.x, unit), outcomes, in_money(found, figures, risk, ready), line, ready.gave_way,
        found.route, note,
    )  # fmt: skip


def prepare(book: Book, rulebook: Rulebook, shocks: Sequence[Shocks], probability: Sequence[float] | None = None,
            previous: pd.Series | None = None) -> Prepared:  # fmt: skip
    """The programs of all scenarios, of one pattern, with the night's yes/no decisions held."""
    names = tuple(one.name or f"scenario {at}" for at, one in enumerate(shocks))
    if not names:
        raise BadInput(Problem("scenarios", "", "", 0, "at least one scenario"))
    try:
        pool, programs = compile_all(book, rulebook, shocks, previous, cautious=False)
    except BadInput:
        # a trust that is safe tonight may not be in a scenario: then all have its yes/no decisions
        pool, programs = compile_all(book, rulebook, shocks, previous, cautious=True)
    tiers, size = {rule.name: rule.priority for rule in rulebook.rules}, opening(book).assets / pool.unit
    options = solver_options(rulebook)
    night = solve_night(programs[0], make_goals(pool, programs[0]), tiers, rulebook.materiality, size, options)
    held = [hold(loosened(program, night, programs[0]), night.choice) for program in programs[1:]]
    chance = np.full(len(names), 1 / len(names)) if probability is None else np.asarray(probability, float)
    problem = TwoStage(tuple(held), chance, tonight(programs[0]))
    start = Solver(hold(night.program, night.choice), options)
    start.solve()
    basis = start.basis()
    alone = [stand_alone(name, one, basis, rulebook, size, problem.first) for name, one in zip(names, held)]
    problem = replace(problem, programs=tuple(program for program, _, _ in alone))
    ways = pd.concat([way for _, _, way in alone], ignore_index=True)
    return Prepared(pool, problem, names, np.array([value for _, value, _ in alone]), ways)


def compile_all(book: Book, rulebook: Rulebook, shocks: Sequence[Shocks], previous: pd.Series | None,
                cautious: bool) -> tuple[Pool, list[Program]]:  # fmt: skip
    """The pool of the night without scenarios; its program and those of all scenarios, in one pattern."""
    pool = build_pool(book, rulebook, previous, cautious)
    made = [compile_program(pool)]
    kinds = made[:]
    for one in shocks:
        made.append(poured(kinds, build_pool(book, rulebook, previous, cautious, one)))
    return pool, [replace(program, recipe=None) for program in align(made)]


def poured(kinds: list[Program], pool: Pool) -> Program:
    """The program of a pool, refilled from one of the same rows where there is one; else compiled and remembered."""
    for kind in kinds:
        try:
            return refill_from(kind, pool)
        except (ValueError, KeyError):
            continue
    kinds.append(compile_program(pool))
    return kinds[-1]


def loosened(program: Program, night: Solved, base: Program) -> Program:
    """A scenario with its rows as far loosened as those that gave way in the night without scenarios."""
    if night.repair is None:
        return program
    sides = {}
    for name in ("row_lower", "row_upper"):
        before, after, now = getattr(base, name), getattr(night.program, name), getattr(program, name)
        given = np.isfinite(before) & np.isfinite(after) & (before != after)
        known = given & (now == before)
        sides[name] = np.where(known, after, np.where(given, now + np.where(given, after - before, 0.0), now))
    return replace(program, **sides)


def stand_alone(name: str, program: Program, basis: Any, rulebook: Rulebook, size: float,
                first: np.ndarray) -> tuple[Program, float, pd.DataFrame]:  # fmt: skip
    """A scenario that has a plan if it is known tonight, its net worth then (units), and what had to give way for it;
    tonight's rows stay. Raises Infeasible where they leave it none even so.
    """
    options = solver_options(rulebook)
    try:
        return program, optimum(program, basis, options), pd.DataFrame(columns=GAVE_WAY)
    except Infeasible:
        tiers = {rule.name: rule.priority for rule in rulebook.rules}
        loose, mended = repair(program, tiers, rulebook.materiality, size, options)
    kept = keep_tonight(program, loose, first)
    try:
        return kept, optimum(kept, basis, options), mended.gave_way.assign(scenario=name)[GAVE_WAY]
    except Infeasible as error:
        raise Infeasible(f"scenario {name}: no plan unless a rule gives way tonight", error.chain) from None


def keep_tonight(program: Program, loose: Program, first: np.ndarray) -> Program:
    """The loosened program with tonight's rows as they were."""
    early = early_rows(program, first)
    return replace(
        loose,
        row_lower=np.where(early, program.row_lower, loose.row_lower),
        row_upper=np.where(early, program.row_upper, loose.row_upper),
    )


def decisions(problem: TwoStage, x: np.ndarray, unit: float) -> pd.DataFrame:
    """Tonight's decisions that are not nothing: decision, its dims, amount (CNY)."""
    frames = []
    for family in problem.programs[0].columns:
        if family.kind == "decision" and len(family.index):
            frame = family.frame().assign(decision=family.name, amount=x[family.place] * unit)
            frames.append(frame[problem.first[family.place] & (frame.amount.abs() >= 0.005)].drop(columns="period"))
    whole = pd.concat(frames, ignore_index=True)
    order = ["decision", *(name for name in whole if name not in ("decision", "amount")), "amount"]
    return whole[order].fillna(dict.fromkeys(order[1:-1], ""))


def in_money(found: Found, figures: Worth, risk: Risk, ready: Prepared) -> pd.DataFrame:
    """The figures of an answer: figure, value, unit."""
    chance, unit = ready.problem.probability, ready.pool.unit
    money = {
        "RP": figures.rp, "WS": figures.ws, "EEV": figures.eev, "EVPI": figures.evpi, "VSS": figures.vss,
        "mean": float(chance @ found.value), "CVaR": risk.cvar(found.value, chance), "at most": found.bound,
    }  # fmt: skip
    rows = [(name, round(value * unit, 2) + 0.0, "CNY") for name, value in money.items()]
    rows += [("gap", found.gap, "share of RP"), ("rounds", float(found.rounds), "rounds")]
    return pd.DataFrame(rows, columns=["figure", "value", "unit"])
