"""Levels over the horizon: funding by source, and cash with the reserve that must be kept."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from liquidity.report.canvas import BLUE, GREEN, GREY, INK, MILLION, RUST, SAND, frame, millions_of, short, speak
from liquidity.report.numbers import LANGS

RESERVE = ("Reserve that must be kept", "须保留的储备")
SOURCES = ["#7aa0c4", BLUE, GREEN, "#8fbfae", SAND, "#a67c52", GREY, "#5d5480", "#b8a9c9", "#3f4d59", RUST, "#e0b9a2"]


def steps_in_time(starts: Sequence[str]) -> list[str]:
    """Dates of the levels before, between and after the periods: each start, and the end (last length repeated)."""
    days = [datetime.date.fromisoformat(start) for start in starts]
    length = days[-1] - days[-2] if len(days) > 1 else datetime.timedelta(days=1)
    return [day.isoformat() for day in (*days, days[-1] + length)]


def shown_until(days: Sequence[str]) -> str:
    """A date a little after the last, up to which the last level is drawn: without it that level has no width."""
    first, last = (datetime.date.fromisoformat(day) for day in (days[0], days[-1]))
    return (last + max((last - first) / 60, datetime.timedelta(days=1))).isoformat()


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

    `reserve`: rows of limits of the cash reserve; what it asks of `first` at the end of each period is drawn as a line.
    """
    days, whole = levels(table, name)
    after = shown_until(days)
    whole = whole[(whole.abs() >= 0.005).any(axis=1)]
    figure = go.Figure()
    for number, place in enumerate(sorted(whole.index, key=lambda place: place != first)):
        colour = SOURCES[number % len(SOURCES)]
        figure.add_scatter(
            x=[*days, after],
            y=[*(whole.loc[place] / MILLION), whole.loc[place].iloc[-1] / MILLION],
            name=short(str(place), 28),
            stackgroup="all",
            mode="lines",
            line={"shape": "hv", "width": 0.6, "color": colour},
            fillcolor=colour,
        )
    if reserve is not None and len(reserve) and first in whole.index:
        _add_reserve(figure, needed(reserve, days, whole.T[first]))
    figure.update_traces(hovertemplate="%{y:,.2f} " + currency + " m")
    frame(figure, height=380)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(type="date")
    figure.update_yaxes(rangemode="tozero", tickformat=",")
    names = [trace.name for trace in figure.data]
    speak(
        figure,
        {
            lang: (
                {"name": [RESERVE[place] if each == RESERVE[0] else each for each in names]},
                {"yaxis.title.text": millions_of(lang, currency)},
            )
            for place, lang in enumerate(LANGS)
        },
    )
    return figure


def needed(reserve: pd.DataFrame, days: Sequence[str], held: pd.Series) -> pd.Series:
    """Least cash at the end of each period, CNY by date: what is held, less the room that the reserve leaves.

    `reserve`: rows of limits of cash reserves (their room counts yuan of cash); `days` the dates of `held`.
    """
    period = reserve["period"].astype(str).str[:10]
    room = (reserve["headroom_cny"] - reserve["shortfall"]).groupby(period).min()
    ends = dict(zip(days, zip(days[1:], held.to_numpy()[1:])))
    rows = {ends[start][0]: max(ends[start][1] - left, 0.0) for start, left in room.items() if start in ends}
    return pd.Series(rows, dtype=float).sort_index()


def _add_reserve(figure: go.Figure, least: pd.Series) -> None:
    figure.add_scatter(
        x=list(least.index),
        y=least.to_numpy() / MILLION,
        name=RESERVE[0],
        mode="lines",
        line={"shape": "hv", "width": 2, "color": INK, "dash": "dash"},
    )
