"""No group of borrowers grows too large."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from liquidity.rules.base import Lang, Ratio, value
from liquidity.rules.groups import GroupShares, group_of
from liquidity.rules.text import field_zh, pairs, percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class Concentration(GroupShares):
    """No group of segments holds more than its share of the managed book.

    In symbols: sum_{s in group, f} balance[s,f,t] - share[group] sum_{s,f} balance[s,f,t] <= 0 (CNY, every group and
    period). Groups are the values of the column `by` of the segments.
    """

    code: ClassVar[str] = "CONCENTRATION"

    kind: Literal["concentration"] = value("concentration", "Which rule this is.", "name")

    def write(self, pool: Pool) -> None:
        """Rows `share` (group, period)."""
        m, limits, column = pool.model, self.limits(pool.book), group_of(pool.book, self.by)
        if not limits:
            return
        index = pool.index(self, "group", list(limits))
        held = column.loc[list(m.SEGMENT)].to_numpy()
        excess = np.array([(held == group) - share for group, share in limits.items()])
        weight = pool.param(self, "weight", (index, m.SEGMENT), excess)
        pool.limit(
            self,
            "share",
            over=(index, self.periods(pool)),
            body=lambda m, g, t: sum(weight[g, s] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY),
            at_most=0.0,
            ratio=Ratio(
                limit=lambda g, t: limits[g],
                of=lambda m, g, t: sum(m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY),
            ),
        )

    def formula(self) -> str:
        """See Rule."""
        return "sum_{s in g, f} balance[s,f,t] <= share[g] * sum_{s,f} balance[s,f,t]    for every group g"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        named = pairs(self.shares, lang)
        if lang == "zh":
            rest = f"任一{field_zh(self.by)}的贷款余额不超过在管贷款余额的{percent(self.share)}" if self.share else ""
            single = f"{field_zh(self.by)}上限为{named}" if named else ""
            return "；".join(part for part in (rest, single) if part) + "。"
        if self.share is None:
            return f"Groups by {self.by} hold at most these shares of the managed book: {named}."
        rest = f"No group by {self.by} holds more than {percent(self.share)} of the managed book"
        return f"{rest}, with these exceptions: {named}." if named else f"{rest}."
