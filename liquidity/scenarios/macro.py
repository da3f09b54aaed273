"""Macro paths: quarterly tables with the header that the Federal Reserve publishes, read as they are.

The first row is tonight's quarter, quarter 0, where the table has one of name `Actual`; a published scenario without
it counts its changes from its own first quarter, and a history is cut at the quarter that stands for tonight.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from liquidity.errors import BadInput, Problem
from liquidity.program.grid import DAYS_PER_YEAR, Grid

COLUMNS = {
    "Real GDP growth": "gdp", "Nominal GDP growth": "gdp_nominal", "Real disposable income growth": "income",
    "Nominal disposable income growth": "income_nominal", "Unemployment rate": "unemployment",
    "CPI inflation rate": "cpi", "3-month Treasury rate": "rate_3m", "5-year Treasury yield": "yield_5y",
    "10-year Treasury yield": "yield_10y", "BBB corporate yield": "bbb", "Mortgage rate": "mortgage",
    "Prime rate": "prime", "Dow Jones Total Stock Market Index (Level)": "equity",
    "House Price Index (Level)": "house_price", "Commercial Real Estate Price Index (Level)": "cre_price",
    "Market Volatility Index (Level)": "vix", "Policy rate": "policy_rate",
    "Investment grade spread": "ig_spread", "China new NPL rate": "china_npl_flow",
    "China real GDP (Level)": "china_gdp", "China house prices (Level)": "china_house_price",
}  # fmt: skip
"""Header -> name. All in per cent (growth: annualised) but the levels."""

DERIVED = {"credit_spread": (("bbb", "yield_10y"), ("ig_spread",)), "short_rate": (("policy_rate",), ("rate_3m",))}
"""Names that satellites may use beside: the first of the ways whose columns are there; two columns are subtracted."""

NAMES = (*COLUMNS.values(), *DERIVED)
QUARTER = re.compile(r"^\d{4} ?Q[1-4]$")
DAYS_PER_QUARTER = DAYS_PER_YEAR / 4


@dataclass(frozen=True)
class Macro:
    """A path of quarters 0 (tonight's) to n: `quarters` their labels, `values` one array of n + 1 by name.

    A name is there only where it has a number in every quarter. Units as published: per cent, or index levels.
    """

    name: str
    quarters: tuple[str, ...]
    values: dict[str, np.ndarray]

    def skip(self, quarters: int) -> Macro:
        """The same path when tonight is some quarters into it."""
        return Macro(self.name, self.quarters[quarters:], {name: path[quarters:] for name, path in self.values.items()})

    def on(self, grid: Grid, path: np.ndarray) -> np.ndarray:
        """A quarterly path by period of a grid.

        Quarter 0 is tonight, the average of quarter q is reached at its middle, (q - 1/2) quarters of a year later;
        between them straight lines, after the last one the last value. A period has the value of its first day, so
        that tonight has the book's own numbers.
        """
        knots = np.maximum(0.0, (np.arange(len(path)) - 0.5) * DAYS_PER_QUARTER)
        days = [(start - grid.starts[0]).days for start in grid.starts[:-1]]
        return np.interp(days, knots, path)


def read_macro(path: str | Path, begin: str | None = None, last: str | None = None) -> Macro:
    """Read a quarterly table, from the quarter `begin` (which stands for tonight) to `last`.

    Raises BadInput with everything that is wrong: an unknown header, a date that is no quarter, quarters that do not
    follow each other, a value that is no number, `begin` or `last` that is not there.
    """
    path = Path(path)
    header, rows = load(path)
    problems = [Problem(path.name, "", column, column, f"one of {', '.join(COLUMNS)}")
                for column in header[2:] if column not in COLUMNS]  # fmt: skip
    dates = [row[1].strip() for row in rows]
    problems += wrong_dates(path.name, dates)
    frame, wrong = numbers(path.name, header, rows)
    problems += wrong
    for key, quarter in (("begin", begin), ("last", last)):
        if quarter is not None and plain(quarter) not in map(plain, dates):
            problems.append(Problem(path.name, "", key, quarter, f"a quarter of the table, {dates[0]} to {dates[-1]}"))
    if problems:
        raise BadInput(problems)
    kept = window(dates, begin, last)
    if len(kept) < 2:
        raise BadInput(
            Problem(path.name, "", "Date", f"{len(kept)} quarters", "tonight's quarter and at least one more")
        )
    frame = frame.iloc[kept]
    found = {name: column.to_numpy() for name, column in frame.items() if not column.isna().any()}
    return Macro(path.stem, tuple(dates[at] for at in kept), with_derived({str(k): v for k, v in found.items()}))


def csv_rows(path: Path, what: str) -> list[list[str]]:
    """The rows of a CSV file that hold anything; raises BadInput where it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except OSError as error:
        raise BadInput(Problem(path.name, "", "", str(path), f"{what} ({error.strerror})")) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(Problem(path.name, "", "", str(error), "CSV in UTF-8")) from None


def load(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the file."""
    rows = csv_rows(path, "a table of quarters")
    header = [cell.strip() for cell in rows[0]] if rows else []
    if header[:2] != ["Scenario Name", "Date"]:
        raise BadInput(Problem(path.name, "", "", ",".join(header[:2]), "a header that begins Scenario Name,Date"))
    short = [number for number, row in enumerate(rows[1:], 2) if len(row) != len(header)]
    if short or len(rows) < 2:
        expected = f"{len(header)} cells in every row, and a row"
        raise BadInput(Problem(path.name, ", ".join(map(str, short[:5])), "", f"{len(rows) - 1} rows", expected))
    return header, rows[1:]


def wrong_dates(file: str, dates: list[str]) -> list[Problem]:
    """Dates that are no quarter or do not follow the one before."""
    found = [Problem(file, str(at), "Date", date, "a quarter such as 2026 Q1")
             for at, date in enumerate(dates, 2) if not QUARTER.match(date)]  # fmt: skip
    if found:
        return found
    count = [quarter_number(date) for date in dates]
    return [
        Problem(file, str(at), "Date", dates[at - 2], f"the quarter after {dates[at - 3]}")
        for at in range(3, len(dates) + 2)
        if count[at - 2] != count[at - 3] + 1
    ]


def quarter_number(quarter: str) -> int:
    """Quarters since the year 0: neighbours differ by one."""
    return int(quarter[:4]) * 4 + int(quarter[-1]) - 1


def quarter_label(number: int) -> str:
    """The quarter of a number, such as 2026 Q1."""
    return f"{number // 4} Q{number % 4 + 1}"


def numbers(file: str, header: list[str], rows: list[list[str]]) -> tuple[pd.DataFrame, list[Problem]]:
    """The numbers by name, blank cells as NaN (a variable may begin later than others)."""
    columns: dict[str, list[float]] = {}
    problems = []
    for at, title in enumerate(header[2:], 2):
        values = []
        for number, row in enumerate(rows, 2):
            cell = row[at].strip()
            value = parse(cell)
            if value is None:
                problems.append(Problem(file, str(number), title, cell, "a number, or nothing"))
            values.append(math.nan if value is None else value)
        columns[COLUMNS.get(title, title)] = values
    return pd.DataFrame(columns, dtype=float), problems


def parse(cell: str) -> float | None:
    """The number of a cell, NaN for a blank one, None for what is no number."""
    if cell == "":
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def plain(quarter: str) -> str:
    """A quarter without its blank."""
    return quarter.replace(" ", "")


def window(dates: list[str], begin: str | None, last: str | None) -> list[int]:
    """Places of the quarters that are kept."""
    names = [plain(date) for date in dates]
    first = 0 if begin is None else names.index(plain(begin))
    end = len(names) - 1 if last is None else names.index(plain(last))
    return list(range(first, end + 1))


def with_derived(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The values with `DERIVED` names, where the table has what they are made of."""
    out = dict(values)
    for name, ways in DERIVED.items():
        way = next((way for way in ways if all(column in values for column in way)), None)
        if way is not None:
            out[name] = values[way[0]] - values[way[1]] if len(way) == 2 else values[way[0]]
    return out
