"""Formulas of the Basel liquidity ratios, free of any program: rules write them as rows, `verify` checks them.

Source: Basel Framework LCR30 and LCR40 (BCBS 238), NSF30 (BCBS 295). Amounts in any one currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LEVEL2_CAP = 0.40
LEVEL2B_CAP = 0.15
INFLOW_CAP = 0.75
HAIRCUT_2A = 0.15
HAIRCUT_2B = 0.50

ASF = {
    "capital": 1.0,
    "year_or_more": 1.0,
    "stable_deposits": 0.95,
    "less_stable_deposits": 0.90,
    "corporate_under_year": 0.50,
    "half_year_to_year": 0.50,
    "financial_under_half_year": 0.0,
}
"""Part of each kind of funding that is there in a year (shares)."""
RSF = {
    "cash": 0.0,
    "level1": 0.05,
    "level2a": 0.15,
    "level2b": 0.50,
    "loans_under_year": 0.50,
    "safe_loans_year_or_more": 0.65,
    "loans_year_or_more": 0.85,
    "encumbered_half_year": 0.50,
    "encumbered_year": 1.0,
    "npl": 1.0,
    "other": 1.0,
    "undrawn": 0.05,
}
"""Part of each asset that must have stable funding (shares)."""


class Piece(NamedTuple):
    """One linear piece of the liquid assets: (level 1 + `level2`) / `factor`, `level2` being constant."""

    name: str
    factor: float
    level2: float


class Branch(NamedTuple):
    """One linear branch of the net outflow: `outflow` x outflows - `inflow` x inflows."""

    name: str
    outflow: float
    inflow: float


def hqla_pieces(level2a: float, level2b: float, cap: float = LEVEL2_CAP, cap_2b: float = LEVEL2B_CAP) -> list[Piece]:
    """Liquid assets under both caps as the least of linear pieces; `level2a`, `level2b` after their haircuts.

    The most of H = L1 + xa + xb with xa <= a, xb <= b, xb <= cap_2b H, xa + xb <= cap H is
    min(L1 + a + b, L1 / (1 - cap), (L1 + a) / (1 - cap_2b)); without level 2 no cap can bind.
    """
    pieces = [Piece("all", 1.0, level2a + level2b)]
    if level2a + level2b > 0:
        pieces += [Piece("level2_cap", 1.0 - cap, 0.0), Piece("level2b_cap", 1.0 - cap_2b, level2a)]
    return pieces


def outflow_branches(inflow_cap: float = INFLOW_CAP) -> list[Branch]:
    """Net outflow as the greatest of two: outflow - min(inflow, cap outflow) = max(out - in, (1 - cap) out)."""
    return [Branch("net", 1.0, 1.0), Branch("capped", 1.0 - inflow_cap, 0.0)]


def hqla(level1: float, level2a: float = 0.0, level2b: float = 0.0) -> float:
    """Liquid assets that count; level 2 after haircuts."""
    return min((level1 + piece.level2) / piece.factor for piece in hqla_pieces(level2a, level2b))


def net_outflow(outflow: float, inflow: float) -> float:
    """Outflow of 30 days less the inflow that counts."""
    return max(branch.outflow * outflow - branch.inflow * inflow for branch in outflow_branches())


def weighted(amounts: Mapping[str, float], factors: Mapping[str, float]) -> float:
    """Amounts by kind times the factor of each: available (ASF) or required (RSF) stable funding."""
    return sum(amount * factors[kind] for kind, amount in amounts.items())


def by_residual(days: float, short: float, middle: float, long: float) -> float:
    """The factor of a residual maturity: under half a year, half a year to a year, a year and more."""
    return long if days >= YEAR else middle if days >= HALF_YEAR else short


YEAR, HALF_YEAR = 365, 182
"Days."
