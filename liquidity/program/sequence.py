"""Principal of an ABS trust: nothing while revolving, then class after class (DESIGN 5).

Sequential pay is never approximated: without it even a pool that no decision touches paid the mezzanine before the
senior class. `done[f,k,t]` is 1 once class k is paid in full; the patterns of `done` are enumerated by `patterns`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyomo.environ as pyo

from liquidity.program.pool import Pool
from liquidity.program.waterfall import Deal, Schedule, run_waterfall


def write_principal(pool: Pool) -> None:
    """Rows of payment of every trust; a pool whose run-off is data gets its schedule as fixed numbers."""
    for facility in pool.model.SCHEDULED:
        fix_schedule(pool, facility)
    waiting(pool)
    revolving(pool)
    amortising(pool)


def revolving(pool: Pool) -> None:
    """While a trust revolves no class is paid, nothing is residual and the reserve stays whole."""
    m = pool.model
    classes = pool.index("terms", "class_revolving", [(f, k, t) for f, k in m.OPEN_CLASS for t in pool.revolving(f)])
    trusts = pool.index("terms", "trust_revolving", [(f, t) for f in m.ABS for t in pool.revolving(f)])
    outstanding = [(f, t) for f, t in trusts if f not in pool.issues]
    pool.terms("no_pay", (classes,), lambda m, f, k, t: m.pay[f, k, t], at_most=0.0)
    pool.terms("no_residual", (trusts,), lambda m, f, t: m.residual[f, t], at_most=0.0)
    held = {f: reserve_path(pool, f) for f in m.ABS}
    reserved = trusts if len(outstanding) == len(trusts) else pool.index("terms", "trust_reserved", outstanding)
    pool.terms("reserve_kept", (reserved,), lambda m, f, t: m.facility_cash[f, t], at_least=lambda f, t: held[f][t - 1])
    pool.terms("tranche_floor", (m.OPEN_CLASS, m.PERIOD), lambda m, f, k, t: m.tranche[f, k, t], at_least=0.0)


def waiting(pool: Pool) -> None:
    """Between its payment dates a trust pays no principal, releases nothing and has no residual; its cash waits."""
    m = pool.model
    paying = {f: set(pool.paying(f)) for f in m.ABS}
    trusts = pool.index("terms", "trust_waiting", [(f, t) for f in m.ABS for t in m.PERIOD if t not in paying[f]])
    ended = {f: set(pool.ends(f)) for f in m.ABS}
    later = pool.index("terms", "trust_ended_waiting", [(f, t) for f, t in trusts if t in ended[f]])
    classes = pool.index("terms", "class_waiting", [(f, k, t) for f, t in later for k in m.TRANCHES[f]])
    pool.terms("no_release_between", (trusts,), lambda m, f, t: m.release[f, t], at_most=0.0)
    pool.terms("no_residual_between", (later,), lambda m, f, t: m.residual[f, t], at_most=0.0)
    pool.terms("no_pay_between", (classes,), lambda m, f, k, t: m.pay[f, k, t], at_most=0.0)


def ends_of(pool: Pool, facility: str) -> list[int]:
    """Periods in which a trust that no longer revolves pays principal."""
    paying = set(pool.paying(facility))
    return [t for t in pool.ends(facility) if t in paying]


def amortising(pool: Pool) -> None:
    """On payment dates all cash above the reserve is paid, the classes in order, the residual after the last."""
    m = pool.model
    ends = {f: ends_of(pool, f) for f in m.ABS}
    ending = [(f, k, t) for f, k in m.OPEN_CLASS for t in ends[f]]
    order = {f: list(m.TRANCHES[f]) for f in m.ABS}
    pool.group("ENDING", ending)
    pool.group("LAST", [(f, k, t) for f, k, t in ending if k == order[f][-1]])
    pool.variable("done", "ENDING", kind="choice")
    size = pool.param("sequence", "size", (m.OPEN_CLASS,), lambda f, k: m.opening_tranche[f, k])
    path = {f: reserve_path(pool, f) for f in m.ABS}
    held = pool.param("sequence", "reserve", (m.ABS, m.PERIOD), lambda f, t: path[f][t - 1])
    pool.terms(
        "sweep",
        (m.LAST,),
        lambda m, f, k, t: m.facility_cash[f, t] + held[f, t] * m.done[f, k, t],
        equal=lambda f, k, t: path[f][t - 1],
    )
    pool.sequence(
        "paid",
        (m.ENDING,),
        lambda m, f, k, t: m.tranche[f, k, t] + size[f, k] * m.done[f, k, t],
        at_most=lambda f, k, t: size[f, k],
    )
    pairs = [(f, k, n, t) for f in m.ABS for k, n in pairwise(order[f]) for t in ends[f]]
    following = pool.index("sequence", "following", pairs)
    pool.sequence(
        "next",
        (following,),
        lambda m, f, k, n, t: m.pay[f, n, t] - size[f, n] * m.done[f, k, t],
        at_most=0.0,
    )
    pool.sequence("order", (following,), lambda m, f, k, n, t: m.done[f, n, t] - m.done[f, k, t], at_most=0.0)
    steps = [(f, k, before, t) for f, k in m.OPEN_CLASS for before, t in pairwise(ends[f])]
    later = pool.index("sequence", "later", steps)
    pool.sequence("stays", (later,), lambda m, f, k, b, t: m.done[f, k, b] - m.done[f, k, t], at_most=0.0)
    over = {f: max(0.0, largest_pool(pool, f) - make_deal(pool, f).notes.sum()) for f in m.ABS}
    most = pool.param("sequence", "most_residual", (m.ABS,), over)
    m.UP_TO = pyo.Set(m.LAST, initialize={(f, k, t): [n for n in ends[f] if n <= t] for f, k, t in m.LAST})
    pool.sequence(
        "last",
        (m.LAST,),
        lambda m, f, k, t: sum(m.residual[f, n] for n in m.UP_TO[f, k, t]) - most[f] * m.done[f, k, t],
        at_most=0.0,
    )


def reserve_path(pool: Pool, facility: str) -> list[float]:
    """What the reserve account of a trust must hold at the end of each period, units.

    In full; where it is short tonight, as much as the principal of tonight's pool can have refilled by then, as
    `run_waterfall` does it, for an account that no plan can fill at once would leave the night without an answer.
    """
    deal = make_deal(pool, facility)
    held, balance, path = min(deal.reserve, deal.cash), deal.balance, []
    for t, years in enumerate(deal.years):
        excess = float((deal.interest[:, t] - deal.servicing * years) @ balance - years * deal.coupon @ deal.notes)
        principal = float((deal.collected[:, t] - deal.interest[:, t] + deal.loss[:, t]) @ balance)
        principal += min(0.0, excess - float(deal.loss[:, t] @ balance))
        held = min(deal.reserve, max(0.0, held * (1 + deal.cash_rate * years) + principal))
        path.append(held)
        balance = balance * deal.keep[:, t]
    return path


def largest_pool(pool: Pool, facility: str) -> float:
    """An upper bound of a trust's assets, units: it grows by its own interest only, and by interest on that."""
    deal = make_deal(pool, facility)
    start = pool.money(pool.issues[facility].most) if facility in pool.issues else 0.0
    start += float(deal.balance.sum() + deal.cash)
    dearest = max(float(pool.arrays.apr.max()), deal.cash_rate)
    return start * float(np.prod([1 + dearest * years for years in pool.grid.years]))


