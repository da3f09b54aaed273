"""Every cash flow of the plan, account by account: the second book-keeping that the accounts are checked against.

Accounts are `treasury`, one per vehicle (warehouses and trusts), and one per partner of joint lending. A flow between
two accounts is written once, with both. Nothing here is read off the program's rows: flows are computed anew from
amounts, rates and opening states, so a slip in an equation shows as an account that does not close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from liquidity.program.plan import opening_states

if TYPE_CHECKING:
    from liquidity.program.pool import Pool

TREASURY = "treasury"
COLUMNS = ["period", "from_account", "to_account", "kind", "detail", "amount"]
OUTSIDE = ("borrowers", "lenders", "noteholders", "market", "costs", "other")


class Book:
    """Collects flows as tables; a negative amount is the same flow the other way."""

    def __init__(self) -> None:
        self.parts: list[pd.DataFrame] = []

    def add(self, source: str, target: str, kind: str, amounts: xr.DataArray, detail: str = "") -> None:
        """Flows by period, with the dim `detail` (if any) as what they are about."""
        table = amounts.rename("amount").to_dataframe().reset_index()
        table = table[table.amount != 0]
        part = pd.DataFrame({"period": table.period, "amount": table.amount.astype(float)})
        part["from_account"], part["to_account"], part["kind"] = source, target, kind
        part["detail"] = table[detail].astype(str) if detail else ""
        self.parts.append(part[COLUMNS])

    def table(self) -> pd.DataFrame:
        """All flows, amounts positive."""
        out = pd.concat(self.parts, ignore_index=True) if self.parts else pd.DataFrame(columns=COLUMNS)
        back = out.amount < 0
        out.loc[back, ["from_account", "to_account"]] = out.loc[back, ["to_account", "from_account"]].to_numpy()
        return out.assign(amount=out.amount.abs())


def make_flows(pool: Pool, plan: xr.Dataset) -> pd.DataFrame:
    """All cash flows [period, from_account, to_account, kind, detail, amount] of the plan, CNY.

    `detail` names the segment, line or tranche the flow is about. Outside parties are `borrowers`, `lenders`,
    `noteholders`, `market`, `costs` and `other`.
    """
    data = pool.inputs.assign_coords(period=pool.grid.labels)
    book, held = Book(), opening_states(plan, "balance")
    for facility in data.facility.values.tolist():
        kind = pool.facilities.kind[facility]
        at, balance = data.sel(facility=facility), held.sel(facility=facility, drop=True)
        if kind in ("balance_sheet", "joint"):
            loans_of_lender(book, plan, facility, at, balance, partner_account(pool, facility))
        else:
            loans_of_vehicle(book, plan, facility, at, balance)
        book.add(TREASURY, "costs", "operating_cost", (at.opex * at.years * balance).sum("segment"))
    vehicles(book, pool, plan, data)
    treasury(book, pool, plan, data)
    return book.table()


def partner_account(pool: Pool, facility: str) -> str:
    """The account of a joint facility's partner."""
    return f"partner:{pool.facilities.partner[facility]}"


def loans_of_lender(
    book: Book, plan: xr.Dataset, facility: str, at: xr.Dataset, balance: xr.DataArray, partner: str
) -> None:
    """Loans on the lender's own accounts; a joint loan splits over treasury and partner."""
    for account, share in ((TREASURY, float(at.own_share)), (partner, 1 - float(at.own_share))):
        if share > 0:
            receipts(book, account, at, balance * share)
            lending(book, plan, facility, account, share)
    fee = ((1 - at.own_share) * at.partner_fee * at.years * balance).sum("segment")
    book.add(partner, TREASURY, "partner_fee", fee)


def loans_of_vehicle(book: Book, plan: xr.Dataset, facility: str, at: xr.Dataset, balance: xr.DataArray) -> None:
    """Loans held by a warehouse or trust."""
    receipts(book, facility, at, balance)
    book.add(facility, TREASURY, "servicing", (at.servicing_fee * at.years * balance).sum("segment"))
    if facility in plan.lend.facility.values:
        lending(book, plan, facility, facility, 1.0)
        sold = plan.move.sel(facility=facility, drop=True)
        book.add(facility, TREASURY, "sale_of_loans", sold, "segment")
    if "take" in plan and facility in plan.take.facility.values:
        for giver in plan.take.warehouse.values.tolist():
            taken = plan.take.sel(facility=facility, warehouse=giver, drop=True)
            book.add(facility, giver, "sale_of_loans", taken, "segment")


def receipts(book: Book, account: str, at: xr.Dataset, balance: xr.DataArray) -> None:
    """Principal, interest and recoveries that borrowers pay in."""
    book.add("borrowers", account, "principal", at.rep * balance, "segment")
    book.add("borrowers", account, "interest", (at.interest * balance).sum("segment"))
    book.add("borrowers", account, "recoveries", ((at.default - at.loss) * balance).sum("segment"))


def lending(book: Book, plan: xr.Dataset, facility: str, account: str, share: float) -> None:
    """Loans paid out from an account."""
    for borrower in plan.borrower.values.tolist():
        lent = plan.lend.sel(facility=facility, borrower=borrower, drop=True) * share
        book.add(account, "borrowers", f"lend_{borrower}", lent, "segment")


