"""A scenario as a file that an analyst copies and edits: a macro path, events, rule values to override.

name = "partner_bank_withdraws"
title = { en = "A partner bank withdraws", zh = "合作银行退出" }
source = "Where the numbers come from"
macro = "macro/fed_2026_severely_adverse.csv"      # beside the file; optional
begin = "2007 Q4"                                  # the quarter that stands for tonight; the first when not given
skip = 4                                           # tonight is four quarters into the path
probability = 0.1                                  # for `two-stage`; those that say none share the rest equally

[[event]]
shock = "frozen"                                   # what changes (`liquidity.program.shocks.NEUTRAL`)
where = { kind = "joint" }                         # for whom: columns of the table of the shock's dim
from = 0                                           # first day (0 is tonight) or a date, ...
to = 30                                            # ... last day or a date; without it, for ever
value = 1.0

[[override]]
rule = { kind = "cash_reserve" }                   # or { name = "region" }
set = { amount = 5e6 }                             # other values, or
times = { line_share = 2.0 }                       # the rulebook's own values times a factor
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from liquidity.errors import BadInput, Problem
from liquidity.program.shocks import DIMS, NEUTRAL
from liquidity.rules.rulebook import told
from liquidity.scenarios.macro import Macro, read_macro
from liquidity.scenarios.satellites import load_toml

TABLE_OF = {"segment": "segments", "facility": "facilities", "line": "lines", "partner": "partners"}
GATES = Literal["asked", "score_kept", "model_kept", "policy_kept", "available"]
Selection = dict[str, str | list[str]]


class Frozen(BaseModel):
    """What all parts of a scenario are: frozen, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class Event(Frozen):
    """One change of the inputs, for whom and from which day to which.

    `value` is the factor, shift or mark of the shock; for `line_commitment` and `note_commitment` "drawn" is the
    factor that leaves what is drawn. `of` = "assets" makes a `flow` that many times the opening assets.
    """

    shock: str
    value: float | Literal["drawn"]
    where: Selection = {}
    gate: GATES | None = None
    account: Literal["income", "other"] | None = None
    of: Literal["", "assets"] = ""
    start: int | date = Field(0, alias="from")
    to: int | date | None = None

    @model_validator(mode="after")
    def fits(self) -> Event:
        """The shock is known, and what the event says is what that shock needs."""
        if self.shock not in NEUTRAL:
            raise ValueError(f"`shock` one of {', '.join(NEUTRAL)}")
        if (self.gate is not None) != (self.shock == "gate"):
            raise ValueError("a `gate` for the shock gate, and for it alone")
        if (self.account is not None) != (self.shock == "flow"):
            raise ValueError("an `account` for the shock flow, and for it alone")
        if self.of and self.shock != "flow":
            raise ValueError("`of` for the shock flow alone")
        if self.value == "drawn" and self.shock not in ("line_commitment", "note_commitment"):
            raise ValueError("a number; only commitments can be what is drawn")
        if isinstance(self.value, float) and NEUTRAL[self.shock] == 1.0 and self.value < 0:
            raise ValueError("a factor of 0 or more")
        if self.where and self.dim is None:
            raise ValueError(f"no `where`: {self.shock} has one number a period")
        if any(isinstance(day, int) and day < 0 for day in (self.start, self.to)):
            raise ValueError("days from tonight on, 0 or more")
        return self

    @property
    def dim(self) -> str | None:
        """The dim whose labels `where` selects; None where there is none."""
        return next((dim for dim in DIMS[self.shock] if dim in TABLE_OF), None)


class Override(Frozen):
    """Other values in the rules of a kind, or of a name."""

    rule: dict[Literal["kind", "name"], str] = Field(min_length=1, max_length=1)
    set: dict[str, Any] = {}
    times: dict[str, float] = {}

    @model_validator(mode="after")
    def says_something(self) -> Override:
        """An override changes a value."""
        if not self.set and not self.times:
            raise ValueError("`set` or `times`")
        return self


class Scenario(Frozen):
    """One scenario. `macro_path` is the path read, None without one; `file` where it was read."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: dict[Literal["en", "zh"], str]
    source: str = Field(min_length=1)
    macro: str | None = None
    begin: str | None = None
    last: str | None = None
    skip: int = Field(0, ge=0)
    probability: float | None = Field(None, gt=0, le=1)
    events: tuple[Event, ...] = Field((), alias="event")
    overrides: tuple[Override, ...] = Field((), alias="override")

    @model_validator(mode="after")
    def two_titles(self) -> Scenario:
        """A scenario is told in both languages, and says where in a path it begins only where it has one."""
        if set(self.title) != {"en", "zh"}:
            raise ValueError("a title in en and zh")
        if self.macro is None and (self.begin or self.last or self.skip):
            raise ValueError("a macro path for begin, last and skip")
        return self


class Told(Frozen):
    """A scenario with its macro path."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    scenario: Scenario
    macro: Macro | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.scenario.name


def read_scenario(path: str | Path) -> Told:
    """Read a scenario file and its macro path; raises BadInput with everything that is wrong in it."""
    path = Path(path)
    try:
        scenario = Scenario.model_validate(load_toml(path, "a scenario"))
    except ValidationError as error:
        raise BadInput(told(path.name, "", error)) from None
    if scenario.macro is None:
        return Told(scenario=scenario)
    macro = read_macro(path.parent / scenario.macro, scenario.begin, scenario.last)
    if scenario.skip > len(macro.quarters) - 2:
        most = f"at most {len(macro.quarters) - 2}, so that a quarter is left"
        raise BadInput(Problem(path.name, "", "skip", scenario.skip, most))
    return Told(scenario=scenario, macro=macro.skip(scenario.skip))


def read_scenarios(paths: list[Path]) -> list[Told]:
    """Read scenario files, and every `*.toml` of folders, in the order of their names; no two of one name.

    Raises BadInput with everything that is wrong in all of them at once.
    """
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    found: list[Told] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found.append(read_scenario(file))
        except BadInput as error:
            problems += error.problems
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [Problem("scenarios", name, "name", name, "a name that no other scenario has") for name in twice]
    if not files:
        problems.append(
            Problem("scenarios", "", "", ", ".join(map(str, paths)), "a scenario file, or a folder of them")
        )
    if problems:
        raise BadInput(problems)
    return sorted(found, key=lambda one: one.name)
