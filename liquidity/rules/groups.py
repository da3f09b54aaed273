"""What rules that speak of groups of segments share: the groups by a column, and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import Field, model_validator

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import field_zh, join

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liquidity.book import Book

Share = Annotated[float, Field(gt=0, le=1)]


def group_of(book: Book, by: str) -> pd.Series:
    """The group of every segment: its value in the column `by`, as text (segment)."""
    return book["segments"][by].astype(str)


def unknown_groups(rule: Rule, book: Book, by: str, named: Iterable[str], column: str) -> list[Problem]:
    """Problems where the column `by` or one of the `named` groups does not exist; `column` is the key they stand at."""
    segments = book["segments"]
    if by not in segments.columns:
        return [rule.problem("by", by, f"a column of segments: {', '.join(segments.columns)}")]
    groups = sorted(group_of(book, by).unique())
    expected = f"one of the groups by {by}: {', '.join(groups)}"
    return [rule.problem(column, group, expected) for group in named if group not in groups]


class GroupShares(Rule):
    """A rule that limits every group by its share of something, with other shares for single groups."""

    by: str = value(..., "Column of the segments that makes the groups.", "name", min_length=1)
    share: Share | None = value(None, "Largest part one group may hold.", "share")
    shares: dict[str, Share] = value({}, "Limits of single groups, in place of `share`.", "share")

    @model_validator(mode="after")
    def limit_something(self) -> GroupShares:
        """Without any share the rule would say nothing."""
        if self.share is None and not self.shares:
            raise ValueError("share or shares")
        return self

    def limits(self, book: Book) -> dict[str, float]:
        """Largest share by group, for the groups that have a limit."""
        limits = {group: self.shares.get(group, self.share) for group in sorted(group_of(book, self.by).unique())}
        return {group: share for group, share in limits.items() if share is not None}

    def check(self, book: Book) -> list[Problem]:
        """The column and every named group must exist."""
        return unknown_groups(self, book, self.by, self.shares, "shares")


class ServedGroup(Rule):
    """A rule for the sake of segments whose `by` is one of `groups`."""

    by: str = value(..., "Column of the segments that says who is in the group.", "name", min_length=1)
    groups: tuple[str, ...] = value(..., "Values of that column that belong to the group.", "name", min_length=1)
    share: Share = value(..., "Least part that the group gets.", "share")

    def holds(self, book: Book) -> pd.Series:
        """Whether each segment belongs to the group, yes or no (segment)."""
        return group_of(book, self.by).isin(self.groups)

    def check(self, book: Book) -> list[Problem]:
        """The column and every named group must exist."""
        return unknown_groups(self, book, self.by, self.groups, "groups")

    def served(self, lang: Lang) -> str:
        """The group by its name: `grade A, B`, `信用等级为A、B的客群`."""
        names = join(self.groups, lang)
        return f"{field_zh(self.by)}为{names}的客群" if lang == "zh" else f"{self.by} {names}"
