"""What the command line prints: the answer of a night, its reasons, a book's balance sheet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from liquidity.book import Book, opening
from liquidity.errors import BadInput, Problem
from liquidity.explain.ledger import COLUMNS
from liquidity.explain.words import CAUSES, label, money
from liquidity.explain.words_events import event_text
from liquidity.runs.contrast import contrast, stand
from liquidity.runs.contrast_text import tell
from liquidity.runs.night import Say
from liquidity.runs.previous import read_record, read_table
from liquidity.runs.restore import read_inputs_of

MONTH = "30d"
MOST = 10


def print_summary(record: dict[str, Any], folder: Path, console: Console) -> None:
    """The answer in one screen: what was freed, what became of it, why, what gave way, where the page is."""
    ledger, reasons = read_table(folder, "ledger"), read_table(folder, "reasons")
    night = str(record["as_of"])
    month = ledger[ledger.period.isin(first_month(ledger, record))]
    totals = {night: ledger[ledger.period == night][list(COLUMNS)].sum(), MONTH: month[list(COLUMNS)].sum()}
    console.print(f"[bold]{record['rulebook']}[/bold], night of {night}, run {record['id']}")
    console.print(ledger_grid(totals, record["currency"]))
    if len(reasons):
        console.print(causes_grid(reasons, night, record["currency"]))
        told = reasons[(reasons.period == MONTH) & is_pool(reasons) & (reasons.amount > 0)]
        print_texts(told, "text_en", console, 3)
    if error := record.get("amounts_error"):
        most = max(tonight for tonight, _ in error.values()), max(month for _, month in error.values())
        night_error, month_error = (money("en", part, record["currency"]) for part in most)
        console.print(
            f"Amounts from {record['orders_drawn']} orders drawn; standard error of a cause up to "
            f"{night_error} tonight, {month_error} in 30 days"
        )
    worth = money("en", record["objective"], record["currency"])
    console.print(f"Net worth at the horizon {worth}. Checks: {check_line(record['checks'])}")
    for line in issue_lines(record):
        console.print(line, soft_wrap=True, markup=False)
    for rule in record["gave_way"]:
        console.print(f"[red]gave way:[/red] {rule} (see tables/limits.csv, level gave_way)")
    for event in record.get("amortised", []):
        console.print(f"[red]early amortisation:[/red] {event_text('en', event)}")
    if record["conflict"]:
        print_conflict(record, console)
    console.print(f"Orders to sign: {folder / 'tables' / 'orders.csv'}\nReport: {folder / 'report.html'}")


def print_conflict(record: dict[str, Any], console: Console) -> None:
    """The rules that contradict each other, and what would end it, the cheapest first."""
    console.print(f"[red]rules that cannot hold together:[/red] {', '.join(record['conflict'])}")
    for one in record.get("conflict_told", []):
        console.print(f"- {one['text_en']}", soft_wrap=True, markup=False)
    remedies = record.get("remedies", [])
    if remedies:
        console.print("What would end it, the cheapest first; then what would not:")
    for one in remedies:
        console.print(f"- {one['text_en']}", soft_wrap=True, markup=False)


def issue_lines(record: dict[str, Any]) -> list[str]:
    """Planned issues, what each comes to, and how good that choice is; nothing where none is planned."""
    issues = record.get("issues", [])
    lines = [str(issue["text"]) for issue in issues]
    if issues and record["issues_gap"] is not None:
        left = money("en", record["issues_bound"] - record["objective"], record["currency"])
        lines.append(f"No other choice of issues earns over {left} more. {record['issues_note']}.")
    return lines


def first_month(ledger: pd.DataFrame, record: dict[str, Any]) -> list[str]:
    """Labels of the periods of the first 30 days, as the run counted them."""
    return sorted(ledger.period.unique())[: int(record["first_days"])]


def ledger_grid(totals: dict[str, pd.Series], currency: str) -> Table:
    """The ledger of tonight and of 30 days, side by side."""
    table = Table(title="What became of freed money", title_justify="left")
    table.add_column("")
    for name in totals:
        table.add_column("tonight" if name != MONTH else "30 days", justify="right")
    for row in COLUMNS:
        shown = {"freed": "freed", "relent": "relent to the same borrowers", "declined": "declined by the pool"}
        name = shown.get(row) or label("en", row.upper())
        table.add_row(name, *(money("en", float(total[row]), currency) for total in totals.values()))
    return table


def is_pool(reasons: pd.DataFrame) -> pd.Series:
    """Which reasons are the pool's: all but the gates."""
    return reasons.rule.ne("") | reasons.cause.map(lambda cause: CAUSES[cause].is_pool_cause)


