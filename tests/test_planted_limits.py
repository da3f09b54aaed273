"""The kinds of rule that no other file of plants has first, each planted in the calm lender; and that none is left."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from liquidity import Night, allocate
from liquidity.rules import KINDS
from tests import test_planted, test_planted_capital, test_planted_kinds, test_planted_ratios
from tests.plants import STOP, THIN, Plant, State, household
from tests.test_planted import assert_adds_up, book, freed, outflow, room, rulebook, tonight

OTHER = {"requests", "relend_floor"}
"Gates are planted in `test_planted`, the floor for good payers beside another floor in `test_planted_kinds`."
NEVER = {"pool_cover"}
"""What a trust holds must be lent or wait as cash. The rule can make a night dear and end a revolving period, but it
asks for more lending, so it declines nobody."""


def put(plant: Plant) -> State:
    return plant.put((book(), rulebook(), None))


def standby() -> State:
    """All of the standby line is kept, and the other lines do not reach."""
    lines = room("line_limit", "line=bank_a") + room("line_limit", "facility=warehouse_a")
    return outflow(lines + 0.9 * freed()), rulebook().edit("standby", keep=1.0), None


def advance() -> State:
    """A warehouse without a limit, and an outflow so large that only what the advance rate keeps back would help."""
    wide = outflow(4.825e9).edit("facilities", "warehouse_a", commitment=60e9, unused_fee=0.0)
    return wide, rulebook().edit("leverage_multiple", standardised_multiple=30.0), None


def frozen() -> State:
    """The trust buys no more; its cash may wait."""
    return book().edit("facilities", "abs_2026a", frozen=True), rulebook().edit("pool_cover", max_uninvested=1.0), None


PLANTS: dict[str, tuple[str, Callable[[], State]]] = {
    "partner_share": ("PARTNER", lambda: put(THIN)),
    "lending_stop": ("CONCENTRATION", lambda: put(STOP)),
    "household_cap": ("LIMIT_POLICY", lambda: put(household())),
    "standby": ("LIQUIDITY_BUFFER", standby),
    "advance_rate": ("FACILITY_TERMS", advance),
    "revolving_period": ("FACILITY_TERMS", frozen),
}


@lru_cache
def planted(kind: str) -> Night:
    return allocate(*PLANTS[kind][1]())


@pytest.mark.parametrize("kind", PLANTS)
def test_first_reason_names_the_planted_kind(kind: str) -> None:
    night, cause = planted(kind), PLANTS[kind][0]
    assert night.exit_code == 0, night.gave_way
    reasons = tonight(night, "reasons")
    total = reasons.groupby("cause").amount.sum().sort_values(ascending=False)
    assert total.index[0] == cause
    assert total.iloc[0] >= 0.5 * total.clip(lower=0).sum()
    first = reasons.loc[reasons[reasons.cause == cause].amount.idxmax()]
    # loans that no other place takes stop the same money as the limit: both are told, to the fen alike
    same = reasons[(reasons.segment == first.segment) & (reasons.amount > first.amount - 0.02)]
    assert kind in {name for names in same["rule"] for name in names.split("+")}
    assert_adds_up(night)


@pytest.mark.parametrize("kind", PLANTS)
def test_every_plant_proves_itself(kind: str) -> None:
    checks = planted(kind).checks
    assert checks["duality_gap"] <= 1e-8
    assert checks["price_identity"] <= 1e-9
    assert checks["amounts_gap"] <= 1e-9


def test_every_kind_is_planted() -> None:
    kinds = {rule.name: rule.kind for rule in rulebook().rules}
    names = {name for name, _ in test_planted.PLANTS.values() if name}
    names |= {rule for _, rule, _ in test_planted_ratios.PLANTS.values()}
    names |= {rule for rule, _ in test_planted_capital.APPROACHES.values()}
    found = {kinds[name] for name in names} | set(test_planted_kinds.PLANTS) | set(PLANTS) | OTHER
    assert found == set(KINDS) - NEVER
