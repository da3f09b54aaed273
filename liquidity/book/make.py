"""Made-up lenders: those that lie in `data/`, and random ones of any size. Plain tables in, a checked book out.

`python -m liquidity.book.make online_microlender --out data/online_microlender` writes the folder again byte for byte;
so does every other name for its folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from liquidity.book.book import Book, make_book, raw_table
from liquidity.book.make_bank import basel_bank
from liquidity.book.make_calm import calm
from liquidity.book.make_consumer import consumer_finance_company
from liquidity.book.make_issues import with_issues
from liquidity.book.make_online import online_microlender
from liquidity.book.make_parts import Tables
from liquidity.book.make_random import make_lender
from liquidity.book.sources import write_book

__all__ = ["SAMPLES", "book_of", "calm", "main", "make_lender", "online_microlender", "with_issues"]

SAMPLES: dict[str, Callable[[], Tables]] = {
    "online_microlender": online_microlender,
    "consumer_finance_company": consumer_finance_company,
    "basel_bank": basel_bank,
    "calm": calm,
}
"The lenders in `data/`, by the name of their folder."


def book_of(tables: Tables) -> Book:
    """Cast and check made tables; raises BadInput as for any other book."""
    return make_book({name: raw_table(table) for name, table in tables.items()})


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one of the samples as CSV into a folder."""
    parser = argparse.ArgumentParser(prog="python -m liquidity.book.make", description="Write a sample lender as CSV.")
    parser.add_argument("name", choices=sorted(SAMPLES), help="which lender")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    given = parser.parse_args(arguments)
    write_book(book_of(SAMPLES[given.name]()), given.out)


if __name__ == "__main__":
    main()
