"""The equations, computed anew from the tables of the book and the amounts of the plan, in plain numpy."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from books import Night, calm_book, calm_rules, random_book, random_rules, solve, trust_book, trust_rules

from liquidity.program.plan import balance_sheet_gap

NIGHTS = ("calm", "flows", "ending", "lossy", *range(4))


@lru_cache
def night(name: object) -> Night:
    if name == "calm":
        return solve(calm_book(), calm_rules())
    if name == "flows":
        rows = [("2026-11-21", "tax", -5e6, "income"), ("2026-12-02", "deposit", 9e6, "other")]
        repaid = pd.DataFrame([("A-full-east", "warehouse_a", 5e6, 1e5)],
                              columns=["segment", "facility", "principal", "interest"])  # fmt: skip
        book = calm_book().replace("flows", pd.DataFrame(rows, columns=["date", "name", "amount", "account"]))
        return solve(book.replace("repaid", repaid), calm_rules())
    if name in ("ending", "lossy"):
        horizon = ("2 x 1 day", "1 x 1 week", "4 x 1 month")
        segment = {"pd": 0.3} if name == "lossy" else None
        return solve(trust_book("2026-11-22", pay=0.5, segment=segment), trust_rules(horizon, 0.2))
    book = random_book(8, 5 + 2 * (int(str(name)) % 2), int(str(name)))
    return solve(book, random_rules(book, int(str(name))))


class Hand:
    """The book's tables and the plan's amounts as arrays: segment, facility, period; CNY."""

    def __init__(self, of: Night) -> None:
        book, self.plan = of.book, of.plan
        self.book, self.table, self.place = book, book["segments"], book["facilities"]
        self.kind = self.place.kind
        self.names = [self.kind.index, self.table.index]
        starts = of.pool.grid.starts
        self.years = np.array([(b - a).days for a, b in pairwise(starts)]) / 365
        pay, bad = -12 * np.log(1 - self.table.monthly_payment_rate), -np.log(1 - self.table.pd)
        total = (pay + bad).to_numpy()[:, None]
        gone = 1 - np.exp(-total * self.years)
        apr = self.table.apr - self.table.guarantee_fee * self.table.guaranteed_share
        lgd = (self.table.lgd * (1 - self.table.guaranteed_share)).to_numpy()[:, None]
        shape = (len(self.table), len(self.kind), len(self.years))
        self.rep, self.bad, self.interest = (
            np.broadcast_to((gone * part.to_numpy()[:, None] / total)[:, None, :], shape).copy()
            for part in (pay, bad, apr)
        )
        for (segment, facility), row in book["repaid"].iterrows():
            at = (self.table.index.get_loc(segment), self.kind.index.get_loc(facility), 0)
            held = book["balances"].balance[segment, facility]
            cost = self.table.guarantee_fee[segment] * self.table.guaranteed_share[segment]
            fee = cost * (gone / total)[at[0], 0]
            self.rep[at], self.interest[at] = row.principal / held, row.interest / held - fee
        self.loss = self.bad * lgd[:, None, :]
        opening = book["balances"].balance.unstack("facility").reindex(self.table.index, columns=self.kind.index)
        after = self.get("balance", "segment", "facility")
        self.before = np.concatenate([opening.fillna(0.0).to_numpy()[:, :, None], after[:, :, :-1]], axis=2)
        self.after = after

    def get(self, name: str, *dims: str) -> np.ndarray:
        """An array of the plan over the book's labels and the periods, nought where the plan has none."""
        labels = {"segment": self.table.index, "facility": self.kind.index, "line": self.book["lines"].index,
                  "borrower": ["returning", "new"]}  # fmt: skip
        if name not in self.plan:
            return np.zeros((*(len(labels[dim]) for dim in dims), len(self.years)))
        array = self.plan[name].reindex({dim: list(labels[dim]) for dim in dims}, fill_value=0.0)
        return array.transpose(*dims, "period").values

    def opening(self, name: str, opened: object) -> np.ndarray:
        """A state at the opening of every period."""
        after = self.get(name, *(("line",) if name == "debt" else ("facility",)) if name in FLAT else ())
        return np.concatenate([np.asarray(opened, float)[..., None], after[..., :-1]], axis=-1)

    def tranches(self, facility: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Opening notes, payments (tranche, period), coupons, and whether third parties hold them."""
        table = self.book["tranches"].loc[facility]
        labels = [f"{facility}/{name}" for name in table.index]
        after = self.plan.tranche_balance.sel(tranche=labels).values
        before = np.concatenate([table.balance.to_numpy()[:, None], after[:, :-1]], axis=1)
        pay = self.plan.pay.sel(tranche=labels).values
        np.testing.assert_allclose(after, before - pay, atol=1e-3)
        return before, pay, table.coupon.to_numpy()[:, None], (table.holder == "third_party").to_numpy()


FLAT = ("debt", "notes", "facility_cash")


@pytest.fixture(params=NIGHTS, ids=str)
def one(request):
    return night(request.param)


def close(found: np.ndarray, expected: np.ndarray, of: Night) -> None:
    size = of.size * of.pool.unit
    assert np.abs(found - expected).max() <= 1e-11 * size


def test_balances(one):
    hand = Hand(one)
    lend = hand.get("lend", "segment", "borrower", "facility").sum(axis=1)
    move = hand.get("move", "segment", "facility")
    house = hand.kind.index.get_loc(hand.kind.index[hand.kind == "balance_sheet"][0])
    expected = hand.before * (1 - hand.rep - hand.bad) + lend + move
    expected[:, house] -= move.sum(axis=1)
    close(hand.after, expected, one)
    assert (move[:, house] == 0).all()


def test_vehicle_cash(one):
    hand = Hand(one)
    cash, notes = hand.opening("facility_cash", hand.place.cash), hand.opening("notes", hand.place.drawn)
    for number, facility in enumerate(hand.kind.index):
        kind, row, before = hand.kind[facility], hand.place.loc[facility], hand.before[:, number]
        if kind not in ("warehouse", "abs"):
            continue
        got = ((hand.rep + hand.interest + hand.bad - hand.loss)[:, number] * before).sum(axis=0)
        out = hand.get("lend", "segment", "borrower", "facility")[:, :, number].sum(axis=(0, 1))
        out = out + hand.get("move", "segment", "facility")[:, number].sum(axis=0)
        flow = got - row.servicing_fee * hand.years * before.sum(axis=0) - out
        flow = flow - hand.get("release", "facility")[number] + row.cash_rate * hand.years * cash[number]
        if kind == "warehouse":
            flow += hand.get("note_draw", "facility")[number] - hand.get("note_pay", "facility")[number]
            flow += hand.get("contribute", "facility")[number]
            flow -= (row.rate * notes[number] + row.unused_fee * (row.commitment - notes[number])) * hand.years
        else:
            held, pay, coupon, _ = hand.tranches(facility)
            flow -= (coupon * held * hand.years + pay).sum(axis=0) + hand.get("residual", "facility")[number]
        close(hand.get("facility_cash", "facility")[number], cash[number] + flow, one)


def costs(hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """Cost of lines, and of running the book, by period."""
    lines = hand.book["lines"]
    debt = hand.opening("debt", lines.drawn)
    rate, fee = (lines[name].to_numpy()[:, None] for name in ("rate", "commitment_fee"))
    bank = (rate * debt + fee * (lines.commitment.to_numpy()[:, None] - debt)).sum(axis=0) * hand.years
    rates = (hand.table.opex_rate + hand.book.lender.opex_rate).to_numpy()[:, None]
    running = (rates * hand.before.sum(axis=1)).sum(axis=0) * hand.years + hand.book.lender.opex_per_year * hand.years
    return bank, running


def flow(hand: Hand, of: Night, *accounts: str) -> np.ndarray:
    out = np.zeros(len(hand.years))
    for day, account, amount in hand.book["flows"].reset_index()[["date", "account", "amount"]].itertuples(index=False):
        if account in accounts:
            out[of.pool.grid.period_of(day.date()) - 1] += amount
    return out


def test_treasury_cash_and_equity(one):
    hand = Hand(one)
    before = np.concatenate([[hand.book.lender.cash], hand.get("cash")[:-1]])
    bank, running = costs(hand)
    joint, abs_, house = (hand.kind == name for name in ("joint", "abs", "balance_sheet"))
    own = hand.place.own_share.where(joint, 1.0).to_numpy()
    direct = own * (joint | house).to_numpy()
    got = hand.rep + hand.interest + hand.bad - hand.loss
    fee = (1 - own) * hand.place.partner_fee.to_numpy()
    service = hand.place.servicing_fee.to_numpy() * ~(joint | house).to_numpy()
    held = hand.before.sum(axis=0)
    cash = before * hand.book.lender.cash_rate * hand.years - bank - running + flow(hand, one, "income", "other")
    cash += np.einsum("f,sft,sft->t", direct, got, hand.before) + ((fee + service) @ held) * hand.years
    cash -= np.einsum("f,sft->t", direct, hand.get("lend", "segment", "borrower", "facility").sum(axis=1))
    cash += hand.get("release", "facility").sum(axis=0) + hand.get("residual", "facility").sum(axis=0)
    cash += hand.get("move", "segment", "facility").sum(axis=(0, 1)) - hand.get("contribute", "facility").sum(axis=0)
    cash += (hand.get("draw", "line") - hand.get("pay_down", "line")).sum(axis=0)
    income = np.einsum("f,sft,sft->t", own, hand.interest - hand.loss, hand.before) + (fee @ held) * hand.years
    income += before * hand.book.lender.cash_rate * hand.years - bank - running + flow(hand, one, "income")
    vehicles = hand.opening("facility_cash", hand.place.cash) * ~(joint | house).to_numpy()[:, None]
    income += (hand.place.cash_rate.to_numpy()[:, None] * vehicles).sum(axis=0) * hand.years
    notes = hand.opening("notes", hand.place.drawn)
    unused = hand.place.unused_fee.to_numpy()[:, None] * (hand.place.commitment.to_numpy()[:, None] - notes)
    stores = (hand.kind == "warehouse").to_numpy()[:, None]
    income -= (stores * (hand.place.rate.to_numpy()[:, None] * notes + unused)).sum(axis=0) * hand.years
    for facility in hand.kind.index[abs_]:
        owed, pay, coupon, sold = hand.tranches(facility)
        cash += (~sold[:, None] * (coupon * owed * hand.years + pay)).sum(axis=0)
        income -= (sold[:, None] * coupon * owed).sum(axis=0) * hand.years
    close(hand.get("cash"), before + cash, one)
    set_aside = np.einsum("s,f,sft->t", hand.table.ecl_rate.to_numpy(), own, hand.after)
    close(hand.get("provision"), set_aside, one)
    reserved = np.diff(np.concatenate([[hand.book.lender.provision], set_aside]))
    close(np.diff(np.concatenate([[hand.book.lender.equity], hand.get("equity")])), income - reserved, one)


def test_balance_sheet_closes_every_period(one):
    data = one.pool.inputs
    gap = balance_sheet_gap(one.plan, data.own_share, data.sold, float(one.book.lender.hqla))
    assert float(np.abs(gap).max()) <= 1e-12 * one.size * one.pool.unit


def test_nothing_is_negative(one):
    size = one.size * one.pool.unit
    for name in ("balance", "debt", "notes", "tranche_balance", "facility_cash", "deficiency", "cash", "market_debt"):
        if name in one.plan:
            assert float(one.plan[name].min()) >= -1e-12 * size, name


def test_definitions_fix_the_states_and_nothing_else_does(one):
    program = one.program
    assert program.state.sum() == program.definition.sum()
    inner = sp.csc_matrix(program.matrix.tocsr()[program.definition][:, program.state])
    factors = sp.linalg.splu(inner)
    assert np.abs(factors.U.diagonal()).min() >= 1e-9
    free = program.state
    assert np.isneginf(program.column_lower[free]).all()
    assert np.isposinf(program.column_upper[free]).all()
    rows = program.definition
    assert (program.row_lower[rows] == program.row_upper[rows]).all()
