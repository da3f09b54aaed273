"""Branch and bound against every choice tried, on knapsacks in several units, with ties and without a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from liquidity.program import branching
from liquidity.program.branching import Tree
from liquidity.program.compile import Family, Program
from liquidity.program.solve import Answer, Infeasible, Options, Session

COUNT = 9
CHOICES = np.array(np.meshgrid(*[[0.0, 1.0]] * COUNT, indexing="ij")).reshape(COUNT, -1).T


@dataclass
class Knapsack:
    """Worth of things, their weights by limit, and at least one of some pairs."""

    worth: np.ndarray
    weight: np.ndarray
    limit: np.ndarray
    best: Answer | None = None
    taken: np.ndarray = field(default_factory=lambda: np.zeros(0))
    solved: int = 0

    def __post_init__(self) -> None:
        free, none = np.zeros(COUNT), np.full(len(self.limit), -np.inf)
        columns = (Family("", "take", "decision", ("i",), tuple((at,) for at in range(COUNT)), 0),)
        rows = (Family("terms", "most", "terms", ("i",), tuple((at,) for at in range(len(self.limit))), 0),)
        self.session = Session(
            Program(sp.csc_matrix(self.weight), self.worth, 0.0, none, self.limit, free, np.ones(COUNT),
                    np.ones(COUNT, bool), columns, rows), Options(),
        )  # fmt: skip

    def attempt(self, basis: Any) -> Answer | None:
        self.solved += 1
        try:
            return self.session.solve(basis)
        except Infeasible:
            return None

    def keep(self, answer: Answer, whole: np.ndarray) -> None:
        assert (answer.x[:COUNT] == whole).all()
        if self.best is None or answer.objective > self.best.objective:
            self.best, self.taken = answer, whole

    def search(self, gap: float = 1e-9, guesses: tuple[np.ndarray, ...] = ()) -> Tree:
        start = self.attempt(None)
        assert start is not None
        tree = Tree(self.session, np.arange(COUNT), gap, self, self.keep)
        tree.run(start, guesses)
        return tree

    def by_hand(self) -> float:
        fits = (CHOICES @ self.weight.T - self.limit <= 1e-9).all(axis=1)
        return float((CHOICES @ self.worth)[fits].max(initial=-np.inf))


def knapsack(seed: int, same: bool = False) -> Knapsack:
    """Two limits; at least two of the first three things. `same`: all worths are one number, so that many tie."""
    made = np.random.default_rng(seed)
    worth = np.full(COUNT, 7.0) if same else made.uniform(1, 10, COUNT)
    pair = np.zeros((1, COUNT))
    pair[0, :3] = -1.0
    weight = np.vstack([made.uniform(1, 5, (2, COUNT)), pair])
    return Knapsack(worth, weight, np.array([10.0, 12.0, -2.0]))


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_of_every_choice(seed, same):
    bag = knapsack(seed, same)
    tree = bag.search()
    assert bag.best is not None
    assert bag.best.objective == pytest.approx(bag.by_hand(), rel=1e-9)
    assert tree.bound >= bag.by_hand() * (1 - 1e-9)
    assert (bag.session.lower[:COUNT] == 0).all()
    assert (bag.session.upper[:COUNT] == 1).all()


@pytest.mark.parametrize("gap", [0.02, 0.2])
@pytest.mark.parametrize("seed", range(6))
def test_a_gap_ends_it_sooner_and_is_told(seed, gap):
    exact, near = knapsack(seed), knapsack(seed)
    exact.search()
    tree = near.search(gap)
    best = near.by_hand()
    assert near.best is not None
    assert near.best.objective <= best * (1 + 1e-9) <= tree.bound * (1 + 2e-9)
    assert tree.bound <= near.best.objective * (1 + gap) * (1 + 1e-9)
    assert near.solved <= exact.solved


def test_plans_of_one_worth_end_the_search_as_soon_as_the_bound_is_met():
    """All things weigh alike, so the first plan found is as good as the bound and its ties need no program."""
    worth, weight = np.full(COUNT, 5.0), np.ones((1, COUNT))
    weight[0, -1] = 0.5
    bag = Knapsack(worth, weight, np.array([4.5]))
    tree = bag.search()
    assert bag.best is not None
    assert (bag.best.objective, tree.bound) == (pytest.approx(25.0), pytest.approx(25.0))
    assert bag.solved <= 2 * COUNT


def test_a_guess_that_fits_is_a_plan_and_one_that_does_not_is_none():
    bag = knapsack(0)
    bag.search(gap=np.inf, guesses=(np.ones(COUNT), np.array([1.0, 1.0] + [0.0] * (COUNT - 2))))
    assert bag.taken.tolist() == [1.0, 1.0] + [0.0] * (COUNT - 2)


def test_no_choice_fits():
    bag = knapsack(0)
    # half a thing would do: 2 x = 1
    bag = Knapsack(bag.worth, np.vstack([bag.weight, [[2.0] + [0.0] * (COUNT - 1)], [[-2.0] + [0.0] * (COUNT - 1)]]),
                   np.array([10.0, 12.0, -2.0, 1.0, -1.0]))  # fmt: skip
    tree = bag.search()
    assert bag.best is None
    assert tree.bound == -np.inf


def test_a_bound_on_programs_never_ends_it_without_a_plan(monkeypatch):
    monkeypatch.setattr(branching, "MOST", 1)
    bag = knapsack(3)
    tree = bag.search()
    assert bag.best is not None
    assert tree.bound >= bag.by_hand() >= bag.best.objective - 1e-9
