"""A small valid book from plain dicts: three segments, every kind of facility, every table."""

from __future__ import annotations

import copy
import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from liquidity.book import TABLES, Book
from liquidity.book.book import make_book, raw_table

Rows = dict[str, list[dict[str, Any]]]

GATES = {"asked": 0.9, "score_kept": 0.95, "model_kept": 0.98, "policy_kept": 1.0, "available": 1.0}
SEGMENT = {
    "behaviour": "revolver",
    "region": "east",
    "product": "jiebei",
    "purpose": "consumption",
    "tenor_months": 12,
    "apr": 0.15,
    "apr_all_in": 0.16,
    "lgd": 0.8,
    "opex_rate": 0.005,
    "risk_weight": 0.75,
    "ecl_rate": 0.02,
    "limit": 20_000.0,
    "borrowers": 1000,
    "monthly_payment_rate": 0.12,
    "guaranteed_share": 0.0,
    "guarantee_fee": 0.0,
}
FACILITY = {"servicing_fee": 0.01, "reserve_rate": 0.01, "cash_rate": 0.005}
LINE = {"kind": "bank_line", "class": "nonstandard", "revolving": True}

SMALL: Rows = {
    "lender": [
        {
            "as_of": "2026-06-30",
            "cut_off": "22:00",
            "currency": "CNY",
            "net_assets": 300e6,
            "tier1_capital": 290e6,
            "total_capital": 320e6,
            "cash": 50e6,
            "hqla": 20e6,
            "equity": 300e6,
            "provision": 15e6,
            "opex_rate": 0.01,
            "opex_per_year": 2e6,
            "cash_rate": 0.01,
        }
    ],
    "segments": [
        {**SEGMENT, "segment": "A-east", "grade": "A", "pd": 0.02},
        {**SEGMENT, "segment": "B-west", "grade": "B", "pd": 0.04, "region": "west", "priority": 2.0},
        {**SEGMENT, "segment": "C级华东", "grade": "C", "pd": 0.07, "guaranteed_share": 0.5, "guarantee_fee": 0.02},
    ],
    "balances": [
        {"segment": "A-east", "facility": "house", "balance": 150e6, "past_due_1_30": 1e6, "npl": 2e6},
        {"segment": "B-west", "facility": "house", "balance": 100e6, "past_due_31_90": 1e6},
        {"segment": "C级华东", "facility": "house", "balance": 50e6},
        {"segment": "A-east", "facility": "joint_bank", "balance": 100e6},
        {"segment": "B-west", "facility": "warehouse", "balance": 80e6},
        {"segment": "A-east", "facility": "abs_2026a", "balance": 110e6},
    ],
    "repaid": [
        {"segment": "A-east", "facility": "house", "principal": 1e6, "interest": 1e5},
        {"segment": "A-east", "facility": "abs_2026a", "principal": 5e5, "interest": 4e4},
    ],
    "requests": [
        {"segment": "A-east", "from": "2026-06-01", **GATES, "new_demand": 3e6},
        {"segment": "A-east", "from": "2026-07-15", **GATES, "new_demand": 2e6},
        {"segment": "B-west", "from": "2026-06-30", **GATES, "new_demand": 1e6},
        {"segment": "C级华东", "from": "2026-06-30", **GATES, "new_demand": 1e6},
    ],
    "facilities": [
        {"facility": "house", "kind": "balance_sheet"},
        {"facility": "joint_bank", "kind": "joint", "own_share": 0.3, "partner": "bank_x", "partner_fee": 0.02},
        {
            **FACILITY,
            "facility": "warehouse",
            "kind": "warehouse",
            "commitment": 100e6,
            "drawn": 60e6,
            "advance_rate": 0.85,
            "rate": 0.045,
            "unused_fee": 0.005,
            "cash": 2e6,
            "class": "nonstandard",
            "revolving_end": "2027-06-30",
            "deficiency": 0.0,
        },
        {
            **FACILITY,
            "facility": "abs_2026a",
            "kind": "abs",
            "cash": 3e6,
            "class": "standardised",
            "revolving_end": "2026-12-31",
            "legal_final": "2028-06-30",
            "deficiency": 0.0,
        },
    ],
    "tranches": [
        {"tranche": "senior", "seniority": 1, "balance": 80e6, "coupon": 0.035, "holder": "third_party"},
        {"tranche": "mezzanine", "seniority": 2, "balance": 20e6, "coupon": 0.05, "holder": "third_party"},
        {"tranche": "sub", "seniority": 3, "balance": 10e6, "coupon": 0.0, "holder": "retained"},
    ],
    "eligibility": [
        {"facility": "abs_2026a", "field": "pd", "op": "<=", "value": "0.06"},
        {"facility": "abs_2026a", "field": "region", "op": "in", "value": "east|west"},
        {"facility": "warehouse", "field": "grade", "op": "!=", "value": "D"},
    ],
    "lines": [
        {**LINE, "line": "bank_a", "drawn": 100e6, "commitment": 150e6, "rate": 0.04, "commitment_fee": 0.003},
        {
            "line": "bond_1",
            "kind": "bond",
            "class": "standardised",
            "revolving": False,
            "drawn": 40e6,
            "commitment": 40e6,
            "rate": 0.038,
            "commitment_fee": 0.0,
            "maturity": "2027-03-31",
        },
    ],
    "partners": [{"partner": "bank_x", "net_tier1": 2e9, "total_loans": 30e9, "daily_quota": 5e6}],
    "servicer": [
        {
            "facility": "abs_2026a",
            "month": month,
            "pool_opening": 110e6,
            "principal": 12e6,
            "interest": 1.3e6,
            "defaults": 2e5,
            "recoveries": 3e4,
            "coupons": 3e5,
            "uninvested_cash": 1e6,
        }
        for month in ("2026-04-01", "2026-05-01")
    ],
    "calendar": [
        {"date": "2026-07-01", "business_day": True},
        {"date": "2026-07-04", "business_day": False},
    ],
    "pins": [
        {
            "target": "relend",
            "segment": "A-east",
            "from": "2026-07-01",
            "to": "2026-07-07",
            "op": ">=",
            "amount": 1e5,
            "reason": "campaign,\nas agreed",
            "by": "treasurer",
        },
        {"target": "draw", "line": "bank_a", "op": "<=", "amount": 2e7, "reason": "bank asked", "by": "treasurer"},
    ],
    "flows": [
        {"date": "2026-07-10", "name": "tax", "amount": -1e6, "account": "income"},
        {"date": "2026-07-10", "name": "deposit", "amount": 5e5, "account": "other"},
    ],
}
for _row in SMALL["tranches"]:
    _row["facility"] = "abs_2026a"
