"""The data dictionary and the page made from it."""

from pathlib import Path

import pytest

from liquidity.book import TABLES, describe_fields
from liquidity.book.fields import NUMERIC, TEXTUAL

CONTRACT = {
    "lender": "as_of cut_off currency net_assets tier1_capital total_capital cash hqla hqla_2a hqla_2b equity "
    "provision opex_rate opex_per_year cash_rate",
    "segments": "segment grade behaviour region product purpose tenor_months apr apr_all_in pd lgd opex_rate "
    "risk_weight ecl_rate limit borrowers monthly_payment_rate guaranteed_share guarantee_fee guarantor "
    "largest_share priority",
    "balances": "segment facility balance past_due_1_30 past_due_31_90 npl",
    "repaid": "segment facility principal interest defaulted",
    "requests": "segment from asked score_kept model_kept policy_kept available new_demand",
    "facilities": "facility kind own_share commitment drawn advance_rate rate unused_fee servicing_fee partner "
    "partner_fee class revolving_end legal_final reserve_rate cash cash_rate deficiency frozen payment_day",
    "tranches": "facility tranche seniority balance coupon holder issue_share",
    "issues": "facility date least most cost market_open",
    "eligibility": "facility field op value",
    "lines": "line kind drawn commitment rate commitment_fee maturity class revolving notice_days stable_share at_call",
    "partners": "partner net_tier1 total_loans daily_quota",
    "servicer": "facility month pool_opening principal interest defaults recoveries coupons uninvested_cash",
    "calendar": "date business_day",
    "pins": "target segment facility line from to op amount reason by",
    "flows": "date name amount account",
}


def test_every_table_and_column_of_the_contract():
    assert {name: tuple(columns.split()) for name, columns in CONTRACT.items()} == {
        name: table.names for name, table in TABLES.items()
    }


@pytest.mark.parametrize("field", [field for table in TABLES.values() for field in table.fields], ids=str)
def test_each_column_is_described(field):
    assert field.type in (*NUMERIC, *TEXTUAL, "boolean", "date")
    assert len(field.meaning) > 10
    assert not field.meaning.endswith(".")
    assert field.expected
    if field.type == "number" and field.name != "priority":
        assert field.unit
    if field.refers:
        assert len(TABLES[field.refers].keys) == 1


def test_readme_is_fresh():
    page = Path(__file__).parents[2] / "data" / "README.md"
    assert describe_fields() == page.read_text(encoding="utf-8"), "write describe_fields() to data/README.md"


def test_ranges_in_words():
    words = TABLES["segments"]
    assert words["pd"].expected == "a finite number of at least 0 and below 1"
    assert words["lgd"].expected == "a finite number from 0 to 1"
    assert words["priority"].expected == "a finite number above 0"
    assert words["region"].expected.startswith("a label")
