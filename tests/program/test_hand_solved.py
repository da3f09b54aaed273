"""A tiny lender whose best plan is plain: every state and the net worth computed by hand, with floats only.

Two segments on the balance sheet, one bank line, cash of CNY 20m to be kept. Both segments earn far more than the
line costs and the line has room, so everyone who asks is served; cash above the reserve repays the line.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest
from books import MILLION, rule, rulebook, small_book, solve

RESERVE = 20 * MILLION
DAYS = (1, 30)
KINDS = {
    "a": {"apr": 0.16, "pd": 0.02, "lgd": 0.8, "opex_rate": 0.0, "ecl_rate": 0.015, "monthly_payment_rate": 0.10},
    "b": {"apr": 0.20, "pd": 0.05, "lgd": 0.7, "opex_rate": 0.004, "ecl_rate": 0.03, "monthly_payment_rate": 0.25},
}
HELD = {"a": 300 * MILLION, "b": 150 * MILLION}
ASKED = {"a": 0.9 * 0.95, "b": 0.8}
DEMAND = {"a": 6 * MILLION, "b": 3 * MILLION}
"New demand a month."
CASH, HQLA, DRAWN, COMMITTED, PROVISION = 35 * MILLION, 10 * MILLION, 300 * MILLION, 400 * MILLION, 9 * MILLION
RATE, FEE, CASH_RATE, OPEX, OPEX_FIXED, TAX = 0.045, 0.002, 0.01, 0.012, 3 * MILLION, -2 * MILLION


@pytest.fixture(scope="module")
def night():
    requests = {
        "a": {"asked": 0.9, "score_kept": 0.95, "new_demand": DEMAND["a"]},
        "b": {"asked": 0.8, "new_demand": DEMAND["b"]},
    }
    flows = pd.DataFrame([("2026-11-25", "tax", TAX, "income"), ("2026-11-26", "deposit", 1e6, "other")],
                         columns=["date", "name", "amount", "account"])  # fmt: skip
    book = small_book(
        KINDS,
        {(name, "house"): amount for name, amount in HELD.items()},
        lines={"bank": {"drawn": DRAWN, "commitment": COMMITTED, "rate": RATE, "commitment_fee": FEE}},
        requests=requests,
        lender={"cash": CASH, "hqla": HQLA, "cash_rate": CASH_RATE, "opex_rate": OPEX, "opex_per_year": OPEX_FIXED,
                "provision": PROVISION},
        flows=flows,
    )  # fmt: skip
    rules = rulebook(rule("line_limit"), rule("cash_reserve", amount=RESERVE), horizon=("1 x 1 day", "1 x 30 day"))
    return solve(book, rules)


def by_hand():
    """States at the close of both periods, and what was lent; all in CNY."""
    balance, debt, cash, provision = dict(HELD), DRAWN, CASH, PROVISION
    equity = CASH + HQLA + sum(HELD.values()) - PROVISION - DRAWN
    out = []
    for number, days in enumerate(DAYS):
        years, earned, collected, losses, opex, lent, freed = days / 365, 0.0, 0.0, 0.0, 0.0, {}, {}
        new = {}
        for name, kind in KINDS.items():
            pay, bad = -12 * math.log(1 - kind["monthly_payment_rate"]), -math.log(1 - kind["pd"])
            gone = 1 - math.exp(-(pay + bad) * years)
            rep, default, interest = (
                gone * pay / (pay + bad),
                gone * bad / (pay + bad),
                gone * kind["apr"] / (pay + bad),
            )
            before = balance[name]
            freed[name], lent[name] = rep * before, ASKED[name] * rep * before
            new[name] = DEMAND[name] * days * 12 / 365
            earned += interest * before
            losses += kind["lgd"] * default * before
            collected += (rep + interest + (1 - kind["lgd"]) * default) * before
            opex += (OPEX + kind["opex_rate"]) * years * before
            balance[name] = before * (1 - rep - default) + lent[name] + new[name]
        opex += OPEX_FIXED * years
        bank = (RATE * debt + FEE * (COMMITTED - debt)) * years
        flow, income = (TAX + 1e6, TAX) if number == 1 else (0.0, 0.0)
        spare = cash * (1 + CASH_RATE * years) + collected - sum(lent.values()) - sum(new.values()) - bank - opex + flow
        set_aside = sum(KINDS[name]["ecl_rate"] * balance[name] for name in KINDS)
        equity += earned - losses + CASH_RATE * years * cash - bank - opex - (set_aside - provision) + income
        debt, cash, provision = debt - (spare - RESERVE), RESERVE, set_aside
        out.append({"balance": dict(balance), "debt": debt, "cash": cash, "provision": provision, "equity": equity,
                    "lent": lent, "new": new, "freed": freed})  # fmt: skip
    return out


def test_every_state_is_what_the_hand_says(night):
    assert night.solved.repair is None
    for t, hand in enumerate(by_hand()):
        now = night.plan.isel(period=t)
        for name in KINDS:
            at = now.sel(segment=name)
            for found, wanted in [
                (at.balance.sel(facility="house"), hand["balance"][name]),
                (at.lend.sel(borrower="returning", facility="house"), hand["lent"][name]),
                (at.lend.sel(borrower="new", facility="house"), hand["new"][name]),
                (at.freed.sel(facility="house"), hand["freed"][name]),
                (at.wanted, hand["lent"][name]),
            ]:
                assert float(found) == pytest.approx(wanted, rel=1e-9)
        assert float(now.debt.sel(line="bank")) == pytest.approx(hand["debt"], rel=1e-9)
        for name in ("cash", "provision", "equity"):
            assert float(now[name]) == pytest.approx(hand[name], rel=1e-9), name
        assert float(now.market_debt) == pytest.approx(0.0, abs=1e-3)


def test_other_moves_by_the_flows_that_earn_nothing(night):
    opening = float(night.plan.opening_other)
    assert opening == pytest.approx(0.0, abs=1e-3)
    assert float(night.plan.other[-1]) == pytest.approx(opening - 1e6, rel=1e-9)


def test_net_worth_by_hand(night):
    """Equity and provision at the end, the loans' value beyond their principal, liabilities and cash against ref."""
    last, first = by_hand()[-1], HELD
    ref, total, held, worth = RATE, 0.0, 0.0, last["equity"] + last["provision"]
    for name, kind in KINDS.items():
        pay, bad = -12 * math.log(1 - kind["monthly_payment_rate"]), -math.log(1 - kind["pd"])
        total += first[name] / (pay + bad + ref)
        held += first[name]
        margin = kind["apr"] - ref - OPEX - kind["opex_rate"] - bad * kind["lgd"]
        worth += last["balance"][name] * margin / (pay + bad + ref)
    life = total / held
    worth += life * (ref - (RATE - FEE)) * last["debt"] + life * (CASH_RATE - ref) * last["cash"]
    assert night.solved.staged.first.objective * night.pool.unit == pytest.approx(worth, rel=1e-9)
