"""Warehouse notes are covered by the pool behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Ratio, Rule, value

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class AdvanceRate(Rule):
    """Notes of a warehouse are at most the advance rate times its loans and cash.

    In symbols: notes[w,t] - advance_rate[w,t] (sum_s balance[s,w,t] + facility_cash[w,t]) <= 0 (CNY, every warehouse,
    period). The advance rate is the book's,
    less what a scenario takes off.
    """

    code: ClassVar[str] = "FACILITY_TERMS"

    kind: Literal["advance_rate"] = value("advance_rate", "Which rule this is.", "name")

    def write(self, pool: Pool) -> None:
        """Rows `cover` (facility, period)."""
        m, rate = pool.model, pool.inputs.advance_path.to_series()
        houses = pool.arrays.advance_path[:, pool.places(m.WAREHOUSE)]
        advance = pool.param(self, "advance", (m.WAREHOUSE, m.PERIOD), houses)
        pool.limit(
            self,
            "cover",
            over=(m.WAREHOUSE, self.periods(pool)),
            body=lambda m, w, t: (
                m.notes[w, t] - advance[w, t] * (sum(m.balance[s, w, t] for s in m.SEGMENT) + m.facility_cash[w, t])
            ),
            at_most=0.0,
            ratio=Ratio(
                limit=lambda w, t: float(rate[w, t]),
                of=lambda m, w, t: sum(m.balance[s, w, t] for s in m.SEGMENT) + m.facility_cash[w, t],
            ),
        )

    def formula(self) -> str:
        """See Rule."""
        return "notes[w,t] <= advance_rate[w] * (sum_s balance[s,w,t] + facility_cash[w,t])"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return "仓储融资余额不超过其资产池余额与现金之和乘以约定的融资比例。"
        return "Warehouse notes are at most the agreed advance rate on the warehouse's loans and cash."
