"""One measurement in a process of its own, printed as JSON.

`python -m liquidity.bench.child PHASE CASE WHAT RULEBOOK LIMIT`, or `... export CASE RULEBOOK FILE`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def measure(phase: str, case: str, what: str, rulebook: Path, limit: float) -> dict[str, Any]:
    """What was measured: CPU and wall seconds by step, and what came out."""
    measures = {"compile": measure_route, "solve": measure_solver, "warm": measure_warm, "night": measure_night,
                "issues": measure_issues}  # fmt: skip
    return measures[phase](case, what, rulebook, limit)


def measure_route(case: str, route: str, rulebook: Path, limit: float) -> dict[str, Any]:
    """The way from algebra to a solver that holds the program, and its size."""
    from liquidity.bench.cases import CASES
    from liquidity.bench.routes import ROUTES, Marks
    from liquidity.rules.rulebook import read_rulebook

    book, rules, marks = CASES[case].book(), CASES[case].rulebook(read_rulebook(rulebook)), Marks()
    start = time.perf_counter()
    rows, columns, nonzeros = ROUTES[route](book, rules, marks)
    wall = time.perf_counter() - start
    return {"status": "ok", **marks, "wall_s": wall, "rows": rows, "columns": columns, "nonzeros": nonzeros}


def export(case: str, rulebook: Path, target: Path) -> None:
    """The case's program as a file for `measure_solver`."""
    from liquidity.bench.cases import CASES
    from liquidity.bench.solvers import save_lp
    from liquidity.program.build import build_pool
    from liquidity.program.compile import compile_program
    from liquidity.rules.rulebook import read_rulebook

    rules = CASES[case].rulebook(read_rulebook(rulebook))
    save_lp(compile_program(build_pool(CASES[case].book(), rules)), target)


def measure_solver(program: str, solver: str, _: Path, limit: float) -> dict[str, Any]:
    """One solver on the program in a file: hand-over and solution together."""
    from liquidity.bench.solvers import SOLVERS, load_lp, load_solver

    try:
        load_solver(solver)
    except ImportError as error:
        return {"status": "not installed", "error": str(error)}
    lp = load_lp(Path(program))
    cpu, wall = time.process_time(), time.perf_counter()
    status, x = SOLVERS[solver](lp, limit)
    found = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "rows": lp.matrix.shape[0],
             "columns": lp.matrix.shape[1], "nonzeros": lp.matrix.nnz}  # fmt: skip
    if x is None:
        return {"status": "time-out" if found["wall_s"] >= limit else "failed", "error": status, **found}
    return {"status": "ok", "objective": lp.objective(x), "violation": lp.violation(x), **found}


def measure_warm(case: str, start: str, rulebook: Path, limit: float) -> dict[str, Any]:
    """Re-solves of lifted sets from one start or another."""
    from liquidity.bench.warm import measure_starts

    begun = time.perf_counter()
    found = measure_starts(case, start, rulebook)
    return {**found, "wall_s": time.perf_counter() - begun}


def measure_issues(case: str, _: str, rulebook: Path, limit: float) -> dict[str, Any]:
    """The yes/no decisions of a night with planned issues: seconds of the whole solve, programs, the gap reached."""
    from liquidity.bench.cases import CASES
    from liquidity.book import opening
    from liquidity.program.build import build_pool
    from liquidity.program.compile import compile_program
    from liquidity.program.night import solve_night
    from liquidity.program.stages import make_goals
    from liquidity.rules.rulebook import read_rulebook
    from liquidity.runs.night import solver_options

    book, rules = CASES[case].book(), CASES[case].rulebook(read_rulebook(rulebook))
    pool = build_pool(book, rules)
    program = compile_program(pool)
    goals, tiers = make_goals(pool, program), rules.tiers
    cpu, wall = time.process_time(), time.perf_counter()
    size = opening(book).assets / pool.unit
    solved = solve_night(program, goals, tiers, rules.materiality, size, solver_options(rules))
    found = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "programs": solved.choice.solved}
    worth, bound = solved.staged.first.objective, solved.choice.bound
    gap = 0.0 if bound is None else max(0.0, bound - worth) / abs(worth)
    return {"status": "ok", **found, "gap": gap, "objective": worth * pool.unit, "rows": program.shape[0],
            "columns": program.shape[1], "nonzeros": program.matrix.nnz}  # fmt: skip


def measure_night(case: str, _: str, rulebook: Path, limit: float) -> dict[str, Any]:
    """A whole night of the case from tables on disk to the run folder; CPU seconds by phase, HiGHS's own apart."""
    import tempfile

    from liquidity.bench.cases import CASES
    from liquidity.bench.inside import time_inside
    from liquidity.book import write_book

    with tempfile.TemporaryDirectory() as folder:
        write_book(CASES[case].book(), Path(folder) / "book")
        start = time.perf_counter()
        record, seconds = time_inside(rulebook, Path(folder) / "book", Path(folder) / "run")
        wall = time.perf_counter() - start
    return {"status": "ok", **seconds, "cpu_s": sum(seconds[name] for name in seconds if name != "highs_s"),
            "wall_s": wall, "objective": record["objective"], **record["size"]}  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "export":
        export(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        phase, case, what, rulebook, limit = sys.argv[1:]
        found = measure(phase, case, what, Path(rulebook), float(limit))
        print(json.dumps({**found, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
