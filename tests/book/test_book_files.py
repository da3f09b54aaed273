"""What files and databases may hold: other types, other programs' habits, and nothing that can be read."""

import datetime
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquidity.book import TABLES, read_book, write_book
from liquidity.errors import BadInput

POSTGRES = os.environ.get("LIQUIDITY_POSTGRES_URL", "")


def problems_of(source):
    """The problems of a book that cannot be used."""
    with pytest.raises(BadInput) as caught:
        read_book(source)
    return caught.value.problems


@pytest.fixture
def written(small, tmp_path):
    """The small book as a folder of CSV files."""
    write_book(small, tmp_path / "book")
    return tmp_path / "book"


# Places without a book


@pytest.mark.parametrize(
    "source",
    [
        "nowhere",
        "nowhere.xlsx",
        "sqlite:///nowhere.db",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+psycopg://nobody:secret@localhost:1/none",
        "postgresql+psycopg://nobody@localhost:1/none?password=secret",
        "postgresql+psycopg://localhost:port/none",
        "nonsense://x",
        "://",
    ],
)
def test_nothing_there(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for problem in problems_of(source):
        assert "secret" not in str(problem)
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_lacks_every_table(tmp_path):
    missing = {problem.table for problem in problems_of(tmp_path)}
    assert missing == {name for name, table in TABLES.items() if table.required}


def test_a_single_file_is_no_book(written):
    assert problems_of(written / "lines.csv")


@pytest.mark.parametrize("name", ["book.xlsx", "book.db", "lines.csv", "lines.parquet"])
def test_other_bytes(name, tmp_path):
    (tmp_path / name).write_bytes(b"\x00\xff not a book \x89")
    source = tmp_path if name.startswith("lines") else tmp_path / name
    assert problems_of(f"sqlite:///{source}" if name.endswith("db") else source)


def test_unknown_format(small, tmp_path):
    with pytest.raises(BadInput, match="csv, parquet, xlsx, sql"):
        write_book(small, tmp_path / "book", "json")


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx", "sql"])
def test_a_target_that_cannot_be_written(form, small, tmp_path):
    (tmp_path / "file").write_text("in the way")
    target = tmp_path / "file" / "book.xlsx"
    with pytest.raises(BadInput):
        write_book(small, f"sqlite:///{target}" if form == "sql" else target, form)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_book(small, tmp_path, monkeypatch):
    """Files come into the folder only when all of them are written."""
    write_book(small, tmp_path / "book", "parquet")
    before = {path.name: path.read_bytes() for path in (tmp_path / "book").iterdir()}
    written = []

    def fail(table, path):
        written.append(path)
        if len(written) == 3:
            raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(BadInput, match="disk full"):
        write_book(small.edit("lender", cash=50.1e6), tmp_path / "book", "parquet")
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "book").iterdir()}
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


# CSV


def test_csv_of_other_programs(small, written):
    """A byte-order mark, Windows line ends, quotes everywhere and a last empty line change nothing."""
    for path in written.iterdir():
        if path.stem != "pins":  # has a line break within a cell
            lines = path.read_text(encoding="utf-8").splitlines()
            text = "\r\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in lines)
            path.write_text("\ufeff" + text + "\r\n\r\n", encoding="utf-8", newline="")
    assert small == read_book(written)


def test_every_broken_row_is_listed(written):
    with (written / "lines.csv").open("a", encoding="utf-8") as file:
        file.write("bank_b,bank_line\nbank_c,1,2,3,4,5,6,7,8,9,10\n")
    found = [(problem.table, problem.row, problem.value) for problem in problems_of(written)]
    assert found == [("lines", "3", "2 cells"), ("lines", "4", "11 cells")]


def test_labels_that_look_like_something_else(rows, folder, tmp_path):
    """NA, null and 1e5 are labels where a label is expected."""
    for at, label in enumerate(("NA", "null", "1e5")):
        rows["segments"][at]["region"] = label
    rows["eligibility"].pop(1)
    assert list(read_book(folder(rows, tmp_path / "book"))["segments"]["region"]) == ["NA", "null", "1e5"]


def test_an_open_quote_swallows_no_rows(written):
    """The reader would take all that follows for one text."""
    path = written / "pins.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("bank asked", '"bank asked'), encoding="utf-8")
    assert "a quote that is not closed" in [problem.value for problem in problems_of(written)]


