"""Cash of the vehicles, cash of the treasury, and equity by income statement (DESIGN 5).

All flows fall at the end of the period on opening states; new loans earn from the next period. Vehicles are
consolidated, notes the lender holds are eliminated, the partner's share is on no line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from liquidity.program.issues import issue_costs, kept_share
from liquidity.program.pool import Body, Pool


def write_vehicles(pool: Pool) -> None:
    """Cash of warehouses and trusts.

    In symbols: facility_cash[t] = facility_cash[t-1] (1 + r_f d) + collections - servicing - cost of notes
    + note_draw - note_pay + contribute - pay - release - residual - lend - move.  Units; dims facility, period.
    """
    m, data = pool.model, pool.arrays
    start = pool.data("opening_facility_cash", "SPV", of="facility_cash")
    pool.define("opening_facility_cash", (m.SPV,), lambda m, f: m.facility_cash[f, 0], lambda f: start[f])
    vehicles = pool.places(m.SPV)
    net = data.collected - data.servicing_fee * data.years
    got = pool.param("definition", "vehicle_yield", (m.SEGMENT, m.SPV, m.PERIOD), net[:, vehicles])
    kept = 1 + data.facility_cash_rate * data.years
    grow = pool.param("definition", "vehicle_growth", (m.SPV, m.PERIOD), kept[:, vehicles])

    def before_notes(m: Any, f: Any, t: Any) -> Any:
        """Closing cash less what came in on the loans and stayed."""
        return (
            m.facility_cash[f, t]
            - grow[f, t] * m.facility_cash[f, t - 1]
            - sum(got[s, f, t] * m.balance[s, f, t - 1] for s in m.SEGMENT)
            + m.release[f, t]
        )

    warehouse_cash(pool, before_notes)
    trust_cash(pool, before_notes)
    pool.terms("vehicle_cash_floor", (m.BOUGHT, m.PERIOD), lambda m, f, t: m.facility_cash[f, t], at_least=0.0)


def bought(m: Any, f: Any, t: Any) -> Any:
    """What a vehicle pays for loans, new and seasoned."""
    lent = sum(m.lend[s, u, f, t] for s in m.SEGMENT for u in m.BORROWER)
    return lent + sum(m.move[s, f, t] for s in m.SEGMENT)


def warehouse_cash(pool: Pool, before_notes: Body) -> None:
    """Definition of the cash of warehouses."""
    m = pool.model
    cost, unused = note_costs(pool)
    pool.define(
        "warehouse_cash",
        (m.WAREHOUSE, m.PERIOD),
        lambda m, w, t: (
            before_notes(m, w, t)
            + cost[w, t] * m.notes[w, t - 1]
            - m.note_draw[w, t]
            + m.note_pay[w, t]
            - m.contribute[w, t]
            + bought(m, w, t)
            - sum(m.take[s, w, f, t] for s in m.SEGMENT for f in m.TAKERS[w, t])
        ),
        lambda w, t: -unused[w, t],
    )


def trust_cash(pool: Pool, before_notes: Body) -> None:
    """Definition of the cash of trusts; one whose run-off is data buys nothing."""
    m, data = pool.model, pool.arrays
    coupon = pool.param("definition", "coupon_cost", (m.CLASS, m.PERIOD), data.coupon * data.years)

    def before_buying(m: Any, f: Any, t: Any) -> Any:
        paid = sum(coupon[f, k, t] * m.tranche[f, k, t - 1] + m.pay[f, k, t] for k in m.TRANCHES[f])
        return before_notes(m, f, t) + paid + m.residual[f, t]

    pool.define("scheduled_cash", (m.SCHEDULED, m.PERIOD), before_buying)
    pool.define(
        "trust_cash",
        (m.ABS, m.PERIOD),
        lambda m, f, t: (
            before_buying(m, f, t)
            + bought(m, f, t)
            + sum(m.take[s, w, f, t] for s in m.SEGMENT for w in m.GIVERS[f, t])
            - sum(m.issued[f, n] for n in m.ISSUE_AT[f, t])
        ),
    )


def vehicle_columns(pool: Pool) -> None:
    """What vehicles hold and release."""
    pool.variable("release", "SPV", "PERIOD")
    pool.variable("facility_cash", "SPV", "TIME", kind="state")


def note_costs(pool: Pool):  # type: ignore[no-untyped-def]
    """Cost of a unit of warehouse notes in a period, and the fee on the whole commitment (it nets to the undrawn)."""
    m, data = pool.model, pool.arrays
    houses = pool.places(m.WAREHOUSE)
    rate = ((data.note_rate_path - data.unused_fee) * data.years)[:, houses]
    fee = (data.unused_fee * data.note_committed * data.years)[:, houses]
    cost = pool.param("definition", "note_cost", (m.WAREHOUSE, m.PERIOD), rate)
    return cost, pool.param("definition", "note_fee", (m.WAREHOUSE, m.PERIOD), fee)


def direct(pool: Pool) -> np.ndarray:
    """1 for facilities whose loans sit on the lender's own accounts (balance sheet, joint), else 0; on their axis."""
    own = np.zeros((1, len(pool.facilities), 1))
    own[:, pool.places(pool.model.DIRECT)] = 1.0
    return own


