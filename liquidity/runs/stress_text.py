"""A stress run on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from liquidity.report.stress import PROJECTIONS, held_is_more

MILLION = 1e6
HEADS = ("re-opti-\nmised", "tonight\nheld", "run-off\nonly", "days", "relent\ntonight", "relent\nin 30 d")


def print_stress(record: Mapping[str, Any], folder: Path, console: Console) -> None:
    """The summary of all scenarios, amounts in millions of the currency, and where the run lies."""
    summary = pd.read_csv(folder / "tables" / "summary.csv", keep_default_na=True)
    console.print(f"Change of net worth against the night without a scenario, {record['currency']} m")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("scenario", no_wrap=True)
    for head in HEADS:
        table.add_column(head, justify="right", no_wrap=True)
    scenarios = {str(name): rows.set_index("projection") for name, rows in summary.groupby("scenario", sort=False)}
    for scenario, rows in scenarios.items():
        table.add_row(scenario, *cells(rows))
    console.print(table)
    for scenario, rows in scenarios.items():
        if told := why(rows):
            console.print(f"{scenario}: {told}")
    for one, notes in record["notes"].items():
        for note in notes:
            console.print(f"{one}: {note}")
    for row in summary[summary.amortised.notna() & (summary.amortised != "")].itertuples():
        told = PROJECTIONS[str(row.projection)]["en"].lower()
        console.print(f"{row.scenario}, {told}: amortises early: {str(row.amortised).replace(';', ', ')}")
    if (summary.status == "in_part").any():
        console.print("* only a part of tonight's decision can be carried out in this scenario")
    if more := held_is_more(summary):
        console.print(f"tonight held is worth more in {', '.join(more)}: rules give way further than re-optimised")
    console.print(f"run {record['id']} in {folder}: stress.html, stress.nc, tables/")


def cells(rows: pd.DataFrame) -> list[str]:
    """One scenario: what each projection changes, then days of run-off and shares of the re-optimised one."""
    changes = [change(rows.loc[way]) for way in PROJECTIONS]
    free: Any = rows.loc["reoptimise"]
    last: Any = rows.loc["run_off"]
    days = "" if pd.isna(last.survival_days) else f"{int(last.survival_days)}{'+' if last.survives else ''}"
    shares = ["", ""] if free.status == "failed" else [f"{free.share_tonight:.1%}", f"{free.share_30d:.1%}"]
    return [*changes, days, *shares]


def why(rows: pd.DataFrame) -> str:
    """The first cause, and the rules that gave way by projection, those that gave the same ones together."""
    cause = rows.first_cause.dropna()
    told = [f"first cause {cause.iloc[0]}"] if len(cause) else []
    gave: dict[str, list[str]] = {}
    for way, names in PROJECTIONS.items():
        if isinstance(rules := rows.gave_way[way], str) and rules:
            gave.setdefault(rules.replace(";", ", "), []).append(names["en"].lower())
    return "; ".join([*told, *(f"{' and '.join(ways)}: {rules} gave way" for rules, ways in gave.items())])


def change(row: Any) -> str:
    """The change of net worth in millions; `*` where tonight's decision could only be held in part."""
    if row.status == "failed":
        return "no answer"
    return f"{row.change / MILLION + 0.0:+,.1f}{'*' if row.status == 'in_part' else ''}"
