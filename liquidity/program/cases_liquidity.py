"""Published examples of the Basel liquidity ratios, by the formulas that the rules write as rows."""

from __future__ import annotations

from liquidity.rules.liquidity_formulas import ASF, HAIRCUT_2A, hqla, net_outflow, weighted


def coverage(level1: float, level2a: float, outflow: float, inflow: float) -> dict[str, float]:
    """Liquid assets and net outflow in the money of the example, LCR in %; `level2a` after its haircut."""
    assets, leaves = hqla(level1, level2a), net_outflow(outflow, inflow)
    return {"liquid assets": assets, "net outflow": leaves, "LCR": assets / leaves * 100}


def solve_coverage_gross() -> dict[str, float]:
    """Level 2A before its haircut."""
    return coverage(120.0, 40.0 * (1 - HAIRCUT_2A), 200.0, 70.0)


def solve_coverage_net() -> dict[str, float]:
    """Level 2A after its haircut."""
    return coverage(550.0, 250.0, 1_100.0, 450.0)


def solve_stable_funding() -> dict[str, float]:
    """Available stable funding in millions, and the NSFR in % of a required amount that is given."""
    funding = {"capital": 10.0, "stable_deposits": 15.0, "less_stable_deposits": 10.0, "corporate_under_year": 17.0}
    available = weighted(funding, ASF)
    return {"available funding": available, "NSFR": available / 35.0 * 100}


def solve_stable_deposits() -> dict[str, float]:
    """Stable retail deposits that count, two amounts."""
    return {f"of {amount:,.0f}": weighted({"stable_deposits": amount}, ASF) for amount in (3_400.0, 3_873.0)}
