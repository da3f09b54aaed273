"""Books in files: a folder of CSV or Parquet, or one Excel workbook.

Every reader gives raw Arrow tables and the problems met; every writer writes to a temporary name and moves.
"""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl  # type: ignore[import-untyped]
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.csv as pv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import xlsxwriter  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

from liquidity.book.casting import as_texts
from liquidity.book.fields import TABLES
from liquidity.errors import BadInput, Problem

Raw = tuple[dict[str, pa.Table], list[Problem]]
FOLDER_FORMATS = ("csv", "parquet")
_ALL_TEXT = {name: pa.string() for table in TABLES.values() for name in (*table.names, "currency")}


def read_folder(folder: Path) -> Raw:
    """Tables of a folder with one CSV or Parquet file each; other kinds of files are left alone."""
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower().lstrip(".") in FOLDER_FORMATS and not path.name.startswith((".", "~"))
    )
    tables: dict[str, pa.Table] = {}
    problems: list[Problem] = []
    for path in files:
        if path.stem in tables:
            problems.append(Problem(path.stem, "", "", path.name, "one file per table"))
            continue
        try:
            if path.suffix.lower() == ".csv":
                tables[path.stem], broken = _read_csv(path)
                problems += broken
            else:
                tables[path.stem] = pq.ParquetFile(path).read()
        except (pa.ArrowException, OSError, ValueError) as error:
            problems.append(Problem(path.stem, "", "", _one_line(error), f"a readable file {path.name} (UTF-8)"))
    return tables, problems


def _read_csv(path: Path) -> tuple[pa.Table, list[Problem]]:
    broken: list[Problem] = []

    def report(row: pv.InvalidRow) -> str:
        place = "" if row.number is None else str(row.number - 1)
        expected = f"{row.expected_columns} cells as in the header"
        broken.append(Problem(path.stem, place, "", f"{row.actual_columns} cells", expected))
        return "skip"

    data = path.read_bytes()
    data.decode("utf-8")  # or the reader would stop at a row it cannot show
    if data.count(b'"') % 2:
        broken.append(Problem(path.stem, "", "", "a quote that is not closed", 'every " in a pair'))
    table = pv.read_csv(
        pa.BufferReader(data if data.endswith(b"\n") else data + b"\n"),
        read_options=pv.ReadOptions(use_threads=False),  # or rows would have no numbers
        parse_options=pv.ParseOptions(newlines_in_values=True, invalid_row_handler=report),
        convert_options=pv.ConvertOptions(column_types=_ALL_TEXT, strings_can_be_null=False),
    )
    return table, broken


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


_BROKEN_WORKBOOK = (
    zipfile.BadZipFile,
    InvalidFileException,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    EOFError,
    ParseError,
    zlib.error,
)


def read_workbook(path: Path) -> Raw:
    """Tables of an Excel workbook with one sheet each: a row of column names, then the rows."""
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            tables = {sheet.title: _read_sheet(sheet.iter_rows(values_only=True)) for sheet in workbook.worksheets}
        finally:
            workbook.close()
    except _BROKEN_WORKBOOK as error:
        raise BadInput(Problem(str(path), "", "", _one_line(error), "an Excel workbook (.xlsx)")) from error
    return tables, []


def _read_sheet(rows: Iterator[tuple[object, ...]]) -> pa.Table:
    header = next(rows, ())
    body = [row for row in rows if any(cell is not None for cell in row)]
    names, columns = [], []
    for i, name in enumerate(header):
        cells = as_texts([row[i] if i < len(row) else None for row in body])
        if name is not None or cells.null_count < len(cells):
            names.append("" if name is None else str(name))
            columns.append(cells)
    return pa.Table.from_arrays(columns, names=names)


def write_folder(tables: Mapping[str, pd.DataFrame], folder: Path, kind: str) -> None:
    """Write flat tables as files of `kind`; files of tables that the book does not have are removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        made = Path(name) / "book"
        made.mkdir()
        for table, frame in tables.items():
            write = _write_csv if kind == "csv" else _write_parquet
            write(frame, made / f"{table}.{kind}")
        if not folder.exists():
            made.rename(folder)
            return
        for path in made.iterdir():
            os.replace(path, folder / path.name)
    written = {f"{table}.{kind}" for table in tables}
    for old in (folder / f"{table}.{form}" for table in TABLES for form in FOLDER_FORMATS):
        if old.name not in written:
            old.unlink(missing_ok=True)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    columns = [column_texts(frame[name]) for name in frame.columns]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(frame.columns)
        writer.writerows(zip(*columns, strict=True))


def column_texts(column: pd.Series) -> list[str]:
    """A typed column as text that reads back to the same values: shortest exact numbers, ISO dates, "" for none."""
    if column.dtype == "datetime64[s]":
        return column.dt.strftime("%Y-%m-%d").fillna("").tolist()
    texts = pc.cast(pa.array(column), pa.string()).to_pylist()
    if column.dtype != "float64":
        return texts
    return ["" if text is None else repr(float(text)).removesuffix(".0") for text in texts]


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)


@contextmanager
def moved_into(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` that becomes `target` when the block ends well and vanishes when it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        yield folder / target.name
        os.replace(folder / target.name, target)
    finally:
        shutil.rmtree(folder)


class _Exact(float):
    """A number that a workbook keeps to its last digit; Excel's usual 16 digits lose some."""

    def __format__(self, spec: str) -> str:
        return float.__repr__(self)


def write_workbook(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write flat tables as the sheets of one workbook."""
    with moved_into(path) as made, xlsxwriter.Workbook(made, {"constant_memory": False}) as workbook:
        bold = workbook.add_format({"bold": True})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for table, frame in tables.items():
            sheet = workbook.add_worksheet(table)
            sheet.freeze_panes(1, 0)
            for j, name in enumerate(frame.columns):
                sheet.write_string(0, j, name, bold)
                _write_cells(sheet, j, frame[name], day)


def _write_cells(sheet: xlsxwriter.worksheet.Worksheet, j: int, column: pd.Series, day: object) -> None:
    if column.dtype == "datetime64[s]":
        for i, date in enumerate(column, start=1):
            if not pd.isna(date):
                sheet.write_datetime(i, j, date.to_pydatetime(), day)
        return
    for i, value in enumerate(column.tolist(), start=1):
        if isinstance(value, bool):
            sheet.write_boolean(i, j, value)
        elif isinstance(value, str):
            sheet.write_string(i, j, value)
        elif not pd.isna(value):
            sheet.write_number(i, j, _Exact(value))
