"""What the page tells, as plain numbers out of the tables of a run: totals, steps, the worst segments, the headline.

Amounts are CNY. `tonight` is the first period of the ledger; the first 30 days are the periods that start less than 30
days after it.
"""

from __future__ import annotations

import datetime
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from liquidity.explain.words import CAUSES, GATES, POOL_CAUSES, Lang, label, money

GATE_COLUMNS = [code.lower() for code in GATES]
PARTS = ["relent", *GATE_COLUMNS, "declined"]
THIRTY = "30d"
LANGS: tuple[Lang, Lang] = ("en", "zh")

MOST = 10
"""Segments told with their reasons."""


def periods(ledger: pd.DataFrame) -> list[str]:
    """ISO dates of the ledger's periods, in order."""
    return sorted({str(day)[:10] for day in ledger["period"]})


def first_30_days(days: list[str], count: int | None = None) -> list[str]:
    """The periods that lie wholly within 30 days of the first one (at least one), as the reasons count them.

    `count`: how many they are, where the run says so; else the last period is taken to be as long as the one before.
    """
    if count is not None or not days:
        return days[:count]
    starts = [datetime.date.fromisoformat(day) for day in days]
    last = starts[-1] - starts[-2] if len(days) > 1 else datetime.timedelta(days=1)
    end = starts[0] + datetime.timedelta(days=30)
    return days[: max(1, sum(start <= end for start in (*starts[1:], starts[-1] + last)))]


def of_period(table: pd.DataFrame, period: str) -> pd.DataFrame:
    """The rows of one period: an ISO date or `30d`."""
    return table[table["period"].astype(str).str[:10] == period]


def ledger_of(ledger: pd.DataFrame, period: str, first_days: int | None = None) -> pd.DataFrame:
    """Ledger by segment (index) for an ISO date, or summed over the first 30 days for `30d`: freed and its parts.

    `first_days`: how many periods those are, where the run says so.
    """
    days = periods(ledger)
    wanted = first_30_days(days, first_days) if period == THIRTY else [period]
    rows = ledger[ledger["period"].astype(str).str[:10].isin(wanted)]
    return rows.groupby("segment")[["freed", *PARTS]].sum()


