"""The page of a stress run: one file that opens without a network, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import xarray as xr
from plotly.offline import get_plotlyjs

from liquidity.explain.words import Lang, label, money
from liquidity.report.canvas import AMBER, BLUE, GREEN, MILLION, RUST, SAND, WINE, bars, frame, millions_of, speak
from liquidity.report.html import decimals_of, template
from liquidity.report.numbers import LANGS

PROJECTIONS: dict[str, dict[Lang, str]] = {
    "reoptimise": {"en": "Re-optimised", "zh": "重新优化"},
    "hold": {"en": "Tonight held", "zh": "维持今晚决策"},
    "run_off": {"en": "Run-off only", "zh": "只收不放"},
}
CHANNELS: dict[str, dict[Lang, str]] = {
    "losses": {"en": "Losses", "zh": "信用损失"},
    "borrowers": {"en": "Payments and requests of borrowers", "zh": "借款人还款与申请"},
    "funding_cost": {"en": "Cost of funding", "zh": "融资成本"},
    "funding_volume": {"en": "Funding, partners and haircuts", "zh": "融资额度、合作方与折扣率"},
    "rules": {"en": "Rules", "zh": "规则"},
}
STATUS: dict[str, dict[Lang, str]] = {
    "optimal": {"en": "solved", "zh": "已求解"},
    "in_part": {"en": "only a part of tonight can be held", "zh": "今晚决策仅能部分执行"},
    "failed": {"en": "no answer", "zh": "没有答案"},
}
COLOURS = (RUST, BLUE, AMBER, WINE, SAND)
MOST_BREACHES = 200
NONE = "no_scenario"
OPEN = 1e-6
"Relative net worth that the search over deficiencies may leave open."
"""The night itself, which stands beside the scenarios."""


@dataclass(frozen=True)
class Stressed:
    """What the page tells: the run's record, its tables (CNY), and the paths of each scenario by projection."""

    record: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    paths: Mapping[str, xr.Dataset]


def write_stress(told: Stressed, target: Path) -> None:
    """Write the page to `target` (a file)."""
    target.write_text(template("stress.html").render(**_context(told)), encoding="utf-8")


def _context(told: Stressed) -> dict[str, Any]:
    summary, currency = told.tables["summary"], str(told.record["currency"])
    titles = told.record["titles"]
    figures = {"drivers": drivers_figure(told.tables["drivers"], titles, currency),
               "equity": equity_figure(told.paths, titles, currency)}  # fmt: skip
    largest = float(summary.change.abs().max()) if summary.change.notna().any() else 0.0
    return {
        "record": told.record,
        "currency": currency,
        "decimals": decimals_of(largest * 10),
        "both": lambda amount: {lang: money(lang, amount, currency) for lang in LANGS},
        "titles": titles,
        "headline": {lang: headline(summary, titles, currency, lang) for lang in LANGS},
        "projections": PROJECTIONS,
        "status": STATUS,
        "groups": [(name, part.to_dict("records")) for name, part in summary.groupby("scenario", sort=False)],
        "cause": {
            lang: {cause: label(lang, cause) for cause in summary.first_cause.dropna() if cause} for lang in LANGS
        },
        "channels": [{**row, **CHANNELS[row["channel"]]} for row in told.tables["drivers"].to_dict("records")],
        "breaches": told.tables["breaches"].head(MOST_BREACHES).to_dict("records"),
        "more": max(0, len(told.tables["breaches"]) - MOST_BREACHES),
        "figures": {name: str(drawn.to_json()).replace("</", "<\\/") for name, drawn in figures.items() if drawn},
        "plotly_js": get_plotlyjs(),
    }


