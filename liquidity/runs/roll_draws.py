"""What borrowers do in each night of a roll: drawn once, the same for every policy, unseen by all of them beforehand.

A night's draw holds shares of whatever balance is there, so that luck does not depend on what a policy lent. Factors of
mean one spread around the true rates: one of the night, one of the segment, one of the pair of segment and facility.
Independent of the program: nothing here reads its arrays.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
import pandas as pd

from liquidity.book import Book
from liquidity.errors import BadInput, Problem

DAY = 1 / 365
GATES = ("asked", "score_kept", "model_kept", "policy_kept", "available")
SPREAD = {"payment": (0.08, 0.10, 0.05), "default": (0.20, 0.25, 0.20), "interest": (0.01, 0.02, 0.01),
          "demand": (0.10, 0.20, 0.0)}  # fmt: skip
"""Coefficients of variation of the factors of a night: common, by segment, by segment and facility."""
GATE_SIZE = 100.0
"""How firmly a gate stands: the drawn share is Beta(size p, size (1 - p)) around the book's p."""


@dataclass(frozen=True)
class Truth:
    """True rates as multiples of the book's (`payment, default, demand`), and `noise`, a multiple of every spread."""

    payment: float = 1.0
    default: float = 1.0
    demand: float = 1.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no rate can be."""
        wrong = [(name, value) for name, value in asdict(self).items() if not 0 <= value <= 10]
        if wrong:
            raise BadInput(Problem(f"--{name}", "", "", value, "a multiple from 0 to 10") for name, value in wrong)


@dataclass(frozen=True)
class Draw:
    """One night. Shares of the balance before receipts, frames (segment, facility): `principal`, `interest` (whole,
    with the guarantor's part) and `defaulted`; `requests` (segment): the gates and `new_demand`, CNY a month."""

    principal: pd.DataFrame
    interest: pd.DataFrame
    defaulted: pd.DataFrame
    requests: pd.DataFrame


def draw_night(book: Book, day: date, seed: int, number: int, truth: Truth) -> Draw:
    """The draw of the night `day`, the `number`-th of a roll from `book`, the one it began with.

    Rates are the book's intensities of payment and default times the truth and the factors; one day of both running at
    once gives the shares (DESIGN 5). Depends on names and rates of the book, the seed and the number, on nothing else.
    """
    noise, table = np.random.default_rng([seed, number]), book["segments"]
    shape = (len(table), len(book["facilities"]))

    def factors(what: str) -> np.ndarray:
        night, segment, pair = (truth.noise * size for size in SPREAD[what])
        return factor(noise, night, ()) * factor(noise, segment, (shape[0], 1)) * factor(noise, pair, shape)

    pay = truth.payment * factors("payment") * column(-12 * np.log1p(-table.monthly_payment_rate))
    bad = truth.default * factors("default") * column(-np.log1p(-table.pd))
    gone = -np.expm1(-(pay + bad) * DAY)
    total = np.where(pay + bad > 0, pay + bad, 1.0)
    earned = column(table.apr) * gone / total * factors("interest")
    demand = truth.demand * factors("demand").mean(axis=1)
    paid, interest, lost = (pd.DataFrame(array, table.index, book["facilities"].index)
                            for array in (gone * pay / total, earned, gone * bad / total))  # fmt: skip
    return Draw(paid, interest, lost, requests(book, day, noise, demand, truth))


def column(values: pd.Series) -> np.ndarray:
    """A value per segment, to be spread over facilities."""
    return np.asarray(values, float)[:, None]


def factor(noise: np.random.Generator, spread: float, shape: tuple[int, ...]) -> np.ndarray:
    """Factors of mean one and coefficient of variation `spread`; the stream moves on the same way without spread."""
    drawn = noise.standard_normal(shape)
    # log-normal: one draw a factor whatever the spread, so that roads of different noise share their luck
    size = np.sqrt(np.log1p(spread**2))
    return np.exp(size * drawn - size**2 / 2)


def requests(book: Book, day: date, noise: np.random.Generator, demand: np.ndarray, truth: Truth) -> pd.DataFrame:
    """Gates and new demand of the day by segment, around the forecast that the book holds for it."""
    out = in_force(book, day)
    size = GATE_SIZE / max(truth.noise, 1e-6) ** 2
    for gate in GATES:
        share = out[gate].to_numpy(float)
        open_ = (share > 0) & (share < 1)
        kept = np.where(open_, share, 0.5)
        drawn = noise.beta(size * kept, size * (1 - kept))
        out[gate] = np.where(open_ & (truth.noise > 0), drawn, share)
    return out.assign(new_demand=out.new_demand * demand)


def in_force(book: Book, day: date) -> pd.DataFrame:
    """The row of requests that the book holds for a day, by segment."""
    table = book["requests"].reset_index()
    return table[table["from"] <= pd.Timestamp(day)].groupby("segment").last().drop(columns="from")
