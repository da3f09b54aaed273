"""Figures of the Basel framework, of IFRS 9 and of a revolving ABS, by the code that the rules and the program use.

The printed table of IRB weights is rounded by hand: of its cells shown here one, 1.50% mortgage at LGD 45%, is one
unit of the last digit from the formula (73.45, exact 73.444), and is left to the tests, as are cells of other rows.
A case whose source says "reference" was computed apart from this program and published nowhere.
"""

from __future__ import annotations

import numpy as np

from liquidity.program.cases_kit import Case, Figure
from liquidity.program.waterfall import Deal, Schedule, run_waterfall
from liquidity.rules import basel
from liquidity.rules.basel.irb import MORTGAGE, OTHER_RETAIL, QRRE
from liquidity.rules.basel.standardised import RETAIL

CELLS = (("mortgage", MORTGAGE, 45), ("mortgage", MORTGAGE, 25), ("other", OTHER_RETAIL, 45),
         ("other", OTHER_RETAIL, 85), ("QRRE", QRRE, 45), ("QRRE", QRRE, 85))  # fmt: skip
PRINTED = """
0.05   6.23  3.46  6.63  12.52  1.51  2.86
0.25  21.30 11.83 21.15  39.96  5.76 10.88
0.50  35.08 19.49 32.36  61.13 10.04 18.97
1.00  56.40 31.33 45.77  86.46 17.22 32.53
1.50      - 40.80 53.37 100.81 23.40 44.19
2.50 100.64 55.91 60.90 115.03 33.98 64.18
3.00 111.99 62.22     -      -     -     -
"""
REFERENCE = """
3.00       -      -  62.79 118.61  38.66  73.03
5.00  148.22  82.35  66.42 125.45  54.74 103.41
10.00 204.41 113.56  75.54 142.69  83.89 158.47
20.00 253.12 140.62 100.28 189.41 117.99 222.86
"""
CORRELATIONS = {"0.1": "0.155529", "1": "0.121609", "2": "0.094556", "5": "0.052591", "10": "0.033926"}
QUANTILES = {("1", "0.04"): "0.008791 0.017312 0.020747 0.028752 0.040621",
             ("2", "0.10"): "0.015200 0.041136 0.052987 0.082357 0.128237"}  # fmt: skip
LEVELS = ("50", "90", "95", "99", "99.9")
CONDITIONAL = {("2", "-3"): "0.068941", ("2", "-2"): "0.045720", ("2", "-1"): "0.029247", ("2", "0"): "0.018037",
               ("2", "1"): "0.010718", ("5", "-3"): "0.143122", ("5", "-2"): "0.101949",
               ("5", "0"): "0.046598"}  # fmt: skip
BELOW = "reference value computed apart from this program, not published"


# ---- IRB and Vasicek


def weight_name(label: str, lgd: int, pd: str) -> str:
    """`QRRE 85, 1.00%`: class, LGD in %, PD."""
    return f"{label} {lgd}, {pd}%"


def cells(table: str) -> tuple[Figure, ...]:
    """Figures of a table of risk weights, one row a PD in %; `-` is not printed."""
    rows = [line.split() for line in table.split("\n") if line]
    return tuple(
        Figure(weight_name(label, lgd, pd), text, "%")
        for pd, *row in rows
        for (label, _, lgd), text in zip(CELLS, row, strict=True)
        if text != "-"
    )


def solve_weights() -> dict[str, float]:
    """Risk weights of every cell, %."""
    levels = [line.split()[0] for line in (PRINTED + REFERENCE).split("\n") if line]
    return {
        weight_name(label, lgd, pd): 100 * float(basel.risk_weight(kind, float(pd) / 100, lgd / 100))
        for pd in levels
        for label, kind, lgd in CELLS
    }


def solve_reference_weights() -> dict[str, float]:
    """The same, correlations of other retail, and one QRRE weight with the default rate behind it."""
    correlations = {f"R, {pd}%": float(basel.correlation(OTHER_RETAIL, float(pd) / 100)) for pd in CORRELATIONS}
    worst = float(basel.worst_rate(0.02, basel.correlation(QRRE, 0.02), 0.999))
    weight = 100 * float(basel.risk_weight(QRRE, 0.02, 0.85))
    return {**solve_weights(), **correlations, "QRRE worst rate": worst, "QRRE weight": weight}


