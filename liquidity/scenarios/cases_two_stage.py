"""The published cases under uncertainty, solved by the two-stage and the multi-scenario code of this package.

Each scenario is a program of its own, compiled once and refilled with its numbers, as in a lender's night.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from liquidity.program.cases_kit import Case, Figure
from liquidity.program.cases_stochastic import GROWTH, PATHS, SEASONS, STAGES, YIELD, farm, planning
from liquidity.program.compile import Program, compile_program
from liquidity.program.solve import Options
from liquidity.scenarios.benders import Benders
from liquidity.scenarios.extensive import Form, Tree, solve_tree
from liquidity.scenarios.measures import solve_stages, wait_and_see, worth
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import TwoStage

BIRGE = "Birge and Louveaux, Introduction to Stochastic Programming"
EXACT = 1e-9
ASSETS = ("stocks", "bonds")


def farmer() -> TwoStage:
    """Acres are sown first; each season is a scenario."""
    base = compile_program(farm({"season": 1.0}))
    tons = np.array(list(YIELD.values()))
    programs = tuple(base.refill({"rule.terms.tons": tons * factor}) for factor in SEASONS.values())
    first = np.zeros(base.shape[1], bool)
    first[base.column("plant").place] = True
    return TwoStage(programs, np.full(len(programs), 1 / len(programs)), first)


def solve_farmer(route: str) -> dict[str, float]:
    """Own figures of the farmer by one route, costs in USD: the published figures are costs, so signs turn."""
    problem, options, risk = farmer(), Options(), Risk()
    with Benders(problem, options) as parts:
        found = solve_stages(parts, risk, route, EXACT)
        values = worth(parts, found, risk, wait_and_see(problem, options))
    plant = problem.programs[0].column("plant")
    acres = {f"{crop} acres": float(area) for (crop,), area in zip(plant.index, found.x[plant.place])}
    return {"expected cost": -values.rp, **acres, "WS": -values.ws, "EEV": -values.eev, "VSS": values.vss,
            "EVPI": values.evpi}  # fmt: skip


def plan_wealth() -> tuple[list[Program], Form]:
    """Financial planning: a scenario for every path of ups and downs, alike until the paths part."""
    base = compile_program(planning(PATHS[:1]))
    programs = []
    for path in PATHS:
        growth = [GROWTH[asset, step] for asset in ASSETS for step in path]
        programs.append(base.refill({"rule.terms.growth": np.array(growth)}))
    hold = base.column("hold")
    stage = np.full(base.shape[1], STAGES)
    stage[hold.place] = [t for _, t, _ in hold.index]
    pasts = [[path[:t] for t in range(STAGES + 1)] for path in PATHS]
    node = np.array([[[other[:t] for other in PATHS].index(past) for t, past in enumerate(row)] for row in pasts])
    chance = np.full(len(PATHS), 1 / len(PATHS))
    return programs, solve_tree(programs, chance, Tree(stage, node), Risk(), Options())


def solve_planning() -> dict[str, float]:
    """Own figures of financial planning."""
    programs, form = plan_wealth()
    hold = programs[0].column("hold")
    held = {(asset, t): amount for (asset, t, _), amount in zip(hold.index, form.x[0][hold.place].tolist())}
    return {"expected utility": form.objective, **{f"{asset} at the root": held[asset, 0] for asset in ASSETS}}


FARM_FIGURES = (
    Figure("expected cost", "-108,390", "USD"),
    Figure("wheat acres", "170", "acre"),
    Figure("corn acres", "80", "acre"),
    Figure("beets acres", "250", "acre"),
    Figure("WS", "-115,405.56", "USD"),
    Figure("EEV", "-107,240", "USD"),
    Figure("VSS", "1,150", "USD"),
    Figure("EVPI", "7,015.56", "USD"),
)


def by_route(route: str) -> Callable[[], dict[str, float]]:
    """The farmer solved by one route."""
    return lambda: solve_farmer(route)


TWO_STAGE_CASES = (
    Case("farmer, extensive form", f"{BIRGE}: the farmer", FARM_FIGURES, by_route("extensive")),
    Case("farmer, Benders", f"{BIRGE}: the farmer", FARM_FIGURES, by_route("benders")),
    Case(
        "financial planning",
        f"{BIRGE}: financial planning and control",
        (
            Figure("expected utility", "-1.51408", "utility"),
            Figure("stocks at the root", "41.4793", "kUSD"),
            Figure("bonds at the root", "13.5207", "kUSD"),
        ),
        solve_planning,
    ),
)
"""What `liquidity verify` solves beside `program.cases.CASES`."""
