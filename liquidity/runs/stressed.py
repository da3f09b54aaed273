"""One scenario from end to end: its projections, what gave way, why money was not relent, what drove the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from liquidity.errors import SolverFailed
from liquidity.explain.amounts import make_amounts
from liquidity.explain.culprits import find_culprits
from liquidity.explain.lattice import Crew
from liquidity.explain.ledger import make_ledger
from liquidity.explain.limits import make_limits
from liquidity.explain.reasons import make_reasons
from liquidity.program.night import solver_options
from liquidity.program.plan import make_plan
from liquidity.program.solve import pack_basis
from liquidity.program.stages import WINDOW_DAYS
from liquidity.runs.tables import ledger_table, windows
from liquidity.scenarios.apply import Applied
from liquidity.scenarios.projections import (
    PROJECTIONS,
    Case,
    Projection,
    Setting,
    drivers,
    project,
    survival,
)

MONTH = "30d"
CAPITAL = ("capital", "leverage_ratio", "leverage_multiple", "npl_ratio", "provision_cover", "expected_loss")
"""Kinds of rules whose use over time is the capital path."""
SUMMARY = [
    "scenario", "projection", "status", "net_worth", "change", "survival_days", "survives", "equity_least",
    "equity_end", "freed_tonight", "relent_tonight", "share_tonight", "freed_30d", "relent_30d", "share_30d",
    "gave_way", "amortised", "first_cause", "error",
]  # fmt: skip
STATES = ("cash", "equity", "provision", "market_debt")


@dataclass(frozen=True)
class Outcome:
    """What one scenario came to.

    `summary` one row a projection (CNY, days, shares); `breaches` rules that gave way; `capital` use of capital and
    risk rules by period; `reasons` by segment, re-optimised; `drivers` parts of the change of net worth; `paths` CNY by
    projection and period.
    """

    name: str
    summary: pd.DataFrame
    breaches: pd.DataFrame
    capital: pd.DataFrame
    reasons: pd.DataFrame
    drivers: pd.DataFrame
    paths: xr.Dataset


def stress_one(setting: Setting, applied: Applied) -> Outcome:
    """Everything of one scenario; a projection that has no plan is a row that says so."""
    rows, paths, limits = [], [], []
    reasons, parts = pd.DataFrame(), {}
    for projection in PROJECTIONS:
        row: dict[str, Any] = {"scenario": applied.name, "projection": projection}
        try:
            case = project(setting, applied, projection)
            plan = make_plan(case.pool, case.program, case.solved.staged.last, case.solved.staged.first.reduced)
            row |= numbers(setting, case, plan, projection)
            limits.append(make_limits(case.pool, case.solved).assign(projection=projection))
            paths.append(path_of(plan).expand_dims(projection=[projection]))
            if projection == "reoptimise":
                reasons = reasons_of(case, plan)
                parts = drivers(setting, applied, case.net_worth)
                row["first_cause"] = first_cause(reasons, case.pool.grid.labels[0])
        except SolverFailed as error:
            row |= {"status": "failed", "error": str(error)}
        rows.append(row)
    table = pd.concat(limits, ignore_index=True) if limits else pd.DataFrame()
    return Outcome(
        applied.name, pd.DataFrame(rows, columns=SUMMARY), *limits_told(table, applied.name),
        reasons.assign(scenario=applied.name) if len(reasons) else reasons,
        pd.DataFrame({"scenario": applied.name, "channel": list(parts), "amount": list(parts.values())}),
        xr.concat(paths, "projection", join="outer") if paths else xr.Dataset(),
    )  # fmt: skip


def numbers(setting: Setting, case: Case, plan: xr.Dataset, projection: Projection) -> dict[str, Any]:
    """The row of a projection."""
    seen = case.pool.grid.first_days(WINDOW_DAYS)
    freed, relent = plan.freed.sum(["segment", "facility"]), relent_of(plan)
    found = {
        "status": "optimal" if case.whole else "in_part", "net_worth": case.net_worth,
        "change": case.net_worth - setting.worth, "equity_least": float(plan.equity.min()),
        "equity_end": float(plan.equity[-1]),
        "gave_way": ";".join(case.gave_way), "amortised": ";".join(early(case)), "error": "",
    }  # fmt: skip
    if projection == "run_off":
        lasts = survival(case)
        found |= {"survival_days": lasts.days, "survives": lasts.whole}
    for name, periods in (("tonight", 1), ("30d", seen)):
        paid, lent = (float(part[:periods].sum()) for part in (freed, relent))
        found |= {f"freed_{name}": paid, f"relent_{name}": lent, f"share_{name}": lent / paid if paid > 0 else 1.0}
    return found


def early(case: Case) -> list[str]:
    """Trusts that amortise early within the horizon, each with the date from which."""
    grid, found = case.pool.grid, case.pool.amortising
    return [f"{trust} {grid.starts[first - 1].isoformat()}" for trust, first in sorted(found.items())]


def relent_of(plan: xr.Dataset) -> xr.DataArray:
    """Money lent again to those who repaid, by period, CNY."""
    return plan.lend.sel(borrower="returning", drop=True).sum(["segment", "facility"])


def path_of(plan: xr.Dataset) -> xr.Dataset:
    """What a projection is drawn by, by period, CNY."""
    found = {name: plan[name] for name in STATES}
    found["debt"] = plan.debt.sum("line")
    found["notes"] = plan.notes.sum("facility") if "notes" in plan else 0 * plan.cash
    found["loans"] = plan.balance.sum(["segment", "facility"])
    found["freed"], found["relent"] = plan.freed.sum(["segment", "facility"]), relent_of(plan)
    found["new"] = plan.lend.sel(borrower="new", drop=True).sum(["segment", "facility"])
    return xr.Dataset({name: array.assign_attrs(units=plan.attrs["currency"]) for name, array in found.items()})


def limits_told(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Breaches and the capital path out of the limits of all projections."""
    keys = ["scenario", "projection", "rule", "kind", "origin", "at", "period", "used", "limit", "unit", "shortfall"]
    if table.empty:
        return pd.DataFrame(columns=keys), pd.DataFrame(columns=keys[:-1])
    table = table.assign(scenario=name)
    return table.loc[table.level == "gave_way", keys], table.loc[table.kind.isin(CAPITAL), keys[:-1]]


