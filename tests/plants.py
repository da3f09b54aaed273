"""Single causes to plant in the calm lender, and what each takes, by the arithmetic of the book.

Nothing here asks the program: what a segment repays tonight and what a limit leaves of it come from the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from liquidity import Book, Rulebook
from tests import test_planted
from tests.test_planted import GATES, book

State = tuple[Book, Rulebook, pd.Series | None]
DAY = 1 / 365
OWN = 0.3
"The lender's share of a joint loan."


# ---- the book's own arithmetic


@lru_cache
def rates() -> pd.DataFrame:
    """Shares of a segment's balance tonight: repaid, defaulted, interest (constant intensities, DESIGN 5)."""
    table = book()["segments"]
    pay, default = -12 * np.log1p(-table.monthly_payment_rate), -np.log1p(-table.pd)
    gone = 1 - np.exp(-(pay + default) * DAY)
    total = pay + default
    return pd.DataFrame(
        {"repaid": gone * pay / total, "lost": gone * default / total, "interest": gone * table.apr / total}
    )


@lru_cache
def held() -> pd.DataFrame:
    """Balances, CNY [segment, facility]."""
    return book()["balances"].balance.unstack("facility").fillna(0.0).reindex(rates().index)


def freed(segment: str) -> float:
    """What the segment repays tonight, CNY."""
    return float(rates().repaid[segment] * held().loc[segment].sum())


def new(segment: str) -> float:
    """What new borrowers of the segment ask for tonight, CNY."""
    return float(book()["requests"].new_demand.loc[segment].iloc[0]) * 12 * DAY


def left(segment: str) -> float:
    """What remains of the segment's balance before anything is lent, CNY."""
    return float((1 - rates().repaid[segment] - rates().lost[segment]) * held().loc[segment].sum())


# ---- plants


@dataclass(frozen=True)
class Plant:
    """One cause: how it is put into the lender, the rule it comes from ("" for gates), what it takes of segments."""

    cause: str
    rule: str
    put: Callable[[State], State]
    takes: Callable[[], dict[str, float]]


def gate(cause: str, segment: str, open_: float) -> Plant:
    """A share of the requests does not pass."""

    def put(state: State) -> State:
        return state[0].edit("requests", segment, **{GATES[cause]: open_}), *state[1:]

    return Plant(cause, "", put, lambda: {segment: (1 - open_) * freed(segment)})


def pin(segment: str, share: float) -> Plant:
    """An instruction: no more than this share of what is freed is relent."""

    def put(state: State) -> State:
        day = state[0].as_of
        row = {"target": "relend", "segment": segment, "facility": "", "line": "", "from": day, "to": day,
               "op": "<=", "amount": share * freed(segment), "reason": "hold", "by": "desk"}  # fmt: skip
        return state[0].replace("pins", pd.DataFrame([row])), *state[1:]

    return Plant("INSTRUCTION", "pins", put, lambda: {segment: (1 - share) * freed(segment)})


def jump(segment: str, before: float) -> Plant:
    """Last night this share was relent; the rulebook lets it rise by 20% of freed."""
    most = before + 0.2

    def put(state: State) -> State:
        return *state[:2], pd.Series({segment: before})

    return Plant("STABILITY", "stability", put, lambda: {segment: (1 - most) * freed(segment)})


def on_rule(cause: str, rule: str, segment: str, **values: object) -> Plant:
    """A rule with other numbers that shuts the one segment."""

    def put(state: State) -> State:
        return state[0], state[1].edit(rule, **values), state[2]

    return Plant(cause, rule, put, lambda: {segment: freed(segment)})


def on_book(cause: str, rule: str, takes: dict[str, float] | str, table: str, key: object, **values: object) -> Plant:
    """Other data in the book; `takes` a segment that is shut altogether, or the amounts."""

    def put(state: State) -> State:
        return state[0].edit(table, key, **values), *state[1:]

    return Plant(cause, rule, put, lambda: {takes: freed(takes)} if isinstance(takes, str) else takes)


def on_pool(cause: str, rule: str) -> Plant:
    """The plant of the single causes that takes all that `joint-east` freed, and nothing else."""

    def put(state: State) -> State:
        planted, rules, _ = test_planted.PLANTS[cause][1]()
        if cause == "FUNDING":
            return state[0].replace("flows", planted["flows"]), *state[1:]
        moved = tuple(rules.rule(one.name) if one.name == rule else one for one in state[1].rules)
        return state[0], state[1].model_copy(update={"rules": moved}), state[2]

    return Plant(cause, rule, put, lambda: {"joint-east": freed("joint-east")})


QUOTA = 4e5


@lru_cache
def household() -> Plant:
    """A cap on the debt of a household that leaves room for 40% of what the firms repaid."""
    segment, room = "firm-east", 0.4
    caps = {"operation": (left("firm-east") + room * freed(segment)) / float(book()["segments"].borrowers[segment])}
    plant = on_rule("LIMIT_POLICY", "household_cap", segment, caps={"consumption": 2e5, **caps})
    return Plant(plant.cause, plant.rule, plant.put, lambda: {segment: (1 - room) * freed(segment)})


