"""The book: the lender's data on one date, checked, in canonical order, never changed in place."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import xarray as xr

from liquidity.book.casting import as_arrow, cast
from liquidity.book.checks import check_tables
from liquidity.book.dataset import make_dataset
from liquidity.book.fields import NUMERIC, TABLES, TEXTUAL, Field, Table
from liquidity.book.tidy import empty, flatten, settle, tidy
from liquidity.errors import BadInput, Problem

LATER = {
    ("lender", "hqla_2a"), ("lender", "hqla_2b"), ("segments", "guarantor"), ("segments", "largest_share"),
    ("tranches", "issue_share"), ("lines", "notice_days"), ("facilities", "payment_day"),
    ("lines", "stable_share"), ("lines", "at_call"), ("repaid", "defaulted"),
}  # fmt: skip
LATER_TABLES = {"issues"}
"""Columns and tables that came after the first runs: part of a digest only where they say something, so that a book
without them has the digest it always had."""


class Tables(Mapping[str, pd.DataFrame]):
    """Frames by table name; each look-up gives a lazy copy, so that nobody changes the book."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = dict(frames)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self._frames[name].copy(deep=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


@dataclass(frozen=True, eq=False, repr=False)
class Book:
    """A checked book. Made by `read_book`, by `make_book` from raw tables, or from another book by `replace`.

    Every table of the data dictionary is there (optional ones may have no rows): columns in the order of fields.csv,
    rows sorted by key, the key as index; pins, flows and lender have a plain one. Numbers are float64, counts int64,
    dates datetime64[s] with NaT for never, text is str with "" for none. Amounts in CNY (the book's currency), rates
    and shares as fractions.
    """

    tables: Tables
    "All tables by name, in the order of the data dictionary."

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def __repr__(self) -> str:
        return f"<Book {self.as_of} {self.digest[:12]}: {len(self['segments'])} segments>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Book) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def lender(self) -> pd.Series:
        """The one row of the table lender, its columns as attributes."""
        return self._lender.copy(deep=False)

    @cached_property
    def _lender(self) -> pd.Series:
        return self["lender"].astype(object).iloc[0]

    @property
    def as_of(self) -> datetime.date:
        """Date of the book."""
        return self._lender["as_of"].date()

    @property
    def currency(self) -> str:
        """ISO code of the currency of all amounts."""
        return self._lender["currency"]

    @cached_property
    def digest(self) -> str:
        """sha256 (hex) of the canonical tables: the same for the same book, whatever the order of its files."""
        sha = hashlib.sha256()
        for name, table in TABLES.items():
            frame = flatten(table, self[name])
            if name in LATER_TABLES and frame.empty:
                continue
            sha.update(f"{name}\x1d{len(frame)}\x1d".encode())
            for field in table.fields:
                if says_nothing(field, frame[field.name]):
                    continue
                sha.update(f"{field.name}\x1e".encode())
                sha.update(_column_bytes(frame[field.name]))
        return sha.hexdigest()

    def replace(self, table: str = "", frame: pd.DataFrame | None = None, /, **frames: pd.DataFrame) -> Book:
        """A new checked book with another frame for `table`, or several together: `replace(lines=..., flows=...)`.

        The key may be the index or columns. Raises BadInput when the new book is not right.
        """
        new = frames if frame is None else {table: frame, **frames}
        old = {name: flatten(TABLES[name], self[name]) for name in TABLES if name not in new}
        return make_book({**old, **{name: raw_table(frame) for name, frame in new.items()}})

    def edit(self, table: str, key: Hashable = None, **columns: object) -> Book:
        """A new checked book with other values in the row `key` of `table` (None: in every row).

        A tuple names the row of a table with several keys; its first parts alone name all rows that begin so.
        Raises BadInput when there is no such row or column, or when the new book is not right.
        """
        frame = self[table]
        rows = _rows(frame, key)
        problems = [
            Problem(table, "", name, name, f"a column of the table: {', '.join(frame.columns)}")
            for name in columns
            if name not in frame.columns
        ]
        if not rows.any():
            problems.append(Problem(table, str(key), "", str(key), "the key of a row"))
        if problems:
            raise BadInput(problems)
        for name, value in columns.items():
            column = frame[name].astype(object)
            column[rows] = value
            frame[name] = column
        return self.replace(table, frame)

    def dataset(self) -> xr.Dataset:
        """The book as labelled arrays; see `liquidity.book.dataset`."""
        return make_dataset(self)


