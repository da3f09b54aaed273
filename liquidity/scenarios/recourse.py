"""What a scenario says of tonight's decision: the part of its program that comes later, held in HiGHS.

Only the bounds of the columns that link it to tonight change, and dual simplex goes on from where it stood. The answer
is a cut. A scenario that has no plan gives its distance to a decision that leaves one. What a scenario answers depends
on what it was asked before and on nothing else, so it does not matter which process asks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import scipy.sparse as sp

from liquidity.program.linear import Block, Solver
from liquidity.program.solve import BASIC, LOWER, Infeasible, Options, Packed, unpack_basis

NEAR = 1e-7
"Program units by which a decision may miss what a scenario can live with: less than what is rounded to a fen."


@dataclass(frozen=True)
class Cut:
    """What scenario `at` says of the linking columns x, as asked at `point`.

    Its net worth is at most value + slope (x - point) where it is `feasible`; else value + slope (x - point) <= 0 is
    needed, value being its distance in units.
    """

    at: int
    feasible: bool
    value: float
    slope: np.ndarray
    point: np.ndarray


class Scenario:
    """The later part of one scenario; its first columns are the linking ones."""

    def __init__(self, at: int, block: Block, links: int, start: Packed, options: Options) -> None:
        self.at, self.block, self.options, self.start = at, block, options, start
        self.link = np.arange(links, dtype=np.int32)
        self.solver = Solver(block, options, devex=True)
        self.warm = "primal"
        self.solver.start_from(unpack_basis(start))

    def ask(self, point: np.ndarray) -> list[Cut]:
        """Its best plan after tonight's decision; where there is none, how far that is from the nearest decision that
        leaves one, and the best plan after that.
        """
        try:
            return [self._plan(point)]
        except Infeasible:
            away, slope, nearest = self._distance(point)
        self.solver.start_from(unpack_basis(self.start))
        plan = self._plan(nearest, doubt=True)
        return [plan] if away <= NEAR else [Cut(self.at, False, away, slope, point), plan]

    def _plan(self, point: np.ndarray, doubt: bool = False) -> Cut:
        """A cut at a decision that leaves a plan. The first time the basis is another scenario's and primal simplex is
        the way; from then on only bounds change, the basis stays dual feasible.
        """
        self.solver.hold(self.link, point)
        value = self.solver.solve(self.warm, sure=False, doubt=doubt)
        self.warm = "dual"
        return Cut(self.at, True, value, self.solver.reduced()[self.link], point)

    def _distance(self, point: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """How far (sum of units) a decision is from one that leaves a plan, the slope of that, and the nearest one."""
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
        solver.start_from(unpack_basis(loosened(self.start, links)))
        try:
            away = -solver.solve("dual")
        except Infeasible as error:
            raise Infeasible(f"scenario {self.at} has no plan whatever is decided tonight", error.chain) from None
        return away, -solver.price()[rows:], solver.x()[:links]


def loosened(start: Packed, links: int) -> Packed:
    """The basis of what follows where the linking columns may move, at a price: they are in the basis, the moves at
    nought. It is dual feasible, since nothing but the moves costs, so dual simplex mends it and need not start anew.
    """
    columns, rows = start
    within = columns[:links] == BASIC
    moved = columns.copy()
    moved[:links] = BASIC
    return (
        np.concatenate([moved, np.full(2 * links, LOWER, np.int8)]),
        np.concatenate([rows, np.where(within, BASIC, LOWER).astype(np.int8)]),
    )


Blocks = Sequence[tuple[int, Block]]
_group: list[Scenario] = []


def hold_group(blocks: Blocks, links: int, start: Packed, options: Options) -> None:
    """In a worker process: hold these scenarios from now on."""
    _group[:] = [Scenario(at, block, links, start, options) for at, block in blocks]


def ask_group(point: np.ndarray) -> list[Cut]:
    """In a worker process: what its scenarios say."""
    return [cut for one in _group for cut in one.ask(point)]


class Panel:
    """All scenarios, in this process or shared out over `workers`; `ask` answers in their order."""

    def __init__(self, blocks: Blocks, links: int, start: Packed, options: Options, workers: int = 1) -> None:
        self.pools: list[ProcessPoolExecutor] = []
        self.scenarios: list[Scenario] = []
        if workers <= 1 or len(blocks) <= 1:
            self.scenarios = [Scenario(at, block, links, start, options) for at, block in blocks]
            return
        size = -(-len(blocks) // workers)
        waiting: list[Any] = []
        for first in range(0, len(blocks), size):
            pool = ProcessPoolExecutor(1, get_context("spawn"))
            self.pools.append(pool)
            waiting.append(pool.submit(hold_group, blocks[first : first + size], links, start, options))
        for job in waiting:
            job.result()

    def ask(self, point: np.ndarray) -> list[Cut]:
        """The cuts of all scenarios at tonight's decision. Raises Infeasible where one has no plan after any."""
        if not self.pools:
            return [cut for one in self.scenarios for cut in one.ask(point)]
        return [cut for job in [pool.submit(ask_group, point) for pool in self.pools] for cut in job.result()]

    def close(self) -> None:
        """End the workers."""
        for pool in self.pools:
            pool.shutdown(cancel_futures=True)
