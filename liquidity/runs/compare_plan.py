"""Last night's plan against what came, and the reasons of two nights side by side."""

from __future__ import annotations

from datetime import date

import pandas as pd

from liquidity.explain.flows import TREASURY
from liquidity.explain.rounding import in_fen

WHAT = ("freed", "relent", "declined")
PLAN = ["segment", "what", "planned", "realised", "difference"]
MONTH = "30d"


def plan_realised(planned: pd.DataFrame, realised: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """What A's ledger planned for B's night against B's own [segment, what, planned, realised, difference], CNY.

    Only where A has that night as a period of the same length; else an empty table and why. A segment that one of the
    two does not have has 0 there.
    """
    night = str(realised.period.min())
    if why := not_planned(planned, realised, night):
        return pd.DataFrame(columns=PLAN), why
    sides = [ledger[ledger.period == night].set_index("segment")[list(WHAT)] for ledger in (planned, realised)]
    index = sides[0].index.union(sides[1].index)
    one, two = (side.reindex(index, fill_value=0.0).rename_axis(columns="what").stack() for side in sides)
    table = pd.DataFrame({"planned": one, "realised": two}).reset_index()
    table["difference"] = (in_fen(table.realised) - in_fen(table.planned)) / 100
    return table[PLAN], ""


def not_planned(planned: pd.DataFrame, realised: pd.DataFrame, night: str) -> str:
    """Why A's plan does not tell of B's night; empty where it does."""
    if night not in set(planned.period):
        return f"the first run has no period that starts on {night}"
    days = [length(ledger, night) for ledger in (planned, realised)]
    if days[0] != days[1]:
        return f"the first run's period of {night} has {days[0]} days, the second run's {days[1]}"
    return ""


def length(ledger: pd.DataFrame, start: str) -> int:
    """Days of the period that starts on a date, up to the next one; 0 for the last period."""
    later = sorted(day for day in set(ledger.period) if day > start)
    return (date.fromisoformat(later[0]) - date.fromisoformat(start)).days if later else 0


def cash_realised(planned: pd.DataFrame, realised: pd.DataFrame) -> dict[str, float]:
    """Treasury cash at the opening of B's night, CNY: as A planned to close the night before, and as B found it."""
    night = str(realised.period.min())
    amounts = [
        float(cash[(cash.account == TREASURY) & (cash.period == night)].opening.iloc[0]) for cash in (planned, realised)
    ]
    return {"planned": amounts[0], "realised": amounts[1], "difference": round(amounts[1] - amounts[0], 2)}


def causes_beside(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """What was not relent, by cause, in both runs [period, cause, a, b, difference], CNY.

    `period` is `tonight` (each run's own) or `30d`; the largest difference first.
    """
    sums = []
    for reasons in (a, b):
        period = reasons.period.where(reasons.period == MONTH, "tonight")
        sums.append(reasons.groupby([period, "cause"]).amount.sum())
    table = pd.DataFrame({"a": sums[0], "b": sums[1]}).fillna(0.0).round(2)
    table["difference"] = (table.b - table.a).round(2)
    table = table.rename_axis(["period", "cause"]).reset_index()
    table["size"] = table.difference.abs()
    order = table.sort_values(["period", "size", "cause"], ascending=[False, False, True]).index
    return table.loc[order, ["period", "cause", "a", "b", "difference"]].reset_index(drop=True)
