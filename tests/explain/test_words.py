"""Sentences: the causes are complete, the tone is right, and the guards hold for every cause."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquidity.explain.words import (
    CAUSES,
    GATES,
    ORIGINS,
    POOL_CAUSES,
    borrower_text,
    label,
    money,
    scope,
    segment_name,
    treasury_text,
)

TERMS = """NOT_ASKED 未申请再借 · SCORE_LOWERED 重评后额度下调 · MODEL_CHANGED 模型或策略调整 ·
LIMIT_POLICY 授信政策限制 · SYSTEM_UNAVAILABLE 系统暂不可用 · FUNDING 可用资金不足 ·
LIQUIDITY_BUFFER 流动性储备要求 · CAPITAL 资本约束 · LEVERAGE 融资杠杆上限 ·
FACILITY_TERMS 融资合同条款限制 · PARTNER 合作机构限额 · CONCENTRATION 集中度限制 ·
RISK_BUDGET 风险预算约束 · PRICE_CAP 综合融资成本上限 · STABILITY 单日调整幅度限制 ·
PRIORITY 优先保障安排 · INSTRUCTION 人工指令 · UNPROFITABLE 收益不足以覆盖成本"""
NOT_YOU = re.compile(r"not about you|与您的还款表现无关", re.IGNORECASE)
BLAME = re.compile(
    r"your (score|credit|record|history|risk|limit|income|default|account|payments?\b|behaviou?r)|because (of )?you"
    r"|you (have )?(not|failed|missed|defaulted|did|do)\b|overdue|\blate\b|missed|arrears"
    r"|您的?(信用|评分|记录|风险|额度|收入|账户)|[由因]于?您|您[未没]|逾期|违约|拖欠|信用不良|还款不",
    re.IGNORECASE,
)
FIGURE = re.compile(r"[0-9０-９%％]|[一二三四五六七八九十百千两]+[成万亿元]|CNY|RMB|[万亿]元")


def test_the_terms_are_the_agreed_ones() -> None:
    agreed = dict(pair.split() for pair in TERMS.split("·"))
    assert agreed == {code: cause.zh for code, cause in CAUSES.items()}
    assert set(GATES) == {"NOT_ASKED", "SCORE_LOWERED", "MODEL_CHANGED", "LIMIT_POLICY", "SYSTEM_UNAVAILABLE"}
    assert set(POOL_CAUSES) == set(CAUSES) - set(GATES)


@pytest.mark.parametrize(
    "text",
    [
        "We cannot lend because of your credit record.",
        "You have missed a payment.",
        "Your payments came late.",
        "Your limit was used up.",
        "由于您的还款记录，暂时无法放款。",
        "您的信用评分下降。",
        "您未按时还款。",
        "因您还款不及时，暂时无法放款。",
    ],
)
def test_the_guard_knows_blame_when_it_reads_it(text: str) -> None:
    assert BLAME.search(text)


@pytest.mark.parametrize("text", ["31.2% of 32%", "CNY 18.4m", "620万元", "两成额度", "三亿元"])
def test_the_guard_knows_a_figure_when_it_reads_it(text: str) -> None:
    assert FIGURE.search(text)


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("gates_open", [True, False])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_borrower_reads_no_figure_and_is_not_blamed_for_the_pool(lang: str, gates_open: bool, cause: str) -> None:
    text = borrower_text(lang, cause, gates_open)
    assert not FIGURE.search(text)
    assert not re.search(r"bank_|abs_|warehouse|tranche|senior|price of the pool", text)
    if cause in POOL_CAUSES:
        assert not BLAME.search(text)
    if cause == "MODEL_CHANGED":
        assert not re.search(r"score|overdue|late|missed|评分|逾期|违约|信用", text)
        assert re.search(r"change was ours|我们自身的调整", text)


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_not_about_you_only_where_every_gate_was_open(lang: str, cause: str) -> None:
    assert not NOT_YOU.search(borrower_text(lang, cause, gates_open=False))
    if cause in GATES:
        assert not NOT_YOU.search(borrower_text(lang, cause, gates_open=True))


@pytest.mark.parametrize(
    "cause", ["FUNDING", "LIQUIDITY_BUFFER", "CAPITAL", "LEVERAGE", "FACILITY_TERMS", "PARTNER", "CONCENTRATION"]
)
def test_not_about_you_is_said_where_it_is_true(cause: str) -> None:
    assert NOT_YOU.search(borrower_text("en", cause, gates_open=True))
    assert NOT_YOU.search(borrower_text("zh", cause, gates_open=True))


def test_the_tone_of_the_borrower_text() -> None:
    expected = "您的还款已入账。目前可出借资金有限，暂时无法放款，这与您的还款表现无关。"
    assert expected == borrower_text("zh", "FUNDING", gates_open=True)
    expected = "您的还款已入账。目前可出借资金有限，暂时无法放款。"
    assert expected == borrower_text("zh", "FUNDING", gates_open=False)
    expected = (
        "Your repayment has been received. The funds we have for lending are limited at present, so we cannot lend "
        "again for now. This is not about you or how you have repaid."
    )
    assert expected == borrower_text("en", "FUNDING", gates_open=True)


def test_the_tone_of_the_treasury_text() -> None:
    expected = "C级华东今晚回款1,840万元，620万元未再投放归因于可用资金不足。"
    assert expected == treasury_text("zh", "C级华东", "tonight", 18.4e6, "FUNDING", amount=6.2e6)
    text = treasury_text(
        "en",
        "C-full-east",
        "tonight",
        18.4e6,
        "FUNDING",
        "Lines are drawn up to their commitment.",
        "contract",
        6.2e6,
        2.1e6,
    )
    expected = (
        "C-full-east repaid CNY 18.4m tonight; CNY 6.20m of it was not lent again, attributed to limited funding. "
        "Rule (contract): Lines are drawn up to their commitment. Lifting this alone would release CNY 2.10m."
    )
    assert expected == text
    text = treasury_text(
        "zh", "C-full-east", "30d", 3.4e8, "CONCENTRATION", "单一地区占比不超过30%。", "board", 6.2e6, 0.0
    )
    expected = (
        "C级华东全额还款客群未来30天预计回款3.4亿元，620万元未再投放归因于集中度限制。"
        "规则（董事会）：单一地区占比不超过30%。仅解除此项不会释放资金：其他规则同时限制了同一笔资金。"
    )
    assert expected == text


def test_a_gate_is_a_fact_and_not_attributed() -> None:
    text = treasury_text("en", "A-full-east", "tonight", 10e6, "NOT_ASKED", amount=2e6, alone=float("nan"))
    expected = "A-full-east repaid CNY 10.0m tonight; CNY 2.00m of it was not lent again: no request to borrow again."
    assert expected == text
    household = treasury_text("en", "A", "tonight", 10e6, "LIMIT_POLICY", "No household owes more.", "law", 2e6, 1e6)
    assert "attributed to credit limit policy. Rule (law): No household owes more. Lifting this alone" in household
    assert "归因" not in treasury_text("zh", "A-full-east", "tonight", 10e6, "NOT_ASKED", amount=2e6)


@pytest.mark.parametrize("cause", POOL_CAUSES)
def test_a_negative_amount_would_have_helped_others(cause: str) -> None:
    text = treasury_text("en", "A-full-east", "30d", 10e6, cause, "Any rule.", "desk", -3e5, -1e5)
    assert "lifting this would have helped others; CNY 300k of what this segment is lent again is attributed" in text
    assert text.endswith("Lifting this alone would lend this segment CNY 100k less.")
    assert "not lent again" not in text
    text = treasury_text("zh", "A-full-east", "30d", 10e6, cause, "规则。", "desk", -3e5, 0.0)
    assert "解除此项会惠及其他客群；本客群再投放金额中的30万元归因于此项。" in text
    assert text.endswith("仅解除此项不会改变本客群的投放。")
    assert "stop the same money" not in treasury_text("en", "A", "30d", 10e6, cause, "Any.", "desk", -3e5, 0.0)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_sentence_and_a_label_in_both_languages(cause: str) -> None:
    for origin in ORIGINS:
        assert CAUSES[cause].en in treasury_text("en", "S", "2026-11-24", 1e6, cause, "Words", origin, 1e5, 1e4)
        assert CAUSES[cause].zh in treasury_text("zh", "S", "2026-11-24", 1e6, cause, "说明", origin, 1e5, 1e4)
    assert label("zh", cause) == CAUSES[cause].zh
    assert label("en", cause)[0].isupper()


@pytest.mark.parametrize(
    ("amount", "en", "zh"),
    [
        (18.4e6, "CNY 18.4m", "1,840万元"),
        (2.345e9, "CNY 2.35bn", "23.4亿元"),
        (123.4e9, "CNY 123bn", "1,234亿元"),
        (999_960, "CNY 1.00m", "100万元"),
        (999_400, "CNY 999k", "99.9万元"),
        (82_000, "CNY 82.0k", "8.2万元"),
        (820, "CNY 820", "820元"),
        (0.25, "CNY 0.25", "0.25元"),
        (0.0, "CNY 0", "0元"),
        (-3e5, "CNY -300k", "-30万元"),
        (-0.001, "CNY 0", "0元"),
        (99_999_999.0, "CNY 100m", "1亿元"),
        (5.5e12, "CNY 5.50tn", "55,000亿元"),
    ],
)
def test_money_has_a_unit(amount: float, en: str, zh: str) -> None:
    assert en == money("en", amount)
    assert zh == money("zh", amount)


@given(st.floats(-1e13, 1e13))
def test_money_is_close_to_the_amount(amount: float) -> None:
    steps = {"": 1, "k": 1e3, "m": 1e6, "bn": 1e9, "tn": 1e12, "元": 1, "万元": 1e4, "亿元": 1e8}
    for lang, pattern in (("en", r"CNY (-?[\d,.]+)(\w*)"), ("zh", r"(-?[\d,.]+)(万元|亿元|元)")):
        found = re.fullmatch(pattern, money(lang, amount))
        assert found
        told = float(found[1].replace(",", "")) * steps[found[2]]
        assert told == pytest.approx(amount, rel=0.0051, abs=0.5)


def test_other_currencies_and_refusals() -> None:
    assert money("en", 1.5e6, "EUR") == "EUR 1.50m"
    assert money("zh", 1.5e6, "EUR") == "150万 EUR"
    with pytest.raises(ValueError, match="nan"):
        money("en", float("nan"))
    with pytest.raises(KeyError):
        borrower_text("en", "WEATHER", gates_open=True)
    with pytest.raises(KeyError):
        treasury_text("en", "S", "tonight", 1.0, "FUNDING", "Words", "king", 1.0)


def test_segment_names() -> None:
    assert segment_name("zh", "C-minimum-southwest") == "C级西南最低还款客群"
    assert segment_name("zh", "students-2026") == "students-2026"
    assert segment_name("en", "C-full-east") == "C-full-east"


def test_scope() -> None:
    assert [scope(share) for share in (0.0, 0.89, 0.9, 1.0)] == ["particular", "particular", "class", "class"]
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError):
            scope(share)