def solve_loan_portfolio() -> dict[str, float]:
    """Worst default rate at 99.9% and loss of a portfolio of 100m, LGD 40%."""
    worst = float(basel.worst_rate(0.02, 0.1, 0.999))
    return {"WCDR": worst, "loss": 100 * 0.4 * worst}


def solve_quantiles() -> dict[str, float]:
    """Quantiles of the default rate, and default rates given the factor at a correlation of 0.04."""
    quantiles = {
        f"{pd}%, rho {rho}, {level}%": float(basel.worst_rate(float(pd) / 100, float(rho), float(level) / 100))
        for pd, rho in QUANTILES
        for level in LEVELS
    }
    given = {f"{pd}%, z {z}": float(basel.conditional_pd(float(pd) / 100, 0.04, float(z))) for pd, z in CONDITIONAL}
    return {**quantiles, **given}


def quantile_figures() -> tuple[Figure, ...]:
    """Figures of `solve_quantiles`."""
    quantiles = [
        Figure(f"{pd}%, rho {rho}, {level}%", text, "share")
        for (pd, rho), row in QUANTILES.items()
        for level, text in zip(LEVELS, row.split(), strict=True)
    ]
    given = [Figure(f"{pd}%, z {z}", text, "share") for (pd, z), text in CONDITIONAL.items()]
    return (*quantiles, *given)


# ---- standardised approach, securitisation, provisions


def solve_undrawn() -> dict[str, float]:
    """A revolver with 100 drawn and 300 undrawn that can be cancelled."""
    weighted = float(basel.standard_weight(True, False) * basel.exposure(100, 300))
    return {"RWA": weighted, "capital": 0.105 * weighted}


def solve_tranche() -> dict[str, float]:
    """K_SA 9%; 6% of what is known delinquent; 1% unknown; the tranche from 5% to 25%."""
    known, ka = float(basel.attached(0.09, 0.06)), float(basel.attached(0.09, 0.06, 0.01))
    return {"Ka, known part": known, "Ka": ka, "risk weight": 100 * float(basel.sec_sa(ka, 0.05, 0.25))}


def solve_retail_pool() -> dict[str, float]:
    """Tranches of a clean pool at 75%; capital of the first loss at 8%, % of the pool."""
    low, high = np.array([0.25, 0.15, 0.12, 0.0]), np.array([1.0, 0.25, 0.25, 0.12])
    weights = basel.tranche_weight(0.08 * RETAIL, 0.0, low, high, senior=[True, False, False, False])
    names = ("25% to 100%", "15% to 25%", "12% to 25%", "0% to 12%")
    return {**dict(zip(names, (100 * weights).tolist())), "first loss": 0.12 * 8 * float(weights[-1])}


def solve_impairment() -> dict[str, float]:
    """A loan of CU 1,000,000 in stage 1."""
    return {"loss allowance": float(basel.ecl([0.005], 0.25, 1e6, 0.0, 1))}


def solve_lifetime() -> dict[str, float]:
    """First year of a loan of 100, 80, 60 at 10%."""
    return {"first year": float(basel.conditional_losses(0.02, 0.6, [100, 80, 60], 0.10)[0])}


# ---- a revolving ABS


def card_trust(rep: float) -> tuple[Deal, Schedule]:
    """A month of a pool of 1,000: yield 15%, servicing 1%, charge-off 5% a year; `rep` the principal repaid."""
    month = np.full((1, 1), 1 / 12)
    loss = 0.05 * month
    deal = Deal(
        balance=np.array([1000.0]), collected=rep + 0.15 * month, interest=0.15 * month, loss=loss,
        keep=1 - rep - loss, years=month[0], notes=np.array([750.0, 150.0, 50.0, 50.0]),
        coupon=np.array([0.048, 0.049, 0.0715, 0.0]), servicing=0.01, cash_rate=0.0, cash=0.0, deficiency=0.0,
        reserve=0.0,
    )  # fmt: skip
    return deal, run_waterfall(deal)


