"""One draw of a sweep: its program refilled, solved warm, and what it came to as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.book import Book
from liquidity.errors import SolverFailed
from liquidity.program.compile import Family, Program
from liquidity.program.decide import Decided, Given, decide
from liquidity.program.grid import make_grid
from liquidity.program.pool import Pool
from liquidity.program.solve import FACE
from liquidity.program.stages import WINDOW_DAYS
from liquidity.program.start import Start
from liquidity.rules.rulebook import Rulebook
from liquidity.scenarios.apply import apply
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.satellites import Satellites
from liquidity.scenarios.scenario import Told

WINDOWS = ("tonight", "30d")
STATES = ("equity", "cash", "market_debt")
STATUS = ("optimal", "gave_way", "failed")


@dataclass(frozen=True)
class Ground:
    """What all draws of a sweep share.

    `base` is the program that others are poured into, `reader` where its columns stand, `start` where every draw
    begins, `worth` the net worth of the night without a scenario (CNY), `moved` the macro variables drawn.
    """

    book: Book
    rulebook: Rulebook
    satellites: Satellites
    around: Told
    worth: float = 0.0
    moved: tuple[str, ...] = ()
    base: Program | None = None
    start: Start | None = None
    reader: Reader | None = None


@dataclass(frozen=True)
class Task:
    """A few draws with their macro paths, told and kept together; none of them depends on another."""

    draws: tuple[int, ...]
    paths: tuple[Macro, ...]

    def __str__(self) -> str:
        first, last = self.draws[0], self.draws[-1]
        return f"draw {first}" if first == last else f"draws {first} to {last}"


def sweep_some(ground: Ground, task: Task) -> xr.Dataset:
    """The draws of a task; dims as `dataset_of`."""
    return dataset_of(ground, task, [numbers(ground, macro) for macro in task.paths])


def numbers(ground: Ground, macro: Macro) -> dict[str, np.ndarray]:
    """What one draw comes to; none where it has no plan."""
    try:
        found = solve_draw(ground, macro)
    except SolverFailed:
        return nothing(ground)
    # a program that was poured shares its families with the one it came from
    kept = ground.reader if ground.base is not None and found.program.columns is ground.base.columns else None
    return (kept or Reader(found.pool, found.program)).read(found, ground.worth)


def solve_draw(ground: Ground, macro: Macro) -> Decided:
    """The night under the scenario with another macro path: refilled, solved from the ground's start in all stages, in
    rounds where a trust amortises early. Raises SolverFailed where no plan was found, though rules gave way.
    """
    told = ground.around.model_copy(update={"macro": macro})
    applied = apply(told, ground.satellites, ground.book, ground.rulebook)
    return decide(Given(ground.book, applied.rulebook, shocks=applied.shocks, known=ground.base, start=ground.start))


# ---- reading


class Reader:
    """Where the columns of a program stand that a sweep tells; made once for all programs of the same columns."""

    def __init__(self, pool: Pool, program: Program) -> None:
        labels: dict[str, Sequence[Any]] = {
            "segment": list(pool.inputs.segment.values), "facility": list(pool.inputs.facility.values),
            "borrower": ["returning"], "period": range(pool.grid.size + 1),
        }  # fmt: skip
        self.balance = positions(program.column("balance"), labels)
        self.lend = positions(program.column("lend"), {**labels, "period": range(1, pool.grid.size + 1)})[:, 0]
        self.states = {name: positions(program.column(name), labels) for name in STATES}
        self.rules = [rule.name for rule in sorted(pool.rulebook.rules, key=lambda rule: rule.name)]
        self.window = pool.grid.first_days(WINDOW_DAYS)

    def read(self, found: Decided, worth: float) -> dict[str, np.ndarray]:
        """The numbers of a solved draw, CNY; `worth` is the net worth that the change is counted from."""
        unit, staged = found.pool.unit, found.solved.staged
        gone = set() if found.solved.gave_way is None else set(found.solved.gave_way.rule)
        x = staged.last.x
        before = at(x, self.balance)[:, :, :-1] * unit
        freed = (found.pool.inputs.rep.values * before).sum(axis=1)
        relent = np.maximum(at(x, self.lend) * unit, 0.0).sum(axis=1)
        net_worth = staged.first.objective * unit
        seen = {"tonight": 1, "30d": self.window}
        windows = {name: np.array([part[:, : seen[one]].sum(axis=1) for one in WINDOWS])
                   for name, part in (("freed", freed), ("relent", relent))}  # fmt: skip
        binding = priced(found.program, staged.first.price)
        return {
            "net_worth": np.array(net_worth), "change": np.array(net_worth - worth),
            "status": np.array(1 if gone else 0, np.int8),
            "amortised": np.array(len(found.pool.amortising), np.int8),
            "freed_path": freed.sum(axis=0), "relent_path": relent.sum(axis=0), **windows, **shares(windows),
            **{name: at(x, place)[1:] * unit for name, place in self.states.items()},
            "binding": np.array([name in binding for name in self.rules], np.int8),
            "gave_way": np.array([name in gone for name in self.rules], np.int8),
        }  # fmt: skip


def shares(windows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Relent as a share of freed by window; all of it where nothing was freed."""
    freed, relent = windows["freed"].sum(axis=1), windows["relent"].sum(axis=1)
    return {"share": np.divide(relent, freed, out=np.ones(len(freed)), where=freed > 0)}


