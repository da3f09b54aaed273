"""A fixed piece of work whose cost tells how fast the machine is at the moment."""

from __future__ import annotations

import time

import numpy as np

SIZE = 300_000
ROUNDS = 8


def reference_seconds() -> float:
    """CPU seconds of sorting and summing the same random numbers, in numpy and in plain Python."""
    values = np.random.default_rng(0).random(SIZE)
    start = time.process_time()
    for _ in range(ROUNDS):
        order = np.argsort(values, kind="stable")
        np.add.reduceat(values[order], np.arange(0, SIZE, 10))
    sum(index * 0.5 for index in range(SIZE))
    return time.process_time() - start
