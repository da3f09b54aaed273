"""Days on which money may move: payment dates of trusts, notice of lines, long holidays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from books import BANK, MILLION, Night, rule, rulebook, small_book, solve, trust_book, trust_rules
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_trusts import LOSSY, branch_and_bound
from test_waterfall_runs import FEN, check_month, deals, hand_deal, months, trust_flows

from liquidity.book import Book
from liquidity.errors import BadInput
from liquidity.program.grid import has_day
from liquidity.program.plan import opening_states
from liquidity.program.sequence import make_deal
from liquidity.program.waterfall import Deal, run_waterfall

WEEKS = ("1 x 1 day", "9 x 1 week")
PAID = [1, 6, 10]
"Periods of WEEKS that hold the 20th: tonight, the weeks of 19 December and 16 January."


# ---- payment dates


@pytest.mark.parametrize(
    ("start", "end", "day", "held"),
    [
        ("2026-11-20", "2026-11-21", 20, True),
        ("2026-11-20", "2026-11-21", 21, False),
        ("2026-11-21", "2026-12-20", 20, False),
        ("2026-11-21", "2026-12-21", 20, True),
        ("2026-12-28", "2027-01-04", 1, True),
        ("2026-12-28", "2027-01-04", 27, False),
        ("2027-01-31", "2027-02-28", 28, False),
        ("2027-01-31", "2027-03-01", 28, True),
    ],
)
def test_whether_a_period_holds_a_day_of_the_month(start, end, day, held):
    assert has_day(date.fromisoformat(start), date.fromisoformat(end), day) is held


def test_a_deal_by_hand_that_pays_every_other_month():
    """The deal of `test_waterfall_runs`, paid in months 2 and 4: notes that wait earn coupons, so interest falls
    short by 0.024 in month 4; interest of month 1 helps to cover the loss of month 2.
    """
    deal = replace(hand_deal(), pays=np.array([False, True, False, True, False]))
    run = list(months(deal, run_waterfall(deal)))
    expected = {
        "coupons": [[0.6, 0.8], [0.6, 0.8], [0.0, 0.264], [0.0, 0.264], [0.0, 0.0]],
        "pay": [[0.0, 0.0], [60.0, 26.8], [0.0, 0.0], [0.0, 13.2], [0.0, 0.0]],
        "release": [0.0] * 5,
        "cover": [0.0, 0.8, 0.216, 0.0, 0.12],
        "shortfall": [0.0, 0.0, 0.0, 0.024, 0.0],
        "deficiency": [0.0, 5.2, 4.984, 5.008, 4.888],
        "residual": [0.0, 0.0, 0.0, 8.992, 0.0],
        "cash": [61.0, 4.0, 16.216, 0.0, 3.12],
    }
    for name, figures in expected.items():
        np.testing.assert_allclose([getattr(month, name) for month in run], figures, atol=1e-12, err_msg=name)


def test_excess_that_waited_is_released_on_the_payment_date():
    deal = replace(hand_deal(), loss=np.zeros((1, 5)), pays=np.array([False, True, True, True, True]))
    run = list(months(deal, run_waterfall(deal)))
    # 2.4 - 1.4 and 1.2 - 1.4
    assert [month.release for month in run[:2]] == pytest.approx([0.0, 0.8])


@settings(max_examples=100, deadline=None)
@given(deals(), st.integers(0, 2**14 - 1))
def test_nothing_is_paid_between_payment_dates_and_nothing_is_lost(deal: Deal, dates: int) -> None:
    pays = np.array([bool(dates >> t & 1) for t in range(len(deal.years))])
    run = list(months(deal, run_waterfall(replace(deal, pays=pays))))
    assume(min(month.cash for month in run) >= -1e-9)
    for month, paid in zip(run, pays):
        assert min(*month.pay, *month.closing, month.release, month.residual, month.deficiency) >= -1e-8
        assert min(month.deficiency, month.release) <= 1e-8
        for k in np.flatnonzero(month.pay > 1e-8):
            assert (month.closing[:k] <= 1e-8).all()
        if not paid:
            assert (month.pay.sum(), month.release, month.residual) == (0.0, 0.0, 0.0)
    every = run_waterfall(replace(deal, pays=np.ones(len(pays), bool)))
    for month in months(deal, every):
        check_month(month, deal.reserve, 1e-8)


def paying(day: int, end: str, **more: object) -> Book:
    """The trust of `trust_book`, which pays on a day of the month."""
    return trust_book(end, **more).edit("facilities", "t", payment_day=day)  # type: ignore[arg-type]


@pytest.mark.parametrize("coupon", [0.03, 0.09])
@pytest.mark.parametrize("kind", [{}, {"segment": LOSSY}, {"reserve": 0.02}], ids=str)
def test_a_closed_trust_pays_as_the_waterfall_does(kind, coupon):
    """It revolves tonight, a payment date, and depends on no decision after."""
    book = paying(20, "2026-11-21", pay=0.9, closed=True, coupon=coupon, **kind)
    night = solve(book, trust_rules(WEEKS, None))
    assert night.pool.paying("t") == PAID
    deal, plan, unit = make_deal(night.pool, "t"), night.plan, night.pool.unit
    first = plan.isel(period=0)
    labels = [f"t/{name}" for name in night.pool.model.TRANCHES["t"]]
    cut = {name: getattr(deal, name)[:, 1:] for name in ("collected", "interest", "loss", "keep")}
    expected = run_waterfall(
        replace(
            deal, **cut, years=deal.years[1:], pays=deal.pays[1:],
            balance=first.balance.sel(facility="t").values / unit,
            notes=first.tranche_balance.sel(tranche=labels).values / unit,
            cash=float(first.facility_cash.sel(facility="t")) / unit,
            deficiency=float(first.deficiency.sel(facility="t")) / unit,
        )
    )  # fmt: skip
    close = 1e-9 * night.size
    for name in ("release", "residual"):
        found = plan[name].sel(facility="t").values[1:] / unit
        np.testing.assert_allclose(found, getattr(expected, name), atol=close, err_msg=name)
    np.testing.assert_allclose(plan.pay.sel(tranche=labels).values[:, 1:] / unit, expected.pay, atol=close)
    assert expected.pay[0].max() > 0.1 * night.size * 0.1


@pytest.mark.parametrize("kind", [{}, {"segment": LOSSY}, {"reserve": 0.02}], ids=str)
def test_the_sequence_as_branch_and_bound_finds_it(kind):
    night = solve(
        paying(26, "2026-11-22", pay=0.6, **kind), trust_rules(("2 x 1 day", "1 x 1 week", "4 x 1 month"), 0.2)
    )
    assert night.program.integer.any()
    assert night.solved.staged.first.objective == pytest.approx(branch_and_bound(night), rel=1e-9)


@pytest.mark.parametrize("end", ["2026-12-05", "2029-01-01"])
def test_money_of_a_trust_waits_for_its_payment_date(end):
    night = solve(paying(20, end, pay=0.6), trust_rules(WEEKS, 0.5))
    flows, plan = trust_flows(night), night.plan
    between = np.array([t not in PAID for t in range(1, 11)])
    for name in ("paid", "release", "residual"):
        assert flows[name][between].abs().max() <= FEN, name
    gap = flows.opening + flows.growth + flows.came - flows.service - flows.coupons
    gap -= flows.paid + flows.release + flows.residual + flows.bought + flows.closing
    assert gap.abs().max() <= FEN
    free = solve(trust_book(end, pay=0.6), trust_rules(WEEKS, 0.5))
    assert free.solved.staged.first.objective >= night.solved.staged.first.objective - 1e-9 * night.size
    if end.startswith("2026"):
        assert flows.paid[5] > MILLION
        assert flows.release[5] > 0
        assert flows.closing[4] > 5 * MILLION
        start = opening_states(plan, "tranche_balance").sel(tranche="t/senior").values
        assert (start[:5] == start[0]).all()


def test_a_trust_without_a_payment_date_within_the_horizon_pays_nothing():
    night = solve(paying(28, "2026-11-21", pay=0.6, closed=True), trust_rules(("4 x 1 day",), None))
    assert night.pool.paying("t") == []
    assert float(night.plan.pay.sum() + night.plan.residual.sum() + night.plan.release.sum()) == 0.0
    assert float(night.plan.facility_cash.sel(facility="t")[-1]) > 10 * MILLION


def test_a_trust_that_only_runs_off_waits_too():
    night = solve(paying(20, "2026-11-01", pay=0.9), trust_rules(WEEKS, 0.2))
    assert list(night.pool.model.SCHEDULED) == ["t"]
    paid = night.plan.pay.sum("tranche").values
    assert [t for t in range(1, 11) if paid[t - 1] > FEN] == PAID


# ---- lines: notice, and a long holiday


def lender(lines: dict[str, dict[str, object]], **tables: pd.DataFrame) -> Book:
    """A balance sheet that asks for 6m a day more than it is repaid, with 8m of cash."""
    notice = {name: row.pop("notice_days") for name, row in lines.items() if "notice_days" in row}
    book = small_book(
        {"a": {"monthly_payment_rate": 0.05}}, {("a", "house"): 400 * MILLION},
        lines={name: {"drawn": 0.0, "commitment": 300 * MILLION, **row} for name, row in lines.items()},
        requests={"a": {"new_demand": 180 * MILLION}}, lender={"cash": 8 * MILLION, "hqla": 0.0}, **tables,
    )  # fmt: skip
    for name, days in notice.items():
        book = book.edit("lines", name, notice_days=days)
    return book


def drawn(night: Night, line: str) -> np.ndarray:
    """Draws by period, CNY."""
    return night.plan.draw.sel(line=line).values


RULES = rulebook(rule("line_limit"), horizon=("12 x 1 day", "2 x 1 week"))


def test_a_line_with_notice_is_drawn_once_the_notice_has_run():
    lines = {"dear": {"rate": 0.06}, "cheap": {"rate": 0.02, "notice_days": 5}}
    night = solve(lender(lines), RULES)
    assert night.solved.repair is None
    assert np.abs(drawn(night, "cheap")[:5]).max() <= FEN
    assert drawn(night, "cheap")[5] > MILLION
    assert drawn(night, "dear")[:5].sum() > MILLION
    assert drawn(night, "dear")[5:].sum() <= FEN
    at_once = solve(lender(lines), RULES)
    assert drawn(at_once, "cheap")[:5].sum() > MILLION


def test_notice_holds_until_the_end_of_a_period_that_it_does_not_reach_across():
    night = solve(lender({"bank": {"notice_days": 12}}), RULES)
    rows = set(night.program.row("line_limit", "notice").index)
    assert rows == {("bank", t) for t in range(1, 13)}
    night = solve(lender({"bank": {"notice_days": 13}}), RULES)
    assert set(night.program.row("line_limit", "notice").index) == rows


def test_a_long_holiday_is_funded_before_it():
    """Seven days without business: drawn before, nothing in it, lending as on any other day."""
    days = pd.date_range("2026-11-23", periods=7)
    calendar = pd.DataFrame({"date": days, "business_day": False})
    shut, open_ = solve(lender({"bank": {}}, calendar=calendar), RULES), solve(lender({"bank": {}}), RULES)
    assert shut.solved.repair is None
    before, within = slice(0, 3), slice(3, 10)
    assert drawn(open_, "bank")[within].min() > 3 * MILLION
    assert np.abs(drawn(shut, "bank")[within]).max() <= FEN
    lent = [night.plan.lend.sum(["segment", "borrower", "facility"]).values for night in (shut, open_)]
    np.testing.assert_allclose(lent[0], lent[1], rtol=1e-4)
    assert lent[0][within].min() > 5 * MILLION
    # what the holiday takes is drawn before it, and waits as cash
    missing = drawn(open_, "bank")[within].sum()
    assert drawn(shut, "bank")[before].sum() - drawn(open_, "bank")[before].sum() == pytest.approx(missing, rel=0.01)
    assert float(shut.plan.cash[2]) > 0.95 * missing
    assert float(shut.plan.cash[9]) <= 0.01 * missing


# ---- refusals


@pytest.mark.parametrize(
    ("table", "key", "values"),
    [
        ("facilities", "t", {"payment_day": 29}),
        ("facilities", "t", {"payment_day": -1}),
        ("facilities", "t", {"payment_day": 1.5}),
        ("lines", "bank", {"notice_days": -1}),
        ("lines", "bank", {"notice_days": 400}),
        ("lines", "bank", {"notice_days": 0.5}),
    ],
)
def test_days_that_are_none_are_refused(table, key, values):
    book = trust_book("2029-01-01")
    ((column, value),) = values.items()
    with pytest.raises(BadInput, match=column) as refused:
        book.replace(table, book[table].assign(**values).reset_index())
    assert any(problem.column == column and float(problem.value) == value for problem in refused.value.problems)


def test_a_book_without_such_days_keeps_its_digest():
    book = trust_book("2029-01-01")
    assert BANK.keys().isdisjoint({"notice_days"})
    for table, key, values in (("facilities", "t", {"payment_day": 20}), ("lines", "bank", {"notice_days": 2})):
        changed = book.edit(table, key, **values)
        assert changed.digest != book.digest
        assert changed.edit(table, key, **dict.fromkeys(values, 0)).digest == book.digest
