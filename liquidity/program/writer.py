"""The writer of a program: columns, data, and the only makers of rows. Nothing here knows finance.

`define` makes a definition row (it fixes a state, it is never lifted); `limit` makes the rows of a rule; `terms` and
`sequence` those of structure. Decision parts stand left and data right, so a price, d(objective) / d(bound), has one
sign everywhere. Each owner has its own Pyomo block under `model.rule`, so the owner of a row is its parent block and
nothing is parsed out of a name.

Bodies are written once for all indices, over Sets and Params only (no `if`, no filtered generators), so that they can
be called with index templates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyomo.environ as pyo

from liquidity.program.lazy import ArrayParam, LazyColumns, LazyGoal, LazyRows

if TYPE_CHECKING:
    from liquidity.rules.base import Ratio

Body = Callable[..., Any]
Bound = float | np.ndarray | Mapping[Any, float] | Callable[..., float]
TERMS = "terms"
DEFINITION = "definition"
SEQUENCE = "sequence"


class Owner(Protocol):
    """Whoever owns rows, mostly a rule: name, cause code, and whether its rows may be lifted or give way."""

    @property
    def name(self) -> str: ...

    @property
    def code(self) -> str: ...

    @property
    def liftable(self) -> bool: ...

    @property
    def repairable(self) -> bool: ...


@dataclass(frozen=True)
class Rows:
    """One family of rows: who owns it, what it says, over which dims, and how a person reads it."""

    owner: str
    what: str
    kind: str
    sense: str
    dims: tuple[str, ...]
    unit: str
    code: str
    liftable: bool
    repairable: bool
    constraint: Any = field(repr=False)
    ratio: Ratio | None = None


@dataclass(frozen=True)
class Columns:
    """One family of columns: decisions (>= 0), states (free) or yes/no decisions of a sequence.

    `over` names its sets, `dims` its index positions, e.g. (segment, facility, period).
    """

    name: str
    kind: str
    over: tuple[str, ...]
    dims: tuple[str, ...]
    variable: Any = field(repr=False)


class Writer:
    """A Pyomo `model`, its `rows` and its `columns`, in the order in which they were written.

    `dims` says what the positions of each named set mean; `measure` is the unit of rows that do not say theirs.
    """

    def __init__(self, dims: Mapping[str, tuple[str, ...]], measure: str) -> None:
        self.dims, self.measure = dims, measure
        self.rows: list[Rows] = []
        self.columns: list[Columns] = []
        self.model: Any = pyo.ConcreteModel()
        self.model.rule = pyo.Block()

    def labels(self) -> Mapping[str, Iterable[Any]]:
        """Labels of every dim, for naming the positions of sets that `dims` does not list."""
        return {}

    def group(self, name: str, members: Iterable[Any]) -> Any:
        """A Set of the model, in the given order; its name says what its positions mean (`dims`)."""
        self.model.add_component(name, pyo.Set(initialize=list(members), dimen=len(self.dims[name]), ordered=True))
        return self.model.component(name)

    # ---- data and columns

    def param(self, owner: Owner | str, name: str, over: Iterable[Any], values: Any) -> Any:
        """A Param on the owner's block.

        `values` is an array in the order of the sets of `over`, a DataArray, a mapping, or a function of the index.
        """
        sets = list(over)
        if callable(values) or isinstance(values, Mapping):
            keys = list(product_of(sets))
            read = (lambda key: values(*as_tuple(key))) if callable(values) else values.__getitem__
            array = np.array([float(read(key)) for key in keys], float)
        else:
            array = np.asarray(values, float).ravel()
        if np.isnan(array).any():
            first = list(product_of(sets))[int(np.isnan(array).argmax())]
            raise ValueError(f"{owner_name(owner)}.{name}: no number at {first!r}")
        block = self.block(owner_name(owner))
        block.add_component(name, ArrayParam(*sets, array=array))
        return block.component(name)

    def variable(self, name: str, *over: str, kind: str = "decision") -> Any:
        """Columns `name` over the sets `over`: `decision` (>= 0), `state` (free) or `choice` (0 or 1)."""
        domain = {"decision": pyo.NonNegativeReals, "state": pyo.Reals, "choice": pyo.Binary}[kind]
        sets = [self.model.component(label) for label in over]
        self.model.add_component(name, LazyColumns(*sets, domain=domain))
        dims = tuple(dim for label in over for dim in self.dims[label])
        self.columns.append(Columns(name, kind, over, dims, self.model.component(name)))
        return self.model.component(name)

    def index(self, owner: Owner | str, name: str, members: Iterable[Any]) -> Any:
        """A Set of labels or tuples on the owner's block, in the given order."""
        labels = list(members)
        dimen = len(as_tuple(labels[0])) if labels else 1
        block = self.block(owner_name(owner))
        block.add_component(name, pyo.Set(initialize=labels, dimen=dimen, ordered=True))
        return block.component(name)

    def block(self, owner: str) -> Any:
        """The Pyomo block that holds everything of one owner."""
        if self.model.rule.component(owner) is None:
            self.model.rule.add_component(owner, pyo.Block())
        return self.model.rule.component(owner)

    # ---- the goal and the rows

    def maximise(self, name: str, body: Callable[[Any], Any]) -> None:
        """The objective, `body(m)`."""
        self.model.add_component(name, LazyGoal(rule=lambda m: body(m), sense=pyo.maximize))

    def write_out(self) -> None:
        """Make every member, for readers that want a model written out (Pyomo's own compilers and solvers)."""
        for columns in self.columns:
            for key in columns.variable.index_set():
                columns.variable[key]
        for rows in self.rows:
            for _ in rows.constraint.values():
                pass
        for goal in self.model.component_objects(pyo.Objective):
            if isinstance(goal, LazyGoal):
                goal.make()

    def define(self, what: str, over: Iterable[Any], body: Body, equal: Bound = 0.0) -> None:
        """Definition rows: `body(m, *index) == equal`. One per state, so that the states are fixed by the decisions."""
        self._rows(DEFINITION, what, list(over), body, "equal", equal, self.measure, DEFINITION, "", False, False, None)

    def sequence(self, what: str, over: Iterable[Any], body: Body, at_most: Bound) -> None:
        """Rows that tie payments to the yes/no decisions of a sequential waterfall; never told as limits."""
        self._rows(SEQUENCE, what, list(over), body, "at_most", at_most, self.measure, SEQUENCE, "", False, False, None)

    def terms(self, what: str, over: Iterable[Any], body: Body, *, code: str = "", **bound: Bound) -> None:
        """Rows of structure: signs, what a facility can do by its build. Lifted only where `code` says so."""
        sense, limit = only_one(bound)
        self._rows(TERMS, what, list(over), body, sense, limit, self.measure, TERMS, code, bool(code), False, None)

    def limit(self, rule: Owner, what: str, over: Iterable[Any], body: Body, *, unit: str = "",
              ratio: Ratio | None = None, **bound: Bound) -> None:  # fmt: skip
        """Rows of a rule: `body(m, *index)` at_most, at_least or equal to a bound (program units).

        The bound is a number, a mapping from the index, or a function of the index; an infinite one makes no row, a
        NaN raises ValueError naming rule and slot.
        """
        sense, limit = only_one(bound)
        # an equality is two rows, so that each has one direction in which it can fall short
        parts = [(what, sense)] if sense != "equal" else [(f"{what}_most", "at_most"), (f"{what}_least", "at_least")]
        for name, side in parts:
            self._rows(rule.name, name, list(over), body, side, limit, unit or self.measure, "rule", rule.code,
                       rule.liftable, rule.repairable, ratio)  # fmt: skip

    def _rows(self, owner: str, what: str, over: list[Any], body: Body, sense: str, bound: Bound, unit: str, kind: str,
              code: str, liftable: bool, repairable: bool, ratio: Ratio | None) -> None:  # fmt: skip
        """Make the constraint on the owner's block, and remember whose it is."""
        block = self.block(owner)
        values = bounds_of(over, bound, f"{owner}.{what}")
        kept = np.isfinite(values)
        if not kept.any():
            return
        sets = over
        if not kept.all():
            members = [key for key, keep in zip(product_of(over), kept) if keep]
            block.add_component(
                f"{what}_index", pyo.Set(initialize=members, dimen=len(as_tuple(members[0])), ordered=True)
            )
            sets, values = [block.component(f"{what}_index")], values[kept]
        block.add_component(f"{what}_bound", ArrayParam(*sets, array=values))
        m, at = self.model, block.component(f"{what}_bound")
        makers = {
            "at_most": lambda _, *i: body(m, *i) <= at[i],
            "at_least": lambda _, *i: body(m, *i) >= at[i],
            "equal": lambda _, *i: body(m, *i) == at[i],
        }
        block.add_component(what, LazyRows(*sets, rule=makers[sense]))
        dims = tuple(dim for group in over for dim in self._dims_of(group))
        self.rows.append(
            Rows(owner, what, kind, sense, dims, unit, code, liftable, repairable, block.component(what), ratio)
        )

    @cached_property
    def _known(self) -> dict[str, set[Any]]:
        """Labels of every dim."""
        return {name: set(labels) for name, labels in self.labels().items()}

    def _dims_of(self, group: Any) -> tuple[str, ...]:
        """What the positions of a set mean: by its name, else by the labels it holds."""
        if group.local_name in self.dims:
            return self.dims[group.local_name]
        known = self._known
        positions = zip(*[as_tuple(member) for member in group]) if len(group) else [()] * (group.dimen or 1)
        found = []
        for labels in positions:
            held = set(labels)
            found.append(next((name for name, all_ in known.items() if held <= all_), "group"))
        return tuple(found)


