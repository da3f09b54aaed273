"""The core model in linopy, as its own documentation writes models: labelled variables, arithmetic on whole arrays.

See `reference_numpy` for what the core is; the tests hold this one to the same rows, columns and objective. It also
takes what a scenario changes of rates, losses, requests and haircuts, not shut markets or frozen facilities. Reading it
beside `liquidity.program` is a fair picture of what either algebra asks of its reader.
"""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from liquidity.program.lines import floors
from liquidity.program.pool import Pool


def write_linopy(pool: Pool, values: dict[str, Any]) -> linopy.Model:
    """The core model; `values` are numbers of the rules, see `cases.core_values`. Units of the pool."""
    m = linopy.Model()
    d = pool.inputs.rename(period="time")
    x = variables(m, pool, d)
    now = {name: v.isel(time=slice(1, None)) for name, v in x.items() if v.sizes["time"] > pool.grid.size}
    old = {name: x[name].isel(time=slice(None, -1)).assign_coords(time=d.time) for name in now}
    kind = pool.facilities.kind
    houses, joint, own = (
        [f for f in kind.index if kind[f] == name] for name in ("warehouse", "joint", "balance_sheet")
    )
    openings(m, pool, d, x)
    balances(m, d, x, now, old, houses, joint, own)
    lines(m, pool, d, x, now, old)
    vehicles(m, d, x, now, old, houses)
    treasury(m, pool, d, x, now, old, houses, own + joint)
    rules(m, d, x, now, old, values, houses)
    m.add_objective(goal(d, x, houses), sense="max")
    return m


def variables(m: linopy.Model, pool: Pool, d: xr.Dataset) -> dict[str, Any]:
    """Decisions are not negative; states, with the opening at time 0, are free."""
    kind = pool.facilities.kind
    S, F, L = (
        pd.Index(d.segment.values, name="segment"),
        pd.Index(kind.index, name="facility"),
        pd.Index(d.line, name="line"),
    )
    W = pd.Index([f for f in kind.index if kind[f] == "warehouse"], name="facility")
    U, T = pd.Index(["returning", "new"], name="borrower"), pd.Index(d.time.values, name="time")
    T0 = pd.Index(range(pool.grid.size + 1), name="time")
    decisions = {"lend": (S, U, F, T), "move": (S, W, T), "draw": (L, T), "pay_down": (L, T), "market_draw": (T,),
                 "market_pay": (T,), "release": (W, T), "note_draw": (W, T), "note_pay": (W, T),
                 "contribute": (W, T)}  # fmt: skip
    states = {"balance": (S, F, T0), "provision": (T0,), "debt": (L, T0), "market_debt": (T0,),
              "facility_cash": (W, T0), "notes": (W, T0), "cash": (T0,), "equity": (T0,), "other": (T0,)}  # fmt: skip
    out = {name: m.add_variables(lower=0, coords=list(over), name=name) for name, over in decisions.items()}
    return out | {name: m.add_variables(coords=list(over), name=name) for name, over in states.items()}


def openings(m: linopy.Model, pool: Pool, d: xr.Dataset, x: dict[str, Any]) -> None:
    """States before tonight."""
    houses = x["notes"].coords["facility"]
    at = {"balance": d.balance, "provision": d.lender_provision, "debt": d.debt, "market_debt": 0.0,
          "notes": d.notes.sel(facility=houses), "facility_cash": d.facility_cash.sel(facility=houses),
          "cash": d.lender_cash, "equity": d.lender_equity, "other": d.other}  # fmt: skip
    for name, value in at.items():
        m.add_constraints(x[name].isel(time=[0]) == value, name=f"opening_{name}")


def balances(m: linopy.Model, d: xr.Dataset, x: Any, now: Any, old: Any, houses: Any, joint: Any, own: Any) -> None:
    """Run-off, lending, sales; provision."""
    lent, sold = x["lend"].sum("borrower"), x["move"].sum("facility")
    change = now["balance"] - d.keep * old["balance"] - lent
    m.add_constraints(change.sel(facility=own) + sold == 0, name="balance_house")
    m.add_constraints(change.sel(facility=joint) == 0, name="balance_joint")
    m.add_constraints(change.sel(facility=houses) - x["move"] == 0, name="balance_bought")
    rate = d.ecl_path * d.own_share
    m.add_constraints(now["provision"] - (rate * now["balance"]).sum(["segment", "facility"]) == 0, name="provision")
    kept = d.keep.sel(facility=own) * old["balance"].sel(facility=own)
    m.add_constraints(sold - kept <= 0, name="move_cap")


