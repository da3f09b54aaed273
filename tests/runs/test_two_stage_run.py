"""`liquidity two-stage`: the run folder, its tables, probabilities, rules of a scenario, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from liquidity import read_book, read_rulebook, two_stage
from liquidity.cli import main
from liquidity.errors import BadInput
from liquidity.program.shocks import Shocks
from liquidity.runs.two_stage import GOAL, TwoStageJob, probabilities, run_two_stage
from liquidity.scenarios.scenario import Scenario, Told
from liquidity.scenarios.two_stage import prepare

ROOT = Path(__file__).parents[2]
FEW = tuple(ROOT / f"data/scenarios/{name}.toml" for name in ("china_severe", "regional_shortage", "policy_tightening"))
HORIZON = '["3 x 1 day", "2 x 1 week", "3 x 1 month"]'


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


@pytest.fixture(scope="module")
def run(rules, tmp_path_factory):
    out = tmp_path_factory.mktemp("two") / "run"
    return run_two_stage(TwoStageJob(rules, FEW, satellites=ROOT / "models/satellites.toml", out=out))


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / f"{name}.csv", keep_default_na=False, na_values=[""])


def test_the_folder_is_whole_and_found_again(run, rules):
    record, folder = run
    names = {"book", "rulebook.json", "run.json", "plan.nc", "report.html", "tables"}
    assert {file.name for file in folder.iterdir()} == names
    assert json.loads((folder / "run.json").read_text())["id"] == record["id"]
    again, _ = run_two_stage(TwoStageJob(rules, FEW, satellites=ROOT / "models/satellites.toml", out=folder))
    assert again["seconds"] == record["seconds"]
    assert record["checks"]["gap"] <= 2 * GOAL
    assert record["checks"]["ws_below_rp"] <= 1e-9


def test_knowing_the_scenario_is_worth_no_less(run):
    outcomes, figures = table(run[1], "outcomes"), table(run[1], "figures").set_index("figure").value
    assert outcomes.probability.sum() == pytest.approx(1.0)
    assert (outcomes.wait_and_see >= outcomes.net_worth - 1.0).all()
    assert (outcomes.wait_and_see >= outcomes.plain.fillna(0.0) - 1.0).all()
    assert figures["mean"] == pytest.approx((outcomes.probability * outcomes.net_worth).sum(), abs=0.05)
    assert figures["EVPI"] >= 0


def test_the_frontier_trades_mean_for_the_worst(run):
    line = table(run[1], "frontier")
    assert line.weight.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    slack = 2e-7 * line["mean"].max() * 10
    assert (np.diff(line["mean"]) <= slack).all()
    assert (np.diff(line.cvar) >= -slack).all()


def test_tonight_stands_beside_the_night_without_scenarios(run):
    tonight = table(run[1], "tonight")
    assert (tonight.amount - tonight.without - tonight.change).abs().max() < 0.01
    lent = xr.load_dataset(run[1] / "plan.nc").lend
    assert float(lent.sum()) == pytest.approx(tonight[tonight.decision == "lend"].amount.sum(), abs=1.0)


def test_the_page_opens_without_a_network_and_tells_every_scenario(run):
    record, folder = run
    page = (folder / "report.html").read_text(encoding="utf-8")
    for title in record["titles"].values():
        assert title["en"] in page
        assert title["zh"] in page
    assert 'src="http' not in page
    assert 'data-for="frontier"' in page


def test_one_scenario_that_changes_nothing_changes_no_decision(rules):
    rulebook = read_rulebook(rules)
    plan = two_stage(read_book(rulebook.book), rulebook, [Shocks("calm")], near=True, goal=GOAL)
    keys = [name for name in plan.plain if name != "amount"]
    both = plan.tonight.merge(plan.plain, "outer", on=keys).fillna(0.0)
    assert len(both)
    assert (both.amount_x - both.amount_y).abs().max() < 1.0
    assert plan.outcomes.plain[0] == pytest.approx(plan.outcomes.net_worth[0], rel=2 * GOAL)


def test_rules_of_a_scenario_hold_from_tomorrow_on(rules):
    rulebook = read_rulebook(rules)
    name = next(rule.name for rule in rulebook.rules if rule.kind == "cash_reserve")
    tighter = rulebook.edit(name, amount=2 * rulebook.rule(name).amount + 1e6)
    calm = [Shocks("as it is"), Shocks("tighter")]
    problem = prepare(read_book(rulebook.book), rulebook, calm, rulebooks=[rulebook, tighter]).problem
    one, other = problem.programs
    moved = np.flatnonzero((one.row_lower != other.row_lower) | (one.row_upper != other.row_upper))
    owners = {family.owner for family in one.rows for row in moved if family.start <= row < family.stop}
    assert owners == {name}
    assert not problem.early[moved].any()


def scenario(name: str, probability: float | None) -> Told:
    title = {"en": name, "zh": name}
    return Told(scenario=Scenario(name=name, title=title, source="here", probability=probability))


def test_scenarios_without_a_probability_share_the_rest():
    chance = probabilities([scenario("a", 0.5), scenario("b", None), scenario("c", None)])
    assert chance.tolist() == [0.5, 0.25, 0.25]
    assert probabilities([scenario("a", None), scenario("b", None)]).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("said", [(0.7, 0.7), (0.3, 0.3), (1.0, None)])
def test_probabilities_that_are_none_are_refused(said):
    with pytest.raises(BadInput, match="probability"):
        probabilities([scenario("a", said[0]), scenario("b", said[1])])


@pytest.mark.parametrize("wrong", [("--weight", "1.5"), ("--tail", "1"), ("--weight", "nan")])
def test_bad_numbers_end_with_2_and_leave_nothing(wrong, rules, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["two-stage", str(rules), *wrong, "--out", str(tmp_path / "run")])
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_command_tells_money_with_its_unit(rules, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as ended:
        main(["two-stage", str(rules), "--scenarios", str(FEW[0]), "--out", str(tmp_path / "run")])
    said = capsys.readouterr().out
    assert ended.value.code in (0, 3)
    assert "CNY m" in said
    assert "china_severe" in said
