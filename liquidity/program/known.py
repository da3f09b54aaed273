"""What is known of a book on a time grid before any scenario: labelled arrays in program units, made once per book.

Money is divided by `unit`, a power of ten of the currency chosen so that the book is 1e5 to 1e6 units: the solver's
tolerances are absolute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book, opening
from liquidity.program.grid import Grid
from liquidity.program.provisions import staged

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Provisions

GATES = ("asked", "score_kept", "model_kept", "policy_kept", "available")
ACCOUNTS = ("income", "other")
KEPT = 8
"""Books whose numbers are kept at hand: tonight's, the one without new lending, what is compared with them."""


@dataclass(frozen=True)
class Known:
    """The numbers of a book that no scenario changes, and those that scenarios change as the book has them.

    `data` dims segment, facility, tranche, line (units, 1/year, shares); `gate` (gate, segment, period) shares;
    `demand` (segment, period) CNY a month; `flow` (account, period) units. All are read-only.
    """

    data: xr.Dataset
    gate: np.ndarray
    demand: np.ndarray
    flow: np.ndarray


@lru_cache(maxsize=KEPT)
def know(book: Book, grid: Grid, unit: float, market_rate: float, provisions: Provisions | None) -> Known:
    """Everything of `make_inputs` that does not depend on shocks."""
    data = xr.Dataset(
        coords={
            "segment": list(book["segments"].index),
            "facility": list(book["facilities"].index),
            "line": list(book["lines"].index),
            "gate": list(GATES),
            "period": np.arange(1, grid.size + 1),
        }
    )
    data["years"] = ("period", np.array(grid.years))
    for part in (segments_part(book), facilities_part(book, unit), tranches_part(book, unit), lines_part(book, unit)):
        data = data.merge(part)
    data["balance"] = opening_balance(book, data) / unit
    if provisions is not None:
        data["ecl_rate"] = ("segment", staged(book, data, provisions).ecl_rate.to_numpy())
    data = data.assign(lender_part(book, unit, data, market_rate))
    gate = np.stack([requested(book, grid, data, name) for name in GATES])
    found = Known(data, gate, requested(book, grid, data, "new_demand"), flows(book, grid, unit))
    for array in (found.gate, found.demand, found.flow, *(data[name].values for name in data.data_vars)):
        array.flags.writeable = False
    return found


def choose_unit(book: Book) -> float:
    """CNY per program unit: the power of ten at which assets are 1e5 to 1e6 units."""
    return 10.0 ** (math.floor(math.log10(max(opening(book).assets, 1.0))) - 5)


def day_of(stamp: object) -> date | None:
    """The date of a timestamp of the book; None where the book says never."""
    return None if pd.isna(stamp) else pd.Timestamp(stamp).date()  # type: ignore[call-overload,arg-type]


def segments_part(book: Book) -> xr.Dataset:
    """What is known of each segment; guarantees enter net (loss given default, APR)."""
    table = book["segments"]
    columns = {
        "apr": table.apr - table.guarantee_fee * table.guaranteed_share,
        "guarantee_cost": table.guarantee_fee * table.guaranteed_share,
        "lgd": table.lgd * (1 - table.guaranteed_share),
        "opex": table.opex_rate + book.lender.opex_rate,
        "pay_intensity": -12 * np.log1p(-table.monthly_payment_rate),
        "default_intensity": -np.log1p(-table.pd),
        "priority": table.priority,
        "ecl_rate": table.ecl_rate,
        "risk_weight": table.risk_weight,
        "pd": table.pd,
    }
    return xr.Dataset({name: ("segment", np.asarray(column, float)) for name, column in columns.items()})


def facilities_part(book: Book, unit: float) -> xr.Dataset:
    """What is known of each facility; `own_share` counts for joint lending only."""
    table = book["facilities"]
    money = {name: table[name] / unit for name in ("commitment", "drawn", "cash", "deficiency")}
    rates = {name: table[name] for name in ("advance_rate", "rate", "unused_fee", "servicing_fee", "partner_fee")}
    columns = {
        **rates,
        "note_commitment": money["commitment"],
        "notes": money["drawn"],
        "facility_cash": money["cash"],
        "deficiency": money["deficiency"],
        "own_share": table.own_share.where(table.kind == "joint", 1.0),
        "facility_cash_rate": table.cash_rate,
        "reserve_rate": table.reserve_rate,
    }
    data = xr.Dataset({name: ("facility", np.asarray(column, float)) for name, column in columns.items()})
    return data.assign(stopped=("facility", table.frozen.to_numpy(bool)))


