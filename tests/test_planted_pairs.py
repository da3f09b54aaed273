"""Two causes planted together in the calm lender: the first two reasons name them, in the amounts planted.

The amounts come from the book by the arithmetic of `plants` and the oracles here, never from the program. Three kinds
of plant: on one segment (its amount is what the limit takes of the segment's freed money), on the whole pool but felt
by `joint-east` alone, which earns least (deep enough it takes all of it), and on the whole pool in known money.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pandas as pd
import pytest

from liquidity import Night, allocate
from tests import test_planted
from tests.plants import (
    BUFFER,
    CAPITAL,
    DEAR,
    FROZEN,
    FUNDING,
    HOLD,
    JUMP,
    LEVERAGE,
    OWN,
    PRICE,
    REGION,
    RISK,
    STOP,
    TERMS,
    THIN,
    Plant,
    State,
    freed,
    gate,
    held,
    household,
    most_cash,
    new,
    pin,
    quota,
    served,
    too_east,
)
from tests.test_planted import GATES, assert_adds_up, book, rulebook, tonight

Amounts = dict[tuple[str, str], float]
"""Money by (cause, segment), CNY; segment "" is the total of a cause whose split over segments is a tie."""


# ---- oracles of pairs that act on each other


def sides(none: float, without_one: float, without_other: float) -> tuple[float, float]:
    """Shapley of two by hand, from what is declined with both, without the one, without the other; without both: 0."""
    one = ((none - without_one) + without_other) / 2
    return one, none - one


def added(one: Plant, other: Plant) -> Amounts:
    """Plants that do not touch each other."""
    return {(plant.cause, segment): money for plant in (one, other) for segment, money in plant.takes().items()}


def behind(first: Plant, second: Plant) -> Amounts:
    """A gate and a limit on one segment: the gate comes first, the limit takes what it has left to take."""
    (segment, gated), whole = next(iter(first.takes().items())), second.takes()
    return {(first.cause, segment): gated, (second.cause, segment): whole[segment] - gated}


def gates_in_turn(first: Plant, second: Plant) -> Amounts:
    """Two gates of one segment: the second stops its share of what the first let through."""
    ((segment, one),), ((_, two),) = first.takes().items(), second.takes().items()
    return {(first.cause, segment): one, (second.cause, segment): two * (1 - one / freed(segment))}


def same_money(one: Plant, other: Plant) -> Amounts:
    """Two limits on one segment: the tighter one takes what it takes, the looser one part of the same money."""
    ((segment, first),), ((_, second),) = one.takes().items(), other.takes().items()
    parts = sides(max(first, second), second, first)
    return {(one.cause, segment): parts[0], (other.cause, segment): parts[1]}


def gated_west(region: Plant, other: Plant) -> Amounts:
    """What a gate stops in the west makes the east too large a part."""
    ((segment, gated),) = other.takes().items()
    return {("CONCENTRATION", ""): too_east(missing_west=gated), (other.cause, segment): gated}


def gated_east(region: Plant, other: Plant) -> Amounts:
    """What a gate stops in the east the concentration limit need not stop."""
    ((segment, gated),) = other.takes().items()
    return {("CONCENTRATION", ""): too_east(missing_east=gated), (other.cause, segment): gated}


def limited_west(region: Plant, other: Plant) -> Amounts:
    """As a gate, but the limit and the concentration share what the east loses; a price cap stops new borrowers too."""
    ((segment, stopped),) = other.takes().items()
    gone = stopped + (new(segment) if other.cause == "PRICE_CAP" else 0.0)
    one, two = sides(too_east(missing_west=gone) + stopped, stopped, too_east())
    return {("CONCENTRATION", ""): one, (other.cause, ""): two}


# ---- a shortage in known money


TAIL = ("C-full-west", "B-partial-west", "B-full-east")
"The segments that earn most, in that order: a shortage reaches them last."
SOME = 0.5


def short() -> State:
    """An outflow that leaves money for the first two of `TAIL` and half of the third; a standby line kept to half.

    All of it is lent jointly, for there one yuan of the lender's lends the most.
    """
    first, second, third = TAIL
    lend = freed(first) + new(first) + freed(second) + new(second) + SOME * freed(third)
    keep = OWN * (SOME * freed(third) + new(second) + SOME * freed(second))
    row = {"date": book().as_of, "name": "tax", "amount": OWN * lend - most_cash(), "account": "other"}
    standby = float(book()["lines"].commitment["standby"])
    return book().replace("flows", pd.DataFrame([row])), rulebook().edit("standby", keep=keep / standby), None


def short_money() -> Amounts:
    """Without the standby rule the money reaches half into the third; with it, half into the second."""
    first, second, third = TAIL
    everyone = sum(map(freed, held().index))
    buffer = SOME * freed(second) + SOME * freed(third)
    return {
        ("FUNDING", ""): everyone - freed(first) - freed(second) - SOME * freed(third),
        ("LIQUIDITY_BUFFER", ""): buffer,
    }


# ---- the pairs

Oracle = Callable[[Plant, Plant], Amounts]
ASKED = gate("NOT_ASKED", "B-full-east", 0.5)
SCORE = gate("SCORE_LOWERED", "B-full-east", 0.6)
MODEL = gate("MODEL_CHANGED", "A-partial-west", 0.4)
POLICY = gate("LIMIT_POLICY", "B-partial-west", 0.7)
SYSTEM = gate("SYSTEM_UNAVAILABLE", "A-full-east", 0.5)
PAIRS: dict[str, tuple[Plant, Plant, Oracle]] = {
    # gate x gate
    "two gates of two segments": (ASKED, MODEL, added),
    "two gates of one segment": (ASKED, SCORE, gates_in_turn),
    "two systems": (POLICY, SYSTEM, added),
    # gate x pool, two segments
    "score and terms": (SCORE, TERMS, added),
    "model and instruction": (MODEL, HOLD, added),
    "policy of the lender and of the law": (POLICY, household(), added),
    "system and partner": (SYSTEM, quota(), added),
    "asked and stopped": (ASKED, STOP, added),
    "score and funding": (SCORE, FUNDING, added),
    "score and buffer": (SCORE, BUFFER, added),
    "model and leverage": (MODEL, LEVERAGE, added),
    "asked and served": (ASKED, served(missing=0.5 * freed("B-full-east")), added),
    "asked and risk": (ASKED, RISK, added),
    # gate x pool, one segment
    "asked and unprofitable": (ASKED, DEAR, behind),
    "asked and price": (gate("NOT_ASKED", "C-full-west", 0.5), PRICE, behind),
    "score and instruction": (gate("SCORE_LOWERED", "B-partial-west", 0.8), HOLD, behind),
    "model and change": (gate("MODEL_CHANGED", "A-full-east", 0.9), JUMP, behind),
    "policy and quota": (gate("LIMIT_POLICY", "joint-east", 0.9), quota(), behind),
    "gate of the west and region": (REGION, MODEL, gated_west),
    "gate of the east and region": (REGION, ASKED, gated_east),
    # pool x pool, two segments
    "price and terms": (PRICE, TERMS, added),
    "instruction and change": (HOLD, JUMP, added),
    "stop and partner share": (STOP, THIN, added),
    "unprofitable and frozen partner": (DEAR, FROZEN, added),
    "change and household": (JUMP, household(), added),
    "price and quota": (PRICE, quota(), added),
    "funding and terms": (FUNDING, TERMS, added),
    "buffer and price": (BUFFER, PRICE, added),
    "leverage and instruction": (LEVERAGE, HOLD, added),
    "capital and stop": (CAPITAL, STOP, added),
    "risk and terms": (RISK, TERMS, added),
    # pool x pool, the same money
    "two limits on one segment": (pin("A-full-east", 0.45), JUMP, same_money),
    "instruction and region": (REGION, HOLD, limited_west),
    "price and region": (REGION, PRICE, limited_west),
}


@lru_cache
def planted(name: str) -> Night:
    """The calm night with the pair in it."""
    state: State = (book(), rulebook(), None)
    for plant in PAIRS[name][:2]:
        state = plant.put(state)
    return allocate(*state)


def assert_told(night: Night, expected: Amounts) -> None:
    """The two causes are the first two, in their order, in total and where they hit; amounts within 1%."""
    assert night.exit_code == 0, night.gave_way
    assert_adds_up(night)
    reasons = tonight(night, "reasons")
    told = reasons.groupby(["segment", "cause"]).amount.sum()
    total = reasons.groupby("cause").amount.sum().sort_values(ascending=False)
    by_cause = pd.Series(expected).groupby(level=0).sum().sort_values(ascending=False)
    whole = {cause for cause, segment in expected if not segment}
    assert list(total.index[:2]) == list(by_cause.index)
    for (cause, segment), money in expected.items():
        assert (told[segment, cause] if segment else total[cause]) == pytest.approx(money, rel=0.01)
    for segment in {segment for _, segment in expected} - {""}:
        here = sorted((key for key in expected if key[1] == segment), key=lambda key: -expected[key])
        rows = reasons[(reasons.segment == segment) & ~reasons.cause.isin(whole)].sort_values("rank")
        assert list(rows.cause[: len(here)]) == [cause for cause, _ in here]


@pytest.mark.parametrize("name", PAIRS)
def test_both_causes_are_told_in_the_amounts_planted(name: str) -> None:
    one, other, oracle = PAIRS[name]
    night = planted(name)
    assert_told(night, oracle(one, other))
    reasons = tonight(night, "reasons")
    first = reasons[(reasons["rank"] == 1) & (reasons.amount > 0)]
    assert set(first.cause) <= {one.cause, other.cause}
    for plant in (one, other):
        rows = reasons[(reasons.cause == plant.cause) & (reasons.amount > 0)]
        assert rows["rule"].str.split("+").map(lambda names, rule=plant.rule: rule in names).any()


def test_a_shortage_and_a_reserve_are_told_in_known_money() -> None:
    night = allocate(*short())
    assert_told(night, short_money())
    used = tonight(night, "limits")
    lines = used[used["rule"].isin(["line_limit", "standby"]) & used.level.eq("binding")]
    assert {"line=bank_a", "line=standby", "facility=warehouse_a"} <= set(lines["at"])


def test_the_arithmetic_of_this_file_is_the_calm_night() -> None:
    """The oracles stand on it: what is freed, and that the calm lender lends all of it and all that new ones ask."""
    ledger = tonight(test_planted.calm(), "ledger").set_index("segment")
    lent = tonight(test_planted.calm(), "allocation")
    fresh = lent[lent.borrower == "new"].groupby("segment").amount.sum()
    assert book()["facilities"].own_share["joint_a"] == OWN
    for segment in held().index:
        assert ledger.freed[segment] == pytest.approx(freed(segment), abs=0.01)
        assert fresh[segment] == pytest.approx(new(segment), rel=0.01)


def test_every_cause_is_in_a_pair_and_there_are_pairs_of_every_kind() -> None:
    kinds = {tuple(sorted(plant.rule == "" and plant.cause in GATES for plant in pair[:2])) for pair in PAIRS.values()}
    assert kinds == {(True, True), (False, True), (False, False)}
    assert {plant.cause for pair in PAIRS.values() for plant in pair[:2]} == {*GATES, *test_planted.PLANTS}
    assert len(PAIRS) >= 20
