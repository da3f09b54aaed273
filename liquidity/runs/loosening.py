"""How far a number has to be moved until the rules of a night no longer contradict each other (DESIGN 5).

How far one rule alone has to go is found by the least shortfall of its rows, all other rules held: the prices of that
shortfall are a proof of the contradiction, and the next number tried is the one at which the proof ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from liquidity.errors import SolverFailed
from liquidity.program.compile import Program
from liquidity.program.repair import SHORT, Elastic, hurried, make_elastic, row_owners
from liquidity.program.solve import Answer, Session, slack_mask, unpack_basis
from liquidity.runs.contrast import Standing
from liquidity.runs.mending import Mending, Moved
from liquidity.runs.negotiable import Knob
from liquidity.runs.night import solver_options

PROGRAMS = 60
"Most programs solved in search of remedies."
LEAST = 0.95
"A change is the least when this part of it still contradicts."
FURTHER = 1e-7
FIRST_STEP = 1 / 8


@dataclass(frozen=True)
class Start:
    """Rules that are loosened, what the shortfall columns of all others are held to, and a point to start from."""

    names: frozenset[str]
    held: np.ndarray
    basis: Any


@dataclass(frozen=True)
class Probe:
    """Least shortfall of some rules with a number at some value: scaled, and the most that one row lacks (units)."""

    value: float
    most: float
    answer: Answer
    program: Program


@dataclass(frozen=True)
class Found:
    """The least part of the way that is enough, and what one row still lacks with LEAST of it (units, at least)."""

    part: float
    lack: float


class OutOfBudget(SolverFailed):
    """The search has solved as many programs as it may."""


class Loosening(Mending):
    """Looks for the least change of numbers that ends the conflict of a repaired night. Amounts in units."""

    def __init__(self, night: Standing, budget: int = PROGRAMS) -> None:
        super().__init__(night)
        self.budget, self.spent = budget, 0
        self.near: dict[tuple[frozenset[str], tuple[Knob, ...]], Any] = {}
        self.tiers = night.pool.rulebook.tiers

    def as_short(self, probe: Probe, names: Iterable[str]) -> Moved | None:
        """The least numbers with which the plan of a least shortfall meets these rules; None where a row has none."""
        return self.as_broken(probe.answer.x[: self.night.program.shape[1]], names)

    def start(self, names: Iterable[str]) -> Start | None:
        """Where the search for some rules starts; None where all other rules contradict each other without them."""
        chosen = frozenset(names)
        elastic = self.elastic(self.night.program, chosen)
        mine = np.isin(row_owners(elastic.program)[elastic.rows], sorted(chosen))
        answer = self.solve(elastic, ~mine, np.full(len(mine), np.inf), self.point(elastic))
        short = answer.x[elastic.first :]
        if elastic.weight[~mine] @ short[~mine] > SHORT:
            return None
        return Start(chosen, np.where(mine, np.inf, np.maximum(short, 0.0)), answer.basis)

    def point(self, elastic: Elastic) -> Any:
        """The basis of the repair at its least shortfalls, where it fits."""
        mended = self.night.solved.repair
        assert mended is not None
        columns, rows = mended.point
        fits = len(rows) == elastic.program.shape[0] and len(columns) == self.width(elastic)
        return unpack_basis(mended.point) if fits else None

    def width(self, elastic: Elastic) -> int:
        """Columns of a session: those of the program and a slack for every row that may be lifted."""
        return elastic.program.shape[1] + int(slack_mask(elastic.program).sum())

    def probe(self, start: Start, moved: Moved) -> Probe:
        """The least shortfall with numbers moved."""
        program = self.program(moved)
        elastic = self.elastic(program, start.names)
        mine = np.isin(row_owners(elastic.program)[elastic.rows], sorted(start.names))
        same = len(start.held) == len(mine) and program.shape == self.night.program.shape
        held = start.held if same else np.where(mine, np.inf, 0.0)
        # from the last answer with these numbers: the next is a few steps from it
        near = start.names, tuple(knob for knob, _ in moved)
        answer = self.solve(elastic, mine, held, self.near.get(near, start.basis) if same else None)
        self.near |= {near: answer.basis} if same else {}
        short = answer.x[elastic.first :][mine]
        return Probe(float(elastic.weight[mine] @ short), float(short.max(initial=0.0)), answer, program)

    def elastic(self, program: Program, names: Iterable[str]) -> Elastic:
        """The program with shortfalls."""
        return make_elastic(program, self.tiers, self.size, frozenset(names))

    def solve(self, elastic: Elastic, counted: np.ndarray, most: np.ndarray, basis: Any) -> Answer:
        """The least total of the shortfalls that count, none above its most."""
        if self.spent >= self.budget:
            raise OutOfBudget(f"{self.budget} programs solved")
        self.spent += 1
        session = Session(elastic.program, hurried(solver_options(self.inputs.rulebook)))
        session.upper[elastic.first : elastic.first + len(most)] = most
        cost = np.zeros(elastic.program.shape[1])
        cost[elastic.first :] = np.where(counted, -elastic.weight, 0.0)
        session.objective(cost)
        return session.solve(basis, doubt=True)

    def least(self, start: Start, knob: Knob, first: Probe) -> Found | None:
        """The least part of its way that one number has to go, `first` being the probe where it stands."""
        if self.far(knob) is None or self.proof_ends(first, knob, 0.0) == math.inf:
            return None
        return self.narrow(lambda part: self.probe(start, ((knob, part),)),
                           lambda probe, part: self.proof_ends(probe, knob, part), first)  # fmt: skip

    def common(self, start: Start, moved: Moved) -> Found | None:
        """The least part of a joint change of several numbers that is enough, the whole being known to be."""
        return self.narrow(lambda part: self.probe(start, tuple((knob, part * way) for knob, way in moved)),
                           lambda *_: math.nan, None, 1.0)  # fmt: skip

    def narrow(self, probe: Callable[[float], Probe], ends: Callable[[Probe, float], float], first: Probe | None,
               high: float | None = None) -> Found | None:  # fmt: skip
        """Close in on the least part that is enough, from the side where it is not.

        `high` is a part known to be enough. None where the whole way is not.
        """
        low, lack, at, answer, asked = 0.0, 0.0 if first is None else first.most, 0.0, first, False
        while True:
            jump = math.nan
            if answer is not None and answer.value <= SHORT:
                high = at
            elif answer is not None:
                low, lack, jump = at, answer.most, ends(answer, at)
                if at >= 1.0 or jump == math.inf:
                    return None
            if high is not None and low >= LEAST * high:
                return Found(high, lack)
            if high is None:
                at = 1.0 if math.isnan(jump) else min(1.0, jump * (1 + FURTHER) + FURTHER * FURTHER)
            elif not asked:  # most often the proof ended at the least part
                at, asked = LEAST * high, True
            elif low < jump < LEAST * high:
                at = jump * (1 + FURTHER)
            else:
                at = (low + high) / 2 if low > 0 else high * FIRST_STEP
            answer = probe(at)

    def proof_ends(self, probe: Probe, knob: Knob, part: float) -> float:
        """The part at which the prices of a shortfall prove nothing any more; infinite where the number cannot do that.

        The shortfall falls by price times the move of each row at the plan of the least shortfall: exact for bounds,
        a tangent for coefficients, the whole way taken as straight. NaN where the end has other rows.
        """
        far, height = self.far(knob), probe.program.shape[0]
        if far is None or far.shape != probe.program.shape:
            return math.nan
        x, price = probe.answer.x[: far.shape[1]], probe.answer.price[:height]
        upper = np.isfinite(probe.program.row_upper)
        with np.errstate(invalid="ignore"):
            bound = np.where(upper, far.row_upper - probe.program.row_upper, far.row_lower - probe.program.row_lower)
        moves = np.nan_to_num(bound, posinf=0.0, neginf=0.0) - (far.matrix - probe.program.matrix) @ x
        gain = float(price @ moves)
        return part + (1.0 - part) * probe.value / gain if gain > SHORT * probe.value else math.inf
