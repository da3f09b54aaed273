"""The sample lender `consumer_finance_company`: a made-up company with CNY 300 bn of its own loans.

Every figure is an assumption. Sizes follow what a large Chinese consumer finance company has published: equity of 24
to 27 against 300 of loans (CNY bn), three quarters of its liabilities borrowed from banks, a bond at 1.90%, bad loans
of 1.8%. Capital stands just above its least ratio, long before the banks' lines are full.
"""

from __future__ import annotations

import pandas as pd

from liquidity.book.make_parts import MILLION, NEVER, Tables, classes, close, crowd, dates, fen, holdings

AS_OF = pd.Timestamp("2026-12-17")  # a Thursday, two weeks before the price cap of the board comes down

GRADES = pd.DataFrame(
    {
        "share": [0.34, 0.30, 0.21, 0.10, 0.05],
        "apr": [0.0730, 0.1095, 0.1460, 0.1825, 0.2190],
        "pd": [0.004, 0.009, 0.020, 0.050, 0.110],
        "limit": [30_000.0, 20_000.0, 12_000.0, 8_000.0, 4_000.0],
        "used": [0.15, 0.25, 0.35, 0.50, 0.65],
        "payment": [0.22, 0.17, 0.14, 0.11, 0.09],
        "asked": [0.55, 0.65, 0.75, 0.80, 0.60],
        "score_kept": [0.990, 0.985, 0.980, 0.960, 0.930],
    },
    index=list("ABCDE"),
)
REGIONS = {"east": 0.62, "west": 0.38}
PARTS = {"cash": 0.38, "backed": 0.46, "pay": 0.16}
"Shares of the book by product: cash loans, cash loans with a guarantee, payments by instalments (grades A and B)."
SURETY = "B-backed-west"
"The segment whose loans one guarantor stands for; the others are guaranteed by many."

POOLS = {
    "balance_sheet": 226_000.0,
    "joint_a": 60_000.0,
    "joint_b": 40_000.0,
    "rights_2026a": 12_000.0,
    "abs_2026a": 16_000.0,
    "abs_2024a": 9_000.0,
}
"Performing principal by facility, CNY m; joint loans whole, the partner's part included."


def consumer_finance_company() -> Tables:
    """The tables (name -> DataFrame): 24 segments, 6 facilities, 8 lines; money in CNY."""
    segments = _segments()
    share = segments.pop("share")
    totals = {name: amount * MILLION for name, amount in POOLS.items()}
    balances = holdings(segments, pd.DataFrame(dict.fromkeys(POOLS, share)), _eligibility(), totals)
    segments["borrowers"] = crowd(segments, balances, segments.pop("used"))
    held = balances.groupby("segment")["balance"].sum().reindex(segments.index)
    tables: Tables = {
        "segments": segments.reset_index(),
        "balances": balances,
        "requests": _requests(segments, held),
        "facilities": _facilities(),
        "tranches": _tranches(),
        "eligibility": _eligibility(),
        "lines": _lines(),
        "partners": _partners(),
    }
    return close(tables, **_lender())


def _lender() -> dict[str, object]:
    return {
        "as_of": AS_OF,
        "cut_off": "22:00",
        "cash": 6_500 * MILLION,
        "hqla": 4_000 * MILLION,
        "cash_rate": 0.010,
        "opex_rate": 0.012,
        "opex_per_year": 900 * MILLION,
    }


def _segments() -> pd.DataFrame:
    rows = [
        _segment(grade, product, region)
        for product in PARTS
        for grade in (GRADES.index if product != "pay" else ["A", "B"])
        for region in REGIONS
    ]
    table = pd.DataFrame(rows).set_index("segment")
    part = table.groupby("product")["share"].transform("sum")
    table["share"] = table["share"] / part * table["product"].map(PARTS)
    table["ecl_rate"] = (0.012 + 0.95 * table["pd"]).round(5)
    return table


def _segment(grade: str, product: str, region: str) -> dict[str, object]:
    name, g = f"{grade}-{product}-{region}", GRADES.loc[grade]
    backed, pay = product == "backed", product == "pay"
    apr = round(g["apr"] + (0.003 if region == "west" else 0.0) + (0.012 if backed else 0.0), 4)
    return {
        "segment": name,
        "grade": grade,
        "behaviour": "full" if pay else "partial",
        "region": region,
        "product": product,
        "purpose": "consumption",
        "tenor_months": 6 if pay else 12,
        "apr": apr,
        "apr_all_in": round(apr + (0.001 if pay else 0.004), 4),
        "pd": round(g["pd"] * (0.8 if pay else 1.5 if backed else 1.0), 5),
        "lgd": 0.88,
        "opex_rate": 0.003,
        "risk_weight": 0.75,
        "limit": g["limit"],
        "monthly_payment_rate": round(g["payment"] * (1.4 if pay else 1.0), 4),
        "guaranteed_share": 0.70 if backed else 0.0,
        "guarantee_fee": 0.020 if backed else 0.0,
        "guarantor": "surety_a" if name == SURETY else "",
        "largest_share": 0.0,
        "used": g["used"],
        "share": g["share"] * REGIONS[region] * (0.37 if name == SURETY else 1.0),
    }


