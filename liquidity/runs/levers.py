"""Single changes that could let a segment be relent: negotiable limits, lines, facilities, gates (DESIGN 7.5).

A lever changes one number of the rulebook or of the book. What the law sets is not negotiable and is no lever. The
cost of a change is the room it gives (CNY) times a rate by kind, COST: what a treasury pays or gives up for a year of
such room. The rates are conventions to rank changes by, stated beside every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from liquidity.book import Book
from liquidity.program.pool import Pool
from liquidity.rules.rulebook import Rulebook

COST = {
    "line_limit": 0.005, "warehouse": 0.005, "advance_rate": 0.020, "capital": 0.080, "leverage_multiple": 0.010,
    "cash_reserve": 0.030, "standby": 0.005, "concentration": 0.002, "expected_loss": 0.010, "stability": 0.001,
    "pool_cover": 0.002, "partner_limit": 0.005, "partner_share": 0.010, "gate": 0.010,
    "leverage_ratio": 0.080,
    "liquidity_coverage": 0.030, "liquidity_ratio": 0.030, "survival": 0.030, "stable_funding": 0.010,
    "large_exposure": 0.002, "guarantee_share": 0.002, "excess_concentration": 0.002, "npl_ratio": 0.010,
    "provision_cover": 0.080, "covenants": 0.020, "revolving_period": 0.002, "inclusion": 0.001, "relend_floor": 0.001,
    "pins": 0.001, "price_cap": 0.010,
}  # fmt: skip
"""Cost of a year of room, 1/year: a commitment fee for lines, a mark-up for advance rates, the return that equity
asks for capital, the yield that idle cash forgoes for reserves, a small rate for limits that the desk moves itself."""

UP, DOWN = 1.0, -1.0
FIELDS = {
    "capital": {"ratio": DOWN}, "cash_reserve": {"amount": DOWN, "line_share": DOWN, "notes_share": DOWN},
    "leverage_multiple": {"nonstandard_multiple": UP, "standardised_multiple": UP}, "standby": {"keep": DOWN},
    "expected_loss": {"rate": UP}, "stability": {"max_change": UP}, "pool_cover": {"max_uninvested": UP},
    "partner_limit": {"tier1_share": UP, "total_share": UP}, "partner_share": {"floor": DOWN},
    "leverage_ratio": {"ratio": DOWN},
    "liquidity_coverage": {"ratio": DOWN}, "liquidity_ratio": {"ratio": DOWN}, "stable_funding": {"ratio": DOWN},
    "large_exposure": {"borrower_share": UP, "guarantor_share": UP}, "guarantee_share": {"share": UP},
}  # fmt: skip
GATES = ("model_kept", "policy_kept", "available")
"Gates that are the lender's own decision; that a borrower did not ask, or scored lower, is not negotiable."
SHARES = 1.0
FARTHEST = 2.0
"No lever more than doubles what it moves: a change of that size is another business, not another limit."
NEARLY_NONE = 1e-3


@dataclass(frozen=True)
class Lever:
    """One number that may be changed from `now` as far as `end`.

    `rule` is the name of the rule whose rows it moves, `kind` the key of COST; `apply(value)` gives rulebook and book.
    """

    kind: str
    rule: str
    what: str
    now: float
    end: float
    unit: str
    origin: str
    apply: Callable[[float], tuple[Rulebook, Book]]


def levers(pool: Pool, segment: str) -> list[Lever]:
    """Every lever of a night, in a fixed order."""
    return [*rule_levers(pool), *group_levers(pool, segment), *line_levers(pool), *quota_levers(pool),
            *gate_levers(pool, segment)]  # fmt: skip


def rule_levers(pool: Pool) -> Iterator[Lever]:
    """Values of rules that are not law."""
    book, rulebook = pool.book, pool.rulebook
    for rule in rulebook.rules:
        for name, way in FIELDS.get(rule.kind, {}).items():
            now = getattr(rule, name)
            if rule.origin == "law" or not now:
                continue
            field = type(rule).model_fields[name]
            unit = str((field.json_schema_extra or {}).get("unit", ""))  # type: ignore[union-attr]

            def apply(value: float, rule: Any = rule, name: str = name) -> tuple[Rulebook, Book]:
                return rulebook.edit(rule.name, **{name: value}), book

            yield Lever(rule.kind, rule.name, name, now, farthest(now, way, unit), unit, rule.origin, apply)


def farthest(now: float, way: float, unit: str) -> float:
    """How far a number may be moved: shares to all or nearly none, others to a multiple."""
    if way == DOWN:
        return now * NEARLY_NONE
    return SHARES if unit == "share" else now * FARTHEST


def group_levers(pool: Pool, segment: str) -> Iterator[Lever]:
    """The limit of the group that the segment belongs to."""
    book, rulebook = pool.book, pool.rulebook
    for rule in rulebook.rules:
        if rule.kind != "concentration" or rule.origin == "law":
            continue
        group, limits = str(book["segments"][rule.by][segment]), rule.limits(book)  # type: ignore[attr-defined]
        if group not in limits:
            continue

        def apply(value: float, rule: Any = rule, group: str = group) -> tuple[Rulebook, Book]:
            return rulebook.edit(rule.name, shares={**rule.shares, group: value}), book

        yield Lever("concentration", rule.name, f"share of {group}", limits[group], SHARES, "share", rule.origin, apply)


def line_levers(pool: Pool) -> Iterator[Lever]:
    """Commitments of lines and warehouses, and advance rates."""
    book, rulebook = pool.book, pool.rulebook
    limit = next((rule for rule in rulebook.rules if rule.kind == "line_limit"), None)
    advance = next((rule for rule in rulebook.rules if rule.kind == "advance_rate"), None)
    tables = (("lines", "line_limit", book["lines"]), ("facilities", "warehouse", book["facilities"]))
    for table, kind, frame in tables:
        for name, row in frame.iterrows():
            if limit is None or not row.commitment > 0 or row.kind == "bond":
                continue

            def apply(value: float, table: str = table, name: Any = name) -> tuple[Rulebook, Book]:
                return rulebook, book.edit(table, name, commitment=round(value, 2))

            now = float(row.commitment)
            end = now * FARTHEST
            yield Lever(kind, limit.name, f"commitment of {name}", now, end, book.currency, "contract", apply)
    for name, row in book["facilities"].iterrows():
        if advance is None or advance.origin == "law" or row.kind != "warehouse" or not 0 < row.advance_rate < 1:
            continue

        def lend_more(value: float, name: Any = name) -> tuple[Rulebook, Book]:
            return rulebook, book.edit("facilities", name, advance_rate=value)

        what = f"advance rate of {name}"
        yield Lever("advance_rate", advance.name, what, float(row.advance_rate), SHARES, "share", "contract", lend_more)


def quota_levers(pool: Pool) -> Iterator[Lever]:
    """Daily quotas of partners."""
    rule = next((rule for rule in pool.rulebook.rules if rule.kind == "partner_limit"), None)
    for name, quota in pool.book["partners"].daily_quota.items():
        if rule is None or not np.isfinite(quota) or not quota > 0:
            continue

        def apply(value: float, name: Any = name) -> tuple[Rulebook, Book]:
            return pool.rulebook, pool.book.edit("partners", name, daily_quota=round(value, 2))

        end = FARTHEST * float(quota)
        yield Lever("partner_limit", rule.name, f"daily quota of {name}", float(quota), end, pool.book.currency,
                    "contract", apply)  # fmt: skip


def gate_levers(pool: Pool, segment: str) -> Iterator[Lever]:
    """The lender's own gates of the segment."""
    book, rulebook = pool.book, pool.rulebook
    requests = next((rule.name for rule in rulebook.rules if rule.kind == "requests"), "")
    frame = book["requests"]
    mine = frame[frame.index.get_level_values("segment") == segment]
    for gate in GATES:
        if gate not in mine.columns or mine.empty or float(mine[gate].min()) >= 1.0:
            continue

        def apply(value: float, gate: str = gate) -> tuple[Rulebook, Book]:
            return rulebook, book.edit("requests", segment, **{gate: value})

        yield Lever("gate", requests, gate, float(mine[gate].min()), 1.0, "share", "desk", apply)
