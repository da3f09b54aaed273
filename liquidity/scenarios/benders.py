"""Two stages taken apart (Benders): tonight's decision in a master program, every scenario in a program of its own.

Each scenario's program stays in HiGHS; only the bounds of the columns that link it to tonight change, and dual simplex
goes on from where it stood. It gives back what its plan is worth and what each linking column is worth to it: a cut. A
scenario that has no plan gives the distance to tonight's decisions that it could live with, and a cut that says so. One
scenario, the middle one, stands in the master as it is, so that the first decisions are sensible ones.

The order of solves within a scenario depends on that scenario alone: the answer does not depend on who solves it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from liquidity.errors import SolverFailed
from liquidity.program.linear import Block, Solver
from liquidity.program.solve import Infeasible, Options
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import Recourse, TwoStage, mean_program

NEAR = 1e-7
"Program units by which a decision may miss what a scenario can live with: the solver's own rounding."
MIDWAY = 0.5
TINY = 1e-11


@dataclass(frozen=True)
class Cut:
    """What scenario `at` says of tonight's linking columns: worth <= value + slope (x - point) if `feasible`, else
    value + slope (x - point) <= 0.
    """

    at: int
    feasible: bool
    value: float
    slope: np.ndarray


class Scenario:
    """The later part of one scenario, held in HiGHS."""

    def __init__(self, at: int, block: Block, links: int, options: Options) -> None:
        self.at, self.block, self.options = at, block, options
        self.link = np.arange(links, dtype=np.int32)
        self.solver = Solver(block, options)

    def ask(self, point: np.ndarray) -> Cut:
        """Its best plan after tonight's decision `point` (linking columns), as a cut."""
        self.solver.hold(self.link, point)
        try:
            value = self.solver.solve()
        except Infeasible:
            return self.distance(point)
        return Cut(self.at, True, value, self.solver.reduced()[self.link])

    def distance(self, point: np.ndarray) -> Cut:
        """How far (sum of units) the decision is from one that leaves a plan, and in which direction."""
        links, block = len(self.link), self.block
        rows, columns = block.matrix.shape
        pick = sp.identity(columns, format="csr")[self.link]
        unit = sp.identity(links)
        matrix = sp.bmat([[block.matrix, None, None], [pick, unit, -unit]]).tocsc()
        free, none, much = np.full(links, -np.inf), np.zeros(2 * links), np.full(2 * links, np.inf)
        solver = Solver(Block(
            matrix, np.concatenate([np.zeros(columns), none - 1.0]), 0.0,
            np.concatenate([block.row_lower, point]), np.concatenate([block.row_upper, point]),
            np.concatenate([free, block.column_lower[links:], none]),
            np.concatenate([-free, block.column_upper[links:], much]),
        ), self.options)  # fmt: skip
        try:
            away = -solver.solve()
        except Infeasible as error:
            raise Infeasible(f"scenario {self.at} has no plan whatever is decided tonight", error.chain) from None
        if away <= NEAR:
            raise SolverFailed(f"scenario {self.at} is neither feasible nor infeasible: {away:.1e} units away")
        return Cut(self.at, False, away, -solver.price()[rows:])


