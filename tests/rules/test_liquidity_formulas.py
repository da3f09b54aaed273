"""The liquidity ratios: closed forms of the standard and figures by hand."""

from __future__ import annotations

import numpy as np
import pytest

from liquidity.rules.liquidity_formulas import ASF, RSF, by_residual, hqla, net_outflow, weighted


def adjusted(level1, level2a, level2b):
    """Liquid assets as the standard writes them: LCR30, adjustments for the 15% and the 40% cap."""
    cap15 = max(level2b - 15 / 85 * (level1 + level2a), level2b - 15 / 60 * level1, 0)
    cap40 = max(level2a + level2b - cap15 - 2 / 3 * level1, 0)
    return level1 + level2a + level2b - cap15 - cap40


def test_least_of_the_pieces_is_the_form_of_the_standard():
    draws = np.random.default_rng(5).exponential(1.0, (5_000, 3)) * np.random.default_rng(6).choice(
        [0.0, 0.1, 1.0, 10.0], (5_000, 3)
    )
    for level1, level2a, level2b in draws:
        assert hqla(level1, level2a, level2b) == pytest.approx(adjusted(level1, level2a, level2b), abs=1e-12)


def test_net_outflow_caps_the_inflow():
    for outflow, inflow in np.random.default_rng(7).exponential(1.0, (500, 2)):
        assert net_outflow(outflow, inflow) == pytest.approx(outflow - min(inflow, 0.75 * outflow))


def test_caps_by_hand():
    """L1 100, L2A 100 and L2B 60 before haircuts: level 2 is cut to two fifths."""
    assets = hqla(100, 100 * (1 - 0.15), 60 * (1 - 0.5))
    assert assets == pytest.approx(100 / 0.6)
    assert assets / net_outflow(200, 190) == pytest.approx(3.3333, abs=1e-4)


def test_stable_funding_by_hand():
    available = weighted(
        {"capital": 100, "year_or_more": 200, "half_year_to_year": 150, "financial_under_half_year": 250}, ASF
    )
    assets = {"cash": 20, "level1": 30, "loans_under_year": 400, "loans_year_or_more": 120, "other": 15, "undrawn": 500}
    required = weighted(assets, RSF)
    assert (available, required) == (375, 343.5)
    assert available / required == pytest.approx(1.0917, abs=1e-4)


def test_residual_maturity_is_read_at_its_ends():
    assert [by_residual(days, 1, 2, 3) for days in (0, 181, 182, 364, 365, float("inf"))] == [1, 1, 2, 2, 3, 3]
