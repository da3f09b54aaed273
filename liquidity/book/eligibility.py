"""Whether the conditions of the table `eligibility` can be read: a column of segments against a value of its type."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from liquidity.book.casting import cast
from liquidity.book.fields import NUMERIC, TABLES
from liquidity.errors import Problem

_ORDER = ("<=", ">=", "<", ">")
_LISTS = ("in", "not in")


def term_problems(tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Conditions that name no column of segments, or compare it with what it cannot hold."""
    problems = []
    for row in tables["eligibility"].to_dict("records"):
        wrong = _wrong_term(row["field"], row["op"], row["value"])
        if wrong:
            column, expected = wrong
            label = "/".join((row["facility"], row["field"], row["op"]))
            problems.append(Problem("eligibility", label, column, row[column], expected))
    return problems


def _wrong_term(name: str, op: str, value: str) -> tuple[str, str] | None:
    """The column that is wrong and what was expected there; blanks and unknown ops have been reported already."""
    if "" in (name, op, value):
        return None
    fields = {field.name: field for field in TABLES["segments"].fields if not field.key}
    if name not in fields:
        return "field", "a column of segments: " + ", ".join(fields)
    if fields[name].type not in NUMERIC:
        return ("op", "one of ==, !=, in, not in for a text column") if op in _ORDER else None
    parts = value.split("|") if op in _LISTS else [value]
    column = cast(pa.array(parts, pa.string()), fields[name])
    expected = fields[name].expected + (", or several separated by |" if op in _LISTS else "")
    return ("value", expected) if (column.bad | column.blank).any() else None
