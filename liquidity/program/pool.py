"""The pool: the sets, variables and states of the program, and the only two makers of rows.

`define` makes a definition row (it fixes a state, it is never lifted); `limit` makes every other row. Decision parts
stand left and data right, so a price, d(net worth) / d(bound), has one sign everywhere. Each owner has its own Pyomo
block under `model.rule`, so the owner of a row is its parent block and nothing is parsed out of a name.

Bodies are written once for all indices, over Sets and Params only (no `if`, no filtered generators), so that they can
be called with index templates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import xarray as xr

from liquidity.book import Book
from liquidity.program.grid import Grid, make_grid
from liquidity.program.inputs import BORROWERS, choose_unit, day_of, make_inputs

if TYPE_CHECKING:
    from liquidity.rules.base import Ratio, Rule
    from liquidity.rules.rulebook import Rulebook

Body = Callable[..., Any]
Bound = float | Mapping[Any, float] | Callable[..., float]
DIMS = {
    "SEGMENT": ("segment",), "BORROWER": ("borrower",), "LINE": ("line",), "PERIOD": ("period",), "TIME": ("period",),
    **dict.fromkeys(("FACILITY", "OPEN", "HOUSE", "JOINT", "DIRECT", "WAREHOUSE", "ABS", "SCHEDULED", "TRUST", "SPV",
                     "BOUGHT", "REVOLVER", "SAFE", "UNSAFE"), ("facility",)),
    **dict.fromkeys(("CLASS", "SOLD", "RETAINED", "OPEN_CLASS"), ("facility", "tranche")),
    **dict.fromkeys(("ENDING", "LAST", "PAID"), ("facility", "tranche", "period")),
}  # fmt: skip
TERMS = "terms"
DEFINITION = "definition"
SEQUENCE = "sequence"


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
    """One family of columns: decisions (>= 0), states (free) or yes/no decisions of a sequence."""

    name: str
    kind: str
    over: tuple[str, ...]
    variable: Any = field(repr=False)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the index positions, e.g. (segment, facility, period)."""
        return tuple(dim for name in self.over for dim in DIMS[name])


