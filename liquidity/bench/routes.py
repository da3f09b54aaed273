"""Routes from the lender's algebra to a solver that holds the program. Each returns what it handed over.

Preparing the inputs from the book (`Pool`) is measured apart: it is the same for every route.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from liquidity.bench.solvers import hand_over
from liquidity.program.build import build_pool, write_pool
from liquidity.program.compile import Program, compile_program, compile_standard
from liquidity.program.pool import Pool
from liquidity.program.solve import Options, Session

Marks = dict[str, float]
Route = Callable[[Any, Any, Marks], tuple[int, int, int]]


def timed(marks: Marks, name: str, job: Callable[[], Any]) -> Any:
    """Run a job and note its CPU seconds."""
    start = time.process_time()
    out = job()
    marks[name] = time.process_time() - start
    return out


def write(book: Any, rulebook: Any, marks: Marks) -> Pool:
    """The pool with its equations and rules written, no member made."""
    pool = timed(marks, "prepare_s", lambda: Pool(book, rulebook))
    timed(marks, "build_s", lambda: write_pool(pool))
    return pool


def counts(program: Program) -> tuple[int, int, int]:
    """Rows, columns, non-zeros."""
    return (*program.shape, int(program.matrix.count_nonzero()))


def ours(book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """Templates, arrays, HiGHS."""
    pool = write(book, rulebook, marks)
    program = timed(marks, "compile_s", lambda: compile_program(pool))
    timed(marks, "handover_s", lambda: Session(program, Options()))
    return counts(program)


def refill(book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """New numbers for all Params into a compiled pattern, and the arrays passed again; compiling is not counted."""
    program = compile_program(build_pool(book, rulebook))
    recipe = program.recipe
    assert recipe is not None
    again = timed(marks, "compile_s", lambda: program.refill(recipe.numbers))
    timed(marks, "handover_s", lambda: Session(again, Options()))
    return counts(again)


def pyomo_standard_form(book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """Every member made, Pyomo's LinearStandardFormCompiler, HiGHS."""
    pool = write(book, rulebook, marks)
    program = timed(marks, "compile_s", lambda: compile_standard(pool))
    timed(marks, "handover_s", lambda: Session(program, Options()))
    return counts(program)


def pyomo_appsi(book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """Every member made, appsi's persistent HiGHS."""
    from pyomo.contrib.appsi.solvers import Highs

    return persistent(Highs(), book, rulebook, marks)


def pyomo_contrib(book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """Every member made, contrib.solver's persistent HiGHS."""
    from pyomo.contrib.solver.solvers.highs import Highs

    return persistent(Highs(), book, rulebook, marks)


def persistent(solver: Any, book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """Write the model out and give it to one of Pyomo's persistent interfaces."""
    pool = write(book, rulebook, marks)
    timed(marks, "compile_s", pool.write_out)
    timed(marks, "handover_s", lambda: solver.set_instance(pool.model))
    return held(solver._solver_model)


def held(highs: Any) -> tuple[int, int, int]:
    """Rows, columns, non-zeros of a HiGHS instance."""
    return highs.getNumRow(), highs.getNumCol(), highs.getNumNz()


def numpy_by_hand(book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """The core model in plain numpy, HiGHS; only for the `_core` cases."""
    from liquidity.bench.cases import core_values
    from liquidity.bench.reference_numpy import write_numpy

    pool = timed(marks, "prepare_s", lambda: Pool(book, rulebook))
    values = core_values(pool)
    made, cost = timed(marks, "build_s", lambda: write_numpy(pool, values))
    arrays = timed(marks, "compile_s", lambda: made.arrays(cost))
    highs = timed(marks, "handover_s", lambda: hand_over(arrays))
    return held(highs)


def linopy(book: Any, rulebook: Any, marks: Marks) -> tuple[int, int, int]:
    """The core model in linopy, its own direct interface to HiGHS; only for the `_core` cases."""
    from liquidity.bench.cases import core_values
    from liquidity.bench.reference_linopy import write_linopy

    pool = timed(marks, "prepare_s", lambda: Pool(book, rulebook))
    values = core_values(pool)
    model = timed(marks, "build_s", lambda: write_linopy(pool, values))
    return held(timed(marks, "handover_s", model.to_highspy))


ROUTES: dict[str, Route] = {
    "ours": ours,
    "refill": refill,
    "pyomo_standard_form": pyomo_standard_form,
    "pyomo_appsi": pyomo_appsi,
    "pyomo_contrib": pyomo_contrib,
    "numpy": numpy_by_hand,
    "linopy": linopy,
}
