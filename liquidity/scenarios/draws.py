"""Seeded scenarios around the book: losses, repayment, demand and funding rates drift from the second period on, and
now and then no line may be drawn from tomorrow.

A path goes from nothing in period 1, which is known tonight, to its full size at `ramp` years and stays there. Factors
are exp(s z - s^2/2), so that their mean is 1; z has a part common to all segments and one of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from liquidity.program.pool import Pool
from liquidity.program.shocks import NEUTRAL, Shocks

COMMON = 0.8
"""Share of the variance that all segments have in common."""


@dataclass(frozen=True)
class Spread:
    """Size of the drift, standard deviations: of the logarithm for factors, 1/year for `rate`; `ramp` in years.

    With the chance `shut` no line may be drawn on the days after tonight, at least one and at most `days` of them, and
    creditors call for cash tomorrow: a share of the book up to `call`.
    """

    default: float = 0.10
    payment: float = 0.08
    demand: float = 0.25
    rate: float = 0.003
    ramp: float = 0.5
    shut: float = 0.2
    days: int = 6
    call: float = 0.01


def draw_shocks(pool: Pool, count: int, seed: int, spread: Spread | None = None) -> list[Shocks]:
    """`count` scenarios of a pool's book on its grid. The first n of a seed are the same however many are drawn."""
    spread = spread or Spread()
    return [one_draw(pool, np.random.default_rng([seed, number]), spread, f"draw {number}") for number in range(count)]


def one_draw(pool: Pool, chance: np.random.Generator, spread: Spread, name: str) -> Shocks:
    """One scenario."""
    segments, lines = list(pool.inputs.segment.values), list(pool.inputs.line.values)
    houses, share = list(pool.inputs.facility.values), ramp(pool.grid.years, spread.ramp)
    periods = np.arange(1, pool.grid.size + 1)
    arrays = {}
    for factor in ("default", "payment", "demand"):
        size = getattr(spread, factor)
        z = np.sqrt(COMMON) * chance.standard_normal() + np.sqrt(1 - COMMON) * chance.standard_normal(len(segments))
        moved = np.exp((size * z - size**2 / 2)[:, None] * share)
        arrays[factor] = array(moved, segment=segments, period=periods)
    shift = spread.rate * chance.standard_normal() * share
    for rate, dim, labels in (("line_rate", "line", lines), ("note_rate", "facility", houses)):
        values = np.broadcast_to(shift, (len(labels), len(periods)))
        arrays[rate] = array(values, **{dim: labels}, period=periods)
    if chance.random() < spread.shut:
        last = 1 + int(chance.integers(1, spread.days + 1))
        arrays["closed"] = array((periods > 1) & (periods <= last), period=periods)
        book = float(pool.inputs.balance.sum()) * pool.unit
        called = np.where(periods == 2, -book * spread.call * chance.random(), 0.0)
        arrays["flow"] = array(called[None, :], account=["other"], period=periods)
    return Shocks(name, arrays)


def array(values: np.ndarray, **labels: Sequence[Any] | np.ndarray) -> xr.DataArray:
    """Values with their dims and labels."""
    return xr.DataArray(values, dims=tuple(labels), coords=labels)


def ramp(years: Sequence[float], full: float) -> np.ndarray:
    """How much of a drift is there in each period: none in the first, all once `full` years have gone by."""
    begun = np.concatenate([[0.0], np.cumsum(years)[:-1]])
    return np.minimum(1.0, begun / full)


def from_tomorrow(shocks: Shocks) -> Shocks:
    """The same without what it changes in period 1: a scenario that begins once tonight's decision is taken."""
    arrays = {name: array.where(array.period > 1, NEUTRAL[name]) for name, array in shocks.arrays.items()}
    return Shocks(shocks.name, arrays)
