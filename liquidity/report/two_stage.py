"""The page of one decision for many scenarios: one file that opens without a network, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from liquidity.explain.words import Lang, money
from liquidity.report.canvas import BLUE, MILLION, RUST, frame, millions_of, speak
from liquidity.report.html import decimals_of, template
from liquidity.report.numbers import LANGS

FIGURES: dict[str, dict[Lang, str]] = {
    "RP": {"en": "Objective of tonight's decision", "zh": "今晚决策的目标值"},
    "WS": {"en": "If the scenario were known tonight", "zh": "若今晚已知情景"},
    "EEV": {"en": "Decision for the expected numbers", "zh": "按期望值所作决策"},
    "EVPI": {"en": "Worth of knowing the scenario", "zh": "完全信息的价值"},
    "VSS": {"en": "Worth of looking at the scenarios", "zh": "考虑情景的价值"},
    "mean": {"en": "Mean net worth", "zh": "净值均值"},
    "CVaR": {"en": "Mean of the worst outcomes", "zh": "最差结果的均值"},
}
MOST = 40


def write_two_stage(tables: Mapping[str, pd.DataFrame], record: Mapping[str, Any], target: Path) -> None:
    """Write the page to `target` (a file); tables and record as `runs.two_stage` makes them, CNY."""
    target.write_text(template("two_stage.html").render(**_context(tables, record)), encoding="utf-8")


def _context(tables: Mapping[str, pd.DataFrame], record: Mapping[str, Any]) -> dict[str, Any]:
    currency, figures = str(record["currency"]), tables["figures"].set_index("figure").value
    drawn, tonight = frontier_figure(tables["frontier"], currency), tables["tonight"]
    moved = tonight[tonight.change.abs() >= 0.005]
    moved = moved.reindex(moved.change.abs().sort_values(ascending=False, kind="stable").index)
    names = [name for name in tonight if name not in ("amount", "without", "change")]
    return {
        "record": record, "currency": currency, "decimals": decimals_of(float(tonight.amount.sum())),
        "both": lambda amount: {lang: money(lang, amount, currency) for lang in LANGS},
        "headline": {lang: headline(figures, tonight, currency, lang) for lang in LANGS},
        "numbers": [{**FIGURES[name], "name": name, "value": float(figures[name])} for name in FIGURES],
        "outcomes": tables["outcomes"].to_dict("records"),
        "moved": [{**row, "of": " ".join(str(row[name]) for name in names if row[name])}
                  for row in moved.head(MOST).to_dict("records")],
        "more": max(0, len(moved) - MOST),
        "gave_way": tables["gave_way"].drop_duplicates(["scenario", "rule"]).to_dict("records"),
        "figures": {"frontier": str(drawn.to_json()).replace("</", "<\\/")},
        "plotly_js": get_plotlyjs(),
    }  # fmt: skip


def headline(figures: pd.Series, tonight: pd.DataFrame, currency: str, lang: Lang) -> list[str]:
    """What is lent tonight against the night without scenarios, and what knowing the scenario would be worth."""
    lent = tonight[tonight.decision == "lend"]
    now, without, know = (money(lang, float(value), currency)
                          for value in (lent.amount.sum(), lent.without.sum(), figures["EVPI"]))  # fmt: skip
    if lang == "zh":
        return [f"考虑所有情景，今晚投放{now}；不考虑情景时为{without}。", f"若今晚已知情景，价值为{know}。"]
    return [f"With all scenarios in view {now} is lent tonight; without scenarios {without}.",
            f"Knowing tonight which scenario comes would be worth {know}."]  # fmt: skip


def frontier_figure(frontier: pd.DataFrame, currency: str) -> go.Figure:
    """Mean against CVaR of net worth, a point a weight."""
    figure = go.Figure()
    line = frontier.sort_values("weight")
    points = line[["weight", "mean", "cvar"]].to_numpy(float)
    figure.add_scatter(
        x=(line.cvar / MILLION).tolist(), y=(line["mean"] / MILLION).tolist(), mode="lines+markers+text",
        line={"color": BLUE, "width": 2}, marker={"color": RUST, "size": 9}, textposition="top center",
        text=[f"{weight:g}" for weight in line.weight], hoverinfo="text",
    )  # fmt: skip
    frame(figure, 380)
    words: dict[Lang, tuple[str, str, str]] = {"en": ("weight", "mean", "CVaR"), "zh": ("权重", "均值", "CVaR")}
    speak(figure, {
        lang: (
            {"hovertext": [[f"{weight} {share:g}: {mean} {money(lang, middle, currency)}, "
                            f"{worst} {money(lang, tail, currency)}" for share, middle, tail in points]]},
            {"xaxis.title.text": f"{worst}, {millions_of(lang, currency)}",
             "yaxis.title.text": f"{mean}, {millions_of(lang, currency)}"},
        )
        for lang, (weight, mean, worst) in words.items()
    })  # fmt: skip
    return figure
