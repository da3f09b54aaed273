"""A scenario applied to a book: its shocks by channel, its rulebook, and what of it matched nothing.

Macro path -> satellites -> by segment, line or facility and period; events beside; all as `Shocks` of the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book, opening
from liquidity.errors import BadInput, Problem
from liquidity.program.grid import Grid, make_grid
from liquidity.program.known import GATES
from liquidity.program.shocks import DIMS, NEUTRAL, Shocks, combine
from liquidity.rules.rulebook import Rulebook
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.satellites import OF_BOOK, Satellite, Satellites
from liquidity.scenarios.scenario import TABLE_OF, Event, Override, Selection, Told

SHOCK_OF = {
    "pd": "default", "lgd": "lgd", "payment_rate": "payment", "demand": "demand", "utilisation": "demand",
    "line_rate": "line_rate", "note_rate": "note_rate", "market_rate": "market_rate", "advance_rate": "advance",
    "hqla": "hqla", **dict.fromkeys(GATES, "gate"),
}  # fmt: skip
"""Which shock a target of the satellites becomes."""

CHANNELS = {
    "losses": ("default", "lgd"),
    "borrowers": ("payment", "demand", "gate"),
    "funding_cost": ("line_rate", "note_rate", "market_rate"),
    "funding_volume": (
        "line_commitment", "note_commitment", "frozen", "closed", "quota", "flow", "advance", "hqla",
    ),
}  # fmt: skip
"""Ways in which a scenario reaches the lender, for telling what drove a change; the rulebook is one more."""

RULES = "rules"


@dataclass(frozen=True)
class Applied:
    """A scenario on a book and grid.

    `shocks` together; `rulebook` with the values overridden; `notes` what of the scenario matched nothing here.
    """

    name: str
    title: dict[str, str]
    shocks: Shocks
    rulebook: Rulebook
    base: Rulebook
    notes: tuple[str, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that change something, in the order of `CHANNELS`."""
        moved = {name for name, array in self.shocks.arrays.items() if bool((array.values != NEUTRAL[name]).any())}
        used = [channel for channel, names in CHANNELS.items() if moved & set(names)]
        return (*used, *([RULES] if self.rulebook.digest != self.base.digest else []))

    def only(self, channels: frozenset[str]) -> tuple[Rulebook, Shocks]:
        """Rulebook and shocks with some channels alone."""
        names = [name for channel in channels if channel in CHANNELS for name in CHANNELS[channel]]
        return self.rulebook if RULES in channels else self.base, self.shocks.keep(*names)


def apply(told: Told, satellites: Satellites, book: Book, rulebook: Rulebook) -> Applied:
    """Apply a scenario to a book; raises BadInput for a column, gate or rule value that is not there."""
    grid, notes = make_grid(book.as_of, rulebook.horizon), []
    parts = []
    if told.macro is not None:
        for model in satellites.models:
            if model.applies(told.macro):
                parts.append(of_satellite(model, told.macro, book, grid, satellites.file))
    for number, event in enumerate(told.scenario.events, 1):
        shock, matched = of_event(event, book, grid, f"{told.name} event {number}")
        parts.append(shock)
        notes += [] if matched else [f"event {number} ({event.shock}) matches nothing in this book or horizon"]
    changed = rulebook
    for number, override in enumerate(told.scenario.overrides, 1):
        changed, hits = overridden(changed, override, f"{told.name} override {number}")
        notes += [] if hits else [f"override {number} matches no rule of this rulebook"]
    shocks = combine(told.name, parts)
    title = {str(lang): text for lang, text in told.scenario.title.items()}
    return Applied(told.name, title, shocks, changed, rulebook, tuple(notes))


# ---- macro path


def of_satellite(model: Satellite, macro: Macro, book: Book, grid: Grid, file: str) -> Shocks:
    """What one model does to the book."""
    shock = SHOCK_OF[model.target]
    dim = next((dim for dim in DIMS[shock] if dim in TABLE_OF), None)
    if dim is None:
        return Shocks(model.name, {shock: on_period(macro.on(grid, model.effect_on(macro)), grid)})
    labels = chosen(book, dim, model.where, file, f"satellite {model.name}")
    if model.base is None and model.target in OF_BOOK:
        effect = own_effect(model, macro, book, labels)
    else:
        effect = np.tile(model.effect_on(macro), (len(labels), 1))
    rows = np.array([macro.on(grid, row) for row in effect]).reshape(len(labels), grid.size)
    array = xr.DataArray(rows, coords={dim: labels, "period": periods(grid)}, dims=(dim, "period"))
    if model.target == "payment_rate":
        array = payment_factor(array, book)
    return Shocks(model.name, {shock: array.expand_dims(gate=[model.target]) if shock == "gate" else array})


