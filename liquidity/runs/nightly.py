"""The nightly job: read, allocate, prove, write the run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liquidity.book import Book, opening, read_book
from liquidity.errors import BadInput, Problem, SolverFailed
from liquidity.explain.amounts import Amounts
from liquidity.explain.words_remedies import conflict_told
from liquidity.program.solve import Session
from liquidity.program.stages import WINDOW_DAYS
from liquidity.report.html import write_report
from liquidity.rules.rulebook import Rulebook, read_rulebook
from liquidity.runs.clock import Clock
from liquidity.runs.events import told
from liquidity.runs.issues import issue_record
from liquidity.runs.night import Decided, Night, Say, allocate, quiet, solver_options
from liquidity.runs.previous import pin_executed, read_record, relent_shares
from liquidity.runs.record import existing, run_id, versions, whole, write_inputs, write_json, write_tables
from liquidity.runs.remedies import find_remedies
from liquidity.runs.sensitivity import relent_sensitivity

FOLDER = Path("runs")


@dataclass(frozen=True)
class Job:
    """What the command line asks for."""

    rulebook: Path
    book: str | None = None
    out: Path | None = None
    previous: Path | None = None
    executed: Path | None = None
    save_model: bool = False


def run_nightly(job: Job, say: Say = quiet) -> tuple[dict[str, Any], Path]:
    """Run the job; returns the run record and its folder.

    The same inputs again return the run that is there. Raises BadInput before anything is written, SolverFailed with
    a run folder that keeps the fallback chain.
    """
    clock = Clock()
    with clock.phase("read"):
        rulebook, book = read_inputs(job)
    earlier = str(read_record(job.previous)["id"]) if job.previous else ""
    options = {"save_model": job.save_model, "executed": str(read_record(job.executed)["id"]) if job.executed else ""}
    identity = run_id(book, rulebook, earlier, options)
    target = job.out or FOLDER / f"{book.as_of.isoformat()}-{identity}"
    found = existing(target, identity)
    if found is not None:
        say("these inputs were run before; this is that run")
        return found, target
    record = head(book, rulebook, identity, earlier, options)

    def beside(decided: Decided) -> None:
        with clock.phase("sensitivity"):
            record["relent_sensitivity"] = relent_sensitivity(decided)

    shares = relent_shares(job.previous) if job.previous else None
    try:
        night = allocate(book, rulebook, shares, clock=clock, say=say, beside=beside)
    except SolverFailed as error:
        with whole(target) as folder:
            write_inputs(book, rulebook, folder)
            write_json(
                {**record, "status": "solver_failed", "fallback": list(error.chain), "exit_code": 4},
                folder / "run.json",
            )
        raise
    record |= body(night)
    if night.gave_way:
        record |= ways_out(night, clock, say)
    with whole(target) as folder:
        write_run(night, record, folder, job.save_model)
    return record, target


def read_inputs(job: Job) -> tuple[Rulebook, Book]:
    """Rulebook and book, with what was already paid out today pinned."""
    rulebook = read_rulebook(job.rulebook)
    source = job.book or rulebook.book
    if source is None:
        raise BadInput(Problem(job.rulebook.name, "", "book", None, "a book in the rulebook, or --book"))
    book = read_book(source)
    if job.executed is None:
        return rulebook, book
    if not any(rule.kind == "pins" for rule in rulebook.rules):
        raise BadInput(Problem(job.rulebook.name, "", "rule", "no rule of kind pins", "one, to hold what was paid out"))
    return rulebook, pin_executed(book, job.executed)


def head(book: Book, rulebook: Rulebook, identity: str, previous: str, options: dict[str, Any]) -> dict[str, Any]:
    """What is known of a run before it is solved."""
    return {
        "id": identity, "as_of": book.as_of.isoformat(), "currency": book.currency, "rulebook": rulebook.name,
        "rulebook_digest": rulebook.digest, "book_digest": book.digest, "previous": previous, "options": options,
        "solver": rulebook.solver.model_dump(mode="json"), "versions": versions(),
    }  # fmt: skip


def body(night: Night) -> dict[str, Any]:
    """What a solved night says of itself."""
    data, solved, unit = night.pool.inputs, night.solved, night.pool.unit
    chain = [*solved.chain, *([] if night.amounts is None else [f"amounts: {night.amounts.fallbacks} not by the tree"])]
    return {
        "status": "optimal",
        "objective": solved.staged.first.objective * unit,
        "objective_model": solved.staged.first.objective,
        "unit": unit,
        "size": {
            "columns": night.program.shape[1],
            "rows": night.program.shape[0],
            "nonzeros": night.program.matrix.nnz,
        },
        "checks": night.checks,
        "fallback": chain,
        "gave_way": night.gave_way,
        "amortised": told(night.pool, solved, night.events),
        "conflict": [] if solved.repair is None else list(solved.repair.conflict),
        "sequence": solved.choice.note,
        "safe_trusts": list(night.pool.model.SAFE),
        "players": [] if night.amounts is None else list(night.amounts.players),
        "re_solves": 0 if night.amounts is None else night.amounts.solves,
        "amounts_error": {} if night.amounts is None else errors(night.amounts, unit),
        "orders_drawn": 0 if night.amounts is None else night.amounts.orders,
        "ref_rate": float(data.ref_rate),
        "mean_life": float(data.mean_life),
        "market_rate": float(data.market_rate),
        "other_opening": opening(night.pool.book).other,
        "first_days": night.pool.grid.first_days(WINDOW_DAYS),
        "exit_code": night.exit_code,
        **issue_record(night.pool, solved, night.plan),
    }


def ways_out(night: Night, clock: Clock, say: Say) -> dict[str, Any]:
    """The conflict told, and its remedies, the cheapest first (see `runs.remedies`)."""
    mended = night.solved.repair
    assert mended is not None
    with clock.phase("remedies"):
        remedies = find_remedies(night, say)
    return {
        "conflict_told": conflict_told(mended, night.program, night.pool),
        "remedies": remedies.record(night.pool.rulebook, night.pool.book.currency),
        "remedies_search": {"programs": remedies.programs, "nights": remedies.nights},
    }


def errors(amounts: Amounts, unit: float) -> dict[str, list[float]]:
    """Standard error of each cause's amount over all segments, tonight and over 30 days, CNY; empty where exact.

    Errors of segments are added up, as if they fell together: an upper bound.
    """
    return {cause: [float(part) for part in error.sum(axis=1) * unit] for cause, error in amounts.error.items()}


def write_run(night: Night, record: dict[str, Any], folder: Path, save_model: bool) -> None:
    """Everything of a run into a folder; the record last, with the seconds of all phases."""
    clock = night.clock
    with clock.phase("write"):
        write_inputs(night.pool.book, night.pool.rulebook, folder, night.pool.previous)
        write_tables(night.tables, folder / "tables")
        night.plan.to_netcdf(folder / "plan.nc", engine="netcdf4")
        if save_model:
            Session(night.solved.held, solver_options(night.pool.rulebook)).write(folder / "model.mps")
    with clock.phase("report"):
        write_report(night.tables, {**record, "seconds": clock.seconds}, folder / "report.html")
    record["seconds"] = clock.seconds
    write_json(record, folder / "run.json")
