"""The small lender `calm`: every facility kind, all gates open, and room to spare behind every limit.

With `models/calm.toml` its pool declines nothing tonight, so that a test can plant one cause by one change and must
find that cause, and no other. All figures are assumptions.
"""

from __future__ import annotations

import pandas as pd

from liquidity.book.make_parts import MILLION, NEVER, Tables, classes, close, crowd, dates, fen, holdings

AS_OF = pd.Timestamp("2026-11-20")

COLUMNS = ["segment", "grade", "behaviour", "region", "product", "purpose", "apr", "pd"]
COLUMNS += ["monthly_payment_rate", "share"]
SEGMENTS = [
    ("A-full-east", "A", "full", "east", "card", "consumption", 0.110, 0.004, 0.20, 0.20),
    ("A-partial-west", "A", "partial", "west", "card", "consumption", 0.112, 0.006, 0.16, 0.14),
    ("B-full-east", "B", "full", "east", "card", "consumption", 0.130, 0.009, 0.17, 0.18),
    ("B-partial-west", "B", "partial", "west", "card", "consumption", 0.132, 0.012, 0.14, 0.14),
    ("C-full-west", "C", "full", "west", "card", "consumption", 0.160, 0.020, 0.13, 0.12),
    ("firm-east", "B", "full", "east", "firm", "operation", 0.105, 0.008, 0.12, 0.06),
    ("joint-east", "B", "full", "east", "cobranded", "consumption", 0.065, 0.030, 0.16, 0.08),
    ("trust-west", "B", "partial", "west", "trust", "consumption", 0.125, 0.010, 0.15, 0.08),
]
"`joint-east` may be held with the partner bank only, `trust-west` in the revolving ABS only."

POOLS = {"balance_sheet": 4_000.0, "joint_a": 2_000.0, "warehouse_a": 1_500.0, "abs_2026a": 2_000.0, "abs_2024a": 600.0}
"Performing principal by facility, CNY m."


def calm() -> Tables:
    """The calm lender's tables (name -> DataFrame): 8 segments, 5 facilities, 3 lines; money in CNY."""
    segments = _segments()
    totals = {name: amount * MILLION for name, amount in POOLS.items()}
    balances = holdings(segments, pd.DataFrame(dict.fromkeys(POOLS, segments.pop("share"))), _eligibility(), totals)
    segments["borrowers"] = crowd(segments, balances, segments.pop("used"))
    held = balances.groupby("segment")["balance"].sum().reindex(segments.index)
    tables: Tables = {
        "segments": segments.reset_index(),
        "balances": balances,
        "requests": _requests(held),
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
        "cash": 500 * MILLION,
        "hqla": 300 * MILLION,
        "cash_rate": 0.012,
        "opex_rate": 0.010,
        "opex_per_year": 10 * MILLION,
    }


def _segments() -> pd.DataFrame:
    table = pd.DataFrame(SEGMENTS, columns=COLUMNS).set_index("segment")
    firm = table["purpose"] == "operation"
    table["apr_all_in"] = table["apr"]
    table["tenor_months"] = 12
    table["lgd"] = 0.85
    table["opex_rate"] = 0.0
    table["risk_weight"] = 0.75
    table["ecl_rate"] = (0.005 + 0.5 * table["pd"]).round(5)
    table["limit"] = pd.Series(20_000.0, index=table.index).mask(firm, 300_000.0)
    table["used"] = 0.30
    table["guaranteed_share"] = 0.0
    table["guarantee_fee"] = 0.0
    return table


def _requests(held: pd.Series) -> pd.DataFrame:
    """All gates open, and new borrowers who ask for little: 1% of the segment's balance a month."""
    gates = dict.fromkeys(["asked", "score_kept", "model_kept", "policy_kept", "available"], 1.0)
    return pd.DataFrame(gates, index=held.index).assign(new_demand=fen(0.01 * held)).reset_index()


def _eligibility() -> pd.DataFrame:
    terms = [
        ("balance_sheet", "product", "in", "card|firm"),
        ("joint_a", "product", "in", "card|cobranded"),
        ("warehouse_a", "product", "==", "card"),
        ("abs_2026a", "product", "in", "card|trust"),
        ("abs_2024a", "product", "==", "card"),
    ]
    return pd.DataFrame(terms, columns=["facility", "field", "op", "value"])


def _facilities() -> pd.DataFrame:
    table = pd.DataFrame(index=pd.Index(list(POOLS), name="facility"))
    table["kind"] = ["balance_sheet", "joint", "warehouse", "abs", "abs"]
    table["own_share"] = [1.0, 0.3, 1.0, 1.0, 1.0]
    table["commitment"] = [0.0, 0.0, 3_000 * MILLION, 0.0, 0.0]
    table["drawn"] = [0.0, 0.0, 900 * MILLION, 0.0, 0.0]
    table["advance_rate"] = [0.0, 0.0, 0.80, 0.0, 0.0]
    table["rate"] = [0.0, 0.0, 0.038, 0.0, 0.0]
    table["unused_fee"] = [0.0, 0.0, 0.001, 0.0, 0.0]
    table["servicing_fee"] = [0.0, 0.0, 0.01, 0.01, 0.01]
    table["partner"] = ["", "harbour_bank", "", "", ""]
    table["partner_fee"] = [0.0, 0.025, 0.0, 0.0, 0.0]
    table["revolving_end"] = dates([*[NEVER] * 3, "2028-12-31", "2026-06-30"])
    table["legal_final"] = dates([*[NEVER] * 3, "2030-12-31", "2028-06-30"])
    table["reserve_rate"] = 0.0
    table["cash"] = [0.0, 0.0, 40 * MILLION, 40 * MILLION, 0.0]
    table["cash_rate"] = [0.0, 0.0, 0.010, 0.010, 0.010]
    return table.reset_index()


def _tranches() -> pd.DataFrame:
    return classes(
        {
            "abs_2026a": [(1_500.0, 0.030), (200.0, 0.045), (200.0, 0.0)],
            "abs_2024a": [(350.0, 0.032), (100.0, 0.048), (100.0, 0.0)],
        }
    )


def _lines() -> pd.DataFrame:
    columns = ["line", "kind", "drawn", "commitment", "rate", "commitment_fee", "class", "revolving"]
    rows = [
        ("bank_a", "bank_line", 1_000.0, 1_500.0, 0.040, 0.002, "nonstandard", True),
        ("bond", "bond", 3_000.0, 3_200.0, 0.036, 0.0, "standardised", False),
        ("standby", "standby", 0.0, 500.0, 0.050, 0.003, "nonstandard", True),
    ]
    table = pd.DataFrame(rows, columns=columns)
    table[["drawn", "commitment"]] *= MILLION
    return table


def _partners() -> pd.DataFrame:
    row = {"partner": "harbour_bank", "net_tier1": 60_000.0, "total_loans": 700_000.0, "daily_quota": 60.0}
    table = pd.DataFrame([row])
    table[["net_tier1", "total_loans", "daily_quota"]] *= MILLION
    return table
