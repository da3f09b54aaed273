"""The sample lender `basel_bank`: a made-up bank of cards and instalment loans with CNY 100 bn of loans and deposits.

Every figure is an assumption. Transactors pay in full each month and earn the bank the merchants' discount, told as
their rate (0.7% of each purchase, 20.6 turns a year); their payments are what the bank lives on in a stress. Tonight
lies two weeks before the output floor on capital rises for the last time.
"""

from __future__ import annotations

import pandas as pd

from liquidity.book.make_parts import MILLION, NEVER, Tables, classes, close, crowd, dates, fen, holdings

AS_OF = pd.Timestamp("2027-12-17")  # a Friday, fifteen days before the output floor is in full

GRADES = pd.DataFrame(
    {
        "share": [0.36, 0.34, 0.20, 0.10],
        "apr": [0.105, 0.140, 0.175, 0.210],
        "pd": [0.004, 0.011, 0.028, 0.070],
        "limit": [45_000.0, 30_000.0, 18_000.0, 9_000.0],
        "used": [0.30, 0.38, 0.48, 0.62],
        "payment": [0.14, 0.11, 0.09, 0.07],
        "asked": [0.80, 0.80, 0.82, 0.78],
        "score_kept": [0.995, 0.985, 0.970, 0.940],
    },
    index=list("ABCD"),
)
REGIONS = {"north": 0.55, "south": 0.45}
PARTS = {"transactor": 0.14, "revolver": 0.48, "instalment": 0.38}
"Shares of the book: cards paid in full, cards not paid in full, instalment loans of three years."
POOLS = {"balance_sheet": 80_000.0, "joint_a": 14_000.0, "cards_2027a": 10_000.0, "cards_2025a": 5_000.0}
"Performing principal by facility, CNY m; joint loans whole."


def basel_bank() -> Tables:
    """The tables (name -> DataFrame): 24 segments, 4 facilities, 7 lines of which 2 deposits; money in CNY."""
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
        "partners": pd.DataFrame(
            [{"partner": "hill_bank", "net_tier1": 60e9, "total_loans": 700e9, "daily_quota": 6e7}]
        ),
    }
    return close(tables, **_lender())


def _lender() -> dict[str, object]:
    return {
        "as_of": AS_OF,
        "cut_off": "22:00",
        "cash": 2_000 * MILLION,
        "hqla": 7_000 * MILLION,
        "hqla_2a": 1_500 * MILLION,
        "cash_rate": 0.012,
        "opex_rate": 0.022,
        "opex_per_year": 400 * MILLION,
    }


def _segments() -> pd.DataFrame:
    rows = [_segment(grade, use, region) for use in PARTS for grade in GRADES.index for region in REGIONS]
    table = pd.DataFrame(rows).set_index("segment")
    table["ecl_rate"] = (0.004 + 0.6 * table["pd"]).round(5)
    return table


def _segment(grade: str, use: str, region: str) -> dict[str, object]:
    g, card, pays = GRADES.loc[grade], use != "instalment", use == "transactor"
    apr = 0.144 if pays else round(g["apr"] - (0.0 if card else 0.035) + (0.002 if region == "south" else 0.0), 4)
    return {
        "segment": f"{grade}-{use}-{region}",
        "grade": grade,
        "behaviour": use,
        "region": region,
        "product": "card" if card else "loan",
        "purpose": "consumption",
        "tenor_months": 12 if card else 36,
        "apr": apr,
        "apr_all_in": apr,
        "pd": round(g["pd"] * (0.4 if pays else 1.2 if card else 0.9), 5),
        "lgd": 0.78 if card else 0.62,
        "opex_rate": 0.0,
        "risk_weight": 0.45 if pays else 0.75,
        "limit": g["limit"] * (1.0 if card else 2.5),
        "monthly_payment_rate": round(0.82 if pays else g["payment"] if card else 0.042, 4),
        "guaranteed_share": 0.0,
        "guarantee_fee": 0.0,
        "used": g["used"] * (0.6 if pays else 1.0 if card else 1.5),
        "share": g["share"] * REGIONS[region] * PARTS[use],
    }


