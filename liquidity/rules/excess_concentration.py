"""No group grows too large within the pool of a facility."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from liquidity.rules.base import Lang, Ratio, value
from liquidity.rules.groups import GroupShares, group_of
from liquidity.rules.text import field_zh, join, pairs, percent

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.errors import Problem
    from liquidity.program.pool import Pool


class ExcessConcentration(GroupShares):
    """Within the pool of a warehouse or of a revolving ABS no group of segments holds more than its share.

    In symbols: sum_{s in group} balance[s,f,t] - share[group] sum_s balance[s,f,t] <= 0 (CNY, every group, facility f
    and period in which f revolves). A hard limit: where an agreement only leaves the excess out of the borrowing base,
    this is the stricter reading.
    """

    code: ClassVar[str] = "FACILITY_TERMS"

    kind: Literal["excess_concentration"] = value("excess_concentration", "Which rule this is.", "name")
    facilities: tuple[str, ...] = value((), "Facilities that are bound; all warehouses and ABS if none.", "name")

    def write(self, pool: Pool) -> None:
        """Rows `share` (group, facility, period)."""
        m, limits, column = pool.model, self.limits(pool.book), group_of(pool.book, self.by)
        held, named = self.in_force(pool), self.facilities or tuple(m.BOUGHT)
        open_ = [(f, t) for f in m.BOUGHT if f in named for t in pool.revolving(f) if t in held]
        if not limits or not open_:
            return
        groups, index = pool.index(self, "group", list(limits)), pool.index(self, "revolving", open_)
        of = column.loc[list(m.SEGMENT)].to_numpy()
        excess = np.array([(of == group) - share for group, share in limits.items()])
        weight = pool.param(self, "weight", (groups, m.SEGMENT), excess)
        pool.limit(
            self,
            "share",
            over=(groups, index),
            body=lambda m, g, f, t: sum(weight[g, s] * m.balance[s, f, t] for s in m.SEGMENT),
            at_most=0.0,
            ratio=Ratio(
                limit=lambda g, f, t: limits[g], of=lambda m, g, f, t: sum(m.balance[s, f, t] for s in m.SEGMENT)
            ),
        )

    def check(self, book: Book) -> list[Problem]:
        """The column, every named group and every named facility must exist."""
        kinds = book["facilities"].kind
        pools = sorted(kinds.index[kinds.isin(["warehouse", "abs"])])
        expected = f"a warehouse or ABS: {', '.join(pools)}"
        unknown = [self.problem("facilities", name, expected) for name in self.facilities if name not in pools]
        return super().check(book) + unknown

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_{s in g} balance[s,f,t] <= share[g] * sum_s balance[s,f,t]    for every group g, while facility f "
            "revolves"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        named, where = pairs(self.shares, lang), join(self.facilities, lang)
        if lang == "zh":
            rest = f"任一{field_zh(self.by)}的贷款余额不超过资产池余额的{percent(self.share)}" if self.share else ""
            single = f"{field_zh(self.by)}上限为{named}" if named else ""
            limits = "；".join(part for part in (rest, single) if part)
            return f"循环期内，{where or '各仓储融资及ABS'}的资产池中，{limits}。"
        pool = f"the pool of {where}" if where else "the pool of a warehouse or revolving ABS"
        if self.share is None:
            return f"Within {pool}, groups by {self.by} hold at most these shares: {named}."
        rest = f"Within {pool}, no group by {self.by} holds more than {percent(self.share)}"
        return f"{rest}, with these exceptions: {named}." if named else f"{rest}."
