"""The close of a night by the accounts of DESIGN 5, from what was decided and what came in, and the book after it.

Computed anew from the orders of the first period and the night's receipts, with none of the program's rows: the states
that the program planned for the close are what this is held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book, opening
from liquidity.program.pool import Pool

DIRECT = ("balance_sheet", "joint")
INCOME = ("interest", "fees", "cash_interest", "losses", "funding_cost", "running_cost", "provision_change",
          "other_income")  # fmt: skip


FEN = 0.01


@dataclass(frozen=True)
class Close:
    """States at the end of a night, CNY: arrays over segment, facility, line and tranche (`facility/tranche`).

    `income` are the parts of the change of equity, losses and costs negative; they add up to it. `defaults` (segment,
    facility) is the principal that defaulted.
    """

    balance: xr.DataArray
    facility_cash: xr.DataArray
    notes: xr.DataArray
    deficiency: xr.DataArray
    debt: xr.DataArray
    tranche: xr.DataArray
    cash: float
    equity: float
    provision: float
    defaults: xr.DataArray
    income: dict[str, float]


class Orders:
    """The orders of the first period, CNY, zero where the plan has no such column."""

    def __init__(self, pool: Pool, plan: xr.Dataset) -> None:
        self.plan, self.data = plan, pool.inputs

    def __call__(self, name: str, *dims: str) -> xr.DataArray:
        """Amounts over `dims`, every label of the book there."""
        coords = {dim: self.data[dim].values for dim in dims}
        if name not in self.plan:
            return xr.DataArray(np.zeros([len(c) for c in coords.values()]), coords=coords, dims=dims)
        tonight = self.plan[name].isel(period=0, drop=True)
        if name == "lend":
            tonight = tonight.sum("borrower")
        return tonight.reindex(coords, fill_value=0.0).transpose(*dims)


def close_night(pool: Pool, plan: xr.Dataset) -> Close:
    """Close the first period of a plan; the receipts are those of the pool's book."""
    data, unit = pool.inputs.isel(period=0, drop=True), pool.unit
    years, orders = float(data.years), Orders(pool, plan)
    kind = xr.DataArray(pool.facilities.kind.to_numpy(object), coords={"facility": data.facility.values})
    held, own = data.balance * unit, data.own_share
    lend, move = orders("lend", "segment", "facility"), orders("move", "segment", "facility")
    sold = move.sum("facility") * (kind == "balance_sheet")
    balance = data.keep * held + lend + move - sold
    provision = float((own * data.ecl_rate * balance).sum())
    income = incomes(pool, data, years, held, provision)
    vehicle = vehicle_cash(data, unit, years, held, orders, kind)
    paid = orders("pay", "tranche")
    owed = data.deficiency * unit + (data.loss * held).sum("segment")
    owed = owed + orders("shortfall", "facility") - orders("cover", "facility")
    return Close(
        balance=balance.transpose("segment", "facility"),
        facility_cash=vehicle,
        notes=data.notes * unit + orders("note_draw", "facility") - orders("note_pay", "facility"),
        deficiency=owed.where(kind == "abs", 0.0),
        debt=data.debt * unit + orders("draw", "line") - orders("pay_down", "line"),
        tranche=data.tranche_balance * unit - paid,
        cash=treasury_cash(pool, data, years, held, orders, kind, sold),
        equity=float(data.lender_equity) * unit + sum(income.values()),
        provision=provision,
        defaults=(data.default * held).transpose("segment", "facility"),
        income=income,
    )


def vehicle_cash(data: xr.Dataset, unit: float, years: float, held: xr.DataArray, orders: Orders,
                 kind: xr.DataArray) -> xr.DataArray:  # fmt: skip
    """Cash of warehouses and trusts (facility); nought elsewhere."""
    cash = data.facility_cash * unit * (1 + data.facility_cash_rate * years)
    cash = cash + (data.collected * held).sum("segment") - data.servicing_fee * years * held.sum("segment")
    paid = by_facility(coupons(data, unit, years) + orders("pay", "tranche"), data)
    cash = cash - note_cost(data, unit, years) - paid
    cash = cash + orders("note_draw", "facility") - orders("note_pay", "facility") + orders("contribute", "facility")
    cash = cash - orders("release", "facility") - orders("residual", "facility")
    bought = (orders("lend", "segment", "facility") + orders("move", "segment", "facility")).sum("segment")
    return (cash - bought).where(~kind.isin(DIRECT), 0.0)


