"""The plan: amounts, states, freed and wanted money as a labelled Dataset in CNY."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.program.compile import Family, Program

if TYPE_CHECKING:
    from liquidity.program.pool import Pool
    from liquidity.program.solve import Answer


def make_plan(pool: Pool, program: Program, answer: Answer, reduced: np.ndarray) -> xr.Dataset:
    """The answer with its labels.

    Decisions have the dims of their columns; states are closing values by period, with `opening_<state>` beside them.
    `freed` (segment, facility, period) is principal repaid, `wanted` the part of it that passed every gate, `gate_open`
    the gates. `reduced` are reduced costs of the first stage, kept for `lend`. All money in CNY.
    """
    labels = pool.grid.labels
    arrays: dict[str, xr.DataArray] = {}
    for family in program.columns:
        if (family.kind == "choice" and family.name != "issue") or not family.index:
            continue
        amounts = answer.x[family.place] * pool.unit
        if family.kind == "choice":  # yes or no, whatever the solver's tolerance leaves of it
            amounts = np.round(answer.x[family.place])
        # the solver's tolerance may leave a decision a hair below nought
        values = unfold(family, np.maximum(amounts, 0.0) if family.kind == "decision" else amounts)
        # a dim and an array may not share a name
        name = {"tranche": "tranche_balance"}.get(family.name, family.name)
        if family.kind == "state":
            arrays[f"opening_{name}"] = values.isel(period=0, drop=True)
            values = values.isel(period=slice(1, None))
        if family.dims[-2:] == ("facility", "period") and values.sizes["period"] < pool.grid.size:
            values = values.reindex(period=np.arange(1, pool.grid.size + 1))
        arrays[name] = values.assign_coords(period=labels)
    arrays["lend_reduced_cost"] = unfold(program.column("lend"), reduced[program.column("lend").place]).assign_coords(
        period=labels
    )
    for array in arrays.values():
        array.attrs["units"] = pool.book.currency
    if "issue" in arrays:
        arrays["issue"].attrs["units"] = "1"
    arrays["lend_reduced_cost"].attrs["units"] = f"{pool.book.currency} per {pool.book.currency}"
    arrays.update(demand(pool, arrays))
    # a facility that has no such column has none of it; only reduced costs stay unknown there
    plan = xr.Dataset(arrays).fillna({name: 0.0 for name in arrays if name != "lend_reduced_cost"})
    plan.attrs.update(currency=pool.book.currency, as_of=pool.book.as_of.isoformat(), unit=pool.unit)
    return plan


def demand(pool: Pool, arrays: dict[str, xr.DataArray]) -> dict[str, xr.DataArray]:
    """Freed money by segment and facility, and the gates it met."""
    before = opening_states(arrays, "balance")
    rep = pool.inputs.rep.assign_coords(period=pool.grid.labels)
    freed = (rep * before).transpose("segment", "facility", "period")
    freed.attrs["units"] = pool.book.currency
    gates = pool.inputs.gate_open.assign_coords(period=pool.grid.labels)
    return {"freed": freed, "gate_open": gates, "wanted": freed.sum("facility") * gates.prod("gate")}


def opening_states(arrays: dict[str, xr.DataArray] | xr.Dataset, name: str) -> xr.DataArray:
    """A state at the opening of every period."""
    closing = arrays[name]
    first = arrays[f"opening_{name}"].expand_dims(period=[closing.period.values[0]])
    shifted = closing.isel(period=slice(None, -1)).assign_coords(period=closing.period.values[1:])
    return xr.concat([first, shifted], dim="period").transpose(*closing.dims)


def unfold(family: Family, values: np.ndarray) -> xr.DataArray:
    """Values of a family as an array over its dims; a facility and its tranche make one label `facility/tranche`."""
    frame = family.frame()
    if "tranche" in family.dims:
        frame["tranche"] = frame.facility + "/" + frame.tranche
        frame = frame.drop(columns="facility")
    coords = {str(dim): list(dict.fromkeys(frame[dim])) for dim in frame.columns}
    if len(frame) < np.prod([len(labels) for labels in coords.values()]):  # members that are not a product of labels
        return pd.Series(values, index=pd.MultiIndex.from_frame(frame)).to_xarray().fillna(0.0).reindex(coords)
    return xr.DataArray(values.reshape([len(c) for c in coords.values()]), dims=list(coords), coords=coords)


def balance_sheet_gap(plan: xr.Dataset, own_share: xr.DataArray, sold: xr.DataArray, hqla: float) -> xr.DataArray:
    """Assets less liabilities less equity by period, CNY; zero when the accounts close.

    In symbols: cash + hqla + sum facility_cash + sum w balance - provision + other - debt - notes - market_debt
    - third party tranches - equity.
    """
    zero = xr.zeros_like(plan.cash)
    total = plan.cash + hqla + (plan.balance * own_share).sum(["segment", "facility"]) - plan.provision + plan.other
    total = total + (plan.facility_cash.sum("facility") if "facility_cash" in plan else zero)
    owed = plan.debt.sum("line") + plan.market_debt + plan.equity
    owed = owed + (plan.notes.sum("facility") if "notes" in plan else zero)
    if "tranche_balance" in plan:
        owed = owed + (plan.tranche_balance * sold).sum("tranche")
    return total - owed
