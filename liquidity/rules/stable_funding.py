"""Stable funding for a year against what the assets need (NSFR)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Ratio, Rule, day_of, value
from liquidity.rules.due import DepositClass, by_class, owed, residual_days, undrawn
from liquidity.rules.liquidity_coverage import level2_problems
from liquidity.rules.liquidity_formulas import ASF, RSF, YEAR, by_residual, weighted
from liquidity.rules.text import deposits_en, deposits_zh, percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from liquidity.book import Book
    from liquidity.program.pool import Pool

MONTHS = 12


class StableFunding(Rule):
    """Funding that stays for a year is at least `ratio` of what the assets need.

    In symbols (CNY, every period):
        capital + equity[t] - equity[0] + sum_l asf debt[l,t] + sum_w asf notes[w,t] + sum asf tranche[f,k,t] sold
            >= ratio (sum_{s,f} own_share rsf balance[s,f,t] + sum_f rsf facility_cash[f,t] + liquid assets
                      + undrawn_rate undrawn[t] + npl + other)
    asf by residual maturity, which is legal_final for notes; a debt without maturity stays, a deposit without maturity
    or of less than a year counts by class (deposit_asf, stable_share[l]). rsf of loans by term when
    new and risk weight, raised where they are pledged to a vehicle for half a year or a year more. Treasury cash needs
    none. Non-performing loans and other assets are counted as they stand on the day, with the known flows of `other`.
    """

    code: ClassVar[str] = "LIQUIDITY_BUFFER"

    kind: Literal["stable_funding"] = value("stable_funding", "Which rule this is.", "name")
    ratio: float = value(1.0, "Available against required stable funding.", "share", gt=0)
    asf_long: float = value(ASF["year_or_more"], "Funding of a year or more that counts.", "share", ge=0, le=1)
    asf_middle: float = value(ASF["half_year_to_year"], "Funding of half a year to a year.", "share", ge=0, le=1)
    asf_short: float = value(ASF["financial_under_half_year"], "Funding under half a year.", "share", ge=0, le=1)
    deposit_asf: dict[DepositClass, Annotated[float, Field(ge=0, le=1)]] = value(
        {}, "Part of deposits without maturity or under a year that counts, by class; else none.", "share"
    )
    rsf_short_loans: float = value(RSF["loans_under_year"], "Need of loans up to a year.", "share", ge=0, le=1)
    rsf_long_loans: float = value(RSF["loans_year_or_more"], "Need of longer loans.", "share", ge=0, le=1)
    rsf_safe_loans: float = value(
        RSF["safe_loans_year_or_more"], "Need of longer loans of low risk weight.", "share", ge=0, le=1
    )
    safe_weight: float = value(0.35, "Risk weight up to which a longer loan is of low risk.", "share", ge=0)
    rsf_encumbered_middle: float = value(
        RSF["encumbered_half_year"], "Least need of assets pledged for half a year to a year.", "share", ge=0, le=1
    )
    rsf_encumbered_long: float = value(
        RSF["encumbered_year"], "Need of assets pledged for a year or more.", "share", ge=0, le=1
    )
    undrawn_rate: float = value(RSF["undrawn"], "Need of undrawn credit lines of borrowers.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `funding` (period)."""
        m = pool.model
        assets, idle = self.needs(pool)
        loans = pool.param(self, "loans", (m.SEGMENT, m.FACILITY, m.PERIOD), assets)
        cash = pool.param(self, "vehicle_cash", (m.SPV, m.PERIOD), idle)
        times = pool.param(self, "times", (m.PERIOD,), lambda t: self.ratio)
        stays = owed(pool, self, self.line_stay(pool), self.stay)
        lines = undrawn(pool, self, self.undrawn_rate)
        given = self.given(pool) + lines.lines
        fixed = pool.param(self, "given", (m.PERIOD,), given)

        def required(m: Any, t: Any) -> Any:
            held = sum(loans[s, f, t] * m.balance[s, f, t] for s in m.SEGMENT for f in m.FACILITY)
            return held + sum(cash[f, t] * m.facility_cash[f, t] for f in m.SPV) - lines.less(m, t)

        pool.limit(
            self,
            "funding",
            over=(self.periods(pool),),
            body=lambda m, t: m.equity[t] - m.equity[0] + stays.total(m, t) - times[t] * required(m, t),
            at_least=lambda t: self.ratio * given[t - 1] - float(pool.inputs["lender_total_capital"]),
            ratio=Ratio(limit=lambda t: self.ratio, of=lambda m, t: required(m, t) + fixed[t]),
        )

    def stay(self, days: float) -> float:
        """Part of a debt that counts, by its residual maturity in days."""
        return by_residual(days, self.asf_short, self.asf_middle, self.asf_long)

    def line_stay(self, pool: Pool) -> Callable[[str, float], float]:
        """Part of a line that counts, by label and days left."""
        deposits, maturity = by_class(pool, self.deposit_asf, 0.0), pool.book["lines"].maturity
        demand = {line for line in deposits if day_of(maturity[line]) is None}

        def weight(line: str, days: float) -> float:
            short = line in deposits and (line in demand or days < YEAR)
            return deposits[line] if short else self.stay(days)

        return weight

    def needs(self, pool: Pool) -> tuple[np.ndarray, np.ndarray]:
        """Required funding per unit of loans (segment, facility, period) and of vehicles' cash (facility, period)."""
        table, places = pool.book["segments"], pool.book["facilities"]
        safe = np.where(table.risk_weight <= self.safe_weight, self.rsf_safe_loans, self.rsf_long_loans)
        own = np.where(table.tenor_months <= MONTHS, self.rsf_short_loans, safe)
        vehicles = set(pool.model.SPV)
        pledged = np.array([
            [self.pledged(residual_days(pool, day_of(day), t)) if f in vehicles else 0.0 for t in pool.model.PERIOD]
            for f, day in places.legal_final.items()
        ])  # fmt: skip
        loans = np.maximum(own[:, None, None], pledged[None]) * pool.arrays.own_share
        return loans, pledged[pool.places(pool.model.SPV)]

    def pledged(self, days: float) -> float:
        """Least need of an asset that is pledged for some more days."""
        return by_residual(days, 0.0, self.rsf_encumbered_middle, self.rsf_encumbered_long)

    def given(self, pool: Pool) -> np.ndarray:
        """Required funding of what is data: liquid assets, non-performing loans, other assets; units, (period)."""
        data, table = pool.arrays, pool.book["balances"]
        own = pool.book["facilities"].own_share.where(pool.book["facilities"].kind == "joint", 1.0)
        bad = pool.money(float((table.npl * own.reindex(table.index.get_level_values("facility")).to_numpy()).sum()))
        level1 = data.lender_hqla - data.lender_hqla_2a - data.lender_hqla_2b
        amounts = {"level1": level1, "level2a": data.lender_hqla_2a, "level2b": data.lender_hqla_2b, "npl": bad}
        other = np.maximum(data.other - np.cumsum(pool.flows("other")), 0.0)
        needed: np.ndarray = weighted(amounts, RSF) + RSF["other"] * other
        return needed

    def check(self, book: Book) -> list[Problem]:
        """Level 2 assets are part of the liquid assets."""
        return level2_problems(book)

    def formula(self) -> str:
        """See Rule."""
        return (
            "capital + equity[t] - equity[0] + sum asf * (debt[l,t], notes[w,t], tranche[f,k,t]) >= ratio * (sum_{s,f} "
            "own_share[f] * rsf[s,f] * balance[s,f,t] + rsf * other assets + undrawn_rate * undrawn[t])"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        ratio, middle, short = percent(self.ratio), percent(self.asf_middle), percent(self.asf_short)
        few, many, drawn = percent(self.rsf_short_loans), percent(self.rsf_long_loans), percent(self.undrawn_rate)
        if lang == "zh":
            return (
                f"可用稳定资金不低于所需稳定资金的{ratio}：剩余期限半年至一年的融资按{middle}、不足半年的按{short}计入；"
                f"一年以内贷款按{few}、一年以上贷款按{many}计提，未使用授信额度按{drawn}计提"
                f"{deposits_zh('；存款按', self.deposit_asf)}。"
            )
        return (
            f"Stable funding is at least {ratio} of what the assets need: debt of half a year to a year counts "
            f"{middle}, shorter debt {short}; loans up to a year need {few}, longer ones {many}, "
            f"undrawn credit lines {drawn}{deposits_en('; of deposits count', self.deposit_asf)}."
        )
