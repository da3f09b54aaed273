"""A series beside the macro names that may explain it: the quarters that all candidates have, and their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liquidity.errors import BadInput, Problem
from liquidity.scenarios.candidates import YEAR, Candidate, Candidates
from liquidity.scenarios.history import Series
from liquidity.scenarios.macro import Macro, quarter_label, quarter_number, read_macro

Key = tuple[str, int, str]
"""One column of a regression: macro name, lag in quarters, `b` (level) or `d` (change in a year)."""
SEASONS = (1, 2, 3)
"""Quarters of a year, counted from 0, that have a column of their own where the candidate has seasons."""


@dataclass(frozen=True)
class Sample:
    """Rows that count for one series, in order of time.

    `quarters` their numbers, `y` the values as plain numbers, `z` the same as the form takes them; `macro` the path
    from some quarters before the first row to the last one, `at` the place of each row in it; `names` the macro names
    that are there all along, `missing` those that are not.
    """

    series: Series
    candidate: Candidate
    macro: Macro
    quarters: np.ndarray
    y: np.ndarray
    z: np.ndarray
    at: np.ndarray
    names: tuple[str, ...]
    missing: tuple[str, ...]

    def upto(self, quarter: int) -> int:
        """How many rows are no later than a quarter."""
        return int(np.searchsorted(self.quarters, quarter, side="right"))

    def column(self, key: Key) -> np.ndarray:
        """Values of one column, dims (row,)."""
        name, lag, kind = key
        path = self.macro.values[name]
        if self.candidate.form == "multiplier":
            path = np.log(path)
        return path[self.at - lag] - path[self.at - lag - YEAR] if kind == "d" else path[self.at - lag]

    def design(self, keys: Sequence[Key]) -> np.ndarray:
        """Columns of a regression, dims (row, column): the constant, seasons where there are some, and `keys`."""
        seasons = [(self.quarters % YEAR == season).astype(float) for season in self.seasons]
        return np.column_stack([np.ones(len(self.y)), *seasons, *map(self.column, keys)])

    @property
    def seasons(self) -> tuple[int, ...]:
        """Quarters of a year that have a column of their own."""
        return SEASONS if self.candidate.seasons else ()


def transform(form: str, y: np.ndarray) -> np.ndarray:
    """A level as its form takes it: log odds, logarithm, or itself."""
    if form == "logit":
        return np.log(y / (1 - y))
    return np.log(y) if form == "multiplier" else y


def back(form: str, z: np.ndarray) -> np.ndarray:
    """The level of what `transform` gives."""
    if form == "logit":
        return 1 / (1 + np.exp(-z))
    return np.exp(z) if form == "multiplier" else z


def make_sample(series: Series, candidate: Candidate, candidates: Candidates, macro: Path, file: str) -> Sample:
    """The rows of a series from the first quarter on which every lag of every candidate is known.

    `macro` is the macro table, `file` the history's name for telling. Raises BadInput for values that the form cannot
    take, a table that does not cover the series, and a series that is too short.
    """
    check_values(series, candidate, file)
    reach = max(candidates.lags) + (YEAR if candidate.change else 0)
    path = window(series, reach, macro, file)
    start = quarter_number(path.quarters[0])
    kept = np.array([quarter - start >= reach and quarter < start + len(path.quarters)
                     and not candidates.left_out(int(quarter)) for quarter in series.quarters])  # fmt: skip
    check_length(series, int(kept.sum()), reach, candidates, file)
    names = tuple(name for name in candidate.names if name in path.values and usable(candidate, path.values[name]))
    missing = tuple(name for name in candidate.names if name not in names)
    if not names:
        expected = f"from {path.quarters[0]} to {path.quarters[-1]} every number of one of {', '.join(candidate.names)}"
        raise BadInput(Problem(macro.name, "", "", f"none for {series.name}", expected))
    quarters, y = series.quarters[kept], series.values[kept]
    return Sample(series, candidate, path, quarters, y, transform(candidate.form, y), quarters - start, names, missing)


def usable(candidate: Candidate, path: np.ndarray) -> bool:
    """Whether the form can take a macro name: no logarithm of what is not above 0."""
    return candidate.form != "multiplier" or bool((path > 0).all())


def check_values(series: Series, candidate: Candidate, file: str) -> None:
    """Values are what the form can take."""
    bounds = {"logit": (0.0, 1.0), "multiplier": (0.0, np.inf), "linear": (-np.inf, np.inf)}
    low, high = bounds[candidate.form]
    expected = {"logit": "a share above 0 and below 1 (in the unit %: below 100)", "multiplier": "a number above 0"}
    problems = [Problem(file, str(row), "value", float(value), f"{expected[candidate.form]} for form {candidate.form}")
                for row, value in zip(series.rows, series.values) if not low < value < high]  # fmt: skip
    if problems:
        raise BadInput(problems)


def window(series: Series, reach: int, macro: Path, file: str) -> Macro:
    """The macro path from `reach` quarters before the series, or the table's first, to the end of the shorter."""
    whole = read_macro(macro).quarters
    first, last = quarter_number(whole[0]), quarter_number(whole[-1])
    begin, end = max(first, int(series.quarters[0]) - reach), min(last, int(series.quarters[-1]))
    if end <= begin:
        span = f"{quarter_label(series.quarters[0])} to {quarter_label(series.quarters[-1])}"
        raise BadInput(
            Problem(file, str(series.rows[0]), "quarter", span, f"quarters of {macro.name}, {whole[0]} to {whole[-1]}")
        )
    return read_macro(macro, quarter_label(begin), quarter_label(end))


def check_length(series: Series, count: int, reach: int, candidates: Candidates, file: str) -> None:
    """There are enough rows to choose a model by and to look beyond it."""
    least = candidates.least_quarters + candidates.ahead
    if count < least:
        expected = (f"at least {least} quarters of {series.name} ({candidates.least_quarters} to fit, "
                    f"{candidates.ahead} to look ahead) that the macro table covers with the {reach} before, "
                    "without those left out")  # fmt: skip
        raise BadInput(Problem(file, "", "quarter", f"{count} quarters", expected))
