"""Pyomo to arrays: a sparse matrix with an owner and a label for every row and column, at numpy's speed.

Every body is called once with index templates (`templates`) and evaluated over its whole index set. The pattern and
the program of every coefficient are kept in a `Recipe`, so that other numbers are poured into the same places
(`Program.refill`). What templates cannot express is compiled by Pyomo's LinearStandardFormCompiler, component by
component, with one warning that names them.

Nothing here knows finance. Rows and columns are in the order in which they were declared, so that a program is the
same whatever the hash seed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import scipy.sparse as sp
from pyomo.common.gc_manager import PauseGC
from pyomo.core.expr import relational_expr
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from liquidity.program.lazy import LazyGoal
from liquidity.program.templates import (
    MINUS,
    ONE,
    CannotTemplate,
    Number,
    Templates,
    Terms,
    as_tuples,
    is_data,
    numbers_of,
)

INFINITY = np.inf


class Index(Sequence[tuple[Any, ...]]):
    """The members of a family, one tuple each: a product of lists of tuples, written out only when asked for."""

    def __init__(self, *parts: Sequence[tuple[Any, ...]]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return int(np.prod([len(part) for part in self.parts]))

    @cached_property
    def _members(self) -> tuple[tuple[Any, ...], ...]:
        found: list[tuple[Any, ...]] = [()]
        for part in self.parts:
            found = [before + member for before in found for member in part]
        return tuple(found)

    def __getitem__(self, at: Any) -> Any:
        return self._members[at]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._members)

    def __contains__(self, member: Any) -> bool:
        return member in self._members

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Index) and [*map(len, self.parts)] == [*map(len, other.parts)]:
            return all(list(mine) == list(theirs) for mine, theirs in zip(self.parts, other.parts))
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(map(len, self.parts)))

    def __reduce__(self) -> Any:
        return Index, tuple(self.parts)

    def columns(self) -> list[np.ndarray]:
        """One array of labels per position."""
        out, inner, outer = [], len(self), 1
        for part in self.parts:
            inner = inner // len(part) if part else 0
            for labels in zip(*part):
                held = np.asarray(labels) if all(isinstance(label, int) for label in labels) else as_objects(labels)
                out.append(np.tile(np.repeat(held, inner), outer))
            outer *= len(part)
        return out


def as_objects(labels: Sequence[Any]) -> np.ndarray:
    """Labels as an array of objects."""
    out = np.empty(len(labels), object)
    out[:] = labels
    return out


@dataclass(frozen=True)
class Family:
    """A run of rows or columns that were declared together.

    `index` holds one tuple per member, positions named by `dims`; members sit at `start` to `stop` of the program.
    """

    owner: str
    name: str
    kind: str
    dims: tuple[str, ...]
    index: Sequence[tuple[Any, ...]]
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
        if isinstance(self.index, Index) and len(self.index):
            return pd.DataFrame(dict(zip(self.dims, self.index.columns(), strict=True)), columns=list(self.dims))
        return pd.DataFrame(list(self.index), columns=list(self.dims))


@dataclass(frozen=True)
class Recipe:
    """How a program is made from the numbers of its Params. All arrays; it travels between processes.

    `entries` are the numbers of the matrix in the order of writing; `order` and `first` bring them into the columns of
    the matrix (`indices`, `indptr`), entries of the same place being added. `constants` (rows, number) are taken off
    the bounds `lower` and `upper` of the rows, `cost` (columns, number) and `offset` make the objective, `bounds`
    (side, start, stop, number) those of the columns over `column_lower` and `column_upper`. `stiff` names the
    components that templates could not express.
    """

    numbers: Mapping[str, np.ndarray]
    entries: tuple[tuple[int, Number], ...]
    order: np.ndarray
    first: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    constants: tuple[tuple[np.ndarray, Number], ...]
    lower: np.ndarray
    upper: np.ndarray
    cost: tuple[tuple[np.ndarray, Number], ...]
    offset: tuple[Number, ...]
    bounds: tuple[tuple[str, int, int, Number], ...]
    column_lower: np.ndarray
    column_upper: np.ndarray
    stiff: tuple[str, ...]

    def pour(self) -> dict[str, Any]:
        """The arrays of the program."""
        numbers, rows, columns = self.numbers, len(self.lower), len(self.column_lower)
        shift = np.zeros(rows)
        for at, number in self.constants:
            shift += np.bincount(at, np.broadcast_to(number.value(numbers), at.shape), rows)
        cost = np.zeros(columns)
        for at, number in self.cost:
            cost += np.bincount(at, np.broadcast_to(number.value(numbers), at.shape), columns)
        sides = {"lower": self.column_lower.copy(), "upper": self.column_upper.copy()}
        for side, start, stop, number in self.bounds:
            sides[side][start:stop] = number.value(numbers)
        return {
            "matrix": sp.csc_matrix((self._values(), self.indices, self.indptr), shape=(rows, columns)),
            "cost": cost,
            "constant": float(sum(np.sum(number.value(numbers)) for number in self.offset)),
            "row_lower": self.lower - shift,
            "row_upper": self.upper - shift,
            "column_lower": sides["lower"],
            "column_upper": sides["upper"],
        }

    def _values(self) -> np.ndarray:
        """The non-zeros of the matrix, column by column."""
        written, at = np.empty(len(self.order)), 0
        for size, number in self.entries:
            written[at : at + size] = number.value(self.numbers)
            at += size
        sorted_ = written[self.order]
        return sorted_ if len(self.first) == len(sorted_) else np.add.reduceat(sorted_, self.first)


@dataclass(frozen=True)
class Program:
    """max cost x + constant  subject to  row_lower <= matrix x <= row_upper, column_lower <= x <= column_upper.

    `matrix` is csc (rows, columns) and may hold zeros that other numbers fill; `integer` marks yes/no columns, `state`
    the columns fixed by definition rows, `definition` those rows. `recipe` is how it was made, if it was compiled.
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
    recipe: Recipe | None = None

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

    # ---- other numbers in the same places

    def refill(self, numbers: Mapping[str, np.ndarray]) -> Program:
        """The program with other numbers for some Params, by full name, e.g. `rule.capital.weight`.

        Arrays are in the row order of the Param's sets. The pattern is shared with this program, which stays as it is.
        Raises KeyError for a Param that no coefficient reads, ValueError for a wrong length, or where a component that
        templates could not express may read the Param too.
        """
        recipe = self.recipe
        if recipe is None or recipe.stiff:
            stiff = ", ".join(recipe.stiff) if recipe else "the program was not compiled"
            raise ValueError(f"cannot be refilled: {stiff}")
        new = dict(recipe.numbers)
        for name, array in numbers.items():
            if name not in new:
                raise KeyError(f"no coefficient reads a Param {name!r}")
            values = np.ascontiguousarray(array, float).ravel()
            if len(values) != len(new[name]):
                raise ValueError(f"{name}: {len(values)} numbers, expected {len(new[name])}")
            new[name] = values
        recipe = replace(recipe, numbers=new)
        return replace(self, recipe=recipe, **recipe.pour())

    def lift(self, owner: str) -> Program:
        """The program without the limits of one owner: its rows stay and bind nothing."""
        rows = mask(self.rows, self.shape[0], lambda family: family.owner == owner)
        if not rows.any():
            raise KeyError(f"{owner} owns no row")
        return replace(
            self,
            row_lower=np.where(rows, -INFINITY, self.row_lower),
            row_upper=np.where(rows, INFINITY, self.row_upper),
        )

    def with_row(self, owner: str, name: str, coefficients: Any, least: float) -> Program:
        """The program with one more row: `coefficients @ x >= least`, constants of the objective not counted."""
        return replace(
            self,
            matrix=sp.vstack([self.matrix, sp.csr_matrix(coefficients)]).tocsc(),
            row_lower=np.append(self.row_lower, least),
            row_upper=np.append(self.row_upper, INFINITY),
            rows=(*self.rows, Family(owner, name, "terms", (), ((),), self.shape[0])),
            recipe=None,
        )

    def bound(self, owner: str, name: str, values: Any) -> Program:
        """The program with another bound (units) for a family of rows: a number, or one per member.

        The side that was finite is replaced; both sides where both were.
        """
        place = self.row(owner, name).place
        lower, upper = self.row_lower.copy(), self.row_upper.copy()
        for side in (lower, upper):
            side[place] = np.where(np.isfinite(side[place]), values, side[place])
        return replace(self, row_lower=lower, row_upper=upper)


