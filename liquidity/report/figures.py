"""The figures of the page. Each answers one question; money is drawn in millions of the book's currency."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from liquidity.explain.words import Lang, money
from liquidity.report.flows import Link, node_name
from liquidity.report.numbers import Step
from liquidity.report.proofs import LEVELS

INK, MUTED, RULE = "#22303c", "#5b6b79", "#d9dfe4"
GREEN, GREY, RUST, BLUE, SAND = "#2f7d6d", "#8796a3", "#b4552d", "#33608c", "#c9b178"
STEP_COLOURS = {"freed": BLUE, "gate": GREY, "declined": RUST, "relent": GREEN}
STEP_NAMES = {
    "freed": ("Freed", "回款"),
    "gate": ("Stopped before the pool", "资金池前拦下"),
    "declined": ("Declined by the pool", "资金池未投放"),
    "relent": ("Relent", "再投放"),
}
LEVEL_COLOURS = {"green": GREEN, "amber": "#d39b2a", "binding": RUST, "gave_way": "#5e1f2c"}
RESERVE = ("Reserve that must be kept", "须保留的储备")
SOURCES = ["#7aa0c4", BLUE, GREEN, "#8fbfae", SAND, "#a67c52", GREY, "#5d5480", "#b8a9c9", "#3f4d59", RUST, "#e0b9a2"]
FONT = 'system-ui, "Segoe UI", "Helvetica Neue", Arial, "Noto Sans CJK SC", "PingFang SC", sans-serif'
MILLION = 1e6
LANGS: tuple[Lang, Lang] = ("en", "zh")
_LABEL_WIDTH = 44
_MOST_USE = 120.0  # % of a limit, beyond which a bar is cut so that the others stay legible
_SANKEY_HEIGHT, _PAD = 440, 22  # pixels


def waterfall(steps: Sequence[Step], currency: str) -> go.Figure:
    """From freed to relent: what each gate and each cause took away. `layout.meta` holds it in both languages."""
    places = np.arange(len(steps))[::-1]
    figure = go.Figure()
    starts = _starts(steps)
    kinds = {kind: [row for row, step in enumerate(steps) if step.kind == kind] for kind in STEP_NAMES}
    kinds = {kind: rows for kind, rows in kinds.items() if rows}
    texts = {lang: [_step_text(lang, step, steps[0].amount, currency) for step in steps] for lang in LANGS}
    for kind, rows in kinds.items():
        figure.add_bar(
            x=[abs(steps[row].amount) / MILLION for row in rows],
            base=[starts[row] / MILLION for row in rows],
            y=places[rows],
            marker_color=STEP_COLOURS[kind],
        )
    top = max(start + abs(step.amount) for start, step in zip(starts, steps)) / MILLION
    _bars(figure, [steps[0].en] * len(steps), 76 + 27 * len(steps))
    figure.update_xaxes(range=[0, top * 1.24 or 1], tickformat=",")
    _speak(
        figure,
        {
            lang: (
                {
                    "name": [STEP_NAMES[kind][place] for kind in kinds],
                    "text": [[texts[lang][row] for row in rows] for rows in kinds.values()],
                },
                {
                    "yaxis.ticktext": [(step.en, step.zh)[place] for step in steps],
                    "xaxis.title.text": _millions_of(lang, currency),
                },
            )
            for place, lang in enumerate(LANGS)
        },
    )
    return figure


def _starts(steps: Sequence[Step]) -> list[float]:
    """Left end of each bar, CNY: freed and relent stand on nothing, the steps between hang from what is left."""
    left, starts = steps[0].amount, []
    for step in steps:
        if step.kind in ("freed", "relent"):
            starts.append(0.0)
        else:
            starts.append(min(left, left - step.amount))
            left -= step.amount
    return starts


def _step_text(lang: Lang, step: Step, freed: float, currency: str) -> str:
    share = f" ({step.amount / freed:.1%})" if freed > 0 and step.kind != "freed" else ""
    favour = {"en": ", in favour", "zh": "，有利"}[lang] if step.kind != "relent" and step.amount < 0 else ""
    return f" {money(lang, step.amount, currency)}{share}{favour}"


def sankey(links: Sequence[Link], currency: str) -> go.Figure:
    """Freed money from groups of segments to what it was used for. `layout.meta` holds it in both languages."""
    nodes = list(dict.fromkeys(node for link in links for node in (link.source, link.target)))
    size = {node: max(_through(links, node)) for node in nodes}
    x, y = _places(nodes, size)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            valueformat=",.2f",
            valuesuffix=f" {currency} m",
            textfont={"color": INK, "size": 12},
            node={
                "color": [_node_colour(node) for node in nodes],
                "x": x,
                "y": y,
                "pad": _PAD,
                "thickness": 14,
                "line": {"width": 0},
            },
            link={
                "source": [nodes.index(link.source) for link in links],
                "target": [nodes.index(link.target) for link in links],
                "value": [link.amount / MILLION for link in links],
                "color": [_link_colour(link) for link in links],
            },
        )
    )
    _frame(figure, height=_SANKEY_HEIGHT)
    figure.update_layout(margin={"l": 4, "r": 4, "t": 12, "b": 16})
    names = {
        lang: [f"{node_name(node)[place]} · {money(lang, size[node], currency)}" for node in nodes]
        for place, lang in enumerate(LANGS)
    }
    _speak(figure, {lang: ({"node.label": [names[lang]]}, {}) for lang in LANGS})
    return figure


def _through(links: Sequence[Link], node: tuple[str, str]) -> tuple[float, float]:
    """What comes into a node and what leaves it, CNY."""
    into = sum(link.amount for link in links if link.target == node)
    return into, sum(link.amount for link in links if link.source == node)


def _places(nodes: Sequence[tuple[str, str]], size: dict[tuple[str, str], float]) -> tuple[list[float], list[float]]:
    """Centres of the nodes, 0..1: groups left, middles below the stream to the same borrowers, uses right."""
    same = ("middle", "same_borrowers")
    columns = {
        0.001: [node for node in nodes if node[0] == "group"],
        0.5: [node for node in nodes if node[0] == "middle" and node != same],
        0.999: [*(node for node in nodes if node == same), *(node for node in nodes if node[0] == "use")],
    }
    whole = max(sum(size[node] for node in column) for column in columns.values())
    gap = _PAD / (_SANKEY_HEIGHT - 28)
    scale = (1 - gap * (max(len(column) for column in columns.values()) - 1)) / whole
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for x, column in columns.items():
        top = 1 - sum(size[node] * scale for node in column) - gap * (len(column) - 1) if x == 0.5 else 0.0
        for node in column:
            found[node] = (x, min(max(top + size[node] * scale / 2, 0.001), 0.999))
            top += size[node] * scale + gap
    return [found[node][0] for node in nodes], [found[node][1] for node in nodes]


def _node_colour(node: tuple[str, str]) -> str:
    column, key = node
    if column == "group":
        return "#52616e"
    if column == "middle":
        return {"same_borrowers": GREEN, "other_borrowers": BLUE}.get(key, RUST)
    return BLUE if key in ("new_borrowers", "other_segments") else RUST


def _link_colour(link: Link) -> str:
    key = link.target[1] if link.target[0] == "middle" else link.source[1]
    rgb = {"same_borrowers": "47,125,109", "other_borrowers": "51,96,140"}.get(key, "180,85,45")
    return f"rgba({rgb},0.28)"


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
    _bars(figure, [_short(name) for name in names], 84 + 26 * len(rows))
    figure.add_scatter(
        x=shown.clip(lower=100) + 2,
        y=height,
        mode="text",
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_xaxes(range=[0, 190], tickvals=[0, 25, 50, 75, 100], ticksuffix="%")
    figure.add_vline(x=100, line={"color": INK, "width": 1, "dash": "dot"})
    _speak(
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
    used, limit = amount_text(row["used"], row["unit"], lang), amount_text(row["limit"], row["unit"], lang)
    if lang == "en":
        more = f" (+{row['others']} more at the limit)" if row["others"] else ""
        return f"{used}, at least {limit}{more}" if row["floor"] else f"{used} of {limit}{more}"
    more = f"（另有{row['others']}处触限）" if row["others"] else ""
    return f"{used}，最低{limit}{more}" if row["floor"] else f"{used} / {limit}{more}"


def steps_in_time(starts: Sequence[str]) -> list[str]:
    """Dates of the levels before, between and after the periods: each start, and the end (last length repeated)."""
    days = [datetime.date.fromisoformat(start) for start in starts]
    length = days[-1] - days[-2] if len(days) > 1 else datetime.timedelta(days=1)
    return [day.isoformat() for day in (*days, days[-1] + length)]


def levels(table: pd.DataFrame, name: str) -> tuple[list[str], pd.DataFrame]:
    """Opening of the first period and closing of each, CNY: dates, and (place, date) with the largest places first."""
    table = table.assign(period=table["period"].astype(str).str[:10])
    closing = table.pivot_table(index=name, columns="period", values="closing", aggfunc="sum", fill_value=0.0)
    starts = list(closing.columns)
    opening = table[table["period"] == starts[0]].groupby(name)["opening"].sum().reindex(closing.index, fill_value=0.0)
    whole = pd.concat([opening, closing], axis=1)
    return steps_in_time(starts), whole.loc[whole.mean(axis=1).sort_values(ascending=False, kind="stable").index]


def stacked(
    table: pd.DataFrame, name: str, currency: str, first: str = "", reserve: pd.DataFrame | None = None
) -> go.Figure:
    """Levels over the horizon as stacked areas; `first` names the place that lies at the bottom.

    `reserve`: rows of limits whose `limit` is the least cash at the end of each period, drawn as a line.
    """
    days, whole = levels(table, name)
    whole = whole[(whole.abs() >= 0.005).any(axis=1)]
    figure = go.Figure()
    for number, place in enumerate(sorted(whole.index, key=lambda place: place != first)):
        colour = SOURCES[number % len(SOURCES)]
        figure.add_scatter(
            x=days,
            y=whole.loc[place].to_numpy() / MILLION,
            name=_short(str(place), 28),
            stackgroup="all",
            mode="lines",
            line={"shape": "hv", "width": 0.6, "color": colour},
            fillcolor=colour,
        )
    if reserve is not None and len(reserve):
        _add_reserve(figure, reserve)
    figure.update_traces(hovertemplate="%{y:,.2f} " + currency + " m")
    _frame(figure, height=380)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(type="date")
    figure.update_yaxes(rangemode="tozero", tickformat=",")
    names = [trace.name for trace in figure.data]
    _speak(
        figure,
        {
            lang: (
                {"name": [RESERVE[place] if each == RESERVE[0] else each for each in names]},
                {"yaxis.title.text": _millions_of(lang, currency)},
            )
            for place, lang in enumerate(LANGS)
        },
    )
    return figure


def _add_reserve(figure: go.Figure, reserve: pd.DataFrame) -> None:
    period = reserve["period"].astype(str).str[:10]
    needed = reserve.groupby(period)["limit"].max().sort_index()
    figure.add_scatter(
        x=steps_in_time(list(needed.index))[1:],
        y=needed.to_numpy() / MILLION,
        name=RESERVE[0],
        mode="lines",
        line={"shape": "hv", "width": 2, "color": INK, "dash": "dash"},
    )


def _short(text: str, width: int = _LABEL_WIDTH) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def _millions_of(lang: Lang, currency: str) -> str:
    if lang == "en":
        return f"{currency} m"
    return "百万元" if currency == "CNY" else f"百万 {currency}"


def _speak(figure: go.Figure, updates: dict[Lang, tuple[dict[str, Any], dict[str, Any]]]) -> None:
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


def _bars(figure: go.Figure, labels: Sequence[str], height: int) -> None:
    """Horizontal bars, the first label on top, with the text at their right ends."""
    count = len(labels)
    figure.update_traces(orientation="h", textposition="outside", cliponaxis=False, hoverinfo="text", width=0.66)
    _frame(figure, height)
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(
        tickvals=list(range(count - 1, -1, -1)),
        ticktext=list(labels),
        range=[-0.6, count - 0.4],
        showgrid=False,
        zeroline=False,
        ticklabelstandoff=6,
    )


def _frame(figure: go.Figure, height: int) -> None:
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
