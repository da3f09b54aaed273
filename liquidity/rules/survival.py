"""How long the lender lives on what it has while every market is shut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, day_of, value
from liquidity.rules.due import DAYS_PER_YEAR, by_class, flows_within, inflow, owed, undrawn
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class Survival(Rule):
    """Cash and liquid assets last `days` without any new funding.

    In symbols (CNY, every period):
        cash[t] + (1 - haircut) hqla >= sum_l (due + rate days / 365) debt[l,t] + notes and sold tranches due
            + undrawn_rate undrawn[t] + opex sum_{s,f} balance[s,f,t] + fixed costs + known flows out, all of the days
            - collected sum_{s,f own accounts} own_share[f] payments[s] balance[s,f,t]
    The stress: no line can be drawn, whatever is committed; what matures is paid; nothing is lent but what borrowers
    draw of their lines; of the payments due on performing loans a share comes in. Vehicles pay their notes' interest
    out of their own collections. Lines without maturity stay but for `called`, deposits but for `withdrawn`.
    """

    code: ClassVar[str] = "LIQUIDITY_BUFFER"

    kind: Literal["survival"] = value("survival", "Which rule this is.", "name")
    days: int = value(..., "Days to live through.", "day", ge=1)
    collected: float = value(0.80, "Part of the payments due on performing loans that comes in.", "share", ge=0, le=1)
    called: float = value(0.0, "Part of the lines due later that is called at once.", "share", ge=0, le=1)
    withdrawn: float = value(1.0, "Part of the deposits without maturity that is withdrawn.", "share", ge=0, le=1)
    undrawn_rate: float = value(0.0, "Part of undrawn credit lines that borrowers draw.", "share", ge=0, le=1)
    haircut: float = value(0.0, "Loss when the liquid assets are sold.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `last` (period)."""
        m, data, years = pool.model, pool.arrays, self.days / DAYS_PER_YEAR
        rate, maturity = pool.book["lines"].rate, pool.book["lines"].maturity
        demand = {line for line in by_class(pool, {}, 0.0) if day_of(maturity[line]) is None}

        def leaves(line: str, days: float) -> float:
            stays = self.called if line not in demand else self.withdrawn
            return float((1.0 if days <= self.days and line not in demand else stays) + rate[line] * years)

        debts = owed(pool, self, leaves, lambda days: float(days <= self.days))
        lines, comes = undrawn(pool, self, self.undrawn_rate), inflow(pool, self, self.days, self.collected)
        opex = pool.param(self, "opex", (m.SEGMENT,), data.opex * years)
        fixed = {
            t: data.lender_opex_per_year * years - flows_within(pool, self.days, t) + lines.lines for t in m.PERIOD
        }
        known = pool.param(self, "known", (m.PERIOD,), fixed)

        def needed(m: Any, t: Any) -> Any:
            costs = sum(opex[s] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY)
            return debts.total(m, t) - lines.less(m, t) + costs - comes.total(m, t)

        liquid = float(pool.inputs["lender_hqla"]) * (1 - self.haircut)
        pool.limit(
            self,
            "last",
            over=(self.periods(pool),),
            body=lambda m, t: m.cash[t] - needed(m, t),
            at_least=lambda t: fixed[t] - liquid * float(pool.inputs.hqla_kept[t - 1]),
            ratio=Ratio(limit=lambda t: 1.0, of=lambda m, t: needed(m, t) + known[t], unit=pool.book.currency),
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "cash[t] + (1 - haircut) * hqla >= debt due within days + interest + undrawn_rate * undrawn[t] + costs - "
            "collected * payments due within days"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        got, called, drawn, loss = map(percent, (self.collected, self.called, self.undrawn_rate, self.haircut))
        left, left_zh = "", ""
        if self.withdrawn < 1:
            gone = percent(self.withdrawn)
            left, left_zh = f", {gone} of deposits is withdrawn", f"，存款流失{gone}"
        if lang == "zh":
            return (
                f"在融资渠道全部关闭的压力情景下，现金及优质流动性资产足以维持{self.days}日：到期债务如期偿付，"
                f"未到期借款被提前收回{called}，借款人动用未使用授信额度的{drawn}，正常贷款应收还款到账{got}，"
                f"流动性资产变现折价{loss}{left_zh}。"
            )
        return (
            f"Cash and liquid assets last {self.days} days with every market shut: debts due are paid, {called} of "
            f"other lines is called, borrowers draw {drawn} of their undrawn lines, {got} of the payments due comes "
            f"in, liquid assets sell at a loss of {loss}{left}."
        )
