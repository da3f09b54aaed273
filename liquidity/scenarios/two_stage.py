"""One decision tonight for many scenarios: the lender's night in two stages, in money.

Tonight's columns are those of period 1 and the opening; everything later is recourse and may differ by scenario. What
is known tonight is the same in all of them. Yes/no decisions are held at the answer of the night without scenarios; a
rule that gave way there gives way as much in every scenario, and a scenario in which rules must give way whatever is
decided is loosened by the least that it needs (`alone`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from liquidity.book import Book, opening
from liquidity.errors import BadInput, Problem
from liquidity.program.build import build_pool
from liquidity.program.compile import Program, compile_program
from liquidity.program.night import Solved, solve_night, solver_options
from liquidity.program.pool import Pool
from liquidity.program.pouring import pour
from liquidity.program.shocks import Shocks
from liquidity.program.stages import make_goals
from liquidity.rules.rulebook import Rulebook
from liquidity.scenarios.align import align
from liquidity.scenarios.alone import GAVE_WAY, Without
from liquidity.scenarios.benders import GOAL, Benders
from liquidity.scenarios.measures import Found, Worth, frontier, solve_stages, worth
from liquidity.scenarios.near import nearest
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import TwoStage, early_rows, tonight


@dataclass(frozen=True)
class Prepared:
    """A night's scenarios as a problem. `known`: net worth (units) of each if it were known tonight; `gave_way`:
    scenario, rule, what, at, bound, shortfall (units) of each row that had to give way in a scenario alone; `plain`:
    the answer of the night without scenarios (program columns, units).
    """

    pool: Pool
    problem: TwoStage
    names: tuple[str, ...]
    known: np.ndarray
    gave_way: pd.DataFrame
    plain: np.ndarray


@dataclass(frozen=True)
class TwoStagePlan:
    """The answer, money in CNY.

    `tonight`: decision, its dims, amount; `plain` the same of the night without scenarios; `outcomes`: scenario,
    probability, net_worth, wait_and_see, plain (net worth after that night's decision, no number where it leaves no
    plan); `figures`: figure, value, unit (RP, WS, EEV, EVPI, VSS, mean, CVaR, gap); `frontier`:
    weight, mean, cvar, objective, gap.
    """

    tonight: pd.DataFrame
    plain: pd.DataFrame
    outcomes: pd.DataFrame
    figures: pd.DataFrame
    frontier: pd.DataFrame
    gave_way: pd.DataFrame
    route: str
    note: str


def two_stage(book: Book, rulebook: Rulebook, shocks: Sequence[Shocks], probability: Sequence[float] | None = None,
              previous: pd.Series | None = None, *, weight: float = 0.0, tail: float = 0.95,
              weights: Sequence[float] = (), route: str = "auto", goal: float = GOAL, workers: int = 1,
              rulebooks: Sequence[Rulebook] = (), near: bool = False) -> TwoStagePlan:  # fmt: skip
    """Tonight's best decision when any of the scenarios may come, equally likely unless `probability` says otherwise.

    Maximises (1 - `weight`) mean + `weight` CVaR of net worth at the horizon, CVaR being the mean of the worst
    1 - `tail`; `weights` asks for a frontier too. `goal` is the relative gap at which the search stops. `rulebooks`
    are those of the scenarios where they differ, held from the second period on. With `near` it is, of all decisions
    that are worth the same up to `goal`, the one that changes least of the night without scenarios. Raises BadInput
    where a scenario changes what is known tonight, Infeasible where no decision leaves every scenario a plan.
    """
    ready = prepare(book, rulebook, shocks, probability, previous, rulebooks)
    options, risk = solver_options(rulebook), Risk(weight, tail)
    with Benders(ready.problem, options, workers) as parts:
        found = solve_stages(parts, risk, route, goal)
        if near:
            found = settle(parts, found, risk, ready.plain, goal)
        figures = worth(parts, found, risk, ready.known)
        line = frontier(parts, weights, tail, route, goal)
        plain = after(parts, ready.plain)
    unit = ready.pool.unit
    line[["mean", "cvar", "objective"]] *= unit
    # rows of rules are in money, also those of ratios
    gave_way = ready.gave_way.assign(bound=ready.gave_way.bound.astype(float) * unit,
                                     shortfall=ready.gave_way.shortfall.astype(float) * unit)  # fmt: skip
    outcomes = pd.DataFrame({
        "scenario": ready.names, "probability": ready.problem.probability, "net_worth": found.value * unit,
        "wait_and_see": ready.known * unit, "plain": plain * unit,
    })  # fmt: skip
    note = f"{len(ready.names)} scenarios, {found.route}, yes/no decisions held at the answer without scenarios"
    return TwoStagePlan(
        decisions(ready.problem, found.x, unit), decisions(ready.problem, ready.plain, unit), outcomes,
        in_money(found, figures, risk, ready), line, gave_way,
        found.route, note,
    )  # fmt: skip


def settle(parts: Benders, found: Found, risk: Risk, plain: np.ndarray, goal: float) -> Found:
    """The answer with the decision nearest to the night without scenarios, where one is found."""
    asked = nearest(parts, risk, plain, found.objective, goal)
    if asked is None or asked.value is None:
        return found
    return replace(found, objective=parts.worth(asked, risk), x=asked.x, value=asked.value)


def after(parts: Benders, x: np.ndarray) -> np.ndarray:
    """Net worth of every scenario after a decision, units; no number where it leaves the scenario no plan."""
    before = len(parts.cuts)
    parts.ask(x)
    value = np.full(parts.problem.size, np.nan)
    for cut in parts.cuts[before:]:
        value[cut.at] = cut.value
    value[[cut.at for cut in parts.cuts[before:] if not cut.feasible]] = np.nan
    return value


def prepare(book: Book, rulebook: Rulebook, shocks: Sequence[Shocks], probability: Sequence[float] | None = None,
            previous: pd.Series | None = None, rulebooks: Sequence[Rulebook] = ()) -> Prepared:  # fmt: skip
    """The programs of all scenarios, of one pattern, with the night's yes/no decisions held."""
    later = tuple(rulebooks) or (rulebook,) * len(shocks)
    names = tuple(one.name or f"scenario {at}" for at, one in enumerate(shocks))
    if not names:
        raise BadInput(Problem("scenarios", "", "", 0, "at least one scenario"))
    try:
        pool, programs = compile_all(book, rulebook, shocks, previous, later, cautious=False)
    except BadInput:
        # a trust that is safe tonight may not be in a scenario: then all have its yes/no decisions
        pool, programs = compile_all(book, rulebook, shocks, previous, later, cautious=True)
    tiers, size = rulebook.tiers, opening(book).assets / pool.unit
    goals, options = make_goals(pool, programs[0]), solver_options(rulebook)
    night = solve_night(programs[0], goals, tiers, rulebook.materiality, size, options)
    without = Without(night, programs[0], rulebook, size, tonight(programs[0]))
    chance = np.full(len(names), 1 / len(names)) if probability is None else np.asarray(probability, float)
    problem = TwoStage(tuple(without.loosened(program) for program in programs[1:]), chance, without.first)
    alone = [without.stand(name, program) for name, program in zip(names, problem.programs)]
    problem = replace(problem, programs=tuple(one.program for one in alone))
    ways = pd.concat([of_night(night), *(one.gave_way for one in alone)], ignore_index=True)
    plain = night.staged.last.x[: programs[0].shape[1]]
    return Prepared(pool, problem, names, np.array([one.known for one in alone]), ways, plain)


