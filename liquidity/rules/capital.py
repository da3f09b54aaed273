"""Capital against risk-weighted assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class Capital(Rule):
    """Capital is at least `ratio` of risk-weighted assets.

    In symbols: equity[t] - equity[0] - ratio sum_{s,f} own_share[f] risk_weight[s] balance[s,f,t] >= -capital
    (CNY, every period; capital is the book's total or tier-1 capital on the day).
    """

    code: ClassVar[str] = "CAPITAL"

    kind: Literal["capital"] = value("capital", "Which rule this is.", "name")
    ratio: float = value(..., "Capital held against risk-weighted assets.", "share", gt=0, le=1)
    base: Literal["total", "tier1"] = value("total", "Which capital counts.", "choice")

    def write(self, pool: Pool) -> None:
        """Rows `ratio` (period)."""
        m, share = pool.model, self.ratio
        weight = pool.param(self, "weight", (m.SEGMENT,), pool.inputs["risk_weight"])
        need = pool.param(self, "need", (m.SEGMENT,), share * pool.inputs["risk_weight"])
        capital = float(pool.inputs[f"lender_{self.base}_capital"])
        pool.limit(
            self,
            "ratio",
            over=(self.periods(pool),),
            body=lambda m, t: (
                m.equity[t]
                - m.equity[0]
                - sum(m.own_share[f] * need[s] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY)
            ),
            at_least=-capital,
            ratio=Ratio(
                limit=lambda t: share,
                of=lambda m, t: sum(
                    m.own_share[f] * weight[s] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY
                ),
            ),
        )

    def formula(self) -> str:
        """See Rule."""
        return "capital + equity[t] - equity[0] >= ratio * sum_{s,f} own_share[f] * risk_weight[s] * balance[s,f,t]"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            word = {"total": "资本净额", "tier1": "一级资本净额"}[self.base]
            return f"{word}不低于风险加权资产的{percent(self.ratio)}。"
        word = {"total": "Total", "tier1": "Tier-1"}[self.base]
        return f"{word} capital is at least {percent(self.ratio)} of risk-weighted assets."
