"""Columns as they come (text, numbers, dates, anything a file may hold) -> columns of the declared type.

Whole columns are read at once with Arrow; nothing is guessed: a cell is blank, bad or a value.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from liquidity.book.fields import Field

_STR: Any = pd.StringDtype("pyarrow", na_value=np.nan)
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"
_PLAIN_LABEL = r"^[^\pZ\pC]([^\pC]*[^\pZ\pC])?$"
_CONTROL = r"[\x00-\x1f\x7f\x{FFFE}\x{FFFF}]"
_CONTROL_BUT_NEWLINE = r"[\x00-\x09\x0b-\x1f\x7f\x{FFFE}\x{FFFF}]"
_LARGEST_WHOLE = 2.0**53
_EARLIEST = np.datetime64("1970-01-01", "s")
_LATEST = np.datetime64("9999-12-31", "s")


@dataclass(frozen=True)
class Column:
    """A cast column: float64 (also for integers and booleans, NaN where not a value), datetime64[s] or text.

    `blank` and `bad` are masks (row) of cells that hold nothing and of cells that cannot be read.
    """

    values: Any
    blank: np.ndarray
    bad: np.ndarray


def cell_text(value: object) -> str | None:
    """One cell in the way a CSV file would write it; None when there is nothing in it."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    match value:
        case str():
            return value.encode("utf-8", errors="replace").decode("utf-8")
        case bool():
            return "true" if value else "false"
        case float():
            return None if np.isnan(value) else repr(value)
        case datetime.datetime():
            midnight = value.time() == datetime.time() and value.tzinfo is None
            return value.date().isoformat() if midnight else value.isoformat(" ")
        case datetime.time():
            return value.isoformat("minutes" if not (value.second or value.microsecond) else "auto")
        case datetime.date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", errors="replace")
    return str(value)


def as_texts(values: Sequence[object]) -> pa.Array:
    """Cells of any Python kind -> Arrow text, null where blank."""
    return pa.array([cell_text(value) for value in values], pa.string())


def as_arrow(values: Sequence[object] | pd.Series) -> pa.Array:
    """Cells of any Python kind -> an Arrow column of their common type, of text when they have none."""
    if pd.api.types.infer_dtype(values, skipna=True) in ("mixed", "mixed-integer"):
        return as_texts(list(values))  # Arrow would read true among numbers as 1
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError, OverflowError):
        return as_texts(list(values))
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def cast(array: pa.Array, field: Field) -> Column:
    """Read `array` (row) as the type of `field`."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if field.type in ("number", "integer"):
        return _numbers(array, whole=field.type == "integer")
    if field.type == "boolean":
        return _booleans(array)
    if field.type == "date":
        return _dates(array)
    return _texts(array, field.type)


def _mask(array: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.fill_null(array, False), dtype=bool)


def _text_array(array: pa.Array) -> pa.Array:
    """`array` as trimmed text, null where blank."""
    if pa.types.is_timestamp(array.type):
        array = pc.cast(array, pa.timestamp("us", array.type.tz), safe=False)  # Python knows no nanoseconds
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        array = as_texts(array.to_pylist())
    trimmed = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _is_plain_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _numbers(array: pa.Array, whole: bool) -> Column:
    values, blank = _floats(array)
    bad = ~np.isfinite(values) & ~blank
    if whole:
        with np.errstate(invalid="ignore"):
            bad |= ~blank & ((values != np.floor(values)) | (np.abs(values) > _LARGEST_WHOLE))
    values[bad] = np.nan
    return Column(values + 0.0, blank, bad)  # + 0.0: there is one zero, -0.0 is written as 0


def _floats(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Values (NaN where there is no number) and the mask of blanks."""
    if _is_plain_number(array.type):
        blank = _mask(pc.is_null(array, nan_is_null=pa.types.is_floating(array.type)))
        return np.array(pc.cast(array, pa.float64(), safe=False), dtype=float), blank
    if pa.types.is_string(array.type) and not array.null_count:
        with suppress(pa.ArrowInvalid):  # the common case, every cell a number, in one step
            values = np.array(pc.cast(array, pa.float64()), dtype=float)
            if np.isfinite(values).all():
                return values, np.zeros(len(array), dtype=bool)
    texts = _text_array(array)
    readable = pc.match_substring_regex(texts, _NUMBER)
    return np.array(pc.cast(pc.if_else(readable, texts, None), pa.float64()), dtype=float), _mask(pc.is_null(texts))


