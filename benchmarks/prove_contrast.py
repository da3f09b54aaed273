"""Ask for more for the segments of a night that were declined most, and prove every answer by nights solved anew.

Run: python benchmarks/prove_contrast.py [RULEBOOK] [SEGMENTS] [AMOUNT]. For every enabled and break-even change that is
told, the change is applied to book and rulebook and the night decided from the start: the segment is relent as much as
was asked, and with 99% of the change it is not. Prints one line a change and the counts; exit code 1 where one fails.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from liquidity import read_book, read_rulebook
from liquidity.book import Book
from liquidity.errors import SolverFailed
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.contrast import ENOUGH, SHORT_OF, break_even_levers, contrast, stand
from liquidity.runs.levers import levers
from liquidity.runs.night import Decided


def relent(night: Decided, segment: str, rulebook: Rulebook, book: Book) -> float:
    """Tonight's relent of a segment, CNY; minus infinity where the night has no plan."""
    try:
        again = stand(book, rulebook, night.pool.previous, repairs=False)
    except SolverFailed:
        return -np.inf
    row = again.goals.segments.index(segment)
    return float((again.goals.relent[0] @ again.solved.staged.last.x)[row]) * again.pool.unit


def main(rulebook: str = "models/online_microlender.toml", segments: str = "10", amount: str = "1000000") -> int:
    """Ask, apply, count."""
    rules = read_rulebook(Path(rulebook))
    night = stand(read_book(rules.book), rules)
    x = night.solved.staged.last.x
    declined = ((night.goals.wanted[0] - night.goals.relent[0]) @ x) * night.pool.unit
    worst = [night.goals.segments[place] for place in np.argsort(-declined, kind="stable")[: int(segments)]]
    held = failed = 0
    for segment in worst:
        begun = time.process_time()
        found = contrast(night, segment, min(float(amount), declined[night.goals.segments.index(segment)] / 2))
        cpu = time.process_time() - begun
        forced = "cannot be forced" if found.cost is None else f"forced costs {found.cost:,.0f} CNY of net worth"
        print(f"{segment}: +{found.amount:,.0f} CNY; {forced}; {found.solves} solves, {cpu:.0f} CPU s", flush=True)
        known = {lever.what: lever for lever in (*levers(night.pool, segment), *break_even_levers(night.pool, segment))}
        target = (found.now + found.amount) * (1 - ENOUGH)
        for change in (*found.enabled, *found.break_even):
            apply = known[change.what].apply
            whole = relent(night, segment, *apply(change.to))
            short = relent(night, segment, *apply(change.now + SHORT_OF * (change.to - change.now)))
            good = whole >= target > short
            held, failed = held + good, failed + (not good)
            print(f"  {'ok  ' if good else 'FAIL'} {change.rule or change.kind} {change.what}: {change.now:.6g} -> "
                  f"{change.to:.6g} {change.unit}; relent {whole:,.0f}, with 99% {short:,.0f} CNY "
                  f"(told as solved from the start: {change.proved})", flush=True)  # fmt: skip
    print(f"{held} of {held + failed} changes hold when the night is decided anew")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
