"""A book is the same after every way out and in, and whatever the order of its rows and columns."""

import datetime
import random
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from liquidity.book import TABLES, Book, read_book, write_book

TARGETS = {"csv": "folder", "parquet": "folder", "xlsx": "book.xlsx", "sql": "sqlite:///{}/book.db"}
LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co"))
LABELS = st.text(LETTERS, min_size=1, max_size=12).filter(lambda text: text == text.strip())
AMOUNTS = st.floats(0, 1e15)
DATES = st.dates(datetime.date(1970, 1, 1))


def place(form, path):
    """Where a book of this format goes below `path`."""
    name = TARGETS[form]
    return name.format(path) if form == "sql" else Path(path) / name


def assert_same(expected: Book, book: Book) -> None:
    """Same values, types and order in every table."""
    for name in TABLES:
        pd.testing.assert_frame_equal(expected[name], book[name], check_exact=True)
    assert expected.digest == book.digest


@pytest.mark.parametrize("form", TARGETS)
def test_round_trip(form, small, rows, make, tmp_path):
    """Also over another book that is there already: nothing of it stays."""
    write_book(small, place(form, tmp_path), form)
    assert_same(small, read_book(place(form, tmp_path)))
    for name in ("pins", "flows", "calendar"):
        del rows[name]
    write_book(make(rows), place(form, tmp_path), form)
    assert_same(make(rows), read_book(place(form, tmp_path)))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("form", TARGETS)
@settings(max_examples=3, deadline=None)
@given(label=LABELS, product=LABELS, reason=LABELS, amount=AMOUNTS, demand=AMOUNTS, day=DATES)
@example("_x0041_", "=1+1", "a\n\nb", 1 / 3, 5e-324, datetime.date(9999, 12, 31))
@example("TRUE", "nan", "'", 123456789.123456789, 0.1 + 0.2, datetime.date(1970, 1, 1))
@example("00123", "2026-01-01", '"', 1e15, 1e-300, datetime.date(2000, 2, 29))
def test_any_value_comes_back(form, small, label, product, reason, amount, demand, day):
    """Numbers to the last bit, texts to the last letter, dates to the day."""
    segments, requests = small["segments"].reset_index(), small["requests"].reset_index()
    book = small.replace(
        segments=pd.concat([segments, segments.iloc[:1].assign(segment=label, product=product)]),
        requests=pd.concat([requests, requests.iloc[:1].assign(segment=label, new_demand=demand)]),
        pins=small["pins"].assign(reason=reason, amount=amount),
        calendar=pd.DataFrame({"date": [day], "business_day": [True]}),
    )
    with tempfile.TemporaryDirectory() as path:
        write_book(book, place(form, path), form)
        assert_same(book, read_book(place(form, path)))


def test_order_does_not_matter(rows, folder, small, tmp_path):
    """Shuffled rows and columns make the same book."""
    for seed in range(6):
        shuffled = random.Random(seed)
        tables = {}
        for name, table in rows.items():
            columns = list(dict.fromkeys(column for row in table for column in row))
            shuffled.shuffle(columns)
            again = [{column: row.get(column, "") for column in columns} for row in table]
            tables[name] = shuffled.sample(again, len(again))
        assert_same(small, read_book(folder(tables, tmp_path / str(seed))))
