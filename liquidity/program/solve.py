"""Arrays to HiGHS and back. The only place that knows HiGHS, with `linear`.

Every row that may be lifted or repaired carries a slack column, fixed at zero while the row is held. Lifting a row
frees its slack: the vertex found before stays a vertex, which it would not if the row's bounds became infinite.
A solution is read only at status Optimal.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp

from liquidity.errors import SolverFailed
from liquidity.program.compile import Program

INFINITY = np.inf
PRIMAL = 4
DUAL = 1
NO_LIMIT = 2147483647
WARM_STEPS = 500
NEAR_STEPS = 2000
"Steps given to dual simplex from a basis whose bounds were moved, and to primal simplex from one of another program."
FACE = 1e-10
METHODS = ("primal", "ipx", "dual")
LOOSE = 100.0
WIDER = {"loose": LOOSE, "near": LOOSE, "warm": 1000.0}
"Methods with wider tolerances, and how many times as wide."
HERE = object()
"The basis at which a session stands."


class Infeasible(SolverFailed):
    """The rows contradict each other. Where a plan should exist, and nobody mends it, the solver has failed."""


@dataclass(frozen=True)
class Options:
    """Solver options of a rulebook; see `liquidity.rules.rulebook.SolverOptions` for their meaning.

    `gap`: how far the plan may lie below the bound of the search over planned issues, relative. `patience`: seconds
    given to each method before the next is tried; when all ran out of them, each gets `time_limit`.
    """

    threads: int = 1
    tolerance: float = 1e-10
    simplex_iteration_limit: int = 10000
    time_limit: float = 600.0
    patience: float = np.inf
    gap: float = 1e-4


@dataclass(frozen=True)
class Answer:
    """An optimum of the program.

    `x, reduced` (columns), `activity, price` (rows), all in program units; `slack` (rows with a slack column);
    `method` tells how it was found.
    """

    objective: float
    x: np.ndarray
    reduced: np.ndarray
    activity: np.ndarray
    price: np.ndarray
    slack: np.ndarray
    basis: Any
    method: str
    iterations: int
    seconds: float


class Session:
    """One HiGHS instance that holds a program and is moved from one set of numbers to the next.

    `slacked` are the positions of the rows with a slack column.
    """

    def __init__(self, program: Program, options: Options, methods: tuple[str, ...] = METHODS) -> None:
        self.program, self.options, self.methods = program, options, methods
        self.slacked = np.flatnonzero(slack_mask(program))
        rows, columns = program.shape
        count = len(self.slacked)
        unit = sp.csc_matrix((np.ones(count), (self.slacked, np.arange(count))), shape=(rows, count))
        self.matrix = sp.hstack([program.matrix, unit]).tocsc()
        self.size = columns + count
        self.chain: list[str] = []
        self.fresh, self.iterations = False, 0
        self.reset()
        self.highs = self._start()

    def _start(self) -> Any:
        """A HiGHS instance with the program in it."""
        highs = highspy.Highs()
        settings = {
            "output_flag": False, "threads": self.options.threads, "simplex_scale_strategy": 0,
            "simplex_strategy": PRIMAL,
        }  # fmt: skip
        for name, value in settings.items():
            highs.setOptionValue(name, value)
        matrix = self.matrix
        status = highs.passModel(
            self.size, matrix.shape[0], matrix.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMaximize),
            self.program.constant, self.cost, self.lower, self.upper, self.row_lower, self.row_upper,
            matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data, np.zeros(self.size, np.int32),
        )  # fmt: skip
        if status == highspy.HighsStatus.kError:
            raise SolverFailed("HiGHS refused the program")
        self.sent = self._numbers()
        return highs

    # ---- numbers

    def reset(self) -> None:
        """All numbers as in the program; integers between their bounds; nothing lifted."""
        none = np.zeros(len(self.slacked))
        self.cost = np.concatenate([self.program.cost, none])
        self.lower = np.concatenate([self.program.column_lower, none])
        self.upper = np.concatenate([self.program.column_upper, none])
        self.row_lower, self.row_upper = self.program.row_lower.copy(), self.program.row_upper.copy()

    def fix(self, columns: np.ndarray, values: np.ndarray) -> None:
        """Hold columns at values."""
        self.lower[columns] = self.upper[columns] = values

    def lift(self, rows: np.ndarray) -> None:
        """Lift rows (mask over all rows): their slacks become free, all other slacks zero."""
        free = rows[self.slacked]
        part = slice(self.program.shape[1], self.size)
        self.lower[part] = np.where(free, -INFINITY, 0.0)
        self.upper[part] = np.where(free, INFINITY, 0.0)

    def objective(self, cost: np.ndarray, slack_cost: np.ndarray | None = None) -> None:
        """Maximise `cost @ x`, with a cost on the slacks where given."""
        extra = np.zeros(len(self.slacked)) if slack_cost is None else slack_cost
        self.cost = np.concatenate([cost, extra])

    def _numbers(self) -> tuple[np.ndarray, ...]:
        """Copies of the present numbers."""
        return tuple(part.copy() for part in (self.lower, self.upper, self.row_lower, self.row_upper, self.cost))

    def push(self) -> None:
        """Hand to HiGHS what changed since it was last handed over."""
        lower, upper, row_lower, row_upper, cost = self.sent
        columns = changed((self.lower, lower), (self.upper, upper))
        rows = changed((self.row_lower, row_lower), (self.row_upper, row_upper))
        costs = changed((self.cost, cost))
        if len(columns):
            self.highs.changeColsBounds(len(columns), columns, self.lower[columns], self.upper[columns])
        if len(rows):
            self.highs.changeRowsBounds(len(rows), rows, self.row_lower[rows], self.row_upper[rows])
        if len(costs):
            self.highs.changeColsCost(len(costs), costs, self.cost[costs])
        self.sent = self._numbers()

    # ---- solving

    def forget(self) -> None:
        """Drop what HiGHS remembers of earlier solves, so that an answer does not depend on what was asked before."""
        self.highs.clearSolver()

    def solve(self, basis: Any = None, *, methods: Iterable[str] = (), doubt: bool = False) -> Answer:
        """Solve and read the optimum; see `run`."""
        started = time.perf_counter()
        return self._read(self.run(basis, methods=methods, doubt=doubt), time.perf_counter() - started)

    def near(self, basis: Any) -> Answer | None:
        """The optimum by primal simplex from a basis of another program with the same rows; None where it loses its way
        there, which says nothing of the program and is not kept in `chain`.
        """
        started = time.perf_counter()
        if self._attempt("near", basis, self.options.patience) != highspy.HighsModelStatus.kOptimal:
            return None
        return self._read("near", time.perf_counter() - started)

    def run(self, basis: Any = None, *, methods: Iterable[str] = (), doubt: bool = False) -> str:
        """Solve by the first method of the chain that ends Optimal, and name it.

        `primal` starts from `basis`, or goes on from where the session stands if that is HERE; without one it is
        skipped. So is `warm`, dual simplex for a moment, for a basis whose bounds were moved. Looser tolerances come
        last: where rows contradict each other by little, methods have ended in an error at the tight ones. Every step
        that did not end Optimal is kept in `chain`, but for `warm`, of which no more is asked. `doubt` says that a plan
        should exist: then the next method is asked when one says "infeasible", for near-empty feasible sets were
        falsely called that. Raises Infeasible, or SolverFailed when the chain is used up.
        """
        tried, denied = [], False
        chain = [one for one in (*(methods or self.methods), "loose")
                 if one not in ("primal", "warm") or basis is not None]  # fmt: skip
        limits = sorted({min(self.options.patience, self.options.time_limit), self.options.time_limit})
        for limit in limits:
            late = []
            for method in chain:
                status = self._attempt(method, basis, limit)
                if status == highspy.HighsModelStatus.kOptimal:
                    return method
                tried.append(f"{method}: {self.highs.modelStatusToString(status)}")
                self.chain += tried[-1:] if method != "warm" else []
                late += [method] if status == highspy.HighsModelStatus.kTimeLimit else []
                denied |= status == highspy.HighsModelStatus.kInfeasible
                if denied and not doubt:
                    raise Infeasible("no plan meets every row", tried)
            chain = late
        if denied:
            raise Infeasible("no plan meets every row", tried)
        raise SolverFailed("no method ended at an optimum", tried)

    def _attempt(self, method: str, basis: Any, limit: float) -> Any:
        """One method: warm primal simplex with an iteration limit, interior point with crossover, or cold simplex.

        `loose` is cold simplex with tolerances a hundred times as wide, still a fraction of a fen; `warm` is dual
        simplex from a basis with tolerances a thousand times as wide, at which it does not stall: for bounds. `near` is
        `primal` with fewer steps, at tolerances at which it seldom loses its way: for range programs.
        """
        highs = self.highs
        self.push()
        if method in ("primal", "near", "warm"):
            if basis is not HERE:
                highs.setBasis(basis)
            highs.setOptionValue("solver", "simplex")
            highs.setOptionValue("simplex_strategy", DUAL if method == "warm" else PRIMAL)
            steps = {"warm": WARM_STEPS, "near": NEAR_STEPS}.get(method, self.options.simplex_iteration_limit)
            highs.setOptionValue("simplex_iteration_limit", steps)
        else:
            highs.clearSolver()
            highs.setOptionValue("solver", "ipx" if method == "ipx" else "simplex")
            highs.setOptionValue("simplex_strategy", DUAL)
        self._run(WIDER.get(method, 1.0), limit)
        highs.setOptionValue("simplex_iteration_limit", NO_LIMIT)
        highs.setOptionValue("simplex_strategy", PRIMAL)
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            # presolve cannot tell which: ask again without it
            highs.setOptionValue("presolve", "off")
            self._run(1.0, limit)
            highs.setOptionValue("presolve", "choose")
            status = highs.getModelStatus()
        # an optimum found without a step has the duals of the factorisation it began with, and no rounding of updates
        self.iterations = max(int(highs.getInfo().simplex_iteration_count), 0)
        self.fresh = method == "primal" and self.iterations == 0
        return status

    def _run(self, wider: float = 1.0, limit: float = np.inf) -> None:
        """Run HiGHS. It counts the time of all its runs together; the limit is meant for each."""
        tolerance = self.options.tolerance * wider
        for kind in ("primal", "dual"):
            self.highs.setOptionValue(f"{kind}_feasibility_tolerance", tolerance)
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + min(limit, self.options.time_limit))
        self.highs.run()

    def refresh(self) -> Answer:
        """Fresh duals of the present optimum: refactor at its basis, no iterations. Nothing to do where they are."""
        if self.fresh:
            return self._read("refresh", 0.0)
        self.highs.setOptionValue("solver", "simplex")
        basis = self.highs.getBasis()
        for wider in (1.0, LOOSE):
            self.highs.setBasis(basis)
            self._run(wider)
            if self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                self.fresh = True
                return self._read("refresh", 0.0)
            self.chain.append(f"refresh: {self.highs.modelStatusToString(self.highs.getModelStatus())}")
        raise SolverFailed("the optimum was lost at refactorisation", self.chain[-2:])

    def _read(self, method: str, seconds: float) -> Answer:
        """The arrays of an optimum."""
        found, info = self.highs.getSolution(), self.highs.getInfo()
        columns = self.program.shape[1]
        x, reduced = np.array(found.col_value), np.array(found.col_dual)
        activity, price = np.array(found.row_value), np.array(found.row_dual)
        self.found = x, reduced, activity, price
        return Answer(
            objective=float(info.objective_function_value),
            x=x[:columns],
            reduced=reduced[:columns],
            activity=activity,
            price=price,
            slack=x[columns:],
            basis=self.highs.getBasis(),
            method=method,
            iterations=self.iterations,
            seconds=seconds,
        )

    def narrow(self) -> None:
        """Keep to the optimal face of the optimum that was read last.

        Columns with a reduced cost are held at their bound, rows with a price at theirs. Exact where an objective
        row would not be: a slack of 1e-8 of net worth moves tonight's relending by millions.
        """
        x, reduced, activity, price = self.found
        held = (np.abs(reduced) > FACE) & (self.lower < self.upper)
        at = nearest(x, self.lower, self.upper)
        self.lower[held] = self.upper[held] = at[held]
        held = (np.abs(price) > FACE) & (self.row_lower < self.row_upper)
        at = nearest(activity, self.row_lower, self.row_upper)
        self.row_lower[held] = self.row_upper[held] = at[held]

    def write(self, target: Path) -> None:
        """Write the program as first solved, without slack columns, with readable names and its constant (MPS)."""
        program = self.program
        highs, lp = highspy.Highs(), highspy.HighsLp()
        highs.setOptionValue("output_flag", False)
        lp.num_row_, lp.num_col_ = program.shape
        lp.col_cost_, lp.offset_ = program.cost, program.constant
        columns = program.shape[1]
        lp.col_lower_, lp.col_upper_ = self.lower[:columns], self.upper[:columns]
        lp.row_lower_, lp.row_upper_ = self.row_lower, self.row_upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = program.matrix.indptr, program.matrix.indices
        lp.a_matrix_.value_ = program.matrix.data
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.col_names_, lp.row_names_ = program.column_labels(), program.row_labels()
        highs.passModel(lp)
        if highs.writeModel(str(target)) == highspy.HighsStatus.kError:
            raise SolverFailed(f"HiGHS could not write {target.name}")


def changed(*pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Places where any array differs from what it was, as HiGHS takes them."""
    return np.flatnonzero(np.any([now != before for now, before in pairs], axis=0)).astype(np.int32)