def lines(m: linopy.Model, pool: Pool, d: xr.Dataset, x: Any, now: Any, old: Any) -> None:
    """Credit lines, the shut market, warehouse notes."""
    low = xr.DataArray(np.array(list(floors(pool).values())).reshape(d.sizes["line"], -1),
                       coords={"line": d.line, "time": d.time})  # fmt: skip
    m.add_constraints(now["debt"] - old["debt"] - x["draw"] + x["pay_down"] == 0, name="debt")
    m.add_constraints(now["debt"] >= low, name="debt_floor")
    once = [k for k in d.line.values if not pool.book["lines"].revolving[k]]
    m.add_constraints(x["draw"].sel(line=once) <= 0, name="no_redraw")
    flow = x["market_draw"] - x["market_pay"]
    m.add_constraints(now["market_debt"] - old["market_debt"] - flow == 0, name="market_debt")
    m.add_constraints(now["market_debt"] >= 0, name="market_floor")
    m.add_constraints(now["market_debt"] <= 0, name="open_market")
    m.add_constraints(now["notes"] - old["notes"] - x["note_draw"] + x["note_pay"] == 0, name="notes")
    m.add_constraints(now["notes"] >= 0, name="notes_floor")


def vehicles(m: linopy.Model, d: xr.Dataset, x: Any, now: Any, old: Any, houses: Any) -> None:
    """Contributions to the warehouses and their cash."""
    at = d.sel(facility=houses)
    lent, moved = x["lend"].sel(facility=houses).sum(["segment", "borrower"]), x["move"].sum("segment")
    held, part = old["balance"].sel(facility=houses), 1 - at.advance_path
    lost = (at.loss * held).sum("segment")
    m.add_constraints(x["contribute"] - part * lent - part * moved - lost <= 0, name="contribute_cap")
    got = ((at.collected - at.servicing_fee * at.years) * held).sum("segment")
    grown = (1 + at.facility_cash_rate * at.years) * old["facility_cash"]
    cost = (at.note_rate_path - at.unused_fee) * at.years * old["notes"]
    m.add_constraints(
        now["facility_cash"] - grown - got + x["release"] + cost - x["note_draw"] + x["note_pay"] - x["contribute"]
        + lent + moved == -at.unused_fee * at.note_committed * at.years,
        name="warehouse_cash",
    )  # fmt: skip
    m.add_constraints(now["facility_cash"] >= 0, name="vehicle_cash_floor")


def treasury(m: linopy.Model, pool: Pool, d: xr.Dataset, x: Any, now: Any, old: Any, houses: Any, direct: Any) -> None:
    """Cash, equity, and what stands beside."""
    at, every = d.sel(facility=houses), ["segment", "facility"]
    flow = {name: xr.DataArray(pool.flows(name), coords={"time": d.time}) for name in ("other", "income", None)}
    m.add_constraints(now["other"] - old["other"] == -flow["other"], name="other")
    on_own = xr.DataArray(np.isin(d.facility.values, direct).astype(float), coords={"facility": d.facility})
    fixed = ((d.commitment_fee * d.line_committed).sum("line") + d.lender_opex_per_year) * d.years
    partner = (1 - d.own_share) * d.partner_fee * d.years
    got = on_own * d.own_share * d.collected + partner + (1 - on_own) * d.servicing_fee * d.years - d.opex * d.years
    interest = ((d.line_rate_path - d.commitment_fee) * d.years * old["debt"]).sum("line")
    own_lent = (d.own_share.sel(facility=direct) * x["lend"].sel(facility=direct)).sum([*every, "borrower"])
    m.add_constraints(
        now["cash"] - (1 + d.cash_rate * d.years) * old["cash"] - (got * old["balance"]).sum(every)
        - x["release"].sum("facility") + x["contribute"].sum("facility") - x["move"].sum(every) + own_lent
        - (x["draw"] - x["pay_down"]).sum("line") + interest - x["market_draw"] + x["market_pay"]
        + d.market_path * d.years * old["market_debt"] == flow[None] - fixed,
        name="cash",
    )  # fmt: skip
    earned = d.own_share * (d.interest - d.loss) + partner - d.opex * d.years
    fees = (at.unused_fee * at.note_committed * at.years).sum("facility")
    m.add_constraints(
        now["equity"] - old["equity"] - (earned * old["balance"]).sum(every) - d.cash_rate * d.years * old["cash"]
        - (at.facility_cash_rate * at.years * old["facility_cash"]).sum("facility") + interest
        + d.market_path * d.years * old["market_debt"]
        + ((at.note_rate_path - at.unused_fee) * at.years * old["notes"]).sum("facility")
        + now["provision"] - old["provision"] == flow["income"] - fixed - fees,
        name="equity",
    )  # fmt: skip
    m.add_constraints(now["cash"] >= 0, name="cash_floor")


