"""Book + rulebook -> Pool: the equations, then every rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from pyomo.common.gc_manager import PauseGC

from liquidity.program.balances import write_balances
from liquidity.program.issues import write_issues
from liquidity.program.lines import write_lines, write_market, write_warehouses
from liquidity.program.objective import write_objective
from liquidity.program.pool import Pool
from liquidity.program.shocks import NO_SHOCKS, Shocks
from liquidity.program.treasury import vehicle_columns, write_treasury, write_vehicles
from liquidity.program.trusts import write_trusts

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.rules.rulebook import Rulebook


def build_pool(book: Book, rulebook: Rulebook, previous: pd.Series | None = None, cautious: bool = False,
               amortising: Mapping[str, int] | None = None, shocks: Shocks = NO_SHOCKS) -> Pool:  # fmt: skip
    """The whole program of one night, as a Pool.

    `previous` is the share of freed money relent by segment in the last executed night (rule `stability`).
    `cautious` gives every trust that takes decisions its yes/no decisions: slower, and needed where a trust that would
    be safe cannot keep its money invested, so that no plan is found otherwise. `amortising` ends the revolving period
    of a trust with the period before the one it names. `shocks` are a scenario's.
    """
    pool = Pool(book, rulebook, previous, cautious, amortising, shocks)
    write_pool(pool)
    return pool


def rebuild_pool(decided: Pool, book: Book, rulebook: Rulebook) -> Pool:
    """A decided night with another book or rulebook; caution and early amortisations stay as they were decided."""
    return build_pool(book, rulebook, decided.previous, decided.cautious, decided.amortising, decided.shocks)


def write_pool(pool: Pool) -> None:
    """Write the equations, every rule and the objective into an empty pool."""
    with PauseGC():
        write_balances(pool)
        write_lines(pool)
        write_market(pool)
        vehicle_columns(pool)
        write_warehouses(pool)
        write_trusts(pool)
        write_vehicles(pool)
        write_treasury(pool)
        write_issues(pool)
        for rule in sorted(pool.rulebook.rules, key=lambda rule: rule.name):
            rule.write(pool)
        write_objective(pool)
