"""One satellite model out of one series of history: chosen, estimated by statsmodels, and looked at out of sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liquidity.errors import BadInput, Problem
from liquidity.scenarios.candidates import YEAR, Candidates
from liquidity.scenarios.fit_forecast import ahead_of, error, expanding, least_error, satellite, with_actual
from liquidity.scenarios.fit_sample import Sample, back
from liquidity.scenarios.fit_search import Search, Tried, keys_of, search
from liquidity.scenarios.macro import quarter_label
from liquidity.scenarios.satellites import Satellite

SHORTLIST = 20
"""Choices, the best by extended BIC, among which the criterion out_of_sample chooses."""


@dataclass(frozen=True)
class Fitted:
    """What one series came to; `model` is None where a constant does as well as any declared choice.

    `coefficients`: of, lag (quarters), kind (`b`, `d`, `constant`, `season`), coefficient, standard_error, t
    (Newey-West), the first per unit of the name in the form's own scale. `figures`: counts, R2, Durbin-Watson, extended
    BIC, errors of the level (plain numbers). `path`: quarter, actual, fitted, forecast (made `ahead` quarters before),
    naive, held (from the last quarter that was fitted, in one go). `forecasts`: errors by quarters ahead.
    """

    name: str
    target: str
    form: str
    unit: str
    model: Satellite | None
    coefficients: pd.DataFrame
    figures: dict[str, Any]
    path: pd.DataFrame
    forecasts: pd.DataFrame


def fit_series(sample: Sample, candidates: Candidates, until: int | None, sources: str) -> Fitted:
    """Choose, estimate and test the model of a sample on its quarters up to `until` (number; all without it).

    `sources` names history and macro table in the model's own source. Raises BadInput where too few quarters are left.
    """
    rows = len(sample.y) if until is None else sample.upto(until)
    if rows < candidates.least_quarters:
        expected = f"a later quarter: {candidates.least_quarters} are needed, {rows} of {sample.series.name} are left"
        raise BadInput(Problem("--until", "", "", quarter_label(until or 0), expected))
    seen = search(sample, candidates, rows)
    best = chosen(sample, candidates, seen, rows)
    result = estimate(sample, best, rows, candidates.hac_lags)
    forecasts = expanding(sample, best.choice, candidates, rows)
    figures = figures_of(sample, seen, best, result, rows) | {
        "rmse_out": error(forecasts), "rmse_naive": error(forecasts, "naive"), "forecasts": len(forecasts),
    }  # fmt: skip
    model = None
    if best.choice:
        base = float(sample.series.values[-YEAR:].mean())
        source = source_of(sample, figures, result, best, candidates, sources)
        model = satellite(sample, best.choice, np.asarray(result.params), base, source)
    held = held_out(sample, model, np.asarray(result.params), rows)
    figures |= {"held": len(held), "rmse_held": error(held), "rmse_held_naive": error(held, "naive")}
    return Fitted(
        sample.series.name, sample.series.target, sample.candidate.form, sample.series.unit, model,
        coefficients_of(sample, best, result), figures,
        path_of(sample, best, result, forecasts[forecasts["ahead"] == candidates.ahead], held),
        by_ahead(forecasts),
    )  # fmt: skip


def chosen(sample: Sample, candidates: Candidates, seen: Search, rows: int) -> Tried:
    """The choice that the declared criterion takes."""
    if candidates.criterion == "bic":
        return seen.found[0]
    best = seen.found[:SHORTLIST]
    if seen.constant not in best:
        best = (*best, seen.constant)
    return least_error(sample, best, candidates, rows)


def estimate(sample: Sample, best: Tried, rows: int, lags: int) -> Any:
    """Ordinary least squares with Newey-West standard errors, by statsmodels."""
    linear = statsmodels()
    return linear.OLS(sample.z[:rows], sample.design(keys_of(best.choice))[:rows]).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags}
    )


def statsmodels() -> Any:
    """The package that estimates, which is an extra."""
    try:
        from statsmodels.regression import linear_model
    except ImportError:
        expected = "the extra fit: pip install 'liquidity[fit]'"
        raise BadInput(Problem("liquidity fit", "", "", "no package statsmodels", expected)) from None
    return linear_model


def held_out(sample: Sample, model: Satellite | None, beta: np.ndarray, rows: int) -> pd.DataFrame:
    """The path from the last fitted quarter to the end of history in one go, beside what came; often empty."""
    made = ahead_of(model, sample, rows - 1, beta, len(sample.macro.quarters))
    return with_actual(made[1:], sample, len(sample.y))


def figures_of(sample: Sample, seen: Search, best: Tried, result: Any, rows: int) -> dict[str, Any]:
    """How well the model stands on the quarters that it was fitted on."""
    rest = np.asarray(result.resid)
    fitted = back(sample.candidate.form, np.asarray(result.fittedvalues))
    return {
        "first": quarter_label(int(sample.quarters[0])), "last": quarter_label(int(sample.quarters[rows - 1])),
        "quarters": rows, "tried": seen.tried, "wrong_sign": seen.wrong_sign, "missing": list(sample.missing),
        "r2": float(result.rsquared) if best.choice or sample.seasons else 0.0,
        "durbin_watson": float((np.diff(rest) ** 2).sum() / (rest**2).sum()),
        "bic": best.extended, "bic_constant": seen.constant.extended,
        "rmse_in": float(np.sqrt(((fitted - sample.y[:rows]) ** 2).mean())),
    }  # fmt: skip


def coefficients_of(sample: Sample, best: Tried, result: Any) -> pd.DataFrame:
    """Coefficients in the order of the design; of a season `lag` is the quarter of the year."""
    keys: list[tuple[str, int, str]] = [("", 0, "constant"), *(("", one + 1, "season") for one in sample.seasons)]
    table = pd.DataFrame([*keys, *keys_of(best.choice)], columns=["of", "lag", "kind"])
    numbers = {"coefficient": result.params, "standard_error": result.bse, "t": result.tvalues}
    return table.assign(**{name: np.asarray(values) for name, values in numbers.items()})


def told(name: str, lag: int, kind: str) -> str:
    """A column of a regression in words."""
    return f"{name} {'level' if kind == 'b' else 'yearly change'}, lag {lag}"


def path_of(sample: Sample, best: Tried, result: Any, forecasts: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Actual, fitted and forecast by quarter; every quarter of the series has a row, also those left out."""
    series = sample.series
    fitted = back(sample.candidate.form, sample.design(keys_of(best.choice)) @ np.asarray(result.params))
    rows = len(result.fittedvalues)
    path = pd.DataFrame({"actual": series.values}, index=series.quarters)
    path["fitted"] = pd.Series(fitted[:rows], sample.quarters[:rows])
    for column in ("forecast", "naive"):
        path[column] = forecasts.set_index("quarter")[column].astype(float)
    path["held"] = held.set_index("quarter").forecast
    path.insert(0, "quarter", [quarter_label(int(quarter)) for quarter in path.index])
    return path.reset_index(drop=True)


