"""Where books come from and go to: a folder, a workbook, a database."""

from __future__ import annotations

from pathlib import Path

from liquidity.book.book import Book, make_book
from liquidity.book.database import read_database, write_database
from liquidity.book.fields import TABLES
from liquidity.book.files import FOLDER_FORMATS, read_folder, read_workbook, write_folder, write_workbook
from liquidity.book.tidy import flatten
from liquidity.errors import BadInput, Problem

FORMATS = (*FOLDER_FORMATS, "xlsx", "sql")


def read_book(source: str | Path) -> Book:
    """Read and check a book.

    `source` is a folder of CSV or Parquet files (one per table), an .xlsx workbook (a sheet per table) or an
    SQLAlchemy URL such as `sqlite:///book.db` (the same tables). Raises BadInput with every problem of the book.
    """
    if "://" in str(source):
        tables, problems = read_database(str(source))
        return make_book(tables, problems)
    path = Path(source)
    if path.is_dir():
        tables, problems = read_folder(path)
    elif path.suffix.lower() == ".xlsx" and path.is_file():
        tables, problems = read_workbook(path)
    else:
        expected = "a folder of CSV or Parquet files, an .xlsx workbook or a database URL"
        raise BadInput(Problem(str(path), "", "", "no book there", expected))
    return make_book(tables, problems)


def write_book(book: Book, target: str | Path, format: str = "csv") -> None:
    """Write a book where `read_book` finds it again, the same to the last bit.

    `format` is csv or parquet (`target` is a folder), xlsx (a workbook) or sql (an SQLAlchemy URL). Optional tables
    without rows are not written. Raises BadInput for another format or a target that cannot be written.
    """
    tables = {
        name: flatten(table, book[name]) for name, table in TABLES.items() if table.required or len(book[name]) > 0
    }
    if format not in FORMATS:
        raise BadInput(Problem(str(target), "", "", format, "one of the formats " + ", ".join(FORMATS)))
    if format == "sql":
        write_database(tables, str(target))
        return
    try:
        if format == "xlsx":
            write_workbook(tables, Path(target))
        else:
            write_folder(tables, Path(target), format)
    except OSError as error:
        raise BadInput(Problem(str(target), "", "", str(error), "a place that can be written")) from error
