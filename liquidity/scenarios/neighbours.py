"""Which scenarios are solved together, and from whose basis each starts: laid out from the draws alone.

The draws are halved until a chunk is small; a chunk is one task. Within it the nearest draw not yet reached hangs on
the nearest that is (Prim's tree), the first ones on the centre, the path that all were drawn around. So an answer does
not depend on how many workers there are, nor on which came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from liquidity.book import Book
from liquidity.scenarios.apply import COLUMN_OF
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.satellites import Satellites

LARGEST = 8
"""Draws in a chunk: what a worker that dies may lose."""
TASKS = 4
"""A small sweep is cut into about as many chunks, so that several workers have something to do."""
CENTRE = -1


@dataclass(frozen=True)
class Chunk:
    """Draws in the order of solving; `parents[i]` is the draw whose basis the i-th starts from, or CENTRE."""

    number: int
    draws: tuple[int, ...]
    parents: tuple[int, ...]

    def __str__(self) -> str:
        return f"draws {', '.join(map(str, sorted(self.draws)))}"


def layout(draws: list[Macro], centre: Macro, satellites: Satellites, book: Book) -> list[Chunk]:
    """All draws in chunks, neighbours together."""
    points = places(draws, centre, satellites, book)
    largest = min(LARGEST, ceil(len(draws) / TASKS))
    parts = halved(points, np.arange(len(draws)), largest)
    return [Chunk(number, *tree(points, part)) for number, part in enumerate(parts)]


def places(draws: list[Macro], centre: Macro, satellites: Satellites, book: Book) -> np.ndarray:
    """Where each draw lies, dims (draw, coordinate): by satellite model and quarter, how far what it does to the book
    is from what it does on the centre, every model in units of its own root mean square. A macro variable that no
    model reads does not count.
    """
    out = [np.zeros((len(draws), 1))]
    for model in satellites.models:
        if not model.applies(centre):
            continue
        base = None
        if model.base is None:  # the middle of the book stands for its segments
            base = float(book["segments"][COLUMN_OF[model.target]].median())
        usual = model.effect_on(centre, base)
        away = np.array([model.effect_on(draw, base) - usual for draw in draws])
        size = float(np.sqrt(np.mean(away**2)))
        if size > 0:
            out.append(away / size)
    return np.concatenate(out, axis=1)


def halved(points: np.ndarray, some: np.ndarray, largest: int) -> list[np.ndarray]:
    """The draws `some` in parts of at most `largest`: each cut is across the line of two that lie far apart."""
    if len(some) <= largest:
        return [some]
    one = some[np.argmax(apart(points[some], points[some].mean(axis=0)))]
    other = some[np.argmax(apart(points[some], points[one]))]
    order = np.argsort(apart(points[some], points[one]) - apart(points[some], points[other]), kind="stable")
    middle = (len(some) + 1) // 2
    left, right = np.sort(some[order[:middle]]), np.sort(some[order[middle:]])
    return halved(points, left, largest) + halved(points, right, largest)


def apart(points: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Squared distances to a place."""
    return ((points - place) ** 2).sum(axis=1)


def tree(points: np.ndarray, some: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The draws in the order in which the tree reaches them, and the parent of each."""
    near, parent = apart(points[some], np.zeros(points.shape[1])), np.full(len(some), CENTRE)
    left = np.ones(len(some), bool)
    order: list[int] = []
    while left.any():
        at = int(np.argmin(np.where(left, near, np.inf)))
        order.append(at)
        left[at] = False
        closer = apart(points[some], points[some[at]])
        better = left & (closer < near)
        near[better], parent[better] = closer[better], some[at]
    return tuple(int(some[at]) for at in order), tuple(int(parent[at]) for at in order)
