"""Formulas of the Basel framework and of IFRS 9, as numpy: the rules and `liquidity verify` use the same code.

Nothing here knows Pyomo or the book. Every argument broadcasts; shares are plain numbers (0.75 for 75%).
"""

from liquidity.rules.basel.irb import (
    correlation,
    expected_loss,
    floored_lgd,
    floored_pd,
    requirement,
    risk_weight,
)
from liquidity.rules.basel.provisions import conditional_losses, ecl, ecl_rate, stages
from liquidity.rules.basel.securitisation import attached, attachment, sec_sa, tranche_weight
from liquidity.rules.basel.standardised import exposure, output_floor, standard_weight
from liquidity.rules.basel.vasicek import conditional_pd, worst_rate

__all__ = [
    "attached", "attachment", "conditional_losses", "conditional_pd", "correlation", "ecl", "ecl_rate",
    "expected_loss", "exposure", "floored_lgd", "floored_pd", "output_floor", "requirement", "risk_weight", "sec_sa",
    "stages", "standard_weight", "tranche_weight", "worst_rate",
]  # fmt: skip
