"""Risk-weighted assets as weights on the states of the program: loans, undrawn limits, kept tranches of an ABS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liquidity.rules.base import Rule
from liquidity.rules.basel.irb import PER_CAPITAL
from liquidity.rules.basel.securitisation import attachment, tranche_weight

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool


@dataclass(frozen=True)
class Kept:
    """How the trusts are weighed: `through` (facility), the part of the pool's own weight that counts; `first`
    (facility), the weight of what the pool holds beyond its notes; `tranche` (class), weights of the kept classes."""

    through: np.ndarray
    first: np.ndarray
    tranche: np.ndarray

    @property
    def by_class(self) -> bool:
        """Whether any trust is weighed by its classes."""
        return bool(self.first.any())


@dataclass(frozen=True)
class Assets:
    """A weighted sum of states at the end of a period, units. Params: `loans` (segment, facility), `notes` (class),
    `cash` (trust), the last two None where no trust is weighed by its classes; `known` is what does not move."""

    loans: Any
    notes: Any
    cash: Any
    known: float

    def moving(self, m: Any, t: Any) -> Any:
        """The part that the plan moves."""
        loans = sum(self.loans[s, f] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY)
        if self.notes is None:
            return loans
        notes = sum(self.notes[f, k] * m.tranche[f, k, t] for f, k in m.CLASS)
        return loans + notes + sum(self.cash[f] * m.facility_cash[f, t] for f in m.TRUST)

    def total(self, m: Any, t: Any) -> Any:
        """All of it."""
        return self.moving(m, t) + self.known


def open_limits(pool: Pool) -> np.ndarray:
    """Credit lines of all borrowers of each segment (segment), units; none where a segment owes as much already."""
    table = pool.book["segments"]
    lines = (table.limit * table.borrowers).to_numpy(float) / pool.unit
    return np.where(lines > pool.arrays.balance[:, :, 0].sum(axis=1), lines, 0.0)


def make_assets(pool: Pool, rule: Rule, name: str, weight: np.ndarray, ccf: float, kept: Kept, times: float) -> Assets:
    """`times` x the risk-weighted assets of segment weights `weight`, undrawn limits counted at `ccf`."""
    m, data = pool.model, pool.arrays
    lines = open_limits(pool)
    drawn = ccf * weight * (lines > 0)
    loans = data.own_share[0, :, 0] * kept.through * weight[:, None] - drawn[:, None] + kept.first
    known = times * ccf * float(weight @ lines)
    of_loans = pool.param(rule, f"{name}_loans", (m.SEGMENT, m.FACILITY), times * loans)
    if not kept.by_class:
        return Assets(of_loans, None, None, known)
    first = dict(zip(pool.facilities.index, kept.first))
    classes = {pair: times * (w - first[pair[0]]) for pair, w in zip(m.CLASS, kept.tranche)}
    of_notes = pool.param(rule, f"{name}_notes", (m.CLASS,), classes)
    of_cash = pool.param(rule, f"{name}_cash", (m.TRUST,), {f: times * first[f] for f in m.TRUST})
    return Assets(of_loans, of_notes, of_cash, known)


def look_through(pool: Pool) -> Kept:
    """Every loan by its own weight, wherever it is held."""
    size = len(pool.facilities)
    return Kept(np.ones(size), np.zeros(size), np.zeros(len(pool.model.CLASS)))


def weigh_kept(pool: Pool, weight: np.ndarray, standard: np.ndarray) -> Kept:
    """Kept classes by SEC-SA on the opening pool, or the pool's own weight where that cap is lower.

    The cap on all that an originator holds of one deal is its largest share in any class times the capital of the
    pool (CRE40.54), here with the weights `weight`. Which of the two is lower is decided on the opening pool: each is
    never below the lower one, so a plan that turns the order round is held to more capital, never to less. A pool that
    comes to hold less than its notes counts what is missing against the classes kept.
    """
    out = look_through(pool)
    for f in pool.model.TRUST:
        place = pool.places([f])[0]
        rank = [at for at, pair in enumerate(pool.model.CLASS) if pair[0] == f]
        balance = pool.arrays.balance[:, place, 0]
        notes, sold = pool.arrays.tranche_balance[rank, 0, 0], pool.arrays.sold[rank, 0, 0].astype(bool)
        total = float(balance.sum() + pool.arrays.facility_cash[0, place, 0])
        if total <= 0:
            continue
        k_sa = float(standard @ balance) / total / PER_CAPITAL
        by_class = class_weights(pool.book, f, notes, total, k_sa) * ~sold
        excess = total - float(notes.sum())
        # the book has whole classes only: of one the lender holds all or nothing, and all of what lies beyond them
        share = float(excess > 0 or (notes[~sold] > 0).any())
        if excess >= 0 and float(by_class @ notes) + PER_CAPITAL * excess <= share * float(weight @ balance):
            out.through[place], out.first[place], out.tranche[rank] = 0.0, PER_CAPITAL, by_class
        else:
            out.through[place] = share
    return out


def class_weights(book: Book, facility: str, notes: np.ndarray, total: float, k_sa: float) -> np.ndarray:
    """SEC-SA weights of all classes of a trust, most senior first."""
    low, high = attachment(notes, total)
    pool = book["balances"].xs(facility, level="facility")
    held = float((pool.balance + pool.npl).sum())
    delinquent = float(pool.npl.sum()) / held if held > 0 else 0.0
    return tranche_weight(k_sa, delinquent, low, high, senior=np.arange(len(notes)) == 0)
