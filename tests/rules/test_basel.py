"""The formulas of capital and provisions: published values, and what must hold for all values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from liquidity.rules import basel
from liquidity.rules.basel.irb import MORTGAGE, OTHER_RETAIL, QRRE

KINDS = (QRRE, MORTGAGE, OTHER_RETAIL)
share = st.floats(0.0005, 0.5)
part = st.floats(0.0, 0.999)
each_kind = pytest.mark.parametrize("kind", KINDS)


# ---- internal ratings


@pytest.mark.parametrize(
    ("kind", "pd", "lgd", "printed"),
    [
        (MORTGAGE, 0.015, 0.45, 73.45),
        (MORTGAGE, 0.0003, 0.25, 2.30),
        (OTHER_RETAIL, 0.013, 0.45, 50.80),
        (OTHER_RETAIL, 0.001, 0.85, 21.08),
    ],
)
def test_cells_that_the_printed_table_rounds_its_own_way(kind, pd, lgd, printed):
    """Cells that `liquidity verify` leaves out: one unit of the last digit away from the formula, no more."""
    exact = 100 * float(basel.risk_weight(kind, pd, lgd))
    assert 0.005 < abs(exact - printed) < 0.015


@each_kind
@given(low=share, high=share, lgd=st.floats(0.01, 1.0))
def test_capital_and_losses_rise_in_default_probability(kind, low, high, lgd):
    """K rises up to a PD of 20% (it must turn before 100%, where nothing is left unexpected), K + EL everywhere."""
    low, high = sorted((low, high))
    k = basel.requirement(kind, [low, high], lgd)
    assert k.min() >= 0
    assert np.diff(k + basel.expected_loss([low, high], lgd)) >= -1e-12
    if high <= 0.2:
        assert np.diff(k) >= -1e-12


@each_kind
def test_capital_strictly_rises_in_default_probability(kind):
    assert (np.diff(basel.requirement(kind, np.linspace(0.0005, 0.2, 400), 0.45)) > 0).all()


@each_kind
@given(pd=share, low=st.floats(0.0, 1.0), high=st.floats(0.0, 1.0))
def test_capital_rises_in_loss_given_default_and_in_proportion(kind, pd, low, high):
    k = basel.requirement(kind, pd, [min(low, high), max(low, high), 1.0])
    assert k[0] <= k[1]
    np.testing.assert_allclose(k[:2], k[2] * np.array([min(low, high), max(low, high)]), rtol=1e-12)


def test_capital_of_nothing_at_risk_is_nothing():
    for kind in KINDS:
        np.testing.assert_allclose(basel.requirement(kind, [1e-12, 1 - 1e-12], 0.85), 0.0, atol=1e-6)
    assert basel.requirement(QRRE, 0.02, 0.0) == 0.0


def test_a_class_nobody_knows_is_refused():
    with pytest.raises(KeyError, match="corporate"):
        basel.correlation("corporate", 0.01)


def test_floors():
    assert basel.floored_pd([0.0, 0.0, 0.02], [True, False, True]).tolist() == [0.001, 0.0005, 0.02]
    assert basel.floored_lgd(QRRE, [0.3, 0.9]).tolist() == [0.5, 0.9]
    assert basel.floored_lgd(OTHER_RETAIL, [0.2, 0.9]).tolist() == [0.3, 0.9]


# ---- one factor


@given(pd=share, rho=st.floats(0.01, 0.9), q=st.floats(0.01, 0.99))
def test_a_quantile_is_a_conditional_rate(pd, rho, q):
    assert basel.worst_rate(pd, rho, q) == pytest.approx(float(basel.conditional_pd(pd, rho, -ndtri(q))))
    rates = basel.conditional_pd(pd, rho, [-2.0, 0.0, 2.0])
    assert rates[0] >= rates[1] >= rates[2]


def test_conditional_rates_average_to_the_unconditional_one():
    z = np.linspace(-9, 9, 20001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    for pd, rho in ((0.02, 0.04), (0.05, 0.15), (0.3, 0.3)):
        mean = np.trapezoid(basel.conditional_pd(pd, rho, z) * density, z)
        assert mean == pytest.approx(pd, abs=1e-9)


# ---- standardised


def test_standardised_weights_and_the_floor():
    assert basel.standard_weight([True, True, False], [True, False, True]).tolist() == [0.45, 0.75, 1.0]
    assert basel.exposure([100, 100], [300, -50]).tolist() == [130, 100]
    assert basel.output_floor([60, 80], [100, 100]).tolist() == [72.5, 80]


# ---- securitisation


@given(k=st.floats(0.005, 0.3), w=st.floats(0, 0.5), low=part, width=st.floats(0.001, 1.0))
def test_weight_of_a_tranche_lies_between_floor_and_cap(k, w, low, width):
    high = min(low + width, 1.0)
    weight = float(basel.tranche_weight(k, w, low, high))
    assert 0.15 <= weight <= 12.5
    senior = float(basel.tranche_weight(k, w, low, high, senior=True))
    assert senior <= max(0.15, 12.5 * k) + 1e-12
    assert senior <= weight


@given(k=st.floats(0.005, 0.3), lows=st.tuples(part, part), width=st.floats(0.001, 0.5), w=st.floats(0, 0.3))
def test_a_more_senior_tranche_weighs_less_and_a_worse_pool_more(k, lows, width, w):
    low, high = sorted(lows)
    ka = basel.attached(k, w)
    assert basel.sec_sa(ka, low, low + width) >= basel.sec_sa(ka, high, high + width) - 1e-9
    worse = basel.attached(k, min(w + 0.1, 1.0))
    assert basel.sec_sa(worse, low, low + width) >= basel.sec_sa(ka, low, low + width) - 1e-9


@given(k=st.floats(0.005, 0.3), cut=st.floats(0.01, 0.99))
def test_tranching_alone_never_lowers_the_capital_of_a_pool(k, cut):
    """Both parts together weigh more than the pool, and do not depend on where the cut lies."""
    halves = cut * basel.sec_sa(k, 0.0, cut) + (1 - cut) * basel.sec_sa(k, cut, 1.0)
    assert float(halves) == pytest.approx(float(basel.sec_sa(k, 0.0, 1.0)))
    assert halves >= 12.5 * k


def test_tranches_at_the_edges():
    assert basel.sec_sa(0.06, 0.0, 0.06) == pytest.approx(12.5)
    assert basel.sec_sa(0.06, 0.06, 0.06) == pytest.approx(12.5)
    assert basel.sec_sa(0.0, 0.0, 1.0) == 0.0
    assert basel.tranche_weight(0.06, 0.0, 0.5, 1.0, unknown=0.051) == 12.5
    assert basel.attached(0.06, 1.0, 0.0) == 0.5


def test_attachment_counts_over_collateral_below_and_losses_from_the_bottom():
    low, high = basel.attachment([60, 20], 100)
    assert (low.tolist(), high.tolist()) == ([0.4, pytest.approx(0.2)], [1.0, 0.4])
    low, high = basel.attachment([80, 40], 100)
    assert (low.tolist(), high.tolist()) == ([pytest.approx(0.2), 0.0], [1.0, pytest.approx(0.2)])


# ---- provisions


def test_stages_of_expected_credit_loss():
    pd, lgd, ead = np.array([0.02, 0.03, 0.04]), 0.6, np.array([100.0, 80.0, 60.0])
    terms = [0.02 * 60 / 1.1, 0.98 * 0.03 * 48 / 1.21, 0.98 * 0.97 * 0.04 * 36 / 1.331]
    assert basel.conditional_losses(pd, lgd, ead, 0.1).tolist() == pytest.approx(terms)
    assert basel.ecl(pd, lgd, ead, 0.1, 1) == pytest.approx(terms[0])
    assert basel.ecl(pd, lgd, ead, 0.1, 2) == pytest.approx(sum(terms))
    assert basel.ecl(pd, lgd, ead, 0.1, 3) == pytest.approx(60.0)
    with pytest.raises(ValueError, match="stage 4"):
        basel.ecl(pd, lgd, ead, 0.1, 4)


def test_nobody_is_left_after_certain_default():
    assert basel.conditional_losses([1.0, 1.0], 1.0, [1.0, 1.0], 0.0).tolist() == [1.0, 0.0]


def test_stage_shares_add_up():
    shares = basel.stages([100.0, 0.0], [10.0, 0.0], [25.0, 0.0])
    assert shares[:, 0].tolist() == [0.72, 0.08, 0.2]
    assert shares[:, 1].tolist() == [0.0, 0.0, 0.0]


def test_rate_is_what_daily_steps_of_the_run_off_give():
    """The continuous form against a sum over small steps of time."""
    pd, lgd, life, apr, late = 0.03, 0.85, 1.5, 0.18, 0.35
    share = np.array([0.95, 0.04, 0.01])
    step = 1e-4
    t = np.arange(0, 40, step) + step / 2

    def losses(rate, until):
        hazard = -np.log1p(-rate)
        left = np.exp(-(hazard + 1 / life) * t) * (1 + apr) ** -t
        return float((hazard * left * (t < until)).sum() * step)

    expected = lgd * (share[0] * losses(pd, 1.0) + share[1] * losses(late, 40.0) + share[2])
    assert float(basel.ecl_rate(pd, lgd, share, life, apr, late)) == pytest.approx(expected, rel=1e-6)


@given(low=st.floats(0.001, 0.4), high=st.floats(0.001, 0.4), move=st.floats(0.0, 0.5))
def test_rate_rises_in_default_probability_and_with_arrears(low, high, move):
    calm, late = np.array([0.9, 0.08, 0.02]), np.array([0.9 - move, 0.08, 0.02 + move])
    rates = [float(basel.ecl_rate(pd, 0.85, calm, 1.2, 0.15, 0.5)) for pd in sorted((low, high))]
    assert rates[0] <= rates[1] + 1e-15
    assert basel.ecl_rate(low, 0.85, late, 1.2, 0.15, 0.5) >= basel.ecl_rate(low, 0.85, calm, 1.2, 0.15, 0.5)
