"""One night decided: built, compiled, solved, in rounds of early amortisation, with or without a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import pandas as pd

from liquidity.book import Book, opening
from liquidity.errors import SolverFailed
from liquidity.program.build import build_pool
from liquidity.program.compile import Program
from liquidity.program.events import Event, next_events, starts
from liquidity.program.night import Solved, solve_night, solver_options
from liquidity.program.pool import Pool
from liquidity.program.pouring import pour
from liquidity.program.shocks import NO_SHOCKS, Shocks
from liquidity.program.stages import Goals, make_goals
from liquidity.program.start import Start
from liquidity.rules.rulebook import Rulebook

Change = Callable[[Program], Program]


def quiet(_: str) -> None:
    """Say nothing."""


def untimed(_: str) -> AbstractContextManager[None]:
    """Time nothing."""
    return nullcontext()


@dataclass(frozen=True)
class Decided:
    """A night that was decided and not yet explained; `program` as it was solved first, before any rule gave way;
    `events` are the early amortisations, in their order.
    """

    pool: Pool
    program: Program
    goals: Goals
    solved: Solved
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Given:
    """What a night is decided from, and how.

    `previous`: share of freed money relent by segment in the last executed night; `shocks` are a scenario's. `known` is
    a program to refill from where it has the same rows, and `start` then where to begin: the optimum does not
    depend on either. `change` is made to the program before it is solved. `method` is the first algorithm tried;
    without `repairs` no rule gives way. `phase` times a step, `say` is told of it, `compiled` gets every program.
    """

    book: Book
    rulebook: Rulebook
    previous: pd.Series | None = None
    shocks: Shocks = NO_SHOCKS
    known: Program | None = None
    start: Start | None = None
    change: Change | None = None
    method: str = "ipx"
    repairs: bool = True
    phase: Callable[[str], AbstractContextManager[None]] = untimed
    say: Callable[[str], None] = quiet
    compiled: Callable[[Program], None] | None = None


def decide(given: Given) -> Decided:
    """Build, compile and solve one night. Raises SolverFailed where no plan was found.

    In rounds: a trust whose covenant has to give way amortises from the next period on, the earliest first and one a
    round; no round takes an earlier one back, so they end. Where an amortisation leaves no plan the night stands as it
    was before it, its covenant broken, and the chain of attempts says so.
    """
    events, before = tuple[Event, ...](), None
    while True:
        try:
            decided = settled(given, starts(events))
        except SolverFailed as error:
            if before is None:
                raise
            return without_last(before, events, error)
        found = next_events(decided.pool, decided.program, decided.solved)
        events = (*events, *found)
        if not found or found[0].start > decided.pool.grid.size:
            return replace(decided, events=events)
        given.say(f"{found[0].facility} amortises early: {found[0].rule} cannot be met in period {found[0].broken}")
        before = decided


def without_last(before: Decided, events: tuple[Event, ...], error: SolverFailed) -> Decided:
    """The night as it was decided before the last of some events, of which no plan was found."""
    note = f"no plan with {events[-1].facility} amortising early, so it goes on revolving: {error}"
    solved = replace(before.solved, chain=(*before.solved.chain, note))
    return replace(before, solved=solved, events=events[:-1])


def settled(given: Given, amortising: Mapping[str, int]) -> Decided:
    """One round: trusts `amortising` from the given periods on; once more with open deficiencies without a plan."""
    try:
        return attempt(given, amortising, cautious=False)
    except SolverFailed as error:
        # a trust that was taken to be safe may be what has no plan: let its deficiency open
        given.say(f"no plan at first ({error}); again with open deficiencies")
        return attempt(given, amortising, cautious=True)


def attempt(given: Given, amortising: Mapping[str, int], cautious: bool) -> Decided:
    """Build, compile and solve one night, trusts that are taken to be safe held to it unless `cautious`."""
    rulebook = given.rulebook
    with given.phase("build"):
        pool = build_pool(given.book, rulebook, given.previous, cautious, amortising, given.shocks)
    with given.phase("compile"):
        program, kept = pour(() if given.known is None else (given.known,), pool)
        goals = make_goals(pool, program)
        if given.change is not None:
            program = given.change(program)
    given.say(f"program of {program.shape[1]:,} columns, {program.shape[0]:,} rows, {program.matrix.nnz:,} non-zeros")
    if given.compiled is not None:
        given.compiled(program)
    with given.phase("solve"):
        size, options = opening(given.book).assets / pool.unit, solver_options(rulebook)
        start = given.start if kept else None
        solved = solve_night(program, goals, rulebook.tiers, rulebook.materiality, size, options, given.method,
                             given.repairs, start)  # fmt: skip
    return Decided(pool, program, goals, solved)
