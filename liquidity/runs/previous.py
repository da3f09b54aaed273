"""What an earlier run hands to tonight: last night's relending, and what was already paid out today."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from liquidity.book import Book
from liquidity.errors import BadInput, Problem

BLANK = ("alone", "price_low", "price_high")
"""Numbers that a table may leave open; a blank in any other column is text."""
NAMES = ("segment", "borrower", "facility", "period", "cause", "rule", "origin", "scope", "text_en", "text_zh",
         "borrower_text_en", "borrower_text_zh")  # fmt: skip
"""Columns that are text whatever stands in them: a segment may well be called 001."""
NEEDED = {
    "ledger": ("segment", "period", "freed", "relent"),
    "allocation": ("segment", "facility", "period", "amount"),
    "roads": ("segment", "rank", "text_en", "text_zh"),
    "reasons": ("segment", "period", "rank", "cause", "rule", "amount", *NAMES[-4:]),
}


def read_table(run: Path, name: str) -> pd.DataFrame:
    """A table of a run folder. Raises BadInput where the folder holds no such table, or not as runs write it."""
    path = run / "tables" / f"{name}.csv"
    if not path.is_file():
        raise BadInput(Problem(str(run), "", "", path.name, "a run folder with this table"))
    blank = {column: [""] for column in BLANK}
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=blank, dtype=dict.fromkeys(NAMES, str))
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInput(Problem(str(path), "", "", str(error), "a table as runs write it")) from None
    if lost := [column for column in NEEDED.get(name, ()) if column not in table.columns]:
        raise BadInput(Problem(str(path), "", "", ", ".join(table.columns), f"columns {', '.join(lost)}"))
    return table


def read_record(run: Path) -> dict[str, object]:
    """The run record of a run folder. Raises BadInput where there is none."""
    record = record_at(run)
    if record is None:
        raise BadInput(Problem(str(run), "", "", "run.json", "a run folder, its record whole"))
    return record


def record_at(place: Path) -> dict[str, object] | None:
    """The run record at a place, None where there is none or what is there is none."""
    path = place / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError:
        return None
    return record if isinstance(record, dict) and {"id", "as_of", "status"} <= set(record) else None


def relent_shares(run: Path) -> pd.Series:
    """Share of the freed money that each segment got back in the night of a run, indexed by segment."""
    ledger = read_table(run, "ledger")
    night = ledger[ledger.period == ledger.period.min()].set_index("segment")
    return (night.relent / night.freed).where(night.freed > 0, 1.0)


def pin_executed(book: Book, run: Path) -> Book:
    """The book with an instruction for every loan already paid out today: lend at least as much again.

    Raises BadInput where the run is another day's.
    """
    record = read_record(run)
    if record["as_of"] != book.as_of.isoformat():
        expected = f"a run of {book.as_of}, the date of the book"
        raise BadInput(Problem("--executed", "", "", record["as_of"], expected))
    allocation = read_table(run, "allocation")
    paid = allocation[(allocation.period == allocation.period.min()) & (allocation.amount > 0)]
    paid = paid.groupby(["segment", "facility"], as_index=False).amount.sum()
    today = pd.Timestamp(book.as_of)
    pins = pd.DataFrame(
        {
            "target": "lend",
            "segment": paid.segment,
            "facility": paid.facility,
            "line": "",
            "from": today,
            "to": today,
            "op": ">=",
            # two kinds of borrowers were rounded to the fen; what was paid is not asked for to the last of them
            "amount": (paid.amount - 0.02).clip(lower=0.0),
            "reason": "already paid out today",
            "by": str(record["id"]),
        }
    )
    return book.replace("pins", pd.concat([book["pins"], pins], ignore_index=True) if len(book["pins"]) else pins)
