"""A fit on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from liquidity.report.fit import amount
from liquidity.runs.fit import MODELS, PAGE


def print_fit(record: Mapping[str, Any], folder: Path, as_json: bool, console: Console) -> None:
    """Every series with its figures, and where the models lie."""
    if as_json:
        print(json.dumps({**record, "folder": str(folder)}, ensure_ascii=False, sort_keys=True))
        return
    ahead, until = record["options"]["ahead"], record["until"]
    keys = ["rmse_in", "rmse_out", "rmse_naive", *(["rmse_held", "rmse_held_naive"] if until else [])]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("series", overflow="fold")
    for name in ("n", "R2", "DW", "in", "out", "last", *(("held", "last") if until else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for one in record["series"]:
        errors = [amount(one[key], one["unit"]) for key in keys]
        name = one["name"] if one["model"] else f"{one['name']}: no model, a constant does as well"
        table.add_row(name, str(one["quarters"]), f"{one['r2']:.2f}", f"{one['durbin_watson']:.2f}", *errors)
    console.print(table)
    held = f", of one forecast from {until} to the end and of its last value" if until else ""
    console.print("n quarters; DW Durbin-Watson; errors: in sample, out of sample "
                  f"1 to {ahead} quarters ahead, of the last value{held}")  # fmt: skip
    for one in record["series"]:
        if one["missing"]:
            console.print(f"{one['name']}: {', '.join(one['missing'])} not in {record['macro']} in these quarters")
    console.print(f"Models: {folder / MODELS} (liquidity stress --satellites {folder / MODELS})")
    console.print(f"Page: {folder / PAGE}")
