"""Sets solved in workers, causes split over their rules, and orders drawn where there are too many causes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from liquidity.explain import amounts as under_test
from liquidity.explain import lattice
from liquidity.explain.amounts import owen, shapley
from liquidity.explain.lattice import cause_of, group_rows
from tests.books import Night, random_book, random_rules, solve, split
from tests.explain.test_amounts import EXACT, freed, solved

MANY = (0, 1, 2, 3)


def same_bits(one, other):
    """Every amount of two answers, bit for bit."""
    assert one.players == other.players
    assert one.solves == other.solves
    for field in ("part", "alone", "error"):
        mine, theirs = getattr(one, field), getattr(other, field)
        assert mine.keys() == theirs.keys()
        assert all((mine[cause] == theirs[cause]).all() for cause in mine)


@pytest.mark.parametrize("most", [9, 1])
def test_workers_find_the_same_bits(monkeypatch, most):
    """Also where orders are drawn; on a program that is small enough to be solved here otherwise."""
    monkeypatch.setattr(under_test, "MOST", most)
    monkeypatch.setattr(under_test, "BUDGET", 40)
    here = split(solved(1))
    monkeypatch.setattr(lattice, "LARGE", 0)
    same_bits(here, split(solved(1), workers=2))
    assert (here.orders > 0) == (most == 1)


@pytest.mark.parametrize("seed", MANY)
def test_sets_that_cannot_matter_are_not_solved_and_nothing_changes(seed, monkeypatch):
    usual = solved(seed).amounts
    monkeypatch.setattr(lattice.Lifter, "acts", lambda self, more, at: True)
    whole = split(solved(seed))
    assert whole.same == 0
    assert usual.solves + usual.same >= whole.solves
    for cause in usual.part:
        gap = np.abs(usual.part[cause] - whole.part[cause]).max(axis=1)
        assert (gap <= EXACT * np.array(freed(seed))).all()


def random_game(rules: dict[str, list[str]], seed: int):
    """Values of every set of rules, and the sets that the split asks for in its own names."""
    noise, every = np.random.default_rng(seed), sorted(rule for part in rules.values() for rule in part)
    worth = {
        frozenset(some): noise.normal(size=(2, 3)) for size in range(len(every) + 1)
        for some in itertools.combinations(every, size)
    }  # fmt: skip

    def named(some):
        out = set(some)
        for cause, part in rules.items():
            if set(part) <= out:
                out = out - set(part) | {cause}
        return frozenset(out)

    return worth, {named(some): value for some, value in worth.items()}


def test_the_split_is_the_mean_over_orders_that_keep_causes_together():
    rules = {"A": ["A/x", "A/y", "A/z"], "B": ["B/u"], "C": ["C/v", "C/w"]}
    worth, value = random_game(rules, 7)
    expected = {rule: np.zeros((2, 3)) for part in rules.values() for rule in part}
    orders = [
        [rule for part in parts for rule in part]
        for causes in itertools.permutations(rules)
        for parts in itertools.product(*(itertools.permutations(rules[cause]) for cause in causes))
    ]
    for order in orders:
        for place, rule in enumerate(order):
            before = frozenset(order[:place])
            expected[rule] += (worth[before | {rule}] - worth[before]) / len(orders)
    whole = shapley(tuple(rules), {some: v for some, v in value.items() if all("/" not in name for name in some)})
    for cause in ("A", "C"):
        found = owen(cause, rules[cause], tuple(rules), value)
        for rule in rules[cause]:
            assert found[rule] == pytest.approx(expected[rule], abs=1e-12)
        assert sum(found.values()) == pytest.approx(whole[cause], abs=1e-12)


@pytest.fixture(scope="module")
def twofold() -> Night:
    """A lender whose capital has two rules, the second a little tighter than the first."""
    book = random_book(8, 7, 1)
    rules = random_rules(book, 1)
    capital = rules.rule("capital")
    tighter = type(capital).model_validate(
        {**capital.model_dump(), "name": "own_capital", "ratio": capital.ratio * 1.01}
    )
    return solve(book, rules.model_copy(update={"rules": (*rules.rules, tighter)}))


def test_rules_of_a_cause_add_up_and_a_rule_that_another_covers_gets_less(twofold):
    found = twofold.amounts
    assert found.rule_part
    for cause, part in found.rule_part.items():
        assert {cause_of(rule) for rule in part} == {cause}
        assert sum(part.values()) == pytest.approx(found.part[cause], abs=1e-9)
        for rule, alone in found.rule_alone[cause].items():
            assert alone == pytest.approx(found.nodes[frozenset([rule])].value + found.declined, abs=1e-12)
    assert set(found.rule_part) <= {cause_of(rule) for rule in group_rows(twofold.solved.held)}


def test_drawn_orders_add_up_and_lie_within_their_error(monkeypatch):
    exact = solved(1).amounts
    monkeypatch.setattr(under_test, "MOST", 1)
    drawn = split(solved(1))
    assert drawn.orders == under_test.BUDGET // (2 * len(drawn.players)) * 2
    assert set(drawn.players) == set(exact.players)
    assert drawn.gap <= 1e-9 * freed(1)[1]
    for cause in drawn.players:
        off = np.abs(drawn.part[cause].sum(axis=1) - exact.part[cause].sum(axis=1))
        assert (off <= 5 * drawn.error[cause].sum(axis=1) + EXACT * np.array(freed(1))).all()
