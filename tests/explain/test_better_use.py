"""Where tonight's money went where funding was short: adds up with uses, tells what it earns, never to a borrower."""

from __future__ import annotations

import math
import re
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from books import calm_book, calm_rules

from liquidity import Night, allocate
from liquidity.explain.better_use import debt_rates, lending_rates, money_used, repaid_tonight, with_better_use
from liquidity.explain.rounding import in_fen
from liquidity.explain.words_uses import Use, uses_text
from liquidity.runs.night import used_tonight

NIGHT = "2026-11-20"
USES = pd.DataFrame(
    [
        ("C", "treasury", "same_borrowers", "C", 10.01),
        ("C", "treasury", "other_segments", "B", 20.0),
        ("C", "treasury", "new_borrowers", "B", 60.0),
        ("C", "house", "new_borrowers", "C", 5.0),
        ("C", "treasury", "lines", "bank", 7.0),
        ("C", "treasury", "lines", "bond", 0.5),
        ("C", "house", "notes", "trust/senior", 3.0),
        ("C", "treasury", "costs", "other", 2.0),
        ("C", "treasury", "losses", "other", 1.0),
        ("C", "treasury", "buffers", "treasury", 4.0),
        ("C", "partner:p", "partner", "partner:p", 6.0),
    ],
    columns=["segment", "account", "use", "to", "amount"],
)
EARNED = pd.Series({("B", "returning"): 0.10, ("B", "new"): 0.06, ("C", "returning"): 0.2})
OWED = {"bank": 0.043, "bond": 0.03, "trust/senior": 0.032}


def used() -> pd.DataFrame:
    return money_used(USES, EARNED, OWED, ["bank", "trust/senior"])


def test_kinds_amounts_and_rates() -> None:
    table = used().set_index(["kind", "to"])
    assert table.amount.to_dict() == {
        ("costs", ""): 3.0, ("debt", "bank"): 7.0, ("debt", "trust/senior"): 3.0, ("interest", ""): 0.5,
        ("lent", "B"): 80.0, ("lent", "C"): 5.0, ("partner", ""): 6.0, ("reserve", ""): 4.0, ("same", ""): 10.01,
    }  # fmt: skip
    assert table.rate["lent", "B"] == pytest.approx((20 * 0.10 + 60 * 0.06) / 80)
    assert table.rate["debt", "bank"] == 0.043
    assert math.isnan(table.rate["lent", "C"])
    assert math.isnan(table.rate["costs", ""])


def sentence(lang: str, month: bool = False) -> str:
    rows = used()[["kind", "to", "amount", "rate"]].itertuples(index=False)
    return uses_text("zh" if lang == "zh" else "en", "C", [Use(*row) for row in rows], month)


def test_the_sentence_in_english_and_chinese() -> None:
    assert sentence("en") == (
        "Of the CNY 119 that came in tonight, followed in proportion from account to account, CNY 10 went back to the "
        "same borrowers; CNY 80 went to B, which earns 7.0% a year net of losses, costs and the return on cash; CNY 5 "
        "went to new borrowers of the same segment; CNY 7 repaid bank with its interest, which costs 4.3% a year; CNY "
        "3 repaid trust/senior with its interest, which costs 3.2% a year; CNY 0.50 paid interest; CNY 6 stayed with "
        "the partners as their share of joint loans; CNY 3 paid costs and other known outflows; CNY 4 was kept in "
        "reserve."
    )
    assert sentence("zh") == (
        "今晚回款119元的去向（按资金账户逐级、按比例追踪）：10元再投放给原借款人；80元投向B（年化净收益7.0%，已扣除"
        "预期损失、成本及闲置资金收益）；5元投向本客群新借款人；7元用于偿还bank本息（年利率4.3%）；3元用于偿还"
        "trust/senior本息（年利率3.2%）；0.50元用于支付利息；6元归合作机构（联合贷款中其出资部分的回款）；3元用于支付"
        "运营成本及其他已知支出；4元留作储备。"
    )
    assert sentence("en", month=True).startswith("Of tonight's money alone (CNY 119), ")
    assert sentence("zh", month=True).startswith("仅就今晚回款119元而言")


