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
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import combinations
from multiprocessing import get_context

import numpy as np

from liquidity.program.compile import Program
from liquidity.program.solve import Options, Packed, Session, pack_basis, unpack_basis
from liquidity.program.stages import Goals, run_stages

FUNDING = "FUNDING"
UNPROFITABLE = "UNPROFITABLE"
WINDOWS = 2


@dataclass(frozen=True)
class Node:
    """One re-solve: `value[w]` is minus declined by segment in window w (units), `touched` the groups with a price."""

    value: np.ndarray
    touched: frozenset[str]
    iterations: int
    method: str
    seconds: float
    basis: Packed = field(repr=False)


Step = tuple[frozenset[str], Packed]


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

    def together(self, least: float) -> dict[tuple[str, str], np.ndarray]:
        """Pairs of causes that stop the same money: lifted alone neither changes anything, lifted together they do.

        What both together release [window, segment], program units, nought where that is not so; `least` is how much
        counts as a change. Only pairs with something in them.
        """
        found = {}
        for pair in combinations(sorted(self.players), 2):
            one, other = (self.alone[name] for name in pair)
            both = self.nodes[frozenset(pair)].value + self.declined
            only = np.where((np.abs(one) < least) & (np.abs(other) < least) & (both >= least), both, 0.0)
            if only.any():
                found[pair] = only
        return found


class Lifter:
    """A worker's program: lifts sets of groups and reads what was declined."""

    def __init__(self, program: Program, goals: Goals, options: Options) -> None:
        self.goals, self.session = goals, Session(program, options)
        self.groups = group_rows(program)
        self.market = market_rows(program)

    def solve(self, lifted: frozenset[str], start: Packed) -> Node:
        """Lift the groups, solve from the basis `start`, and walk stages 2 and 3."""
        clock, session = time.perf_counter(), self.session
        session.reset()
        session.lift(self.rows(lifted))
        answer = session.solve(unpack_basis(start), doubt=True)
        staged = run_stages(session, self.goals.stages[:2])
        x = staged.last.x
        value = np.stack([self.goals.relent[w] @ x - self.goals.wanted[w] @ x for w in range(WINDOWS)])
        touched = frozenset(name for name, rows in self.groups.items() if staged.touched[rows].any())
        seconds = time.perf_counter() - clock
        return Node(value, touched, answer.iterations, answer.method, seconds, pack_basis(answer.basis))

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


def lift_in_worker(lifted: frozenset[str], start: Packed) -> Node:
    """Solve one set in a worker process."""
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return _worker.solve(lifted, start)


class Crew:
    """Solves sets as they become ready: in worker processes where there are more than one, else in this one."""

    def __init__(self, program: Program, goals: Goals, options: Options, workers: int) -> None:
        given = (program, goals, options)
        self.lifter = Lifter(*given) if workers == 1 else None
        context = get_context("spawn")
        self.pool = None if workers == 1 else ProcessPoolExecutor(workers, context, start_worker, given)

    def grow(self, ready: Iterable[Step], follow: Callable[[frozenset[str], Node], Iterable[Step]]) -> None:
        """Solve every step, and those that `follow` names once a step is solved."""
        if self.pool is None:
            assert self.lifter is not None
            stack = list(ready)[::-1]
            while stack:
                lifted, start = stack.pop()
                stack += list(follow(lifted, self.lifter.solve(lifted, start)))[::-1]
            return
        running: dict[Future[Node], frozenset[str]] = {}

        def submit(steps: Iterable[Step]) -> None:
            assert self.pool is not None
            running.update({self.pool.submit(lift_in_worker, *step): step[0] for step in steps})

        submit(ready)
        while running:
            for job in wait(running, return_when=FIRST_COMPLETED).done:
                submit(follow(running.pop(job), job.result()))

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)


def make_amounts(program: Program, goals: Goals, options: Options, workers: int, start: Packed) -> Amounts:
    """Split declined over causes, exactly.

    `program` has its yes/no decisions held and its repaired bounds; `start` is the basis of its optimum. With n groups
    that can matter it takes 2^n + 2 re-solves.
    """
    names = tuple(group_rows(program))
    with Crew(program, goals, options, workers) as crew:
        game = Game(crew, names, start)
        game.play()
    return game.amounts(goals.segments)


class Game:
    """The lattice of sets of lifted groups, solved as far as it can matter."""

    def __init__(self, crew: Crew, names: tuple[str, ...], start: Packed) -> None:
        self.crew, self.names, self.start = crew, names, start
        self.nodes: dict[frozenset[str], Node] = {}
        self.players: tuple[str, ...] = ()

    def play(self) -> None:
        """Singles first (they order the tree), then every set of the groups that can matter, then the market."""
        none: frozenset[str] = frozenset()
        self.solve({none: self.start})
        met = self.nodes[none].touched
        while True:
            base = self.nodes[none].basis
            self.solve({frozenset([name]): base for name in sorted(met)})
            self.players = self.order(met)
            self.solve_tree()
            more = frozenset().union(*(self.nodes[lifted].touched for lifted in self.lattice()))
            if more <= met:
                break
            met |= more
        self.solve_market()

    def solve(self, steps: dict[frozenset[str], Packed]) -> None:
        """Solve sets that do not wait for each other."""

        def keep(lifted: frozenset[str], node: Node) -> list[Step]:
            self.nodes[lifted] = node
            return []

        self.crew.grow([step for step in steps.items() if step[0] not in self.nodes], keep)

    def order(self, met: Iterable[str]) -> tuple[str, ...]:
        """Groups by how hard they are to lift alone, hardest first: easy lifts are repeated often, hard ones seldom."""
        return tuple(sorted(met, key=lambda name: (-self.nodes[frozenset([name])].iterations, name)))

    def lattice(self) -> list[frozenset[str]]:
        """Every set of players."""
        sizes = range(len(self.players) + 1)
        return [frozenset(group) for size in sizes for group in combinations(self.players, size)]

    def children(self, lifted: frozenset[str]) -> list[frozenset[str]]:
        """The set with one easier group more: each set has one parent, itself without its easiest group."""
        after = max((self.players.index(name) for name in lifted), default=-1) + 1
        return [lifted | {name} for name in self.players[after:]]

    def solve_tree(self) -> None:
        """Every set of players, each from the basis of its parent."""

        def follow(lifted: frozenset[str], node: Node) -> list[Step]:
            self.nodes[lifted] = node
            return self.ready(lifted)

        self.crew.grow(self.ready(frozenset()), follow)

    def ready(self, lifted: frozenset[str]) -> list[Step]:
        """Sets below `lifted` that can be solved now: its children, or the children of those solved before."""
        out: list[Step] = []
        for child in self.children(lifted):
            out += self.ready(child) if child in self.nodes else [(child, self.nodes[lifted].basis)]
        return out

    def solve_market(self) -> None:
        """Everything lifted and the open market; the market alone."""
        none, whole = frozenset[str](), frozenset(self.players)
        free = frozenset([*self.names, FUNDING])
        self.solve({free: self.nodes[whole].basis, frozenset([FUNDING]): self.nodes[none].basis})

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