def tranches_part(book: Book, unit: float) -> xr.Dataset:
    """Classes of notes, most senior first within a facility; label `facility/tranche`."""
    table = book["tranches"].reset_index().sort_values(["facility", "seniority"])
    return xr.Dataset(
        {
            "tranche": ("tranche", [f"{f}/{k}" for f, k in zip(table.facility, table.tranche)]),
            "tranche_balance": ("tranche", table.balance.to_numpy(float) / unit),
            "coupon": ("tranche", table.coupon.to_numpy(float)),
            "issue_share": ("tranche", table.issue_share.to_numpy(float)),
            "sold": ("tranche", (table.holder == "third_party").to_numpy()),
        }
    )


def lines_part(book: Book, unit: float) -> xr.Dataset:
    """Credit lines and debts."""
    table = book["lines"]
    money = {"debt": table.drawn / unit, "line_commitment": table.commitment / unit}
    columns = {**money, "line_rate": table.rate, "commitment_fee": table.commitment_fee}
    return xr.Dataset({name: ("line", np.asarray(column, float)) for name, column in columns.items()})


def opening_balance(book: Book, data: xr.Dataset) -> xr.DataArray:
    """Performing principal before tonight's receipts, dims (segment, facility), CNY."""
    table = book["balances"].balance.unstack("facility")
    table = table.reindex(index=data.segment.values, columns=data.facility.values)
    # a pair that the book does not list holds nothing
    return xr.DataArray(table.fillna(0.0).to_numpy(float), dims=("segment", "facility"))


def requested(book: Book, grid: Grid, data: xr.Dataset, column: str) -> np.ndarray:
    """A column of the table `requests` by segment and period: the last value told by the day a period starts."""
    starts = pd.DatetimeIndex(grid.starts[:-1])
    wide = book["requests"][column].unstack("segment").sort_index().ffill()
    wide = wide.reindex(wide.index.union(starts)).ffill().reindex(index=starts, columns=data.segment.values)
    return wide.to_numpy(float).T


def flows(book: Book, grid: Grid, unit: float) -> np.ndarray:
    """Other known cash flows by account (`ACCOUNTS`) and period, in units; + in, - out."""
    out = np.zeros((len(ACCOUNTS), grid.size))
    table = book["flows"].reset_index()
    for day, account, amount in zip(table.date.dt.date, table.account, table.amount.to_numpy(float)):
        period = grid.period_of(day)
        if period is not None:
            out[ACCOUNTS.index(account), period - 1] += amount / unit
    return out


def lender_part(book: Book, unit: float, data: xr.Dataset, market_rate: float) -> dict[str, object]:
    """Opening stocks of the lender (units) and the three rates that value the horizon (1/year)."""
    lender, start = book.lender, opening(book)
    rates = np.concatenate([data.line_rate.values, data.rate.values[data.notes.values > 0]])
    drawn = np.concatenate([data.debt.values, data.notes.values[data.notes.values > 0]])
    ref = float(rates @ drawn / drawn.sum()) if drawn.sum() > 0 else float(market_rate)
    dearest = max([market_rate, *data.line_rate.values, *data.rate.values, *data.coupon.values])
    money = {name: float(lender[name]) / unit for name in ("cash", "hqla", "hqla_2a", "hqla_2b", "equity", "provision",
             "net_assets", "tier1_capital", "total_capital", "opex_per_year")}  # fmt: skip
    rates_ = {
        "cash_rate": float(lender.cash_rate),
        "ref_rate": ref,
        "mean_life": mean_life(data, ref),
        "market_rate": dearest,
    }
    return {**{f"lender_{name}": value for name, value in money.items()}, **rates_, "other": start.other / unit}


def mean_life(data: xr.Dataset, ref: float) -> float:
    """Mean remaining life of the book, years: balance / (pay + default intensity + ref), weighted by balance."""
    held = data.balance.sum("facility")
    total = data.pay_intensity + data.default_intensity + ref
    return float((held / total).sum() / held.sum()) if float(held.sum()) > 0 else 1.0
