"""No new loan above the all-in price cap."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import join, percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class CapStep(BaseModel):
    """A cap that holds from a date on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    start: date = Field(alias="from", description="First day of the new cap.", json_schema_extra={"unit": "date"})
    cap: float = Field(description="All-in cost allowed.", json_schema_extra={"unit": "1/year"}, gt=0, le=1)

    def __str__(self) -> str:
        return f"{percent(self.cap)} from {self.start}"


class PriceCap(Rule):
    """A segment whose all-in cost is above the cap is not lent to.

    In symbols: sum_{u,f} lend[s,u,f,t] <= 0 where apr_all_in[s] > cap[t] (CNY; the cap in force when t starts).
    """

    code: ClassVar[str] = "PRICE_CAP"
    repairable: ClassVar[bool] = False

    kind: Literal["price_cap"] = value("price_cap", "Which rule this is.", "name")
    cap: float = value(..., "All-in cost a year that a new loan may have at most.", "1/year", gt=0, le=1)
    steps: tuple[CapStep, ...] = value((), "Later caps, each from a date on, in rising order of date.", "1/year")

    @field_validator("steps")
    @classmethod
    def rise(cls, steps: tuple[CapStep, ...]) -> tuple[CapStep, ...]:
        """Dates must rise, or two steps would hold at once."""
        if any(later.start <= sooner.start for sooner, later in pairwise(steps)):
            raise ValueError("dates in rising order")
        return steps

    def on(self, day: date) -> float:
        """The cap in force on `day`, 1/year."""
        return [self.cap, *(step.cap for step in self.steps if step.start <= day)][-1]

    def write(self, pool: Pool) -> None:
        """Rows `cap` (segment, period)."""
        price = pool.book["segments"].apr_all_in
        caps = {t: self.on(pool.grid.starts[t - 1]) for t in self.in_force(pool)}
        dear = [(s, t) for s, asked in price.items() for t, cap in caps.items() if asked > cap]
        if dear:
            pool.limit(
                self,
                "cap",
                over=(pool.index(self, "dear", dear),),
                body=lambda m, s, t: sum(m.lend[s, u, f, t] for u in m.BORROWER for f in m.OPEN),
                at_most=0.0,
            )

    def formula(self) -> str:
        """See Rule."""
        return "sum_{u,f} lend[s,u,f,t] <= 0    where apr_all_in[s] > cap[t]"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            steps = join((f"自{step.start}起为{percent(step.cap)}" for step in self.steps), lang)
            return f"新发放贷款的综合融资成本不得超过年化{percent(self.cap)}{'，' + steps if steps else ''}。"
        steps = join((str(step) for step in self.steps), lang)
        return f"No new loan costs more than {percent(self.cap)} a year all-in{', ' + steps if steps else ''}."
