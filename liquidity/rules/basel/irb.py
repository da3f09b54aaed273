"""Capital for retail loans by internal ratings (Basel framework CRE31.13 to 31.16, floors CRE32.4 and CRE32.58)."""

from __future__ import annotations

import numpy as np

from liquidity.rules.basel.kinds import Numbers
from liquidity.rules.basel.vasicek import worst_rate

QRRE, MORTGAGE, OTHER_RETAIL = "qrre", "mortgage", "other_retail"
CONFIDENCE = 0.999
PER_CAPITAL = 12.5
"Risk-weighted assets per unit of capital: 1 / 8%."
PD_FLOOR, PD_FLOOR_REVOLVER = 0.0005, 0.001
LGD_FLOOR = {QRRE: 0.50, OTHER_RETAIL: 0.30, MORTGAGE: 0.05}
"Unsecured for the first two."


def correlation(kind: str, pd: Numbers) -> np.ndarray:
    """Asset correlation R of a retail class: 0.04 QRRE, 0.15 mortgage, 0.16 falling to 0.03 in PD for other retail.

    Raises KeyError for a class that is none of the three.
    """
    pd = np.asarray(pd, float)
    part = (1 - np.exp(-35 * pd)) / (1 - np.exp(-35.0))
    return {QRRE: 0.04 + 0 * pd, MORTGAGE: 0.15 + 0 * pd, OTHER_RETAIL: 0.03 * part + 0.16 * (1 - part)}[kind]


def requirement(kind: str, pd: Numbers, lgd: Numbers) -> np.ndarray:
    """Capital K for unexpected loss, share of the exposure: lgd (worst rate at 99.9% - pd). No maturity adjustment."""
    pd, lgd = np.asarray(pd, float), np.asarray(lgd, float)
    return lgd * (worst_rate(pd, correlation(kind, pd), CONFIDENCE) - pd)


def risk_weight(kind: str, pd: Numbers, lgd: Numbers) -> np.ndarray:
    """Risk weight 12.5 K, a share of the exposure (0.75 for 75%)."""
    return PER_CAPITAL * requirement(kind, pd, lgd)


def expected_loss(pd: Numbers, lgd: Numbers) -> np.ndarray:
    """Expected loss of a year, share of the exposure."""
    return np.asarray(pd, float) * np.asarray(lgd, float)


def floored_pd(pd: Numbers, revolver: Numbers) -> np.ndarray:
    """PD at least 0.1% for a QRRE revolver, 0.05% for all other retail (transactors, other retail)."""
    return np.maximum(np.asarray(pd, float), np.where(revolver, PD_FLOOR_REVOLVER, PD_FLOOR))


def floored_lgd(kind: str, lgd: Numbers) -> np.ndarray:
    """LGD at least 50% for QRRE and 30% for other retail, both unsecured; 5% for mortgages."""
    return np.maximum(np.asarray(lgd, float), LGD_FLOOR[kind])
