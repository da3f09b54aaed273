"""Capital by each approach, planted in the calm lender, is the first reason; what is told adds up to the fen."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from liquidity import Night, allocate
from tests.test_planted import assert_adds_up, book, rulebook, tonight

RETAIL: dict[str, Any] = {"transactors": ("full",), "ccf": 0.1}
REVOLVING = ("card", "cobranded", "trust")
APPROACHES: dict[str, tuple[str, dict[str, Any]]] = {
    "standardised": ("capital", {"approach": "standardised", **RETAIL}),
    "irb": ("capital", {"approach": "irb", "qrre": REVOLVING, "floor": 0.5, **RETAIL}),
    "output floor": ("capital", {"approach": "irb", "qrre": REVOLVING, **RETAIL}),
    "leverage ratio": ("leverage_ratio", {}),
}
CAUSES = {"capital": "CAPITAL", "leverage_ratio": "LEVERAGE"}
STEP = {"capital": 0.2, "leverage_ratio": 0.1}
"Percentage points above what is used: part of the lending must go, and a plan is left."
each_approach = pytest.mark.parametrize("name", APPROACHES)


@lru_cache
def planted(name: str) -> Night:
    """The ratio a little above what the calm night has."""
    rule, values = APPROACHES[name]
    limits = tonight(allocate(book(), rulebook().edit(rule, **values)), "limits")
    used = float(limits[limits.rule == rule].used.min())
    return allocate(book(), rulebook().edit(rule, ratio=(used + STEP[rule]) / 100, **values))


@each_approach
def test_first_reason_names_capital(name: str) -> None:
    night, rule = planted(name), APPROACHES[name][0]
    assert night.exit_code == 0, night.gave_way
    reasons = tonight(night, "reasons")
    total = reasons.groupby("cause").amount.sum().sort_values(ascending=False)
    assert total.index[0] == CAUSES[rule]
    assert total.iloc[0] >= 0.5 * total.clip(lower=0).sum()
    hit = reasons.loc[reasons.amount.idxmax()]
    assert rule in hit["rule"].split("+")
    assert_adds_up(night)


@each_approach
def test_every_plant_proves_itself(name: str) -> None:
    checks = planted(name).checks
    assert checks["duality_gap"] <= 1e-8
    assert checks["price_identity"] <= 1e-9
    assert checks["amounts_gap"] <= 1e-9
    assert [checks[key] for key in ("ledger_fen", "uses_fen", "reasons_fen")] == [0, 0, 0]


def test_the_row_that_binds_is_the_one_meant() -> None:
    """Under the floor at 72.5% the standardised assets bind, under a low floor those by internal ratings."""
    used = {}
    for name in ("irb", "output floor"):
        limits = tonight(planted(name), "limits")
        found = limits[limits.rule == "capital"].used.tolist()
        used[name] = found[0] < found[1]
    assert used == {"irb": True, "output floor": False}
