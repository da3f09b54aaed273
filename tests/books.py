"""Books, rulebooks and solved nights that the tests share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book, opening, read_book
from liquidity.book.book import make_book, raw_table
from liquidity.book.make import book_of, make_lender
from liquidity.explain.amounts import Amounts, make_amounts
from liquidity.explain.lattice import Crew
from liquidity.program.build import build_pool
from liquidity.program.compile import Program, compile_program
from liquidity.program.night import Solved, solve_night
from liquidity.program.plan import make_plan
from liquidity.program.pool import Pool
from liquidity.program.solve import Options, pack_basis
from liquidity.program.stages import Goals, make_goals
from liquidity.rules import KINDS
from liquidity.rules.base import Rule
from liquidity.rules.rulebook import Rulebook, read_rulebook

ROOT = Path(__file__).parents[1]
SHORT = ("3 x 1 day", "2 x 1 week", "3 x 1 month")
"A short horizon: a few days, weeks, months, as the sample rulebooks have."
MILLION = 1e6
GATES = ("asked", "score_kept", "model_kept", "policy_kept", "available")


# ---- the sample lenders


@lru_cache
def calm_book() -> Book:
    """The lender whose pool declines nothing."""
    return read_book(ROOT / "data" / "calm")


@lru_cache
def calm_rules(horizon: tuple[str, ...] = SHORT) -> Rulebook:
    """Its rulebook, on a short horizon."""
    return read_rulebook(ROOT / "models" / "calm.toml").model_copy(update={"horizon": horizon})


@lru_cache
def random_book(segments: int = 8, facilities: int = 5, seed: int = 0) -> Book:
    """A made-up lender."""
    return book_of(make_lender(segments, facilities, seed))


def random_rules(book: Book, seed: int = 0, horizon: tuple[str, ...] = SHORT) -> Rulebook:
    """The sample microlender's rulebook, its limits moved to where a made-up lender feels some of them."""
    rules = read_rulebook(ROOT / "models" / "online_microlender.toml").model_copy(update={"horizon": horizon})
    noise = np.random.default_rng(1000 + seed)
    segments, total = book["segments"], book["balances"].balance.groupby(level="segment").sum()
    region = total.groupby(segments.region).sum() / total.sum()
    shares = {str(name): round(min(1.0, share * noise.uniform(1.003, 1.015)), 5) for name, share in region.items()}
    places, held = book["facilities"], book["balances"].balance
    own = places.own_share.where(places.kind == "joint", 1.0)
    mine = (held * own.reindex(held.index.get_level_values("facility")).to_numpy()).groupby(level="segment").sum()
    loss = float((segments.pd * segments.lgd * (1 - segments.guaranteed_share) * mine).sum() / mine.sum())
    return (
        rules.edit("region", shares=shares)
        .edit("cash_reserve", amount=float(book.lender.cash) * noise.uniform(0.5, 1.0))
        .edit("expected_loss", rate=round(loss * noise.uniform(1.002, 1.02), 6))
        .edit("capital", ratio=0.18)
    )


# ---- a rulebook by hand


def rule(kind: str, **values: Any) -> Rule:
    """One rule, signed by a test."""
    return KINDS[kind].model_validate({"origin": "board", "source": "a test", **values})


def rulebook(*rules: Rule, horizon: tuple[str, ...] = SHORT, market_rate: float = 0.06) -> Rulebook:
    """A rulebook of the given rules; requests are always there."""
    return Rulebook(name="test", horizon=horizon, market_rate=market_rate, rules=(rule("requests"), *rules))


# ---- small books by hand


SEGMENT = {
    "grade": "A", "behaviour": "full", "region": "east", "product": "card", "purpose": "consumption",
    "tenor_months": 12, "apr": 0.15, "apr_all_in": 0.15, "pd": 0.02, "lgd": 0.8, "opex_rate": 0.0, "risk_weight": 0.75,
    "ecl_rate": 0.015, "limit": 20_000.0, "borrowers": 1_000_000, "monthly_payment_rate": 0.12, "guaranteed_share": 0.0,
    "guarantee_fee": 0.0,
}  # fmt: skip
LENDER = {
    "as_of": "2026-11-20", "cut_off": "22:00", "currency": "CNY", "cash": 60 * MILLION, "hqla": 10 * MILLION,
    "opex_rate": 0.01, "opex_per_year": 2 * MILLION, "cash_rate": 0.01, "provision": 0.0,
}  # fmt: skip
TRUST = {"kind": "abs", "servicing_fee": 0.01, "reserve_rate": 0.0, "cash_rate": 0.005, "cash": 0.0}
BANK = {
    "kind": "bank_line", "drawn": 300 * MILLION, "commitment": 500 * MILLION, "rate": 0.04, "commitment_fee": 0.002,
    "class": "nonstandard", "revolving": True,
}  # fmt: skip


