"""How the sample lender is funded: its facilities, notes, lines and partner banks. All figures are assumptions."""

from __future__ import annotations

import pandas as pd

from liquidity.book.make_parts import MILLION, NEVER, classes, dates

POOLS = {
    "balance_sheet": 20_000.0,
    "joint_a": 34_000.0,
    "joint_b": 26_000.0,
    "warehouse_a": 14_000.0,
    "abs_2026a": 12_000.0,
    "abs_2025a": 8_000.0,
    "abs_2024a": 6_000.0,
}
"Performing principal by facility, CNY m; joint loans whole, the partner's part included."


def eligibility() -> pd.DataFrame:
    """The table `eligibility`: the balance sheet alone may take every segment."""
    terms = [
        ("joint_a", "grade", "in", "B|C|D"),
        ("joint_a", "region", "!=", "west"),
        ("joint_a", "purpose", "==", "consumption"),
        ("joint_b", "grade", "in", "A|B|C|D"),
        ("warehouse_a", "grade", "in", "A|B|C|D"),
        ("warehouse_a", "behaviour", "!=", "minimum"),
        ("warehouse_a", "purpose", "==", "consumption"),
        ("abs_2026a", "grade", "in", "A|B|C"),
        ("abs_2026a", "purpose", "==", "consumption"),
        ("abs_2025a", "grade", "in", "A|B|C|D"),
        ("abs_2025a", "purpose", "==", "consumption"),
        ("abs_2024a", "grade", "in", "A|B|C|D"),
        ("abs_2024a", "purpose", "==", "consumption"),
    ]
    return pd.DataFrame(terms, columns=["facility", "field", "op", "value"])


def facilities() -> pd.DataFrame:
    """The table `facilities`: one of each age of ABS, a warehouse nearly full, two banks that lend jointly."""
    table = pd.DataFrame({"facility": list(POOLS)}).set_index("facility")
    table["kind"] = ["balance_sheet", "joint", "joint", "warehouse", "abs", "abs", "abs"]
    table["own_share"] = [1.0, 0.3, 0.4, 1.0, 1.0, 1.0, 1.0]
    table["commitment"] = [0.0, 0.0, 0.0, 11_250 * MILLION, 0.0, 0.0, 0.0]
    table["drawn"] = [0.0, 0.0, 0.0, 11_190 * MILLION, 0.0, 0.0, 0.0]
    table["advance_rate"] = [0.0, 0.0, 0.0, 0.80, 0.0, 0.0, 0.0]
    table["rate"] = [0.0, 0.0, 0.0, 0.039, 0.0, 0.0, 0.0]
    table["unused_fee"] = [0.0, 0.0, 0.0, 0.003, 0.0, 0.0, 0.0]
    table["servicing_fee"] = [0.0, 0.0, 0.0, 0.01, 0.01, 0.01, 0.01]
    table["partner"] = ["", "harbour_bank", "river_bank", "", "", "", ""]
    table["partner_fee"] = [0.0, 0.020, 0.018, 0.0, 0.0, 0.0, 0.0]
    table["class"] = "standardised"
    table["revolving_end"] = dates([*[NEVER] * 4, "2028-06-30", "2027-06-30", "2026-06-30"])
    table["legal_final"] = dates([*[NEVER] * 4, "2030-06-30", "2029-06-30", "2028-06-30"])
    table["reserve_rate"] = 0.0
    table["cash"] = [0.0, 0.0, 0.0, 60 * MILLION, 60 * MILLION, 40 * MILLION, 0.0]
    table["cash_rate"] = [0.0, 0.0, 0.0, 0.010, 0.010, 0.010, 0.010]
    table["frozen"] = False
    return table.reset_index()


def tranches() -> pd.DataFrame:
    """The table `tranches`: three classes per ABS, the lowest retained; CNY."""
    return classes(
        {
            "abs_2026a": [(10_200.0, 0.031), (1_000.0, 0.043), (800.0, 0.0)],
            "abs_2025a": [(6_600.0, 0.030), (800.0, 0.043), (600.0, 0.0)],
            "abs_2024a": [(3_900.0, 0.032), (1_000.0, 0.050), (800.0, 0.0)],
        }
    )


def lines() -> pd.DataFrame:
    """The table `lines`: every line nearly full, `bank_c` due in six months; CNY."""
    rows = [
        ("bank_a", "bank_line", 5_300, 5_350, 0.040, 0.002, "2028-06-30", "nonstandard", True),
        ("bank_b", "bank_line", 4_200, 4_230, 0.043, 0.002, "2028-03-31", "nonstandard", True),
        ("bank_c", "bank_line", 2_500, 2_520, 0.046, 0.002, "2027-05-21", "nonstandard", True),
        ("shareholder_loan", "shareholder_loan", 1_300, 1_300, 0.050, 0.0, "2028-12-31", "nonstandard", True),
        ("bond", "bond", 20_000, 20_000, 0.036, 0.0, "2028-09-15", "standardised", False),
        ("standby", "standby", 0, 400, 0.052, 0.005, "2028-06-30", "nonstandard", True),
    ]
    columns = ["line", "kind", "drawn", "commitment", "rate", "commitment_fee", "maturity", "class", "revolving"]
    table = pd.DataFrame(rows, columns=columns)
    table["maturity"] = pd.to_datetime(table["maturity"])
    table[["drawn", "commitment"]] *= MILLION
    return table


def partners() -> pd.DataFrame:
    """The table `partners`: quotas below what their borrowers ask for in a day; CNY."""
    rows = [("harbour_bank", 100_000, 900_000, 50), ("river_bank", 66_000, 520_000, 35)]
    table = pd.DataFrame(rows, columns=["partner", "net_tier1", "total_loans", "daily_quota"])
    table[["net_tier1", "total_loans", "daily_quota"]] *= MILLION
    return table
