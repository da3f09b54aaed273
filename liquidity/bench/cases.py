"""Cases by size: made-up lenders under the sample rulebook, the real model with the real rules.

The `_core` cases are lenders without ABS trusts under the rules CORE: small enough a model to be written twice more, in
linopy and in plain numpy (`reference_linopy`, `reference_numpy`), and as large as the case they are named after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liquidity.book import Book

if TYPE_CHECKING:
    from liquidity.program.pool import Pool
    from liquidity.rules.rulebook import Rulebook

CORE = ("advance_rate", "capital", "cash_reserve", "concentration", "expected_loss", "household_cap",
        "leverage_multiple", "line_limit", "requests")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A lender of so many segments and facilities; `nonzeros` is about what its program has. With `planned` issues it
    is the sample microlender, and these come on top.
    """

    name: str
    segments: int
    facilities: int
    nonzeros: int
    seed: int = 0
    core: bool = False
    horizon: tuple[str, ...] = ()
    planned: int = 0

    def book(self) -> Book:
        """The lender's book."""
        from liquidity.book.make import book_of, make_lender, online_microlender, with_issues

        if self.planned:
            return book_of(with_issues(online_microlender(), self.planned, self.seed))
        book = book_of(make_lender(self.segments, self.facilities, self.seed))
        return core_book(book) if self.core else book

    def rulebook(self, rulebook: Rulebook) -> Rulebook:
        """The part of a rulebook that the case has, on its horizon."""
        if self.horizon:
            rulebook = rulebook.model_copy(update={"horizon": self.horizon})
        if not self.core:
            return rulebook
        return rulebook.without(*(rule.name for rule in rulebook.rules if rule.kind not in CORE))


CASES = {
    case.name: case
    for case in (
        Case("tiny", 8, 5, 7_000, horizon=("3 x 1 day", "2 x 1 week", "3 x 1 month")),
        Case("small", 8, 5, 27_000),
        Case("desk", 64, 7, 270_000),
        Case("group", 370, 16, 3_400_000),
        Case("giant", 1140, 23, 15_000_000),
        Case("issues", 64, 19, 930_000, planned=12),
        Case("small_core", 8, 5, 23_000, core=True),
        Case("desk_core", 64, 7, 240_000, core=True),
        Case("group_core", 370, 16, 3_000_000, core=True),
    )
}


def core_book(book: Book) -> Book:
    """The lender with a warehouse in place of every ABS trust, as many notes drawn as third parties held."""
    facilities, tranches = book["facilities"].copy(), book["tranches"]
    sold = tranches[tranches.holder != "retained"]
    notes = sold.balance.groupby(level="facility").sum()
    coupon = (sold.balance * sold.coupon).groupby(level="facility").sum() / notes
    trusts = facilities.index[facilities.kind == "abs"]
    facilities.loc[trusts, "drawn"] = notes.reindex(trusts)
    facilities.loc[trusts, "commitment"] = 1.02 * notes.reindex(trusts)
    facilities.loc[trusts, "rate"] = coupon.reindex(trusts)
    facilities.loc[trusts, "advance_rate"] = 0.95
    facilities.loc[trusts, "kind"] = "warehouse"
    return book.replace(facilities=facilities, tranches=tranches.iloc[:0])


def core_values(pool: Pool) -> dict[str, Any]:
    """The numbers of the rules CORE as arrays, in the units of the pool, for the models that are written by hand."""
    if sorted(rule.kind for rule in pool.rulebook.rules) != list(CORE):
        raise ValueError(f"the core model has one rule of each of {', '.join(CORE)}")
    one: Any = {rule.kind: rule for rule in pool.rulebook.rules}
    lines, houses = pool.book["lines"], pool.facilities[pool.facilities.kind == "warehouse"]
    leverage, reserve, region = one["leverage_multiple"], one["cash_reserve"], one["concentration"]
    times, liquid = leverage.multiples(), pool.arrays.lender_hqla if reserve.count_hqla else 0.0
    limits, column = region.limits(pool.book), pool.book["segments"][region.by].to_numpy()
    alive = np.array([list(pool.grid.starts[:-1])]) < lines.maturity.dt.date.to_numpy()[:, None]
    return {
        "ratio": one["capital"].ratio, "capital": getattr(pool.arrays, f"lender_{one['capital'].base}_capital"),
        "amount": pool.money(reserve.amount) - liquid, "hqla": liquid, "notes_call": reserve.notes_share,
        "line_call": reserve.line_share * (lines["class"] == "nonstandard").to_numpy(float),
        "excess": np.array([(column == group) - share for group, share in limits.items()]),
        "rate": one["expected_loss"].rate, "times": np.array(list(times.values())),
        "room": pool.money(np.array(list(one["household_cap"].room(pool.book).values()))),
        "line_of": np.array([lines["class"] == name for name in times], float),
        "house_of": np.array([houses["class"] == name for name in times], float),
        "line_room": pool.inputs.line_commitment_path.values * alive,
    }  # fmt: skip
