"""A nightly run whose time inside HiGHS is told apart from the time around it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import highspy

from liquidity.runs import nightly
from liquidity.runs.clock import Clock


class SplitClock(Clock):
    """A clock that also adds up the CPU seconds that HiGHS spent in this process, by phase."""

    inside: dict[str, float]

    def __init__(self) -> None:
        super().__init__()
        self.inside = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """See Clock."""
        before = spent.seconds
        with super().phase(name):
            yield
        self.inside[name] = self.inside.get(name, 0.0) + spent.seconds - before


class Spent:
    """CPU seconds in `Highs.run` of this process."""

    seconds = 0.0


spent = Spent()


def time_inside(rulebook: Path, book: Path, out: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Run a night; its record, and CPU seconds by phase with `highs_s` of the phase `solve` apart from `solve_s`.

    For this process only: it replaces `Highs.run` and the clock of the nightly job.
    """
    plain = highspy.Highs.run

    def run(self: Any) -> Any:
        start = time.process_time()
        try:
            return plain(self)
        finally:
            spent.seconds += time.process_time() - start

    clock = SplitClock()
    clock_made = nightly.Clock
    setattr(highspy.Highs, "run", run)  # noqa: B010  (mypy would have none of a plain assignment)
    setattr(nightly, "Clock", lambda: clock)  # noqa: B010
    try:
        record, _ = nightly.run_nightly(nightly.Job(rulebook, book=str(book), out=out))
    finally:
        setattr(highspy.Highs, "run", plain)  # noqa: B010
        setattr(nightly, "Clock", clock_made)  # noqa: B010
    seconds = {f"{name}_s": part["cpu"] for name, part in clock.seconds.items()}
    inside = clock.inside["solve"]
    return record, {**seconds, "solve_s": seconds["solve_s"] - inside, "highs_s": inside}
