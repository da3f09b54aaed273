"""What the draws of a sweep come to: quantiles, expected shortfall, how often each rule binds or gives way."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.runs.swept import STATUS

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TAIL = 0.05
"""Expected shortfall is the mean of this part of the draws, the worst."""


def figures(result: xr.Dataset) -> dict[str, Any]:
    """Figures over the draws that have a plan (none are counted where there is none).

    `change`: quantiles, mean, least and `expected_shortfall` of the change of net worth, CNY. `share`: mean, least and
    middle of relent over freed by window. Parts of all draws: `gave_way_share`, `amortised_share` (a trust amortises
    early), `failed_share`, and by `rules` those in which each bound and gave way, rules that did neither left out.
    """
    status = result.status.values
    solved = result.isel(scenario=np.flatnonzero(status != STATUS.index("failed")))
    change = solved.change.values
    return {
        "draws": len(status),
        "failed_share": float(np.mean(status == STATUS.index("failed"))),
        "gave_way_share": float(np.mean(status == STATUS.index("gave_way"))),
        "amortised_share": float(np.mean(result.amortised.values > 0)),
        "change": spread(change) if len(change) else {},
        "share": {str(window): ratio(solved.share.sel(window=window).values)
                  for window in result.window.values} if len(change) else {},
        "rules": rules(result),
    }  # fmt: skip


def spread(change: np.ndarray) -> dict[str, float]:
    """Quantiles, mean, least and expected shortfall of changes, CNY, to the fen."""
    found = {f"q{100 * part:02.0f}": float(np.quantile(change, part)) for part in QUANTILES}
    worst = np.sort(change)[: ceil(TAIL * len(change))]
    found |= {"mean": float(change.mean()), "least": float(change.min()), "expected_shortfall": float(worst.mean())}
    return {name: round(amount, 2) + 0.0 for name, amount in found.items()}


def ratio(share: np.ndarray) -> dict[str, float]:
    """Mean, least and middle of a share."""
    return {"mean": float(share.mean()), "least": float(share.min()), "middle": float(np.median(share))}


def rules(result: xr.Dataset) -> dict[str, dict[str, float]]:
    """How often each rule bound and gave way, parts of all draws."""
    bound, gone = result.binding.mean("scenario").values, result.gave_way.mean("scenario").values
    return {str(name): {"binding": float(one), "gave_way": float(other)}
            for name, one, other in zip(result.rule.values, bound, gone) if one > 0 or other > 0}  # fmt: skip


def exit_code(result: xr.Dataset) -> int:
    """4 a draw has no plan, 3 some rule had to give way, 0 neither."""
    status = result.status.values
    return 4 if (status == STATUS.index("failed")).any() else 3 if (status == STATUS.index("gave_way")).any() else 0


def scenario_table(result: xr.Dataset) -> pd.DataFrame:
    """One row a draw: amounts in CNY to the fen, shares as they are."""
    columns: dict[str, Any] = {"scenario": result.scenario.values,
                               "status": [STATUS[at] for at in result.status.values.tolist()]}  # fmt: skip
    money = {"net_worth": result.net_worth, "change": result.change, "equity_least": result.equity.min("period"),
             "equity_end": result.equity.isel(period=-1)}  # fmt: skip
    for window in result.window.values:
        for name in ("freed", "relent"):
            money[f"{name}_{window}"] = result[name].sel(window=window).sum("segment", skipna=False)
    columns["amortised"] = result.amortised.values
    columns |= {name: np.round(array.values, 2) + 0.0 for name, array in money.items()}
    columns |= {f"share_{window}": result.share.sel(window=window).values for window in result.window.values}
    for name in ("binding", "gave_way"):
        columns[name] = [";".join(result.rule.values[marks == 1]) for marks in result[name].values]
    return pd.DataFrame(columns)
