"""Losses of a large even pool that depends on one factor (Vasicek; the model behind the IRB formulas)."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from liquidity.rules.basel.kinds import Numbers


def conditional_pd(pd: Numbers, rho: Numbers, z: Numbers) -> np.ndarray:
    """Default rate when the factor is `z` (bad below 0): N((G(pd) - sqrt(rho) z) / sqrt(1 - rho)), a share."""
    pd, rho, z = (np.asarray(part, float) for part in (pd, rho, z))
    return np.asarray(ndtr((ndtri(pd) - np.sqrt(rho) * z) / np.sqrt(1 - rho)))


def worst_rate(pd: Numbers, rho: Numbers, q: Numbers) -> np.ndarray:
    """Default rate that is not passed with probability `q`, a share: the conditional rate at z = -G(q)."""
    return conditional_pd(pd, rho, -ndtri(np.asarray(q, float)))
