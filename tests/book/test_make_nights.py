"""Nights of the made lenders: calm declines nothing, random ones are feasible, the sample's is worth telling."""

from pathlib import Path

import numpy as np
import pytest

from liquidity.book import Book
from liquidity.book.make import book_of, calm, make_lender, online_microlender
from liquidity.program.build import build_pool
from liquidity.program.compile import Program, compile_program
from liquidity.program.night import Solved, solve_night
from liquidity.program.solve import Options
from liquidity.program.stages import Goals, make_goals
from liquidity.rules.rulebook import read_rulebook

MODELS = Path(__file__).parents[2] / "models"


def night(book: Book, name: str) -> tuple[Program, Goals, Solved]:
    """The night solved with a rulebook of `models/`, without charges and amounts."""
    rulebook = read_rulebook(MODELS / f"{name}.toml")
    pool = build_pool(book, rulebook)
    program = compile_program(pool)
    goals = make_goals(pool, program)
    tiers = {rule.name: rule.priority for rule in rulebook.rules}
    size = float(book["balances"]["balance"].sum()) / pool.unit
    return program, goals, solve_night(program, goals, tiers, rulebook.materiality, size, Options())


def declined(goals: Goals, solved: Solved, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Declined and wanted by segment in window 0 (tonight) or 1 (30 days), program units."""
    x = solved.staged.last.x
    wanted = goals.wanted[window] @ x
    return wanted - goals.relent[window] @ x, wanted


def test_the_calm_lender_declines_nothing() -> None:
    _, goals, solved = night(book_of(calm()), "calm")
    assert solved.gave_way is None
    for window in (0, 1):
        missing, wanted = declined(goals, solved, window)
        assert (wanted > 0).all()
        assert np.abs(missing).max() < 1e-9 * wanted.sum()


def test_every_limit_of_the_calm_lender_has_room() -> None:
    program, _, solved = night(book_of(calm()), "calm")
    price = np.abs(solved.staged.first.price)
    near = {family.owner for family in program.rows if family.kind == "rule" and price[family.place].max() > 1e-9}
    # eligibility is a wall and not a limit that is near: two segments exist to stand before it
    assert near <= {"requests", "eligibility"}


@pytest.mark.parametrize(("segments", "facilities", "seed"), [(8, 5, 0), (9, 6, 1), (16, 7, 2)])
def test_the_samples_rulebook_holds_for_random_lenders(segments: int, facilities: int, seed: int) -> None:
    _, _, solved = night(book_of(make_lender(segments, facilities, seed)), "online_microlender")
    assert solved.gave_way is None


@pytest.mark.slow
def test_the_sample_night_is_feasible_and_declines_a_part_worth_telling() -> None:
    book = book_of(online_microlender())
    _, goals, solved = night(book, "online_microlender")
    assert solved.gave_way is None
    missing, wanted = declined(goals, solved, 0)
    assert 0.25 < missing.sum() / wanted.sum() < 0.45
    assert (missing > 1e-6 * wanted.sum()).sum() > 15