def own_effect(model: Satellite, macro: Macro, book: Book, labels: list[str]) -> np.ndarray:
    """The effect by label and quarter from each segment's own number; of a pd, on the yearly intensity of default."""
    column = {"pd": "pd", "lgd": "lgd", "payment_rate": "monthly_payment_rate"}[model.target]
    base = book["segments"].loc[labels, column].to_numpy(float)
    effect = model.effect_on(macro, base)
    if model.target != "pd":
        return effect
    level = np.minimum(effect * base[:, None], 1 - 1e-9)
    start = -np.log1p(-base)[:, None]
    intensity: np.ndarray = np.divide(-np.log1p(-level), start, out=np.ones_like(level), where=start > 0)
    return intensity


def payment_factor(rate: xr.DataArray, book: Book) -> xr.DataArray:
    """Factors on monthly payment rates as factors on the yearly intensity of repayment."""
    monthly = book["segments"].loc[rate.segment.values, "monthly_payment_rate"].to_numpy(float)[:, None]
    level = np.minimum(rate.values * monthly, 1 - 1e-9)
    moved = np.divide(np.log1p(-level), np.log1p(-monthly), out=np.ones_like(level), where=monthly > 0)
    return rate.copy(data=np.where(rate.values == 1.0, 1.0, moved))


def periods(grid: Grid) -> list[int]:
    """Periods 1 to T."""
    return list(range(1, grid.size + 1))


def on_period(values: np.ndarray, grid: Grid) -> xr.DataArray:
    """One number a period."""
    return xr.DataArray(values, coords={"period": periods(grid)}, dims="period")


# ---- events


def of_event(event: Event, book: Book, grid: Grid, place: str) -> tuple[Shocks, bool]:
    """An event as shocks, and whether it matched anything.

    It acts in the periods that start on its days; a flow falls in the first of them alone.
    """
    days = held(event, book.as_of, grid)
    dims, dim = DIMS[event.shock], event.dim
    labels: dict[str, list[Any]] = {"period": periods(grid)}
    if dim is not None:
        labels[dim] = chosen(book, dim, event.where, place, "where")
    if event.gate is not None:
        labels["gate"] = [event.gate]
    if event.account is not None:
        labels["account"], days = [event.account], days[:1]
    if not days or not all(labels.values()):
        return Shocks(place), False
    array = xr.DataArray(np.full([len(labels[name]) for name in dims], NEUTRAL[event.shock]), coords=labels, dims=dims)
    array.loc[{"period": days}] = value_of(event, book, labels, dims, len(days))
    return Shocks(place, {event.shock: array}), True


def held(event: Event, tonight: date, grid: Grid) -> list[int]:
    """Periods that start on the days of an event."""
    first, last = day_of(event.start, tonight), date.max if event.to is None else day_of(event.to, tonight)
    return [t for t, start in enumerate(grid.starts[:-1], 1) if first <= start <= last]


def day_of(day: int | date, tonight: date) -> date:
    """A day counted from tonight, or a date, as a date."""
    return tonight + timedelta(days=day) if isinstance(day, int) else day


def value_of(event: Event, book: Book, labels: dict[str, list[Any]], dims: tuple[str, ...], days: int) -> Any:
    """The number of an event, by label where it depends on the book."""
    if event.value == "drawn":
        table = book[TABLE_OF[dims[0]]].loc[labels[dims[0]]]
        whole = table.commitment.to_numpy(float)
        left = np.divide(table.drawn.to_numpy(float), whole, out=np.zeros(len(table)), where=whole > 0)
        return np.repeat(left[:, None], days, axis=1)
    return float(event.value) * (opening(book).assets if event.of == "assets" else 1.0)


def chosen(book: Book, dim: str, where: Selection, file: str, place: str) -> list[str]:
    """Labels of the rows whose columns have the wanted values; the label itself may be asked for like a column."""
    table = book[TABLE_OF[dim]].reset_index()
    kept = np.ones(len(table), bool)
    for column, wanted in where.items():
        if column not in table.columns:
            known = ", ".join(map(str, table.columns))
            raise BadInput(Problem(file, place, column, column, f"a column of {TABLE_OF[dim]}: {known}"))
        values = [wanted] if isinstance(wanted, str) else wanted
        kept &= text_of(table[column]).isin(values).to_numpy()
    return [str(label) for label in table.loc[kept, dim]]


def text_of(column: pd.Series) -> pd.Series:
    """A column as text, true and false as TOML writes them."""
    text = column.astype(str)
    return text.str.lower() if column.dtype == bool else text


# ---- rules


def overridden(rulebook: Rulebook, override: Override, place: str) -> tuple[Rulebook, int]:
    """The rulebook with the override in every rule it names, and how many those are."""
    ((by, wanted),) = override.rule.items()
    hits = [rule.name for rule in rulebook.rules if getattr(rule, by) == wanted]
    for name in hits:
        rule = rulebook.rule(name)
        values = dict(override.set)
        for key, factor in override.times.items():
            now = getattr(rule, key, None)
            if isinstance(now, bool) or not isinstance(now, int | float):
                raise BadInput(Problem(place, name, key, now, "a number of the rule, to be multiplied"))
            values[key] = now * factor
        rulebook = rulebook.edit(name, **values)
    return rulebook, len(hits)
