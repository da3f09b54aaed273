"""Expected credit loss per unit of balance by IFRS 9, in place of the book's rate where a rulebook asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book
from liquidity.rules import basel

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Provisions

HIGHEST = 0.9999
"""The largest 12-month default probability that a scenario may reach: a certain default has no intensity."""


def staged(book: Book, data: xr.Dataset, chosen: Provisions) -> pd.DataFrame:
    """Stages and expected credit loss of every segment (index segment).

    Columns `stage_1`, `stage_2` (CNY of the lender's own performing balance, by the 30-day backstop), `stage_2_share`,
    `ecl_rate` (share of balance, mean over the weighted scenarios) and `book_rate` (the rate of the book). Loans in
    stage 3 are not in `balance`: they left it at their recovery value when they defaulted (DESIGN 5).
    """
    table = book["balances"]
    weight = data.own_share.to_series().reindex(table.index.get_level_values("facility")).to_numpy(float)
    own = table[["balance", "past_due_31_90"]].mul(weight, axis=0).groupby("segment").sum()
    own = own.reindex(list(data.segment.values), fill_value=0.0)
    shares = basel.stages(own.balance, own.past_due_31_90, np.zeros(len(own)))
    shares[0] = 1 - shares[1]  # a segment that holds nothing yet is lent to in stage 1
    return pd.DataFrame(
        {
            "stage_1": own.balance - own.past_due_31_90,
            "stage_2": own.past_due_31_90,
            "stage_2_share": shares[1],
            "ecl_rate": weighted_rate(data, shares, chosen),
            "book_rate": book["segments"].ecl_rate,
        }
    ).rename_axis("segment")


def weighted_rate(data: xr.Dataset, shares: np.ndarray, chosen: Provisions) -> np.ndarray:
    """Expected credit loss per unit of balance, mean over the scenarios by weight (segment)."""
    life, total = 1 / data.pay_intensity.values, sum(one.weight for one in chosen.scenarios)
    rates = []
    for one in chosen.scenarios:
        pd_, late = (np.minimum(one.pd_times * part, HIGHEST) for part in (data.pd.values, chosen.late_pd))
        rates.append(one.weight / total * basel.ecl_rate(pd_, data.lgd.values, shares, life, data.apr.values, late))
    return np.sum(rates, axis=0)
