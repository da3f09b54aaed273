"""What the pool of an ABS must earn, lose at most and pay back, averaged over some months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pyomo.environ as pyo
from pydantic import model_validator

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    import pandas as pd

    from liquidity.program.pool import Pool

MONTH_DAYS = 28
"""A run of periods this long makes a month of the model."""


@dataclass(frozen=True)
class Average:
    """One covenant: `sense` limit x the average pool.

    `flow` is what counts, per unit of opening balance (segment, facility, period); `size` the time it is measured
    against (period), years or months; `coupons` what notes cost per unit (tranche, period), nought where they do not
    count; `past` and `past_size` the same of every reported month, CNY (facility, month).
    """

    name: str
    sense: Literal["at_least", "at_most"]
    limit: float
    flow: Any
    size: Any
    coupons: Any
    past: pd.Series
    past_size: pd.Series


class Covenants(Rule):
    """While an ABS revolves, its pool keeps its covenants, each an average over the last `months` months.

    In symbols (CNY, every ABS f and every month that ends in period t; u the periods of the last `months` months; past
    months are the newest of the table `servicer` and add to both sides):
        sum_u (sum_s (i - svc d - lgd def) balance[s,f,u-1] - sum_k c_k d tranche[f,k,u-1]) >= min_excess_spread B
        sum_{u,s} def balance[s,f,u-1] <= max_default_rate B
        sum_{u,s} rep balance[s,f,u-1] >= min_payment_rate 12 B
    with B = sum_{u,s} d[u] balance[s,f,u-1]. Without history the average is over the months that are there. Days and
    weeks of the grid make a month as soon as they last 28 days. An ABS whose pool cannot keep one amortises from the
    period after that month on.
    """

    code: ClassVar[str] = "FACILITY_TERMS"
    amortises: ClassVar[bool] = True

    kind: Literal["covenants"] = value("covenants", "Which rule this is.", "name")
    months: int = value(3, "Months that are averaged.", "months", ge=1)
    min_excess_spread: float | None = value(
        None, "Least interest less servicing, coupons and net losses, as a part of the pool.", "1/year", ge=-1, le=1
    )
    max_default_rate: float | None = value(None, "Most defaults, as a part of the pool.", "1/year", gt=0, le=1)
    min_payment_rate: float | None = value(None, "Least principal paid, as a part of the pool.", "1/month", gt=0, lt=1)

    @model_validator(mode="after")
    def limit_something(self) -> Covenants:
        """Without any limit the rule would say nothing."""
        if self.min_excess_spread is None and self.max_default_rate is None and self.min_payment_rate is None:
            raise ValueError("min_excess_spread, max_default_rate or min_payment_rate")
        return self

    def write(self, pool: Pool) -> None:
        """Rows `excess_spread`, `default_rate` and `payment_rate`, each (facility, period)."""
        m, held = pool.model, self.in_force(pool)
        ends = month_ends(pool.grid.days)
        checked = [(f, t) for f in m.ABS for t in pool.revolving(f) if t in held and t in ends]
        if not checked:
            return
        index, block = pool.index(self, "checked", checked), pool.block(self.name)
        block.window = pyo.Set(list(ends), initialize={t: self.window(ends, t) for t in ends})
        for test in self.tests(pool):
            self.put(pool, test, index, block.window, ends)

    def window(self, ends: dict[int, list[int]], t: int) -> list[int]:
        """Periods of the last `months` months of the model up to period t."""
        months = [periods for end, periods in ends.items() if end <= t]
        return [u for periods in months[-self.months :] for u in periods]

    def put(self, pool: Pool, test: Average, index: Any, window: Any, ends: dict[int, list[int]]) -> None:
        """The rows of one covenant."""
        m, name, at = pool.model, test.name, pool.places(pool.model.ABS)
        size = np.broadcast_to(test.size, test.flow.shape)
        net = pool.param(self, f"{name}_net", (m.SEGMENT, m.ABS, m.PERIOD), (test.flow - test.limit * size)[:, at])
        time = pool.param(self, f"{name}_time", (m.SEGMENT, m.ABS, m.PERIOD), size[:, at])
        cost = pool.param(self, f"{name}_cost", (m.CLASS, m.PERIOD), test.coupons)
        past = pool.param(self, f"{name}_past", (index,), lambda f, t: self.reported(pool, test.past_size, f, t, ends))

        def surplus(m: Any, f: Any, t: Any) -> Any:
            earned = sum(net[s, f, u] * m.balance[s, f, u - 1] for s in m.SEGMENT for u in window[t])
            return earned - sum(cost[f, k, u] * m.tranche[f, k, u - 1] for k in m.TRANCHES[f] for u in window[t])

        bound = {(f, t): -self.reported(pool, test.past - test.limit * test.past_size, f, t, ends) for f, t in index}
        ratio = Ratio(
            limit=lambda f, t: test.limit,
            of=lambda m, f, t: (
                past[f, t] + sum(time[s, f, u] * m.balance[s, f, u - 1] for s in m.SEGMENT for u in window[t])
            ),
        )
        if test.sense == "at_least":
            pool.limit(self, name, over=(index,), body=surplus, at_least=bound, ratio=ratio)
        else:
            pool.limit(self, name, over=(index,), body=surplus, at_most=bound, ratio=ratio)

    def reported(self, pool: Pool, amounts: pd.Series, f: str, t: int, ends: dict[int, list[int]]) -> float:
        """Sum of `amounts` (facility, month) over the past months that the window of period t still holds, units."""
        missing = self.months - sum(end <= t for end in ends)
        if missing <= 0 or f not in amounts.index.get_level_values("facility"):
            return 0.0
        return float(pool.money(amounts.xs(f, level="facility").sort_index().iloc[-missing:].sum()))

    def tests(self, pool: Pool) -> list[Average]:
        """The covenants that have a limit, from the data of the model and the reports of the servicer."""
        data, past = pool.arrays, pool.book["servicer"]
        fee = pool.facilities.servicing_fee.reindex(past.index.get_level_values("facility")).to_numpy(float)
        years = past.pool_opening / 12
        kept = past.interest - fee * years - past.coupons - past.defaults + past.recoveries
        margin = data.interest - data.servicing_fee * data.years - data.loss
        time, coupons = data.years, data.coupon * data.years
        none = 0.0 * coupons
        made = [
            ("excess_spread", "at_least", self.min_excess_spread, margin, time, coupons, kept, years),
            ("default_rate", "at_most", self.max_default_rate, data.default, time, none, past.defaults, years),
            (
                "payment_rate",
                "at_least",
                self.min_payment_rate,
                data.rep,
                12 * time,
                none,
                past.principal,
                past.pool_opening,
            ),
        ]
        return [Average(*one) for one in made if one[2] is not None]  # type: ignore[arg-type]

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_u (sum_s (i - svc*d - lgd*def) * balance[s,f,u-1] - sum_k c[k]*d*tranche[f,k,u-1]) >= "
            "min_excess_spread * B; sum def*balance <= max_default_rate * B; sum rep*balance >= min_payment_rate * "
            "12 * B    with B = sum_{u,s} d[u]*balance[s,f,u-1] over the last months"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        spread, bad, paid = self.min_excess_spread, self.max_default_rate, self.min_payment_rate
        if lang == "zh":
            parts = [f"年化超额利差不低于{percent(spread)}"] if spread is not None else []
            parts += [f"年化违约率不超过{percent(bad)}"] if bad is not None else []
            parts += [f"月度本金回收率不低于{percent(paid)}"] if paid is not None else []
            return f"循环期内，ABS资产池按最近{self.months}个月平均，{'，'.join(parts)}。"
        parts = [f"earns an excess spread of at least {percent(spread)} a year"] if spread is not None else []
        parts += [f"defaults by at most {percent(bad)} a year"] if bad is not None else []
        parts += [f"pays back at least {percent(paid)} a month"] if paid is not None else []
        return f"While an ABS revolves its pool, averaged over {self.months} months, {', '.join(parts)}."


def month_ends(days: list[int]) -> dict[int, list[int]]:
    """The months of a grid: last period -> its periods; `days` are the lengths of the periods."""
    ends: dict[int, list[int]] = {}
    run: list[int] = []
    for t in range(1, len(days) + 1):
        run.append(t)
        if sum(days[u - 1] for u in run) >= MONTH_DAYS:
            ends[t], run = run, []
    return ends
