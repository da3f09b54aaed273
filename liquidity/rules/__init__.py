"""Rules, one file each, and the rulebook that gives them their values."""

from __future__ import annotations

from liquidity.rules.advance_rate import AdvanceRate
from liquidity.rules.base import CODES, Ratio, Rule
from liquidity.rules.capital import Capital
from liquidity.rules.cash_reserve import CashReserve
from liquidity.rules.concentration import Concentration
from liquidity.rules.covenants import Covenants
from liquidity.rules.eligibility import Eligibility
from liquidity.rules.excess_concentration import ExcessConcentration
from liquidity.rules.expected_loss import ExpectedLoss
from liquidity.rules.guarantee_share import GuaranteeShare
from liquidity.rules.household_cap import HouseholdCap
from liquidity.rules.inclusion import Inclusion
from liquidity.rules.large_exposure import LargeExposure
from liquidity.rules.lending_stop import LendingStop
from liquidity.rules.leverage_multiple import LeverageMultiple
from liquidity.rules.leverage_ratio import LeverageRatio
from liquidity.rules.line_limit import LineLimit
from liquidity.rules.liquidity_coverage import LiquidityCoverage
from liquidity.rules.liquidity_ratio import LiquidityRatio
from liquidity.rules.npl_ratio import NplRatio
from liquidity.rules.partner_limit import PartnerLimit
from liquidity.rules.partner_share import PartnerShare
from liquidity.rules.pins import Pins
from liquidity.rules.pool_cover import PoolCover
from liquidity.rules.price_cap import PriceCap
from liquidity.rules.provision_cover import ProvisionCover
from liquidity.rules.relend_floor import RelendFloor
from liquidity.rules.requests import Requests
from liquidity.rules.revolving_period import RevolvingPeriod
from liquidity.rules.stability import Stability
from liquidity.rules.stable_funding import StableFunding
from liquidity.rules.standby import Standby
from liquidity.rules.survival import Survival

ALL: tuple[type[Rule], ...] = (
    Requests,
    Eligibility,
    PriceCap,
    PartnerShare,
    PartnerLimit,
    AdvanceRate,
    PoolCover,
    ExcessConcentration,
    Covenants,
    LeverageMultiple,
    LeverageRatio,
    Capital,
    CashReserve,
    Standby,
    Concentration,
    ExpectedLoss,
    NplRatio,
    ProvisionCover,
    HouseholdCap,
    Stability,
    LineLimit,
    RevolvingPeriod,
    LendingStop,
    RelendFloor,
    Inclusion,
    Pins,
    LiquidityCoverage,
    StableFunding,
    LiquidityRatio,
    Survival,
    LargeExposure,
    GuaranteeShare,
)
KINDS: dict[str, type[Rule]] = {cls.model_fields["kind"].default: cls for cls in ALL}

__all__ = ["ALL", "CODES", "KINDS", "Ratio", "Rule"]
