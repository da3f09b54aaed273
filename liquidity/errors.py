"""Errors that tell a person what to mend.

LiquidityError          exit code 1, never raised itself
  BadInput              exit code 2: a book, rulebook or option is wrong; nothing was written
  SolverFailed          exit code 4: no solver gave an answer; the run is kept with its fallback chain
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the input, with its place.

    `table` is a table of the book, or the rulebook's file name; `row` is the key of the row ("" for a whole table).
    """

    table: str
    row: str
    column: str
    value: object
    expected: str

    def __str__(self) -> str:
        place = ", ".join(f"{word} {text}" for word, text in (("row", self.row), ("column", self.column)) if text != "")
        where = f"{self.table} ({place})" if place else self.table
        return f"{where}: found {self.value!r}, expected {self.expected}"


class LiquidityError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = 1


class BadInput(LiquidityError):
    """The input cannot be used; `problems` lists everything that is wrong with it at once."""

    exit_code = 2

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SolverFailed(LiquidityError):
    """No step of the fallback chain ended at an optimum; `chain` tells each step and its status."""

    exit_code = 4

    def __init__(self, message: str, chain: Iterable[str] = ()) -> None:
        self.chain = tuple(chain)
        super().__init__("; ".join((message, *self.chain)))
