"""The amounts of a night from two trees and from nothing: the same, by segment, tonight and over 30 days.

Run: python benchmarks/prove_amounts.py [RULEBOOK]. The sets of lifted causes are solved by the usual tree, by the tree
in reverse order, and each from nothing by interior point and crossover; prints the largest difference of any amount as
a share of what passed every gate, and CPU seconds. Exit code 1 where a difference exceeds 1e-6.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from liquidity import read_book, read_rulebook
from liquidity.explain.amounts import Amounts, Game
from liquidity.explain.lattice import Crew, Lifted, Lifter, Node
from liquidity.program.solve import pack_basis
from liquidity.runs.contrast import stand
from liquidity.runs.night import Decided, solver_options

EXACT = 1e-6


class ColdLifter(Lifter):
    """Every set from nothing, by interior point and crossover; no set is taken for granted."""

    def solve(self, lifted: Lifted, start: Any) -> tuple[Node, Any]:
        """See Lifter."""
        self.session.methods = ("ipx", "dual")
        return super().solve(lifted, None)

    def acts(self, more: Lifted, at: Node) -> bool:
        """See Lifter."""
        return True


class Reversed(Game):
    """The easiest cause first."""

    def order(self, met: Any) -> tuple[str, ...]:
        """See Game."""
        return super().order(met)[::-1]


def play(night: Decided, game: type[Game], lifter: type[Lifter]) -> tuple[Amounts, float]:
    """Amounts by one way, in this process, and CPU seconds."""
    begun = time.process_time()
    held, options = night.solved.held, solver_options(night.pool.rulebook)
    with Crew(1) as crew:
        crew.lifter = lifter(held, night.goals, options)
        one = game(crew, {rule.code for rule in night.pool.rulebook.rules} - {"", "FUNDING"},
                   pack_basis(night.solved.staged.first.basis), 0)  # fmt: skip
        one.play()
    return one.amounts(night.goals.segments), time.process_time() - begun


def main(rulebook: str = "models/online_microlender.toml") -> int:
    """Compare."""
    rules = read_rulebook(Path(rulebook))
    night = stand(read_book(rules.book), rules)
    x = night.solved.staged.last.x
    freed = np.array([[float(np.abs(night.goals.wanted[w] @ x).sum())] for w in (0, 1)])
    usual, cpu = play(night, Game, Lifter)
    print(f"usual tree: {usual.solves} re-solves, {usual.same} sets needed none, {cpu:.0f} CPU s", flush=True)
    worst = 0.0
    for name, game, lifter in (("reversed tree", Reversed, Lifter), ("cold interior point", Game, ColdLifter)):
        other, cpu = play(night, game, lifter)
        causes = sorted({*usual.part, *other.part})
        nothing = np.zeros_like(usual.declined)
        gaps = {c: np.abs((usual.part.get(c, nothing) - other.part.get(c, nothing)) / freed).max() for c in causes}
        worst = max(worst, *gaps.values())
        print(f"{name}: {other.solves} re-solves, {cpu:.0f} CPU s; largest difference {max(gaps.values()):.1e} of what "
              f"passed every gate ({max(gaps, key=lambda c: gaps[c])})", flush=True)  # fmt: skip
    return int(worst > EXACT)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
