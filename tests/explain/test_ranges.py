"""Ends of prices do not depend on the algorithm, and hold the price between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from liquidity import allocate
from liquidity.explain.ranges import binding_tonight, price_ranges
from liquidity.runs.contrast import stand
from liquidity.runs.night import solver_options
from tests.books import SHORT, random_book, random_rules
from tests.test_planted import PLANTS, book


@pytest.mark.parametrize("seed", range(3))
def test_the_price_lies_between_its_ends(seed):
    lender = random_book(8, 5, seed)
    night = stand(lender, random_rules(lender, seed, SHORT))
    rows = binding_tonight(night.solved)
    assert rows
    found = price_ranges(night.solved, rows, solver_options(night.pool.rulebook))
    for row in rows:
        low, high = found[row]
        price = night.solved.staged.first.price[row]
        assert not low > price + 1e-7
        assert not high < price - 1e-7
    assert any(np.isfinite(high) for _, high in found.values())


def tied(method: str) -> pd.DataFrame:
    """Limits tonight where an instruction and the limit on change stop the same money."""
    _, rules, previous = PLANTS["STABILITY"][1]()
    held = allocate(book(), rules, previous).tables["ledger"]
    relent = held[(held.period == held.period.min()) & (held.segment == "A-full-east")].relent.iloc[0]
    pin = {"target": "relend", "segment": "A-full-east", "facility": "", "line": "", "from": book().as_of,
           "to": book().as_of, "op": "<=", "amount": float(relent), "reason": "hold", "by": "desk"}  # fmt: skip
    limits = allocate(book().replace("pins", pd.DataFrame([pin])), rules, previous, method=method).tables["limits"]
    limits = limits[limits.period == limits.period.min()]
    return limits[limits.price_low.notna() | limits.price_high.notna()].set_index(["rule", "at"])


def test_a_tie_has_a_range_and_every_algorithm_tells_the_same():
    one, other = tied("ipx"), tied("dual")
    assert len(one)
    # a tie may have a price of nought for one of its rules under one algorithm: compare where both have ends
    shared = one.index.intersection(other.index)
    assert len(shared)
    for end in ("price_low", "price_high"):
        left, right = (frame.loc[shared, end].to_numpy() for frame in (one, other))
        assert np.allclose(left, right, atol=1e-6, equal_nan=True)
    wide = one[one.price_high - one.price_low > 1e-6]
    assert {"stability", "pins"} & {rule for rule, _ in wide.index}
