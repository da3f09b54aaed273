"""The command line: one verb per question an analyst asks.

Exit codes: 0 done, 2 bad input (nothing written), 3 done but some rule had to give way, 4 solver failed (run kept).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from liquidity.errors import BadInput, LiquidityError, Problem

app = typer.Typer(
    name="liquidity", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
RULEBOOK = Path("models/online_microlender.toml")

RulebookArgument = Annotated[Path, typer.Argument(help="Rulebook (TOML).")]
RunArgument = Annotated[Path, typer.Argument(help="Run folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]


@app.command()
def allocate(
    rulebook: RulebookArgument = RULEBOOK,
    book: Annotated[str | None, typer.Option(help="Folder, workbook or database URL; default: the rulebook's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/<as_of>-<run id>.")] = None,
    previous: Annotated[Path | None, typer.Option(help="Last executed run, for the limit on change.")] = None,
    executed: Annotated[Path | None, typer.Option(help="Run already paid out today (intraday rerun).")] = None,
    save_model: Annotated[bool, typer.Option(help="Add model.mps, the program as first solved.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Decide where tonight's freed money goes, and say why it did not go back to the same borrowers."""
    from liquidity.runs.nightly import Job, run_nightly
    from liquidity.runs.summary import print_summary

    log = Console(stderr=True, highlight=False)
    record, folder = run_nightly(
        Job(rulebook, book, out, previous, executed, save_model), lambda text: log.print(f"[dim]{text}[/dim]")
    )
    if as_json:
        print(json.dumps({**record, "folder": str(folder)}, ensure_ascii=False, sort_keys=True))
    else:
        print_summary(record, folder, Console(highlight=False))
    raise typer.Exit(int(record["exit_code"]))


