"""The board's budget for losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class ExpectedLoss(Rule):
    """Expected loss of the lender's own part of the book is at most `rate` of it.

    In symbols: sum_{s,f} own_share[f] (pd[s] lgd_net[s] - rate) balance[s,f,t] <= 0 (CNY, every period), with
    lgd_net = lgd (1 - guaranteed_share) and the 12-month pd.
    """

    code: ClassVar[str] = "RISK_BUDGET"

    kind: Literal["expected_loss"] = value("expected_loss", "Which rule this is.", "name")
    rate: float = value(..., "Expected loss of twelve months, as a part of the balance.", "1/year", gt=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `rate` (period)."""
        m, data = pool.model, pool.arrays
        excess = pool.param(self, "excess", (m.SEGMENT, m.PERIOD), data.pd_path * data.lgd_path - self.rate)
        pool.limit(
            self,
            "rate",
            over=(self.periods(pool),),
            body=lambda m, t: sum(
                m.own_share[f] * excess[s, t] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY
            ),
            at_most=0.0,
            ratio=Ratio(
                limit=lambda t: self.rate,
                of=lambda m, t: sum(m.own_share[f] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY),
            ),
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_{s,f} own_share[f] * pd[s] * lgd[s] * (1 - guaranteed_share[s]) * balance[s,f,t] <= rate * "
            "sum_{s,f} own_share[f] * balance[s,f,t]"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return f"本机构出资部分贷款未来十二个月的预期损失率不超过{percent(self.rate)}。"
        return f"The expected loss of the own book over twelve months is at most {percent(self.rate)} of it."
