"""What falls due when, for the rules on liquidity: residual maturities, payments of borrowers, undrawn credit lines.

The vehicles pay their notes out of their own collections. Their notes are therefore a call on the lender only when
their legal final date comes near, and payments on their loans are never its inflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from liquidity.rules.base import Rule, day_of

if TYPE_CHECKING:
    from liquidity.program.pool import Pool

DAYS_PER_YEAR = 365.0
BorrowedKind = Literal["bank_line", "shareholder_loan", "bond", "interbank", "standby"]
LineKind = Literal["bank_line", "shareholder_loan", "bond", "interbank", "standby", "deposit"]
DepositClass = Literal["stable", "less_stable"]


class Owed(NamedTuple):
    """Weights of the debts: lines (line, period), warehouse notes (facility, period), tranches sold (class, period)."""

    lines: Any
    notes: Any
    sold: Any

    def total(self, m: Any, t: Any) -> Any:
        """Weighted debt at the end of a period, units."""
        return (
            sum(self.lines[k, t] * m.debt[k, t] for k in m.LINE)
            + sum(self.notes[w, t] * m.notes[w, t] for w in m.WAREHOUSE)
            + sum(self.sold[f, k, t] * m.tranche[f, k, t] for f, k in m.SOLD)
        )


def residual_days(pool: Pool, day: date | None, t: int) -> float:
    """Days from the end of period t to a day of the book; infinite where it never comes."""
    return math.inf if day is None else float((day - pool.grid.starts[t]).days)


def owed(pool: Pool, rule: Rule, line: Callable[[str, float], float], notes: Callable[[float], float]) -> Owed:
    """Weights by residual maturity in days: `line(label, days)` for lines, `notes(days)` for notes of vehicles.

    A line at call has no days left, whatever its maturity.
    """
    m, lines, places = pool.model, pool.book["lines"].maturity, pool.book["facilities"].legal_final
    at_call = pool.book["lines"].at_call

    def left(k: str, t: int) -> float:
        return 0.0 if at_call[k] else residual_days(pool, day_of(lines[k]), t)

    def weight(f: str, t: int) -> float:
        return notes(residual_days(pool, day_of(places[f]), t))

    return Owed(
        pool.param(rule, "of_line", (m.LINE, m.PERIOD), lambda k, t: line(k, left(k, t))),
        pool.param(rule, "of_notes", (m.WAREHOUSE, m.PERIOD), weight),
        pool.param(rule, "of_tranche", (m.SOLD, m.PERIOD), lambda f, k, t: weight(f, t)),
    )


def payments(pool: Pool, days: float) -> np.ndarray:
    """Principal and interest that a unit of performing loans pays within some days, dims (segment, 1, 1).

    The book has no schedule of instalments: the monthly payment rate of the segment stands for what is due.
    """
    data = pool.arrays
    total = data.pay_intensity + data.default_intensity
    paid: np.ndarray = (data.pay_intensity + data.apr) / total * (1 - np.exp(-total * days / DAYS_PER_YEAR))
    return paid


def by_class(pool: Pool, parts: Mapping[DepositClass, float], other: float) -> dict[str, float]:
    """A share by class of deposit (`other` where not given) as one share of every line of kind deposit, by label."""
    firm, loose = parts.get("stable", other), parts.get("less_stable", other)
    table = pool.book["lines"]
    deposits = table[table.kind == "deposit"]
    return {str(line): float(firm * stable + loose * (1 - stable)) for line, stable in deposits.stable_share.items()}


class Inflow(NamedTuple):
    """Payments on loans on the lender's own accounts (balance sheet, its share of joint loans), (segment, facility)."""

    share: Any

    def total(self, m: Any, t: Any) -> Any:
        """Payments expected at the end of a period, units."""
        return sum(self.share[s, f] * m.balance[s, f, t] for s in m.SEGMENT for f in m.DIRECT)


def inflow(pool: Pool, rule: Rule, days: float, counted: float) -> Inflow:
    """Payments within some days, of which a share counts."""
    m = pool.model
    own = pool.arrays.own_share[:, pool.places(m.DIRECT)]
    return Inflow(pool.param(rule, "inflow", (m.SEGMENT, m.DIRECT), counted * payments(pool, days) * own))


class Undrawn(NamedTuple):
    """Undrawn credit lines of borrowers: `lines` (units) less the balances of `segments`, each times `rate`."""

    segments: Any
    rate: Any
    lines: float

    def less(self, m: Any, t: Any) -> Any:
        """What the balances take off the weighted lines, units."""
        return sum(self.rate[s] * m.balance[s, f, t] for s in self.segments for f in m.FACILITY)


def undrawn(pool: Pool, rule: Rule, rate: float) -> Undrawn:
    """Credit lines of the borrowers, weighted; a segment that owes more than its lines has nothing undrawn."""
    table = pool.book["segments"]
    lines = pool.money(table["limit"] * table.borrowers)
    held = pool.arrays.balance.sum(axis=1).ravel()
    open_ = [s for s, room in zip(table.index, lines.to_numpy() > held) if room and rate > 0]
    segments = pool.index(rule, "open_lines", open_)
    return Undrawn(segments, pool.param(rule, "undrawn", (segments,), lambda s: rate), rate * float(lines[open_].sum()))


def flows_within(pool: Pool, days: int, t: int) -> float:
    """Other known cash flows of the treasury in the days after period t, units; in is positive."""
    table = pool.book["flows"].reset_index()
    start = pool.grid.starts[t]
    dates = table.date.dt.date if len(table) else table.date
    mine = [start <= day < start + timedelta(days=days) for day in dates]
    return float(pool.money(table.amount.to_numpy(float)[mine].sum()))
