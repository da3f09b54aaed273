"""Instructions by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pandas as pd

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Rule, day_of, value

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

LOANS = ("relend", "lend", "move")
VEHICLES = ("warehouse", "abs")
PLACES = {
    "relend": ("facility", "OPEN", ("balance_sheet", "joint", *VEHICLES)),
    "lend": ("facility", "OPEN", ("balance_sheet", "joint", *VEHICLES)),
    "move": ("facility", "BOUGHT", VEHICLES),
    "note_draw": ("facility", "WAREHOUSE", ("warehouse",)),
    "note_pay": ("facility", "WAREHOUSE", ("warehouse",)),
    "contribute": ("facility", "WAREHOUSE", ("warehouse",)),
    "release": ("facility", "SPV", VEHICLES),
    "draw": ("line", "LINE", ()),
    "pay_down": ("line", "LINE", ()),
}
"""By target: the column of a pin that names the place, the set of all places, and the kinds of facility in it."""
SIDES = {"<=": "at_most", ">=": "at_least", "==": "equal", "=": "equal"}


class Pins(Rule):
    """What somebody fixed by hand: amounts lent, sold, drawn or repaid between two dates.

    In symbols: sum_{s,f,t} lend[s,returning,f,t] <= amount for target `relend` (CNY; likewise `lend` for both kinds of
    borrower, and every other target by its name; >= or == as the pin says). The sum goes over the named segment,
    facility or line, all of them where it is blank, and over the periods that start within the dates of the pin.
    """

    code: ClassVar[str] = "INSTRUCTION"

    kind: Literal["pins"] = value("pins", "Which rule this is.", "name")

    def write(self, pool: Pool) -> None:
        """One row `pin_<n>` per pin, n counting the book's pins from 1."""
        for number, pin in enumerate(pool.book["pins"].to_dict("records"), 1):
            periods = [t for t in self.in_force(pool) if within(pin, pool.grid.starts[t - 1])]
            if periods:
                self.write_pin(pool, f"pin_{number}", pin, periods)

    def write_pin(self, pool: Pool, label: str, pin: dict[Any, Any], periods: list[int]) -> None:
        """The row of one pin."""
        m, target = pool.model, pin["target"]
        column, everywhere, _ = PLACES[target]
        time = pool.index(self, f"{label}_period", periods)
        places = pool.index(self, f"{label}_place", chosen(pin[column], m.component(everywhere)))
        if target in LOANS:
            segments = pool.index(self, f"{label}_segment", chosen(pin["segment"], m.SEGMENT))
            body = loan_body(target, segments, places, time)
        else:
            body = flow_body(target, places, time)
        bound = {SIDES[pin["op"]]: pool.money(float(pin["amount"]))}
        pool.limit(self, label, (pool.index(self, f"{label}_name", [label]),), body, **bound)

    def check(self, book: Book) -> list[Problem]:
        """A pin must be able to hold on something."""
        found = []
        for number, pin in enumerate(book["pins"].to_dict("records"), 1):
            column, _, kinds = PLACES[pin["target"]]
            useful = (column, "segment") if pin["target"] in LOANS else (column,)
            found += [
                Problem("pins", str(number), field, pin[field], f"blank for target {pin['target']}")
                for field in ("segment", "facility", "line")
                if field not in useful and not blank(pin[field])
            ]
            if column == "facility" and not blank(pin["facility"]):
                kind = book["facilities"].kind.get(pin["facility"])
                if kind not in kinds or closed(book, pin):
                    expected = f"a facility that can {pin['target']}: an open {' or '.join(kinds)}"
                    found.append(Problem("pins", str(number), "facility", pin["facility"], expected))
        return found

    def formula(self) -> str:
        """See Rule."""
        return "sum_{s,f,t} x[s,f,t] <= | >= | = amount    for each pin, x the pinned decision"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return "执行业务人员逐条录入的人工指令（金额、对象、起止日期）。"
        return "Every instruction entered by hand is carried out: amount, target, dates."


def blank(item: Any) -> bool:
    """Whether a cell of the pins is empty, which means all."""
    return bool(pd.isna(item)) or item == ""


def closed(book: Book, pin: dict[Any, Any]) -> bool:
    """Whether a pin asks an ABS that already amortises to take loans."""
    end = day_of(book["facilities"].revolving_end.get(pin["facility"]))
    kind = book["facilities"].kind.get(pin["facility"])
    return pin["target"] in LOANS and kind == "abs" and end is not None and end <= book.as_of


def within(pin: dict[Any, Any], day: Any) -> bool:
    """Whether `day` lies within the dates of a pin; a blank date is no bound."""
    first, last = day_of(pin["from"]), day_of(pin["to"])
    return (first is None or first <= day) and (last is None or day <= last)


def chosen(named: Any, everything: Any) -> list[Any]:
    """What a pin names, or everything where it names nothing."""
    return list(everything) if blank(named) else [named]


def flow_body(target: str, places: Any, time: Any) -> Any:
    """Sum of a decision of lines or vehicles over places and periods."""
    return lambda m, p: sum(getattr(m, target)[k, t] for k in places for t in time)


def loan_body(target: str, segments: Any, facilities: Any, time: Any) -> Any:
    """Sum of lending or sales over segments, facilities and periods."""
    if target == "relend":
        return lambda m, p: sum(m.lend[s, "returning", f, t] for s in segments for f in facilities for t in time)
    if target == "lend":
        return lambda m, p: sum(
            m.lend[s, u, f, t] for s in segments for u in m.BORROWER for f in facilities for t in time
        )
    return lambda m, p: sum(m.move[s, f, t] for s in segments for f in facilities for t in time)
