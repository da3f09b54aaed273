"""The tables of a run (DESIGN 11): what the plan says, account by account, in whole fen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.explain.flows import TREASURY
from liquidity.explain.ledger import COLUMNS
from liquidity.explain.rounding import fen_by_group, fen_by_key
from liquidity.explain.uses import attribute_uses, uses_in_fen
from liquidity.program.plan import opening_states

if TYPE_CHECKING:
    from liquidity.program.pool import Pool

FEN = 2
ORDERS = {
    "lend_returning": "lend", "lend_new": "lend", "draw": "draw", "pay_down": "pay_down", "note_draw": "note_draw",
    "note_pay": "note_pay", "contribute": "contribute", "release": "release", "residual": "residual",
    "sale_of_loans": "sale_of_loans", "coupon": "coupon", "note_principal": "note_principal",
    "note_interest": "note_interest", "line_interest": "line_interest", "note_issue": "note_issue",
    "issue_cost": "issue_cost",
}  # fmt: skip
USE_OF = {
    "note_draw": "", "coupon": "notes", "note_principal": "notes", "note_interest": "notes", "note_pay": "notes",
    "pay_down": "lines", "line_interest": "lines", "market_pay": "lines", "market_interest": "lines",
    "operating_cost": "costs", "fixed_cost": "costs", "other_flow": "costs",
    "issue_cost": "costs",
}  # fmt: skip


def allocation_table(plan: xr.Dataset) -> pd.DataFrame:
    """Lending [segment, borrower, facility, period, amount, reduced_cost]: all of tonight, and what is lent later."""
    table = plan.lend.rename("amount").to_dataframe()
    table["reduced_cost"] = plan.lend_reduced_cost.to_series()
    table = table.dropna().reset_index()[["segment", "borrower", "facility", "period", "amount", "reduced_cost"]]
    table["amount"] = table.amount.round(FEN) + 0.0
    return table[(table.amount != 0) | (table.period == plan.period.values[0])].reset_index(drop=True)


def ledger_table(ledger: xr.Dataset) -> pd.DataFrame:
    """The ledger by segment and period in whole fen; every line adds up."""
    table = ledger.to_dataframe().reset_index()[["segment", "period", *COLUMNS]]
    return fen_by_group(table, COLUMNS[1:], "freed")


def windows(table: pd.DataFrame, labels: list[str], first_days: int) -> dict[str, pd.DataFrame]:
    """The ledger of tonight and of the first 30 days by segment, summed from the printed fen."""
    tonight = table[table.period == labels[0]].set_index("segment")[list(COLUMNS)]
    month = table[table.period.isin(labels[:first_days])].groupby("segment")[list(COLUMNS)].sum().round(FEN)
    return {labels[0]: tonight, "30d": month}


def uses_table(flows: pd.DataFrame, accounts: pd.DataFrame, tonight: pd.Series, period: str) -> pd.DataFrame:
    """Where tonight's freed money went [period, segment, account, use, to, amount], whole fen.

    `tonight`: freed by segment as the ledger prints it.
    """
    now = flows[flows.period == period]
    known = set(accounts.account) | {name for name in now.to_account if name.startswith("partner:")}
    freed = now[now.kind == "principal"].rename(columns={"detail": "segment", "to_account": "account"})
    lent = now[now.kind.str.startswith("lend_")].rename(columns={"detail": "segment", "from_account": "account"})
    lent = lent.assign(borrower=lent.kind.str.removeprefix("lend_"))
    between = now.from_account.isin(known) & now.to_account.isin(known)
    transfers = now[between].rename(columns={"from_account": "account"})
    out = now[now.from_account.isin(known) & ~between & ~now.kind.str.startswith("lend_")]
    out = out.rename(columns={"from_account": "account", "detail": "to"}).assign(use=out.kind.map(USE_OF))
    out["to"] = out.to.where(out.to != "", out.account)
    kept = accounts[accounts.period == period]
    kept = kept.assign(amount=(kept.closing - kept.opening).clip(lower=0.0), use="buffers", to=kept.account)
    partners = partner_rest(now)
    columns = ["account", "use", "to", "amount"]
    outflows = pd.concat([out[columns], kept[kept.amount > 0][columns], partners[columns]], ignore_index=True)
    freed = fen_by_key(freed[["segment", "account", "amount"]], ["segment"], total=tonight)
    uses = attribute_uses(
        freed,
        lent[["account", "segment", "borrower", "amount"]],
        outflows,
        transfers[["account", "to_account", "amount"]],
    )
    return uses_in_fen(uses, freed).assign(period=period)[["period", "segment", "account", "use", "to", "amount"]]


def partner_rest(now: pd.DataFrame) -> pd.DataFrame:
    """What a partner received from its share of joint loans and did not lend again: it is the partner's."""
    into = now[now.to_account.str.startswith("partner:")].groupby("to_account").amount.sum()
    out = now[now.from_account.str.startswith("partner:")].groupby("from_account").amount.sum()
    kept = into.sub(out, fill_value=0.0).clip(lower=0.0)
    return pd.DataFrame({"account": kept.index, "use": "partner", "to": kept.index, "amount": kept.to_numpy()})