def label(name: str, index: Sequence[Any]) -> str:
    """A name with its index, without blanks (solver files forbid them)."""
    return f"{name}[{','.join(str(part) for part in index)}]".replace(" ", "~")


def mask(families: Sequence[Family], size: int, test: Any) -> np.ndarray:
    """True where the family passes the test."""
    out = np.zeros(size, bool)
    for family in families:
        if test(family):
            out[family.place] = True
    return out


def compile_program(writer: Any) -> Program:
    """Compile a writer's model (`liquidity.program.writer`): its columns, rows and objective."""
    with PauseGC():  # nothing made here is garbage before it is all there
        return Compiler(writer).program()


def refill_from(program: Program, writer: Any) -> Program:
    """The program with the numbers of another model of the same sets: another night, scenario or limit.

    Raises ValueError where families or their members differ; then the model has to be compiled.
    """
    model, compiler = writer.model, Compiler(writer)
    same = len(program.rows) == len(writer.rows) and all(
        (family.owner, family.name) == (rows.owner, rows.what) and family.index == compiler.index(rows.constraint)
        for family, rows in zip(program.rows, writer.rows)
    )
    if program.recipe is None or not same:
        raise ValueError("the model has other rows; compile it")
    numbers = {name: numbers_of(model.find_component(name)) for name in program.recipe.numbers}
    recipe = replace(program.recipe, **compiler.column_bounds())
    return replace(program, recipe=recipe).refill(numbers)


