"""A rulebook as a page a person can read: every rule as maths, words, value, unit and source."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from liquidity.rules.base import Rule
from liquidity.rules.rulebook import Rulebook
from liquidity.rules.text import plain

HEADER = ("value", "is", "unit", "meaning")
BESIDE = ("kind", "name", "origin", "priority", "source", "effective_from", "verified")
LETTERS = (
    "Letters: s segment, u borrower (returning or new), f facility, w warehouse, k tranche, l line, t period "
    "(t-1 is the period before, 0 the opening). Money in the currency of the book, rates per year."
)


def page(rulebook: Rulebook) -> str:
    """The rulebook as markdown; the same rulebook always gives the same text."""
    parts = [
        f"# {rulebook.name}",
        "Generated from the rulebook beside this page (`liquidity show`). Edit the rulebook, not the page.",
        table(rulebook, [name for name in Rulebook.model_fields if name in ("market_rate", "materiality", "horizon")]),
        "Solver:",
        table(rulebook.solver, list(type(rulebook.solver).model_fields)),
        provisions(rulebook),
        "How far a macro path is from another (reverse stress):",
        table(rulebook.reverse_stress, list(type(rulebook.reverse_stress).model_fields)),
        LETTERS,
        overview(rulebook),
        *(section(number, rule) for number, rule in enumerate(rulebook.rules, 1)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def provisions(rulebook: Rulebook) -> str:
    """How provisions are made, where the rulebook says so."""
    if rulebook.provisions is None:
        return ""
    return "Provisions by IFRS 9:\n\n" + table(rulebook.provisions, list(type(rulebook.provisions).model_fields))


def overview(rulebook: Rulebook) -> str:
    """One line per rule."""
    lines: list[tuple[str, ...]] = [("", "rule", "kind", "cause", "who can change it", "protected in tier")]
    for number, rule in enumerate(rulebook.rules, 1):
        tier = str(rule.priority) if rule.repairable else "never gives way"
        lines.append((str(number), rule.name, rule.kind, rule.code or "the gates", rule.origin, tier))
    return grid(lines)


def section(number: int, rule: Rule) -> str:
    """One rule: where it comes from, maths, words in both languages, values."""
    since = f" Holds from {rule.effective_from}." if rule.effective_from else ""
    checked = "compared with the source" if rule.verified else "not yet compared with the source"
    values = [name for name in type(rule).model_fields if name not in BESIDE]
    return "\n\n".join(
        [
            f"## {number}. {rule.name}",
            f"Origin: {rule.origin}. Source: {rule.source} ({checked}).{since}",
            f"    {rule.formula()}",
            f"{rule.words('en')}\n\n{rule.words('zh')}",
            table(rule, values),
        ]
    )


def table(owner: BaseModel, names: list[str]) -> str:
    """Values of a rule or of the rulebook, each with its unit and meaning."""
    fields = type(owner).model_fields
    lines: list[tuple[str, ...]] = [HEADER]
    for name in names:
        field = fields[name]
        lines.append((field.alias or name, plain(getattr(owner, name)), unit_of(field), field.description or ""))
    return grid(lines)


def unit_of(field: FieldInfo) -> str:
    """The unit of a parameter."""
    extra = field.json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


def grid(lines: list[tuple[str, ...]]) -> str:
    """Rows as a markdown table, the first one its header."""
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([rows[0], "|" + "---|" * len(lines[0]), *rows[1:]])
