"""Net worth at the horizon, the one thing that is maximised (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from liquidity.program.inputs import Arrays
from liquidity.program.pool import Pool


def write_objective(pool: Pool) -> None:
    """Maximise net worth with the opening reference rate."""
    pool.maximise("net_worth", net_worth(pool, pool.arrays, "worth"))


def net_worth(pool: Pool, data: Arrays, owner: str) -> Callable[[Any], Any]:
    """Net worth as a body: equity + provision + continuing value of balances + margin of liabilities and cash on `ref`.

    Without the last term the last night would be free and funding would jump to the dearest line. `ref` (1/year) is
    the opening weighted cost of drawn lines and notes, `mean_life` (years) the mean remaining life of the book.
    What is still held at the horizon runs off, costs and loses as in the last period.
    `data` may be the pool's arrays with another `ref_rate`; `owner` is the block that holds the coefficients.
    """
    m = pool.model
    notes_rate = margin(data, at_end(data.note_rate_path) - data.unused_fee)[:, pool.places(m.WAREHOUSE)]
    idle_rate = -margin(data, data.facility_cash_rate)[:, pool.places(m.SPV)]
    worth = pool.param(owner, "balance", (m.SEGMENT, m.FACILITY), continuing_value(data))
    debt = pool.param(owner, "debt", (m.LINE,), margin(data, at_end(data.line_rate_path) - data.commitment_fee))
    notes = pool.param(owner, "notes", (m.WAREHOUSE,), notes_rate)
    idle = pool.param(owner, "facility_cash", (m.SPV,), idle_rate)
    sold = pool.param(owner, "tranche", (m.CLASS,), margin(data, data.coupon))
    end = pool.index(owner, "end", [pool.grid.size])
    market = pool.param(owner, "market_debt", (end,), margin(data, at_end(data.market_path)))
    cash = pool.param(owner, "cash", (end,), [-margin(data, data.cash_rate)])
    t = pool.grid.size
    return lambda m: (
        m.equity[t]
        + m.provision[t]
        + sum(worth[s, f] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY)
        + sum(debt[k] * m.debt[k, t] for k in m.LINE)
        + sum(notes[w] * m.notes[w, t] for w in m.WAREHOUSE)
        + sum(sold[f, k] * m.tranche[f, k, t] for f, k in m.SOLD)
        + sum(idle[f] * m.facility_cash[f, t] for f in m.SPV)
        + sum(market[t] * m.market_debt[t] for t in end)
        + sum(cash[t] * m.cash[t] for t in end)
    )


def at_end(path: np.ndarray) -> np.ndarray:
    """An input by period in the last one, which is what the horizon sees; its axis of periods is kept."""
    return path[:, :, -1:]


def continuing_value(data: Arrays) -> np.ndarray:
    """What a unit of balance at the horizon is still worth above its principal, dims (segment, facility, 1).

    Own share: (apr - ref - opex - M lgd) / (L + M + ref); partner's share: (fee - opex) over the same.
    """
    paid, lost = at_end(data.pay_path), at_end(data.default_path)
    total = paid + lost + data.ref_rate
    own = (data.apr - data.ref_rate - data.opex - lost * at_end(data.lgd_path)) / total
    partner = (data.partner_fee - data.opex) / total
    return data.own_share * own + (1 - data.own_share) * partner


def margin(data: Arrays, rate: Any) -> Any:
    """What a unit of a liability at `rate` still earns against `ref` over the mean remaining life."""
    return data.mean_life * (data.ref_rate - rate)
