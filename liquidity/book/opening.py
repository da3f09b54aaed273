"""The lender's opening balance sheet: what it owns against what it owes, before tonight's receipts.

SPVs are consolidated: their loans and cash are assets, their outside notes debts, and the notes the lender holds are
eliminated. The partner's share of a joint loan is on no line. What does not balance is `other`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from liquidity.book.fields import TABLES
from liquidity.book.tidy import flatten

if TYPE_CHECKING:
    from liquidity.book.book import Book


@dataclass(frozen=True)
class Opening:
    """The opening balance sheet, in CNY; assets + other = debts + equity, where assets are net of the provision."""

    cash: float
    hqla: float
    facility_cash: float
    own_loans: float
    "The lender's share of the performing loans."
    provision: float
    lines: float
    notes: float
    sold: float
    "Tranches held by third parties."
    equity: float

    @property
    def assets(self) -> float:
        """Cash, HQLA, cash in facilities and own loans, net of the provision."""
        return self.cash + self.hqla + self.facility_cash + self.own_loans - self.provision

    @property
    def debts(self) -> float:
        """Lines, warehouse notes and tranches owed to others."""
        return self.lines + self.notes + self.sold

    @property
    def other(self) -> float:
        """What is missing from the assets for the sheet to balance (negative: from debts and equity)."""
        return self.debts + self.equity - self.assets

    @property
    def share(self) -> float:
        """|other| as a share of the assets; infinite where there are no assets to compare with."""
        if self.other == 0:
            return 0.0
        return math.inf if self.assets <= 0 else abs(self.other) / self.assets


@lru_cache(maxsize=8)
def opening(book: Book) -> Opening:
    """The opening balance sheet of a book, which never changes: added up once."""
    return opening_of({name: flatten(table, book[name]) for name, table in TABLES.items()})


def opening_of(tables: Mapping[str, pd.DataFrame]) -> Opening:
    """The opening balance sheet of flat tables; NaN where a value is NaN."""
    lender = tables["lender"].iloc[0]
    balances, tranches = tables["balances"], tables["tranches"]
    sold = tranches.loc[tranches["holder"] == "third_party", "balance"]
    weight = balances["facility"].map(own_shares(tables["facilities"])).astype("float64")
    return Opening(
        cash=float(lender["cash"]),
        hqla=float(lender["hqla"]),
        facility_cash=_total(tables["facilities"]["cash"]),
        own_loans=_total(balances["balance"] * weight),
        provision=float(lender["provision"]),
        lines=_total(tables["lines"]["drawn"]),
        notes=_total(tables["facilities"]["drawn"]),
        sold=_total(sold),
        equity=float(lender["equity"]),
    )


def own_shares(facilities: pd.DataFrame) -> pd.Series:
    """The lender's share of the loans in each facility (index: facility); 1 unless it is joint."""
    joint = facilities["kind"] == "joint"
    shares = facilities["own_share"].where(joint, 1.0).to_numpy()
    series = pd.Series(shares, index=pd.Index(facilities["facility"]))
    return series[~series.index.duplicated()]


def _total(values: pd.Series) -> float:
    return float(values.sum(skipna=False))