class Master:
    """Tonight's decision, the scenario that is kept whole, and what is known of the others.

    Columns: first stage, later part of the kept scenario, worth of every scenario, then eta and short[k].
    """

    def __init__(self, problem: TwoStage, recourse: Recourse, kept: int, risk: Risk, options: Options) -> None:
        program, count = problem.programs[kept], problem.size
        self.first = np.flatnonzero(problem.first)
        self.link, self.columns = recourse.link, program.shape[1]
        self.worth = self.columns + np.arange(count)
        extra = count + (1 + count if risk.weight > 0 else 0)
        chance, width = problem.probability, self.columns + extra
        cost = np.concatenate([np.zeros(self.columns), (1 - risk.weight) * chance])
        lower, upper = np.full(extra, -np.inf), np.full(extra, np.inf)
        rows = [sp.csr_matrix(np.concatenate([-program.cost, np.eye(count)[kept], np.zeros(extra - count)]))]
        least, most = [np.full(1, -np.inf)], [np.full(1, program.constant)]
        if risk.weight > 0:
            cost = np.concatenate([cost, [risk.weight], -risk.weight * chance / (1 - risk.tail)])
            lower[count + 1 :] = 0.0
            eye = sp.identity(count)
            rows.append(sp.hstack([sp.csr_matrix((count, self.columns)), eye, -np.ones((count, 1)), eye]).tocsr())
            least.append(np.zeros(count))
            most.append(np.full(count, np.inf))
        whole = sp.hstack([program.matrix, sp.csc_matrix((program.shape[0], extra))])
        self.solver = Solver(Block(
            sp.vstack([whole, *rows]).tocsc(), cost, 0.0,
            np.concatenate([program.row_lower, *least]), np.concatenate([program.row_upper, *most]),
            np.concatenate([program.column_lower, lower]), np.concatenate([program.column_upper, upper]),
        ), options)  # fmt: skip
        self.width, self.cuts = width, 0

    def add(self, cuts: list[Cut], point: np.ndarray) -> None:
        """What the scenarios say at a decision (linking columns)."""
        slopes = np.stack([cut.slope for cut in cuts])
        slopes[np.abs(slopes) < TINY] = 0.0
        feasible = np.array([cut.feasible for cut in cuts])
        bound = np.array([cut.value for cut in cuts]) - slopes @ point
        sign = np.where(feasible, -1.0, 1.0)
        worth = sp.csr_matrix(
            (np.ones(feasible.sum()), (np.flatnonzero(feasible), self.worth[[c.at for c in cuts if c.feasible]])),
            shape=(len(cuts), self.width),
        )
        link = sp.csr_matrix(sign[:, None] * slopes)
        link = sp.csr_matrix((link.data, self.link[link.indices], link.indptr), shape=worth.shape)
        self.solver.add_rows((worth + link).tocsr(), np.full(len(cuts), -np.inf), np.where(feasible, bound, -bound))
        self.cuts += len(cuts)

    def solve(self) -> tuple[float, np.ndarray]:
        """The best that may still be hoped for, and the decision (all columns of the kept program) that promises it."""
        value = self.solver.solve()
        return value, self.solver.x()[: self.columns]


@dataclass(frozen=True)
class Parted:
    """What Benders found: `objective` reached by `x` (columns of the kept program), `bound` no plan can beat.

    `value`: net worth by scenario at x; `rounds` of asking every scenario; `cuts` made.
    """

    objective: float
    bound: float
    x: np.ndarray
    value: np.ndarray
    rounds: int
    cuts: int

    @property
    def gap(self) -> float:
        """(bound - objective) relative to the objective."""
        return gap(self.bound, self.objective)


def gap(bound: float, objective: float) -> float:
    """Relative distance of a bound from what was reached."""
    return max(0.0, bound - objective) / max(1.0, abs(objective))


def solve_parted(problem: TwoStage, risk: Risk, options: Options, goal: float = 1e-5, rounds: int = 200,
                 say=None) -> Parted:  # fmt: skip
    """Solve to a relative gap of `goal`. Raises Infeasible where no decision fits every scenario, SolverFailed where
    `rounds` do not suffice.
    """
    import time
    recourse = Recourse(problem)
    links = len(recourse.link)
    start = Solver(mean_program(problem), options)
    start.solve()
    x = start.x()
    scenarios = [Scenario(at, recourse.block(program), links, options) for at, program in enumerate(problem.programs)]
    basis = None
    for one in scenarios:
        if basis is not None:
            one.solver.start_from(basis)
        one.ask(x[recourse.link])
        if basis is None:
            basis = one.solver.basis()
    kept = 0
    master = Master(problem, recourse, kept, risk, options)
    best, bound, held, values = -np.inf, np.inf, x, None
    for number in range(1, rounds + 1):
        point = x[recourse.link]
        t=time.process_time()
        cuts = [one.ask(point) for one in scenarios]
        t1=time.process_time()
        if all(cut.feasible for cut in cuts):
            found = np.array([cut.value for cut in cuts])
            value = risk.of(found, problem.probability)
            if value > best:
                best, held, values = value, x, found
        if gap(bound, best) <= goal:
            return Parted(best, bound, held, values, number, master.cuts)
        master.add(cuts, point)
        bound, promised = master.solve()
        t2=time.process_time()
        if say: say(f"{number}: value {best:.6f} bound {bound:.6f} gap {gap(bound,best):.2e} infeasible {sum(not c.feasible for c in cuts)} ask {t1-t:.2f} master {t2-t1:.2f}")
        x = promised if number % 2 or not np.isfinite(best) else MIDWAY * held + MIDWAY * promised
    raise SolverFailed(f"no gap of {goal:g} after {rounds} rounds: {gap(bound, best):.1e}")
