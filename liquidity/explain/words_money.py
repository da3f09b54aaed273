"""Money, segments and periods as a person writes them, in English and Chinese."""

from __future__ import annotations

import math
from typing import Literal

Lang = Literal["en", "zh"]

_EN_STEPS = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))
_ZH_STEPS = ((1e8, "亿"), (1e4, "万"))
_ZH_BEHAVIOUR = {"full": "全额还款", "partial": "部分还款", "minimum": "最低还款"}
_ZH_REGION = {
    "north": "华北",
    "northeast": "东北",
    "northwest": "西北",
    "east": "华东",
    "central": "华中",
    "south": "华南",
    "southwest": "西南",
    "west": "西部",
}


def money(lang: Lang, amount: float, currency: str = "CNY") -> str:
    """An amount with its unit, to three digits or more: `CNY 18.4m`, `1,840万元`. `amount` in units of `currency`.

    English counts in k, m, bn, tn; Chinese in 万 and 亿. Below CNY 1,000 (一万元) the amount is told to the yuan, below
    CNY 1 to the fen. Raises ValueError on a NaN.
    """
    if not math.isfinite(amount):
        raise ValueError(f"an amount to be told is {amount}")
    digits, step = _scaled(abs(amount), _EN_STEPS if lang == "en" else _ZH_STEPS, lang)
    sign = "-" if amount < 0 and digits.strip("0.,") else ""
    if lang == "en":
        return f"{currency} {sign}{digits}{step}"
    unit = "元" if currency == "CNY" else f" {currency}"
    return f"{sign}{digits}{step}{unit}"


def _scaled(size: float, steps: tuple[tuple[float, str], ...], lang: Lang) -> tuple[str, str]:
    """Digits and step of an amount; a figure that rounds up to the next step is told in that step."""
    for factor, step in steps:
        if float(f"{size / factor:.3g}") >= 1:
            return _digits(size / factor, lang), step
    return (f"{size:,.0f}" if size >= 1 or size < 0.005 else f"{size:.2f}"), ""


def _digits(scaled: float, lang: Lang) -> str:
    digits = f"{scaled:,.0f}" if scaled >= 99.95 else f"{scaled:.1f}" if scaled >= 9.995 else f"{scaled:.2f}"
    return digits.rstrip("0").rstrip(".") if "." in digits and lang == "zh" else digits


def segment_name(lang: Lang, segment: str) -> str:
    """A segment as it is spoken of: English keeps its name; Chinese says `C级华东全额还款客群` for `C-full-east`.

    A name that is not grade-behaviour-region in the known words is kept as it is.
    """
    if lang == "en":
        return segment
    parts = segment.split("-")
    if len(parts) == 3 and parts[1] in _ZH_BEHAVIOUR and parts[2] in _ZH_REGION:
        return f"{parts[0]}级{_ZH_REGION[parts[2]]}{_ZH_BEHAVIOUR[parts[1]]}客群"
    return segment


def period_name(lang: Lang, period: str) -> str:
    """`tonight`, `30d` (the first 30 days together) or an ISO date, as an adverb of time."""
    if period == "tonight":
        return "tonight" if lang == "en" else "今晚"
    if period == "30d":
        return "over the next 30 days" if lang == "en" else "未来30天"
    if lang == "en":
        return f"from {period}"
    return f"自{period}起"
