"""Solvers on the same arrays: tonight's program, yes/no decisions between 0 and 1, to be maximised once and cold.

Only numpy and scipy are imported here at the top, each solver inside its own function: OR-Tools and HiGHS cannot share
a process.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Lp:
    """max cost x + constant, row_lower <= matrix x <= row_upper, lower <= x <= upper; matrix csc (rows, columns)."""

    matrix: sp.csc_matrix
    cost: np.ndarray
    constant: float
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def objective(self, x: np.ndarray) -> float:
        """The objective at x."""
        return float(self.cost @ x + self.constant)

    def violation(self, x: np.ndarray) -> float:
        """The largest violation of a row or a bound, in program units."""
        row = self.matrix @ x
        short = [self.row_lower - row, row - self.row_upper, self.lower - x, x - self.upper]
        return max(0.0, *(float(part.max(initial=0.0)) for part in short))


def save_lp(program: Any, path: Path) -> None:
    """A compiled program as a file that every solver reads."""
    matrix = program.matrix.copy()
    matrix.eliminate_zeros()
    np.savez(
        path, data=matrix.data, indices=matrix.indices, indptr=matrix.indptr, shape=matrix.shape, cost=program.cost,
        constant=program.constant, row_lower=program.row_lower, row_upper=program.row_upper,
        lower=program.column_lower, upper=program.column_upper,
    )  # fmt: skip


def load_lp(path: Path) -> Lp:
    """The program of `save_lp`."""
    with np.load(path) as held:
        matrix = sp.csc_matrix((held["data"], held["indices"], held["indptr"]), shape=tuple(held["shape"]))
        rest = {name: held[name] for name in ("cost", "row_lower", "row_upper", "lower", "upper")}
        return Lp(matrix=matrix, constant=float(held["constant"]), **rest)


Found = tuple[str, np.ndarray | None]
"The solver's own word for how it ended, `optimal` where it says so; and the point."


def hand_over(lp: Lp) -> Any:
    """Arrays to HiGHS."""
    import highspy

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    rows, columns = lp.matrix.shape
    highs.passModel(
        columns, rows, lp.matrix.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMaximize), lp.constant,
        lp.cost, lp.lower, lp.upper, lp.row_lower, lp.row_upper, lp.matrix.indptr.astype(np.int32),
        lp.matrix.indices.astype(np.int32), lp.matrix.data, np.zeros(columns, np.int32),
    )  # fmt: skip
    return highs


def highs(lp: Lp, limit: float, solver: str, crossover: bool = True) -> Found:
    """HiGHS by one of its methods, tolerances 1e-7 as it comes."""
    import highspy

    made = hand_over(lp)
    options = {"threads": 1, "solver": solver, "time_limit": limit, "run_crossover": "on" if crossover else "off"}
    for name, value in options.items():
        if made.setOptionValue(name, value) == highspy.HighsStatus.kError:
            return f"HiGHS refused {name} = {value}", None
    if made.run() == highspy.HighsStatus.kError:
        return "error", None
    status = made.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        return made.modelStatusToString(status).lower(), None
    return "optimal", np.array(made.getSolution().col_value)


def scip(lp: Lp, limit: float) -> Found:
    """SCIP, its LP by SoPlex."""
    import pyscipopt

    model = pyscipopt.Model()
    model.hideOutput()
    model.setParam("limits/time", limit)
    bound = [[None if not np.isfinite(b) else float(b) for b in side] for side in (lp.lower, lp.upper)]
    columns = [model.addVar(lb=low, ub=high, obj=float(c)) for low, high, c in zip(*bound, lp.cost)]
    by_row = lp.matrix.tocsr()
    for row in range(by_row.shape[0]):
        part = slice(by_row.indptr[row], by_row.indptr[row + 1])
        body = pyscipopt.quicksum(float(v) * columns[j] for v, j in zip(by_row.data[part], by_row.indices[part]))
        low, high = float(lp.row_lower[row]), float(lp.row_upper[row])
        if np.isfinite(low) and np.isfinite(high):
            model.addCons(body == low if low == high else (low <= (body <= high)))
        elif np.isfinite(high):
            model.addCons(body <= high)
        elif np.isfinite(low):
            model.addCons(body >= low)
    model.setMaximize()
    model.optimize()
    if model.getStatus() != "optimal":
        return model.getStatus(), None
    return "optimal", np.array([model.getVal(column) for column in columns])


def clarabel(lp: Lp, limit: float) -> Found:
    """Clarabel, an interior point method for cones, without crossover."""
    import clarabel as solver

    equal = lp.row_lower == lp.row_upper
    sides = []
    eye = sp.identity(lp.matrix.shape[1], format="csr")
    rows = lp.matrix.tocsr()
    for body, low, high, free in ((rows, lp.row_lower, lp.row_upper, ~equal), (eye, lp.lower, lp.upper, True)):
        most, least = np.isfinite(high) & free, np.isfinite(low) & free
        sides += [(body[most], high[most]), (-body[least], -low[least])]
    stacked = sp.vstack([rows[equal], *(body for body, _ in sides)]).tocsc()
    bounds = np.concatenate([lp.row_lower[equal], *(bound for _, bound in sides)])
    cones = [solver.ZeroConeT(int(equal.sum())), solver.NonnegativeConeT(len(bounds) - int(equal.sum()))]
    settings = solver.DefaultSettings()
    settings.verbose, settings.time_limit, settings.max_threads = False, limit, 1
    nothing = sp.csc_matrix((len(lp.cost), len(lp.cost)))
    found = solver.DefaultSolver(nothing, -lp.cost, stacked, bounds, cones, settings).solve()
    status = str(found.status)
    return ("optimal", np.array(found.x)) if status == "Solved" else (status.lower(), None)


def ortools(lp: Lp, limit: float, solver: str) -> Found:
    """OR-Tools' GLOP (simplex) or PDLP (first order)."""
    from ortools.linear_solver.python import model_builder_helper

    helper = model_builder_helper.ModelBuilderHelper()
    arrays: Any = (lp.lower, lp.upper, lp.cost, lp.row_lower, lp.row_upper, lp.matrix.tocsr())
    helper.fill_model_from_sparse_data(*arrays)
    helper.set_maximize(True)
    run = model_builder_helper.ModelSolverHelper(solver)
    run.set_time_limit_in_seconds(limit)
    run.solve(helper)
    if not run.has_response():
        return "no response", None
    status: Any = run.status()
    if status.name != "OPTIMAL":
        return status.name.lower(), None
    return "optimal", np.array(run.variable_values())


PACKAGE = {"highs": "highspy", "scip": "pyscipopt", "clarabel": "clarabel",
           "ortools": "ortools.linear_solver.python.model_builder_helper"}  # fmt: skip


def load_solver(name: str) -> None:
    """Import what a solver needs, so that importing is not measured; ImportError where it is not installed."""
    importlib.import_module(PACKAGE[name.split("_")[0]])


SOLVERS: dict[str, Callable[[Lp, float], Found]] = {
    "highs_simplex": lambda lp, limit: highs(lp, limit, "simplex"),
    "highs_ipx": lambda lp, limit: highs(lp, limit, "ipx"),
    "highs_hipo": lambda lp, limit: highs(lp, limit, "hipo"),
    "highs_pdlp": lambda lp, limit: highs(lp, limit, "pdlp", crossover=False),
    "scip": scip,
    "clarabel": clarabel,
    "ortools_glop": lambda lp, limit: ortools(lp, limit, "glop"),
    "ortools_pdlp": lambda lp, limit: ortools(lp, limit, "pdlp"),
}
