"""Which rules stand behind a cause: those whose rows had a price at some stage of a program that was solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liquidity.explain.amounts import FUNDING, Amounts
from liquidity.explain.reasons import Culprit
from liquidity.explain.words_events import start_text
from liquidity.explain.words_money import Lang

if TYPE_CHECKING:
    from liquidity.program.night import Solved
    from liquidity.program.pool import Pool

ORDER = ("law", "contract", "board", "desk")
ABOUT_PRODUCT = ("PRICE_CAP", "LIMIT_POLICY", "STABILITY")


def find_culprits(pool: Pool, solved: Solved, amounts: Amounts | None) -> dict[str, Culprit]:
    """Rules by cause, and each by itself ("cause/rule") where the cause is split over its rules.

    A cause that only acts once others are lifted names all of its rules.
    """
    touched = solved.staged.touched
    acting: dict[str, set[str]] = {}
    known: dict[str, set[str]] = {}
    for family in solved.program.rows:
        if family.kind == "rule" and family.code:
            known.setdefault(family.code, set()).add(family.owner)
            if touched[family.place].any():
                acting.setdefault(family.code, set()).add(family.owner)
    causes = set(amounts.part) & set(known) if amounts is not None else set()
    single = {
        by: culprit(pool, [by.split("/", 1)[1]], named_segments(solved, cause))
        for cause, part in (amounts.rule_part if amounts is not None else {}).items()
        for by in part
    }
    return single | {
        cause: culprit(pool, sorted(acting.get(cause) or known[cause]), named_segments(solved, cause))
        for cause in sorted(causes | ({FUNDING} & set(known)))
    }


def culprit(pool: Pool, names: list[str], about: frozenset[str] | None) -> Culprit:
    """Names, strictest origin and sentences of some rules."""
    rules = [pool.rulebook.rule(name) for name in names]
    origin = min((rule.origin for rule in rules), key=ORDER.index)
    said: dict[Lang, list[str]] = {lang: [rule.words(lang) for rule in rules] for lang in ("en", "zh")}
    if any(rule.kind == "revolving_period" for rule in rules):
        days = {facility: pool.grid.starts[t - 1].isoformat() for facility, t in sorted(pool.amortising.items())}
        for lang, sentences in said.items():
            sentences += [start_text(lang, facility, day) for facility, day in days.items()]
    words = {"en": " ".join(said["en"]), "zh": "".join(said["zh"])}
    return Culprit("+".join(names), origin, words, about)


def named_segments(solved: Solved, cause: str) -> frozenset[str] | None:
    """Segments that the rows of a cause name, for causes that are told as something about the product."""
    if cause not in ABOUT_PRODUCT:
        return None
    found: set[str] = set()
    for family in solved.program.rows:
        if family.code == cause and "segment" in family.dims:
            at = family.dims.index("segment")
            found |= {str(index[at]) for index in family.index}
    return frozenset(found)
