"""How much of the loans may lean on guarantors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class GuaranteeShare(Rule):
    """Loans with a guarantee or credit insurance are at most `share` of the lender's own loans.

    In symbols: sum_{s guaranteed, f} own_share[f] balance[s,f,t] <= share sum_{s,f} own_share[f] balance[s,f,t] (CNY,
    every period). A loan of which any part is guaranteed counts whole.
    """

    code: ClassVar[str] = "CONCENTRATION"

    kind: Literal["guarantee_share"] = value("guarantee_share", "Which rule this is.", "name")
    share: float = value(0.50, "Guaranteed loans against own loans.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `share` (period)."""
        backed = (pool.book["segments"].guaranteed_share > 0).astype(float)
        over = pool.param(self, "over", (pool.model.SEGMENT,), lambda s: backed[s] - self.share)

        def loans(m: Any, s: Any, t: Any) -> Any:
            return sum(m.own_share[f] * m.balance[s, f, t] for f in m.FACILITY)

        pool.limit(
            self,
            "share",
            over=(self.periods(pool),),
            body=lambda m, t: sum(over[s] * loans(m, s, t) for s in m.SEGMENT),
            at_most=0.0,
            ratio=Ratio(limit=lambda t: self.share, of=lambda m, t: sum(loans(m, s, t) for s in m.SEGMENT)),
        )

    def formula(self) -> str:
        """See Rule."""
        return "sum_{s guaranteed,f} own_share[f] * balance[s,f,t] <= share * sum_{s,f} own_share[f] * balance[s,f,t]"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return f"担保增信贷款余额不超过本机构出资贷款余额的{percent(self.share)}。"
        return f"Loans with a guarantee or credit insurance are at most {percent(self.share)} of own loans."
