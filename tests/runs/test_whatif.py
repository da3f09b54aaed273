"""A what-if gives what a full night gives."""

from __future__ import annotations

import numpy as np
import pytest

from liquidity import BadInput, allocate, what_if
from tests.books import random_book, random_rules


@pytest.fixture(scope="module")
def night():
    book = random_book(seed=2)
    return allocate(book, random_rules(book, seed=2))


def assert_same(answer, night):
    """The plan and the prices of a full night."""
    theirs = night.solved.staged
    assert answer.solved.staged.first.objective == pytest.approx(theirs.first.objective, rel=1e-10)
    scale = float(np.abs(theirs.last.x).max())
    lend = answer.program.column("lend")
    now = np.array([index[-1] == 1 for index in lend.index])
    np.testing.assert_allclose(
        answer.solved.staged.last.x[lend.place][now], theirs.last.x[lend.place][now], atol=1e-7 * scale
    )
    assert answer.plan.sizes == night.plan.sizes


def test_the_same_night_is_the_same_plan(night):
    answer = what_if(night)
    assert answer.refilled
    assert_same(answer, night)


@pytest.mark.parametrize("choose", [False, True])
@pytest.mark.parametrize("factor", [0.5, 1.1])
def test_another_limit_is_a_full_night_with_it(night, factor, choose):
    rule = next(rule for rule in night.pool.rulebook.rules if rule.kind == "cash_reserve")
    rulebook = night.pool.rulebook.edit(rule.name, amount=rule.amount * factor + 1)
    answer = what_if(night, rulebook, choose=choose)
    assert_same(answer, allocate(night.pool.book, rulebook))


def test_another_book_is_a_full_night_with_it(night):
    lines = night.pool.book["lines"].copy()
    lines["commitment"] *= 1.5
    book = night.pool.book.replace(lines=lines)
    assert_same(what_if(night, book=book), allocate(book, night.pool.rulebook))


def test_a_rule_less_makes_other_rows_and_is_compiled(night):
    rulebook = night.pool.rulebook.without("household_cap")
    answer = what_if(night, rulebook)
    assert not answer.refilled
    assert_same(answer, allocate(night.pool.book, rulebook))


def test_a_rulebook_that_does_not_fit_is_refused(night):
    rule = next((rule for rule in night.pool.rulebook.rules if rule.kind == "concentration"), None)
    if rule is None:
        pytest.skip("this lender has no such rule")
    with pytest.raises(BadInput):
        what_if(night, night.pool.rulebook.edit(rule.name, by="no such column"))
