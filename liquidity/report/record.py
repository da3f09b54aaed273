"""How a run was made, out of its record, as names and values with their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FACTS = {
    "objective": ("Net worth at the horizon", "money"),
    "ref_rate": ("Reference rate", "%"),
    "mean_life": ("Mean remaining life", "years"),
    "market_rate": ("Open market rate", "%"),
    "relent_sensitivity": ("Relent tonight, by change of", "money"),
    "other_opening": ("Opening difference of the book", "money"),
    "players": ("Causes that were lifted", ""),
    "re_solves": ("Re-solves behind the reasons", ""),
    "sequence": ("Order of payments", ""),
    "issues": ("Planned issues", ""),
    "issues_gap": ("Most that another choice of issues could add, part of net worth", ""),
    "issues_note": ("Planned issues and prices", ""),
    "size": ("Program", ""),
    "unit": ("One unit of the program", "money"),
    "fallback": ("Solver chain", ""),
    "options": ("Solver options", ""),
    "versions": ("Versions", ""),
    "book": ("Book", ""),
    "book_digest": ("Book digest", ""),
    "rulebook": ("Rulebook", ""),
    "rulebook_digest": ("Rulebook digest", ""),
    "previous": ("Previous run", ""),
    "exit_code": ("Exit code", ""),
}


def facts(run: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    """How the run was made, as (name, value with its unit); what the record does not hold is left out."""
    run = {**run, "issues": [issue["text"] for issue in run.get("issues", [])]}
    kept = {key: run[key] for key in _FACTS if run.get(key) not in (None, "", {}, [])}
    rows = [(_FACTS[key][0], told(value, _FACTS[key][1].replace("money", currency))) for key, value in kept.items()]
    seconds = run.get("seconds", {})
    spent = [f"{phase} {_seconds(time)}" for phase, time in seconds.items()]
    return [*rows, *([("Seconds, CPU / wall", ", ".join(spent))] if spent else [])]


def told(value: Any, unit: str = "") -> str:
    """A value of the record in words: `%` is a yearly rate, a unit of three capitals is money."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {told(part, unit)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(told(part, unit) for part in value)
    if value is None:
        return "no plan"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if unit == "%":
        return f"{value:.2%} a year"
    return f"{unit} {value:,.2f}" if len(unit) == 3 and unit.isupper() else f"{value:,.10g} {unit}".rstrip()


def _seconds(time: Any) -> str:
    return f"{time['cpu']:.2f} / {time['wall']:.2f}" if isinstance(time, Mapping) else f"{time:.2f}"
