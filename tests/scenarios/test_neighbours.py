"""Chunks of neighbours: every draw once, laid out from the draws alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liquidity.book import read_book
from liquidity.scenarios.neighbours import CENTRE, LARGEST, halved, layout, tree
from liquidity.scenarios.paths import draw_paths, read_noises
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import read_scenario

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("count", [1, 5, 8, 70])
def test_every_draw_is_solved_once_after_its_parent(count):
    around = read_scenario(ROOT / "data" / "scenarios" / "rates_up.toml")
    draws = draw_paths(around, read_noises(ROOT / "models" / "macro_noise.toml"), count, seed=0)
    models, book = read_satellites(ROOT / "models" / "satellites.toml"), read_book(ROOT / "data" / "calm")
    chunks = layout(draws, around.macro, models, book)
    assert sorted(draw for chunk in chunks for draw in chunk.draws) == list(range(count))
    assert max(len(chunk.draws) for chunk in chunks) <= LARGEST
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        before = {CENTRE}
        for draw, parent in zip(chunk.draws, chunk.parents):
            assert parent in before
            before.add(draw)
    assert chunks == layout(draws, around.macro, models, book)


def test_the_tree_hangs_each_on_the_nearest_that_is_solved():
    points = np.array([[10.0], [1.0], [11.0], [-2.0], [2.5]])
    order, parents = tree(points, np.arange(5))
    assert order == (1, 4, 3, 0, 2)
    assert parents == (CENTRE, 1, CENTRE, 4, 0)


def test_cuts_keep_neighbours_together():
    points = np.array([[0.0, 0.0], [9.0, 9.0], [0.1, 0.0], [9.1, 9.0], [0.0, 0.2], [9.0, 9.3]])
    parts = [part.tolist() for part in halved(points, np.arange(6), 3)]
    assert sorted(parts) == [[0, 2, 4], [1, 3, 5]]