def positions(family: Family, labels: Mapping[str, Sequence[Any]]) -> np.ndarray:
    """Columns of a family over the labels of its dims, -1 where it has no such member."""
    frame = family.frame()
    out = np.full([len(labels[dim]) for dim in family.dims], -1)
    places = [pd.Index(list(labels[dim])).get_indexer(frame[dim]) for dim in family.dims]
    kept = np.all([place >= 0 for place in places], axis=0)
    out[tuple(place[kept] for place in places)] = family.start + np.flatnonzero(kept)
    return out


def at(x: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Values at places, nought where there is none."""
    return np.where(place >= 0, x[place], 0.0)


def priced(program: Program, price: np.ndarray) -> set[str]:
    """Rules with a row that has a price: a little more room would change net worth."""
    return {row.owner for row in program.rows if row.kind == "rule" and bool((np.abs(price[row.place]) > FACE).any())}


# ---- labels


DIMS: dict[str, tuple[str, ...]] = {
    "net_worth": (), "change": (), "status": (), "amortised": (), "freed_path": ("period",), "relent_path": ("period",),
    "freed": ("window", "segment"), "relent": ("window", "segment"), "share": ("window",),
    **dict.fromkeys(STATES, ("period",)), "binding": ("rule",), "gave_way": ("rule",),
}  # fmt: skip
MARKS = ("status", "amortised", "binding", "gave_way")
TOLD = {
    "net_worth": "net worth at the horizon", "change": "net worth less that of the night without a scenario",
    "status": "how the draw was solved", "amortised": "trusts that amortise early", "freed": "principal repaid",
    "relent": "lent again to those who repaid", "freed_path": "principal repaid",
    "relent_path": "lent again to those who repaid", "share": "relent as a share of freed",
    "equity": "equity as the period closes", "cash": "cash as the period closes",
    "market_debt": "money missing, borrowed in the open market", "binding": "the rule has a price",
    "gave_way": "the rule had to give way", "macro": "macro variable of the draw",
}  # fmt: skip


def coords_of(ground: Ground) -> dict[str, list[str]]:
    """Labels of the dims but those of the draws."""
    grid = make_grid(ground.book.as_of, ground.rulebook.horizon)
    return {"period": grid.labels, "window": list(WINDOWS), "segment": list(ground.book["segments"].index),
            "rule": sorted(rule.name for rule in ground.rulebook.rules)}  # fmt: skip


def nothing(ground: Ground) -> dict[str, np.ndarray]:
    """The numbers of a draw without a plan: none, and no rule is marked."""
    sizes = {name: len(labels) for name, labels in coords_of(ground).items()}
    out = {name: np.full([sizes[dim] for dim in dims], np.nan) for name, dims in DIMS.items()}
    marks = {name: np.zeros(out[name].shape, np.int8) for name in MARKS}
    return {**out, **marks, "status": np.array(STATUS.index("failed"), np.int8)}


def dataset_of(ground: Ground, task: Task, rows: list[dict[str, np.ndarray]]) -> xr.Dataset:
    """The numbers of a chunk, dims scenario (number of the draw), variable, quarter, period, window, segment, rule."""
    names, quarters = sorted(ground.moved), list(task.paths[0].quarters)
    arrays = {name: (("scenario", *dims), np.stack([row[name] for row in rows])) for name, dims in DIMS.items()}
    macro = np.array([[path.values[name] for name in names] for path in task.paths])
    arrays["macro"] = (("scenario", "variable", "quarter"), macro)
    labels = {"scenario": list(task.draws), "variable": names, "quarter": quarters}
    found = xr.Dataset(arrays, coords={**labels, **coords_of(ground)})
    for name, array in found.data_vars.items():
        array.attrs.update(long_name=TOLD[str(name)], units=unit_of(str(name), ground.book.currency))
    found.status.attrs.update(flag_values=np.arange(len(STATUS), dtype=np.int8), flag_meanings=" ".join(STATUS))
    return found


def unit_of(name: str, currency: str) -> str:
    """The unit of a variable."""
    if name == "macro":
        return "as published: per cent, or the level of an index"
    return "1" if name in (*MARKS, "share") else currency
