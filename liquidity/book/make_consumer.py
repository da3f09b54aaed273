"""The sample lender `consumer_finance_company`: a made-up consumer finance company with own loans of about CNY 275 bn.

Every figure is an assumption. Size, price of funding and the closeness of capital to its minimum follow what the
largest Chinese company of the kind has published (loans about CNY 300 bn, banks' lines above CNY 310 bn, a three-year
bond at 1.90%, non-performing loans near 1.8%, capital near 12% of risk-weighted assets); see README of `data`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from liquidity.book.make_parts import MILLION, NEVER, Tables, close, crowd, dates, fen, history, holdings

AS_OF = pd.Timestamp("2026-11-20")
SEED = 2024

GRADES = pd.DataFrame(
    {
        "share": [0.38, 0.32, 0.20, 0.10],
        "apr": [0.0730, 0.1095, 0.1460, 0.1980],
        "pd": [0.005, 0.012, 0.028, 0.070],
        "limit": [28_000.0, 18_000.0, 11_000.0, 6_000.0],
        "used": [0.14, 0.24, 0.36, 0.52],
        "payment": [0.24, 0.17, 0.13, 0.10],
        "asked": [0.60, 0.68, 0.76, 0.78],
        "score_kept": [0.990, 0.985, 0.980, 0.950],
        "tenor": [12, 12, 6, 6],
    },
    index=list("ABCD"),
)
BEHAVIOURS = pd.DataFrame(
    {"share": [0.45, 0.55], "pd": [0.7, 1.25], "payment": [1.35, 0.80], "apr": [0.0, 0.004]}, index=["full", "partial"]
)
REGIONS = {"east": 0.45, "south": 0.30, "inland": 0.25}
GUARANTEED = ["B", "C"]
"Grades of which a part is lent with a guarantee: the segments `guaranteed-B`, `guaranteed-C`."
GUARANTEED_SHARE = 0.14
"Part of the whole book that each of the guaranteed segments holds."
POOLS = {
    "balance_sheet": 226_000.0, "joint_a": 66_000.0, "joint_b": 44_000.0, "abs_2026a": 12_000.0, "abs_2025a": 8_000.0,
}  # fmt: skip
"Performing principal by facility, CNY m; joint loans whole, the partner's part included."


def consumer_finance_company(seed: int = SEED) -> Tables:
    """The sample lender's tables (name -> DataFrame), synthetic: 26 segments, 5 facilities, 7 lines; money in CNY."""
    noise = np.random.default_rng(seed)
    segments, weight = _segments(noise)
    totals = {name: amount * MILLION for name, amount in POOLS.items()}
    terms = _eligibility()
    balances = holdings(segments, pd.DataFrame(dict.fromkeys(totals, weight)), terms, totals)
    segments["borrowers"] = crowd(segments, balances, segments.pop("used"))
    tables: Tables = {
        "segments": segments.reset_index(),
        "balances": balances,
        "requests": _requests(segments, balances),
        "facilities": _facilities(),
        "tranches": _tranches(),
        "eligibility": terms,
        "lines": _lines(),
        "partners": _partners(),
    }
    tables["servicer"] = history(tables, AS_OF, noise)
    return close(
        tables,
        as_of=AS_OF,
        cut_off="22:00",
        cash=4_200 * MILLION,
        hqla=7_500 * MILLION,
        cash_rate=0.012,
        opex_rate=0.006,
        opex_per_year=900 * MILLION,
    )


