"""What an earlier run hands to tonight: last night's relending, and what was already paid out today."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from liquidity.book import Book
from liquidity.errors import BadInput, Problem

BLANK = ("alone", "price_low", "price_high")
"""Numbers that a table may leave open; a blank in any other column is text."""


def read_table(run: Path, name: str) -> pd.DataFrame:
    """A table of a run folder. Raises BadInput where the folder holds no such table."""
    path = run / "tables" / f"{name}.csv"
    if not path.is_file():
        raise BadInput(Problem(str(run), "", "", path.name, "a run folder with this table"))
    return pd.read_csv(path, keep_default_na=False, na_values={name: [""] for name in BLANK})


def read_record(run: Path) -> dict[str, object]:
    """The run record of a run folder. Raises BadInput where there is none."""
    path = run / "run.json"
    if not path.is_file():
        raise BadInput(Problem(str(run), "", "", "run.json", "a run folder"))
    record: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return record


def relent_shares(run: Path) -> pd.Series:
    """Share of the freed money that each segment got back in the night of a run, indexed by segment."""
    ledger = read_table(run, "ledger")
    night = ledger[ledger.period == ledger.period.min()].set_index("segment")
    return (night.relent / night.freed).where(night.freed > 0, 1.0)


def pin_executed(book: Book, run: Path) -> Book:
    """The book with an instruction for every loan already paid out today: lend at least as much again."""
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
            "by": str(read_record(run)["id"]),
        }
    )
    return book.replace("pins", pd.concat([book["pins"], pins], ignore_index=True) if len(book["pins"]) else pins)
