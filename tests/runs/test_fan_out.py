"""Tasks spread over workers: the same answers in the same order, errors come back, a killed worker costs only time."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from rich.console import Console

from liquidity.errors import BadInput, Problem, SolverFailed
from liquidity.runs.fan_out import ENVIRON, Workers, fan_out, open_workers, progress


def add(shared: int, item: int) -> tuple[int, int]:
    return shared + item, os.getpid()


def slow(shared: float, item: int) -> tuple[int, int]:
    time.sleep(shared)
    return item, os.getpid()


def slow_at(pid: int, item: int) -> tuple[int, int]:
    return slow(0.1 if os.getpid() == pid else 0.0, item)


def refuse(shared: str, item: int) -> int:
    if item == 2:
        raise SolverFailed(shared, ["ipx: Infeasible"])
    if item == 3:
        raise BadInput(Problem("table", "row", "column", item, shared))
    return item


@pytest.fixture(scope="module")
def cluster():
    import distributed

    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
                                  silence_logs=50) as made:  # fmt: skip
        yield made


@pytest.fixture
def workers(cluster):
    with open_workers(cluster=cluster.scheduler_address, imports="os") as found:
        yield found


def test_serial_and_cluster_agree(workers):
    heard: list[str] = []
    serial = fan_out(add, 10, range(6), told=heard.append)
    spread = fan_out(add, 10, range(6), workers, told=heard.append)
    assert [one for one, _ in serial] == [one for one, _ in spread] == list(range(10, 16))
    assert {pid for _, pid in serial} == {os.getpid()}
    assert os.getpid() not in {pid for _, pid in spread}
    assert sorted(heard) == sorted([*map(str, range(6))] * 2)


def test_a_killed_worker_costs_nothing_but_time(cluster, workers):
    pids = [worker.pid for worker in cluster.workers.values()]
    killed: list[int] = []

    def kill(_: str) -> None:
        if not killed:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    found = fan_out(slow, 0.2, range(12), workers, told=kill)
    assert [item for item, _ in found] == list(range(12))
    assert killed


def test_all_workers_killed_with_the_data_they_shared(cluster, workers):
    killed: list[int] = []

    def kill(_: str) -> None:
        if not killed:
            for worker in cluster.workers.values():
                killed.append(worker.pid)
                os.kill(worker.pid, signal.SIGKILL)

    cluster.wait_for_workers(2)
    found = fan_out(slow, 0.2, range(8), workers, told=kill)
    assert [item for item, _ in found] == list(range(8))
    assert len(killed) == 2


def test_errors_come_back_as_they_are(workers):
    for where in (None, workers):
        with pytest.raises(SolverFailed, match="no plan") as caught:
            fan_out(refuse, "no plan", [1, 2], where)
        assert caught.value.chain == ("ipx: Infeasible",)
        with pytest.raises(BadInput) as bad:
            fan_out(refuse, "a number", [3], where)
        assert bad.value.problems[0].expected == "a number"


def imported(module: str, _: int) -> bool:
    return module in sys.modules


def test_local_workers_have_imported_what_they_need():
    with open_workers(2, imports="wsgiref.headers") as found:
        assert isinstance(found, Workers)
        found.client.wait_for_workers(2)
        assert fan_out(imported, "wsgiref.headers", range(4), found) == [True] * 4


def environment(names: tuple[str, ...], _: int) -> list[str | None]:
    return [os.environ.get(name) for name in names]


def test_local_workers_keep_the_memory_of_a_solve(monkeypatch):
    for name in ENVIRON:  # what the environment says already goes first
        monkeypatch.delenv(name, raising=False)
    with open_workers(2, imports="os") as found:
        assert found is not None
        found.client.wait_for_workers(2)
        seen = fan_out(environment, tuple(ENVIRON), range(2), found)
    assert seen == [[str(value) for value in ENVIRON.values()]] * 2


def test_tasks_are_done_here_until_the_workers_are_there():
    with open_workers(2, imports="os") as found:
        assert found is not None
        done = fan_out(slow_at, os.getpid(), range(400), found)
    assert [item for item, _ in done] == list(range(400))
    here = [pid == os.getpid() for _, pid in done]
    assert 0 < sum(here) < 400
    assert here == sorted(here, reverse=True)


def test_one_process_needs_no_workers():
    with open_workers(1, imports="os") as found:
        assert found is None


def test_a_scheduler_that_is_not_there():
    with pytest.raises(BadInput, match="address of a Dask scheduler"), open_workers(cluster="tcp://no", imports="os"):
        pass


def test_plain_lines_where_there_is_no_terminal(capsys):
    with progress(2, "scenario", Console(force_terminal=False)) as told:
        told("a")
        told("b")
    assert capsys.readouterr().out.splitlines() == ["scenario 1/2: a", "scenario 2/2: b"]


def test_a_bar_on_a_terminal(capsys):
    with progress(2, "scenario", Console(force_terminal=True, width=80)) as told:
        told("a")
    assert "scenario" in capsys.readouterr().out
