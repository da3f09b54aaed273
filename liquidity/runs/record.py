"""The run folder: one execution with its inputs, plan, tables, proofs and page, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from liquidity.book import Book, write_book
from liquidity.errors import BadInput, Problem
from liquidity.program.solve import versions as solver_versions
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.previous import record_at

PACKAGES = ("liquidity", "numpy", "pandas", "pyomo", "scipy", "xarray")


def versions() -> dict[str, str]:
    """Versions that a run depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}, **solver_versions()}


def run_id(book: Book, rulebook: Rulebook, previous: str, options: dict[str, Any]) -> str:
    """First 12 hex digits of the sha256 of everything the answer depends on."""
    content = {
        "book": book.digest, "rulebook": rulebook.digest, "previous": previous, "options": options,
        "versions": versions(),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def existing(target: Path, identity: str) -> dict[str, Any] | None:
    """The record of the same run where it is already there.

    Raises BadInput where something else is in its place, or nothing can be written there.
    """
    if not target.exists():
        refuse_no_folder(target)
        return None
    found: dict[str, Any] = record_at(target) or {}
    if found.get("id") == identity and found["status"] == "optimal":
        return found
    if found.get("status") == "solver_failed":
        return None
    there = f"run {found['id']}" if found else "no run"
    raise BadInput(
        Problem("--out", "", "", str(target), f"a place that is free or holds run {identity}; it holds {there}")
    )


def refuse_no_folder(target: Path) -> None:
    """Raise BadInput where the folder that `target` is to lie in cannot be written to."""
    above = next(parent for parent in target.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise BadInput(Problem("--out", "", "", str(target), f"a place that can be written; {above} cannot"))


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A folder beside `target` to write into; moved into place at the end, removed where the writing fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield draft
        draft.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        os.replace(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def write_tables(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Tables as CSV: money with two decimals is kept as printed, other numbers in full."""
    folder.mkdir()
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def write_inputs(book: Book, rulebook: Rulebook, folder: Path, previous: pd.Series | None = None) -> None:
    """What the run was made from: the book as CSV, the rulebook's content, the shares of the earlier run."""
    write_book(book, folder / "book")
    if previous is not None:
        previous.rename("share").rename_axis("segment").to_csv(folder / "previous.csv", float_format="%.17g")
    content = rulebook.model_dump(mode="json", exclude={"book"}, by_alias=True)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / "rulebook.json").write_text(text + "\n", encoding="utf-8")


def write_json(content: dict[str, Any], path: Path) -> None:
    """A record as JSON with sorted keys."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