def reasons_of(case: Case, plan: xr.Dataset) -> pd.DataFrame:
    """Why freed money was not relent, by segment, tonight and in 30 days, as the nightly job tells it."""
    pool, solved, options = case.pool, case.solved, solver_options(case.pool.rulebook)
    labels = pool.grid.labels
    seen = windows(ledger_table(make_ledger(plan)), labels, pool.grid.first_days(WINDOW_DAYS))
    amounts = None
    if any(frame.declined.sum() > 0 for frame in seen.values()):
        start = pack_basis(solved.staged.first.basis)
        with Crew(1) as crew:
            amounts = make_amounts(solved.held, case.goals, options, crew, start, pool.rulebook.solver.split)
    grades = {str(segment): str(grade) for segment, grade in pool.book["segments"].grade.items()}
    found = make_reasons(seen, amounts, pool.unit, find_culprits(pool, solved, amounts), grades)
    return found[["segment", "period", "rank", "cause", "rule", "origin", "amount", "share", "text_en", "text_zh"]]


def first_cause(reasons: pd.DataFrame, tonight: str) -> str:
    """The cause that stands for most of what was not relent tonight; in 30 days where tonight all was."""
    for period in (tonight, MONTH):
        sums = reasons[reasons.period == period].groupby("cause").amount.sum().round(2)
        if len(sums) and sums.max() > 0:
            return str(sums.idxmax())
    return ""
