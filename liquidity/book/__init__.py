"""Books: reading, checking, writing, and the book as labelled arrays."""

from liquidity.book.book import Book
from liquidity.book.dataset import requests_on
from liquidity.book.fields import TABLES, Field, Table, describe_fields
from liquidity.book.opening import Opening, opening
from liquidity.book.sources import read_book, write_book

__all__ = [
    "TABLES",
    "Book",
    "Field",
    "Opening",
    "Table",
    "describe_fields",
    "opening",
    "read_book",
    "requests_on",
    "write_book",
]
