"""A lender's rulebook: a TOML file with numbers and names, never formulas, read into frozen rules."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SerializeAsAny, ValidationError, field_validator

from liquidity.errors import BadInput, Problem
from liquidity.rules import KINDS
from liquidity.rules.base import CODES, Rule, value
from liquidity.rules.distance import Distance

STEP = re.compile(r"^[1-9]\d* x [1-9]\d* (day|week|month)s?$")
STEP_EXPECTED = 'steps such as "7 x 1 day", "3 x 1 week" or "11 x 1 month"'
HALF_TIER = 0.5


class SolverOptions(BaseModel):
    """How the program is solved; the answer does not depend on it, the time does."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    threads: int = value(1, "Threads of one solve.", "count", ge=1)
    tolerance: float = value(1e-10, "Feasibility tolerance of the simplex solves.", "program unit", ge=1e-10, le=1e-6)
    simplex_iteration_limit: int = value(10000, "Iterations before a re-solve turns to interior point.", "count", ge=1)
    time_limit: float = value(600.0, "Longest time of one solve.", "second", gt=0)
    gap: float = value(
        1e-4, "How far net worth may lie below the best when planned issues are decided.", "share", ge=0, le=0.1
    )
    workers: int = value(2, "Processes for the amounts.", "count", ge=1)
    split: int = value(64, "Most re-solves spent on telling the rules of one cause apart.", "count", ge=0)


class Weighted(BaseModel):
    """One scenario of expected credit loss."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    weight: float = value(..., "Weight of the scenario, of the sum of all.", "share", gt=0)
    pd_times: float = value(1.0, "Default probabilities times this.", "factor", gt=0)

    def __str__(self) -> str:
        return f"{self.weight:g} of PD x {self.pd_times:g}"


class Provisions(BaseModel):
    """Provisions by IFRS 9 in place of the book's `ecl_rate`: 12-month loss of what is at most 30 days past due,
    lifetime loss of the rest, discounted at the rate of the loan, mean over weighted scenarios.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    late_pd: float = value(..., "12-month default probability of loans 31 to 90 days past due.", "share", gt=0, lt=1)
    scenarios: tuple[Weighted, ...] = value((Weighted(weight=1.0),), "Weighted scenarios.", "factor", min_length=1)
    source: str = value(..., "Where the numbers are from.", "text", min_length=1)


class Rulebook(BaseModel):
    """What a lender decides about a night: time grid, open-market rate, rules, solver.

    `book` is where the tables are, a path or an SQLAlchemy URL; relative paths were resolved against the file.
    `digest` is the sha256 of the canonical content: comments, order of keys, order of rules and the place of the book
    do not change it; the text of a lender's own rule does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = value(..., "Name of the rulebook.", "name", min_length=1)
    book: str | None = value(None, "The book the rulebook is for.", "path")
    horizon: tuple[str, ...] = value(..., "Periods: how many times how long.", "text", min_length=1)
    market_rate: float = value(..., "Rate of unlimited money in the open market.", "1/year", ge=0, le=1)
    materiality: float = value(0.01, "Shortfall of a tier left to the tiers below, of its least.", "share", ge=0, le=1)
    solver: SolverOptions = value(SolverOptions(), "How the program is solved.", "table")
    provisions: Provisions | None = value(None, "Provisions by IFRS 9, else by the rates of the book.", "table")
    reverse_stress: Distance = value(Distance(), "How far a macro path is from another.", "table")
    rules: tuple[SerializeAsAny[Rule], ...] = value((), "The rules, in the order of the file.", "table")
    own_rules: dict[str, str] = value({}, "sha256 of the Python file of each rule of the lender's own.", "hash")

    @field_validator("horizon")
    @classmethod
    def steps_read(cls, horizon: tuple[str, ...]) -> tuple[str, ...]:
        """Every step must be of the form `N x M day|week|month`."""
        if not all(STEP.match(step) for step in horizon):
            raise ValueError(STEP_EXPECTED)
        return horizon

    @field_validator("rules")
    @classmethod
    def names_differ(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """A rule is told by its name, so no two may share one."""
        names = [rule.name for rule in rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rules with different names; give a name to each {', '.join(twice)}")
        return rules

    @property
    def digest(self) -> str:
        """sha256 of the canonical content, hex."""
        content = self.model_dump(mode="json", exclude={"book"})
        if content["provisions"] is None:
            del content["provisions"]  # a rulebook without them has the digest it always had
        if self.reverse_stress == Distance():  # it came later, and decides nothing about a night
            del content["reverse_stress"]
        if self.solver.gap == SolverOptions().gap:  # it came after the first runs
            del content["solver"]["gap"]
        content["rules"] = sorted(content["rules"], key=lambda rule: rule["name"])
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def tiers(self) -> dict[str, float]:
        """Repair tier of every rule, protected in rising order.

        Rules whose breach makes a trust amortise stand half a tier below their own: a contract that can be broken at a
        known price gives way before one that cannot be broken.
        """
        return {rule.name: rule.priority + (HALF_TIER if rule.amortises else 0.0) for rule in self.rules}

    def rule(self, name: str) -> Rule:
        """The rule of that name; KeyError where there is none."""
        return {rule.name: rule for rule in self.rules}[name]

    def edit(self, name: str, **values: Any) -> Rulebook:
        """The same rulebook with other values in one rule; raises BadInput where a value is refused."""
        old = self.rule(name)
        given = {key: getattr(old, key) for key in old.model_fields_set}
        if "origin" in values:
            given.pop("priority")  # the tier follows the origin
        try:
            new = type(old).model_validate({**given, **values})
        except ValidationError as error:
            raise BadInput(told(self.name, f"rule {name}", error)) from None
        return self.model_copy(update={"rules": tuple(new if rule is old else rule for rule in self.rules)})

    def without(self, *names: str) -> Rulebook:
        """The same rulebook without the named rules."""
        return self.model_copy(update={"rules": tuple(rule for rule in self.rules if rule.name not in names)})


def read_rulebook(path: str | Path) -> Rulebook:
    """Read a rulebook; raises BadInput with everything that is wrong in it, by file, rule and key."""
    path = Path(path)
    content = load(path)
    entries = content.pop("rule", [])
    problems: list[Problem] = []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput(Problem(path.name, "", "rule", entries, "a list of [[rule]] tables"))
    rules, own = [], {}
    for number, entry in enumerate(entries, 1):
        rule, digest, found = read_rule(path, number, entry)
        problems += found
        rules += [rule] if rule is not None else []
        if rule is not None and digest:
            own[rule.name] = digest
    problems += clashes(path, entries)
    for key in ("rules", "own_rules"):
        if key in content:
            problems.append(Problem(path.name, "", key, content.pop(key), "[[rule]] tables"))
    if isinstance(content.get("book"), str) and "://" not in content["book"]:
        content["book"] = str(path.parent / content["book"])
    try:
        rulebook = Rulebook.model_validate({**content, "own_rules": own, "rules": () if problems else tuple(rules)})
    except ValidationError as error:
        raise BadInput([*told(path.name, "", error), *problems]) from None
    if problems:
        raise BadInput(problems)
    return rulebook


def load(path: Path) -> dict[str, Any]:
    """The TOML of a file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(Problem(path.name, "", "", str(path), f"a rulebook ({error.strerror})")) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(Problem(path.name, "", "", str(error), "TOML in UTF-8")) from None


