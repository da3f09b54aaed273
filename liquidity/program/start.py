"""Where the solve of a program begins: bases of one that was solved, with the same rows and other numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from liquidity.program.solve import Packed, pack_basis, unpack_basis

Question = tuple[str, str, int, float]
"""Whether a class (trust, name) can (1) or must (-1) be paid in full by a position."""


@dataclass(frozen=True)
class Start:
    """Bases to begin at, which no optimum depends on.

    `basis` is that of a plan; none where the plan is looked for from nothing. `reach` are those of the range programs
    of classes (`patterns`). A start travels between processes as small integers.
    """

    basis: Any = None
    reach: Mapping[Question, Any] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Callable[..., Start], tuple[Packed | None, dict[Question, Packed]]]:
        packed = None if self.basis is None else pack_basis(self.basis)
        return unpacked, (packed, {question: pack_basis(basis) for question, basis in self.reach.items()})


def unpacked(basis: Packed | None, reach: Mapping[Question, Packed]) -> Start:
    """The start that was packed."""
    return Start(None if basis is None else unpack_basis(basis), {ask: unpack_basis(one) for ask, one in reach.items()})