def owner_name(owner: Owner | str) -> str:
    """The name of the block of an owner."""
    return owner if isinstance(owner, str) else owner.name


def as_tuple(key: Any) -> tuple[Any, ...]:
    """An index as a tuple, also where it has one position."""
    return key if isinstance(key, tuple) else (key,)


def product_of(sets: list[Any]) -> Iterable[Any]:
    """Indices of the product of sets in row order, flat as Pyomo wants them; a single set gives plain labels."""
    keys: list[tuple[Any, ...]] = [()]
    for group in sets:
        members = [as_tuple(member) for member in group]
        keys = [key + member for key in keys for member in members]
    return [key[0] if len(key) == 1 else key for key in keys]


def only_one(bound: Mapping[str, Bound]) -> tuple[str, Bound]:
    """The one bound that was given."""
    if len(bound) != 1 or next(iter(bound)) not in ("at_most", "at_least", "equal"):
        raise TypeError(f"give exactly one of at_most, at_least, equal; got {sorted(bound)}")
    return next(iter(bound.items()))


def bounds_of(over: list[Any], bound: Bound, place: str) -> np.ndarray:
    """Bounds in row order of the sets. An infinite one makes no row; a NaN is an error that names its place."""
    if callable(bound):
        values = np.array([float(bound(*as_tuple(key))) for key in product_of(over)], float)
    elif isinstance(bound, Mapping):
        values = np.array([float(bound[key]) for key in product_of(over)], float)
    elif isinstance(bound, np.ndarray):
        values = bound.astype(float).ravel()
    else:
        values = np.full(math.prod(len(group) for group in over), float(bound))
    if np.isnan(values).any():
        key = list(product_of(over))[int(np.isnan(values).argmax())]
        raise ValueError(f"{place}: the bound at {key!r} is not a number")
    return values
