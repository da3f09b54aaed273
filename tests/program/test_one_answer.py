"""The answer depends on the lender alone: not on the algorithm, the order of rules or rows, or the unit of money."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from books import (
    BANK,
    MILLION,
    SHORT,
    Night,
    calm_book,
    calm_rules,
    random_book,
    random_rules,
    rule,
    rulebook,
    small_book,
    solve,
    trust_book,
    trust_rules,
)

from liquidity.book import Book
from liquidity.book.fields import TABLES
from liquidity.book.tidy import flatten
from liquidity.rules.rulebook import Rulebook

Case = Callable[[], tuple[Book, Rulebook]]


def lender(seed: int, facilities: int) -> Case:
    def make() -> tuple[Book, Rulebook]:
        book = random_book(8, facilities, seed)
        return book, random_rules(book, seed)

    return make


DECLINING: dict[str, Case] = {
    "quota": lambda: (calm_book().edit("partners", None, daily_quota=5e5), calm_rules()),
    "region": lambda: (calm_book(), calm_rules().edit("region", share=0.501)),
    "capital": lambda: (calm_book(), calm_rules().edit("capital", ratio=0.379)),
    "region and capital": lambda: (
        calm_book(), calm_rules().edit("region", share=0.5012).edit("capital", ratio=0.379),
    ),
    "stop": lambda: (calm_book(), calm_rules().edit("lending_stop", groups=("east",))),
    "repaired": lambda: (calm_book(), calm_rules().edit("capital", ratio=0.6)),
    "trust": lambda: (
        trust_book("2026-11-22", pay=0.5, segment={"pd": 0.15}), trust_rules(("2 x 1 day", "3 x 1 month"), None),
    ),
    **{f"lender {seed}, {n} facilities": lender(seed, n) for seed in range(3) for n in (5, 7)},
}  # fmt: skip


@lru_cache
def night(name: str, method: str = "ipx") -> Night:
    return solve(*DECLINING[name](), method)


@pytest.mark.parametrize("name", DECLINING)
def test_simplex_and_interior_point_relend_the_same(name):
    one, two = night(name), night(name, "dual")
    assert two.solved.staged.first.objective == pytest.approx(one.solved.staged.first.objective, rel=1e-10)
    assert one.declined(1).sum() > 1e-3 * one.freed(1)
    for window in (0, 1):
        assert np.abs(one.relent(window) - two.relent(window)).max() <= 1e-6 * one.freed(window)
        assert np.abs(one.declined(window) - two.declined(window)).max() <= 1e-6 * one.freed(window)


@pytest.mark.parametrize("name", DECLINING)
def test_later_goals_cost_no_net_worth_and_no_goal_before_them(name):
    one = night(name)
    program, first, last = one.solved.held, one.solved.staged.first, one.solved.staged.last
    assert program.cost @ last.x + program.constant == pytest.approx(first.objective, rel=1e-9)
    tonight = one.goals.stages[0]
    assert tonight @ last.x >= tonight @ first.x - 1e-6
    activity = program.matrix @ last.x
    size = one.size
    assert (activity >= program.row_lower - 1e-12 * size).all()
    assert (activity <= program.row_upper + 1e-12 * size).all()


def test_declined_tonight_is_the_least_that_net_worth_allows():
    """Asked of a solver of its own: hold net worth at its optimum (to a hair) and minimise what is declined."""
    from scipy.optimize import linprog

    one = night("region")
    p, first = one.solved.held, one.solved.staged.first
    floor = first.objective - p.constant - 1e-9 * abs(first.objective)
    upper, lower = np.isfinite(p.row_upper), np.isfinite(p.row_lower)
    matrix = p.matrix.tocsr()
    rows = [matrix[upper], -matrix[lower], -np.atleast_2d(p.cost)]
    from scipy.sparse import csr_matrix, vstack

    found = linprog(
        -one.goals.stages[0], A_ub=vstack([rows[0], rows[1], csr_matrix(rows[2])]),
        b_ub=np.concatenate([p.row_upper[upper], -p.row_lower[lower], [-floor]]),
        bounds=np.column_stack([p.column_lower, p.column_upper]),
    )  # fmt: skip
    assert found.status == 0
    # a hair of net worth buys some relending (tonight against tomorrow is nearly a tie), so this is a bound from above
    assert one.goals.stages[0] @ one.x <= -found.fun + 1e-6 * one.freed()
    assert one.goals.stages[0] @ one.x >= -found.fun - 0.01 * one.freed()


def shuffled(book: Book, seed: int) -> Book:
    """The same book with the rows of every table in another order."""
    frames = {name: flatten(table, book[name]).sample(frac=1.0, random_state=seed) for name, table in TABLES.items()}
    return book.replace(**{name: frame for name, frame in frames.items() if len(frame) > 1})


def test_order_of_rules_and_rows_changes_nothing():
    book, rules = DECLINING["region and capital"]()
    one = night("region and capital")
    mixed = rules.model_copy(update={"rules": tuple(reversed(rules.rules))})
    again = solve(shuffled(book, 3), mixed)
    assert (again.program.matrix != one.program.matrix).nnz == 0
    assert again.program.row_labels() == one.program.row_labels()
    np.testing.assert_array_equal(again.x, one.x)


@pytest.mark.parametrize("times", [3.0, 1e-3, 1e4])
def test_the_unit_of_money_changes_nothing(times):
    """A lender whose every amount is `times` as large relends `times` as much."""

    def make(scale: float) -> Night:
        money = MILLION * scale
        book = small_book(
            {"a": {}, "b": {"apr": 0.2, "region": "west"}},
            {("a", "house"): 300 * money, ("b", "house"): 200 * money},
            lines={"bank": {**BANK, "drawn": 300 * money, "commitment": 300 * money}},
            requests={"a": {"asked": 0.8}},
            lender={"cash": 21 * money, "hqla": 10 * money, "opex_per_year": 2 * money},
        )
        rules = (rule("line_limit"), rule("cash_reserve", amount=20 * money), rule("concentration", by="region",
                 shares={"west": 0.4}))  # fmt: skip
        return solve(book, rulebook(*rules, horizon=SHORT, market_rate=0.06))

    plain, other = make(1.0), make(times)
    for window in (0, 1):
        one, two = (n.relent(window) * n.pool.unit for n in (plain, other))
        np.testing.assert_allclose(two / times, one, rtol=1e-7)
        assert plain.declined(1).sum() > 0


def test_segment_priority_decides_between_equals():
    """Two segments alike in everything compete for one limit: the one that matters more is served first."""

    def relent(priorities: tuple[float, float]) -> np.ndarray:
        segments = {name: {"priority": value} for name, value in zip("ab", priorities)}
        book = small_book(segments, {("a", "house"): 250 * MILLION, ("b", "house"): 250 * MILLION})
        pin = {
            "target": "relend",
            "op": "<=",
            "amount": 1e6,
            "from": None,
            "to": "2026-11-20",
            "reason": "test",
            "by": "desk",
        }
        rules = rulebook(rule("line_limit"), rule("pins"), horizon=("1 x 1 day", "1 x 1 month"))
        return solve(book.replace("pins", pd.DataFrame([pin])), rules).relent()

    assert relent((2.0, 1.0))[0] > relent((2.0, 1.0))[1]
    assert relent((1.0, 2.0))[1] > relent((1.0, 2.0))[0]
