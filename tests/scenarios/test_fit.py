"""Fitting: known numbers recovered, signs and criteria kept, no look ahead, published fits reproduced, refusals."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from histories import FIRST, logistic, macro_values, walk, write_history, write_macro
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.stattools import durbin_watson

from liquidity.errors import BadInput
from liquidity.scenarios.candidates import Candidate, Candidates, candidate_of, read_candidates
from liquidity.scenarios.fit import Fitted, fit_series
from liquidity.scenarios.fit_forecast import error, expanding
from liquidity.scenarios.fit_sample import Sample, make_sample
from liquidity.scenarios.fit_search import keys_of, search
from liquidity.scenarios.history import read_history
from liquidity.scenarios.macro import Macro, quarter_label
from liquidity.scenarios.satellites import read_satellites

ROOT = Path(__file__).parents[2]
SHARED = next((at for up in ROOT.parents[:2] if (at := up / "shared" / "data").is_dir()), ROOT / "none")
MACRO = ROOT / "data" / "history" / "fed_domestic.csv"
SHIPPED = read_candidates(ROOT / "models" / "candidates.toml")
PD = {"target": "pd", "form": "logit", "level": {"unemployment": "+", "gdp": "-"}, "change": {"unemployment": "+"}}
AHEAD = 12
"""Quarters of the macro table before the series begins."""


def candidates(candidate: dict | None = None, **values) -> Candidates:
    return Candidates.model_validate({"candidate": [candidate or PD], **values})


def sample_of(tmp_path: Path, y: np.ndarray, told: Candidates, target: str = "pd", values=None) -> Sample:
    macro = write_macro(tmp_path / "macro.csv", values or macro_values())
    (series,) = read_history(write_history(tmp_path / "history.csv", AHEAD, y, target))
    return make_sample(series, told.candidate[0], told, macro, "history.csv")


def fit(tmp_path: Path, y: np.ndarray, told: Candidates, until: int | None = None, **values) -> Fitted:
    return fit_series(sample_of(tmp_path, y, told, **values), told, until, "test")


def losses(b: float = 0.2, d: float = 0.1, lag: int = 2, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    """Log odds of -3, b a point of unemployment and d a point of its change, both `lag` quarters before."""
    u = macro_values()["unemployment"]
    at = np.arange(AHEAD, len(u))
    z = -3 + b * u[at - lag] + d * (u[at - lag] - u[at - lag - 4])
    return logistic(z + np.random.default_rng(seed).normal(0, noise, len(at)))


def test_known_coefficients_are_recovered(tmp_path):
    found = fit(tmp_path, losses(), candidates())
    (term,) = found.model.terms
    assert (term.of, term.lag) == ("unemployment", 2)
    table = found.coefficients.set_index("kind")
    for kind, true in (("b", 0.2), ("d", 0.1), ("constant", -3.0)):
        assert table.coefficient[kind] == pytest.approx(true, abs=4 * table.standard_error[kind])
        assert table.coefficient[kind] == pytest.approx(true, abs=0.02)
    assert found.figures["r2"] > 0.97
    assert 1.5 < found.figures["durbin_watson"] < 2.5
    assert found.figures["rmse_in"] == pytest.approx(np.sqrt(((found.path.actual - found.path.fitted) ** 2).mean()))
    # six digits reach the file
    assert term.b == pytest.approx(table.coefficient["b"], rel=1e-5)


def test_figures_are_those_of_statsmodels(tmp_path):
    told = candidates()
    sample = sample_of(tmp_path, losses(noise=0.3), told)
    found, seen = fit_series(sample, told, None, "test"), search(sample, told, len(sample.y))
    best = seen.found[0]
    design = sample.design(keys_of(best.choice))
    plain = OLS(sample.z, design).fit()
    robust = plain.get_robustcov_results("HAC", maxlags=4)
    assert best.bic == pytest.approx(plain.bic, rel=1e-12)
    np.testing.assert_allclose(best.beta, plain.params, rtol=1e-8)
    np.testing.assert_allclose(found.coefficients.standard_error, robust.bse, rtol=1e-8)
    np.testing.assert_allclose(found.coefficients.t, robust.tvalues, rtol=1e-8)
    assert found.figures["durbin_watson"] == pytest.approx(durbin_watson(plain.resid), rel=1e-9)
    assert found.figures["r2"] == pytest.approx(plain.rsquared, rel=1e-12)
    assert best.extended == min(one.extended for one in seen.found)
    sizes = {0: 1, 1: 20, 2: 75}
    for one in seen.found:
        assert one.extended == pytest.approx(one.bic + 2 * np.log(sizes[len(one.choice)]))
    # 2 names: one 15 ways, the other 5; both; and the constant
    assert seen.tried == 1 + 15 + 5 + 15 * 5


@pytest.mark.parametrize(("form", "target"), [("linear", "lgd"), ("multiplier", "pd")])
def test_other_forms(tmp_path, form, target):
    u = macro_values()["unemployment"][AHEAD - 1 : -1]
    noise = np.random.default_rng(1).normal(0, 0.002, len(u))
    y = 0.3 + 0.02 * u + noise if form == "linear" else 0.01 * u**0.8 * np.exp(noise)
    told = candidates({"target": target, "form": form, "level": {"unemployment": "+"}})
    found = fit_series(sample_of(tmp_path, y, told, target), told, None, "test")
    (term,) = found.model.terms
    assert (term.lag, found.model.form) == (1, form)
    assert term.b == pytest.approx(0.02 if form == "linear" else 0.8, rel=0.06)


def test_seasons_are_taken_out(tmp_path):
    y = losses(noise=0.01)
    quarter = (FIRST + AHEAD + np.arange(len(y))) % 4
    seasonal = logistic(np.log(y / (1 - y)) + np.array([0, 0.3, -0.2, 0.1])[quarter])
    found = fit(tmp_path, seasonal, candidates({**PD, "seasons": True}))
    assert found.coefficients.kind.tolist() == ["constant", *["season"] * 3, "b", "d"]
    np.testing.assert_allclose(found.coefficients.coefficient[1:4], [0.3, -0.2, 0.1], atol=0.01)
    # the season moves the naive forecast too: one quarter ahead it is far nearer than the raw last value
    one = found.forecasts.set_index("ahead").loc[1]
    assert one.rmse_naive < 0.5 * np.sqrt(np.mean(np.diff(seasonal[23:]) ** 2))
    assert one.rmse < one.rmse_naive or found.model.terms[0].lag > 0


def test_a_model_against_the_declared_sign_falls_out(tmp_path):
    told = candidates({"target": "pd", "form": "logit", "level": {"unemployment": "+"}})
    found = fit(tmp_path, losses(b=-0.2, d=0.0), told)
    assert found.model is None
    assert found.figures["wrong_sign"] == 5
    assert found.coefficients.kind.tolist() == ["constant"]
    free = candidates({"target": "pd", "form": "logit", "level": {"unemployment": "any"}})
    assert fit(tmp_path, losses(b=-0.2, d=0.0), free).model.terms[0].b == pytest.approx(-0.2, abs=0.02)


def test_noise_rarely_has_a_model(tmp_path):
    """96 choices on nothing: by BIC alone every fifth series would get one (39 of 200, here 3 of 200)."""
    told, found = candidates(), []
    for seed in range(60):
        y = logistic(-3 + np.random.default_rng(seed).normal(0, 0.2, 88))
        seen = search(sample_of(tmp_path, y, told), told, len(y))
        found.append((bool(seen.found[0].choice), bool(min(seen.found, key=lambda one: one.bic).choice)))
    extended, plain = np.sum(found, axis=0)
    assert extended <= 2
    assert plain >= 6


def test_no_model_is_told_with_the_constant(tmp_path):
    y = logistic(-3 + np.random.default_rng(1).normal(0, 0.2, 88))
    found = fit(tmp_path, y, candidates())
    assert found.model is None
    assert found.figures["bic"] == found.figures["bic_constant"]
    assert found.figures["rmse_out"] == found.figures["rmse_naive"]


def test_least_error_out_of_sample_is_what_it_says(tmp_path):
    told = candidates(criterion="out_of_sample")
    sample = sample_of(tmp_path, losses(noise=0.3, lag=0), told)
    found, seen = fit_series(sample, told, None, "test"), search(sample, told, len(sample.y))
    errors = [error(expanding(sample, one.choice, told, len(sample.y))) for one in seen.found[:20]]
    assert found.figures["rmse_out"] == pytest.approx(min(errors))


def test_forecasts_see_nothing_of_what_comes(tmp_path):
    """Each is the satellite on the path from its night, with coefficients of the quarters up to it."""
    told, y = candidates(), losses(noise=0.1)
    sample = sample_of(tmp_path, y, told)
    choice = (("unemployment", 0, "b"),)
    made = expanding(sample, choice, told, len(y))
    row, u = 50, macro_values()["unemployment"][AHEAD:]
    x = np.column_stack([np.ones(row + 1), u[: row + 1]])
    b = OLS(np.log(y / (1 - y))[: row + 1], x).fit().params[1]
    night = made[made.origin == sample.quarters[row]]
    expected = logistic(np.log(y[row] / (1 - y[row])) + b * (u[row + 1 : row + 5] - u[row]))
    np.testing.assert_allclose(night.forecast, expected, rtol=1e-5)
    np.testing.assert_array_equal(night.naive, y[row])
    np.testing.assert_array_equal(night.actual, y[row + 1 : row + 5])
    other = y.copy()
    other[row + 1 :] *= 0.5
    again = expanding(sample_of(tmp_path, other, told), choice, told, len(y))
    np.testing.assert_array_equal(again[again.origin == sample.quarters[row]].forecast, night.forecast)
    assert made.origin.min() == sample.quarters[told.least_quarters - 1]
    assert made["ahead"].max() == told.ahead


def test_quarters_held_out_change_nothing(tmp_path):
    told, y = candidates(), losses(lag=0, d=0.0)
    until = FIRST + AHEAD + 39
    found = fit(tmp_path, y, told, until)
    other = y.copy()
    other[40:] *= 0.5
    again = fit(tmp_path, other, told, until)
    assert found.coefficients.equals(again.coefficients)
    assert (found.figures["quarters"], found.figures["last"]) == (40, quarter_label(until))
    assert (found.figures["held"], found.path.held.notna().sum()) == (len(y) - 40, len(y) - 40)
    assert found.figures["rmse_held"] < 0.4 * found.figures["rmse_held_naive"]
    # in one go from the last fitted quarter, by the model that is written
    path = {"unemployment": macro_values()["unemployment"][AHEAD + 39 :]}
    level = found.model.level(Macro("", tuple(map(str, range(len(y) - 39))), path), np.array([y[39]]))[0]
    np.testing.assert_allclose(found.path.held[40:], level[1:], rtol=1e-4)


def test_quarters_left_out_are_not_explained(tmp_path):
    y = losses()
    y[30:34] = 0.9
    gap = [[quarter_label(FIRST + AHEAD + 30), quarter_label(FIRST + AHEAD + 33)]]
    found = fit(tmp_path, y, candidates(leave_out=gap))
    assert found.figures["quarters"] == len(y) - 4
    assert found.model.terms[0].b == pytest.approx(0.2, abs=0.02)
    assert found.path.fitted[30:34].isna().all()
    assert found.path.actual[30:34].eq(0.9).all()


def test_the_shipped_example_gives_back_what_it_was_drawn_with():
    """The table of data/history/README.md."""
    true = {"pd_grade_a": ["unemployment", 2, 0.12], "pd_grade_c_d_e": ["unemployment", 2, 0.20],
            "payment_rate": ["unemployment", 0, -0.06]}  # fmt: skip
    told = SHIPPED.model_copy(update={"terms": 1})
    for series in read_history(ROOT / "data" / "history" / "example.csv"):
        if series.name in true:
            one = candidate_of(told, series.target, "")
            found = fit_series(make_sample(series, one, told, MACRO, ""), told, None, "")
            (term,) = found.model.terms
            assert [term.of, term.lag] == true[series.name][:2]
            assert term.b == pytest.approx(true[series.name][2], abs=0.005)
            assert found.figures["rmse_out"] < found.figures["rmse_naive"]


@pytest.mark.skipif(not (SHARED / "phillyfed").is_dir(), reason="the published series are not here")
@pytest.mark.parametrize(
    ("target", "column", "level", "change", "errors", "r2"),
    [
        ("policy_kept", "% of Accounts with Credit Line Decrease", 0.051, 0.100, (0.010, 0.016), 0.57),
        ("score_kept", "90+ Days Past Due Rates: Balances Based", 0.047, 0.276, (0.025, 0.039), 0.69),
        ("payment_rate", "Share of Accounts Making Full Balance Payment", -0.064, -0.003, (0.015, 0.048), 0.55),
    ],
)
def test_published_series_give_the_shipped_models(tmp_path, target, column, level, change, errors, r2):
    """Cards of large banks on unemployment, as models/satellites.toml has them from another fit."""
    with (SHARED / "phillyfed" / "24Q4-CreditCardBalances.csv").open(encoding="utf-8-sig") as file:
        rows = [(row["YRQTR"], row[column].strip("% ")) for row in csv.DictReader(file)]
    text = "".join(f"{quarter},{target},{value},%\n" for quarter, value in rows if value)
    (tmp_path / "cards.csv").write_text("quarter,target,value,unit\n" + text)
    # level and change together, at no lag, are the only choice that has both
    one = Candidate(target=target, form="logit", seasons=True, level={"unemployment": "any"},
                    change={"unemployment": "any"}, effect=candidate_of(SHIPPED, target, "").effect)  # fmt: skip
    told = SHIPPED.model_copy(update={"lags": (0,), "terms": 1, "candidate": (one,)})
    (series,) = read_history(tmp_path / "cards.csv")
    sample = make_sample(series, one, told, MACRO, "cards.csv")
    seen = search(sample, told, len(sample.y))
    both = next(tried for tried in seen.found if tried.choice and tried.choice[0][2] == "bd")
    np.testing.assert_allclose(both.beta[-2:], [level, change], atol=6e-4)
    fitted = OLS(sample.z, sample.design(keys_of(both.choice))).fit(cov_type="HAC", cov_kwds={"maxlags": 4})
    np.testing.assert_allclose(fitted.bse[-2:], errors, atol=6e-4)
    assert fitted.rsquared == pytest.approx(r2, abs=0.006)
    shipped = next(one for one in read_satellites(ROOT / "models" / "satellites.toml").models if one.target == target)
    assert (shipped.terms[0].b, shipped.terms[0].d) == (level, change)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"y": losses()[:20]}, "found '20 quarters', expected at least 28 quarters of pd (24 to fit, 4 to look ahead)"),
        (
            {"y": np.array([*losses()[:40], 1.0])},
            "row 42, column value): found 1.0, expected a share above 0 and below 1",
        ),
        ({"y": losses()[:40], "until": FIRST + AHEAD + 10}, "--until (row"),
    ],
)
def test_a_history_that_cannot_be_fitted_is_refused(tmp_path, values, said):
    with pytest.raises(BadInput) as caught:
        fit(tmp_path, values["y"], candidates(), values.get("until"))
    assert said.replace("--until (row", "--until: found '1995 Q3', expected a later quarter") in str(caught.value)


def test_a_macro_table_that_does_not_reach_is_refused(tmp_path):
    short = {name: path[:4] for name, path in macro_values().items()}
    with pytest.raises(BadInput, match=r"quarters of macro\.csv, 1990 Q1 to 1990 Q4"):
        sample_of(tmp_path, losses(), candidates(), values=short)
    late = {name: path[:40] for name, path in macro_values().items()}
    # the series goes on, but no macro number is known
    assert len(sample_of(tmp_path, losses(), candidates(least_quarters=20), values=late).y) == 28
    holes = {"gdp": macro_values()["gdp"].astype(object)}
    holes["gdp"][50] = ""
    told = candidates({"target": "pd", "form": "logit", "level": {"gdp": "-"}})
    with pytest.raises(BadInput, match="every number of one of gdp"):
        sample_of(tmp_path, losses(), told, values=holes)
    both = holes | {"unemployment": macro_values()["unemployment"]}
    assert sample_of(tmp_path, losses(), candidates(), values=both).missing == ("gdp",)


def test_a_multiplier_takes_no_name_that_falls_to_zero(tmp_path):
    told = candidates({"target": "pd", "form": "multiplier", "level": {"unemployment": "any", "rate_3m": "any"}})
    values = {"unemployment": macro_values()["unemployment"], "rate_3m": walk(3, 100, 0.1, 0.4)}
    assert sample_of(tmp_path, losses(), told, values=values).missing == ("rate_3m",)


def test_a_series_does_not_depend_on_its_unit(tmp_path):
    plain = fit(tmp_path, losses(), candidates())
    text = (tmp_path / "history.csv").read_text().splitlines()
    rows = [row.split(",") for row in text[1:]]
    told = candidates()
    scaled = [f"{quarter},{target},{100 * float(value)!r},%," for quarter, target, value, *_ in rows]
    (tmp_path / "percent.csv").write_text("\n".join([text[0], *scaled]) + "\n")
    (series,) = read_history(tmp_path / "percent.csv")
    sample = make_sample(series, told.candidate[0], told, tmp_path / "macro.csv", "")
    other = fit_series(sample, told, None, "test")
    assert replace(other, unit="1").model.terms == plain.model.terms
