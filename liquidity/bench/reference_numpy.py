"""The core model in plain numpy, rows and columns counted by hand: the floor that any algebra is measured against.

The core is the lender of `cases.core_book` under the rules `cases.CORE`: every equation of DESIGN 5 but those of ABS
trusts. It is written here a second time, on purpose without anything of `liquidity.program` but the inputs, and the
tests hold it to the same rows, columns, non-zeros and objective.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from liquidity.bench.solvers import Lp
from liquidity.program.lines import floors
from liquidity.program.pool import Pool


class Arrays:
    """A program under way: columns by name as arrays of positions, and entries of rows."""

    def __init__(self) -> None:
        self.columns: dict[str, np.ndarray] = {}
        self.size, self.height = 0, 0
        self.lower: list[np.ndarray] = []
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.sides: list[tuple[np.ndarray, np.ndarray]] = []

    def column(self, name: str, *shape: int, lower: float = 0.0) -> np.ndarray:
        """New columns, as an array of their positions."""
        count = math.prod(shape)
        self.columns[name] = np.arange(self.size, self.size + count).reshape(shape)
        self.lower.append(np.full(count, lower))
        self.size += count
        return self.columns[name]

    def rows(self, shape: tuple[int, ...], *terms: tuple[np.ndarray, Any], least: Any = -np.inf, most: Any = np.inf,
             ) -> None:  # fmt: skip
        """New rows; a term is positions and coefficients, over the rows' axes and then those it is summed over."""
        count = math.prod(shape)
        at = np.arange(self.height, self.height + count).reshape(shape)
        for columns, values in terms:
            width = max(columns.ndim, np.ndim(values), len(shape))
            row = at.reshape(shape + (1,) * (width - len(shape)))
            parts = np.broadcast_arrays(row, columns, np.asarray(values, float))
            self.entries.append((parts[0].ravel(), parts[1].ravel(), parts[2].ravel()))
        self.sides.append(tuple(np.broadcast_to(side, shape).ravel() for side in (least, most)))  # type: ignore[arg-type]
        self.height += count

    def arrays(self, cost: np.ndarray) -> Lp:
        """All rows, as a solver takes them."""
        row, column, value = (np.concatenate(parts) for parts in zip(*self.entries))
        matrix = sp.csc_matrix((value, (row, column)), shape=(self.height, self.size))
        least, most = (np.concatenate(side) for side in zip(*self.sides))
        lower = np.concatenate(self.lower)
        return Lp(matrix, cost, 0.0, least, most, lower, np.full(self.size, np.inf))


