"""A two-stage run on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

MILLION = 1e6
MOST = 10
FIGURES = {
    "RP": "objective of tonight's decision", "WS": "if the scenario were known tonight",
    "EEV": "decision for the expected numbers", "EVPI": "worth of knowing the scenario",
    "VSS": "worth of looking at the scenarios", "mean": "mean net worth", "CVaR": "mean of the worst outcomes",
}  # fmt: skip


def print_two_stage(record: Mapping[str, Any], folder: Path, console: Console) -> None:
    """Figures, frontier, scenarios and what changes tonight, in millions of the currency, and where the run lies."""
    found: dict[str, Any] = {name: pd.read_csv(folder / "tables" / f"{name}.csv", keep_default_na=False, na_values=[""])
             for name in ("figures", "frontier", "outcomes", "tonight", "gave_way")}  # fmt: skip
    unit = f"{record['currency']} m"
    console.print(f"One decision for {len(found['outcomes'])} scenarios: {1 - record['weight']:.0%} mean and "
                  f"{record['weight']:.0%} CVaR (worst {1 - record['tail']:.0%}) of net worth, {unit}")  # fmt: skip
    figures = found["figures"].set_index("figure").value
    show(console, ["figure", "what", unit],
         [(name, what, amount(figures[name])) for name, what in FIGURES.items()])  # fmt: skip
    points = found["frontier"][["weight", "mean", "cvar"]].to_numpy(float)
    show(console, ["weight of CVaR", f"mean, {unit}", f"CVaR, {unit}"],
         [(f"{weight:g}", amount(mean), amount(worst)) for weight, mean, worst in points])  # fmt: skip
    show(console, ["scenario", "probability", f"net worth, {unit}", "known tonight", "after the night without"],
         [(row.scenario, f"{row.probability:.1%}", amount(row.net_worth), amount(row.wait_and_see), amount(row.plain))
          for row in found["outcomes"].itertuples()])  # fmt: skip
    print_changes(found["tonight"], unit, console)
    for row in found["gave_way"].drop_duplicates(["scenario", "rule"]).itertuples():
        where = "without scenarios" if pd.isna(row.scenario) else str(row.scenario)
        console.print(f"{where}: {row.rule} gave way")
    for one, notes in record["notes"].items():
        for note in notes:
            console.print(f"{one}: {note}")
    console.print(f"run {record['id']} in {folder}: report.html, plan.nc, tables/")


def print_changes(tonight: Any, unit: str, console: Console) -> None:
    """The largest changes of tonight's decisions against the night without scenarios."""
    moved = tonight[tonight.change.abs() >= 0.005]
    if moved.empty:
        console.print("Tonight's decision is that of the night without scenarios.")
        return
    lent = tonight[tonight.decision == "lend"]
    console.print(f"Lent tonight: {amount(lent.amount.sum())} {unit}, without scenarios {amount(lent.without.sum())} "
                  f"{unit}; decisions that change most:")  # fmt: skip
    names = [name for name in tonight if name not in ("amount", "without", "change")]
    top = moved.reindex(moved.change.abs().sort_values(ascending=False, kind="stable").index[:MOST])
    heads = ["decision", f"tonight, {unit}", "without", "change"]
    show(console, heads, [row_of(row, names) for row in top.to_dict("records")])


def row_of(row: Mapping[Any, Any], names: list[Any]) -> tuple[str, ...]:
    """A decision by its labels, what it is tonight and without scenarios, and the change, in millions."""
    labels = " ".join(str(row[name]) for name in names if not pd.isna(row[name]))
    return labels, amount(row["amount"]), amount(row["without"]), f"{row['change'] / MILLION:+,.3f}"


def amount(value: float) -> str:
    """Millions; a dash where there is no number."""
    return "–" if pd.isna(value) or abs(value) == float("inf") else f"{value / MILLION + 0.0:,.3f}"


def show(console: Console, heads: list[str], rows: list[tuple[str, ...]]) -> None:
    """A table whose first column is text."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=not number)
    for row in rows:
        table.add_row(*row)
    console.print(table)
