"""The lender keeps a least share of every joint loan."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class PartnerShare(Rule):
    """Joint lending in which the lender's own share is below the floor takes no new loans.

    In symbols: sum_{s,u} lend[s,u,f,t] <= 0 for joint f with own_share[f] < floor (CNY, every period). The floor holds
    for every single loan, so it is asked of each facility and not of the average.
    """

    code: ClassVar[str] = "PARTNER"
    repairable: ClassVar[bool] = False

    kind: Literal["partner_share"] = value("partner_share", "Which rule this is.", "name")
    floor: float = value(0.30, "Least share of each joint loan that the lender funds itself.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `floor` (facility, period)."""
        own = pool.book["facilities"].own_share
        thin = [f for f in pool.model.JOINT if own[f] < self.floor]
        if thin:
            pool.limit(
                self,
                "floor",
                over=(pool.index(self, "thin", thin), self.periods(pool)),
                body=lambda m, f, t: sum(m.lend[s, u, f, t] for s in m.SEGMENT for u in m.BORROWER),
                at_most=0.0,
            )

    def formula(self) -> str:
        """See Rule."""
        return "sum_{s,u} lend[s,u,f,t] <= 0    for joint f with own_share[f] < floor"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return f"单笔联合贷款中本机构出资比例不得低于{percent(self.floor)}。"
        return f"The lender funds at least {percent(self.floor)} of every joint loan."