def rules(m: linopy.Model, d: xr.Dataset, x: Any, now: Any, old: Any, v: dict[str, Any], houses: Any) -> None:
    """The rules CORE."""
    at, every, mine = d.sel(facility=houses), ["segment", "facility"], d.own_share
    pledged = now["balance"].sel(facility=houses).sum("segment") + now["facility_cash"]
    m.add_constraints(now["notes"] - at.advance_path * pledged <= 0, name="advance_rate")
    earned = now["equity"] - x["equity"].isel(time=0, drop=True)
    need = v["ratio"] * d.risk_weight * mine
    m.add_constraints(earned - (need * now["balance"]).sum(every) >= -v["capital"], name="capital")
    gone = v["hqla"] * (1 - d.hqla_kept)
    m.add_constraints(now["cash"] >= v["amount"] + gone, name="cash_amount")
    call = xr.DataArray(v["line_call"], coords={"line": d.line})
    needed = (call * now["debt"]).sum("line") + (v["notes_call"] * now["notes"]).sum("facility")
    m.add_constraints(now["cash"] - needed >= gone - v["hqla"], name="cash_coverage")
    excess = xr.DataArray(v["excess"], dims=("group", "segment"), coords={"segment": d.segment})
    m.add_constraints((excess * now["balance"].sum("facility")).sum("segment") <= 0, name="concentration")
    m.add_constraints(
        ((d.pd_path * d.lgd_path - v["rate"]) * mine * now["balance"]).sum(every) <= 0, name="expected_loss"
    )
    room = xr.DataArray(v["room"], coords={"segment": d.segment})
    m.add_constraints(now["balance"].sum("facility") <= room, name="household_cap")
    times = xr.DataArray(v["times"], dims="class")
    line_of = xr.DataArray(v["line_of"], dims=("class", "line"), coords={"line": d.line})
    house_of = xr.DataArray(v["house_of"], dims=("class", "facility"), coords={"facility": houses})
    borrowed = (line_of * now["debt"]).sum("line") + (house_of * now["notes"]).sum("facility")
    m.add_constraints(borrowed - times * earned <= times * d.lender_net_assets, name="leverage_multiple")
    line_room = xr.DataArray(v["line_room"], coords={"line": d.line, "time": d.time})
    m.add_constraints(now["debt"] <= line_room, name="line_limit")
    m.add_constraints(now["notes"] <= at.note_commitment_path, name="note_limit")
    asked = (d.gates * d.rep * old["balance"]).sum("facility")
    lent = x["lend"].sum("facility")
    m.add_constraints(lent.sel(borrower="returning", drop=True) - asked <= 0, name="returning")
    m.add_constraints(lent.sel(borrower="new", drop=True) <= d.new_demand, name="new")


def goal(d: xr.Dataset, x: Any, houses: Any) -> Any:
    """Net worth at the horizon."""
    end = {name: x[name].isel(time=-1, drop=True) for name in
           ("equity", "provision", "balance", "debt", "notes", "facility_cash", "market_debt", "cash")}  # fmt: skip
    last = d.isel(time=-1, drop=True)
    at, lost = last.sel(facility=houses), last.default_path
    total = last.pay_path + lost + d.ref_rate
    mine = (d.apr - d.ref_rate - d.opex - lost * last.lgd_path) / total
    theirs = (d.partner_fee - d.opex) / total
    worth = d.own_share * mine + (1 - d.own_share) * theirs
    life, ref = d.mean_life, d.ref_rate
    return (
        end["equity"] + end["provision"] + (worth * end["balance"]).sum()
        + (life * (ref - last.line_rate_path + d.commitment_fee) * end["debt"]).sum()
        + (life * (ref - at.note_rate_path + at.unused_fee) * end["notes"]).sum()
        - (life * (ref - at.facility_cash_rate) * end["facility_cash"]).sum()
        + life * (ref - last.market_path) * end["market_debt"] - life * (ref - d.cash_rate) * end["cash"]
    )  # fmt: skip
