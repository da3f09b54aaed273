"""One process, two, and a Dask scheduler with two workers of its own, one of which is killed: the same answers.

Run: python benchmarks/prove_cluster.py [RULEBOOK] [--draws N] [--scenarios all|NAME,NAME,...]. Runs a sweep serially,
by two processes, and over `dask scheduler` with two `dask worker` processes, of which one is killed (SIGKILL) once the
first task is done and another started in its place; then the scenarios of `liquidity stress` all three ways, where any
are asked for. Prints seconds and whether tables and arrays are the same to the last byte; exit code 1 where they are
not.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from liquidity.runs.stress import StressJob, run_stress
from liquidity.runs.sweep import SweepJob, run_sweep

SCENARIOS = Path("data/scenarios")


class Cluster:
    """A scheduler and its workers, each a process; `kill` ends the worker started first."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self.folder = f"tcp://127.0.0.1:{port}", folder
        self.all: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        for _ in range(2):
            self.add()

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """One `dask` process in a group of its own, so that its children end with it."""
        log = (self.folder / f"{words[0]}-{len(self.all)}.log").open("wb")
        one = subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=log,
                               stderr=log, start_new_session=True)  # fmt: skip
        self.all.append(one)
        return one

    def add(self) -> None:
        """One more worker, without a nanny that would start it again."""
        self.workers.append(self.start("worker", self.url, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                                       "--local-directory", str(self.folder)))  # fmt: skip

    def kill(self) -> None:
        """End the first worker at once, and start another."""
        first = self.workers.pop(0)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        self.add()

    def stop(self) -> None:
        """End everything that was started here."""
        for one in self.all:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
                one.wait()


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that ends with the block."""
    folder.mkdir()
    found = Cluster(folder)
    try:
        yield found
    finally:
        found.stop()


class Killing:
    """A bar of progress that kills a worker once the first task is done."""

    def __init__(self, found: Cluster) -> None:
        self.found, self.done = found, 0

    def __call__(self, _: int) -> Killing:
        return self

    def __enter__(self) -> Callable[[str], None]:
        return self.hear

    def __exit__(self, *_: object) -> None:
        return None

    def hear(self, name: str) -> None:
        """One more task is done."""
        self.done += 1
        if self.done == 1:
            self.found.kill()
            print(f"  killed a worker once {name} was done", flush=True)


def same(one: Path, other: Path, arrays: str) -> bool:
    """Whether two run folders have the same tables and arrays to the last byte and bit."""
    tables = sorted(file.name for file in (one / "tables").iterdir())
    if tables != sorted(file.name for file in (other / "tables").iterdir()):
        return False
    if any((one / "tables" / name).read_bytes() != (other / "tables" / name).read_bytes() for name in tables):
        return False
    a, b = (xr.load_dataset(folder / arrays, engine="netcdf4") for folder in (one, other))
    return bool(a.identical(b)) and all(a[name].values.tobytes() == b[name].values.tobytes()
                                        for name in a.data_vars if a[name].dtype.kind in "fi")  # fmt: skip


def every_way(what: str, run: Callable[..., object], arrays: str, folder: Path) -> bool:
    """Serially, by two processes, then over a cluster that loses a worker; each told as it ends."""
    found_same = True
    for way in ("serial", "2 workers", "scheduler with 2 workers, one killed"):
        begun, out = time.perf_counter(), folder / way.replace(" ", "_")
        if way.startswith("scheduler"):
            with cluster(folder / "dask") as found:
                run(out, Killing(found), cluster=found.url)
        else:
            run(out, None, workers=1 if way == "serial" else 2)
        told = f"{what}: {way}: {time.perf_counter() - begun:.1f} s, its start counted"
        if way != "serial":
            one_same = same(folder / "serial", out, arrays)
            found_same = found_same and one_same
            told += "; the same as serial to the last bit" if one_same else "; NOT THE SAME as serial"
        print(told, flush=True)
    return found_same


def main() -> int:
    """A sweep and, where asked for, stress scenarios; 1 where an answer differs."""
    asked = argparse.ArgumentParser()
    asked.add_argument("rulebook", nargs="?", type=Path, default=Path("models/online_microlender.toml"))
    asked.add_argument("--draws", type=int, default=16)
    asked.add_argument("--around", default="rates_up")
    asked.add_argument("--scenarios", default="", help="names, by comma, that `liquidity stress` runs; all: as shipped")
    given = asked.parse_args()
    around = SCENARIOS / f"{given.around}.toml"
    names = (
        sorted(file.stem for file in SCENARIOS.glob("*.toml"))
        if given.scenarios == "all"
        else given.scenarios.split(",")
    )
    named = tuple(SCENARIOS / f"{name}.toml" for name in names if name)

    def sweep(out: Path, bar: Killing | None, **where: Any) -> object:
        return run_sweep(SweepJob(given.rulebook, around, given.draws, 0, out=out, **where), bar)

    def stress(out: Path, bar: Killing | None, **where: Any) -> object:
        return run_stress(StressJob(given.rulebook, named, out=out, **where), bar)

    met, name = [], given.rulebook.stem
    with tempfile.TemporaryDirectory() as folder:
        for what, run, arrays, wanted in (
            (f"{name}, sweep of {given.draws} draws", sweep, "sweep.nc", given.draws),
            (f"{name}, stress of {len(named)} scenarios and the night", stress, "stress.nc", len(named)),
        ):
            if wanted:
                place = Path(folder) / arrays
                place.mkdir()
                met.append(every_way(what, run, arrays, place))
    print("the same everywhere" if all(met) else "NOT THE SAME")
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
