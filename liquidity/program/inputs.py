"""A book on a time grid: every number the program needs, as labelled arrays in program units.

Money is divided by `unit`, a power of ten of the currency chosen so that the book is 1e5 to 1e6 units: the solver's
tolerances are absolute. Rates become shares per period here and nowhere else.
"""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book, opening
from liquidity.program.grid import DAYS_PER_MONTH, Grid
from liquidity.program.provisions import staged
from liquidity.program.shocks import NO_SHOCKS, Shocks, paths, rate_paths

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Provisions

GATES = ("asked", "score_kept", "model_kept", "policy_kept", "available")
AXES: dict[Any, int] = {"segment": 0, "line": 0, "tranche": 0, "facility": 1, "period": 2}
BORROWERS = ("returning", "new")


def choose_unit(book: Book) -> float:
    """CNY per program unit: the power of ten at which assets are 1e5 to 1e6 units."""
    return 10.0 ** (math.floor(math.log10(max(opening(book).assets, 1.0))) - 5)


def day_of(stamp: object) -> date | None:
    """The date of a timestamp of the book; None where the book says never."""
    return None if pd.isna(stamp) else pd.Timestamp(stamp).date()  # type: ignore[call-overload,arg-type]


def make_inputs(book: Book, grid: Grid, unit: float, market_rate: float, shocks: Shocks = NO_SHOCKS,
                provisions: Provisions | None = None) -> xr.Dataset:  # fmt: skip
    """All data of the program on the grid.

    Dims segment, facility, tranche (`facility/tranche`), line, gate, period (1 to T). Money in units, yields per unit
    of the opening balance of the period. Source of the run-off: intensities of payment and default that are constant
    within a period, DESIGN 5. What `shocks` change is in the inputs by period (`shocks.paths`, gates, demand, flows);
    the rates that value the horizon are tonight's. `provisions` put rates by IFRS 9 in place of the book's `ecl_rate`.
    """
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
    data = data.assign(paths(data, shocks, list(book["partners"].index)))
    data = data.assign(runoff(book, data, unit))
    data = data.assign(requests_part(book, grid, unit, data, shocks))
    data = data.assign(flow=flows(book, grid, unit, shocks))
    data = data.assign(yields(data))
    data = data.assign(lender_part(book, unit, data, market_rate))
    return data.assign(rate_paths(data, shocks, float(data.cash_rate)))


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


def runoff(book: Book, data: xr.Dataset, unit: float) -> dict[str, xr.DataArray]:
    """Shares of the opening balance that are repaid, default and pay interest, dims (segment, facility, period)."""
    total = data.pay_path + data.default_path
    gone = 1 - np.exp(-total * data.years)
    shape = xr.ones_like(data.own_share) * gone
    out = {
        "rep": shape * data.pay_path / total,
        "default": shape * data.default_path / total,
        "interest": shape * data.apr / total,
    }
    out = {name: array.transpose("segment", "facility", "period") for name, array in out.items()}
    return use_receipts(book, data, unit, out)


def use_receipts(book: Book, data: xr.Dataset, unit: float, out: dict[str, xr.DataArray]) -> dict[str, xr.DataArray]:
    """Put tonight's actual receipts, where the book has them, in place of the forecast of period 1."""
    table = book["repaid"]
    if table.empty:
        return out
    place = (data.indexes["segment"].get_indexer(table.index.get_level_values("segment")),
             data.indexes["facility"].get_indexer(table.index.get_level_values("facility")))  # fmt: skip
    held = data.balance.values[place] * unit
    some = held > 0
    place = (place[0][some], place[1][some])
    for name, column in (("rep", "principal"), ("interest", "interest")):
        out[name].values[(*place, 0)] = table[column].to_numpy(float)[some] / held[some]
    # borrowers pay the whole interest; the guarantor's part of it goes on, as in the forecast
    first = data.isel(period=0)
    total = first.pay_path + first.default_path
    cost = (data.guarantee_cost / total).values * (1 - np.exp(-total * first.years)).values
    out["interest"].values[(*place, 0)] -= cost[place[0]]
    known = table.defaulted.to_numpy(float)[some] / held[some]
    out["default"].values[(*place, 0)] = np.where(np.isnan(known), out["default"].values[(*place, 0)], known)
    left = 1 - out["rep"].values[(*place, 0)]
    out["default"].values[(*place, 0)] = np.minimum(out["default"].values[(*place, 0)], left)
    return out


def requests_part(book: Book, grid: Grid, unit: float, data: xr.Dataset, shocks: Shocks) -> dict[str, xr.DataArray]:
    """Gates, dims (gate, segment, period), and new demand, dims (segment, period), in units over the period."""
    starts = pd.DatetimeIndex(grid.starts[:-1])
    table = book["requests"]

    def path(column: str) -> np.ndarray:
        wide = table[column].unstack("segment").sort_index().ffill()
        wide = wide.reindex(wide.index.union(starts)).ffill().reindex(index=starts, columns=data.segment.values)
        return wide.to_numpy(float).T

    open_ = np.stack([path(name) for name in GATES]) * shocks.of("gate", data.coords)
    gate = xr.DataArray(np.clip(open_, 0.0, 1.0), dims=("gate", "segment", "period"))
    demand = path("new_demand") * shocks.of("demand", data.coords)
    months = np.array(grid.days) / DAYS_PER_MONTH
    return {
        "gate_open": gate,
        "gates": gate.prod("gate"),
        "new_demand": xr.DataArray(demand * months / unit, dims=("segment", "period")),
    }


def flows(book: Book, grid: Grid, unit: float, shocks: Shocks = NO_SHOCKS) -> xr.DataArray:
    """Other known cash flows by account (`income`, `other`) and period, in units; + in, - out."""
    out = xr.DataArray(np.zeros((2, grid.size)), dims=("account", "period"), coords={"account": ["income", "other"]})
    table = book["flows"].reset_index()
    for day, account, amount in zip(table.date.dt.date, table.account, table.amount.to_numpy(float)):
        period = grid.period_of(day)
        if period is not None:
            out.loc[{"account": account}][period - 1] += amount / unit
    return out + shocks.of("flow", {"account": out.account.values, "period": np.arange(1, grid.size + 1)}) / unit


def yields(data: xr.Dataset) -> dict[str, xr.DataArray]:
    """What one unit of opening balance brings in a period, dims (segment, facility, period)."""
    keep = 1 - data.rep - data.default
    loss = data.lgd_path * data.default
    collected = data.rep + data.interest + data.default - loss
    return {
        "keep": keep,
        "loss": loss.transpose("segment", "facility", "period"),
        "collected": collected.transpose("segment", "facility", "period"),
    }


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


class Arrays:
    """The inputs as plain arrays that broadcast against each other, `arrays.apr`: three axes, (segment or line or
    tranche, facility, period), of length 1 where an input lacks the dim; scalars are floats. Units as in `make_inputs`.

    Much of the time of writing a pool would go into aligning labels that are aligned already.
    """

    def __init__(self, data: xr.Dataset) -> None:
        self._data, self._made = data.variables, dict[str, Any]()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._data:
            raise AttributeError(name)
        if name not in self._made:
            variable = self._data[name]
            shape = [1, 1, 1]
            for dim, size in zip(variable.dims, variable.shape):
                shape[AXES[dim]] = size
            self._made[name] = variable.values.reshape(shape) if variable.dims else float(variable.values)
        return self._made[name]
