"""The extensive form: every scenario's program side by side, what is decided alike written once.

A tree says which scenarios cannot be told apart at a stage: `stage` of every column, and `node[k, s]`, the node of
scenario k at stage s. Columns of one node are one column, rows that touch nothing later than a stage are written once a
node. Two stages are the tree with one node tonight and one a scenario after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from liquidity.program.compile import Program
from liquidity.program.linear import Block, Solver
from liquidity.program.solve import Options
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import TwoStage


@dataclass(frozen=True)
class Tree:
    """`stage` (columns of a program) and `node` (scenario, stage), whole numbers from 0.

    A node has one past: scenarios of one node share those of all stages before. Raises ValueError where they do not.
    """

    stage: np.ndarray
    node: np.ndarray

    def __post_init__(self) -> None:
        for at in range(1, self.node.shape[1]):
            pairs = np.unique(self.node[:, at - 1 : at + 1], axis=0)
            if len(pairs) != len(np.unique(pairs[:, 1])):
                raise ValueError(f"stage {at}: a node with two pasts")


@dataclass(frozen=True)
class Assembled:
    """The extensive form and where the columns of each scenario stand in it: `place` (scenario, column)."""

    block: Block
    place: np.ndarray


def assemble(programs: Sequence[Program], probability: np.ndarray, tree: Tree, risk: Risk) -> Assembled:
    """Programs of one pattern as one. With a weight on CVaR: maximise ... + weight (eta - sum p short / (1 - tail)),
    short[k] + worth[k] >= eta. Where rows of a node differ between its scenarios those of its first one are kept.
    """
    base = programs[0]
    entry = np.repeat(np.arange(base.shape[1]), np.diff(base.matrix.indptr))
    row_stage = np.zeros(base.shape[0], int)
    np.maximum.at(row_stage, base.matrix.indices, tree.stage[entry])
    place, first_column = numbered(tree.node, tree.stage)
    row_place, first_row = numbered(tree.node, row_stage)
    columns, rows = int(place.max()) + 1, int(row_place.max()) + 1
    parts, cost, constant = [], np.zeros(columns), 0.0
    sides = {name: np.zeros(rows) for name in ("row_lower", "row_upper")}
    sides |= {name: np.zeros(columns) for name in ("column_lower", "column_upper")}
    for at, (share, program) in enumerate(zip(probability, programs)):
        own = first_row[at]
        kept = own[program.matrix.indices]
        parts.append((program.matrix.data[kept], row_place[at][program.matrix.indices[kept]], place[at][entry[kept]]))
        weight = share * (1 - risk.weight)
        np.add.at(cost, place[at], weight * program.cost)
        constant += weight * program.constant
        for name in ("row_lower", "row_upper"):
            sides[name][row_place[at][own]] = getattr(program, name)[own]
        for name in ("column_lower", "column_upper"):
            sides[name][place[at][first_column[at]]] = getattr(program, name)[first_column[at]]
    data, row, column = (np.concatenate(part) for part in zip(*parts))
    matrix = sp.csc_matrix((data, (row, column)), shape=(rows, columns))
    block = Block(matrix, cost, constant, **sides)
    return Assembled(block if risk.weight == 0 else with_tail(block, programs, probability, place, risk), place)


def numbered(node: np.ndarray, stage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the members of every scenario, one for all scenarios of a node, and who came first to each.

    `node` (scenario, stage), `stage` (member). Both results (scenario, member).
    """
    place, first = np.empty((len(node), len(stage)), np.int64), np.zeros((len(node), len(stage)), bool)
    known: dict[tuple[int, int], int] = {}
    members = [np.flatnonzero(stage == at) for at in range(node.shape[1])]
    end = 0
    for scenario, nodes in enumerate(node.tolist()):
        for at, number in enumerate(nodes):
            mine = members[at]
            if (at, number) not in known:
                known[at, number] = end
                first[scenario, mine] = True
                end += len(mine)
            place[scenario, mine] = known[at, number] + np.arange(len(mine))
    return place, first


def with_tail(block: Block, programs: Sequence[Program], probability: np.ndarray, place: np.ndarray,
              risk: Risk) -> Block:  # fmt: skip
    """The block with the columns eta and short[k] and the rows that make them CVaR."""
    count, columns = len(programs), block.matrix.shape[1]
    worth = sp.vstack([
        sp.csr_matrix((program.cost, (np.zeros(len(at), int), at)), shape=(1, columns))
        for program, at in zip(programs, place)
    ])  # fmt: skip
    rows = sp.hstack([worth, -np.ones((count, 1)), sp.identity(count)])
    matrix = sp.vstack([sp.hstack([block.matrix, sp.csc_matrix((block.matrix.shape[0], count + 1))]), rows]).tocsc()
    free, none, much = [-np.inf], np.zeros(count), np.full(count, np.inf)
    return Block(
        matrix,
        np.concatenate([block.cost, [risk.weight], -risk.weight * probability / (1 - risk.tail)]),
        block.constant,
        np.concatenate([block.row_lower, [-program.constant for program in programs]]),
        np.concatenate([block.row_upper, much]),
        np.concatenate([block.column_lower, free, none]),
        np.concatenate([block.column_upper, [np.inf], much]),
    )


def two_stage_tree(problem: TwoStage) -> Tree:
    """One node tonight, one a scenario after it."""
    node = np.stack([np.zeros(problem.size, int), np.arange(problem.size)], axis=1)
    return Tree(np.where(problem.first, 0, 1), node)


@dataclass(frozen=True)
class Form:
    """The optimum of an extensive form: `objective`, `x` (scenario, column), `value` (net worth by scenario)."""

    objective: float
    x: np.ndarray
    value: np.ndarray


def solve_tree(programs: Sequence[Program], probability: np.ndarray, tree: Tree, risk: Risk,
               options: Options) -> Form:  # fmt: skip
    """Solve the extensive form of a tree. Raises Infeasible where no plan fits every scenario, or SolverFailed."""
    made = assemble(programs, probability, tree, risk)
    solver = Solver(made.block, options)
    objective = solver.solve()
    x = solver.x()[made.place]
    value = np.array([program.cost @ row + program.constant for program, row in zip(programs, x)])
    return Form(objective, x, value)
