"""Published cases: their figures as printed, and our own way to them.

Every optimisation case is written like the lender's program (`liquidity.program.writer`), compiled by `compile_program`
and solved by `Session`, so that what is checked here is the road every run takes. Ratios are computed by the formulas
that the rules use.
"""

from __future__ import annotations

from liquidity.program.cases_basel import BASEL_CASES
from liquidity.program.cases_funding import solve_financing, solve_loan_policy
from liquidity.program.cases_kit import Case, Figure
from liquidity.program.cases_liquidity import (
    solve_coverage_gross,
    solve_coverage_net,
    solve_stable_deposits,
    solve_stable_funding,
)

CASES = (
    Case(
        "short-term financing",
        "Cornuejols and Tutuncu, Optimization Methods in Finance",
        (Figure("final wealth", "92.4969", "kUSD"),),
        solve_financing,
    ),
    Case(
        "bank loan policy",
        "Taha, Operations Research: Thriftem Bank",
        (
            Figure("net return", "0.99648", "USD m"),
            Figure("home loans", "7.2", "USD m"),
            Figure("commercial loans", "4.8", "USD m"),
        ),
        solve_loan_policy,
    ),
    *BASEL_CASES,
    Case(
        "LCR, gross level 2",
        "smartsolve, worked example of the LCR",
        (
            Figure("liquid assets", "154", "m"),
            Figure("net outflow", "130", "m"),
            Figure("LCR", "118.46", "%"),
        ),
        solve_coverage_gross,
    ),
    Case(
        "LCR, net level 2",
        "an FRM forum, worked example of the LCR",
        (
            Figure("liquid assets", "800", "m"),
            Figure("net outflow", "650", "m"),
            Figure("LCR", "123.08", "%"),
        ),
        solve_coverage_net,
    ),
    Case(
        "NSFR",
        "bit1024: worked example of the NSFR, required stable funding 35m",
        (Figure("available funding", "41.75", "m"), Figure("NSFR", "119.29", "%")),
        solve_stable_funding,
    ),
    Case(
        "NSFR, deposits",
        "oracle, worked figures of the NSFR",
        (Figure("of 3,400", "3230", "m"), Figure("of 3,873", "3679.35", "m")),
        solve_stable_deposits,
    ),
)
"""The published cases of a single program or a formula; those under uncertainty are in `scenarios`."""
