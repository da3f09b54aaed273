"""Independent tasks, one after the other, over local processes, or over a Dask cluster: the same answers every way.

Each task is a pure function of what it is given, so neither order nor place can change it. A worker that dies costs
the time of the tasks it had: the scheduler gives them to another. Local processes start, and import what they will
need, while the run that opened them goes on to what has to be known before there are tasks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from liquidity.errors import BadInput, LiquidityError, Problem

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")
RETRIES = 3
"""How often a task may lose its worker before the run gives up."""
ENVIRON = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1),
    "MALLOC_ARENA_MAX": 1, **dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), 2**30),
}  # fmt: skip
"""Of local workers: they keep the memory that a solve gave back for the next one, which asks for as much."""
Told = Callable[[str], None]


@dataclass(frozen=True)
class Workers:
    """A Dask client, and how many workers are to be there before tasks are given out."""

    client: Any
    count: int

    def there(self) -> bool:
        """Whether they are."""
        return len(self.client.scheduler_info()["workers"]) >= self.count


def fan_out(task: Callable[[S, T], R], shared: S, items: Sequence[T], workers: Workers | None = None, *,
            name: Callable[[T], str] = str, told: Told = lambda _: None,
            keep: Callable[[T, R], None] = lambda *_: None) -> list[R]:  # fmt: skip
    """`task(shared, item)` for every item, in their order, by `workers` or here, and here as well until they are there;
    `told` hears the name of each item once it is done, `keep` is given the item and its answer before that. Raises what
    a task raised.
    """
    if workers is None:
        found = []
        for item in items:
            found.append(task(shared, item))
            keep(item, found[-1])
            told(name(item))
        return found
    done: dict[int, R] = {}

    def finish(at: int, found_one: R) -> None:
        done[at] = found_one
        keep(items[at], found_one)
        told(name(items[at]))

    while len(done) < len(items) and not workers.there():
        finish(len(done), task(shared, items[len(done)]))
    for _ in range(1 + RETRIES):
        left = [at for at in range(len(items)) if at not in done]
        if not left:
            break
        for at, found_one in once(workers.client, task, shared, {at: items[at] for at in left}):
            finish(at, found_one)
    if len(done) < len(items):
        missing = ", ".join(name(item) for at, item in enumerate(items) if at not in done)
        raise LiquidityError(f"the workers were lost {1 + RETRIES} times; not done: {missing}")
    return [done[at] for at in range(len(items))]


def once(client: Any, task: Callable[[S, T], R], shared: S, items: dict[int, T]) -> Iterator[tuple[int, R]]:
    """Results of the items as they come, by place; those whose workers and data are lost are left out.

    What a task raised is raised.
    """
    # one copy of what is shared goes to every worker, and a worker that comes later gets it from another
    given = client.scatter(shared, broadcast=True, hash=False)
    futures = {client.submit(task, given, item, pure=False, retries=RETRIES): at for at, item in items.items()}
    for future in distributed().as_completed(list(futures), loop=client.loop):
        if future.status == "finished":
            try:
                yield futures[future], future.result()
            except (OSError, CancelledError):
                continue  # the worker went after it was done and before it gave the result
        elif future.status == "error" and not isinstance(future.exception(), distributed().KilledWorker):
            future.result()


@contextmanager
def open_workers(count: int = 1, cluster: str | None = None, *, imports: str) -> Iterator[Workers | None]:
    """The workers of the Dask scheduler at `cluster` (`tcp://...`), or `count` processes of this machine that end with
    it and import the module `imports` as they start; none for one process. Raises BadInput where there is no such
    scheduler.
    """
    if cluster is None and count <= 1:
        yield None
        return
    dask, config = distributed(), import_module("dask.config")
    by_value()
    if cluster is not None:
        try:
            client = dask.Client(cluster, timeout="10s", set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            expected = f"the address of a Dask scheduler, tcp://host:port ({type(error).__name__})"
            raise BadInput(Problem("--cluster", "", "", cluster, expected)) from None
        with client:
            yield Workers(client, 1)
        return
    local = dask.LocalCluster(n_workers=0, threads_per_worker=1, processes=True, dashboard_address=":0",
                              silence_logs=50, preload=[imports])  # fmt: skip
    given = config.set({"distributed.nanny.pre-spawn-environ": ENVIRON})
    with given, local, dask.Client(local, set_as_default=False) as client:
        local.scale(count)
        yield Workers(client, count)


def distributed() -> Any:
    """The package that spreads work, which is an extra."""
    try:
        import distributed as found
    except ImportError:
        expected = "the extra cluster: pip install 'liquidity[cluster]'"
        raise BadInput(Problem("--workers", "", "", "no package distributed", expected)) from None
    return found


def by_value() -> None:
    """Send a lender's own rules along: their modules lie beside the rulebook, where no worker would find them."""
    import cloudpickle

    for name, module in list(sys.modules.items()):
        if name.startswith("own_rules_"):
            cloudpickle.register_pickle_by_value(module)


@contextmanager
def progress(count: int, what: str, log: Console) -> Iterator[Told]:
    """A progress bar on a terminal, plain lines elsewhere; yields what is to be told of each finished item."""
    if not log.is_terminal:
        done = iter(range(1, count + 1))
        yield lambda name: log.print(f"{what} {next(done)}/{count}: {name}", highlight=False)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=log, transient=True) as bar:
        task = bar.add_task(what, total=count)
        yield lambda name: bar.update(task, advance=1, description=f"{what} {name}")
