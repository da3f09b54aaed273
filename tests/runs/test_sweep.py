"""`liquidity sweep`: one Dataset with units, and the same bits by any number of workers and after a stop."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from liquidity.cli import main
from liquidity.errors import BadInput
from liquidity.program.shocks import NO_SHOCKS
from liquidity.report.sweep import write_sweep
from liquidity.runs import sweep as sweeping
from liquidity.runs.sweep import SweepJob, lay_ground, plan_sweep, run_sweep
from liquidity.runs.swept import DIMS, Reader, Task, solve_draw, sweep_some
from liquidity.scenarios.apply import apply
from liquidity.scenarios.projections import Setting, project, solve_case

ROOT = Path(__file__).parents[2]
AROUND = ROOT / "data" / "scenarios" / "fed_2026_severely_adverse.toml"
HORIZON = '["3 x 1 day", "2 x 1 week", "3 x 1 month"]'
DRAWS = 9


@pytest.fixture(scope="module")
def rules(tmp_path_factory) -> Path:
    """The calm rulebook on a short horizon."""
    text = (ROOT / "models" / "calm.toml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("horizon"))
    text = text.replace(line, f"horizon = {HORIZON}")
    text = text.replace('book = "../data/calm"', f'book = "{ROOT / "data" / "calm"}"')
    file = tmp_path_factory.mktemp("rules") / "calm.toml"
    file.write_text(text, encoding="utf-8")
    return file


def job(rules: Path, out: Path | None, draws: int = DRAWS, around: Path = AROUND, **values) -> SweepJob:
    models = {"satellites": ROOT / "models" / "satellites.toml", "noises": ROOT / "models" / "macro_noise.toml"}
    return SweepJob(rules, around, draws, 3, out=out, **models, **values)


@pytest.fixture(scope="module")
def run(rules, tmp_path_factory):
    return run_sweep(job(rules, tmp_path_factory.mktemp("sweep") / "run"))


def result(folder: Path) -> xr.Dataset:
    return xr.load_dataset(folder / "sweep.nc", engine="netcdf4")


def same(one: Path, other: Path) -> None:
    """The results of two runs to the last bit, the tables to the last byte."""
    a, b = result(one), result(other)
    xr.testing.assert_identical(a, b)
    assert all(a[name].values.tobytes() == b[name].values.tobytes() for name in DIMS)
    assert (one / "tables" / "scenarios.csv").read_bytes() == (other / "tables" / "scenarios.csv").read_bytes()


def test_the_folder_is_whole(run):
    record, folder = run
    assert {file.name for file in folder.iterdir()} == {"book", "rulebook.json", "run.json", "sweep.html", "sweep.nc",
                                                        "tables"}  # fmt: skip
    assert json.loads((folder / "run.json").read_text())["id"] == record["id"]
    assert [file.name for file in folder.parent.iterdir()] == ["run"]  # no journal is left


def test_one_dataset_with_units(run):
    found = result(run[1])
    assert {"scenario": DRAWS, "period": 8, "window": 2, "segment": 8}.items() <= dict(found.sizes).items()
    assert found.scenario.values.tolist() == list(range(DRAWS))
    assert all(found[name].attrs["units"] for name in (*DIMS, "macro"))
    assert (found.net_worth.attrs["units"], found.share.attrs["units"]) == ("CNY", "1")
    assert found.change.std() > 0
    assert (found.macro.sel(quarter=found.quarter[0]) == found.macro[0, :, 0]).all()  # tonight is known


def test_windows_are_sums_of_the_path(run):
    found = result(run[1])
    for name in ("freed", "relent"):
        tonight = found[name].sel(window="tonight").sum("segment")
        np.testing.assert_allclose(tonight, found[f"{name}_path"].isel(period=0), rtol=1e-12)
        assert (found[name].sel(window="30d").sum("segment") <= found[f"{name}_path"].sum("period") + 1e-6).all()


def test_figures_are_those_of_the_draws(run):
    record, folder = run
    change, found = result(folder).change.values, record["figures"]
    assert found["change"]["q50"] == pytest.approx(np.median(change), abs=0.006)
    assert found["change"]["expected_shortfall"] == pytest.approx(change.min(), abs=0.006)  # 5% of 9 is one
    gone = (result(folder).gave_way.values.sum(axis=1) > 0).mean()
    assert found["gave_way_share"] == pytest.approx(gone)
    assert record["exit_code"] == (3 if gone else 0)
    table = pd.read_csv(folder / "tables" / "scenarios.csv")
    assert table.change.to_numpy() == pytest.approx(change, abs=0.006)


def test_a_draw_is_what_the_whole_night_would_answer(rules):
    planned = plan_sweep(job(rules, None))
    ground = lay_ground(planned)
    macro = planned.tasks[1].paths[0]
    drawn = solve_draw(ground, macro)
    applied = apply(planned.around.model_copy(update={"macro": macro}), planned.satellites, planned.book,
                    planned.rulebook)  # fmt: skip
    full = project(Setting(planned.book, planned.rulebook), applied, "reoptimise")
    read = Reader(drawn.pool, drawn.program).read(drawn, ground.worth)
    assert float(read["net_worth"]) == pytest.approx(full.net_worth, rel=1e-10)
    assert float(read["change"]) == pytest.approx(full.net_worth - ground.worth, rel=1e-6)
    from liquidity.program.plan import make_plan

    plan = make_plan(full.pool, full.program, full.solved.staged.last, full.solved.staged.first.reduced)
    np.testing.assert_allclose(read["freed"][0], plan.freed.isel(period=0).sum("facility"), rtol=1e-9)
    back = plan.lend.sel(borrower="returning").isel(period=0).sum("facility")
    np.testing.assert_allclose(read["relent"][0], back, rtol=1e-7, atol=1.0)
    assert (read["gave_way"] == 1).sum() == len(full.gave_way)
    assert solve_case(Setting(planned.book, planned.rulebook), planned.rulebook, NO_SHOCKS).net_worth == pytest.approx(
        ground.worth, rel=1e-12
    )


def test_two_workers_give_the_same_to_the_bit(run, rules, tmp_path):
    run_sweep(job(rules, tmp_path / "two", workers=2))
    same(run[1], tmp_path / "two")


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A Dask scheduler and two workers, each a process of its own; the address and the workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    started: list[subprocess.Popen] = []
    alone = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
    try:
        with (folder / "log").open("wb") as log:
            for words in (["scheduler", "--host", "127.0.0.1", "--port", url.rsplit(":", 1)[1], "--no-dashboard"],
                          ["worker", url, *alone], ["worker", url, *alone]):  # fmt: skip
                started.append(subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=log, stderr=log))
        yield url, started[1:]
    finally:
        for one in started:
            one.kill()
            one.wait()


def test_a_scheduler_of_its_own_and_a_worker_that_dies(run, rules, tmp_path):
    (tmp_path / "dask").mkdir()
    heard: list[str] = []
    with scheduler(tmp_path / "dask") as (url, workers):

        def hear(name: str) -> None:
            heard.append(name)
            if len(heard) == 1:
                workers[0].kill()

        run_sweep(job(rules, tmp_path / "far", cluster=url), lambda _: nullcontext(hear))
    same(run[1], tmp_path / "far")
    assert sorted(heard) == ["draw 8", *(f"draws {first} to {first + 1}" for first in range(0, 8, 2))]


def test_a_run_that_was_stopped_goes_on(run, rules, tmp_path, monkeypatch):
    seen: list[Task] = []

    def dies(ground, task):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(task)
        return sweep_some(ground, task)

    monkeypatch.setattr(sweeping, "sweep_some", dies)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(job(rules, tmp_path / "again"))
    assert not (tmp_path / "again").exists()
    monkeypatch.setattr(sweeping, "sweep_some", lambda ground, task: (seen.append(task), sweep_some(ground, task))[1])
    said: list[str] = []
    run_sweep(job(rules, tmp_path / "again"), say=said.append)
    ready = sum(len(task.draws) for task in seen[:2])
    assert f"{ready} of {DRAWS} draws were solved before the run was stopped; going on" in said
    assert len({task.draws for task in seen}) == len(seen)  # none is solved twice
    same(run[1], tmp_path / "again")
    assert [file.name for file in tmp_path.iterdir()] == ["again"]


def test_the_same_inputs_are_that_run(run, rules):
    said: list[str] = []
    record, _ = run_sweep(job(rules, run[1]), say=said.append)
    assert (record["id"], said) == (run[0]["id"], ["these inputs were run before; this is that run"])
    assert plan_sweep(job(rules, None, draws=DRAWS + 1)).identity != record["id"]


def test_a_draw_is_the_same_however_many_there_are(run, rules, tmp_path):
    run_sweep(job(rules, tmp_path / "few", draws=3))
    xr.testing.assert_identical(result(tmp_path / "few"), result(run[1]).isel(scenario=slice(3)))


def test_a_draw_without_a_plan_is_told(rules, tmp_path, monkeypatch):
    from liquidity.errors import SolverFailed
    from liquidity.runs import swept

    real = swept.solve_draw

    def fails(ground, macro):
        if macro.name.endswith(" 1"):
            raise SolverFailed("no plan")
        return real(ground, macro)

    monkeypatch.setattr(swept, "solve_draw", fails)
    record, folder = run_sweep(job(rules, tmp_path / "run", draws=3))
    found = result(folder)
    assert (record["exit_code"], record["figures"]["failed_share"]) == (4, pytest.approx(1 / 3))
    assert found.status.values.tolist()[1] == 2
    assert np.isnan(found.net_worth.values[1])
    assert np.isfinite(found.net_worth.values[[0, 2]]).all()


def test_the_page_speaks_two_languages_and_needs_no_network(run):
    page = (run[1] / "sweep.html").read_text(encoding="utf-8")
    assert "9 macro paths around" in page
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))  # a figure is drawn where its name is
    assert "抽取9条宏观路径" in page
    assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:)', page) == []


def test_a_record_read_again_tells_the_same(run, tmp_path):
    folder = run[1]
    record = json.loads((folder / "run.json").read_text())  # its keys are sorted
    write_sweep(record, result(folder), tmp_path / "again.html")
    table = re.compile(r'<section class="card long" id="net-worth">.*?</section>', re.DOTALL)
    again, first = (table.search(file.read_text()).group() for file in (tmp_path / "again.html", folder / "sweep.html"))
    assert again == first


def test_the_command_and_what_it_refuses(rules, tmp_path, capsys):
    options = ["--satellites", str(ROOT / "models" / "satellites.toml"), "--noise",
               str(ROOT / "models" / "macro_noise.toml"), "--out", str(tmp_path / "out")]  # fmt: skip
    with pytest.raises(SystemExit) as left:
        main(["sweep", str(rules), "--around", str(AROUND), "--draws", "2", "--json", *options])
    record = json.loads(capsys.readouterr().out)
    assert left.value.code == record["exit_code"]
    assert (record["draws"], record["around"]) == (2, "fed_2026_severely_adverse")
    with pytest.raises(BadInput, match="macro path"):
        run_sweep(job(rules, tmp_path / "no", around=AROUND.with_name("line_not_renewed.toml")))
    assert not (tmp_path / "no").exists()
