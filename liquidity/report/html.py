"""The page of a run: one file that opens without a network, in English and Chinese, on a screen and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from liquidity.explain.words import CAUSES, GATES, ORIGINS, Lang, label, money
from liquidity.explain.words_events import event_text
from liquidity.report import buffers, figures, flows, levels, numbers, proofs, record, roads, sankey

_MOST_ORDERS = 60
_REASON = ["rank", "cause", "rule", "origin", "scope", "amount", "share", "alone", "text_en", "text_zh"]
_LEDGER_NAMES = {
    "freed": ("Freed", "回款"),
    "relent": ("Relent to the same borrowers", "再投放给原借款人"),
    "declined": ("Declined by the pool", "资金池未投放"),
}


def write_report(tables: Mapping[str, pd.DataFrame], run: Mapping[str, Any], target: Path) -> None:
    """Write the page of a run to `target` (a file).

    `tables`: the run's tables by name, CNY (`ledger, uses, reasons, limits, cash, funding, orders, roads,
    buffers`; each may be empty, the last two missing); `run`: the run's record as in `run.json`, of which any key may
    be missing.
    """
    context = _context(tables, run)
    target.write_text(template("page.html").render(**context), encoding="utf-8")


def template(name: str) -> jinja2.Template:
    """A page of this folder, ready to be filled."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("liquidity.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["amount"] = figures.amount_text
    environment.filters["unbroken"] = lambda text, currency: text.replace(
        f"{currency} ", f"{currency}\N{NO-BREAK SPACE}"
    )
    return environment.get_template(name)


def _context(tables: Mapping[str, pd.DataFrame], run: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the page tells; the template only places it."""
    ledger, reasons, limits = tables["ledger"], tables["reasons"], tables["limits"]
    tonight = numbers.periods(ledger)[0] if len(ledger) else ""
    first = run.get("first_days")
    night, month = (numbers.ledger_of(ledger, period, first).sum() for period in (tonight, numbers.THIRTY))
    causes = {period: numbers.by_cause(reasons, period) for period in (numbers.THIRTY, tonight)}
    used, worst = (
        proofs.limit_use(limits, tonight),
        numbers.worst(ledger, reasons, tonight, str(run.get("currency", "CNY")), first),
    )
    currency, decimals = str(run.get("currency", "CNY")), decimals_of(float(month["freed"]))
    return {
        "run": dict(run),
        "currency": currency,
        "tonight": tonight,
        "night": _totals(night),
        "month": _totals(month),
        "headline": numbers.headline(night, month, _first(causes[numbers.THIRTY]), currency),
        "levels": {level: int((used["level"] == level).sum()) for level in proofs.LEVELS},
        "groups": _groups(tables["uses"]),
        "worst": worst,
        "roads": roads.compact(tables.get("roads"), [str(row["segment"]) for row in worst]),
        "buffers": buffers.compact(tables.get("buffers"), tonight),
        "gave_way": proofs.gave_way(limits).to_dict("records"),
        "amortised": [(event_text("en", event), event_text("zh", event)) for event in run.get("amortised", [])],
        "conflict": _conflict(run),
        "remedies": [(one["text_en"], one["text_zh"]) for one in run.get("remedies", [])],
        "place_name": figures.place_name,
        "origins": ORIGINS,
        "kinds": flows.ORDERS,
        "orders": _orders(tables["orders"]),
        "checks": [*proofs.told(run.get("checks", {})), *proofs.found(tables, first)],
        "facts": record.facts(run, currency),
        "figures": _figures(tables, tonight, night, month, causes, used, currency),
        "segments": {**segments(ledger, reasons, tonight, first), "currency": currency, "decimals": decimals},
        "both": lambda amount: {lang: money(lang, amount, currency) for lang in ("en", "zh")},
        "decimals": decimals,
        "plotly_js": get_plotlyjs(),
    }


def _conflict(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rules that cannot hold together, by their sentences; by their names in a run that has no sentences."""
    if "conflict_told" in run:
        return [(one["text_en"], one["text_zh"]) for one in run["conflict_told"]]
    return [(name, name) for name in map(record.told, run.get("conflict", []))]


def _first(causes: pd.Series) -> tuple[str, float] | None:
    """The first reason over 30 days, where there is one."""
    if not len(causes) or causes.iloc[0] < 0.005:
        return None
    return str(causes.index[0]), float(causes.iloc[0])


def _totals(row: pd.Series) -> dict[str, float]:
    freed = float(row["freed"])
    stopped = float(row[numbers.GATE_COLUMNS].sum())
    parts = {"freed": freed, "relent": float(row["relent"]), "stopped": stopped, "declined": float(row["declined"])}
    return parts | {f"{name}_share": part / freed if freed > 0 else 0.0 for name, part in parts.items()}


def _groups(uses: pd.DataFrame) -> dict[str, Any]:
    """Where freed money went as a table: names of the groups, and (names of the use, CNY by group and in all)."""
    if uses.empty:
        return {}
    table = flows.uses_by_group(uses)
    names = [flows.node_name(("group", str(group))) for group in table.index]
    amounts = [(name, [*table[use], table[use].sum()]) for use, name in flows.USES.items()]
    freed = table.sum(axis=1)
    return {"names": names, "rows": [row for row in amounts if row[1][-1] > 0], "freed": [*freed, freed.sum()]}


def _orders(orders: pd.DataFrame) -> dict[str, Any]:
    rows = orders.sort_values("amount", ascending=False, kind="stable")
    return {"rows": rows.head(_MOST_ORDERS).to_dict("records"), "more": max(len(rows) - _MOST_ORDERS, 0)}


def _figures(
    tables: Mapping[str, pd.DataFrame],
    tonight: str,
    night: pd.Series,
    month: pd.Series,
    causes: Mapping[str, pd.Series],
    used: pd.DataFrame,
    currency: str,
) -> dict[str, str]:
    """Figures by the id of their place on the page, as JSON that may stand inside a script."""
    drawn: dict[str, go.Figure] = {}
    if len(tables["uses"]):
        drawn["sankey"] = sankey.sankey(flows.links(flows.uses_by_group(tables["uses"])), currency)
    for name, totals, period in (("waterfall-month", month, numbers.THIRTY), ("waterfall-night", night, tonight)):
        if totals["freed"] > 0:
            drawn[name] = figures.waterfall(numbers.steps(totals, causes[period]), currency)
    if len(used):
        drawn["limits"] = figures.limits(used)
    if len(tables["funding"]):
        drawn["funding"] = levels.stacked(tables["funding"], str(tables["funding"].columns[0]), currency)
    if len(tables["cash"]):
        reserve = tables["limits"][tables["limits"]["kind"] == "cash_reserve"]
        drawn["cash"] = levels.stacked(tables["cash"], "account", currency, "treasury", reserve)
    return {name: str(figure.to_json()).replace("</", "<\\/") for name, figure in drawn.items()}


def segments(
    ledger: pd.DataFrame, reasons: pd.DataFrame, tonight: str, first_days: int | None = None
) -> dict[str, Any]:
    """What the page can show of any one segment, the most declined over 30 days first.

    `rows`: [segment, ledger of 30 days, ledger of tonight] with amounts in the order of `names`; `reasons`: by segment
    and period; `borrower`: the borrower's sentences, each once. Names in both languages.
    """
    month, night = numbers.ledger_of(ledger, numbers.THIRTY, first_days), numbers.ledger_of(ledger, tonight)
    order = month.sort_values("declined", ascending=False, kind="stable").index
    columns = ["freed", *numbers.PARTS]
    texts = sorted(set(zip(reasons["borrower_text_en"], reasons["borrower_text_zh"])))
    place = {text: number for number, text in enumerate(texts)}
    by_segment: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for key, name in ((numbers.THIRTY, "month"), (tonight, "night")):
        for row in numbers.of_period(reasons, key).sort_values(["segment", "rank"]).to_dict("records"):
            said = {column: _plain(row[column]) for column in _REASON}
            said["borrower"] = place[row["borrower_text_en"], row["borrower_text_zh"]]
            by_segment.setdefault(str(row["segment"]), {}).setdefault(name, []).append(said)
    return {
        "names": {lang: [_ledger_name(column, lang) for column in columns] for lang in ("en", "zh")},
        "causes": {code: {lang: label(lang, code) for lang in ("en", "zh")} for code in CAUSES},
        "origins": ORIGINS,
        "kinds": flows.ORDERS,
        "rows": [[str(s), month.loc[s, columns].tolist(), _row(night, s, columns)] for s in order],
        "reasons": by_segment,
        "borrower": texts,
    }


def _row(table: pd.DataFrame, segment: object, columns: list[str]) -> list[float]:
    return table.reindex([segment], fill_value=0.0)[columns].iloc[0].tolist()


def _plain(value: Any) -> Any:
    """A cell as JSON can hold it: missing as None."""
    return None if pd.isna(value) else value


def _ledger_name(column: str, lang: Lang) -> str:
    if column.upper() in GATES:
        return label(lang, column.upper())
    return _LEDGER_NAMES[column][0 if lang == "en" else 1]


def decimals_of(freed: float) -> int:
    """Decimals of a table in millions: two, and more where the whole book is small."""
    return next((digits for digits in (2, 3, 4) if freed >= 10.0 ** (8 - digits)), 6)
