"""A Dask scheduler and two workers of their own on this machine: the same answers as one process, one worker killed.

Run: python benchmarks/prove_cluster.py [RULEBOOK] [--draws N] [--scenarios NAME,NAME,...]. Starts `dask scheduler` and
two `dask worker` processes, runs a sweep serially and over the cluster, kills one worker (SIGKILL) once the first task
is done, and starts another in its place; then the scenarios of `liquidity stress` both ways, where any are asked for.
Prints seconds and whether tables and arrays are the same to the last byte; exit code 1 where they are not.
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


def both_ways(what: str, run: Callable[..., object], arrays: str, folder: Path) -> bool:
    """Serially, then over a cluster that loses a worker."""
    seconds = {}
    for way in ("serial", "cluster"):
        begun = time.perf_counter()
        if way == "serial":
            run(folder / way, None, None)
        else:
            with cluster(folder / "dask") as found:
                killing = Killing(found)
                run(folder / way, found.url, killing)
        seconds[way] = time.perf_counter() - begun
    found_same = same(folder / "serial", folder / "cluster", arrays)
    told = "the same to the last bit" if found_same else "NOT THE SAME"
    print(f"{what}: serial {seconds['serial']:.1f} s, scheduler with 2 workers, one killed {seconds['cluster']:.1f} s "
          f"(their start counted): {told}", flush=True)  # fmt: skip
    return found_same


def main() -> int:
    """A sweep and, where asked for, stress scenarios; 1 where an answer differs."""
    asked = argparse.ArgumentParser()
    asked.add_argument("rulebook", nargs="?", type=Path, default=Path("models/online_microlender.toml"))
    asked.add_argument("--draws", type=int, default=16)
    asked.add_argument("--around", default="rates_up")
    asked.add_argument("--scenarios", default="", help="names, by comma, that `liquidity stress` runs both ways")
    given = asked.parse_args()
    around = SCENARIOS / f"{given.around}.toml"
    named = tuple(SCENARIOS / f"{name}.toml" for name in given.scenarios.split(",") if name)

    def sweep(out: Path, url: str | None, bar: Killing | None) -> object:
        return run_sweep(SweepJob(given.rulebook, around, given.draws, 0, out=out, cluster=url), bar)

    def stress(out: Path, url: str | None, bar: Killing | None) -> object:
        return run_stress(StressJob(given.rulebook, named, out=out, cluster=url), bar)

    met, name = [], given.rulebook.stem
    with tempfile.TemporaryDirectory() as folder:
        for what, run, arrays, wanted in (
            (f"{name}, sweep of {given.draws} draws", sweep, "sweep.nc", given.draws),
            (f"{name}, stress of {len(named)} scenarios and the night", stress, "stress.nc", len(named)),
        ):
            if wanted:
                place = Path(folder) / arrays
                place.mkdir()
                met.append(both_ways(what, run, arrays, place))
    print("the same everywhere" if all(met) else "NOT THE SAME")
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
