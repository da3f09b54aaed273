"""Where a re-solve starts from: the same sets of lifted rules, solved cold or from one basis or another."""

from __future__ import annotations

import time
from itertools import combinations
from pathlib import Path
from typing import Any

from liquidity.bench.cases import CASES
from liquidity.explain.lattice import group_rows
from liquidity.program.solve import Session
from liquidity.rules.rulebook import read_rulebook
from liquidity.runs.night import decide, solver_options

STARTS = ("base_basis", "parent_basis", "cold_ipx", "cold_dual")
MOST_GROUPS = 4


def measure_starts(case: str, start: str, rulebook: Path) -> dict[str, Any]:
    """Lift every set of up to three of the first groups that bind, net worth only; CPU seconds of all re-solves.

    `base_basis`: primal simplex from the night's optimum; `parent_basis`: from the set without its last group;
    `cold_ipx`: interior point and crossover; `cold_dual`: dual simplex.
    """
    rules = CASES[case].rulebook(read_rulebook(rulebook))
    solved = decide(CASES[case].book(), rules, None).solved
    first = solved.staged.first
    rows = group_rows(solved.held)
    bound = [name for name, mask in rows.items() if solved.staged.touched[mask].any()][:MOST_GROUPS]
    session = Session(solved.held, solver_options(rules))
    bases: dict[tuple[str, ...], Any] = {(): first.basis}
    found, iterations = list[float](), 0
    begun = time.process_time()
    for size in (1, 2, 3):
        for lifted in combinations(bound, size):
            session.reset()
            session.lift(sum(rows[name] for name in lifted).astype(bool))  # type: ignore[union-attr]
            basis = {"base_basis": first.basis, "parent_basis": bases[lifted[:-1]]}.get(start)
            methods = ("primal",) if basis is not None else (start.removeprefix("cold_"),)
            answer = session.solve(basis, methods=methods, doubt=True)
            bases[lifted] = answer.basis
            found.append(answer.objective)
            iterations += answer.iterations
    cpu = time.process_time() - begun
    return {"status": "ok", "cpu_s": cpu, "re_solves": len(found), "iterations": iterations,
            "objective": sum(found), "rows": solved.held.shape[0], "columns": solved.held.shape[1],
            "nonzeros": solved.held.matrix.nnz}  # fmt: skip
