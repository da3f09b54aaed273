"""Forecasts out of sample, made as `liquidity stress` uses a model: from the level of the night, on the macro path.

Each quarter with enough history behind it is once the night: the coefficients come from the quarters up to it, the
path of the macro names is the one that came, and what they did before that night is not looked at (a satellite model
takes them to have stood where they stand). The naive forecast is the level of the night. Seasons, where the candidate
has them, move both alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from liquidity.scenarios.candidates import YEAR, Candidates
from liquidity.scenarios.fit_sample import SEASONS, Sample, back, transform
from liquidity.scenarios.fit_search import Choice, Tried, keys_of, least_squares
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.satellites import OF_BOOK, SHIFTS, Satellite

DIGITS = 6
"""Significant digits of a coefficient in a satellite model."""


def satellite(sample: Sample, choice: Choice, beta: np.ndarray, base: float, source: str) -> Satellite:
    """The model of a choice; `beta` as `Sample.design` orders it, `base` the level that stands for tonight."""
    found = dict(zip(keys_of(choice), beta[1 + len(sample.seasons) :]))
    terms = [{"of": name, "lag": lag, **{kind: float(f"{found[name, lag, kind]:.{DIGITS}g}") for kind in kinds}}
             for name, lag, kinds in choice]  # fmt: skip
    series, candidate = sample.series, sample.candidate
    own = {} if series.target in OF_BOOK else {"base": 0.0 if series.target in SHIFTS else float(f"{base:.{DIGITS}g}")}
    return Satellite.model_validate({
        "name": series.name, "target": series.target, "form": candidate.form, "effect": candidate.effect,
        "terms": terms, "floor": candidate.floor, "cap": candidate.cap, "where": series.where, "source": source, **own,
    })  # fmt: skip


def ahead_of(model: Satellite | None, sample: Sample, row: int, beta: np.ndarray, length: int) -> pd.DataFrame:
    """Levels of the model and of the naive forecast 0 to `length` quarters after a row (fewer where history ends).

    Without a model (the constant alone) the forecast is the naive one.
    """
    at, now = int(sample.at[row]), float(sample.y[row])
    quarters = sample.macro.quarters[at : at + length + 1]
    naive = np.full(len(quarters), now)
    told = {"forecast": naive if model is None else level_of(model, sample, at, now, len(quarters)), "naive": naive}
    numbers = np.arange(len(quarters)) + int(sample.quarters[row])
    if sample.seasons:
        season = np.zeros(YEAR)
        season[list(SEASONS)] = beta[1 : 1 + len(SEASONS)]
        moved, form = season[numbers % YEAR] - season[numbers[0] % YEAR], sample.candidate.form
        told = {name: back(form, transform(form, values) + moved) for name, values in told.items()}
    return pd.DataFrame({"quarter": numbers, "ahead": np.arange(len(quarters)), **told})


def level_of(model: Satellite, sample: Sample, at: int, now: float, count: int) -> np.ndarray:
    """The level by quarter as a stress run has it: the path begins in the quarter of the night."""
    path = {term.of: sample.macro.values[term.of][at : at + count] for term in model.terms}
    macro = Macro("", sample.macro.quarters[at : at + count], path)
    if model.target in SHIFTS:
        return now + model.effect_on(macro)
    found: np.ndarray = model.level(macro, np.array([now]))[0]
    return found


def expanding(sample: Sample, choice: Choice, candidates: Candidates, rows: int) -> pd.DataFrame:
    """Forecasts of every quarter from every earlier one that has `least_quarters` up to it, among the first `rows`.

    Columns: origin, quarter (numbers), ahead (quarters), forecast, naive, actual (plain numbers).
    """
    design, parts = sample.design(keys_of(choice)), []
    for row in range(candidates.least_quarters - 1, rows - 1):
        beta = least_squares(design[: row + 1], sample.z[: row + 1])[0]
        if not beta[1 + len(sample.seasons) :].all():
            continue  # a name that has not moved yet explains nothing, and a term of nothing is no term
        model = satellite(sample, choice, beta, float(sample.y[row]), "out of sample") if choice else None
        made = ahead_of(model, sample, row, beta, candidates.ahead)
        parts.append(made[1:].assign(origin=int(sample.quarters[row])))
    columns = ["origin", "quarter", "ahead", "forecast", "naive"]
    return with_actual(pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns),
                       sample, rows)  # fmt: skip


def with_actual(forecasts: pd.DataFrame, sample: Sample, rows: int) -> pd.DataFrame:
    """Forecasts of quarters that count, among the first `rows`, beside what came."""
    actual = dict(zip(sample.quarters[:rows].tolist(), sample.y[:rows].tolist()))
    told = forecasts.assign(actual=forecasts.quarter.map(actual).astype(float))
    return told.dropna(subset=["actual"]).reset_index(drop=True)


def error(forecasts: pd.DataFrame, column: str = "forecast") -> float:
    """Root of the mean squared error, plain number; NaN without a forecast."""
    if forecasts.empty:
        return float("nan")
    return float(np.sqrt(((forecasts[column] - forecasts.actual) ** 2).mean()))


def least_error(sample: Sample, best: Sequence[Tried], candidates: Candidates, rows: int) -> Tried:
    """The choice with the least error out of sample."""
    errors = [error(expanding(sample, one.choice, candidates, rows)) for one in best]
    return best[int(np.argmin(errors))]
