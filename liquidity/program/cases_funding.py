"""Two published programs of funding and lending: short-term financing, and the loan policy of a bank."""

from __future__ import annotations

import math

import pyomo.environ as pyo

from liquidity.program.cases_kit import Clause, maximise
from liquidity.program.writer import Writer

NEED = {1: 150.0, 2: 100.0, 3: -200.0, 4: 200.0, 5: -50.0, 6: -300.0}
"""Money needed by month, January to June, thousand USD; negative where money comes in."""

CREDIT_LINE, LINE_RATE, PAPER_RATE, CASH_RATE = 100.0, 0.01, 0.02, 0.003
PAPER_MONTHS, LAST_ISSUE = 3, 3

RATE = {"personal": 0.14, "car": 0.13, "home": 0.12, "farm": 0.125, "commercial": 0.10}
BAD_DEBT = {"personal": 0.10, "car": 0.07, "home": 0.03, "farm": 0.05, "commercial": 0.02}
"""Interest and share lost, by kind of loan, over the one period of the case."""

FUNDS, BUSINESS_SHARE, HOME_SHARE, BAD_DEBT_SHARE = 12.0, 0.40, 0.50, 0.04


def financing() -> Writer:
    """Six months of needs, met from a line, 90-day commercial paper and cash.

    In symbols: cash[t] = 1.003 cash[t-1] + debt[t] - 1.01 debt[t-1] + paper[t] - 1.02 paper[t-3] - need[t];
    debt within the line and repaid at the end, paper issued January to March.  Thousand USD; dim month, 0 the opening.
    """
    months = len(NEED)
    writer = Writer(dict.fromkeys(("PERIOD", "TIME", "PAPER_TIME", "OPENING"), ("month",)), "kUSD")
    m = writer.model
    m.PERIOD, m.TIME = pyo.RangeSet(1, months), pyo.RangeSet(0, months)
    m.OPENING, m.PAPER_TIME = pyo.RangeSet(0, 0), pyo.RangeSet(1 - PAPER_MONTHS, months)
    writer.variable("debt", "TIME")
    writer.variable("paper", "PAPER_TIME")
    writer.variable("cash", "TIME", kind="state")
    writer.define("opening_cash", (m.OPENING,), lambda m, t: m.cash[t])
    writer.define("cash", (m.PERIOD,), lambda m, t: (
        m.cash[t] - (1 + CASH_RATE) * m.cash[t - 1] - m.debt[t] + (1 + LINE_RATE) * m.debt[t - 1]
        - m.paper[t] + (1 + PAPER_RATE) * m.paper[t - PAPER_MONTHS]), equal=lambda t: -NEED[t])  # fmt: skip
    writer.terms("cash_floor", (m.PERIOD,), lambda m, t: m.cash[t], at_least=0.0)
    writer.limit(Clause("credit_line"), "debt", (m.TIME,), lambda m, t: m.debt[t],
                 at_most=lambda t: CREDIT_LINE if 0 < t < months else 0.0)  # fmt: skip
    writer.limit(Clause("commercial_paper"), "window", (m.PAPER_TIME,), lambda m, t: m.paper[t],
                 at_most=lambda t: math.inf if 0 < t <= LAST_ISSUE else 0.0)  # fmt: skip
    writer.maximise("wealth", lambda m: m.cash[months])
    return writer


def loan_policy() -> Writer:
    """How a bank splits its funds over kinds of loans: interest on what is paid back, less what is not.

    Rows: funds, least share of business loans, least share of home loans in household loans, most bad debt.  Million
    USD; dim loan.
    """
    writer = Writer({**dict.fromkeys(("LOAN", "BUSINESS", "HOUSEHOLD"), ("loan",)), "BANK": ("bank",)}, "USD m")
    m = writer.model
    writer.group("BANK", ["thriftem"])
    writer.group("LOAN", RATE)
    writer.group("BUSINESS", ["farm", "commercial"])
    writer.group("HOUSEHOLD", ["personal", "car", "home"])
    writer.variable("lend", "LOAN")
    bad = writer.param("bad_debt", "share_lost", (m.LOAN,), BAD_DEBT)
    earned = writer.param("profit", "earned", (m.LOAN,), lambda k: RATE[k] * (1 - BAD_DEBT[k]) - BAD_DEBT[k])
    over = (m.BANK,)
    writer.limit(Clause("funds"), "total", over, lambda m, _: sum(m.lend[k] for k in m.LOAN), at_most=FUNDS)
    writer.limit(Clause("business"), "share", over, at_least=0.0, body=lambda m, _: (
        sum(m.lend[k] for k in m.BUSINESS) - BUSINESS_SHARE * sum(m.lend[k] for k in m.LOAN)))  # fmt: skip
    writer.limit(Clause("home"), "share", over, at_least=0.0, body=lambda m, _: (
        m.lend["home"] - HOME_SHARE * sum(m.lend[k] for k in m.HOUSEHOLD)))  # fmt: skip
    writer.limit(Clause("bad_debt"), "share", over, at_most=0.0, body=lambda m, _: (
        sum((bad[k] - BAD_DEBT_SHARE) * m.lend[k] for k in m.LOAN)))  # fmt: skip
    writer.maximise("net_return", lambda m: sum(earned[k] * m.lend[k] for k in m.LOAN))
    return writer


def solve_financing() -> dict[str, float]:
    """Own figures of short-term financing. The optimum has many plans and one value."""
    return {"final wealth": maximise(financing()).value}


def solve_loan_policy() -> dict[str, float]:
    """Own figures of the loan policy."""
    found = maximise(loan_policy())
    return {
        "net return": found.value,
        "home loans": found.amount("lend", "home"),
        "commercial loans": found.amount("lend", "commercial"),
    }
