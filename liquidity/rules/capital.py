"""Capital against risk-weighted assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.basel import irb
from liquidity.rules.basel.standardised import CCF_CANCELLABLE, FLOOR, standard_weight
from liquidity.rules.risk_assets import Assets, Kept, look_through, make_assets, weigh_kept
from liquidity.rules.text import percent

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

APPROACHES_EN = {"book": "", "standardised": " by the standardised approach", "irb": " by internal ratings"}
APPROACHES_ZH = {"book": "", "standardised": "权重法下", "irb": "内部评级法下"}
GROUPS = {"qrre": "product", "transactors": "behaviour"}
"Parameters that name groups of segments, and the column they name them by."


class Capital(Rule):
    """Capital is at least `ratio` of risk-weighted assets.

    In symbols: equity[t] - equity[0] - ratio sum_{s,f} own_share[f] weight[s] balance[s,f,t] >= -capital
    (CNY, every period; capital is the book's total or tier-1 capital on the day).

    `weight` by `approach`: "book" the column `risk_weight`; "standardised" 75%, 45% for transactors, 100% where the
    line of a borrower is above `retail_cap`; "irb" 12.5 K of the retail formulas with their floors on PD and LGD, and
    beside it a second row with `floor` times the standardised assets: max(irb, floor x standardised), exactly.

    `ccf` adds ratio weight[s] ccf (limit[s] borrowers[s] - sum_f balance[s,f,t]), all of it the lender's, also where
    the loans are joint. A segment that owes at least its limits at the opening has nothing undrawn; the limits of those
    who come during the plan are not counted.

    `kept` = "sec_sa" weighs an ABS by the classes the lender keeps (SEC-SA, over-collateral at 1250%), or by the
    pool's own weight times the largest share of a class kept, whichever is lower at the opening. Approximated: the
    weights of the classes are those of the opening pool (points of attachment, delinquency), SEC-SA also under
    "irb". Left out: the weight of guarantors (no guarantee counts here), non-performing loans and other assets, the
    shortfall of provisions against expected loss under "irb" beyond the capital on the day.
    """

    code: ClassVar[str] = "CAPITAL"

    kind: Literal["capital"] = value("capital", "Which rule this is.", "name")
    ratio: float = value(..., "Capital held against risk-weighted assets.", "share", gt=0, le=1)
    base: Literal["total", "tier1"] = value("total", "Which capital counts.", "choice")
    approach: Literal["book", "standardised", "irb"] = value("book", "Where risk weights come from.", "choice")
    floor: float = value(FLOOR, "Part of the standardised assets that counts at least.", "share", ge=0, le=1)
    qrre: tuple[str, ...] = value((), "Products that are qualifying revolving retail (irb).", "name")
    transactors: tuple[str, ...] = value((), "Behaviours of borrowers who repay in full each month.", "name")
    retail_cap: float = value(10_000_000.0, "Largest line of a borrower in the regulatory retail class.", "CNY", gt=0)
    ccf: float = value(0.0, f"Counted of undrawn limits; {CCF_CANCELLABLE} if cancellable.", "share", ge=0, le=1)
    kept: Literal["look_through", "sec_sa"] = value("look_through", "How an ABS is weighed.", "choice")

    @model_validator(mode="after")
    def refuse_what_is_not_used(self) -> Capital:
        """A group that the approach does not look at is a misreading of it."""
        if self.approach == "book" and (self.qrre or self.transactors):
            raise ValueError("`qrre` and `transactors` with approach standardised or irb only")
        if self.approach == "standardised" and self.qrre:
            raise ValueError("`qrre` with approach irb only")
        return self

    def write(self, pool: Pool) -> None:
        """Rows `ratio` (period); `ratio` and `floor` (period) under irb."""
        standard, weight = self.standardised(pool.book), self.weights(pool.book)
        self.against(pool, "ratio", weight, self.kept_of(pool, weight, standard))
        if self.approach == "irb" and self.floor > 0:
            self.against(pool, "floor", standard, self.kept_of(pool, standard, standard), self.floor)

    def against(self, pool: Pool, what: str, weight: np.ndarray, kept: Kept, times: float = 1.0) -> None:
        """Rows of capital against `times` the assets of some weights."""
        share, capital = self.ratio, float(pool.inputs[f"lender_{self.base}_capital"])
        told = make_assets(pool, self, f"{what}_all", weight, self.ccf, kept, times)
        need: Assets = make_assets(pool, self, what, weight, self.ccf, kept, times * share)
        pool.limit(
            self,
            what,
            over=(self.periods(pool),),
            body=lambda m, t: m.equity[t] - m.equity[0] - need.moving(m, t),
            at_least=need.known - capital,
            ratio=Ratio(limit=lambda t: share, of=lambda m, t: told.total(m, t)),
        )

    def kept_of(self, pool: Pool, weight: np.ndarray, standard: np.ndarray) -> Kept:
        """How trusts are weighed."""
        return look_through(pool) if self.kept == "look_through" else weigh_kept(pool, weight, standard)

    def standardised(self, book: Book) -> np.ndarray:
        """Standardised weights (segment), a share; the column of the book where the approach is the book's."""
        table = book["segments"]
        if self.approach == "book":
            return table.risk_weight.to_numpy(float)
        return standard_weight(table.limit.to_numpy(float) <= self.retail_cap, table.behaviour.isin(self.transactors))

    def weights(self, book: Book) -> np.ndarray:
        """Weights of the approach (segment), a share."""
        if self.approach != "irb":
            return self.standardised(book)
        table, lgd = book["segments"], book["segments"].lgd.to_numpy(float)
        revolving = table["product"].isin(self.qrre).to_numpy(bool)
        pd = irb.floored_pd(table.pd, revolving & ~table.behaviour.isin(self.transactors))
        of = {kind: irb.risk_weight(kind, pd, irb.floored_lgd(kind, lgd)) for kind in (irb.QRRE, irb.OTHER_RETAIL)}
        return np.where(revolving, of[irb.QRRE], of[irb.OTHER_RETAIL])

    def check(self, book: Book) -> list[Problem]:
        """Every named group must exist."""
        found: list[Problem] = []
        for name, column in GROUPS.items():
            known = sorted(book["segments"][column].astype(str).unique())
            expected = f"one of the segments' values of {column}: {', '.join(known)}"
            found += [self.problem(name, group, expected) for group in getattr(self, name) if group not in known]
        return found

    def formula(self) -> str:
        """See Rule."""
        weight = {"book": "risk_weight[s]", "standardised": "standard[s]", "irb": "12.5 * K(pd[s], lgd[s])"}
        sums = f"sum_{{s,f}} own_share[f] * {weight[self.approach]} * balance[s,f,t]"
        if self.ccf > 0:
            undrawn = "(limit[s] * borrowers[s] - sum_f balance[s,f,t])"
            sums += f" + ratio * ccf * sum_s {weight[self.approach]} * {undrawn}"
        if self.kept == "sec_sa":
            sums += ", an ABS by the lower of its kept classes (SEC-SA) and its loans"
        if self.approach == "irb":
            sums += ", and >= ratio * floor * the same with standard[s]"
        return f"capital + equity[t] - equity[0] >= ratio * {sums}"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        return self.words_zh() if lang == "zh" else self.words_en()

    def words_en(self) -> str:
        """The English sentence."""
        word = {"total": "Total", "tier1": "Tier-1"}[self.base]
        assets = f"risk-weighted assets{APPROACHES_EN[self.approach]}"
        parts = [f"{word} capital is at least {percent(self.ratio)} of {assets}"]
        if self.approach == "irb" and self.floor > 0:
            parts.append(f"which count for at least {percent(self.floor)} of the standardised ones")
        if self.ccf > 0:
            parts.append(f"{percent(self.ccf)} of undrawn limits included")
        if self.kept == "sec_sa":
            parts.append("an ABS weighed by the classes kept, never above the weight of its loans")
        return ", ".join(parts) + "."

    def words_zh(self) -> str:
        """The Chinese sentence."""
        word = {"total": "资本净额", "tier1": "一级资本净额"}[self.base]
        parts = [f"{word}不低于{APPROACHES_ZH[self.approach]}风险加权资产的{percent(self.ratio)}"]
        if self.approach == "irb" and self.floor > 0:
            parts.append(f"内部评级法计量结果不得低于权重法的{percent(self.floor)}")
        if self.ccf > 0:
            parts.append(f"未使用授信额度按{percent(self.ccf)}的信用转换系数计入")
        if self.kept == "sec_sa":
            parts.append("资产证券化按自持档次计量，且不高于基础资产的风险权重")
        return "，".join(parts) + "。"
