"""Bad loans, covenants of a pool, groups that are served: figures by hand, and misfits with the book."""

from __future__ import annotations

import math

import pandas as pd
import pyomo.environ as pyo
import pytest
from pyomo.repn import generate_standard_repn
from rule_rows import broken, families, rows

from liquidity.rules import KINDS
from liquidity.rules.covenants import month_ends

SIGNED = {"origin": "board", "source": "a test"}


def make(kind, **values):
    return KINDS[kind].model_validate({**SIGNED, **values})


def indices(pool, rule, family):
    """Indices of the rows of one family."""
    return [row.index() for row in rows(pool, rule) if row.parent_component().local_name == family]


HISTORY = [
    ("2026-08-01", 150e6, 9e6, 9e6, 0.0),
    ("2026-09-01", 140e6, 20e6, 1.5e6, 0.1e6),
    ("2026-10-01", 130e6, 18e6, 1.2e6, 0.2e6),
]
"Month, pool, principal, interest, defaults of the trust `tr`; CNY. Its coupons are 0.4m a month."


def with_history(book):
    rows = [
        {"facility": "tr", "month": pd.Timestamp(month), "pool_opening": size, "principal": paid, "interest": earned,
         "defaults": bad, "recoveries": 0.1 * bad, "coupons": 0.4e6, "uninvested_cash": 0.0}
        for month, size, paid, earned, bad in HISTORY
    ]  # fmt: skip
    return book.replace("servicer", pd.DataFrame(rows))


def bounds(pool, kind, what):
    """Bounds of a family of rows by index, CNY."""
    family = pool.model.rule.component(kind).component(what)
    return {key: pyo.value(row.lower if row.upper is None else row.upper) * pool.unit for key, row in family.items()}


def test_covenants_look_back_on_the_reports_of_the_servicer(write, book):
    """The first month that ends on the grid has two reported months beside it, the oldest report is out of the window.

    The trust revolves until a month that ends after its end is no longer tested.
    """
    rule = make("covenants", min_excess_spread=0.01, max_default_rate=0.03, min_payment_rate=0.1)
    pool = write(rule, of=with_history(book))
    size = 140e6 + 130e6
    kept = 1.5e6 + 1.2e6 - 2 * 0.4e6 - 0.9 * (0.1e6 + 0.2e6) - (0.01 + 0.01) / 12 * size
    assert bounds(pool, "covenants", "excess_spread") == {("tr", 3): pytest.approx(-kept)}
    assert bounds(pool, "covenants", "default_rate") == {("tr", 3): pytest.approx(0.03 / 12 * size - 0.3e6)}
    assert bounds(pool, "covenants", "payment_rate") == {("tr", 3): pytest.approx(0.1 * size - 38e6)}


def test_later_months_push_the_reports_out_of_the_window(write, book):
    """Months of the model take the place of reported ones, oldest first; the trust's window is three months."""
    of = with_history(book).edit("facilities", "tr", revolving_end=pd.Timestamp("2027-12-31"))
    pool = write(make("covenants", max_default_rate=0.03), of=of, horizon=("4 x 1 month",))
    found = bounds(pool, "covenants", "default_rate")
    last, two = 0.03 / 12 * 130e6 - 0.2e6, 0.03 / 12 * 270e6 - 0.3e6
    assert found == {key: pytest.approx(value) for key, value in zip(sorted(found), (two, last, 0.0, 0.0))}
    assert sorted(found) == [("tr", t) for t in (1, 2, 3, 4)]
    family = {row.index(): row for row in rows(pool, "covenants")}
    for index in found:
        names = {column.name for column in generate_standard_repn(family[index].body).linear_vars}
        months = {int(name.rstrip("]").rsplit(",", 1)[1]) for name in names}
        assert months == set(range(max(0, index[1] - 3), index[1]))


def test_covenants_without_reports_and_of_one_month_look_back_on_nothing(write, book):
    for months, of in ((3, book), (1, with_history(book))):
        pool = write(make("covenants", months=months, max_default_rate=0.03), of=of)
        assert bounds(pool, "covenants", "default_rate") == {("tr", 3): 0}


def test_days_and_weeks_make_a_month_from_28_days_on():
    assert month_ends([1, 1, 27, 30, 7, 7, 7, 7, 30, 5]) == {3: [1, 2, 3], 4: [4], 8: [5, 6, 7, 8], 9: [9]}


def test_bad_loans_start_at_the_own_part_and_are_written_off(write, book):
    """In 2 days, 2 months: what was bad fades at the rate, what defaults falls in."""
    held = book["balances"].assign(npl=0.0)
    held.loc[("a_east", "bs"), "npl"], held.loc[("c_east", "ja"), "npl"] = 5e6, 10e6
    pool = write(make("npl_ratio", share=0.1, write_off_rate=1.2), of=book.replace("balances", held.reset_index()))
    pool.write_out()
    m, years = pool.model, pool.grid.years
    start = m.rule.component("definition").component("npl_ratio_npl_opening")[0]
    assert pyo.value(start.upper) * pool.unit == pytest.approx(5e6 + 0.3 * 10e6)
    row = generate_standard_repn(m.rule.component("definition").component("npl_ratio_npl")[3].body)
    factors = {column.name: factor for column, factor in zip(row.linear_vars, row.linear_coefs)}
    assert factors["npl_ratio_npl[2]"] == pytest.approx(-math.exp(-1.2 * years[2]))
    pay, bad = -12 * math.log(0.9), -math.log(0.92)
    falls = bad / (pay + bad) * (1 - math.exp(-(pay + bad) * years[2]))
    assert factors["balance[c_east,bs,2]"] == pytest.approx(-falls)
    assert factors["balance[c_east,ja,2]"] == pytest.approx(-0.3 * falls)


def test_only_one_cover_of_bad_loans_where_one_is_asked(write):
    assert families(write(make("provision_cover", npl_share=1.0, write_off_rate=1.0)), "provision_cover") == {"npl"}
    assert families(write(make("provision_cover", loan_share=0.1, write_off_rate=1.0)), "provision_cover") == {"loans"}


def test_the_part_of_a_group_may_be_of_the_book(write):
    values = {"by": "product", "groups": ["instalment"], "share": 0.2, "of": "book"}
    pool = write(make("inclusion", **values))
    assert families(pool, "inclusion") == {"book"}
    assert broken(pool, "inclusion", {("balance", "d_shop", "bs", 1): 20, ("balance", "a_east", "ja", 1): 80}) == set()
    assert broken(pool, "inclusion", {("balance", "d_shop", "bs", 1): 20, ("balance", "a_east", "ja", 1): 81}) == {
        "book"
    }
    assert make("inclusion", **values).words("en").startswith("At least 20% of the managed book is lent to borrowers")
    assert "在管贷款余额的20%" in make("inclusion", **values).words("zh")


def test_only_the_named_pools_are_bound(write):
    pool = write(make("excess_concentration", by="region", share=0.5, facilities=["wh"]))
    assert {index[1] for index in indices(pool, "excess_concentration", "share")} == {"wh"}


def test_unknown_groups_and_pools_are_refused(book):
    values = {"by": "region", "groups": ["north"], "share": 0.5}
    for kind in ("relend_floor", "inclusion"):
        (problem,) = make(kind, **values).check(book)
        assert (problem.column, problem.value) == ("groups", "north")
        (problem,) = make(kind, **{**values, "by": "colour"}).check(book)
        assert problem.column == "by"
    (problem,) = make("excess_concentration", by="region", share=0.5, facilities=["bs"]).check(book)
    assert (problem.column, problem.value) == ("facilities", "bs")