def _requests(segments: pd.DataFrame, held: pd.Series) -> pd.DataFrame:
    """Gates by grade; transactors ask again for nearly all they repay; new demand is 9% of the balance a month."""
    grade, pays = segments["grade"], segments["behaviour"] == "transactor"
    table = pd.DataFrame(index=held.index)
    table["asked"] = grade.map(GRADES["asked"]).mask(pays, 0.97)
    table["score_kept"] = grade.map(GRADES["score_kept"])
    table["model_kept"] = 1.0
    table["policy_kept"] = (segments["region"] == "south").map({True: 0.99, False: 1.0})
    table["available"] = 1.0
    return table.assign(new_demand=fen(0.09 * held)).reset_index()


def _eligibility() -> pd.DataFrame:
    terms = [
        ("joint_a", "product", "==", "loan"),
        ("cards_2027a", "product", "==", "card"),
        ("cards_2027a", "grade", "in", "A|B|C"),
        ("cards_2025a", "product", "==", "card"),
    ]
    return pd.DataFrame(terms, columns=["facility", "field", "op", "value"])


def _facilities() -> pd.DataFrame:
    table = pd.DataFrame(index=pd.Index(list(POOLS), name="facility"))
    table["kind"] = ["balance_sheet", "joint", "abs", "abs"]
    table["own_share"] = [1.0, 0.4, 1.0, 1.0]
    table["commitment"] = 0.0
    table["drawn"] = 0.0
    table["advance_rate"] = 0.0
    table["rate"] = 0.0
    table["unused_fee"] = 0.0
    table["servicing_fee"] = [0.0, 0.0, 0.01, 0.01]
    table["partner"] = ["", "hill_bank", "", ""]
    table["partner_fee"] = [0.0, 0.015, 0.0, 0.0]
    table["revolving_end"] = dates([NEVER, NEVER, "2029-12-31", "2027-06-30"])
    table["legal_final"] = dates([NEVER, NEVER, "2031-12-31", "2029-06-30"])
    table["reserve_rate"] = 0.0
    table["cash"] = [0.0, 0.0, 60 * MILLION, 0.0]
    table["cash_rate"] = [0.0, 0.0, 0.010, 0.010]
    return table.reset_index()


def _tranches() -> pd.DataFrame:
    return classes(
        {
            "cards_2027a": [(8_600.0, 0.026), (700.0, 0.034), (700.0, 0.0)],
            "cards_2025a": [(3_400.0, 0.028), (800.0, 0.036), (700.0, 0.0)],
        }
    )


def _lines() -> pd.DataFrame:
    """Deposits of two kinds, wholesale debt by tenor, and a standby line."""
    columns = ["line", "kind", "drawn", "commitment", "rate", "commitment_fee", "maturity", "revolving", "stable_share"]
    rows = [
        ("deposits_branch", "deposit", 45_000, 45_000, 0.009, 0.0, NEVER, False, 0.75),
        ("deposits_online", "deposit", 18_000, 18_000, 0.019, 0.0, NEVER, False, 0.20),
        ("interbank_call", "interbank", 4_000, 8_000, 0.021, 0.0, NEVER, True, 0.0),
        ("banks_term", "bank_line", 8_720, 12_000, 0.027, 0.001, "2028-09-15", True, 0.0),
        ("bond_2025", "bond", 8_000, 8_000, 0.029, 0.0, "2029-03-15", False, 0.0),
        ("bond_2027", "bond", 5_000, 5_000, 0.031, 0.0, "2031-06-15", False, 0.0),
        ("standby", "standby", 0, 2_000, 0.036, 0.002, "2029-12-17", True, 0.0),
    ]
    table = pd.DataFrame(rows, columns=columns)
    table["maturity"] = dates(list(table["maturity"]))
    table["class"] = "standardised"
    table[["drawn", "commitment"]] *= MILLION
    table["at_call"] = table["kind"] == "interbank"
    return table


def _partners() -> pd.DataFrame:
    return pd.DataFrame([{"partner": "hill_bank", "net_tier1": 60e9, "total_loans": 700e9, "daily_quota": 60e6}])
