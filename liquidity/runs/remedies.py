"""What would end a conflict of rules: which limit, to what number, at what cost (DESIGN 5).

A remedy changes numbers of the rulebook or cells of the book. Each rule of the conflict is loosened alone by as little
as will do; what gave way is loosened together until the repaired plan holds, unless some of that alone is enough. Every
remedy that is told as a way out was applied and its night decided from the start, with nothing giving way.
What the law sets is not negotiable: such a remedy is only told where no other is found, and told as what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from liquidity.book import Book
from liquidity.errors import BadInput, SolverFailed
from liquidity.explain.words_remedies import told
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.contrast import Standing
from liquidity.runs.levers import COST
from liquidity.runs.loosening import Found, Loosening, Probe, Start
from liquidity.runs.mending import Moved
from liquidity.runs.negotiable import Inputs, from_record, knobs_of
from liquidity.runs.night import Decided, Say, decide, quiet

NUDGES = (1.0, 1.01, 1.1, 1.5)
"How much farther a change is taken where the whole night, with its yes/no decisions, needs more than the search saw."
PROVED, NIGHTS = 3, 8
"Most remedies proved by a night decided from the start, and most nights spent on that."
LAW, NO_NUMBER, OTHERS, UNKNOWN, UNPROVED, LEFT_OUT = "law", "no_number", "others", "unknown", "unproved", "left_out"


@dataclass(frozen=True)
class Remedy:
    """Numbers to be moved, or why a rule is no way out. Amounts in CNY.

    `room` is the most room that a row of the rule gains at the repaired plan, by number, `cost` a year of it by its
    kind (`levers.COST`), `lack` what one row still lacks with 95% of the change, `worth` the change of
    net worth against the repaired night. `to` holds the numbers as they are proved.
    """

    rules: tuple[str, ...]
    why: str = ""
    moved: Moved = ()
    room: tuple[float, ...] = ()
    cost: float = 0.0
    lack: float = 0.0
    works: bool = False
    worth: float | None = None
    to: tuple[float, ...] = ()

    @property
    def negotiable(self) -> bool:
        """Whether nothing that it changes is set by law."""
        return all(knob.origin != "law" for knob, _ in self.moved)


@dataclass(frozen=True)
class Remedies:
    """What was found for a night, the cheapest first, and what the search took."""

    found: tuple[Remedy, ...]
    programs: int = 0
    nights: int = 0

    def record(self, rulebook: Rulebook, currency: str = "CNY") -> list[dict[str, Any]]:
        """The remedies as a run record keeps them: `rules, works, why, negotiable, changes` (each `rule, kind, origin,
        table, row, column, key, now, to, unit, room, cost`), `cost, lack, worth` (CNY), `text_en, text_zh`.
        """
        return [entry(one, rulebook, currency) for one in self.found]


def find_remedies(night: Standing, say: Say = quiet) -> Remedies:
    """Remedies of a repaired night; none where nothing gave way."""
    mended = night.solved.repair
    if mended is None:
        return Remedies(())
    search = Search(night, say)
    rules = {rule.name: rule for rule in night.pool.rulebook.rules}
    gave_way = tuple(sorted(set(mended.gave_way.rule)))
    law = [name for name in mended.conflict if rules[name].origin == "law"]
    found = [way for name in mended.conflict if name not in law for way in search.alone(name)]
    joint = search.joint(gave_way, found)
    found = search.prove([*found, *(one for one in joint if one.negotiable)])
    if any(one.works for one in found):
        found += [Remedy((name,), LAW) for name in law]
    else:
        beyond = [way for name in law for way in search.alone(name)]
        hard = [one for one in joint if not one.negotiable]
        found += search.prove([*beyond, *(hard if not any(one.moved for one in beyond) else [])])
    found.sort(key=lambda one: (not one.works, not one.negotiable, one.why, one.cost, one.rules))
    return Remedies(tuple(found), search.loosening.spent, search.nights)


class Search:
    """Looks for remedies and proves them, within a number of programs and nights."""

    def __init__(self, night: Standing, say: Say = quiet) -> None:
        self.night, self.say = night, say
        self.loosening = Loosening(night)
        self.unit, self.nights, self.proved = night.pool.unit, 0, 0

    def alone(self, name: str) -> list[Remedy]:
        """Ways to loosen only this rule, by one number or else by several, or why there is none."""
        knobs = knobs_of(name, self.loosening.inputs)
        if not knobs:
            return [Remedy((name,), NO_NUMBER)]
        self.say(f"how far {name} would have to be loosened")
        ways: list[Remedy] = []
        try:
            start = self.loosening.start((name,))
            if start is None:
                return [Remedy((name,), OTHERS)]
            first = self.loosening.probe(start, ())
            for knob in knobs:
                found = self.loosening.least(start, knob, first)
                if found is not None:
                    ways.append(self.remedy(((knob, found.part),), found))
            return ways or self.several((name,), start, first) or [Remedy((name,), OTHERS)]
        except SolverFailed:  # the night has its answer; only this way out of the conflict stays unknown
            return [*ways, Remedy((name,), UNKNOWN)]

    def several(self, names: tuple[str, ...], start: Start, first: Probe) -> list[Remedy]:
        """The way to loosen some rules by as many of their numbers as their least shortfall asks for."""
        return self.shrunk(start, self.loosening.as_short(first, names))

    def shrunk(self, start: Start, moved: Moved | None) -> list[Remedy]:
        """A joint change that is enough, as small as it can be."""
        found = self.loosening.common(start, moved) if moved else None
        if found is None or moved is None:
            return []
        return [self.remedy(tuple((knob, part * found.part) for knob, part in moved), found)]

    def joint(self, names: tuple[str, ...], known: Iterable[Remedy]) -> list[Remedy]:
        """The remedy that loosens what gave way, unless one that is known does with some of its numbers."""
        find = self.loosening
        try:
            moved = find.as_given_way()
            if moved is not None:
                numbers = {knob for knob, _ in moved}
                if any(one.moved and {knob for knob, _ in one.moved} <= numbers for one in known):
                    return []
                every = {family.owner for family in self.night.program.rows if family.repairable}
                start = find.start(every)
                return self.shrunk(start, moved) if start else []
            start = find.start(names) if len(names) > 1 else None
            return self.several(names, start, find.probe(start, ())) if start else []
        except SolverFailed:
            return [Remedy(names, UNKNOWN)]

    def remedy(self, moved: Moved, found: Found) -> Remedy:
        """A remedy with its cost, not yet proved."""
        room = tuple(self.loosening.gained(knob, part) * self.unit for knob, part in moved)
        cost = sum(size * COST[knob.kind] for size, (knob, _) in zip(room, moved))
        names = tuple(sorted({knob.rule for knob, _ in moved}))
        return Remedy(names, LEFT_OUT, moved, room, cost, found.lack * self.unit)

    def prove(self, ways: list[Remedy]) -> list[Remedy]:
        """The ways, the cheapest proved by a night decided from the start as far as the budget goes."""
        ways = sorted(ways, key=lambda one: (one.cost, one.rules))
        return [self.proof(one) if one.moved else one for one in ways]

    def proof(self, way: Remedy) -> Remedy:
        """The remedy, once the changed night has a plan with nothing giving way."""
        if self.proved >= PROVED:
            return way
        for nudge in NUDGES:
            if self.nights >= NIGHTS:
                return way
            numbers = tuple(knob.typed(min(1.0, part * nudge)) for knob, part in way.moved)
            again = self.decided(way.moved, numbers)
            if again is not None:
                self.proved += 1
                worth = again.solved.staged.first.objective * again.pool.unit
                worth -= self.night.solved.staged.first.objective * self.unit
                return replace(way, works=True, why="", to=numbers, worth=worth)
        return replace(way, why=UNPROVED)

    def decided(self, moved: Moved, numbers: tuple[float, ...]) -> Decided | None:
        """The night with other numbers, nothing giving way; None where it has no plan."""
        self.nights += 1
        try:
            at = applied(((knob, number) for (knob, _), number in zip(moved, numbers)), self.loosening.inputs)
            return decide(at.book, at.rulebook, self.night.pool.previous, repairs=False)
        except (SolverFailed, BadInput):
            return None


def applied(changes: Iterable[tuple[Any, float]], at: Inputs) -> Inputs:
    """The inputs with numbers changed."""
    for knob, number in changes:
        at = knob.apply(at, number)
    return at


def entry(one: Remedy, rulebook: Rulebook, currency: str) -> dict[str, Any]:
    """A remedy as the record keeps it."""
    numbers = one.to or tuple(knob.typed(part) for knob, part in one.moved)
    changes = [
        {
            "rule": knob.rule, "kind": knob.kind, "origin": knob.origin, "table": knob.table, "row": knob.row,
            "column": knob.column, "key": knob.key, "now": knob.told(knob.now), "to": knob.told(number),
            "unit": knob.unit, "room": round(room, 2), "cost": round(room * COST[knob.kind], 2),
        }
        for (knob, _), number, room in zip(one.moved, numbers, one.room)
    ]  # fmt: skip
    content = {
        "rules": list(one.rules), "works": one.works, "why": one.why, "negotiable": one.negotiable, "changes": changes,
        "cost": round(one.cost, 2), "lack": round(one.lack, 2),
        "worth": None if one.worth is None else round(one.worth, 2),
    }  # fmt: skip
    return {**content, **told(content, rulebook, currency)}


def apply_remedy(remedy: dict[str, Any], book: Book, rulebook: Rulebook) -> tuple[Book, Rulebook]:
    """Book and rulebook with the changes of a remedy of a run record made."""
    at = applied((from_record(change) for change in remedy["changes"]), Inputs(book, rulebook))
    return at.book, at.rulebook
