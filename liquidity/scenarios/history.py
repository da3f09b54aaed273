"""A lender's own history of what the satellites move: one CSV file, one row a quarter and series.

quarter,target,value,unit,where
2019 Q4,pd,3.1,%,grade=C
2020 Q1,pd,3.4,%,grade=C

`target` is one of the satellites'; `unit` is `%`, or `1` for shares, levels and yearly rates as plain numbers; `where`
(a column that may be missing or blank) says for whom, by columns of the book: `grade=C|D;region=east`. Rows may stand
in any order; each series runs without a gap.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from liquidity.errors import BadInput, Problem
from liquidity.program.shocks import DIMS
from liquidity.scenarios.apply import SHOCK_OF
from liquidity.scenarios.macro import QUARTER, csv_rows, parse, quarter_label, quarter_number
from liquidity.scenarios.satellites import Target
from liquidity.scenarios.scenario import TABLE_OF

NEEDED = ("quarter", "target", "value", "unit")
COLUMNS = (*NEEDED, "where")
UNITS = {"1": 1.0, "%": 0.01}
TARGETS: tuple[str, ...] = get_args(Target)


@dataclass(frozen=True)
class Series:
    """One series: `quarters` (numbers of `quarter_number`, one after the other) and `values` as plain numbers.

    `rows` are the lines of the file and `unit` that of its first one, for telling; `where` as in a satellite model.
    """

    target: str
    unit: str
    where: dict[str, str | list[str]]
    quarters: np.ndarray
    values: np.ndarray
    rows: tuple[int, ...]

    @property
    def name(self) -> str:
        """A name for the model of the series: the target, and for whom."""
        parts = [part for column, wanted in self.where.items()
                 for part in (column, *([wanted] if isinstance(wanted, str) else wanted))]  # fmt: skip
        text = "_".join([self.target, *parts]).lower()
        return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)


Row = tuple[int, dict[str, str]]


def read_history(path: str | Path) -> list[Series]:
    """Read the series in order of their names; raises BadInput with everything that is wrong, by row and column."""
    path = Path(path)
    rows = load_history(path)
    problems = [problem for number, row in rows for problem in wrong_cells(path.name, number, row)]
    if problems:
        raise BadInput(problems)
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for number, row in rows:
        groups[row["target"], repr(sorted(selection(row["where"]).items()))].append((number, row))
    found = [series_of(group) for group in groups.values()]
    problems = [problem for one in found for problem in wrong_order(path.name, one)]
    names = [one.name for one in found]
    problems += [Problem(path.name, str(one.rows[0]), "where", one.name, "names that differ in letters and digits")
                 for one in found if names.count(one.name) > 1]  # fmt: skip
    if problems:
        raise BadInput(problems)
    return sorted(found, key=lambda one: one.name)


def load_history(path: Path) -> list[Row]:
    """Rows by column, with their line in the file; `where` is blank where there is no such column."""
    rows = csv_rows(path, "a history of quarters")
    header = [cell.strip() for cell in rows[0]] if rows else []
    problems = [Problem(path.name, "", column, column, f"one of {', '.join(COLUMNS)}, once")
                for column in sorted(set(header)) if column not in COLUMNS or header.count(column) > 1]  # fmt: skip
    problems += [Problem(path.name, "", column, "nothing", "this column") for column in NEEDED if column not in header]
    problems += [Problem(path.name, str(number), "", f"{len(row)} cells", f"{len(header)} cells, as in the header")
                 for number, row in enumerate(rows[1:], 2) if len(row) != len(header)]  # fmt: skip
    if len(rows) < 2:
        problems.append(Problem(path.name, "", "", "no row", "a row a quarter and series"))
    if problems:
        raise BadInput(problems)
    return [(number, {"where": "", **dict(zip(header, map(str.strip, row)))}) for number, row in enumerate(rows[1:], 2)]


def wrong_cells(file: str, number: int, row: dict[str, str]) -> list[Problem]:
    """What cannot be read in a row."""
    value, target = parse(row["value"]), row["target"]
    found = []
    if not QUARTER.match(row["quarter"]):
        found.append(("quarter", "a quarter such as 2026 Q1"))
    if target not in TARGETS:
        found.append(("target", f"one of {', '.join(TARGETS)}"))
    if value is None or np.isnan(value):
        found.append(("value", "a number"))
    if row["unit"] not in UNITS:
        found.append(("unit", "1 or %"))
    parts = [part.split("=") for part in row["where"].split(";") if part.strip()]
    if any(len(part) != 2 or not part[0].strip() or not all(word.strip() for word in part[1].split("|"))
           for part in parts):  # fmt: skip
        found.append(("where", "columns and values such as grade=C|D;region=east, or nothing"))
    elif parts and target in TARGETS and not any(dim in TABLE_OF for dim in DIMS[SHOCK_OF[target]]):
        found.append(("where", f"nothing: {target} is one number for the whole lender"))
    return [Problem(file, str(number), column, row[column], expected) for column, expected in found]


def selection(text: str) -> dict[str, str | list[str]]:
    """For whom, as a satellite model says it; columns and values in order."""
    found: dict[str, str | list[str]] = {}
    for part in sorted(text.split(";")) if text.strip() else ():
        if part.strip():
            column, _, values = part.partition("=")
            words = sorted(word.strip() for word in values.split("|"))
            found[column.strip()] = words[0] if len(words) == 1 else words
    return found


def series_of(rows: list[Row]) -> Series:
    """The rows of one series in order of their quarters."""
    rows = sorted(rows, key=lambda row: (quarter_number(row[1]["quarter"]), row[0]))
    quarters = [quarter_number(row["quarter"]) for _, row in rows]
    values = [float(row["value"]) * UNITS[row["unit"]] for _, row in rows]
    first = rows[0][1]
    return Series(first["target"], first["unit"], selection(first["where"]), np.array(quarters), np.array(values),
                  tuple(number for number, _ in rows))  # fmt: skip


def wrong_order(file: str, series: Series) -> list[Problem]:
    """Quarters that come twice or are missing."""
    steps = np.diff(series.quarters)
    return [Problem(file, str(series.rows[at + 1]), "quarter", quarter_label(series.quarters[at + 1]),
                    f"the quarter after {quarter_label(series.quarters[at])}, once for {series.name}")
            for at in np.flatnonzero(steps != 1)]  # fmt: skip
