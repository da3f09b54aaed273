"""The data dictionary: every table and column a book may have, read from fields.csv.

fields.csv drives reading, casting, defaults, checks, the attributes of the dataset and data/README.md.
Its columns:

    table, name   place; a row of type `table` describes the table itself
    type          name (a label), text, currency, time, number, integer, boolean, date
    unit          CNY stands for the book's currency
    key           yes: part of the key of the table
    required      yes: the table or column must be there and no cell of it may be blank
    default       value of a column that was left out; blank: a missing value (text "", date never)
    low, high     inclusive range, or exclusive when written with > or <
    choices       allowed values, separated by |
    kinds         facility kinds the column is meant for; rows of other kinds may leave it blank and get the default
    refers        table whose key the value must be, unless blank
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

NUMERIC = ("number", "integer")
TEXTUAL = ("name", "text", "currency", "time")


@dataclass(frozen=True)
class Bound:
    """One end of a range; `strict` when the end itself is not allowed."""

    value: float
    strict: bool

    @staticmethod
    def read(text: str) -> Bound | None:
        """`""`, `0`, `>0` or `<1` as written in fields.csv."""
        return Bound(float(text.lstrip("<>")), text[0] in "<>") if text else None


@dataclass(frozen=True)
class Field:
    """One column of one table, as fields.csv describes it."""

    table: str
    name: str
    type: str
    unit: str
    key: bool
    required: bool
    default: str
    low: Bound | None
    high: Bound | None
    choices: tuple[str, ...]
    kinds: tuple[str, ...]
    refers: str
    meaning: str

    @cached_property
    def expected(self) -> str:
        """What a cell of this column must hold, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        return _TYPE_WORDS[self.type] + self._range_words()

    def _range_words(self) -> str:
        low, high = self.low, self.high
        if low and high and not (low.strict or high.strict):
            return f" from {low.value:g} to {high.value:g}"
        words = []
        if low:
            words.append(f"above {low.value:g}" if low.strict else f"of at least {low.value:g}")
        if high:
            words.append(f"below {high.value:g}" if high.strict else f"of at most {high.value:g}")
        return "".join(" " + word for word in (" and ".join(words),) if word)


_TYPE_WORDS = {
    "name": "a label of at most 200 characters without control characters or blanks at its ends",
    "text": "a text of at most 1000 characters without control characters",
    "currency": "a currency code of three capital letters",
    "time": "a time of day HH:MM",
    "number": "a finite number",
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a date YYYY-MM-DD from 1970 on",
}


@dataclass(frozen=True)
class Table:
    """One table of a book: its columns in canonical order."""

    name: str
    required: bool
    meaning: str
    fields: tuple[Field, ...]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Names of the key columns; empty for the tables told apart by nothing but their content."""
        return tuple(field.name for field in self.fields if field.key)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all columns in canonical order."""
        return tuple(field.name for field in self.fields)

    @property
    def indexed(self) -> bool:
        """Whether the key becomes the index of the frame; flows keep a plain one, as pins and lender do."""
        return bool(self.keys) and self.name != "flows"

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}


def _read_field(row: dict[str, str]) -> Field:
    return Field(
        **{name: row[name] for name in ("table", "name", "type", "unit", "default", "refers", "meaning")},
        key=row["key"] == "yes",
        required=row["required"] == "yes",
        low=Bound.read(row["low"]),
        high=Bound.read(row["high"]),
        choices=tuple(row["choices"].split("|")) if row["choices"] else (),
        kinds=tuple(row["kinds"].split("|")) if row["kinds"] else (),
    )


def _read_dictionary() -> Mapping[str, Table]:
    with Path(__file__).with_name("fields.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    heads = [row for row in rows if row["type"] == "table"]
    return MappingProxyType(
        {
            head["table"]: Table(
                name=head["table"],
                required=head["required"] == "yes",
                meaning=head["meaning"],
                fields=tuple(
                    _read_field(row) for row in rows if row["table"] == head["table"] and row["type"] != "table"
                ),
            )
            for head in heads
        }
    )


TABLES: Mapping[str, Table] = _read_dictionary()
"Every table of a book by name, in canonical order."


def describe_fields() -> str:
    """The data dictionary as a markdown page, the text of data/README.md."""
    lines = [
        "# Tables of a book",
        "",
        "Made from `liquidity/book/fields.csv`; do not edit by hand.",
        "",
        "A book is a folder of CSV or Parquet files, an Excel workbook with a sheet per table, or a database given as",
        "an SQLAlchemy URL. CNY stands for the currency of the book; rates and shares are fractions (0.12 is 12%);",
        "dates are YYYY-MM-DD. A column that is not needed may be left out and gets its default; one that is there",
        "has no blank cells, except where the default says blank or the column is meant for other kinds of facility.",
        "A table may carry a column `currency` of its own: it must be the book's currency in every row.",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}{'' if table.required else ' (optional)'}", "", f"{table.meaning}.", ""]
        lines += ["| column | type | unit | needed | range | meaning |", "|---|---|---|---|---|---|"]
        lines += [_describe(field) for field in table.fields]
    return "\n".join(lines) + "\n"


def _describe(field: Field) -> str:
    needed = "key" if field.key and field.required else "yes" if field.required else f"no: {field.default or 'blank'}"
    if field.kinds:
        needed += f" ({', '.join(field.kinds)})"
    spread = ", ".join(f"`{choice}`" for choice in field.choices) or field._range_words().strip()
    meaning = field.meaning + (f"; a row of `{field.refers}`" if field.refers else "")
    cells = (f"`{field.name}`", field.type, field.unit, needed, spread, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
