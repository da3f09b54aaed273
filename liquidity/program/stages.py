"""One answer: four goals, each on the optimal face of the one before (DESIGN 5).

Net worth first; then least declined tonight; then least declined in the first 30 days; then least gross contribute,
move and draw and tonight's lending by facility. The later goals choose among plans of equal net worth, so that the
answer does not depend on the algorithm. Prices come from the first.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from liquidity.program.compile import Program
from liquidity.program.solve import FACE, HERE, Answer, Session

WINDOW_DAYS = 30
DECLINING = 2
"""How many of the later stages settle what is declined; the one after them only tidies transfers."""


@dataclass(frozen=True)
class Goals:
    """What the later stages maximise, and what the explanation reads, as columns of the program.

    `stages` are costs of stages 2 to 4. `relent[w]` and `wanted[w]` are sparse rows (segment, column) for the windows
    tonight (0) and the first 30 days (1); `wanted_now` is tonight's wanted amount by segment, data.
    """

    stages: tuple[np.ndarray, ...]
    segments: tuple[str, ...]
    relent: tuple[Any, Any]
    wanted: tuple[Any, Any]


@dataclass(frozen=True)
class Staged:
    """The answer of all stages: `first` carries prices and net worth, `last` the plan.

    `touched` marks the rows that had a price while net worth and declined money were settled: rows that it leaves out
    could be lifted without any change of either.
    """

    first: Answer
    last: Answer
    touched: np.ndarray


def tie_break(name: str) -> float:
    """A weight near 1 that depends on the name only, so that ties fall the same way on every machine."""
    return 1.0 + 1e-3 * zlib.crc32(name.encode()) / 2**32


def run_stages(session: Session, stages: tuple[np.ndarray, ...]) -> Staged:
    """Walk the stages from the session's present optimum of net worth."""
    first = last = session.refresh()
    touched = np.abs(first.price) > FACE
    for number, goal in enumerate(stages):
        session.narrow()
        session.objective(goal)
        session.run(HERE, methods=("primal", "dual"), doubt=True)
        last = session.refresh()
        if number < DECLINING:  # the last stage tidies transfers: what stops it stopped no loan
            touched |= np.abs(last.price) > FACE
    return Staged(first, last, touched)


def make_goals(pool: Any, program: Program) -> Goals:
    """The goals of the stages, from the pool's data and the program's columns."""
    window = pool.grid.first_days(WINDOW_DAYS)
    names = tuple(pool.inputs.segment.values.tolist())
    row = {name: position for position, name in enumerate(names)}
    lend, balance = program.column("lend").frame(), program.column("balance").frame()
    lend_at, balance_at = program.column("lend").start, program.column("balance").start
    back = lend[lend.borrower == "returning"]
    freed = (pool.inputs.gates * pool.inputs.rep).transpose("segment", "facility", "period").to_series()
    later = balance[balance.period < window]
    share = freed.reindex(list(zip(later.segment, later.facility, later.period + 1))).to_numpy()
    columns = program.shape[1]

    def rows(frame: Any, at: int, values: np.ndarray) -> Any:
        return sp.csr_matrix((values, (frame.segment.map(row), frame.index + at)), shape=(len(names), columns))

    now, month = back[back.period == 1], back[back.period <= window]
    first = later.period == 0
    relent = tuple(rows(part, lend_at, np.ones(len(part))) for part in (now, month))
    wanted = (rows(later[first], balance_at, share[first]), rows(later, balance_at, share))
    weight = np.array([tie_break(name) for name in names]) * pool.inputs.priority.values
    tonight = weight @ relent[0]
    whole = weight @ relent[1] - weight @ wanted[1]
    return Goals((tonight, whole, plain_orders(pool, program)), names, relent, wanted)


def plain_orders(pool: Any, program: Program) -> np.ndarray:
    """Cost of stage 4: fewest gross transfers over the horizon, and tonight's lending spread the same way each time."""
    cost = np.zeros(program.shape[1])
    labels = program.column_labels()
    # a shortfall is what is missing and no more: beyond that it would only cancel against `cover`
    for name in ("contribute", "note_draw", "move", "take", "draw", "shortfall"):
        family = program.column(name)
        cost[family.place] = [-tie_break(labels[at]) for at in range(family.start, family.stop)]
    family = program.column("lend")
    tonight = [at for at, index in zip(range(family.start, family.stop), family.index) if index[-1] == 1]
    cost[tonight] = [-1e-3 * tie_break(labels[at]) for at in tonight]
    return cost
