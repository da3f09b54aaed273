"""The conditions of the table `eligibility`: what they compare, and which segments meet them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import xarray as xr

from liquidity.book.casting import cast
from liquidity.book.fields import NUMERIC, TABLES, Field
from liquidity.errors import Problem

if TYPE_CHECKING:
    from liquidity.book.book import Book

_COMPARE: dict[str, Callable[..., pd.Series]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
_ORDER = ("<=", ">=", "<", ">")


def eligible(book: Book) -> xr.DataArray:
    """Which segments meet every condition of each facility: DataArray (segment, facility), bool."""
    segments, facilities = book["segments"], book["facilities"]
    flat = segments.reset_index()
    meets = pd.DataFrame(True, index=segments.index, columns=facilities.index)
    for row in book["eligibility"].reset_index().itertuples(index=False):
        meets[str(row.facility)] &= met(flat[str(row.field)], str(row.op), str(row.value))
    return xr.DataArray(
        meets.to_numpy(),
        dims=("segment", "facility"),
        coords={"segment": segments.index.to_numpy(object), "facility": facilities.index.to_numpy(object)},
        name="eligible",
    )


def met(column: pd.Series, op: str, value: str) -> np.ndarray:
    """Rows (segment) of a column of segments for which `column op value` holds."""
    wanted = _values(TABLES["segments"][str(column.name)], op, value)
    if op in ("in", "not in"):
        return np.asarray(column.isin(wanted)) ^ (op == "not in")
    return np.asarray(_COMPARE[op](column, wanted[0]))


def _values(field: Field, op: str, value: str) -> list[object]:
    texts = [part.strip() for part in value.split("|")] if op in ("in", "not in") else [value.strip()]
    return [float(text) for text in texts] if field.type in NUMERIC else list(texts)


def term_problems(tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Conditions that name no column of segments, or compare it with what it cannot hold."""
    frame = tables["eligibility"]
    problems = []
    for row in frame.itertuples(index=False):
        expected = _wrong_term(str(row.field), str(row.op), str(row.value))
        if expected:
            column, text = expected
            value = {"field": row.field, "op": row.op, "value": row.value}[column]
            problems.append(Problem("eligibility", f"{row.facility}/{row.field}/{row.op}", column, value, text))
    return problems


def _wrong_term(name: str, op: str, value: str) -> tuple[str, str] | None:
    """The column that is wrong and what was expected there; blanks and unknown ops have been reported already."""
    if "" in (name, op, value):
        return None
    segments = TABLES["segments"]
    if name not in segments.names:
        return "field", "a column of segments: " + ", ".join(segments.names)
    field = segments[name]
    if field.type not in NUMERIC:
        return ("op", "one of ==, !=, in, not in for a text column") if op in _ORDER else None
    parts = value.split("|") if op in ("in", "not in") else [value]
    column = cast(pa.array(parts, pa.string()), field)
    return ("value", field.expected) if (column.bad | column.blank).any() else None
