"""What a run says of the planned ABS: which are issued, when, how much, at what cost, and how good that choice is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liquidity.explain.words_money import money

if TYPE_CHECKING:
    import xarray as xr

    from liquidity.program.night import Solved
    from liquidity.program.pool import Pool


def planned_issues(pool: Pool, plan: xr.Dataset) -> list[dict[str, Any]]:
    """One entry per planned issue of the horizon, by date: facility, date, made, size and cost (CNY), a sentence."""
    dates = pool.book["issues"].date
    out = []
    for facility, terms in sorted(pool.issues.items(), key=lambda item: (dates[item[0]], item[0])):
        made = bool(plan.issue.sel(facility=facility).sum() > 0.5)
        size = float(plan.issued.sel(facility=facility).sum().round(2)) if made else 0.0
        row = {"facility": facility, "date": dates[facility].date().isoformat(), "made": made, "size": size,
               "cost": terms.cost if made else 0.0}  # fmt: skip
        out.append({**row, "text": told(row, terms.market_open, pool.book.currency)})
    return out


def told(row: dict[str, Any], market_open: bool, currency: str) -> str:
    """One planned issue in a sentence."""
    name = f"{row['facility']} of {row['date']}"
    if row["made"]:
        return f"{name}: issued, {money('en', row['size'], currency)} of notes at a cost of " + money(
            "en", row["cost"], currency
        )
    return f"{name}: not issued, " + ("it earns less than it costs" if market_open else "the market is shut")


def issue_record(pool: Pool, solved: Solved, plan: xr.Dataset) -> dict[str, Any]:
    """The part of the run record about planned issues; empty where there are none.

    `issues_gap`: by how much of net worth another choice could be better at most; `issues_bound` that net worth, CNY.
    """
    if not pool.issues:
        return {}
    worth, bound = solved.staged.first.objective, solved.choice.bound
    # yes/no decisions of a repair were not searched: there is no bound
    gap = None if bound is None else max(0.0, bound - worth) / max(1.0, abs(worth))
    return {
        "issues": planned_issues(pool, plan),
        "issues_gap": gap,
        "issues_bound": None if bound is None else max(bound, worth) * pool.unit,
        "issues_note": "Prices, charges and amounts are those of the program with these issues held",
    }


def not_there_tonight(pool: Pool, plan: xr.Dataset) -> list[str]:
    """Planned facilities of the horizon that are not issued tonight, so that nothing can be lent from them."""
    return [f for f, t in pool.issues.items() if t.period > 1 or not float(plan.issue.sel(facility=f).sum()) > 0.5]
