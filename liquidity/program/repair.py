"""No night without an answer: when the rules contradict each other, the least of them gives way (DESIGN 5).

Tier by tier, law first, the tier's total scaled shortfall is made as small as it can be and then held there; the
shortfalls are frozen into the bounds and net worth is maximised. Breach prices are not used: any finite price invites
breaching and pollutes every charge.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from liquidity.errors import SolverFailed
from liquidity.program.compile import Family, Program
from liquidity.program.patterns import choose_pattern
from liquidity.program.solve import Answer, Infeasible, Options, Packed, Session, pack_basis
from liquidity.program.start import Start

PATIENCE = 20.0
"""Seconds for a method at the edge of what is feasible: one that needs more seldom ends, and the next one does."""
MANY = 40_000
"""Most warm steps: 6000 take two seconds at the size of the sample lender, so that their number ends them there before
the clock does; interior point from nothing takes as long as 4000."""
SLIVER = 1e-6
PART = 1e-6
"Prices of a proof below this part of its largest are rounding."
SHORT = 1e-9
TOLD = 2 * SHORT
"""Scaled shortfalls up to this are slivers of rounding and told in nobody's name."""


@dataclass(frozen=True)
class Repair:
    """What gave way: one line per row (`rule, what, at, bound, shortfall`; units), and the rules in conflict.

    `clash` are the rows of these rules that contradict each other, by the prices of their least shortfall. `point` is
    the basis of the elastic program at the least shortfalls, `basis` that of the loosened program, from which it is
    solved on; `choice` its yes/no decisions, whole only where that was asked for.
    """

    gave_way: pd.DataFrame
    conflict: tuple[str, ...]
    clash: np.ndarray
    point: Packed
    basis: Any
    choice: np.ndarray


@dataclass(frozen=True)
class Elastic:
    """A program with a shortfall column on each of `rows`, and one row per tier that adds its scaled shortfalls up.

    `weight` is what a unit of shortfall adds to its total; the shortfalls are the columns from `first` on.
    """

    program: Program
    rows: np.ndarray
    tier: np.ndarray
    weight: np.ndarray
    first: int

    @property
    def tiers(self) -> list[float]:
        """Tiers in the order of protection."""
        return sorted(set(self.tier.tolist()))


def repair(program: Program, tier_of: dict[str, float], materiality: float, book: float, options: Options,
           whole: bool = False) -> tuple[Program, Repair]:  # fmt: skip
    """Loosen the rules by the least shortfall, tier by tier. Returns the loosened program and what gave way.

    `tier_of`: tier of each rule (1 is protected first; a half for rules whose breach ends a revolving period);
    `materiality`: by how much a tier's total may exceed its least for the sake of the next; `book`: size of the book,
    units; `whole`: whether yes/no decisions must be whole, which takes many more solves. Raises SolverFailed when no
    plan exists even so.
    """
    elastic = make_elastic(program, tier_of, book)
    session = Session(elastic.program, hurried(options))
    basis, suspects, short = None, set(), np.zeros(len(elastic.rows))
    for number, tier in enumerate(elastic.tiers):
        cost = np.zeros(elastic.program.shape[1])
        cost[elastic.first :] = np.where(elastic.tier == tier, -elastic.weight, 0.0)
        session.objective(cost)
        try:
            answer = least_short(session, basis) if whole else session.solve(basis, doubt=True)
        except Infeasible as error:
            raise SolverFailed("no plan exists even when every rule gives way: check cash and maturities") from error
        least = -(answer.objective - program.constant)
        basis, short = answer.basis, answer.x[elastic.first :]
        columns = elastic.first + np.flatnonzero(elastic.tier == tier)
        if tier % 1:
            # rows that end a revolving period: those that can be met are, whatever it would do for a lower tier
            columns = columns[answer.x[columns] <= SHORT]
        if least <= SHORT or tier % 1:
            # a tier that needs nothing gets nothing, or a rule would be told to give way for what helps a lower tier;
            # held by its columns, not by its total: a total of nought leaves interior point no interior
            session.upper[columns] = np.maximum(answer.x[columns], 0.0)
        if least > SHORT:
            session.row_upper[program.shape[0] + number] = (1 + materiality) * least + SLIVER
            suspects |= owners(program, np.flatnonzero(np.abs(answer.price[: program.shape[0]]) > SHORT))
    loose = freeze(program, elastic.rows, short)
    conflict, clash = find_conflict(elastic, sorted(suspects), options, basis)
    choice, point = session.lower[: program.shape[1]][program.integer], pack_basis(basis)
    short_of = gave_way(elastic, program, short)
    return loose, Repair(short_of, conflict, clash, point, project(basis, program), choice)


