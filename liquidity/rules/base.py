"""What every rule is: parameters, rows, words.

A rule is one frozen object in one file. Its parameters are pydantic fields with a unit and a meaning, `write` puts its
rows into the pool, `words` tells it to a person. `pool.limit` is the only maker of rule rows: decision parts stand
left, data right, so that a price is always d(net worth) / d(bound).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from liquidity.errors import Problem

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

Lang = Literal["en", "zh"]
Origin = Literal["law", "contract", "board", "desk"]
TIER: dict[str, int] = {"law": 1, "contract": 2, "board": 3, "desk": 4}
CODES = (
    "FUNDING",
    "LIQUIDITY_BUFFER",
    "CAPITAL",
    "LEVERAGE",
    "FACILITY_TERMS",
    "PARTNER",
    "CONCENTRATION",
    "RISK_BUDGET",
    "PRICE_CAP",
    "LIMIT_POLICY",
    "STABILITY",
    "PRIORITY",
    "INSTRUCTION",
)
"""Causes a rule may stand for. The causes of the gates and UNPROFITABLE belong to no rule's rows."""

RESERVED = ("margin", "future_relending", "reduced_cost", "definition", "terms")
"""Names that the tables of a run use for something else."""


def value(default: Any, description: str, unit: str, **checks: Any) -> Any:
    """A parameter of a rule: default (`...` when it must be given), meaning, unit, and pydantic's checks."""
    extra = {"unit": unit, **checks.pop("json_schema_extra", {})}
    return Field(default, description=description, json_schema_extra=extra, **checks)


@dataclass(frozen=True)
class Ratio:
    """How a ratio rule is told in its natural unit.

    `limit(*index)` is the limit as a plain number (0.32 for 32%), `of(m, *index)` the total that it is a share of, an
    expression in program units. The unit is `%`, `x` for a multiple, or the currency where
    the limit is that many times the total, in money.
    """

    limit: Callable[..., float]
    of: Callable[..., Any]
    unit: str = "%"


class Rule(BaseModel):
    """One limit, structure or policy of the lender.

    Class variables: `code` is the cause that the rule stands for ("" for requests, which are told by their gates);
    `repairable` says whether the rule may give way where no plan meets every rule; `liftable` whether the explanation
    may lift it; `amortises` whether a trust whose row gives way pays its notes back from the next period on. Such rows
    are over (facility, period).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    code: ClassVar[str] = ""
    repairable: ClassVar[bool] = True
    liftable: ClassVar[bool] = True
    amortises: ClassVar[bool] = False

    kind: str = value(..., "Which rule this is.", "name")
    name: str = value(
        ..., "Name of the rule in every table; the kind when not given.", "name", pattern=r"^[a-z][a-z0-9_]*$"
    )
    origin: Origin = value(..., "Who can change it: law, contract, board or desk.", "choice")
    priority: int = value(..., "Repair tier, protected in rising order; 1 law to 4 desk when not given.", "rank", ge=1)
    source: str = value(..., "Where the figures come from.", "text", min_length=1)
    effective_from: date | None = value(None, "Holds in periods that start on this day or later.", "date")
    verified: bool = value(False, "Whether a person compared the figures with their source.", "yes/no")
    warn_at: float = value(0.9, "Share of the limit from which the rule is shown amber.", "share", ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def fill(cls, data: Any) -> Any:
        """Name a rule after its kind and take its repair tier from its origin, where neither is given."""
        if not isinstance(data, dict):
            return data
        kind = data.get("kind", cls.model_fields["kind"].default)
        tier = TIER.get(str(data.get("origin")), max(TIER.values()))
        return {"name": kind, "priority": tier, **data}

    @model_validator(mode="after")
    def refuse_reserved_names(self) -> Rule:
        """Keep rule names apart from the other items of the charges."""
        if self.name in RESERVED:
            raise ValueError(f"a name other than {', '.join(RESERVED)}")
        return self

    def write(self, pool: Pool) -> None:
        """Put the rule's rows into the pool."""
        raise TypeError(f"{type(self).__name__} does not say which rows it writes")

    def check(self, book: Book) -> list[Problem]:
        """What this rule names that the book does not have; nothing by default."""
        return []

    def formula(self) -> str:
        """The rule as one line of maths."""
        raise TypeError(f"{type(self).__name__} has no formula")

    def words(self, lang: Lang = "en") -> str:
        """The rule with its values as one plain sentence, English or Chinese."""
        raise TypeError(f"{type(self).__name__} has no words")

    def problem(self, column: str, found: object, expected: str) -> Problem:
        """One thing of this rule that does not fit the book."""
        return Problem(f"rule {self.name}", "", column, found, expected)

    def in_force(self, pool: Pool) -> list[int]:
        """Periods (1 to T) in which the rule holds: those that start on `effective_from` or later."""
        return [t for t in range(1, pool.grid.size + 1) if self.holds_on(pool.grid.starts[t - 1])]

    def holds_on(self, day: date) -> bool:
        """Whether the rule holds in a period that starts on `day`."""
        return self.effective_from is None or self.effective_from <= day

    def periods(self, pool: Pool) -> Any:
        """The Pyomo set of the periods in which the rule holds."""
        held = self.in_force(pool)
        if len(held) == pool.grid.size:
            return pool.model.PERIOD
        made = pool.block(self.name).component("in_force")
        return pool.index(self, "in_force", held) if made is None else made


def day_of(stamp: Any) -> date | None:
    """The date of a timestamp of the book; None where the book says never."""
    return None if pd.isna(stamp) else pd.Timestamp(stamp).date()


def known(amount: Any) -> bool:
    """Whether the book gives a finite number; a blank or infinite limit is no limit."""
    return bool(pd.notna(amount)) and math.isfinite(float(amount))
