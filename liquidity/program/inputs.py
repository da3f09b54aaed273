"""A book on a time grid: every number the program needs, as labelled arrays in program units.

What no scenario changes is made once per book (`known`); what shocks move is computed here, on variables without
labels, whose dims alone tell how they go together. Rates become shares per period here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book
from liquidity.program.grid import DAYS_PER_MONTH, Grid
from liquidity.program.known import ACCOUNTS, Known, know
from liquidity.program.shocks import NO_SHOCKS, Shocks, paths, rate_paths

if TYPE_CHECKING:
    from liquidity.rules.rulebook import Provisions

AXES: dict[Any, int] = {"segment": 0, "line": 0, "tranche": 0, "facility": 1, "period": 2}
BORROWERS = ("returning", "new")


def make_inputs(book: Book, grid: Grid, unit: float, market_rate: float, shocks: Shocks = NO_SHOCKS,
                provisions: Provisions | None = None) -> xr.Dataset:  # fmt: skip
    """All data of the program on the grid.

    Dims segment, facility, tranche (`facility/tranche`), line, gate, period (1 to T). Money in units, yields per unit
    of the opening balance of the period. Source of the run-off: intensities of payment and default that are constant
    within a period, DESIGN 5. What `shocks` change is in the inputs by period (`shocks.paths`, gates, demand, flows);
    the rates that value the horizon are tonight's. `provisions` put rates by IFRS 9 in place of the book's `ecl_rate`.
    """
    known = know(book, grid, unit, market_rate, provisions)
    data = SimpleNamespace(**{str(name): variable for name, variable in known.data.variables.items()})
    coords = {str(dim): known.data[dim].values for dim in known.data.dims}
    coords |= {"partner": np.array(book["partners"].index), "account": np.array(ACCOUNTS)}
    made: dict[str, xr.Variable] = {}

    def have(part: dict[str, xr.Variable]) -> None:
        made.update(part)
        data.__dict__.update(part)

    have(paths(data, shocks, coords))
    have(runoff(book, coords, data, unit))
    have(requested_paths(known, grid, unit, shocks, coords))
    have({"flow": xr.Variable(("account", "period"), known.flow + shocks.of("flow", coords) / unit)})
    have(yields(data))
    have(rate_paths(data, shocks, coords))
    return known.data.assign_coords(account=list(ACCOUNTS)).assign(made)


def runoff(book: Book, coords: Mapping[str, np.ndarray], data: Any, unit: float) -> dict[str, xr.Variable]:
    """Shares of the opening balance that are repaid, default and pay interest, dims (segment, facility, period)."""
    total = data.pay_path + data.default_path
    gone = 1 - np.exp(-total * data.years)
    shape = xr.ones_like(data.own_share) * gone
    out = {
        "rep": shape * data.pay_path / total,
        "default": shape * data.default_path / total,
        "interest": shape * data.apr / total,
    }
    out = {name: array.transpose("segment", "facility", "period") for name, array in out.items()}
    return use_receipts(book, coords, data, unit, out)


def use_receipts(book: Book, coords: Mapping[str, np.ndarray], data: Any, unit: float,
                 out: dict[str, xr.Variable]) -> dict[str, xr.Variable]:  # fmt: skip
    """Put tonight's actual receipts, where the book has them, in place of the forecast of period 1."""
    table = book["repaid"]
    if table.empty:
        return out
    place = tuple(
        pd.Index(coords[dim]).get_indexer(table.index.get_level_values(dim)) for dim in ("segment", "facility")
    )
    held = data.balance.values[place] * unit
    some = held > 0
    place = (place[0][some], place[1][some])
    for name, column in (("rep", "principal"), ("interest", "interest")):
        out[name].values[(*place, 0)] = table[column].to_numpy(float)[some] / held[some]
    # borrowers pay the whole interest; the guarantor's part of it goes on, as in the forecast
    total = data.pay_path.values[:, 0] + data.default_path.values[:, 0]
    cost = data.guarantee_cost.values / total * (1 - np.exp(-total * data.years.values[0]))
    out["interest"].values[(*place, 0)] -= cost[place[0]]
    known = table.defaulted.to_numpy(float)[some] / held[some]
    out["default"].values[(*place, 0)] = np.where(np.isnan(known), out["default"].values[(*place, 0)], known)
    left = 1 - out["rep"].values[(*place, 0)]
    out["default"].values[(*place, 0)] = np.minimum(out["default"].values[(*place, 0)], left)
    return out


def requested_paths(known: Known, grid: Grid, unit: float, shocks: Shocks,
                    coords: Mapping[str, np.ndarray]) -> dict[str, xr.Variable]:  # fmt: skip
    """Gates, dims (gate, segment, period), and new demand, dims (segment, period), in units over the period."""
    gate = xr.Variable(("gate", "segment", "period"), np.clip(known.gate * shocks.of("gate", coords), 0.0, 1.0))
    demand = known.demand * shocks.of("demand", coords)
    months = np.array(grid.days) / DAYS_PER_MONTH
    return {
        "gate_open": gate,
        "gates": gate.prod("gate"),
        "new_demand": xr.Variable(("segment", "period"), demand * months / unit),
    }


def yields(data: Any) -> dict[str, xr.Variable]:
    """What one unit of opening balance brings in a period, dims (segment, facility, period)."""
    keep = 1 - data.rep - data.default
    loss = data.lgd_path * data.default
    collected = data.rep + data.interest + data.default - loss
    return {
        "keep": keep,
        "loss": loss.transpose("segment", "facility", "period"),
        "collected": collected.transpose("segment", "facility", "period"),
    }


class Arrays:
    """The inputs as plain arrays that broadcast against each other, `arrays.apr`: three axes, (segment or line or
    tranche, facility, period), of length 1 where an input lacks the dim; scalars are floats. Units as in `make_inputs`.

    Much of the time of writing a pool would go into aligning labels that are aligned already.
    """

    def __init__(self, data: xr.Dataset) -> None:
        self._data, self._made = data.variables, dict[str, Any]()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._data:
            raise AttributeError(name)
        if name not in self._made:
            variable = self._data[name]
            shape = [1, 1, 1]
            for dim, size in zip(variable.dims, variable.shape):
                shape[AXES[dim]] = size
            self._made[name] = variable.values.reshape(shape) if variable.dims else float(variable.values)
        return self._made[name]