def _booleans(array: pa.Array) -> Column:
    if pa.types.is_boolean(array.type):
        values = np.array(pc.cast(array, pa.float64()), dtype=float)
        return Column(values, np.isnan(values), np.zeros(len(array), dtype=bool))
    if _is_plain_number(array.type):
        number = _numbers(array, whole=False)
        bad = number.bad | (~number.blank & ~np.isin(number.values, (0.0, 1.0)))
        return Column(np.where(bad, np.nan, number.values), number.blank, bad)
    texts = pc.ascii_lower(_text_array(array))
    true = _mask(pc.is_in(texts, pa.array(["true", "1"])))
    false = _mask(pc.is_in(texts, pa.array(["false", "0"])))
    blank = _mask(pc.is_null(texts))
    return Column(np.where(true, 1.0, np.where(false, 0.0, np.nan)), blank, ~(true | false | blank))


def _dates(array: pa.Array) -> Column:
    if pa.types.is_date(array.type) or (pa.types.is_timestamp(array.type) and array.type.tz is None):
        exact = np.asarray(pc.cast(array, pa.timestamp("us"), safe=False), dtype="datetime64[us]")
        blank = np.isnat(exact)
        values = exact.astype("datetime64[D]").astype("datetime64[s]")
        bad = ~blank & (values != exact)
    else:
        texts = _text_array(array)
        blank = _mask(pc.is_null(texts))
        shaped = pc.if_else(pc.match_substring_regex(texts, _DATE), texts, None)
        parsed = pd.to_datetime(pd.Series(shaped.to_pandas(), dtype="str"), format="%Y-%m-%d", errors="coerce")
        values = parsed.to_numpy().astype("datetime64[s]")
        bad = ~blank & np.isnat(values)
    bad |= ~blank & ~((values >= _EARLIEST) & (values <= _LATEST))
    values[bad] = np.datetime64("NaT")
    return Column(values, blank, bad)


def _texts(array: pa.Array, kind: str) -> Column:
    if kind == "name" and _all_plain(array):
        none = np.zeros(len(array), dtype=bool)
        return Column(_STR.__from_arrow__(array), none, none)
    trimmed = _text_array(array)
    blank = _mask(pc.is_null(trimmed))
    whole = array if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) else trimmed
    if kind == "time":
        bad = ~blank & ~_mask(pc.match_substring_regex(whole, _TIME))
    elif kind == "currency":
        bad = ~blank & ~_mask(pc.match_substring_regex(whole, "^[A-Z]{3}$"))
    elif kind == "text":
        bad = _mask(pc.match_substring_regex(whole, _CONTROL_BUT_NEWLINE)) | _longer(whole, 1000)
    else:
        bad = (
            _mask(pc.match_substring_regex(whole, _CONTROL)) | _longer(whole, 200) | _mask(pc.not_equal(whole, trimmed))
        )
    values = pc.fill_null(pc.if_else(pa.array(blank), None, whole), "")
    return Column(_STR.__from_arrow__(values), blank, bad & ~blank)


def _all_plain(array: pa.Array) -> bool:
    """Whether every cell is a label in order, the common case."""
    if not pa.types.is_string(array.type) or array.null_count:
        return False
    plain = pc.all(pc.match_substring_regex(array, _PLAIN_LABEL)).as_py()
    return bool(plain) and not _longer(array, 200).any()


def _longer(array: pa.Array, most: int) -> np.ndarray:
    return _mask(pc.greater(pc.utf8_length(array), most))
