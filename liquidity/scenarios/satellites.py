"""Satellite models: from a macro path to what it does to borrowers and funding, declared in a TOML file.

Every model is a level `y` that starts tonight at `base` (or at the book's own number) and answers a few macro names:

    index[q] = sum over terms of  b (x[q - lag] - x[0])  +  d ((x[q - lag] - x[q - lag - 4]) - 0)
    logit        y = 1 / (1 + exp(-(logit(base) + index)))
    linear       y = base + index
    multiplier   y = base * prod over terms of (x[q - lag] / x[0]) ** b

Before tonight a name stood where it stands tonight. `only` = "up" (or "down") takes a term's rises (or falls) alone.
`floor` and `cap` hold `y`; what reaches the book is `y / base`, `(1 - y) / (1 - base)` or `y - base`, as `effect` says.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from liquidity.errors import BadInput, Problem
from liquidity.rules.rulebook import told
from liquidity.scenarios.macro import NAMES, Macro

Target = Literal[
    "pd", "lgd", "payment_rate", "demand", "utilisation", "asked", "score_kept", "model_kept", "policy_kept",
    "line_rate", "note_rate", "market_rate", "advance_rate", "hqla",
]  # fmt: skip
OF_BOOK = ("pd", "lgd", "payment_rate")
"""Targets whose `base` is the book's own number of each segment where the file gives none."""
SHIFTS = ("line_rate", "note_rate", "market_rate")
"""Targets that are moved by a difference, 1/year."""


class Term(BaseModel):
    """One macro name in a model: `b` per unit of its level, `d` per unit of its change in a year, `lag` in quarters."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    of: str
    b: float = 0.0
    d: float = 0.0
    lag: int = Field(0, ge=0, le=12)
    only: Literal["", "up", "down"] = ""

    @model_validator(mode="after")
    def known_name(self) -> Term:
        """A term names a column of a macro table and weighs it."""
        if self.of not in NAMES:
            raise ValueError(f"`of` one of {', '.join(NAMES)}")
        if self.b == 0 and self.d == 0:
            raise ValueError("b or d, or no term")
        return self

    def change(self, path: np.ndarray) -> np.ndarray:
        """Weighted change of the lagged name since tonight, by quarter."""
        now, year = lagged(path, self.lag), lagged(path, self.lag + 4)
        moved = self.b * (now - path[0]) + self.d * (now - year)
        since = now - path[0]
        kept = {"": True, "up": since > 0, "down": since < 0}[self.only]
        return np.where(kept, moved, 0.0)


class Satellite(BaseModel):
    """One model: what it moves, how, with which numbers, and where they come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    target: Target
    form: Literal["logit", "linear", "multiplier"]
    terms: tuple[Term, ...] = Field(min_length=1)
    base: float | None = None
    effect: Literal["ratio", "complement", "difference"] = "ratio"
    floor: float | None = None
    cap: float | None = None
    where: dict[str, str | list[str]] = {}
    source: str = Field(min_length=1)
    verified: bool = False

    @model_validator(mode="after")
    def fits(self) -> Satellite:
        """The base is a number the form can start from, and the effect one the target can take."""
        if self.base is None and self.target not in OF_BOOK:
            raise ValueError("a base, the level of tonight")
        if self.base is not None and self.form == "logit" and not 0 < self.base < 1:
            raise ValueError("a base between 0 and 1 for the form logit")
        if (self.effect == "difference") != (self.target in SHIFTS):
            raise ValueError(f"effect difference for {', '.join(SHIFTS)}, and for these alone")
        if self.form == "multiplier" and any(term.d for term in self.terms):
            raise ValueError("no d in the form multiplier")
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise ValueError("a floor below the cap")
        if self.effect != "difference" and self.base == 0:
            raise ValueError("a base other than 0, for the effect is measured against it")
        if self.effect == "complement" and (self.base is None or self.base >= 1):
            raise ValueError("a base below 1 for the effect complement")
        return self

    def applies(self, macro: Macro) -> bool:
        """Whether the path has every name that the model needs (for a multiplier, other than 0 tonight)."""
        return all(
            term.of in macro.values and (self.form != "multiplier" or macro.values[term.of][0] != 0)
            for term in self.terms
        )

    def level(self, macro: Macro, base: np.ndarray | float | None = None) -> np.ndarray:
        """`y` by quarter, dims (quarter,), or (base, quarter) for an array of bases (each strictly within its form)."""
        start = np.asarray(self.base if base is None else base, float)[..., None]
        if self.form == "multiplier":
            paths = [(term, macro.values[term.of]) for term in self.terms]
            parts = [(lagged(path, term.lag) / path[0]) ** term.b for term, path in paths]
            found = start * np.prod(parts, axis=0)
        else:
            index = np.sum([term.change(macro.values[term.of]) for term in self.terms], axis=0)
            found = start + index if self.form == "linear" else logistic(start, index)
        return np.clip(found, self.floor, self.cap) if (self.floor, self.cap) != (None, None) else found

    def effect_on(self, macro: Macro, base: np.ndarray | float | None = None) -> np.ndarray:
        """What the target takes, by quarter: a factor, or a difference for rates. Nothing changes tonight."""
        level = self.level(macro, base)
        if self.effect == "difference":
            return level - level[..., :1]
        # a floor or cap that tonight's own level is beyond is no shock
        begin = level[..., :1]
        if self.effect == "complement":
            return (1 - level) / (1 - begin)
        return np.where(begin != 0, level / np.where(begin != 0, begin, 1.0), 1.0)


def logistic(base: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The share whose log odds are those of `base` plus `index`; 0 and 1 stay what they are."""
    odds = np.divide(base, 1 - base, out=np.zeros_like(base), where=base < 1) * np.exp(index)
    return np.where(base >= 1, 1.0, odds / (1 + odds))


def lagged(path: np.ndarray, lag: int) -> np.ndarray:
    """The path some quarters earlier; before tonight it stood where it stands tonight."""
    return np.concatenate([np.repeat(path[:1], min(lag, len(path))), path[: max(0, len(path) - lag)]])


@dataclass(frozen=True)
class Satellites:
    """All models of a file, in its order."""

    file: str
    models: tuple[Satellite, ...]

    def named(self, name: str) -> Satellite:
        """The model of that name; KeyError where there is none."""
        return {model.name: model for model in self.models}[name]


def read_satellites(path: str | Path) -> Satellites:
    """Read the models; raises BadInput with everything that is wrong, by file, model and key."""
    path = Path(path)
    content = load_toml(path, "satellite models")
    entries, problems, models = content.pop("satellite", []), [], []
    problems += [Problem(path.name, "", key, content[key], "[[satellite]] tables and nothing else") for key in content]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput(Problem(path.name, "", "satellite", entries, "a list of [[satellite]] tables"))
    for number, entry in enumerate(entries, 1):
        place = f"satellite {number} {entry.get('name', '')}".strip()
        try:
            models.append(Satellite.model_validate(entry))
        except ValidationError as error:
            problems += told(path.name, place, error)
    names = [model.name for model in models]
    problems += [Problem(path.name, f"satellite {name}", "name", name, "a name that no other model has")
                 for name in sorted({name for name in names if names.count(name) > 1})]  # fmt: skip
    if problems:
        raise BadInput(problems)
    return Satellites(path.name, tuple(models))


def load_toml(path: Path, what: str) -> dict[str, object]:
    """The TOML of a file; raises BadInput where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(Problem(path.name, "", "", str(path), f"{what} ({error.strerror})")) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(Problem(path.name, "", "", str(error), "TOML in UTF-8")) from None
