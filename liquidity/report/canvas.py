"""What all figures share: colours, type, the frame, and how a figure speaks two languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from liquidity.explain.words import Lang

INK, MUTED, RULE = "#22303c", "#5b6b79", "#d9dfe4"
GREEN, GREY, RUST, BLUE, SAND = "#2f7d6d", "#8796a3", "#b4552d", "#33608c", "#c9b178"
AMBER, WINE = "#d39b2a", "#5e1f2c"
FONT = 'system-ui, "Segoe UI", "Helvetica Neue", Arial, "Noto Sans CJK SC", "PingFang SC", sans-serif'
MILLION = 1e6
Update = tuple[dict[str, Any], dict[str, Any]]


def short(text: str, width: int = 38) -> str:
    """A label that is cut where it would crowd the figure; the whole name is in the hover and in the tables."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def millions_of(lang: Lang, currency: str) -> str:
    """The unit of a money axis."""
    if lang == "en":
        return f"{currency} m"
    return "百万元" if currency == "CNY" else f"百万 {currency}"


def speak(figure: go.Figure, updates: dict[Lang, Update]) -> None:
    """Write the English into the figure, and what either language changes into `layout.meta`.

    An update is (of the traces, each value a list by trace; of the layout), as plotly.js takes it.
    """
    traces, layout = updates["en"]
    for key, values in traces.items():
        for trace, value in zip(figure.data, values):
            trace[key] = value
    for key, value in layout.items():
        figure.layout[key] = value
    figure.update_layout(meta={lang: list(update) for lang, update in updates.items()})


def bars(figure: go.Figure, labels: Sequence[str], height: int) -> None:
    """Horizontal bars, the first label on top, with the text at their right ends."""
    count = len(labels)
    figure.update_traces(orientation="h", cliponaxis=False, hoverinfo="text", width=0.66, insidetextanchor="end")
    frame(figure, height)
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(
        tickvals=list(range(count - 1, -1, -1)),
        ticktext=list(labels),
        range=[-0.6, count - 0.4],
        showgrid=False,
        zeroline=False,
        ticklabelstandoff=6,
    )


def frame(figure: go.Figure, height: int) -> None:
    """The sober frame that all figures share."""
    axis = {
        "gridcolor": RULE,
        "linecolor": RULE,
        "zerolinecolor": RULE,
        "automargin": True,
        "title": {"standoff": 8, "font": {"color": MUTED}},
    }
    figure.update_layout(
        template="none",
        height=height,
        font={"family": FONT, "size": 12, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 12, "t": 36, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
        xaxis=axis,
        yaxis=axis,
        dragmode=False,
        showlegend=len(figure.data) > 1,
        uniformtext={"minsize": 11, "mode": "show"},
    )
