"""Rule bodies, called once with index templates and evaluated over whole index sets. Nothing here knows finance.

A body gives an expression tree in which indices are templates. The tree is walked once; sets become integer arrays,
a sum over a set repeats the rows under it, and every coefficient becomes a small program over Params
(`Number`), so that other numbers can be poured into the same places.

What templates cannot express (explicit loops, `if` on an index, filtered generators, blocks with an index, products
of columns) raises CannotTemplate; the compiler then falls back to the slow way.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.base.set import SetProduct
from pyomo.core.expr import numeric_expr, relational_expr, template_expr
from pyomo.core.expr.numvalue import native_numeric_types

from liquidity.program.lazy import ArrayParam

FIRST_LABEL = 1 << 40
"Labels that are no integers are counted from here, so that integers stay themselves and can be reckoned with."
TABLE_LIMIT = 1 << 22


class CannotTemplate(Exception):
    """A body says something that templates cannot express."""


# ---- labels and sets


class Labels:
    """Integer codes of labels; integers are their own code."""

    def __init__(self) -> None:
        self._codes: dict[Any, int] = {}

    def code(self, label: Any) -> int:
        """The code of one label."""
        if isinstance(label, int | np.integer) and not isinstance(label, bool):
            return int(label)
        return self._codes.setdefault(label, FIRST_LABEL + len(self._codes))

    def columns(self, members: Sequence[tuple[Any, ...]], width: int) -> list[np.ndarray]:
        """One int64 array per position of the members."""
        return [
            np.fromiter((self.code(member[at]) for member in members), np.int64, len(members)) for at in range(width)
        ]


class SetTable:
    """Members of one set as int64 columns, with their positions found for whole arrays at once."""

    def __init__(self, members: Sequence[tuple[Any, ...]], width: int, labels: Labels) -> None:
        self.members, self.width, self.size = members, width, len(members)
        self.columns = labels.columns(members, width)

    @cached_property
    def _first(self) -> int | None:
        """The first code, where the codes are one position wide and count up by one."""
        if self.width != 1 or not (np.diff(self.columns[0]) == 1).all():
            return None
        return int(self.columns[0][0])

    @cached_property
    def _levels(self) -> list[np.ndarray]:
        return [np.unique(column) for column in self.columns]

    @cached_property
    def _found(self) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
        """A table from key to position where it is small; else sorted keys and their order."""
        key = self._key(self.columns)
        size = int(np.prod([len(level) for level in self._levels]))
        if size <= max(4 * self.size, TABLE_LIMIT):
            table = np.full(size, -1, np.int64)
            table[key] = np.arange(self.size)
            return table, key, key
        order = np.argsort(key, kind="stable")
        return None, key[order], order

    def _key(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        key = np.zeros(len(columns[0]), np.int64)
        for level, column in zip(self._levels, columns, strict=True):
            key = key * len(level) + rank(level, column)
        return key

    def locate(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """Positions of the members named by `columns`; KeyError where one is not in the set."""
        if not len(columns[0]):
            return np.zeros(0, np.int64)
        if not self.size:
            raise KeyError("index not in the set")
        if self._first is not None:
            place = columns[0] - self._first
            if place.view(np.uint64).max() >= self.size:  # a negative one is huge
                raise KeyError("index not in the set")
            return place
        key = self._key(columns)
        table, known, order = self._found
        if table is not None:
            place = table[key]
        else:
            near = np.minimum(np.searchsorted(known, key), self.size - 1)
            place = np.where(known[near] == key, order[near], -1)
        if place.min() < 0:
            raise KeyError("index not in the set")
        return place


class ProductTable:
    """The product of sets, never written out but by column."""

    def __init__(self, parts: Sequence[SetTable | ProductTable]) -> None:
        self.parts = parts
        self.size: int = math.prod(part.size for part in parts)
        self.width: int = sum(part.width for part in parts)

    @property
    def columns(self) -> list[np.ndarray]:
        """One int64 array per position."""
        out: list[np.ndarray] = []
        inner, outer = self.size, 1
        for part in self.parts:
            inner = inner // part.size if part.size else 0
            out.extend(np.tile(np.repeat(column, inner), outer) for column in part.columns)
            outer *= part.size
        return out

    def locate(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """Positions in row order; KeyError where an index is not in the product."""
        place, at = np.zeros(len(columns[0]), np.int64), 0
        for part in self.parts:
            place = place * part.size + part.locate(columns[at : at + part.width])
            at += part.width
        return place


Table = SetTable | ProductTable


def rank(level: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Position of each label among the sorted labels of a set; KeyError for one that is not there."""
    if level[-1] - level[0] + 1 == len(level):
        out = column - level[0]
        if out.min() < 0 or out.max() >= len(level):
            raise KeyError("label outside the set")
        return out
    out = np.searchsorted(level, column)
    if out.max() >= len(level) or (level[out] != column).any():
        raise KeyError("label outside the set")
    return out