def compile_cost(writer: Any, body: Any) -> np.ndarray:
    """Coefficients of a linear expression `body(model)`, in the places of the program's columns."""
    return np.asarray(Compiler(writer).linear(body)[0].todense()).ravel()


class Compiler:
    """Compiles one model: its columns in order, and any linear body over them."""

    def __init__(self, writer: Any) -> None:
        self.writer, self.model = writer, writer.model
        self.start: dict[int, int] = {}
        self.size = 0
        self.templates = Templates(self._offset)
        families = []
        for columns in writer.columns:
            index = self.index(columns.variable)
            families.append(Family("", columns.name, columns.kind, columns.dims, index, self.size))
            self.start[id(columns.variable)] = self.size
            self.size += len(index)
        self.families = tuple(families)
        self.stiff: list[str] = []

    def index(self, component: Any) -> Index:
        """The members of a component's index, factor by factor."""
        return Index(*self.templates.parts(component))

    def _offset(self, variable: Any) -> int:
        if id(variable) not in self.start:
            raise CannotTemplate(f"{variable.name} was not made by variable")
        return self.start[id(variable)]

    def program(self) -> Program:
        """The whole program."""
        pattern = Pattern()
        families, rows = [], 0
        for made in self.writer.rows:
            index = self.index(made.constraint)
            family = Family(made.owner, made.what, made.kind, made.dims, index, rows, made.code, made.unit,
                            made.liftable, made.repairable)  # fmt: skip
            self._component(made.constraint, family, pattern)
            families.append(family)
            rows += len(index)
        cost, offset = self._objective()
        if self.stiff:
            warnings.warn(f"compiled slowly, no template: {', '.join(self.stiff)}", UserWarning, stacklevel=3)
        recipe = Recipe(
            numbers=self.templates.numbers, **pattern.sorted(rows, self.size), cost=cost, offset=offset,
            **self.column_bounds(), stiff=tuple(self.stiff),
        )  # fmt: skip
        integer = np.zeros(self.size, bool)
        for columns, family in zip(self.writer.columns, self.families):
            integer[family.place] = is_integer(columns.variable)
        return Program(**recipe.pour(), integer=integer, columns=self.families, rows=tuple(families), recipe=recipe)

    def linear(self, body: Any, groups: Any = None) -> tuple[sp.csr_matrix, np.ndarray]:
        """A linear body, `body(model, *index)`, over an index set: matrix (members, columns) and constants."""
        templates, out = self.templates, Terms()
        expression, index = templates.call(self.model, lambda _, at: body(self.model, *at), groups)
        frame = templates.frame(index, groups)
        templates.walk(expression, frame, ONE, out)
        rows, numbers = len(frame.rows), templates.numbers
        matrix, constant = sp.csr_matrix((rows, self.size)), np.zeros(rows)
        for at, column, number in out.entries:
            values = np.broadcast_to(number.value(numbers), at.shape)
            matrix += sp.csr_matrix((values, (at, column)), shape=matrix.shape)
        for at, number in out.constants:
            constant += np.bincount(at, np.broadcast_to(number.value(numbers), at.shape), rows)
        return matrix, constant

    # ---- parts

    def _component(self, constraint: Any, family: Family, pattern: Pattern) -> None:
        """The rows of one Constraint, by template or else one by one."""
        try:
            terms, lower, upper = self._template(constraint, family.start)
        except (CannotTemplate, KeyError) as reason:
            self.stiff.append(f"{constraint.name} ({reason.args[0]})")
            terms, lower, upper = self._one_by_one(constraint, family)
        pattern.add(terms, np.full(len(family.index), lower), np.full(len(family.index), upper))

    def _template(self, constraint: Any, start: int) -> tuple[Terms, Any, Any]:
        """Terms and bounds; the side that holds only data is the bound, as in Pyomo, whatever a sum happens to hold."""
        templates, out = self.templates, Terms()
        group = constraint.index_set() if constraint.is_indexed() else None
        expression, index = templates.call(constraint.parent_block(), constraint.rule, group)
        frame = templates.frame(index, group, start)
        if isinstance(expression, relational_expr.RangedExpression):
            least, body, most = expression.args
            sides = []
            for side in (least, most):
                number = templates.number(side, frame).value(templates.numbers)
                if templates.number(side, frame).uses():
                    raise CannotTemplate("a range with Params")
                sides.append(number)
            templates.walk(body, frame, ONE, out)
            return out, *sides
        if not isinstance(expression, relational_expr.EqualityExpression | relational_expr.InequalityExpression):
            raise CannotTemplate(f"a row of the form {type(expression).__name__}")
        left, right = expression.args
        lower = 0.0 if isinstance(expression, relational_expr.EqualityExpression) else -INFINITY
        upper = 0.0
        if is_data(left):
            left, right, lower, upper = right, left, -upper, -lower
        templates.walk(left, frame, ONE, out)
        templates.walk(right, frame, MINUS, out)
        return out, lower + 0.0, upper + 0.0

    def _one_by_one(self, constraint: Any, family: Family) -> tuple[Terms, np.ndarray, np.ndarray]:
        """The rows of a Constraint as LinearStandardFormCompiler has them; rows that say nothing are empty."""
        model = pyo.ConcreteModel()
        model.rows = pyo.Reference(constraint)
        model.nothing = pyo.Objective(expr=0.0)
        place = {member: at for at, member in enumerate(family.index)}
        lower, upper = np.full(len(place), -INFINITY), np.full(len(place), INFINITY)
        info = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
        where = np.array([place[as_tuples([row.constraint.index()])[0]] for row in info.rows], int)
        matrix, seen, out = sp.csr_matrix(info.A), set(), Terms()
        columns = np.array([self._column(data) for data in info.columns], int)
        for number, (row, side) in enumerate(zip(where.tolist(), info.rows)):
            if side.bound_type <= 0:
                lower[row] = info.rhs[number]
            if side.bound_type >= 0:
                upper[row] = info.rhs[number]
            if row not in seen:
                seen.add(row)
                part = slice(matrix.indptr[number], matrix.indptr[number + 1])
                at = np.full(part.stop - part.start, family.start + row)
                out.entries.append((at, columns[matrix.indices[part]], Number("c", matrix.data[part])))
        return out, lower, upper

    def _column(self, data: Any) -> int:
        """Position of a single column."""
        return self._offset(data.parent_component()) + self.templates.place(data)

    def _objective(self) -> tuple[tuple[tuple[np.ndarray, Number], ...], tuple[Number, ...]]:
        """Cost by column and what is constant in the objective."""
        templates, out = self.templates, Terms()
        for goal in self.model.component_objects(pyo.Objective, active=True):
            if isinstance(goal, LazyGoal):
                expression, _ = templates.call(goal.parent_block(), goal.rule, None)
            else:
                expression = goal.expr
            templates.walk(expression, templates.frame((), None), ONE, out)
        return tuple((column, number) for _, column, number in out.entries), tuple(n for _, n in out.constants)

    def column_bounds(self) -> dict[str, Any]:
        """Bounds of the columns: of their domain, of a rule, and of single members that were given their own."""
        lower, upper = np.full(self.size, -INFINITY), np.full(self.size, INFINITY)
        rules: list[tuple[str, int, int, Number]] = []
        for columns, family in zip(self.writer.columns, self.families):
            variable = columns.variable
            least, most = domain_of(variable).bounds()
            lower[family.place] = -INFINITY if least is None else least
            upper[family.place] = INFINITY if most is None else most
            if variable._rule_bounds is not None and not variable._dense and not variable._data:
                rules.extend(self._bounds_rule(variable, family))
            elif variable._rule_bounds is not None:
                for key in variable.index_set():  # some members have bounds of their own: ask every one
                    variable[key]
            held = list(variable._data.values())
            for at, data in zip((family.start + self.templates.places(variable, held)).tolist(), held):
                least, most = (data.value, data.value) if data.fixed else data.bounds
                lower[at] = -INFINITY if least is None else least
                upper[at] = INFINITY if most is None else most
        return {"column_lower": lower, "column_upper": upper, "bounds": tuple(rules)}

    def _bounds_rule(self, variable: Any, family: Family) -> Iterator[tuple[str, int, int, Number]]:
        """Bounds that a rule gives, as numbers over Params."""
        templates = self.templates
        sides, index = templates.call(variable.parent_block(), variable._rule_bounds, variable.index_set(), pair=True)
        frame = templates.frame(index, variable.index_set())
        for side, value in zip(("lower", "upper"), sides, strict=True):
            if value is not None:
                yield side, family.start, family.stop, templates.number(value, frame)


