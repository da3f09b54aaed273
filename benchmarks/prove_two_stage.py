"""Two stages on a made-up lender: what Benders costs as scenarios grow, and what the extensive form costs beside it.

Run: python benchmarks/prove_two_stage.py [CASE] [K,K,...] [K of the form] [LIMIT seconds] [GOAL]. CPU seconds of one
process, one thread. Scenarios are drawn around the book with a fixed seed (`scenarios.draws`) and are the same for both
routes; making their programs is not counted. Prints a line a run and whether the targets are met: cost linear in K (CPU
a scenario at the largest K at most 1.2 times that at the smallest), at most 0.6 times the extensive form, a gap of at
most 1e-5. Exit code 1 where one is missed.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from liquidity import read_rulebook
from liquidity.bench.cases import CASES
from liquidity.errors import SolverFailed
from liquidity.program.build import build_pool
from liquidity.program.night import solver_options
from liquidity.scenarios.benders import Benders, Parted
from liquidity.scenarios.draws import draw_shocks
from liquidity.scenarios.extensive import solve_tree, two_stage_tree
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import TwoStage
from liquidity.scenarios.two_stage import prepare

RISK = Risk(weight=0.5, tail=0.9)
MOST_GAP, LINEAR, SHARE = 1e-5, 1.2, 0.6


def timed(job: Callable[[], Any]) -> tuple[Any, float]:
    """What a job gave and its CPU seconds."""
    begun = time.process_time()
    return job(), time.process_time() - begun


def taken_apart(problem: TwoStage, options: Any, goal: float) -> tuple[Parted, Benders]:
    """Benders from nothing, in this process."""
    with Benders(problem, options) as parts:
        return parts.solve(RISK, goal), parts


def smaller(problem: TwoStage, count: int) -> TwoStage:
    """The first scenarios of a problem, equally likely."""
    return TwoStage(problem.programs[:count], np.full(count, 1 / count), problem.first)


def main(case: str = "small", sizes: str = "50,200,1000", formed: str = "200", limit: str = "600",
         goal: str = "1e-7") -> int:  # fmt: skip
    """Draw, solve, compare."""
    rulebook = CASES[case].rulebook(read_rulebook(Path("models/online_microlender.toml")))
    book, counts = CASES[case].book(), [int(size) for size in sizes.split(",")]
    shocks = draw_shocks(build_pool(book, rulebook), max(*counts, int(formed)), seed=0)
    ready, made = timed(lambda: prepare(book, rulebook, shocks))
    options = replace(solver_options(rulebook), time_limit=float(limit))
    shape, size = ready.problem.programs[0].shape, ready.problem.programs[0].matrix.nnz
    print(f"{case}: {shape[0]} rows, {shape[1]} columns, {size} non-zeros a scenario, programs made in "
          f"{made / len(shocks):.3f} CPU s each; gap asked {float(goal):g}, {RISK}", flush=True)  # fmt: skip
    cost, widest = {}, 0.0
    for count in counts:
        problem = smaller(ready.problem, count)
        (found, parts), cpu = timed(lambda problem=problem: taken_apart(problem, options, float(goal)))
        cost[count], widest = cpu, max(widest, found.gap)
        shut = sum(not cut.feasible for cut in parts.cuts)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"Benders K={count}: {cpu:.1f} CPU s, {1000 * cpu / count:.1f} ms a scenario, {found.rounds} rounds, "
              f"{len(parts.cuts)} cuts, {shut} of feasibility, gap {found.gap:.1e}, objective "
              f"{found.objective * ready.pool.unit:,.2f} CNY, {memory:.1f} GB", flush=True)  # fmt: skip
        parts.panel.scenarios.clear()
    ok = [told("CPU a scenario, largest K against smallest",
               (cost[max(counts)] / max(counts)) / (cost[min(counts)] / min(counts)), LINEAR),
          told("gap", widest, MOST_GAP)]  # fmt: skip
    if int(formed):
        problem = smaller(ready.problem, int(formed))
        form, cpu = timed(lambda: extensive(problem, options))
        print(f"extensive form K={formed}: {cpu:.1f} CPU s, {form}", flush=True)
        ok.append(told(f"Benders against the extensive form at K={formed}", cost[int(formed)] / cpu, SHARE))
    return 0 if all(ok) else 1


def extensive(problem: TwoStage, options: Any) -> str:
    """What came of the extensive form."""
    try:
        form = solve_tree(problem.programs, problem.probability, two_stage_tree(problem), RISK, options)
    except SolverFailed as error:
        return f"not solved: {error}"
    return f"objective {form.objective:.6f} units"


def told(what: str, value: float, most: float) -> bool:
    """Print a target and whether it is met."""
    print(f"{'ok  ' if value <= most else 'MISS'} {what}: {value:.3g}, at most {most:g}")
    return value <= most


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
