"""Cash kept for the day it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import money, percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class CashReserve(Rule):
    """Cash is at least a fixed amount, and at least a share of what banks and noteholders may call.

    In symbols (CNY, every period; hqla only where it is counted):
        cash[t] >= amount - hqla
        cash[t] - line_share sum_{l nonstandard} debt[l,t] - notes_share sum_w notes[w,t] >= -hqla
    """

    code: ClassVar[str] = "LIQUIDITY_BUFFER"

    kind: Literal["cash_reserve"] = value("cash_reserve", "Which rule this is.", "name")
    amount: float = value(0.0, "Cash kept in any case.", "CNY", ge=0)
    line_share: float = value(0.0, "Cash kept against drawn non-standard lines.", "share", ge=0, le=1)
    notes_share: float = value(0.0, "Cash kept against warehouse notes.", "share", ge=0, le=1)
    count_hqla: bool = value(False, "Whether liquid assets held beside cash count.", "yes/no")

    def write(self, pool: Pool) -> None:
        """Rows `amount` and `coverage`, each (period)."""
        m, periods = pool.model, self.periods(pool)
        counted = float(pool.inputs["lender_hqla"]) if self.count_hqla else 0.0
        kept = pool.inputs.hqla_kept.values
        liquid = {t: counted * float(kept[t - 1]) for t in m.PERIOD}
        if self.amount > 0:
            pool.limit(
                self,
                "amount",
                over=(periods,),
                body=lambda m, t: m.cash[t],
                at_least=lambda t: pool.money(self.amount) - liquid[t],
                ratio=Ratio(limit=lambda t: 1.0, of=lambda m, t: pool.money(self.amount), unit=pool.book.currency),
            )
        if self.line_share > 0 or self.notes_share > 0:
            classes = pool.book["lines"]["class"]
            call = {line: self.line_share if classes[line] == "nonstandard" else 0.0 for line in m.LINE}
            share = pool.param(self, "line_call", (m.LINE,), call)
            notes_share = pool.param(self, "notes_call", (m.WAREHOUSE,), lambda w: self.notes_share)

            def needed(m: Any, t: Any) -> Any:
                lines = sum(share[line] * m.debt[line, t] for line in m.LINE)
                return lines + sum(notes_share[w] * m.notes[w, t] for w in m.WAREHOUSE)

            pool.limit(
                self,
                "coverage",
                over=(periods,),
                body=lambda m, t: m.cash[t] - needed(m, t),
                at_least=lambda t: -liquid[t],
                ratio=Ratio(limit=lambda t: 1.0, of=needed, unit=pool.book.currency),
            )

    def formula(self) -> str:
        """See Rule."""
        liquid = " + hqla" if self.count_hqla else ""
        return (
            f"cash[t]{liquid} >= amount; cash[t]{liquid} >= line_share * sum_l debt[l,t] + notes_share * "
            "sum_w notes[w,t]    over non-standard lines l"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        lines, notes = percent(self.line_share), percent(self.notes_share)
        if lang == "zh":
            liquid = "现金及优质流动性资产" if self.count_hqla else "现金"
            return (
                f"{liquid}不低于{money(self.amount, lang)}，且不低于非标准化融资余额的{lines}"
                f"与仓储融资余额的{notes}之和。"
            )
        liquid = "Cash and liquid assets are" if self.count_hqla else "Cash is"
        return (
            f"{liquid} at least {money(self.amount, lang)}, and at least {lines} of drawn non-standard lines plus "
            f"{notes} of warehouse notes."
        )
