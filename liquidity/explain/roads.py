"""The road not taken: what relending earns in every facility tonight, what the rules take, and what shuts a facility.

What the prices say is marginal: "takes", never "is the reason" (that is said from re-solves alone, DESIGN 7.4). One
thing is a fact of the book and no price: a row that by its numbers allows nothing at all, such as eligibility, a price
cap, the end of a revolving period or a partner that has stopped. Such a row and the sign of the lending hold the same
nought, so its price alone means little; what would be left without it (`left`) does not depend on how the two share it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from liquidity.explain.charges import FUTURE, LENDING, Charges, lanes
from liquidity.explain.words_roads import Road, road_text
from liquidity.program.compile import Program

COLUMNS = [*LENDING, "rank", "state", "taken", "margin", "charges", "left", "shut_by", "also", "code", "origin",
           "charge", "margin_per_year", "left_per_year", "charge_per_year", "text_en", "text_zh"]  # fmt: skip
ORDER = ("law", "contract", "board", "desk", "")
REQUESTS = "requests"
SMALL = 1e-9
"CNY per CNY: a smaller difference is none."
PAID = 0.005
"CNY: less than half a fen is not lent."


def make_roads(program: Program, price: np.ndarray, charges: Charges, taken: pd.Series, speed: pd.Series,
               origins: Mapping[str, str], absent: Collection[str] = ()) -> pd.DataFrame:  # fmt: skip
    """The table of roads: every segment's returning borrowers and every facility that has lending tonight.

    `price` by row of the program; `taken`: CNY lent tonight by (segment, borrower, facility); `speed` as
    `charges.turnover`; `origins`: who can change each rule. A trust that already amortises lends nothing by its build,
    has no column and no row here; nor has a facility of `absent`, a planned one that is not issued tonight.

    Returns `rank` (1 the best: most lent, else nearest to being lent, shut ones last), `state` (`lent`, `open`, `shut`
    by a row that allows nothing), `taken` (CNY), `margin`,
    `charges` (all of them together), `left` (margin less all charges but that of the rows that shut the lane: 0 where
    it is lent, below 0 where it is worth less than tonight's best use), `shut_by` (the rule whose row allows nothing,
    the strictest first, `also` the others; else the item that takes most more than at the best facility; empty where
    lent), its `code` and `origin`, `charge` (what it takes), all CNY per CNY and a year (1/year), and sentences.
    """
    lend, at = lanes(program, charges)
    mine = ((lend.borrower == "returning") & ~lend.facility.isin(set(absent))).to_numpy()
    lend, at = lend[mine].reset_index(drop=True), at[mine]
    table = lend.assign(taken=taken.reindex(pd.MultiIndex.from_frame(lend)).fillna(0.0).to_numpy())
    table["margin"], table["charges"] = charges.margin[at], sum(part[at] for part in charges.charge.values())
    shut, takes = shutting(program, price, charges.columns[at], origins)
    table["left"] = table.margin - table.charges + takes
    for name in ("shut_by", "also"):
        table[name] = [found[name] if found else "" for found in shut]
    table["charge"] = takes
    table = ranked(table, np.array([found is not None for found in shut]))
    return told(named(table, charges, at, program, origins), charges, at, speed)


def shutting(program: Program, price: np.ndarray, columns: np.ndarray, origins: Mapping[str, str]) -> tuple[
    list[dict[str, str] | None], np.ndarray
]:  # fmt: skip
    """For each column the rules with a row that allows none of it (the strictest, and the others), None where there is
    none, and what these rows take (CNY per CNY).

    Such a row has an upper bound of nought and adds up only what cannot be negative.
    """
    matrix = program.matrix
    column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
    other_way = (matrix.data < 0) | ((matrix.data > 0) & (program.column_lower[column] < 0))
    mixed = np.bincount(matrix.indices[other_way], minlength=matrix.shape[0]) > 0
    nothing = (program.row_upper <= SMALL) & ~mixed
    mine = matrix[:, columns].tocoo()
    held = nothing[mine.row] & (mine.data > 0)
    row, lane, size = mine.row[held], mine.col[held], mine.data[held]
    starts = np.array([family.start for family in program.rows])
    owner = [program.rows[k].owner for k in np.searchsorted(starts, row, side="right") - 1]
    takes = np.bincount(lane, size * price[row], minlength=len(columns)).astype(float)  # of none: whole
    names: list[set[str]] = [set() for _ in columns]
    for place, name in zip(lane, owner):
        names[place].add(name)
    ordered = [sorted(found, key=lambda name: (ORDER.index(origins.get(name, "")), name)) for found in names]
    return [{"shut_by": found[0], "also": "+".join(found[1:])} if found else None for found in ordered], takes


def ranked(table: pd.DataFrame, shut: np.ndarray) -> pd.DataFrame:
    """The lanes in the order of their rank within each segment; the index still says where each stood."""
    lent = table.taken >= PAID
    table = table.assign(state=np.where(lent, "lent", np.where(shut, "shut", "open")))
    keys = pd.DataFrame({"segment": table.segment, "shut": table.state == "shut",
                         "taken": -table.taken.where(lent, 0.0), "left": -table.left.round(9),
                         "facility": table.facility})  # fmt: skip
    table = table.loc[keys.sort_values(list(keys.columns)).index]
    return table.assign(rank=table.groupby("segment").cumcount() + 1)


def named(table: pd.DataFrame, charges: Charges, at: np.ndarray, program: Program,
          origins: Mapping[str, str]) -> pd.DataFrame:  # fmt: skip
    """Name what takes most more than at the best facility where no row shuts an unused lane; add code and origin."""
    items = [item for item in charges.charge if item not in (FUTURE, REQUESTS)]
    taken = np.column_stack([charges.charge[item][at] for item in items])[table.index] if items else np.empty((0, 0))
    first = (table["rank"] == 1).to_numpy()
    best = np.flatnonzero(first)[np.cumsum(first) - 1]
    used = (table.state == "lent").to_numpy()
    unused = ((table.state == "open") & (table.left < -SMALL)).to_numpy()
    table = table.assign(also=table.also.mask(used, ""), shut_by=table.shut_by.mask(used, ""))
    if items and unused.any():
        more = taken - np.where((used[best] & ~first)[:, None], taken[best], 0.0)
        most, place = more.argmax(axis=1), np.arange(len(more))
        takes = unused & (more[place, most] > SMALL)
        table.loc[takes, "shut_by"] = np.array(items, object)[most[takes]]
        table.loc[takes, "charge"] = taken[place, most][takes]
    codes = {family.owner: family.code for family in program.rows if family.kind == "rule"}
    return table.assign(code=table.shut_by.map(codes).fillna(""), origin=table.shut_by.map(origins).fillna(""))


def told(table: pd.DataFrame, charges: Charges, at: np.ndarray, speed: pd.Series) -> pd.DataFrame:
    """Add the rates a year and the sentences."""
    yearly = table.segment.map(speed)
    for name in ("margin", "left", "charge"):
        table[f"{name}_per_year"] = table[name] * yearly
    items = list(charges.charge)
    parts = np.column_stack([charges.charge[item][at] for item in items])[table.index] * yearly.to_numpy()[:, None]
    lent = table.taken.where(table.state == "lent", 0.0)
    whole = lent.groupby(table.segment).transform("sum")
    roads = [
        Road(**{name: row[name] for name in Road.FROM_ROW}, parts=dict(zip(items, part)), lent=float(lent_in_all))
        for row, part, lent_in_all in zip(table.to_dict("records"), parts.tolist(), whole)
    ]
    table["text_en"] = [road_text("en", road) for road in roads]
    table["text_zh"] = [road_text("zh", road) for road in roads]
    return table.reset_index(drop=True)[COLUMNS]
