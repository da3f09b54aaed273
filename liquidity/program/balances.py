"""Loan balances by segment and facility, and what may move between facilities (DESIGN 5)."""

from __future__ import annotations

from liquidity.program.pool import Pool


def write_balances(pool: Pool) -> None:
    """Lending, sales of seasoned loans, balances and provision.

    In symbols: balance[s,f,t] = (1 - rep - def) balance[s,f,t-1] + lend + move_in - move_out;
    provision[t] = sum w ecl_rate[t] balance[t].  Units; dims segment, facility, period.
    """
    columns(pool)
    for name in ("rep", "keep", "loss"):
        pool.data(name, "SEGMENT", "FACILITY", "PERIOD")
    pool.data("own_share", "FACILITY")
    pool.data("gates", "SEGMENT", "PERIOD")
    opening(pool)
    run_off(pool)
    provision(pool)
    m = pool.model
    # without this row loans were sold short
    pool.terms(
        "move_cap",
        (m.SEGMENT, m.HOUSE, m.PERIOD),
        lambda m, s, h, t: sum(m.move[s, f, t] for f in m.BOUGHT) - m.keep[s, h, t] * m.balance[s, h, t - 1],
        at_most=0.0,
    )


def columns(pool: Pool) -> None:
    """Decisions exist for every possible segment, facility and period; what shuts one of them is a row."""
    pool.variable("lend", "SEGMENT", "BORROWER", "OPEN", "PERIOD")
    pool.variable("move", "SEGMENT", "BOUGHT", "PERIOD")
    pool.variable("balance", "SEGMENT", "FACILITY", "TIME", kind="state")
    pool.variable("provision", "TIME", kind="state")


def opening(pool: Pool) -> None:
    """Balances and provision before tonight."""
    m = pool.model
    start = pool.data("opening_balance", "SEGMENT", "FACILITY", of="balance")
    pool.define("opening_balance", (m.SEGMENT, m.FACILITY), lambda m, s, f: m.balance[s, f, 0], start.array)
    booked = pool.arrays.lender_provision
    pool.define("opening_provision", (pool.index("definition", "opening", [0]),), lambda m, t: m.provision[t], booked)


def run_off(pool: Pool) -> None:
    """The balance of every kind of facility."""
    m = pool.model
    pool.define(
        "balance_house",
        (m.SEGMENT, m.HOUSE, m.PERIOD),
        lambda m, s, f, t: (
            m.balance[s, f, t]
            - m.keep[s, f, t] * m.balance[s, f, t - 1]
            - sum(m.lend[s, u, f, t] for u in m.BORROWER)
            + sum(m.move[s, g, t] for g in m.BOUGHT)
        ),
    )
    pool.define(
        "balance_joint",
        (m.SEGMENT, m.JOINT, m.PERIOD),
        lambda m, s, f, t: (
            m.balance[s, f, t] - m.keep[s, f, t] * m.balance[s, f, t - 1] - sum(m.lend[s, u, f, t] for u in m.BORROWER)
        ),
    )
    pool.define(
        "balance_bought",
        (m.SEGMENT, m.BOUGHT, m.PERIOD),
        lambda m, s, f, t: (
            m.balance[s, f, t]
            - m.keep[s, f, t] * m.balance[s, f, t - 1]
            - sum(m.lend[s, u, f, t] for u in m.BORROWER)
            - m.move[s, f, t]
            - sum(m.take[s, w, f, t] for w in m.GIVERS[f, t])
            + sum(m.take[s, f, g, t] for g in m.TAKERS[f, t])
        ),
    )
    pool.define(
        "balance_scheduled",
        (m.SEGMENT, m.SCHEDULED, m.PERIOD),
        lambda m, s, f, t: m.balance[s, f, t] - m.keep[s, f, t] * m.balance[s, f, t - 1],
    )


def provision(pool: Pool) -> None:
    """Provision follows the lender's own share of every balance."""
    m, data = pool.model, pool.arrays
    rate = pool.param("definition", "provision_rate", (m.SEGMENT, m.FACILITY, m.PERIOD), data.ecl_path * data.own_share)
    pool.define(
        "provision",
        (m.PERIOD,),
        lambda m, t: m.provision[t] - sum(rate[s, f, t] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY),
    )
