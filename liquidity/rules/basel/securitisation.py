"""Risk weights of securitisation tranches, standardised (SEC-SA, CRE41), and the caps on them (CRE40.50 to 40.55)."""

from __future__ import annotations

import numpy as np

from liquidity.rules.basel.irb import PER_CAPITAL
from liquidity.rules.basel.kinds import Numbers

FLOOR = 0.15
FULL = 12.5
"1250%."
UNKNOWN_MOST = 0.05
"Share of the pool with unknown delinquency beyond which every tranche weighs 1250%."
THIN = 1e-9
"Tranches thinner than this part of the pool are weighed at their point of attachment."


def attached(k_sa: Numbers, delinquent: Numbers, unknown: Numbers = 0.0) -> np.ndarray:
    """Ka: capital of the pool K_SA with half of the delinquent part added, share of the pool.

    `delinquent` is the share 90 days past due or worse of what is known; `unknown` the share of the pool whose
    delinquency is not known, which counts in full.
    """
    k_sa, delinquent, unknown = (np.asarray(part, float) for part in (k_sa, delinquent, unknown))
    return (1 - unknown) * ((1 - delinquent) * k_sa + 0.5 * delinquent) + unknown


def attachment(notes: Numbers, pool: float) -> tuple[np.ndarray, np.ndarray]:
    """Attachment A and detachment D of classes of notes, shares of the pool, most senior first.

    Over-collateral lies below the last class; what the pool lacks is taken from the last class upwards.
    """
    notes = np.asarray(notes, float)
    below = pool - np.cumsum(notes)
    return np.clip(below / pool, 0.0, 1.0), np.clip((below + notes) / pool, 0.0, 1.0)


def sec_sa(ka: Numbers, attach: Numbers, detach: Numbers, p: float = 1.0) -> np.ndarray:
    """Risk weight by the formula alone, a share: 12.5 at and below Ka, 12.5 K_SSFA above, blended across.

    `p` is 1, or 1.5 for a securitisation of securitisations; no floor and no cap.
    """
    ka, low, high = np.broadcast_arrays(*(np.asarray(part, float) for part in (ka, attach, detach)))
    high = np.maximum(high, low + THIN)
    width = high - low
    with np.errstate(divide="ignore"):
        rate = np.where(ka > 0, -1 / (p * ka), -np.inf)
    start = np.maximum(low - ka, 0.0)
    above = np.maximum(high - ka, 0.0) - start
    with np.errstate(invalid="ignore", over="ignore"):
        # integral of exp(rate x) over the part above Ka
        loss = np.where(ka > 0, np.exp(rate * start) * -np.expm1(rate * above) / -rate, 0.0)
    # below Ka every unit weighs in full
    return PER_CAPITAL * (width - above + loss) / width


def tranche_weight(k_sa: Numbers, delinquent: Numbers, attach: Numbers, detach: Numbers, *, unknown: Numbers = 0.0,
                   senior: Numbers = False, p: float = 1.0, floor: float = FLOOR) -> np.ndarray:  # fmt: skip
    """Risk weight of a tranche: SEC-SA, 1250% where too much is unknown, not below `floor`, and for the most senior
    tranche not above the average weight of the pool, 12.5 K_SA (the look-through cap; the floor goes before it)."""
    unknown = np.asarray(unknown, float)
    weight = sec_sa(attached(k_sa, delinquent, unknown), attach, detach, p)
    weight = np.where(unknown > UNKNOWN_MOST, FULL, np.minimum(weight, FULL))
    weight = np.where(senior, np.minimum(weight, PER_CAPITAL * np.asarray(k_sa, float)), weight)
    return np.maximum(weight, floor)
