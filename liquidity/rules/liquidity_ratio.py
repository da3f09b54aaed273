"""Liquid assets against liquid liabilities, both of one month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.due import inflow, owed
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class LiquidityRatio(Rule):
    """Liquid assets are at least `ratio` of the liabilities due within `days`.

    In symbols (CNY, every period):
        cash[t] + hqla + loan_share sum_{s,f own accounts} own_share[f] payments[s] balance[s,f,t]
            >= ratio (sum debt[l,t] due + sum notes[w,t] due + sum tranche[f,k,t] sold and due + undated_share sum
                      debt[l,t] without maturity)
    A debt is due when it matures (legal_final for notes) within the days after the period, or is at call.
    """

    code: ClassVar[str] = "LIQUIDITY_BUFFER"

    kind: Literal["liquidity_ratio"] = value("liquidity_ratio", "Which rule this is.", "name")
    ratio: float = value(0.50, "Liquid assets against liquid liabilities.", "share", gt=0)
    days: int = value(30, "What is due within these days is liquid.", "day", ge=1)
    loan_share: float = value(1.0, "Part of the payments due on performing loans that counts.", "share", ge=0, le=1)
    undated_share: float = value(0.0, "Part of the lines without maturity that is due.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `ratio` (period)."""
        debts = owed(pool, self, self.line_weight(pool), lambda days: float(days <= self.days))
        comes = inflow(pool, self, self.days, self.loan_share)
        times = pool.param(self, "times", (pool.model.PERIOD,), lambda t: self.ratio)
        pool.limit(
            self,
            "ratio",
            over=(self.periods(pool),),
            body=lambda m, t: m.cash[t] + comes.total(m, t) - times[t] * debts.total(m, t),
            at_least=lambda t: -float(pool.inputs["lender_hqla"]) * float(pool.inputs.hqla_kept[t - 1]),
            ratio=Ratio(limit=lambda t: self.ratio, of=lambda m, t: debts.total(m, t)),
        )

    def line_weight(self, pool: Pool) -> Any:
        """Part of a line that is due, by label and days left."""
        table = pool.book["lines"]
        undated = table.maturity.isna() & ~table.at_call
        return lambda line, days: self.undated_share if undated[line] else float(days <= self.days)

    def formula(self) -> str:
        """See Rule."""
        return (
            "cash[t] + hqla + loan_share * sum_{s,f} own_share[f] * payments[s] * balance[s,f,t] >= ratio * (debt, "
            "notes and tranches due within days)"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        ratio, counted = percent(self.ratio), percent(self.loan_share)
        if lang == "zh":
            return (
                f"流动性资产不低于{self.days}日内到期负债的{ratio}，其中{self.days}日内到期的正常贷款按{counted}计入。"
            )
        return (
            f"Liquid assets are at least {ratio} of the liabilities due within {self.days} days; {counted} of the "
            "payments due on performing loans in that time counts."
        )
