"""Trusts: the waterfall by itself, against the program, sequence and deficiency against branch and bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import MILLION, TRUST, Night, build, rule, small_book, solve, trust_book, trust_rules
from scipy.optimize import Bounds, LinearConstraint, milp

from liquidity.errors import SolverFailed
from liquidity.program.sequence import largest_pool, make_deal, reserve_path
from liquidity.program.waterfall import Deal, Schedule, run_waterfall

ONE_DAY = ("1 x 1 day", "1 x 1 week", "5 x 1 month")
TWO_DAYS = ("2 x 1 day", "1 x 1 week", "4 x 1 month")
LOSSY = {"pd": 0.3}


# ---- the waterfall by itself


def flat(balance: float, *, rep: float, default: float, interest: float, months: int, **of: object) -> Deal:
    """A pool of one segment with the same shares every month."""
    path = {"rep": rep, "default": default, "interest": interest}
    shares = {name: np.full((1, months), value) for name, value in path.items()}
    plain = {"cash": 0.0, "cash_rate": 0.0, "deficiency": 0.0, "reserve": 0.0, "servicing": 0.0}
    return Deal(
        balance=np.array([balance]), collected=shares["rep"] + shares["interest"], interest=shares["interest"],
        loss=shares["default"], keep=1 - shares["rep"] - shares["default"], years=np.full(months, 1 / 12),
        **{**plain, **of},
    )  # fmt: skip


def card_trust(months: int = 1) -> Deal:
    """A revolving card trust of 2018: yield 15%, servicing 1%, charge-off 5% a year, 12% of what performs a month."""
    default = 0.05 / 12
    return flat(
        1000.0, rep=0.12 * (1 - default), default=default, interest=0.15 / 12, months=months, servicing=0.01,
        notes=np.array([750.0, 150.0, 50.0, 50.0]), coupon=np.array([0.048, 0.049, 0.0715, 0.0]),
    )  # fmt: skip


def test_first_month_of_a_card_trust():
    deal = card_trust()
    out = run_waterfall(deal)
    assert float(deal.interest[0, 0] * 1000) == pytest.approx(12.5)
    assert (deal.coupon * deal.notes / 12).tolist() == pytest.approx([3.0, 0.6125, 0.297917, 0.0], abs=5e-7)
    assert float(out.cover[0]) == pytest.approx(4.166667, abs=5e-7)
    assert float(out.release[0]) == pytest.approx(3.589583, abs=5e-7)
    assert float(out.release[0]) * 12 / 1000 == pytest.approx(0.043075, abs=5e-7)
    assert float(out.balance[0]) == pytest.approx(876.3333, abs=5e-5)
    # what is not lost leaves the trust: principal and the losses that excess spread covered
    assert float(750 - out.pay[0, 0]) == pytest.approx(750 - (1000 - 876.3333), abs=5e-5)
    assert (out.pay[1:, 0] == 0).all()
    assert (out.shortfall[0], out.residual[0]) == (0.0, 0.0)


def test_the_card_trust_to_its_end():
    out = run_waterfall(card_trust(60))
    # notes and loans run off together: losses are covered, so what is still owed is what is still lent
    assert out.pay.sum(axis=1).tolist() == pytest.approx([750.0, 150.0, 50.0, 50.0 - out.balance[-1]])
    assert (np.diff([np.flatnonzero(row)[0] for row in out.pay]) >= 0).all()
    run_off = 1000 * ((1 - 0.05 / 12) * 0.88) ** np.arange(1, 61)
    np.testing.assert_allclose(out.balance, run_off, rtol=1e-12)


def test_a_deficiency_is_carried_until_excess_covers_it():
    """Losses of 20 in the first month only; 10 a month is left after coupons."""
    deal = flat(1000.0, rep=0.0, default=0.0, interest=0.01, months=4, notes=np.array([900.0]), coupon=np.array([0.0]))
    loss = deal.loss.copy()
    loss[0, 0] = 0.025
    deal = replace(deal, loss=loss)
    out = run_waterfall(deal)
    assert out.cover.tolist() == pytest.approx([10.0, 10.0, 5.0, 0.0])
    # what is left of the third month is released at once
    assert out.release.tolist() == pytest.approx([0.0, 0.0, 5.0, 10.0])
    # cover stays in the trust and is paid as principal
    assert out.pay[0].tolist() == pytest.approx([10.0, 10.0, 5.0, 0.0])


def test_a_coupon_that_interest_cannot_pay_is_owed_by_principal():
    deal = flat(100.0, rep=0.1, default=0.0, interest=0.001, months=1, notes=np.array([90.0]), coupon=np.array([0.06]))
    out = run_waterfall(deal)
    assert out.shortfall[0] == pytest.approx(0.45 - 0.1)
    assert (out.cover[0], out.release[0]) == (0.0, 0.0)
    assert out.pay[0, 0] == pytest.approx(10 + 0.1 - 0.45)


def test_the_reserve_is_kept_filled_first_and_let_go_at_the_end():
    deal = flat(
        100.0, rep=0.25, default=0.0, interest=0.0, months=12, notes=np.array([60.0, 20.0]), coupon=np.zeros(2),
        cash=2.0, reserve=5.0,
    )  # fmt: skip
    out = run_waterfall(deal)
    assert out.pay[:, 0].tolist() == pytest.approx([22.0, 0.0])
    assert out.pay.sum() == pytest.approx(80.0)
    end = int(np.flatnonzero(np.cumsum(out.pay.sum(axis=0)) >= 80 - 1e-9)[0])
    assert (out.residual[:end] == 0).all()
    assert out.residual[end] > 0
    # everything that came in has gone out, the reserve with it
    assert out.pay.sum() + out.residual.sum() == pytest.approx(2.0 + 100.0 - out.balance[-1])


# ---- the program against the waterfall


def waterfall_from(night: Night, period: int) -> Schedule:
    """The waterfall of trust `t` from the state of the plan after some periods."""
    deal, plan, unit = make_deal(night.pool, "t"), night.plan.isel(period=period - 1), night.pool.unit
    cut = {name: getattr(deal, name)[:, period:] for name in ("collected", "interest", "loss", "keep")}
    labels = [f"t/{name}" for name in night.pool.model.TRANCHES["t"]]
    return run_waterfall(
        replace(
            deal, **cut, years=deal.years[period:], balance=plan.balance.sel(facility="t").values / unit,
            notes=plan.tranche_balance.sel(tranche=labels).values / unit,
            cash=float(plan.facility_cash.sel(facility="t")) / unit,
            deficiency=float(plan.deficiency.sel(facility="t")) / unit,
        )
    )  # fmt: skip


@pytest.mark.parametrize("uninvested", [0.2, None], ids=["safe", "unsafe"])
@pytest.mark.parametrize("coupon", [0.03, 0.09])
@pytest.mark.parametrize("kind", [{}, {"segment": {"pd": 0.15}}, {"segment": LOSSY}, {"reserve": 0.02}], ids=str)
def test_a_closed_trust_pays_as_the_waterfall_does(kind, coupon, uninvested):
    """Its pool depends on no decision once it amortises, so nothing is left to choose: above all it may not hold back
    what it has to release in order to pay a dear class sooner."""
    night = solve(
        trust_book("2026-11-21", pay=0.4, closed=True, coupon=coupon, **kind), trust_rules(ONE_DAY, uninvested)
    )
    expected, plan, unit = waterfall_from(night, 1), night.plan.isel(period=slice(1, None)), night.pool.unit
    size = night.size
    for name in ("release", "residual", "cover", "shortfall"):
        assert np.abs(plan[name].sel(facility="t").values / unit - getattr(expected, name)).max() <= 1e-10 * size, name
    labels = [f"t/{name}" for name in night.pool.model.TRANCHES["t"]]
    assert np.abs(plan.pay.sel(tranche=labels).values / unit - expected.pay).max() <= 1e-10 * size


def branch_and_bound(night: Night) -> float:
    """Net worth by the general method, integers free, on the same program."""
    p = night.program
    found = milp(
        -p.cost,
        constraints=LinearConstraint(p.matrix, p.row_lower, p.row_upper),
        bounds=Bounds(p.column_lower, p.column_upper),
        integrality=p.integer.astype(int),
        options={"mip_rel_gap": 0.0},
    )
    assert found.status == 0
    return p.constant - found.fun


@pytest.mark.parametrize("pay", [0.3, 0.6])
@pytest.mark.parametrize(
    ("kind", "uninvested"),
    [({}, 0.03), ({"segment": {"pd": 0.15}}, None), ({"segment": LOSSY}, 0.03), ({"reserve": 0.02}, 0.2)],
    ids=str,
)
def test_sequence_and_deficiency_as_branch_and_bound_finds_them(pay, kind, uninvested):
    night = solve(trust_book("2026-11-22", pay=pay, **kind), trust_rules(TWO_DAYS, uninvested))
    assert night.program.integer.any()
    assert night.solved.staged.first.objective == pytest.approx(branch_and_bound(night), rel=1e-9)


def test_a_safe_trust_needs_no_yes_no_decision_and_has_the_same_plan():
    book, rules = trust_book("2026-11-22", pay=0.5), trust_rules(TWO_DAYS, 0.2)
    safe, asked = solve(book, rules), solve(book, rules, cautious=True)
    assert (list(safe.pool.model.SAFE), list(asked.pool.model.SAFE)) == (["t"], [])
    assert asked.solved.staged.first.objective == pytest.approx(safe.solved.staged.first.objective, rel=1e-9)
    np.testing.assert_allclose(asked.relent(1), safe.relent(1), atol=1e-6 * safe.size)


def test_one_bad_day_of_a_part_of_the_pool_leaves_a_trust_safe():
    """Tonight a part of the pool loses more than it earns and the pool as a whole does not: no deficiency can open."""
    book = trust_book("2026-11-22", pay=0.5)
    held = book["balances"].balance.xs("t", level="facility")
    segment = str(held.idxmax())
    extra = pd.DataFrame({"segment": [segment], "facility": ["t"], "principal": [0.0], "interest": [held.max() * 6e-4],
                          "defaulted": [held.max() * 1e-4]})  # fmt: skip
    fine = book.replace("repaid", extra)
    bad = book.replace("repaid", extra.assign(defaulted=held.max() * 5e-3))
    rules = trust_rules(TWO_DAYS, 0.2)
    assert list(build(fine, rules)[0].model.SAFE) == ["t"]
    assert list(build(bad, rules)[0].model.SAFE) == []
    safe, asked = solve(fine, rules), solve(fine, rules, cautious=True)
    assert asked.solved.staged.first.objective == pytest.approx(safe.solved.staged.first.objective, rel=1e-9)


# ---- states in which a night must still have an answer


@pytest.mark.parametrize("idle", [80.0, 95.0])
def test_a_trust_full_of_cash_is_not_taken_to_be_safe(idle):
    """Its few loans do not earn the coupons, so a deficiency opens: that is an answer, not a contradiction."""
    book = trust_book("2028-01-01", pool=100.0 - idle, cash=idle, notes=(70, 20, 8))
    night = solve(book, trust_rules(ONE_DAY, 0.2))
    assert list(night.pool.model.SAFE) == []


def test_a_reserve_that_is_short_is_refilled_not_refused():
    book = trust_book("2028-01-01", cash=0.5, reserve=0.04)
    night = solve(book, trust_rules(TWO_DAYS, 0.2))
    path = np.array(reserve_path(night.pool, "t"))
    held = night.plan.facility_cash.sel(facility="t").values / night.pool.unit
    assert night.solved.repair is None
    assert (held >= path - 1e-7).all()
    assert (np.diff(path) >= 0).all()
    assert path[0] < 0.5 * path[-1]
    assert path[-1] == pytest.approx(0.04 * 98 * MILLION / night.pool.unit)


def outage() -> tuple:
    """A trust of fast payers who may not be lent to: its money cannot stay invested."""
    book = small_book(
        {"a": {}, "k": {"product": "trust", "monthly_payment_rate": 0.5}},
        {("a", "house"): 500 * MILLION, ("k", "t"): 100 * MILLION},
        facilities={"t": {**TRUST, "cash": 1 * MILLION, "revolving_end": "2028-01-01"}},
        tranches=[
            ("t", "senior", 1, 80 * MILLION, 0.03, "third_party"),
            ("t", "sub", 2, 20 * MILLION, 0.0, "retained"),
        ],
        eligibility=[("t", "product", "==", "trust")],
        requests={"k": {"available": 0.0}},
    )
    return book, trust_rules(("3 x 1 day", "2 x 1 week", "6 x 1 month"), 0.2)


def test_a_trust_that_cannot_invest_has_an_answer_when_its_deficiency_may_open():
    with pytest.raises(SolverFailed):
        solve(*outage())
    night = solve(*outage(), cautious=True)
    assert set(night.solved.gave_way.rule) == {"pool_cover"}
    assert float(night.plan.deficiency.sel(facility="t")[-1]) > 0
    assert float(night.plan.facility_cash.min()) >= -1e-3


def test_a_wish_that_only_half_decisions_could_grant_gives_way():
    """The relaxed program can release a little while a deficiency is open; no real plan can."""
    pin = {"target": "release", "facility": "t", "op": ">=", "amount": 2e5, "reason": "test", "by": "desk"}
    pin |= {"from": None, "to": None}
    book = trust_book("2026-11-21", pay=0.4, closed=True, segment=LOSSY, pins=pd.DataFrame([pin]))
    night = solve(book, trust_rules(ONE_DAY, None, rule("pins")))
    assert night.solved.repair.conflict == ("pins",)
    assert night.solved.gave_way.shortfall.tolist() == pytest.approx([2e5 / night.pool.unit])
    assert set(np.unique(night.solved.choice.values)) <= {0.0, 1.0}


def test_a_trust_may_grow_by_interest_on_interest():
    pool, _, _ = build(trust_book("2028-01-01", segment={"apr": 0.36}), trust_rules(("12 x 1 month",), 0.2))
    years = np.array(pool.grid.years)
    start = 102 * MILLION / pool.unit
    assert largest_pool(pool, "t") == pytest.approx(start * np.prod(1 + 0.36 * years))
    assert largest_pool(pool, "t") > start * (1 + 0.36 * years.sum())
