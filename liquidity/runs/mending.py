"""A repaired night with other numbers, and how far they have to go until a plan that breaks rows meets them (DESIGN 5).

The repaired plan itself says how far the limits that gave way have to go for it to be a plan: no program is solved.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from liquidity.book import opening
from liquidity.errors import BadInput
from liquidity.program.build import rebuild_pool
from liquidity.program.compile import Program
from liquidity.program.pouring import pour
from liquidity.program.repair import SLIVER, row_owners
from liquidity.runs.contrast import Standing
from liquidity.runs.negotiable import Inputs, Knob, knobs_of

HALVINGS = 20
TINY = 1e-9
"Room below nothing, as a part of the book, that is rounding."
KEPT = 4
"Programs that are kept: what is asked twice is asked soon again."

Moved = tuple[tuple[Knob, float], ...]
"Numbers, and the part of their way that each goes."


class Mending:
    """A repaired night with numbers moved: the least with which a plan that breaks rows meets them. In units."""

    def __init__(self, night: Standing) -> None:
        self.night = night
        self.inputs = Inputs(night.pool.book, night.pool.rulebook)
        self.size = opening(night.pool.book).assets / night.pool.unit
        self.x = night.solved.staged.last.x
        self.ends: dict[Knob, Program | None] = {}
        self.kept: dict[Moved, Program] = {}

    # ---- programs of other numbers

    def program(self, moved: Moved) -> Program:
        """The program of the night with numbers moved; the last ones are kept."""
        if not moved:
            return self.night.program
        if moved not in self.kept:
            at, pool = placed(moved, self.inputs), self.night.pool
            new = pour([self.night.program], rebuild_pool(pool, at.book, at.rulebook))[0]
            self.kept = {**dict(list(self.kept.items())[1 - KEPT :]), moved: new}
        return self.kept[moved]

    def far(self, knob: Knob) -> Program | None:
        """The program with the number at its end; None where that is refused."""
        if knob not in self.ends:
            try:
                self.ends[knob] = self.program(((knob, 1.0),))
            except BadInput:
                self.ends[knob] = None
        return self.ends[knob]

    def room(self, program: Program, x: np.ndarray) -> np.ndarray:
        """Room of every row at a plan; below nothing where the plan breaks it."""
        activity = program.matrix @ x
        return np.minimum(program.row_upper - activity, activity - program.row_lower)

    def comparable(self, knob: Knob) -> Program | None:
        """The program at the number's end, where it has the rows and columns of the night's."""
        far = self.far(knob)
        return far if far is not None and far.shape == self.night.program.shape else None

    def gained(self, knob: Knob, part: float) -> float:
        """The most room that a row of the rule gains at the repaired plan."""
        program = self.program(((knob, part),))
        if program.shape != self.night.program.shape:
            return 0.0
        rows = row_owners(program) == knob.rule
        with np.errstate(invalid="ignore"):
            more = self.room(program, self.x)[rows] - self.room(self.night.program, self.x)[rows]
        return float(np.nan_to_num(more, posinf=0.0).max(initial=0.0))

    # ---- by a plan that breaks some rows

    def as_given_way(self) -> Moved | None:
        """The least numbers with which the repaired plan meets every rule; None where some row has no number."""
        broken = self.night.solved.gave_way
        assert broken is not None
        return self.mending(broken.row.to_numpy(), self.x)

    def as_broken(self, x: np.ndarray, names: Iterable[str]) -> Moved | None:
        """The least numbers with which a plan meets these rules; None likewise."""
        mine = np.isin(row_owners(self.night.program), sorted(names))
        return self.mending(np.flatnonzero(mine & (self.room(self.night.program, x) < self.broken)), x)

    def mending(self, rows: np.ndarray, x: np.ndarray) -> Moved | None:
        """The least numbers with which broken rows hold at a plan; None where some row has no number.

        Of the numbers of a rule, those that mend most of its rows are moved, each row by one number only.
        """
        moved: list[tuple[Knob, float]] = []
        owner = row_owners(self.night.program)[rows]
        for name in dict.fromkeys(owner.tolist()):
            left = rows[owner == name]
            mends = {knob: self.mended(knob, left, x) for knob in knobs_of(name, self.inputs)}
            for knob in sorted(mends, key=lambda knob: -len(mends[knob])):
                mine = np.intersect1d(left, mends[knob])
                if len(mine):
                    moved.append((knob, self.reach(knob, mine, x)))
                    left = np.setdiff1d(left, mine)
            if len(left):
                return None
        return tuple(moved)

    def mended(self, knob: Knob, rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The rows that hold at a plan with the number at its end."""
        far = self.comparable(knob)
        return rows[:0] if far is None else rows[self.room(far, x)[rows] >= self.broken]

    @property
    def broken(self) -> float:
        """Room below which a row is broken."""
        return -(TINY * self.size + 2 * SLIVER)

    def reach(self, knob: Knob, rows: np.ndarray, x: np.ndarray) -> float:
        """The least part of the way with which these rows hold at a plan."""
        far = self.far(knob)
        assert far is not None
        now, then = self.room(self.night.program, x)[rows], self.room(far, x)[rows]
        # exact where rows are linear in the number, as most are; else somewhere between here and the end
        low, high = float((now / np.where(then > now, now - then, -np.inf)).max()), 1.0
        if self.holds(knob, low, rows, x):
            return low
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.holds(knob, middle, rows, x) else (middle, high)
        return high

    def holds(self, knob: Knob, part: float, rows: np.ndarray, x: np.ndarray) -> bool:
        """Whether rows hold at a plan."""
        return bool((self.room(self.program(((knob, part),)), x)[rows] >= self.broken).all())


def placed(moved: Moved, inputs: Inputs) -> Inputs:
    """The inputs with every number moved by its part."""
    for knob, part in moved:
        if part > 0:
            inputs = knob.apply(inputs, knob.at(part))
    return inputs
