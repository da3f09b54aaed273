"""CPU and wall seconds by phase of a run."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager


def cpu_seconds() -> float:
    """CPU seconds of this process."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


class Clock:
    """Times phases; `seconds[phase]` holds `cpu` and `wall`. What workers do is added by `add`."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the body as part of the phase."""
        cpu, wall = cpu_seconds(), time.perf_counter()
        try:
            yield
        finally:
            self.add(name, cpu_seconds() - cpu, time.perf_counter() - wall)

    def add(self, name: str, cpu: float, wall: float) -> None:
        """Add seconds to a phase."""
        before = self.seconds.get(name, {"cpu": 0.0, "wall": 0.0})
        self.seconds[name] = {"cpu": round(before["cpu"] + cpu, 3), "wall": round(before["wall"] + wall, 3)}
