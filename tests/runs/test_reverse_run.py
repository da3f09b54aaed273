"""A reverse stress from rulebook to run folder: proved, and run again by `liquidity stress`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from books import ROOT, calm_book, calm_rules

from liquidity import BadInput, read_rulebook
from liquidity.book import write_book
from liquidity.runs.reverse import ReverseJob, run_reverse
from liquidity.scenarios.apply import apply
from liquidity.scenarios.projections import solve_case, with_night
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import Told, read_scenario
from tests.test_cli import run as cli

SEVERE = ROOT / "data" / "scenarios" / "china_severe.toml"
MODELS = ROOT / "models" / "satellites.toml"


@pytest.fixture(scope="module")
def lender(tmp_path_factory):
    """A rulebook file: the calm lender, at most 1% bad loans, a path at its peak after one quarter."""
    folder = tmp_path_factory.mktemp("lender")
    write_book(calm_book(), folder / "book")
    text = (ROOT / "models" / "calm.toml").read_text(encoding="utf-8")
    text = text.replace("share = 0.05\nwrite_off_rate", "share = 0.01\nwrite_off_rate")
    horizon = '"' + '", "'.join(calm_rules().horizon) + '"'
    lines = ["horizon = [" + horizon + "]" if line.startswith("horizon") else line for line in text.splitlines()]
    lines = [f'book = "{folder / "book"}"' if line.startswith("book") else line for line in lines]
    path = folder / "tight.toml"
    path.write_text("\n".join(lines) + "\n\n[reverse_stress]\nramp = 1\nbound = 8.0\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A scenario file: the rate of new bad loans in China stays where it is."""
    folder = tmp_path_factory.mktemp("flat")
    quarters = [f"{year} Q{quarter}" for year in (2026, 2027) for quarter in (1, 2, 3, 4)]
    rows = ["Scenario Name,Date,China new NPL rate", *(f"Flat,{quarter},0.7" for quarter in quarters)]
    (folder / "flat.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    path = folder / "flat.toml"
    title = 'title = { en = "Flat", zh = "不变" }'
    path.write_text(f'name = "flat"\n{title}\nsource = "made up"\nmacro = "flat.csv"\n', encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(lender, flat, tmp_path_factory):
    out = tmp_path_factory.mktemp("reverse") / "run"
    return run_reverse(ReverseJob(lender, "npl_ratio", flat, None, MODELS, out=out))


def test_the_pair_at_the_edge_is_proved_and_told(found):
    record, folder = found
    assert (record["proved"], record["monotone"], record["exit_code"]) == (True, True, 0)
    assert 0 < record["distance"] < 8
    assert "Proved by re-solves" in record["sentences"][1]
    assert "percentage points" in record["sentences"][0]
    page = (folder / "reverse.html").read_text(encoding="utf-8")
    assert record["sentences"][0] in page
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["amounts"] == record["amounts"]


def test_the_scenario_that_was_written_gives_way_and_99_percent_of_it_does_not(found, lender, flat):
    _, folder = found
    rules, book, models = read_rulebook(lender), calm_book(), read_satellites(MODELS)
    setting, _ = with_night(book, rules)
    told = read_scenario(folder / "reverse.toml")
    applied = apply(told, models, book, rules)
    assert "npl_ratio" in solve_case(setting, rules, applied.shocks).gave_way
    start, path = read_scenario(flat).macro, told.macro
    near = {name: start.values[name] + 0.99 * (path.values[name] - start.values[name]) for name in path.values}
    applied = apply(Told(scenario=told.scenario, macro=replace(path, values=near)), models, book, rules)
    assert "npl_ratio" not in solve_case(setting, rules, applied.shocks).gave_way


def test_the_ray_towards_a_scenario(lender, flat, tmp_path):
    record, folder = run_reverse(ReverseJob(lender, "npl_ratio", flat, SEVERE, MODELS, out=tmp_path / "run"))
    assert record["rays"] == 1
    again = run_reverse(ReverseJob(lender, "npl_ratio", flat, SEVERE, MODELS, out=tmp_path / "run"))
    assert again[0]["id"] == record["id"]
    assert (folder / "tables" / "directions.csv").read_text(encoding="utf-8").count("\n") == 2


def test_rules_and_scenarios_that_do_not_fit_are_refused(lender, flat, tmp_path):
    with pytest.raises(BadInput, match="can give way"):
        run_reverse(ReverseJob(lender, "nobody", flat, None, MODELS, out=tmp_path / "run"))
    with pytest.raises(BadInput, match="macro path"):
        run_reverse(ReverseJob(lender, "npl_ratio", ROOT / "data/scenarios/abs_market_shut.toml", None, MODELS))
    code = cli("reverse-stress", str(lender), "--rule", "nobody", "--out", str(tmp_path / "run"))
    assert code == 2
    assert not (tmp_path / "run").exists()