def solve_card_trust() -> dict[str, float]:
    """A revolving month (what principal would pay is reinvested), and the first month of early amortisation."""
    deal, month = card_trust(0.12)
    _, ended = card_trust(0.12 * (1 - 0.05 / 12))
    interest = float(deal.interest[0, 0] * deal.balance[0])
    coupons = deal.coupon * deal.notes / 12
    release, cover = float(month.release[0]), float(month.cover[0])
    return {
        "interest": interest,
        "servicing": deal.servicing * float(deal.balance[0]) / 12,
        "interest A": float(coupons[0]),
        "interest B": float(coupons[1]),
        "interest M": float(coupons[2]),
        "defaults": cover,
        "excess spread": release,
        "excess spread, year": release * 12 / 10,
        "principal": float(month.pay.sum()) - cover,
        "to reinvest": float(month.pay.sum()),
        "base rate": (interest - release - cover) * 12 / 10,
        "break-even loss": (release + cover) * 12 / 10,
        "early: pool": float(ended.balance[0]),
        "early: class A": float(deal.notes[0] - ended.pay[0, 0]),
    }


def card_figures() -> tuple[Figure, ...]:
    """Figures of `solve_card_trust`; money in the unit of the pool."""
    money = {
        "interest": "12.5", "servicing": "0.833333", "interest A": "3.0", "interest B": "0.6125",
        "interest M": "0.297917", "defaults": "4.166667", "excess spread": "3.589583", "principal": "120",
        "to reinvest": "124.166667", "early: pool": "876.3333", "early: class A": "626.3333",
    }  # fmt: skip
    rates = {"excess spread, year": "4.3075", "base rate": "5.6925", "break-even loss": "9.3075"}
    return (
        *(Figure(name, text, "m") for name, text in money.items()),
        *(Figure(name, text, "%/year") for name, text in rates.items()),
    )


BASEL_CASES = (
    Case("IRB: class, LGD, PD", "Basel II (2006), Annex 5: illustrative risk weights", cells(PRINTED), solve_weights),
    Case(
        "IRB, reference",
        f"CRE31.13 to 31.16: {BELOW}",
        (
            *cells(REFERENCE),
            *(Figure(f"R, {pd}%", text, "share") for pd, text in CORRELATIONS.items()),
            Figure("QRRE worst rate", "0.071418", "share"),
            Figure("QRRE weight", "54.63", "%"),
        ),
        solve_reference_weights,
    ),
    Case(
        "worst default rate",
        "Hull, Options, Futures, and Other Derivatives: credit portfolio of 100m",
        (Figure("WCDR", "0.128", "share"), Figure("loss", "5.13", "m")),
        solve_loan_portfolio,
    ),
    Case("Vasicek: PD, rho, q", f"Vasicek: {BELOW}", quantile_figures(), solve_quantiles),
    Case(
        "undrawn limits",
        f"CRE20: {BELOW}",
        (Figure("RWA", "97.5", "m"), Figure("capital", "10.2375", "m")),
        solve_undrawn,
    ),
    Case(
        "SEC-SA tranche",
        "Central Bank of the UAE, rulebook: SEC-SA worked example",
        (Figure("Ka, known part", "0.1146", "share"), Figure("Ka", "0.1235", "share"),
         Figure("risk weight", "954", "%")),
        solve_tranche,
    ),
    Case(
        "retail pool tranches",
        f"CRE41: {BELOW}",
        (
            Figure("25% to 100%", "15", "%"),
            Figure("15% to 25%", "135.74", "%"),
            Figure("12% to 25%", "187.92", "%"),
            Figure("0% to 12%", "1020.08", "%"),
            Figure("first loss", "9.79", "%"),
        ),
        solve_retail_pool,
    ),
    Case(
        "stage 1 allowance",
        "IFRS 9, Illustrative Example 8",
        (Figure("loss allowance", "1,250", "CU"),),
        solve_impairment,
    ),
    Case("lifetime loss", f"IFRS 9, 5.5: {BELOW}", (Figure("first year", "1.090909", "m"),), solve_lifetime),
    Case("revolving ABS", f"JD 2018 structure: {BELOW}", card_figures(), solve_card_trust),
)  # fmt: skip
"""Cases of capital, provisions and securitisation, in the order of the framework."""
