"""The page of a reverse stress: one file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from liquidity.report.canvas import BLUE, RUST, frame
from liquidity.report.html import template

HEIGHT = 220


def write_reverse(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], target: Path) -> None:
    """Write the page to `target` (a file); tables and record as `runs.reverse` makes them."""
    path = tables["path"]
    moved = [name for name, rows in path.groupby("variable", sort=False) if rows.deviation.abs().max() > 0]
    drawn = {"path": str(drawing(path, moved).to_json()).replace("</", "<\\/")} if moved else {}
    target.write_text(template("reverse.html").render(
        record=record, directions=tables["directions"].to_dict("records"), drawn=bool(moved), figures=drawn,
        plotly_js=get_plotlyjs() if moved else "", currency="", decimals=0,
    ), encoding="utf-8")  # fmt: skip


def drawing(path: pd.DataFrame, names: list[Any]) -> go.Figure:
    """Every variable that moves, its start path beside it, units as published."""
    figure = make_subplots(rows=len(names), cols=1, shared_xaxes=True, subplot_titles=[str(name) for name in names])
    for row, name in enumerate(names, 1):
        part = path[path.variable == name]
        for column, colour, dash in (("start", BLUE, "dot"), ("value", RUST, "solid")):
            figure.add_scatter(x=part.quarter.tolist(), y=part[column].tolist(), mode="lines", name=column,
                               line={"color": colour, "dash": dash}, showlegend=row == 1, row=row, col=1)  # fmt: skip
    frame(figure, HEIGHT * len(names))
    return figure
