"""`liquidity sweep`: many macro paths drawn around a scenario's own, each re-optimised, into one run folder.

Finished chunks of draws are kept beside the folder until it is whole, in a journal of the run's id: a run that was
stopped goes on where it was, and gives the same bits as one that was not.
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
from liquidity.runs.fan_out import fan_out
from liquidity.runs.night import Say, check_fit, quiet
from liquidity.runs.nightly import FOLDER, Job, read_inputs
from liquidity.runs.record import existing, run_id, versions, whole, write_inputs, write_json
from liquidity.runs.stress import SATELLITES, Bar, digest, silent
from liquidity.runs.sweep_figures import exit_code, figures, scenario_table
from liquidity.runs.swept import Ground, Task, solve_draw, sweep_chunk
from liquidity.scenarios.apply import apply
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.neighbours import Chunk, layout
from liquidity.scenarios.paths import Noises, draw_paths, read_noises
from liquidity.scenarios.projections import with_night
from liquidity.scenarios.satellites import Satellites, read_satellites
from liquidity.scenarios.scenario import Told, read_scenario

NOISES = Path("models/macro_noise.toml")
RESULT = "sweep.nc"


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
    """What a job comes to before anything is solved: inputs, paths, chunks, and the id of it all."""

    book: Book
    rulebook: Rulebook
    satellites: Satellites
    noises: Noises
    around: Told
    paths: tuple[Macro, ...]
    chunks: tuple[Chunk, ...]
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
    with clock.phase("night"):
        ground = lay_ground(planned)
    say(f"night without a scenario and the path itself solved in {clock.seconds['night']['wall']:.1f} s")
    journal = Journal(target, planned.identity)
    with clock.phase("draws"):
        solve_all(planned, ground, journal, job, bar, say)
    result = journal.together(planned.chunks)
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
    chunks = layout(paths, around.macro, satellites, book)
    identity = run_id(book, rulebook, "", {"sweep": inputs})
    return Planned(book, rulebook, satellites, noises, around, tuple(paths), tuple(chunks), identity)


def path_digest(paths: Sequence[Macro]) -> str:
    """What macro paths come to: sha256 of their names and numbers."""
    content = hashlib.sha256()
    for path in paths:
        for name in sorted(path.values):
            content.update(name.encode() + np.ascontiguousarray(path.values[name], "<f8").tobytes())
    return content.hexdigest()


def lay_ground(planned: Planned) -> Ground:
    """The night without a scenario, then the path that all are drawn around, from whose basis the chunks start.

    Where that path has no plan of the night's own rows, the chunks start from the night.
    """
    setting, _ = with_night(planned.book, planned.rulebook)
    macro = planned.around.macro
    assert macro is not None  # or there would be no draws
    moved = tuple(one.of for one in planned.noises.moving(macro))
    ground = Ground(planned.book, planned.rulebook, planned.satellites, planned.around, setting.base, setting.start,
                    setting.worth, moved)  # fmt: skip
    try:
        centre = solve_draw(ground, macro, ground.start)
    except SolverFailed:
        return ground
    if centre.pool.cautious:
        return ground
    return replace(ground, base=centre.program, start=centre.start)


def solve_all(planned: Planned, ground: Ground, journal: Journal, job: SweepJob, bar: Bar | None, say: Say) -> None:
    """Solve the chunks that the journal does not have, and put each into it as it comes."""
    left = [chunk for chunk in planned.chunks if not journal.has(chunk)]
    ready = sum(len(chunk.draws) for chunk in planned.chunks) - sum(len(chunk.draws) for chunk in left)
    if ready:
        say(f"{ready} of {len(planned.paths)} draws were solved before the run was stopped; going on")
    tasks = [Task(chunk, tuple(planned.paths[draw] for draw in chunk.draws)) for chunk in left]

    def keep(task: Task, found: xr.Dataset) -> None:
        journal.put(task.chunk, found)

    hear: Hear
    with (bar or silent)(len(tasks)) as hear:
        fan_out(sweep_chunk, ground, tasks, workers=job.workers, cluster=job.cluster, told=hear, keep=keep)


class Journal:
    """Finished chunks of a run beside its folder, one file each, whole or not there."""

    def __init__(self, target: Path, identity: str) -> None:
        self.folder = target.parent / f".{target.name}.{identity}.journal"

    def file(self, chunk: Chunk) -> Path:
        """Where a chunk is kept."""
        return self.folder / f"{chunk.number:05d}.nc"

    def has(self, chunk: Chunk) -> bool:
        """Whether the chunk is finished."""
        return self.file(chunk).exists()

    def put(self, chunk: Chunk, found: xr.Dataset) -> None:
        """Keep a finished chunk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{chunk.number:05d}.{os.getpid()}"
        found.to_netcdf(draft, engine="netcdf4")
        os.replace(draft, self.file(chunk))

    def together(self, chunks: Sequence[Chunk]) -> xr.Dataset:
        """All chunks as one Dataset, in the order of the draws."""
        parts = [xr.load_dataset(self.file(chunk), engine="netcdf4") for chunk in chunks]
        return xr.concat(parts, "scenario", data_vars="minimal", join="exact").sortby("scenario")

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
        "draws": job.draws, "seed": job.seed, "chunks": len(planned.chunks), "noises": planned.noises.file,
        "satellites": planned.satellites.file, "net_worth_of_the_night": ground.worth, "figures": figures(result),
        "versions": versions(), "status": "optimal", "exit_code": exit_code(result),
    }  # fmt: skip
