"""CPU and wall seconds by phase of a run, workers included."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager


def cpu_seconds() -> float:
    """CPU seconds of this process and of the workers that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Clock:
    """Times phases one after the other; `seconds[phase]` holds `cpu` and `wall`."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the body as part of the phase."""
        cpu, wall = cpu_seconds(), time.perf_counter()
        try:
            yield
        finally:
            spent = {"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}
            before = self.seconds.get(name, {"cpu": 0.0, "wall": 0.0})
            self.seconds[name] = {key: round(before[key] + spent[key], 3) for key in spent}
