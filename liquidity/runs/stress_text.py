"""A stress run on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from liquidity.report.stress import PROJECTIONS

MILLION = 1e6


def print_stress(record: Mapping[str, Any], folder: Path, console: Console) -> None:
    """The summary of all scenarios, amounts in millions of the currency, and where the run lies."""
    summary = pd.read_csv(folder / "tables" / "summary.csv", keep_default_na=True)
    console.print(f"Change of net worth against the night without a scenario, {record['currency']} m")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("scenario", no_wrap=True)
    for way in PROJECTIONS.values():
        table.add_column(way["en"].lower(), justify="right")
    for name in ("days", "relent tonight", "30 days"):
        table.add_column(name, justify="right")
    table.add_column("first cause", no_wrap=True)
    table.add_column("gave way")
    for scenario, rows in summary.groupby("scenario", sort=False):
        table.add_row(str(scenario), *cells(rows.set_index("projection")))
    console.print(table)
    for one, notes in record["notes"].items():
        for note in notes:
            console.print(f"{one}: {note}")
    for row in summary[summary.amortised.notna() & (summary.amortised != "")].itertuples():
        told = PROJECTIONS[str(row.projection)]["en"].lower()
        console.print(f"{row.scenario}, {told}: amortises early: {str(row.amortised).replace(';', ', ')}")
    if (summary.status == "in_part").any():
        console.print("* only a part of tonight's decision can be carried out in this scenario")
    console.print(f"run {record['id']} in {folder}: stress.html, stress.nc, tables/")


def cells(rows: pd.DataFrame) -> list[str]:
    """One scenario: what each projection changes, then days, shares and causes of the re-optimised one."""
    changes = [change(rows.loc[way]) for way in PROJECTIONS]
    free: Any = rows.loc["reoptimise"]
    gave = sorted({name for part in rows.gave_way.dropna() for name in str(part).split(";") if name})
    if free.status == "failed":
        return [*changes, "", "", "", "", ", ".join(gave)]
    last: Any = rows.loc["run_off"]
    days = "" if pd.isna(last.survival_days) else f"{int(last.survival_days)}{'+' if last.survives else ''}"
    cause = "" if pd.isna(free.first_cause) else str(free.first_cause)
    return [*changes, days, f"{free.share_tonight:.1%}", f"{free.share_30d:.1%}", cause, ", ".join(gave)]


def change(row: Any) -> str:
    """The change of net worth in millions; `*` where tonight's decision could only be held in part."""
    if row.status == "failed":
        return "no plan"
    return f"{row.change / MILLION + 0.0:+,.2f}{'*' if row.status == 'in_part' else ''}"
