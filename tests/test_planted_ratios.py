"""Each ratio of the balance sheet, planted alone in the calm lender: the first reason names its cause and its rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from liquidity import Night, allocate
from liquidity.book import opening
from tests.plants import OWN, State, freed, held, left, new
from tests.test_planted import assert_adds_up, book, calm, every_line, rulebook, tonight
from tests.test_planted import freed as all_freed

SEGMENT, ROOM = "joint-east", 0.4
"The segment that can be lent in one place only, and the part of its freed money that a limit on it leaves."
SOME = 0.8
"Of what is freed tonight, kept back by a limit on liquid assets; new borrowers go without first."
DAYS = 30 / 365


def most_liquid(part: float = SOME) -> float:
    """Liquid assets, CNY: every line drawn, all lent again but a part of what was freed."""
    return every_line() + float(book().lender.hqla) + part * all_freed()


def undrawn() -> float:
    """Credit lines of the borrowers that are not drawn at the end of tonight, all lent that is asked for, CNY."""
    table = book()["segments"]
    owed = sum(left(s) + freed(s) + new(s) for s in held().index)
    return float((table["limit"] * table.borrowers).sum()) - owed


def coverage() -> State:
    rate = most_liquid() / undrawn()
    changed = rulebook().edit("liquidity_coverage", undrawn_rate=rate, inflow_share=0.0, early_runoff=0.0)
    return book(), changed, None


def survival() -> State:
    lines, lender = book()["lines"], book().lender
    drawn = lines.drawn.where(lines.kind == "bond", lines.commitment)
    costs = float((drawn * lines.rate).sum()) + lender.opex_per_year + lender.opex_rate * held().to_numpy().sum()
    rate = (most_liquid() - costs * DAYS) / undrawn()
    return book(), rulebook().edit("survival", undrawn_rate=rate, collected=0.0, called=0.0), None


def ratio() -> State:
    """Every line can be called: bank and standby drawn in full, and the bond."""
    lines = book()["lines"]
    due = float(lines.drawn.where(lines.kind == "bond", lines.commitment).sum())
    changed = rulebook().edit("liquidity_ratio", ratio=most_liquid(1.0) / due, undated_share=1.0, loan_share=0.0)
    return book(), changed, None


def own_npl() -> float:
    """The lender's share of the non-performing loans, CNY."""
    places = book()["facilities"]
    share = places.own_share.where(places.kind == "joint", 1.0)
    return float((book()["balances"].npl.unstack("facility").fillna(0.0) * share).to_numpy().sum())


def stable() -> State:
    """No debt counts and every own loan needs half: capital carries all but half of what is freed."""
    limits = tonight(calm(), "limits")
    used = limits[limits["rule"] == "capital"].iloc[0]
    weighted = used.headroom_cny / (used.used - used.limit) * 100
    capital, loans = used.used / 100 * weighted, weighted / 0.75
    given = 0.05 * float(book().lender.hqla) + max(opening(book()).other, 0.0) + own_npl()
    need = 0.5 * (loans - 0.5 * OWN * all_freed()) + given
    changed = rulebook().edit("stable_funding", ratio=capital / need, asf_long=0.0, rsf_encumbered_long=0.0)
    return book(), changed, None


def largest() -> State:
    """The segment is one borrower, at its limit with some room."""
    share = OWN * (left(SEGMENT) + ROOM * freed(SEGMENT)) / float(book().lender.net_assets)
    changed = rulebook().edit("large_exposure", borrower_share=share)
    return book().edit("segments", SEGMENT, largest_share=1.0), changed, None


def guarantor() -> State:
    """One guarantor stands for half of the segment."""
    share = 0.5 * OWN * (left(SEGMENT) + ROOM * freed(SEGMENT)) / float(book().lender.net_assets)
    changed = rulebook().edit("large_exposure", guarantor_share=share)
    return book().edit("segments", SEGMENT, guarantor="surety", guaranteed_share=0.5), changed, None


def guaranteed() -> State:
    """The segment is the only one with a guarantee, and the limit is what it holds of the book with some room."""
    own = held().mul(book()["facilities"].own_share.where(book()["facilities"].kind == "joint", 1.0)).to_numpy().sum()
    share = OWN * (left(SEGMENT) + ROOM * freed(SEGMENT)) / own
    return book().edit("segments", SEGMENT, guaranteed_share=0.5), rulebook().edit("guarantee_share", share=share), None


PLANTS: dict[str, tuple[str, str, Callable[[], State]]] = {
    "liquidity_coverage": ("LIQUIDITY_BUFFER", "liquidity_coverage", coverage),
    "survival": ("LIQUIDITY_BUFFER", "survival", survival),
    "liquidity_ratio": ("LIQUIDITY_BUFFER", "liquidity_ratio", ratio),
    "stable_funding": ("LIQUIDITY_BUFFER", "stable_funding", stable),
    "largest borrower": ("CONCENTRATION", "large_exposure", largest),
    "guarantor": ("CONCENTRATION", "large_exposure", guarantor),
    "guarantee_share": ("CONCENTRATION", "guarantee_share", guaranteed),
}


@lru_cache
def planted(name: str) -> Night:
    return allocate(*PLANTS[name][2]())


@pytest.mark.parametrize("name", PLANTS)
def test_first_reason_names_the_planted_rule(name: str) -> None:
    cause, rule, _ = PLANTS[name]
    night = planted(name)
    assert night.exit_code == 0, night.gave_way
    reasons = tonight(night, "reasons")
    total = reasons.groupby("cause").amount.sum().sort_values(ascending=False)
    assert total.index[0] == cause
    assert total.iloc[0] >= 0.5 * total.clip(lower=0).sum()
    assert total.iloc[0] > 1e5
    first = reasons.loc[reasons[reasons.cause == cause].amount.idxmax()]
    # a line kept undrawn stops the same money as a need for cash: they share it to the fen
    same = reasons[(reasons.segment == first.segment) & (reasons.amount > first.amount - 0.02)]
    assert rule in {name for names in same["rule"] for name in names.split("+")}
    assert_adds_up(night)


@pytest.mark.parametrize("name", ["largest borrower", "guarantor"])
def test_what_the_limit_on_a_counterparty_leaves_is_the_arithmetic(name: str) -> None:
    """Equity of the night moves the limit a little: 0.1% of what the segment owes."""
    ledger = tonight(planted(name), "ledger").set_index("segment").loc[SEGMENT]
    assert ledger.relent == pytest.approx(ROOM * freed(SEGMENT), abs=1e-3 * left(SEGMENT))


@pytest.mark.parametrize("name", PLANTS)
def test_every_plant_proves_itself(name: str) -> None:
    checks = planted(name).checks
    assert checks["primal_residual"] <= 1e-7
    assert checks["duality_gap"] <= 1e-8
    assert checks["price_identity"] <= 1e-9
    assert checks["amounts_gap"] <= 1e-9