def _segments(noise: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Segments indexed by name, with a column `used` (share of the line drawn), and their share of the book."""
    rows = [_plain(g, b, r) for g in GRADES.index for b in BEHAVIOURS.index for r in REGIONS]
    table = pd.DataFrame(rows + [_guaranteed(grade) for grade in GUARANTEED]).set_index("segment")
    table["tenor_months"] = table["tenor_months"].astype(int)
    covered = table["guaranteed_share"] > 0
    weight = table.pop("share") * noise.lognormal(0.0, 0.08, len(table))
    rest = 1 - GUARANTEED_SHARE * len(GUARANTEED)
    weight = weight.where(covered, weight / weight[~covered].sum() * rest)
    table["pd"] = (table["pd"] * noise.uniform(0.98, 1.02, len(table))).round(5)
    payment = table["monthly_payment_rate"] * noise.uniform(0.96, 1.04, len(table))
    table["monthly_payment_rate"] = payment.round(4)
    table["ecl_rate"] = (0.018 + 0.60 * table["pd"]).round(5)
    return table, weight


def _plain(grade: str, behaviour: str, region: str) -> dict[str, object]:
    g, b = GRADES.loc[grade], BEHAVIOURS.loc[behaviour]
    apr = round(g["apr"] + b["apr"], 4)
    return {
        "segment": f"{grade}-{behaviour}-{region}",
        "grade": grade,
        "behaviour": behaviour,
        "region": region,
        "product": "instalment" if behaviour == "full" else "revolving",
        "purpose": "consumption",
        "tenor_months": g["tenor"],
        "apr": apr,
        "apr_all_in": round(apr + 0.006, 4),
        "pd": g["pd"] * b["pd"],
        "lgd": 0.88,
        "opex_rate": 0.004,
        "risk_weight": 0.75,
        "limit": g["limit"],
        "monthly_payment_rate": g["payment"] * b["payment"],
        "guaranteed_share": 0.0,
        "guarantee_fee": 0.0,
        "used": g["used"],
        "share": g["share"] * b["share"] * REGIONS[region],
    }


def _guaranteed(grade: str) -> dict[str, object]:
    """A segment whose loans many small guarantors stand for; their fee counts to the all-in price."""
    row = _plain(grade, "partial", "east")
    fee = 0.015 if grade == "B" else 0.025
    return {
        **row,
        "segment": f"guaranteed-{grade}",
        "region": "all",
        "product": "guaranteed",
        "apr_all_in": 0.15 if grade == "B" else 0.19,
        "guaranteed_share": 0.85,
        "guarantee_fee": fee,
        "share": GUARANTEED_SHARE,
    }


def _requests(segments: pd.DataFrame, balances: pd.DataFrame) -> pd.DataFrame:
    """Gates and new demand by segment: a re-scoring of grade D, a policy for inland borrowers."""
    held = balances.groupby("segment")["balance"].sum().reindex(segments.index)
    table = pd.DataFrame({"from": AS_OF}, index=segments.index)
    table["asked"] = segments["grade"].map(GRADES["asked"])
    table["score_kept"] = segments["grade"].map(GRADES["score_kept"])
    table["model_kept"] = np.where((segments["grade"] == "D") & (segments["behaviour"] == "partial"), 0.92, 1.0)
    table["policy_kept"] = np.where(segments["region"] == "inland", 0.98, 1.0)
    table["available"] = 1.0
    table["new_demand"] = fen(0.09 * held)
    return table.reset_index()


def _eligibility() -> pd.DataFrame:
    terms = [
        ("joint_a", "grade", "in", "B|C|D"),
        ("joint_a", "product", "!=", "guaranteed"),
        ("joint_b", "grade", "in", "A|B|C"),
        ("joint_b", "product", "!=", "guaranteed"),
        ("abs_2026a", "grade", "in", "A|B|C"),
        ("abs_2026a", "product", "!=", "guaranteed"),
        ("abs_2025a", "grade", "in", "A|B|C|D"),
        ("abs_2025a", "product", "!=", "guaranteed"),
    ]
    return pd.DataFrame(terms, columns=["facility", "field", "op", "value"])


def _facilities() -> pd.DataFrame:
    table = pd.DataFrame({"facility": list(POOLS)}).set_index("facility")
    table["kind"] = ["balance_sheet", "joint", "joint", "abs", "abs"]
    table["own_share"] = [1.0, 0.3, 0.4, 1.0, 1.0]
    table["drawn"] = 0.0
    table["servicing_fee"] = [0.0, 0.0, 0.0, 0.01, 0.01]
    table["partner"] = ["", "lake_bank", "hill_bank", "", ""]
    table["partner_fee"] = [0.0, 0.020, 0.018, 0.0, 0.0]
    table["class"] = "standardised"
    table["revolving_end"] = dates([*[NEVER] * 3, "2028-06-30", "2027-12-31"])
    table["legal_final"] = dates([*[NEVER] * 3, "2030-06-30", "2029-12-31"])
    table["reserve_rate"] = 0.0
    table["cash"] = [0.0, 0.0, 0.0, 70 * MILLION, 50 * MILLION]
    table["cash_rate"] = [0.0, 0.0, 0.0, 0.010, 0.010]
    table["frozen"] = False
    return table.reset_index()


def _tranches() -> pd.DataFrame:
    """Three classes per ABS, the lowest retained; CNY."""
    sizes = {
        "abs_2026a": [(10_200.0, 0.0205), (1_000.0, 0.0265), (800.0, 0.0)],
        "abs_2025a": [(6_700.0, 0.0215), (800.0, 0.0280), (500.0, 0.0)],
    }
    names = ("senior", "mezzanine", "subordinated")
    rows = [
        (facility, name, rank, size * MILLION, coupon, "retained" if name == "subordinated" else "third_party")
        for facility, classes in sizes.items()
        for rank, (name, (size, coupon)) in enumerate(zip(names, classes, strict=True), start=1)
    ]
    return pd.DataFrame(rows, columns=["facility", "tranche", "seniority", "balance", "coupon", "holder"])


def _lines() -> pd.DataFrame:
    """Loans of groups of banks, money of the interbank market up to the limit of the law, a bond; CNY."""
    rows = [
        ("banks_state", "bank_line", 92_000, 112_000, 0.0215, 0.0, "2028-06-30", "nonstandard", True),
        ("banks_joint_stock", "bank_line", 79_500, 96_000, 0.0230, 0.0, "2028-03-31", "nonstandard", True),
        ("banks_city", "bank_line", 48_500, 58_000, 0.0245, 0.0, "2028-09-30", "nonstandard", True),
        ("interbank_short", "interbank", 14_000, 22_000, 0.0185, 0.0, "2027-12-15", "nonstandard", True),
        ("interbank_long", "interbank", 8_000, 14_000, 0.0200, 0.0, "2028-02-15", "nonstandard", True),
        ("bond", "bond", 4_000, 4_000, 0.0190, 0.0, "2029-08-20", "standardised", False),
        ("standby", "standby", 0, 6_000, 0.0320, 0.003, "2028-06-30", "nonstandard", True),
    ]
    columns = ["line", "kind", "drawn", "commitment", "rate", "commitment_fee", "maturity", "class", "revolving"]
    table = pd.DataFrame(rows, columns=columns)
    table["maturity"] = pd.to_datetime(table["maturity"])
    table[["drawn", "commitment"]] *= MILLION
    return table


def _partners() -> pd.DataFrame:
    rows = [("lake_bank", 240_000, 2_400_000, 900), ("hill_bank", 150_000, 1_500_000, 600)]
    table = pd.DataFrame(rows, columns=["partner", "net_tier1", "total_loans", "daily_quota"])
    table[["net_tier1", "total_loans", "daily_quota"]] *= MILLION
    return table