def nearest(value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The bound that a value sits at; the value itself where it has none."""
    bound = np.where(np.abs(value - lower) <= np.abs(value - upper), lower, upper)
    return np.where(np.isfinite(bound), bound, value)


Packed = tuple[np.ndarray, np.ndarray]
STATUS = [highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kUpper,
          highspy.HighsBasisStatus.kZero, highspy.HighsBasisStatus.kNonbasic]  # fmt: skip
LOWER, BASIC = 0, 1
"""Places in `STATUS` of a column or row that stands at its lower bound, and of one in the basis."""


def pack_basis(basis: Any) -> Packed:
    """A basis as small integers, to travel between processes."""
    return (
        np.fromiter((int(status) for status in basis.col_status), np.int8),
        np.fromiter((int(status) for status in basis.row_status), np.int8),
    )


def unpack_basis(packed: Packed) -> Any:
    """The basis of its integers."""
    basis = highspy.HighsBasis()
    basis.col_status = [STATUS[place] for place in packed[0].tolist()]
    basis.row_status = [STATUS[place] for place in packed[1].tolist()]
    basis.valid = True
    return basis


def with_basic_row(basis: Any) -> Any:
    """A basis for the same program with one more row that does not bind."""
    bigger = highspy.HighsBasis()
    bigger.col_status = list(basis.col_status)
    bigger.row_status = [*basis.row_status, highspy.HighsBasisStatus.kBasic]
    bigger.valid = True
    return bigger


def widened(basis: Any, at: int, basic: int, rows: int) -> Any:
    """A basis for the same program with more columns from place `at` on and more rows at the end.

    `basic` columns that stand for as many tight rows, one column at its lower bound, then `rows` rows that do not bind.
    """
    status, bigger = highspy.HighsBasisStatus, highspy.HighsBasis()
    columns = list(basis.col_status)
    bigger.col_status = [*columns[:at], *[status.kBasic] * basic, status.kLower, *columns[at:]]
    bigger.row_status = [*basis.row_status, *[status.kLower] * basic, *[status.kBasic] * rows]
    bigger.valid = True
    return bigger


def slack_mask(program: Program) -> np.ndarray:
    """Rows that may be lifted or repaired."""
    out = np.zeros(program.shape[0], bool)
    for family in program.rows:
        out[family.place] = family.liftable or family.repairable
    return out


def versions() -> dict[str, str]:
    """The solver and its version, for the run record."""
    return {"highs": highspy.Highs().version()}
