"""Programs of one night under many scenarios brought to one pattern: every row that any of them has.

A scenario that shuts lines or freezes a facility writes rows that others lack. A row that a program lacks is there
without a bound. Programs made by refilling one another share their pattern, so each pattern is looked at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from liquidity.errors import BadInput, Problem
from liquidity.program.compile import Family, Program


def align(programs: Sequence[Program]) -> tuple[Program, ...]:
    """The programs with the rows of all of them, those of the first in front within each family.

    Raises BadInput where they have other columns.
    """
    patterns: dict[tuple[int, int], Program] = {}
    for program in programs:
        patterns.setdefault((id(program.matrix.indices), id(program.rows)), program)
    kinds = list(patterns.values())
    for at, program in enumerate(kinds):
        if program.columns != kinds[0].columns:
            raise BadInput(Problem("scenarios", str(at), "columns", program.shape[1], "the columns of the first"))
    if len(kinds) == 1:
        return tuple(programs)
    families = joined(kinds)
    moved = {key: moves(program, families) for key, program in patterns.items()}
    height = families[-1].stop
    union = sum_of([ones(program, moved[key], height) for key, program in patterns.items()])
    sources = {key: source(program, moved[key], union) for key, program in patterns.items()}
    out = []
    for program in programs:
        key = id(program.matrix.indices), id(program.rows)
        out.append(spread(program, families, union, moved[key], sources[key]))
    return tuple(out)


def joined(programs: Sequence[Program]) -> tuple[Family, ...]:
    """Families of rows with the members of all programs."""
    members: dict[tuple[str, str], dict[tuple[Any, ...], None]] = {}
    first: dict[tuple[str, str], Family] = {}
    for program in programs:
        for family in program.rows:
            key = family.owner, family.name
            first.setdefault(key, family)
            members.setdefault(key, {}).update(dict.fromkeys(family.index))
    out, start = [], 0
    for key, family in first.items():
        out.append(replace(family, index=tuple(members[key]), start=start))
        start = out[-1].stop
    return tuple(out)


def moves(program: Program, families: Sequence[Family]) -> np.ndarray:
    """Where each row of a program stands among the joined ones."""
    place = {(family.owner, family.name): (family, {m: n for n, m in enumerate(family.index)}) for family in families}
    out = np.empty(program.shape[0], np.int64)
    for family in program.rows:
        whole, at = place[family.owner, family.name]
        out[family.place] = [whole.start + at[member] for member in family.index]
    return out


def ones(program: Program, moved: np.ndarray, height: int) -> sp.csc_matrix:
    """The pattern of a program among the joined rows."""
    matrix = program.matrix
    data = np.ones(matrix.nnz)
    return sp.csc_matrix((data, moved[matrix.indices], matrix.indptr), shape=(height, matrix.shape[1]))


def sum_of(parts: Sequence[sp.csc_matrix]) -> sp.csc_matrix:
    """All patterns as one, rows in order within a column."""
    out = parts[0]
    for part in parts[1:]:
        out = out + part
    out.sort_indices()
    return out


def source(program: Program, moved: np.ndarray, union: sp.csc_matrix) -> np.ndarray:
    """Where each non-zero of a program stands among those of the union."""
    height, matrix = union.shape[0], program.matrix
    column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
    known = np.repeat(np.arange(matrix.shape[1]), np.diff(union.indptr)) * height + union.indices
    return np.searchsorted(known, column * height + moved[matrix.indices])


def spread(program: Program, families: tuple[Family, ...], union: sp.csc_matrix, moved: np.ndarray,
           where: np.ndarray) -> Program:  # fmt: skip
    """A program in the joined pattern."""
    data = np.zeros(union.nnz)
    data[where] = program.matrix.data
    lower, upper = np.full(union.shape[0], -np.inf), np.full(union.shape[0], np.inf)
    lower[moved], upper[moved] = program.row_lower, program.row_upper
    matrix = sp.csc_matrix((data, union.indices, union.indptr), shape=union.shape)
    return replace(program, matrix=matrix, row_lower=lower, row_upper=upper, rows=families, recipe=None)
