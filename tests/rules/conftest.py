"""A small hand-made book, and the rows of one rule on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from liquidity.book import Book, read_book
from liquidity.program.build import build_pool
from liquidity.program.pool import Pool
from liquidity.rules import Rule
from liquidity.rules.rulebook import Rulebook

HORIZON = ("2 x 1 day", "2 x 1 month")


@pytest.fixture(scope="session")
def book() -> Book:
    """Four segments, every kind of facility and line, CNY 620m, on 20 November 2026."""
    return read_book(Path(__file__).parent / "book")


@pytest.fixture(scope="session")
def write(book: Book) -> Callable[..., Pool]:
    """A pool that holds the equations and the given rule, nothing else."""

    def write(
        rule: Rule, of: Book = book, previous: pd.Series | None = None, horizon: tuple[str, ...] = HORIZON
    ) -> Pool:
        rules = Rulebook(name="test", horizon=horizon, market_rate=0.06, rules=(rule,))
        return build_pool(of, rules, previous)

    return write
