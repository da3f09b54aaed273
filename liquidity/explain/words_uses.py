"""Where tonight's money went, in one sentence for the treasury: whom it was lent and paid to, and what that earns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from liquidity.explain.words_money import Lang, money, segment_name

MOST = {"lent": 2, "debt": 2}
"""Receivers told by name; the others are told together."""
AFTER: dict[Lang, str] = {
    "en": "net of losses, costs and the return on cash",
    "zh": "已扣除预期损失、成本及闲置资金收益",
}
OTHERS = {
    "interest": ("paid interest", "用于支付利息"),
    "partner": ("stayed with the partners as their share of joint loans", "归合作机构（联合贷款中其出资部分的回款）"),
    "costs": ("paid costs and other known outflows", "用于支付运营成本及其他已知支出"),
    "reserve": ("was kept in reserve", "留作储备"),
}
_EN, _ZH = 0, 1


@dataclass(frozen=True)
class Use:
    """One use of a segment's money tonight, as `better_use.money_used` makes it: CNY, rate 1/year."""

    kind: str
    to: str
    amount: float
    rate: float


def uses_text(lang: Lang, segment: str, uses: Sequence[Use], month: bool, currency: str = "CNY") -> str:
    """The sentence: what came in tonight and every use of it; what is told adds up to what came in.

    `segment`: whose money it is; `uses`: largest first within a kind. `month` says that the reason is about 30 days,
    so that these are tonight's figures only.
    """
    of = {kind: [use for use in uses if use.kind == kind] for kind in ("same", "lent", "debt", *OTHERS)}
    total = money(lang, sum(use.amount for use in uses), currency)
    lent = _lent(lang, segment, of["lent"], currency)
    says = [*_same(lang, of["same"], currency), *lent, *_debt(lang, of["debt"], currency)]
    for kind, words in OTHERS.items():
        if of[kind]:
            amount = money(lang, sum(use.amount for use in of[kind]), currency)
            says.append(f"{amount} {words[_EN]}" if lang == "en" else f"{amount}{words[_ZH]}")
    if lang == "zh":
        head = f"仅就今晚回款{total}而言" if month else f"今晚回款{total}的去向"
        return f"{head}（按资金账户逐级、按比例追踪）：{'；'.join(says)}。"
    head = f"Of tonight's money alone ({total})" if month else f"Of the {total} that came in tonight"
    return f"{head}, followed in proportion from account to account, {'; '.join(says)}."


def _same(lang: Lang, uses: Sequence[Use], currency: str) -> list[str]:
    amount = money(lang, sum(use.amount for use in uses), currency)
    if not uses:
        return []
    return [f"{amount} went back to the same borrowers" if lang == "en" else f"{amount}再投放给原借款人"]


def _lent(lang: Lang, segment: str, uses: Sequence[Use], currency: str) -> list[str]:
    """Lending to others: the largest by name with what it earns, the rest with its mean."""
    out, own = [], {"en": "new borrowers of the same segment", "zh": "本客群新借款人"}[lang]
    for place, use in enumerate(uses[: MOST["lent"]]):
        amount = money(lang, use.amount, currency)
        name, net = own if use.to == segment else segment_name(lang, use.to), place == 0
        earns = _earns(use.rate, net) if lang == "en" else _earns_zh(use.rate, net)
        out.append(f"{amount} went to {name}{earns}" if lang == "en" else f"{amount}投向{name}{earns}")
    return out + _rest(lang, uses[MOST["lent"] :], "lent", currency)


def _debt(lang: Lang, uses: Sequence[Use], currency: str) -> list[str]:
    """Debt that is repaid tonight: the largest by name with what it costs, the rest with its mean."""
    out = []
    for use in uses[: MOST["debt"]]:
        amount = money(lang, use.amount, currency)
        if lang == "en":
            out.append(f"{amount} repaid {use.to} with its interest, which costs {use.rate:.1%} a year")
        else:
            out.append(f"{amount}用于偿还{use.to}本息（年利率{use.rate:.1%}）")
    return out + _rest(lang, uses[MOST["debt"] :], "debt", currency)


def _earns(rate: float, net: bool) -> str:
    """What lending earns; nothing is said where it is not known. `net`: of what, said once in a sentence."""
    after = f" {AFTER['en']}" if net else ""
    return "" if math.isnan(rate) else f", which earns {rate:.1%} a year{after}"


def _earns_zh(rate: float, net: bool) -> str:
    after = f"，{AFTER['zh']}" if net else ""
    return "" if math.isnan(rate) else f"（年化净收益{rate:.1%}{after}）"


def _rest(lang: Lang, uses: Sequence[Use], kind: str, currency: str) -> list[str]:
    """The receivers that are not told by name, together."""
    if not uses:
        return []
    total, count = sum(use.amount for use in uses), len(uses)
    known = [use for use in uses if not math.isnan(use.rate)]
    mean = sum(use.amount * use.rate for use in known) / (sum(use.amount for use in known) or math.nan)
    amount, one = money(lang, total, currency), count == 1
    if lang == "zh":
        what, rate = ("投向其他{}个客群", "年化净收益") if kind == "lent" else ("用于偿还其他{}笔债务本息", "年利率")
        told = "" if math.isnan(mean) else f"（{rate}{'' if one else '平均'}{mean:.1%}）"
        return [f"{amount}{what.format(count)}{told}"]
    what, verb = ("went to {} other segment", "earn") if kind == "lent" else ("repaid {} other debt", "cost")
    each = f"{verb}s {mean:.1%} a year" if one else f"{verb} {mean:.1%} a year on average"
    told = "" if math.isnan(mean) else f", which {each}"
    return [f"{amount} {what.format(count)}{'' if one else 's'}{told}"]