def cash_table(accounts: pd.DataFrame, plan: xr.Dataset) -> pd.DataFrame:
    """Cash by account and period [account, period, opening, in, out, closing, restricted], whole fen.

    Cash of a vehicle is restricted: it belongs to the vehicle until it is released.
    """
    table = accounts.drop(columns="gap").copy()
    for name in ("opening", "in", "closing"):
        table[name] = table[name].round(FEN) + 0.0
    table["out"] = (table.opening + table["in"] - table.closing).round(FEN) + 0.0
    table["in"], table["out"] = no_negative_rest(table["in"], table["out"])
    table["restricted"] = table.closing.where(table.account != TREASURY, 0.0)
    return table[["account", "period", "opening", "in", "out", "closing", "restricted"]]


def funding_table(pool: Pool, plan: xr.Dataset) -> pd.DataFrame:
    """Funding by source and period [source, period, opening, draw, repay, closing, cost], whole fen.

    Sources are lines, warehouses (their notes), trusts (their notes held by third parties) and the open market.
    """
    data = pool.inputs.assign_coords(period=pool.grid.labels)
    debt, parts = opening_states(plan, "debt"), []
    cost = (data.line_rate_path * debt + data.commitment_fee * (data.line_committed * pool.unit - debt)) * data.years
    parts.append(stack("line", debt, plan.draw, plan.pay_down, plan.debt, cost))
    if "notes" in plan:
        houses = {"facility": list(pool.model.WAREHOUSE)}
        at, notes, here = data.sel(houses), opening_states(plan, "notes").sel(houses), plan.sel(houses)
        cost = (at.note_rate_path * notes + at.unused_fee * (at.note_committed * pool.unit - notes)) * data.years
        parts.append(stack("facility", notes, here.note_draw, here.note_pay, here.notes, cost))
    if "tranche_balance" in plan:
        sold = data.sold.astype(float)
        owed, trust = (
            opening_states(plan, "tranche_balance"),
            [k.split("/", 1)[0] for k in data.tranche.values.tolist()],
        )
        by = xr.DataArray(trust, dims="tranche", name="facility")
        pay, closing = plan.pay * sold, plan.tranche_balance * sold
        issued = notes_issued(pool, plan) * sold
        cost = owed * sold * data.coupon * data.years
        found = [a.transpose("tranche", "period").groupby(by).sum() for a in (owed * sold, issued, pay, closing, cost)]
        parts.append(stack("facility", *found))
    market = opening_states(plan, "market_debt")
    one = [
        a.expand_dims(line=["open_market"])
        for a in (market, plan.market_draw, plan.market_pay, plan.market_debt, market * data.market_path * data.years)
    ]
    parts.append(stack("line", *one))
    table = pd.concat(parts, ignore_index=True)
    return table[(table.source != "open_market") | (table.closing != 0)].reset_index(drop=True)


