"""Every limit as a person reads it: how much is used of what, in the rule's own unit, and what one more would earn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from liquidity.program.compile import Compiler

if TYPE_CHECKING:
    from liquidity.program.compile import Family
    from liquidity.program.night import Solved
    from liquidity.program.pool import Pool, Rows

COLUMNS = ["rule", "kind", "origin", "at", "period", "used", "limit", "unit", "headroom_cny", "level", "price",
           "price_low", "price_high", "shortfall"]  # fmt: skip
SCALE = {"%": 100.0, "x": 1.0}
TOUCHED = 1e-9


def make_limits(pool: Pool, solved: Solved, ranges: Mapping[int, tuple[float, float]] | None = None) -> pd.DataFrame:
    """The table of limits over all periods.

    `price`: CNY of net worth for one CNY more of the limit, or for one unit more where the rule is told in another
    (a percentage point, 1x). `price_low`, `price_high`: what one more is worth and one less costs, where `ranges` (by
    row, see `explain.ranges`) has them; blank elsewhere, and where that step leaves no plan. Yes/no decisions are held.
    `level`: green, amber (from the rule's `warn_at` on), binding, gave_way.
    """
    compiler = Compiler(pool)
    tables = [
        family_limits(pool, solved, family, rows, compiler, ranges or {})
        for family, rows in zip(solved.program.rows, pool.rows)
        if family.kind == "rule" and family.liftable and family.index
    ]
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def family_limits(pool: Pool, solved: Solved, family: Family, rows: Rows, compiler: Compiler,
                  ranges: Mapping[int, tuple[float, float]]) -> pd.DataFrame:  # fmt: skip
    """Limits of one family of rows."""
    rule, first, last = pool.rulebook.rule(family.owner), solved.staged.first, solved.staged.last
    at_most = np.isfinite(solved.program.row_upper[family.place])
    short = shortfalls(solved, family)
    held = np.where(at_most, solved.program.row_upper[family.place], solved.program.row_lower[family.place])
    bound = held - np.where(at_most, short, -short)
    room = np.where(at_most, bound - last.activity[family.place], last.activity[family.place] - bound)
    limit, size, unit = natural(pool, family, rows, bound, last.x, compiler)
    price = first.price[family.place]
    frame = pd.DataFrame({"rule": family.owner, "kind": rule.kind, "origin": rule.origin, "at": places(family)})
    frame["period"] = periods(pool, family)
    frame["used"] = limit - np.where(at_most, room, -room) * size
    frame["limit"], frame["unit"] = limit, unit
    frame["headroom_cny"] = (room * pool.unit).round(2) + 0.0
    # where the total is not positive there is no ratio: the share used is blank, and nothing is priced in its unit
    frame["price"] = np.where(price == 0, 0.0, price * pool.unit / size)
    ends = np.array([ranges.get(row, (np.nan, np.nan)) for row in range(family.start, family.stop)])
    frame["price_low"], frame["price_high"] = (ends * (pool.unit / size)[:, None]).T
    frame["shortfall"] = np.where(short == 0, 0.0, short * size)
    frame["level"] = levels(frame, price, rule.warn_at, at_most)
    return frame


def shortfalls(solved: Solved, family: Family) -> np.ndarray:
    """By how much each row of the family gave way, units."""
    out = np.zeros(len(family.index))
    if solved.gave_way is not None:
        mine = solved.gave_way[solved.gave_way.row.between(family.start, family.stop - 1)]
        out[mine.row.to_numpy() - family.start] = mine.shortfall.to_numpy()
    return out


def natural(pool: Pool, family: Family, rows: Rows, bound: np.ndarray, x: np.ndarray,
            compiler: Compiler) -> tuple[np.ndarray, np.ndarray, str]:  # fmt: skip
    """Limits in the rule's own unit, what one program unit of room is there, and the unit.

    A rule told against a total in CNY has that total, as it stands in the plan, for its limit. Against a total that is
    not positive there is no ratio: NaN in place of what a unit of room is.
    """
    if rows.ratio is None:
        return bound * pool.unit, np.full(len(bound), pool.unit), rows.unit
    ratio: Any = rows.ratio
    matrix, constant = compiler.linear(ratio.of, rows.constraint.index_set())
    total = matrix @ x + constant
    limit = np.array([ratio.limit(*index) for index in family.index], float)
    if ratio.unit == pool.book.currency:
        return limit * total * pool.unit, np.full(len(bound), pool.unit), ratio.unit
    size = np.divide(SCALE[ratio.unit], total, out=np.full(len(total), np.nan), where=total > 0)
    return limit * SCALE[ratio.unit], size, ratio.unit


def places(family: Family) -> list[str]:
    """Where each row holds, `dim=value` joined by `;`, without the period."""
    return [
        ";".join(f"{dim}={value}" for dim, value in zip(family.dims, index) if dim != "period")
        for index in family.index
    ]


def periods(pool: Pool, family: Family) -> list[str]:
    """ISO date of the row's period; tonight for a row that has none."""
    if "period" not in family.dims:
        return [pool.grid.labels[0]] * len(family.index)
    at = family.dims.index("period")
    return [pool.grid.labels[max(index[at], 1) - 1] for index in family.index]


def levels(frame: pd.DataFrame, price: np.ndarray, warn_at: float, at_most: np.ndarray) -> np.ndarray:
    """How near each limit is."""
    part, whole = np.where(at_most, frame.used, frame.limit), np.where(at_most, frame.limit, frame.used)
    share = np.divide(part, whole, out=np.zeros(len(frame)), where=whole != 0)
    return np.select(
        [frame.shortfall > 0, np.abs(price) > TOUCHED, share >= warn_at], ["gave_way", "binding", "amber"], "green"
    )
