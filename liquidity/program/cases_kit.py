"""What the published cases share: figures, an owner of rows without a rulebook, the way to an optimum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from liquidity.program.compile import Program, compile_program
from liquidity.program.solve import Answer, Options, Session
from liquidity.program.writer import Writer, as_tuple


@dataclass(frozen=True)
class Figure:
    """One published figure: `printed` exactly as it stands in the source, in `unit`."""

    name: str
    printed: str
    unit: str

    @property
    def published(self) -> float:
        """The figure as a number."""
        return float(self._decimal)

    @property
    def tolerance(self) -> float:
        """Half a unit of the last digit printed."""
        return 0.5 * 10.0 ** int(self._decimal.as_tuple().exponent)

    @property
    def _decimal(self) -> Decimal:
        return Decimal(self.printed.replace(",", ""))


@dataclass(frozen=True)
class Case:
    """A published case: `solve` gives our own value of every figure by name."""

    name: str
    source: str
    figures: tuple[Figure, ...]
    solve: Callable[[], dict[str, float]]


@dataclass(frozen=True)
class Clause:
    """The owner of a row of a published case."""

    name: str
    code: str = ""
    liftable: bool = False
    repairable: bool = False


@dataclass(frozen=True)
class Optimum:
    """A solved case: its program and the answer to it."""

    program: Program
    answer: Answer

    @property
    def value(self) -> float:
        """What was maximised, in the unit of the case."""
        return self.answer.objective

    def amount(self, column: str, *index: Any) -> float:
        """The value of one column."""
        family = self.program.column(column)
        return float(self.answer.x[family.start + family.index.index(index)])

    def amounts(self, column: str) -> dict[Any, float]:
        """The values of a family of columns by index; a plain label where the index has one position."""
        family = self.program.column(column)
        keys = [index[0] if len(index) == 1 else index for index in family.index]
        return dict(zip(keys, self.answer.x[family.place].tolist()))


def maximise(writer: Writer, held: Mapping[str, Mapping[Any, float]] | None = None) -> Optimum:
    """Compile and solve, with some columns (name -> index -> value) held where they are given.

    Raises SolverFailed, or Infeasible: a solution is read at status Optimal only.
    """
    program = compile_program(writer)
    session = Session(program, Options())
    for name, values in (held or {}).items():
        family = program.column(name)
        at = [family.start + family.index.index(as_tuple(key)) for key in values]
        session.fix(np.array(at, int), np.array(list(values.values()), float))
    return Optimum(program, session.solve())