class Pool:
    """Everything a rule may touch while it writes its rows.

    `book`, `rulebook`, `grid`, `inputs` (Dataset in program units), `unit` (CNY per unit), `model` (Pyomo), and
    `previous` (segment -> share of the freed money relent in the last executed night, or None).
    """

    def __init__(self, book: Book, rulebook: Rulebook, previous: pd.Series | None = None) -> None:
        self.book, self.rulebook, self.previous = book, rulebook, previous
        self.grid: Grid = make_grid(book.as_of, rulebook.horizon)
        self.unit = choose_unit(book)
        self.inputs: xr.Dataset = make_inputs(book, self.grid, self.unit, rulebook.market_rate)
        self.facilities = book["facilities"]
        self.rows: list[Rows] = []
        self.columns: list[Columns] = []
        self.model: Any = pyo.ConcreteModel()
        self.model.rule = pyo.Block()
        self._sets()

    def money(self, amount: Any) -> Any:
        """An amount in CNY as program units."""
        return amount / self.unit

    def ends(self, facility: str) -> list[int]:
        """Periods in which the facility buys no more: those that start at or after the end of its revolving period."""
        kept = set(self.revolving(facility))
        return [t for t in range(1, self.grid.size + 1) if t not in kept]

    def revolving(self, facility: str) -> list[int]:
        """Periods that start before the facility's revolving period ends; all where it has no end."""
        return self.grid.before(day_of(self.facilities.revolving_end[facility]))

    def _sets(self) -> None:
        """Sets of labels. Periods count from 1; TIME has the opening, 0, before them."""
        m, kind = self.model, self.facilities.kind
        of = {k: [f for f in kind.index if kind[f] == k] for k in ("balance_sheet", "joint", "warehouse", "abs")}
        scheduled = [f for f in of["abs"] if not self.revolving(f)]
        trusts = [f for f in of["abs"] if f not in scheduled]
        members = {
            "SEGMENT": list(self.book["segments"].index),
            "BORROWER": list(BORROWERS),
            "LINE": list(self.book["lines"].index),
            "FACILITY": list(kind.index),
            "HOUSE": of["balance_sheet"],
            "JOINT": of["joint"],
            "DIRECT": of["balance_sheet"] + of["joint"],
            "WAREHOUSE": of["warehouse"],
            "ABS": trusts,
            "SCHEDULED": scheduled,
            "TRUST": trusts + scheduled,
            "SPV": of["warehouse"] + trusts + scheduled,
            "BOUGHT": of["warehouse"] + trusts,
            "OPEN": [f for f in kind.index if f not in scheduled],
        }
        classes = [tuple(label.split("/", 1)) for label in self.inputs.tranche.values]
        sold = dict(zip(classes, self.inputs.sold.values))
        members["CLASS"] = classes
        members["SOLD"] = [pair for pair in classes if sold[pair]]
        members["RETAINED"] = [pair for pair in classes if not sold[pair]]
        members["OPEN_CLASS"] = [pair for pair in classes if pair[0] in trusts]
        for name, labels in members.items():
            self.group(name, labels)
        m.PERIOD = pyo.RangeSet(1, self.grid.size)
        m.TIME = pyo.RangeSet(0, self.grid.size)
        by_trust = {f: [k for g, k in classes if g == f] for f in members["TRUST"]}
        m.TRANCHES = pyo.Set(m.TRUST, initialize=by_trust)
        m.SOLD_OF = pyo.Set(m.TRUST, initialize={f: [k for k in by_trust[f] if sold[f, k]] for f in by_trust})

    def group(self, name: str, members: Iterable[Any]) -> Any:
        """A Set of the model, in the given order; its name says what its positions mean (`DIMS`)."""
        self.model.add_component(name, pyo.Set(initialize=list(members), dimen=len(DIMS[name]), ordered=True))
        return self.model.component(name)

    # ---- data and columns

    def param(self, owner: Rule | str, name: str, over: Iterable[Any], values: Any) -> Any:
        """A Param on the owner's block.

        `values` is an array in the order of the sets of `over`, a DataArray, a mapping, or a function of the index.
        """
        sets = list(over)
        keys = list(product_of(sets))
        if callable(values):
            data = {key: float(values(*as_tuple(key))) for key in keys}
        elif isinstance(values, Mapping):
            data = {key: float(values[key]) for key in keys}
        else:
            data = dict(zip(keys, np.asarray(values, float).ravel().tolist(), strict=True))
        bad = [key for key, value in data.items() if math.isnan(value)]
        if bad:
            raise ValueError(f"{owner_name(owner)}.{name}: no number at {bad[0]!r}")
        block = self.block(owner_name(owner))
        block.add_component(name, pyo.Param(*sets, initialize=data))
        return block.component(name)

    def data(self, name: str, *over: str, of: str | None = None) -> Any:
        """A Param of the model taken from `inputs`, cut to the sets `over`."""
        if self.model.component(name) is not None:
            return self.model.component(name)
        array = self.inputs[of or name]
        sets = [self.model.component(label) for label in over]
        labels = {dim: list(group) for (dim, group) in zip(array.dims, sets)}
        picked = array.sel({dim: members for dim, members in labels.items() if dim != "tranche"})
        keys = list(product_of(sets))
        values = np.broadcast_to(picked.values, tuple(len(group) for group in sets)).ravel().tolist()
        self.model.add_component(name, pyo.Param(*sets, initialize=dict(zip(keys, values, strict=True))))
        return self.model.component(name)

    def variable(self, name: str, *over: str, kind: str = "decision") -> Any:
        """Columns `name` over the sets `over`: `decision` (>= 0), `state` (free) or `choice` (0 or 1)."""
        domain = {"decision": pyo.NonNegativeReals, "state": pyo.Reals, "choice": pyo.Binary}[kind]
        sets = [self.model.component(label) for label in over]
        self.model.add_component(name, pyo.Var(*sets, domain=domain))
        self.columns.append(Columns(name, kind, over, self.model.component(name)))
        return self.model.component(name)

    def index(self, owner: Rule | str, name: str, members: Iterable[Any]) -> Any:
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

    # ---- rows

    def define(self, what: str, over: Iterable[Any], body: Body, equal: Bound = 0.0) -> None:
        """Definition rows: `body(m, *index) == equal`. One per state, so that the states are fixed by the decisions."""
        self._rows(DEFINITION, what, list(over), body, "equal", equal, "CNY", DEFINITION, "", False, False, None)

    def sequence(self, what: str, over: Iterable[Any], body: Body, at_most: Bound) -> None:
        """Rows that tie payments to the yes/no decisions of a sequential waterfall; never told as limits."""
        self._rows(SEQUENCE, what, list(over), body, "at_most", at_most, "CNY", SEQUENCE, "", False, False, None)

    def terms(self, what: str, over: Iterable[Any], body: Body, *, code: str = "", **bound: Bound) -> None:
        """Rows of structure: signs, what a facility can do by its build. Lifted only where `code` says so."""
        sense, limit = only_one(bound)
        self._rows(TERMS, what, list(over), body, sense, limit, "CNY", TERMS, code, bool(code), False, None)

    def limit(self, rule: Rule, what: str, over: Iterable[Any], body: Body, *, unit: str = "CNY",
              ratio: Ratio | None = None, **bound: Bound) -> None:  # fmt: skip
        """Rows of a rule: `body(m, *index)` at_most, at_least or equal to a bound (program units).

        The bound is a number, a mapping from the index, or a function of the index; an infinite one makes no row, a
        NaN raises ValueError naming rule and slot.
        """
        sense, limit = only_one(bound)
        # an equality is two rows, so that each has one direction in which it can fall short
        parts = [(what, sense)] if sense != "equal" else [(f"{what}_most", "at_most"), (f"{what}_least", "at_least")]
        for name, side in parts:
            self._rows(rule.name, name, list(over), body, side, limit, unit, "rule", rule.code, rule.liftable,
                       rule.repairable, ratio)  # fmt: skip

    def _rows(self, owner: str, what: str, over: list[Any], body: Body, sense: str, bound: Bound, unit: str, kind: str,
              code: str, liftable: bool, repairable: bool, ratio: Ratio | None) -> None:  # fmt: skip
        """Make the constraint on the owner's block, and remember whose it is."""
        block = self.block(owner)
        values = bounds_of(over, bound, f"{owner}.{what}")
        if not values:
            return
        keys = pyo.Set(initialize=list(values), dimen=len(as_tuple(next(iter(values)))), ordered=True)
        block.add_component(f"{what}_index", keys)
        limits = pyo.Param(block.component(f"{what}_index"), initialize=values)
        block.add_component(f"{what}_bound", limits)
        m, at = self.model, block.component(f"{what}_bound")
        makers = {
            "at_most": lambda _, *i: body(m, *i) <= at[i],
            "at_least": lambda _, *i: body(m, *i) >= at[i],
            "equal": lambda _, *i: body(m, *i) == at[i],
        }
        block.add_component(what, pyo.Constraint(block.component(f"{what}_index"), rule=makers[sense]))
        dims = tuple(dim for group in over for dim in self._dims_of(group))
        self.rows.append(
            Rows(owner, what, kind, sense, dims, unit, code, liftable, repairable, block.component(what), ratio)
        )

    def _dims_of(self, group: Any) -> tuple[str, ...]:
        """What the positions of a set mean: by its name, else by the labels it holds."""
        if group.local_name in DIMS:
            return DIMS[group.local_name]
        known = {name: set(labels) for name, labels in (
            ("segment", self.inputs.segment.values), ("facility", self.inputs.facility.values),
            ("line", self.inputs.line.values), ("period", range(self.grid.size + 1)),
            ("partner", self.book["partners"].index), ("borrower", BORROWERS))}  # fmt: skip
        positions = zip(*[as_tuple(member) for member in group]) if len(group) else [()] * (group.dimen or 1)
        found = []
        for labels in positions:
            held = set(labels)
            found.append(next((name for name, all_ in known.items() if held <= all_), "group"))
        return tuple(found)


def owner_name(owner: Rule | str) -> str:
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


def bounds_of(over: list[Any], bound: Bound, place: str) -> dict[Any, float]:
    """Finite bounds by index. An infinite one makes no row; a NaN is an error that names its place."""
    keys = product_of(over)
    if callable(bound):
        values = {key: float(bound(*as_tuple(key))) for key in keys}
    elif isinstance(bound, Mapping):
        values = {key: float(bound[key]) for key in keys}
    else:
        values = dict.fromkeys(keys, float(bound))
    for key, value in values.items():
        if math.isnan(value):
            raise ValueError(f"{place}: the bound at {key!r} is not a number")
    return {key: value for key, value in values.items() if math.isfinite(value)}
