"""The book as an xarray Dataset: exact labels, and for every variable its unit and meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book.fields import TABLES, TEXTUAL, Field

if TYPE_CHECKING:
    from liquidity.book.book import Book

_BY_ONE = {"segments": "segment", "facilities": "facility", "tranches": "tranche", "lines": "line"}
_BY_PAIR = {"balances": ("", 0.0), "repaid": ("repaid_", np.nan)}


def make_dataset(book: Book) -> xr.Dataset:
    """Dataset with the dims segment, facility, tranche (labels `facility/tranche`) and line.

    Columns of lender, segments, facilities, tranches and lines are named after their dim (`segment_pd`,
    `facility_rate`, `tranche_coupon`, `line_drawn`, `lender_cash`). Columns of balances keep their names (0 for pairs
    that hold nothing), those of repaid begin with `repaid_` (NaN for pairs that were not reported). Of requests the
    row in force on the date of the book is taken (`asked`, ..., `new_demand` by segment).
    Amounts in CNY, rates and shares as fractions; every variable has the attributes `units` and `meaning`.
    """
    coords = {dim: _labels(book[table].index) for table, dim in _BY_ONE.items()}
    data: dict[str, xr.Variable] = {}
    for field in TABLES["lender"].fields:
        data[f"lender_{field.name}"] = _variable(book, field, (), _cells(book["lender"][field.name])[0])
    for table, dim in _BY_ONE.items():
        flat = book[table].reset_index()
        for field in TABLES[table].fields:
            if field.name != dim:
                data[f"{dim}_{field.name}"] = _variable(book, field, (dim,), _cells(flat[field.name]))
    for table, (prefix, gap) in _BY_PAIR.items():
        for field in _values(table):
            data[prefix + field.name] = _variable(book, field, ("segment", "facility"), _by_pair(book, field, gap))
    tonight = requests_on(book, pd.Timestamp(book.as_of))
    for field in _values("requests"):
        data[field.name] = _variable(book, field, ("segment",), tonight[field.name].to_numpy())
    return xr.Dataset(data, coords=coords, attrs={"as_of": book.as_of.isoformat(), "digest": book.digest})


def requests_on(book: Book, date: pd.Timestamp) -> pd.DataFrame:
    """The requests in force on a date (index: segment, in the order of segments; columns as in the table)."""
    rows = book["requests"].reset_index("from")
    past = rows[rows["from"] <= date]
    latest = past[~past.index.duplicated(keep="last")]
    return latest.drop(columns="from").loc[book["segments"].index]


def _values(table: str) -> list[Field]:
    return [field for field in TABLES[table].fields if not field.key]


def _labels(index: pd.Index) -> np.ndarray:
    labels = ["/".join(parts) for parts in index] if isinstance(index, pd.MultiIndex) else list(index)
    return np.array(labels, dtype=object)


def _cells(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=object) if column.dtype == "str" else column.to_numpy()


def _by_pair(book: Book, field: Field, gap: float) -> np.ndarray:
    column = book[field.table][field.name]
    segments, facilities = book["segments"].index, book["facilities"].index
    values = np.full((len(segments), len(facilities)), gap)
    rows = segments.get_indexer(column.index.get_level_values("segment"))
    values[rows, facilities.get_indexer(column.index.get_level_values("facility"))] = column.to_numpy()
    return values


def _variable(book: Book, field: Field, dims: tuple[str, ...], values: object) -> xr.Variable:
    unit = field.unit.replace("CNY", book.currency) or ("" if field.type in TEXTUAL else "1")
    return xr.Variable(dims, values, attrs={"units": unit, "meaning": field.meaning})
