"""The nights of one policy, one after the other: receipts, decision, close, next book."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pandas as pd
import xarray as xr

from liquidity.book import Book
from liquidity.errors import SolverFailed
from liquidity.program.objective import continuing_value, margin
from liquidity.program.plan import make_plan
from liquidity.program.pool import Pool
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.night import Decided, Say, decide, quiet
from liquidity.runs.roll_close import Close, close_night, gap, next_tables, other_gap
from liquidity.runs.roll_draws import Draw, Truth, draw_night, in_force
from liquidity.runs.roll_policies import broken, choose


@dataclass(frozen=True)
class Roll:
    """What is rolled: a book, a rulebook, how many nights, the seed and the true rates."""

    book: Book
    rulebook: Rulebook
    nights: int
    seed: int = 0
    truth: Truth = field(default_factory=Truth)


@dataclass(frozen=True)
class Path:
    """The nights of a policy. `nights` one row each, `segments` [segment, freed, relent, lent_new] over all nights,
    `breaches` [night, rule, what, at, shortfall]; CNY. `last` is the book of the morning after. `failed` says why the
    path ended early, "" where it did not."""

    policy: str
    nights: pd.DataFrame
    segments: pd.DataFrame
    breaches: pd.DataFrame
    last: Book
    failed: str


class Value:
    """Net worth of a close, CNY: equity + provision + what balances, liabilities and cash are worth beyond the day.

    The formula of the objective (`program.objective.net_worth`) with the reference rate and mean life of the first
    night, for all policies and nights alike.
    """

    def __init__(self, pool: Pool) -> None:
        data, self.arrays = pool.arrays, pool.inputs
        self.balance = continuing_value(data)[:, :, 0]
        self.debt = margin(data, data.line_rate - data.commitment_fee).ravel()
        self.notes = margin(data, data.rate - data.unused_fee).ravel()
        self.idle = margin(data, data.facility_cash_rate).ravel()
        self.tranche = (margin(data, data.coupon) * data.sold).ravel()
        self.cash = float(margin(data, data.cash_rate))

    def __call__(self, done: Close) -> float:
        """Net worth, CNY."""
        later = (self.balance * done.balance.values).sum() + self.debt @ done.debt.values
        later += self.notes @ done.notes.values + self.tranche @ done.tranche.values
        later -= self.idle @ done.facility_cash.values + self.cash * done.cash
        return float(done.equity + done.provision + later)


@dataclass(frozen=True)
class Morning:
    """Where a path stands before a night: the book, last night's shares relent, that night as it was decided, and the
    formula of net worth (None before the first)."""

    book: Book
    previous: pd.Series | None = None
    before: Decided | None = None
    value: Value | None = None


@dataclass(frozen=True)
class Done:
    """One night: its row, what was lent by segment, what was broken, and the morning after."""

    row: dict[str, Any]
    lent: pd.DataFrame
    broken: pd.DataFrame
    after: Morning


def run_path(roll: Roll, policy: str, say: Say = quiet) -> Path:
    """Roll one policy. The path ends where a night has no plan even when every rule gives way."""
    morning, nights, failed = Morning(roll.book), list[Done](), ""
    for number in range(1, roll.nights + 1):
        try:
            nights.append(one_night(roll, policy, number, morning))
        except SolverFailed as error:
            failed = f"night {number} ({morning.book.as_of}): {error}"
            break
        morning = nights[-1].after
        say(f"{policy}, night {number} of {roll.nights}: {nights[-1].row['cpu_seconds']:.1f} CPU s")
    return gathered(policy, nights, morning.book, failed)


def one_night(roll: Roll, policy: str, number: int, morning: Morning) -> Done:
    """Receipts, decision, close, next book. Raises SolverFailed."""
    begun, day = time.process_time(), morning.book.as_of
    book = tonight(morning.book, roll.book, draw_night(roll.book, day, roll.seed, number, roll.truth))
    decided = decide(book, roll.rulebook, morning.previous, near=morning.before)
    staged, solves = choose(policy, decided)
    pool, value = decided.pool, morning.value or Value(decided.pool)
    plan = make_plan(pool, decided.program, staged.last, decided.solved.staged.first.reduced)
    done, found, lent = close_night(pool, plan), broken(decided, staged.last), lent_tonight(plan)
    ended = [event.facility for event in decided.events if event.broken == 1]
    changed = next_tables(book, done, write_off_rate(roll.rulebook), ended)
    after = book.replace(**changed, repaid=book["repaid"].iloc[:0], requests=roll.book["requests"])
    row = {"policy": policy, "night": number, "date": day.isoformat()} | night_row(decided, plan, done, value)
    row |= {"planned": staged.first.objective * pool.unit, "breaches": found.rule.nunique(),
            "repaired": int(decided.solved.gave_way is not None), "close_gap": gap(pool, plan, done),
            "other_gap": other_gap(book, after, pool), "programs": 1 + solves,
            "cpu_seconds": round(time.process_time() - begun, 2)}  # fmt: skip
    shares = (lent.relent / lent.freed).where(lent.freed > 0, 1.0)
    return Done(row, lent, found.assign(night=number), Morning(after, shares, decided, value))


def gathered(policy: str, nights: list[Done], last: Book, failed: str) -> Path:
    """The nights as tables."""
    if not nights:
        return Path(policy, pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), last, failed)
    by_segment = pd.concat([night.lent for night in nights]).groupby(level=0).sum().reset_index()
    found = pd.concat([night.broken for night in nights], ignore_index=True)
    return Path(policy, pd.DataFrame([night.row for night in nights]), by_segment, found, last, failed)


def tonight(book: Book, first: Book, draw: Draw) -> Book:
    """The book with what came in today: receipts, defaults and requests; the forecast of requests holds from tomorrow.

    `first` is the book the roll began with, whose forecast is kept.
    """
    held = book["balances"].balance
    held = held[held > 0]
    segment, facility = (held.index.get_level_values(level) for level in ("segment", "facility"))
    share = {name: frame.stack().reindex(held.index).to_numpy() for name, frame in
             (("principal", draw.principal), ("interest", draw.interest), ("defaulted", draw.defaulted))}  # fmt: skip
    repaid = pd.DataFrame({"segment": segment, "facility": facility})
    for name, part in share.items():
        repaid[name] = held.to_numpy() * part
    return book.replace(repaid=repaid, requests=asked(book, first, draw))


def asked(book: Book, first: Book, draw: Draw) -> pd.DataFrame:
    """Requests: of tonight as they came, from tomorrow on as they are forecast."""
    day, table = pd.Timestamp(book.as_of), first["requests"].reset_index()
    parts = {day: draw.requests, day + timedelta(days=1): in_force(first, book.as_of + timedelta(days=1))}
    new = pd.concat([frame.reset_index().assign(**{"from": at}) for at, frame in parts.items()])
    return pd.concat([new, table[table["from"] > day + timedelta(days=1)]], ignore_index=True)[table.columns]


def night_row(decided: Decided, plan: xr.Dataset, done: Close, value: Value) -> dict[str, float]:
    """What a night came to, CNY."""
    now = plan.isel(period=0)
    returning, new = (float(now.lend.sel(borrower=kind).sum()) for kind in ("returning", "new"))
    own = decided.pool.inputs.own_share
    return {
        "freed": float(now.freed.sum()), "wanted": float(now.wanted.sum()), "relent": returning, "lent_new": new,
        **done.income, "equity": done.equity, "provision": done.provision, "cash": done.cash,
        "own_loans": float((own * done.balance).sum()), "lines": float(done.debt.sum()),
        "net_worth": value(done), "best_planned": decided.solved.staged.first.objective * decided.pool.unit,
    }  # fmt: skip


def lent_tonight(plan: xr.Dataset) -> pd.DataFrame:
    """Freed, relent and lent to new borrowers by segment, CNY."""
    now = plan.isel(period=0, drop=True)
    lent = now.lend.sum("facility")
    return pd.DataFrame({
        "freed": now.freed.sum("facility").to_series(), "relent": lent.sel(borrower="returning").to_series(),
        "lent_new": lent.sel(borrower="new").to_series(),
    })  # fmt: skip


def write_off_rate(rulebook: Rulebook) -> float | None:
    """The rate at which the rulebook writes bad loans off, 1/year; None where it says nothing of it."""
    rates = [rate for rule in rulebook.rules if (rate := getattr(rule, "write_off_rate", None)) is not None]
    return float(rates[0]) if rates else None
