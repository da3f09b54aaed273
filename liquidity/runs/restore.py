"""A run's inputs as they were stored, so that its night can be solved again."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from liquidity.book import Book, read_book
from liquidity.errors import BadInput, Problem
from liquidity.rules import KINDS
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.previous import read_record


def read_inputs_of(run: Path) -> tuple[Book, Rulebook, pd.Series | None]:
    """Book, rulebook and, where the run had an earlier one, that run's share relent by segment.

    Raises BadInput where the folder does not hold them, where they are not those that the record was made from, or
    where a rule was the lender's own: its text is not in the folder.
    """
    record, book = read_record(run), read_book(run / "book")
    rulebook = stored_rulebook(run / "rulebook.json")
    for what, found in (("book_digest", book.digest), ("rulebook_digest", rulebook.digest)):
        if record[what] != found:
            raise BadInput(Problem(str(run), "", what, found, f"{record[what]}, as the record says"))
    previous = run / "previous.csv"
    if not record.get("previous"):
        return book, rulebook, None
    if not previous.is_file():
        raise BadInput(Problem(str(run), "", "", "previous.csv", "the shares of the earlier run"))
    shares = pd.read_csv(previous, dtype={"segment": str}, keep_default_na=False).set_index("segment").share
    return book, rulebook, shares.astype(float)


def stored_rulebook(path: Path) -> Rulebook:
    """The rulebook of a run folder."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("own_rules"):
            names = ", ".join(content["own_rules"])
            raise BadInput(Problem(path.name, "", "own_rules", names, "rules of the program; start from the rulebook"))
        rules = tuple(KINDS[entry["kind"]].model_validate(entry) for entry in content.pop("rules"))
        return Rulebook.model_validate({**content, "rules": rules})
    except (OSError, KeyError, json.JSONDecodeError, ValidationError) as error:
        raise BadInput(Problem(str(path), "", "", str(error).splitlines()[0], "the rulebook of a run")) from None
