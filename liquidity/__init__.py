"""Where every freed yuan of a consumer lender goes tonight, and why it did not go back to the same borrowers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liquidity.book import Book, read_book, write_book
    from liquidity.errors import BadInput, LiquidityError, Problem, SolverFailed
    from liquidity.rules.base import Rule
    from liquidity.rules.rulebook import Rulebook, read_rulebook
    from liquidity.runs.night import Night, allocate, explain
    from liquidity.runs.whatif import WhatIf, what_if
    from liquidity.scenarios.two_stage import TwoStagePlan, two_stage

_HOMES = {
    "liquidity.book": ("Book", "read_book", "write_book"),
    "liquidity.errors": ("BadInput", "LiquidityError", "Problem", "SolverFailed"),
    "liquidity.rules.base": ("Rule",),
    "liquidity.rules.rulebook": ("Rulebook", "read_rulebook"),
    "liquidity.runs.night": ("Night", "allocate", "explain"),
    "liquidity.runs.whatif": ("WhatIf", "what_if"),
    "liquidity.scenarios.two_stage": ("TwoStagePlan", "two_stage"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BadInput", "Book", "LiquidityError", "Night", "Problem", "Rule", "Rulebook", "SolverFailed", "TwoStagePlan",
    "WhatIf", "allocate", "explain", "read_book", "read_rulebook", "two_stage", "what_if", "write_book",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Public names load their part of the house when first used: `liquidity --help` needs no solver."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
