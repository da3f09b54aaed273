"""A group that must be served gets its part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from liquidity.rules.base import Lang, Ratio, value
from liquidity.rules.groups import ServedGroup
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class Inclusion(ServedGroup):
    """A group gets at least `share` of what is lent in a period, or holds at least `share` of the managed book.

    In symbols (CNY, every period; x[s,t] = sum_{u,f} lend[s,u,f,t], or sum_f balance[s,f,t] with `of` = book):
        sum_{s in group} x[s,t] - share sum_s x[s,t] >= 0
    Joint loans count in full, with the partner's part.
    """

    code: ClassVar[str] = "PRIORITY"

    kind: Literal["inclusion"] = value("inclusion", "Which rule this is.", "name")
    of: Literal["lending", "book"] = value("lending", "What the part is of: new lending or managed book.", "choice")

    def write(self, pool: Pool) -> None:
        """Rows `lending` or `book` (period)."""
        m, mine = pool.model, self.holds(pool.book)
        part = np.array([mine[s] for s in m.SEGMENT], float) - self.share
        weight = pool.param(self, "weight", (m.SEGMENT,), part)

        def lent(m: Any, s: Any, t: Any) -> Any:
            return sum(m.lend[s, u, f, t] for u in m.BORROWER for f in m.OPEN)

        def held(m: Any, s: Any, t: Any) -> Any:
            return sum(m.balance[s, f, t] for f in m.FACILITY)

        counted = {"lending": lent, "book": held}[self.of]
        pool.limit(
            self,
            self.of,
            over=(self.periods(pool),),
            body=lambda m, t: sum(weight[s] * counted(m, s, t) for s in m.SEGMENT),
            at_least=0.0,
            ratio=Ratio(limit=lambda t: self.share, of=lambda m, t: sum(counted(m, s, t) for s in m.SEGMENT)),
        )

    def formula(self) -> str:
        """See Rule."""
        what = {"lending": "sum_{u,f} lend[s,u,f,t]", "book": "sum_f balance[s,f,t]"}[self.of]
        return f"sum_{{s in group}} x[s,t] >= share * sum_s x[s,t]    with x[s,t] = {what}"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        least, who = percent(self.share), self.served(lang)
        if lang == "zh":
            if self.of == "book":
                return f"{who}的贷款余额不低于在管贷款余额的{least}。"
            return f"每期新发放贷款中投向{who}的金额占比不低于{least}。"
        what = {"lending": "of what is lent in a period goes to", "book": "of the managed book is lent to"}[self.of]
        return f"At least {least} {what} borrowers of {who}."
