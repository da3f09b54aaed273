"""Kinds of rule that share their cause with another kind: each planted in the calm lender, each the first reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from liquidity import Book, Night, Rulebook, allocate
from tests.plants import freed, served
from tests.test_planted import assert_adds_up, book, rulebook, tonight

Plant = tuple[Book, Rulebook]


def calm_floor() -> Rulebook:
    """The calm rulebook with a floor for good payers that is in nobody's way."""
    return rulebook().edit("relend_floor", share=0.01)


def late_defaults() -> Plant:
    """Loans that hardly earn and default often, in facilities that are open to all; nothing is written off."""
    risky = book().edit("segments", "C-full-west", pd=0.06, lgd=0.3, apr=0.09, apr_all_in=0.09)
    for facility in ("joint_a", "balance_sheet"):
        risky = risky.edit("eligibility", (facility, "product", "in"), value="card|cobranded|firm|trust")
    return risky, calm_floor().edit("npl_ratio", write_off_rate=0.0, share=0.01263)


def trust_share(share: float) -> Rulebook:
    """A pool of the trust that may hold hardly more of the trust-only loans than it holds."""
    limits = {"by": "product", "share": None, "shares": {"trust": share}, "facilities": ("abs_2026a",)}
    return rulebook().edit("excess_concentration", **limits)


PLANTS: dict[str, tuple[str, Callable[[], Plant]]] = {
    "npl_ratio": ("RISK_BUDGET", late_defaults),
    "provision_cover": ("RISK_BUDGET", lambda: (book(), calm_floor().edit("provision_cover", loan_share=0.009687))),
    "excess_concentration": ("FACILITY_TERMS", lambda: (book(), trust_share(0.0909))),
    "covenants": (
        "FACILITY_TERMS",
        lambda: (book(), calm_floor().edit("covenants", months=1, max_default_rate=0.009)),
    ),
}


@lru_cache
def planted(kind: str) -> Night:
    return allocate(*PLANTS[kind][1]())


@pytest.mark.parametrize("kind", PLANTS)
def test_first_reason_names_the_planted_kind(kind: str) -> None:
    night = planted(kind)
    assert night.exit_code == 0, night.gave_way
    reasons = tonight(night, "reasons")
    total = reasons.groupby("cause").amount.sum().sort_values(ascending=False)
    assert total.index[0] == PLANTS[kind][0]
    assert total.iloc[0] >= 0.5 * total.clip(lower=0).sum()
    first = reasons.loc[reasons.amount.idxmax()]
    same = reasons[(reasons.segment == first.segment) & (reasons.amount > first.amount - 0.02)]
    assert set(same.cause) == {PLANTS[kind][0]}
    # a segment that no other facility takes has the terms of the others beside it, in the same money
    assert kind in {name for names in same["rule"] for name in names.split("+")}
    assert same["rank"].min() == 1
    assert_adds_up(night)


def test_a_floor_for_good_payers_says_whose_turn_it_is() -> None:
    """The floor for firms stops twice what `joint-east` freed; with a floor of its own it is others that go without.

    What one floor gives the group it takes of the next, so both are told as PRIORITY, by rule.
    """
    state = served(missing=0.0, part=9.0).put((book(), rulebook(), None))
    before = tonight(allocate(*state), "ledger").set_index("segment").declined
    after = allocate(state[0], state[1].edit("relend_floor", by="product", groups=("cobranded",), share=1.0))
    declined = tonight(after, "ledger").set_index("segment").declined
    assert before["joint-east"] == pytest.approx(freed("joint-east"), abs=0.01)
    assert declined["joint-east"] == 0
    assert declined.sum() == pytest.approx(before.sum(), rel=1e-6)
    reasons = tonight(after, "reasons")
    assert set(reasons.cause) == {"PRIORITY"}
    other = reasons[(reasons["rule"] == "relend_floor") & (reasons.segment != "joint-east")]
    # it stands for half: the other half is the floor for firms, without which nobody would go short
    assert other.amount.sum() == pytest.approx(0.5 * freed("joint-east"), rel=1e-3)
    assert_adds_up(after)