def _requests(segments: pd.DataFrame, held: pd.Series) -> pd.DataFrame:
    """Gates by grade, and new borrowers who ask for 13% of the segment's balance a month."""
    grade = segments["grade"]
    table = pd.DataFrame(index=held.index)
    table["asked"] = grade.map(GRADES["asked"])
    table["score_kept"] = grade.map(GRADES["score_kept"])
    table["model_kept"] = 1.0
    table["policy_kept"] = (segments["region"] == "west").map({True: 0.98, False: 1.0})
    table["available"] = 1.0
    return table.assign(new_demand=fen(0.13 * held)).reset_index()


def _eligibility() -> pd.DataFrame:
    terms = [
        ("joint_a", "grade", "in", "A|B|C"),
        ("joint_b", "grade", "in", "B|C|D"),
        ("joint_b", "product", "!=", "backed"),
        ("rights_2026a", "grade", "in", "A|B|C|D"),
        ("abs_2026a", "grade", "in", "A|B|C"),
        ("abs_2024a", "grade", "in", "A|B|C|D"),
    ]
    return pd.DataFrame(terms, columns=["facility", "field", "op", "value"])


def _facilities() -> pd.DataFrame:
    table = pd.DataFrame(index=pd.Index(list(POOLS), name="facility"))
    table["kind"] = ["balance_sheet", "joint", "joint", "warehouse", "abs", "abs"]
    table["own_share"] = [1.0, 0.3, 0.4, 1.0, 1.0, 1.0]
    table["commitment"] = [0.0, 0.0, 0.0, 10_800 * MILLION, 0.0, 0.0]
    table["drawn"] = [0.0, 0.0, 0.0, 10_000 * MILLION, 0.0, 0.0]
    table["advance_rate"] = [0.0, 0.0, 0.0, 0.90, 0.0, 0.0]
    table["rate"] = [0.0, 0.0, 0.0, 0.030, 0.0, 0.0]
    table["unused_fee"] = [0.0, 0.0, 0.0, 0.002, 0.0, 0.0]
    table["servicing_fee"] = [0.0, 0.0, 0.0, 0.01, 0.01, 0.01]
    table["partner"] = ["", "harbour_bank", "river_bank", "", "", ""]
    table["partner_fee"] = [0.0, 0.018, 0.016, 0.0, 0.0, 0.0]
    table["revolving_end"] = dates([*[NEVER] * 4, "2028-06-30", "2026-06-30"])
    table["legal_final"] = dates([*[NEVER] * 4, "2030-06-30", "2028-06-30"])
    table["reserve_rate"] = 0.0
    table["cash"] = [0.0, 0.0, 0.0, 80 * MILLION, 80 * MILLION, 0.0]
    table["cash_rate"] = [0.0, 0.0, 0.0, 0.008, 0.008, 0.008]
    return table.reset_index()


def _tranches() -> pd.DataFrame:
    return classes(
        {
            "abs_2026a": [(13_600.0, 0.0215), (1_200.0, 0.0260), (1_200.0, 0.0)],
            "abs_2024a": [(6_200.0, 0.0240), (1_300.0, 0.0300), (1_300.0, 0.0)],
        }
    )


def _lines() -> pd.DataFrame:
    """What about 120 banks lend, in five lines by tenor, of which a third is committed and not drawn."""
    columns = ["line", "kind", "drawn", "commitment", "rate", "commitment_fee", "maturity", "class", "revolving"]
    bank = ("nonstandard", True)
    rows = [
        ("interbank_call", "interbank", 20_000, 40_000, 0.0175, 0.0, NEVER, *bank),
        ("banks_3m", "bank_line", 48_000, 70_000, 0.0205, 0.0, "2028-03-17", *bank),
        ("banks_6m", "bank_line", 59_000, 80_000, 0.0215, 0.0, "2028-06-17", *bank),
        ("banks_9m", "bank_line", 53_000, 80_000, 0.0225, 0.0, "2028-09-17", *bank),
        ("banks_1y", "bank_line", 48_000, 60_000, 0.0235, 0.0, "2028-12-17", *bank),
        ("bond_2025", "bond", 2_000, 2_000, 0.0190, 0.0, "2028-08-20", "standardised", False),
        ("bond_2026", "bond", 13_000, 13_000, 0.0200, 0.0, "2029-05-20", "standardised", False),
        ("standby", "standby", 0, 3_000, 0.0300, 0.002, "2028-12-17", *bank),
    ]
    table = pd.DataFrame(rows, columns=columns)
    table["maturity"] = dates(list(table["maturity"]))
    table[["drawn", "commitment"]] *= MILLION
    table["at_call"] = table["kind"] == "interbank"
    return table


def _partners() -> pd.DataFrame:
    rows = [("harbour_bank", 210_000, 2_000_000, 260), ("river_bank", 140_000, 1_300_000, 150)]
    table = pd.DataFrame(rows, columns=["partner", "net_tier1", "total_loans", "daily_quota"])
    table[["net_tier1", "total_loans", "daily_quota"]] *= MILLION
    return table
