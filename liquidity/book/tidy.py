"""One raw table -> one typed frame, with every problem of its columns and cells.

A frame is *flat* while it is checked: key columns are columns, rows stand as they came, integers and booleans are
float64 so that a cell that cannot be read stays NaN. `settle` makes the canonical frame of a table without problems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from liquidity.book.casting import Column, cast, cell_text
from liquidity.book.fields import NUMERIC, TEXTUAL, Field, Table
from liquidity.errors import Problem


def row_labels(frame: pd.DataFrame, table: Table) -> Callable[[int], str]:
    """How row `i` of a flat frame is named in a problem: by its key, by its number where there is none or it is bad."""

    def label(i: int) -> str:
        parts = [cell_text(frame[name].iloc[i]) for name in table.keys]
        return "/".join(str(part) for part in parts) if parts and all(parts) else str(i + 1)

    return label


def tidy(table: Table, raw: pa.Table, as_of: np.datetime64) -> tuple[pd.DataFrame, list[Problem]]:
    """Cast every column of `raw`; fill the columns left out with their defaults.

    Returns the flat frame (columns of the dictionary, in order) and the problems found. `as_of` is the default date
    where the dictionary says so.
    """
    counts = Counter(raw.column_names)
    problems = _column_problems(table, counts)
    kinds = _kinds(table, raw, counts)
    columns: dict[str, Column] = {}
    for field in table.fields:
        if counts[field.name] == 1:
            columns[field.name] = _read(field, raw.column(field.name).combine_chunks())
    frame = pd.DataFrame(
        {field.name: _filled(field, columns.get(field.name), _meant(field, kinds), as_of) for field in table.fields}
    )
    label = row_labels(frame, table)
    for field in table.fields:
        meant = _meant(field, kinds)
        if field.name in columns:
            problems += _cell_problems(field, raw, columns[field.name], meant, label)
        elif counts[field.name] == 0 and field.required and (not field.kinds or bool(meant.any())):
            problems.append(Problem(table.name, "", field.name, "", f"the column to be there: {field.expected}"))
    return frame, problems + _duplicates(table, frame, label)


def _column_problems(table: Table, counts: Counter[str]) -> list[Problem]:
    known = ", ".join(table.names)
    problems = [
        Problem(table.name, "", name, name, f"only columns of this table: {known}")
        for name in counts
        if name not in table.names and name != "currency"
    ]
    return problems + [
        Problem(table.name, "", name, f"{count} columns of this name", "each column once")
        for name, count in counts.items()
        if count > 1
    ]


def _kinds(table: Table, raw: pa.Table, counts: Counter[str]) -> np.ndarray:
    if "kind" not in table.names or counts["kind"] != 1:
        return np.full(raw.num_rows, "", dtype=object)
    return np.asarray(cast(raw.column("kind").combine_chunks(), table["kind"]).values, dtype=object)


def _meant(field: Field, kinds: np.ndarray) -> np.ndarray:
    """Rows (row) whose kind the column is meant for."""
    return np.isin(kinds, field.kinds) if field.kinds else np.ones(len(kinds), dtype=bool)


def _filled(field: Field, column: Column | None, meant: np.ndarray, as_of: np.datetime64) -> Any:
    """The column (row) with its default where it was left out, or where it is blank and meant for other kinds."""
    gap = ~meant if field.required else np.ones(len(meant), dtype=bool)
    if column is not None:
        gap = column.blank & ~meant
        if not gap.any():
            return column.values
    values = _missing(field, len(meant)) if column is None else column.values.copy()
    values[gap] = _default(field, as_of)
    return values


def _missing(field: Field, rows: int) -> Any:
    if field.type in TEXTUAL:
        return pd.array([""] * rows, dtype="str")
    return np.full(rows, np.datetime64("NaT"), "datetime64[s]") if field.type == "date" else np.full(rows, np.nan)


def _default(field: Field, as_of: np.datetime64) -> Any:
    text = field.default
    if field.type in TEXTUAL:
        return text
    if field.type == "date":
        return as_of if text == "as_of" else np.datetime64("NaT")
    return _WORDS.get(text, np.nan) if text in ("", *_WORDS) else float(text)


_WORDS = {"true": 1.0, "false": 0.0}


def _cell_problems(
    field: Field, raw: pa.Table, column: Column, meant: np.ndarray, label: Callable[[int], str]
) -> list[Problem]:
    needed = field.required or field.default != ""
    blank = column.blank & meant if needed else np.zeros(len(meant), dtype=bool)
    found = np.flatnonzero(blank | column.bad)
    if not len(found):
        return []
    cells = raw.column(field.name).take(pa.array(found)).to_pylist()
    return [
        Problem(field.table, label(int(i)), field.name, "" if blank[i] else _shown(cell), field.expected)
        for i, cell in zip(found, cells, strict=True)
    ]


def _read(field: Field, array: pa.Array) -> Column:
    """Cast, and call bad what is outside the range or the choices; such numbers become NaN, like unreadable ones."""
    column = cast(array, field)
    outside = _outside(field, column) & ~column.blank
    if not outside.any():
        return column
    values = np.where(outside, np.nan, column.values) if field.type in NUMERIC else column.values
    return Column(values, column.blank, column.bad | outside)


def _shown(cell: object) -> object:
    return cell if isinstance(cell, (int, float, str)) else cell_text(cell)


def _outside(field: Field, column: Column) -> np.ndarray:
    """Rows (row) outside the range or the choices; NaN is never outside."""
    if field.choices:
        return ~np.asarray(pd.Series(column.values).isin(field.choices))
    outside = np.zeros(len(column.blank), dtype=bool)
    values = column.values
    with np.errstate(invalid="ignore"):
        if field.low:
            outside |= np.asarray(values <= field.low.value if field.low.strict else values < field.low.value)
        if field.high:
            outside |= np.asarray(values >= field.high.value if field.high.strict else values > field.high.value)
    return outside


def _duplicates(table: Table, frame: pd.DataFrame, label: Callable[[int], str]) -> list[Problem]:
    if not table.keys:
        return []
    codes = np.zeros(len(frame), dtype="int64")
    for name in table.keys:
        more, unique = pd.factorize(frame[name])
        codes = pd.factorize(codes * (len(unique) + 1) + more)[0]
    if len(codes) == codes.max(initial=-1) + 1:
        return []
    complete = np.ones(len(frame), dtype=bool)
    for name in table.keys:
        complete &= np.asarray(frame[name].notna() & (frame[name] != ""))
    return [
        Problem(table.name, label(int(i)), "/".join(table.keys), label(int(i)), "each key once")
        for i in np.flatnonzero(pd.Series(codes).duplicated() & complete)
    ]


def empty(table: Table) -> pd.DataFrame:
    """The flat frame of a table without rows."""
    return pd.DataFrame({field.name: _missing(field, 0) for field in table.fields})


def settle(table: Table, flat: pd.DataFrame) -> pd.DataFrame:
    """The canonical frame: rows sorted by key (by everything where there is no key), final types, key as index."""
    arrays = {field.name: flat[field.name].array for field in table.fields}
    if len(flat) > 1:
        codes = [pd.factorize(flat[name], sort=True)[0] for name in table.keys or table.names]
        order = np.lexsort(codes[::-1])
        arrays = {name: array[order] for name, array in arrays.items()}
    for field in table.fields:
        if field.type in _FINAL:
            arrays[field.name] = arrays[field.name].astype(_FINAL[field.type])
    if not table.indexed:
        return pd.DataFrame(arrays)
    keys = [pd.Index(arrays.pop(name), name=name) for name in table.keys]
    return pd.DataFrame(arrays, index=keys[0] if len(keys) == 1 else pd.MultiIndex.from_arrays(keys))


_FINAL = {"integer": "int64", "boolean": "bool"}


def flatten(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The flat frame of a canonical one."""
    return frame.reset_index() if table.indexed else frame