class Pattern:
    """Where the entries of the rows go, gathered component by component."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self.columns: list[np.ndarray] = []
        self.entries: list[tuple[int, Number]] = []
        self.constants: list[tuple[np.ndarray, Number]] = []
        self.sides: tuple[list[np.ndarray], list[np.ndarray]] = [], []

    def add(self, terms: Terms, lower: np.ndarray, upper: np.ndarray) -> None:
        """The terms and the bounds of one component, whose rows follow those of the one before."""
        for rows, columns, number in terms.entries:
            self.rows.append(rows.astype(np.int32))
            self.columns.append(columns.astype(np.int32))
            self.entries.append((len(rows), number))
        self.constants.extend((rows.astype(np.int32), number) for rows, number in terms.constants)
        for side, values in zip(self.sides, (lower, upper)):
            side.append(values)

    def sorted(self, rows: int, columns: int) -> dict[str, Any]:
        """The fields of the recipe that say which entry goes where."""
        nothing = np.zeros(0, np.int32)
        row = np.concatenate([nothing, *self.rows])
        column = np.concatenate([nothing, *self.columns])
        self.rows, self.columns = [], []
        order = counting_sort(row, rows)
        order = order[counting_sort(column[order], columns)]
        row, column = row[order], column[order]
        new = np.ones(len(row), bool)
        new[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
        count = np.bincount(column[new], minlength=columns)
        lower, upper = (np.concatenate([np.zeros(0), *side]) for side in self.sides)
        return {
            "entries": tuple(self.entries), "order": order.astype(np.int32),
            "first": np.flatnonzero(new).astype(np.int32),
            "indices": row[new], "indptr": np.concatenate([[0], count.cumsum()]).astype(np.int32),
            "constants": tuple(self.constants), "lower": lower, "upper": upper,
        }  # fmt: skip


def counting_sort(keys: np.ndarray, levels: int) -> np.ndarray:
    """Stable order of small integer keys, in linear time."""
    size = len(keys)
    if size and (keys[1:] >= keys[:-1]).all():
        return np.arange(size, dtype=np.int32)
    one_each = sp.csr_matrix((np.ones(size, np.int8), keys, np.arange(size + 1, dtype=np.int32)), shape=(size, levels))
    return one_each.tocsc().indices


def domain_of(variable: Any) -> Any:
    """The one domain of a Var's members."""
    if not variable.is_indexed():
        return variable.domain
    if not variable._rule_domain.constant():
        raise CannotTemplate(f"{variable.name}: members with different domains")
    return variable._rule_domain(variable.parent_block(), None, variable)


