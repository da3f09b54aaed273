"""What one household may owe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import join, money, percent

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

PURPOSES_ZH = {"consumption": "消费", "operation": "经营"}
CAPS = {"consumption": 200_000.0, "operation": 10_000_000.0}


class HouseholdCap(Rule):
    """The balance of a segment is at most its borrowers times what one household may owe.

    In symbols: sum_f balance[s,f,t] <= borrowers[s] min(caps[purpose[s]], net_assets_share net_assets) (CNY, every
    segment and period). Only the second part holds for a purpose without a cap.
    """

    code: ClassVar[str] = "LIMIT_POLICY"

    kind: Literal["household_cap"] = value("household_cap", "Which rule this is.", "name")
    caps: dict[str, Annotated[float, Field(gt=0)]] = value(CAPS, "Balance of one household by purpose.", "CNY")
    net_assets_share: float = value(0.10, "Balance of one borrower against net assets.", "share", gt=0, le=1)

    def room(self, book: Book) -> dict[str, float]:
        """Largest balance by segment, CNY."""
        table, wide = book["segments"], self.net_assets_share * float(book.lender["net_assets"])
        one = table.purpose.map(lambda purpose: min(self.caps.get(str(purpose), wide), wide))
        return {str(s): float(amount) for s, amount in (table.borrowers * one).items()}

    def write(self, pool: Pool) -> None:
        """Rows `cap` (segment, period)."""
        room = self.room(pool.book)
        pool.limit(
            self,
            "cap",
            over=(pool.model.SEGMENT, self.periods(pool)),
            body=lambda m, s, t: sum(m.balance[s, f, t] for f in m.FACILITY),
            at_most=lambda s, t: pool.money(room[s]),
        )

    def formula(self) -> str:
        """See Rule."""
        return "sum_f balance[s,f,t] <= borrowers[s] * min(caps[purpose[s]], net_assets_share * net_assets)"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        share = percent(self.net_assets_share)
        if lang == "zh":
            caps = join((f"{PURPOSES_ZH.get(key, key)}类{money(cap, lang)}" for key, cap in self.caps.items()), lang)
            return f"单户贷款余额上限：{caps}，且不超过净资产的{share}。"
        caps = join((f"{money(cap, lang)} for {key}" for key, cap in self.caps.items()), lang)
        return f"One household owes at most {caps}, and at most {share} of net assets."