@lru_cache
def quota() -> Plant:
    """The partner pays 70% of each joint loan, and no more than its quota a day."""
    short = freed("joint-east") - QUOTA / (1 - OWN)
    return on_book("PARTNER", "partner_limit", {"joint-east": short}, "partners", None, daily_quota=QUOTA)


HOLD = pin("B-partial-west", 0.4)
JUMP = jump("A-full-east", 0.5)
PRICE = on_rule("PRICE_CAP", "price_cap", "C-full-west", cap=0.14)
STOP = on_rule("CONCENTRATION", "lending_stop", "firm-east", by="product", groups=("firm",))
THIN = on_rule("PARTNER", "partner_share", "joint-east", floor=0.31)
FROZEN = on_book("PARTNER", "partner_limit", "joint-east", "facilities", "joint_a", frozen=True)
TERMS = on_book(
    "FACILITY_TERMS", "eligibility", "trust-west", "eligibility", ("abs_2026a", "product", "in"), value="card"
)
DEAR = on_book("UNPROFITABLE", "", "B-full-east", "segments", "B-full-east", opex_rate=0.15)
FUNDING = on_pool("FUNDING", "line_limit")
BUFFER = on_pool("LIQUIDITY_BUFFER", "cash_reserve")
CAPITAL = on_pool("CAPITAL", "capital")
LEVERAGE = on_pool("LEVERAGE", "leverage_multiple")
RISK = on_pool("RISK_BUDGET", "expected_loss")


def served(missing: float, part: float = 0.5) -> Plant:
    """A floor for firms that leaves no room for `part` of what `joint-east` freed; it earns least of all.

    Its new borrowers go without first. `missing`: what the others do not lend anyway.
    """
    others = [s for s in held().index if s != "firm-east"]
    firm, cut = freed("firm-east") + new("firm-east"), new("joint-east") + part * freed("joint-east")
    rest = sum(freed(s) + new(s) for s in others) - missing - cut
    plant = on_rule("PRIORITY", "inclusion", "joint-east", by="product", groups=("firm",), share=firm / (firm + rest))
    return Plant(plant.cause, plant.rule, plant.put, lambda: {"joint-east": part * freed("joint-east")})


SHARE = 0.501
"Of the book that the east may hold; it holds a little more."


def too_east(missing_west: float = 0.0, missing_east: float = 0.0) -> float:
    """What the east must be declined tonight so that it holds `SHARE` of the book, CNY.

    `missing_west`, `missing_east`: what these do not lend anyway, `missing_east` by a gate. All new borrowers of the
    east go without first: money lent to them counts alike and declines nobody who repaid.
    """
    region = book()["segments"].region
    east, west = ([s for s in region.index if region[s] == name] for name in ("east", "west"))
    stays = {name: sum(map(left, part)) for name, part in (("east", east), ("west", west))}
    lent_west = sum(freed(s) + new(s) for s in west) - missing_west
    room = (SHARE * (stays["west"] + lent_west) - (1 - SHARE) * stays["east"]) / (1 - SHARE)
    return sum(map(freed, east)) - missing_east - room


REGION = Plant(
    "CONCENTRATION",
    "region",
    lambda state: (state[0], state[1].edit("region", shares={"east": SHARE}), state[2]),
    lambda: {"": too_east()},
)


# ---- all the money of a night


def most_cash() -> float:
    """Cash of tonight with every line and the warehouse drawn in full, and nothing lent or paid beyond costs, CNY.

    Treasury, warehouse and revolving trust together: a trust passes its cash on by buying seasoned loans. The trust
    that amortises pays its notes and releases interest beyond fees, coupons and losses (DESIGN 5).
    """
    table, rate, lender, lines = book()["segments"], rates(), book().lender, book()["lines"]
    places, notes = book()["facilities"], book()["tranches"]
    owned = held().mul(places.own_share.where(places.kind == "joint", 1.0))
    came = owned.mul(rate.repaid + rate.interest + (1 - table.lgd) * rate.lost, axis=0).sum().drop("abs_2024a").sum()
    old = held()["abs_2024a"]
    came += float((old * (rate.interest - table.lgd * rate.lost)).sum())
    came += (1 - OWN) * places.partner_fee["joint_a"] * DAY * held()["joint_a"].sum()
    sold = notes[notes.holder == "third_party"]
    costs = float((sold.balance * sold.coupon).sum()) + float((lines.drawn * lines.rate).sum())
    costs += float(((lines.commitment - lines.drawn) * lines.commitment_fee).sum())
    costs += float((places.drawn * places.rate + (places.commitment - places.drawn) * places.unused_fee).sum())
    costs += lender.opex_rate * held().to_numpy().sum() + lender.opex_per_year
    start = lender.cash * (1 + lender.cash_rate * DAY) + float((places.cash * (1 + places.cash_rate * DAY)).sum())
    open_ = lines.revolving
    draws = float((lines.commitment - lines.drawn)[open_].sum() + (places.commitment - places.drawn).sum())
    return start + float(came) - DAY * costs + draws
