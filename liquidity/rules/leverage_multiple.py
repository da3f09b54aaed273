"""How many times its net assets the lender may owe, by class of financing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.text import number

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class LeverageMultiple(Rule):
    """Debt of each class is at most a multiple of net assets.

    In symbols (CNY, each class c and period; sums over what belongs to the class):
        sum debt[l,t] + sum notes[w,t] + sum tranche[f,k,t] held by third parties
            - multiple[c] (equity[t] - equity[0]) <= multiple[c] net_assets
    Off-balance ABS counts as standardised: the multiple was read as covering every ABS raised.
    """

    code: ClassVar[str] = "LEVERAGE"

    kind: Literal["leverage_multiple"] = value("leverage_multiple", "Which rule this is.", "name")
    nonstandard_multiple: float = value(1.0, "Bank and shareholder loans against net assets.", "times", gt=0)
    standardised_multiple: float = value(4.0, "Bonds and ABS notes against net assets.", "times", gt=0)

    def write(self, pool: Pool) -> None:
        """Rows `multiple` (class, period)."""
        times = self.multiples()
        index = pool.index(self, "class", list(times))
        multiple = pool.param(self, "multiple_of", (index,), times)
        lines, houses, sold = self.membership(pool, index)
        net_assets = float(pool.inputs["lender_net_assets"])
        pool.limit(
            self,
            "multiple",
            over=(index, self.periods(pool)),
            body=lambda m, c, t: (
                sum(lines[c, line] * m.debt[line, t] for line in m.LINE)
                + sum(houses[c, w] * m.notes[w, t] for w in m.WAREHOUSE)
                + sum(sold[c, f, k] * m.tranche[f, k, t] for f, k in m.SOLD)
                - multiple[c] * (m.equity[t] - m.equity[0])
            ),
            at_most=lambda c, t: times[c] * net_assets,
            ratio=Ratio(
                limit=lambda c, t: times[c],
                of=lambda m, c, t: net_assets + m.equity[t] - m.equity[0],
                unit="x",
            ),
        )

    def multiples(self) -> dict[str, float]:
        """Multiple of net assets by class of financing."""
        return {"nonstandard": self.nonstandard_multiple, "standardised": self.standardised_multiple}

    def membership(self, pool: Pool, index: Any) -> tuple[Any, Any, Any]:
        """Params that are 1 where a line, a warehouse or a sold tranche belongs to the class, else 0."""
        m, classes = pool.model, list(self.multiples())
        of_line, of_facility = pool.book["lines"]["class"], pool.book["facilities"]["class"]
        lines = {(c, line): float(of_line[line] == c) for c in classes for line in m.LINE}
        houses = {(c, w): float(of_facility[w] == c) for c in classes for w in m.WAREHOUSE}
        sold = {(c, f, k): float(of_facility[f] == c) for c in classes for f, k in m.SOLD}
        return (
            pool.param(self, "line_of", (index, m.LINE), lines),
            pool.param(self, "warehouse_of", (index, m.WAREHOUSE), houses),
            pool.param(self, "tranche_of", (index, m.SOLD), sold),
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_l debt[l,t] + sum_w notes[w,t] + sum_k tranche[f,k,t] <= multiple[c] * (net_assets + equity[t] - "
            "equity[0])    for each class c, tranches held by third parties"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        low, high = number(self.nonstandard_multiple), number(self.standardised_multiple)
        if lang == "zh":
            return f"非标准化融资余额不超过净资产的{low}倍，标准化融资余额不超过净资产的{high}倍。"
        return f"Non-standard financing is at most {low} times, standardised financing {high} times net assets."