def treasury_cash(pool: Pool, data: xr.Dataset, years: float, held: xr.DataArray, orders: Orders, kind: xr.DataArray,
                  sold: xr.DataArray) -> float:  # fmt: skip
    """Treasury cash."""
    unit, own, direct = pool.unit, data.own_share, kind.isin(DIRECT)
    kept = ~data.sold.astype(bool)
    got = (own * data.collected * held).where(direct, 0.0).sum() + partner_fees(data, years, held)
    got = got + (data.servicing_fee * years * held).where(~direct, 0.0).sum() - (data.opex * years * held).sum()
    got = got + ((coupons(data, unit, years) + orders("pay", "tranche")) * kept).sum() + sold.sum()
    upward = orders("release", "facility") + orders("residual", "facility") - orders("contribute", "facility")
    got = got + upward.sum()
    got = got - (own * orders("lend", "segment", "facility").sum("segment")).where(direct, 0.0).sum()
    got = got + (orders("draw", "line") - orders("pay_down", "line")).sum() - line_cost(data, unit, years)
    fixed = float(data.lender_opex_per_year) * unit * years
    return float(data.lender_cash * unit * (1 + data.cash_rate * years) + got - fixed + data.flow.sum() * unit)


def incomes(pool: Pool, data: xr.Dataset, years: float, held: xr.DataArray, provision: float) -> dict[str, float]:
    """The parts of the change of equity."""
    unit, own = pool.unit, data.own_share
    sold = data.sold.astype(bool)
    parts: dict[str, Any] = {
        "interest": (own * data.interest * held).sum(),
        "fees": partner_fees(data, years, held),
        "cash_interest": (data.cash_rate * data.lender_cash + (data.facility_cash_rate * data.facility_cash).sum())
        * years
        * unit,
        "losses": -(own * data.loss * held).sum(),
        "funding_cost": -line_cost(data, unit, years)
        - note_cost(data, unit, years).sum()
        - coupons(data, unit, years).where(sold, 0.0).sum(),
        "running_cost": -(data.opex * years * held).sum() - data.lender_opex_per_year * unit * years,
        "provision_change": float(data.lender_provision) * unit - provision,
        "other_income": data.flow.sel(account="income") * unit,
    }
    return {name: float(parts[name]) for name in INCOME}


def partner_fees(data: xr.Dataset, years: float, held: xr.DataArray) -> Any:
    """What partners pay for their part of joint loans."""
    return ((1 - data.own_share) * data.partner_fee * years * held).sum()


def line_cost(data: xr.Dataset, unit: float, years: float) -> Any:
    """Interest on lines and fees on what is not drawn."""
    undrawn = data.line_commitment - data.debt
    return ((data.line_rate * data.debt + data.commitment_fee * undrawn) * years).sum() * unit


def note_cost(data: xr.Dataset, unit: float, years: float) -> xr.DataArray:
    """Interest on warehouse notes and fees on what is not drawn (facility)."""
    return (data.rate * data.notes + data.unused_fee * (data.note_commitment - data.notes)) * years * unit


def coupons(data: xr.Dataset, unit: float, years: float) -> xr.DataArray:
    """Coupons of every class (tranche)."""
    return data.coupon * years * data.tranche_balance * unit


def by_facility(amounts: xr.DataArray, data: xr.Dataset) -> xr.DataArray:
    """Amounts of classes (tranche) added up by facility."""
    names = [str(label).split("/", 1)[0] for label in amounts.tranche.values]
    sums = pd.Series(amounts.values, names, dtype=float).groupby(level=0).sum()
    values = sums.reindex(data.facility.values, fill_value=0.0).to_numpy()
    return xr.DataArray(values, coords={"facility": data.facility.values}, dims="facility")