def is_integer(variable: Any) -> bool:
    """Whether the members of a Var are yes/no or whole numbers."""
    return bool(domain_of(variable).isdiscrete())


def compile_standard(writer: Any) -> Program:
    """Compile the model with Pyomo's own compiler, member by member: slow, and what `compile_program` is tested by.

    Every declared column keeps its place, also one that no row uses; a row without columns is left out.
    """
    writer.write_out()
    variables = [columns.variable[key] for columns in writer.columns for key in columns.variable.index_set()]
    place = {id(data): position for position, data in enumerate(variables)}
    constraints = [data for rows in writer.rows for data in rows.constraint.values()]
    info = LinearStandardFormCompiler().write(
        writer.model, mixed_form=True, set_sense=None, column_order=variables, row_order=constraints
    )
    used = np.array([place[id(data)] for data in info.columns], int)
    matrix = sp.coo_matrix(info.A)
    matrix = sp.csc_matrix((matrix.data, (matrix.row, used[matrix.col])), shape=(len(info.rows), len(variables)))
    cost = np.zeros(len(variables))
    cost[used] = info.c.toarray().ravel()
    sense, rhs = np.array([row.bound_type for row in info.rows], int), np.asarray(info.rhs, float)
    return Program(
        matrix=matrix,
        cost=cost,
        constant=float(info.c_offset[0]),
        row_lower=np.where(sense <= 0, rhs, -INFINITY),
        row_upper=np.where(sense >= 0, rhs, INFINITY),
        column_lower=np.array([-INFINITY if data.lb is None else data.lb for data in variables], float),
        column_upper=np.array([INFINITY if data.ub is None else data.ub for data in variables], float),
        integer=np.array([data.is_integer() for data in variables], bool),
        columns=Compiler(writer).families,
        rows=standard_rows(writer, info),
    )


def standard_rows(writer: Any, info: Any) -> tuple[Family, ...]:
    """Families of the rows that LinearStandardFormCompiler kept."""
    kept: dict[int, list[tuple[Any, ...]]] = {}
    for row in info.rows:
        kept.setdefault(id(row.constraint.parent_component()), []).extend(as_tuples([row.constraint.index()]))
    out, start = [], 0
    for made in writer.rows:
        index = tuple(kept.get(id(made.constraint), ()))
        out.append(Family(made.owner, made.what, made.kind, made.dims, index, start, made.code, made.unit,
                          made.liftable, made.repairable))  # fmt: skip
        start += len(index)
    if start != len(info.rows):
        raise ValueError(f"{len(info.rows) - start} rows were not made by define, terms, limit or sequence")
    return tuple(out)
