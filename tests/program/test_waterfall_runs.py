"""Deals run to their end: who is paid what in which month, and that nothing is lost, borrowed or paid out of turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from books import MILLION, Night, solve, tiers, trust_book, trust_rules
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from liquidity.errors import SolverFailed
from liquidity.program.build import build_pool
from liquidity.program.compile import compile_program
from liquidity.program.night import solve_night
from liquidity.program.plan import opening_states
from liquidity.program.sequence import make_deal
from liquidity.program.solve import Options
from liquidity.program.stages import make_goals
from liquidity.program.waterfall import Deal, Schedule, run_waterfall, sequential

FEN = 0.005
MONTH = 1 / 12


def deal_of(balance: float, rep: list[float], loss: list[float], interest: list[float], **of: object) -> Deal:
    """One segment; shares of its balance month by month, all that defaults is lost."""
    paid, lost, earned = (np.array([shares]) for shares in (rep, loss, interest))
    plain = {"cash": 0.0, "cash_rate": 0.0, "deficiency": 0.0, "reserve": 0.0, "servicing": 0.0}
    return Deal(
        balance=np.array([balance]), collected=paid + earned, interest=earned, loss=lost, keep=1 - paid - lost,
        years=np.full(len(rep), MONTH), **{**plain, **of},
    )  # fmt: skip


@dataclass(frozen=True)
class Month:
    """A month of a schedule, redone from the deal: what came in, what was owed and paid."""

    opening: np.ndarray
    coupons: np.ndarray
    pay: np.ndarray
    came: float
    earned: float
    lost: float
    service: float
    release: float
    cover: float
    shortfall: float
    residual: float
    cash: float
    deficiency: float

    @property
    def closing(self) -> np.ndarray:
        """Notes after the month."""
        return self.opening - self.pay


def months(deal: Deal, out: Schedule) -> Iterator[Month]:
    """The schedule month by month; cash and deficiency are added up from the flows alone."""
    balance, notes, cash, deficiency = deal.balance, deal.notes.astype(float), deal.cash, deal.deficiency
    for t, years in enumerate(deal.years):
        came, earned, lost = (float(part[:, t] @ balance) for part in (deal.collected, deal.interest, deal.loss))
        service, coupons = deal.servicing * years * balance.sum(), deal.coupon * notes * years
        flows = {name: float(getattr(out, name)[t]) for name in ("release", "cover", "shortfall", "residual")}
        cash = cash * (1 + deal.cash_rate * years) + came - service - coupons.sum() - out.pay[:, t].sum()
        cash -= flows["release"] + flows["residual"]
        deficiency += lost + flows["shortfall"] - flows["cover"]
        yield Month(
            notes, coupons, out.pay[:, t], came, earned, lost, service, cash=cash, deficiency=deficiency, **flows
        )
        notes, balance = notes - out.pay[:, t], balance * deal.keep[:, t]


# ---- by hand


def hand_deal() -> Deal:
    """120 of loans, half repaid a month, 2% interest a month, a tenth of what is left lost in the second month; 60 at
    1% a month, 40 at 2%, a reserve of 4.
    """
    return deal_of(
        120.0, [0.5] * 5, [0.0, 0.1, 0.0, 0.0, 0.0], [0.02] * 5, notes=np.array([60.0, 40.0]),
        coupon=np.array([0.12, 0.24]), reserve=4.0,
    )  # fmt: skip


def test_a_deal_by_hand_from_its_first_to_its_last_month():
    """Every figure was worked out on paper; the deficiency of 5.64 opens in month 2 and stops every release after."""
    deal = hand_deal()
    run = list(months(deal, run_waterfall(deal)))
    expected = {
        "coupons": [[0.6, 0.8], [0.04, 0.8], [0.0, 0.2728], [0.0, 0.028656], [0.0, 0.0]],
        "pay": [[56.0, 0.0], [4.0, 26.36], [0.0, 12.2072], [0.0, 1.4328], [0.0, 0.0]],
        "closing": [[4.0, 40.0], [0.0, 13.64], [0.0, 1.4328], [0.0, 0.0], [0.0, 0.0]],
        "release": [1.0, 0.0, 0.0, 0.0, 0.0],
        "cover": [0.0, 0.36, 0.2072, 0.211344, 0.12],
        "deficiency": [0.0, 5.64, 5.4328, 5.221456, 5.101456],
        "residual": [0.0, 0.0, 0.0, 8.778544, 3.12],
        "cash": [4.0, 4.0, 4.0, 0.0, 0.0],
        "shortfall": [0.0] * 5,
    }
    for name, figures in expected.items():
        np.testing.assert_allclose([getattr(month, name) for month in run], figures, atol=1e-12, err_msg=name)


def test_a_coupon_that_interest_does_not_bring_comes_out_of_principal():
    """Interest 1, coupons 1.5: the half comes out of principal and is owed, until interest covers it."""
    deal = deal_of(
        100.0, [0.1, 0.1], [0.0, 0.0], [0.01, 0.05], notes=np.array([50.0, 50.0]), coupon=np.array([0.12, 0.24])
    )
    one, two = months(deal, run_waterfall(deal))
    assert (one.shortfall, one.deficiency) == pytest.approx((0.5, 0.5))
    assert one.pay.tolist() == pytest.approx([9.5, 0.0])
    # 4.5 of interest, 1.405 of coupons: half a yuan covers, the rest is released
    assert (two.cover, two.deficiency, two.release) == pytest.approx((0.5, 0.0, 4.5 - 0.405 - 1.0 - 0.5))
    assert two.pay.tolist() == pytest.approx([9.0 + 0.5, 0.0])


# ---- the card trust of 2018


CARD = {"senior": (750.0, 0.048), "mezzanine": (150.0, 0.049), "third": (50.0, 0.0715), "sub": (50.0, 0.0)}
BAD = 0.05 / 12


def card(size: int) -> Deal:
    """A pool of 1000: yield 15%, servicing 1%, charge-off 5% a year, 12% of what performs is repaid a month."""
    return deal_of(
        1000.0, [0.12 * (1 - BAD)] * size, [BAD] * size, [0.15 / 12] * size, servicing=0.01,
        notes=np.array([notes for notes, _ in CARD.values()]), coupon=np.array([rate for _, rate in CARD.values()]),
    )  # fmt: skip


def test_the_first_month_of_the_card_trust():
    (month,) = months(card(1), run_waterfall(card(1)))
    assert month.earned == pytest.approx(12.5)
    assert month.service == pytest.approx(0.833333, abs=5e-7)
    assert month.coupons.tolist() == pytest.approx([3.0, 0.6125, 0.297917, 0.0], abs=5e-7)
    assert month.lost == month.cover == pytest.approx(4.166667, abs=5e-7)
    assert month.release == pytest.approx(3.589583, abs=5e-7)
    base = 12 * (month.service + month.coupons.sum()) / 1000
    assert (base, 0.15 - base) == pytest.approx((0.056925, 0.093075), abs=5e-7)
    # charged off is taken from the whole pool, repaid is 12% of what performs: 119.5, not 120
    assert month.pay[0] == pytest.approx(123.6667, abs=5e-5)
    assert month.closing[0] == pytest.approx(626.3333, abs=5e-5)


def test_the_card_trust_retires_its_classes_in_the_months_of_the_closed_form():
    """Covered losses leave notes = loans = 1000 r^t with r = 0.88 (1 - 5%/12): class k ends once 1000 r^t is no more
    than what is junior to it.
    """
    size, rate = 60, 0.88 * (1 - BAD)
    run = list(months(card(size), run_waterfall(card(size))))
    pool = 1000 * rate ** np.arange(1, size + 1)
    junior = np.array([250.0, 100.0, 50.0, 0.0])
    owed = np.clip(pool[:, None] - junior, 0.0, [notes for notes, _ in CARD.values()])
    np.testing.assert_allclose([month.closing for month in run], owed, atol=1e-9)
    before = np.vstack([[notes for notes, _ in CARD.values()], owed[:-1]])
    rates = np.array([coupon for _, coupon in CARD.values()])
    np.testing.assert_allclose([month.coupons for month in run], before * rates / 12, atol=1e-9)
    ends = [int(np.argmax(owed[:, k] <= 1e-9)) + 1 for k in range(3)]
    assert ends == [11, 18, 23]
    assert ends == [int(np.ceil(np.log(left / 1000) / np.log(rate))) for left in junior[:3]]
    assert all(month.deficiency == pytest.approx(0.0, abs=1e-9) for month in run)


# ---- any deal


shares = st.floats(0.0, 1.0)


@st.composite
def deals(draw: st.DrawFn) -> Deal:
    """Two segments, one to four classes, one to fourteen months; every month can pay its servicing and coupons."""
    size, classes = draw(st.integers(1, 14)), draw(st.integers(1, 4))
    made = np.random.default_rng(draw(st.integers(0, 10**6)))
    gone, bad, lgd = draw(shares) * 0.8, draw(shares) * 0.2, draw(shares)
    rep, default = made.uniform(0.02, 0.02 + gone, (2, size)), made.uniform(0.0, bad, (2, size)) * 0.9
    default = np.minimum(default, 1 - rep)
    interest = made.uniform(0.0, 0.03 * draw(shares), (2, size))
    balance = made.uniform(0.0, 100.0, 2)
    notes = made.dirichlet(np.ones(classes)) * balance.sum() * draw(st.floats(0.1, 1.2))
    years = made.choice([1 / 365, 7 / 365, 1 / 12], size)
    reserve = notes.sum() * draw(st.sampled_from([0.0, 0.02, 0.1]))
    return Deal(
        balance, collected=rep + interest + (1 - lgd) * default, interest=interest, loss=lgd * default,
        keep=1 - rep - default, years=years, notes=notes, coupon=made.uniform(0.0, 0.2 * draw(shares), classes),
        servicing=0.02 * draw(shares), cash_rate=0.02 * draw(shares), cash=10 * draw(shares),
        deficiency=draw(st.sampled_from([0.0, 0.0, 3.0])), reserve=reserve,
    )  # fmt: skip


def check_month(month: Month, reserve: float, tiny: float) -> None:
    """What holds in every month of every deal."""
    flows = (month.release, month.cover, month.shortfall, month.residual)
    assert min(*flows, *month.pay, *month.closing) >= -tiny
    # no junior principal before every class senior to it is paid in full
    for k in np.flatnonzero(month.pay > tiny):
        assert (month.closing[:k] <= tiny).all()
    # the interest waterfall: excess covers, then is released; never both a shortfall and a use of excess
    excess = month.earned - month.service - month.coupons.sum()
    assert month.release + month.cover - month.shortfall <= excess + tiny
    assert min(month.shortfall, month.release + month.cover) <= tiny
    assert month.shortfall == pytest.approx(max(0.0, -excess), abs=tiny)
    # a deficiency is never negative, and nothing is released while one is open
    assert month.deficiency >= -tiny
    assert min(month.deficiency, month.release) <= tiny
    # what is residual waits for the last class; until then all cash above the reserve is paid
    if month.closing.sum() > tiny:
        assert month.residual <= tiny
        assert month.cash <= reserve + tiny
    else:
        assert abs(month.cash) <= tiny


@settings(max_examples=150, deadline=None)
@given(deals())
@example(hand_deal())
@example(card(60))
def test_every_month_of_every_deal(deal: Deal) -> None:
    run = list(months(deal, run_waterfall(deal)))
    # a pool that cannot even pay its coupons is another matter
    assume(min(month.cash for month in run) >= -1e-9)
    for month in run:
        check_month(month, deal.reserve, 1e-8)
    # a class once paid stays paid, and nobody gets more than is owed
    assert (sum(month.pay for month in run) <= deal.notes + 1e-8).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=6), st.floats(-1e6, 1e7))
def test_sequential_pays_all_it_can_and_in_order(notes: list[float], available: float) -> None:
    owed = np.array(notes)
    paid = sequential(owed, available)
    assert paid.sum() == pytest.approx(min(max(available, 0.0), owed.sum()), rel=1e-12, abs=1e-6)
    left = owed - paid
    for k in np.flatnonzero(paid > 1e-6):
        assert (left[:k] <= 1e-6).all()


# ---- the plan of a trust that buys until it amortises


SIX = ("6 x 1 month",)
KINDS = {
    "plain": {},
    "reserve": {"reserve": 0.03},
    "losses": {"segment": {"pd": 0.3}},
    "dear": {"coupon": 0.09},
    "losses, dear, reserve": {"segment": {"pd": 0.3}, "coupon": 0.09, "reserve": 0.03},
}


def trust_flows(night: Night) -> pd.DataFrame:
    """Flows of trust `t` by month, CNY: what came in and what went out, from plan and data."""
    plan, data = night.plan, night.pool.inputs
    years = np.array(night.pool.grid.years)
    own = plan.sel(facility="t")
    before = opening_states(plan, "balance").sel(facility="t").values
    cash = opening_states(plan, "facility_cash").sel(facility="t").values
    notes = opening_states(plan, "tranche_balance")
    frame = {
        "opening": cash,
        "growth": cash * float(data.facility_cash_rate.sel(facility="t")) * years,
        "came": (data.collected.sel(facility="t").values * before).sum(0),
        "earned": (data.interest.sel(facility="t").values * before).sum(0),
        "lost": (data.loss.sel(facility="t").values * before).sum(0),
        "service": float(data.servicing_fee.sel(facility="t")) * years * before.sum(0),
        "coupons": (data.coupon.values[:, None] * notes.values).sum(0) * years,
        "bought": own.lend.sum(["segment", "borrower"]).values + own.move.sum("segment").values,
        "paid": plan.pay.sum("tranche").values,
        "closing": own.facility_cash.values,
    }
    for name in ("release", "residual", "cover", "shortfall", "deficiency"):
        frame[name] = own[name].values
    return pd.DataFrame(frame)


@pytest.mark.parametrize("end", ["2026-12-20", "2027-01-20"])
@pytest.mark.parametrize("pay", [0.3, 0.6])
@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_of_an_amortising_trust(kind: str, pay: float, end: str) -> None:
    check_plan(solve(trust_book(end, pay=pay, **KINDS[kind]), trust_rules(SIX, 0.2)))


@settings(max_examples=8, deadline=None)
@given(
    st.tuples(st.floats(30, 80), st.floats(5, 30), st.floats(1, 20)), st.floats(0.1, 0.8), st.floats(0.0, 0.35),
    st.floats(0.01, 0.1), st.sampled_from([0.0, 0.02]), st.sampled_from([None, 0.1, 0.5]),
)  # fmt: skip
def test_the_plan_of_any_amortising_trust(notes, pay, bad, coupon, reserve, idle) -> None:
    """Sizes and thickness of the classes, speed, losses, coupons, reserve and idle cash as they come."""
    book = trust_book(
        "2027-01-20", pool=sum(notes), notes=notes, pay=pay, coupon=coupon, reserve=reserve, segment={"pd": bad + 0.005}
    )
    try:
        night = solve(book, trust_rules(SIX, idle))
    except SolverFailed:
        night = solve(book, trust_rules(SIX, idle), cautious=True)
    check_plan(night)


def check_plan(night: Night) -> None:
    """Everything that holds of the trust `t` in any plan that meets the rules, in every period."""
    ends, flows, plan = night.pool.ends("t"), trust_flows(night), night.plan
    assert ends
    classes = [f"t/{name}" for name in night.pool.model.TRANCHES["t"]]
    pays = plan.pay.sel(tranche=classes).values
    owed = plan.tranche_balance.sel(tranche=classes).values
    start = opening_states(plan, "tranche_balance").sel(tranche=classes).values
    # conservation, to the fen, in every month
    gap = flows.opening + flows.growth + flows.came - flows.service - flows.coupons
    gap -= flows.paid + flows.release + flows.residual + flows.bought + flows.closing
    assert gap.abs().max() <= FEN
    np.testing.assert_allclose(start - pays, owed, atol=FEN)
    owing = np.concatenate([[0.0], flows.deficiency.values[:-1]]) + flows.lost + flows.shortfall - flows.cover
    np.testing.assert_allclose(owing, flows.deficiency, atol=FEN)
    for name in ("closing", "release", "residual", "cover", "shortfall", "deficiency", "bought", "paid"):
        assert flows[name].min() >= -FEN, name
    assert min(pays.min(), owed.min()) >= -FEN
    # while it revolves nobody is paid, then no junior class before every class senior to it is paid in full
    revolving = ends[0] - 1
    assert np.abs(pays[:, :revolving]).max(initial=0.0) <= FEN
    assert flows.residual[:revolving].abs().max() <= FEN
    assert flows.bought[revolving:].abs().max() <= FEN
    for k, t in zip(*np.nonzero(pays > 1.0)):
        assert (owed[:k, t] <= FEN).all(), (classes[k], t)
    # interest covers losses before it is released, and all of it is used once the trust amortises
    excess = flows.earned - flows.service - flows.coupons
    used = flows.release + flows.cover - flows.shortfall
    assert (used <= excess + FEN).all()
    np.testing.assert_allclose(used[revolving:], excess[revolving:], atol=FEN)
    assert np.minimum(flows.deficiency, flows.release).max() <= 1.0
    # cash above the reserve waits for nobody, the residual waits for the last class
    done = owed.sum(axis=0) <= FEN
    assert (flows.residual[~done] <= FEN).all()
    held = make_deal(night.pool, "t").reserve * night.pool.unit
    assert (flows.closing[revolving:] <= np.where(done[revolving:], 0.0, held) + FEN).all()


def test_a_plan_in_which_every_class_ends_and_the_rest_goes_to_the_holder_of_the_residual():
    night = solve(trust_book("2026-12-20", pay=0.7), trust_rules(SIX, 0.2))
    owed = night.plan.tranche_balance.values
    assert (owed[:, -1] <= FEN).all()
    ends = [int(np.argmax(row <= FEN)) for row in owed]
    assert ends == sorted(ends)
    assert float(night.plan.pay.sum()) == pytest.approx(98 * MILLION, abs=FEN)
    assert float(night.plan.residual.sum()) > MILLION


def test_an_early_amortised_trust_is_paid_in_the_same_order():
    """Ended by a covenant, not by its terms: the plan is that of a trust whose terms end it on that day."""
    book, rules = trust_book("2029-01-01", pay=0.6), trust_rules(SIX, 0.2)
    pool = build_pool(book, rules, amortising={"t": 3})
    program = compile_program(pool)
    early = solve_night(program, make_goals(pool, program), tiers(rules), 0.01, 1e5, Options())
    terms = solve(trust_book("2027-01-20", pay=0.6), rules)
    assert pool.ends("t") == terms.pool.ends("t") == [3, 4, 5, 6]
    np.testing.assert_allclose(early.staged.last.x, terms.x, atol=1e-6 * 1e5)
    assert early.staged.first.objective == pytest.approx(terms.solved.staged.first.objective, rel=1e-9)


def test_a_deal_cut_in_two_runs_on_as_the_whole():
    """The state after some months says all that the rest depends on."""
    deal = hand_deal()
    whole = run_waterfall(deal)
    run = list(months(deal, whole))
    cut = {name: getattr(deal, name)[:, 2:] for name in ("collected", "interest", "loss", "keep")}
    rest = run_waterfall(
        replace(
            deal, **cut, years=deal.years[2:], balance=deal.balance * deal.keep[:, :2].prod(axis=1),
            notes=run[1].closing, cash=run[1].cash, deficiency=run[1].deficiency,
        )
    )  # fmt: skip
    np.testing.assert_allclose(rest.pay, whole.pay[:, 2:], atol=1e-12)
    np.testing.assert_allclose(rest.residual, whole.residual[2:], atol=1e-12)
