"""Planned ABS for a made lender: one a month, of different sizes, prices and costs. All figures are assumptions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from liquidity.book.make_parts import MILLION, Tables

CLASSES = (("senior", 0.84, "third_party"), ("mezzanine", 0.09, "third_party"), ("subordinated", 0.07, "retained"))
"Class, share of the issue, holder."
SHUT = (4, 9)
"Issues (counted from 0) on whose day no investor buys."
FIRST_DAYS, STEP_DAYS = 12, 29


def with_issues(tables: Tables, count: int, seed: int = 0) -> Tables:
    """The tables of a made lender with `count` planned ABS `plan_01`, `plan_02`, ... beside what it has."""
    noise = np.random.default_rng(seed)
    start = pd.Timestamp(tables["lender"]["as_of"].iloc[0])
    names = [f"plan_{number:02d}" for number in range(1, count + 1)]
    day = [start + pd.Timedelta(days=FIRST_DAYS + STEP_DAYS * turn) for turn in range(count)]
    issues = pd.DataFrame({"facility": names, "date": day})
    issues["least"] = noise.integers(15, 40, count) * 100 * MILLION
    issues["most"] = issues["least"] + noise.integers(10, 50, count) * 100 * MILLION
    issues["cost"] = noise.integers(20, 300, count) * MILLION
    issues["market_open"] = ~issues.index.isin(SHUT)
    terms = pd.DataFrame(
        [(name, "grade", "in", "A|B|C" if turn % 2 else "A|B|C|D") for turn, name in enumerate(names)]
        + [(name, "purpose", "==", "consumption") for name in names],
        columns=["facility", "field", "op", "value"],
    )
    added = {
        "facilities": _facilities(names, day, tables["facilities"]),
        "tranches": _tranches(names, noise),
        "eligibility": terms,
    }
    made = {name: pd.concat([tables[name], frame], ignore_index=True) for name, frame in added.items()}
    made["tranches"]["issue_share"] = made["tranches"]["issue_share"].fillna(0.0)
    return {**tables, **made, "issues": issues}


def _facilities(names: list[str], day: list[pd.Timestamp], like: pd.DataFrame) -> pd.DataFrame:
    """Rows of `facilities`, with the columns that the lender's table has."""
    table = pd.DataFrame({"facility": names})
    for name in like.select_dtypes("number"):
        table[name] = 0.0
    table["partner"], table["frozen"] = "", False
    table["kind"], table["class"], table["own_share"] = "abs", "standardised", 1.0
    table["servicing_fee"], table["cash_rate"] = 0.01, 0.010
    table["revolving_end"] = [date + pd.DateOffset(months=24) for date in day]
    table["legal_final"] = [date + pd.DateOffset(months=48) for date in day]
    return table[list(like.columns)]


def _tranches(names: list[str], noise: np.random.Generator) -> pd.DataFrame:
    rows = []
    for name in names:
        base = round(float(noise.uniform(0.028, 0.036)), 4)
        coupons = (base, round(base + 0.012, 4), 0.0)
        rows += [
            (name, tranche, rank, 0.0, coupon, holder, share)
            for rank, ((tranche, share, holder), coupon) in enumerate(zip(CLASSES, coupons, strict=True), start=1)
        ]
    columns = ["facility", "tranche", "seniority", "balance", "coupon", "holder", "issue_share"]
    return pd.DataFrame(rows, columns=columns)
