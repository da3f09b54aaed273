"""Buffers of a night on the page: one row per tier, in the order of their use."""

from __future__ import annotations

from typing import Any

import pandas as pd

NAMES = {
    "operating_cash": ("Operating cash", "经营性现金"),
    "reserve": ("Reserve", "现金储备"),
    "hqla": ("Liquid assets", "优质流动性资产"),
    "standby": ("Committed standby lines", "承诺备用授信"),
}
USES = {
    "operating_cash": ("free to pay with", "可直接支付"),
    "reserve": ("only where a rule gives way", "仅在规则被突破时动用"),
    "hqla": ("sold by decision of the treasurer, none in this plan", "由资金负责人决定变现，本方案未动用"),
    "standby": ("drawn as far as the rules leave it", "在规则允许范围内提用"),
}


def compact(buffers: pd.DataFrame | None, period: str) -> list[dict[str, Any]]:
    """Rows of one period: `name` and `use` in both languages, amounts (CNY), rates (1/year), cost (CNY/year).

    `buffers`: the table of a run, None where it has none.
    """
    if buffers is None or buffers.empty:
        return []
    rows = buffers[buffers["period"] == period].sort_values("order")
    return [
        {**{str(key): cell for key, cell in row.items()}, "name": NAMES[row["tier"]], "use": USES[row["tier"]]}
        for row in rows.to_dict("records")
    ]
