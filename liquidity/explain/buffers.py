"""The buffers of a night, tier by tier: what is held, what the rules hold fast, and what holding and using it costs.

In the order of their use: operating cash (what may leave the treasury without breaking a rule), the reserve (cash that
a rule holds fast; used only where a rule gives way), liquid assets beside cash (held as the book has them: the program
sells none), and committed standby lines (drawn as far as the rules leave them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.program.plan import opening_states
from liquidity.rules.standby import Standby

if TYPE_CHECKING:
    from liquidity.program.night import Solved
    from liquidity.program.pool import Pool

TIERS = ("operating_cash", "reserve", "hqla", "standby")
KINDS = ("cash_reserve", "liquidity_coverage", "liquidity_ratio", "survival")
"Rules whose rows hold cash fast, a CNY for a CNY."
COLUMNS = ["tier", "order", "period", "held", "required", "used", "carry_rate", "use_rate", "cost_per_year", "price",
           "price_per_year"]  # fmt: skip
FEN = 2


def make_buffers(pool: Pool, plan: xr.Dataset, solved: Solved, limits: pd.DataFrame) -> pd.DataFrame:
    """The table `buffers` [tier, order, period, ...], all tiers in every period.

    held, required, used: CNY. `carry_rate` (1/year) is what a CNY held costs: the lender's mean cost of debt less what
    the tier earns; the fee of a standby line; `cost_per_year` = carry_rate x held (CNY/year). `use_rate` (1/year):
    what using a CNY costs. `price`: net worth that one CNY less required would bring (CNY per CNY of the period),
    `price_per_year` the same by the length of the period (1/year), blank in the last one, whose price stands for all
    that comes after the horizon.
    """
    labels, parts = pool.grid.labels, tiers(pool, plan, solved, limits)
    frames = [
        pd.DataFrame({"tier": tier, "order": order, "period": labels, **parts[tier]})
        for order, tier in enumerate(TIERS, 1)
    ]
    table = pd.concat(frames, ignore_index=True)
    table[["held", "required", "used"]] = table[["held", "required", "used"]].round(FEN) + 0.0
    table["cost_per_year"] = (table.carry_rate * table.held).round(FEN) + 0.0
    years = np.array(pool.grid.years)
    years[-1] = np.nan
    table["price_per_year"] = table.price / np.tile(years, len(TIERS))
    return table[COLUMNS]


def tiers(pool: Pool, plan: xr.Dataset, solved: Solved, limits: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Columns of each tier by period."""
    cash, before = plan.cash.values, opening_states(plan, "cash").values
    hqla, data = float(pool.book.lender.hqla), pool.inputs
    counting = [rule.name for rule in pool.rulebook.rules if rule.kind in KINDS and getattr(rule, "count_hqla", True)]
    all_ = [rule.name for rule in pool.rulebook.rules if rule.kind in KINDS]
    free = np.clip(room(pool, limits, all_, cash), 0.0, cash)
    needed = np.maximum(cash + hqla - room(pool, limits, counting, cash + hqla), 0.0)
    earns, ref = float(data.cash_rate), float(data.ref_rate)
    on_cash = {"carry_rate": ref - earns, "use_rate": earns}
    short = missing(pool, limits, all_)
    return {
        "operating_cash": {
            "held": free, "required": 0.0, "used": np.maximum(before - cash, 0.0), "price": 0.0, **on_cash
        },
        "reserve": {
            "held": cash - free, "required": cash - free + short, "used": short,
            "price": prices(pool, solved, all_), **on_cash,
        },
        "hqla": {
            "held": hqla, "required": np.minimum(needed, hqla), "used": 0.0, "carry_rate": ref, "use_rate": 0.0,
            "price": prices(pool, solved, counting),
        },
        "standby": standby(pool, plan, solved),
    }  # fmt: skip


def standby(pool: Pool, plan: xr.Dataset, solved: Solved) -> dict[str, object]:
    """Columns of the standby lines together, rates by commitment."""
    table = pool.book["lines"].query("kind == 'standby'")
    rules = {rule.name: rule for rule in pool.rulebook.rules if isinstance(rule, Standby)}
    keep = max((rule.keep for rule in rules.values()), default=0.0)
    total, drawn = float(table.commitment.sum()), plan.debt.sel(line=list(table.index)).sum("line").values
    weight = table.commitment / total if total > 0 else table.commitment
    fee = float((table.commitment_fee * weight).sum())
    return {
        "held": total - drawn, "required": keep * total, "used": drawn, "carry_rate": fee,
        "use_rate": float((table.rate * weight).sum()) - fee, "price": prices(pool, solved, list(rules)),
    }  # fmt: skip


def room(pool: Pool, limits: pd.DataFrame, rules: list[str], otherwise: np.ndarray) -> np.ndarray:
    """Cash that could leave before the tightest of some rules is broken, by period; `otherwise` where none holds."""
    found = limits[limits.rule.isin(rules)].groupby("period").headroom_cny.min().reindex(pool.grid.labels)
    return np.where(found.isna(), otherwise, found.to_numpy(float))


def missing(pool: Pool, limits: pd.DataFrame, rules: list[str]) -> np.ndarray:
    """Cash by which some rules gave way, by period, CNY; ratios are told by their own tables."""
    gone = limits[limits.rule.isin(rules) & (limits.unit == pool.book.currency)]
    out: np.ndarray = gone.groupby("period").shortfall.max().reindex(pool.grid.labels).fillna(0.0).to_numpy(float)
    return out


def prices(pool: Pool, solved: Solved, rules: list[str]) -> np.ndarray:
    """What one CNY less held fast by some rules would bring, by period, CNY per CNY."""
    out = np.zeros(pool.grid.size)
    for family in solved.program.rows:
        if family.owner in rules and family.kind == "rule" and "period" in family.dims:
            at = family.dims.index("period")
            periods = [index[at] - 1 for index in family.index]
            np.add.at(out, periods, np.abs(solved.staged.first.price[family.place]))
    return out
