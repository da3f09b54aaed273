"""The consumer finance company: its night, what it feels first, and where the numbers of its law come from."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from liquidity import Night, Rulebook, allocate, read_book, read_rulebook
from tests.test_planted import assert_adds_up

ROOT = Path(__file__).parents[1]
LAW = {
    "capital": ("ratio", 0.105, False),
    "tier1_capital": ("ratio", 0.085, False),
    "leverage_ratio": ("ratio", 0.04, False),
    "guarantee_share": ("share", 0.50, True),
    "liquidity_ratio": ("ratio", 0.50, True),
    "partner_share": ("floor", 0.30, True),
    "price_cap": ("cap", 0.24, False),
    "interbank_limit": ("kinds", {"interbank": 1.0}, False),
    "household_cap": ("caps", {"consumption": 200_000.0}, False),
}
"Rule -> its number and whether it was seen in its source."


@lru_cache
def rulebook() -> Rulebook:
    return read_rulebook(ROOT / "models" / "consumer_finance_company.toml")


@lru_cache
def night() -> Night:
    return allocate(read_book(ROOT / "data" / "consumer_finance_company"), rulebook())


@pytest.mark.parametrize("name", LAW)
def test_numbers_of_the_law(name: str) -> None:
    rule, (key, number, seen) = rulebook().rule(name), LAW[name]
    assert getattr(rule, key) == number
    assert rule.verified is seen


def test_law_has_a_source_and_a_day() -> None:
    for rule in rulebook().rules:
        assert rule.source
        assert rule.effective_from is not None or rule.origin != "law", rule.name


def test_capital_is_what_such_a_company_feels_first() -> None:
    assert night().exit_code == 0, night().gave_way
    reasons = night().tables["reasons"]
    tonight = reasons[reasons.period == night().pool.grid.labels[0]]
    total = tonight.groupby("cause").amount.sum().drop(index=["NOT_ASKED"])
    assert total.idxmax() == "CAPITAL"
    assert total["CAPITAL"] > 1e8
    assert_adds_up(night())


def test_interbank_money_is_at_the_limit_of_the_law() -> None:
    limits = night().tables["limits"]
    row = limits[(limits["rule"] == "interbank_limit") & (limits.period == night().pool.grid.labels[0])].iloc[0]
    assert row.level == "binding"
    assert row.used == pytest.approx(1.0, abs=1e-6)


def test_the_night_proves_itself() -> None:
    checks = night().checks
    assert checks["duality_gap"] <= 1e-8
    assert checks["price_identity"] <= 1e-9
    assert checks["balance_sheet"] <= 1e-9
    assert checks["amounts_gap"] <= 1e-9