def notes_issued(pool: Pool, plan: xr.Dataset) -> xr.DataArray:
    """Notes issued by class and period, CNY."""
    none = xr.zeros_like(plan.pay)
    if "issued" not in plan:
        return none
    for label in none.tranche.values.tolist():
        trust = label.split("/", 1)[0]
        if trust in pool.issues:
            share = pool.inputs.issue_share.sel(tranche=label, drop=True)
            none.loc[{"tranche": label}] = share * plan.issued.sel(facility=trust, drop=True)
    return none


def no_negative_rest(into: pd.Series, rest: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Money in, and what is left for money out: a fen that rounding would take off what was never paid out is added
    to what came in."""
    return (into - rest.clip(upper=0.0)).round(FEN) + 0.0, rest.clip(lower=0.0) + 0.0


def stack(dim: str, opening: xr.DataArray, draw: xr.DataArray, repay: xr.DataArray, closing: xr.DataArray,
          cost: xr.DataArray) -> pd.DataFrame:  # fmt: skip
    """One kind of source as a long table in whole fen; `repay` closes the line where rounding would not."""
    data = xr.Dataset({"opening": opening, "draw": draw, "closing": closing, "cost": cost}).round(FEN)
    table = data.transpose(dim, "period").to_dataframe().reset_index().rename(columns={dim: "source"})
    table["repay"] = (table.opening + table.draw - table.closing).round(FEN)
    table["draw"], table["repay"] = no_negative_rest(table.draw, table.repay)
    return table[["source", "period", "opening", "draw", "repay", "closing", "cost"]]


def tranches_table(pool: Pool, plan: xr.Dataset) -> pd.DataFrame:
    """Classes by period [facility, tranche, period, opening, interest, principal, closing, deficiency], whole fen.

    `deficiency` is the trust's, told with its most junior class. Opening - principal = closing: where a planned ABS is
    issued, principal is below nought.
    """
    columns = ["facility", "tranche", "period", "opening", "interest", "principal", "closing", "deficiency"]
    if "tranche_balance" not in plan:
        return pd.DataFrame(columns=columns)
    data = pool.inputs.assign_coords(period=pool.grid.labels)
    owed = opening_states(plan, "tranche_balance")
    found = {"opening": owed, "interest": data.coupon * owed * data.years, "closing": plan.tranche_balance}
    table = xr.Dataset(found).round(FEN).transpose("tranche", "period").to_dataframe().reset_index()
    table[["facility", "tranche"]] = table.tranche.str.split("/", n=1, expand=True)
    table["principal"] = (table.opening - table.closing).round(FEN) + 0.0
    last = table.tranche == table.groupby("facility").tranche.transform("last")
    open_ = plan.deficiency.round(FEN).to_series()
    keys = pd.MultiIndex.from_frame(table[["facility", "period"]])
    table["deficiency"] = np.where(last, open_.reindex(keys).to_numpy(), 0.0)
    return table[columns]


def orders_table(flows: pd.DataFrame, period: str) -> pd.DataFrame:
    """Tonight's instructions [from_account, to_account, kind, amount, value_date]; what the treasurer signs.

    Lending is one order per account and borrower kind; lines, tranches and vehicles are named.
    """
    now = flows[(flows.period == period) & flows.kind.isin(ORDERS)].copy()
    named = {"lenders": "line", "noteholders": "tranche"}
    for side in ("from_account", "to_account"):
        outside = now[side].isin(named) & (now.detail != "")
        now.loc[outside, side] = now[side][outside] + ":" + now.detail[outside]
    lending = now.kind.str.startswith("lend_")
    now.loc[lending, "to_account"] = "borrowers:" + now.kind[lending].str.removeprefix("lend_")
    now["kind"] = now.kind.map(ORDERS)
    table = now.groupby(["from_account", "to_account", "kind"], as_index=False).amount.sum()
    table["amount"] = table.amount.round(FEN)
    return table[table.amount > 0].assign(value_date=period).reset_index(drop=True)


def provisions_table(staged: pd.DataFrame) -> pd.DataFrame:
    """Stages and expected credit loss by IFRS 9 [segment, stage_1, stage_2, stage_2_share, ecl_rate, book_rate]."""
    return staged.round({"stage_1": FEN, "stage_2": FEN}).reset_index()
