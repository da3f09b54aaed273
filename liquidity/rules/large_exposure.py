"""How much of the lender's capital may hang on one counterparty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

BASES_ZH = {"net_assets": "净资产", "tier1_capital": "一级资本净额", "total_capital": "资本净额"}
BASES = {"net_assets": "net assets", "tier1_capital": "tier-1 capital", "total_capital": "total capital"}


class LargeExposure(Rule):
    """What one borrower owes, and what one guarantor stands for, is at most a share of capital.

    In symbols (CNY, every period; own loans: sum_f own_share[f] balance[s,f,t]):
        largest_share[s] own loans[s,t] - borrower_share (equity[t] - equity[0]) <= borrower_share base
        sum_{s of guarantor g} guaranteed_share[s] own loans[s,t] - guarantor_share (equity[t] - equity[0])
            <= guarantor_share base
    A book of segments knows no single borrower: the largest of a segment, with related parties, is taken to keep its
    share of the segment. Segments that name none, and guarantors that are not named, have no row.
    """

    code: ClassVar[str] = "CONCENTRATION"

    kind: Literal["large_exposure"] = value("large_exposure", "Which rule this is.", "name")
    borrower_share: float = value(0.15, "One borrower with related parties against capital.", "share", gt=0, le=1)
    guarantor_share: float = value(0.25, "Loans one guarantor stands for against capital.", "share", gt=0, le=1)
    base: Literal["net_assets", "tier1_capital", "total_capital"] = value(
        "tier1_capital", "What the shares are of.", "choice"
    )

    def write(self, pool: Pool) -> None:
        """Rows `borrower` (segment, period) and `guarantor` (guarantor, period)."""
        table = pool.book["segments"]
        largest = {s: {s: float(part)} for s, part in table.largest_share.items() if part > 0}
        self.write_exposure(pool, "borrower", self.borrower_share, largest)
        backed = table[(table.guarantor != "") & (table.guaranteed_share > 0)]
        names = {
            str(g): {str(s): float(part) for s, part in rows.guaranteed_share.items()}
            for g, rows in backed.groupby("guarantor")
        }
        self.write_exposure(pool, "guarantor", self.guarantor_share, names)

    def write_exposure(self, pool: Pool, what: str, share: float, parts: dict[Any, dict[Any, float]]) -> None:
        """Rows `what` (counterparty, period); `parts` gives by counterparty the part of each segment's own loans."""
        if not parts:
            return
        m, base = pool.model, float(pool.inputs[f"lender_{self.base}"])
        names = pool.index(self, f"{what}_name", list(parts))
        part = pool.param(self, f"{what}_part", (names, m.SEGMENT), lambda g, s: parts[g].get(s, 0.0))
        of = pool.param(self, f"{what}_share", (names,), lambda g: share)
        pool.limit(
            self,
            what,
            over=(names, self.periods(pool)),
            body=lambda m, g, t: (
                sum(part[g, s] * m.own_share[f] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY)
                - of[g] * (m.equity[t] - m.equity[0])
            ),
            at_most=share * base,
            ratio=Ratio(limit=lambda g, t: share, of=lambda m, g, t: m.equity[t] - m.equity[0] + base),
        )

    def check(self, book: Book) -> list[Problem]:
        """A guarantor that is named must stand for something."""
        table = book["segments"]
        idle = table[(table.guarantor != "") & (table.guaranteed_share == 0)]
        return [
            Problem("segments", str(s), "guaranteed_share", 0.0, f"above 0 where a guarantor is named ({g})")
            for s, g in idle.guarantor.items()
        ]

    def formula(self) -> str:
        """See Rule."""
        return (
            "largest_share[s] * sum_f own_share[f] * balance[s,f,t] <= borrower_share * (base + equity[t] - "
            "equity[0]); sum_{s of g,f} guaranteed_share[s] * own_share[f] * balance[s,f,t] <= guarantor_share * (base "
            "+ equity[t] - equity[0])"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        one, other = percent(self.borrower_share), percent(self.guarantor_share)
        if lang == "zh":
            base = BASES_ZH[self.base]
            return (
                f"单一借款人及其关联方的贷款余额不超过{base}的{one}，单一担保人所担保的贷款余额不超过{base}的{other}。"
            )
        base = BASES[self.base]
        return (
            f"One borrower with related parties owes at most {one} of {base}, one guarantor stands for at most {other}."
        )
