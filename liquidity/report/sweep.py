"""The page of a sweep: one file that opens without a network, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from plotly.offline import get_plotlyjs

from liquidity.explain.words import Lang, money
from liquidity.report.canvas import BLUE, MILLION, RUST, frame, millions_of, speak
from liquidity.report.html import decimals_of, template
from liquidity.report.numbers import LANGS

BANDS = ((0.05, 0.95, "rgba(51,96,140,0.16)"), (0.25, 0.75, "rgba(51,96,140,0.32)"))
"""Quantiles between which a band is drawn, and its colour; the middle is a line."""
WINDOWS = ("tonight", "30d")
PATHS: dict[Lang, str] = {"en": "paths", "zh": "路径数"}
MIDDLE: dict[Lang, str] = {"en": "middle", "zh": "中位数"}
AFTER = ("mean", "least", "expected_shortfall")
"""Figures of a change that are told after its quantiles."""
BAND: dict[Lang, str] = {"en": "{:.0%} to {:.0%} of the paths", "zh": "{:.0%}至{:.0%}分位"}


def write_sweep(record: Mapping[str, Any], result: xr.Dataset, target: Path) -> None:
    """Write the page to `target` (a file); record and result as `runs.sweep` makes them, CNY."""
    target.write_text(template("sweep.html").render(**_context(record, result)), encoding="utf-8")


def _context(record: Mapping[str, Any], result: xr.Dataset) -> dict[str, Any]:
    currency, figures = str(record["currency"]), record["figures"]
    solved = result.isel(scenario=np.flatnonzero(result.net_worth.notnull().values))
    drawn = drawings(solved, currency) if solved.sizes["scenario"] else {}
    largest = max((abs(amount) for amount in figures["change"].values()), default=0.0)
    rules = sorted(figures["rules"].items(), key=lambda item: (-item[1]["gave_way"], -item[1]["binding"], item[0]))
    return {
        "record": dict(record),
        "currency": currency,
        "decimals": decimals_of(largest * 10),
        "both": lambda amount: {lang: money(lang, amount, currency) for lang in LANGS},
        "change": in_order(figures["change"]),
        "shares": [(window, figures["share"][window]) for window in WINDOWS if window in figures["share"]],
        "rules": rules,
        "figures": {name: str(one.to_json()).replace("</", "<\\/") for name, one in drawn.items()},
        "plotly_js": get_plotlyjs(),
    }


def in_order(change: Mapping[str, float]) -> dict[str, float]:
    """Quantiles first, then mean, least and expected shortfall, whatever order a record was read in."""
    names = [*sorted(name for name in change if name not in AFTER), *(name for name in AFTER if name in change)]
    return {name: change[name] for name in names}


def drawings(solved: xr.Dataset, currency: str) -> dict[str, go.Figure]:
    """The figures of the page by name."""
    unit = {lang: millions_of(lang, currency) for lang in LANGS}
    return {
        "change": histogram(solved.change.values / MILLION, unit),
        "equity": fan([str(day) for day in solved.period.values], solved.equity.values / MILLION, unit),
    }


def histogram(change: np.ndarray, unit: dict[Lang, str]) -> go.Figure:
    """How many paths change net worth by how much; bins by Sturges' rule."""
    counts, edges = np.histogram(change, bins="sturges")
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1:] - edges[:-1]
    told = [f"{low:+,.2f} … {high:+,.2f}: {count}" for low, high, count in zip(edges, edges[1:], counts)]
    figure = go.Figure()
    figure.add_bar(x=middle.tolist(), y=counts.tolist(), width=(0.96 * width).tolist(), marker={"color": BLUE},
                   hovertext=told, hoverinfo="text")  # fmt: skip
    frame(figure, 320)
    figure.update_xaxes(tickformat="+,", zeroline=True)
    speak(figure, {lang: ({}, {"xaxis.title.text": unit[lang], "yaxis.title.text": PATHS[lang]}) for lang in LANGS})
    return figure


def fan(days: list[str], values: np.ndarray, unit: dict[Lang, str]) -> go.Figure:
    """Quantiles over the draws of a path by day, dims (draw, day)."""
    figure = go.Figure()
    names: dict[Lang, list[str]] = {lang: [] for lang in LANGS}
    for low, high, colour in BANDS:
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(x=days, y=np.quantile(values, low, axis=0).tolist(), showlegend=False, **edge)
        figure.add_scatter(
            x=days, y=np.quantile(values, high, axis=0).tolist(), fill="tonexty", fillcolor=colour, **edge
        )
        for lang in LANGS:
            names[lang] += ["", BAND[lang].format(low, high)]
    figure.add_scatter(x=days, y=np.median(values, axis=0).tolist(), mode="lines", line={"color": RUST, "width": 2})
    for lang in LANGS:
        names[lang].append(MIDDLE[lang])
    frame(figure, 340)
    figure.update_layout(showlegend=True)
    figure.update_yaxes(tickformat=",")
    figure.update_xaxes(type="date")
    speak(figure, {lang: ({"name": names[lang]}, {"yaxis.title.text": unit[lang]}) for lang in LANGS})
    return figure
