"""Planned issues in a book: what is refused, and that a book without them has the digest it always had."""

from __future__ import annotations

import pytest

from liquidity.book.make import book_of, calm, make_lender, with_issues
from liquidity.errors import BadInput

MILLION = 1e6


def planned():
    """A made lender with two planned issues."""
    return book_of(with_issues(make_lender(8, 5, 1), 2, 1))


def refused(book, table, key, **values):
    """The places and expectations of the problems of an edited book."""
    with pytest.raises(BadInput) as caught:
        book.edit(table, key, **values)
    return [(p.table, p.row, p.column) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("table", "key", "values", "place"),
    [
        ("issues", "plan_01", {"least": 1e12}, ("issues", "plan_01", "least")),
        ("issues", "plan_01", {"date": "2026-11-01"}, ("issues", "plan_01", "date")),
        ("issues", "plan_01", {"date": "2029-11-01"}, ("issues", "plan_01", "date")),
        ("issues", "plan_01", {"most": 0.0}, ("issues", "plan_01", "most")),
        ("issues", "plan_01", {"cost": -1.0}, ("issues", "plan_01", "cost")),
        ("facilities", "plan_02", {"cash": 1.0}, ("facilities", "plan_02", "cash")),
        ("facilities", "plan_02", {"deficiency": 1.0}, ("facilities", "plan_02", "deficiency")),
        ("facilities", "plan_02", {"frozen": True}, ("facilities", "plan_02", "frozen")),
        ("tranches", ("plan_01", "senior"), {"issue_share": 0.5}, ("tranches", "plan_01", "issue_share")),
        ("tranches", ("plan_01", "senior"), {"balance": MILLION}, ("tranches", "plan_01/senior", "balance")),
        ("tranches", ("abs_2026a", "senior"), {"issue_share": 0.5}, ("tranches", "abs_2026a/senior", "issue_share")),
    ],
)  # fmt: skip
def test_refused(table, key, values, place):
    assert place in refused(planned(), table, key, **values)


def test_only_an_abs_can_be_planned():
    book = planned()
    issues = book["issues"].reset_index()
    issues.loc[0, "facility"] = "balance_sheet"
    with pytest.raises(BadInput, match="a facility of kind abs"):
        book.replace(issues=issues)


def test_loans_in_a_planned_facility_are_refused():
    book = planned()
    balances = book["balances"].reset_index()
    balances.loc[0, "facility"] = "plan_01"
    with pytest.raises(BadInput, match="0 before the planned issue"):
        book.replace(balances=balances)


def test_digest():
    """The figure is that of the sample before there were planned issues."""
    book = book_of(calm())
    assert book.digest == "50280db162f9d89e6676dd859ec90df0c533c98e6b8b551a185c67d0ce9eb0d7"
    assert planned().digest != planned().edit("issues", "plan_01", cost=1.0).digest
    assert planned().edit("issues", "plan_01", market_open=False).digest != planned().digest


def test_made_issues_are_the_same_again_and_two_of_twelve_are_shut():
    tables = with_issues(make_lender(8, 5, 1), 12, 1)
    assert book_of(tables) == book_of(with_issues(make_lender(8, 5, 1), 12, 1))
    assert int((~tables["issues"].market_open).sum()) == 2
    assert tables["issues"].date.is_monotonic_increasing
