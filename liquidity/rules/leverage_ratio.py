"""Tier-1 capital against everything the lender holds, unweighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.basel.standardised import CCF_CANCELLABLE
from liquidity.rules.risk_assets import look_through, make_assets
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class LeverageRatio(Rule):
    """Tier-1 capital is at least `ratio` of total exposure, whatever its risk.

    In symbols: equity[t] - equity[0] - ratio (cash[t] + sum_f facility_cash[f,t] + sum_{s,f} own_share[f]
    balance[s,f,t] - provision[t] + ccf sum_s (limit[s] borrowers[s] - sum_f balance[s,f,t])) >= ratio hqla -
    tier1_capital (CNY, every period). Vehicles are consolidated. Assets beside the book (`other`)
    are not counted; a segment that owes at least its limits at the opening has nothing undrawn.
    """

    code: ClassVar[str] = "LEVERAGE"

    kind: Literal["leverage_ratio"] = value("leverage_ratio", "Which rule this is.", "name")
    ratio: float = value(0.03, "Tier-1 capital held against exposure.", "share", gt=0, le=1)
    ccf: float = value(CCF_CANCELLABLE, "Counted of undrawn limits.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `ratio` (period)."""
        share, ones = self.ratio, np.ones(len(pool.model.SEGMENT))
        loans = make_assets(pool, self, "ratio", ones, self.ccf, look_through(pool), 1.0)
        need = make_assets(pool, self, "need", ones, self.ccf, look_through(pool), share)
        hqla, capital = float(pool.inputs["lender_hqla"]), float(pool.inputs["lender_tier1_capital"])
        pool.limit(
            self,
            "ratio",
            over=(self.periods(pool),),
            body=lambda m, t: (
                m.equity[t]
                - m.equity[0]
                - need.moving(m, t)
                - share * m.cash[t]
                - sum(share * m.facility_cash[f, t] for f in m.SPV)
                + share * m.provision[t]
            ),
            at_least=need.known + share * hqla - capital,
            ratio=Ratio(
                limit=lambda t: share,
                of=lambda m, t: (
                    loans.total(m, t) + m.cash[t] + sum(m.facility_cash[f, t] for f in m.SPV) - m.provision[t] + hqla
                ),
            ),
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "tier1_capital + equity[t] - equity[0] >= ratio * (cash[t] + hqla + sum_f facility_cash[f,t] + sum_{s,f} "
            "own_share[f] * balance[s,f,t] - provision[t] + ccf * sum_s (limit[s] * borrowers[s] - sum_f "
            "balance[s,f,t]))"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        ratio, ccf = percent(self.ratio), percent(self.ccf)
        if lang == "zh":
            return f"杠杆率（一级资本净额与调整后表内外资产余额之比）不低于{ratio}，未使用授信额度按{ccf}计入。"
        return f"Tier-1 capital is at least {ratio} of total exposure, unweighted, {ccf} of undrawn limits included."
