"""Groups that get no new loans for now."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import model_validator

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.groups import group_of, unknown_groups
from liquidity.rules.text import field_zh, join

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool


class LendingStop(Rule):
    """Segments of the stopped groups are not lent to.

    In symbols: sum_{u,f} lend[s,u,f,t] <= 0 for segments s whose `by` is one of `groups` (CNY, periods that start from
    `from` up to and including `to`).
    """

    code: ClassVar[str] = "CONCENTRATION"
    repairable: ClassVar[bool] = False

    kind: Literal["lending_stop"] = value("lending_stop", "Which rule this is.", "name")
    by: str = value(..., "Column of the segments that makes the groups.", "name", min_length=1)
    groups: tuple[str, ...] = value((), "Stopped groups; none is allowed.", "name")
    start: date | None = value(None, "First day of the stop; from now on when not given.", "date", alias="from")
    end: date | None = value(None, "Last day of the stop; without end when not given.", "date", alias="to")

    @model_validator(mode="after")
    def end_after_start(self) -> LendingStop:
        """A stop that ends before it starts is a slip of the pen."""
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("`to` on or after `from`")
        return self

    def holds_on(self, day: date) -> bool:
        """See Rule; within the dates of the stop besides."""
        after = self.start is None or self.start <= day
        return super().holds_on(day) and after and (self.end is None or day <= self.end)

    def write(self, pool: Pool) -> None:
        """Rows `stop` (segment, period)."""
        column = group_of(pool.book, self.by)
        stopped = [s for s in pool.model.SEGMENT if column[s] in self.groups]
        if stopped and self.in_force(pool):
            pool.limit(
                self,
                "stop",
                over=(pool.index(self, "stopped", stopped), self.periods(pool)),
                body=lambda m, s, t: sum(m.lend[s, u, f, t] for u in m.BORROWER for f in m.OPEN),
                at_most=0.0,
            )

    def check(self, book: Book) -> list[Problem]:
        """The column and every named group must exist."""
        return unknown_groups(self, book, self.by, self.groups, "groups")

    def formula(self) -> str:
        """See Rule."""
        return "sum_{u,f} lend[s,u,f,t] <= 0    for s in the stopped groups"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        names = join(self.groups, lang)
        if lang == "zh":
            dates = (f"自{self.start}起" if self.start else "") + (f"至{self.end}止" if self.end else "")
            what = f"暂停向{field_zh(self.by)}为{names}的客群放款" if names else "目前未暂停向任何客群放款"
            return f"{dates}{what}。"
        dates = (f" from {self.start}" if self.start else "") + (f" until {self.end}" if self.end else "")
        return f"No lending to groups by {self.by}: {names}{dates}." if names else f"No group by {self.by} is stopped."
