"""Runs measurements one after the other and writes the tables. A time-out or a failure is a row like any other."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liquidity.bench.cases import CASES
from liquidity.bench.noise import reference_seconds
from liquidity.bench.page import write_page
from liquidity.bench.solvers import SOLVERS
from liquidity.bench.warm import STARTS
from liquidity.errors import BadInput, Problem

STEPS = ["build_s", "compile_s", "handover_s"]
ROUTE_NAMES = ("ours", "refill", "pyomo_standard_form", "pyomo_appsi", "pyomo_contrib")
CORE_ROUTES = ("ours", "numpy", "linopy")
SUBJECTS = {"compile": (*ROUTE_NAMES, *CORE_ROUTES[1:]), "solve": tuple(SOLVERS), "warm": STARTS,
            "night": ("night",), "issues": ("branch_and_bound",)}  # fmt: skip
FIRST = ["phase", "case", "what", "repeat", "status", "cpu_s", "wall_s", "peak_mb", "reference_s"]
LAST = ["rows", "columns", "nonzeros", "objective", "violation", "error"]
SHIFT = 10.0
"Seconds of the shifted geometric mean, as is usual for solver benchmarks."
PACKAGES = ("pyomo", "highspy", "numpy", "scipy", "linopy", "pyscipopt", "clarabel", "ortools")
Say = Callable[[str], None]


def run_bench(phase: str, cases: Sequence[str], subjects: Sequence[str], rulebook: Path, repeat: int, limit: float,
              say: Say) -> pd.DataFrame:  # fmt: skip
    """Measure every case by every route or solver, `repeat` times; `limit` in wall seconds. CPU seconds in `cpu_s`.

    `reference_s` is what a fixed piece of work cost just before: how fast the machine was then. Raises BadInput for a
    name that is not known.
    """
    check([phase], SUBJECTS, "phase")
    check(cases, CASES, "case")
    check(subjects, SUBJECTS[phase], {"compile": "route", "solve": "solver", "warm": "start"}.get(phase, "phase"))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            name = export(case, rulebook, Path(folder)) if phase == "solve" else case
            for number in range(repeat):
                for what in subjects or default(phase, case):
                    measured = one(phase, name, what, rulebook, limit)
                    rows.append({"phase": phase, "case": case, "what": what, "repeat": number,
                                 "reference_s": reference_seconds(), **measured})  # fmt: skip
                    say(f"{case} {what}: {measured['status']}, {measured.get('cpu_s', float('nan')):.3f} CPU s")
    table = pd.DataFrame(rows)
    middle = [name for name in table.columns if name not in (*FIRST, *LAST)]
    return table.reindex(columns=[*FIRST, *middle, *LAST])


def default(phase: str, case: str) -> Sequence[str]:
    """What is measured where nothing is named: the references are written for the core cases only."""
    if phase != "compile":
        return SUBJECTS[phase]
    return CORE_ROUTES if CASES[case].core else ROUTE_NAMES


def check(names: Sequence[str], known: Any, what: str) -> None:
    """Every name must be known."""
    bad = [name for name in names if name not in known]
    if bad:
        raise BadInput([Problem("bench", name, what, name, f"one of {', '.join(known)}") for name in bad])


def export(case: str, rulebook: Path, folder: Path) -> str:
    """Write the program of a case for the solvers."""
    target = folder / f"{case}.npz"
    command = [sys.executable, "-m", "liquidity.bench.child", "export", case, str(rulebook), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadInput(Problem("bench", case, "case", (done.stderr.strip().splitlines() or [""])[-1], "a program"))
    return str(target)


def one(phase: str, case: str, what: str, rulebook: Path, limit: float) -> dict[str, Any]:
    """One measurement in a fresh process of one thread. A solver is asked to keep the limit itself, and ended later."""
    command = [sys.executable, "-m", "liquidity.bench.child", phase, case, what, str(rulebook), str(limit)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    patience = 1.2 * limit + 20 if phase == "solve" else limit
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return {"status": "time-out", "error": f"more than {limit:g} s"}
    if done.returncode:
        return {"status": "failed", "error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if phase == "compile":
        found["cpu_s"] = sum(found.get(step, 0.0) for step in STEPS)
    return found


def summary(table: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Median CPU seconds by case and route or solver, and how many times as much as the first one of the case.

    What did not end counts with the limit in the shifted geometric mean over the cases (`mean_s`, shift 10 s), and is
    counted.
    """
    counted = table.assign(counted=table.cpu_s.where(table.status == "ok", limit))
    out = table[table.status == "ok"].groupby(["case", "what"], sort=False).agg(
        cpu_s=("cpu_s", "median"), peak_mb=("peak_mb", "median"), nonzeros=("nonzeros", "max")
    )  # fmt: skip
    every = pd.MultiIndex.from_frame(table[["case", "what"]].drop_duplicates())
    out = out.reindex(every).reset_index()
    first = out.groupby("case", sort=False).cpu_s.transform("first")
    out["times_first"] = out.cpu_s / first
    bad = (table.status != "ok").groupby([table.case, table.what]).sum()
    out["not_ended"] = [int(bad[case, what]) for case, what in zip(out.case, out.what)]
    mean = counted.groupby("what").counted.agg(shifted_mean)
    out["mean_s"] = out.what.map(mean)
    return out


def shifted_mean(seconds: pd.Series) -> float:
    """Shifted geometric mean, seconds."""
    return float(np.exp(np.log(seconds + SHIFT).mean()) - SHIFT)


def machine() -> dict[str, str]:
    """What was measured on, and with what."""
    found = {"python": platform.python_version(), "processors": str(os.cpu_count()), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def write_tables(table: pd.DataFrame, limit: float, folder: Path, name: str) -> None:
    """`<name>.csv`, `<name>-summary.csv` and the page `<name>.html`, each moved into place when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    made = summary(table, limit)
    for label, write in (
        (f"{name}.csv", lambda path: table.to_csv(path, index=False, float_format="%.6g")),
        (f"{name}-summary.csv", lambda path: made.to_csv(path, index=False, float_format="%.4g")),
        (f"{name}.html", lambda path: write_page(path, name, table, made, machine(), limit)),
    ):
        part = folder / f".{label}.part"
        write(part)
        part.replace(folder / label)
