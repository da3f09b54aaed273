"""The inputs of two nights in groups, and the night decided with some groups of the one and the rest of the other.

Every column of the data dictionary belongs to one group; the rulebook and last night's shares are groups of their own.
Requests and instructions are dated: what holds tonight in one book holds tonight in the other, so they move with the
date of the book they are put into, unless both books tell the same of the same dates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from liquidity.book import Book
from liquidity.book.book import make_book
from liquidity.book.fields import TABLES
from liquidity.book.tidy import flatten
from liquidity.errors import BadInput, Problem
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.night import check_fit

GROUPS = ("previous", "gates", "model", "demand", "receipts", "borrowers", "instructions", "rules", "funding")
"""All groups, those that are cheap to change first: rules and funding may give the program other rows."""
TABLE_GROUP = {
    "lender": "funding", "segments": "borrowers", "balances": "receipts", "repaid": "receipts", "requests": "gates",
    "facilities": "funding", "tranches": "funding", "issues": "funding", "eligibility": "funding",
    "lines": "funding", "partners": "funding",
    "servicer": "funding", "calendar": "funding", "pins": "instructions", "flows": "funding",
}  # fmt: skip
FIELD_GROUP = {("requests", "new_demand"): "demand", ("requests", "model_kept"): "model"}
PATHS = {group: tuple(f.name for f in TABLES["requests"].fields if not f.key and
                      FIELD_GROUP.get(("requests", f.name), TABLE_GROUP["requests"]) == group)
         for group in ("gates", "model", "demand")}  # fmt: skip
TOLD_ONLY = {"source", "verified", "warn_at"}
"""Of a rule: what is told about it and does not change the answer."""
NIGHT_ONLY = {"name", "book", "solver", "rules"}


@dataclass(frozen=True)
class Inputs:
    """What a night is decided from. `previous` is the share relent by segment in the night before, or None."""

    book: Book
    rulebook: Rulebook
    previous: pd.Series | None


def group_of(table: str, field: str) -> str:
    """The group that a column of the book belongs to; KeyError where the table is unknown."""
    return FIELD_GROUP.get((table, field), TABLE_GROUP[table])


def rules_content(rulebook: Rulebook) -> dict[str, object]:
    """What of a rulebook the answer depends on."""
    content = rulebook.model_dump(mode="json", exclude=NIGHT_ONLY)
    return {**content, "rules": {rule.name: rule.model_dump(mode="json", exclude=TOLD_ONLY) for rule in rulebook.rules}}


class Mixer:
    """Puts together the books between two nights.

    `common`, `new` and `gone` are segments by which book has them. So that all books have the same segments, a book
    without a segment gets it without loans and without demand. `players` are the groups that differ, each a name or
    several joined by `+` where a book with only one of them changed would not hold together.
    """

    def __init__(self, a: Inputs, b: Inputs) -> None:
        if a.book.currency != b.book.currency:
            raise BadInput(
                Problem("lender", "", "currency", b.book.currency, f"{a.book.currency}, as in the other run")
            )
        self.a, self.b = a, b
        ours, theirs = (list(side.book["segments"].index) for side in (a, b))
        self.common = tuple(segment for segment in ours if segment in set(theirs))
        self.new = tuple(segment for segment in theirs if segment not in set(ours))
        self.gone = tuple(segment for segment in ours if segment not in set(theirs))
        if not self.common:
            raise BadInput(Problem("segments", "", "segment", theirs[0], "at least one segment that both runs have"))
        self.dated = {group: self.same_dates(group) for group in (*PATHS, "instructions")}
        self.players = tuple(group for group in GROUPS if self.differs(group))
        self.merge()

    # ---- what differs

    def differs(self, group: str) -> bool:
        """Whether the two nights differ in a group of inputs."""
        if group == "rules":
            return rules_content(self.a.rulebook) != rules_content(self.b.rulebook)
        if group == "previous":
            return not same_shares(self.a.previous, self.b.previous)
        if group in self.dated:
            here = self.b.book.as_of
            return not self.dated[group] and not self.dated_part(self.a, group, here).equals(
                self.dated_part(self.b, group, here)
            )
        tables = [name for name in TABLES if TABLE_GROUP[name] == group]
        return any(not self.part(self.a, name).equals(self.part(self.b, name)) for name in tables)

    def same_dates(self, group: str) -> bool:
        """Whether both books tell the same of a dated group on every date, and tonight."""
        if group == "instructions":
            return self.a.book["pins"].equals(self.b.book["pins"])
        start = max(self.a.book.as_of, self.b.book.as_of)
        later, tonight = (
            [path(side.book, group, day) for side, day in zip((self.a, self.b), days)]
            for days in ((start, start), (self.a.book.as_of, self.b.book.as_of))
        )
        first = [frame.groupby("segment")[list(PATHS[group])].first() for frame in tonight]
        return later[0].equals(later[1]) and first[0].equals(first[1])

    def merge(self) -> None:
        """Join players until every book between the two nights is a valid one."""
        while bad := self.refused():
            pairs = {pair: joined(self.players, pair) for pair in combinations(self.players, 2)}
            left = {pair: sum(splits(pair, chosen) == 0 for chosen in bad) for pair in pairs}
            self.players = pairs[min(left, key=lambda pair: left[pair])]

    def refused(self) -> list[frozenset[str]]:
        """Sets of players whose book is not valid, or not one for their rulebook."""
        out = []
        for chosen in subsets(self.players)[1:-1]:
            try:
                given = self.mix(chosen)
                check_fit(given.book, given.rulebook)
            except BadInput:
                out.append(chosen)
        return out

    # ---- what is put together

    def mix(self, chosen: Iterable[str]) -> Inputs:
        """The inputs with the players `chosen` from the second night and everything else from the first."""
        chosen = frozenset(chosen)
        padded = bool(self.new or self.gone)
        if not padded and chosen in (frozenset(), frozenset(self.players)):
            return self.b if chosen else self.a
        groups = {group for player in chosen for group in player.split("+")}
        groups = set(GROUPS) if chosen == frozenset(self.players) and chosen else groups
        side = {group: self.b if group in groups else self.a for group in GROUPS}
        here = side["funding"].book.as_of
        tables = {name: self.part(side[TABLE_GROUP[name]], name) for name in TABLES if name not in ("requests", "pins")}
        tables["pins"] = self.dated_part(side["instructions"], "instructions", here)
        tables["requests"] = together([self.dated_part(side[group], group, here) for group in PATHS])
        return Inputs(make_book(tables), side["rules"].rulebook, side["previous"].previous)

    def part(self, side: Inputs, name: str) -> pd.DataFrame:
        """A table of a night as a flat frame; segments that only the other night has are added."""
        frame = flatten(TABLES[name], side.book[name])
        if name != "segments":
            return frame
        other = flatten(TABLES[name], (self.b if side is self.a else self.a).book[name])
        frame = pd.concat([frame, other[~other.segment.isin(frame.segment)]], ignore_index=True)
        return frame.sort_values("segment", ignore_index=True)

    def dated_part(self, side: Inputs, group: str, here: object) -> pd.DataFrame:
        """A dated group of a night, moved to a book of the date `here`."""
        days = pd.Timestamp(str(here)) - pd.Timestamp(side.book.as_of)
        days = pd.Timedelta(0) if self.dated[group] else days
        if group == "instructions":
            pins = flatten(TABLES["pins"], side.book["pins"])
            return pins.assign(**{name: (pins[name] + days).astype("datetime64[s]") for name in ("from", "to")})
        frame = path(side.book, group, side.book.as_of)
        other = self.b if side is self.a else self.a
        lost = path(other.book, group, other.book.as_of)
        lost = lost[~lost.segment.isin(frame.segment)]
        if group == "demand":  # the segment is not there: nobody asks
            lost = lost.drop_duplicates("segment").assign(new_demand=0.0)
        lost = lost.assign(**{"from": lost["from"] + (pd.Timestamp(side.book.as_of) - pd.Timestamp(other.book.as_of))})
        frame = pd.concat([frame, lost], ignore_index=True).sort_values(["segment", "from"], ignore_index=True)
        return frame.assign(**{"from": (frame["from"] + days).astype("datetime64[s]")})


def path(book: Book, group: str, start: object) -> pd.DataFrame:
    """What a group of requests says from a date on [segment, from, its columns]: only rows that change something."""
    columns = list(PATHS[group])
    frame, first = (
        flatten(TABLES["requests"], book["requests"])[["segment", "from", *columns]],
        pd.Timestamp(str(start)),
    )
    frame = frame.assign(**{"from": frame["from"].where(frame["from"] > first, first)})
    frame = frame.drop_duplicates(["segment", "from"], keep="last")
    before = frame.groupby("segment")[columns].shift()
    return frame[(frame[columns] != before).any(axis=1)].reset_index(drop=True)


def together(paths: list[pd.DataFrame]) -> pd.DataFrame:
    """Requests out of the paths of their columns: each holds until its own next row."""
    wide: pd.DataFrame | None = None
    for frame in (frame.set_index(["segment", "from"]) for frame in paths):
        wide = frame if wide is None else wide.join(frame, how="outer")
    assert wide is not None
    grouped = wide.sort_index().groupby("segment")
    # before its first row a path is not asked for: every path begins on the date of the book or earlier
    filled = grouped.ffill().fillna(grouped.bfill()).reset_index()
    return filled[list(TABLES["requests"].names)]


def same_shares(one: pd.Series | None, two: pd.Series | None) -> bool:
    """Whether last night's shares are the same."""
    if one is None or two is None:
        return one is two
    return one.sort_index().to_dict() == two.sort_index().to_dict()


def subsets(players: Iterable[str]) -> list[frozenset[str]]:
    """Every set of players, each one player away from the one before it (Gray code); none first."""
    names = tuple(players)
    codes = (place ^ (place >> 1) for place in range(2 ** len(names)))
    sets = [frozenset(name for bit, name in enumerate(names) if code >> bit & 1) for code in codes]
    # the set of all is known and goes last
    return [*(chosen for chosen in sets if len(chosen) < len(names)), *([frozenset(names)] if names else [])]


def joined(players: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """The players with two of them made one, in the place of the second."""
    one = "+".join(group for group in GROUPS if group in {*pair[0].split("+"), *pair[1].split("+")})
    return tuple(one if name == pair[1] else name for name in players if name != pair[0])


def splits(pair: tuple[str, str], chosen: frozenset[str]) -> int:
    """1 where a set holds one of the two and not the other."""
    return int((pair[0] in chosen) != (pair[1] in chosen))
