"""A plan in two stages: what is decided tonight, for all scenarios alike, and what is decided when one has come.

Everything here is arrays: programs of the same pattern, one a scenario, and a mask of the columns of the first stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from liquidity.errors import BadInput, Problem
from liquidity.program.compile import Family, Program
from liquidity.program.linear import Block

WHERE = "scenarios"


@dataclass(frozen=True)
class TwoStage:
    """Programs of one pattern with their probabilities; `first` marks the columns of the first stage, states included.

    Rows that touch first-stage columns only are known tonight: they must be the same in every scenario. Yes/no columns
    have to be held before (`program.night.hold`). Raises BadInput with everything that does not fit.
    """

    programs: tuple[Program, ...]
    probability: np.ndarray
    first: np.ndarray

    def __post_init__(self) -> None:
        problems = list(self._shape_problems()) or list(self._problems())
        if problems:
            raise BadInput(problems)

    @property
    def size(self) -> int:
        """Number of scenarios."""
        return len(self.programs)

    @cached_property
    def early(self) -> np.ndarray:
        """Mask of the rows that touch first-stage columns only."""
        return early_rows(self.programs[0], self.first)

    def _shape_problems(self) -> Iterator[Problem]:
        """Programs of another pattern, probabilities that are none, a mask of another length."""
        if not self.programs:
            yield Problem(WHERE, "", "", 0, "at least one scenario")
            return
        base, chance = self.programs[0], np.asarray(self.probability)
        for at, program in enumerate(self.programs):
            if not same_pattern(base, program):
                yield Problem(
                    WHERE, str(at), "program", program.shape, f"the pattern and labels of scenario 0, {base.shape}"
                )
        if chance.shape != (self.size,) or not (np.isfinite(chance).all() and (chance >= 0).all()):
            yield Problem(WHERE, "", "probability", chance.tolist(), f"{self.size} numbers of at least 0")
        elif abs(chance.sum() - 1.0) > 1e-9:
            yield Problem(WHERE, "", "probability", float(chance.sum()), "a sum of 1")
        if self.first.shape != (base.shape[1],) or self.first.dtype != bool:
            yield Problem(WHERE, "", "first", self.first.shape, f"a mask of {base.shape[1]} columns")

    def _problems(self) -> Iterator[Problem]:
        """Yes/no columns that are not held, and first-stage rows or bounds that differ."""
        base = self.programs[0]
        entry = self.early[base.matrix.indices]
        for at, program in enumerate(self.programs):
            if program.integer.any():
                yield Problem(WHERE, str(at), "program", int(program.integer.sum()), "yes/no columns held at an answer")
            rows = np.zeros(base.shape[0], bool)
            rows[base.matrix.indices[entry & (program.matrix.data != base.matrix.data)]] = True
            for name in ("row_lower", "row_upper"):
                rows |= self.early & (getattr(program, name) != getattr(base, name))
            if rows.any():
                where = name_of(base.rows, int(np.flatnonzero(rows)[0]))
                yield Problem(WHERE, str(at), where, int(rows.sum()), "rows of the first stage as in scenario 0")
            for name in ("column_lower", "column_upper"):
                other = self.first & (getattr(program, name) != getattr(base, name))
                if other.any():
                    where = name_of(base.columns, int(np.flatnonzero(other)[0]))
                    yield Problem(WHERE, str(at), where, int(other.sum()), "bounds of the first stage as in scenario 0")


def same_pattern(one: Program, other: Program) -> bool:
    """Whether two programs have their non-zeros, rows and columns in the same places, under the same names."""
    return (
        one.shape == other.shape
        and np.array_equal(one.matrix.indptr, other.matrix.indptr)
        and np.array_equal(one.matrix.indices, other.matrix.indices)
        and (one.rows is other.rows or one.rows == other.rows)
        and (one.columns is other.columns or one.columns == other.columns)
    )


def name_of(families: Sequence[Family], place: int) -> str:
    """The family and the index of a row or column."""
    for family in families:
        if family.start <= place < family.stop:
            index = ",".join(str(part) for part in family.index[place - family.start])
            return f"{family.owner}{'.' if family.owner else ''}{family.name}[{index}]"
    return str(place)


def tonight(program: Program) -> np.ndarray:
    """Mask of the columns of the opening and of period 1: tonight's decisions and what they lead to."""
    out = np.zeros(program.shape[1], bool)
    for family in program.columns:
        if "period" in family.dims and len(family.index):
            out[family.place] = family.frame().period.to_numpy(int) <= 1
    return out


def early_rows(program: Program, first: np.ndarray) -> np.ndarray:
    """Mask of the rows all of whose entries lie in first-stage columns."""
    columns = np.repeat(np.arange(program.shape[1]), np.diff(program.matrix.indptr))
    out = np.ones(program.shape[0], bool)
    out[program.matrix.indices[~first[columns]]] = False
    return out


def mean_program(problem: TwoStage) -> Program:
    """The program of expected numbers: every coefficient and bound is the mean over the scenarios."""
    chance, base = problem.probability, problem.programs[0]

    def mean(name: str) -> np.ndarray:
        total = np.zeros_like(getattr(base, name))
        for share, program in zip(chance, problem.programs):
            if share > 0:  # zero times an infinite bound is no number
                total = total + share * getattr(program, name)
        return total

    data = np.sum([share * program.matrix.data for share, program in zip(chance, problem.programs)], axis=0)
    matrix = sp.csc_matrix((data, base.matrix.indices, base.matrix.indptr), shape=base.shape)
    parts: dict[str, Any] = {
        name: mean(name) for name in ("cost", "row_lower", "row_upper", "column_lower", "column_upper")
    }
    early = problem.early
    # what is the same everywhere stays so to the last bit
    for name in ("row_lower", "row_upper"):
        parts[name] = np.where(early, getattr(base, name), parts[name])
    for name in ("column_lower", "column_upper"):
        parts[name] = np.where(problem.first, getattr(base, name), parts[name])
    matrix.data = np.where(early[matrix.indices], base.matrix.data, matrix.data)
    constant = float(sum(share * program.constant for share, program in zip(chance, problem.programs)))
    return replace(base, matrix=matrix, constant=constant, recipe=None, **parts)


class Recourse:
    """How the part of a program that comes after tonight is cut out of it.

    `link` are the first-stage columns that the later part reads or that earn something, `late` the other columns of
    that part, `rows` its rows; in its block the linking columns stand first.
    """

    def __init__(self, problem: TwoStage) -> None:
        base, first = problem.programs[0], problem.first
        self.rows = np.flatnonzero(~problem.early)
        place = sp.csc_matrix(
            (np.arange(1, base.matrix.nnz + 1), base.matrix.indices, base.matrix.indptr), shape=base.shape
        )
        below = place.tocsr()[self.rows].tocsc()
        earning = np.any([program.cost[first] != 0 for program in problem.programs], axis=0)
        read = np.diff(below.indptr)[first] > 0
        self.link = np.flatnonzero(first)[earning | read]
        self.late = np.flatnonzero(~first)
        self.columns = np.concatenate([self.link, self.late])
        part = below[:, self.columns]
        self.shape, self.indices, self.indptr, self.source = part.shape, part.indices, part.indptr, part.data - 1

    def block(self, program: Program) -> Block:
        """The later part of one scenario."""
        return Block(
            sp.csc_matrix((program.matrix.data[self.source], self.indices, self.indptr), shape=self.shape),
            program.cost[self.columns], program.constant, program.row_lower[self.rows], program.row_upper[self.rows],
            program.column_lower[self.columns], program.column_upper[self.columns],
        )  # fmt: skip
