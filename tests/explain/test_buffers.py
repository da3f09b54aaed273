"""Buffers by tier: they add up to what is held, and their price is what a smaller reserve would bring."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from liquidity import Night, allocate
from liquidity.explain.buffers import TIERS
from liquidity.report.buffers import NAMES, USES, compact
from tests.test_planted import book, calm, rulebook

SHORT = ("3 x 1 day", "1 x 1 month")


@lru_cache
def tight(amount: float) -> Night:
    """The calm lender with a reserve that binds: its cash is 500m, its liquid assets 300m."""
    rules = rulebook().model_copy(update={"horizon": SHORT}).edit("cash_reserve", amount=amount)
    return allocate(book(), rules)


def tier(night: Night, name: str):
    return night.tables["buffers"].query("tier == @name").set_index("period")


def test_cash_is_operating_cash_and_reserve():
    for night in (calm(), tight(750e6)):
        held = tier(night, "operating_cash").held + tier(night, "reserve").held
        np.testing.assert_allclose(held, night.plan.cash.to_pandas(), atol=0.02)
        table = night.tables["buffers"]
        assert list(table.tier.unique()) == list(TIERS)
        assert (table.held >= 0).all()
        assert (table.held >= table.required).all()


def test_what_the_reserve_holds_is_what_the_rule_asks_beside_liquid_assets():
    """750m are asked for: 300m of liquid assets count first, so that 450m of cash are held."""
    night = tight(750e6)
    assert tier(night, "hqla").required.to_numpy() == pytest.approx(300e6)
    assert tier(night, "reserve").required.to_numpy() == pytest.approx(450e6)


def test_holding_costs_the_mean_debt_less_what_the_tier_earns():
    night = tight(750e6)
    data = night.pool.inputs
    reserve, standby = tier(night, "reserve").iloc[0], tier(night, "standby").iloc[0]
    carry = float(data.ref_rate - data.cash_rate)
    assert reserve.cost_per_year == pytest.approx(carry * 450e6, abs=0.01)
    assert standby.cost_per_year == pytest.approx(0.003 * standby.held, abs=0.01)
    assert standby.use_rate == pytest.approx(0.050 - 0.003)
    assert tier(night, "hqla").cost_per_year.iloc[0] == pytest.approx(float(data.ref_rate) * 300e6, abs=0.01)


def test_the_price_is_what_a_smaller_reserve_brings():
    step = 1e5
    least, more = (tight(750e6 - part).solved.staged.first.objective for part in (0.0, step))
    unit = tight(750e6).pool.unit
    price = tier(tight(750e6), "reserve").price
    assert price.sum() > 0
    assert (more - least) * unit == pytest.approx(price.sum() * step, rel=1e-4)


def test_the_page_names_every_tier_in_both_languages():
    night = tight(750e6)
    rows = compact(night.tables["buffers"], night.pool.grid.labels[0])
    assert [row["order"] for row in rows] == [1, 2, 3, 4]
    assert set(NAMES) == set(USES) == set(TIERS)
    assert rows[1]["name"] == ("Reserve", "现金储备")
    assert compact(None, "2026-11-20") == []


def test_the_last_price_stands_for_more_than_its_period():
    table = tier(tight(750e6), "reserve")
    assert np.isnan(table.price_per_year.iloc[-1])
    assert table.price_per_year.iloc[0] == pytest.approx(table.price.iloc[0] * 365)
