"""Nobody is lent what nobody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Rule, value

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class Requests(Rule):
    """Returning borrowers get at most what they repaid, times the gates; new borrowers at most their demand.

    In symbols (CNY, every segment and period):
        sum_f lend[s,returning,f,t] - gates[s,t] sum_f rep[s,f,t] balance[s,f,t-1] <= 0
        sum_f lend[s,new,f,t] <= new_demand[s,t]
    Its causes are the gates of the book (NOT_ASKED and so on), so it has no code of its own and is never lifted.
    """

    code: ClassVar[str] = ""
    repairable: ClassVar[bool] = False
    liftable: ClassVar[bool] = False

    kind: Literal["requests"] = value("requests", "Which rule this is.", "name")

    def write(self, pool: Pool) -> None:
        """Rows `returning` and `new`, each (segment, period)."""
        m, periods = pool.model, self.periods(pool)
        demand = pool.arrays.new_demand[:, 0, [t - 1 for t in self.in_force(pool)]]
        pool.limit(
            self,
            "returning",
            over=(m.SEGMENT, periods),
            body=lambda m, s, t: (
                sum(m.lend[s, "returning", f, t] for f in m.OPEN)
                - m.gates[s, t] * sum(m.rep[s, f, t] * m.balance[s, f, t - 1] for f in m.FACILITY)
            ),
            at_most=0.0,
        )
        pool.limit(
            self,
            "new",
            over=(m.SEGMENT, periods),
            body=lambda m, s, t: sum(m.lend[s, "new", f, t] for f in m.OPEN),
            at_most=demand,
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_f lend[s,returning,f,t] <= gates[s,t] * sum_f rep[s,f,t] * balance[s,f,t-1]; "
            "sum_f lend[s,new,f,t] <= new_demand[s,t]"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return "再投放金额不超过本期回款本金中客户再次申请且通过各项前置检查的部分；对新借款人的投放不超过其需求。"
        return (
            "Returning borrowers are lent at most the repaid principal that they ask for again and that passes every "
            "gate; new borrowers at most their demand."
        )