def as_tuples(members: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Members as tuples, also where they have one position."""
    return [member if isinstance(member, tuple) else (member,) for member in members]


# ---- coefficients


@dataclass(frozen=True)
class Number:
    """A number for every entry, as a program over Params: constant `c`, Param `p` at `right`, or an operation."""

    op: str
    left: Any = None
    right: Any = None

    def take(self, places: np.ndarray) -> Number:
        """The numbers of other entries, by place."""
        if self.op == "c":
            return self
        if self.op == "p":
            return Number("p", self.left, self.right[places])
        return Number(self.op, self.left.take(places), None if self.right is None else self.right.take(places))

    def value(self, numbers: Mapping[str, np.ndarray]) -> Any:
        """The numbers, given the arrays of the Params."""
        if self.op == "c":
            return self.left
        if self.op == "p":
            return numbers[self.left][self.right]
        left = self.left.value(numbers)
        if self.op == "-":
            return -left
        right = self.right.value(numbers)
        if self.op == "+":
            return left + right
        return left * right if self.op == "*" else left / right

    def uses(self) -> set[str]:
        """Names of the Params in it."""
        if self.op in "cp":
            return {self.left} if self.op == "p" else set()
        return self.left.uses() | (set() if self.right is None else self.right.uses())


ONE, MINUS = Number("c", 1.0), Number("c", -1.0)


def times(a: Number, b: Number) -> Number:
    """Product; constants are folded."""
    if a.op == b.op == "c":
        return Number("c", a.left * b.left)
    for one, other in ((a, b), (b, a)):
        if one.op == "c" and one.left == 1.0:
            return other
        if one.op == "c" and one.left == -1.0:
            return Number("-", other)
    return Number("*", a, b)


def plus(a: Number, b: Number) -> Number:
    """Sum; constants are folded."""
    return Number("c", a.left + b.left) if a.op == b.op == "c" else Number("+", a, b)


# ---- the walk


@dataclass(frozen=True)
class Frame:
    """Rows under way, and the codes that each index template stands for on them."""

    rows: np.ndarray
    codes: dict[int, np.ndarray]


@dataclass
class Terms:
    """What a walk found: entries (rows, columns, number) and constants (rows, number)."""

    entries: list[tuple[np.ndarray, np.ndarray, Number]] = field(default_factory=list)
    constants: list[tuple[np.ndarray, Number]] = field(default_factory=list)


class Templates:
    """Walks the bodies of one model. `numbers` holds the arrays of the Params that were met, by full name.

    `offset` says where the columns of a Var start.
    """

    def __init__(self, offset: Callable[[Any], int]) -> None:
        self.offset = offset
        self.labels = Labels()
        self.numbers: dict[str, np.ndarray] = {}
        self._names: dict[int, str] = {}
        self._tables: dict[int, Table] = {}
        self._groups: dict[int, tuple[Table, np.ndarray, list[np.ndarray]]] = {}
        self._expressions: dict[int, tuple[Any, tuple[Any, ...]]] = {}
        self._located: dict[tuple[int, ...], tuple[Sequence[np.ndarray], np.ndarray]] = {}
        self._kept: list[Any] = []

    # ---- sets

    def table(self, group: Any) -> Table:
        """The table of a set."""
        if id(group) not in self._tables:
            self._kept.append(group)
            if isinstance(group, SetProduct):
                self._tables[id(group)] = ProductTable([self.table(part) for part in group.subsets(False)])
            else:
                members = as_tuples(group)
                width = len(members[0]) if members else (group.dimen if isinstance(group.dimen, int) else 1)
                self._tables[id(group)] = SetTable(members, width, self.labels)
        return self._tables[id(group)]

    def parts(self, component: Any) -> list[Sequence[tuple[Any, ...]]]:
        """The members of a component's index, factor by factor."""
        if not component.is_indexed():
            return [[()]]
        parts, out = [self.table(component.index_set())], []
        while parts:
            part = parts.pop(0)
            if isinstance(part, ProductTable):
                parts = [*part.parts, *parts]
            else:
                out.append(part.members)
        return out

    def index(self, component: Any) -> Table:
        """The table of a component's index."""
        return self.table(component.index_set())

    def _members(self, indexed: Any) -> tuple[Table, np.ndarray, list[np.ndarray]]:
        """Of a set for every index: the table of the indices, where the members of each start, and all members."""
        if id(indexed) not in self._groups:
            self._kept.append(indexed)
            lists = [as_tuples(indexed[key]) for key in indexed.index_set()]
            flat = [member for members in lists for member in members]
            width = len(flat[0]) if flat else 1
            start = np.concatenate([[0], np.cumsum([len(members) for members in lists])]).astype(np.int64)
            self._groups[id(indexed)] = self.index(indexed), start, self.labels.columns(flat, width)
        return self._groups[id(indexed)]

    # ---- bodies

    def call(self, block: Any, rule: Any, index_set: Any, pair: bool = False) -> tuple[Any, tuple[Any, ...]]:
        """Call a rule once with templates: the expression (a `pair` of bounds stays one), and its index templates."""
        self._located.clear()
        try:
            with quiet():
                expression, index = template_expr.templatize_rule(block, rule, index_set)
        except Exception as error:  # whatever a body does with a template that it should not
            raise CannotTemplate(f"{type(error).__name__}: {error}") from error
        if isinstance(expression, tuple) and not pair:
            expression = relational_expr.tuple_to_relational_expr(expression)
        return expression, index

    def frame(self, index: tuple[Any, ...], group: Any, start: int = 0) -> Frame:
        """One row per member of the index set, counted from `start`."""
        if group is None or not index:
            return Frame(np.array([start]), {})
        table = self.table(group)
        rows = np.arange(start, start + table.size)
        return Frame(rows, {id(one): codes for one, codes in zip(index, table.columns, strict=True)})

    def walk(self, e: Any, frame: Frame, factor: Number, out: Terms) -> None:
        """Add `factor * e` to the terms."""
        if is_number(e):
            if e != 0:
                out.constants.append((frame.rows, times(factor, Number("c", float(e)))))
        elif isinstance(e, template_expr.TemplateSumExpression):
            inner, kept = self._expand(e, frame)
            self.walk(e._local_args_[0], inner, factor.take(kept), out)
        elif isinstance(e, template_expr.GetItemExpression):
            self._item(e, frame, factor, out)
        elif isinstance(e, numeric_expr.SumExpression):
            for part in e.args:
                self.walk(part, frame, factor, out)
        elif isinstance(e, numeric_expr.NegationExpression):
            self.walk(e.args[0], frame, times(MINUS, factor), out)
        elif isinstance(e, numeric_expr.DivisionExpression):
            self.walk(e.args[0], frame, Number("/", factor, self.number(e.args[1], frame)), out)
        elif isinstance(e, numeric_expr.ProductExpression):
            left, right = e.args
            if not is_data(left):
                left, right = right, left
            if not is_data(left):
                raise CannotTemplate("a product of columns")
            self.walk(right, frame, times(factor, self.number(left, frame)), out)
        elif getattr(e, "ctype", None) is pyo.Var:
            place = self.offset(e.parent_component()) + self.place(e)
            out.entries.append((frame.rows, np.full(len(frame.rows), place), factor))
        elif getattr(e, "ctype", None) is pyo.Expression:
            self.walk(e.expr, frame, factor, out)
        else:
            out.constants.append((frame.rows, times(factor, self.number(e, frame))))

    def _item(self, e: Any, frame: Frame, factor: Number, out: Terms) -> None:
        """A component at a template index: a column, a named expression, or data."""
        component = e.args[0]
        kind = getattr(component, "ctype", None)
        if kind is pyo.Var:
            place = self._locate(self.index(component), self._codes(e.args[1:], frame))
            out.entries.append((frame.rows, self.offset(component) + place, factor))
        elif kind is pyo.Expression:
            body, index = self._expression(component)
            codes = dict(zip(map(id, index), self._codes(e.args[1:], frame), strict=True))
            self.walk(body, Frame(frame.rows, {**frame.codes, **codes}), factor, out)
        else:
            out.constants.append((frame.rows, times(factor, self.number(e, frame))))

    def _expression(self, component: Any) -> tuple[Any, tuple[Any, ...]]:
        if id(component) not in self._expressions:
            self._kept.append(component)
            if component._rule is None:
                raise CannotTemplate(f"{component.name} has no rule")
            self._expressions[id(component)] = self.call(
                component.parent_block(), component._rule, component.index_set()
            )
        return self._expressions[id(component)]

    def place(self, member: Any) -> int:
        """Position of a single column or number in the index of its Var or Param."""
        return int(self.places(member.parent_component(), [member])[0])

    def places(self, component: Any, members: Sequence[Any]) -> np.ndarray:
        """Positions of members of a Var or Param in its index."""
        if not component.is_indexed() or not members:
            return np.zeros(len(members), np.int64)
        at = as_tuples([member.index() for member in members])
        return self.index(component).locate(self.labels.columns(at, len(at[0])))

    def number(self, e: Any, frame: Frame) -> Number:
        """Data at the rows of the frame."""
        if is_number(e):
            return Number("c", float(e))
        if isinstance(e, template_expr.GetItemExpression) and getattr(e.args[0], "ctype", None) is pyo.Param:
            param = e.args[0]
            place = self._locate(self.index(param), self._codes(e.args[1:], frame))
            return Number("p", self._known(param), place.astype(np.int32))
        if isinstance(e, numeric_expr.SumExpression):
            total = self.number(e.args[0], frame)
            for part in e.args[1:]:
                total = plus(total, self.number(part, frame))
            return total
        if isinstance(e, numeric_expr.ProductExpression):
            return times(self.number(e.args[0], frame), self.number(e.args[1], frame))
        if isinstance(e, numeric_expr.DivisionExpression):
            return Number("/", self.number(e.args[0], frame), self.number(e.args[1], frame))
        if isinstance(e, numeric_expr.NegationExpression):
            return times(MINUS, self.number(e.args[0], frame))
        if getattr(e, "ctype", None) is pyo.Param:
            param = e.parent_component()
            return Number("p", self._known(param), np.full(len(frame.rows), self.place(e), np.int32))
        raise CannotTemplate(f"data of the form {type(e).__name__}")

    def _locate(self, table: Table, columns: Sequence[np.ndarray]) -> np.ndarray:
        """Positions in a table; an index that a body says twice is looked up once."""
        if isinstance(table, ProductTable):
            place, at = np.zeros(len(columns[0]), np.int64), 0
            for part in table.parts:
                place = place * part.size + self._locate(part, columns[at : at + part.width])
                at += part.width
            return place
        key = (id(table), *map(id, columns))
        if key not in self._located:
            self._located[key] = columns, table.locate(columns)
        return self._located[key][1]

    def _known(self, param: Any) -> str:
        """The full name of a Param, its numbers remembered."""
        if id(param) not in self._names:
            self._kept.append(param)
            name = self._names[id(param)] = str(param.name)
            self.numbers[name] = numbers_of(param)
        return self._names[id(param)]

    def _codes(self, parts: Sequence[Any], frame: Frame) -> list[np.ndarray]:
        return [self._code(part, frame) for part in parts]

    def _code(self, e: Any, frame: Frame) -> np.ndarray:
        """Codes of one position of an index: a template, a label, or arithmetic on integers."""
        if isinstance(e, template_expr.IndexTemplate):
            if id(e) not in frame.codes:
                raise CannotTemplate("an index from outside its sum")
            return frame.codes[id(e)]
        if isinstance(e, numeric_expr.SumExpression):
            return np.sum([self._code(part, frame) for part in e.args], axis=0)
        if isinstance(e, numeric_expr.ProductExpression):
            return self._code(e.args[0], frame) * self._code(e.args[1], frame)
        if isinstance(e, numeric_expr.NegationExpression):
            return -self._code(e.args[0], frame)
        if isinstance(e, str | int | np.integer | tuple | bool) or e is None:
            return np.full(len(frame.rows), self.labels.code(e), np.int64)
        raise CannotTemplate(f"an index of the form {type(e).__name__}")

    def _expand(self, e: Any, frame: Frame) -> tuple[Frame, np.ndarray]:
        """The frame under a sum: every row repeated for the members; and which row each one came from."""
        rows, codes, kept = frame.rows, dict(frame.codes), np.arange(len(frame.rows))
        for group in e._iters:
            members = group[0]._set
            if isinstance(members, template_expr.GetItemExpression):
                owner, start, columns = self._members(members.args[0])
                at = owner.locate(self._codes(members.args[1:], Frame(rows, codes)))
                count = start[at + 1] - start[at]
                again = np.repeat(np.arange(len(rows)), count)
                first = np.repeat(start[at] - np.concatenate([[0], count.cumsum()[:-1]]), count) if len(at) else again
                found = [column[first + np.arange(len(again))] for column in columns]
            else:
                table = self.table(members)
                again = np.repeat(np.arange(len(rows)), table.size)
                found = [np.tile(column, len(rows)) for column in table.columns]
            rows, kept = rows[again], kept[again]
            codes = {one: column[again] for one, column in codes.items()}
            codes.update((id(one), column) for one, column in zip(group, found, strict=True))
        return Frame(rows, codes), kept


def numbers_of(param: Any) -> np.ndarray:
    """Numbers of a Param in the order of its index."""
    if isinstance(param, ArrayParam):
        return param.array
    if not param.is_indexed():
        return np.array([float(pyo.value(param))])
    held = param.extract_values()
    return np.array([float(held[key]) for key in param.index_set()], float)


def is_number(e: Any) -> bool:
    """Whether e is a plain number."""
    return type(e) in native_numeric_types or isinstance(e, np.number)


def is_data(e: Any) -> bool:
    """Whether e holds no column."""
    return is_number(e) or not e.is_potentially_variable()


@contextmanager
def quiet() -> Iterator[None]:
    """Pyomo logs what a body did wrong before it raises; here the error is caught and told by the caller."""
    log = logging.getLogger("pyomo.core")
    handlers, spread = log.handlers[:], log.propagate
    log.handlers, log.propagate = [logging.StreamHandler(io.StringIO())], False
    try:
        yield
    finally:
        log.handlers, log.propagate = handlers, spread
