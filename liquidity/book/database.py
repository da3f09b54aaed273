"""Books in a database, by SQLAlchemy URL: the same tables and columns as in the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from liquidity.book.casting import as_arrow
from liquidity.book.fields import TABLES
from liquidity.errors import BadInput, Problem

_TYPES: dict[str, type[sa.types.TypeEngine]] = {
    "number": sa.Double,
    "integer": sa.BigInteger,
    "boolean": sa.Boolean,
    "date": sa.Date,
}


def read_database(url: str) -> tuple[dict[str, pa.Table], list[Problem]]:
    """Tables of the database as they are at one moment; types are left to the checks of the book."""
    with _connected(url, must_exist=True) as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: _read_table(connection, name) for name in sorted(names)}, []


def _read_table(connection: sa.Connection, name: str) -> pa.Table:
    if name not in TABLES:
        return pa.table({})
    quoted = connection.dialect.identifier_preparer.quote(name)
    result = connection.execute(sa.text(f"SELECT * FROM {quoted}"))  # no column types: bad cells must come through
    names = list(result.keys())
    rows = result.fetchall()
    return pa.Table.from_arrays([as_arrow([row[i] for row in rows]) for i in range(len(names))], names=names)


def write_database(tables: Mapping[str, pd.DataFrame], url: str) -> None:
    """Write flat tables in one transaction, in place of all tables of a book that are there."""
    metadata = sa.MetaData()
    old = [sa.Table(name, sa.MetaData()) for name in TABLES]
    new = {name: _declare(name, metadata) for name in tables}
    with _connected(url, must_exist=False) as connection:
        for table in old:
            table.drop(connection, checkfirst=True)
        metadata.create_all(connection)
        for name, frame in tables.items():
            rows = _rows(frame)
            if rows:
                connection.execute(new[name].insert(), rows)


def _declare(name: str, metadata: sa.MetaData) -> sa.Table:
    columns = (
        sa.Column(field.name, _TYPES.get(field.type, sa.Text)(), primary_key=field.key, autoincrement=False)
        for field in TABLES[name].fields
    )
    return sa.Table(name, metadata, *columns)


def _rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    columns = {
        str(name): [None if pd.isna(date) else date.date() for date in frame[name]]
        if frame[name].dtype == "datetime64[s]"
        else frame[name].tolist()
        for name in frame.columns
    }
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


@contextmanager
def _connected(url: str, must_exist: bool) -> Iterator[sa.Connection]:
    """A connection in one transaction, rolled back when anything fails; BadInput when the database refuses."""
    shown = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", re.sub(r"(password=)[^&]*", r"\1***", url))
    try:
        engine = _engine(url, shown, must_exist)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        words = " ".join(str(error).split())[:300].replace(url, shown)
        raise BadInput(Problem(shown, "", "", words, "a database that can be opened, by its SQLAlchemy URL")) from error


def _engine(url: str, shown: str, must_exist: bool) -> sa.Engine:
    try:
        address = sa.make_url(url)
    except ValueError as error:  # a port that is no number
        raise BadInput(Problem(shown, "", "", str(error), "an SQLAlchemy URL")) from error
    if address.get_backend_name() == "postgresql":
        return sa.create_engine(address, isolation_level="REPEATABLE READ")  # all tables as of one moment
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(address)
    if must_exist and not Path(address.database or "").is_file():
        raise BadInput(Problem(shown, "", "", "no such file", "a database with the tables of a book"))
    engine = sa.create_engine(address)
    sa.event.listen(engine, "connect", _leave_transactions_to_us)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _leave_transactions_to_us(connection: object, _record: object) -> None:
    """The sqlite3 module would otherwise create and drop tables outside the transaction."""
    connection.isolation_level = None  # type: ignore[attr-defined]
