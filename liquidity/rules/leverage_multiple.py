"""How many times its net assets the lender may owe, by class of financing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.due import LineKind
from liquidity.rules.text import join, number

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


KINDS_ZH = {
    "bank_line": "银行借款",
    "shareholder_loan": "股东借款",
    "bond": "债券",
    "interbank": "同业拆入",
    "standby": "备用授信",
    "deposit": "存款",
}
BASES_ZH = {"net_assets": "净资产", "total_capital": "资本净额"}
BASES = {"net_assets": "net assets", "total_capital": "total capital"}


class LeverageMultiple(Rule):
    """Debt of each class, and lines of some kinds by themselves, are at most a multiple of net assets (or capital).

    In symbols (CNY, each class c and period; sums over what belongs to the class):
        sum debt[l,t] + sum notes[w,t] + sum tranche[f,k,t] held by third parties
            - multiple[c] (equity[t] - equity[0]) <= multiple[c] base
    Off-balance ABS counts as standardised: the multiple was read as covering every ABS raised.
    """

    code: ClassVar[str] = "LEVERAGE"

    kind: Literal["leverage_multiple"] = value("leverage_multiple", "Which rule this is.", "name")
    nonstandard_multiple: float = value(1.0, "Bank and shareholder loans against net assets.", "times", gt=0)
    standardised_multiple: float = value(4.0, "Bonds and ABS notes against net assets.", "times", gt=0)
    kinds: dict[LineKind, Annotated[float, Field(gt=0)]] = value({}, "Multiples for lines of one kind.", "times")
    by_class: bool = value(True, "Whether the multiples of the two classes hold.", "yes/no")
    base: Literal["net_assets", "total_capital"] = value("net_assets", "What the multiples are of.", "choice")

    def write(self, pool: Pool) -> None:
        """Rows `multiple` (class, period)."""
        times = self.multiples()
        index = pool.index(self, "class", list(times))
        multiple = pool.param(self, "multiple_of", (index,), times)
        lines, houses, sold = self.membership(pool, index)
        base = float(pool.inputs[f"lender_{self.base}"])
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
            at_most=lambda c, t: times[c] * base,
            ratio=Ratio(
                limit=lambda c, t: times[c],
                of=lambda m, c, t: base + m.equity[t] - m.equity[0],
                unit="x",
            ),
        )

    def multiples(self) -> dict[str, float]:
        """Multiple of the base by class of financing, then by kind of line."""
        classes = {"nonstandard": self.nonstandard_multiple, "standardised": self.standardised_multiple}
        kinds: dict[str, float] = {str(kind): times for kind, times in self.kinds.items()}
        return {**(classes if self.by_class else {}), **kinds}

    def membership(self, pool: Pool, index: Any) -> tuple[Any, Any, Any]:
        """Params that are 1 where a line, a warehouse or a sold tranche belongs to the class, else 0."""
        m, classes = pool.model, list(self.multiples())
        of_kind = pool.book["lines"].kind
        of_line, of_facility = pool.book["lines"]["class"], pool.book["facilities"]["class"]
        lines = {(c, line): float(c in (of_line[line], of_kind[line])) for c in classes for line in m.LINE}
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
            "sum_l debt[l,t] + sum_w notes[w,t] + sum_k tranche[f,k,t] <= multiple[c] * (base + equity[t] - "
            "equity[0])    for each class or kind c, tranches held by third parties"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        low, high = number(self.nonstandard_multiple), number(self.standardised_multiple)
        if lang == "zh":
            base = BASES_ZH[self.base]
            classes = [f"非标准化融资余额不超过{base}的{low}倍，标准化融资余额不超过{base}的{high}倍"] * self.by_class
            kinds = [f"{KINDS_ZH[kind]}余额不超过{base}的{number(times)}倍" for kind, times in self.kinds.items()]
            return "，".join([*classes, *kinds] or ["不设融资倍数限制"]) + "。"
        base = BASES[self.base]
        classes = [f"Non-standard financing is at most {low} times, standardised financing {high} times {base}"]
        each = join((f"{kind} {number(times)} times" for kind, times in self.kinds.items()), lang)
        kinds = [f"Lines by kind are at most a multiple of {base}: {each}"] * bool(self.kinds)
        return "; ".join([*classes * self.by_class, *kinds] or ["No multiple holds"]) + "."
