"""Published figures of stress tests, and what our satellite models make of the paths behind them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from liquidity.program.cases_kit import Case, Figure
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.satellites import Satellite, Term

ADVERSE = (4.5, 5.9, 7.2, 8.2, 9.0, 9.5, 9.9, 10.0, 9.8, 9.4, 9.1, 8.7, 8.4, 8.0)
"""Unemployment, %: 2025 Q4, and 2026 Q1 to 2029 Q1 of the Federal Reserve's severely adverse scenario of 2026."""
REPLAY = (4.8, 5.0, 5.3, 6.0, 6.9, 8.3, 9.3, 9.6, 9.9, 9.8, 9.6, 9.5, 9.5)
"""Unemployment, %: 2007 Q4 to 2010 Q4, the Federal Reserve's history."""
QUARTERS = 9
SLOPES = {0: 0.1554, 1: 0.1719, 2: 0.1956}
"""Log odds of card losses for a point of unemployment, by quarters of lag: solved for 17.1% over nine quarters."""
SOURCE = "Federal Reserve, stress test of 2026: credit card losses over nine quarters, final severely adverse scenario"
OWN = "Out of sample, own calibration: from 4.2% at 4.8% unemployment; charge-offs of US cards peaked at about 10.5%"


def losses(unemployment: tuple[float, ...], base: float, lag: int) -> np.ndarray:
    """Yearly loss rate of cards by quarter, share, starting from `base` in quarter 0."""
    term = Term(of="unemployment", b=SLOPES[lag], lag=lag)
    model = Satellite(name="cards", target="pd", form="logit", terms=(term,), source=SOURCE)
    return model.level(Macro("path", tuple(map(str, unemployment)), {"unemployment": np.array(unemployment)}), base)


def adverse(lag: int) -> Callable[[], dict[str, float]]:
    """Losses on the severely adverse path, %, from 4.0% a year."""

    def solve() -> dict[str, float]:
        return {"nine quarters": float(100 * losses(ADVERSE, 0.04, lag)[1 : QUARTERS + 1].sum() / 4)}

    return solve


def replay(lag: int) -> Callable[[], dict[str, float]]:
    """Peak of losses on the path of 2008, %, which the slope was not fitted to."""
    return lambda: {"peak": float(100 * losses(REPLAY, 0.042, lag).max())}


SCENARIO_CASES = (
    *(Case(f"cards 2026, lag {lag}", SOURCE, (Figure("nine quarters", "17.1", "%"),), adverse(lag)) for lag in SLOPES),
    *(
        Case(f"cards 2008, lag {lag}", OWN, (Figure("peak", peak, "%"),), replay(lag))
        for lag, peak in zip(SLOPES, ("8.83", "9.53", "10.63"))
    ),
)