for _row in SMALL["balances"]:
    for _name in ("past_due_1_30", "past_due_31_90", "npl"):
        _row.setdefault(_name, 0.0)
for _row in SMALL["segments"]:
    _row.setdefault("priority", 1.0)


def book_of(rows: Rows) -> Book:
    """The checked book of tables given as lists of dicts; a value that is not given is blank."""
    frames = {name: pd.DataFrame(table or {name: [] for name in TABLES[name].names}) for name, table in rows.items()}
    return make_book({name: raw_table(frame) for name, frame in frames.items()})


@pytest.fixture
def rows() -> Rows:
    """The small book's rows, to change at will."""
    return copy.deepcopy(SMALL)


@pytest.fixture(scope="session")
def small() -> Book:
    """The small book."""
    return book_of(SMALL)


def folder_of(rows: Rows, folder: Path) -> Path:
    """The tables as CSV files just as given, unchecked; every row of a table has the columns of its first rows.

    A table without rows has no file.
    """
    folder.mkdir()
    for name, table in ((name, table) for name, table in rows.items() if table):
        columns = list(dict.fromkeys(column for row in table for column in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(table)
    return folder


@pytest.fixture(name="make")
def make_fixture():
    """`book_of`: tables as lists of dicts -> checked book."""
    return book_of


@pytest.fixture(name="folder")
def folder_fixture():
    """`folder_of`: tables as lists of dicts -> folder of CSV files."""
    return folder_of
