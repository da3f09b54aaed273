"""Causes, and the sentence a treasury analyst reads; the borrower's sentence is in `words_borrower`.

A cause is a **gate** (it stands before the pool: the borrowers did not ask, or a check did not let the request
through) or a **pool** cause (asked for, allowed by every gate, and the pool said no). The difference decides the
tone: what a gate stopped is a fact of the ledger, what the pool declined is *attributed to* a cause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from liquidity.explain.words_borrower import borrower_text
from liquidity.explain.words_money import Lang, money, period_name, segment_name

__all__ = [
    "CAUSES",
    "GATES",
    "ORIGINS",
    "POOL_CAUSES",
    "Cause",
    "Lang",
    "borrower_text",
    "label",
    "money",
    "period_name",
    "scope",
    "segment_name",
    "treasury_text",
]


@dataclass(frozen=True)
class Cause:
    """Why freed money was not lent again to the same borrowers.

    `code` as in every table; `en` a noun phrase that goes into a sentence; `zh` the Chinese term; `is_pool_cause`
    False for gates.
    """

    code: str
    en: str
    zh: str
    is_pool_cause: bool


_TABLE = (
    Cause("NOT_ASKED", "no request to borrow again", "未申请再借", False),
    Cause("SCORE_LOWERED", "a lower limit after re-scoring", "重评后额度下调", False),
    Cause("MODEL_CHANGED", "a change of the lender's own model or policy", "模型或策略调整", False),
    Cause("LIMIT_POLICY", "credit limit policy", "授信政策限制", False),
    Cause("SYSTEM_UNAVAILABLE", "systems that were not available", "系统暂不可用", False),
    Cause("FUNDING", "limited funding", "可用资金不足", True),
    Cause("LIQUIDITY_BUFFER", "liquidity reserve requirements", "流动性储备要求", True),
    Cause("CAPITAL", "capital requirements", "资本约束", True),
    Cause("LEVERAGE", "the cap on funding leverage", "融资杠杆上限", True),
    Cause("FACILITY_TERMS", "terms of the funding contracts", "融资合同条款限制", True),
    Cause("PARTNER", "limits of the partner institutions", "合作机构限额", True),
    Cause("CONCENTRATION", "concentration limits", "集中度限制", True),
    Cause("RISK_BUDGET", "the risk budget", "风险预算约束", True),
    Cause("PRICE_CAP", "the cap on the all-in price", "综合融资成本上限", True),
    Cause("STABILITY", "the limit on change from day to day", "单日调整幅度限制", True),
    Cause("PRIORITY", "arrangements that serve other groups first", "优先保障安排", True),
    Cause("INSTRUCTION", "an instruction by hand", "人工指令", True),
    Cause("UNPROFITABLE", "a return that does not cover its cost", "收益不足以覆盖成本", True),
)
CAUSES: dict[str, Cause] = {cause.code: cause for cause in _TABLE}
GATES: tuple[str, ...] = tuple(cause.code for cause in _TABLE if not cause.is_pool_cause)
POOL_CAUSES: tuple[str, ...] = tuple(cause.code for cause in _TABLE if cause.is_pool_cause)

# Who can change a rule.
ORIGINS: dict[str, dict[Lang, str]] = {
    "law": {"en": "law", "zh": "法律法规"},
    "contract": {"en": "contract", "zh": "合同"},
    "board": {"en": "board", "zh": "董事会"},
    "desk": {"en": "desk", "zh": "资金部门"},
}

# What is said where lifting a rule by itself changes nothing: it stops money, or it helps the segment.
_NOTHING: dict[Lang, tuple[str, str]] = {
    "en": (
        "Lifting this alone would release nothing: other rules stop the same money.",
        "Lifting this alone would change nothing for this segment.",
    ),
    "zh": ("仅解除此项不会释放资金：其他规则同时限制了同一笔资金。", "仅解除此项不会改变本客群的投放。"),
}


def label(lang: Lang, cause: str) -> str:
    """The cause as the name of a bar or a row: `Limited funding`, `可用资金不足`."""
    if lang == "zh":
        return CAUSES[cause].zh
    words = CAUSES[cause].en
    for article in ("a ", "an ", "the "):
        words = words.removeprefix(article)
    return words[0].upper() + words[1:]


def treasury_text(
    lang: Lang,
    segment: str,
    period_label: str,
    freed: float,
    cause: str,
    rule_words: str = "",
    origin: str = "",
    amount: float = 0.0,
    alone: float | None = None,
    currency: str = "CNY",
    partner: str = "",
    both: float = 0.0,
) -> str:
    """The reason as the treasury reads it: segment, period, money, cause, rule, who can change it, effect alone.

    `segment` a name or any label; `period_label` `tonight`, `30d` or an ISO date; `freed`, `amount`, `alone` CNY of
    that period. `partner` is the cause that stops the same money, `both` what lifting the two together releases where
    neither does alone. A negative `amount` is told as a rule that worked in the segment's favour; `alone` None or NaN
    is not told. `rule_words` and `origin` are empty for gates and UNPROFITABLE. Raises KeyError on an unknown cause or
    origin.
    """
    known = CAUSES[cause]
    declined = known.is_pool_cause or bool(rule_words)  # a rule of the program may stand for LIMIT_POLICY, a gate
    effect = 0.0 if alone is None or math.isnan(alone) else abs(alone)
    told = [money(lang, part, currency) for part in (freed, abs(amount), effect)]
    head = (_head_en if lang == "en" else _head_zh)(segment, period_label, known, amount < 0, declined, *told[:2])
    effect_told = _together(lang, partner, money(lang, both, currency)) or _alone(lang, alone, amount < 0, told[2])
    parts = [head, _rule(lang, rule_words, origin), effect_told if declined else ""]
    return (" " if lang == "en" else "").join(part for part in parts if part)


def scope(share_of_class_affected: float) -> str:
    """`class` where the same action hit all or substantially all (90%) of its class of segments, else `particular`.

    Source: Regulation B, 12 CFR 1002.2(c)(1)(ii): an action that affects all or substantially all of a class of the
    creditor's accounts is not adverse action against one of them. Raises ValueError outside 0..1.
    """
    if not 0 <= share_of_class_affected <= 1 + 1e-9:
        raise ValueError(f"the share of a class lies between 0 and 1, not at {share_of_class_affected}")
    return "class" if share_of_class_affected >= 0.9 else "particular"


def _head_en(segment: str, period: str, cause: Cause, helped: bool, declined: bool, freed: str, amount: str) -> str:
    past = period == "tonight"
    start = f"{segment} {'repaid' if past else 'repays'} {freed} {period_name('en', period)}"
    if helped:
        return (
            f"{start}. {label('en', cause.code)}: lifting this would have helped others; {amount} of what this segment "
            f"{'was' if past else 'is'} lent again is attributed to it."
        )
    not_lent = f"{amount} of it {'was' if past else 'is'} not lent again"
    return f"{start}; {not_lent}, attributed to {cause.en}." if declined else f"{start}; {not_lent}: {cause.en}."


def _head_zh(segment: str, period: str, cause: Cause, helped: bool, declined: bool, freed: str, amount: str) -> str:
    name = segment_name("zh", segment)
    start = f"{name}{period_name('zh', period)}{'' if period == 'tonight' else '预计'}回款{freed}"
    if helped:
        return f"{start}。{cause.zh}：解除此项会惠及其他客群；本客群再投放金额中的{amount}归因于此项。"
    if declined:
        return f"{start}，{amount}未再投放归因于{cause.zh}。"
    return f"{start}，其中{amount}未再投放，原因为{cause.zh}。"


def _rule(lang: Lang, rule_words: str, origin: str) -> str:
    words = rule_words.strip().rstrip(".。")
    if not words:
        return ""
    who = ORIGINS[origin][lang] if origin else ""
    if lang == "en":
        return f"Rule{f' ({who})' if who else ''}: {words}."
    return f"规则{f'（{who}）' if who else ''}：{words}。"


def _together(lang: Lang, partner: str, size: str) -> str:
    """That a rule and another stop the same money, where they do."""
    if not partner:
        return ""
    if lang == "en":
        return (
            f"Only together with {CAUSES[partner].en} would lifting this release {size}; alone neither does anything."
        )
    return f"仅与“{CAUSES[partner].zh}”一并解除才可释放{size}，单独解除任何一项均无效果。"


def _alone(lang: Lang, alone: float | None, helped: bool, size: str) -> str:
    """What lifting the rule by itself would do; `size` is the size of `alone`, told."""
    if alone is None or math.isnan(alone):
        return ""
    if abs(alone) < 0.005:
        return _NOTHING[lang][1 if helped else 0]
    if lang == "en":
        effect = f"release {size}" if alone > 0 else f"lend this segment {size} less"
        return f"Lifting this alone would {effect}."
    return f"仅解除此项可释放{size}。" if alone > 0 else f"仅解除此项会使本客群再投放减少{size}。"
