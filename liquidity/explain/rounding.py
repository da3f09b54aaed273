"""Money in whole fen: parts that are rounded together and still add up to their rounded total.

Each part is cut down to a whole fen; the fen that are missing go, one each, to the largest remainders (ties: the
earlier part). A total that differs from the sum of its parts by a solver residual is first spread over the parts in
proportion to their size, so a part that is nothing stays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Fens = NDArray[np.int64]
Codes = NDArray[np.integer]


def in_fen(values: ArrayLike) -> Fens:
    """Money in CNY as whole fen (0.01 CNY), rounded half to even; same shape. Raises ValueError on a NaN."""
    return np.rint(_finite(values) * 100).astype(np.int64)


def fen(values: ArrayLike, total: float | None = None) -> Floats:
    """Parts of one total, rounded to fen so that they add up to it exactly.

    `values` (parts,), CNY, may be negative; `total` CNY, default their sum. Returns (parts,), CNY; exact when counted
    with `in_fen`. Raises ValueError on a NaN, and when there is a total but no part to carry it.
    """
    parts = _finite(values).ravel()
    whole = parts.sum() if total is None else total
    return _share_out(parts, np.zeros(len(parts), dtype=np.intp), in_fen([whole])) / 100


def fen_by_group(frame: pd.DataFrame, parts: Sequence[str], total: str) -> pd.DataFrame:
    """Every row is one group: its `parts` columns, rounded to fen, add up to its `total` column, rounded to fen.

    CNY in, CNY out; other columns are left alone. Example: the ledger, `freed` = the seven columns after it.
    """
    rounded = frame.copy()
    totals = in_fen(frame[total].to_numpy())
    values = frame[list(parts)].to_numpy(dtype=float)
    codes = np.repeat(np.arange(len(frame)), len(parts))
    rounded[list(parts)] = _share_out(_finite(values).ravel(), codes, totals).reshape(values.shape) / 100
    rounded[total] = totals / 100
    return rounded


def fen_by_key(
    frame: pd.DataFrame, by: Sequence[str], value: str = "amount", total: pd.Series | None = None
) -> pd.DataFrame:
    """Rows with the same `by` columns are one group: their `value`, rounded to fen, adds up to the group's total.

    `total`: CNY, indexed by the `by` columns, default the sums of the groups. Example: reasons by (segment, period).
    Raises KeyError when a group has no total, ValueError when a total that is not nothing has no group.
    """
    values = _finite(frame[value].to_numpy())
    grouped = frame.groupby(list(by), sort=False)
    codes = grouped.ngroup().to_numpy(dtype=np.intp)
    sums = grouped[value].sum()
    totals = in_fen(_totals(sums, total).to_numpy())
    return frame.assign(**{value: _share_out(values, codes, totals) / 100})


def _totals(sums: pd.Series, total: pd.Series | None) -> pd.Series:
    """The totals in the order of the groups; a total without a group would vanish unseen, so it is refused."""
    if total is None:
        return sums
    lost = total[~total.index.isin(sums.index)]
    if in_fen(lost.to_numpy()).any():
        raise ValueError(f"totals without any part: {lost[in_fen(lost.to_numpy()) != 0].to_dict()}")
    return total.loc[sums.index]


def _finite(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=float)
    if not np.isfinite(array).all():
        raise ValueError("money to be rounded holds a NaN or an infinite value")
    return array


def _share_out(values: Floats, codes: Codes, totals: Fens) -> Fens:
    """Whole fen per part, (parts,). `values` (parts,) CNY, `codes` (parts,) group of a part, `totals` (groups,) fen."""
    size = len(totals)
    _refuse_lonely(codes, totals)
    parts = values * 100
    parts = parts + _residual(parts, codes, totals)
    floors = np.floor(parts)
    missing = totals - np.bincount(codes, floors, minlength=size).astype(np.int64)
    # Remainders are compared at 1e-6 fen: below that they are noise of the arithmetic, and the earlier part goes first.
    order = np.lexsort((np.arange(len(parts)), -np.round(parts - floors, 6), codes))
    starts = np.searchsorted(codes[order], np.arange(size))
    place = np.empty(len(parts), dtype=np.int64)
    place[order] = np.arange(len(parts)) - starts[codes[order]]
    return floors.astype(np.int64) + (place < missing[codes])


def _residual(parts: Floats, codes: Codes, totals: Fens) -> Floats:
    """What brings the parts to their total, in proportion to their size (evenly where every part is nothing)."""
    size = len(totals)
    weight = np.abs(parts)
    sums = np.bincount(codes, weight, minlength=size)
    weight = np.where(sums[codes] > 0, weight, 1.0)
    sums = np.bincount(codes, weight, minlength=size)
    gap = totals - np.bincount(codes, parts, minlength=size)
    return gap[codes] * (weight / sums[codes])


def _refuse_lonely(codes: Codes, totals: Fens) -> None:
    lonely = (np.bincount(codes, minlength=len(totals)) == 0) & (totals != 0)
    if lonely.any():
        raise ValueError(f"{int(lonely.sum())} totals have no part to carry them")
