"""What changed between two nights, in words: single fields by group of inputs, and the headline."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from liquidity.explain.words import Lang, money
from liquidity.explain.words_inputs import input_name

FEW = 3
NOTHING = "–"
_ROW: dict[Lang, tuple[str, str]] = {"en": ("new", "gone"), "zh": ("新增", "消失")}


def fields_told(fields: pd.DataFrame, lang: Lang, currency: str = "CNY") -> dict[str, list[str]]:
    """Lines by input: `lines bank_a commitment: CNY 5.35bn → CNY 5.31bn`; many rows of one field are told together.

    `fields` [input, table, row, field, before, after, unit] as `compare_fields` finds them.
    """
    out: dict[str, list[str]] = {}
    for (group, table, field), part in fields.groupby(["input", "table", "field"], sort=False):
        lines = out.setdefault(str(group), [])
        if len(part) <= FEW:
            lines += [one_told(row, lang, currency) for row in part.to_dict("records")]
        else:
            lines.append(many_told(str(table), str(field), part, lang, currency))
    return out


def one_told(row: dict[Any, Any], lang: Lang, currency: str) -> str:
    """One changed field."""
    name = " ".join(str(row[key]) for key in ("table", "row") if row[key])
    if row["field"] == "(row)":
        return f"{name}: {_ROW[lang][0 if row['after'] else 1]}"
    return f"{name} {row['field']}: {arrow(row['before'], row['after'], row['unit'], lang, currency)}"


def many_told(table: str, field: str, part: pd.DataFrame, lang: Lang, currency: str) -> str:
    """Many rows of one field: money together, other numbers by their mean, texts and rows by their count."""
    rows = f"{len(part)} rows" if lang == "en" else f"{len(part)}行"
    name = f"{table} {field}"
    if field == "(row)":
        counts = [int((part.after != "").sum()), int((part.after == "").sum())]
        said = [f"{count} {word}" for count, word in zip(counts, _ROW[lang]) if count]
        return f"{table}: {', '.join(said)}"
    sides = [pd.to_numeric(part[side], errors="coerce") for side in ("before", "after")]
    if all(side.isna().all() for side in sides):
        return f"{name}: {rows}"
    unit = str(part.unit.iloc[0])
    how, values = ("mean", [side.mean() for side in sides])
    if unit == "CNY":
        how, values = "together", [side.sum(min_count=1) for side in sides]
    word = {"mean": {"en": "mean", "zh": "平均"}, "together": {"en": "together", "zh": "合计"}}[how][lang]
    separator = ", " if lang == "en" else "，"
    return f"{name}: {rows}{separator}{word} {arrow(values[0], values[1], unit, lang, currency)}"


def arrow(before: Any, after: Any, unit: str, lang: Lang, currency: str) -> str:
    """A value before and after, to where the change shows."""
    texts = [value_text(value, unit, lang, currency) for value in (before, after)]
    if texts[0] == texts[1]:
        texts = [value_text(value, unit, lang, currency, exact=True) for value in (before, after)]
    return " → ".join(texts)


def value_text(value: Any, unit: str, lang: Lang, currency: str, exact: bool = False) -> str:
    """A value of the book or the rulebook with its unit; `exact` in full."""
    if not isinstance(value, int | float):
        return str(value) or NOTHING
    if math.isnan(value):
        return NOTHING
    head, _, per = unit.partition("/")
    tail = {"year": ("/年" if lang == "zh" else " a year"), "month": ("/月" if lang == "zh" else " a month"),
            "day": ("/日" if lang == "zh" else " a day")}.get(per, "")  # fmt: skip
    if head == "CNY":
        full = f"{value:,.2f}元" if lang == "zh" and currency == "CNY" else f"{currency} {value:,.2f}"
        return (full if exact else money(lang, value, currency)) + tail
    if head in ("share", "1"):
        return (f"{value * 100:.12g}%" if exact else f"{value:.2%}") + tail
    return f"{value:,.12g}{f' {unit}' if unit else ''}" if exact else f"{value:,.6g}{f' {unit}' if unit else ''}"


def signed(lang: Lang, amount: float, currency: str) -> str:
    """A change of money with its sign."""
    told = money(lang, amount, currency)
    if amount < 0.005:
        return told
    return told.replace(f"{currency} ", f"{currency} +", 1) if lang == "en" else f"+{told}"


def headline(before: float, after: float, totals: pd.DataFrame, days: tuple[str, str], currency: str,
             lang: Lang) -> list[str]:  # fmt: skip
    """What happened, in two or three sentences. `totals` [input, amount] largest first; `days` dates of the nights."""
    was, now, size = (money(lang, amount, currency) for amount in (before, after, abs(after - before)))
    more = after >= before
    if lang == "zh":
        first = f"{days[1]}再投放给原借款人{now}，{days[0]}为{was}，{'增加' if more else '减少'}{size}。"
    else:
        first = (f"On {days[1]} {now} is relent to the same borrowers, on {days[0]} {was}: {size} "
                 f"{'more' if more else 'less'}.")  # fmt: skip
    led = totals[totals.amount.abs() >= 0.005]
    if led.empty:
        return [first, "没有任何变动影响今晚的再投放。" if lang == "zh" else "Nothing that changed moved it."]
    name, amount = input_name(lang, str(led.input.iloc[0])), signed(lang, float(led.amount.iloc[0]), currency)
    if lang == "zh":
        return [first, f"影响最大的是“{name}”，归因{amount}。"]
    return [first, f"The largest part, {amount}, is attributed to: {name[0].lower()}{name[1:]}."]
