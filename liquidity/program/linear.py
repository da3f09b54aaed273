"""A linear program of plain arrays that stays in HiGHS and is moved: bounds changed, rows added, solved again warm.

`solve.Session` holds the program of a night, with slack columns and one answer by stages. This is the plain machine
below it, for programs that are put together from several nights and for the parts that they are taken apart into. With
`solve` it is the only place that knows HiGHS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import highspy
import numpy as np
import scipy.sparse as sp

from liquidity.errors import SolverFailed
from liquidity.program.solve import DUAL, LOOSE, NO_LIMIT, PRIMAL, Infeasible, Options

DEVEX = 1
WARM = {"dual": DUAL, "primal": PRIMAL}
OUT = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


class Linear(Protocol):
    """max cost x + constant, row_lower <= matrix x <= row_upper, column_lower <= x <= column_upper; matrix csc."""

    @property
    def matrix(self) -> Any: ...
    @property
    def cost(self) -> np.ndarray: ...
    @property
    def constant(self) -> float: ...
    @property
    def row_lower(self) -> np.ndarray: ...
    @property
    def row_upper(self) -> np.ndarray: ...
    @property
    def column_lower(self) -> np.ndarray: ...
    @property
    def column_upper(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Block:
    """A linear program as arrays."""

    matrix: sp.csc_matrix
    cost: np.ndarray
    constant: float
    row_lower: np.ndarray
    row_upper: np.ndarray
    column_lower: np.ndarray
    column_upper: np.ndarray


class Solver:
    """One HiGHS instance with a linear program in it.

    `chain` lists the steps that did not end at an optimum though a later one did, `iterations` counts those of simplex.
    `devex`: dual simplex by weights that begin at 1; exact ones cost a solve by row, more than a warm start has to do.
    """

    def __init__(self, program: Linear, options: Options, devex: bool = False) -> None:
        self.options, self.chain, self.iterations = options, list[str](), 0
        self.warm = False
        self.highs = highspy.Highs()
        for name, value in {"output_flag": False, "threads": options.threads, "simplex_scale_strategy": 0}.items():
            self.highs.setOptionValue(name, value)
        if devex:
            self.highs.setOptionValue("simplex_dual_edge_weight_strategy", DEVEX)
        matrix = program.matrix
        rows, columns = matrix.shape
        status = self.highs.passModel(
            columns, rows, matrix.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMaximize),
            program.constant, program.cost, program.column_lower, program.column_upper, program.row_lower,
            program.row_upper, matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data,
            np.zeros(columns, np.int32),
        )  # fmt: skip
        if status == highspy.HighsStatus.kError:
            raise SolverFailed("HiGHS refused the program")

    # ---- moves

    def hold(self, columns: np.ndarray, values: np.ndarray) -> None:
        """Fix columns (int32) at values."""
        self.highs.changeColsBounds(len(columns), columns, values, values)

    def add_rows(self, rows: sp.csr_matrix, lower: np.ndarray, upper: np.ndarray) -> None:
        """More rows below those that are there."""
        self.highs.addRows(rows.shape[0], lower, upper, rows.nnz, rows.indptr[:-1].astype(np.int32),
                           rows.indices.astype(np.int32), rows.data)  # fmt: skip

    def start_from(self, basis: Any) -> None:
        """Let the next solve start from a basis."""
        self.highs.setBasis(basis)
        self.warm = True

    # ---- solving

    def solve(self, warm: str = "dual", sure: bool = True, doubt: bool = False) -> float:
        """The optimum: from the present basis by `dual` or `primal` simplex where there is one, else by interior point
        with crossover, then cold, at last with looser tolerances.

        Raises Infeasible where there is no plan, else SolverFailed. Where one is to be `sure`, a warm start that finds
        no plan is not believed: the next step is asked. `doubt` says that a plan should exist, at an edge of what is
        feasible: then no step is believed that finds none. `options.time_limit` is for all steps together.
        """
        tried: list[str] = []
        until = time.perf_counter() + self.options.time_limit
        for step in ((warm,) if self.warm else ()) + ("ipx", "cold", "loose"):
            status = self._attempt(step, max(until - time.perf_counter(), 0.0))
            if status == highspy.HighsModelStatus.kOptimal:
                self.warm = True
                self.chain += tried
                return float(self.highs.getInfo().objective_function_value)
            tried.append(f"{step}: {self.highs.modelStatusToString(status)}")
            if status == highspy.HighsModelStatus.kTimeLimit:
                break
            if status in OUT and not doubt and not (sure and step == warm):
                raise Infeasible("no plan meets every row", tried)
        raise SolverFailed("no method ended at an optimum", tried)

    def _attempt(self, step: str, seconds: float) -> Any:
        """One step of the chain, in so many seconds."""
        highs, warm = self.highs, step in WARM
        if not warm:
            highs.clearSolver()
        highs.setOptionValue("solver", "ipx" if step == "ipx" else "simplex")
        highs.setOptionValue("simplex_strategy", WARM.get(step, DUAL))
        tolerance = self.options.tolerance * (LOOSE if step == "loose" else 1.0)
        for kind in ("primal", "dual"):
            highs.setOptionValue(f"{kind}_feasibility_tolerance", tolerance)
        limit = self.options.simplex_iteration_limit if warm else NO_LIMIT
        highs.setOptionValue("simplex_iteration_limit", limit)
        highs.setOptionValue("time_limit", highs.getRunTime() + seconds)
        highs.run()
        self.iterations += max(int(highs.getInfo().simplex_iteration_count), 0)
        return highs.getModelStatus()

    # ---- the answer

    def x(self) -> np.ndarray:
        """Values of the columns."""
        return np.array(self.highs.getSolution().col_value)

    def reduced(self) -> np.ndarray:
        """d(optimum) / d(value) of columns that are held."""
        return np.array(self.highs.getSolution().col_dual)

    def price(self) -> np.ndarray:
        """d(optimum) / d(bound) of the rows."""
        return np.array(self.highs.getSolution().row_dual)

    def basis(self) -> Any:
        """The basis of the optimum."""
        return self.highs.getBasis()
