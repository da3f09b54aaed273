"""A standby line is for an emergency."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class Standby(Rule):
    """A part of every standby line stays undrawn.

    In symbols: debt[l,t] <= (1 - keep) commitment[l] for lines of kind standby (CNY, every period).
    """

    code: ClassVar[str] = "LIQUIDITY_BUFFER"

    kind: Literal["standby"] = value("standby", "Which rule this is.", "name")
    keep: float = value(..., "Part of the commitment that stays undrawn.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `keep` (line, period)."""
        table = pool.book["lines"]
        lines = list(table.index[table.kind == "standby"])
        if lines:
            pool.limit(
                self,
                "keep",
                over=(pool.index(self, "standby_line", lines), self.periods(pool)),
                body=lambda m, line, t: m.debt[line, t],
                at_most=lambda line, t: pool.money((1 - self.keep) * table.commitment[line]),
            )

    def formula(self) -> str:
        """See Rule."""
        return "debt[l,t] <= (1 - keep) * commitment[l]    for standby lines l"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return f"备用授信额度至少保留{percent(self.keep)}不提用。"
        return f"At least {percent(self.keep)} of every standby line stays undrawn."