def test_many_receivers_are_told_together_with_their_mean() -> None:
    uses = [Use("lent", f"S{k}", 10e6 - k, 0.05 + 0.01 * k) for k in range(4)]
    uses += [Use("debt", f"bank_{k}", 1e6, 0.04 + 0.01 * k) for k in range(3)]
    text = uses_text("en", "C", uses, False)
    assert "CNY 20.0m went to 2 other segments, which earn 7.5% a year on average" in text
    assert "CNY 1.00m repaid 1 other debt, which costs 6.0% a year" in text
    text = uses_text("zh", "C", uses, False)
    assert "2,000万元投向其他2个客群（年化净收益平均7.5%）" in text
    assert "100万元用于偿还其他1笔债务本息（年利率6.0%）" in text


@lru_cache
def short() -> Night:
    """The calm lender with an outflow of more than all that it can draw."""
    book, rules = calm_book(), calm_rules()
    lines, house = book["lines"], book["facilities"].loc["warehouse_a"]
    room = float((lines.commitment - lines.drawn).drop("bond").sum() + house.commitment - house.drawn)
    row = {"date": book.as_of, "name": "tax", "amount": -room - 8e7, "account": "other"}
    rules = rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})
    return allocate(book.replace("flows", pd.DataFrame([row])), rules)


def test_the_amounts_are_those_of_the_uses_to_the_fen() -> None:
    uses, table = short().tables["uses"], used_tonight(short().pool, short().tables)
    fens = [pd.Series(in_fen(one.amount), index=one.segment).groupby(level=0).sum() for one in (uses, table)]
    assert fens[0].equals(fens[1])
    lent = uses[uses.use.isin(["other_segments", "new_borrowers"])]
    assert in_fen(table[table.kind == "lent"].amount).sum() == in_fen(lent.amount).sum()
    assert table[table.kind.isin(["lent", "debt", "same"])].rate.notna().all()


def test_rates_are_those_of_the_lane_and_of_the_debt() -> None:
    tables, book = short().tables, short().pool.book
    earned = lending_rates(tables["allocation"], tables["charges"])
    one = tables["allocation"].query("period == @NIGHT and borrower == 'returning' and amount > 0")
    one = one[~one.duplicated("segment", keep=False)].iloc[0]
    margin = tables["charges"].query(
        "segment == @one.segment and borrower == 'returning' and facility == @one.facility and item == 'margin'"
    )
    assert earned[one.segment, "returning"] == pytest.approx(margin.per_year.iloc[0], rel=1e-12)
    owed = debt_rates(short().pool.inputs)
    assert owed["bank_a"] == book["lines"].rate["bank_a"]
    assert owed["abs_2024a/senior"] == book["tranches"].coupon["abs_2024a", "senior"]
    assert owed["warehouse_a"] == book["facilities"].rate["warehouse_a"]
    repaid = repaid_tonight(tables["funding"], tables["tranches"], NIGHT)
    assert "abs_2024a/senior" in repaid
    assert "abs_2026a/senior" not in repaid


def test_reasons_of_funding_tell_it_to_the_treasury_only() -> None:
    reasons = short().tables["reasons"]
    told = reasons[(reasons.cause == "FUNDING") & (reasons.amount > 0)]
    assert set(told.period) == {NIGHT, "30d"}
    assert told.text_en.str.contains("followed in proportion").all()
    assert told.text_zh.str.contains("按资金账户逐级、按比例追踪").all()
    night = told.period == NIGHT
    assert told[night].text_en.str.contains("that came in tonight").all()
    assert told[~night].text_en.str.contains("Of tonight's money alone").all()
    others = reasons[~reasons.index.isin(told.index)]
    assert not others.text_en.str.contains("in proportion").any()
    for text in [*reasons.borrower_text_en, *reasons.borrower_text_zh]:
        assert not re.search(r"[0-9%]|proportion|比例|bank_|abs_", text)


def test_a_segment_that_freed_nothing_and_other_causes_stay_as_they_are() -> None:
    reasons = pd.DataFrame({"segment": ["C", "X", "C", "C"], "period": [NIGHT] * 4, "amount": [1.0, 1.0, 1.0, -1.0],
                            "cause": ["FUNDING", "FUNDING", "CAPITAL", "FUNDING"],
                            "text_en": ["a"] * 4, "text_zh": ["b"] * 4})  # fmt: skip
    out = with_better_use(reasons, used(), "CNY")
    assert out.text_en.iloc[0] == "a " + sentence("en")
    assert out.text_zh.iloc[0] == "b" + sentence("zh")
    assert out.text_en.iloc[1:].tolist() == ["a"] * 3
    assert np.array_equal(reasons.text_en, ["a"] * 4)
