"""A rule with a date holds in the periods that start on it or later, and in no other."""

from __future__ import annotations

import pytest
from rule_cases import CASES
from test_rule_kinds import make

from liquidity.rules import KINDS

CHANGE = "2026-11-22"
"The third of four periods starts here."
WHOLE = ("pins", "requests")
"An instruction has dates of its own, and what is asked for is asked for."


def held(pool, kind):
    """Periods (1 to T) in which a rule has rows."""
    families = [family for family in pool.rows if family.owner == kind]
    found = set()
    for family in families:
        at = family.dims.index("period") if "period" in family.dims else None
        for index in family.constraint.index_set():
            parts = index if isinstance(index, tuple) else (index,)
            found.add(1 if at is None else parts[at])
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WHOLE])
def test_a_rule_with_a_date_has_rows_from_that_date_on(kind, write):
    before = held(write(make(kind), previous=CASES[kind].previous), kind)
    pool = write(make(kind, effective_from=CHANGE), previous=CASES[kind].previous)
    assert pool.grid.labels[2] == CHANGE
    assert held(pool, kind) == {t for t in before if t >= 3}
    assert before - {3, 4} or kind == "covenants", "without the date there are rows before it"
