"""ABS trusts: classes of notes and the interest waterfall with its deficiency (DESIGN 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from liquidity.program.issues import shares
from liquidity.program.pool import Body, Pool
from liquidity.program.sequence import largest_pool, make_deal, write_principal
from liquidity.rules.eligibility import eligible
from liquidity.rules.pool_cover import PoolCover


def write_trusts(pool: Pool) -> None:
    """Columns and states of the trusts, their waterfalls, and the run-off that is data.

    In symbols: tranche[f,k,t] = tranche[f,k,t-1] - pay; deficiency[f,t] = deficiency[f,t-1] + sum lgd def balance[t-1]
    + shortfall - cover; release + cover - shortfall <= sum (interest - servicing) balance[t-1] - sum coupon.  Units.
    """
    m = pool.model
    pool.variable("pay", "CLASS", "PERIOD")
    for name in ("cover", "residual", "shortfall"):
        pool.variable(name, "TRUST", "PERIOD")
    pool.variable("tranche", "CLASS", "TIME", kind="state")
    pool.variable("deficiency", "TRUST", "TIME", kind="state")
    meets = eligible(pool.book)
    safe = [f for f in m.ABS if is_safe(pool, f, meets[:, pool.places([f])[0]])]
    pool.group("SAFE", safe)
    pool.group("UNSAFE", [f for f in m.ABS if f not in safe])
    states(pool)
    interest_waterfall(pool)
    open_gap(pool)
    write_principal(pool)


def states(pool: Pool) -> None:
    """Notes outstanding and deficiency of every trust."""
    m = pool.model
    start = pool.data("opening_tranche", "CLASS", of="tranche_balance")
    part = pool.data("issue_share", "CLASS")
    owed = pool.data("opening_deficiency", "TRUST", of="deficiency")
    pool.define("opening_tranche", (m.CLASS,), lambda m, f, k: m.tranche[f, k, 0], start.array)
    pool.define("opening_deficiency", (m.TRUST,), lambda m, f: m.deficiency[f, 0], owed.array)
    pool.define(
        "tranche",
        (m.CLASS, m.PERIOD),
        lambda m, f, k, t: (
            m.tranche[f, k, t]
            - m.tranche[f, k, t - 1]
            + m.pay[f, k, t]
            - sum(part[f, k] * m.issued[f, n] for n in m.ISSUE_AT[f, t])
        ),
    )
    pool.define(
        "deficiency",
        (m.TRUST, m.PERIOD),
        lambda m, f, t: (
            m.deficiency[f, t]
            - m.deficiency[f, t - 1]
            - sum(m.loss[s, f, t] * m.balance[s, f, t - 1] for s in m.SEGMENT)
            - m.shortfall[f, t]
            + m.cover[f, t]
        ),
    )


def interest_waterfall(pool: Pool) -> None:
    """Release only what is left after servicing, coupons and losses.

    An amortising trust uses all of its excess; a revolving one may keep it as restricted cash. Where a trust pays on a
    day of the month, excess waits for it, and what waits covers the losses of the time in between.
    """
    m, data = pool.model, pool.arrays
    margin = data.interest - data.servicing_fee * data.years
    earned = pool.param("terms", "earned", (m.SEGMENT, m.ABS, m.PERIOD), margin[:, pool.places(m.ABS)])
    cost = pool.param("terms", "coupon_cost", (m.CLASS, m.PERIOD), data.coupon * data.years)

    def spread(m: Any, f: Any, t: Any) -> Any:
        return (
            m.release[f, t]
            + m.cover[f, t]
            - m.shortfall[f, t]
            - sum(earned[s, f, t] * m.balance[s, f, t - 1] for s in m.SEGMENT)
            + sum(cost[f, k, t] * m.tranche[f, k, t - 1] for k in m.TRANCHES[f])
        )

    # a period without a payment date releases nothing, and keeps its excess for the next one that has
    since = {(f, t): pool.window(f, t) for f in m.ABS for t in pool.paying(f)}
    single = pool.index("terms", "single", [(f, t) for f in m.ABS for t in m.PERIOD if len(since.get((f, t), [t])) < 2])
    pool.terms("excess", (single,), spread, at_most=0.0)
    several = {at: window for at, window in since.items() if len(window) > 1}
    summed(pool, "excess_since", several, spread, at_most=0.0)
    ends = {f: set(pool.ends(f)) for f in m.ABS}
    ending = pool.index("terms", "ending", [(f, t) for f, t in since if t in ends[f] and (f, t) not in several])
    pool.terms("excess_used", (ending,), spread, at_least=0.0)
    # what a trust earned while it revolved it may have bought loans with
    used = {(f, t): [u for u in window if u in ends[f]] for (f, t), window in several.items() if t in ends[f]}
    summed(pool, "excess_used_since", used, spread, at_least=0.0)
    pool.terms("no_deficiency", (m.SAFE, m.PERIOD), lambda m, f, t: m.deficiency[f, t], equal=0.0)
    pool.terms("no_shortfall", (m.SAFE, m.PERIOD), lambda m, f, t: m.shortfall[f, t], at_most=0.0)
    pool.terms("deficiency_floor", (m.UNSAFE, m.PERIOD), lambda m, f, t: m.deficiency[f, t], at_least=0.0)


def summed(pool: Pool, what: str, windows: dict[tuple[str, int], list[int]], body: Body, **bound: Any) -> None:
    """Rows of a body (trust, period) added up over the periods of each window."""
    index, block = pool.index("terms", f"{what}_at", list(windows)), pool.block("terms")
    block.add_component(f"{what}_window", pyo.Set(index, initialize=windows))
    window = block.component(f"{what}_window")
    pool.terms(what, (index,), lambda m, f, t: sum(body(m, f, u) for u in window[f, t]), **bound)


def open_gap(pool: Pool) -> None:
    """Where a deficiency may open, a yes/no decision holds the release back while it is open."""
    m = pool.model
    pool.variable("gap", "UNSAFE", "PERIOD", kind="choice")
    width = pool.param("sequence", "widest_gap", (m.UNSAFE,), lambda f: largest_pool(pool, f))
    dearest = float(pool.arrays.apr.max())
    most = pool.param(
        "sequence", "most_release", (m.UNSAFE, m.PERIOD),
        lambda f, t: width[f] * dearest * sum(pool.grid.years[u - 1] for u in pool.window(f, t)),
    )  # fmt: skip
    pool.sequence(
        "release_gap",
        (m.UNSAFE, m.PERIOD),
        lambda m, f, t: m.release[f, t] + most[f, t] * m.gap[f, t],
        at_most=lambda f, t: most[f, t],
    )
    pool.sequence(
        "deficiency_gap",
        (m.UNSAFE, m.PERIOD),
        lambda m, f, t: m.deficiency[f, t] - width[f] * m.gap[f, t],
        at_most=0.0,
    )


def is_safe(pool: Pool, facility: str, may_hold: np.ndarray) -> bool:
    """Whether no deficiency can open: what the trust holds tonight earns more than tonight's losses, servicing and
    coupons, and so does every segment that it may hold, on its share, in every later period. Then no yes/no decision is
    needed.

    While it revolves, and in the first period after, a part of the notes may lie idle and the mix of classes is the
    opening one; later the cheap senior class goes first, so the dearest coupon is the safe measure. `may_hold` says
    which segments meet the terms of the trust.
    """
    deal, ends = make_deal(pool, facility), pool.ends(facility)
    waits = len(pool.paying(facility)) < pool.grid.size
    covers = [rule for rule in pool.rulebook.rules if isinstance(rule, PoolCover)]
    idle = [rule.max_uninvested for rule in covers if rule.holds_on(pool.grid.starts[0])]
    if pool.cautious or not idle or deal.deficiency > 0 or (ends and (deal.reserve > 0 or waits)):
        # cash that waits for a payment date, as a reserve does, earns less than the coupons cost
        return False
    may = (deal.balance > 0) | may_hold
    earns = (deal.interest - deal.servicing * deal.years - deal.loss) / deal.years
    least, planned = earns[may].min(axis=0), facility in pool.issues
    notes, coupon = shares(pool, facility) if planned else deal.notes, deal.coupon
    if deal.cash > min(idle) * notes.sum():
        # too much lies idle already: the loans alone may not earn the coupons
        return False
    mixed = len(pool.revolving(facility)) + 1
    whole = least[:mixed] * (1 - min(idle)) >= coupon @ notes / notes.sum()
    if not planned:
        # tonight's interest and losses are those of the opening pool, whatever is decided
        whole[0] = earns[:, 0] @ deal.balance >= coupon @ notes
    return bool(whole.all() and (least[mixed:] >= coupon.max()).all())