def small_book(
    segments: dict[str, dict[str, Any]], balances: dict[tuple[str, str], float], *,
    facilities: dict[str, dict[str, Any]] | None = None, tranches: list[tuple[Any, ...]] = (),
    lines: dict[str, dict[str, Any]] | None = None, requests: dict[str, dict[str, Any]] | None = None,
    eligibility: list[tuple[str, str, str, str]] = (), lender: dict[str, Any] | None = None, **tables: pd.DataFrame,
) -> Book:  # fmt: skip
    """A book from what is worth saying; the rest has plain values, and equity is what closes the balance sheet.

    `balances` in CNY by (segment, facility); `tranches` as (facility, tranche, seniority, balance, coupon, holder).
    """
    places = {"house": {"kind": "balance_sheet"}, **(facilities or {})}
    banks = {"bank": BANK} if lines is None else {name: {**BANK, **row} for name, row in lines.items()}
    notes = pd.DataFrame(
        list(tranches), columns=["facility", "tranche", "seniority", "balance", "coupon", "holder"]
    ).astype({"seniority": "int64", "balance": float, "coupon": float})
    own = {name: row.get("own_share", 1.0) for name, row in places.items()}
    row = {**LENDER, **(lender or {})}
    assets = row["cash"] + row["hqla"] - row["provision"] + sum(p.get("cash", 0.0) for p in places.values())
    assets += sum(own[f] * amount for (_, f), amount in balances.items())
    owed = sum(bank["drawn"] for bank in banks.values()) + sum(p.get("drawn", 0.0) for p in places.values())
    owed += float(notes.balance[notes.holder == "third_party"].sum())
    equity = assets - owed
    row = {"net_assets": equity, "tier1_capital": equity, "total_capital": equity, "equity": equity, **row}
    plain = {**dict.fromkeys(GATES, 1.0), "new_demand": 0.0}
    gates = {name: {**plain, **(requests or {}).get(name, {})} for name in segments}
    made = {
        "lender": pd.DataFrame([row]),
        "segments": pd.DataFrame([{"segment": name, **SEGMENT, **values} for name, values in segments.items()]),
        "balances": pd.DataFrame([(*pair, amount) for pair, amount in balances.items()],
                                 columns=["segment", "facility", "balance"]),
        "requests": pd.DataFrame([{"segment": name, **values} for name, values in gates.items()]),
        "facilities": facilities_frame(places),
        "tranches": notes,
        "eligibility": pd.DataFrame(list(eligibility), columns=["facility", "field", "op", "value"]).astype("str"),
        "lines": pd.DataFrame([{"line": name, **values} for name, values in banks.items()],
                              columns=["line", *BANK, "maturity"]),
        **tables,
    }  # fmt: skip
    return make_book({name: raw_table(frame) for name, frame in made.items()})


