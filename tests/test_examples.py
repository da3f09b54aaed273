"""The example of a lender's own rule: it runs, and in its night it is the first reason."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path

import pytest

from liquidity import BadInput, Night, allocate, read_book, read_rulebook
from liquidity.report.html import write_report
from liquidity.rules.page import page
from tests.plants import freed
from tests.test_planted import NIGHT

FILE = Path(__file__).parents[1] / "models" / "examples" / "daily_budget.toml"
BUDGET = 400_000.0
WRITE = "LIQUIDITY_WRITE_GOLDEN"


@lru_cache
def night() -> Night:
    rules = read_rulebook(FILE)
    assert rules.book is not None
    return allocate(read_book(rules.book), rules)


def test_its_rule_is_the_first_reason():
    """The product `trust` is one segment; what it repays beyond the budget of the day is not lent again."""
    table = night().tables["reasons"]
    assert night().exit_code == 0
    for period in (NIGHT, "30d"):
        first = table[(table.period == period) & (table["rank"] == 1)]
        assert first[["segment", "cause", "rule", "origin"]].to_numpy().tolist() == [
            ["trust-west", "LIMIT_POLICY", "daily_budget", "board"]
        ], period
    tonight = table[table.period == NIGHT].iloc[0]
    assert tonight.amount == pytest.approx(freed("trust-west") - BUDGET, abs=0.01)
    assert "At most CNY 400,000 a day is lent in trust." in tonight.text_en
    assert "trust类产品每日投放不超过40万元" in tonight.text_zh


def test_its_reason_stands_in_the_report(tmp_path):
    write_report(night().tables, {"currency": "CNY"}, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for told in ("At most CNY 400,000 a day is lent in trust.", "trust类产品每日投放不超过40万元"):
        assert json.dumps(told)[1:-1] in text, "the page keeps its sentences as JSON"


def test_without_the_rule_nothing_is_declined():
    rules = read_rulebook(FILE).without("daily_budget")
    assert allocate(read_book(rules.book), rules).tables["ledger"].declined.sum() == pytest.approx(0, abs=0.01)


def test_the_text_of_the_rule_is_part_of_the_rulebook():
    text = FILE.with_name("daily_budget.py").read_bytes()
    assert read_rulebook(FILE).own_rules == {"daily_budget": hashlib.sha256(text).hexdigest()}


def test_a_product_the_book_does_not_have_is_refused():
    rules = read_rulebook(FILE).edit("daily_budget", products=("trust", "boat"))
    with pytest.raises(BadInput, match="boat"):
        allocate(read_book(rules.book), rules)


def test_its_page_is_fresh():
    file, text = FILE.with_suffix(".md"), page(read_rulebook(FILE))
    if os.environ.get(WRITE):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, f"set {WRITE}=1 to write it anew"
