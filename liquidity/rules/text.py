"""Numbers as a reader of the treasury writes them, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from liquidity.rules.base import Lang


def percent(share: float) -> str:
    """0.4879 as `48.79%`."""
    return f"{share * 100:.4f}".rstrip("0").rstrip(".") + "%"


def number(amount: float) -> str:
    """A plain number with thousands marked and no empty decimals."""
    return f"{amount:,.4f}".rstrip("0").rstrip(".")


def money(amount: float, lang: Lang) -> str:
    """An amount in CNY: `CNY 2,600m`, `26亿元`."""
    if lang == "zh":
        for size, word in ((1e8, "亿元"), (1e4, "万元")):
            if abs(amount) >= size:
                return number(amount / size) + word
        return number(amount) + "元"
    return f"CNY {number(amount / 1e6)}m" if abs(amount) >= 1e6 else f"CNY {number(amount)}"


def join(parts: Iterable[str], lang: Lang) -> str:
    """Several parts as one list."""
    return ("、" if lang == "zh" else ", ").join(parts)


def pairs(values: Mapping[str, float], lang: Lang) -> str:
    """Shares by name: `east 34%, west 27%`."""
    return join((f"{key} {percent(share)}" for key, share in values.items()), lang)


FIELDS_ZH = {
    "grade": "信用等级",
    "behaviour": "行为类型",
    "region": "地区",
    "product": "产品",
    "purpose": "用途",
    "tenor_months": "期限",
}


def field_zh(field: str) -> str:
    """A column of the segments in Chinese; the column itself where there is no usual word."""
    return FIELDS_ZH.get(field, field)


def plain(item: Any) -> str:
    """Any parameter as it stands on the page."""
    if item is None:
        return "-"
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, int | float):
        return f"{item:,}" if abs(item) >= 1000 else f"{item}"
    if isinstance(item, Mapping):
        return ", ".join(f"{key} {plain(part)}" for key, part in item.items()) or "-"
    if isinstance(item, list | tuple):
        return ", ".join(plain(part) for part in item) or "-"
    return str(item)


def deposits_en(lead: str, parts: Mapping[Any, float]) -> str:
    """Shares by class of deposit as the end of an English sentence; nothing where none is given."""
    told = [f"{percent(part)} of {name.replace('_', ' ')} ones" for name, part in parts.items()]
    return f"{lead} {join(told, 'en')}" if told else ""


def deposits_zh(lead: str, parts: Mapping[Any, float]) -> str:
    """The same in Chinese."""
    names = {"stable": "稳定存款", "less_stable": "欠稳定存款"}
    return lead + join((f"{names[name]}{percent(part)}" for name, part in parts.items()), "zh") if parts else ""