def test_other_encodings_are_refused(written):
    text = (written / "segments.csv").read_text(encoding="utf-8")
    (written / "segments.csv").write_bytes(text.encode("gb18030"))
    assert [(p.table, p.expected[-6:-1]) for p in problems_of(written)] == [("segments", "UTF-8")]


@pytest.mark.parametrize("text", ["", "\n", "facility,field,op,value\n", "facility,field,op,value"])
def test_empty_files(text, written):
    (written / "eligibility.csv").write_text(text)
    if text.strip():
        assert len(read_book(written)["eligibility"]) == 0
    else:
        assert [problem.table for problem in problems_of(written)] == ["eligibility"]


def test_a_column_twice(written):
    path = written / "partners.csv"
    path.write_text("\n".join(line + "," + line.split(",")[1] for line in path.read_text().splitlines()))
    assert ("partners", "net_tier1") in [(p.table, p.column) for p in problems_of(written)]


def test_a_table_in_two_files(written, small):
    small["lines"].reset_index().to_parquet(written / "lines.parquet")
    assert [problem.table for problem in problems_of(written)] == ["lines"]


def test_other_files_are_left_alone(small, written):
    (written / "README.md").write_text("notes")
    (written / ".hidden.csv").write_text("x")
    write_book(small, written)
    assert small == read_book(written)
    assert (written / "README.md").exists()


CELLS = ["", "abc", "nan", "-1", "1e999", "12%", "1,5", "2026-13-01", "true", "\x00", '"', " ", "行", "0", "1e-320"]


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_corrupt_cells_are_told_and_never_a_traceback(data, small_files):
    """Any cells may hold anything, header included: the book is refused or it is a right one."""
    files = {name: [list(row) for row in cells] for name, cells in small_files.items()}
    for _ in range(data.draw(st.integers(1, 4))):
        cells = files[data.draw(st.sampled_from(sorted(files)))]
        row = cells[data.draw(st.integers(0, len(cells) - 1))]
        text = data.draw(st.sampled_from(CELLS) | st.text(max_size=6))
        row[data.draw(st.integers(0, len(row) - 1))] = text.encode("utf-8", "replace").decode()
    with tempfile.TemporaryDirectory() as path:
        for name, cells in files.items():
            (Path(path) / f"{name}.csv").write_text("\n".join(map(",".join, cells)), encoding="utf-8", newline="")
        assert_book_or_told(path)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), junk=st.binary(max_size=8))
def test_corrupt_bytes_are_told_and_never_a_traceback(data, junk, small_files):
    """The same for bytes put anywhere into a file."""
    name = data.draw(st.sampled_from(sorted(small_files)))
    with tempfile.TemporaryDirectory() as path:
        for other, cells in small_files.items():
            text = "\n".join(map(",".join, cells)).encode()
            if other == name:
                at = data.draw(st.integers(0, len(text)))
                text = text[:at] + junk + text[at + data.draw(st.integers(0, 8)) :]
            (Path(path) / f"{other}.csv").write_bytes(text)
        assert_book_or_told(path)


def assert_book_or_told(path):
    """Reading gives a book that is right to the last table, or problems with all their parts."""
    told = None
    try:
        book = read_book(path)
    except BadInput as refused:
        told = refused.problems
    else:
        # what defaulted may be left to the forecast, and is then no number
        frames = [frame.drop(columns="defaulted", errors="ignore") for frame in book.tables.values()]
        assert not any(frame.select_dtypes("number").isna().any(axis=None) for frame in frames)
    assert told is None or (told and all(str(problem) and problem.table and problem.expected for problem in told))


@pytest.fixture(scope="session")
def small_files(small, tmp_path_factory):
    """The cells of the small book's CSV files; no cell holds a comma or a line break."""
    folder = tmp_path_factory.mktemp("small") / "book"
    write_book(small.replace("pins", small["pins"].assign(reason="agreed")), folder)
    return {p.stem: [line.split(",") for line in p.read_text(encoding="utf-8").splitlines()] for p in folder.iterdir()}


# Parquet, Excel, databases


