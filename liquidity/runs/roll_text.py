"""Rolling nights on the terminal, as JSON, and as a folder with tables, a page and the record."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from liquidity.errors import SolverFailed
from liquidity.explain.words import money
from liquidity.report.rolling import NAMES, PARTS, write_rolling
from liquidity.runs.night import Say, quiet
from liquidity.runs.nightly import FOLDER, Job, read_inputs
from liquidity.runs.record import existing, run_id, versions, whole, write_inputs, write_json, write_tables
from liquidity.runs.roll import Rolled, check_roll, make_roll
from liquidity.runs.roll_draws import Truth
from liquidity.runs.roll_path import Roll
from liquidity.runs.roll_policies import POLICIES

PAGE = "roll.html"


@dataclass(frozen=True)
class RollJob:
    """What the command line asks for."""

    rulebook: Path
    book: str | None = None
    nights: int = 30
    seed: int = 0
    policies: tuple[str, ...] = POLICIES
    truth: Truth = field(default_factory=Truth)
    out: Path | None = None


def run_roll(job: RollJob, say: Say = quiet) -> tuple[dict[str, Any], Path]:
    """Roll and write the folder, whole or not at all; returns the record and the folder.

    The same inputs again return the roll that is there. Raises BadInput before anything is written, SolverFailed where
    a policy has no plan in the first night, with a folder that says so.
    """
    rulebook, book = read_inputs(Job(job.rulebook, job.book))
    roll = Roll(book, rulebook, job.nights, job.seed, job.truth)
    chosen = check_roll(roll, job.policies)
    options = {"roll": {"nights": job.nights, "seed": job.seed, "truth": asdict(job.truth), "policies": list(chosen)}}
    identity = run_id(book, rulebook, "", options)
    target = job.out or FOLDER / f"roll-{book.as_of.isoformat()}-{identity}"
    found = existing(target, identity)
    if found is not None:
        say("these inputs were rolled before; this is that roll")
        return found, target
    record = {
        "id": identity, "kind": "roll", "as_of": book.as_of.isoformat(), "currency": book.currency,
        "rulebook": rulebook.name, "rulebook_digest": rulebook.digest, "book_digest": book.digest, "options": options,
        "nights": job.nights, "seed": job.seed, "solver": rulebook.solver.model_dump(mode="json"),
        "versions": versions(),
    }  # fmt: skip
    try:
        rolled = make_roll(roll, chosen, say)
    except SolverFailed as error:
        with whole(target) as folder:
            write_inputs(book, rulebook, folder)
            failed = {"status": "solver_failed", "fallback": list(error.chain) or [str(error)], "exit_code": 4}
            write_json({**record, **failed}, folder / "run.json")
        raise
    record |= body(rolled)
    with whole(target) as folder:
        write_inputs(book, rulebook, folder)
        write_tables({name: getattr(rolled, name) for name in ("results", "nights", "segments", "breaches")},
                     folder / "tables")  # fmt: skip
        write_rolling(rolled.results, rolled.nights, rolled.breaches, record, folder / PAGE)
        write_json(record, folder / "run.json")
    return record, target


def body(rolled: Rolled) -> dict[str, Any]:
    """What a roll says of itself."""
    rows = [{str(key): None if pd.isna(value) else value for key, value in row.items()}
            for row in rolled.results.to_dict("records")]  # fmt: skip
    return {"status": "solver_failed" if rolled.failed else "optimal", "results": rows, "checks": rolled.checks,
            "failed": rolled.failed, "exit_code": rolled.exit_code}  # fmt: skip


def print_roll(record: dict[str, Any], folder: Path, as_json: bool, console: Console) -> None:
    """The results: policies side by side, money with its unit."""
    if as_json:
        print(json.dumps({**record, "folder": str(folder)}, ensure_ascii=False, sort_keys=True))
        return
    rows, currency = record["results"], record["currency"]
    title = f"{record['nights']} nights from {record['as_of']}, seed {record['seed']}"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for row in rows:
        table.add_column(NAMES[row["policy"]]["en"], justify="right")
    for key, name in PARTS.items():
        table.add_row(name[0], *("–" if row[key] is None else money("en", row[key], currency) for row in rows))
    shares = {"uplift_a_year": ("Uplift, % of opening equity a year", 3),
              "relent_share": ("Relent, % of what passed the gates", 2)}  # fmt: skip
    for key, (text, digits) in shares.items():
        table.add_row(text, *("–" if row[key] is None else f"{row[key]:.{digits}%}" for row in rows))
    counts = {"breaches": "Rules broken at a close (rules x nights)",
              "repaired": "Nights in whose plan a rule gave way", "no_plan": "Nights without a plan"}  # fmt: skip
    for key, text in counts.items():
        table.add_row(text, *(str(row[key]) for row in rows))
    console.print(table)
    for policy, why in record["failed"].items():
        console.print(f"{NAMES[policy]['en']} ended early: {why}")
    checks = record["checks"]
    console.print(f"Accounts: closes as planned to {checks['close_gap']:.0e} of assets, balance sheet to "
                  f"{checks['other_gap']:.0e}, every night.")  # fmt: skip
    console.print(f"Page: {folder / PAGE}")
