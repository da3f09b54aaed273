"""`liquidity sweep`: many macro paths drawn around a scenario's own, each re-optimised, into one run folder.

Finished tasks, a few draws each, are kept beside the folder until it is whole, in a journal of the run's id: a run
that was stopped goes on where it was, and gives the same bits as one that was not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from liquidity.book import Book
from liquidity.errors import SolverFailed
from liquidity.report.sweep import write_sweep
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.clock import Clock
from liquidity.runs.fan_out import Told as Hear
from liquidity.runs.fan_out import Workers, fan_out, open_workers
from liquidity.runs.night import Say, check_fit, quiet
from liquidity.runs.nightly import FOLDER, Job, read_inputs
from liquidity.runs.record import existing, run_id, versions, whole, write_inputs, write_json
from liquidity.runs.stress import SATELLITES, Bar, digest, silent
from liquidity.runs.sweep_figures import exit_code, figures, scenario_table
from liquidity.runs.swept import Ground, Reader, Task, solve_draw, sweep_some
from liquidity.scenarios.apply import apply
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.paths import Noises, draw_paths, read_noises
from liquidity.scenarios.projections import with_night
from liquidity.scenarios.satellites import Satellites, read_satellites
from liquidity.scenarios.scenario import Told, read_scenario

NOISES = Path("models/macro_noise.toml")
RESULT = "sweep.nc"
TOGETHER = 2
"""Draws in a task: what a worker that dies may lose."""


@dataclass(frozen=True)
class SweepJob:
    """What the command line asks for."""

    rulebook: Path
    around: Path
    draws: int = 200
    seed: int = 0
    satellites: Path = SATELLITES
    noises: Path = NOISES
    book: str | None = None
    out: Path | None = None
    workers: int = 1
    cluster: str | None = None


@dataclass(frozen=True)
class Planned:
    """What a job comes to before anything is solved: inputs, tasks, and the id of it all."""

    book: Book
    rulebook: Rulebook
    satellites: Satellites
    noises: Noises
    around: Told
    tasks: tuple[Task, ...]
    identity: str


def run_sweep(job: SweepJob, bar: Bar | None = None, say: Say = quiet) -> tuple[dict[str, Any], Path]:
    """Solve all draws; returns the record and the run folder.

    The same inputs again return the run that is there, or go on with the one that was stopped; workers and cluster
    change nothing in it. Raises BadInput before anything is written, SolverFailed where the night without a scenario
    has no plan.
    """
    clock = Clock()
    with clock.phase("read"):
        planned = plan_sweep(job)
    target = job.out or FOLDER / f"sweep-{planned.book.as_of.isoformat()}-{planned.identity}"
    found = existing(target, planned.identity)
    if found is not None:
        say("these inputs were run before; this is that run")
        return found, target
    journal = Journal(target, planned.identity)
    with open_workers(job.workers, job.cluster, imports=sweep_some.__module__) as workers:
        with clock.phase("night"):
            ground = lay_ground(planned)
        say(f"night without a scenario and the path itself solved in {clock.seconds['night']['wall']:.1f} s")
        with clock.phase("draws"):
            solve_all(planned, ground, journal, workers, bar, say)
    result = journal.together(planned.tasks)
    record = record_of(planned, ground, result, job)
    with whole(target) as folder:
        write_inputs(planned.book, planned.rulebook, folder)
        result.to_netcdf(folder / RESULT, engine="netcdf4")
        (folder / "tables").mkdir()
        scenario_table(result).to_csv(folder / "tables" / "scenarios.csv", index=False, lineterminator="\n")
        write_sweep(record, result, folder / "sweep.html")
        write_json({**record, "seconds": clock.seconds}, folder / "run.json")
    journal.drop()
    return {**record, "seconds": clock.seconds}, target


def plan_sweep(job: SweepJob) -> Planned:
    """Read and check everything, draw the paths, lay out the chunks."""
    rulebook, book = read_inputs(Job(job.rulebook, job.book))
    around, satellites, noises = read_scenario(job.around), read_satellites(job.satellites), read_noises(job.noises)
    centre = apply(around, satellites, book, rulebook)
    check_fit(book, centre.rulebook)
    paths = draw_paths(around, noises, job.draws, job.seed)
    assert around.macro is not None  # or there would be no path to draw around
    inputs = {"around": digest(centre), "scenario": around.scenario.model_dump(mode="json"), "draws": job.draws,
              "seed": job.seed, "satellites": [one.model_dump(mode="json") for one in satellites.models],
              "paths": path_digest([around.macro, *paths])}  # fmt: skip
    identity = run_id(book, rulebook, "", {"sweep": inputs})
    tasks = tuple(Task(tuple(some), tuple(paths[draw] for draw in some)) for some in batched(job.draws))
    return Planned(book, rulebook, satellites, noises, around, tasks, identity)


def batched(count: int) -> list[range]:
    """Draws 0 to count - 1, a few at a time."""
    return [range(first, min(first + TOGETHER, count)) for first in range(0, count, TOGETHER)]


def path_digest(paths: Sequence[Macro]) -> str:
    """What macro paths come to: sha256 of their names and numbers."""
    content = hashlib.sha256()
    for path in paths:
        for name in sorted(path.values):
            content.update(name.encode() + np.ascontiguousarray(path.values[name], "<f8").tobytes())
    return content.hexdigest()


def lay_ground(planned: Planned) -> Ground:
    """The night without a scenario, then the path that all are drawn around, from where every draw starts.

    A draw's nearest neighbour is solved no sooner from that neighbour than from the middle of all of them
    (`benchmarks/prove_sweep.py`), and so no draw waits for another. Where the middle has no plan, or other rows than
    the draws, they start from the night.
    """
    setting, night = with_night(planned.book, planned.rulebook)
    macro = planned.around.macro
    assert macro is not None  # or there would be no draws
    ground = Ground(planned.book, planned.rulebook, planned.satellites, planned.around, setting.worth,
                    tuple(one.of for one in planned.noises.moving(macro)), setting.base, setting.start,
                    Reader(night.pool, night.program))  # fmt: skip
    try:
        middle = solve_draw(ground, macro)
    except SolverFailed:
        return ground
    if middle.pool.cautious or middle.events:
        return ground
    return replace(ground, base=middle.program, start=middle.solved.start, reader=Reader(middle.pool, middle.program))


def solve_all(planned: Planned, ground: Ground, journal: Journal, workers: Workers | None, bar: Bar | None,
              say: Say) -> None:  # fmt: skip
    """Solve the tasks that the journal does not have, and put each into it as it comes."""
    left = [task for task in planned.tasks if not journal.has(task)]
    draws, open_ = (sum(len(task.draws) for task in tasks) for tasks in (planned.tasks, left))
    if open_ < draws:
        say(f"{draws - open_} of {draws} draws were solved before the run was stopped; going on")
    hear: Hear
    with (bar or silent)(len(left)) as hear:
        fan_out(sweep_some, ground, left, workers, told=hear, keep=journal.put)


class Journal:
    """Finished tasks of a run beside its folder, one file each, whole or not there."""

    def __init__(self, target: Path, identity: str) -> None:
        self.folder = target.parent / f".{target.name}.{identity}.journal"

    def file(self, task: Task) -> Path:
        """Where the draws of a task are kept."""
        return self.folder / f"{task.draws[0]:06d}.nc"

    def has(self, task: Task) -> bool:
        """Whether the task is finished."""
        return self.file(task).exists()

    def put(self, task: Task, found: xr.Dataset) -> None:
        """Keep what a task came to."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{task.draws[0]:06d}.{os.getpid()}"
        found.to_netcdf(draft, engine="netcdf4")
        os.replace(draft, self.file(task))

    def together(self, tasks: Sequence[Task]) -> xr.Dataset:
        """All draws as one Dataset, in their order."""
        parts = [xr.load_dataset(self.file(task), engine="netcdf4") for task in tasks]
        return xr.concat(parts, "scenario", data_vars="minimal", join="exact")

    def drop(self) -> None:
        """Remove the journal of a run that is whole."""
        shutil.rmtree(self.folder)


def record_of(planned: Planned, ground: Ground, result: xr.Dataset, job: SweepJob) -> dict[str, Any]:
    """The record of the run; amounts in CNY."""
    book, rulebook, around = planned.book, planned.rulebook, planned.around
    return {
        "id": planned.identity, "kind": "sweep", "as_of": book.as_of.isoformat(), "currency": book.currency,
        "rulebook": rulebook.name, "rulebook_digest": rulebook.digest, "book_digest": book.digest,
        "around": around.name, "title": {str(lang): text for lang, text in around.scenario.title.items()},
        "draws": job.draws, "seed": job.seed, "noises": planned.noises.file,
        "satellites": planned.satellites.file, "net_worth_of_the_night": ground.worth, "figures": figures(result),
        "versions": versions(), "status": "optimal", "exit_code": exit_code(result),
    }  # fmt: skip