def causes_grid(reasons: pd.DataFrame, night: str, currency: str) -> Table:
    """Declined money by cause; 30 days lead, for tonight against tomorrow is nearly a tie."""
    pool = reasons[is_pool(reasons)]
    table = Table(title="Why the pool declined (attributed, adds up)", title_justify="left")
    for name in ("cause", "30 days", "tonight", "alone, tonight", "rules"):
        table.add_column(name, justify="left" if name in ("cause", "rules") else "right", overflow="fold")
    wide = pool.pivot_table(index=["cause", "rule"], columns="period", values="amount", aggfunc="sum").reindex(
        columns=[MONTH, night]
    )
    alone = pool[pool.period == night].groupby(["cause", "rule"]).alone.sum(min_count=1)
    for cause, rule in wide.sort_values(MONTH, ascending=False).index:
        single = float(alone.get((cause, rule), float("nan")))
        cells = [money("en", float(value), currency) if pd.notna(value) else "-" for value in wide.loc[(cause, rule)]]
        table.add_row(label("en", cause), *cells, money("en", single, currency) if single == single else "-", rule)
    return table


def check_line(checks: dict[str, float]) -> str:
    """The proofs in one line."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.0e}" if value else f"{name.replace('_', ' ')} 0"
        for name, value in checks.items()
    )


def print_reasons(
    run: Path, segment: str | None, period: str | None, lang: str, audience: str, console: Console
) -> None:
    """Sentences of a run. Raises BadInput on a segment, period, language or audience that is not there."""
    reasons, record = read_table(run, "reasons"), read_record(run)
    if lang not in ("en", "zh"):
        raise BadInput(Problem("--lang", "", "", lang, "en or zh"))
    if audience not in ("treasury", "borrower"):
        raise BadInput(Problem("--audience", "", "", audience, "treasury or borrower"))
    chosen = period or MONTH
    if chosen not in (MONTH, record["as_of"]):
        raise BadInput(Problem("--period", "", "", period, f"{record['as_of']} or {MONTH}"))
    known = read_table(run, "ledger").segment.unique()
    if segment is not None and segment not in known:
        raise BadInput(Problem("--segment", "", "", segment, f"one of {', '.join(known[:5])}, ..."))
    picked = reasons[reasons.period == chosen]
    if segment is not None:
        picked = picked[picked.segment == segment]
        if picked.empty:
            console.print(f"{segment}: everything that was freed was relent.")
    prefix = "text" if audience == "treasury" else "borrower_text"
    print_texts(picked, f"{prefix}_{lang}", console, MOST)
    if segment is not None and audience == "treasury":
        print_roads(run, segment, lang, console)


def print_roads(run: Path, segment: str, lang: str, console: Console) -> None:
    """Tonight's facilities for a segment, the best first; nothing for a run from before there was such a table."""
    if not (run / "tables" / "roads.csv").is_file():
        return
    roads = read_table(run, "roads")
    roads = roads[roads.segment == segment].sort_values("rank")
    if len(roads):
        console.print("Facilities tonight:" if lang == "en" else "今晚各资金渠道：")
    for text in roads[f"text_{lang}"]:
        console.print(f"- {text}", soft_wrap=True, markup=False)


def print_contrast(run: Path, segment: str | None, ask: str, lang: str, audience: str, console: Console,
                   say: Say) -> None:  # fmt: skip
    """What it would take to relend more. Raises BadInput on a question that is none, or for the borrower's eyes."""
    verb, _, amount = ask.partition("=")
    if verb != "relend" or not amount.replace("_", "").replace(".", "", 1).isdigit():
        raise BadInput(Problem("--ask", "", "", ask, "relend=AMOUNT, e.g. relend=1000000"))
    if segment is None:
        raise BadInput(Problem("--segment", "", "", None, "the segment that --ask is about"))
    if lang not in ("en", "zh"):
        raise BadInput(Problem("--lang", "", "", lang, "en or zh"))
    if audience != "treasury":
        raise BadInput(Problem("--audience", "", "", audience, "treasury: pool figures are not told to borrowers"))
    night = stand(*read_inputs_of(run))
    for line in tell(contrast(night, segment, float(amount), say), "zh" if lang == "zh" else "en"):
        console.print(line, soft_wrap=True, markup=False)


def print_texts(reasons: pd.DataFrame, column: str, console: Console, most: int) -> None:
    """Sentences segment by segment, those with most money first."""
    order = reasons.groupby("segment").amount.sum().sort_values(ascending=False, kind="stable").index[:most]
    for segment in order:
        for text in reasons[reasons.segment == segment].sort_values("rank")[column].drop_duplicates()[: most // 3 or 1]:
            console.print(f"- {text}", soft_wrap=True)


def print_book(book: Book, as_json: bool, console: Console) -> None:
    """Opening balance sheet of a book that passed every check."""
    start = opening(book)
    facts = {"as_of": book.as_of.isoformat(), "currency": book.currency, "digest": book.digest,
             "assets": start.assets, "other": start.other,
             "segments": len(book["segments"]), "facilities": len(book["facilities"])}  # fmt: skip
    if as_json:
        print(json.dumps(facts, sort_keys=True))
        return
    console.print(
        f"[bold]book of {facts['as_of']}[/bold]: {facts['segments']} segments, {facts['facilities']} facilities; "
        "every check passed"
    )
    other = money("en", start.other, book.currency)
    console.print(
        f"assets {money('en', start.assets, book.currency)}, debts {money('en', start.debts, book.currency)}, equity "
        f"{money('en', start.equity, book.currency)}, other (what does not balance) {other}"
    )
