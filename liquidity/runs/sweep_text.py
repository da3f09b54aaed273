"""A sweep on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from liquidity.report.sweep import WINDOWS, in_order

MILLION = 1e6


def print_sweep(record: Mapping[str, Any], folder: Path, console: Console) -> None:
    """Quantiles of the change of net worth, shares, and the rules that bind or give way; where the run lies."""
    figures, currency = record["figures"], record["currency"]
    console.print(f"{record['draws']} macro paths around {record['around']}, seed {record['seed']}, each re-optimised")
    if figures["change"]:
        console.print(f"Change of net worth against the night without a scenario, {currency} m:")
        console.print(quantiles(figures["change"]))
        for window in WINDOWS:
            share = figures["share"][window]
            when = "tonight" if window == "tonight" else "in 30 days"
            console.print(f"relent {when}: {share['mean']:.1%} of freed on average, {share['least']:.1%} at least")
    console.print(f"some rule gave way in {figures['gave_way_share']:.1%} of the paths")
    if figures["amortised_share"]:
        console.print(f"a trust amortises early in {figures['amortised_share']:.1%} of the paths")
    if figures["failed_share"]:
        console.print(f"no plan was found in {figures['failed_share']:.1%} of the paths")
    if figures["rules"]:
        console.print(rules(figures["rules"]))
    console.print(f"run {record['id']} in {folder}: sweep.html, sweep.nc, tables/")


def quantiles(change: Mapping[str, float]) -> Table:
    """Quantiles, mean and expected shortfall, in millions."""
    table = Table(box=None, pad_edge=False, show_header=False)
    names = {"expected_shortfall": "mean of the worst 5%"}
    for name, amount in in_order(change).items():
        told = names.get(name, f"{int(name[1:])}% quantile" if name[1:].isdigit() else name)
        table.add_row(told, f"{amount / MILLION + 0.0:+,.2f}")
    return table


def rules(found: Mapping[str, Mapping[str, float]]) -> Table:
    """How often each rule binds and gives way, the most frequent first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("rule", no_wrap=True)
    for name in ("binds", "gives way"):
        table.add_column(name, justify="right")
    for name, parts in sorted(found.items(), key=lambda item: (-item[1]["gave_way"], -item[1]["binding"], item[0])):
        table.add_row(name, f"{parts['binding']:.0%}", f"{parts['gave_way']:.0%}")
    return table
