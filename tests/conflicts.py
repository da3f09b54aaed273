"""Thirty lenders whose rules contradict each other, made by seed, and rulebooks written so that they can be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liquidity.book import Book, write_book
from liquidity.rules.rulebook import Rulebook
from tests.books import MILLION, calm_book, calm_rules, random_book, random_rules

HORIZON = ("2 x 1 day", "1 x 1 week", "2 x 1 month")
Made = tuple[Book, Rulebook]
Noise = np.random.Generator


def calm() -> Made:
    """The calm lender on a short horizon."""
    return calm_book(), calm_rules(HORIZON)


def other(noise: Noise) -> Made:
    """A made-up lender on a short horizon."""
    seed = int(noise.integers(6))
    book = random_book(8, 5, seed)
    return book, random_rules(book, seed, HORIZON)


def edited(rule: str, **fields: Callable[[Noise], Any]) -> Callable[[Noise], Made]:
    """The calm lender with numbers of one rule drawn from where they contradict its book."""

    def make(noise: Noise) -> Made:
        book, rules = calm()
        return book, rules.edit(rule, **{name: draw(noise) for name, draw in fields.items()})

    return make


def between(low: float, high: float) -> Callable[[Noise], float]:
    """A number drawn evenly."""
    return lambda noise: round(float(noise.uniform(low, high)), 6)


def always(what: Any) -> Callable[[Noise], Any]:
    """The same for every seed."""
    return lambda noise: what


def capital_of_another(noise: Noise) -> Made:
    """A made-up lender that should hold twice its capital."""
    book, rules = other(noise)
    return book, rules.edit("capital", ratio=between(0.4, 0.9)(noise))


def reserve(noise: Noise) -> Made:
    """A made-up lender that should keep many times its cash."""
    book, rules = other(noise)
    return book, rules.edit("cash_reserve", amount=round(float(book.lender.cash) * noise.uniform(15.0, 60.0), 2))


def matures(noise: Noise) -> Made:
    """Every line falls due within days of one another; nothing replaces them."""
    book, rules = calm()
    for line in book["lines"].index:
        due = pd.Timestamp(book.as_of + timedelta(days=int(noise.integers(1, 3))))
        book = book.edit("lines", str(line), maturity=due)
    return book, rules


def pinned(*pins: tuple[str, str, Callable[[Noise], float]], rule: str = "", **fields: Any) -> Callable[[Noise], Made]:
    """The calm lender with instructions (segment, operator, CNY m relent tonight), and numbers of a rule."""

    def make(noise: Noise) -> Made:
        book, rules = calm()
        day = pd.Timestamp(book.as_of)
        same = {
            "target": "relend",
            "facility": "",
            "line": "",
            "from": day,
            "to": day,
            "reason": "a test",
            "by": "desk",
        }
        rows = [{**same, "segment": segment, "op": op, "amount": draw(noise) * MILLION} for segment, op, draw in pins]
        return book.replace(pins=pd.DataFrame(rows)), rules.edit(rule, **fields) if rule else rules

    return make


def only_together(noise: Noise) -> Made:
    """A reserve that lines could pay for, and a leverage that forbids to draw them: each alone has a plan."""
    book, rules = calm()
    rules = rules.edit("cash_reserve", amount=float(round(noise.uniform(3.0e9, 3.9e9), -6)))
    return book, rules.edit("leverage_multiple", origin="board", nonstandard_multiple=0.3)


def commitment_cut(noise: Noise) -> Made:
    """A warehouse committed to a part of what it has drawn."""
    book, rules = calm()
    drawn = float(book["facilities"].drawn["warehouse_a"])
    return book.edit("facilities", "warehouse_a", commitment=round(drawn * noise.uniform(0.2, 0.6), 2)), rules


def partner(noise: Noise) -> Made:
    """A partner that may stand for much less than it does, by its contract."""
    book, rules = calm()
    lent = float(book["balances"].balance.xs("joint_a", level="facility").sum())
    tier1 = round(lent * noise.uniform(0.5, 1.5), 2)
    return book.edit("partners", "harbour_bank", net_tier1=tier1), rules.edit("partner_limit", origin="contract")


def law(noise: Noise) -> Made:
    """A capital ratio that only the regulator can change."""
    book, rules = calm()
    return book, rules.edit("capital", origin="law", ratio=between(0.5, 0.9)(noise))


MAKERS: dict[str, Callable[[Noise], Made]] = {
    "capital too high": edited("capital", ratio=between(0.5, 0.9)),
    "capital of another lender": capital_of_another,
    "reserve above cash": reserve,
    "standardised leverage below the present": edited(
        "leverage_multiple", origin=always("board"), standardised_multiple=between(0.1, 0.5)
    ),
    "line matures, nothing replaces it": matures,
    "instructions contradict": pinned(("", ">=", between(8, 12)), ("", "<=", between(2, 6))),
    "region below its share": edited("region", share=between(0.1, 0.3)),
    "too many bad loans": edited("npl_ratio", share=between(0.0005, 0.002)),
    "liquidity coverage": edited("liquidity_coverage", ratio=between(400.0, 900.0)),
    "partner": partner,
    "expected loss": edited("expected_loss", rate=between(0.001, 0.004)),
    "reserve and leverage, only together": only_together,
    "leverage ratio": edited("leverage_ratio", ratio=between(0.4, 0.8)),
    "stable funding": edited("stable_funding", ratio=between(2.0, 4.0)),
    "capital by law": law,
    "provisions": edited("provision_cover", npl_share=between(3.0, 9.0)),
    "instruction against the price cap": pinned(("", ">=", between(2, 6)), rule="price_cap", cap=0.03, steps=()),
    "warehouse commitment cut": commitment_cut,
}
TWICE = 12
"How many of the makers are used with two seeds."
BOOKS = [(name, seed) for place, name in enumerate(MAKERS) for seed in range(2 if place < TWICE else 1)]


def conflicting(name: str, seed: int) -> Made:
    """A book and a rulebook that contradict each other."""
    return MAKERS[name](np.random.default_rng([list(MAKERS).index(name), seed]))


def write_inputs(book: Book, rulebook: Rulebook, folder: Path) -> Path:
    """Book and rulebook as files; the path of the rulebook, which names the book."""
    write_book(book, folder / "book")
    content = rulebook.model_dump(
        mode="python", exclude={"rules", "own_rules", "book"}, exclude_none=True, by_alias=True
    )
    solver = content.pop("solver")
    lines = [f"{key} = {toml(part)}" for key, part in {"book": "book", **content}.items()]
    lines += ["[solver]", *(f"{key} = {toml(part)}" for key, part in solver.items())]
    for rule in rulebook.rules:
        fields = {key: part for key, part in rule.model_dump(mode="python", by_alias=True).items() if part is not None}
        lines += ["[[rule]]", *(f"{key} = {toml(part)}" for key, part in fields.items())]
    path = folder / "rules.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def toml(part: Any) -> str:
    """A value as TOML."""
    if isinstance(part, bool):
        return str(part).lower()
    if isinstance(part, date):
        return part.isoformat()
    if isinstance(part, int | float):
        return repr(part)
    if isinstance(part, dict):
        return "{ " + ", ".join(f'"{key}" = {toml(one)}' for key, one in part.items()) + " }"
    if isinstance(part, list | tuple):
        return "[" + ", ".join(toml(one) for one in part) + "]"
    escaped = str(part).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
