"""The road not taken on the page: the ten segments declined most, both languages, left out where a run has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from liquidity.report import roads, write_report

Tables = dict[str, pd.DataFrame]
COLUMNS = ["segment", "facility", "rank", "state", "taken", "shut_by", "margin_per_year", "left_per_year",
           "charge_per_year"]  # fmt: skip


def table() -> pd.DataFrame:
    rows = [
        ("C-full-east", "abs_2026a", 2, "shut", 0.0, "eligibility", 0.09, 0.013, 0.02),
        ("C-full-east", "balance_sheet", 1, "lent", 5e6, "", 0.08, 1e-12, 0.0),
        ("C-full-east", "joint_a", 4, "open", 0.0, "capital", 0.04, -0.031, 0.011),
        ("C-full-east", "warehouse_a", 3, "open", 0.0, "", 0.08, -1e-12, 0.0),
        ("A-full-north", "joint_a", 1, "open", 0.0, "terms", 0.02, -0.004, 0.03),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_best_first_and_every_other_with_what_shuts_it() -> None:
    both = roads.compact(table(), ["A-full-north", "nobody", "C-full-east"])
    assert [row["segment"] for row in both] == ["A-full-north", "C-full-east"]
    first, second = both
    assert first["why"]["en"] == "the cash of its account (and the facility's structure) takes 3.00%"
    assert (second["facility"], second["taken"], second["why"]["en"]) == ("balance_sheet", 5e6, "")
    assert [(other["facility"], other["en"], other["zh"]) for other in second["others"]] == [
        ("abs_2026a", "shut by eligibility", "因eligibility不得放款"),
        ("warehouse_a", "as good", "相当"),
        ("joint_a", "capital takes 1.10%", "capital扣减1.10%"),
    ]
    assert roads.compact(None, ["C-full-east"]) == []


def test_the_page_tells_the_declined_most_only(
    make_tables: Callable[..., Tables], run: dict[str, Any], tmp_path: Path
) -> None:
    tables = dict(make_tables())
    write_report(tables, run, tmp_path / "without.html")
    assert 'id="roads"' not in (tmp_path / "without.html").read_text(encoding="utf-8")
    worst = tables["ledger"].query("period < '2026-12-24'").groupby("segment").declined.sum().nlargest(10).index
    rest = sorted(set(tables["ledger"].segment) - set(worst))[0]
    named = table().replace({"C-full-east": worst[0], "A-full-north": rest})
    write_report({**tables, "roads": named}, run, tmp_path / "with.html")
    text = (tmp_path / "with.html").read_text(encoding="utf-8")
    section = text[text.index('id="roads"') : text.index('id="segment"')]
    assert worst[0] in section
    assert rest not in section
    assert "abs_2026a +1.30%" in section
    assert "joint_a -3.10%" in section
    assert "warehouse_a 0%" in section
    assert "今晚未选择的资金渠道" in section
