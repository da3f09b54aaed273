"""Contrast: what a floor costs, which single change would do it, and that 99% of it would not.

Causes are planted in the calm lender, so that the change which must be found is known.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from liquidity.errors import BadInput
from liquidity.explain.words import segment_name
from liquidity.program.decide import Decided
from liquidity.runs.contrast import Contrast, Search, break_even_levers, contrast, stand
from liquidity.runs.contrast_text import tell
from liquidity.runs.levers import COST, levers
from liquidity.runs.night import check_fit, decide
from tests.books import SHORT, random_book, random_rules
from tests.test_planted import PLANTS

NEGOTIABLE = ("LIQUIDITY_BUFFER", "CAPITAL", "PARTNER", "CONCENTRATION", "RISK_BUDGET")
HALF = 0.5


@lru_cache
def night(cause: str) -> Decided:
    """The calm lender with one cause planted."""
    return stand(*PLANTS[cause][1]())


@lru_cache
def lender() -> Decided:
    """A made-up lender on a short horizon."""
    book = random_book(8, 5, 0)
    return stand(book, random_rules(book, 0, SHORT))


def worst(at: Decided) -> tuple[str, float]:
    """The segment that is declined most tonight, and how much (CNY)."""
    declined = (at.goals.wanted[0] - at.goals.relent[0]) @ at.solved.staged.last.x
    place = int(np.argmax(declined))
    return at.goals.segments[place], float(declined[place]) * at.pool.unit


@lru_cache
def answer(cause: str) -> Contrast:
    """Half of what was declined, asked back."""
    segment, declined = worst(night(cause))
    return contrast(night(cause), segment, HALF * declined)


def relent(at: Decided, segment: str, rulebook, book) -> float:
    """Tonight's relent by the nightly job, CNY."""
    check_fit(book, rulebook)
    night = decide(book, rulebook, at.pool.previous)
    row = night.goals.relent[0][night.goals.segments.index(segment)]
    return float((row @ night.solved.staged.last.x).item()) * night.pool.unit


@pytest.mark.parametrize("cause", NEGOTIABLE)
def test_the_planted_limit_is_among_the_changes(cause):
    rule = PLANTS[cause][0]
    assert rule in {change.rule for change in answer(cause).enabled}


@pytest.mark.parametrize("cause", NEGOTIABLE)
def test_with_the_change_it_is_relent_and_with_99_percent_it_is_not(cause):
    found, at = answer(cause), night(cause)
    target = found.now + found.amount
    known = [*levers(at.pool, found.segment), *break_even_levers(at.pool, found.segment)]
    by_name = {(lever.rule, lever.what): lever for lever in known}
    proved = [change for change in (*found.enabled, *found.break_even) if change.proved]
    assert proved
    for change in proved:
        apply = by_name[change.rule, change.what].apply
        assert relent(at, found.segment, *apply(change.to)) >= target * (1 - 2e-6)
        assert relent(at, found.segment, *apply(change.now + 0.99 * (change.to - change.now))) < target * (1 - 5e-7)


@pytest.mark.parametrize("cause", NEGOTIABLE)
def test_changes_are_ranked_by_stated_cost_and_never_law(cause):
    costs = [change.cost for change in answer(cause).enabled]
    assert costs == sorted(costs)
    for change in answer(cause).enabled:
        assert change.cost == pytest.approx(change.room * COST[change.kind])
        assert change.origin != "law"


def test_a_segment_that_does_not_pay_has_a_break_even_rate():
    found = answer("UNPROFITABLE")
    rates = {change.kind: change for change in found.break_even}
    assert rates["apr"].proved
    assert rates["apr"].to > rates["apr"].now


def test_a_cap_of_the_law_has_no_lever():
    found = answer("PRICE_CAP")
    assert "price_cap" not in {change.rule for change in found.enabled}


def test_a_floor_costs_net_worth_and_the_more_the_dearer():
    segment, declined = worst(lender())
    (half, _), (whole, moved) = (Search(lender(), segment, part * declined).forced() for part in (0.5, 0.99))
    assert half is not None
    assert whole is not None
    assert 0 <= half <= whole
    assert whole > 0
    assert len(moved)


def test_a_forced_plan_holds_the_floor_and_its_flows_add_up():
    segment, declined = worst(lender())
    search = Search(lender(), segment, 0.5 * declined)
    _, moved = search.forced()
    drawn = sum(moved.get(name, 0.0) for name in ("drawn on lines", "drawn on warehouse notes"))
    assert f"relent {segment}" not in moved.index
    assert abs(drawn) + moved.abs().sum() > 0


def test_more_than_the_rules_allow_cannot_be_forced():
    found = contrast(lender(), worst(lender())[0], 1e12)
    assert found.cost is None
    assert found.moved.empty
    assert not found.enabled
    assert any("not possible" in line for line in tell(found))


def test_every_lever_moves_what_it_says_and_nothing_where_it_stays():
    pool = lender().pool
    found = levers(pool, lender().goals.segments[0])
    laws = [rule for rule in pool.rulebook.rules if rule.origin == "law"]
    assert laws
    for lever in found:
        rulebook, book = lever.apply(lever.now)
        assert (rulebook.digest, book.digest) == (pool.rulebook.digest, pool.book.digest), lever.what
        rulebook, book = lever.apply((lever.now + lever.end) / 2)
        assert (rulebook.digest, book.digest) != (pool.rulebook.digest, pool.book.digest), lever.what
        assert [rulebook.rule(rule.name) for rule in laws] == laws
        assert lever.origin != "law"


@pytest.mark.parametrize("cause", ["CONCENTRATION", "UNPROFITABLE"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sentences(cause, lang):
    lines = tell(answer(cause), lang)
    assert segment_name(lang, answer(cause).segment) in lines[0]
    assert len(lines) >= 4
    assert not any("nan" in line or "inf " in line for line in lines)


@pytest.mark.parametrize(("segment", "amount"), [("nobody", 1e6), ("", 0.0), ("", -1.0)])
def test_bad_questions(segment, amount):
    with pytest.raises(BadInput):
        contrast(lender(), segment or worst(lender())[0], amount)
