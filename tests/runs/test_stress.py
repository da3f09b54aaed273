"""`liquidity stress`: the run folder, its tables and page, exit codes, and the same answers on any workers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from liquidity.cli import main
from liquidity.errors import BadInput
from liquidity.runs.stress import NONE, StressJob, run_stress

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "data" / "scenarios"
FEW = tuple(SCENARIOS / f"{name}.toml" for name in ("china_severe", "system_maintenance", "partner_withdraws"))
HORIZON = '["3 x 1 day", "2 x 1 week", "3 x 1 month"]'


@pytest.fixture(scope="session")
def rules(tmp_path_factory) -> Path:
    """The calm rulebook on a short horizon."""
    text = (ROOT / "models" / "calm.toml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("horizon"))
    text = text.replace(line, f"horizon = {HORIZON}")
    text = text.replace('book = "../data/calm"', f'book = "{ROOT / "data" / "calm"}"')
    file = tmp_path_factory.mktemp("rules") / "calm.toml"
    file.write_text(text, encoding="utf-8")
    return file


def job(rules: Path, out: Path | None, *scenarios: Path, **values) -> StressJob:
    return StressJob(rules, scenarios or FEW, ROOT / "models" / "satellites.toml", None, out, **values)


@pytest.fixture(scope="session")
def run(rules, tmp_path_factory):
    out = tmp_path_factory.mktemp("stress") / "run"
    record, folder = run_stress(job(rules, out))
    assert folder == out
    return record, folder


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / f"{name}.csv")


def test_the_folder_is_whole(run):
    record, folder = run
    assert {file.name for file in folder.iterdir()} == {"book", "rulebook.json", "run.json", "stress.html", "stress.nc",
                                                        "tables"}  # fmt: skip
    assert json.loads((folder / "run.json").read_text())["id"] == record["id"]
    assert record["exit_code"] == 3  # a partner that is gone cannot be held to tonight's joint loans
    assert record["checks"]["drivers_gap"] < 0.01


def test_every_scenario_has_three_projections(run):
    summary = table(run[1], "summary")
    assert summary.groupby("scenario").size().to_dict() == dict.fromkeys(
        [NONE, "china_severe", "system_maintenance", "partner_withdraws"], 3
    )
    base = summary[(summary.scenario == NONE) & (summary.projection == "reoptimise")].iloc[0]
    assert (base.change, base.share_tonight) == (0.0, pytest.approx(1.0, abs=1e-9))
    assert (summary[summary.projection == "run_off"].relent_30d == 0).all()
    held = summary[(summary.scenario == "system_maintenance") & (summary.projection == "hold")].iloc[0]
    assert held.status == "in_part"


def test_first_causes(run):
    found = table(run[1], "summary").set_index(["scenario", "projection"]).first_cause.xs("reoptimise", level=1)
    assert found["system_maintenance"] == "SYSTEM_UNAVAILABLE"
    assert found["partner_withdraws"] == "PARTNER"


def test_reasons_add_up_to_what_was_not_relent(run):
    reasons, summary = table(run[1], "reasons"), table(run[1], "summary")
    free = summary[summary.projection == "reoptimise"].set_index("scenario")
    tonight = reasons[reasons.period != "30d"].groupby("scenario").amount.sum()
    missing = (free.freed_tonight - free.relent_tonight).reindex(tonight.index)
    pd.testing.assert_series_equal(tonight, missing, check_names=False, atol=0.1)


def test_parts_of_the_change_add_up(run):
    parts, summary = table(run[1], "drivers"), table(run[1], "summary")
    change = summary[summary.projection == "reoptimise"].set_index("scenario").change
    sums = parts.groupby("scenario").amount.sum()
    pd.testing.assert_series_equal(sums, change.reindex(sums.index), check_names=False, atol=0.011)


def test_paths_and_capital(run):
    paths = xr.open_dataset(run[1] / "stress.nc")
    assert dict(paths.sizes) == {"scenario": 4, "projection": 3, "period": 8}
    assert paths.equity.attrs["units"] == "CNY"
    lost = paths.equity.sel(projection="reoptimise", scenario="china_severe").isel(period=-1)
    assert float(lost) < float(paths.equity.sel(projection="reoptimise", scenario=NONE).isel(period=-1))
    capital = table(run[1], "capital")
    assert {"capital", "leverage_multiple"} <= set(capital.kind)
    paths.close()


def test_the_page_speaks_two_languages_and_needs_no_network(run):
    page = (run[1] / "stress.html").read_text(encoding="utf-8")
    for words in ("System maintenance", "系统维护", "Tonight held", "维持今晚决策", "partner_limit"):
        assert words in page
    outside = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:)', page)
    assert outside == []


def test_the_same_inputs_are_that_run(run, rules):
    said: list[str] = []
    record, folder = run_stress(job(rules, run[1]), say=said.append)
    assert (record["id"], folder) == (run[0]["id"], run[1])
    assert said == ["these inputs were run before; this is that run"]


def same(one: Path, other: Path) -> None:
    """The tables of two runs to the last byte, the paths to the last bit."""
    for file in sorted((one / "tables").iterdir()):
        assert file.read_bytes() == (other / "tables" / file.name).read_bytes(), file.name
    with xr.open_dataset(one / "stress.nc") as a, xr.open_dataset(other / "stress.nc") as b:
        xr.testing.assert_identical(a, b)


def test_two_workers_give_the_same_to_the_bit(run, rules, tmp_path):
    heard: list[str] = []

    class Bar:
        def __enter__(self):
            return heard.append

        def __exit__(self, *_):
            return None

    run_stress(job(rules, tmp_path / "two", workers=2), lambda _: Bar())
    same(run[1], tmp_path / "two")
    assert sorted(heard) == sorted([NONE, *(file.stem for file in FEW)])


def test_bad_scenarios_write_nothing(rules, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text('name = "bad"\n')
    with pytest.raises(SystemExit) as left:
        main(["stress", str(rules), "--scenarios", str(bad), "--satellites", str(ROOT / "models" / "satellites.toml"),
              "--out", str(tmp_path / "out")])  # fmt: skip
    assert left.value.code == 2
    assert not (tmp_path / "out").exists()


def test_a_scheduler_that_is_not_there(rules, tmp_path, monkeypatch):
    import distributed

    def nobody(*_, **__):
        raise OSError("Timed out")

    monkeypatch.setattr(distributed, "Client", nobody)
    with pytest.raises(BadInput, match="the address of a Dask scheduler"):
        run_stress(job(rules, tmp_path / "out", FEW[0], cluster="tcp://127.0.0.1:1"))
    assert not (tmp_path / "out").exists()


def test_the_command_prints_json_alone(rules, tmp_path):
    command = [sys.executable, "-c", "from liquidity.cli import main; main()"]
    done = subprocess.run(
        [*command, "stress", str(rules), "--scenarios", str(FEW[1]), "--satellites",
         str(ROOT / "models" / "satellites.toml"), "--out", str(tmp_path / "out"), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["folder"] == str(tmp_path / "out")
    assert "scenario 2/2: system_maintenance" in done.stderr