def read_rule(path: Path, number: int, entry: dict[str, Any]) -> tuple[Rule | None, str, list[Problem]]:
    """One rule, the digest of its Python file if it is the lender's own, and what is wrong with it."""
    values, digest = dict(entry), ""
    place = f"rule {number} {entry.get('name', entry.get('kind', ''))}".strip()
    try:
        if "python" in values:
            cls, digest = own_class(path, place, values.pop("python"))
        else:
            cls = known_class(path, place, values.get("kind"))
        return cls.model_validate(values), digest, []
    except BadInput as error:
        return None, "", list(error.problems)
    except ValidationError as error:
        return None, "", told(path.name, place, error)


def known_class(path: Path, place: str, kind: object) -> type[Rule]:
    """The class of a kind."""
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise BadInput(Problem(path.name, place, "kind", kind, f"one of {', '.join(KINDS)}, or python"))
    return cls


def own_class(path: Path, place: str, spec: object) -> tuple[type[Rule], str]:
    """A lender's own subclass of Rule, `file.py:Class` beside the rulebook, and the sha256 of its file."""
    parts = spec.split(":") if isinstance(spec, str) else []
    if len(parts) != 2:
        raise BadInput(Problem(path.name, place, "python", spec, '"file.py:Class", the file beside the rulebook'))
    file = path.parent / parts[0]
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        module_spec = importlib.util.spec_from_file_location(f"own_rules_{digest[:12]}", file)
        if module_spec is None or module_spec.loader is None:
            raise ImportError(f"{file.name} is no Python file")
        module = importlib.util.module_from_spec(module_spec)
        sys.modules[module_spec.name] = module  # pydantic looks up the types of the fields there
        module_spec.loader.exec_module(module)
    except (OSError, ImportError, SyntaxError) as error:
        raise BadInput(Problem(path.name, place, "python", spec, f"a Python file that loads ({error})")) from None
    cls = getattr(module, parts[1], None)
    if not isinstance(cls, type) or not issubclass(cls, Rule) or cls.code not in CODES:
        expected = f"a subclass of Rule whose code is one of {', '.join(CODES)}"
        raise BadInput(Problem(path.name, place, "python", spec, expected))
    return cls, digest


def clashes(path: Path, entries: list[dict[str, Any]]) -> list[Problem]:
    """Names given twice, and requests that are not there exactly once."""
    names = [str(entry.get("name", entry.get("kind", entry.get("python")))) for entry in entries]
    found = [
        Problem(path.name, f"rule {number} {name}", "name", name, "a name that no other rule has")
        for number, name in enumerate(names, 1)
        if names.index(name) != number - 1
    ]
    asked = sum(entry.get("kind") == "requests" for entry in entries)
    if asked != 1:
        found.append(Problem(path.name, "", "rule", f"{asked} rules of kind requests", "exactly one"))
    return found


def told(file: str, place: str, error: ValidationError) -> list[Problem]:
    """What pydantic refused, as problems with file, rule and key."""
    found = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        missing = item["type"] == "missing"
        text = item["msg"].removeprefix("Value error, ")
        expected = "no such key" if item["type"] == "extra_forbidden" else "a value" if missing else text
        given: Any = None if missing or not key else item["input"]
        found.append(Problem(file, place, key, str(given) if isinstance(given, date) else given, expected))
    return found
