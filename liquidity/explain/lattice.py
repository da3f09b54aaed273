"""Re-solves of one program with sets of rules lifted, in this process or in workers.

A set names causes ("CAPITAL": all its rules), single rules of a cause ("LIQUIDITY_BUFFER/standby"), and FUNDING, the
open market. Speed: a lifted row frees a slack column, so the vertex of a set stays one of the sets above it; sets
travel in branches, each set solved by primal simplex from its parent's last basis, which stays in the worker; and a
set is not solved at all where what it lifts beyond its parent had no price there.
"""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from liquidity.program.compile import Program
from liquidity.program.solve import Options, Packed, Session, pack_basis, unpack_basis
from liquidity.program.stages import Goals, run_stages

FUNDING = "FUNDING"
WINDOWS = 2
LARGE = 5000
"Columns from which a program is worth sending to workers: a worker takes a second to start."

T = TypeVar("T")
Lifted = frozenset[str]
NONE: Lifted = frozenset()


@dataclass(frozen=True)
class Node:
    """What a set says. `value[w]` is minus declined by segment in window w (units), `touched` the rules with a price.

    `method` is how net worth was found, `same` where the parent's answer was shown to hold and nothing was solved.
    """

    value: np.ndarray
    touched: Lifted
    iterations: int
    method: str
    seconds: float


@dataclass(frozen=True)
class Branch:
    """Sets to be solved one after the other, each from a parent that is `known` or before it.

    A set without a parent starts from the basis `start`. The bases of the sets in `keep` come back, for branches that
    begin there.
    """

    steps: tuple[tuple[Lifted, Lifted | None], ...]
    known: dict[Lifted, tuple[Node, Packed]] = field(default_factory=dict)
    start: Packed | None = None
    keep: frozenset[Lifted] = frozenset()


@dataclass(frozen=True)
class Grown:
    """The sets of a branch, solved."""

    nodes: dict[Lifted, Node]
    bases: dict[Lifted, Packed]
    cpu: float


class Lifter:
    """A program that sets are lifted in."""

    def __init__(self, program: Program, goals: Goals, options: Options) -> None:
        self.goals, self.session = goals, Session(program, options)
        self.groups = group_rows(program)
        self.market = market_rows(program)

    def grow(self, branch: Branch) -> Grown:
        """Solve every set of a branch."""
        clock = time.thread_time()
        nodes = {lifted: node for lifted, (node, _) in branch.known.items()}
        bases = {lifted: unpack_basis(packed) for lifted, (_, packed) in branch.known.items()}
        for lifted, parent in branch.steps:
            if parent is None:
                start = None if branch.start is None else unpack_basis(branch.start)
                nodes[lifted], bases[lifted] = self.solve(lifted, start)
            elif self.acts(lifted - parent, nodes[parent]):
                nodes[lifted], bases[lifted] = self.solve(lifted, bases[parent])
            else:
                nodes[lifted], bases[lifted] = replace(nodes[parent], iterations=0, method="same"), bases[parent]
        solved = {lifted: nodes[lifted] for lifted, _ in branch.steps}
        kept = {lifted: pack_basis(bases[lifted]) for lifted in branch.keep}
        return Grown(solved, kept, time.thread_time() - clock)

    def acts(self, more: Lifted, at: Node) -> bool:
        """Whether lifting more could change an answer. Rows without a price at any stage leave it optimal."""
        if FUNDING in more:
            return True
        return any(rule in at.touched for name in more for rule in self.members(name))

    def solve(self, lifted: Lifted, start: Any) -> tuple[Node, Any]:
        """Lift the rules, solve from the basis `start`, and walk stages 2 and 3."""
        clock, session = time.perf_counter(), self.session
        session.forget()
        session.reset()
        session.lift(self.rows(lifted))
        method = session.run(start, doubt=True)
        iterations = session.iterations
        staged = run_stages(session, self.goals.stages[:2])
        x = staged.last.x
        value = np.stack([self.goals.relent[w] @ x - self.goals.wanted[w] @ x for w in range(WINDOWS)])
        touched = frozenset(name for name, rows in self.groups.items() if staged.touched[rows].any())
        return Node(value, touched, iterations, method, time.perf_counter() - clock), staged.last.basis

    def members(self, name: str) -> list[str]:
        """The rules that a name stands for."""
        return [rule for rule in self.groups if rule == name or rule.startswith(f"{name}/")]

    def rows(self, lifted: Lifted) -> np.ndarray:
        """Mask of the rows of a set."""
        out = np.zeros(self.session.program.shape[0], bool)
        for name in lifted:
            out |= self.market if name == FUNDING else np.any([self.groups[rule] for rule in self.members(name)], 0)
        return out


