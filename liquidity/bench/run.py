"""Runs measurements one after the other and writes the table. A time-out or a failure is a row like any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from liquidity.bench.cases import CASES
from liquidity.errors import BadInput, Problem

STEPS = ["build_s", "compile_s", "handover_s"]
COLUMNS = ["case", "route", "repeat", "status", "prepare_s", *STEPS, "cpu_s", "wall_s", "peak_mb", "rows", "columns",
           "nonzeros", "error"]  # fmt: skip
ROUTE_NAMES = ("ours", "refill", "pyomo_standard_form", "pyomo_appsi", "pyomo_contrib")


def run_bench(cases: Sequence[str], routes: Sequence[str], rulebook: Path, repeat: int, limit: float,
              say: Callable[[str], None]) -> pd.DataFrame:  # fmt: skip
    """Measure every case by every route, `repeat` times; `limit` in wall seconds. CPU seconds in `cpu_s`.

    Raises BadInput for a name that is not known.
    """
    check(cases, CASES, "case")
    check(routes, ROUTE_NAMES, "route")
    rows = []
    for case in cases:
        for number in range(repeat):
            for route in routes:
                rows.append({"case": case, "route": route, "repeat": number, **one(case, route, rulebook, limit)})
                say(f"{case} {route}: {rows[-1]['status']}, {rows[-1].get('cpu_s', float('nan')):.3f} CPU s")
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def check(names: Sequence[str], known: Any, what: str) -> None:
    """Every name must be known."""
    bad = [name for name in names if name not in known]
    if bad:
        raise BadInput([Problem("bench", name, what, name, f"one of {', '.join(known)}") for name in bad])


def one(case: str, route: str, rulebook: Path, limit: float) -> dict[str, Any]:
    """One measurement in a fresh process of one thread."""
    command = [sys.executable, "-m", "liquidity.bench.child", case, route, str(rulebook)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return {"status": "time-out", "error": f"more than {limit:g} s"}
    if done.returncode:
        return {"status": "failed", "error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    found = json.loads(done.stdout)
    return {"status": "ok", "cpu_s": sum(found.get(step, 0.0) for step in STEPS), **found}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Median CPU seconds by case and route, and how many times as much as `ours` of the same run; failures counted."""
    out = table.groupby(["case", "route"], sort=False).agg(
        cpu_s=("cpu_s", "median"), peak_mb=("peak_mb", "median"), nonzeros=("nonzeros", "max"),
        not_ended=("status", lambda status: int((status != "ok").sum())),
    )  # fmt: skip
    mine = out.cpu_s.xs("ours", level="route") if "ours" in out.index.get_level_values("route") else None
    out["times_ours"] = float("nan") if mine is None else out.cpu_s / mine.reindex(out.index, level="case")
    return out.reset_index()


def write_tables(table: pd.DataFrame, folder: Path, name: str) -> None:
    """`<name>.csv` and `<name>-summary.csv`, each moved into place when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for label, frame in ((name, table), (f"{name}-summary", summary(table))):
        part = folder / f".{label}.csv.part"
        frame.to_csv(part, index=False, float_format="%.6g")
        part.replace(folder / f"{label}.csv")
