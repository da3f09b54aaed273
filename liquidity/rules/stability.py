"""Tonight does not jump away from the last night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class Stability(Rule):
    """The relent part of what was freed changes by at most `max_change` from the last executed night.

    In symbols (CNY, tonight, every segment of that night; freed[s] = sum_f rep[s,f,1] balance[s,f,0]):
        sum_f lend[s,returning,f,1] - min(1, previous[s] + max_change) freed[s] <= 0
        sum_f lend[s,returning,f,1] - max(0, min(previous[s] - max_change, gates[s,1])) freed[s] >= 0
    No rows without a previous night.
    """

    code: ClassVar[str] = "STABILITY"

    kind: Literal["stability"] = value("stability", "Which rule this is.", "name")
    max_change: float = value(..., "Change of the relent part of the freed money.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `rise` and `fall`, each (segment, first period)."""
        if pool.previous is None or 1 not in self.in_force(pool):
            return
        was = {s: float(pool.previous[s]) for s in pool.model.SEGMENT if s in pool.previous.index}
        gates = pool.inputs["gates"].sel(period=1).to_series()
        most = {s: min(1.0, share + self.max_change) for s, share in was.items()}
        least = {s: max(0.0, min(share - self.max_change, float(gates[s]))) for s, share in was.items()}
        self.write_side(pool, "rise", most)
        self.write_side(pool, "fall", {s: share for s, share in least.items() if share > 0})

    def write_side(self, pool: Pool, what: str, shares: dict[str, float]) -> None:
        """Rows (segment, first period) that hold the relent part of the freed money on one side of `shares`."""
        if not shares:
            return
        index, night = pool.index(self, f"{what}_segment", list(shares)), pool.index(self, f"{what}_period", [1])
        share = pool.param(self, f"{what}_share", (index,), shares)
        side: dict[str, Any] = {"at_most": 0.0} if what == "rise" else {"at_least": 0.0}
        pool.limit(
            self,
            what,
            over=(index, night),
            body=lambda m, s, t: (
                sum(m.lend[s, "returning", f, t] for f in m.OPEN)
                - share[s] * sum(m.rep[s, f, t] * m.balance[s, f, t - 1] for f in m.FACILITY)
            ),
            **side,
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "max(0, min(previous[s] - max_change, gates[s,1])) * freed[s,1] <= sum_f lend[s,returning,f,1] <= "
            "min(1, previous[s] + max_change) * freed[s,1]"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return f"各客群回款再投放比例较上一执行日的变动不超过{percent(self.max_change)[:-1]}个百分点。"
        return (
            "The relent part of a segment's freed money moves by at most "
            f"{percent(self.max_change)} of it from the last executed night."
        )
