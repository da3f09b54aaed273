"""Provisions cover bad loans, and a part of all loans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.npl import own_book, write_npl
from liquidity.rules.text import number, percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from liquidity.program.pool import Pool


class ProvisionCover(Rule):
    """Provisions are at least `npl_share` of non-performing loans and at least `loan_share` of all loans.

    In symbols (CNY, every period; own part of the book, npl[t] as in `npl.write_npl`):
        provision[t] - npl_share npl[t] >= 0
        provision[t] - loan_share (npl[t] + sum_{s,f} own_share[f] balance[s,f,t]) >= 0
    The provision is the model's, the ECL rates on the book: only the mix of the book moves it, no top-up does.
    """

    code: ClassVar[str] = "RISK_BUDGET"

    kind: Literal["provision_cover"] = value("provision_cover", "Which rule this is.", "name")
    npl_share: float | None = value(None, "Least provision as a part of non-performing loans.", "share", gt=0)
    loan_share: float | None = value(None, "Least provision as a part of all loans.", "share", gt=0, lt=1)
    write_off_rate: float = value(..., "Part of the non-performing stock written off in a year.", "1/year", ge=0)

    @model_validator(mode="after")
    def cover_something(self) -> ProvisionCover:
        """Without any share the rule would say nothing."""
        if self.npl_share is None and self.loan_share is None:
            raise ValueError("npl_share or loan_share")
        return self

    def write(self, pool: Pool) -> None:
        """Rows `npl` and `loans`, each (period), and the state of the stock."""
        npl = write_npl(pool, self, self.write_off_rate)
        if self.npl_share is not None:
            self.cover(pool, "npl", self.npl_share, lambda m, t: npl[t])
        if self.loan_share is not None:
            self.cover(pool, "loans", self.loan_share, lambda m, t: npl[t] + own_book(m, t))

    def cover(self, pool: Pool, what: str, share: float, total: Callable[[Any, Any], Any]) -> None:
        """The rows of one of the two: the provision is at least `share` of `total(m, t)`."""
        part = pool.param(self, f"{what}_share", (pool.model.PERIOD,), np.full(pool.grid.size, share))
        pool.limit(
            self,
            what,
            over=(self.periods(pool),),
            body=lambda m, t: m.provision[t] - part[t] * total(m, t),
            at_least=0.0,
            ratio=Ratio(limit=lambda t: share, of=total),
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "provision[t] >= npl_share * npl[t]; "
            "provision[t] >= loan_share * (npl[t] + sum_{s,f} own_share[f] * balance[s,f,t])"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        bad = "" if self.npl_share is None else percent(self.npl_share)
        all_ = "" if self.loan_share is None else percent(self.loan_share)
        if lang == "zh":
            parts = [f"不低于不良贷款的{bad}"] * bool(bad) + [f"不低于全部贷款的{all_}"] * bool(all_)
            return f"贷款损失准备{'，且'.join(parts)}（不良贷款年核销率{number(self.write_off_rate)}）。"
        parts = [f"at least {bad} of non-performing loans"] * bool(bad) + [f"at least {all_} of all loans"] * bool(all_)
        return (
            f"Provisions are {' and '.join(parts)}; non-performing loans are written off at a rate of "
            f"{number(self.write_off_rate)} a year."
        )
