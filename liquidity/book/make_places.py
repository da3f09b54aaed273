"""Random facilities for `make_lender`: kinds, ages, terms of eligibility, notes and partners."""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np
import pandas as pd

from liquidity.book.make_online import AS_OF
from liquidity.book.make_parts import MILLION, fen

KIND_SHARE = {"balance_sheet": 0.18, "joint": 0.48, "warehouse": 0.12, "abs": 0.22}
"Part of the managed book in each kind of facility."
ADVANCE_RATE = 0.80
CLASSES = {"senior": (0.845, 0.031), "mezzanine": (0.08, 0.041), "subordinated": (0.07, 0.0)}
"Opening size per CNY of pool, and coupon."


def facilities(count: int, noise: np.random.Generator) -> pd.DataFrame:
    """Facilities indexed by name, with the column `part` (of the managed book) and no amounts yet."""
    table = _named(count, noise)
    joint, store, pool = (table["kind"] == kind for kind in ("joint", "warehouse", "abs"))
    table["own_share"] = np.where(joint, noise.choice([0.3, 0.4, 0.5], count), 1.0)
    table["partner"] = np.where(joint, "bank_of_" + table.index, "")
    table["partner_fee"] = np.where(joint, noise.uniform(0.016, 0.024, count).round(4), 0.0)
    table["advance_rate"] = np.where(store, ADVANCE_RATE, 0.0)
    table["rate"] = np.where(store, noise.uniform(0.036, 0.042, count).round(4), 0.0)
    table["unused_fee"] = np.where(store, 0.003, 0.0)
    table["servicing_fee"] = np.where(store | pool, 0.01, 0.0)
    table["class"] = "standardised"
    end = pd.Series([AS_OF + pd.DateOffset(months=int(age)) for age in table.pop("age")], index=table.index)
    table["revolving_end"] = end.where(pool)
    table["legal_final"] = (end + pd.DateOffset(months=24)).where(pool)
    table["reserve_rate"] = 0.0
    table["cash_rate"] = np.where(store | pool, 0.010, 0.0)
    size = table["kind"].map(KIND_SHARE) * noise.uniform(0.8, 1.2, count)
    return table.assign(part=size / table.groupby("kind")["kind"].transform("size"))


def _named(count: int, noise: np.random.Generator) -> pd.DataFrame:
    """Kinds, and the age of every ABS in months until it stops revolving (0 elsewhere), indexed by facility."""
    joints, stores = max(1, count // 4), max(1, count // 6)
    ages = _ages(count - 1 - joints - stores, noise)
    vintages = np.select([ages < 0, ages < 13], ["abs_2024", "abs_2025"], "abs_2026")
    stems = pd.Series(["joint_"] * joints + ["warehouse_"] * stores + list(vintages))
    names = stems + stems.groupby(stems).cumcount().map(lambda turn: ascii_lowercase[turn])
    kinds = ["joint"] * joints + ["warehouse"] * stores + ["abs"] * len(vintages)
    return pd.DataFrame(
        {"kind": ["balance_sheet", *kinds], "age": [0] * (1 + joints + stores) + list(ages)},
        index=pd.Index(["balance_sheet", *names], name="facility"),
    )


def _ages(count: int, noise: np.random.Generator) -> np.ndarray:
    """Months until each ABS stops revolving: in turn deep in its period, amortising, and (two of them) near its end."""
    turn = np.arange(count)
    near = (turn % 3 == 2) & (turn < 6)
    deep, past = noise.integers(14, 31, count), -noise.integers(1, 6, count)
    return np.select([turn % 3 == 1, near], [past, noise.integers(3, 12, count)], deep)


def eligibility(places: pd.DataFrame, noise: np.random.Generator) -> pd.DataFrame:
    """Terms of every facility but the balance sheet: grades, a region left out by some banks, consumption in ABS."""
    grades = {"joint": ["A|B|C", "B|C|D", "A|B|C|D"], "warehouse": ["A|B|C|D"], "abs": ["A|B|C", "A|B|C|D"]}
    rows = []
    for facility, kind in places["kind"].drop("balance_sheet").items():
        rows.append((facility, "grade", "in", str(noise.choice(grades[kind]))))
        if kind == "joint" and noise.random() < 0.5:
            rows.append((facility, "region", "!=", str(noise.choice(["central", "west"]))))
        if kind != "joint":
            rows.append((facility, "purpose", "==", "consumption"))
    return pd.DataFrame(rows, columns=["facility", "field", "op", "value"])


def funded(places: pd.DataFrame, held: pd.Series, noise: np.random.Generator) -> pd.DataFrame:
    """The table `facilities`, with notes, commitments and cash to fit the balances `held` (facility), CNY."""
    table = places.drop(columns="part")
    held = held.reindex(table.index)
    aged = table["revolving_end"] <= AS_OF
    table["drawn"] = fen(table["advance_rate"] * held * noise.uniform(0.97, 0.995, len(table)))
    table["commitment"] = fen(table["drawn"] * noise.uniform(1.005, 1.05, len(table))).round(-6)
    table["commitment"] = table["commitment"].where(table["commitment"] >= table["drawn"], table["drawn"])
    holds_cash = table["kind"].isin(["warehouse", "abs"]) & ~aged
    table["cash"] = fen((0.005 * held).where(holds_cash, 0.0))
    return table.reset_index()


def tranches(places: pd.DataFrame, held: pd.Series, noise: np.random.Generator) -> pd.DataFrame:
    """The table `tranches`: three classes per ABS, the lowest retained; an amortising senior is part paid."""
    rows = []
    ages = places.loc[places["kind"] == "abs", "revolving_end"]
    for facility, pool in held.reindex(ages.index).items():
        aged = ages[str(facility)] <= AS_OF
        for rank, (name, (size, coupon)) in enumerate(CLASSES.items(), start=1):
            left = size - (noise.uniform(0.02, 0.25) if aged and rank == 1 else 0.0)
            price = round(coupon + noise.uniform(-0.002, 0.002), 4) if coupon else 0.0
            holder = "third_party" if coupon else "retained"
            rows.append((facility, name, rank, round(left * float(pool), 2), price, holder))
    return pd.DataFrame(rows, columns=["facility", "tranche", "seniority", "balance", "coupon", "holder"])


def partners(places: pd.DataFrame, held: pd.Series) -> pd.DataFrame:
    """The table `partners`: one bank per joint facility, with some room under both limits and about a day's needs."""
    joint = places[places["kind"] == "joint"]
    part = held.reindex(joint.index) * (1 - joint["own_share"])
    table = pd.DataFrame({"partner": joint["partner"], "net_tier1": part / 0.25 * 1.06})
    table["total_loans"] = table["net_tier1"] * 8
    table["daily_quota"] = part * 0.004
    table[["net_tier1", "total_loans", "daily_quota"]] = (table.iloc[:, 1:] / MILLION).round(1) * MILLION
    return table.reset_index(drop=True)