def headline(summary: pd.DataFrame, titles: Mapping[str, Mapping[str, str]], currency: str, lang: Lang) -> list[str]:
    """The worst scenario, the shortest survival and how many need a rule to give way, in two or three sentences."""
    summary = summary[summary.scenario != NONE]
    free = summary[(summary.projection == "reoptimise") & summary.change.notna()]
    if free.empty:
        return ["没有情景得出可行方案。" if lang == "zh" else "No scenario has a plan."]
    worst = free.iloc[int(free.change.to_numpy().argmin())]
    size, name = money(lang, abs(float(worst.change)), currency), titles[worst.scenario][lang]
    ran = summary[summary.projection == "run_off"].dropna(subset=["survival_days"])
    gave = [int((summary[summary.projection == way].gave_way.fillna("") != "").sum()) for way in ("reoptimise", "hold")]
    more = held_is_more(summary)
    if lang == "zh":
        said = [
            f"{len(free)}个情景中，净值下降最多的是“{name}”：{size}。" if worst.change < 0 else "没有情景使净值下降。"
        ]
        said += [f"停止放款且无新增融资时，资金最少可维持{int(ran.survival_days.min())}日。"] if len(ran) else []
        said.append(f"须有规则让步的情景：重新优化时{gave[0]}个，维持今晚决策时{gave[1]}个。")
        return [*said, f"其中{len(more)}个情景维持今晚决策的净值反而更高，因为规则让步更多。"] if more else said
    said = [f"Of {len(free)} scenarios “{name}” costs most net worth: {size}." if worst.change < 0
            else "No scenario costs net worth."]  # fmt: skip
    if len(ran):
        said.append(
            f"Without lending and without new funding money lasts {int(ran.survival_days.min())} days at least."
        )
    ways = f"{gave[0] or 'none'} re-optimised, {gave[1] or 'none'} with tonight held"
    said.append(f"Scenarios in which some rule has to give way: {ways}.")
    if more:
        said.append(f"In {len(more)} of them tonight held is worth more, because rules give way further.")
    return said


def held_is_more(summary: pd.DataFrame) -> list[str]:
    """Scenarios in which tonight held is worth more than re-optimised, by more than a search may leave open: a plan
    that re-optimising may choose, so rules must give way further for it.
    """
    free, held = (summary[summary.projection == way].set_index("scenario").net_worth for way in ("reoptimise", "hold"))
    more = held.reindex(free.index) - free > OPEN * free.abs()
    return [str(name) for name in free.index[more]]


def drivers_figure(drivers: pd.DataFrame, titles: Mapping[str, Mapping[str, str]], currency: str) -> go.Figure | None:
    """Stacked bars: the change of net worth of each scenario by channel."""
    if drivers.empty:
        return None
    scenarios = list(dict.fromkeys(drivers.scenario))
    wide = drivers.pivot_table(index="scenario", columns="channel", values="amount", aggfunc="sum", fill_value=0.0)
    used = [channel for channel in CHANNELS if channel in wide.columns]
    places = list(range(len(scenarios) - 1, -1, -1))
    figure = go.Figure()
    for channel, colour in zip(used, COLOURS):
        amounts = wide[channel].reindex(scenarios) / MILLION
        figure.add_bar(x=amounts.tolist(), y=places, marker_color=colour)
    bars(figure, [titles[name]["en"] for name in scenarios], 120 + 26 * len(scenarios))
    figure.update_layout(barmode="relative")
    speak(figure, {
        lang: (
            {"name": [CHANNELS[channel][lang] for channel in used],
             "hovertext": [[f"{titles[name][lang]}: {CHANNELS[channel][lang]} "
                            f"{money(lang, float(wide[channel][name]), currency)}" for name in scenarios]
                           for channel in used]},
            {"xaxis.title.text": millions_of(lang, currency),
             "yaxis.ticktext": [titles[name][lang] for name in scenarios]},
        )
        for lang in LANGS
    })  # fmt: skip
    return figure


def equity_figure(paths: Mapping[str, xr.Dataset], titles: Mapping[str, Mapping[str, str]],
                  currency: str) -> go.Figure | None:  # fmt: skip
    """Lines: equity of each scenario, re-optimised."""
    drawn = {name: path.equity.sel(projection="reoptimise") for name, path in paths.items()
             if "equity" in path and "reoptimise" in path.projection.values}  # fmt: skip
    if not drawn:
        return None
    figure = go.Figure()
    palette = (GREEN, *COLOURS)
    for number, equity in enumerate(drawn.values()):
        dash = ("solid", "dash", "dot", "dashdot")[number // len(palette) % 4]
        line = {"color": palette[number % len(palette)], "dash": dash, "width": 2}
        figure.add_scatter(
            x=equity.period.values.tolist(), y=(equity / MILLION).values.tolist(), mode="lines", line=line
        )
    frame(figure, 420)
    figure.update_layout(legend={"y": -0.15, "yanchor": "top"}, margin={"t": 16})
    figure.update_yaxes(tickformat=",")
    speak(figure, {
        lang: ({"name": [titles[name][lang] for name in drawn]}, {"yaxis.title.text": millions_of(lang, currency)})
        for lang in LANGS
    })  # fmt: skip
    return figure
