"""Reasons from ledgers and amounts: ranks that do not hang on a fen, scope, and what a borrower is never told."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from liquidity import Night, allocate
from liquidity.explain.amounts import Amounts
from liquidity.explain.ledger import COLUMNS
from liquidity.explain.reasons import GATE_CAUSES, Culprit, make_reasons
from liquidity.explain.words import GATES, POOL_CAUSES
from tests.books import random_book, random_rules
from tests.explain.test_words import BLAME, FIGURE, NOT_YOU
from tests.plants import JUMP, PRICE, TERMS, State, gate, quota
from tests.test_planted import book, rulebook, tonight

FREED = 1000.0
NOBODY: dict[str, Culprit] = {}


def reasons(parts: dict[str, list[float]], gates: dict[str, list[float]] | None = None, grade: str = "",
            culprits: dict[str, Culprit] = NOBODY) -> pd.DataFrame:  # fmt: skip
    """Tonight's reasons of segments a, b, ... that freed `FREED` each; `parts` of the pool by cause, CNY."""
    count = len(next(iter((gates or parts).values())))
    names = tuple("abcdefghijklmnopqrstuvwxyz"[:count])
    ledger = pd.DataFrame(0.0, pd.Index(names, name="segment"), list(COLUMNS))
    ledger["freed"] = FREED
    for column, stopped in (gates or {}).items():
        ledger[column] = stopped
    ledger["declined"] = sum(map(np.array, parts.values())) if parts else 0.0
    ledger["relent"] = ledger.freed - ledger.drop(columns=["freed", "relent"]).sum(axis=1)
    split = {cause: np.array([part, part]) for cause, part in parts.items()}
    declined = np.tile(ledger.declined.to_numpy(), (2, 1))
    amounts = Amounts(names, split, {}, declined, (), 0, 0) if parts else None
    return make_reasons({"2026-11-20": ledger}, amounts, 1.0, culprits, dict(zip(names, grade or names)))


@pytest.mark.parametrize("noise", [0.0, 0.01, -0.01])
def test_causes_that_take_the_same_keep_their_order_whatever_the_last_fen(noise):
    """Two rules that stop the same money have the same amount, up to what the solver leaves: a name decides."""
    told = reasons({"PARTNER": [200.0 + noise], "CAPITAL": [200.0 - noise], "FUNDING": [300.0], "LEVERAGE": [-50.0]})
    assert list(told.cause) == ["FUNDING", "CAPITAL", "PARTNER", "LEVERAGE"]
    assert list(told["rank"]) == [1, 2, 3, 4]


def test_a_part_that_helped_is_never_ranked_before_one_that_took():
    told = reasons({"PARTNER": [0.3], "CAPITAL": [-0.2], "FUNDING": [100.0]})
    assert list(told.cause) == ["FUNDING", "PARTNER", "CAPITAL"]


# ---- scope


@pytest.mark.parametrize(("hit", "size", "scope"), [(1, 1, "class"), (9, 10, "class"), (18, 20, "class"),
                                                    (8, 9, "particular"), (1, 2, "particular")])  # fmt: skip
def test_an_action_on_nine_tenths_of_a_grade_is_on_the_class(hit, size, scope):
    """By gate and by pool; segments of another grade are no part of the class."""
    stopped = [100.0] * hit + [0.0] * (size - hit)
    grade = "A" * size + "B"
    for told in (
        reasons({}, {"model_changed": [*stopped, 0.0]}, grade),
        reasons({"PARTNER": [*stopped, 0.0]}, {}, grade),
    ):
        assert len(told) == hit
        assert set(told.scope) == {scope}


def test_a_part_that_helps_is_no_action_on_the_class():
    told = reasons({"PARTNER": [100.0, -100.0], "FUNDING": [50.0, 200.0]}, grade="AA").set_index(["cause", "segment"])
    assert told.scope["PARTNER", "a"] == "particular"
    assert set(told.scope["FUNDING"]) == {"class"}


@lru_cache
def full_night() -> Night:
    """The calm night with many causes at once: one gate on every segment of grade B, others on some of a grade."""
    grade = book()["segments"].grade
    state: State = (book(), rulebook(), None)
    gates = [gate("MODEL_CHANGED", segment, 0.9) for segment in grade.index[grade == "B"]]
    for plant in (*gates, gate("SCORE_LOWERED", "A-partial-west", 0.5), PRICE, TERMS, JUMP, quota()):
        state = plant.put(state)
    return allocate(*state)


