"""Pieces the made lenders share: rounding, holdings by eligibility, the lender's row that closes the balance sheet.

A made lender is a `dict[str, DataFrame]` of plain tables: keys are ordinary columns, money is in CNY rounded to fen.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]

MILLION = 1e6
NEVER = ""
COMPARE: dict[str, Callable[[pd.Series, str], pd.Series]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "in": lambda column, value: column.isin(value.split("|")),
    "<=": lambda column, value: column <= float(value),
    ">=": lambda column, value: column >= float(value),
}
"The comparisons of `eligibility` that the made lenders use."


def dates(texts: list[str]) -> pd.DatetimeIndex:
    """ISO dates as a column of dates; `NEVER` is no date."""
    return pd.DatetimeIndex([pd.Timestamp(text) if text != NEVER else pd.NaT for text in texts])


def classes(sizes: Mapping[str, list[tuple[float, float]]]) -> pd.DataFrame:
    """The table `tranches`: by ABS size (CNY m) and coupon of senior, mezzanine and subordinated, which is retained."""
    names = ("senior", "mezzanine", "subordinated")
    rows = [
        (facility, name, rank, size * MILLION, coupon, "retained" if name == "subordinated" else "third_party")
        for facility, parts in sizes.items()
        for rank, (name, (size, coupon)) in enumerate(zip(names, parts, strict=True), start=1)
    ]
    return pd.DataFrame(rows, columns=["facility", "tranche", "seniority", "balance", "coupon", "holder"])


def fen(amount: pd.Series | np.ndarray) -> pd.Series:
    """`amount` in CNY, rounded to 0.01."""
    return pd.Series(amount).astype(float).round(2)


def allowed(segments: pd.DataFrame, terms: pd.DataFrame, facility: str) -> pd.Series:
    """Whether each segment meets every eligibility term of the facility: bool Series (segment)."""
    good = pd.Series(True, index=segments.index)
    for field, op, value in terms.loc[terms["facility"] == facility, ["field", "op", "value"]].itertuples(index=False):
        good &= COMPARE[op](segments[field], value)
    return good


def holdings(
    segments: pd.DataFrame, weight: pd.DataFrame, terms: pd.DataFrame, totals: Mapping[str, float]
) -> pd.DataFrame:
    """Spread every facility's total over the segments it may hold, by weight.

    `segments` are indexed by name, `weight` is a frame (segment, facility), `totals` give CNY by facility.
    Returns the table `balances`: past dues are parts of `balance`, `npl` stands beside it; all in CNY.
    """
    parts = []
    for facility, total in totals.items():
        share = weight[facility].where(allowed(segments, terms, facility), 0.0)
        part = (total * share / share.sum()).rename("balance")
        parts.append(part[part > 0].to_frame().assign(facility=facility))
    table = pd.concat(parts).rename_axis("segment").reset_index()
    pd_ = table["segment"].map(segments["pd"])
    table["past_due_1_30"] = fen(table["balance"] * (0.004 + 0.55 * pd_).clip(upper=0.10))
    table["past_due_31_90"] = fen(table["balance"] * (0.30 * pd_).clip(upper=0.06))
    table["npl"] = fen(table["balance"] * (0.80 * pd_))
    table["balance"] = fen(table["balance"])
    return table[["segment", "facility", "balance", "past_due_1_30", "past_due_31_90", "npl"]]


def own_balance(tables: Tables) -> pd.Series:
    """The lender's share of every row of `balances`, CNY: own_share counts in joint facilities only."""
    facilities = tables["facilities"].set_index("facility")
    share = facilities["own_share"].where(facilities["kind"] == "joint", 1.0)
    balances = tables["balances"]
    return balances["balance"] * balances["facility"].map(share)


def provision(tables: Tables) -> float:
    """Expected credit loss held against the lender's share, CNY: sum of own_share * ecl_rate * balance."""
    rate = tables["segments"].set_index("segment")["ecl_rate"]
    return float((own_balance(tables) * tables["balances"]["segment"].map(rate)).sum())


