"""Cases by size: made-up lenders under the sample rulebook, the real model with the real rules."""

from __future__ import annotations

from dataclasses import dataclass

from liquidity.book import Book


@dataclass(frozen=True)
class Case:
    """A lender of so many segments and facilities; `nonzeros` is about what its program has."""

    name: str
    segments: int
    facilities: int
    nonzeros: int
    seed: int = 0

    def book(self) -> Book:
        """The lender's book."""
        from liquidity.book.make import book_of, make_lender

        return book_of(make_lender(self.segments, self.facilities, self.seed))


CASES = {
    case.name: case
    for case in (
        Case("small", 8, 5, 27_000),
        Case("desk", 64, 7, 270_000),
        Case("group", 370, 16, 3_400_000),
        Case("giant", 1140, 23, 15_000_000),
    )
}
