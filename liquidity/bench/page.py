"""The page of a benchmark: what was measured, on what, how it compares, and a performance profile."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

WIDTH, HEIGHT, MARGIN = 760, 380, 48
COLOURS = ("#1b6ca8", "#d1495b", "#3a7d44", "#8d5a97", "#c17817", "#4a4e69", "#00798c", "#a44a3f")
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ddd}
th{border-bottom:2px solid #888}.bad{color:#b00020}svg{background:#fafafa}"""


def write_page(target: Path, name: str, table: pd.DataFrame, summary: pd.DataFrame, machine: Mapping[str, str],
               limit: float) -> None:  # fmt: skip
    """Write the page to `target`."""
    noise = table.reference_s
    facts = ", ".join(f"{key} {value}" for key, value in machine.items())
    bad = table[table.status != "ok"]
    failures = "".join(
        f"<li class=bad>{escape(f'{row.case} {row.what}: {row.status} ({row.error})')}</li>"
        for row in bad.drop_duplicates(["case", "what", "status"]).itertuples()
    )
    shown = summary.to_html(index=False, float_format=lambda value: f"{value:,.3g}", na_rep="", border=0)
    target.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><style>{STYLE}</style>"
        f"<h1>Benchmark: {escape(name)}</h1><p>{escape(facts)}.</p>"
        f"<p>CPU seconds; limit {limit:g} s. `times_first` compares with the first line of the case, `mean_s` is the "
        f"geometric mean over all measurements, shifted by 10 s, what did not end counting with the limit. The same "
        f"piece of work cost {noise.min():.3f} to {noise.max():.3f} CPU s during the run: ratios closer than "
        f"{noise.max() / noise.min():.2f} are noise.</p>{shown}<ul>{failures}</ul>"
        f"<h2>Performance profile</h2><p>Part of the measurements (up) that cost at most so many times (across, "
        f"logarithmic) what the cheapest did in the same case and round.</p>{profile(table)}</html>",
        encoding="utf-8",
    )


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Cost over the cheapest of the same case and round, by route or solver; infinite where it did not end."""
    cost = table.assign(cost=table.cpu_s.where(table.status == "ok", np.inf)).pivot(
        index=["case", "repeat"], columns="what", values="cost"
    )
    return cost.div(cost.min(axis=1), axis=0)


def profile(table: pd.DataFrame) -> str:
    """The performance profile of Dolan and More (2002) as SVG."""
    found = ratios(table)
    finite = found.to_numpy()[np.isfinite(found.to_numpy())]
    most = max(2.0, 1.1 * float(finite.max(initial=1.0)))
    wide, high = WIDTH - 4 * MARGIN, HEIGHT - 2 * MARGIN

    def place(ratio: float, part: float) -> str:
        return f"{MARGIN + wide * np.log(ratio) / np.log(most):.1f},{HEIGHT - MARGIN - high * part:.1f}"

    lines = []
    for number, what in enumerate(sorted(found.columns)):
        known = found[what].dropna().to_numpy()
        steps, part = [place(1.0, float((known <= 1.0).mean()))], 0.0
        for ratio in np.unique(known[np.isfinite(known)]):
            steps.append(place(ratio, part if ratio > 1 else float((known <= 1.0).mean())))
            part = float((known <= ratio).mean())
            steps.append(place(ratio, part))
        steps.append(place(most, part))
        colour, y = COLOURS[number % len(COLOURS)], MARGIN + 20 * number
        lines.append(
            f'<polyline fill=none stroke="{colour}" stroke-width=2 points="{" ".join(steps)}"/>'
            f'<text x="{WIDTH - 2.8 * MARGIN:.0f}" y="{y}" fill="{colour}">{escape(str(what))}</text>'
        )
    marks = [10.0**power for power in range(int(np.log10(most)) + 1)]
    axis = "".join(
        f'<text x="{place(mark, 0).split(",")[0]}" y="{HEIGHT - MARGIN + 18}" text-anchor=middle>{mark:g}x</text>'
        for mark in marks
    )
    frame = f'<path fill=none stroke="#888" d="M{place(1, 1)} L{place(1, 0)} L{place(most, 0)}"/>'
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width={WIDTH} font-size=13>{frame}{axis}{"".join(lines)}</svg>'
