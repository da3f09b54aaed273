"""Satellite models: published calibration, forms, effects, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liquidity.errors import BadInput
from liquidity.scenarios.macro import Macro, read_macro
from liquidity.scenarios.satellites import Satellite, lagged, read_satellites

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "scenarios" / "macro"
MODELS = read_satellites(ROOT / "models" / "satellites.toml")
ADVERSE = read_macro(SHIPPED / "fed_2026_severely_adverse.csv")


def model(**values) -> Satellite:
    plain = {"name": "x", "target": "demand", "form": "linear", "base": 1.0, "source": "test",
             "terms": [{"of": "unemployment", "b": 0.1}]}  # fmt: skip
    return Satellite.model_validate({**plain, **values})


def path(*values: float) -> Macro:
    return Macro("x", tuple(map(str, range(len(values)))), {"unemployment": np.array(values)})


def test_card_losses_as_published():
    """DFAST 2026: 17.1% over nine quarters; the path of FACTS 4.2 to its last digit."""
    losses = MODELS.named("card_losses").level(ADVERSE, 0.04)
    expected = [4.00, 4.00, 5.19, 6.60, 7.91, 9.13, 9.97, 10.70, 10.89, 10.51, 9.80, 9.29, 8.66]
    # b is printed with four digits, which moves the last figure by a little more than half a unit
    np.testing.assert_allclose(100 * losses[1:], expected, atol=0.006)
    assert 100 * losses[1:10].sum() / 4 == pytest.approx(17.1, abs=0.05)


def test_china_inflow_is_met():
    """The severe path starts 2.26 / 0.7 = 3.2 times as many bad loans."""
    effect = MODELS.named("china_losses").effect_on(read_macro(SHIPPED / "china_severe.csv"), np.array([0.01]))
    assert effect[0, 1] == pytest.approx(2.26 / 0.7)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.csv")), ids=lambda file: file.stem)
def test_nothing_changes_tonight_and_everything_stays_in_bounds(file):
    macro = read_macro(file)
    used = [one for one in MODELS.models if one.applies(macro)]
    assert used
    for one in used:
        base = np.array([0.004, 0.05, 0.9]) if one.base is None else None
        effect = one.effect_on(macro, base)
        np.testing.assert_allclose(effect[..., 0], 0.0 if one.effect == "difference" else 1.0, atol=1e-15)
        level = one.level(macro, base)
        assert np.isfinite(level).all()
        assert one.cap is None or (level <= one.cap).all()


def test_directions_on_the_severely_adverse_path():
    worst = {one.name: one.effect_on(ADVERSE, 0.02 if one.base is None else None)[5] for one in MODELS.models
             if one.applies(ADVERSE)}  # fmt: skip
    assert worst["card_losses"] > 2
    assert all(
        worst[name] < 1 for name in ("payment_rate", "demand", "scores", "line_cuts", "advance_haircut", "hqla_haircut")
    )
    assert all(worst[name] > 0 for name in ("line_spread", "market_spread"))


def test_forms():
    up = path(5.0, 6.0, 8.0)
    np.testing.assert_allclose(model().level(up), [1.0, 1.1, 1.3])
    np.testing.assert_allclose(
        model(form="multiplier", terms=[{"of": "unemployment", "b": 2.0}]).level(up), [1, 1.44, 2.56]
    )
    odds = model(form="logit", base=0.5, terms=[{"of": "unemployment", "b": np.log(2)}]).level(up)
    np.testing.assert_allclose(odds, [1 / 2, 2 / 3, 8 / 9])
    year = model(terms=[{"of": "unemployment", "d": 1.0}]).level(path(1, 2, 3, 4, 5, 5, 5))
    np.testing.assert_allclose(year, [1, 2, 3, 4, 5, 4, 3])


def test_lags_caps_and_one_sided_terms():
    move = path(5.0, 7.0, 3.0)
    np.testing.assert_allclose(model(terms=[{"of": "unemployment", "b": 0.1, "lag": 1}]).level(move), [1, 1, 1.2])
    np.testing.assert_allclose(model(terms=[{"of": "unemployment", "b": 0.1, "only": "up"}]).level(move), [1, 1.2, 1])
    np.testing.assert_allclose(model(floor=0.9, cap=1.1).level(move), [1, 1.1, 0.9])
    assert lagged(np.array([1.0, 2.0]), 5).tolist() == [1.0, 1.0]


def test_effects():
    move = path(5.0, 6.0)
    np.testing.assert_allclose(model(base=2.0).effect_on(move), [1.0, 1.05])
    np.testing.assert_allclose(model(base=0.2, effect="complement").effect_on(move), [1.0, 0.7 / 0.8])
    shift = model(target="line_rate", effect="difference", base=0.0)
    np.testing.assert_allclose(shift.effect_on(move), [0.0, 0.1])
    many = model(target="pd", form="logit", base=None).effect_on(move, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(many[[0, 2]], 1.0)
    assert many[1, 1] > 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"terms": []}, "terms"), ({"terms": [{"of": "sunshine", "b": 1}]}, "one of gdp"),
        ({"terms": [{"of": "gdp"}]}, "b or d"), ({"base": None}, "the level of tonight"),
        ({"form": "logit", "base": 1.0}, "between 0 and 1"), ({"target": "line_rate"}, "effect difference"),
        ({"effect": "difference"}, "effect difference"), ({"base": 0.0}, "other than 0"),
        ({"form": "multiplier", "terms": [{"of": "gdp", "b": 1, "d": 1}]}, "no d"),
        ({"floor": 2.0, "cap": 1.0}, "below the cap"), ({"effect": "complement"}, "below 1"),
        ({"target": "weather"}, "target"), ({"sauce": "x"}, "sauce"), ({"source": ""}, "source"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        model(**values)


def test_a_file_tells_everything_at_once(tmp_path):
    file = tmp_path / "satellites.toml"
    good = '[[satellite]]\nname="a"\ntarget="demand"\nform="linear"\nbase=1.0\nsource="s"\nterms=[{of="gdp",b=1.0}]\n'
    file.write_text("extra = 1\n" + good + good + good.replace('"linear"', '"cubic"'))
    with pytest.raises(BadInput) as caught:
        read_satellites(file)
    text = str(caught.value)
    assert "extra" in text
    assert "a name that no other model has" in text
    assert "column form" in text
    assert "satellite 3 a" in text
    for bad in ("[[satellite]", "satellite = 1"):
        file.write_text(bad)
        with pytest.raises(BadInput):
            read_satellites(file)
    with pytest.raises(BadInput, match="satellite models"):
        read_satellites(tmp_path / "none.toml")
