"""A book is the same after every way out and in."""

import pandas as pd
import pytest

from liquidity.book import TABLES, read_book, write_book

TARGETS = {"csv": "folder", "parquet": "folder", "xlsx": "book.xlsx", "sql": "sqlite:///{}/book.db"}


def place(form, path):
    """Where a book of this format goes below `path`."""
    name = TARGETS[form]
    return name.format(path) if form == "sql" else path / name


@pytest.mark.parametrize("form", TARGETS)
def test_round_trip(form, small, tmp_path):
    write_book(small, place(form, tmp_path), form)
    again = read_book(place(form, tmp_path))
    for name in TABLES:
        pd.testing.assert_frame_equal(small[name], again[name], check_exact=True)
    assert small.digest == again.digest
