"""Planned ABS: worth it or not, by hand and against branch and bound of HiGHS; identities, take-over, prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from books import MILLION, SHORT, TRUST, Night, build, random_book, random_rules, rule, small_book, solve, trust_rules
from scipy.optimize import Bounds, LinearConstraint, milp

from liquidity.book import Book
from liquidity.book.make import book_of, make_lender, with_issues
from liquidity.errors import BadInput
from liquidity.explain.flows import account_gaps, make_flows
from liquidity.program.compile import Program
from liquidity.program.plan import balance_sheet_gap
from liquidity.program.solve import Options, Session
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.tables import funding_table, orders_table, tranches_table

GAP = 1e-4
SHARES = {"senior": 0.80, "mezzanine": 0.15, "sub": 0.05}
TERMS: dict[str, Any] = {"date": "2026-12-10", "least": 20.0, "most": 60.0, "cost": 0.1, "market_open": True}
STORE = {
    "kind": "warehouse", "commitment": 60 * MILLION, "drawn": 50 * MILLION, "advance_rate": 0.8, "rate": 0.05,
    "servicing_fee": 0.01, "cash": MILLION,
}  # fmt: skip


def planned_book(*, reserve: float = 0.0, warehouse: bool = False, end: str | None = None, closed: str = "",
                 **terms: Any) -> Book:  # fmt: skip
    """A lender short of money with one planned trust `t` of three classes; amounts of `terms` in CNY m.

    `warehouse` adds one that is dear; `closed` is a segment that the trust may not hold.
    """
    kind = {"monthly_payment_rate": 0.12}
    places = {"t": {**TRUST, "reserve_rate": reserve, "revolving_end": end}}
    held = {("a", "house"): 400.0, ("b", "house"): 100.0}
    if warehouse:
        places["w"] = STORE
        held |= {("a", "w"): 40.0, ("b", "w"): 25.0}
    coupons = {"senior": 0.03, "mezzanine": 0.04, "sub": 0.0}
    notes = [
        ("t", name, rank, 0.0, coupon, "retained" if name == "sub" else "third_party")
        for rank, (name, coupon) in enumerate(coupons.items(), 1)
    ]
    book = small_book(
        {"a": kind, "b": {**kind, "apr": 0.13, "grade": "B"}},
        {pair: amount * MILLION for pair, amount in held.items()},
        facilities=places, tranches=notes, eligibility=[("t", "grade", "!=", closed)] if closed else [],
        requests={"a": {"new_demand": 40 * MILLION}, "b": {"new_demand": 40 * MILLION}},
        lines={"bank": {"commitment": 300 * MILLION}},
    )  # fmt: skip
    given = {**TERMS, **terms}
    row = {**given, "date": pd.Timestamp(given["date"])}
    row |= {name: given[name] * MILLION for name in ("least", "most", "cost")}
    tranches = book["tranches"]
    tranches["issue_share"] = [SHARES[name] for name in tranches.index.get_level_values("tranche")]
    return book.replace(tranches=tranches, issues=pd.DataFrame([{"facility": "t", **row}]))


def planned_rules() -> Rulebook:
    """The rules of trusts and warehouses."""
    return trust_rules(SHORT, 0.2, rule("advance_rate"))


@lru_cache
def issued(**terms: Any) -> Night:
    """The small lender's night."""
    return solve(planned_book(**terms), planned_rules())


def size_of(night: Night) -> float:
    """Notes issued, CNY m."""
    return float(night.plan.issued.sum()) / MILLION


def held_at(night: Night, made: float) -> float:
    """Net worth with the issue held at yes or no, CNY m."""
    session = Session(night.program, Options())
    session.fix(np.flatnonzero(night.program.integer), np.array([made]))
    return session.solve().objective * night.pool.unit / MILLION


# ---- worth it or not


def test_an_issue_that_is_worth_its_cost_is_made_at_its_date():
    night = issued()
    assert size_of(night) == pytest.approx(60.0, abs=1e-6)
    when = night.plan.issued.sel(facility="t")
    assert when.period.values[when.values > 0].tolist() == [night.pool.grid.labels[night.pool.issues["t"].period - 1]]
    labels = [f"t/{name}" for name in night.pool.model.TRANCHES["t"]]
    notes = night.plan.tranche_balance.sel(tranche=labels).isel(period=-1).values / MILLION
    assert notes.tolist() == pytest.approx([60 * share for share in SHARES.values()], abs=1e-6)


