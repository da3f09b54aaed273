"""Which macro names, at which lags, by level or change: every declared choice, by least squares and extended BIC.

Who tries many choices finds one that fits by luck. BIC counts coefficients, not choices; the extended BIC (Chen and
Chen 2008) adds twice the logarithm of how many choices have as many names, so that noise rarely beats a constant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from math import comb, log, pi

import numpy as np

from liquidity.errors import BadInput, Problem
from liquidity.scenarios.candidates import Candidate, Candidates
from liquidity.scenarios.fit_sample import Key, Sample

MOST = 50_000
"""Choices for one target at most."""
KINDS = {"b": ("b",), "d": ("d",), "bd": ("b", "d")}
Term = tuple[str, int, str]
"""A macro name of a model: name, lag, and which of `KINDS`."""
Choice = tuple[Term, ...]


@dataclass(frozen=True)
class Tried:
    """A choice that may stand: its coefficients (constant, seasons, keys), BIC and extended BIC."""

    choice: Choice
    beta: np.ndarray
    bic: float
    extended: float


@dataclass(frozen=True)
class Search:
    """What a search found: choices with the declared signs, the best first (the constant alone is one of them)."""

    found: tuple[Tried, ...]
    tried: int
    wrong_sign: int

    @property
    def constant(self) -> Tried:
        """The choice of no macro name."""
        return next(one for one in self.found if not one.choice)


def keys_of(choice: Choice) -> list[Key]:
    """The columns of a choice, in order."""
    return [(name, lag, kind) for name, lag, kinds in choice for kind in KINDS[kinds]]


def kinds_of(candidate: Candidate, name: str) -> list[str]:
    """Ways in which a name may enter."""
    level, change = name in candidate.level, name in candidate.change
    return [kind for kind, may in (("b", level), ("d", change), ("bd", level and change)) if may]


def choices(sample: Sample, candidates: Candidates) -> Iterator[Choice]:
    """All choices, the constant alone first."""
    options = {name: [(name, lag, kind) for lag in candidates.lags for kind in kinds_of(sample.candidate, name)]
               for name in sample.names}  # fmt: skip
    for size in range(min(candidates.terms, len(sample.names)) + 1):
        for names in combinations(sample.names, size):
            yield from product(*(options[name] for name in names))


def check_count(sample: Sample, candidates: Candidates, file: str) -> None:
    """The declared choices can be tried in a moment."""
    most = max(len(kinds_of(sample.candidate, name)) for name in sample.names) * len(candidates.lags)
    count = sum(comb(len(sample.names), size) * most**size for size in range(candidates.terms + 1))
    if count > MOST:
        expected = f"names, lags and terms that make at most {MOST:,} choices"
        raise BadInput(Problem(file, f"candidate {sample.candidate.target}", "", f"up to {count:,} choices", expected))


def search(sample: Sample, candidates: Candidates, rows: int) -> Search:
    """Every choice on the first `rows` rows; those that go against a declared sign or cannot be told apart fall out."""
    columns = {key: sample.column(key)[:rows] for choice in choices(sample, candidates) for key in keys_of(choice)}
    fixed, z = sample.design(())[:rows], sample.z[:rows]
    every = list(choices(sample, candidates))
    sizes = Counter(map(len, every))
    found, wrong = [], 0
    for choice in every:
        keys = keys_of(choice)
        beta, rank, bic = least_squares(np.column_stack([fixed, *(columns[key] for key in keys)]), z)
        if rank < len(beta):
            continue
        if not signs_hold(sample.candidate, keys, beta[fixed.shape[1] :]):
            wrong += 1
            continue
        found.append(Tried(choice, beta, bic, bic + 2 * log(sizes[len(choice)])))
    # ties end by name, so that nothing depends on the order of the file
    found.sort(key=lambda one: (round(one.extended, 9), len(one.choice), one.choice))
    return Search(tuple(found), len(every), wrong)


def least_squares(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, int, float]:
    """Coefficients, rank, and the BIC of normal errors, as statsmodels counts it: -2 log likelihood + k log n."""
    beta, _, rank, _ = np.linalg.lstsq(x, z)
    count, rest = len(z), float(((z - x @ beta) ** 2).sum())
    variance = max(rest / count, 1e-300)
    return beta, int(rank), count * (log(2 * pi) + log(variance) + 1) + len(beta) * log(count)


def signs_hold(candidate: Candidate, keys: list[Key], beta: np.ndarray) -> bool:
    """Whether every coefficient goes the declared way."""
    for (name, _, kind), value in zip(keys, beta):
        sign = (candidate.level if kind == "b" else candidate.change)[name]
        if (sign == "+" and value <= 0) or (sign == "-" and value >= 0) or value == 0:
            return False
    return True
