"""A start changes what a solve costs and not what it finds; it travels between processes whole."""

from __future__ import annotations

import pickle
from functools import lru_cache

import numpy as np
import pytest
from books import trust_book, trust_rules

from liquidity.program.decide import Decided, Given, decide
from liquidity.program.solve import Answer, Session
from liquidity.program.start import Start

PATHS = (0.38, 0.5, 0.62)
"Parts of the balance paid a month: the classes end elsewhere in each."
HORIZON = ("2 x 1 day", "1 x 1 week", "4 x 1 month")


def given(pay: float, near: Decided | None = None) -> Given:
    """A trust that amortises, from nothing or from another one decided."""
    known, start = (None, None) if near is None else (near.program, near.solved.start)
    return Given(trust_book("2026-11-22", pay=pay), trust_rules(HORIZON, 0.2), known=known, start=start)


@lru_cache
def decided(pay: float) -> Decided:
    """It decided from nothing."""
    return decide(given(pay))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Answer | None]:
    """What the range programs found from the bases of another program."""
    found: list[Answer | None] = []
    near = Session.near

    def hear(session: Session, basis: object) -> Answer | None:
        found.append(near(session, basis))
        return found[-1]

    monkeypatch.setattr(Session, "near", hear)
    return found


def assert_same(one: Decided, other: Decided) -> None:
    mine, theirs = one.solved, other.solved
    assert mine.staged.first.objective == pytest.approx(theirs.staged.first.objective, rel=1e-12)
    assert mine.choice.note.split(";")[1:] == theirs.choice.note.split(";")[1:]
    np.testing.assert_array_equal(mine.choice.values, theirs.choice.values)
    for window in one.goals.relent:  # later lending may tie
        np.testing.assert_allclose(window @ mine.staged.last.x, window @ theirs.staged.last.x, atol=1e-6)


@pytest.mark.parametrize("pay", PATHS)
@pytest.mark.parametrize("near", PATHS)
def test_the_answer_does_not_depend_on_the_start(pay, near, asked):
    assert_same(decide(given(pay, decided(near))), decided(pay))
    assert any(asked), "no range program began where one of the other night ended"


def test_the_paths_end_their_classes_elsewhere():
    """Or the starts above would be the answers."""
    assert len({decided(pay).solved.choice.note for pay in PATHS}) > 1


@pytest.mark.parametrize("pay", PATHS[1:])
def test_a_range_program_that_loses_its_way_begins_at_the_plan(pay, monkeypatch):
    monkeypatch.setattr(Session, "near", lambda session, basis: None)
    assert_same(decide(given(pay, decided(PATHS[0]))), decided(pay))


def test_a_night_decided_again_takes_fewer_steps(monkeypatch):
    """From its own bases every range program is at its optimum."""
    steps: list[int] = []
    near = Session.near

    def count(session: Session, basis: object) -> Answer | None:
        answer = near(session, basis)
        steps.append(session.iterations)
        return answer

    monkeypatch.setattr(Session, "near", count)
    again = decide(given(0.5, decided(0.5)))
    assert steps
    assert sum(steps) == 0
    assert again.solved.start.reach.keys() == decided(0.5).solved.start.reach.keys()


def test_a_start_travels_whole():
    start = decided(0.5).solved.start
    there = pickle.loads(pickle.dumps(start))
    assert there.reach.keys() == start.reach.keys()
    assert start.reach
    for mine, theirs in ((start.basis, there.basis), *((start.reach[key], there.reach[key]) for key in start.reach)):
        assert list(mine.col_status) == list(theirs.col_status)
        assert list(mine.row_status) == list(theirs.row_status)
        assert theirs.valid
    nothing = pickle.loads(pickle.dumps(Start()))
    assert nothing.basis is None
    assert not nothing.reach
