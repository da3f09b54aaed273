"""What a plan is worth when it has many outcomes: mean and conditional value at risk, both of net worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liquidity.errors import BadInput, Problem


@dataclass(frozen=True)
class Risk:
    """(1 - weight) mean + weight CVaR, both of net worth: CVaR is the mean of the worst 1 - `tail` of outcomes.

    Weight 0 looks at the mean only, 1 at the worst outcomes only. Source: Rockafellar and Uryasev, J. of Risk 2 (2000).
    """

    weight: float = 0.0
    tail: float = 0.95

    def __post_init__(self) -> None:
        problems = []
        if not 0.0 <= self.weight <= 1.0:
            problems.append(Problem("risk", "", "weight", self.weight, "a share from 0 to 1"))
        if not 0.0 <= self.tail < 1.0:
            problems.append(Problem("risk", "", "tail", self.tail, "a share from 0 to below 1"))
        if problems:
            raise BadInput(problems)

    def worst(self, values: np.ndarray, probability: np.ndarray) -> np.ndarray:
        """Weights of the outcomes in CVaR, sum 1: the worst ones up to `1 - tail` of probability; ties by position."""
        order = np.argsort(values, kind="stable")
        upto = np.minimum(np.cumsum(probability[order]), 1.0 - self.tail)
        out = np.empty(len(values))
        out[order] = np.diff(upto, prepend=0.0) / (1.0 - self.tail)
        # the probabilities may end a rounding error before the tail does
        return out / out.sum()

    def cvar(self, values: np.ndarray, probability: np.ndarray) -> float:
        """Mean of the worst outcomes."""
        return float(self.worst(values, probability) @ values)

    def of(self, values: np.ndarray, probability: np.ndarray) -> float:
        """The objective at these outcomes."""
        mean = float(probability @ values)
        return mean if self.weight == 0.0 else (1 - self.weight) * mean + self.weight * self.cvar(values, probability)
