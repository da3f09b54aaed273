"""How much a partner bank can and will fund."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Rule, known, value
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool


class PartnerLimit(Rule):
    """A partner's part of the joint loans stays within its own limits, its daily quota, and its good will.

    In symbols (CNY, every partner p and period; sums over the joint facilities f of p):
        sum (1 - own_share[f]) balance[s,f,t] <= tier1_share net_tier1[p]
        sum (1 - own_share[f]) balance[s,f,t] <= total_share total_loans[p]
        sum (1 - own_share[f]) lend[s,u,f,t]  <= daily_quota[p] days[t]
        sum lend[s,u,f,t] <= 0 for a frozen joint facility f
    A blank figure of a partner is no limit.
    """

    code: ClassVar[str] = "PARTNER"

    kind: Literal["partner_limit"] = value("partner_limit", "Which rule this is.", "name")
    tier1_share: float = value(
        0.25, "Largest part of a partner's net tier-1 capital in loans funded jointly with this lender.", "share",
        gt=0, le=1,
    )  # fmt: skip
    total_share: float = value(
        0.50, "Largest part of a partner's loans that are funded jointly with this lender.", "share", gt=0, le=1
    )

    def write(self, pool: Pool) -> None:
        """Rows `tier1`, `total`, `quota` (partner, period) and `frozen` (facility, period)."""
        partners = pool.book["partners"]
        days = pool.grid.days
        share = pool.inputs.quota_kept.values
        kept = {(p, t): float(share[at, t - 1]) for at, p in enumerate(partners.index) for t in pool.model.PERIOD}
        self.write_stock(pool, "tier1", partners.net_tier1 * self.tier1_share)
        self.write_stock(pool, "total", partners.total_loans * self.total_share)
        quota = partners.daily_quota[[known(amount) for amount in partners.daily_quota]]
        if len(quota):
            over, funded = self.partners(pool, "quota", list(quota.index))
            pool.limit(
                self,
                "quota",
                over=over,
                body=lambda m, p, t: sum(
                    funded[p, f] * m.lend[s, u, f, t] for s in m.SEGMENT for u in m.BORROWER for f in m.JOINT
                ),
                at_most=lambda p, t: pool.money(quota[p] * days[t - 1]) * kept[p, t],
            )
        self.write_frozen(pool)

    def write_stock(self, pool: Pool, what: str, limits: Any) -> None:
        """Rows (partner, period) on the partner's part of the balances; `limits` in CNY by partner."""
        limits = limits[[known(amount) for amount in limits]]
        if not len(limits):
            return
        over, funded = self.partners(pool, what, list(limits.index))
        pool.limit(
            self,
            what,
            over=over,
            body=lambda m, p, t: sum(funded[p, f] * m.balance[s, f, t] for s in m.SEGMENT for f in m.JOINT),
            at_most=lambda p, t: pool.money(limits[p]),
        )

    def partners(self, pool: Pool, what: str, names: list[str]) -> tuple[tuple[Any, Any], Any]:
        """Index sets (partner, period), and the partner's share of each joint facility (0 where it is another's)."""
        table = pool.book["facilities"]
        joint = list(pool.model.JOINT)
        mine = pool.index(self, f"{what}_partner", names)
        shares = {(p, f): 1.0 - table.own_share[f] if table.partner[f] == p else 0.0 for p in names for f in joint}
        funded = pool.param(self, f"{what}_funded", (mine, pool.model.JOINT), shares)
        return (mine, self.periods(pool)), funded

    def write_frozen(self, pool: Pool) -> None:
        """Rows `frozen` (facility, period): a partner that has stopped lends nothing."""
        frozen, held = pool.inputs.frozen.to_series(), self.in_force(pool)
        stopped = [(f, t) for f in pool.model.JOINT for t in held if frozen[f, t]]
        if stopped:
            pool.limit(
                self,
                "frozen",
                over=(pool.index(self, "frozen_facility", stopped),),
                body=lambda m, f, t: sum(m.lend[s, u, f, t] for s in m.SEGMENT for u in m.BORROWER),
                at_most=0.0,
            )

    def check(self, book: Book) -> list[Problem]:
        """Every partner of a joint facility needs its row."""
        table = book["facilities"]
        named = table.partner[table.kind == "joint"]
        return [
            Problem("partners", str(p), "partner", None, f"a row for the partner of facility {f}")
            for f, p in named.items()
            if p not in book["partners"].index
        ]

    def formula(self) -> str:
        """See Rule."""
        return (
            "sum_{s,f} (1 - own_share[f]) * balance[s,f,t] <= min(tier1_share * net_tier1[p], total_share * "
            "total_loans[p]); sum_{s,u,f} (1 - own_share[f]) * lend[s,u,f,t] <= daily_quota[p] * days[t]; "
            "lend <= 0 where frozen"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return (
                f"合作银行在与本机构联合贷款中的出资余额不超过其一级资本净额的{percent(self.tier1_share)}及"
                f"全部贷款余额的{percent(self.total_share)}，每日出资不超过约定限额；合作暂停期间不放款。"
            )
        return (
            f"A partner bank funds at most {percent(self.tier1_share)} of its net tier-1 capital and "
            f"{percent(self.total_share)} of its loans jointly with this lender, at most its quota a day, and nothing "
            "while frozen."
        )
