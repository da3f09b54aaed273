"""The inputs of a night by group, as a person names them: what may have changed since last night."""

from __future__ import annotations

from liquidity.explain.words_money import Lang

INPUTS: dict[str, dict[Lang, str]] = {
    "previous": {"en": "Last night's relending", "zh": "上一晚的再投放比例"},
    "gates": {"en": "Requests and gates", "zh": "申请与准入检查"},
    "model": {"en": "The lender's own model", "zh": "模型或策略版本"},
    "demand": {"en": "Demand of new borrowers", "zh": "新客需求"},
    "receipts": {"en": "Balances and receipts", "zh": "贷款余额与回款"},
    "borrowers": {"en": "Risk and macro figures of the segments", "zh": "客群风险与宏观参数"},
    "instructions": {"en": "Instructions by hand", "zh": "人工指令"},
    "rules": {"en": "Rules", "zh": "规则"},
    "funding": {"en": "Funding, its terms and the date", "zh": "资金来源、条款与日期"},
    "segment_new": {"en": "Segments that are new", "zh": "新增客群"},
    "segment_gone": {"en": "Segments that are gone", "zh": "消失的客群"},
    "unexplained": {"en": "Not explained: the runs solved again differ", "zh": "未解释：重新求解与原运行不一致"},
}
"""Names of the groups of inputs, and of the three lines that are no group, by code."""


def input_name(lang: Lang, code: str) -> str:
    """The name of a group; of several that could only be changed together, all their names.

    Raises KeyError on an unknown code.
    """
    together = {"en": " together with ", "zh": "，连同"}[lang]
    return together.join(INPUTS[part][lang] for part in code.split("+"))
