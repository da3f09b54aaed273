"""Scenario files read and applied: shipped ones, each kind of event, overrides, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from books import calm_book, calm_rules

from liquidity.errors import BadInput
from liquidity.program.build import build_pool
from liquidity.program.grid import make_grid
from liquidity.scenarios.apply import CHANNELS, apply
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import read_scenario, read_scenarios

ROOT = Path(__file__).parents[2]
SHIPPED = read_scenarios([ROOT / "data" / "scenarios"])
MODELS = read_satellites(ROOT / "models" / "satellites.toml")
HEAD = 'name = "x"\ntitle = { en = "X", zh = "某" }\nsource = "test"\n'


def scenario(folder: Path, text: str):
    file = folder / "x.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    return read_scenario(file)


def applied(folder: Path, text: str):
    return apply(scenario(folder, text), MODELS, calm_book(), calm_rules())


@pytest.mark.parametrize("told", SHIPPED, ids=lambda told: told.name)
def test_every_shipped_scenario_changes_something_and_fits(told):
    found = apply(told, MODELS, calm_book(), calm_rules())
    assert found.channels
    pool = build_pool(calm_book(), found.rulebook, shocks=found.shocks)
    assert np.isfinite(pool.inputs.keep).all()
    assert (pool.inputs.keep > 0).all()
    known = {name for names in CHANNELS.values() for name in names}
    assert set(found.shocks.arrays) <= known


def test_a_macro_path_leaves_tonight_and_moves_the_rest():
    told = next(one for one in SHIPPED if one.name == "fed_2026_severely_adverse")
    shocks = apply(told, MODELS, calm_book(), calm_rules(("1 x 1 day", "11 x 1 month"))).shocks
    for name, array in shocks.arrays.items():
        rest = array.isel(period=0).values
        np.testing.assert_allclose(rest, 0.0 if name.endswith("rate") else 1.0, atol=1e-12)
    assert (shocks.arrays["default"].isel(period=-1) > 1.3).all()
    assert (shocks.arrays["payment"].isel(period=-1) < 1).all()


def test_pd_moves_by_log_odds_of_each_segment():
    told = next(one for one in SHIPPED if one.name == "fed_2026_severely_adverse")
    rules = calm_rules(("1 x 1 day", "12 x 1 month"))
    pool = build_pool(calm_book(), rules, shocks=apply(told, MODELS, calm_book(), rules).shocks)
    grid, model = pool.grid, MODELS.named("card_losses")
    pd = calm_book()["segments"].pd.to_numpy(float)
    expected = np.array([told.macro.on(grid, row) for row in model.level(told.macro, pd)])
    # straight lines are drawn between intensities here and between levels there
    np.testing.assert_allclose(pool.inputs.pd_path, expected, rtol=2e-3)


def test_days_of_an_event(tmp_path):
    book, rules = calm_book(), calm_rules()
    grid = make_grid(book.as_of, rules.horizon)
    day = (book.as_of + timedelta(days=1)).isoformat()
    text = f'[[event]]\nshock = "demand"\nfrom = {day}\nto = 17\nvalue = 0.5\nwhere = {{ region = "east" }}\n'
    array = applied(tmp_path, text).shocks.arrays["demand"]
    assert array.segment.values.tolist() == ["A-full-east", "B-full-east", "firm-east", "joint-east"]
    inside = [1 <= (start - book.as_of).days <= 17 for start in grid.starts[:-1]]
    np.testing.assert_array_equal(array.isel(segment=0), np.where(inside, 0.5, 1.0))


def test_a_flow_falls_once_and_may_be_a_part_of_assets(tmp_path):
    text = '[[event]]\nshock = "flow"\naccount = "other"\nof = "assets"\nto = 9\nvalue = -0.01\n'
    flow = applied(tmp_path, text).shocks.arrays["flow"]
    assert (flow != 0).sum() == 1
    assert float(flow.sum()) == pytest.approx(-8.5e7, rel=0.2)


def test_what_is_drawn_is_all_that_is_left(tmp_path):
    text = '[[event]]\nshock = "line_commitment"\nwhere = { kind = "bank_line" }\nvalue = "drawn"\n'
    array = applied(tmp_path, text).shocks.arrays["line_commitment"]
    assert array.line.values.tolist() == ["bank_a"]
    np.testing.assert_allclose(array, 1000 / 1500)


def test_overrides(tmp_path):
    text = '[[override]]\nrule = { kind = "expected_loss" }\ntimes = { rate = 0.5 }\n'
    text += '[[override]]\nrule = { name = "region" }\nset = { share = 0.7 }\n'
    found = applied(tmp_path, text)
    assert found.rulebook.rule("expected_loss").rate == pytest.approx(0.025)
    assert found.rulebook.rule("region").share == 0.7
    assert found.channels == ("rules",)
    assert found.only(frozenset())[0] is found.base


def test_what_matches_nothing_is_told(tmp_path):
    text = '[[event]]\nshock = "demand"\nwhere = { region = "moon" }\nvalue = 2.0\n'
    text += '[[override]]\nrule = { kind = "tail" }\nset = { share = 0.7 }\n'
    found = applied(tmp_path, text)
    assert [note.split(" matches")[0] for note in found.notes] == ["event 1 (demand)", "override 1"]
    assert found.channels == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[event]]\nshock = "rain"\nvalue = 1.0\n', "`shock` one of"),
        ('[[event]]\nshock = "gate"\nvalue = 1.0\n', "a `gate`"),
        ('[[event]]\nshock = "flow"\nvalue = 1.0\n', "an `account`"),
        ('[[event]]\nshock = "demand"\nvalue = -1.0\n', "0 or more"),
        ('[[event]]\nshock = "demand"\nvalue = "drawn"\n', "only commitments"),
        ('[[event]]\nshock = "hqla"\nvalue = 1.0\nwhere = { region = "east" }\n', "no `where`"),
        ('[[event]]\nshock = "demand"\nvalue = 1.0\nfrom = -1\n', "days from tonight"),
        ('[[event]]\nshock = "demand"\nvalue = nan\n', "finite"),
        ('[[event]]\nshock = "demand"\n', "value"),
        ('[[override]]\nrule = { kind = "capital" }\n', "`set` or `times`"),
        ("skip = 2\n", "a macro path"),
        ('macro = "nowhere.csv"\n', "a table of quarters"),
        ("colour = 1\n", "no such key"),
    ],
)
def test_what_is_no_scenario_is_refused(tmp_path, text, said):
    with pytest.raises(BadInput, match=said):
        scenario(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[event]]\nshock = "demand"\nvalue = 1.0\nwhere = { planet = "x" }\n', "a column of segments"),
        ('[[override]]\nrule = { name = "region" }\nset = { share = 7.0 }\n', "share"),
        ('[[override]]\nrule = { name = "region" }\ntimes = { by = 7.0 }\n', "a number of the rule"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_book_is_refused(tmp_path, text, said):
    with pytest.raises(BadInput, match=said):
        applied(tmp_path, text)


def test_a_path_must_last(tmp_path):
    macro = "Scenario Name,Date,Unemployment rate\nActual,2026 Q1,5\nA,2026 Q2,6\n"
    (tmp_path / "m.csv").write_text(macro)
    assert scenario(tmp_path, 'macro = "m.csv"\n').macro.quarters == ("2026 Q1", "2026 Q2")
    with pytest.raises(BadInput, match="at most 0"):
        scenario(tmp_path, 'macro = "m.csv"\nskip = 1\n')


def test_files_and_folders_are_read_all_at_once(tmp_path):
    for name, text in (("a", HEAD), ("b", HEAD), ("c", "name = 3\n")):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_scenarios([tmp_path])
    assert "a name that no other scenario has" in str(caught.value)
    assert "c.toml (column title)" in str(caught.value)
    with pytest.raises(BadInput, match="a folder of them"):
        read_scenarios([])