def test_the_cost_decides():
    """What the issue earns before its cost is the difference of two programs; a cost just above it is not paid."""
    night = issued(cost=0.0)
    earns = held_at(night, 1.0) - held_at(night, 0.0)
    assert earns > 0.1
    # the cost leaves at once and is funded to the horizon, so a little less than what is earned at the horizon
    dear, cheap = issued(cost=earns), issued(cost=0.9 * earns)
    assert (size_of(dear), size_of(cheap)) == (0.0, pytest.approx(60.0, abs=1e-6))
    assert held_at(dear, 1.0) < held_at(dear, 0.0)


def test_a_shut_market_or_a_size_that_cannot_be_filled_makes_none():
    shut, large = issued(market_open=False), issued(least=2000.0, most=2500.0)
    assert (size_of(shut), size_of(large)) == (0.0, 0.0)
    (row,) = [rows for rows in shut.pool.rows if rows.what == "issue_market"]
    assert (row.owner, row.code) == ("terms", "FUNDING")
    assert shut.solved.staged.first.objective == pytest.approx(large.solved.staged.first.objective, rel=1e-9)


def test_a_size_between_the_bounds():
    """The lender wants 60; it may not issue less than 70: then 70, if that is still better than none."""
    assert size_of(issued(least=70.0, most=90.0)) >= 70.0 - 1e-6


# ---- identities and tables


@pytest.mark.parametrize(
    "terms", [{}, {"warehouse": True}, {"warehouse": True, "reserve": 0.03, "closed": "B"}, {"cost": 50.0}]
)
def test_accounts_close(terms: dict[str, Any]) -> None:
    night = issued(**terms)
    pool, plan = night.pool, night.plan
    gap = balance_sheet_gap(plan, pool.inputs.own_share, pool.inputs.sold, float(night.book.lender.hqla))
    assert float(abs(gap).max()) < 0.01
    assert account_gaps(pool, plan, make_flows(pool, plan)).gap.abs().max() < 0.01


def test_tables_show_the_issue():
    night = issued()
    pool, plan = night.pool, night.plan
    label = pool.grid.labels[pool.issues["t"].period - 1]
    funding = funding_table(pool, plan).set_index(["source", "period"]).loc[("t", label)]
    assert (funding.opening, funding.draw, funding.repay, funding.closing) == (0.0, 57e6, 0.0, 57e6)
    senior = tranches_table(pool, plan).set_index(["tranche", "period"]).loc[("senior", label)]
    assert (senior.opening, senior.principal, senior.closing) == (0.0, -48e6, 48e6)
    orders = orders_table(make_flows(pool, plan), label).set_index(["from_account", "kind"]).amount
    assert orders["noteholders:t/senior", "note_issue"] == 48e6
    assert orders["treasury", "note_issue"] == 3e6  # the class the lender keeps
    assert orders["treasury", "issue_cost"] == 0.1e6


def test_the_reserve_is_kept_once_issued():
    cash = issued(reserve=0.03).plan.facility_cash.sel(facility="t").values / MILLION
    first = issued(reserve=0.03).pool.issues["t"].period
    assert (np.abs(cash[: first - 1]) < 1e-6).all()
    assert (cash[first - 1 :] >= 1.8 - 1e-6).all()


# ---- what the trust takes over from the warehouse


def test_loans_of_the_warehouse_are_taken_over_at_par_and_its_notes_paid():
    night = issued(warehouse=True)
    pool, plan, first = night.pool, night.plan, night.pool.issues["t"].period
    taken = plan["take"].sel(warehouse="w", facility="t").sum("segment").isel(period=first - 1) / MILLION
    assert 1.0 < float(taken) <= 66.0
    at = {"facility": "w", "period": pool.grid.labels[first - 1]}
    before = plan.notes.sel(facility="w").isel(period=first - 2) / MILLION
    assert float(plan.notes.sel(at)) / MILLION < float(before) - 1.0
    flows = make_flows(pool, plan)
    sold = flows[(flows.kind == "sale_of_loans") & (flows.to_account == "w")]
    assert sold.amount.sum() / MILLION == pytest.approx(float(taken), abs=1e-6)


