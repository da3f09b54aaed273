"""Thirty lenders whose rules contradict each other: what gave way, what would end it, and that it does.

Run: python -m benchmarks.prove_remedies [NAME]. Every book and rulebook (`tests/conflicts.py`, made by seed) is
written to files and run by the nightly job, which must end with exit code 3 and a first remedy; the remedy's numbers
are changed, book and rulebook written and read again, and the nightly job run anew, which must end with exit code 0.
Prints one line a book, as Markdown, and the counts; exit code 1 where one fails.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from liquidity import read_book, read_rulebook
from liquidity.explain.words_remedies import change
from liquidity.runs.nightly import Job, run_nightly
from liquidity.runs.remedies import apply_remedy
from tests.conflicts import BOOKS, conflicting, write_inputs

HEAD = (
    "book",
    "rules in conflict",
    "gave way",
    "first remedy",
    "CNY a year",
    "net worth, CNY",
    "others",
    "exit",
    "CPU s",
)


def prove(name: str, seed: int, folder: Path) -> tuple[list[str], bool]:
    """The cells of one book's line, and whether all was as it should be."""
    begun = time.process_time()
    path = write_inputs(*conflicting(name, seed), folder / "before")
    record, _ = run_nightly(Job(path, out=folder / "run"))
    working = [one for one in record.get("remedies", []) if one["works"]]
    cells = [f"{name} ({seed})", ", ".join(record["conflict"]), ", ".join(record["gave_way"])]
    if not working:
        return [*cells, "none", "", "", "0", str(record["exit_code"]), ""], False
    best: dict[str, Any] = working[0]
    after = write_inputs(
        *apply_remedy(best, read_book(folder / "before" / "book"), read_rulebook(path)), folder / "after"
    )
    again, _ = run_nightly(Job(after, out=folder / "again"))
    told = "; ".join(change(one, "en", record["currency"]).removeprefix("Change ") for one in best["changes"])
    codes = f"{record['exit_code']} -> {again['exit_code']}"
    spent = f"{time.process_time() - begun:.1f}"
    numbers = [f"{best['cost']:,.0f}", f"{best['worth']:+,.0f}", str(len(working) - 1)]
    return [*cells, told, *numbers, codes, spent], codes == "3 -> 0"


def main(only: str = "") -> int:
    """Prove all, or one kind."""
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    good = tried = 0
    for name, seed in BOOKS:
        if only in ("", name):
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "before").mkdir()
                (Path(folder) / "after").mkdir()
                cells, held = prove(name, seed, Path(folder))
            print(f"| {' | '.join(cells)} |", flush=True)
            good, tried = good + held, tried + 1
    print(f"{good} of {tried} books: a plan and exit code 3, and exit code 0 with the first remedy")
    return 0 if good == tried else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
