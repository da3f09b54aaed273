"""The book on the time grid: shares, gates by date, flows by period, the unit, the three rates."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from books import LENDER, MILLION, build, calm_book, calm_rules, rulebook, small_book

from liquidity.errors import BadInput
from liquidity.program.grid import make_grid
from liquidity.program.inputs import make_inputs
from liquidity.program.known import choose_unit

HORIZON = ("2 x 1 day", "1 x 1 week", "2 x 1 month")
ONE = {("a", "house"): 500 * MILLION}


def inputs(book, horizon=HORIZON, unit=1e4):
    return make_inputs(book, make_grid(book.as_of, horizon), unit, 0.06)


def test_shares_of_a_balance_add_up_to_one():
    data = inputs(calm_book())
    assert (data.rep > 0).all()
    np.testing.assert_allclose(data.rep + data.default + data.keep, 1.0, rtol=0, atol=1e-15)
    np.testing.assert_allclose(data.collected, data.rep + data.interest + data.default - data.loss, atol=1e-16)


def test_a_month_of_thirty_days_repays_the_monthly_rate():
    """Payments alone (pd is almost 0): 30 days leave (1 - rate) to the power 12 x 30 / 365."""
    book = small_book({"a": {"pd": 1e-12, "monthly_payment_rate": 0.2}}, ONE)
    data = inputs(book, ("1 x 30 day",))
    assert float(data.keep.squeeze()) == pytest.approx(0.8 ** (12 * 30 / 365), rel=1e-9)


def test_guarantees_enter_net():
    book = small_book({"a": {"guaranteed_share": 0.5, "guarantee_fee": 0.02}}, ONE)
    data = inputs(book)
    assert float(data.lgd[0]) == pytest.approx(0.4)
    assert float(data.apr[0]) == pytest.approx(0.14)


def test_receipts_leave_the_guarantor_his_part():
    """Borrowers pay the whole interest; a forecast's worth of receipts changes nothing."""
    book = small_book({"a": {"guaranteed_share": 0.5, "guarantee_fee": 0.02}}, ONE)
    gross = small_book({"a": {}}, ONE)
    first = inputs(gross).isel(period=0, segment=0, facility=0)
    repaid = pd.DataFrame([("a", "house", float(first.rep) * ONE["a", "house"],
                            float(first.interest) * ONE["a", "house"])],
                          columns=["segment", "facility", "principal", "interest"])  # fmt: skip
    told, forecast = inputs(book.replace("repaid", repaid)), inputs(book)
    for name in ("rep", "interest", "collected", "keep"):
        np.testing.assert_allclose(told[name], forecast[name], rtol=1e-12)


def test_receipts_of_one_pair_touch_no_other():
    book = calm_book()
    repaid = pd.DataFrame(
        [("A-full-east", "joint_a", 3e6, 1e5)], columns=["segment", "facility", "principal", "interest"]
    )
    told, forecast = inputs(book.replace("repaid", repaid)), inputs(book)
    changed = (told.rep != forecast.rep).to_series()
    assert changed[changed].index.tolist() == [("A-full-east", "joint_a", 1)]


def test_a_balance_repaid_in_full_cannot_default_as_well():
    book = small_book({"a": {}}, ONE)
    repaid = pd.DataFrame(
        [("a", "house", 500 * MILLION, 0.0)], columns=["segment", "facility", "principal", "interest"]
    )
    first = inputs(book.replace("repaid", repaid)).isel(period=0, segment=0, facility=0)
    assert (float(first.rep), float(first.default), float(first.keep)) == (1.0, 0.0, 0.0)


def test_what_defaulted_replaces_the_forecast_where_it_is_known():
    book = small_book({"a": {}, "b": {}}, {**ONE, ("b", "house"): 1 * MILLION})
    repaid = pd.DataFrame(
        [("a", "house", 5 * MILLION, 1e5, 2 * MILLION), ("b", "house", 1e4, 1e3, np.nan)],
        columns=["segment", "facility", "principal", "interest", "defaulted"],
    )
    told, forecast = (inputs(b).default.sel(period=1, facility="house") for b in (book.replace("repaid", repaid), book))
    assert float(told.sel(segment="a")) * ONE["a", "house"] == pytest.approx(2 * MILLION, rel=1e-12)
    assert float(told.sel(segment="b")) == float(forecast.sel(segment="b"))


