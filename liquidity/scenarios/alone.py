"""Every scenario by itself: what it would be worth if it were known tonight, and what gives way where it has no plan.

A scenario without a plan, whatever is decided, is loosened by the least that it needs, tier by tier, after the decision
of the night without scenarios. So that decision is one that it can live with, and tonight's rows stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from liquidity.errors import SolverFailed
from liquidity.program.compile import Program
from liquidity.program.linear import Solver
from liquidity.program.night import Solved, hold, solver_options
from liquidity.program.repair import repair
from liquidity.program.solve import Infeasible
from liquidity.rules.rulebook import Rulebook
from liquidity.scenarios.measures import optimum
from liquidity.scenarios.recourse import NEAR
from liquidity.scenarios.split import early_rows

GAVE_WAY = ["scenario", "rule", "what", "at", "bound", "shortfall"]


@dataclass(frozen=True)
class Alone:
    """A scenario that has a plan: its program, its net worth if it were known tonight (units), and what gave way."""

    program: Program
    known: float
    gave_way: pd.DataFrame


class Without:
    """The night without scenarios, from which scenarios start: its rulebook, the size of its book (units), the program
    as written and as solved, the mask of first-stage columns.
    """

    def __init__(self, night: Solved, base: Program, rulebook: Rulebook, size: float, first: np.ndarray) -> None:
        self.night, self.base, self.rulebook, self.size, self.first = night, base, rulebook, size, first
        self.options = solver_options(rulebook)
        start = Solver(hold(night.program, night.choice), self.options)
        start.solve()
        self.basis: Any = start.basis()
        self.x = start.x()

    def stand(self, name: str, program: Program) -> Alone:
        """A scenario by itself. Raises SolverFailed where nothing that may give way would leave it a plan."""
        try:
            return Alone(program, optimum(program, self.basis, self.options), pd.DataFrame(columns=GAVE_WAY))
        except Infeasible:
            tiers = self.rulebook.tiers
        decided = self.decided(program)
        try:
            loose, mended = repair(decided, tiers, self.rulebook.materiality, self.size, self.options)
        except SolverFailed as error:
            raise SolverFailed(f"scenario {name}: {error}") from error
        kept = self.keep_tonight(program, loose)
        known = optimum(kept, self.basis, self.options, doubt=True)
        return Alone(kept, known, mended.gave_way.assign(scenario=name)[GAVE_WAY])

    def decided(self, program: Program) -> Program:
        """A scenario after tonight's decision of the night without scenarios, up to rounding."""
        decision = np.zeros(len(self.first), bool)
        for family in program.columns:
            decision[family.place] = self.first[family.place] & (family.kind == "decision")
        near = np.maximum(self.x - NEAR, program.column_lower), np.minimum(self.x + NEAR, program.column_upper)
        return replace(
            program,
            column_lower=np.where(decision, near[0], program.column_lower),
            column_upper=np.where(decision, near[1], program.column_upper),
        )

    def keep_tonight(self, program: Program, loose: Program) -> Program:
        """A scenario with the later rows as far loosened as in another one."""
        early = early_rows(program, self.first)
        return replace(
            program,
            row_lower=np.where(early, program.row_lower, loose.row_lower),
            row_upper=np.where(early, program.row_upper, loose.row_upper),
        )

    def loosened(self, program: Program) -> Program:
        """A scenario whose rows give way as far as they did in the night without scenarios, yes/no decisions held."""
        sides = {}
        for name in ("row_lower", "row_upper"):
            before, after = getattr(self.base, name), getattr(self.night.program, name)
            given, moved = before != after, getattr(program, name).copy()
            moved[given] += after[given] - before[given]
            sides[name] = moved
        return hold(replace(program, **sides), self.night.choice)