def group_rows(program: Program) -> dict[str, np.ndarray]:
    """Mask of the liftable rows of each rule that has a cause, by "cause/rule".

    Lines stay as they are: their cause is answered by the market.
    """
    out: dict[str, np.ndarray] = {}
    for family in program.rows:
        if family.kind == "rule" and family.liftable and family.code not in ("", FUNDING):
            name = f"{family.code}/{family.owner}"
            out.setdefault(name, np.zeros(program.shape[0], bool))[family.place] = True
    return dict(sorted(out.items()))


def market_rows(program: Program) -> np.ndarray:
    """Mask of the rows that shut the open market."""
    out = np.zeros(program.shape[0], bool)
    out[program.row("terms", "open_market").place] = True
    return out


def cause_of(rule: str) -> str:
    """The cause of "cause/rule"."""
    return rule.split("/", 1)[0]


_held: tuple[str, Lifter] | None = None


def grow_in_worker(path: str, branch: Branch | None) -> Grown | None:
    """Grow a branch in a worker process, which keeps the program of `path` from one branch to the next."""
    global _held
    if branch is None:
        return None
    if _held is None or _held[0] != path:
        _held = path, Lifter(*pickle.loads(Path(path).read_bytes()))
    return _held[1].grow(branch)


class Crew:
    """Grows branches as they become ready: large programs in worker processes where there may be more than one."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.pool: ProcessPoolExecutor | None = None
        self.aside: ThreadPoolExecutor | None = None
        self.lifter: Lifter | None = None
        self.path: Path | None = None

    def call(self, program: Program) -> None:
        """Let workers start where the program is worth it, while it is still being solved."""
        if self.workers > 1 and program.shape[1] >= LARGE and self.pool is None:
            self.pool, self.aside = ProcessPoolExecutor(self.workers, get_context("spawn")), ThreadPoolExecutor(1)
            for _ in range(self.workers):
                self.pool.submit(grow_in_worker, "", None)

    def give(self, program: Program, goals: Goals, options: Options) -> None:
        """The program that branches are about."""
        self.call(program)
        if self.pool is None:
            self.lifter = Lifter(program, goals, options)
            return
        with tempfile.NamedTemporaryFile(prefix="liquidity-", delete=False) as file:
            self.path = Path(file.name)
            pickle.dump((program, goals, options), file)

    def later(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begin work that keeps the workers busy; what comes back waits for it. Without workers it is done then."""
        return work if self.aside is None else self.aside.submit(work).result

    def grow(self, ready: Iterable[Branch], follow: Callable[[Grown], Iterable[Branch]]) -> None:
        """Grow every branch, and those that `follow` names once one is grown."""
        if self.pool is None:
            assert self.lifter is not None
            stack = list(ready)[::-1]
            while stack:
                stack += list(follow(self.lifter.grow(stack.pop())))[::-1]
            return
        running: set[Future[Grown | None]] = set()

        def submit(branches: Iterable[Branch]) -> None:
            assert self.pool is not None
            running.update(self.pool.submit(grow_in_worker, str(self.path), branch) for branch in branches)

        submit(ready)
        while running:
            for job in wait(running, return_when=FIRST_COMPLETED).done:
                running.discard(job)
                grown = job.result()
                assert grown is not None
                submit(follow(grown))

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self.pool, self.aside):
            if pool is not None:
                pool.shutdown(cancel_futures=True)
        if self.path is not None:
            self.path.unlink(missing_ok=True)
