"""What `liquidity fit` may try for each target, declared in a TOML file: names, lags, signs, forms, the criterion.

lags = [0, 1, 2, 3, 4]                # quarters; each macro name of a model has one of them
terms = 2                             # macro names in a model at most
criterion = "bic"                     # extended by the choices tried; or "out_of_sample": least error of the best 20
least_quarters = 24                   # fewer are refused, and no forecast is made from fewer
ahead = 4                             # forecasts out of sample look 1 to so many quarters ahead
hac_lags = 4                          # of the Newey-West standard errors
leave_out = [["2020 Q2", "2021 Q4"]]  # quarters, first to last, that no model has to explain

[[candidate]]
target = "pd"
form = "logit"
cap = 0.60
level = { unemployment = "+" }        # names that may enter by their level, and which way the target must go with them
change = { unemployment = "+" }       # ... by their change in a year; "any" leaves the sign free

Of a target with `effect = "complement"` the history is the share that is lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from liquidity.errors import BadInput, Problem
from liquidity.rules.rulebook import told
from liquidity.scenarios.macro import NAMES, QUARTER, quarter_number
from liquidity.scenarios.satellites import SHIFTS, Target, load_toml

Sign = Literal["+", "-", "any"]
YEAR = 4
"""Quarters of a change in a year."""


class Candidate(BaseModel):
    """What may explain one target, and the keys that its model takes over."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    target: Target
    form: Literal["logit", "linear", "multiplier"]
    effect: Literal["ratio", "complement", "difference"] = "ratio"
    level: dict[str, Sign] = {}
    change: dict[str, Sign] = {}
    seasons: bool = False
    floor: float | None = None
    cap: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Macro names that may be used, in the order of the file."""
        return tuple(dict.fromkeys((*self.level, *self.change)))

    @model_validator(mode="after")
    def fits(self) -> Candidate:
        """Names are known, and the form can take what is asked."""
        unknown = [name for name in self.names if name not in NAMES]
        if unknown or not self.names:
            raise ValueError(f"`level` or `change` with names out of {', '.join(NAMES)}")
        if self.form == "multiplier" and self.change:
            raise ValueError("no change in the form multiplier")
        if (self.effect == "difference") != (self.target in SHIFTS):
            raise ValueError(f"effect difference for {', '.join(SHIFTS)}, and for these alone")
        if self.effect == "difference" and self.form != "linear":
            raise ValueError("form linear for the effect difference")
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise ValueError("a floor below the cap")
        return self


class Candidates(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    lags: tuple[int, ...] = Field((0, 1, 2, 3, 4), min_length=1, max_length=13)
    terms: int = Field(2, ge=1, le=3)
    criterion: Literal["bic", "out_of_sample"] = "bic"
    least_quarters: int = Field(24, ge=16, le=400)
    ahead: int = Field(4, ge=1, le=12)
    hac_lags: int = Field(4, ge=0, le=12)
    leave_out: tuple[tuple[str, str], ...] = ()
    candidate: tuple[Candidate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def fits(self) -> Candidates:
        """Lags that a satellite model can have, quarters that are quarters, one candidate a target."""
        if any(not 0 <= lag <= 12 for lag in self.lags) or len(set(self.lags)) < len(self.lags):
            raise ValueError("lags from 0 to 12 quarters, each once")
        if any(not QUARTER.match(quarter) for span in self.leave_out for quarter in span):
            raise ValueError("leave_out as pairs of quarters such as 2020 Q2")
        targets = [one.target for one in self.candidate]
        if len(set(targets)) < len(targets):
            raise ValueError("one candidate a target")
        return self

    def left_out(self, quarter: int) -> bool:
        """Whether no model has to explain a quarter (number)."""
        return any(quarter_number(first) <= quarter <= quarter_number(last) for first, last in self.leave_out)


def read_candidates(path: str | Path) -> Candidates:
    """Read the file; raises BadInput with everything that is wrong, by key."""
    path = Path(path)
    try:
        return Candidates.model_validate(load_toml(path, "candidates of satellite models"))
    except ValidationError as error:
        raise BadInput(told(path.name, "", error)) from None


def candidate_of(candidates: Candidates, target: str, file: str) -> Candidate:
    """What may explain a target; BadInput where the file does not say."""
    for one in candidates.candidate:
        if one.target == target:
            return one
    known = ", ".join(one.target for one in candidates.candidate)
    raise BadInput(Problem(file, "", "target", target, f"a [[candidate]] for it; there are {known}"))
