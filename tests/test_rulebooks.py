"""The rulebooks a regulator would know: each runs on its book, and its first reasons are what such a lender feels."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest

from liquidity import Night, Rulebook, allocate, read_book, read_rulebook
from liquidity.book import opening
from liquidity.runs.night import check_fit, decide

ROOT = Path(__file__).parents[1]
LENDERS = ("consumer_finance_company", "basel_bank")
MODELS = ("online_microlender", *LENDERS)
STEP = "2026-12-31"
"From here on the board of the consumer finance company allows 18% all-in."
FLOOR = "2028-01-01"
"From here on the output floor of the bank is in full."
WARN = 1e-6


def rulebook(name: str) -> Rulebook:
    rules = read_rulebook(ROOT / "models" / f"{name}.toml")
    return rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})


@lru_cache
def night(name: str) -> Night:
    rules = rulebook(name)
    assert rules.book is not None
    return allocate(read_book(rules.book), rules)


def by_cause(name: str, period: str = "30d") -> dict[str, float]:
    """What the pool declined by cause, CNY, largest first."""
    table = night(name).tables["reasons"]
    told = table[(table.period == period) & ~table.cause.isin(["NOT_ASKED", "SCORE_LOWERED", "LIMIT_POLICY"])]
    return told.groupby("cause").amount.sum().sort_values(ascending=False).to_dict()


def rules_of(name: str, cause: str) -> set[str]:
    """Rules that a cause names over 30 days."""
    table = night(name).tables["reasons"]
    named = table[(table.period == "30d") & (table.cause == cause)]["rule"]
    return {rule for told in named for rule in told.split("+")}


@pytest.mark.parametrize("name", MODELS)
def test_every_figure_has_a_source_and_every_law_a_date(name):
    for rule in rulebook(name).rules:
        assert len(rule.source) > 10, rule.name
        assert rule.origin != "law" or rule.effective_from is not None, rule.name
        assert not rule.verified or rule.origin == "law", "only the text of a law was compared"


@pytest.mark.parametrize("name", LENDERS)
def test_the_night_keeps_every_rule_and_proves_itself(name):
    found = night(name)
    assert found.exit_code == 0
    assert found.gave_way == []
    assert max(abs(error) for error in found.checks.values()) < WARN
    assert found.tables["reasons"].query("period == '30d'").amount.sum() > 0
    assert abs(opening(found.pool.book).other) < 0.01
    ledger = found.tables["ledger"]
    assert ledger.declined.sum() > 0.001 * ledger.freed.sum()


@pytest.mark.slow
def test_the_microlenders_night_keeps_every_rule():
    rules = rulebook("online_microlender")
    book = read_book(ROOT / "data" / "online_microlender")
    check_fit(book, rules)
    assert decide(book, rules, None).solved.gave_way is None


def test_capital_is_what_the_consumer_finance_company_feels_first():
    causes = by_cause("consumer_finance_company")
    assert next(iter(causes)) == "CAPITAL"
    assert rules_of("consumer_finance_company", "CAPITAL") == {"capital"}
    assert causes["PRICE_CAP"] > 100e6
    limits = night("consumer_finance_company").tables["limits"].query("rule == 'capital'")
    assert limits.level.iloc[0] == "binding"
    lines = night("consumer_finance_company").pool.book["lines"]
    assert lines.commitment.sum() > 1.3 * lines.drawn.sum(), "the banks' lines are far from full"


def test_the_consumer_finance_company_is_of_the_size_published():
    book = night("consumer_finance_company").pool.book
    loans = opening(book).own_loans
    banks = book["lines"].query("kind in ('bank_line', 'interbank')").drawn.sum()
    assert 280e9 < loans < 320e9
    assert 22e9 < book.lender.total_capital < 27e9
    assert 0.65 < banks / (opening(book).assets - book.lender.equity) < 0.85


def test_the_bank_feels_the_floor_on_capital_and_the_liquidity_coverage():
    causes = by_cause("basel_bank")
    assert set(list(causes)[:2]) == {"CAPITAL", "LIQUIDITY_BUFFER"}
    assert rules_of("basel_bank", "CAPITAL") == {"capital_floor_2028"}
    assert "liquidity_coverage" in rules_of("basel_bank", "LIQUIDITY_BUFFER")


def test_deposits_stay_as_they_are():
    found = night("basel_bank")
    lines = found.pool.book["lines"]
    for line in lines.index[lines.kind == "deposit"]:
        debt = found.plan.debt.sel(line=line)
        assert debt.values == pytest.approx(lines.drawn[line], rel=1e-12)


def test_a_cap_that_comes_down_stops_segments_from_that_day():
    """The board's step to 18% lies inside the horizon: dear segments are lent to before it and not from it on."""
    found = night("consumer_finance_company")
    dear = found.pool.book["segments"].index[found.pool.book["segments"].apr_all_in > 0.18]
    lent = found.plan.lend.sum(["borrower", "facility"]).to_pandas().loc[:, found.pool.grid.labels]
    after = lent.columns >= STEP
    assert STEP in lent.columns
    assert len(dear) == 8
    assert (lent.loc[dear, ~after].sum(axis=1) > 0).any()
    assert lent.loc[dear, after].abs().to_numpy().max() <= 1e-6
    assert (lent.loc[lent.index.difference(dear), after].sum(axis=1) > 0).all()
    limits = found.tables["limits"].query("rule == 'price_ramp'")
    assert set(limits.period) == {label for label in lent.columns if label >= STEP}
    assert set(limits["at"]) == {f"segment={segment}" for segment in dear}


