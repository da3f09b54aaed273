"""The page "what changed since last night": one file that opens without a network, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from plotly.offline import get_plotlyjs

from liquidity.explain.words import Lang, label, money
from liquidity.explain.words_inputs import input_name
from liquidity.report.bridge import bridge
from liquidity.report.changed import fields_told, headline
from liquidity.report.html import decimals_of, template
from liquidity.report.numbers import LANGS

MOST = 40
"""Segments that are shown one by one; all of them are in the tables."""


@dataclass(frozen=True)
class Changes:
    """What the page tells; tables as `runs.compare.Comparison` has them, amounts in `currency`.

    `days` and `ids` of the two nights; `checks` (English, Chinese, found, at most); `note` how the split was made.
    """

    ids: tuple[str, str]
    days: tuple[str, str]
    currency: str
    segments: pd.DataFrame
    changes: pd.DataFrame
    totals: pd.DataFrame
    fields: pd.DataFrame
    plan: pd.DataFrame
    cash: Mapping[str, float]
    why_no_plan: str
    causes: pd.DataFrame
    checks: Sequence[tuple[str, str, float, float]]
    note: Mapping[Lang, str]


def write_changes(told: Changes, target: Path) -> None:
    """Write the page to `target` (a file)."""
    target.write_text(template("changes.html").render(**_context(told)), encoding="utf-8")


def _context(told: Changes) -> dict[str, Any]:
    before, after = float(told.segments.relent_a.sum()), float(told.segments.relent_b.sum())
    names = {lang: {code: input_name(lang, code) for code in told.totals.input} for lang in LANGS}
    both = [{lang: names[lang][code] for lang in LANGS} for code in told.totals.input]
    drawn = bridge(both, told.totals.amount.tolist(), told.currency) if len(told.totals) else None
    return {
        "told": told,
        "currency": told.currency,
        "decimals": decimals_of(max(before, after, float(told.segments.change.abs().max()) * 10)),
        "both": lambda amount: {lang: money(lang, amount, told.currency) for lang in LANGS},
        "headline": {lang: headline(before, after, told.totals, told.days, told.currency, lang) for lang in LANGS},
        "before": before,
        "after": after,
        "inputs": [{**row, **each} for row, each in zip(told.totals.to_dict("records"), both)],
        "segments": _segments(told),
        "fields": _fields(told),
        "plan": _plan(told.plan),
        "causes": [
            {**row, **{lang: label(lang, str(row["cause"])) for lang in LANGS}}
            for row in told.causes.to_dict("records")
        ],
        "figures": {} if drawn is None else {"bridge": str(drawn.to_json()).replace("</", "<\\/")},
        "plotly_js": get_plotlyjs(),
    }


def _segments(told: Changes) -> dict[str, Any]:
    """The change of each segment by input, those that changed most first."""
    wide = told.changes.pivot_table(index="segment", columns="input", values="amount", aggfunc="sum", fill_value=0.0)
    columns = [code for code in told.totals.input if code in wide.columns]
    table = told.segments.set_index("segment")
    sizes = table.change.abs().sort_values(ascending=False, kind="stable")
    order = [segment for segment in sizes.index if table.change[segment] != 0 or segment in wide.index]
    wide = wide.reindex(order, fill_value=0.0)[columns]
    rows = [
        {"segment": segment, "relent": float(table.relent_b[segment]), "change": float(table.change[segment]),
         "parts": wide.loc[segment].tolist()}
        for segment in order[:MOST]
    ]  # fmt: skip
    return {"columns": [{lang: input_name(lang, code) for lang in LANGS} for code in columns], "rows": rows,
            "more": max(len(order) - MOST, 0)}  # fmt: skip


def _fields(told: Changes) -> list[dict[str, Any]]:
    """What changed within each input, in both languages."""
    lines = {lang: fields_told(told.fields, lang, told.currency) for lang in LANGS}
    return [
        {"en": input_name("en", code), "zh": input_name("zh", code), "lines": list(zip(lines["en"][code],
         lines["zh"][code], strict=True))}
        for code in told.totals.input
        if code in lines["en"]
    ]  # fmt: skip


def _plan(plan: pd.DataFrame) -> dict[str, Any]:
    """Plan against what came: all segments together, and the segments that were missed most."""
    if plan.empty:
        return {}
    sums = plan.groupby("what", sort=False)[["planned", "realised", "difference"]].sum()
    relent = plan[plan.what == "relent"]
    worst = relent.loc[relent.difference.abs().sort_values(ascending=False, kind="stable").index].head(10)
    return {"sums": sums.reset_index().to_dict("records"),
            "worst": worst[worst.difference != 0].to_dict("records")}  # fmt: skip
