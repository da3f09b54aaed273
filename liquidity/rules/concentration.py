"""No group of borrowers grows too large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import field_zh, pairs, percent

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

Share = Annotated[float, Field(gt=0, le=1)]


class Concentration(Rule):
    """No group of segments holds more than its share of the managed book.

    In symbols: sum_{s in group, f} balance[s,f,t] - share[group] sum_{s,f} balance[s,f,t] <= 0 (CNY, every group and
    period). Groups are the values of the column `by` of the segments.
    """

    code: ClassVar[str] = "CONCENTRATION"

    kind: Literal["concentration"] = value("concentration", "Which rule this is.", "name")
    by: str = value(..., "Column of the segments that makes the groups.", "name", min_length=1)
    share: Share | None = value(None, "Largest part of the book one group may hold.", "share")
    shares: dict[str, Share] = value({}, "Limits of single groups, in place of `share`.", "share")

    @model_validator(mode="after")
    def limit_something(self) -> Concentration:
        """Without any share the rule would say nothing."""
        if self.share is None and not self.shares:
            raise ValueError("share or shares")
        return self

    def limits(self, book: Book) -> dict[str, float]:
        """Share of the book by group, for the groups that have a limit."""
        groups = sorted(book["segments"][self.by].astype(str).unique())
        limits = {group: self.shares.get(group, self.share) for group in groups}
        return {group: share for group, share in limits.items() if share is not None}

    def write(self, pool: Pool) -> None:
        """Rows `share` (group, period)."""
        m, limits, column = pool.model, self.limits(pool.book), pool.book["segments"][self.by].astype(str)
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

    def check(self, book: Book) -> list[Problem]:
        """The column and every named group must exist."""
        segments = book["segments"]
        if self.by not in segments.columns:
            return [self.problem("by", self.by, f"a column of segments: {', '.join(segments.columns)}")]
        groups = sorted(segments[self.by].astype(str).unique())
        return [
            self.problem("shares", group, f"one of the groups by {self.by}: {', '.join(groups)}")
            for group in self.shares
            if group not in groups
        ]

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