def write_numpy(pool: Pool, values: dict[str, Any]) -> tuple[Arrays, np.ndarray]:
    """The core model: its rows and columns, and the cost of every column (to be maximised). Units of the pool.

    `values` are numbers of the rules, see `cases.core_values`.
    """
    d, n = pool.arrays, Arrays()
    S, F, T, L = len(d.apr), len(pool.facilities), pool.grid.size, len(pool.book["lines"])
    kind = pool.facilities.kind.to_numpy()
    W, H, J = (np.flatnonzero(kind == name) for name in ("warehouse", "balance_sheet", "joint"))
    direct, years = np.concatenate([H, J]), d.years.ravel()
    free = {"lower": -np.inf}
    lend = n.column("lend", S, 2, F, T)
    move = n.column("move", S, len(W), T)
    balance = n.column("balance", S, F, T + 1, **free)
    provision = n.column("provision", T + 1, **free)
    draw, pay_down = n.column("draw", L, T), n.column("pay_down", L, T)
    debt = n.column("debt", L, T + 1, **free)
    market_draw, market_pay = n.column("market_draw", T), n.column("market_pay", T)
    market = n.column("market_debt", T + 1, **free)
    release = n.column("release", len(W), T)
    idle = n.column("facility_cash", len(W), T + 1, **free)
    note_draw, note_pay, give = (n.column(name, len(W), T) for name in ("note_draw", "note_pay", "contribute"))
    notes = n.column("notes", len(W), T + 1, **free)
    cash, equity, other = (n.column(name, T + 1, **free) for name in ("cash", "equity", "other"))
    now, old = np.s_[..., 1:], np.s_[..., :-1]

    def fix(columns: np.ndarray, at: Any) -> None:
        n.rows(columns.shape, (columns, 1.0), least=at, most=at)

    # balances: keep and what was lent, sold or bought
    fix(balance[..., 0], d.balance[..., 0])
    fix(provision[:1], d.lender_provision)
    keep = d.keep
    for places, sold in ((H, "out"), (J, ""), (W, "in")):
        terms = [(balance[now][:, places], 1.0), (balance[old][:, places], -keep[:, places])]
        terms.append((np.moveaxis(lend[:, :, places], 1, -1), -1.0))
        if sold == "out":
            terms.append((np.moveaxis(move, 1, -1)[:, None], 1.0))
        elif sold == "in":
            terms.append((move, -1.0))
        n.rows((S, len(places), T), *terms, least=0.0, most=0.0)
    ecl = (d.ecl_rate * d.own_share)[..., 0]
    n.rows((T,), (provision[now], 1.0), (balance[now].transpose(2, 0, 1), -ecl[None]), least=0.0, most=0.0)
    n.rows((S, len(H), T), (np.moveaxis(move, 1, -1)[:, None], 1.0), (balance[old][:, H], -keep[:, H]), most=0.0)
    # lines, market, warehouses
    fix(debt[:, 0], d.debt[:, 0, 0])
    n.rows((L, T), (debt[now], 1.0), (debt[old], -1.0), (draw, -1.0), (pay_down, 1.0), least=0.0, most=0.0)
    low = np.array(list(floors(pool).values())).reshape(L, T)
    n.rows((L, T), (debt[now], 1.0), least=low)
    once = np.flatnonzero(~pool.book["lines"].revolving.to_numpy(bool))
    n.rows((len(once), T), (draw[once], 1.0), most=0.0)
    fix(market[:1], 0.0)
    n.rows((T,), (market[now], 1.0), (market[old], -1.0), (market_draw, -1.0), (market_pay, 1.0), least=0.0, most=0.0)
    n.rows((T,), (market[now], 1.0), least=0.0)
    n.rows((T,), (market[now], 1.0), most=0.0)
    fix(notes[:, 0], d.notes[0, W, 0])
    n.rows((len(W), T), (notes[now], 1.0), (notes[old], -1.0), (note_draw, -1.0), (note_pay, 1.0), least=0.0, most=0.0)
    n.rows((len(W), T), (notes[now], 1.0), least=0.0)
    own = 1 - d.advance_rate[0, W]
    into = lend[:, :, W].transpose(2, 3, 0, 1)
    by_house = (1, 2, 0)
    n.rows(
        (len(W), T), (give, 1.0), (into, -own[..., None, None]), (move.transpose(by_house), -own[..., None]),
        (balance[old][:, W].transpose(by_house), -d.loss[:, W].transpose(by_house)), most=0.0,
    )  # fmt: skip
    # cash of the vehicles
    fix(idle[:, 0], d.facility_cash[0, W, 0])
    net = (d.collected - d.servicing_fee * d.years)[:, W].transpose(by_house)
    grow = 1 + (d.facility_cash_rate * d.years)[0, W]
    cost = ((d.rate - d.unused_fee) * d.years)[0, W]
    fee = (d.unused_fee * d.note_commitment * d.years)[0, W]
    n.rows(
        (len(W), T), (idle[now], 1.0), (idle[old], -grow), (balance[old][:, W].transpose(by_house), -net),
        (release, 1.0), (notes[old], cost), (note_draw, -1.0), (note_pay, 1.0), (give, -1.0), (into, 1.0),
        (move.transpose(by_house), 1.0), least=-fee, most=-fee,
    )  # fmt: skip
    n.rows((len(W), T), (idle[now], 1.0), least=0.0)
    # the treasury
    fix(cash[:1], d.lender_cash)
    fix(equity[:1], d.lender_equity)
    fix(other[:1], d.other)
    n.rows((T,), (other[now], 1.0), (other[old], -1.0), least=-pool.flows("other"), most=-pool.flows("other"))
    on_own = np.zeros((1, F, 1))
    on_own[:, direct] = 1.0
    line_cost = ((d.line_rate - d.commitment_fee) * d.years)[:, 0]
    fixed = float((d.commitment_fee * d.line_commitment).sum() + d.lender_opex_per_year) * years
    partner = (1 - d.own_share) * d.partner_fee * d.years
    got = on_own * d.own_share * d.collected + partner + (1 - on_own) * d.servicing_fee * d.years - d.opex * d.years
    by_time = (2, 0, 1)
    share = np.broadcast_to(d.own_share[0, direct, 0], (T, S, 2, len(direct)))
    flow = pool.flows() - fixed
    n.rows(
        (T,), (cash[now], 1.0), (cash[old], -(1 + d.cash_rate * years)),
        (balance[old].transpose(by_time), -got.transpose(by_time)), (release.T, -1.0), (give.T, 1.0),
        (move.transpose(by_time), -1.0), (lend[:, :, direct].transpose(3, 0, 1, 2), share),
        (draw.T, -1.0), (pay_down.T, 1.0), (debt[old].T, line_cost.T), (market_draw, -1.0), (market_pay, 1.0),
        (market[old], d.market_rate * years), least=flow, most=flow,
    )  # fmt: skip
    earned = d.own_share * (d.interest - d.loss) + partner - d.opex * d.years
    income = pool.flows("income") - fixed - fee.sum(axis=0)
    n.rows(
        (T,), (equity[now], 1.0), (equity[old], -1.0), (balance[old].transpose(by_time), -earned.transpose(by_time)),
        (cash[old], -d.cash_rate * years), (idle[old].T, -(grow - 1).T), (debt[old].T, line_cost.T),
        (market[old], d.market_rate * years), (notes[old].T, cost.T), (provision[now], 1.0), (provision[old], -1.0),
        least=income, most=income,
    )  # fmt: skip
    n.rows((T,), (cash[now], 1.0), least=0.0)
    # the rules
    v, mine = values, d.own_share[0, :, 0]
    n.rows((len(W), T), (notes[now], 1.0), (balance[now][:, W].transpose(by_house), -(1 - own)[..., None]),
           (idle[now], -(1 - own)), most=0.0)  # fmt: skip
    weight = mine * d.risk_weight[:, 0]
    first = np.broadcast_to(equity[0], (T,))
    n.rows((T,), (equity[now], 1.0), (first, -1.0), (balance[now].transpose(by_time), -v["ratio"] * weight),
           least=-v["capital"])  # fmt: skip
    n.rows((T,), (cash[now], 1.0), least=v["amount"])
    n.rows((T,), (cash[now], 1.0), (debt[now].T, -v["line_call"]), (notes[now].T, -v["notes_call"]), least=-v["hqla"])
    groups = v["excess"].shape[0]
    held = balance[now].transpose(by_time)[None]
    n.rows((groups, T), (held, v["excess"][:, None, :, None]), most=0.0)
    excess = (d.pd * d.lgd - v["rate"])[..., 0]
    n.rows((T,), (balance[now].transpose(by_time), mine * excess), most=0.0)
    n.rows((S, T), (np.moveaxis(balance[now], 1, -1), 1.0), most=v["room"][:, None])
    times = v["times"]
    n.rows(
        (len(times), T), (debt[now].T[None], v["line_of"][:, None]), (notes[now].T[None], v["house_of"][:, None]),
        (equity[now], -times[:, None]), (first, times[:, None]), most=times[:, None] * d.lender_net_assets,
    )  # fmt: skip
    n.rows((L, T), (debt[now], 1.0), most=v["line_room"])
    n.rows((len(W), T), (notes[now], 1.0), most=d.note_commitment[0, W])
    wanted = d.gates[:, 0, :, None] * d.rep.transpose(0, 2, 1)
    n.rows((S, T), (lend[:, 0].transpose(0, 2, 1), 1.0), (balance[old].transpose(0, 2, 1), -wanted), most=0.0)
    n.rows((S, T), (lend[:, 1].transpose(0, 2, 1), 1.0), most=d.new_demand[:, 0])
    return n, goal(pool, n, W)


def goal(pool: Pool, n: Arrays, houses: np.ndarray) -> np.ndarray:
    """Net worth at the horizon."""
    d, c, out = pool.arrays, n.columns, np.zeros(n.size)
    total = d.pay_intensity + d.default_intensity + d.ref_rate
    mine = (d.apr - d.ref_rate - d.opex - d.default_intensity * d.lgd) / total
    theirs = (d.partner_fee - d.opex) / total
    out[c["equity"][-1]] = out[c["provision"][-1]] = 1.0
    out[c["balance"][..., -1]] = (d.own_share * mine + (1 - d.own_share) * theirs)[..., 0]
    out[c["debt"][:, -1]] = (d.mean_life * (d.ref_rate - d.line_rate + d.commitment_fee))[:, 0, 0]
    out[c["notes"][:, -1]] = (d.mean_life * (d.ref_rate - d.rate + d.unused_fee))[0, houses, 0]
    out[c["facility_cash"][:, -1]] = -(d.mean_life * (d.ref_rate - d.facility_cash_rate))[0, houses, 0]
    out[c["market_debt"][-1]] = d.mean_life * (d.ref_rate - d.market_rate)
    out[c["cash"][-1]] = -d.mean_life * (d.ref_rate - d.cash_rate)
    return out
