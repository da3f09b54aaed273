"""How much of the declined money each cause stands for, by re-solving with its rules lifted (DESIGN 7.3).

Two layers. First the groups of rules, with funding as it is: v(S) = - declined with the groups S lifted, and the
Shapley value over the groups. Then the open market: FUNDING = v(all, open market) - v(all). What is left,
UNPROFITABLE, is declined with every rule lifted and money without limit. The parts add up to declined, by segment.

Only groups that can matter are players, and that is proved, not guessed: a group whose rows have no price at any stage
of any program solved leaves each of those answers optimal when it is lifted, so its part is nought.

Speed: a lifted row frees a slack column, so the vertex stays one; the sets form a tree in which each parent lacks the
easiest group; primal simplex goes on from the parent's basis; workers hold the program and only sets travel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import numpy as np

from liquidity.errors import SolverFailed
from liquidity.program.compile import Program
from liquidity.program.solve import Options, Session
from liquidity.program.stages import Goals, run_stages

FUNDING = "FUNDING"
UNPROFITABLE = "UNPROFITABLE"
MOST_PLAYERS = 9
WINDOWS = 2


@dataclass(frozen=True)
class Node:
    """One re-solve: `value[w]` is minus declined by segment in window w (units), `touched` the groups with a price."""

    value: np.ndarray
    touched: frozenset[str]
    iterations: int
    method: str
    seconds: float


@dataclass(frozen=True)
class Amounts:
    """The parts of declined. `part[cause][w]` by segment and `alone[cause][w]` (released if only this were lifted),
    in program units; `players` in the order of the tree; `solves` counts re-solves, `fallbacks` those not by the tree.
    """

    segments: tuple[str, ...]
    part: dict[str, np.ndarray]
    alone: dict[str, np.ndarray]
    declined: np.ndarray
    players: tuple[str, ...]
    solves: int
    fallbacks: int
    nodes: dict[frozenset[str], Node] = field(repr=False, default_factory=dict)

    @property
    def gap(self) -> float:
        """Largest error of adding up, program units."""
        return float(np.abs(sum(self.part.values()) - self.declined).max(initial=0.0))


class Lifter:
    """A worker's program: lifts sets of groups and reads what was declined."""

    def __init__(self, program: Program, goals: Goals, options: Options) -> None:
        self.goals, self.session = goals, Session(program, options)
        self.groups = group_rows(program)
        self.market = market_rows(program)
        self.bases: dict[frozenset[str], Any] = {}
        self.start = (self.session.lower.copy(), self.session.upper.copy())

    def solve(self, lifted: frozenset[str], parent: frozenset[str] | None) -> Node:
        """Lift the groups, solve from the parent's basis, and walk stages 2 and 3."""
        session = self.session
        session.reset()
        session.lift(self.rows(lifted))
        answer = session.solve(self.bases.get(parent) if parent is not None else None)
        self.bases[lifted] = answer.basis
        staged = run_stages(session, self.goals.stages[:2])
        x = staged.last.x
        value = np.stack([self.goals.relent[w] @ x - self.goals.wanted[w] @ x for w in range(WINDOWS)])
        touched = frozenset(name for name, rows in self.groups.items() if staged.touched[rows].any())
        return Node(value, touched, answer.iterations, answer.method, answer.seconds)

    def rows(self, lifted: frozenset[str]) -> np.ndarray:
        """Mask of the rows of a set; FUNDING stands for the open market."""
        out = np.zeros(self.session.program.shape[0], bool)
        for name in lifted:
            out |= self.market if name == FUNDING else self.groups[name]
        return out


def group_rows(program: Program) -> dict[str, np.ndarray]:
    """Mask of the liftable rule rows of each cause. Lines stay as they are: their cause is answered by the market."""
    out: dict[str, np.ndarray] = {}
    for family in program.rows:
        if family.kind == "rule" and family.liftable and family.code not in ("", FUNDING):
            out.setdefault(family.code, np.zeros(program.shape[0], bool))[family.place] = True
    return dict(sorted(out.items()))


def market_rows(program: Program) -> np.ndarray:
    """Mask of the rows that shut the open market."""
    out = np.zeros(program.shape[0], bool)
    out[program.row("terms", "open_market").place] = True
    return out


_worker: Lifter | None = None


def start_worker(program: Program, goals: Goals, options: Options) -> None:
    """Give a worker process its program."""
    global _worker
    _worker = Lifter(program, goals, options)


def run_task(task: Sequence[tuple[frozenset[str], frozenset[str] | None]]) -> list[tuple[frozenset[str], Node]]:
    """Solve a list of (set, parent) in order."""
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return [(lifted, _worker.solve(lifted, parent)) for lifted, parent in task]


class Crew:
    """Workers that solve sets: processes where there are more than one, else this process."""

    def __init__(self, program: Program, goals: Goals, options: Options, workers: int) -> None:
        self.workers = workers
        self.pools = [
            ProcessPoolExecutor(1, get_context("spawn"), start_worker, (program, goals, options)) for _ in range(workers)
        ] if workers > 1 else []  # fmt: skip
        if not self.pools:
            start_worker(program, goals, options)

    def run(
        self, tasks: Sequence[Sequence[tuple[frozenset[str], frozenset[str] | None]]]
    ) -> dict[frozenset[str], Node]:
        """Run one task per worker and gather the nodes."""
        if not self.pools:
            return dict(item for task in tasks for item in run_task(task))
        jobs = [self.pools[place % self.workers].submit(run_task, task) for place, task in enumerate(tasks)]
        return dict(item for job in jobs for item in job.result())

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self.pools:
            pool.shutdown(cancel_futures=True)


