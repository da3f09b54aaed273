"""Figures of capital, provisions and securitisation, typed from their sources: (case, figure) -> value, digits."""

from __future__ import annotations

ANNEX = {
    # PD: mortgage 45, 25; other retail 45, 85; QRRE 45, 85
    "0.05": (6.23, 3.46, 6.63, 12.52, 1.51, 2.86),
    "0.25": (21.30, 11.83, 21.15, 39.96, 5.76, 10.88),
    "0.50": (35.08, 19.49, 32.36, 61.13, 10.04, 18.97),
    "1.00": (56.40, 31.33, 45.77, 86.46, 17.22, 32.53),
    "1.50": (None, 40.80, 53.37, 100.81, 23.40, 44.19),
    "2.50": (100.64, 55.91, 60.90, 115.03, 33.98, 64.18),
    "3.00": (111.99, 62.22, None, None, None, None),
}
MORE = {
    "3.00": (None, None, 62.79, 118.61, 38.66, 73.03),
    "5.00": (148.22, 82.35, 66.42, 125.45, 54.74, 103.41),
    "10.00": (204.41, 113.56, 75.54, 142.69, 83.89, 158.47),
    "20.00": (253.12, 140.62, 100.28, 189.41, 117.99, 222.86),
}
COLUMNS = ("mortgage 45", "mortgage 25", "other 45", "other 85", "QRRE 45", "QRRE 85")
LEVELS = ("50", "90", "95", "99", "99.9")
ONE = (0.008791, 0.017312, 0.020747, 0.028752, 0.040621)
TWO = (0.015200, 0.041136, 0.052987, 0.082357, 0.128237)


def weights(case, table):
    """The printed cells of a table."""
    return {
        (case, f"{column}, {pd}%"): (value, 2)
        for pd, row in table.items()
        for column, value in zip(COLUMNS, row, strict=True)
        if value is not None
    }


def plain(case, **figures):
    """Figures by name, `_` for a blank."""
    return {(case, name.replace("_", " ")): value for name, value in figures.items()}


BASEL = {
    **weights("IRB: class, LGD, PD", ANNEX),
    **weights("IRB, reference", MORE),
    ("IRB, reference", "R, 0.1%"): (0.155529, 6),
    ("IRB, reference", "R, 1%"): (0.121609, 6),
    ("IRB, reference", "R, 2%"): (0.094556, 6),
    ("IRB, reference", "R, 5%"): (0.052591, 6),
    ("IRB, reference", "R, 10%"): (0.033926, 6),
    **plain("IRB, reference", QRRE_worst_rate=(0.071418, 6), QRRE_weight=(54.63, 2)),
    **plain("worst default rate", WCDR=(0.128, 3), loss=(5.13, 2)),
    **{("Vasicek: PD, rho, q", f"1%, rho 0.04, {level}%"): (value, 6) for level, value in zip(LEVELS, ONE)},
    **{("Vasicek: PD, rho, q", f"2%, rho 0.10, {level}%"): (value, 6) for level, value in zip(LEVELS, TWO)},
    ("Vasicek: PD, rho, q", "2%, z -3"): (0.068941, 6),
    ("Vasicek: PD, rho, q", "2%, z -2"): (0.045720, 6),
    ("Vasicek: PD, rho, q", "2%, z -1"): (0.029247, 6),
    ("Vasicek: PD, rho, q", "2%, z 0"): (0.018037, 6),
    ("Vasicek: PD, rho, q", "2%, z 1"): (0.010718, 6),
    ("Vasicek: PD, rho, q", "5%, z -3"): (0.143122, 6),
    ("Vasicek: PD, rho, q", "5%, z -2"): (0.101949, 6),
    ("Vasicek: PD, rho, q", "5%, z 0"): (0.046598, 6),
    **plain("undrawn limits", RWA=(97.5, 1), capital=(10.2375, 4)),
    ("SEC-SA tranche", "Ka, known part"): (0.1146, 4),
    **plain("SEC-SA tranche", Ka=(0.1235, 4), risk_weight=(954, 0)),
    ("retail pool tranches", "25% to 100%"): (15, 0),
    ("retail pool tranches", "15% to 25%"): (135.74, 2),
    ("retail pool tranches", "12% to 25%"): (187.92, 2),
    ("retail pool tranches", "0% to 12%"): (1020.08, 2),
    ("retail pool tranches", "first loss"): (9.79, 2),
    **plain("stage 1 allowance", loss_allowance=(1250, 0)),
    **plain("lifetime loss", first_year=(1.090909, 6)),
    **plain(
        "revolving ABS",
        interest=(12.5, 1), servicing=(0.833333, 6), interest_A=(3.0, 1), interest_B=(0.6125, 4),
        interest_M=(0.297917, 6), defaults=(4.166667, 6), excess_spread=(3.589583, 6), principal=(120, 0),
        to_reinvest=(124.166667, 6),
    ),
    ("revolving ABS", "early: pool"): (876.3333, 4),
    ("revolving ABS", "early: class A"): (626.3333, 4),
    ("revolving ABS", "excess spread, year"): (4.3075, 4),
    ("revolving ABS", "base rate"): (5.6925, 4),
    ("revolving ABS", "break-even loss"): (9.3075, 4),
}  # fmt: skip