@app.command()
def explain(
    run: RunArgument,
    segment: Annotated[str | None, typer.Option(help="One segment; default: the ten that were declined most.")] = None,
    period: Annotated[str | None, typer.Option(help="ISO date of tonight, or 30d.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    audience: Annotated[str, typer.Option(help="treasury or borrower.")] = "treasury",
    ask: Annotated[str | None, typer.Option(help="What it would take: relend=AMOUNT (CNY) more to --segment.")] = None,
) -> None:
    """Tell the reasons of a run: why freed money was not lent again to the same borrowers."""
    from liquidity.runs.summary import print_contrast, print_reasons

    if ask is not None:
        log = Console(stderr=True, highlight=False)
        say = lambda text: log.print(f"[dim]{text}[/dim]")  # noqa: E731
        print_contrast(run, segment, ask, lang, audience, Console(highlight=False), say)
        return
    print_reasons(run, segment, period, lang, audience, Console(highlight=False))


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="Run folder of the earlier night.")],
    run_b: Annotated[Path, typer.Argument(help="Run folder of the later night.")],
    out: Annotated[Path | None, typer.Option(help="Folder; default: runs/compare-<id A>-<id B>.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Tell what changed since last night: which inputs moved each segment's relending, and plan against what came."""
    from liquidity.runs.compare_text import run_compare

    log = Console(stderr=True, highlight=False)
    say = lambda text: log.print(f"[dim]{text}[/dim]")  # noqa: E731
    run_compare(run_a, run_b, out, lang, as_json, Console(highlight=False), say)


@app.command()
def stress(
    rulebook: RulebookArgument = RULEBOOK,
    scenarios: Annotated[
        list[Path] | None, typer.Option(help="Scenario files or folders; repeat. Default: all of data/scenarios.")
    ] = None,
    satellites: Annotated[Path, typer.Option(help="Satellite models (TOML).")] = Path("models/satellites.toml"),
    book: Annotated[str | None, typer.Option(help="Folder, workbook or database URL; default: the rulebook's.")] = None,
    workers: Annotated[int, typer.Option(help="Processes of this machine.", min=1)] = 1,
    cluster: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:port.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/stress-<as_of>-<run id>.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Stress the book: macro paths, funding events and tighter rules, each solved three ways."""
    from liquidity.runs.fan_out import progress
    from liquidity.runs.stress import SCENARIOS, StressJob, run_stress
    from liquidity.runs.stress_text import print_stress

    log = Console(stderr=True, highlight=False)
    paths = tuple(scenarios) if scenarios else (SCENARIOS,)
    record, folder = run_stress(
        StressJob(rulebook, paths, satellites, book, out, workers, cluster),
        lambda count: progress(count, "scenario", log),
        lambda text: log.print(f"[dim]{text}[/dim]"),
    )
    if as_json:
        print(json.dumps({**record, "folder": str(folder)}, ensure_ascii=False, sort_keys=True))
    else:
        print_stress(record, folder, Console(highlight=False))
    raise typer.Exit(int(record["exit_code"]))


@app.command("two-stage")
def two_stage(
    rulebook: RulebookArgument = RULEBOOK,
    scenarios: Annotated[
        list[Path] | None, typer.Option(help="Scenario files or folders; repeat. Default: all of data/scenarios.")
    ] = None,
    weight: Annotated[float, typer.Option(help="Weight of CVaR against the mean, 0 to 1.")] = 0.5,
    tail: Annotated[float, typer.Option(help="CVaR is the mean of the worst 1 - tail.")] = 0.9,
    satellites: Annotated[Path, typer.Option(help="Satellite models (TOML).")] = Path("models/satellites.toml"),
    book: Annotated[str | None, typer.Option(help="Folder, workbook or database URL; default: the rulebook's.")] = None,
    workers: Annotated[int, typer.Option(help="Processes of this machine.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/two-stage-<as_of>-<run id>.")] = None,
    as_json: JsonOption = False,
) -> None:
    """One decision tonight for many scenarios: what it is worth in each, and against the night without them."""
    from liquidity.runs.stress import SCENARIOS
    from liquidity.runs.two_stage import TwoStageJob, run_two_stage
    from liquidity.runs.two_stage_text import print_two_stage

    log = Console(stderr=True, highlight=False)
    paths = tuple(scenarios) if scenarios else (SCENARIOS,)
    job = TwoStageJob(rulebook, paths, weight, tail, satellites, book, out, workers)
    record, folder = run_two_stage(job, lambda text: log.print(f"[dim]{text}[/dim]"))
    if as_json:
        print(json.dumps({**record, "folder": str(folder)}, ensure_ascii=False, sort_keys=True))
    else:
        print_two_stage(record, folder, Console(highlight=False))
    raise typer.Exit(int(record["exit_code"]))


@app.command("reverse-stress")
def reverse_stress(
    rule: Annotated[str, typer.Option(help="Name of the rule that is to give way.")],
    rulebook: RulebookArgument = RULEBOOK,
    start: Annotated[Path, typer.Option(help="Scenario that paths set out from.")] = Path(
        "data/reverse/as_tonight.toml"
    ),
    towards: Annotated[Path | None, typer.Option(help="Scenario that the only path goes to.")] = None,
    satellites: Annotated[Path, typer.Option(help="Satellite models (TOML).")] = Path("models/satellites.toml"),
    book: Annotated[str | None, typer.Option(help="Folder, workbook or database URL; default: the rulebook's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/reverse-<as_of>-<run id>.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the mildest macro path at which a rule gives way, and prove that 99% of it does not do it."""
    from liquidity.runs.reverse import ReverseJob, run_reverse

    log = Console(stderr=True, highlight=False)
    job = ReverseJob(rulebook, rule, start, towards, satellites, book, out)
    record, folder = run_reverse(job, lambda text: log.print(f"[dim]{text}[/dim]"))
    if as_json:
        print(json.dumps({**record, "folder": str(folder)}, ensure_ascii=False, sort_keys=True))
    else:
        print(
            *record["sentences"],
            f"run {record['id']} in {folder}: reverse.html, tables/, and reverse.toml for stress",
            sep="\n",
        )
    raise typer.Exit(int(record["exit_code"]))


@app.command()
def fit(
    history: Annotated[Path, typer.Argument(help="CSV: quarter,target,value,unit and perhaps where.")],
    macro: Annotated[Path, typer.Option(help="Macro history (CSV).")] = Path("data/history/fed_domestic.csv"),
    candidates: Annotated[Path, typer.Option(help="What may explain what (TOML).")] = Path("models/candidates.toml"),
    until: Annotated[str | None, typer.Option(help="Fit up to this quarter, hold the later ones out.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default: runs/fit-<id>.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit satellite models on a lender's own history: satellites.toml for stress, a page of fit and out of sample."""
    from liquidity.runs.fit import FitJob, run_fit
    from liquidity.runs.fit_text import print_fit

    log = Console(stderr=True, highlight=False)
    record, folder = run_fit(
        FitJob(history, macro, candidates, until, out), lambda text: log.print(f"[dim]{text}[/dim]")
    )
    print_fit(record, folder, as_json, Console(highlight=False))


@app.command()
def sweep(
    rulebook: RulebookArgument = RULEBOOK,
    around: Annotated[Path, typer.Option(help="Scenario file with a macro path; paths are drawn around it.")] = Path(
        "data/scenarios/fed_2026_baseline.toml"
    ),
    draws: Annotated[int, typer.Option(help="Macro paths.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Of the draws; path k of a seed is always the same.", min=0)] = 0,
    noise: Annotated[Path, typer.Option(help="Sizes of the draws (TOML).")] = Path("models/macro_noise.toml"),
    satellites: Annotated[Path, typer.Option(help="Satellite models (TOML).")] = Path("models/satellites.toml"),
    book: Annotated[str | None, typer.Option(help="Folder, workbook or database URL; default: the rulebook's.")] = None,
    workers: Annotated[int, typer.Option(help="Processes of this machine.", min=1)] = 1,
    cluster: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:port.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/sweep-<as_of>-<run id>.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw macro paths around a scenario's own and re-optimise each; a run that was stopped goes on where it was."""
    from liquidity.runs.fan_out import progress
    from liquidity.runs.sweep import SweepJob, run_sweep
    from liquidity.runs.sweep_text import print_sweep

    log = Console(stderr=True, highlight=False)
    record, folder = run_sweep(
        SweepJob(rulebook, around, draws, seed, satellites, noise, book, out, workers, cluster),
        lambda count: progress(count, "task", log),
        lambda text: log.print(f"[dim]{text}[/dim]"),
    )
    if as_json:
        print(json.dumps({**record, "folder": str(folder)}, ensure_ascii=False, sort_keys=True))
    else:
        print_sweep(record, folder, Console(highlight=False))
    raise typer.Exit(int(record["exit_code"]))


@app.command()
def check(
    book: Annotated[str, typer.Argument(help="Folder, workbook or database URL.")], as_json: JsonOption = False
) -> None:
    """Read a book and tell everything that is wrong with it, or how it balances."""
    from liquidity.book import read_book
    from liquidity.runs.summary import print_book

    print_book(read_book(book), as_json, Console(highlight=False))


@app.command()
def show(rulebook: RulebookArgument = RULEBOOK) -> None:
    """Print every rule of a rulebook as maths, words, values, units and sources (markdown)."""
    from liquidity.rules.page import page
    from liquidity.rules.rulebook import read_rulebook

    print(page(read_rulebook(rulebook)), end="")


@app.command("make-lender")
def make_lender(
    out: Annotated[Path, typer.Option(help="Folder for the book; it must not exist.")],
    segments: Annotated[int, typer.Option(min=8, max=5000, help="Number of segments.")] = 64,
    facilities: Annotated[int, typer.Option(min=5, max=32, help="Number of facilities.")] = 7,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 0,
    planned: Annotated[int, typer.Option(min=0, max=24, help="Number of planned ABS issues, one a month.")] = 0,
) -> None:
    """Make a synthetic lender of any size, consistent and reproducible."""
    from liquidity.book import write_book
    from liquidity.book.make import book_of, with_issues
    from liquidity.book.make import make_lender as make

    if out.exists():
        raise BadInput(Problem("--out", "", "", str(out), "a folder that does not exist yet"))
    tables = make(segments, facilities, seed)
    write_book(book_of(with_issues(tables, planned, seed) if planned else tables), out)
    print(f"wrote a synthetic lender of {segments} segments and {facilities} facilities (seed {seed}) to {out}")


@app.command()
def bench(
    phase: Annotated[str, typer.Option(help="compile, solve, warm, night or issues.")] = "compile",
    case: Annotated[list[str] | None, typer.Option(help="tiny to giant, or small_core to group_core; repeat.")] = None,
    route: Annotated[
        list[str] | None, typer.Option(help="A route (compile), solver (solve) or start (warm); default: all.")
    ] = None,
    rulebook: Annotated[Path, typer.Option(help="Rulebook (TOML).")] = RULEBOOK,
    repeat: Annotated[int, typer.Option(help="Measurements of each.", min=1)] = 3,
    limit: Annotated[float, typer.Option(help="Wall seconds after which a measurement is ended.", min=1)] = 600.0,
    out: Annotated[Path, typer.Option(help="Folder for the tables.")] = Path("benchmarks/results"),
) -> None:
    """Measure routes from algebra to solver, solvers, starts of re-solves, or whole nights; tables and a page."""
    from liquidity.bench.run import run_bench, summary, write_tables

    log = Console(stderr=True, highlight=False)
    cases = case or {"compile": ["desk", "desk_core"], "solve": ["tiny", "small", "desk"]}.get(phase, ["small", "desk"])
    table = run_bench(phase, cases, route or [], rulebook, repeat, limit, lambda text: log.print(f"[dim]{text}[/dim]"))
    write_tables(table, limit, out, phase)
    Console(highlight=False).print(summary(table, limit).to_string(index=False))


@app.command()
def roll(
    rulebook: RulebookArgument = RULEBOOK,
    nights: Annotated[int, typer.Option(help="Number of nights.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of what borrowers do.")] = 0,
    book: Annotated[str | None, typer.Option(help="Folder, workbook or database URL; default: the rulebook's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default: runs/roll-<as_of>-<id>.")] = None,
    policy: Annotated[list[str] | None, typer.Option(help="pro_rata or greedy, repeat; default: both.")] = None,
    payment: Annotated[float, typer.Option(help="True rate of payment, as a multiple of the book's.")] = 1.0,
    default: Annotated[float, typer.Option(help="True rate of default, as a multiple of the book's.")] = 1.0,
    demand: Annotated[float, typer.Option(help="True new demand, as a multiple of the book's.")] = 1.0,
    noise: Annotated[float, typer.Option(help="Spread of what is drawn, as a multiple; 0 draws the true rates.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Roll night after night with drawn receipts: the optimiser against simple policies under the same rules."""
    from liquidity.runs.roll_draws import Truth
    from liquidity.runs.roll_policies import POLICIES
    from liquidity.runs.roll_text import RollJob, print_roll, run_roll

    log = Console(stderr=True, highlight=False)
    truth = Truth(payment, default, demand, noise)
    job = RollJob(rulebook, book, nights, seed, tuple(policy or POLICIES), truth, out)
    record, folder = run_roll(job, lambda text: log.print(f"[dim]{text}[/dim]"))
    print_roll(record, folder, as_json, Console(highlight=False))
    raise typer.Exit(int(record["exit_code"]))


@app.command()
def verify() -> None:
    """Solve every published case and compare with its printed figure."""
    from liquidity.runs.verify import print_cases
    from liquidity.runs.verify import verify as run_cases

    frame = run_cases()
    print_cases(frame)
    raise typer.Exit(0 if bool(frame.ok.all()) else 4)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: turns errors into messages and exit codes."""
    try:
        outcome: Any = app(arguments, standalone_mode=False)
    except LiquidityError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except typer.Abort:
        raise SystemExit(130) from None
    except Exception as error:
        if type(error).__module__.startswith("click") or hasattr(error, "show"):
            error.show()  # type: ignore[attr-defined]
            raise SystemExit(2) from None
        raise
    raise SystemExit(outcome if isinstance(outcome, int) else 0)