def of_night(night: Solved) -> pd.DataFrame:
    """What gave way without scenarios, and so in all of them; its scenario is blank."""
    gave = night.gave_way
    return pd.DataFrame(columns=GAVE_WAY) if gave is None else gave.assign(scenario="")[GAVE_WAY]


def compile_all(book: Book, rulebook: Rulebook, shocks: Sequence[Shocks], previous: pd.Series | None,
                later: Sequence[Rulebook], cautious: bool) -> tuple[Pool, list[Program]]:  # fmt: skip
    """The pool of the night without scenarios; its program and those of all scenarios, in one pattern."""
    pool = build_pool(book, rulebook, previous, cautious)
    made = [compile_program(pool)]
    kinds = made[:]
    for one, rules in zip(shocks, later, strict=True):
        program, refilled = pour(kinds, build_pool(book, rules, previous, cautious, shocks=one))
        kinds += [] if refilled else [program]
        made.append(program)
    base, *others = (replace(program, recipe=None) for program in align(made))
    return pool, [base, *(program if rules is rulebook else as_tonight(base, program)
                          for program, rules in zip(others, later, strict=True))]  # fmt: skip


def as_tonight(base: Program, program: Program) -> Program:
    """A scenario with other rules, tonight's rows and bounds as they are without scenarios."""
    first = tonight(base)
    early = early_rows(base, first)
    matrix = program.matrix.copy()
    matrix.data = np.where(early[matrix.indices], base.matrix.data, matrix.data)
    sides = {name: np.where(mask, getattr(base, name), getattr(program, name))
             for mask, names in ((early, ("row_lower", "row_upper")), (first, ("column_lower", "column_upper")))
             for name in names}  # fmt: skip
    return replace(program, matrix=matrix, **sides)


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
