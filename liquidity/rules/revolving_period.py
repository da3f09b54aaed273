"""A facility buys loans only while it revolves."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, ClassVar, Literal

from dateutil.relativedelta import relativedelta

from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool

DAYS_PER_MONTH = 30.4
LAST_MONTHS = 3


class RevolvingPeriod(Rule):
    """Warehouses and ABS take no loans once they no longer revolve, and an ABS is not stuffed shortly before.

    In symbols (CNY):
        sum_u lend[s,u,f,t] + move[s,f,t] <= 0 in periods in which f no longer revolves (ended or frozen)
        sum_s move[s,f,t] - stuffing_cap days[t] / 30.4 sum_s balance[s,f,t-1] <= 0 in the last three months of an ABS
    An ABS that amortises early because a covenant was broken no longer revolves from then on.
    """

    code: ClassVar[str] = "FACILITY_TERMS"
    repairable: ClassVar[bool] = False

    kind: Literal["revolving_period"] = value("revolving_period", "Which rule this is.", "name")
    stuffing_cap: float = value(
        0.05, "Seasoned loans sold to an ABS in its last three months, as a part of its pool.", "1/month", ge=0, le=1
    )

    def write(self, pool: Pool) -> None:
        """Rows `ended` (segment, facility, period) and `stuffing` (facility, period)."""
        m, held, cap = pool.model, self.in_force(pool), self.stuffing_cap
        frozen = pool.inputs.frozen.to_series()
        revolving = {f: {t for t in pool.revolving(f) if not frozen[f, t]} for f in m.BOUGHT}
        # before a planned ABS is issued there is nothing to forbid, and what it buys at its issue does not stuff it
        first = {f: issue.period for f, issue in pool.issues.items()}
        ended = [(f, t) for f in m.BOUGHT for t in held if t not in revolving[f] and t >= first.get(f, 1)]
        # a period is late where the revolving period ends within three months of its start
        reach = {t: pool.grid.starts[t - 1] + relativedelta(months=LAST_MONTHS) for t in held}
        end = {f: pool.revolving_end(f) or date.max for f in m.ABS}
        last = [(f, t) for f in m.ABS for t in held if t in revolving[f] and reach[t] > end[f] and t != first.get(f)]
        if ended:
            pool.limit(
                self,
                "ended",
                over=(m.SEGMENT, pool.index(self, "ended_facility", ended)),
                body=lambda m, s, f, t: sum(m.lend[s, u, f, t] for u in m.BORROWER) + m.move[s, f, t],
                at_most=0.0,
            )
        if last:
            index = pool.index(self, "late_facility", last)
            days = pool.grid.days
            room = pool.param(self, "room", (index,), lambda f, t: cap * days[t - 1] / DAYS_PER_MONTH)
            pool.limit(
                self,
                "stuffing",
                over=(index,),
                body=lambda m, f, t: (
                    sum(m.move[s, f, t] for s in m.SEGMENT)
                    - room[f, t] * sum(m.balance[s, f, t - 1] for s in m.SEGMENT)
                ),
                at_most=0.0,
            )

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_u lend[s,u,f,t] + move[s,f,t] <= 0 once f no longer revolves; sum_s move[s,f,t] <= stuffing_cap * "
            "days[t] / 30.4 * sum_s balance[s,f,t-1] in the last three months of an ABS"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return (
                "循环期结束或被冻结的资金渠道不再受让或发放贷款；"
                f"循环期最后三个月，每月受让存量贷款不超过资产池的{percent(self.stuffing_cap)}。"
            )
        return (
            "A facility takes no loans once it no longer revolves; in the last three months before that an ABS buys "
            f"seasoned loans of at most {percent(self.stuffing_cap)} of its pool a month."
        )
