"""The stock of non-performing loans, a state that two rules look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from liquidity.program.pool import Pool
    from liquidity.rules.base import Rule


def write_npl(pool: Pool, rule: Rule, write_off_rate: float) -> Any:
    """The state `<rule>_npl` (time): principal of the own book that defaulted and is not yet written off, units.

    In symbols: npl[0] = sum_{s,f} own_share[f] npl[s,f] of the book;
    npl[t] = exp(-write_off_rate d) npl[t-1] + sum_{s,f} own_share[f] def[s,f,t] balance[s,f,t-1], def as in DESIGN 5.
    What is recovered of a defaulted loan is cash at once, but the loan stays in the stock until it is written off.
    """
    m, data = pool.model, pool.arrays
    npl = pool.variable(f"{rule.name}_npl", "TIME", kind="state")
    kept = pool.param(rule, "kept", (m.PERIOD,), np.exp(-write_off_rate * np.array(pool.grid.years)))
    falls = pool.param(rule, "falls", (m.SEGMENT, m.FACILITY, m.PERIOD), data.own_share * data.default)
    start = pool.money(opening_npl(pool))
    pool.define(f"{rule.name}_npl_opening", (pool.index(rule, "opening", [0]),), lambda m, t: npl[t], start)
    pool.define(
        f"{rule.name}_npl",
        (m.PERIOD,),
        lambda m, t: (
            npl[t]
            - kept[t] * npl[t - 1]
            - sum(falls[s, f, t] * m.balance[s, f, t - 1] for s in m.SEGMENT for f in m.FACILITY)
        ),
    )
    return npl


def opening_npl(pool: Pool) -> float:
    """Non-performing principal of the own book before tonight, CNY."""
    stock = pool.book["balances"].npl
    share = pool.inputs.own_share.to_series().reindex(stock.index.get_level_values("facility"))
    return float((stock * pd.Series(share.to_numpy(), stock.index)).sum())


def own_book(m: Any, t: Any) -> Any:
    """The own part of the performing book at the end of a period, units."""
    return sum(m.own_share[f] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY)
