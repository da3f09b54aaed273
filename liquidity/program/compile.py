"""Pyomo to arrays: a sparse matrix with an owner and a label for every row and column.

Nothing here knows finance. Rows and columns are in the order in which they were declared, so that a program is the
same whatever the hash seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import scipy.sparse as sp
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

INFINITY = np.inf


@dataclass(frozen=True)
class Family:
    """A run of rows or columns that were declared together.

    `index` holds one tuple per member, positions named by `dims`; members sit at `start` to `stop` of the program.
    """

    owner: str
    name: str
    kind: str
    dims: tuple[str, ...]
    index: tuple[tuple[Any, ...], ...]
    start: int
    code: str = ""
    unit: str = "CNY"
    liftable: bool = False
    repairable: bool = False

    @property
    def stop(self) -> int:
        """Position after the last member."""
        return self.start + len(self.index)

    @property
    def place(self) -> slice:
        """Where the members sit."""
        return slice(self.start, self.stop)

    def frame(self) -> pd.DataFrame:
        """The index as a table, one column per dim."""
        return pd.DataFrame(list(self.index), columns=list(self.dims))


@dataclass(frozen=True)
class Program:
    """max cost x + constant  subject to  row_lower <= matrix x <= row_upper, column_lower <= x <= column_upper.

    `matrix` is csc (rows, columns); `integer` marks yes/no columns, `state` the columns fixed by definition rows,
    `definition` those rows.
    """

    matrix: sp.csc_matrix
    cost: np.ndarray
    constant: float
    row_lower: np.ndarray
    row_upper: np.ndarray
    column_lower: np.ndarray
    column_upper: np.ndarray
    integer: np.ndarray
    columns: tuple[Family, ...]
    rows: tuple[Family, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return self.matrix.shape

    @property
    def state(self) -> np.ndarray:
        """Mask of the columns that definition rows fix."""
        return mask(self.columns, self.shape[1], lambda family: family.kind == "state")

    @property
    def definition(self) -> np.ndarray:
        """Mask of the definition rows."""
        return mask(self.rows, self.shape[0], lambda family: family.kind == "definition")

    def column(self, name: str) -> Family:
        """The family of columns with this name."""
        return next(family for family in self.columns if family.name == name)

    def row(self, owner: str, name: str) -> Family:
        """The family of rows `name` of `owner`."""
        return next(family for family in self.rows if (family.owner, family.name) == (owner, name))

    def column_labels(self) -> list[str]:
        """A readable name of every column, e.g. `lend[A-full-east,returning,joint_a,1]`."""
        return [label(family.name, index) for family in self.columns for index in family.index]

    def row_labels(self) -> list[str]:
        """A readable name of every row, e.g. `concentration.cap[east,1]`."""
        return [label(f"{family.owner}.{family.name}", index) for family in self.rows for index in family.index]


def label(name: str, index: Sequence[Any]) -> str:
    """A name with its index, without blanks (solver files forbid them)."""
    return f"{name}[{','.join(str(part) for part in index)}]".replace(" ", "_")


def mask(families: Sequence[Family], size: int, test: Any) -> np.ndarray:
    """True where the family passes the test."""
    out = np.zeros(size, bool)
    for family in families:
        if test(family):
            out[family.place] = True
    return out


def compile_program(pool: Any) -> Program:
    """Compile the pool's Pyomo model with the library's standard form compiler.

    Every declared column keeps its place, also one that no row uses. Raises ValueError where a rule wrote a
    two-sided row.
    """
    variables = [data for columns in pool.columns for data in columns.variable.values()]
    place = {id(data): position for position, data in enumerate(variables)}
    constraints = [data for rows in pool.rows for data in rows.constraint.values()]
    info = LinearStandardFormCompiler().write(
        pool.model, mixed_form=True, set_sense=None, column_order=variables, row_order=constraints
    )
    used = np.array([place[id(data)] for data in info.columns])
    matrix = sp.coo_matrix(info.A)
    matrix = sp.csc_matrix((matrix.data, (matrix.row, used[matrix.col])), shape=(len(info.rows), len(variables)))
    cost = np.zeros(len(variables))
    cost[used] = info.c.toarray().ravel()
    lower, upper = row_bounds(info)
    return Program(
        matrix=matrix,
        cost=cost,
        constant=float(info.c_offset[0]),
        row_lower=lower,
        row_upper=upper,
        column_lower=np.array([-INFINITY if data.lb is None else data.lb for data in variables], float),
        column_upper=np.array([INFINITY if data.ub is None else data.ub for data in variables], float),
        integer=np.array([data.is_integer() for data in variables], bool),
        columns=column_families(pool),
        rows=row_families(pool, info),
    )


def compile_cost(pool: Any, expression: Any) -> np.ndarray:
    """Coefficients of a linear expression, in the places of the program's columns."""
    variables = [data for columns in pool.columns for data in columns.variable.values()]
    place = {id(data): position for position, data in enumerate(variables)}
    model = pyo.ConcreteModel()
    model.goal = pyo.Objective(expr=expression, sense=pyo.maximize)
    info = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    cost = np.zeros(len(variables))
    cost[[place[id(data)] for data in info.columns]] = info.c.toarray().ravel()
    return cost


def row_bounds(info: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of every row from the sense the compiler reports: -1 at least, 0 equal, 1 at most."""
    sense = np.array([row.bound_type for row in info.rows], int)
    rhs = np.asarray(info.rhs, float)
    return np.where(sense <= 0, rhs, -INFINITY), np.where(sense >= 0, rhs, INFINITY)


def column_families(pool: Any) -> tuple[Family, ...]:
    """Families of columns in the order of declaration."""
    out, start = [], 0
    for columns in pool.columns:
        index = tuple(key if isinstance(key, tuple) else (key,) for key in columns.variable)
        out.append(Family("", columns.name, columns.kind, columns.dims, index, start))
        start += len(index)
    return tuple(out)


def row_families(pool: Any, info: Any) -> tuple[Family, ...]:
    """Families of rows; a row that held trivially was left out by the compiler and has no member here."""
    kept: dict[int, list[tuple[Any, ...]]] = {}
    for row in info.rows:
        data = row.constraint
        key = data.index()
        kept.setdefault(id(data.parent_component()), []).append(key if isinstance(key, tuple) else (key,))
    out, start = [], 0
    for rows in pool.rows:
        index = tuple(kept.get(id(rows.constraint), ()))
        if len(set(index)) < len(index):
            raise ValueError(f"{rows.owner}.{rows.what}: a row has two bounds; write two families")
        out.append(
            Family(
                rows.owner,
                rows.what,
                rows.kind,
                rows.dims,
                index,
                start,
                rows.code,
                rows.unit,
                rows.liftable,
                rows.repairable,
            )
        )
        start += len(index)
    if start != len(info.rows):
        raise ValueError(f"{len(info.rows) - start} rows were not made by define, terms, limit or sequence")
    return tuple(out)
