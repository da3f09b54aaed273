"""The program of another night, scenario or limit, out of one that is there."""

from __future__ import annotations

from collections.abc import Iterable

from liquidity.program.compile import Program, compile_program, refill_from
from liquidity.program.pool import Pool


def pour(known: Iterable[Program], pool: Pool) -> tuple[Program, bool]:
    """The program of a pool: refilled from the first known one that has the same rows, else compiled.

    The second tells whether it was refilled; then rows and columns stand in the same places.
    """
    for program in known:
        try:
            return refill_from(program, pool), True
        except ValueError:
            continue  # other rows, such as those of a frozen facility
    return compile_program(pool), False
