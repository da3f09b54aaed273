"""A revolving ABS keeps its notes covered and its cash invested."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class PoolCover(Rule):
    """While an ABS revolves, its loans and cash cover its notes, and only a part of them waits as cash.

    In symbols (CNY, every ABS f and period in which it still revolves; N[f] = opening notes of all classes):
        sum_s balance[s,f,t] + facility_cash[f,t] >= N[f]
        facility_cash[f,t] <= max_uninvested N[f]
    An ABS that cannot keep both in a period amortises from the next one on.
    An ABS that is only planned is held to both from its issue on, N[f] being what is issued of it.
    """

    code: ClassVar[str] = "FACILITY_TERMS"
    amortises: ClassVar[bool] = True

    kind: Literal["pool_cover"] = value("pool_cover", "Which rule this is.", "name")
    max_uninvested: float = value(0.20, "Largest part of the notes that may wait as cash.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `cover` and `uninvested`, each (facility, period)."""
        held = self.in_force(pool)
        notes = pool.book["tranches"].balance.groupby(level="facility").sum()
        every = [(f, t) for f in pool.model.ABS for t in pool.revolving(f) if t in held]
        self.planned(pool, [(f, t) for f, t in every if f in pool.issues])
        open_ = [(f, t) for f, t in every if f not in pool.issues]
        if not open_:
            return
        index = pool.index(self, "revolving", open_)
        pool.limit(
            self,
            "cover",
            over=(index,),
            body=lambda m, f, t: sum(m.balance[s, f, t] for s in m.SEGMENT) + m.facility_cash[f, t],
            at_least=lambda f, t: pool.money(notes[f]),
        )
        pool.limit(
            self,
            "uninvested",
            over=(index,),
            body=lambda m, f, t: m.facility_cash[f, t],
            at_most=lambda f, t: pool.money(self.max_uninvested * notes[f]),
        )

    def planned(self, pool: Pool, open_: list[tuple[str, int]]) -> None:
        """Rows `issue_cover` and `issue_uninvested`, each (facility, period), where the notes are still a decision."""
        if not open_:
            return
        index = pool.index(self, "issued", open_)
        most = pool.param(self, "issue_most", (index,), lambda f, t: self.max_uninvested)
        pool.limit(
            self,
            "issue_cover",
            over=(index,),
            body=lambda m, f, t: (
                sum(m.balance[s, f, t] for s in m.SEGMENT)
                + m.facility_cash[f, t]
                - sum(m.tranche[f, k, t] for k in m.TRANCHES[f])
            ),
            at_least=0.0,
        )
        pool.limit(
            self,
            "issue_uninvested",
            over=(index,),
            body=lambda m, f, t: m.facility_cash[f, t] - most[f, t] * sum(m.tranche[f, k, t] for k in m.TRANCHES[f]),
            at_most=0.0,
        )

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_s balance[s,f,t] + facility_cash[f,t] >= N[f]; facility_cash[f,t] <= max_uninvested * N[f]    "
            "while ABS f revolves, N[f] its opening notes"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            most = percent(self.max_uninvested)
            return f"循环期内，资产池余额与现金须覆盖全部证券余额，闲置现金不超过证券余额的{most}。"
        return (
            "While an ABS revolves, its loans and cash cover its notes, and at most "
            f"{percent(self.max_uninvested)} of the notes waits as cash."
        )
