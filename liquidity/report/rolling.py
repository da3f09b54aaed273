"""The page of rolling nights: the optimiser against simple policies, in English and Chinese, one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from liquidity.explain.words import Lang, money
from liquidity.report.canvas import BLUE, GREEN, MILLION, RUST, frame, millions_of, speak
from liquidity.report.html import decimals_of, template
from liquidity.report.numbers import LANGS

NAMES: dict[str, dict[Lang, str]] = {
    "optimiser": {"en": "Optimiser", "zh": "优化器"}, "pro_rata": {"en": "Pro rata", "zh": "等比例"},
    "greedy": {"en": "Greedy by margin", "zh": "按利差优先"},
}  # fmt: skip
DAY = 86_400_000
"""Milliseconds, as a figure counts time."""
COLOURS = {"optimiser": BLUE, "pro_rata": GREEN, "greedy": RUST}
PARTS: dict[str, tuple[str, str]] = {
    "interest": ("Interest of borrowers", "利息收入"), "fees": ("Fees of partners", "合作机构服务费"),
    "cash_interest": ("Interest on cash", "现金利息"), "losses": ("Credit losses", "信用损失"),
    "funding_cost": ("Funding cost", "融资成本"), "running_cost": ("Running cost", "运营成本"),
    "provision_change": ("New provision", "新增拨备"), "other_income": ("Other income", "其他收入"),
    "relent": ("Relent to the same borrowers", "再投放给原借款人"),
    "lent_new": ("Lent to new borrowers", "投放给新借款人"),
    "equity": ("Equity at the end", "期末权益"), "net_worth": ("Net worth at the end", "期末净值"),
    "uplift_booked": ("Uplift already booked", "其中已入账的增益"), "uplift": ("Uplift of the optimiser", "优化器增益"),
}  # fmt: skip


def write_rolling(results: pd.DataFrame, nights: pd.DataFrame, breaches: pd.DataFrame, record: Mapping[str, Any],
                  target: Path) -> None:  # fmt: skip
    """Write the page to `target` (a file); tables and record as `runs.roll` makes them, CNY."""
    target.write_text(template("rolling.html").render(**_context(results, nights, breaches, record)), encoding="utf-8")


def _context(results: pd.DataFrame, nights: pd.DataFrame, breaches: pd.DataFrame,
             record: Mapping[str, Any]) -> dict[str, Any]:  # fmt: skip
    currency = str(record["currency"])
    broken = breaches.groupby(["policy", "rule"]).night.nunique().reset_index() if len(breaches) else breaches
    return {
        "record": dict(record),
        "currency": currency,
        "decimals": decimals_of(float(results.freed.max())),
        "both": lambda amount: {lang: money(lang, amount, currency) for lang in LANGS},
        "names": NAMES,
        "parts": PARTS,
        "results": [{key: None if pd.isna(value) else value for key, value in row.items()}
                    for row in results.to_dict("records")],
        "broken": broken.to_dict("records"),
        "figures": {name: str(drawn.to_json()).replace("</", "<\\/") for name, drawn in drawings(nights, currency)},
        "plotly_js": get_plotlyjs(),
    }  # fmt: skip


def drawings(nights: pd.DataFrame, currency: str) -> list[tuple[str, go.Figure]]:
    """The figures of the page by name."""
    # a hundredth of a fen and a millionth of a share are noise of the solver, and would fill the whole height
    gain, share = uplift_by_night(nights).round(4), relent_by_night(nights).round(6)
    unit = {lang: millions_of(lang, currency) for lang in LANGS}
    found = [("uplift", lines(gain / MILLION, unit))] if len(gain) else []
    return [*found, ("relent", lines(share * 100, {"en": "% of what passed the gates", "zh": "占通过前置检查金额的%"}))]


def uplift_by_night(nights: pd.DataFrame) -> pd.DataFrame:
    """Net worth of the optimiser less that of each other policy, CNY (date; policy); nights that both have."""
    worth = nights.pivot(index="date", columns="policy", values="net_worth")
    others = [policy for policy in NAMES if policy in worth and policy != "optimiser"]
    return worth[others].rsub(worth["optimiser"], axis=0) if others else pd.DataFrame()


def relent_by_night(nights: pd.DataFrame) -> pd.DataFrame:
    """Relent as a share of what passed the gates (date; policy)."""
    table = nights.assign(share=(nights.relent / nights.wanted).where(nights.wanted > 0, 1.0))
    wide = table.pivot(index="date", columns="policy", values="share")
    return wide[[policy for policy in NAMES if policy in wide]]


def lines(table: pd.DataFrame, unit: dict[Lang, str]) -> go.Figure:
    """A line per policy over the nights."""
    figure = go.Figure()
    for policy in table.columns:
        figure.add_scatter(x=list(table.index), y=table[policy].tolist(), mode="lines+markers",
                           line={"color": COLOURS[policy], "width": 2}, marker={"size": 4})  # fmt: skip
    frame(figure, 340)
    figure.update_layout(showlegend=True)
    figure.update_yaxes(tickformat=",", zeroline=True)
    if len(table) and table.max().max() == table.min().min():
        level = float(table.to_numpy()[0, 0])
        figure.update_yaxes(range=[level - 1, level + 1])
    figure.update_xaxes(type="date", tickformat="%m-%d", dtick=DAY * max(1, -(-len(table) // 12)))
    speak(figure, {lang: ({"name": [NAMES[policy][lang] for policy in table.columns]},
                          {"yaxis.title.text": unit[lang]}) for lang in LANGS})  # fmt: skip
    return figure