def test_a_floor_that_rises_holds_from_that_day():
    found = night("basel_bank")
    limits = found.tables["limits"].query("rule == 'capital_floor_2028'")
    assert set(limits.period) == {label for label in found.pool.grid.labels if label >= FLOOR}
    assert FLOOR in set(limits.period)
    assert (limits.level == "binding").any()


# ---- the law itself: 24% until the end of 2027, then 12%


@lru_cache
def at_the_end_of_2027() -> Night:
    """The calm lender eight days before the cap of the guideline falls to four times the LPR."""
    rules = rulebook("calm").model_copy(update={"horizon": ("8 x 1 day", "3 x 1 week")})
    book = read_book(ROOT / "data" / "calm").edit("lender", None, as_of=date(2027, 12, 23))
    return allocate(book, rules)


def test_the_cap_of_the_guideline_takes_effect_inside_the_horizon():
    found = at_the_end_of_2027()
    segments = found.pool.book["segments"]
    dear = set(segments.index[segments.apr_all_in > 0.12])
    lent = found.plan.lend.sum(["borrower", "facility"]).to_pandas()
    labels = found.pool.grid.labels
    after = [label for label in labels if label >= "2027-12-31"]
    assert after[0] == "2027-12-31"
    assert dear == {"B-full-east", "B-partial-west", "C-full-west", "trust-west"}
    for segment in segments.index:
        assert lent.loc[segment, labels[0]] > 0, segment
        assert (lent.loc[segment, after].sum() > 1e-6) == (segment not in dear), segment


def test_the_reason_is_the_price_cap_from_that_day():
    found = at_the_end_of_2027()
    table = found.tables["reasons"].query("cause == 'PRICE_CAP'")
    segments = found.pool.book["segments"]
    assert set(table.period) == {"30d"}
    assert set(table.segment) == set(segments.index[segments.apr_all_in > 0.12])
    assert "12% from 2027-12-31" in table.text_en.iloc[0]
    ledger = found.tables["ledger"]
    missing = ledger[(ledger.period >= "2027-12-31") & ledger.segment.isin(table.segment)].declined.sum()
    assert table.amount.sum() == pytest.approx(missing, rel=0.01)
    assert ledger[ledger.period < "2027-12-31"].declined.sum() == pytest.approx(0, abs=1)


def test_the_pages_tell_the_steps():
    for name, told in (
        ("consumer_finance_company", "18% from 2026-12-31, 12% from 2027-12-31"),
        ("online_microlender", "12% from 2027-12-31"),
        ("basel_bank", "Holds from 2028-01-01."),
    ):
        assert told in (ROOT / "models" / f"{name}.md").read_text(encoding="utf-8")