def test_no_more_is_taken_over_than_is_there_and_nothing_that_is_not_eligible():
    for terms in ({}, {"closed": "B"}):
        night = issued(warehouse=True, **terms)
        taken = night.plan["take"].sel(warehouse="w", facility="t").sum("period")
        held = night.plan.balance.sel(facility="w")
        assert (held.values >= -0.01).all()
        if terms:
            assert float(taken.sel(segment="b")) <= 0.01
    rows = {(rows.owner, rows.what) for rows in night.pool.rows}
    assert {("terms", "take_cap"), ("eligibility", "closed_to_take_over")} <= rows


# ---- refusals


@pytest.mark.parametrize(("end", "fine"), [("2027-01-15", False), ("2030-01-01", True), (None, True)])
def test_a_planned_issue_revolves_beyond_the_horizon(end: str | None, fine: bool) -> None:
    book = planned_book(end=end)
    if fine:
        assert build(book, planned_rules())[0].issues["t"].period > 1
        return
    with pytest.raises(BadInput, match="revolves beyond the horizon"):
        build(book, planned_rules())


def test_an_issue_after_the_horizon_is_no_decision():
    night = issued(date="2031-01-01")
    assert night.pool.issues == {}
    assert list(night.pool.model.SCHEDULED) == ["t"]
    assert float(np.abs(night.plan.tranche_balance).max()) == 0.0


# ---- against another branch and bound


def lenders() -> Iterator[tuple[Book, Rulebook]]:
    """Made-up lenders with planned issues of a tenth of the sample's sizes and costs that matter."""
    for seed in range(3):
        book = book_of(with_issues(make_lender(8, 5, seed), 3, seed))
        held = float(book["balances"].balance.sum())
        issues = book["issues"]
        issues["date"] = [pd.Timestamp(book.as_of) + pd.Timedelta(days=days) for days in (1, 12, 40)]
        issues["least"], issues["most"] = 0.01 * held, [0.02 * held, 0.04 * held, 0.06 * held]
        issues["cost"], issues["market_open"] = [0.0003 * held, 0.0008 * held, 0.0012 * held], True
        yield book.replace(issues=issues), random_rules(random_book(8, 5, seed), seed)


def branch(program: Program) -> float:
    """The optimum by HiGHS's own branch and bound, through scipy."""
    rows = LinearConstraint(program.matrix, program.row_lower, program.row_upper)
    columns = Bounds(program.column_lower, program.column_upper)
    found = milp(-program.cost, constraints=rows, bounds=columns, integrality=program.integer.astype(int),
                 options={"mip_rel_gap": 1e-7})  # fmt: skip
    assert found.status == 0, found.message
    return program.constant - float(found.fun)


def test_the_choice_is_that_of_another_solver():
    made = 0.0
    for book, rules in lenders():
        night = solve(book, rules)
        assert night.solved.repair is None
        ours, theirs = night.solved.staged.first.objective, branch(night.program)
        assert ours <= theirs + 1e-6 * abs(theirs)
        assert theirs - ours <= GAP * abs(ours) + 1e-6
        assert night.solved.choice.bound >= theirs - 1e-5 * abs(theirs)
        made += float(night.plan.issue.sum())
    assert 0 < made < 9


# ---- prices hold the issues


def test_a_price_is_the_change_of_net_worth_with_the_issue_held():
    night = issued()
    row = night.program.row("line_limit", next(
        family.name for family in night.program.rows if family.owner == "line_limit"
    ))  # fmt: skip
    first = night.solved.staged.first
    at = row.start + int(np.abs(first.price[row.place]).argmax())
    price, step = float(first.price[at]), 1e-2
    assert abs(price) > 1e-6
    moved = night.solved.held.row_upper.copy()
    moved[at] += step
    after = Session(replace(night.solved.held, row_upper=moved), Options()).solve().objective
    assert (after - first.objective) / step == pytest.approx(price, rel=1e-5)