def pool_reasons(reasons: pd.DataFrame, period: str) -> pd.DataFrame:
    """Reasons of what the pool declined: pool causes, and rules that stand for a gate's cause (a household cap)."""
    rows = of_period(reasons, period)
    return rows[rows["cause"].isin(POOL_CAUSES) | (rows["rule"].fillna("") != "")]


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall: kind `freed`, `gate`, `declined` or `relent`; amount CNY."""

    kind: str
    en: str
    zh: str
    amount: float


def steps(totals: pd.Series, declined_by: pd.Series) -> list[Step]:
    """Freed -> gates -> causes -> relent. `totals` is a summed ledger row, `declined_by` CNY by cause (may be empty).

    Gates and causes that stopped nothing are left out; what no cause accounts for is told as such. The amounts after
    the first add up to it, but for the order: relent comes last.
    """
    rows = [Step("freed", "Freed", "回款", float(totals["freed"]))]
    parts = [("gate", code, float(totals[code.lower()])) for code in GATES]
    declined = declined_by.sort_values(ascending=False, kind="stable")
    parts += [("declined", str(code), float(amount)) for code, amount in declined.items()]
    for kind, code, amount in parts:
        if abs(amount) >= 0.005:
            rows.append(Step(kind, label("en", code), label("zh", code), amount))
    untold = float(totals["declined"]) - float(declined_by.sum())
    if abs(untold) >= 0.005:
        rows.append(Step("declined", "Declined, cause not told", "资金池未投放（原因未列明）", untold))
    return [*rows, Step("relent", "Relent to the same borrowers", "再投放给原借款人", float(totals["relent"]))]


def by_cause(reasons: pd.DataFrame, period: str) -> pd.Series:
    """CNY declined by cause in a period, the largest first (ties by name)."""
    sums = pool_reasons(reasons, period).groupby("cause")["amount"].sum()
    return sums.sort_index().sort_values(ascending=False, kind="stable")


def worst(
    ledger: pd.DataFrame, reasons: pd.DataFrame, tonight: str, currency: str = "CNY", first_days: int | None = None
) -> list[dict[str, object]]:
    """The segments with the largest declined amount over 30 days, with their first two pool reasons in short."""
    month, night = ledger_of(ledger, THIRTY, first_days), ledger_of(ledger, tonight)
    chosen = month[month["declined"] >= 0.005].sort_values("declined", ascending=False, kind="stable").head(MOST)
    told = pool_reasons(reasons, THIRTY)
    told = told if len(told) else pool_reasons(reasons, tonight)
    told = told.sort_values(["segment", "rank"])
    return [
        {
            "segment": segment,
            "freed": month.at[segment, "freed"],
            "declined": month.at[segment, "declined"],
            "declined_tonight": night["declined"].get(segment, 0.0),
            "reasons": [in_short(row, currency) for row in told[told["segment"] == segment].head(2).to_dict("records")],
        }
        for segment in chosen.index
    ]


def in_short(reason: dict[Hashable, Any], currency: str = "CNY") -> dict[str, str]:
    """A reason as a label: cause, amount, rules. Its sentence stands with the segment."""
    rules = f" · {str(reason['rule']).replace('+', ', ')}" if reason["rule"] else ""
    cause, amount = str(reason["cause"]), float(reason["amount"])
    return {
        "text_en": f"{label('en', cause)}: {money('en', amount, currency)}{rules}",
        "text_zh": f"{label('zh', cause)}：{money('zh', amount, currency)}{rules}",
    }


def headline(
    night: pd.Series, month: pd.Series, first: tuple[str, float] | None, currency: str = "CNY"
) -> dict[str, list[str]]:
    """Sentences that say in one minute what happened, per language.

    `night`, `month`: summed ledger rows; `first`: cause code and CNY of the first reason over 30 days.
    """
    share = f"{night['relent'] / night['freed']:.1%}" if night["freed"] > 0 else "0%"
    said = {lang: _amounts(lang, night, month, currency) for lang in LANGS}
    english, chinese = said["en"], said["zh"]
    declined, stopped = abs(night["declined"]) >= 0.005, night[GATE_COLUMNS].sum() >= 0.005 or night["freed"] < 0.005
    sentences = {
        "en": [
            f"Borrowers repaid {english['freed']} tonight; {english['relent']} of it ({share}) is lent again to the "
            "same borrowers.",
            f"{english['stopped']} was not asked for or was stopped by a check before the pool."
            if stopped
            else "All of it was asked for again and passed every check before the pool.",
            f"{english['declined']} was asked for and allowed, and the pool declined it."
            if declined
            else "The pool declined nothing: all that was asked for and allowed is lent again.",
        ],
        "zh": [
            f"今晚借款人还款{chinese['freed']}，其中{chinese['relent']}（{share}）再投放给原借款人。",
            f"{chinese['stopped']}未申请再借，或未通过前置检查。"
            if stopped
            else "全部回款均已申请再借，并通过各项前置检查。",
            f"{chinese['declined']}已申请且通过全部检查，但资金池未予投放。"
            if declined
            else "资金池没有拒绝任何申请：凡已申请且通过检查的金额均再投放。",
        ],
    }
    if first:
        cause = CAUSES[first[0]]
        part = {lang: money(lang, first[1], currency) for lang in LANGS}
        sentences["en"].append(
            f"Over the next 30 days the first reason is {cause.en}: {part['en']} of {english['month']} declined."
        )
        sentences["zh"].append(f"未来30天未投放{chinese['month']}，首要原因是{cause.zh}（{part['zh']}）。")
    return sentences


def _amounts(lang: Lang, night: pd.Series, month: pd.Series, currency: str) -> dict[str, str]:
    amounts = {name: float(night[name]) for name in ("freed", "relent", "declined")}
    amounts |= {"stopped": float(night[GATE_COLUMNS].sum()), "month": float(month["declined"])}
    return {name: money(lang, amount, currency) for name, amount in amounts.items()}