def write_treasury(pool: Pool) -> None:
    """Treasury cash and equity, and `other`, what the balance sheet holds beside the program."""
    m, data = pool.model, pool.arrays
    booked_of = {"cash": data.lender_cash, "equity": data.lender_equity, "other": data.other}
    for name, booked in booked_of.items():
        pool.variable(name, "TIME", kind="state")
        before = pool.index("definition", f"{name}_opening", [0])
        state = m.component(name)
        pool.define(f"opening_{name}", (before,), lambda m, t, state=state: state[t], booked)
    moved = pool.flows("other")
    pool.define("other", (m.PERIOD,), lambda m, t: m.other[t] - m.other[t - 1], -moved)
    costs = line_costs(pool)
    cash(pool, *costs)
    equity(pool, *costs)
    pool.terms("cash_floor", (m.PERIOD,), lambda m, t: m.cash[t], at_least=0.0)


def line_costs(pool: Pool):  # type: ignore[no-untyped-def]
    """Cost of a unit of debt and of market debt in a period, and what is paid whatever is drawn (fees, fixed opex)."""
    m, data = pool.model, pool.arrays
    rate = pool.param(
        "definition", "line_cost", (m.LINE, m.PERIOD), (data.line_rate_path - data.commitment_fee) * data.years
    )
    market = pool.param("definition", "market_cost", (m.PERIOD,), data.market_path * data.years)
    fees = (data.commitment_fee * data.line_committed).sum(axis=(0, 1)) + data.lender_opex_per_year
    return rate, market, fees * data.years.ravel()


def cash(pool: Pool, rate, market, fixed) -> None:  # type: ignore[no-untyped-def]
    """Treasury cash.

    In symbols: cash[t] = cash[t-1] (1 + r_c d) + own share of collections + partner and servicing fees - opex
    + retained coupon and pay + releases, residuals, sales - contributions - own lending + draws - repayments
    - cost of lines + other flows.
    """
    m, data = pool.model, pool.arrays
    on_own = direct(pool)
    per = (
        on_own * data.own_share * data.collected
        + (1 - data.own_share) * data.partner_fee * data.years
        + (1 - on_own) * data.servicing_fee * data.years
        - data.opex * data.years
    )
    got = pool.param("definition", "treasury_yield", (m.SEGMENT, m.FACILITY, m.PERIOD), per)
    grow = pool.param("definition", "cash_growth", (m.PERIOD,), 1 + data.cash_rate * data.years)
    coupon = m.rule.definition.coupon_cost
    flow = pool.flows() - fixed
    spent = issue_costs(pool)
    kept = kept_share(pool)
    own = pool.param("definition", "issue_kept", (m.ISSUE,), lambda f, t: kept[f])
    pool.define(
        "cash",
        (m.PERIOD,),
        lambda m, t: (
            m.cash[t]
            - grow[t] * m.cash[t - 1]
            - sum(got[s, f, t] * m.balance[s, f, t - 1] for s in m.SEGMENT for f in m.FACILITY)
            - sum(coupon[f, k, t] * m.tranche[f, k, t - 1] + m.pay[f, k, t] for f, k in m.RETAINED)
            - sum(m.release[f, t] for f in m.SPV)
            - sum(m.residual[f, t] for f in m.TRUST)
            + sum(m.contribute[w, t] for w in m.WAREHOUSE)
            - sum(m.move[s, f, t] for s in m.SEGMENT for f in m.BOUGHT)
            + sum(m.own_share[f] * m.lend[s, u, f, t] for s in m.SEGMENT for u in m.BORROWER for f in m.DIRECT)
            - sum(m.draw[k, t] - m.pay_down[k, t] - rate[k, t] * m.debt[k, t - 1] for k in m.LINE)
            - m.market_draw[t]
            + m.market_pay[t]
            + market[t] * m.market_debt[t - 1]
            + sum(own[f, t] * m.issued[f, t] + spent[f, t] * m.issue[f, t] for f in m.ISSUED_IN[t])
        ),
        flow,
    )


def equity(pool: Pool, rate, market, fixed) -> None:  # type: ignore[no-untyped-def]
    """Equity by income statement: interest, fees and cash interest less losses, funding, costs and new provision."""
    m, data = pool.model, pool.arrays
    per = (
        data.own_share * (data.interest - data.loss)
        + (1 - data.own_share) * data.partner_fee * data.years
        - data.opex * data.years
    )
    earned = pool.param("definition", "income_yield", (m.SEGMENT, m.FACILITY, m.PERIOD), per)
    on_cash = pool.param("definition", "cash_income", (m.PERIOD,), data.cash_rate * data.years)
    idle = (data.facility_cash_rate * data.years)[:, pool.places(m.SPV)]
    on_vehicle = pool.param("definition", "vehicle_income", (m.SPV, m.PERIOD), idle)
    of = m.rule.definition.component
    coupon, cost, unused, spent = (of(name) for name in ("coupon_cost", "note_cost", "note_fee", "issue_cost"))
    flow = pool.flows("income") - fixed - unused.array.reshape(len(m.WAREHOUSE), pool.grid.size).sum(axis=0)
    pool.define(
        "equity",
        (m.PERIOD,),
        lambda m, t: (
            m.equity[t]
            - m.equity[t - 1]
            - sum(earned[s, f, t] * m.balance[s, f, t - 1] for s in m.SEGMENT for f in m.FACILITY)
            - on_cash[t] * m.cash[t - 1]
            - sum(on_vehicle[f, t] * m.facility_cash[f, t - 1] for f in m.SPV)
            + sum(rate[k, t] * m.debt[k, t - 1] for k in m.LINE)
            + market[t] * m.market_debt[t - 1]
            + sum(cost[w, t] * m.notes[w, t - 1] for w in m.WAREHOUSE)
            + sum(coupon[f, k, t] * m.tranche[f, k, t - 1] for f, k in m.SOLD)
            + m.provision[t]
            - m.provision[t - 1]
            + sum(spent[f, t] * m.issue[f, t] for f in m.ISSUED_IN[t])
        ),
        flow,
    )
