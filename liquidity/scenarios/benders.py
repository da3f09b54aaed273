"""Two stages taken apart (Benders): tonight's decision in a master program, every scenario in a program of its own.

The master knows the first stage, one scenario as it is, so that its decisions are sensible ones from the start, and
the cuts of all others. Its optimum is a bound that no decision can beat; asking every scenario at a decision gives what
that one is worth. Cuts say nothing of risk: they serve for every weight of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from liquidity.errors import SolverFailed
from liquidity.program.linear import Block, Solver
from liquidity.program.solve import LOOSE, Infeasible, Options, pack_basis
from liquidity.scenarios.recourse import Cut, Panel
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import Recourse, TwoStage, mean_program

MIDWAY = 0.5
TINY = 1e-11
GOAL = 1e-5
ROUNDS = 200


@dataclass(frozen=True)
class Asked:
    """What all scenarios said of a decision: `value` (scenario) where all have a plan, else None."""

    x: np.ndarray
    value: np.ndarray | None


@dataclass(frozen=True)
class Parted:
    """What Benders found: `objective` reached by `x` (program columns, of which only the first stage means anything),
    `bound` that no decision beats, `value` (net worth by scenario at x), `rounds` in which every scenario was asked.
    """

    objective: float
    bound: float
    x: np.ndarray
    value: np.ndarray
    rounds: int

    @property
    def gap(self) -> float:
        """(bound - objective) relative to the objective."""
        return gap(self.bound, self.objective)


def gap(bound: float, objective: float) -> float:
    """Distance of a bound from what was reached, relative to that."""
    return max(0.0, bound - objective) / max(1.0, abs(objective)) if np.isfinite(objective) else np.inf


class Benders:
    """A problem taken apart; `start` is the decision that the search begins with.

    Use as a context: workers end with it.
    """

    def __init__(self, problem: TwoStage, options: Options, workers: int = 1) -> None:
        self.problem, self.options = problem, options
        self.recourse = Recourse(problem)
        self.start, basis = self.begin()
        blocks = [(at, self.recourse.block(program)) for at, program in enumerate(problem.programs)]
        self.panel = Panel(blocks, len(self.recourse.link), pack_basis(basis), options, workers)
        self.cuts: list[Cut] = []
        self.asked: list[Asked] = []

    def __enter__(self) -> Benders:
        return self

    def __exit__(self, *_: object) -> None:
        self.panel.close()

    def ask(self, x: np.ndarray) -> Asked:
        """What every scenario makes of a decision (program columns); their cuts are kept."""
        cuts = self.panel.ask(x[self.recourse.link])
        self.cuts += cuts
        whole = all(cut.feasible for cut in cuts)
        values = np.array([cut.value for cut in cuts if cut.feasible])
        found = Asked(x, values if whole else None)
        self.asked.append(found)
        return found

    def begin(self) -> tuple[np.ndarray, Any]:
        """The decision to begin with and a basis of what follows: best for the expected numbers, or, where those have
        no plan, for the first scenario that has one. `mean_has_plan` tells which.
        """
        self.mean_has_plan, tried = False, list[str]()
        # of what follows only the basis counts: the decision is met up to rounding
        loose = replace(self.options, tolerance=LOOSE * self.options.tolerance)
        for at, program in enumerate((mean_program(self.problem), *self.problem.programs)):
            solver, later = Solver(program, self.options), Solver(self.recourse.block(program), loose)
            try:
                solver.solve()
                x = solver.x()
                later.hold(np.arange(len(self.recourse.link), dtype=np.int32), x[self.recourse.link])
                later.solve()
            except Infeasible as error:
                tried += error.chain
                continue
            self.mean_has_plan = at == 0
            return x, later.basis()
        raise Infeasible("no scenario has a plan", tried)

    @cached_property
    def at_start(self) -> Asked:
        """What every scenario makes of the decision that the search begins with."""
        return self.ask(self.start)

    @property
    def at_mean(self) -> Asked:
        """The same of the decision that is best for the expected numbers, if they have a plan."""
        return self.at_start if self.mean_has_plan else Asked(self.start, None)

    @cached_property
    def kept(self) -> int:
        """The scenario in the master: the middle one after the first decision."""
        asked = self.at_start
        found = {cut.at: cut.value for cut in self.cuts if cut.feasible} if asked.value is None else asked.value
        values = np.array([found[at] for at in range(self.problem.size)])
        return int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])

    def solve(self, risk: Risk, goal: float = GOAL, rounds: int = ROUNDS,
              say: Callable[[str], None] | None = None) -> Parted:  # fmt: skip
        """Solve to a relative gap of `goal`.

        Raises Infeasible where no decision leaves every scenario a plan, SolverFailed where `rounds` do not suffice.
        """
        master, used = Master(self.problem, self.recourse, self.kept, risk, self.options), 0
        best, held = max(((self.worth(one, risk), -at) for at, one in enumerate(self.asked)))
        x, value = self.asked[-held].x, self.asked[-held].value
        for number in range(1, rounds + 1):
            master.add(self.cuts[used:])
            used = len(self.cuts)
            bound, promised = master.solve()
            if say is not None:
                say(f"round {number}: net worth {best:,.4f}, at most {bound:,.4f}, gap {gap(bound, best):.1e}")
            if gap(bound, best) <= goal and value is not None:
                return Parted(best, bound, x, value, len(self.asked))
            between = number % 2 == 0 and np.isfinite(best)
            found = self.ask(MIDWAY * x + (1 - MIDWAY) * promised if between else promised)
            if (worth := self.worth(found, risk)) > best:
                best, x, value = worth, found.x, found.value
        raise SolverFailed(f"no gap of {goal:g} after {rounds} rounds: {gap(bound, best):.1e}")

    def worth(self, asked: Asked, risk: Risk) -> float:
        """The objective at a decision; minus infinity where it leaves a scenario without a plan."""
        return -np.inf if asked.value is None else risk.of(asked.value, self.problem.probability)


class Master:
    """Tonight's decision, the scenario that is kept whole, and the cuts of the others.

    Columns: the program's, worth of every scenario, then eta and short[k] of CVaR (see `extensive.with_tail`).
    """

    def __init__(self, problem: TwoStage, recourse: Recourse, kept: int, risk: Risk, options: Options) -> None:
        program, count = problem.programs[kept], problem.size
        self.kept, self.link, self.columns = kept, recourse.link, program.shape[1]
        self.worth = self.columns + np.arange(count)
        extra = count + (1 + count if risk.weight > 0 else 0)
        self.width, chance = self.columns + extra, problem.probability
        cost = np.concatenate([np.zeros(self.columns), (1 - risk.weight) * chance])
        lower, upper = np.full(extra, -np.inf), np.full(extra, np.inf)
        whole = sp.hstack([program.matrix, sp.csc_matrix((program.shape[0], extra))])
        own = sp.csr_matrix(np.concatenate([-program.cost, np.eye(count)[kept], np.zeros(extra - count)]))
        rows: list[Any] = [whole, own]
        least, most = [program.row_lower, np.full(1, -np.inf)], [program.row_upper, np.full(1, program.constant)]
        if risk.weight > 0:
            cost = np.concatenate([cost, [risk.weight], -risk.weight * chance / (1 - risk.tail)])
            lower[count + 1 :] = 0.0
            eye = sp.identity(count)
            rows.append(sp.hstack([sp.csr_matrix((count, self.columns)), eye, -np.ones((count, 1)), eye]))
            least.append(np.zeros(count))
            most.append(np.full(count, np.inf))
        self.block = Block(
            sp.vstack(rows).tocsc(), cost, 0.0, np.concatenate(least), np.concatenate(most),
            np.concatenate([program.column_lower, lower]), np.concatenate([program.column_upper, upper]),
        )  # fmt: skip
        self.solver = Solver(self.block, options)

    def add(self, cuts: list[Cut]) -> None:
        """What the scenarios said; the one that is kept whole needs no cut."""
        cuts = [cut for cut in cuts if cut.at != self.kept]
        if not cuts:
            return
        slopes = np.stack([cut.slope for cut in cuts])
        slopes[np.abs(slopes) < TINY] = 0.0
        side = np.array([cut.value - slope @ cut.point for cut, slope in zip(cuts, slopes)])
        feasible = np.array([cut.feasible for cut in cuts])
        # worth - slope x <= value - slope point; a distance: slope x <= slope point - value
        sign = np.where(feasible, -1.0, 1.0)
        link = sp.csr_matrix(sign[:, None] * slopes)
        link = sp.csr_matrix((link.data, self.link[link.indices], link.indptr), shape=(len(cuts), self.width))
        at, of = np.flatnonzero(feasible), self.worth[[cut.at for cut in cuts if cut.feasible]]
        worth = sp.csr_matrix((np.ones(len(at)), (at, of)), shape=link.shape)
        self.solver.add_rows((worth + link).tocsr(), np.full(len(cuts), -np.inf), -sign * side)

    def solve(self) -> tuple[float, np.ndarray]:
        """The best that may still be hoped for, and the decision (program columns) that promises it."""
        try:
            value = self.solver.solve()
        except Infeasible as error:
            raise Infeasible("no decision tonight leaves every scenario a plan", error.chain) from None
        return value, self.solver.x()[: self.columns]
