"""What a single case per kind cannot show: dates, exceptions, rows that must not exist, misfits with the book."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError
from rule_rows import families, lp_text, rows

from liquidity.rules import ALL, KINDS, Rule

SIGNED = {"origin": "board", "source": "a test"}


def make(kind, **values):
    return KINDS[kind].model_validate({**SIGNED, **values})


def indices(pool, rule, family):
    """Indices of the rows of one family."""
    return [row.index() for row in rows(pool, rule) if row.parent_component().local_name == family]


# ---- the base


def test_name_and_tier_come_from_kind_and_origin():
    rule = make("standby", keep=0.1)
    assert (rule.name, rule.priority) == ("standby", 3)
    assert [make("pins", origin=origin).priority for origin in ("law", "contract", "board", "desk")] == [1, 2, 3, 4]
    assert make("pins", priority=9).priority == 9


def test_rules_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        make("standby", keep=0.1).keep = 0.2


def test_what_gives_way_and_what_is_lifted():
    assert {kind for kind, cls in KINDS.items() if not cls.repairable} == {
        "requests", "eligibility", "price_cap", "revolving_period", "lending_stop", "partner_share",
    }  # fmt: skip
    assert {kind for kind, cls in KINDS.items() if not cls.liftable} == {"requests"}
    assert len(ALL) == len(KINDS)


def test_a_rule_without_rows_says_so(write):
    rule = Rule(kind="none", **SIGNED)
    for ask in (lambda: write(rule), rule.formula, rule.words):
        with pytest.raises(TypeError, match="Rule"):
            ask()


def test_effective_from_leaves_earlier_periods_free(write):
    pool = write(make("standby", keep=0.5, effective_from=date(2026, 11, 22)))
    assert indices(pool, "standby", "keep") == [("standby", 3), ("standby", 4)]


def test_rule_of_the_far_future_writes_nothing(write):
    for kind, values in {
        "partner_limit": {},
        "pool_cover": {},
        "excess_concentration": {"by": "region", "share": 0.5},
        "covenants": {"min_excess_spread": 0.0},
        "relend_floor": {"by": "grade", "groups": ["A"], "share": 0.5},
        "inclusion": {"by": "grade", "groups": ["A"], "share": 0.5},
        "npl_ratio": {"share": 0.5, "write_off_rate": 1.0},
        "provision_cover": {"npl_share": 0.5, "write_off_rate": 1.0},
        "cash_reserve": {"amount": 5, "line_share": 0.1},
        "line_limit": {},
        "revolving_period": {},
        "pins": {},
    }.items():
        pool = write(make(kind, effective_from=date(2100, 1, 1), **values))
        assert rows(pool, kind) == [], kind


# ---- single kinds


def test_equal_to_the_cap_is_allowed(write):
    assert rows(write(make("price_cap", cap=0.25)), "price_cap") == []


def test_share_at_the_floor_is_allowed(write):
    assert rows(write(make("partner_share", floor=0.25)), "partner_share") == []


def test_tier1_capital_counts_when_asked(write):
    assert ">= -230000" in lp_text(write(make("capital", ratio=0.1, base="tier1")), "capital")


def test_single_groups_only(write):
    pool = write(make("concentration", by="grade", shares={"C": 0.1}))
    assert {index[0] for index in indices(pool, "concentration", "share")} == {"C"}


def test_ratios_are_told_in_their_unit(write):
    told = {}
    for kind, values in {
        "concentration": {"by": "region", "share": 0.6},
        "capital": {"ratio": 0.2},
        "expected_loss": {"rate": 0.02},
        "advance_rate": {},
        "leverage_multiple": {},
    }.items():
        (row,) = [row for row in write(make(kind, **values)).rows if row.owner == kind]
        index = next(iter(row.constraint)) if row.dims != ("period",) else (1,)
        told[kind] = (row.ratio.limit(*index), row.ratio.unit)
    assert told == {
        "concentration": (0.6, "%"),
        "capital": (0.2, "%"),
        "expected_loss": (0.02, "%"),
        "advance_rate": (0.8, "%"),
        "leverage_multiple": (1.0, "x"),
    }


def test_no_rows_without_a_previous_night(write):
    assert rows(write(make("stability", max_change=0.1)), "stability") == []


def test_reserve_rows_only_where_something_is_asked(write):
    assert families(write(make("cash_reserve", notes_share=0.1)), "cash_reserve") == {"coverage"}
    assert families(write(make("cash_reserve", amount=1)), "cash_reserve") == {"amount"}


def test_a_frozen_facility_takes_no_loans_at_all(write, book):
    pool = write(make("revolving_period"), of=book.edit("facilities", "wh", frozen=True))
    assert [index for index in indices(pool, "revolving_period", "ended") if index[1] == "wh"] == [
        (s, "wh", t) for s in book["segments"].index for t in (1, 2, 3, 4)
    ]


def test_an_abs_far_from_its_end_may_be_filled(write, book):
    facilities = book["facilities"]
    facilities.loc["tr", "revolving_end"] = pd.Timestamp("2027-12-20")
    pool = write(make("revolving_period"), of=book.replace("facilities", facilities))
    assert rows(pool, "revolving_period") == []


def test_no_stopped_group_no_rows(write):
    assert rows(write(make("lending_stop", by="region")), "lending_stop") == []
    assert make("lending_stop", by="region").words("en") == "No group by region is stopped."
    assert make("lending_stop", by="grade", groups=["C"]).words("zh") == "暂停向信用等级为C的客群放款。"


def test_equality_has_both_sides(write):
    text = lp_text(write(make("pins")), "pins")
    assert "<= 5000" in text
    assert ">= 5000" in text


# ---- misfits with the book


@pytest.mark.parametrize(
    ("kind", "values", "column", "found"),
    [
        ("concentration", {"by": "colour", "share": 0.5}, "by", "colour"),
        ("concentration", {"by": "region", "shares": {"north": 0.5}}, "shares", "north"),
        ("lending_stop", {"by": "colour"}, "by", "colour"),
        ("lending_stop", {"by": "region", "groups": ["north", "west"]}, "groups", "north"),
    ],
)
def test_rule_that_names_what_the_book_has_not(book, kind, values, column, found):
    (problem,) = make(kind, **values).check(book)
    assert (problem.table, problem.column, problem.value) == (f"rule {kind}", column, found)
    assert "region" in problem.expected


def test_partner_without_figures(book):
    few = book.replace("partners", book["partners"].iloc[:0])
    found = make("partner_limit").check(few)
    assert [(problem.table, problem.row) for problem in found] == [("partners", "bank_x"), ("partners", "bank_y")]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"target": "draw", "facility": "wh"}, "facility"),
        ({"target": "lend", "facility": "am"}, "facility"),
        ({"target": "move", "facility": "ja"}, "facility"),
        ({"target": "note_draw", "facility": "tr"}, "facility"),
        ({"target": "lend", "line": "bank"}, "line"),
        ({"target": "release", "segment": "a_east"}, "segment"),
    ],
)
def test_pin_that_can_hold_on_nothing(book, changes, column):
    pins = book["pins"].iloc[:1].assign(**{"segment": "", "facility": "", "line": "", **changes})
    (problem,) = make("pins").check(book.replace("pins", pins))
    assert (problem.table, problem.row, problem.column) == ("pins", "1", column)


@pytest.mark.parametrize("target", ["release", "contribute", "note_draw", "pay_down"])
def test_pin_on_everything(write, book, target):
    pins = book["pins"].iloc[:1].assign(target=target, segment="", facility="", line="", op="<=")
    (row,) = rows(write(make("pins"), of=book.replace("pins", pins)), "pins")
    assert row.index() == "pin_1"
