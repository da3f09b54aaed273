"""The board's limit on bad loans."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.npl import own_book, write_npl
from liquidity.rules.text import number, percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class NplRatio(Rule):
    """Non-performing loans are at most `share` of the lender's own part of all loans.

    In symbols: (1 - share) npl[t] - share sum_{s,f} own_share[f] balance[s,f,t] <= 0 (CNY, every period), the stock
    npl[t] being that of the book plus later defaults less write-offs at `write_off_rate` (see `npl.write_npl`).
    A loan can default only after it is lent, so new loans thin the ratio out before they add to it.
    """

    code: ClassVar[str] = "RISK_BUDGET"

    kind: Literal["npl_ratio"] = value("npl_ratio", "Which rule this is.", "name")
    share: float = value(..., "Largest part of all loans that may be non-performing.", "share", gt=0, lt=1)
    write_off_rate: float = value(..., "Part of the non-performing stock written off in a year.", "1/year", ge=0)

    def write(self, pool: Pool) -> None:
        """Rows `ratio` (period), and the state of the stock."""
        npl = write_npl(pool, self, self.write_off_rate)
        part = pool.param(self, "share", (pool.model.PERIOD,), np.full(pool.grid.size, self.share))
        pool.limit(
            self,
            "ratio",
            over=(self.periods(pool),),
            body=lambda m, t: npl[t] - part[t] * (npl[t] + own_book(m, t)),
            at_most=0.0,
            ratio=Ratio(limit=lambda t: self.share, of=lambda m, t: npl[t] + own_book(m, t)),
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "npl[t] <= share * (npl[t] + sum_{s,f} own_share[f] * balance[s,f,t])    with npl[t] = "
            "exp(-write_off_rate * d[t]) * npl[t-1] + sum_{s,f} own_share[f] * def[s,f,t] * balance[s,f,t-1]"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return (
                f"本机构出资部分贷款的不良率不超过{percent(self.share)}（不良贷款年核销率"
                f"{number(self.write_off_rate)}）。"
            )
        return (
            f"Non-performing loans are at most {percent(self.share)} of the own part of all loans; they are written "
            f"off at a rate of {number(self.write_off_rate)} a year."
        )
