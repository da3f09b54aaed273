"""Two published programs under uncertainty: the farmer's acres, and financial planning over three stages.

Each may be written for one scenario or for all of them in one program; `scenarios.cases_two_stage` solves them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import pyomo.environ as pyo

from liquidity.program.cases_kit import Clause
from liquidity.program.writer import Writer

ACRES, QUOTA, OVER_QUOTA_PRICE = 500.0, 6000.0, 10.0
PLANTING = {"wheat": 150.0, "corn": 230.0, "beets": 260.0}
YIELD = {"wheat": 2.5, "corn": 3.0, "beets": 20.0}
SELLING = {"wheat": 170.0, "corn": 150.0, "beets": 36.0}
BUYING = {"wheat": 238.0, "corn": 210.0}
FEED = {"wheat": 200.0, "corn": 240.0}
"""The farm: planting USD an acre, yield tons an acre, prices USD a ton, cattle feed tons."""

SEASONS = {"good": 1.2, "average": 1.0, "bad": 0.8}
"""Yields of the three equally likely seasons, as multiples of the average."""

WEALTH, GOAL, REWARD, SHORTAGE, STAGES = 55.0, 80.0, 1.0, 4.0, 3
GROWTH = {("stocks", "u"): 1.25, ("stocks", "d"): 1.06, ("bonds", "u"): 1.14, ("bonds", "d"): 1.12}
"""Growth of each asset over a stage that goes up or down, equally likely."""

PATHS = tuple("".join(steps) for steps in product("ud", repeat=STAGES))
"""Every path of ups and downs."""


def farm(seasons: Mapping[str, float]) -> Writer:
    """Acres sown before the season is known; sales and purchases after it, seasons equally likely.

    Rows: land, feed for the cattle, beets sold from the harvest, beets at the full price within the quota.  USD, tons,
    acres; dims crop, season.
    """
    dims = {**dict.fromkeys(("CROP", "GRAIN", "BEETS"), ("crop",)), "SEASON": ("season",), "FARM": ("farm",)}
    writer = Writer(dims, "ton")
    m = writer.model
    for name, members in {
        "FARM": ["farm"],
        "CROP": YIELD,
        "GRAIN": FEED,
        "BEETS": ["beets"],
        "SEASON": seasons,
    }.items():
        writer.group(name, members)
    writer.variable("plant", "CROP")
    writer.variable("sell", "CROP", "SEASON")
    writer.variable("sell_over_quota", "BEETS", "SEASON")
    writer.variable("buy", "GRAIN", "SEASON")
    tons = writer.param("terms", "tons", (m.CROP, m.SEASON), lambda c, s: YIELD[c] * seasons[s])
    writer.limit(Clause("land"), "acres", (m.FARM,), lambda m, _: sum(m.plant[c] for c in m.CROP), at_most=ACRES,
                 unit="acre")  # fmt: skip
    writer.limit(Clause("feed"), "grain", (m.GRAIN, m.SEASON), at_least=lambda c, _: FEED[c],
                 body=lambda m, c, s: tons[c, s] * m.plant[c] + m.buy[c, s] - m.sell[c, s])  # fmt: skip
    writer.terms("harvest", (m.BEETS, m.SEASON), at_most=0.0,
                 body=lambda m, c, s: m.sell[c, s] + m.sell_over_quota[c, s] - tons[c, s] * m.plant[c])  # fmt: skip
    writer.limit(Clause("quota"), "beets", (m.BEETS, m.SEASON), lambda m, c, s: m.sell[c, s], at_most=QUOTA)
    write_profit(writer, 1 / len(seasons))
    return writer


def write_profit(writer: Writer, probability: float) -> None:
    """Expected profit of the farm, USD: the published figures are costs, its negative."""
    m = writer.model
    cost, price, paid = (
        writer.param("profit", name, (group,), values)
        for name, group, values in (
            ("planting", m.CROP, PLANTING),
            ("selling", m.CROP, SELLING),
            ("buying", m.GRAIN, BUYING),
        )
    )
    writer.maximise("profit", lambda m: (
        -sum(cost[c] * m.plant[c] for c in m.CROP)
        + probability * sum(price[c] * m.sell[c, s] for c in m.CROP for s in m.SEASON)
        + probability * sum(OVER_QUOTA_PRICE * m.sell_over_quota[c, s] for c in m.BEETS for s in m.SEASON)
        - probability * sum(paid[c] * m.buy[c, s] for c in m.GRAIN for s in m.SEASON)))  # fmt: skip


def planning(paths: Sequence[str] = PATHS) -> Writer:
    """Wealth put into stocks and bonds three times, the paths of ups and downs equally likely.

    In symbols: sum hold[0] <= wealth; sum hold[t] = sum growth[t] hold[t-1]; above - short <= final wealth - goal; what
    is held at t is one for all paths that were the same until t.  Thousand USD; dims asset, stage, path.
    """
    dims = {"ASSET": ("asset",), "PATH": ("path",), "TWIN": ("stage", "path", "first"),
            **dict.fromkeys(("START", "HELD", "AGAIN", "STAGE"), ("stage",))}  # fmt: skip
    writer = Writer(dims, "kUSD")
    m = writer.model
    writer.group("ASSET", ["stocks", "bonds"])
    writer.group("PATH", paths)
    writer.group("TWIN", twins(paths))
    m.START, m.HELD = pyo.RangeSet(0, 0), pyo.RangeSet(0, STAGES - 1)
    m.AGAIN, m.STAGE = pyo.RangeSet(1, STAGES - 1), pyo.RangeSet(1, STAGES)
    writer.variable("hold", "ASSET", "HELD", "PATH")
    writer.variable("above", "PATH")
    writer.variable("short", "PATH")
    growth = writer.param("terms", "growth", (m.ASSET, m.STAGE, m.PATH), lambda a, t, p: GROWTH[a, p[t - 1]])
    writer.limit(Clause("wealth"), "start", (m.START, m.PATH),
                 lambda m, t, p: sum(m.hold[a, t, p] for a in m.ASSET), at_most=WEALTH)  # fmt: skip
    writer.terms("reinvest", (m.AGAIN, m.PATH), equal=0.0, body=lambda m, t, p: (
        sum(m.hold[a, t, p] - growth[a, t, p] * m.hold[a, t - 1, p] for a in m.ASSET)))  # fmt: skip
    writer.terms("same_past", (m.ASSET, m.TWIN), lambda m, a, t, p, q: m.hold[a, t, p] - m.hold[a, t, q], equal=0.0)
    writer.limit(Clause("goal"), "final_wealth", (m.PATH,), at_most=-GOAL, body=lambda m, p: (
        m.above[p] - m.short[p] - sum(growth[a, STAGES, p] * m.hold[a, STAGES - 1, p] for a in m.ASSET)))  # fmt: skip
    writer.maximise("utility", lambda m: sum(REWARD * m.above[p] - SHORTAGE * m.short[p] for p in m.PATH) / len(paths))
    return writer


def twins(paths: Sequence[str]) -> list[tuple[int, str, str]]:
    """(stage, path, first path with the same past) for every path that is not itself the first."""
    firsts = [(t, path, next(p for p in paths if p[:t] == path[:t])) for t in range(STAGES) for path in paths]
    return [(t, path, first) for t, path, first in firsts if path != first]
