"""The numbers behind a rule that could be loosened: fields of the rulebook and cells of the book (DESIGN 5, 7.5)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from liquidity.book import Book
from liquidity.program.grid import make_grid
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.levers import DOWN, FIELDS, NEARLY_NONE, SHARES, UP, farthest

MORE: dict[str, dict[str, float]] = {
    "npl_ratio": {"share": UP}, "provision_cover": {"npl_share": DOWN, "loan_share": DOWN},
    "survival": {"called": DOWN, "collected": UP}, "inclusion": {"share": DOWN}, "relend_floor": {"share": DOWN},
    "covenants": {"min_excess_spread": DOWN, "max_default_rate": UP, "min_payment_rate": DOWN},
    "revolving_period": {"stuffing_cap": UP}, "price_cap": {"cap": UP},
}  # fmt: skip
"Fields that loosen a rule beside those that a single segment may be enabled by (`levers.FIELDS`)."
ENDS = {("npl_ratio", "share"): SHARES - NEARLY_NONE, ("covenants", "min_excess_spread"): -SHARES}
GROUPED = ("concentration", "excess_concentration")
MOST = 100.0
"How many times what it was a number may become that is no share: a conflict is ended at any size of change."
DIGITS, FINEST = 4, 12
WASTE = 0.01
"A number is told to four digits, or more where rounding would add more than this part of the change."
DATE = "date"


@dataclass(frozen=True)
class Inputs:
    """A book and a rulebook."""

    book: Book
    rulebook: Rulebook


@dataclass(frozen=True)
class Knob:
    """One number behind a rule: a field of the rulebook (`key` its group, where it has groups) or a cell of the book.

    `kind` is the key of `levers.COST`; `table` is empty for the rulebook, whose `row` is the rule's name; `end` is the
    farthest that the number may be moved. A date is the number of its day.
    """

    rule: str
    kind: str
    origin: str
    table: str
    row: str
    column: str
    key: str
    now: float
    end: float
    unit: str

    def apply(self, at: Inputs, number: float) -> Inputs:
        """The inputs with another number. Raises BadInput where it is refused."""
        if self.table:
            key: Any = int(self.row) - 1 if self.table == "pins" else self.row
            cell = pd.Timestamp(date.fromordinal(round(number))) if self.unit == DATE else number
            return replace(at, book=at.book.edit(self.table, key, **{self.column: cell}))
        new: Any = number
        if self.key:
            new = {**getattr(at.rulebook.rule(self.rule), self.column), self.key: number}
        return replace(at, rulebook=at.rulebook.edit(self.rule, **{self.column: new}))

    def at(self, part: float) -> float:
        """The number a part of the way to its end."""
        return self.now + min(part, 1.0) * (self.end - self.now)

    def typed(self, part: float) -> float:
        """The number a part of the way, rounded away from where it stands to few digits."""
        exact = self.at(part)
        if part >= 1.0 or exact == 0.0 or exact == self.now:
            return exact
        away = math.ceil if self.end > self.now else math.floor
        if self.unit == DATE:
            return float(away(exact))
        for digits in range(DIGITS, FINEST):
            step = 10.0 ** (math.floor(math.log10(abs(exact))) + 1 - digits)
            step = max(step, 0.01) if self.unit == "CNY" else step
            rounded = float(f"{away(round(exact / step, 6)) * step:.12g}")
            if abs(rounded - exact) <= WASTE * abs(exact - self.now):
                break
        return min(rounded, self.end) if self.end > self.now else max(rounded, self.end)

    def told(self, number: float) -> float | str:
        """The number as a record keeps it; a date in ISO."""
        return date.fromordinal(round(number)).isoformat() if self.unit == DATE else number


def knobs_of(name: str, at: Inputs) -> list[Knob]:
    """The numbers that loosen the rule of that name, those of the rulebook first; none for a rule without numbers."""
    rule = at.rulebook.rule(name)
    return [*fields(rule), *groups(rule, at.book), *cells(rule, at), *pins(rule, at.book)]


def fields(rule: Any) -> Iterator[Knob]:
    """Plain numbers of the rule."""
    for name, way in {**FIELDS.get(rule.kind, {}), **MORE.get(rule.kind, {})}.items():
        now = getattr(rule, name)
        if now is None or (way == DOWN and not now and (rule.kind, name) not in ENDS):
            continue
        extra: Any = type(rule).model_fields[name].json_schema_extra or {}
        unit = str(extra.get("unit", ""))
        whole = unit in ("share", "1/year", "1/month")
        end = MOST * now if way == UP and not whole else farthest(now, way, "share")
        end = ENDS.get((rule.kind, name), end)
        if end != now:
            yield Knob(rule.name, rule.kind, rule.origin, "", rule.name, name, "", float(now), end, unit)


def groups(rule: Any, book: Book) -> Iterator[Knob]:
    """Limits of single groups, and multiples of single kinds of line."""
    if rule.kind in GROUPED:
        for group, share in rule.limits(book).items():
            if share < SHARES:
                yield Knob(rule.name, rule.kind, rule.origin, "", rule.name, "shares", group, share, SHARES, "share")
    if rule.kind == "leverage_multiple":
        for kind, times in rule.kinds.items():
            end = MOST * times
            yield Knob(rule.name, rule.kind, rule.origin, "", rule.name, "kinds", str(kind), times, end, "times")


def cells(rule: Any, at: Inputs) -> Iterator[Knob]:
    """Cells of the book behind a rule: commitments, maturities, advance rates, quotas."""
    book = at.book
    if rule.kind == "line_limit":
        yield from maturities(rule, at)
        yield from commitments(rule, book)
    if rule.kind == "advance_rate":
        for name, rate in book["facilities"].advance_rate.items():
            if 0 < rate < 1:
                yield cell(rule, rule.kind, "facilities", name, "advance_rate", rate, SHARES, "share")
    if rule.kind == "partner_limit":
        for name, quota in book["partners"].daily_quota.items():
            if np.isfinite(quota) and quota > 0:
                yield cell(rule, rule.kind, "partners", name, "daily_quota", quota, MOST * quota, "CNY")


def commitments(rule: Any, book: Book) -> Iterator[Knob]:
    """What lines and warehouses are committed to."""
    for table, kind in (("lines", "line_limit"), ("facilities", "warehouse")):
        for name, most in book[table].commitment.items():
            if most > 0:
                yield cell(rule, kind, table, name, "commitment", most, MOST * most, "CNY")


def maturities(rule: Any, at: Inputs) -> Iterator[Knob]:
    """Dates at which lines fall due within the horizon; at the farthest just after its end."""
    last = make_grid(at.book.as_of, at.rulebook.horizon).starts[-1].toordinal() + 1.0
    for name, due in at.book["lines"].maturity.items():
        if not pd.isna(due) and due.toordinal() < last:
            yield cell(rule, "line_limit", "lines", name, "maturity", float(due.toordinal()), last, DATE)


def cell(rule: Any, kind: str, table: str, row: Any, column: str, now: float, end: float, unit: str) -> Knob:
    """A cell of the book that a contract settles."""
    return Knob(rule.name, kind, "contract", table, str(row), column, "", float(now), end, unit)


def pins(rule: Any, book: Book) -> Iterator[Knob]:
    """Amounts of instructions, down where they ask for at least, up where they allow at most, both where they fix."""
    for number, pin in enumerate(book["pins"].to_dict("records") if rule.kind == "pins" else (), 1):
        now = float(pin["amount"])
        ends = ([0.0] if pin["op"] != "<=" and now > 0 else []) + ([MOST * max(now, 1.0)] if pin["op"] != ">=" else [])
        for end in ends:
            yield Knob(rule.name, rule.kind, rule.origin, "pins", str(number), "amount", "", now, end, "CNY")


def from_record(change: dict[str, Any]) -> tuple[Knob, float]:
    """A change as a run record keeps it, as a number to be moved and where to."""
    given = {name: change[name] for name in ("rule", "kind", "origin", "table", "row", "column", "key", "unit")}
    now, to = (date.fromisoformat(part).toordinal() if given["unit"] == DATE else part
               for part in (change["now"], change["to"]))  # fmt: skip
    return Knob(**given, now=float(now), end=float(to)), float(to)