def says_nothing(field: Field, column: pd.Series) -> bool:
    """Whether a column that came later holds its default only; such a column is no part of a digest."""
    if (field.table, field.name) not in LATER:
        return False
    if field.type in NUMERIC and field.default == "":
        return bool(column.isna().all())
    default: object = field.default if field.type in TEXTUAL else field.default == "true"
    if field.type in NUMERIC:
        default = float(field.default)
    return bool((column == default).all())


def _rows(frame: pd.DataFrame, key: Hashable) -> np.ndarray:
    rows = np.ones(len(frame), dtype=bool)
    if key is None:
        return rows
    for level, part in enumerate(key if isinstance(key, tuple) else (key,)):
        found = pd.Timestamp(part) if isinstance(part, datetime.date) else part
        rows &= np.asarray(frame.index.get_level_values(level) == found)
    return rows


def _column_bytes(column: pd.Series) -> bytes:
    if column.dtype == "str":
        return "\x1f".join(column.tolist()).encode() + b"\x1e"
    values = column.to_numpy()
    plain = values.astype("int64") if values.dtype.kind in "Mb" else values
    return plain.astype(plain.dtype.newbyteorder("<")).tobytes()


def raw_table(frame: pd.DataFrame) -> pa.Table:
    """A frame of any kind -> a raw table; a named index becomes columns."""
    named = [name for name in frame.index.names if name is not None]
    flat = frame.reset_index() if named else frame
    names = [str(name) for name in flat.columns]
    return pa.Table.from_arrays([as_arrow(flat.iloc[:, i]) for i in range(len(names))], names=names)


def make_book(raw: Mapping[str, pa.Table | pd.DataFrame], problems: list[Problem] | None = None) -> Book:
    """Cast and check raw tables (Arrow) and flat tables of a checked book (pandas) and make the book of them.

    `problems` were found while reading; the tables they name are neither reported as missing nor checked against.
    Raises BadInput with every problem of the book.
    """
    found = list(problems or ())
    unread = {problem.table for problem in found}
    found += [_unknown(name) for name in raw if name not in TABLES]
    tables: dict[str, pd.DataFrame] = {}
    for name, table in TABLES.items():
        tables[name], more = _typed(table, raw.get(name), tables)
        found += more
    missing = {name for name, table in TABLES.items() if name not in raw and table.required} - unread
    found += [Problem(name, "", "", "no such table", "a required table") for name in TABLES if name in missing]
    found += _currency_problems(raw, tables["lender"]) + check_tables(tables, missing | unread)
    if found:
        raise BadInput(found)
    return Book(Tables({name: settle(table, tables[name]) for name, table in TABLES.items()}))


def _typed(
    table: Table, raw: pa.Table | pd.DataFrame | None, before: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, list[Problem]]:
    if raw is None:
        return empty(table), []
    if isinstance(raw, pd.DataFrame):
        return raw, []
    lender = before.get("lender")
    as_of = lender["as_of"].iloc[0] if lender is not None and len(lender) else pd.NaT
    return tidy(table, raw, as_of.to_datetime64())


def _unknown(name: str) -> Problem:
    return Problem(name, "", "", name, "only the tables " + ", ".join(TABLES))


def _currency_problems(raw: Mapping[str, pa.Table | pd.DataFrame], lender: pd.DataFrame) -> list[Problem]:
    """A book has one currency; other tables may repeat it."""
    if not len(lender):
        return []
    currency = lender["currency"].iloc[0]
    problems = []
    for name, table in raw.items():
        if name in TABLES and name != "lender" and isinstance(table, pa.Table) and "currency" in table.column_names:
            array = table.column(table.column_names.index("currency")).combine_chunks()
            cells = cast(array, TABLES["lender"]["currency"]).values
            problems += [
                Problem(name, str(i + 1), "currency", cells[i], f"the currency of the lender, {currency}")
                for i in np.flatnonzero(np.asarray(cells != currency))
            ]
    return problems
