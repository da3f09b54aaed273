"""What tonight's decision is worth under uncertainty: the plan for all scenarios, the plan for their mean, and perfect
foresight; and how mean and worst outcomes trade against each other.

RP is the best that one decision tonight can do; WS what could be done if the scenario were known tonight; EEV what the
decision does that is best for the expected numbers. EVPI = WS - RP is what knowing would be worth, VSS = RP - EEV what
looking at the scenarios is worth. Neither is negative. Source: Birge and Louveaux, Introduction to Stochastic
Programming, chapter 4. With a weight on CVaR all three are that objective of their outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liquidity.program.compile import Program
from liquidity.program.linear import Solver
from liquidity.program.solve import Options
from liquidity.scenarios.benders import GOAL, Benders, gap
from liquidity.scenarios.extensive import solve_tree, two_stage_tree
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import TwoStage

SMALL = 150_000
"Non-zeros of all scenarios together up to which the extensive form is solved: beyond, taking it apart costs less."
ROUTES = ("auto", "extensive", "benders")


@dataclass(frozen=True)
class Found:
    """The optimum of two stages, in program units.

    `objective`, and `bound` that no decision beats; `x` program columns, of which the first stage is the decision;
    `value` net worth by scenario; `rounds` in which every scenario was asked (0 in the extensive form).
    """

    objective: float
    bound: float
    x: np.ndarray
    value: np.ndarray
    route: str
    rounds: int

    @property
    def gap(self) -> float:
        """(bound - objective) relative to the objective."""
        return gap(self.bound, self.objective)


def solve_stages(parts: Benders, risk: Risk, route: str = "auto", goal: float = GOAL) -> Found:
    """The best decision tonight, by the extensive form while it is small, else taken apart.

    Raises Infeasible where no decision leaves every scenario a plan, SolverFailed where no optimum was reached.
    """
    problem = parts.problem
    if route not in ROUTES:
        raise ValueError(f"route {route!r}, expected one of {', '.join(ROUTES)}")
    if route == "auto":
        route = "extensive" if sum(program.matrix.nnz for program in problem.programs) <= SMALL else "benders"
    if route == "benders":
        found = parts.solve(risk, goal)
        return Found(found.objective, found.bound, found.x, found.value, route, found.rounds)
    form = solve_tree(problem.programs, problem.probability, two_stage_tree(problem), risk, parts.options)
    # with all weight on the worst outcomes the form leaves the others anywhere: each does its best after tonight
    asked = parts.ask(form.x[0])
    value = form.value if asked.value is None else np.maximum(asked.value, form.value)
    return Found(form.objective, form.objective, form.x[0], value, route, 0)


def wait_and_see(problem: TwoStage, options: Options) -> np.ndarray:
    """Net worth of every scenario if it were known tonight, units. Raises Infeasible where one has no plan."""
    start = Solver(problem.programs[0], options)
    start.solve()
    return np.array([optimum(program, start.basis(), options) for program in problem.programs])


def optimum(program: Program, basis: Any, options: Options, doubt: bool = False) -> float:
    """Net worth of a program alone, units, by primal simplex from the basis of another one of its pattern."""
    solver = Solver(program, options)
    solver.start_from(basis)
    return solver.solve("primal", doubt=doubt)


@dataclass(frozen=True)
class Worth:
    """RP, WS and EEV in program units; `eev` is minus infinity where the expected numbers have
    no plan or their decision leaves a scenario none."""

    rp: float
    ws: float
    eev: float

    @property
    def evpi(self) -> float:
        """What perfect information would be worth."""
        return self.ws - self.rp

    @property
    def vss(self) -> float:
        """What looking at the scenarios is worth; infinite where the mean's decision is none."""
        return self.rp - self.eev


def worth(parts: Benders, found: Found, risk: Risk, known: np.ndarray) -> Worth:
    """RP, WS and EEV; `known` from `wait_and_see`."""
    eev = parts.worth(parts.at_mean, risk)
    return Worth(found.objective, risk.of(known, parts.problem.probability), eev)


def frontier(parts: Benders, weights: Sequence[float], tail: float, route: str = "auto", goal: float = GOAL,
             say: Callable[[str], None] = lambda _: None) -> pd.DataFrame:  # fmt: skip
    """Mean and CVaR (program units) of the best decision for each weight of CVaR; the cuts of one serve the next.

    Columns: weight, mean, cvar, objective, gap.
    """
    rows = []
    for weight in weights:
        found = solve_stages(parts, Risk(weight, tail), route, goal)
        chance = parts.problem.probability
        mean, worst = float(chance @ found.value), Risk(1.0, tail).cvar(found.value, chance)
        rows.append((weight, mean, worst, found.objective, found.gap))
        say(f"weight {weight:g} on CVaR: mean {mean:,.2f}, CVaR {worst:,.2f}")
    return pd.DataFrame(rows, columns=["weight", "mean", "cvar", "objective", "gap"])