def make_amounts(program: Program, goals: Goals, options: Options, workers: int) -> Amounts:
    """Split declined over causes, exactly. `program` has its yes/no decisions held and its repaired bounds.

    Raises SolverFailed where more groups can matter than can be enumerated.
    """
    names = tuple(group_rows(program))
    with Crew(program, goals, options, workers) as crew:
        game = Game(crew, names)
        game.play()
    return game.amounts(goals.segments)


class Game:
    """The lattice of sets of lifted groups, solved as far as it can matter."""

    def __init__(self, crew: Crew, names: tuple[str, ...]) -> None:
        self.crew, self.names = crew, names
        self.nodes: dict[frozenset[str], Node] = {}
        self.players: tuple[str, ...] = ()

    def play(self) -> None:
        """Singles first (they order the tree), then every set of the groups that can matter, then the market."""
        none: frozenset[str] = frozenset()
        self.nodes |= self.crew.run([[(none, None)]] * self.crew.workers)
        met = self.nodes[none].touched
        while True:
            self.solve_singles(sorted(met))
            self.players = self.order(met)
            if len(self.players) > MOST_PLAYERS:
                raise SolverFailed(
                    f"{len(self.players)} groups of rules matter, at most {MOST_PLAYERS} can be enumerated"
                )
            self.solve_tree()
            more = frozenset().union(*(self.nodes[lifted].touched for lifted in self.lattice()))
            if more <= met:
                break
            met |= more
        self.solve_market()

    def solve_singles(self, names: Sequence[str]) -> None:
        """Lift each group alone."""
        self.run([(frozenset([name]), frozenset[str]()) for name in names])

    def run(self, wanted: Iterable[tuple[frozenset[str], frozenset[str] | None]]) -> None:
        """Spread independent sets over the workers."""
        left = [item for item in wanted if item[0] not in self.nodes]
        self.nodes |= self.crew.run([left[place :: self.crew.workers] for place in range(self.crew.workers)])

    def order(self, met: Iterable[str]) -> tuple[str, ...]:
        """Groups by how hard they are to lift alone, hardest first: an easy lift is repeated often, a hard one seldom."""
        return tuple(sorted(met, key=lambda name: (-self.nodes[frozenset([name])].iterations, name)))

    def lattice(self) -> list[frozenset[str]]:
        """Every set of players, depth first from the hardest."""
        out: list[frozenset[str]] = []

        def descend(lifted: frozenset[str], place: int) -> None:
            out.append(lifted)
            for other in range(place, len(self.players)):
                descend(lifted | {self.players[other]}, other + 1)

        descend(frozenset(), 0)
        return out

    def parent(self, lifted: frozenset[str]) -> frozenset[str] | None:
        """The set without its easiest group."""
        if not lifted:
            return None
        return lifted - {max(lifted, key=self.players.index)}

    def solve_tree(self) -> None:
        """One branch per worker: the sets are split by which of the hardest groups they lift."""
        split = max(0, math.ceil(math.log2(self.crew.workers)))
        heads = self.players[:split]
        branches: dict[frozenset[str], list[tuple[frozenset[str], frozenset[str] | None]]] = {}
        for lifted in self.lattice():
            branches.setdefault(lifted & frozenset(heads), []).append((lifted, self.parent(lifted)))
        tasks: list[list[tuple[frozenset[str], frozenset[str] | None]]] = [[] for _ in range(self.crew.workers)]
        for place, (_, branch) in enumerate(sorted(branches.items(), key=lambda item: sorted(item[0]))):
            tasks[place % self.crew.workers] += [item for item in branch if item[0] not in self.nodes]
        self.nodes |= self.crew.run(tasks)

    def solve_market(self) -> None:
        """Everything lifted, with and without the open market; the market alone."""
        whole = frozenset(self.names)
        players = frozenset(self.players)
        self.nodes[whole] = self.nodes[players]
        self.run([(whole | {FUNDING}, players), (frozenset([FUNDING]), frozenset())])

    def amounts(self, segments: tuple[str, ...]) -> Amounts:
        """Shapley over the players, then funding, then what is left."""
        value = {lifted: self.nodes[lifted].value for lifted in self.lattice()}
        none, whole = frozenset[str](), frozenset(self.players)
        part = shapley(self.players, value)
        free = self.nodes[frozenset(self.names) | {FUNDING}].value
        part[FUNDING] = free - value[whole]
        part[UNPROFITABLE] = -free
        alone = {name: self.nodes[frozenset([name])].value - value[none] for name in (*self.players, FUNDING)}
        fallbacks = sum(node.method != "primal" for node in self.nodes.values())
        return Amounts(segments, part, alone, -value[none], self.players, len(self.nodes), fallbacks, self.nodes)


def shapley(players: Sequence[str], value: dict[frozenset[str], np.ndarray]) -> dict[str, np.ndarray]:
    """The Shapley value: each player's mean marginal part over all orders.  Source: Shapley (1953)."""
    count = len(players)
    weight = [math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count) for size in range(count)]
    return {
        name: sum(
            (weight[len(s)] * (value[s | {name}] - v) for s, v in value.items() if name not in s),
            np.zeros_like(value[frozenset()]),
        )
        for name in players
    }
