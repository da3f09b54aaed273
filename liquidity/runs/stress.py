"""`liquidity stress`: every scenario on tonight's book, three ways, into one run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from liquidity.errors import BadInput, Problem
from liquidity.program.shocks import Shocks
from liquidity.report.stress import Stressed, write_stress
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.clock import Clock
from liquidity.runs.fan_out import Told, fan_out, open_workers
from liquidity.runs.night import Say, check_fit, quiet
from liquidity.runs.nightly import FOLDER, Job, read_inputs
from liquidity.runs.record import existing, run_id, versions, whole, write_inputs, write_json, write_tables
from liquidity.runs.stressed import Outcome, stress_one
from liquidity.scenarios.apply import Applied, apply
from liquidity.scenarios.projections import with_night
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import read_scenarios

SCENARIOS = Path("data/scenarios")
SATELLITES = Path("models/satellites.toml")
NONE = "no_scenario"
TITLE = {"en": "No scenario", "zh": "无压力情景"}
TABLES = ("summary", "breaches", "capital", "reasons", "drivers")
Bar = Callable[[int], AbstractContextManager[Told]]


@dataclass(frozen=True)
class StressJob:
    """What the command line asks for."""

    rulebook: Path
    scenarios: tuple[Path, ...] = (SCENARIOS,)
    satellites: Path = SATELLITES
    book: str | None = None
    out: Path | None = None
    workers: int = 1
    cluster: str | None = None


def run_stress(job: StressJob, bar: Bar | None = None, say: Say = quiet) -> tuple[dict[str, Any], Path]:
    """Run all scenarios; returns the record and the run folder.

    The same inputs again return the run that is there; workers and cluster change nothing in it. Raises BadInput before
    anything is written, SolverFailed where the night without a scenario has no plan.
    """
    clock = Clock()
    with clock.phase("read"):
        rulebook, book = read_inputs(Job(job.rulebook, job.book))
        told, models = read_scenarios(list(job.scenarios)), read_satellites(job.satellites)
        if any(one.name == NONE for one in told):
            raise BadInput(Problem("scenarios", NONE, "name", NONE, "another name, this one is the night itself"))
        applied = [night_itself(rulebook), *(apply(one, models, book, rulebook) for one in told)]
        for one in applied:
            check_fit(book, one.rulebook)
    digests = {one.name: digest(one) for one in applied}
    identity = run_id(book, rulebook, "", {"stress": digests})
    target = job.out or FOLDER / f"stress-{book.as_of.isoformat()}-{identity}"
    found = existing(target, identity)
    if found is not None:
        say("these inputs were run before; this is that run")
        return found, target
    with open_workers(job.workers, job.cluster, imports=stress_one.__module__) as workers:
        with clock.phase("night"):
            setting, _ = with_night(book, rulebook)
        say(f"night without a scenario solved in {clock.seconds['night']['wall']:.1f} s")
        with clock.phase("scenarios"), (bar or silent)(len(applied)) as done:
            outcomes = fan_out(stress_one, setting, applied, workers, name=lambda one: one.name, told=done)
    tables = gathered(outcomes)
    record = {
        "id": identity, "as_of": book.as_of.isoformat(), "currency": book.currency, "rulebook": rulebook.name,
        "rulebook_digest": rulebook.digest, "book_digest": book.digest, "scenarios": digests, "kind": "stress",
        "titles": {one.name: one.title for one in applied}, "notes": {one.name: list(one.notes) for one in applied},
        "satellites": models.file, "versions": versions(), "status": "optimal", "checks": checks(tables),
        "exit_code": exit_code(tables["summary"]),
    }  # fmt: skip
    with whole(target) as folder:
        write_inputs(book, rulebook, folder)
        write_tables(tables, folder / "tables")
        together(outcomes).to_netcdf(folder / "stress.nc", engine="netcdf4")
        write_stress(Stressed(record, tables, {one.name: one.paths for one in outcomes}), folder / "stress.html")
        write_json({**record, "seconds": clock.seconds}, folder / "run.json")
    return {**record, "seconds": clock.seconds}, target


def silent(_: int) -> AbstractContextManager[Told]:
    """No progress shown."""
    return nullcontext(lambda _: None)


def night_itself(rulebook: Rulebook) -> Applied:
    """The night without a scenario, told beside them."""
    return Applied(NONE, TITLE, Shocks(NONE), rulebook, rulebook, ())


def digest(applied: Applied) -> str:
    """What an applied scenario comes to: its shocks and rules, first 12 hex digits of sha256."""
    content = hashlib.sha256(applied.rulebook.digest.encode())
    for name in sorted(applied.shocks.arrays):
        array = applied.shocks.arrays[name]
        content.update(name.encode())
        for dim in array.dims:
            content.update(repr(array[dim].values.tolist()).encode())
        content.update(array.values.astype("<f8").tobytes())
    return content.hexdigest()[:12]


def gathered(outcomes: list[Outcome]) -> dict[str, pd.DataFrame]:
    """The tables of all scenarios, money in whole fen."""
    out = {}
    for name in TABLES:
        parts = [getattr(one, name) for one in outcomes]
        table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        if "scenario" in table:
            table = table[["scenario", *(column for column in table.columns if column != "scenario")]]
        out[name] = table
    money = ["net_worth", "change", "equity_least", "equity_end", "freed_tonight", "relent_tonight", "freed_30d",
             "relent_30d"]  # fmt: skip
    out["summary"][money] = out["summary"][money].astype(float).round(2) + 0.0
    return out


def together(outcomes: list[Outcome]) -> xr.Dataset:
    """Paths of all scenarios as one Dataset, dims scenario, projection, period; CNY."""
    parts = [one.paths.expand_dims(scenario=[one.name]) for one in outcomes if one.paths.sizes]
    return xr.concat(parts, "scenario", join="outer") if parts else xr.Dataset()


def checks(tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    """The largest miss of the parts of a change, CNY."""
    free = tables["summary"].query("projection == 'reoptimise'").set_index("scenario").change
    if tables["drivers"].empty:
        return {"drivers_gap": 0.0}
    parts = tables["drivers"].groupby("scenario").amount.sum()
    return {"drivers_gap": float((parts - free.reindex(parts.index)).abs().max())}


def exit_code(summary: pd.DataFrame) -> int:
    """4 a projection has no plan, 3 some rule had to give way, 0 neither."""
    if (summary.status == "failed").any():
        return 4
    return 3 if (summary.gave_way.fillna("") != "").any() else 0
