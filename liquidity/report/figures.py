"""The figures of bars: from freed to relent, and the limits by use. Money is drawn in millions of the currency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from liquidity.explain.words import Lang, money
from liquidity.report.canvas import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    INK,
    MILLION,
    RUST,
    WINE,
    bars,
    millions_of,
    short,
    speak,
)
from liquidity.report.numbers import LANGS, Step
from liquidity.report.proofs import LEVELS

STEP_COLOURS = {"freed": BLUE, "gate": GREY, "declined": RUST, "relent": GREEN}
STEP_NAMES = {
    "freed": ("Freed", "回款"),
    "gate": ("Stopped before the pool", "未申请或未通过前置检查"),
    "declined": ("Declined by the pool", "资金池未投放"),
    "relent": ("Relent", "再投放"),
}
LEVEL_COLOURS = {"green": GREEN, "amber": AMBER, "binding": RUST, "gave_way": WINE}
_ROOM = 0.4  # share of the width from which a bar's text goes inside it
_EQUAL = 1e-6  # of the limit: nearer than this, used and limit are one figure
_TICKS = [0, 25, 50, 75, 100]
_MOST_USE = 120.0  # % of a limit, beyond which a bar is cut so that the others stay legible


def waterfall(steps: Sequence[Step], currency: str) -> go.Figure:
    """From freed to relent: what each gate and each cause took away. `layout.meta` holds it in both languages."""
    places = np.arange(len(steps))[::-1]
    figure = go.Figure()
    spans = _spans(steps)
    kinds = {kind: [row for row, step in enumerate(steps) if step.kind == kind] for kind in STEP_NAMES}
    kinds = {kind: rows for kind, rows in kinds.items() if rows}
    texts = {lang: [_step_text(lang, step, steps[0].amount, currency) for step in steps] for lang in LANGS}
    top = max(max(span) for span in spans)
    for kind, rows in kinds.items():
        figure.add_bar(
            base=[spans[row][0] / MILLION for row in rows],
            x=[(spans[row][1] - spans[row][0]) / MILLION for row in rows],
            y=places[rows],
            marker_color=STEP_COLOURS[kind],
            textposition=["inside" if abs(spans[row][1] - spans[row][0]) > _ROOM * top else "outside" for row in rows],
        )
    bars(figure, [step.en for step in steps], 76 + 27 * len(steps))
    figure.update_xaxes(range=[0, top / MILLION * 1.02 or 1], tickformat=",")
    speak(
        figure,
        {
            lang: (
                {
                    "name": [STEP_NAMES[kind][place] for kind in kinds],
                    "text": [[texts[lang][row] for row in rows] for rows in kinds.values()],
                },
                {
                    "yaxis.ticktext": [(step.en, step.zh)[place] for step in steps],
                    "xaxis.title.text": millions_of(lang, currency),
                },
            )
            for place, lang in enumerate(LANGS)
        },
    )
    return figure


def _spans(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """Each bar from and to, CNY: freed and relent stand on nothing, the steps between hang from what is left.

    The text stands where a bar ends, so a step is drawn towards the side that has the room for it.
    """
    left, spans = steps[0].amount, []
    for step in steps:
        if step.kind in ("freed", "relent"):
            spans.append((0.0, step.amount))
            continue
        low, high = sorted((left - step.amount, left))
        left -= step.amount
        spans.append((high, low) if low > steps[0].amount - high else (low, high))
    return spans


def _step_text(lang: Lang, step: Step, freed: float, currency: str) -> str:
    share = f" ({step.amount / freed:z.1%})" if freed > 0 and step.kind != "freed" else ""
    favour = {"en": ", in favour", "zh": "，有利"}[lang] if step.kind != "relent" and step.amount < 0 else ""
    return f" {money(lang, step.amount, currency)}{share}{favour} "


def limits(rows: pd.DataFrame, count: int = 20) -> go.Figure:
    """How much of each limit is used tonight, by level; `rows` as `proofs.limit_use`."""
    rows = rows.head(count).reset_index(drop=True)
    figure = go.Figure()
    shown = (rows["use"] * 100).clip(upper=_MOST_USE)
    names = [place_name(rule, at) for rule, at in zip(rows["rule"], rows["at"])]
    height = np.arange(len(rows))[::-1]
    places = {level: list(rows.index[rows["level"] == level]) for level in LEVELS}
    places = {level: chosen for level, chosen in places.items() if chosen}
    for level, chosen in places.items():
        hover = [names[row] for row in chosen]
        figure.add_bar(x=shown[chosen], y=height[chosen], marker_color=LEVEL_COLOURS[level], hovertext=hover)
    bars(figure, [short(name) for name in names], 84 + 26 * len(rows))
    figure.add_scatter(
        x=shown.clip(lower=100) + 2,
        y=height,
        mode="text",
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_xaxes(range=[0, 200], tickvals=_TICKS, ticktext=[f"{tick}%" for tick in _TICKS])
    figure.add_vline(x=100, line={"color": INK, "width": 1, "dash": "dot"})
    speak(
        figure,
        {
            lang: (
                {
                    "name": [*(LEVELS[level][place] for level in places), ""],
                    "text": [*(None for _ in places), [_limit_text(lang, row) for _, row in rows.iterrows()]],
                },
                {"xaxis.title.text": ("% of the limit used", "限额使用率 %")[place]},
            )
            for place, lang in enumerate(LANGS)
        },
    )
    return figure


def place_name(rule: str, at: str) -> str:
    """A rule and where it is meant: `concentration_region, region=east`; the period is said elsewhere."""
    parts = [part for part in str(at).split(";") if part and not part.startswith("period=")]
    return ", ".join([rule, *parts])


def amount_text(value: float, unit: str, lang: Lang = "en") -> str:
    """A used amount or a limit in its own unit: money shortened, percent with its sign, else the unit beside it."""
    if len(unit) == 3 and unit.isalpha() and unit.isupper():
        return money(lang, value, unit)
    return f"{value:,.4g}{unit}" if unit in ("%", "x") else f"{value:,.4g} {unit}".rstrip()


def _limit_text(lang: Lang, row: pd.Series) -> str:
    more = f" (+{row['others']})" if row["others"] else ""
    used, limit, short = (amount_text(row[name], row["unit"], lang) for name in ("used", "limit", "shortfall"))
    if row["limit"] > 0 and abs(row["use"] - 1) < _EQUAL:
        return {"en": f"{used}, the limit", "zh": f"{used}，已达限额"}[lang] + more
    if row["limit"] > 0:
        signs = ("<", ">") if row["level"] == "gave_way" else ("≥", "≤")
        return f"{used} {signs[0] if row['floor'] else signs[1]} {limit}{more}"
    if row["level"] == "gave_way":
        return {"en": f"short by {short}", "zh": f"缺口{short}"}[lang] + more
    if row["limit"] == 0 and abs(row["used"]) < 0.005:
        return {"en": "closed", "zh": "已关闭"}[lang] + more
    return {"en": "no room left", "zh": "无剩余空间"}[lang] + more
