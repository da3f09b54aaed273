"""Seeded macro paths around a scenario's own path, as a TOML file of sizes declares them (`models/macro_noise.toml`).

By variable i and quarter q, with the quarter of tonight known (d[0] = 0):

    d[q] = persistence d[q-1] + size ( cycle z[q] + sqrt(1 - cycle^2) e[i, q] )          z, e standard normal
    shift   x[q] = path[q] + d[q]              factor   x[q] = path[q] exp(d[q])

held between `floor` and `cap`, or the path itself where it lies beyond them. z is common to all variables. Draw k is
made from (seed, k, name of the variable): it depends neither on how many are drawn nor on what else is.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from liquidity.errors import BadInput, Problem
from liquidity.rules.rulebook import told
from liquidity.scenarios.macro import COLUMNS, Macro, with_derived
from liquidity.scenarios.satellites import load_toml
from liquidity.scenarios.scenario import Told

CYCLE = "cycle"


class Noise(BaseModel):
    """How far one macro variable strays from its path in a quarter, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    of: str
    form: Literal["shift", "factor"] = "shift"
    size: float = Field(ge=0)
    persistence: float = Field(ge=0, lt=1)
    cycle: float = Field(0.0, ge=-1, le=1)
    floor: float | None = None
    cap: float | None = None
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def fits(self) -> Noise:
        """The variable is one that tables publish, and its floor lies below its cap."""
        if self.of not in COLUMNS.values():
            raise ValueError(f"`of` one of {', '.join(COLUMNS.values())}")
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise ValueError("a floor below the cap")
        return self

    def around(self, path: np.ndarray, common: np.ndarray, own: np.ndarray) -> np.ndarray:
        """The path with noise, by quarter; `common` and `own` are standard normal numbers by quarter."""
        shock = self.size * (self.cycle * common + np.sqrt(1 - self.cycle**2) * own)
        away = np.zeros(len(path))
        for quarter in range(1, len(path)):
            away[quarter] = self.persistence * away[quarter - 1] + shock[quarter]
        moved = path + away if self.form == "shift" else path * np.exp(away)
        low = path if self.floor is None else np.minimum(self.floor, path)
        high = path if self.cap is None else np.maximum(self.cap, path)
        moved = moved if self.floor is None else np.maximum(moved, low)
        return moved if self.cap is None else np.minimum(moved, high)


@dataclass(frozen=True)
class Noises:
    """All entries of a file, in its order."""

    file: str
    entries: tuple[Noise, ...]

    def moving(self, macro: Macro) -> tuple[Noise, ...]:
        """The entries whose variable the path has."""
        return tuple(one for one in self.entries if one.of in macro.values)


def read_noises(path: str | Path) -> Noises:
    """Read the sizes; raises BadInput with everything that is wrong, by file, entry and key."""
    path = Path(path)
    content = load_toml(path, "sizes of macro noise")
    raw, problems, found = content.pop("noise", []), [], []
    problems += [Problem(path.name, "", key, content[key], "[[noise]] tables and nothing else") for key in content]
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise BadInput(Problem(path.name, "", "noise", raw, "a list of [[noise]] tables"))
    for number, entry in enumerate(raw, 1):
        try:
            found.append(Noise.model_validate(entry))
        except ValidationError as error:
            problems += told(path.name, f"noise {number} {entry.get('of', '')}".strip(), error)
    names = [one.of for one in found]
    problems += [Problem(path.name, f"noise {name}", "of", name, "a variable that no other entry has")
                 for name in sorted({name for name in names if names.count(name) > 1})]  # fmt: skip
    if problems:
        raise BadInput(problems)
    return Noises(path.name, tuple(found))


def draw_paths(around: Told, noises: Noises, count: int, seed: int) -> list[Macro]:
    """`count` macro paths around that of a scenario.

    Raises BadInput where the scenario has no macro path, or no entry names a variable of it.
    """
    macro = around.macro
    if macro is None:
        raise BadInput(Problem("--around", around.name, "macro", "", "a scenario with a macro path to draw around"))
    moving = noises.moving(macro)
    if not any(one.size > 0 for one in moving):
        expected = f"an entry for one of the path's variables: {', '.join(sorted(macro.values))}"
        raise BadInput(Problem(noises.file, "", "noise", around.name, expected))
    return [one_path(macro, moving, seed, number) for number in range(count)]


def one_path(macro: Macro, moving: tuple[Noise, ...], seed: int, number: int) -> Macro:
    """The draw of this number."""
    quarters = len(macro.quarters)
    common = chance(seed, number, CYCLE).standard_normal(quarters)
    kept = {name: path for name, path in macro.values.items() if name in COLUMNS.values()}
    for one in moving:
        kept[one.of] = one.around(macro.values[one.of], common, chance(seed, number, one.of).standard_normal(quarters))
    return Macro(f"{macro.name} {number}", macro.quarters, with_derived(kept))


def chance(seed: int, number: int, name: str) -> np.random.Generator:
    """The random numbers of one variable of one draw."""
    return np.random.default_rng(np.random.SeedSequence([seed, number, zlib.crc32(name.encode())]))
