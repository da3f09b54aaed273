"""Repair of instructions that cannot be met, and of conflicts with rules that never give way."""

from __future__ import annotations

import pandas as pd
import pytest

from liquidity.rules.base import Rule
from tests.books import MILLION, Night, rule, rulebook, small_book, solve

HORIZON = ("2 x 1 day", "1 x 1 month")
PIN = {"target": "relend", "segment": "a", "reason": "test", "by": "desk", "from": None, "to": None}


def pinned(op: str, amount: float, *more: Rule) -> Night:
    """One segment, an instruction about its relending."""
    pins = pd.DataFrame([{**PIN, "op": op, "amount": amount}])
    book = small_book({"a": {}}, {("a", "house"): 500 * MILLION}, pins=pins)
    return solve(book, rulebook(rule("line_limit"), rule("pins"), *more, horizon=HORIZON))


def test_an_equality_gives_way_on_either_side() -> None:
    """More was ordered to be relent than is asked for: the row stays below its bound."""
    night = pinned("==", 400 * MILLION)
    (row,) = night.solved.gave_way.itertuples()
    assert row.rule == "pins"
    assert row.bound * night.pool.unit == pytest.approx(400 * MILLION)
    relent = float(night.plan.lend.sel(borrower="returning").sum())
    assert row.shortfall * night.pool.unit == pytest.approx(400 * MILLION - relent, rel=1e-6)


def test_a_rule_that_never_gives_way_is_part_of_the_conflict() -> None:
    """An instruction to relend what the price cap forbids: both are named, one gives way."""
    night = pinned(">=", 10 * MILLION, rule("price_cap", cap=0.05))
    assert night.solved.gave_way.rule.tolist() == ["pins"]
    assert night.solved.repair.conflict == ("pins", "price_cap")
    owners = {f.owner for f in night.program.rows for row in night.solved.repair.clash if f.start <= row < f.stop}
    assert owners == {"pins", "price_cap"}
