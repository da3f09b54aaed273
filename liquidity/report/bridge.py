"""The figure of a change: one bar per input, each from where the one before it ended, and the change in all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from liquidity.explain.words import Lang
from liquidity.report.canvas import BLUE, GREEN, MILLION, RUST, bars, millions_of, short, speak
from liquidity.report.changed import signed
from liquidity.report.numbers import LANGS

COLOURS = {"more": GREEN, "less": RUST, "all": BLUE}
NAMES: dict[str, dict[Lang, str]] = {
    "more": {"en": "More relent", "zh": "投放增加"}, "less": {"en": "Less relent", "zh": "投放减少"},
    "all": {"en": "Change in all", "zh": "合计变动"},
}  # fmt: skip
_ROOM = 0.35
"""Room for the text beside the bars, of their span."""


def bridge(names: Sequence[dict[Lang, str]], amounts: Sequence[float], currency: str) -> go.Figure:
    """The waterfall of a change. `amounts` (CNY) by input, `names` in both languages; their sum is the last bar."""
    total = float(sum(amounts))
    starts = [0.0, *np.cumsum(amounts)[:-1].tolist(), 0.0] if len(amounts) else [0.0]
    sizes, labels = [*amounts, total], [*names, NAMES["all"]]
    kinds = ["more" if size >= 0 else "less" for size in amounts] + ["all"]
    places = np.arange(len(sizes))[::-1]
    chosen = {kind: [row for row, each in enumerate(kinds) if each == kind] for kind in COLOURS}
    chosen = {kind: rows for kind, rows in chosen.items() if rows}
    figure = go.Figure()
    for kind, rows in chosen.items():
        figure.add_bar(
            base=[starts[row] / MILLION for row in rows],
            x=[sizes[row] / MILLION for row in rows],
            y=places[rows],
            marker_color=COLOURS[kind],
            textposition="outside",
        )
    bars(figure, [short(label["en"]) for label in labels], 84 + 30 * len(labels))
    ends = [0.0, *starts, *(start + size for start, size in zip(starts, sizes))]
    low, high = min(ends) / MILLION, max(ends) / MILLION
    room = _ROOM * (high - low) or 1.0
    figure.update_xaxes(range=[low - room, high + room], tickformat=",")
    updates = {}
    for lang in LANGS:
        texts = [[f" {signed(lang, sizes[row], currency)} " for row in rows] for rows in chosen.values()]
        updates[lang] = (
            {"name": [NAMES[kind][lang] for kind in chosen], "text": texts},
            {"yaxis.ticktext": [short(label[lang]) for label in labels],
             "xaxis.title.text": millions_of(lang, currency)},
        )  # fmt: skip
    speak(figure, updates)
    return figure
