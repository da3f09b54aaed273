"""Limits by use, and the identities of the tables checked once more from the tables themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liquidity.explain.rounding import in_fen
from liquidity.report.numbers import PARTS, THIRTY, ledger_of, of_period, periods

LEVELS = {
    "gave_way": ("Gave way", "已突破"),
    "binding": ("At the limit", "触及限额"),
    "amber": ("Amber", "预警"),
    "green": ("Green", "正常"),
}
CHECKS = {
    "primal_residual": ("Rows and bounds of the program are met", "模型各行与上下界均满足", 1e-9),
    "dual_residual": ("Prices fit every decision", "影子价格与各项决策相符", 1e-9),
    "duality_gap": ("Plan and prices give the same net worth", "计划与影子价格得出相同净值", 1e-7),
    "price_identity": ("Margin less charges is the reduced cost", "利差减各项扣减等于检验数", 1e-9),
    "balance_sheet": ("Assets less liabilities is equity, every period", "各期资产减负债等于净资产", 1e-9),
    "cash_accounts": ("Opening plus in less out is closing, every account", "各账户期初加流入减流出等于期末", 1e-9),
    "amounts_gap": ("Amounts by cause add up to declined", "各原因金额之和等于未投放金额", 1e-9),
    "ledger_fen": ("Ledger adds up, in fen", "台账逐分平衡", 0.0),
    "uses_fen": ("Uses add up to freed, in fen", "资金去向之和等于回款（至分）", 0.0),
    "reasons_fen": ("Reasons add up to freed less relent, in fen", "原因金额之和等于回款减再投放（至分）", 0.0),
}


@dataclass(frozen=True)
class Proof:
    """One check: what it says, the figure that was found, its unit, and whether it holds (None: no tolerance known)."""

    says: str
    says_zh: str
    found: str
    holds: bool | None


def limit_use(limits: pd.DataFrame, period: str) -> pd.DataFrame:
    """The tightest place of every rule in a period, the most used first.

    Adds `use` (1 = at the limit), `floor` (a least amount: use is limit / used) and `others`, the number of further
    places of that rule that bind. A row whose limit is nothing or less (a closed pool; a reserve that grows with what
    it secures) has no share to show: it stands at 1 where it binds, and is left out where it does not.
    """
    rows = of_period(limits, period).astype({"used": float, "limit": float})
    binds = rows["level"].isin(["binding", "gave_way"])
    gave_way = rows["level"] == "gave_way"
    positive = (rows["limit"] > 0) & np.isfinite(rows["limit"])
    ratio = (rows["used"] / rows["limit"]).where(positive)
    rows["floor"] = (ratio < 1).where(gave_way, ratio > 1 + 1e-6)
    shown = ratio.where(~rows["floor"], 1 / ratio.where(ratio > 0, 1e-9))
    bare = pd.Series(np.where(gave_way, np.inf, 1.0), index=rows.index).where(binds)
    rows["use"] = shown.where(positive, bare)
    rows["others"] = binds.groupby(rows["rule"]).transform("sum") - binds
    rows["place"] = rows["level"].map({level: place for place, level in enumerate(LEVELS)})
    order = ["use", "place", "rule", "at"]
    rows = rows[rows["use"].notna()].sort_values(order, ascending=[False, True, True, True])
    return rows.drop_duplicates("rule").drop(columns="place").reset_index(drop=True)


def gave_way(limits: pd.DataFrame) -> pd.DataFrame:
    """The limits that gave way in any period, largest shortfall first within a rule."""
    rows = limits[limits["level"] == "gave_way"]
    return rows.sort_values(["rule", "shortfall"], ascending=[True, False]).reset_index(drop=True)


def told(checks: Mapping[str, object]) -> list[Proof]:
    """The checks that the run made on itself."""
    rows = []
    for name, value in checks.items():
        plain = name.replace("_", " ")
        says, says_zh, tolerance = CHECKS.get(name, (plain, plain, None))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        holds = bool(value) if isinstance(value, bool) else None
        if number and tolerance is not None:
            holds = bool(abs(float(str(value))) <= tolerance)
        unit = " fen" if name.endswith("_fen") and number else ""
        rows.append(Proof(says, says_zh, (f"{value:.3g}" if number else str(value)) + unit, holds))
    return rows


def found(tables: Mapping[str, pd.DataFrame], first_days: int | None = None) -> list[Proof]:
    """The identities of the tables, added up again for the page; the figure is the largest difference, in fen.

    `first_days`: how many periods are the first 30 days, where the run says so.
    """
    ledger = tables["ledger"]
    rows = [
        _exact(
            ("Ledger: freed = relent + gates + declined, every row", "台账各行：回款＝再投放＋前置检查＋未投放"),
            _ledger_gap(ledger),
        )
    ]
    tonight = periods(ledger)[0] if len(ledger) else ""
    if len(tables["uses"]):
        freed = ledger_of(ledger, tonight)["freed"]
        spent = tables["uses"].groupby("segment")["amount"].sum()
        rows.append(_exact(("Uses = freed tonight, every segment", "各客群资金去向＝今晚回款"), _gap(spent, freed)))
    for period, name in ((THIRTY, ("30 days", "30天")), (tonight, ("tonight", "今晚"))):
        if len(reasons := of_period(tables["reasons"], period)):
            book = ledger_of(ledger, period, first_days)
            gap = _gap(reasons.groupby("segment")["amount"].sum(), book["freed"] - book["relent"])
            rows.append(
                _exact(
                    (f"Reasons = freed - relent, every segment, {name[0]}", f"各客群原因＝回款－再投放，{name[1]}"), gap
                )
            )
    return rows


def _ledger_gap(ledger: pd.DataFrame) -> int:
    parts = in_fen(ledger[PARTS].to_numpy()).sum(axis=1)
    return int(np.abs(parts - in_fen(ledger["freed"].to_numpy())).max(initial=0))


def _gap(left: pd.Series, right: pd.Series) -> int:
    """Largest difference in fen between two series by segment; a segment missing on one side counts as nothing."""
    left, right = left.align(right, fill_value=0.0)
    return int(np.abs(in_fen(left.to_numpy()) - in_fen(right.to_numpy())).max(initial=0))


def _exact(says: tuple[str, str], gap: int) -> Proof:
    return Proof(*says, f"{gap} fen", gap == 0)