def notes(tables: Tables) -> float:
    """What the facilities owe to third parties, warehouse notes and classes sold, CNY."""
    tranches = tables["tranches"]
    sold = tranches.loc[tranches["holder"] == "third_party", "balance"].sum()
    return float(tables["facilities"]["drawn"].sum() + sold)


def close(tables: Tables, **lender: object) -> Tables:
    """Add the lender's row, with the equity and provision that balance the book to the fen.

    `lender` gives the other columns (as_of, cash, hqla, ...). Tier 1 is equity less intangibles (1%), total capital
    adds tier 2 of 1.5% of equity, and the base of the funding multiples is equity itself.
    """
    held = round(provision(tables), 2)
    assets = float(lender["cash"]) + float(lender["hqla"]) + tables["facilities"]["cash"].sum()  # type: ignore[arg-type]
    owed = float(tables["lines"]["drawn"].sum()) + notes(tables)
    equity = round(float(assets + own_balance(tables).sum() - held - owed), 2)
    row = {
        **lender,
        "currency": "CNY",
        "net_assets": equity,
        "tier1_capital": round(0.990 * equity, 2),
        "total_capital": round(1.005 * equity, 2),
        "equity": equity,
        "provision": held,
    }
    return {"lender": pd.DataFrame([row]), **tables}


def crowd(segments: pd.DataFrame, balances: pd.DataFrame, used: pd.Series) -> pd.Series:
    """Borrowers by segment, from balance, line per borrower and the share of the line in use: Series (segment)."""
    total = balances.groupby("segment")["balance"].sum().reindex(segments.index, fill_value=0.0)
    return (total / (segments["limit"] * used)).round().clip(lower=1).astype(int)


def history(tables: Tables, as_of: pd.Timestamp, noise: np.random.Generator) -> pd.DataFrame:
    """Twelve past months of every ABS, as its servicer reported them; CNY.

    A revolving pool was refilled to its size of today; one that amortises was larger by what it has repaid since.
    """
    months = pd.date_range(end=as_of.replace(day=1) - pd.DateOffset(months=1), periods=12, freq="MS")
    facilities = tables["facilities"].set_index("facility")
    rows = []
    for facility, end in facilities.loc[facilities["kind"] == "abs", "revolving_end"].items():
        flow = _month(tables, str(facility), float(facilities["cash"][str(facility)]))
        left = 1 - flow["principal"] / flow["pool_opening"]
        since = max(0, (as_of.year - end.year) * 12 + as_of.month - end.month)
        for back, month in zip(range(12, 0, -1), months, strict=True):
            size = left ** -min(back, since)
            seen = {name: amount * size for name, amount in flow.items()}
            for name in ("principal", "interest", "defaults", "recoveries", "uninvested_cash"):
                seen[name] *= noise.uniform(0.93, 1.07)
            rows.append({"facility": facility, "month": month, **{name: round(x, 2) for name, x in seen.items()}})
    return pd.DataFrame(rows)


def _month(tables: Tables, facility: str, cash: float) -> dict[str, float]:
    """What an ABS of today's size collects and pays in a month: column of `servicer` -> CNY."""
    held = tables["balances"].query("facility == @facility").set_index("segment")["balance"]
    pool = tables["segments"].set_index("segment").reindex(held.index)
    notes = tables["tranches"].query("facility == @facility")
    defaults = float((-np.log1p(-pool["pd"]) / 12 * held).sum())
    return {
        "pool_opening": float(held.sum()),
        "principal": float((pool["monthly_payment_rate"] * held).sum()),
        "interest": float((pool["apr"] / 12 * held).sum()),
        "defaults": defaults,
        "recoveries": 0.12 * defaults,
        "coupons": float((notes["coupon"] * notes["balance"]).sum() / 12),
        "uninvested_cash": float(cash),
    }
