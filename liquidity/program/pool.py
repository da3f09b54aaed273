"""The pool: the sets and data of the lender's program, on the writer of columns and rows.

Two makers of rows matter to a reader: `define` fixes a state, `limit` writes a rule (`liquidity.program.writer`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import xarray as xr

from liquidity.book import Book
from liquidity.program.grid import Grid, has_day, make_grid
from liquidity.program.inputs import BORROWERS, Arrays, make_inputs
from liquidity.program.issues import Issue, issue_sets, plan_issues
from liquidity.program.known import choose_unit, day_of
from liquidity.program.lazy import ArrayParam
from liquidity.program.provisions import staged
from liquidity.program.shocks import NO_SHOCKS, Shocks
from liquidity.program.writer import (
    DEFINITION,
    SEQUENCE,
    TERMS,
    Body,
    Bound,
    Columns,
    Owner,
    Rows,
    Writer,
    as_tuple,
    bounds_of,
    only_one,
    owner_name,
    product_of,
)

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Rulebook

__all__ = [
    "DEFINITION", "DIMS", "SEQUENCE", "TERMS", "Body", "Bound", "Columns", "Owner", "Pool", "Rows", "Writer",
    "as_tuple", "bounds_of", "only_one", "owner_name", "product_of",
]  # fmt: skip

DIMS = {
    "SEGMENT": ("segment",), "BORROWER": ("borrower",), "LINE": ("line",), "PERIOD": ("period",), "TIME": ("period",),
    **dict.fromkeys(("FACILITY", "OPEN", "HOUSE", "JOINT", "DIRECT", "WAREHOUSE", "ABS", "SCHEDULED", "TRUST", "SPV",
                     "BOUGHT", "REVOLVER", "SAFE", "UNSAFE"), ("facility",)),
    **dict.fromkeys(("CLASS", "SOLD", "RETAINED", "OPEN_CLASS"), ("facility", "tranche")),
    "ISSUE": ("facility", "period"), "GIVER": ("warehouse",),
    **dict.fromkeys(("ENDING", "LAST", "PAID"), ("facility", "tranche", "period")),
}  # fmt: skip


class Pool(Writer):
    """Everything a rule may touch while it writes its rows.

    `book`, `rulebook`, `grid`, `inputs` (Dataset in program units), `arrays` (the same without labels), `unit` (CNY
    per unit), `model` (Pyomo), `previous` (segment -> share of the freed money relent in the last executed night, or
    None), `staged` (stages and expected credit loss, None where provisions follow the rates of the book), `cautious`
    (no trust is taken to earn its losses and coupons in every period, see `trusts.is_safe`), `amortising` (trust ->
    first period, 1 to T, in which it no longer revolves because a covenant was broken), `issues` (planned ABS of the
    horizon by facility), and `shocks`, what a scenario changes of the inputs.
    """

    def __init__(self, book: Book, rulebook: Rulebook, previous: pd.Series | None = None, cautious: bool = False,
                 amortising: Mapping[str, int] | None = None, shocks: Shocks = NO_SHOCKS) -> None:  # fmt: skip
        super().__init__(DIMS, "CNY")
        self.book, self.rulebook, self.previous, self.cautious = book, rulebook, previous, cautious
        self.amortising, self.shocks = dict(amortising or {}), shocks
        self.grid: Grid = make_grid(book.as_of, rulebook.horizon)
        self.unit = choose_unit(book)
        asked = rulebook.provisions
        self.inputs: xr.Dataset = make_inputs(book, self.grid, self.unit, rulebook.market_rate, shocks, asked)
        self.staged = None if asked is None else staged(book, self.inputs, asked)
        self.arrays = Arrays(self.inputs)
        self.facilities = book["facilities"]
        self.issues: dict[str, Issue] = plan_issues(book, self.grid)
        self._revolving: dict[str, list[int]] = {}
        self._paying: dict[str, list[int]] = {}
        self._place_of = {facility: at for at, facility in enumerate(self.facilities.index)}
        self._sets()

    def money(self, amount: Any) -> Any:
        """An amount in CNY as program units."""
        return amount / self.unit

    def places(self, facilities: Iterable[str]) -> list[int]:
        """Positions of some facilities on their axis of `arrays`."""
        return [self._place_of[facility] for facility in facilities]

    def flows(self, account: str | None = None) -> np.ndarray:
        """Known flows of one account by period, units; of all accounts together where none is named."""
        flow = self.inputs.variables["flow"].values
        if account is None:
            return flow.sum(axis=0)
        return flow[self.inputs.indexes["account"].get_loc(account)]

    def ends(self, facility: str) -> list[int]:
        """Periods in which the facility buys no more: those that start at or after the end of its revolving period."""
        last = max(self.revolving(facility), default=0)
        return list(range(last + 1, self.grid.size + 1))

    def revolving(self, facility: str) -> list[int]:
        """Periods that start before the facility's revolving period ends; all where it has no end.

        A planned ABS revolves from the period of its issue on.
        """
        if facility not in self._revolving:
            first = self.issues[facility].period if facility in self.issues else 1
            self._revolving[facility] = [t for t in self.grid.before(self.revolving_end(facility)) if t >= first]
        return self._revolving[facility]

    def paying(self, facility: str) -> list[int]:
        """Periods in which a trust may pay principal, residual and release: those with one of its payment dates, the
        same day of every month; all of them where it has none.
        """
        if facility not in self._paying:
            day, starts = int(self.facilities.payment_day[facility]), self.grid.starts
            dated = [t for t in range(1, len(starts)) if not day or has_day(starts[t - 1], starts[t], day)]
            self._paying[facility] = dated
        return self._paying[facility]

    def window(self, facility: str, period: int) -> list[int]:
        """Periods since the trust's last payment date up to a period, that period among them."""
        before = [t for t in self.paying(facility) if t < period]
        return list(range(max(before, default=0) + 1, period + 1))

    def revolving_end(self, facility: str) -> date | None:
        """First day on which the facility no longer revolves, by its terms or an early amortisation; None: never."""
        end = day_of(self.facilities.revolving_end[facility])
        if facility not in self.amortising:
            return end
        early = self.grid.starts[self.amortising[facility] - 1]
        return early if end is None else min(early, end)

    def _sets(self) -> None:
        """Sets of labels. Periods count from 1; TIME has the opening, 0, before them."""
        m, kind = self.model, self.facilities.kind
        of = {k: [f for f in kind.index if kind[f] == k] for k in ("balance_sheet", "joint", "warehouse", "abs")}
        # an ABS planned for later than the horizon stays empty, which is a schedule too
        later = set(self.book["issues"].index) - set(self.issues)
        scheduled = [f for f in of["abs"] if f in later or not self.revolving(f)]
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
        issue_sets(self)

    def labels(self) -> Mapping[str, Iterable[Any]]:
        """Labels of the book by dim."""
        return {
            "segment": self.inputs.segment.values, "facility": self.inputs.facility.values,
            "line": self.inputs.line.values, "period": range(self.grid.size + 1),
            "partner": self.book["partners"].index, "borrower": BORROWERS,
        }  # fmt: skip

    def data(self, name: str, *over: str, of: str | None = None) -> Any:
        """A Param of the model taken from `inputs`, cut to the sets `over`."""
        if self.model.component(name) is not None:
            return self.model.component(name)
        values = getattr(self.arrays, of or name)
        sets = [self.model.component(label) for label in over]
        for label, group in zip(over, sets):
            if self.dims[label] == ("facility",) and len(group) < len(self.facilities):
                values = values[:, self.places(group)]
        self.model.add_component(name, ArrayParam(*sets, array=values))
        return self.model.component(name)
