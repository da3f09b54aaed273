"""Net worth at the horizon, the one thing that is maximised (DESIGN 5)."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import xarray as xr

from liquidity.program.pool import Pool


def write_objective(pool: Pool) -> None:
    """Maximise net worth with the opening reference rate."""
    pool.model.net_worth = pyo.Objective(sense=pyo.maximize, expr=net_worth(pool, pool.inputs, "worth"))


def net_worth(pool: Pool, data: xr.Dataset, owner: str) -> Any:
    """Net worth: equity + provision + continuing value of balances + margin of liabilities and cash against `ref`.

    Without the last term the last night would be free and funding would jump to the dearest line. `ref` (1/year) is
    the opening weighted cost of drawn lines and notes, `mean_life` (years) the mean remaining life of the book.
    `data` may be the pool's inputs with another `ref_rate`; `owner` is the block that holds the coefficients.
    """
    m = pool.model
    houses, vehicles = list(m.WAREHOUSE), list(m.SPV)
    notes_rate = margin(data, data.rate - data.unused_fee).sel(facility=houses)
    idle_rate = -margin(data, data.facility_cash_rate).sel(facility=vehicles)
    worth = pool.param(owner, "balance", (m.SEGMENT, m.FACILITY), continuing_value(data))
    debt = pool.param(owner, "debt", (m.LINE,), margin(data, data.line_rate - data.commitment_fee))
    notes = pool.param(owner, "notes", (m.WAREHOUSE,), notes_rate)
    idle = pool.param(owner, "facility_cash", (m.SPV,), idle_rate)
    sold = pool.param(owner, "tranche", (m.CLASS,), margin(data, data.coupon))
    market, cash, end = float(margin(data, data.market_rate)), -float(margin(data, data.cash_rate)), pool.grid.size
    return (
        m.equity[end]
        + m.provision[end]
        + sum(worth[s, f] * m.balance[s, f, end] for s in m.SEGMENT for f in m.FACILITY)
        + sum(debt[k] * m.debt[k, end] for k in m.LINE)
        + sum(notes[w] * m.notes[w, end] for w in m.WAREHOUSE)
        + sum(sold[f, k] * m.tranche[f, k, end] for f, k in m.SOLD)
        + sum(idle[f] * m.facility_cash[f, end] for f in m.SPV)
        + market * m.market_debt[end]
        + cash * m.cash[end]
    )


def continuing_value(data: xr.Dataset) -> xr.DataArray:
    """What a unit of balance at the horizon is still worth above its principal, dims (segment, facility).

    Own share: (apr - ref - opex - M lgd) / (L + M + ref); partner's share: (fee - opex) over the same.
    """
    total = data.pay_intensity + data.default_intensity + data.ref_rate
    own = (data.apr - data.ref_rate - data.opex - data.default_intensity * data.lgd) / total
    partner = (data.partner_fee - data.opex) / total
    return (data.own_share * own + (1 - data.own_share) * partner).transpose("segment", "facility")


def margin(data: xr.Dataset, rate: xr.DataArray) -> xr.DataArray:
    """What a unit of a liability at `rate` still earns against `ref` over the mean remaining life."""
    return data.mean_life * (data.ref_rate - rate)