def facilities_frame(places: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """The table `facilities`, with every column it must have."""
    plain = {"own_share": 1.0, "partner": "", "class": "standardised", "revolving_end": None, "legal_final": None}
    numbers = ("commitment", "drawn", "advance_rate", "rate", "unused_fee", "servicing_fee", "partner_fee",
               "reserve_rate", "cash", "cash_rate", "deficiency")  # fmt: skip
    rows = [{"facility": name, **plain, **dict.fromkeys(numbers, 0.0), **row} for name, row in places.items()]
    return pd.DataFrame(rows)


# ---- a solved night


@dataclass(frozen=True)
class Night:
    """A book and a rulebook, solved; everything a test may ask of it, made when it is first asked for."""

    book: Book
    rules: Rulebook
    pool: Pool
    program: Program
    goals: Goals
    solved: Solved

    @property
    def x(self) -> np.ndarray:
        """The answer of the last stage, program units."""
        return self.solved.staged.last.x

    @cached_property
    def plan(self) -> xr.Dataset:
        """The plan, CNY."""
        staged = self.solved.staged
        return make_plan(self.pool, self.program, staged.last, staged.first.reduced)

    @property
    def size(self) -> float:
        """The book, program units."""
        return opening(self.book).assets / self.pool.unit

    def relent(self, window: int = 0) -> np.ndarray:
        """Relent by segment, tonight (0) or in the first 30 days (1), program units."""
        return self.goals.relent[window] @ self.x

    def declined(self, window: int = 0) -> np.ndarray:
        """Declined by segment, program units."""
        return self.goals.wanted[window] @ self.x - self.relent(window)

    def freed(self, window: int = 0) -> float:
        """Principal repaid in the window, all segments, program units."""
        periods = 1 if window == 0 else self.pool.grid.first_days()
        return float(self.plan.freed.isel(period=slice(0, periods)).sum()) / self.pool.unit

    @cached_property
    def amounts(self) -> Amounts:
        """The parts of declined, in this process."""
        return split(self)


def build(
    book: Book, rules: Rulebook, previous: pd.Series | None = None, cautious: bool = False
) -> tuple[Pool, Program, Goals]:
    """The program of one night."""
    pool = build_pool(book, rules, previous, cautious)
    program = compile_program(pool)
    return pool, program, make_goals(pool, program)


def tiers(rules: Rulebook) -> dict[str, int]:
    """The repair tier of every rule."""
    return {one.name: one.priority for one in rules.rules}


def solve(
    book: Book, rules: Rulebook, method: str = "ipx", previous: pd.Series | None = None, cautious: bool = False
) -> Night:
    """One night from tables to answer."""
    pool, program, goals = build(book, rules, previous, cautious)
    size = opening(book).assets / pool.unit
    solved = solve_night(program, goals, tiers(rules), rules.materiality, size, Options(), method)
    return Night(book, rules, pool, program, goals, solved)


def split(night: Night, workers: int = 1) -> Amounts:
    """The parts of declined."""
    start = pack_basis(night.solved.staged.first.basis)
    with Crew(workers) as crew:
        return make_amounts(night.solved.held, night.goals, Options(), crew, start, 64)


def trust_book(
    end: str, *, pool: float = 100.0, cash: float = 2.0, coupon: float = 0.03, notes: tuple[float, ...] = (60, 25, 13),
    pay: float = 0.12, reserve: float = 0.0, closed: bool = False, segment: dict[str, Any] | None = None, **more: Any,
) -> Book:  # fmt: skip
    """Two segments on the balance sheet and in one trust `t` of three classes, which revolves until `end`; CNY m.

    `closed`: no segment may be lent to by the trust.
    """
    sizes = dict(zip(("senior", "mezzanine", "sub"), notes))
    coupons, holders = (coupon, coupon + 0.01, 0.0), ("third_party", "third_party", "retained")
    tranches = [
        ("t", name, rank, size * MILLION, rate, holder)
        for rank, ((name, size), rate, holder) in enumerate(zip(sizes.items(), coupons, holders), 1)
    ]
    kind = {"monthly_payment_rate": pay, **(segment or {})}
    held = {("a", "house"): 400.0, ("b", "house"): 100.0, ("a", "t"): 0.6 * pool, ("b", "t"): 0.4 * pool}
    place = {**TRUST, "cash": cash * MILLION, "reserve_rate": reserve, "revolving_end": end}
    return small_book(
        {"a": kind, "b": {**kind, "apr": 0.13}},
        {pair: amount * MILLION for pair, amount in held.items()},
        facilities={"t": place},
        tranches=tranches,
        eligibility=[("t", "grade", "==", "Z")] if closed else [],
        **more,
    )


def trust_rules(horizon: tuple[str, ...], uninvested: float | None, *more: Rule) -> Rulebook:
    """The rules of a trust; `uninvested` None leaves out the rule that keeps it invested."""
    cover = [] if uninvested is None else [rule("pool_cover", max_uninvested=uninvested)]
    plain = (rule("line_limit"), rule("eligibility"), rule("revolving_period"))
    return rulebook(*plain, *cover, *more, horizon=horizon)


def every_subset(names: tuple[str, ...]) -> list[frozenset[str]]:
    """All sets of names, small ones first."""
    return [frozenset(s) for size in range(len(names) + 1) for s in itertools.combinations(names, size)]
