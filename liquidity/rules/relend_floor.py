"""Good payers first: what a group freed and may have again is lent to it again, at least in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, value
from liquidity.rules.groups import ServedGroup
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class RelendFloor(ServedGroup):
    """A group is relent at least `share` of what it freed and what passed every gate.

    In symbols: sum_{s in group, f} lend[s,returning,f,t] - share sum_{s in group} wanted[s,t] >= 0 (CNY, tonight and
    every later period), with wanted[s,t] = gates[s,t] sum_f rep[s,f,t] balance[s,f,t-1].
    """

    code: ClassVar[str] = "PRIORITY"

    kind: Literal["relend_floor"] = value("relend_floor", "Which rule this is.", "name")

    def write(self, pool: Pool) -> None:
        """Rows `floor` (period)."""
        m, data, mine = pool.model, pool.arrays, self.holds(pool.book)
        group = pool.index(self, "group", [s for s in m.SEGMENT if mine[s]])
        at = [pool.inputs.indexes["segment"].get_loc(s) for s in group]
        wanted = (data.gates * data.rep)[at]
        again = pool.param(self, "wanted", (group, m.FACILITY, m.PERIOD), wanted)
        owed = pool.param(self, "owed", (group, m.FACILITY, m.PERIOD), self.share * wanted)
        pool.limit(
            self,
            "floor",
            over=(self.periods(pool),),
            body=lambda m, t: (
                sum(m.lend[s, "returning", f, t] for s in group for f in m.OPEN)
                - sum(owed[s, f, t] * m.balance[s, f, t - 1] for s in group for f in m.FACILITY)
            ),
            at_least=0.0,
            ratio=Ratio(
                limit=lambda t: self.share,
                of=lambda m, t: sum(again[s, f, t] * m.balance[s, f, t - 1] for s in group for f in m.FACILITY),
            ),
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_{s in group, f} lend[s,returning,f,t] >= share * sum_{s in group, f} gates[s,t] * rep[s,f,t] * "
            "balance[s,f,t-1]"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            least = percent(self.share)
            return f"{self.served(lang)}，回款中再次申请且通过各项前置检查的部分，再投放比例不低于{least}。"
        return (
            f"Of what borrowers of {self.served(lang)} repaid, asked for again and passed every gate for, at least "
            f"{percent(self.share)} is lent to them again."
        )
