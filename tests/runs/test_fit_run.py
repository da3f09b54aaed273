"""`liquidity fit`: the folder, models that stress reads back and uses, the page, and refusals that write nothing."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from books import calm_book, calm_rules

from liquidity.cli import main
from liquidity.errors import BadInput
from liquidity.program.grid import make_grid
from liquidity.runs.fit import FitJob, run_fit
from liquidity.runs.record import write_json
from liquidity.scenarios.apply import apply
from liquidity.scenarios.satellites import Satellite, read_satellites
from liquidity.scenarios.satellites_file import satellites_text
from liquidity.scenarios.scenario import read_scenario

ROOT = Path(__file__).parents[2]
EXAMPLE, MACRO = ROOT / "data" / "history" / "example.csv", ROOT / "data" / "history" / "fed_domestic.csv"


@pytest.fixture(scope="module")
def quick(tmp_path_factory) -> Path:
    """The shipped candidates with one name a model."""
    text = (ROOT / "models" / "candidates.toml").read_text(encoding="utf-8").replace("terms = 2", "terms = 1")
    file = tmp_path_factory.mktemp("candidates") / "candidates.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def run(quick, tmp_path_factory):
    out = tmp_path_factory.mktemp("fit") / "run"
    return run_fit(FitJob(EXAMPLE, MACRO, quick, "2007 Q4", out))


def test_the_folder_is_whole(run, quick):
    record, folder = run
    names = {"inputs", "tables", "satellites.toml", "fit.html", "run.json"}
    assert {file.name for file in folder.iterdir()} == names
    assert (folder / "inputs" / "history.csv").read_bytes() == EXAMPLE.read_bytes()
    assert json.loads((folder / "run.json").read_text()) == record
    assert record["models"] == len(record["series"]) == 4
    tables = {file.stem: pd.read_csv(file) for file in (folder / "tables").iterdir()}
    assert set(tables) == {"coefficients", "path", "forecasts"}
    assert all(set(table.series) == {one["name"] for one in record["series"]} for table in tables.values())
    again, there = run_fit(FitJob(EXAMPLE, MACRO, quick, "2007 Q4", folder))
    assert (again, there) == (record, folder)
    with pytest.raises(BadInput, match="it holds run"):
        run_fit(FitJob(EXAMPLE, MACRO, quick, "2008 Q4", folder))


def test_the_models_hold_a_crisis_that_they_have_not_seen(run):
    """Fitted to 2007 Q4, one forecast from there on, against the last value."""
    record, _ = run
    for one in record["series"]:
        assert one["last"] == "2007 Q4"
        assert one["rmse_held"] < 0.75 * one["rmse_held_naive"]


def test_stress_reads_the_models_back_and_uses_them(quick, tmp_path):
    text = quick.read_text(encoding="utf-8").replace("lags = [0, 1, 2, 3, 4]", "lags = [0]")
    (tmp_path / "candidates.toml").write_text(text, encoding="utf-8")
    _, folder = run_fit(FitJob(EXAMPLE, MACRO, tmp_path / "candidates.toml", None, tmp_path / "out"))
    models = read_satellites(folder / "satellites.toml")
    table = pd.read_csv(folder / "tables" / "coefficients.csv").query("kind in ['b', 'd']")
    told = [(one.name, term.of, term.lag, kind, getattr(term, kind)) for one in models.models for term in one.terms
            for kind in ("b", "d") if getattr(term, kind)]  # fmt: skip
    assert [row[:4] for row in told] == list(zip(table.series, table.of, table.lag, table.kind))
    np.testing.assert_allclose([row[4] for row in told], table.coefficient, rtol=1e-5)
    scenario = read_scenario(ROOT / "data" / "scenarios" / "fed_2026_severely_adverse.toml")
    book, rules = calm_book(), calm_rules()
    applied = apply(scenario, models, book, rules)
    assert applied.notes == ()
    default = applied.shocks.arrays["default"]
    last = default.isel(period=-1)
    weak = book["segments"].index[book["segments"].grade == "C"]
    assert (last.sel(segment=weak) > 1.2).all()
    assert "B-full-east" not in last.segment  # grade B has no series
    macro, grid, pd_now = scenario.macro, make_grid(book.as_of, rules.horizon), book["segments"].pd[weak].to_numpy()
    level = models.named("pd_grade_c_d_e").level(macro, pd_now)
    factor = (np.log1p(-level) / np.log1p(-pd_now)[:, None])[0]
    np.testing.assert_allclose(default.sel(segment=weak[0]), macro.on(grid, factor))
    assert float(applied.shocks.arrays["line_rate"].max()) > 0


def test_the_file_keeps_every_key():
    given = {"name": "x", "target": "score_kept", "form": "logit", "base": 0.0123456, "effect": "complement",
             "terms": [{"of": "gdp", "b": -1e-07, "lag": 3, "only": "up"}, {"of": "unemployment", "d": 0.25}],
             "floor": 0.0, "cap": 1.0, "where": {"grade": ["A", 'B"\\\x7f'], "region": "东"},
             "source": "line\nbreak\ttab \x7f \"quoted\" 'so'", "verified": True}  # fmt: skip
    models = [Satellite.model_validate(given), Satellite.model_validate({**given, "name": "y", "floor": None})]
    file_text = satellites_text(models)
    assert file_text.count("[[satellite]]") == 2
    read = [Satellite.model_validate(entry) for entry in tomllib.loads(file_text)["satellite"]]
    assert read == models


def test_the_page_tells_every_series_in_both_languages(run):
    record, folder = run
    page = (folder / "fit.html").read_text(encoding="utf-8")
    for one in record["series"]:
        assert f'id="fit-{one["name"]}"' in page
    for text in ("Defaults: grade C, D, E", "违约率：grade C, D, E", "Held out", "提前1至4季", "unemployment, level",
                 "失业率，水平", "2 quarters before", "滞后2季", "Durbin-Watson"):  # fmt: skip
        assert text in page, text
    assert "nan" not in page.split("<script>", maxsplit=1)[0].lower()


def test_the_command(quick, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["fit", str(EXAMPLE), "--macro", str(MACRO), "--candidates", str(quick), "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    assert ended.value.code == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["folder"], record["until"], record["series"][0]["rmse_held"]) == (str(out), None, None)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "pd_grade_c_d_e" in told
    assert "china_npl_flow not in fed_domestic.csv" in told


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ("2019 Q4,pd,x,%\n", [], "history.csv (row 2, column value): found 'x'"),
        ("2019 Q4,pd,1,%\n", [], "at least 28 quarters of pd"),
        ("2019 Q4,pd,1,%\n", ["--until", "2007"], "--until: found '2007', expected a quarter"),
        ("2019 Q4,pd,1,%\n", ["--candidates", "none.toml"], "candidates of satellite models"),
        ("2019 Q4,pd,1,%\n", ["--macro", "none.csv"], "none.csv"),
    ],
)
def test_bad_input_writes_nothing(quick, tmp_path, capsys, rows, options, said):
    (tmp_path / "history.csv").write_text("quarter,target,value,unit\n" + rows)
    arguments = ["fit", str(tmp_path / "history.csv"), "--out", str(tmp_path / "out")]
    given = {"--macro": str(MACRO), "--candidates": str(quick), **dict(zip(options[::2], options[1::2]))}
    with pytest.raises(SystemExit) as ended:
        main([*arguments, *(part for pair in given.items() for part in pair)])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["history.csv"]


def test_a_series_without_a_model_is_told_and_none_at_all_is_refused(quick, tmp_path):
    rows = EXAMPLE.read_text(encoding="utf-8").splitlines()
    quarters = [row.split(",")[0] for row in rows[1:105]]
    noise = 0.02 * np.exp(np.random.default_rng(3).normal(0, 0.2, 104))
    drawn = [f"{quarter},utilisation,{value!r},1," for quarter, value in zip(quarters, noise.tolist())]
    for name, body in (("alone", drawn), ("both", [*rows[1:105], *drawn])):
        (tmp_path / f"{name}.csv").write_text("\n".join([rows[0], *body]) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match="1 series, none with a model"):
        run_fit(FitJob(tmp_path / "alone.csv", MACRO, quick, None, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    record, folder = run_fit(FitJob(tmp_path / "both.csv", MACRO, quick, None, tmp_path / "out"))
    assert [one["model"] for one in record["series"]] == [True, False]
    assert len(read_satellites(folder / "satellites.toml").models) == 1
    assert "no declared name explains the series better" in (folder / "fit.html").read_text(encoding="utf-8")


def test_without_the_extra_it_says_so(quick, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.regression", None)
    with pytest.raises(BadInput, match=r"pip install 'liquidity\[fit\]'"):
        run_fit(FitJob(EXAMPLE, MACRO, quick, None, tmp_path / "out"))


def test_a_folder_of_something_else_is_left_alone(quick, tmp_path):
    (tmp_path / "out").mkdir()
    write_json({"id": "other", "as_of": "2025 Q4", "status": "optimal"}, tmp_path / "out" / "run.json")
    with pytest.raises(BadInput, match="it holds run other"):
        run_fit(FitJob(EXAMPLE, MACRO, quick, None, tmp_path / "out"))
