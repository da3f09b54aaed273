"""The page as text: one file, no network, everything told, nothing breaks on a thin run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from liquidity.explain.words import GATES
from liquidity.report import flows, record, write_report
from liquidity.runs.tables import ORDERS

Tables = dict[str, pd.DataFrame]
MakeTables = Callable[..., Tables]
LIBRARY = re.compile(r"<script>/\*\*\n\* plotly\.js.*?</script>", re.DOTALL)


def render(tables: Tables, run: dict[str, Any], folder: Path) -> str:
    """The page without the figure library."""
    write_report(tables, run, folder / "report.html")
    text, found = LIBRARY.subn("", (folder / "report.html").read_text(encoding="utf-8"))
    assert found == 1
    return text


def embedded(text: str, place: str) -> Any:
    found = re.search(rf'<script type="application/json"[^>]*{place}[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_one_file_without_a_network(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    text = render(make_tables(), run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert not re.search(r"""(src|href)=["'](?!data:)|@import|url\(|https?://(?!www\.w3\.org)""", text)


def test_the_sections_stand_in_their_order(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    text = render(make_tables(), run, tmp_path)
    ids = ["where", "why", "worst", "segment", "limit", "money", "cash-card", "gave-way", "orders", "proof"]
    places = [text.index(f'id="{name}"') for name in ids]
    assert places == sorted(places)
    assert text.index('class="headline') < places[0]
    assert text.index('id="waterfall-month"') < text.index('id="waterfall-night"')
    assert run["id"] in text
    assert "highspy 1.15.1" in text
    assert 'class="tag fails"' not in text


def test_any_segment_can_be_looked_up(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    tables = make_tables()
    data = embedded(render(tables, run, tmp_path), 'id="segments"')
    assert {row[0] for row in data["rows"]} == set(tables["ledger"]["segment"])
    for _, month, night in data["rows"]:
        assert sum(month[1:]) == pytest.approx(month[0], abs=0.02)
        assert sum(night[1:]) == pytest.approx(night[0], abs=0.02)
    told = data["reasons"]["C-full-east"]["month"]
    rows = tables["reasons"].query("segment == 'C-full-east' and period == '30d'")
    assert [each["text_zh"] for each in told] == rows.sort_values("rank")["text_zh"].tolist()
    assert data["borrower"][told[0]["borrower"]][0] == rows["borrower_text_en"].iloc[0]


def test_a_run_with_gates_only_and_no_record(make_tables: MakeTables, tmp_path: Path) -> None:
    tables = dict(make_tables())
    tables["reasons"] = tables["reasons"][tables["reasons"]["cause"].isin(GATES)]
    text = render(tables, {}, tmp_path)
    assert "Declined, cause not told" in text
    assert "Cause not told in this run." in text
    assert "the first reason is" not in text


def test_a_night_without_anything_declined(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    text = render(make_tables(declined=0.0), run, tmp_path)
    assert "The pool declined nothing" in text
    assert "资金池没有拒绝任何申请" in text


def test_empty_tables_make_a_page(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    text = render({name: table.iloc[:0] for name, table in make_tables().items()}, run, tmp_path)
    assert "Nothing to draw." in text
    assert "No orders tonight." in text


def test_what_gave_way_is_told(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    tables = dict(make_tables())
    limits = tables["limits"].copy()
    row = limits.index[limits["rule"] == "capital"][0]
    limits.loc[row, ["used", "level", "shortfall"]] = [9.9, "gave_way", 0.6]
    record = {**run, "gave_way": ["capital"], "conflict": ["capital and the reserve"]}
    text = render({**tables, "limits": limits}, record, tmp_path)
    section = text[text.index('id="gave-way"') : text.index('id="orders"')]
    assert "9.9%" in section
    assert "0.6%" in section
    assert "capital and the reserve" in section
    assert "every rule is met" not in section
    text = render(tables, record, tmp_path)
    section = text[text.index('id="gave-way"') : text.index('id="orders"')]
    assert "<p>capital</p>" in section
    assert "every rule is met" not in section


def test_names_cannot_break_out_of_the_page(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    tables = {name: table.replace({"A-full-east": evil, "bank_1": evil}) for name, table in make_tables().items()}
    text = render(tables, {**run, "rulebook": evil}, tmp_path)
    assert "<script>alert" not in text
    assert evil in [row[0] for row in embedded(text, 'id="segments"')["rows"]]


def test_another_currency_is_told_as_such(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    text = render(make_tables(), {**run, "currency": "EUR"}, tmp_path)
    headline = text[text.index('class="headline') : text.index("How to read")]
    assert "EUR" in headline
    assert "CNY" not in headline
    assert "EUR 4,123,456,789.12" in text
    assert "4.12% a year" in text


def test_the_same_run_gives_the_same_page(make_tables: MakeTables, run: dict[str, Any], tmp_path: Path) -> None:
    assert render(make_tables(), run, tmp_path) == render(make_tables(), run, tmp_path)


def test_checks_and_facts_speak_chinese_and_zero_has_no_sign() -> None:
    run = {"mean_life": 1.072781647, "other_opening": -1e-9, "ref_rate": 0.0164, "size": {"rows": 3, "other": 4},
           "relent_sensitivity": {"as_planned": 5.0, "horizon_3_months_shorter": None}}  # fmt: skip
    told = dict(record.facts(run, "CNY"))
    assert told["Mean remaining life", "平均剩余期限"] == ("1.07 years", "1.07 年")
    assert told["Opening difference of the book", "账簿期初差额"] == ("CNY 0.00", "CNY 0.00")
    assert told["Reference rate", "参考利率"] == ("1.64% a year", "1.64%（年）")
    assert told["Program", "模型规模"] == ("rows 3, other 4", "行 3, other 4")
    changed = told["Relent tonight, by change of", "今晚再投放的敏感性"]
    assert changed == (
        "as planned CNY 5.00, horizon 3 months shorter no plan",
        "按计划 CNY 5.00, 期限缩短3个月 无可行方案",
    )


def test_every_kind_of_order_has_its_words() -> None:
    assert set(flows.ORDERS) == set(ORDERS.values())