def test_gates_hold_from_their_date_until_the_next():
    book = small_book({"a": {}, "b": {}}, {**ONE, ("b", "house"): 1 * MILLION})
    gates = {"score_kept": 1.0, "model_kept": 1.0, "policy_kept": 1.0, "available": 1.0}
    rows = [
        {"segment": "a", "from": "2026-10-01", "asked": 0.9, "new_demand": 30e6},
        {"segment": "a", "from": "2026-11-22", "asked": 0.5, "new_demand": 60e6},
        {"segment": "a", "from": "2026-12-15", "asked": 0.2, "new_demand": 0.0},
        {"segment": "b", "from": "2026-11-20", "asked": 0.7, "new_demand": 0.0},
    ]
    data = inputs(book.replace("requests", pd.DataFrame([{**gates, **row} for row in rows])))
    # periods start on 20, 21, 22 and 29 November and 29 December
    assert data.gates.sel(segment="a").values.tolist() == [0.9, 0.9, 0.5, 0.5, 0.2]
    assert data.gates.sel(segment="b").values.tolist() == [0.7] * 5
    month = 365 / 12
    expected = [30e6 / month, 30e6 / month, 60e6 * 7 / month, 60e6 * 30 / month, 0.0]
    np.testing.assert_allclose(data.new_demand.sel(segment="a") * 1e4, expected, rtol=1e-12)


def test_a_segment_without_a_row_tonight_is_refused():
    book = small_book({"a": {}}, ONE)
    table = book["requests"].reset_index().assign(**{"from": "2026-11-21"})
    with pytest.raises(BadInput, match="requests"):
        book.replace("requests", table)


def test_flows_fall_into_their_period_and_beyond_the_horizon_into_none():
    book = small_book({"a": {}}, ONE)
    rows = [("2026-11-20", "tax", -1e6, "income"), ("2026-11-23", "deposit", 5e5, "other"),
            ("2026-11-28", "refund", 2e5, "other"), ("2027-01-28", "rent", -3e5, "income"),
            ("2027-01-29", "late", -9e9, "income"), ("2026-11-19", "past", -9e9, "other")]  # fmt: skip
    data = inputs(book.replace("flows", pd.DataFrame(rows, columns=["date", "name", "amount", "account"])))
    assert (data.flow.sel(account="income") * 1e4).values.tolist() == [-1e6, 0, 0, 0, -3e5]
    assert (data.flow.sel(account="other") * 1e4).values.tolist() == [0, 0, 7e5, 0, 0]


@pytest.mark.parametrize(("scale", "unit"), [(1.0, 1e3), (10.0, 1e4), (0.1, 1e2)])
def test_the_book_is_a_hundred_thousand_to_a_million_units(scale, unit):
    lines = {"bank": {"drawn": 300 * MILLION * scale, "commitment": 500 * MILLION * scale}}
    lender = {name: LENDER[name] * scale for name in ("cash", "hqla")}
    book = small_book({"a": {}}, {("a", "house"): 500 * MILLION * scale}, lines=lines, lender=lender)
    assert choose_unit(book) == unit


def test_the_market_is_never_cheaper_than_the_lenders_own_money():
    warehouse = {"kind": "warehouse", "commitment": 9 * MILLION, "rate": 0.11, "advance_rate": 0.8}
    book = small_book({"a": {}}, ONE, facilities={"w": warehouse})
    assert float(inputs(book).market_rate) == 0.11


def test_reference_rate_is_what_the_drawn_money_costs():
    lines = {"bank": {}, "dear": {"drawn": 100 * MILLION, "rate": 0.08}, "idle": {"drawn": 0.0, "rate": 0.2}}
    book = small_book({"a": {}}, ONE, lines=lines)
    assert float(inputs(book).ref_rate) == pytest.approx((300 * 0.04 + 100 * 0.08) / 400)


def test_a_trust_may_buy_until_its_revolving_period_ends():
    pool, _, _ = build(calm_book().edit("facilities", "abs_2026a", revolving_end="2026-12-01"), calm_rules(HORIZON))
    starts = [day.isoformat() for day in pool.grid.starts[:-1]]
    assert [starts[t - 1] for t in pool.revolving("abs_2026a")] == [
        "2026-11-20",
        "2026-11-21",
        "2026-11-22",
        "2026-11-29",
    ]
    assert [starts[t - 1] for t in pool.ends("abs_2026a")] == ["2026-12-29"]
    assert list(pool.model.SCHEDULED) == ["abs_2024a"]


def test_a_step_that_cannot_be_read_is_refused():
    for step in ("3 days", "x 1 day", "1 x 1 year"):
        with pytest.raises(BadInput, match="horizon"):
            make_grid(date(2026, 11, 20), [step])


def test_a_lender_without_lines():
    pool, program, _ = build(small_book({"a": {}}, {("a", "house"): 500 * MILLION}, lines={}), rulebook())
    assert float(pool.inputs.ref_rate) == 0.06
    assert program.shape[0] > 0
