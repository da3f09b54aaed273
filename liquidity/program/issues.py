"""Planned ABS: whether each is issued, how much of it, and what it takes over from the warehouses at its issue.

A planned issue is a yes/no decision in the one period that holds its date. All flows fall at the end of that period:
investors and the treasury (for the classes it keeps) pay the notes in, the trust buys loans with the money, new ones,
seasoned ones of the balance sheet (`move`) and of the warehouses (`take`), and the treasury pays the fixed cost. The
trust revolves beyond the horizon, so it has no sequence of payments. Its columns exist for every period, since rules
add up over whole sets; before the issue they are held at nought, where presolve drops them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from liquidity.errors import BadInput, Problem

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.grid import Grid
    from liquidity.program.pool import Pool

BEFORE = ("release", "cover", "shortfall", "residual")


@dataclass(frozen=True)
class Issue:
    """The terms of one planned issue: the period (1 to T) that holds its date; `least`, `most`, `cost` in CNY."""

    period: int
    least: float
    most: float
    cost: float
    market_open: bool


def plan_issues(book: Book, grid: Grid) -> dict[str, Issue]:
    """Planned issues whose date lies in the horizon, by facility.

    Raises BadInput where one would stop revolving within the horizon: its notes would have to be paid in sequence.
    """
    table, ends = book["issues"], book["facilities"].revolving_end
    found = {
        str(facility): Issue(period, row["least"], row["most"], row["cost"], bool(row["market_open"]))
        for facility, row in zip(table.index, table.to_dict("records"))
        if (period := grid.period_of(row["date"].date())) is not None
    }
    last = grid.starts[-2].isoformat()
    problems = [
        Problem("facilities", f, "revolving_end", str(ends[f])[:10],
                f"a date after {last}, or none: a planned issue revolves beyond the horizon")
        for f in found
        if not pd.isna(ends[f]) and ends[f].date() <= grid.starts[-2]
    ]  # fmt: skip
    if problems:
        raise BadInput(problems)
    return found


def issue_sets(pool: Pool) -> None:
    """Sets of the planned issues, and their columns.

    ISSUE holds (facility, period); `ISSUE_AT[f, t]` is [t] where f is issued in t and else empty, `ISSUED_IN[t]` the
    facilities issued in t, and `TAKERS[f, t]` the same where f is a warehouse and else empty.
    """
    m, planned = pool.model, pool.issues
    pool.group("ISSUE", [(f, issue.period) for f, issue in planned.items()])
    by_period = {t: [f for f, issue in planned.items() if issue.period == t] for t in m.PERIOD}
    at = {(f, t): [t] if f in planned and planned[f].period == t else [] for f in m.TRUST for t in m.PERIOD}
    m.ISSUED_IN = pyo.Set(m.PERIOD, initialize=by_period)
    m.ISSUE_AT = pyo.Set(m.TRUST, m.PERIOD, initialize=at)
    takers = {(f, t): by_period[t] if f in m.WAREHOUSE else [] for f in m.BOUGHT for t in m.PERIOD}
    m.TAKERS = pyo.Set(m.BOUGHT, m.PERIOD, initialize=takers)
    givers = {(f, t): list(m.WAREHOUSE) if at.get((f, t)) else [] for f in m.BOUGHT for t in m.PERIOD}
    m.GIVERS = pyo.Set(m.BOUGHT, m.PERIOD, initialize=givers)
    pool.variable("issue", "ISSUE", kind="choice")
    pool.variable("issued", "ISSUE")
    pool.group("GIVER", m.WAREHOUSE)
    pool.variable("take", "SEGMENT", "GIVER", "ISSUE")


def write_issues(pool: Pool) -> None:
    """The rows of the planned issues; they need the columns of balances and trusts.

    In symbols: least issue[f] <= issued[f] <= most issue[f]; issue[f] <= 0 where the market is shut;
    sum_f take[s,w,f] <= (1 - rep - def) balance[s,w,t-1]; facility_cash[f,t] >= reserve_rate sum_k tranche[f,k,t].
    """
    m, planned = pool.model, pool.issues
    if not planned:
        return
    window(pool, planned)
    at = pool.index("terms", "issue_periods", sorted({issue.period for issue in planned.values()}))
    # without this row loans of a warehouse were sold short
    pool.terms(
        "take_cap",
        (m.SEGMENT, m.WAREHOUSE, at),
        lambda m, s, w, t: sum(m.take[s, w, f, t] for f in m.ISSUED_IN[t]) - m.keep[s, w, t] * m.balance[s, w, t - 1],
        at_most=0.0,
    )
    rate = {f: float(pool.facilities.reserve_rate[f]) for f in planned}
    kept = pool.index("terms", "issue_reserved", [(f, t) for f in planned if rate[f] for t in pool.revolving(f)])
    share = pool.param("terms", "issue_reserve", (kept,), lambda f, t: rate[f])
    pool.terms(
        "issue_reserve_kept",
        (kept,),
        lambda m, f, t: m.facility_cash[f, t] - share[f, t] * sum(m.tranche[f, k, t] for k in m.TRANCHES[f]),
        at_least=0.0,
    )
    hold_before(pool, planned)


def window(pool: Pool, planned: Mapping[str, Issue]) -> None:
    """The size window of every issue; a shut market is a lack of funding, whatever the size."""
    m = pool.model
    least = pool.param("terms", "issue_least", (m.ISSUE,), lambda f, t: pool.money(planned[f].least))
    most = pool.param("terms", "issue_most", (m.ISSUE,), lambda f, t: pool.money(planned[f].most))
    pool.terms("issue_at_least", (m.ISSUE,), lambda m, f, t: least[f, t] * m.issue[f, t] - m.issued[f, t], at_most=0.0)
    pool.terms("issue_at_most", (m.ISSUE,), lambda m, f, t: m.issued[f, t] - most[f, t] * m.issue[f, t], at_most=0.0)
    shut = pool.index("terms", "issue_shut", [(f, one.period) for f, one in planned.items() if not one.market_open])
    pool.terms("issue_market", (shut,), lambda m, f, t: m.issue[f, t], at_most=0.0, code="FUNDING")


def hold_before(pool: Pool, planned: Mapping[str, Issue]) -> None:
    """Before its issue a trust holds, pays and takes nothing; its rows say so already, these bounds spare the work."""
    m = pool.model
    for f, one in planned.items():
        for t in range(1, one.period):
            columns = [m.component(name)[f, t] for name in BEFORE]
            columns += [m.pay[f, k, t] for k in m.TRANCHES[f]]
            columns += [m.lend[s, u, f, t] for s in m.SEGMENT for u in m.BORROWER]
            columns += [m.move[s, f, t] for s in m.SEGMENT]
            for column in columns:
                column.bounds = (0.0, 0.0)


def shares(pool: Pool, facility: str) -> np.ndarray:
    """Share of each class in a planned issue, most senior first."""
    classes = np.flatnonzero([f == facility for f, _ in pool.model.CLASS])
    found: np.ndarray = pool.arrays.issue_share.ravel()[classes]
    return found


def kept_share(pool: Pool) -> dict[str, float]:
    """Part of each planned issue that the lender keeps, by facility."""
    sold = pool.arrays.sold.ravel().astype(bool)
    return {f: float(pool.arrays.issue_share.ravel()[own_classes(pool, f) & ~sold].sum()) for f in pool.issues}


def own_classes(pool: Pool, facility: str) -> np.ndarray:
    """Mask of the classes of a facility."""
    return np.array([f == facility for f, _ in pool.model.CLASS])


def issue_costs(pool: Pool) -> Any:
    """Fixed cost of every planned issue, units, as a Param over ISSUE."""
    return pool.param("definition", "issue_cost", (pool.model.ISSUE,), lambda f, t: pool.money(pool.issues[f].cost))
