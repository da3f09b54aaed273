"""Early amortisation in words: which trust, from when, which covenant it could not keep and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from liquidity.explain.words_money import Lang, money

MEASURES: dict[str, dict[Lang, str]] = {
    "excess_spread": {"en": "average excess spread a year", "zh": "年化平均超额利差"},
    "default_rate": {"en": "average default rate a year", "zh": "年化平均违约率"},
    "payment_rate": {"en": "average payment rate a month", "zh": "月均还款率"},
    "cover": {"en": "loans and cash", "zh": "资产池余额与现金之和"},
    "uninvested": {"en": "uninvested cash", "zh": "闲置现金"},
}
"What is measured, by the name of the rows; rows of a lender's own rule are told by their name."


def event_text(lang: Lang, event: Mapping[str, Any]) -> str:
    """One sentence for an event of a run record (`runs.events.told`)."""
    what, floor = str(event["what"]), event["used"] < event["limit"]
    said = MEASURES.get(what, {"en": what.replace("_", " "), "zh": what})[lang]
    used, limit = (in_unit(lang, event[name], event["unit"]) for name in ("used", "limit"))
    if lang == "zh":
        return (
            f"{event['facility']}自{event['from']}起提前摊还：{event['period']}起的一期内{said}为{used}，"
            f"{'低于' if floor else '超过'}约定的{limit}（规则{event['rule']}）。"
        )
    return (
        f"{event['facility']} amortises early from {event['from']}: in the period of {event['period']} its {said} is "
        f"{used}, against at {'least' if floor else 'most'} {limit} (rule {event['rule']})."
    )


def start_text(lang: Lang, facility: str, day: str) -> str:
    """That a trust amortises early, beside the rule that stops its purchases."""
    if lang == "zh":
        return f"{facility}因触发约定条件自{day}起提前摊还。"
    return f"{facility} amortises early from {day}, for a covenant could not be met."


def in_unit(lang: Lang, value: float, unit: str) -> str:
    """A measured value or its limit: percent with two decimals, a multiple, or money."""
    return f"{value:,.2f}{unit}" if unit in ("%", "x") else money(lang, value, unit)
