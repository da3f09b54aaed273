"""What each rule takes of a yuan lent, over the life of the loan (DESIGN 7.2).

Definition rows B z + E x = h fix the states z by the decisions x. One unit of a decision leaves the footprint
A_x - A_z B^-1 E on every other row, so  margin_x - sum over rules of charge[rule, x] = reduced cost of x,  exactly.
All terms are CNY per CNY and may be ranked. One transposed solve per rule, never decision by decision.

The same as a rate per year: one CNY lent is outstanding for 1 / (L + M) CNY-years in all, L and M being the yearly
intensities of repayment and default (DESIGN 5), so a charge times L + M is what it takes a year of what is outstanding.
The factor is the segment's alone, so the identity holds in rates as it does in money.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
import scipy.sparse.linalg as spla
import xarray as xr

from liquidity.program.compile import Family, Program

FUTURE = "future_relending"
LONG = ["segment", "borrower", "facility", "item", "charge"]
LENDING = ["segment", "borrower", "facility"]


@dataclass(frozen=True)
class Charges:
    """`margin` and `reduced` by decision column, `charge[item]` by rule; `columns` are their places in the program.

    `gap` is the largest error of the identity, CNY per CNY.
    """

    columns: np.ndarray
    margin: np.ndarray
    charge: dict[str, np.ndarray]
    reduced: np.ndarray
    gap: float


def make_charges(program: Program, price: np.ndarray, reduced: np.ndarray) -> Charges:
    """Margins and charges of every decision column, from the prices of a solved program (integers held)."""
    state, defined = program.state, program.definition
    free = np.flatnonzero(~state)
    rows = program.matrix.tocsr()
    inner = rows[defined].tocsc()
    basis = spla.splu(inner[:, np.flatnonzero(state)])
    entry = inner[:, free]
    rest = rows[~defined].tocsc()
    rest_states, rest_free = rest[:, np.flatnonzero(state)].tocsr(), rest[:, free].tocsr()
    margin = program.cost[free] - entry.T @ basis.solve(program.cost[state], trans="T")
    place = np.cumsum(~defined) - 1
    charge = {
        item: footprint(basis, entry, rest_states, rest_free, place[members], price[members])
        for item, members in items(program).items()
    }
    gap = margin - sum(charge.values()) - reduced[free]
    return Charges(free, margin, charge, reduced[free], float(np.abs(gap).max(initial=0.0)))


def footprint(basis: spla.SuperLU, entry: sp.csc_matrix, states: sp.csr_matrix, free: sp.csr_matrix, rows: np.ndarray,
              price: np.ndarray) -> np.ndarray:  # fmt: skip
    """Price-weighted footprint of every decision on some rows."""
    used = price != 0
    if not used.any():
        return np.zeros(free.shape[1])
    rows, price = rows[used], price[used]
    through = basis.solve(states[rows].T @ price, trans="T")
    return free[rows].T @ price - entry.T @ through


def items(program: Program) -> dict[str, np.ndarray]:
    """Rows by item: one per rule, the structure, and the right to relend later (requests of later periods)."""
    found: dict[str, list[np.ndarray]] = {}
    for family in program.rows:
        if family.kind == "definition":
            continue
        rows = np.arange(family.start, family.stop)
        later = is_later_request(family)
        for name, members in ((family.owner, rows[~later]), (FUTURE, rows[later])):
            if len(members):
                found.setdefault(name, []).append(members)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def is_later_request(family: Family) -> np.ndarray:
    """Rows of the rule of kind requests, the only one without a cause of its own, after tonight."""
    if family.kind != "rule" or family.code:
        return np.zeros(len(family.index), bool)
    at = family.dims.index("period")
    return np.array([index[at] > 1 for index in family.index], bool)


def turnover(data: xr.Dataset) -> pd.Series:
    """L + M by segment, 1/year: how fast a loan is repaid or lost; one CNY lent is outstanding 1 / (L + M) CNY-years.

    `data` as the program's inputs: L = -12 ln(1 - monthly_payment_rate), M = -ln(1 - pd).
    """
    total = data.pay_intensity + data.default_intensity
    return pd.Series(total.values, index=[str(segment) for segment in data.segment.values])


def lanes(program: Program, charges: Charges, period: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Lending of one period [segment, borrower, facility], and where each stands among the columns of `charges`."""
    family = program.column("lend")
    lend = family.frame()
    lend = lend[lend.period == period]
    return lend[LENDING].reset_index(drop=True), np.searchsorted(charges.columns, lend.index.to_numpy() + family.start)


def charges_table(program: Program, charges: Charges, labels: list[str], speed: pd.Series,
                  period: int = 1) -> pd.DataFrame:  # fmt: skip
    """Long table of one period's lending: segment, borrower, facility, period, item, charge (CNY per CNY), per_year.

    Items: `margin`, one per rule that takes anything, `future_relending`, `reduced_cost`; margin less all charges
    is the reduced cost, in `charge` and in `per_year` (1/year of what is outstanding). `labels` are the periods' ISO
    dates, `speed` as `turnover` gives it.
    """
    lend, at = lanes(program, charges, period)
    wide = {"margin": charges.margin[at], **{k: v[at] for k, v in charges.charge.items() if np.any(v[at])}}
    wide["reduced_cost"] = charges.reduced[at]
    table = pd.DataFrame(wide, index=pd.MultiIndex.from_frame(lend))
    long = table.rename_axis(columns="item").stack().reset_index().set_axis(LONG, axis=1)
    long.insert(3, "period", labels[period - 1])
    return long.assign(per_year=long.charge * long.segment.map(speed))
