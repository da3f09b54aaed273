"""Liquid assets against the net outflow of thirty stressed days (LCR)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from liquidity.errors import Problem
from liquidity.rules.base import Lang, Ratio, Rule, value
from liquidity.rules.due import BorrowedKind, DepositClass, by_class, inflow, owed, undrawn
from liquidity.rules.liquidity_formulas import (
    HAIRCUT_2A,
    HAIRCUT_2B,
    INFLOW_CAP,
    LEVEL2_CAP,
    LEVEL2B_CAP,
    hqla_pieces,
    outflow_branches,
)
from liquidity.rules.text import deposits_en, deposits_zh, percent

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.pool import Pool

Share = Annotated[float, Field(ge=0, le=1)]
RUNOFF: dict[BorrowedKind, float] = {"bank_line": 1, "shareholder_loan": 1, "bond": 1, "interbank": 1, "standby": 1}


class LiquidityCoverage(Rule):
    """Liquid assets are at least `ratio` of the net outflow of the next `days`.

    In symbols (CNY, every piece p of the liquid assets, branch b of the net outflow, period):
        cash[t] + level1 + level2[p] >= ratio factor[p] (out_b outflow[t] - in_b inflow[t])
        outflow[t] = sum_l runoff debt[l,t] + sum notes and sold tranches due + undrawn_rate undrawn[t]
        inflow[t] = inflow_share sum_{s,f own accounts} own_share[f] payments[s] balance[s,f,t]
    Both caps on level 2 assets and the cap on inflows are exact: liquid assets are the least of their pieces, the net
    outflow the greatest of its branches. Committed lines that the lender holds are no inflow. Of a deposit that may
    leave within the days, a part by class: runoff is the mean of deposit_runoff over stable_share[l] and the rest.
    """

    code: ClassVar[str] = "LIQUIDITY_BUFFER"

    kind: Literal["liquidity_coverage"] = value("liquidity_coverage", "Which rule this is.", "name")
    ratio: float = value(1.0, "Liquid assets against the net outflow.", "share", gt=0)
    days: int = value(30, "Length of the stress.", "day", ge=1)
    runoff: dict[BorrowedKind, Share] = value(
        RUNOFF, "Part that leaves of a line due within the days, by kind.", "share"
    )
    deposit_runoff: dict[DepositClass, Share] = value(
        {}, "Part that leaves of deposits without maturity or due within the days, by class; else all.", "share"
    )
    early_runoff: float = value(0.0, "Part that leaves of a line due later.", "share", ge=0, le=1)
    notes_runoff: float = value(1.0, "Part that leaves of notes due within the days.", "share", ge=0, le=1)
    undrawn_rate: float = value(0.05, "Part of undrawn credit lines that borrowers draw.", "share", ge=0, le=1)
    inflow_share: float = value(0.50, "Part of the payments on performing loans that counts.", "share", ge=0, le=1)
    inflow_cap: float = value(INFLOW_CAP, "Inflows that count, against outflows.", "share", ge=0, lt=1)
    level2_cap: float = value(LEVEL2_CAP, "Largest part of level 2 in liquid assets.", "share", ge=0, lt=1)
    level2b_cap: float = value(LEVEL2B_CAP, "Largest part of level 2B in liquid assets.", "share", ge=0, lt=1)
    haircut_2a: float = value(HAIRCUT_2A, "Haircut on level 2A assets.", "share", ge=0, le=1)
    haircut_2b: float = value(HAIRCUT_2B, "Haircut on level 2B assets.", "share", ge=0, le=1)

    def write(self, pool: Pool) -> None:
        """Rows `cover` (piece and branch, period)."""
        data, kept = pool.arrays, pool.inputs.hqla_kept.values
        level2a, level2b = data.lender_hqla_2a * (1 - self.haircut_2a), data.lender_hqla_2b * (1 - self.haircut_2b)
        level1 = data.lender_hqla - data.lender_hqla_2a - data.lender_hqla_2b
        parts = {
            f"{piece.name}_{branch.name}": (piece, branch)
            for piece in hqla_pieces(level2a, level2b, self.level2_cap, self.level2b_cap)
            for branch in outflow_branches(self.inflow_cap)
        }
        index = pool.index(self, "part", list(parts))
        out = {p: piece.factor * branch.outflow for p, (piece, branch) in parts.items()}
        into = {p: piece.factor * branch.inflow for p, (piece, branch) in parts.items()}
        weights = {"out": out, "into": into}
        plain = {name: pool.param(self, name, (index,), part) for name, part in weights.items()}
        times = {
            name: pool.param(self, f"times_{name}", (index,), {p: self.ratio * part[p] for p in part})
            for name, part in weights.items()
        }
        debts = owed(pool, self, self.line_weight(pool), lambda days: self.notes_runoff if days <= self.days else 0.0)
        lines, comes = undrawn(pool, self, self.undrawn_rate), inflow(pool, self, self.days, self.inflow_share)

        def net(m: Any, p: Any, t: Any, by: dict[str, Any], drawn: float = 0.0) -> Any:
            leaves = debts.total(m, t) - lines.less(m, t) + drawn
            return by["out"][p] * leaves - by["into"][p] * comes.total(m, t)

        pool.limit(
            self,
            "cover",
            over=(index, self.periods(pool)),
            body=lambda m, p, t: m.cash[t] - net(m, p, t, times),
            at_least=lambda p, t: self.ratio * out[p] * lines.lines - kept[t - 1] * (level1 + parts[p][0].level2),
            ratio=Ratio(limit=lambda p, t: self.ratio, of=lambda m, p, t: net(m, p, t, plain, lines.lines)),
        )

    def line_weight(self, pool: Pool) -> Callable[[str, float], float]:
        """Run-off of a line by label and days left."""
        table, runoff = pool.book["lines"], {**RUNOFF, **self.runoff}
        deposits = by_class(pool, self.deposit_runoff, 1.0)
        demand = set(table.index[table.maturity.isna()])

        def weight(line: str, days: float) -> float:
            if line in deposits:
                return deposits[line] if line in demand or days <= self.days else self.early_runoff
            return runoff[table.kind[line]] if days <= self.days else self.early_runoff

        return weight

    def check(self, book: Book) -> list[Problem]:
        """Level 2 assets are part of the liquid assets."""
        return level2_problems(book)

    def formula(self) -> str:
        """See Rule."""
        return (
            "min(L1 + L2A + L2B, L1 / (1 - level2_cap), (L1 + L2A) / (1 - level2b_cap)) >= ratio * max(outflow[t] - "
            "inflow[t], (1 - inflow_cap) * outflow[t])    with L1 = cash[t] + hqla of level 1"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        ratio, cap, two, two_b = map(percent, (self.ratio, self.inflow_cap, self.level2_cap, self.level2b_cap))
        drawn, counted = percent(self.undrawn_rate), percent(self.inflow_share)
        if lang == "zh":
            return (
                f"优质流动性资产不低于未来{self.days}日净现金流出的{ratio}；未使用授信额度按{drawn}计入流出，"
                f"正常贷款还款按{counted}计入流入，流入以流出的{cap}为限；二级资产占比不超过{two}，2B资产不超过{two_b}"
                f"{deposits_zh('，存款流失率为', self.deposit_runoff)}。"
            )
        return (
            f"Liquid assets are at least {ratio} of the net outflow of the next {self.days} days: borrowers draw "
            f"{drawn} of their undrawn lines, {counted} of the payments on performing loans counts, inflows up to "
            f"{cap} of outflows; level 2 is at most {two} of liquid assets, level 2B {two_b}"
            f"{deposits_en('; of deposits leave', self.deposit_runoff)}."
        )


def level2_problems(book: Book) -> list[Problem]:
    """Level 2 assets beyond what the lender holds in liquid assets."""
    level2, held = float(book.lender.hqla_2a + book.lender.hqla_2b), float(book.lender.hqla)
    if level2 <= held:
        return []
    return [Problem("lender", "", "hqla_2a", level2, f"with hqla_2b at most hqla, {held:g}")]