def test_scope_of_a_night():
    """Grade A has two segments, B five, C one."""
    told = tonight(full_night(), "reasons").set_index(["cause", "segment"]).scope
    grade = book()["segments"].grade
    assert set(told["MODEL_CHANGED"].index) == set(grade.index[grade == "B"])
    assert set(told["MODEL_CHANGED"]) == {"class"}
    assert told["PRICE_CAP"].to_dict() == {"C-full-west": "class"}
    assert told["SCORE_LOWERED"].to_dict() == {"A-partial-west": "particular"}
    assert told["STABILITY"].to_dict() == {"A-full-east": "particular"}
    assert told["FACILITY_TERMS"].to_dict() == {"trust-west": "particular"}
    assert told["PARTNER"].to_dict() == {"joint-east": "particular"}


# ---- what a borrower is told


POISON = "secret_rule holds bank_x at 31.2% of 32%"
TEXTS = ("borrower_text_en", "borrower_text_zh")


@pytest.mark.parametrize("about", [None, frozenset("a"), frozenset("b")])
@pytest.mark.parametrize("cause", POOL_CAUSES)
def test_a_pool_cause_is_never_told_as_the_borrowers_fault(cause, about):
    """Whatever stands behind the cause, and whether it names the segment or acts on it through the pool."""
    culprit = Culprit("secret_rule", "desk", dict.fromkeys(("en", "zh"), POISON), about)
    told = reasons({cause: [123.45]}, culprits={cause: culprit}).iloc[0]
    assert told["rule"] == "secret_rule"
    assert "secret_rule" in told.text_en
    for text in told[list(TEXTS)]:
        assert text
        assert not BLAME.search(text)
        assert not FIGURE.search(text)
        assert not re.search("secret|rule holds|bank_x|desk", text)


@pytest.mark.parametrize("column", GATE_CAUSES)
def test_a_gate_is_told_without_the_pool_even_where_a_rule_has_its_code(column):
    """A household cap carries the code of a gate; what the gate stopped is not told with that rule, nor as the pool."""
    cause = GATE_CAUSES[column]
    culprit = Culprit("secret_rule", "law", dict.fromkeys(("en", "zh"), POISON), frozenset("b"))
    told = reasons({"FUNDING": [50.0]}, {column: [123.45]}, culprits={cause: culprit}).set_index("cause")
    assert told["rule"][cause] == ""
    for text in told.loc[cause, list(TEXTS)]:
        assert not NOT_YOU.search(text)
        assert not FIGURE.search(text)
        assert not re.search("funds|资金|secret|bank_x", text)
    assert told.loc["FUNDING", list(TEXTS)].map(NOT_YOU.search).all()


def test_borrowers_hear_nothing_of_a_part_that_helped():
    told = reasons({"PARTNER": [300.0], "CAPITAL": [-100.0]}).set_index("cause")
    assert (told.loc["CAPITAL", list(TEXTS)] == "").all()
    assert (told.loc["PARTNER", list(TEXTS)] != "").all()


def made_up() -> Night:
    lender = random_book(8, 5, 0)
    rules = random_rules(lender, 0)
    return allocate(lender, rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})}))


@pytest.mark.parametrize("make", [full_night, made_up])
def test_no_name_and_no_figure_of_a_night_reaches_a_borrower(make):
    """Names with a sign in them, for `capital` and `region` are words; and every sentence of the rulebook."""
    night = make()
    told = night.tables["reasons"]
    of_book = [night.pool.book[name].index for name in ("segments", "facilities", "lines", "partners")]
    names = {str(name) for index in of_book for name in index} | {rule.name for rule in night.pool.rulebook.rules}
    names |= {rule.kind for rule in night.pool.rulebook.rules}
    coded = sorted(name for name in names if re.search(r"[-_]", name))
    assert len(coded) > 10
    sentences = [rule.words(lang) for rule in night.pool.rulebook.rules for lang in ("en", "zh")]
    texts = [text for column in TEXTS for text in told[column] if text]
    assert len(texts) >= 2 * (told.amount > 0).sum() > 0
    for text in texts:
        assert not FIGURE.search(text)
        assert not [name for name in [*coded, *sentences] if name in text]
    pool = told[~told.cause.isin(GATES)]
    assert len(pool)
    assert not [text for column in TEXTS for text in pool[column] if BLAME.search(text)]
    gates = told[told.cause.isin(GATES) & (told["rule"] == "")]
    assert len(gates)
    assert not [text for column in TEXTS for text in gates[column] if NOT_YOU.search(text)]