def by_ahead(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Errors by quarters ahead: ahead, forecasts, rmse, rmse_naive."""
    groups = [(int(str(ahead)), part) for ahead, part in forecasts.groupby("ahead")]
    rows = [(ahead, len(part), error(part), error(part, "naive")) for ahead, part in groups]
    return pd.DataFrame(rows, columns=["ahead", "forecasts", "rmse", "rmse_naive"])


def source_of(sample: Sample, figures: dict[str, Any], result: Any, best: Tried, candidates: Candidates,
              sources: str) -> str:  # fmt: skip
    """Where the model comes from, in a sentence that stands in its file."""
    start = 1 + len(sample.seasons)
    terms = "; ".join(f"{told(*key)} {value:.4g} (t {t:.1f})" for key, value, t in
                      zip(keys_of(best.choice), result.params[start:], result.tvalues[start:]))  # fmt: skip
    span = f"{figures['first']} to {figures['last']}, {figures['quarters']} quarters"
    errors = f"{figures['rmse_out']:.3g} against {figures['rmse_naive']:.3g} of the last value"
    return (f"liquidity fit: {sources}, {span}: {terms}; R2 {figures['r2']:.2f}, Durbin-Watson "
            f"{figures['durbin_watson']:.2f}; error 1 to {candidates.ahead} quarters ahead {errors}")  # fmt: skip
