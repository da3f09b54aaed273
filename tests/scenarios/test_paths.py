"""Macro paths drawn around a scenario's own: seeds, sizes, floors, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liquidity.errors import BadInput
from liquidity.scenarios.macro import DERIVED, Macro, read_macro
from liquidity.scenarios.paths import Noise, Noises, draw_paths, read_noises
from liquidity.scenarios.scenario import Told, read_scenario

ROOT = Path(__file__).parents[2]
NOISES = read_noises(ROOT / "models" / "macro_noise.toml")


def around(name: str = "fed_2026_severely_adverse") -> Told:
    return read_scenario(ROOT / "data" / "scenarios" / f"{name}.toml")


def same(one: Macro, other: Macro) -> bool:
    return one.values.keys() == other.values.keys() and all(
        np.array_equal(one.values[name], other.values[name]) for name in one.values
    )


def test_a_draw_depends_on_seed_and_number_alone():
    few, many = draw_paths(around(), NOISES, 3, seed=7), draw_paths(around(), NOISES, 20, seed=7)
    assert all(same(one, other) for one, other in zip(few, many))
    assert not same(few[0], few[1])
    assert not same(few[0], draw_paths(around(), NOISES, 1, seed=8)[0])


def test_a_variable_does_not_depend_on_what_else_is_drawn():
    alone = Noises("x", tuple(one for one in NOISES.entries if one.of == "unemployment"))
    one, other = (draw_paths(around(), noises, 1, seed=3)[0] for noises in (alone, NOISES))
    assert np.array_equal(one.values["unemployment"], other.values["unemployment"])
    assert np.array_equal(one.values["rate_3m"], around().macro.values["rate_3m"])


def test_tonight_is_known_and_derived_names_follow():
    centre = around().macro
    for path in draw_paths(around(), NOISES, 5, seed=0):
        assert all(path.values[name][0] == centre.values[name][0] for name in centre.values)
        first, second = DERIVED["credit_spread"][0]
        assert np.array_equal(path.values["credit_spread"], path.values[first] - path.values[second])


def test_sizes_and_correlations_are_those_declared():
    one = Noise(of="unemployment", size=0.5, persistence=0.8, cycle=-0.6, source="x")
    other = Noise(of="gdp", size=2.0, persistence=0.0, cycle=0.5, source="x")
    flat = Macro("flat", tuple(f"{2000 + q // 4} Q{q % 4 + 1}" for q in range(41)),
                 {"unemployment": np.full(41, 5.0), "gdp": np.full(41, 2.0)})  # fmt: skip
    drawn = draw_paths(around().model_copy(update={"macro": flat}), Noises("x", (one, other)), 2000, seed=1)
    jobs, growth = (np.array([path.values[name] for path in drawn]) for name in ("unemployment", "gdp"))
    away = jobs - 5.0
    shock = away[:, 1:] - 0.8 * away[:, :-1]
    assert shock.std() == pytest.approx(0.5, rel=0.02)
    assert away[:, -1].std() == pytest.approx(0.5 / np.sqrt(1 - 0.8**2), rel=0.06)
    assert np.corrcoef(shock.ravel(), growth[:, 1:].ravel())[0, 1] == pytest.approx(-0.3, abs=0.02)


def test_floors_hold_the_draws_and_leave_the_path():
    noise = Noise(of="rate_3m", size=5.0, persistence=0.5, floor=1.0, cap=6.0, source="x")
    path = np.array([0.1, 0.1, 3.0, 3.0, 9.0])
    rng = np.random.default_rng(0)
    moved = np.array([noise.around(path, *rng.standard_normal((2, 5))) for _ in range(200)])
    assert (moved[:, 0] == 0.1).all()
    assert (moved.min(axis=0) == [0.1, 0.1, 1.0, 1.0, 1.0]).all()
    assert (moved.max(axis=0) == [0.1, 6.0, 6.0, 6.0, 9.0]).all()


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('[[noise]]\nof = "moon"\nsize = 1\npersistence = 0.5\nsource = "x"', ""),
        ('[[noise]]\nof = "gdp"\nsize = -1\npersistence = 0.5\nsource = "x"', "size"),
        ('[[noise]]\nof = "gdp"\nsize = 1\npersistence = 1.0\nsource = "x"', "persistence"),
        ('[[noise]]\nof = "gdp"\nsize = 1\npersistence = 0.5\nsource = "x"\n' * 2, "of"),
        ("[[noise]]\n[[nose]]", "nose"),
        ("noise = 3", "noise"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, column):
    file = tmp_path / "noise.toml"
    file.write_text(text)
    with pytest.raises(BadInput) as found:
        read_noises(file)
    assert column in [problem.column for problem in found.value.problems]


def test_a_scenario_without_a_path_is_refused():
    with pytest.raises(BadInput, match="macro path"):
        draw_paths(around("line_not_renewed"), NOISES, 2, seed=0)
    with pytest.raises(BadInput, match="unemployment"):
        draw_paths(around(), Noises("x", ()), 2, seed=0)


def left_over(name: str, macro: Macro, calm: np.ndarray) -> tuple[float, np.ndarray]:
    """Persistence and what is left of an AR(1) on the history of a variable; of growth where only that is taken."""
    path = macro.values[name]
    if name in ("equity", "house_price"):
        grown = np.diff(np.log(path))[calm]
        return np.nan, grown - grown.mean()
    level = np.log(path) if name == "vix" else path
    before, now = level[:-1][calm], level[1:][calm]
    slope, start = np.polyfit(before, now, 1)
    return slope, now - start - slope * before


def test_sizes_said_to_be_from_history_are():
    macro = read_macro(ROOT / "data" / "history" / "fed_domestic.csv", begin="1990 Q1")
    calm = np.array([not "2020 Q2" <= quarter <= "2021 Q4" for quarter in macro.quarters[1:]])
    told = [one for one in NOISES.entries if one.source.startswith("history")]
    found = [left_over(one.of, macro, calm) for one in told]
    rest = np.array([part for _, part in found])
    weights, axes = np.linalg.eigh(np.corrcoef(rest))
    loading = axes[:, -1] * np.sqrt(weights[-1])
    loading *= np.sign(loading[[one.of for one in told].index("gdp")])
    assert len(told) == 8
    for one, (persistence, part), weight in zip(told, found, loading):
        assert one.size == pytest.approx(part.std(ddof=1), rel=0.05), one.of
        assert one.cycle == pytest.approx(weight, abs=0.006), one.of
        assert np.isnan(persistence) or one.persistence == pytest.approx(persistence, abs=0.006), one.of
