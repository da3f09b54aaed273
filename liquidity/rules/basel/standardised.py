"""The standardised approach for retail (CRE20.63 to 20.68), conversion of undrawn limits (CRE20.100), output floor."""

from __future__ import annotations

import numpy as np

from liquidity.rules.basel.kinds import Numbers

RETAIL, TRANSACTOR, OTHER = 0.75, 0.45, 1.0
CCF_CANCELLABLE = 0.10
"Of the undrawn part of limits that can be cancelled unconditionally."
FLOOR = 0.725
"Standardised part that internal models may not undercut, from 2028."


def standard_weight(regulatory: Numbers, transactor: Numbers) -> np.ndarray:
    """Risk weight of performing unsecured loans to persons: 45% transactors and 75% others of the regulatory retail
    class, 100% outside that class. Arguments are yes/no."""
    return np.where(regulatory, np.where(transactor, TRANSACTOR, RETAIL), OTHER)


def exposure(drawn: Numbers, undrawn: Numbers, ccf: Numbers = CCF_CANCELLABLE) -> np.ndarray:
    """Exposure of a limit: what is drawn and `ccf` of what is not, money as given."""
    return np.asarray(drawn, float) + np.asarray(ccf, float) * np.maximum(np.asarray(undrawn, float), 0.0)


def output_floor(internal: Numbers, standard: Numbers, floor: Numbers = FLOOR) -> np.ndarray:
    """Risk-weighted assets under the output floor: max(internal, floor x standardised), money as given."""
    return np.maximum(np.asarray(internal, float), np.asarray(floor, float) * np.asarray(standard, float))
