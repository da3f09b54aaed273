"""Prices: of every rule kind a row whose price is the finite difference of net worth; strong duality; charges."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from liquidity import Book, Rulebook, read_book, read_rulebook
from liquidity.book import opening
from liquidity.explain.charges import make_charges
from liquidity.program.build import build_pool
from liquidity.program.compile import compile_program
from liquidity.program.night import Solved, solve_night
from liquidity.program.solve import Infeasible, Session
from liquidity.program.stages import make_goals
from liquidity.rules import KINDS
from liquidity.runs.checks import solver_checks
from liquidity.runs.night import solver_options

ROOT = Path(__file__).parents[2]
STEP = 1e-3
Plant = tuple[Book, Rulebook, pd.Series | None]


@lru_cache
def calm() -> tuple[Book, Rulebook]:
    rules = read_rulebook(ROOT / "models" / "calm.toml")
    return read_book(ROOT / "data" / "calm"), rules


def with_book(change: Callable[[Book], Book]) -> Callable[[], Plant]:
    return lambda: (change(calm()[0]), calm()[1], None)


def with_rule(name: str, **values: Any) -> Callable[[], Plant]:
    return lambda: (calm()[0], calm()[1].edit(name, **values), None)


def dear_night(book: Book) -> Book:
    """Almost everything that could be drawn leaves tonight."""
    row = {"date": book.as_of, "name": "tax", "amount": -3.68e9, "account": "other"}
    return book.replace("flows", pd.DataFrame([row]))


def pinned(book: Book) -> Book:
    row = {
        "target": "relend", "segment": "B-full-east", "facility": "", "line": "", "from": book.as_of, "to": book.as_of,
        "op": "<=", "amount": 5e6, "reason": "test", "by": "desk",
    }  # fmt: skip
    return book.replace("pins", pd.DataFrame([row]))


def cheap_warehouse(book: Book) -> Book:
    """Notes so cheap that only the advance rate limits them."""
    return book.edit("facilities", "warehouse_a", rate=0.005, commitment=20e9, unused_fee=0.0)


def poor_trust(book: Book) -> Book:
    """A trust that may only buy loans that cost more than they earn: it would rather keep its cash."""
    book = book.edit("eligibility", ("abs_2026a", "product", "in"), value="trust")
    return book.edit("segments", "trust-west", apr=0.02, opex_rate=0.1)


def late_defaults(book: Book) -> Book:
    """Loans that hardly earn and default often, and facilities that are open to all."""
    book = book.edit("segments", "C-full-west", pd=0.06, lgd=0.3, apr=0.09, apr_all_in=0.09)
    for facility in ("joint_a", "balance_sheet"):
        book = book.edit("eligibility", (facility, "product", "in"), value="card|cobranded|firm|trust")
    return book


def stable() -> Plant:
    book, rules = calm()
    return book, rules, pd.Series(0.5, index=book["segments"].index)


PLANTS: dict[str, Callable[[], Plant]] = {
    "requests": with_book(lambda b: b),
    "eligibility": with_book(lambda b: b.edit("eligibility", ("abs_2026a", "product", "in"), value="card")),
    "price_cap": with_rule("price_cap", cap=0.14),
    "partner_share": with_book(lambda b: b.edit("facilities", "joint_a", own_share=0.25)),
    "partner_limit": with_book(lambda b: b.edit("partners", None, daily_quota=4e5)),
    "advance_rate": lambda: (
        cheap_warehouse(calm()[0]), calm()[1].edit("leverage_multiple", standardised_multiple=10.0), None,
    ),
    "pool_cover": lambda: (poor_trust(calm()[0]), calm()[1].edit("pool_cover", max_uninvested=0.08), None),
    "excess_concentration": with_rule(
        "excess_concentration", by="product", share=None, shares={"trust": 0.0909}, facilities=("abs_2026a",),
    ),
    "covenants": with_rule("covenants", months=1, max_default_rate=0.009),
    "leverage_multiple": with_rule("leverage_multiple", standardised_multiple=2.5),
    "leverage_ratio": with_rule("leverage_ratio", ratio=0.2145),
    "capital": with_rule("capital", ratio=0.38),
    "cash_reserve": with_rule("cash_reserve", amount=9e8),
    "standby": with_book(dear_night),
    "concentration": with_rule("region", shares={"east": 0.501}),
    "expected_loss": with_rule("expected_loss", rate=0.008075),
    "npl_ratio": lambda: (
        late_defaults(calm()[0]), calm()[1].edit("npl_ratio", write_off_rate=0.0, share=0.01263), None,
    ),
    "provision_cover": with_rule("provision_cover", loan_share=0.009687),
    "household_cap": with_book(lambda b: b.edit("segments", "firm-east", borrowers=29)),
    "stability": stable,
    "line_limit": with_book(dear_night),
    "revolving_period": with_book(lambda b: b.edit("facilities", "abs_2026a", frozen=True)),
    "lending_stop": with_rule("lending_stop", groups=("west",)),
    "relend_floor": lambda: (
        calm()[0].edit("segments", "B-full-east", opex_rate=0.15),
        calm()[1].edit("relend_floor", groups=("B",), share=0.9), None,
    ),
    "inclusion": with_rule("inclusion", groups=("firm",), share=0.05),
    "pins": with_book(pinned),
    "liquidity_coverage": with_rule("liquidity_coverage", early_runoff=0.8),
    "stable_funding": with_rule("stable_funding", ratio=1.4),
    "liquidity_ratio": with_rule("liquidity_ratio", ratio=0.4, undated_share=1.0),
    "survival": with_rule("survival", called=0.3),
    "large_exposure": lambda: (
        calm()[0].edit("segments", "firm-east", largest_share=1.0),
        calm()[1].edit("large_exposure", borrower_share=0.1164), None,
    ),
    "guarantee_share": lambda: (
        calm()[0].edit("segments", "joint-east", guaranteed_share=0.5),
        calm()[1].edit("guarantee_share", share=0.00639), None,
    ),
}  # fmt: skip
REVOLVING = ("card", "cobranded", "trust")
MORE: dict[str, Callable[[], Plant]] = {
    "capital standardised": with_rule("capital", approach="standardised", ccf=0.1, transactors=("full",), ratio=0.401),
    "capital irb": with_rule(
        "capital",
        approach="irb",
        qrre=REVOLVING,
        transactors=("full",),
        ccf=0.1,
        floor=0.5,
        ratio=0.6962,
    ),
    "capital floor": with_rule("capital", approach="irb", qrre=REVOLVING, kept="sec_sa", ratio=0.525),
}
"Other values of a kind; its name is the first word."


@lru_cache
def solved(kind: str) -> tuple[Solved, Rulebook]:
    book, rules, previous = (PLANTS | MORE)[kind]()
    pool = build_pool(book, rules, previous)
    program = compile_program(pool)
    tiers = {rule.name: rule.priority for rule in rules.rules}
    size = opening(book).assets / pool.unit
    night = solve_night(program, make_goals(pool, program), tiers, 0.01, size, solver_options(rules))
    return night, rules


def net_worth(night: Solved, rules: Rulebook, row: int, step: float) -> float:
    """Net worth with the bound of one row moved; minus infinity where no plan is left (a row that shuts lending)."""
    session = Session(night.held, solver_options(rules))
    for bounds in (session.row_lower, session.row_upper):
        if np.isfinite(bounds[row]):
            bounds[row] += step
    try:
        return session.solve(night.staged.first.basis).objective
    except Infeasible:
        return -np.inf


def test_every_kind_is_planted() -> None:
    assert set(PLANTS) == set(KINDS)


@pytest.mark.parametrize("kind", [*PLANTS, *MORE])
def test_price_is_the_finite_difference(kind: str) -> None:
    night, rules = solved(kind)
    first = night.staged.first
    names = {rule.name for rule in rules.rules if rule.kind == kind.split()[0]}
    rows = np.concatenate([np.arange(f.start, f.stop) for f in night.held.rows if f.owner in names])
    priced = rows[np.argsort(-np.abs(first.price[rows]), kind="stable")][:8]
    assert abs(first.price[priced[0]]) > 1e-6, f"no row of {kind} has a price here"
    equal = 0
    for row in priced[np.abs(first.price[priced]) > 1e-6]:
        right = (net_worth(night, rules, row, STEP) - first.objective) / STEP
        left = (first.objective - net_worth(night, rules, row, -STEP)) / STEP
        # net worth is concave in every bound: the price lies between the one-sided differences
        assert right - 1e-6 <= first.price[row] <= left + 1e-6
        equal += min(abs(first.price[row] - right), abs(first.price[row] - left)) < 1e-6
    assert equal > 0, f"no price of {kind} is a difference here"


@pytest.mark.parametrize("kind", [*PLANTS, *MORE])
def test_duality_signs_and_charges(kind: str) -> None:
    night, _ = solved(kind)
    checks = solver_checks(night.held, night.staged.first)
    assert checks["primal_residual"] <= 1e-7
    assert checks["dual_residual"] <= 1e-9
    assert checks["duality_gap"] <= 1e-8
    for family in night.held.rows:
        if family.kind != "definition":
            price = night.staged.first.price[family.place]
            assert (price[np.isinf(night.held.row_lower[family.place])] >= -1e-9).all()
            assert (price[np.isinf(night.held.row_upper[family.place])] <= 1e-9).all()
    first = night.staged.first
    charges = make_charges(night.held, first.price, first.reduced)
    assert charges.gap <= 1e-9
    state, defined = night.held.state, night.held.definition
    assert state.sum() == defined.sum()
    assert np.abs(first.reduced[state]).max() <= 1e-9


def test_a_tighter_rule_never_earns_more() -> None:
    loose, tight = (solved_with(share) for share in (0.8, 0.501))
    assert tight <= loose + 1e-9 * abs(loose)


def solved_with(share: float) -> float:
    book, rules = calm()
    pool = build_pool(book, rules.edit("region", share=share))
    program = compile_program(pool)
    return Session(program, solver_options(rules)).solve().objective
