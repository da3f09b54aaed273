"""The waterfall of an amortising pool that depends on no decision: its schedule, as numbers.

Interest first: servicing, coupons, then losses are covered, then excess is released while no deficiency is open.
Principal next: classes in order of seniority, each to its end before the next, then the residual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUND = 1e-12


@dataclass(frozen=True)
class Deal:
    """What a waterfall needs. Arrays over segment and period are per unit of the opening balance of the period.

    `balance` (segment), `collected, interest, loss, keep` (segment, period), `years` (period), `notes, coupon`
    (tranche, most senior first); `servicing` and `cash_rate` 1/year; `cash, deficiency, reserve` money; `pays` (period)
    says which periods hold a payment date, None for all.
    """

    balance: np.ndarray
    collected: np.ndarray
    interest: np.ndarray
    loss: np.ndarray
    keep: np.ndarray
    years: np.ndarray
    notes: np.ndarray
    coupon: np.ndarray
    servicing: float
    cash_rate: float
    cash: float
    deficiency: float
    reserve: float
    pays: np.ndarray | None = None


@dataclass(frozen=True)
class Schedule:
    """Flows by period, in the money of the deal; `pay` has dims (tranche, period), the others (period)."""

    pay: np.ndarray
    release: np.ndarray
    cover: np.ndarray
    shortfall: np.ndarray
    residual: np.ndarray
    balance: np.ndarray


def run_waterfall(deal: Deal) -> Schedule:
    """Run the deal to the end of the grid.

    A senior interest shortfall is paid out of principal and adds to the deficiency. The reserve is held until the
    last class is paid. Coupons are paid as they accrue; principal, release and residual wait in cash for a payment
    date, and excess of the periods in between covers their losses first. Conservation: opening cash + interest on it +
    collections = servicing + coupons + pay + release + residual + closing cash, in every period.
    """
    periods = len(deal.years)
    balance, notes = deal.balance.copy(), deal.notes.astype(float).copy()
    cash, deficiency, excess = deal.cash, deal.deficiency, 0.0
    pays = np.ones(periods, bool) if deal.pays is None else deal.pays
    out = {name: np.zeros(periods) for name in ("release", "cover", "shortfall", "residual", "balance")}
    pay = np.zeros((len(notes), periods))
    for t in range(periods):
        service = deal.servicing * deal.years[t] * balance.sum()
        coupons = float(deal.coupon @ notes) * deal.years[t]
        excess += float(deal.interest[:, t] @ balance) - service - coupons
        shortfall = max(0.0, -excess)
        owed = deficiency + float(deal.loss[:, t] @ balance) + shortfall
        cover = min(max(0.0, excess), owed)
        deficiency = owed - cover
        excess = max(0.0, excess) - cover
        release = excess if pays[t] and deficiency <= ROUND else 0.0
        excess -= release
        cash += (
            cash * deal.cash_rate * deal.years[t] + float(deal.collected[:, t] @ balance) - service - coupons - release
        )
        pay[:, t] = sequential(notes, cash - deal.reserve) if pays[t] else 0.0
        notes -= pay[:, t]
        cash -= pay[:, t].sum()
        residual = max(0.0, cash) if pays[t] and notes.sum() <= ROUND else 0.0
        cash -= residual
        balance = balance * deal.keep[:, t]
        found = {
            "release": release,
            "cover": cover,
            "shortfall": shortfall,
            "residual": residual,
            "balance": balance.sum(),
        }
        for name, value in found.items():
            out[name][t] = value
    return Schedule(pay=pay, **out)


def sequential(notes: np.ndarray, available: float) -> np.ndarray:
    """Pay `available` to the classes in order, each to its end before the next."""
    before = np.concatenate([[0.0], np.cumsum(notes)[:-1]])
    return np.clip(max(0.0, available) - before, 0.0, notes)
