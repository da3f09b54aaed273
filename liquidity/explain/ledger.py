"""The ledger of freed money: what the gates took, what the pool declined, what was relent (DESIGN 7.1).

Exact, sequential in the order of the gates:
freed = relent + not_asked + score_lowered + model_changed + limit_policy + system_unavailable + declined.
"""

from __future__ import annotations

import pandas as pd
import xarray as xr

GATE_COLUMNS = {
    "asked": "not_asked",
    "score_kept": "score_lowered",
    "model_kept": "model_changed",
    "policy_kept": "limit_policy",
    "available": "system_unavailable",
}
COLUMNS = ("freed", "relent", *GATE_COLUMNS.values(), "declined")


def make_ledger(plan: xr.Dataset) -> xr.Dataset:
    """The ledger by segment and period, CNY, not rounded."""
    freed = plan.freed.sum("facility")
    left, out = freed, {"freed": freed, "relent": plan.lend.sel(borrower="returning", drop=True).sum("facility")}
    for gate, column in GATE_COLUMNS.items():
        open_ = plan.gate_open.sel(gate=gate, drop=True)
        out[column] = left * (1 - open_)
        left = left * open_
    out["declined"] = left - out["relent"]
    return xr.Dataset({name: out[name] for name in COLUMNS})


def window(ledger: xr.Dataset, periods: int) -> pd.DataFrame:
    """The ledger of the first periods together, one row per segment, CNY."""
    return ledger.isel(period=slice(0, periods)).sum("period").to_dataframe()[list(COLUMNS)]