def test_parquet_with_other_types(small, tmp_path):
    """Categories, 32-bit and decimal numbers, dates and nanoseconds hold the same book."""
    write_book(small, tmp_path, "parquet")
    balances = pq.read_table(tmp_path / "balances.parquet")
    for name, kind in (("segment", pa.dictionary(pa.int32(), pa.string())), ("balance", pa.decimal128(20, 2))):
        at = balances.column_names.index(name)
        column = balances.column(name)
        column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
        balances = balances.set_column(at, name, column)
    pq.write_table(balances, tmp_path / "balances.parquet")
    lines = small["lines"].reset_index()
    lines["maturity"] = lines["maturity"].astype("datetime64[ns]")
    lines["rate"] = lines["rate"].astype(object)
    lines.to_parquet(tmp_path / "lines.parquet")
    calendar = small["calendar"].reset_index()
    calendar["date"] = calendar["date"].dt.date
    calendar["business_day"] = calendar["business_day"].astype("int8")
    calendar.to_parquet(tmp_path / "calendar.parquet")
    assert small == read_book(tmp_path)


def test_parquet_with_wrong_types(small, tmp_path):
    write_book(small, tmp_path, "parquet")
    lines = small["lines"].reset_index()
    lines["drawn"] = lines["revolving"]
    lines["rate"] = pd.Timestamp("2026-01-01 10:00:00.000000001")
    lines["maturity"] = pd.Timestamp("2026-01-01 10:00", tz="Asia/Shanghai")
    lines["commitment"] = [[1.0], [2.0]]
    lines["kind"] = [b"bank_line", b"\xff"]
    lines.to_parquet(tmp_path / "lines.parquet")
    wrong = {(problem.row, problem.column) for problem in problems_of(tmp_path)}
    columns = {(line, name) for line in ("bank_a", "bond_1") for name in ("drawn", "rate", "maturity", "commitment")}
    assert columns | {("bond_1", "kind")} == wrong


def test_a_workbook_kept_by_hand(small, tmp_path):
    """Empty rows and columns, dates and times as Excel keeps them, numbers as text."""
    path = tmp_path / "book.xlsx"
    write_book(small, path, "xlsx")
    workbook = openpyxl.load_workbook(path)
    lender = workbook["lender"]
    lender["A2"], lender["B2"] = datetime.datetime(2026, 6, 30), datetime.time(22, 0)
    lender["D2"] = str(lender["D2"].value)
    workbook["segments"].insert_rows(3)
    workbook["lines"].cell(1, 15).value = None
    workbook.save(path)
    workbook.close()
    assert small == read_book(path)


def test_a_workbook_with_errors(small, tmp_path):
    path = tmp_path / "book.xlsx"
    write_book(small, path, "xlsx")
    workbook = openpyxl.load_workbook(path)
    workbook["lines"]["C2"] = "#DIV/0!"
    workbook["lines"]["Z2"] = "a note"
    workbook.create_sheet("notes")
    workbook.save(path)
    workbook.close()
    found = {(problem.table, problem.row, problem.column) for problem in problems_of(path)}
    assert {("lines", "bank_a", "drawn"), ("lines", "", ""), ("notes", "", "")} <= found


def test_a_database_with_other_types(small, tmp_path):
    """SQLite keeps what it is given: text where a number should be is told, integers for booleans are read."""
    url = f"sqlite:///{tmp_path / 'book.db'}"
    write_book(small, url, "sql")
    with closing(sqlite3.connect(tmp_path / "book.db")) as connection:
        connection.execute("UPDATE lines SET drawn = 'much' WHERE line = 'bank_a'")
        connection.execute("UPDATE lender SET cash = NULL")
        connection.commit()
    found = {(problem.table, problem.row, problem.column, problem.value) for problem in problems_of(url)}
    assert {("lines", "bank_a", "drawn", "much"), ("lender", "1", "cash", "")} == found


def test_a_database_write_that_fails_leaves_the_old_book(small, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'book.db'}"
    write_book(small, url, "sql")
    with closing(sqlite3.connect(tmp_path / "book.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    monkeypatch.setattr("liquidity.book.database._rows", lambda frame: [dict.fromkeys(frame.columns)])
    with pytest.raises(BadInput):
        write_book(small.edit("lender", cash=50.1e6), url, "sql")
    assert small == read_book(url)


@pytest.mark.skipif(not POSTGRES, reason="LIQUIDITY_POSTGRES_URL is not set")
def test_postgres(small, rows, make):
    """The whole round trip in a real server; an empty database of its own is wanted."""
    write_book(small, POSTGRES, "sql")
    assert small == read_book(POSTGRES)
    for name in ("pins", "flows"):
        del rows[name]
    write_book(make(rows), POSTGRES, "sql")
    assert make(rows) == read_book(POSTGRES)
