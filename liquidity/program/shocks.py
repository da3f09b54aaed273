"""What a scenario changes of a book on a grid, and the inputs by period that follow.

A program knows no scenario. It knows `Shocks`: factors and shifts of its inputs by label and period. Whatever a shock
does not name stays as the book has it, and no shock at all gives the book's own numbers to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

NEUTRAL: dict[str, float] = {
    "payment": 1.0, "default": 1.0, "lgd": 1.0, "gate": 1.0, "demand": 1.0,
    "line_rate": 0.0, "note_rate": 0.0, "market_rate": 0.0,
    "line_commitment": 1.0, "note_commitment": 1.0, "advance": 1.0, "hqla": 1.0, "quota": 1.0,
    "frozen": 0.0, "closed": 0.0, "flow": 0.0,
}  # fmt: skip
"""What each shock is where nothing happens: 1 for factors, 0 for shifts and marks."""

DIMS: dict[str, tuple[str, ...]] = {
    "payment": ("segment", "period"), "default": ("segment", "period"), "lgd": ("segment", "period"),
    "gate": ("gate", "segment", "period"), "demand": ("segment", "period"),
    "line_rate": ("line", "period"), "note_rate": ("facility", "period"), "market_rate": ("period",),
    "line_commitment": ("line", "period"), "note_commitment": ("facility", "period"),
    "advance": ("facility", "period"), "hqla": ("period",), "quota": ("partner", "period"),
    "frozen": ("facility", "period"), "closed": ("period",), "flow": ("account", "period"),
}  # fmt: skip

LEAST_GAP = 1e-4
"""No rate of a line falls nearer than this (1/year) to what cash earns: a lender could not live on the difference."""


@dataclass(frozen=True)
class Shocks:
    """Changes of the inputs by label and period 1 to T; arrays with exactly the dims of `DIMS`, labels may be few.

    Factors: `payment` and `default` on the yearly intensities of repayment and default, `lgd`, `gate` (shares, held
    within 0 and 1), `demand`, `line_commitment`, `note_commitment`, `advance` (advance rate), `hqla` (what liquid
    assets count for in buffers), `quota` (of partners). Shifts: `line_rate`, `note_rate`, `market_rate` (1/year),
    `flow` (CNY in the period, + in). Marks (0 or 1): `frozen` (a facility takes no loan), `closed` (no drawing).
    Raises ValueError for an unknown name, other dims, or a number that is none.
    """

    name: str = ""
    arrays: Mapping[str, xr.DataArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, array in self.arrays.items():
            if name not in DIMS or set(array.dims) != set(DIMS[name]):
                raise ValueError(f"{name}: dims {array.dims}, expected {DIMS.get(name, 'a known shock')}")
            if not np.isfinite(array.values.astype(float)).all():
                raise ValueError(f"{name}: a number that is not finite")

    def of(self, name: str, coords: Mapping[Any, Any]) -> np.ndarray:
        """The shock over all labels of `coords`, axes as in `DIMS`; neutral where nothing is said."""
        dims = DIMS[name]
        full = {dim: np.asarray(coords[dim]) for dim in dims}
        if name not in self.arrays:
            return np.full([len(full[dim]) for dim in dims], NEUTRAL[name])
        array = self.arrays[name].variable.transpose(*dims)
        out = np.full([len(full[dim]) for dim in dims], NEUTRAL[name])
        out[np.ix_(*(places(name, dim, self.arrays[name].indexes[dim], full[dim]) for dim in dims))] = array.values
        return out

    def keep(self, *names: str) -> Shocks:
        """Only the named shocks."""
        return Shocks(self.name, {name: array for name, array in self.arrays.items() if name in names})


def places(name: str, dim: str, labels: pd.Index, full: np.ndarray) -> np.ndarray:
    """Where the labels of a shock stand among all labels; ValueError for one that is not there or comes twice."""
    found = pd.Index(full).get_indexer(labels)
    strange = [str(label) for label in labels[found < 0]]
    if strange:
        raise ValueError(f"{name}: no {dim} {', '.join(strange)}")
    if not labels.is_unique:
        raise ValueError(f"{name}: a {dim} that comes twice")
    return found


NO_SHOCKS = Shocks()


def combine(name: str, parts: list[Shocks]) -> Shocks:
    """Shocks that come together: factors multiply, shifts add up, a mark of any holds. In the order of `parts`."""
    arrays: dict[str, xr.DataArray] = {}
    for part in parts:
        for key, array in part.arrays.items():
            arrays[key] = array if key not in arrays else together(key, arrays[key], array)
    return Shocks(name, arrays)


def together(name: str, one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """Two shocks of one kind as one."""
    a, b = xr.align(one, other, join="outer", fill_value=NEUTRAL[name], copy=False)
    if name in ("frozen", "closed"):
        return np.maximum(a, b)  # type: ignore[return-value]
    return a * b if NEUTRAL[name] == 1.0 else a + b


def paths(data: Any, shocks: Shocks, coords: Mapping[str, np.ndarray]) -> dict[str, xr.Variable]:
    """Inputs by period, with the shocks in them. The book's own values, attributes of `data`, keep their names beside.

    `pay_path`, `default_path` (intensities, 1/year), `pd_path`, `lgd_path`, `ecl_path` (segment, period);
    `line_rate_path`, `line_commitment_path`, `line_committed` (as the period opens; line, period); `note_rate_path`,
    `note_commitment_path`, `note_committed`, `advance_path`, `frozen` (facility, period);
    `market_path`, `hqla_kept`, `closed` (period); `quota_kept` (partner, period).
    """

    def of(name: str) -> xr.Variable:
        return xr.Variable(DIMS[name], shocks.of(name, coords))

    return {
        **losses(data, of("default"), of("lgd")),
        "pay_path": data.pay_intensity * of("payment"),
        "line_commitment_path": data.line_commitment * of("line_commitment"),
        "note_commitment_path": data.note_commitment * of("note_commitment"),
        "line_committed": before(data.line_commitment, of("line_commitment")),
        "note_committed": before(data.note_commitment, of("note_commitment")),
        "advance_path": data.advance_rate * of("advance"),
        "hqla_kept": of("hqla"),
        "frozen": data.stopped | (of("frozen") > 0),
        "closed": of("closed") > 0,
        "quota_kept": of("quota"),
    }


def before(commitment: xr.Variable, factor: xr.Variable) -> xr.Variable:
    """The commitment as each period opens, on which fees are paid: tonight's is the book's, later the one before."""
    return commitment * factor.shift(period=1, fill_value=1.0)


def losses(data: Any, default: xr.Variable, lgd: xr.Variable) -> dict[str, xr.Variable]:
    """Default intensity, 12-month pd, loss given default and provision rate, dims (segment, period).

    Provisions are expected losses: they move with pd times lgd, up to the whole balance.
    """
    same = default == 1.0
    pd = either(same, data.pd, -np.expm1(-data.default_intensity * default))
    loss = np.minimum(1.0, data.lgd * lgd)
    before = data.pd * data.lgd
    grown = either(before > 0, pd * loss / either(before > 0, before, 1.0), 1.0)
    ecl = np.minimum(1.0, data.ecl_rate * either(same & (lgd == 1.0), 1.0, grown))
    found = {"default_path": data.default_intensity * default, "pd_path": pd, "lgd_path": loss, "ecl_path": ecl}
    return {name: array.transpose("segment", "period") for name, array in found.items()}


def either(test: xr.Variable, yes: Any, no: Any) -> xr.Variable:
    """`yes` where the test holds, else `no`, the dims going together by name."""
    return xr.apply_ufunc(np.where, test, yes, no)


def rate_paths(data: Any, shocks: Shocks, coords: Mapping[str, np.ndarray]) -> dict[str, xr.Variable]:
    """Yearly rates of lines, warehouse notes and the open market by period; none falls to what idle cash earns."""
    cash_rate = float(data.cash_rate)
    idle = max(cash_rate, float(data.facility_cash_rate.max()) if data.facility.size else 0.0)
    rates = {
        "line_rate_path": ("line_rate", data.line_rate, idle + data.commitment_fee),
        "note_rate_path": ("note_rate", data.rate, idle + data.unused_fee),
        "market_path": ("market_rate", data.market_rate, data.market_rate * 0.0 + idle),
    }
    out = {}
    for name, (shock, rate, floor) in rates.items():
        shift = xr.Variable(DIMS[shock], shocks.of(shock, coords))
        # the floor is for rates that a scenario lowers; one that the book has lower stays as it is
        least = np.minimum(rate, floor + LEAST_GAP)
        out[name] = np.maximum(rate + shift, least)
    # the open market stays the dearest: lifting it is more funding, never cheaper funding
    dearest = (
        np.maximum(out["market_path"], out["line_rate_path"].max("line", skipna=False))
        if data.line.size
        else out["market_path"]
    )
    notes = out["note_rate_path"].max("facility") if data.facility.size else dearest
    out["market_path"] = np.maximum(dearest, notes)
    return out