def gap(pool: Pool, plan: xr.Dataset, done: Close) -> float:
    """Largest difference between this close and the one the program planned, as a share of the assets."""
    parts = [done.cash - float(plan.cash[0]), done.equity - float(plan.equity[0]),
             done.provision - float(plan.provision[0])]  # fmt: skip
    names = {"balance": "balance", "debt": "debt", "facility_cash": "facility_cash", "notes": "notes",
             "deficiency": "deficiency", "tranche": "tranche_balance"}  # fmt: skip
    for mine, planned in names.items():
        if planned in plan:
            known = getattr(done, mine)
            labels = {dim: known[dim].values for dim in known.dims}
            other = plan[planned].isel(period=0, drop=True).reindex(labels, fill_value=0.0)
            parts.append(float(np.abs(known - other).max()))
    return max(abs(part) for part in parts) / opening(pool.book).assets


def other_gap(before: Book, after: Book, pool: Pool) -> float:
    """By how much the balance sheet fails to close: the drift of `other` beyond the night's known flows, as a share of
    the assets."""
    moved = float(pool.inputs.flow.sel(account="other").isel(period=0)) * pool.unit
    return abs(opening(after).other - opening(before).other + moved) / opening(before).assets


def next_tables(book: Book, done: Close, write_off: float | None,
                ended: list[str] | None = None) -> dict[str, pd.DataFrame]:  # fmt: skip
    """The tables of tomorrow's book that a night changes. Trusts that `ended` by a broken covenant revolve no more.

    Regulatory capital and net assets move with equity, as the rules have it. Past-due parts keep their share of the
    balance; the bad stock takes in what defaulted and is written off at `write_off` a year, unchanged where that is
    None. What the partners lend beside the joint loans is not known and stays, and so do the servicer's reports.
    """
    lender, lines, places, classes = (book[name] for name in ("lender", "lines", "facilities", "tranches"))
    earned = done.equity - float(lender.equity.iloc[0])
    lender["as_of"] = pd.Timestamp(book.as_of + timedelta(days=1))
    for name in ("net_assets", "tier1_capital", "total_capital"):
        lender[name] = lender[name] + earned
    lender["cash"], lender["equity"], lender["provision"] = max(done.cash, 0.0), done.equity, done.provision
    lines["drawn"] = positive(done.debt).to_series().reindex(lines.index).to_numpy()
    for name, values in (("cash", done.facility_cash), ("drawn", done.notes), ("deficiency", done.deficiency)):
        places[name] = positive(values).to_series().reindex(places.index).to_numpy()
    places.loc[ended or [], "revolving_end"] = lender.as_of.iloc[0]
    owed = positive(done.tranche).to_series()
    classes["balance"] = [float(owed[f"{facility}/{name}"]) for facility, name in classes.index]
    return {"lender": lender, "lines": lines, "facilities": places, "tranches": classes,
            "balances": next_balances(book, done, write_off)}  # fmt: skip


def next_balances(book: Book, done: Close, write_off: float | None) -> pd.DataFrame:
    """The table of balances after a night; pairs that hold nothing and never did are not listed."""
    old, new = book["balances"], positive(done.balance).to_series()
    kept = new.index[(new > 0) | new.index.isin(old.index)]
    table = old.reindex(kept).fillna(0.0)
    grown = (new[kept] / table.balance).where(table.balance > 0, 0.0)
    for name in ("past_due_1_30", "past_due_31_90"):
        table[name] = table[name] * grown
    table["balance"] = new[kept]
    if write_off is not None:
        table["npl"] = table.npl * np.exp(-write_off / 365) + done.defaults.to_series()[kept]
    return table


def positive(values: xr.DataArray) -> xr.DataArray:
    """Without what rounding leaves below half a fen: a deficiency of nothing would ask for yes/no decisions."""
    return values.where(values >= FEN / 2, 0.0)
