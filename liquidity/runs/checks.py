"""What every run proves about itself: residuals, identities, tables that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import opening
from liquidity.explain.ledger import COLUMNS
from liquidity.explain.rounding import in_fen
from liquidity.program.plan import balance_sheet_gap

if TYPE_CHECKING:
    from liquidity.program.compile import Program
    from liquidity.program.pool import Pool
    from liquidity.program.solve import Answer


def solver_checks(program: Program, answer: Answer) -> dict[str, float]:
    """Residuals of the optimum of net worth, computed anew from the arrays.

    `primal_residual` and `dual_residual` in program units (per unit), `duality_gap` relative.
    """
    x, activity = answer.x, program.matrix @ answer.x
    primal = [
        program.row_lower - activity, activity - program.row_upper, program.column_lower - x, x - program.column_upper,
    ]  # fmt: skip
    reduced = program.cost - program.matrix.T @ answer.price
    dual = [np.abs(reduced - answer.reduced), wrong_sign(x, reduced, program.column_lower, program.column_upper)]
    dual.append(wrong_sign(activity, answer.price, program.row_lower, program.row_upper))
    bound = program.constant + worth(answer.price, program.row_lower, program.row_upper)
    bound += worth(reduced, program.column_lower, program.column_upper)
    return {
        "primal_residual": float(max(part.max(initial=0.0) for part in primal)),
        "dual_residual": float(max(part.max(initial=0.0) for part in dual)),
        "duality_gap": abs(bound - answer.objective) / (1 + abs(answer.objective)),
    }


def wrong_sign(value: np.ndarray, price: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Size of prices that point away from the bound: only an upper bound may have a positive price."""
    positive = np.where(np.isfinite(upper), 0.0, np.maximum(price, 0.0))
    negative = np.where(np.isfinite(lower), 0.0, np.maximum(-price, 0.0))
    return np.maximum(positive, negative)


def worth(price: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Prices times the bounds they belong to."""
    bound = np.where(price > 0, upper, lower)
    return float(np.sum(price * np.where(np.isfinite(bound), bound, 0.0)))


def account_checks(pool: Pool, plan: xr.Dataset, accounts: pd.DataFrame) -> dict[str, float]:
    """Largest gap of the balance sheet and of any cash account, as a share of the book."""
    size = opening(pool.book).assets
    gap = balance_sheet_gap(plan, pool.inputs.own_share, pool.inputs.sold, float(pool.book.lender.hqla))
    return {
        "balance_sheet": float(np.abs(gap).max()) / size,
        "cash_accounts": float(accounts.gap.abs().max()) / size,
    }


def table_checks(tables: dict[str, pd.DataFrame], night: str) -> dict[str, int]:
    """Fen by which the printed tables fail to add up; all nought."""
    ledger, uses, reasons = tables["ledger"], tables["uses"], tables["reasons"]
    cells = {name: in_fen(ledger[name]) for name in COLUMNS}
    parts = sum(cells[name] for name in COLUMNS[1:])
    tonight = ledger[ledger.period == night]
    lost = pd.Series(in_fen(tonight.freed) - in_fen(tonight.relent), index=tonight.segment)
    told = reasons[reasons.period == night]
    given = pd.Series(in_fen(told.amount), index=told.segment).groupby(level=0).sum()
    used = pd.Series(in_fen(uses.amount), index=uses.segment).groupby(level=0).sum()
    freed = pd.Series(in_fen(tonight.freed), index=tonight.segment)
    return {
        "ledger_fen": int(np.abs(cells["freed"] - parts).max()),
        "uses_fen": int(freed.sub(used, fill_value=0).abs().max()),
        "reasons_fen": int(lost.sub(given, fill_value=0).abs().max()),
    }