def hurried(options: Options) -> Options:
    """The options of a solve at the edge: long warm steps, and little patience with each method at first."""
    return replace(options, patience=PATIENCE, simplex_iteration_limit=MANY)


def least_short(session: Session, basis: Any) -> Answer:
    """The least shortfall with whole yes/no decisions, all of them open again."""
    open_ = session.program.integer
    session.lower[: len(open_)][open_], session.upper[: len(open_)][open_] = 0.0, 1.0
    best = choose_pattern(session, Start(basis))[1]
    return session.solve(basis if best is None else best.basis, doubt=True)


def make_elastic(program: Program, tier_of: dict[str, float], book: float, also: Collection[str] = ()) -> Elastic:
    """Add shortfall columns (>= 0) to the repairable rows, and those of the rules `also`, and a total per tier.

    A shortfall is scaled by the row's bound, at least 1% of the book.
    """
    families = [family for family in program.rows if family.repairable or family.owner in also]
    rows = np.concatenate([np.arange(family.start, family.stop) for family in families] or [np.zeros(0, int)])
    tier = np.concatenate(
        [np.full(len(family.index), float(tier_of[family.owner])) for family in families] or [np.zeros(0, int)]
    )
    at_most = np.isfinite(program.row_upper[rows])
    bound = np.where(at_most, program.row_upper[rows], program.row_lower[rows])
    scale = np.maximum(np.abs(bound), 1e-2 * book)
    count, (height, width) = len(rows), program.shape
    short = sp.csc_matrix((np.where(at_most, -1.0, 1.0), (rows, np.arange(count))), shape=(height, count))
    order = {name: place for place, name in enumerate(sorted(set(tier.tolist())))}
    totals = sp.csc_matrix(
        (1.0 / scale, ([order[name] for name in tier.tolist()], width + np.arange(count))),
        shape=(len(order), width + count),
    )
    matrix = sp.vstack([sp.hstack([program.matrix, short]), totals]).tocsc()
    wide, tall = np.zeros(count), np.full(len(order), np.inf)
    index = tuple((int(row),) for row in rows)
    bigger = replace(
        program,
        matrix=matrix,
        cost=np.concatenate([program.cost, wide]),
        column_lower=np.concatenate([program.column_lower, wide]),
        column_upper=np.concatenate([program.column_upper, np.full(count, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(count, bool)]),
        row_lower=np.concatenate([program.row_lower, -tall]),
        row_upper=np.concatenate([program.row_upper, tall]),
        columns=(*program.columns, Family("", "shortfall", "decision", ("row",), index, width)),
        rows=(*program.rows, Family("repair", "tier", "terms", ("tier",), tuple((name,) for name in order), height)),
    )
    return Elastic(bigger, rows, tier, 1.0 / scale, width)


def freeze(program: Program, rows: np.ndarray, short: np.ndarray) -> Program:
    """The program with every bound moved by its shortfall, and a sliver more so that a vertex remains."""
    slack = np.where(short > SHORT, short + SLIVER, 0.0)
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[rows] -= np.where(np.isfinite(lower[rows]), slack, 0.0)
    upper[rows] += np.where(np.isfinite(upper[rows]), slack, 0.0)
    return replace(program, row_lower=lower, row_upper=upper)


def owners(program: Program, rows: np.ndarray) -> set[str]:
    """Rules that own any of the rows and may give way or be lifted."""
    return {
        family.owner
        for family in program.rows
        if family.kind == "rule" and (family.repairable or family.liftable) and inside(family, rows)
    }


def inside(family: Family, rows: np.ndarray) -> bool:
    """Whether any of the rows is of the family."""
    return bool(((rows >= family.start) & (rows < family.stop)).any())


def find_conflict(elastic: Elastic, suspects: list[str], options: Options,
                  basis: Any = None) -> tuple[tuple[str, ...], np.ndarray]:  # fmt: skip
    """A smallest set of rules that cannot hold together, and their rows that contradict each other.

    Each suspect is dropped for which the rest still conflict. The suspects are the rules with a price in the least
    shortfall: together they prove the contradiction. Rules conflict when their least shortfall, all others lifted, is
    not nought: a size to read, where a verdict of infeasible is not to be trusted at the edge. Rules that never give
    way are lifted in their turn. `basis`: a point of the elastic program to start from.
    """
    if not suspects:
        return (), np.zeros(0, int)
    session, held, proof = Session(elastic.program, hurried(options)), set(suspects), None
    for name in suspects:
        if len(held) == 1:
            break
        answer = shortest(session, elastic, held - {name}, suspects, basis)
        basis = answer.basis
        if elastic.program.constant - answer.objective > SHORT:
            proof = answer
            held.discard(name)
    if proof is None:
        proof = shortest(session, elastic, held, suspects, basis)
    size = np.abs(proof.price[: len(proof.price) - len(elastic.tiers)])
    rows = np.flatnonzero(size > PART * size.max(initial=0.0))
    mine = np.isin(row_owners(elastic.program)[rows], sorted(held))
    return tuple(sorted(held)), rows[mine]


def shortest(session: Session, elastic: Elastic, held: set[str], suspects: list[str], basis: Any) -> Answer:
    """The least shortfall of some of the suspects, every other rule that may give way or is suspected lifted."""
    names = row_owners(elastic.program)
    cost = np.zeros(elastic.program.shape[1])
    cost[elastic.first :] = np.where(np.isin(names[elastic.rows], sorted(held)), -elastic.weight, 0.0)
    session.objective(cost)
    session.lift(np.isin(names, sorted(set(suspects) - held)))
    return session.solve(basis, doubt=True)


def row_owners(program: Program) -> np.ndarray:
    """The owner of every row."""
    names = np.empty(program.shape[0], object)
    for family in program.rows:
        names[family.place] = family.owner
    return names.astype(str)


def gave_way(elastic: Elastic, program: Program, short: np.ndarray) -> pd.DataFrame:
    """One line per row that gave way."""
    told = short * elastic.weight > TOLD
    found = {int(row): float(amount) for row, amount in zip(elastic.rows[told], short[told])}
    out = []
    for family in program.rows:
        for place, index in enumerate(family.index, family.start):
            if place in found:
                bound = program.row_upper[place] if np.isfinite(program.row_upper[place]) else program.row_lower[place]
                at = ";".join(f"{dim}={value}" for dim, value in zip(family.dims, index))
                out.append((family.owner, family.name, at, float(bound), found[place], place))
    return pd.DataFrame(out, columns=["rule", "what", "at", "bound", "shortfall", "row"])


def project(basis: Any, program: Program) -> Any:
    """The basis of the elastic program cut to the program itself; HiGHS completes it where it is called alien."""
    height, width = program.shape
    basis.row_status = list(basis.row_status)[:height]
    count = sum(len(f.index) for f in program.rows if f.liftable or f.repairable)
    status = list(basis.col_status)
    basis.col_status = status[:width] + status[len(status) - count :]
    basis.alien = True
    return basis