def vehicles(book: Book, pool: Pool, plan: xr.Dataset, data: xr.Dataset) -> None:
    """Notes, contributions, releases and interest on cash of the vehicles."""
    m = pool.model
    for facility in m.WAREHOUSE:
        at, notes = data.sel(facility=facility), opening_states(plan, "notes").sel(facility=facility, drop=True)
        unused = at.unused_fee * (at.note_committed * pool.unit - notes)
        book.add(facility, "lenders", "note_interest", (at.note_rate_path * notes + unused) * at.years)
        book.add("lenders", facility, "note_draw", plan.note_draw.sel(facility=facility, drop=True))
        book.add(facility, "lenders", "note_pay", plan.note_pay.sel(facility=facility, drop=True))
        book.add(TREASURY, facility, "contribute", plan.contribute.sel(facility=facility, drop=True))
    for facility in m.SPV:
        at = data.sel(facility=facility)
        cash = opening_states(plan, "facility_cash").sel(facility=facility, drop=True)
        book.add("market", facility, "interest_on_cash", at.facility_cash_rate * at.years * cash)
        book.add(facility, TREASURY, "release", plan.release.sel(facility=facility, drop=True))
    for facility in m.TRUST:
        book.add(facility, TREASURY, "residual", plan.residual.sel(facility=facility, drop=True))
    classes(book, pool, plan, data)
    if "issued" in plan:
        issues(book, pool, plan, data)


def issues(book: Book, pool: Pool, plan: xr.Dataset, data: xr.Dataset) -> None:
    """What holders pay for the notes of planned ABS, the treasury for the classes it keeps; and the fixed costs."""
    sold = dict(zip(data.tranche.values.tolist(), data.sold.values))
    for trust, terms in pool.issues.items():
        issued = plan.issued.sel(facility=trust, drop=True)
        for k in pool.model.TRANCHES[trust]:
            label = f"{trust}/{k}"
            paid = (data.issue_share.sel(tranche=label, drop=True) * issued).expand_dims(tranche=[label])
            book.add("noteholders" if sold[label] else TREASURY, trust, "note_issue", paid, "tranche")
        cost = (terms.cost * plan.issue.sel(facility=trust, drop=True)).expand_dims(facility=[trust])
        book.add(TREASURY, "costs", "issue_cost", cost, "facility")


def classes(book: Book, pool: Pool, plan: xr.Dataset, data: xr.Dataset) -> None:
    """Coupons and principal of every class; the retained ones go to the treasury."""
    if "tranche_balance" not in plan:
        return
    owed = opening_states(plan, "tranche_balance")
    for label, sold in zip(data.tranche.values.tolist(), data.sold.values):
        trust, holder = label.split("/", 1)[0], "noteholders" if sold else TREASURY
        coupon = data.coupon.sel(tranche=label) * data.years * owed.sel(tranche=label, drop=True)
        paid = plan.pay.sel(tranche=label, drop=True)
        for kind, amounts in (("coupon", coupon), ("note_principal", paid)):
            book.add(
                trust,
                holder,
                kind,
                amounts.drop_vars("tranche", errors="ignore").expand_dims(tranche=[label]),
                "tranche",
            )


def treasury(book: Book, pool: Pool, plan: xr.Dataset, data: xr.Dataset) -> None:
    """Lines, the open market, fixed costs, interest on cash and other flows."""
    debt = opening_states(plan, "debt")
    undrawn = data.line_committed * pool.unit - debt
    book.add(
        TREASURY,
        "lenders",
        "line_interest",
        (data.line_rate_path * debt + data.commitment_fee * undrawn) * data.years,
        "line",
    )
    book.add("lenders", TREASURY, "draw", plan.draw, "line")
    book.add(TREASURY, "lenders", "pay_down", plan.pay_down, "line")
    owed = opening_states(plan, "market_debt")
    book.add(TREASURY, "market", "market_interest", data.market_path * data.years * owed)
    book.add("market", TREASURY, "market_draw", plan.market_draw)
    book.add(TREASURY, "market", "market_pay", plan.market_pay)
    book.add(TREASURY, "costs", "fixed_cost", data.lender_opex_per_year * pool.unit * data.years)
    book.add("market", TREASURY, "interest_on_cash", data.cash_rate * data.years * opening_states(plan, "cash"))
    book.add("other", TREASURY, "other_flow", data.flow * pool.unit, "account")


def account_gaps(pool: Pool, plan: xr.Dataset, flows: pd.DataFrame) -> pd.DataFrame:
    """Opening, in, out, closing by account and period, and `gap`, what does not add up (CNY)."""
    cash = {TREASURY: (plan.opening_cash, plan.cash)}
    for facility in pool.model.SPV:
        cash[facility] = (plan.opening_facility_cash.sel(facility=facility), plan.facility_cash.sel(facility=facility))
    into = flows.groupby(["to_account", "period"]).amount.sum()
    out = flows.groupby(["from_account", "period"]).amount.sum()
    tables = []
    for account, (start, closing) in cash.items():
        table = pd.DataFrame({"account": account, "period": plan.period.values, "closing": closing.values})
        table["opening"] = [float(start), *closing.values[:-1]]
        for name, series in (("in", into), ("out", out)):
            found = series[series.index.get_level_values(0) == account].droplevel(0)
            table[name] = found.reindex(table.period).fillna(0.0).to_numpy()
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    table["gap"] = table.opening + table["in"] - table.out - table.closing
    return table[["account", "period", "opening", "in", "out", "closing", "gap"]]
