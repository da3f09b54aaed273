"""`liquidity verify`: published cases, their figures and ours."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from liquidity.program.cases import CASES
from liquidity.program.cases_kit import Case
from liquidity.scenarios.cases import SCENARIO_CASES
from liquidity.scenarios.cases_two_stage import TWO_STAGE_CASES

ALL_CASES = (*CASES, *TWO_STAGE_CASES, *SCENARIO_CASES)
COLUMNS = ("case", "figure", "published", "own", "unit", "error", "source", "ok")


def verify(cases: Iterable[Case] = ALL_CASES) -> pd.DataFrame:
    """Solve every published case and hold its figures against ours.

    One row a figure: case, figure, published, own (both in `unit`), unit, error (own - published), source, ok (the
    error is within half a unit of the last digit printed).  Raises SolverFailed where a case has no optimum, KeyError
    where a case does not give a figure it names.
    """
    rows = []
    for case in cases:
        found = case.solve()
        for figure in case.figures:
            own = found[figure.name]
            error = own - figure.published
            close = abs(error) <= figure.tolerance
            rows.append((case.name, figure.name, figure.published, own, figure.unit, error, case.source, close))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def print_cases(frame: pd.DataFrame, console: Console | None = None) -> None:
    """Print what `verify` gave: the figures of each case under its source, and how many of them agree."""
    console = console or Console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("figure", "published", "own", "unit", "error", "ok"):
        table.add_column(name, justify="right" if name in ("published", "own", "error") else "left", no_wrap=True)
    for case, figures in frame.groupby("case", sort=False):
        table.add_row(f"[bold]{case}[/bold]")
        for row in figures.itertuples(index=False):
            verdict = "[green]yes[/green]" if row.ok else "[red]no[/red]"
            numbers = (f"{row.published:,.9g}", f"{row.own:,.8g}")
            table.add_row(f"  {row.figure}", *numbers, str(row.unit), f"{row.error:.1e}", verdict)
    console.print(table)
    for case, figures in frame.groupby("case", sort=False):
        console.print(f"{case}: {figures.source.iloc[0]}", highlight=False)
    console.print(f"{int(frame.ok.sum())} of {len(frame)} figures agree to half a unit of the last digit printed.")
