"""Tonight's relent of the nights between two nights, and how its change is split over the inputs (DESIGN 7.6).

v(S) is tonight's relent by segment of the night decided with the inputs S of the second night and the rest of the
first. Both ends are decided as the nightly job does; what lies between starts from the nearest night already solved.
Up to MOST players every set is solved and the split is exact; beyond, orders are drawn at random and the error told.
Source: Shapley (1953); sampling of orders: Castro, Gomez and Tejada (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liquidity.explain.amounts import shapley
from liquidity.program.build import build_pool
from liquidity.program.compile import Program, refill_from
from liquidity.program.night import Solved, hold, settle
from liquidity.program.pool import Pool
from liquidity.program.solve import Infeasible, Session
from liquidity.program.stages import Goals, make_goals, run_stages
from liquidity.program.start import Start
from liquidity.runs.compare_inputs import Inputs, Mixer, subsets
from liquidity.runs.night import Say, decide, quiet, solver_options

MOST = 7
ORDERS = 16
SEED = 20
NONE: frozenset[str] = frozenset()
Values = dict[frozenset[str], np.ndarray]


@dataclass(frozen=True)
class Split:
    """The change of tonight's relent by player, CNY, arrays (segment,).

    `start` and `end` are the values with none and with all players; `error` the standard error of each amount,
    `total_error` that of the amounts of all segments together, both nothing where the split is `exact`.
    """

    segments: tuple[str, ...]
    part: dict[str, np.ndarray]
    error: dict[str, np.ndarray]
    total_error: dict[str, float]
    start: np.ndarray
    end: np.ndarray
    exact: bool
    solves: int
    warm: int
    gave_way: int

    @property
    def gap(self) -> float:
        """Largest difference of a segment's parts from its change, CNY."""
        sums = sum(self.part.values(), np.zeros(len(self.segments)))
        return float(np.abs(sums - (self.end - self.start)).max(initial=0.0))


def split(mixer: Mixer, say: Say = quiet, most: int = MOST) -> Split:
    """Split the change between the two nights over the players; with more than `most` players by sampled orders."""
    nights = Nights(mixer, say)
    players = mixer.players
    every = frozenset(players)
    start, end = nights.value(NONE), nights.value(every)
    error: dict[str, np.ndarray] = {}
    total: dict[str, float] = {}
    if len(players) <= most:
        value = {chosen: nights.value(chosen) for chosen in subsets(players)}
        part = shapley(players, value)
    else:
        part, error, total = sampled(nights, players)
    return Split(nights.segments, part, error, total, start, end, not error, len(nights.found), nights.warm,
                 nights.gave_way)  # fmt: skip


def sampled(
    nights: Nights, players: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, float]]:
    """Mean marginal parts over random orders, their standard errors, and those of the totals."""
    generator, marginal = np.random.default_rng(SEED), {name: [np.zeros(0)] * 0 for name in players}
    for _ in range(ORDERS):
        chosen, before = NONE, nights.value(NONE)
        for name in generator.permutation(players).tolist():
            chosen |= {name}
            after = nights.value(chosen)
            marginal[name].append(after - before)
            before = after
    drawn = {name: np.stack(parts) for name, parts in marginal.items()}
    error = {name: parts.std(axis=0, ddof=1) / np.sqrt(ORDERS) for name, parts in drawn.items()}
    total = {name: float(parts.sum(axis=1).std(ddof=1) / np.sqrt(ORDERS)) for name, parts in drawn.items()}
    return {name: parts.mean(axis=0) for name, parts in drawn.items()}, error, total


@dataclass(frozen=True)
class Node:
    """One solved night: relent by segment (CNY), which of the programs it has the rows of, where to begin from it."""

    relent: np.ndarray
    form: int
    start: Start


class Nights:
    """Decides the nights between two nights, each once."""

    def __init__(self, mixer: Mixer, say: Say = quiet) -> None:
        self.mixer, self.say = mixer, say
        self.found: dict[frozenset[str], Node] = {}
        self.forms: list[Program] = []
        self.segments: tuple[str, ...] = ()
        self.warm = self.gave_way = 0

    def value(self, chosen: frozenset[str]) -> np.ndarray:
        """Tonight's relent by segment with the players `chosen` from the second night, CNY."""
        if chosen not in self.found:
            given = self.mixer.mix(chosen)
            end = chosen in (NONE, frozenset(self.mixer.players))
            self.found[chosen] = (None if end else self.near(chosen, given)) or self.whole(given)
            self.say(f"night {len(self.found)}: {', '.join(sorted(chosen)) or 'nothing'} from the second run")
        return self.found[chosen].relent

    def near(self, chosen: frozenset[str], given: Inputs) -> Node | None:
        """Solve from the nearest night with the same rows; None where there is none, or no plan from there."""
        pool = build_pool(given.book, given.rulebook, given.previous)
        form, program = self.poured(pool)
        if program is None:
            return None
        alike = [other for other, node in self.found.items() if node.form == form]
        nearest = min(alike, key=lambda other: (len(other ^ chosen), sorted(other)))
        session = Session(program, solver_options(given.rulebook))
        try:
            choice = settle(session, self.found[nearest].start)
        except Infeasible:
            return None
        goals = make_goals(pool, program)
        staged = run_stages(session, goals.stages)
        self.warm += 1
        return self.keep(pool, goals, Solved(program, hold(program, choice), staged, choice, None, ()), form)

    def poured(self, pool: Pool) -> tuple[int, Program | None]:
        """The program of a pool out of one that has the same rows, and which that is."""
        for form, program in reversed(list(enumerate(self.forms))):
            try:
                return form, refill_from(program, pool)
            except ValueError:
                continue
        return -1, None

    def whole(self, given: Inputs) -> Node:
        """Decide a night as the nightly job does."""
        night = decide(given.book, given.rulebook, given.previous)
        self.forms.append(night.program)
        self.gave_way += night.solved.gave_way is not None
        return self.keep(night.pool, night.goals, night.solved, len(self.forms) - 1)

    def keep(self, pool: Pool, goals: Goals, solved: Solved, form: int) -> Node:
        """What is kept of a solved night."""
        self.segments = goals.segments
        x = np.maximum(solved.staged.last.x, 0.0)  # as in the plan
        return Node(goals.relent[0] @ x * pool.unit, form, solved.start)
