"""A facility takes only the segments its contract allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd

from liquidity.rules.base import Lang, Rule, value

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

ORDERED = {"<=": np.less_equal, "<": np.less, ">=": np.greater_equal, ">": np.greater}
EQUAL = {"==": np.equal, "!=": np.not_equal}
LISTED = ("in", "not in")


class Eligibility(Rule):
    """No lending and no sale of loans into a facility by segments that fail its terms.

    In symbols: sum_u lend[s,u,f,t] + move[s,f,t] <= 0 for every segment s that fails a row of the book's `eligibility`
    table for facility f (CNY, every period; `move` only where the facility buys loans). At the issue of a planned ABS
    the loans it takes over from warehouses are held to the same: sum_w take[s,w,f] <= 0.
    """

    code: ClassVar[str] = "FACILITY_TERMS"
    repairable: ClassVar[bool] = False

    kind: Literal["eligibility"] = value("eligibility", "Which rule this is.", "name")

    def write(self, pool: Pool) -> None:
        """Rows `closed`, `closed_to_sale` and `closed_to_take_over`, each (segment, facility, period)."""
        m, periods = pool.model, self.periods(pool)
        failing = [pair for pair in ineligible(pool.book) if pair[1] in m.OPEN]
        lent = [pair for pair in failing if pair[1] not in m.BOUGHT]
        sold = [pair for pair in failing if pair[1] in m.BOUGHT]
        if lent:
            pool.limit(
                self,
                "closed",
                over=(pool.index(self, "closed_pair", lent), periods),
                body=lambda m, s, f, t: sum(m.lend[s, u, f, t] for u in m.BORROWER),
                at_most=0.0,
            )
        if sold:
            pool.limit(
                self,
                "closed_to_sale",
                over=(pool.index(self, "closed_to_sale_pair", sold), periods),
                body=lambda m, s, f, t: sum(m.lend[s, u, f, t] for u in m.BORROWER) + m.move[s, f, t],
                at_most=0.0,
            )
        held = set(periods)
        taken = [(s, f, t) for f, t in m.ISSUE for s, place in failing if place == f and t in held]
        if taken and len(m.GIVER):
            pool.limit(
                self,
                "closed_to_take_over",
                over=(pool.index(self, "closed_to_take_over_pair", taken),),
                body=lambda m, s, f, t: sum(m.take[s, w, f, t] for w in m.GIVER),
                at_most=0.0,
            )

    def formula(self) -> str:
        """See Rule."""
        return "sum_u lend[s,u,f,t] + move[s,f,t] <= 0    for every s that fails a term of f"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return "不符合资金渠道入池标准的客群，该渠道不得对其放款，也不得受让其贷款。"
        return "A segment that fails a facility's eligibility terms is neither lent to from it nor sold to it."


def numeric(column: pd.Series) -> bool:
    """Whether a column of the segments holds numbers."""
    return bool(pd.api.types.is_numeric_dtype(column)) and not pd.api.types.is_bool_dtype(column)


def parts(text: str, op: str) -> list[str]:
    """The values that a row of `eligibility` compares with: one, or a list separated by | for `in` and `not in`."""
    return [part.strip() for part in text.split("|")] if op in LISTED else [text.strip()]


def meets(column: pd.Series, op: str, text: str) -> Any:
    """Which segments meet one row of `eligibility`; array of bool in the order of the segments."""
    held: Any = column.to_numpy(float) if numeric(column) else column.astype(str).to_numpy(object)
    asked: list[Any] = [float(part) if numeric(column) else part for part in parts(text, op)]
    if op in LISTED:
        return np.isin(held, asked) if op == "in" else ~np.isin(held, asked)
    return {**ORDERED, **EQUAL}[op](held, asked[0]).astype(bool)


def eligible(book: Book) -> np.ndarray:
    """Whether a segment meets every row of the `eligibility` table for a facility: bool (segment, facility)."""
    segments, facilities = book["segments"], book["facilities"].index
    passed = np.ones((len(segments), len(facilities)), bool)
    for row in book["eligibility"].reset_index().to_dict("records"):
        passed[:, facilities.get_loc(row["facility"])] &= meets(segments[row["field"]], row["op"], row["value"])
    return passed


def ineligible(book: Book) -> list[tuple[str, str]]:
    """Pairs (segment, facility) that fail at least one row of the `eligibility` table, in the book's order."""
    names, places = book["segments"].index.tolist(), book["facilities"].index.tolist()
    return [(names[s], places[f]) for s, f in np.argwhere(~eligible(book)).tolist()]
