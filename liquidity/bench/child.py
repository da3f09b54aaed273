"""One measurement, in a process of its own: `python -m liquidity.bench.child CASE ROUTE RULEBOOK` prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from liquidity.bench.cases import CASES
from liquidity.bench.routes import ROUTES, Marks
from liquidity.rules.rulebook import read_rulebook


def measure(case: str, route: str, rulebook: Path) -> dict[str, Any]:
    """CPU seconds by step, wall seconds, peak memory (MB) and the size of the program."""
    book, rules, marks = CASES[case].book(), read_rulebook(rulebook), Marks()
    start = time.perf_counter()
    rows, columns, nonzeros = ROUTES[route](book, rules, marks)
    return {
        **marks,
        "wall_s": time.perf_counter() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": rows,
        "columns": columns,
        "nonzeros": nonzeros,
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