def make_deal(pool: Pool, facility: str) -> Deal:
    """The data of one trust for `run_waterfall`, in units."""
    data, at = pool.arrays, pool.places([facility])[0]
    classes = np.flatnonzero([f == facility for f, _ in pool.model.CLASS])
    notes = data.tranche_balance.ravel()[classes]
    return Deal(
        balance=data.balance[:, at, 0],
        **{name: getattr(data, name)[:, at] for name in ("collected", "interest", "loss", "keep")},
        years=data.years.ravel(),
        notes=notes,
        coupon=data.coupon.ravel()[classes],
        servicing=float(data.servicing_fee[0, at, 0]),
        cash_rate=float(data.facility_cash_rate[0, at, 0]),
        cash=float(data.facility_cash[0, at, 0]),
        deficiency=float(data.deficiency[0, at, 0]),
        reserve=float(data.reserve_rate[0, at, 0]) * float(notes.sum()),
        pays=np.isin(np.arange(1, pool.grid.size + 1), pool.paying(facility)),
    )


def fix_schedule(pool: Pool, facility: str) -> Schedule:
    """Fix the columns of a trust that depends on no decision at its waterfall."""
    m, schedule = pool.model, run_waterfall(make_deal(pool, facility))
    for name in ("release", "cover", "shortfall", "residual"):
        for t in m.PERIOD:
            m.component(name)[facility, t].bounds = (getattr(schedule, name)[t - 1],) * 2
    for row, k in enumerate(m.TRANCHES[facility]):
        for t in m.PERIOD:
            m.pay[facility, k, t].bounds = (schedule.pay[row, t - 1],) * 2
    return schedule
