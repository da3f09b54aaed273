"""What took a segment's money where funding was short: whom it was lent to or paid to tonight, and what that earns.

A better use is no cause of its own (DESIGN 7.1): the cause is that funding was short, this is where the money went.
Amounts are those of the table `uses`, so they add up to what the segment freed tonight, to the fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.explain.amounts import FUNDING
from liquidity.explain.reasons import MONTH
from liquidity.explain.words_uses import Use, uses_text

if TYPE_CHECKING:
    from liquidity.explain.words_money import Lang

KIND = {"same_borrowers": "same", "new_borrowers": "lent", "other_segments": "lent", "partner": "partner",
        "costs": "costs", "losses": "costs", "buffers": "reserve"}  # fmt: skip
NAMED = ("lent", "debt")
"Kinds whose receivers are told by name."


def money_used(uses: pd.DataFrame, earned: pd.Series, owed: Mapping[str, float], repaid: Iterable[str]) -> pd.DataFrame:
    """Tonight's uses by segment [segment, kind, to, amount, rate], largest first within a kind.

    Kinds: `same` (lent to the same borrowers), `lent` (to other segments, and to new borrowers of any), `debt` (paid to
    a line or class of notes that is repaid tonight, with its interest), `interest` (paid to the others), `partner`,
    `costs` (losses and other known payments too), `reserve` (kept). `uses` as in the run, CNY; `earned`: margin per
    year by (segment, borrower), 1/year; `owed`: yearly rate of every line, warehouse and class of notes; `repaid`:
    names of those whose principal is repaid tonight. `rate` (1/year) is what lending earns or the debt costs, weighted
    by amount; NaN for other kinds and where no rate is known. Amounts add up to those of `uses`, exactly in fen.
    """
    due, principal = uses.use.isin(["notes", "lines"]), uses.to.isin(set(repaid))
    kind = uses.use.map(KIND).mask(due & principal, "debt").mask(due & ~principal, "interest")
    borrower = uses.use.map({"same_borrowers": "returning", "other_segments": "returning", "new_borrowers": "new"})
    lane = pd.MultiIndex.from_arrays([uses.to, borrower.fillna("")])
    rate = np.where(due, uses.to.map(owed).astype(float), earned.reindex(lane).to_numpy())
    fens = np.rint(uses.amount.to_numpy() * 100)
    table = pd.DataFrame({"segment": uses.segment, "kind": kind, "to": uses.to.where(kind.isin(NAMED), ""),
                          "fen": fens, "known": np.where(np.isnan(rate), 0.0, fens),
                          "worth": fens * np.nan_to_num(rate)})  # fmt: skip
    table = table.groupby(["segment", "kind", "to"], as_index=False).sum()
    table["amount"] = table.fen / 100
    table["rate"] = (table.worth / table.known.where(table.known > 0)).where(table.kind.isin([*NAMED, "same"]))
    order = table.assign(size=-table.fen).sort_values(["segment", "kind", "size", "to"]).index
    return table.loc[order, ["segment", "kind", "to", "amount", "rate"]].reset_index(drop=True)


def lending_rates(allocation: pd.DataFrame, charges: pd.DataFrame) -> pd.Series:
    """What lending earns, 1/year by (segment, borrower): margins of the facilities it was lent in tonight, weighted."""
    keys = ["segment", "borrower", "facility", "period"]
    margin = charges[charges["item"] == "margin"].set_index(keys).per_year
    lent = allocation.set_index(keys).amount.reindex(margin.index).fillna(0.0)
    by = [margin.index.get_level_values(name) for name in ("segment", "borrower")]
    total = lent.groupby(by).sum()
    return ((margin * lent).groupby(by).sum() / total.where(total > 0)).rename_axis(["segment", "borrower"])


def debt_rates(data: xr.Dataset) -> dict[str, float]:
    """Yearly rate of every line and warehouse, coupon of every class of notes, by the names that `uses` has."""
    parts = (("line", "line_rate"), ("facility", "rate"), ("tranche", "coupon"))
    found = {str(name): float(rate) for dim, of in parts for name, rate in zip(data[dim].values, data[of].values)}
    return found | {"open_market": float(data.market_rate)}


def repaid_tonight(funding: pd.DataFrame, tranches: pd.DataFrame, night: str) -> set[str]:
    """Lines, warehouses and classes of notes whose principal is repaid tonight."""
    now = funding[(funding.period == night) & (funding.repay > 0)]
    notes = tranches[(tranches.period == night) & (tranches.principal > 0)]
    return {*now.source, *(notes.facility.astype(str) + "/" + notes.tranche.astype(str))}


def with_better_use(reasons: pd.DataFrame, used: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The reasons, those of FUNDING that took money telling where tonight's went; treasury text only.

    The borrower's sentence carries no figure of the pool. The 30 days have no uses of their own: there it is said that
    this is tonight's money.
    """
    short = (reasons.cause == FUNDING) & (reasons.amount > 0) & reasons.segment.isin(set(used.segment))
    if not short.any():
        return reasons
    by_segment = {
        str(segment): [Use(*row) for row in part[["kind", "to", "amount", "rate"]].itertuples(index=False)]
        for segment, part in used.groupby("segment")
    }
    out = reasons.copy()
    langs: tuple[Lang, ...] = ("en", "zh")
    for lang in langs:
        said = [
            text
            + (" " if lang == "en" else "")
            + uses_text(lang, segment, by_segment[segment], period == MONTH, currency)
            for text, segment, period in zip(
                reasons.loc[short, f"text_{lang}"], reasons.loc[short, "segment"], reasons.loc[short, "period"]
            )
        ]
        out.loc[short, f"text_{lang}"] = said
    return out
