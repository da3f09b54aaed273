"""Parts rounded to fen add up to their rounded total."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquidity.explain.rounding import fen, fen_by_group, fen_by_key, in_fen

money = st.floats(-1e10, 1e10, allow_nan=False).map(lambda x: round(x, 7))
parts = st.lists(money, min_size=1, max_size=12)


@given(parts)
def test_parts_sum_to_the_rounded_total(values: list[float]) -> None:
    rounded = fen(values)
    assert in_fen(rounded).sum() == in_fen([np.sum(values)])[0]
    assert np.abs(rounded - values).max() <= 0.0101


@given(parts, st.floats(-1e-4, 1e-4))
def test_a_residual_of_the_solver_is_spread(values: list[float], residual: float) -> None:
    total = float(np.sum(values)) * (1 + residual)
    assert in_fen(fen(values, total)).sum() == in_fen([total])[0]


@given(parts)
def test_rounding_twice_changes_nothing(values: list[float]) -> None:
    once = fen(values)
    assert fen(once).tolist() == once.tolist()


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=12))
def test_a_part_that_is_nothing_stays_nothing_and_none_turns_negative(values: list[float]) -> None:
    rounded = fen([0.0, *values])
    assert rounded.min() >= 0
    if sum(values) > 0:
        assert rounded[0] == 0


def test_largest_remainder_by_hand() -> None:
    assert fen([1 / 3, 1 / 3, 1 / 3]).tolist() == [0.34, 0.33, 0.33]
    assert fen([0.124, 0.346, 0.53]).tolist() == [0.12, 0.35, 0.53]
    assert fen([-1 / 3, -1 / 3, -1 / 3]).tolist() == [-0.33, -0.33, -0.34]
    assert fen([2.504, -1.504]).tolist() == [2.5, -1.5]
    assert fen([]).tolist() == []


def test_a_total_beyond_the_sum_goes_where_the_money_is() -> None:
    assert fen([0.0, 30.0, 70.0], 101.0).tolist() == [0.0, 30.3, 70.7]
    assert fen([0.0, 0.0], 0.03).tolist() == [0.02, 0.01]


@given(st.lists(st.tuples(money, money, money), min_size=1, max_size=8))
def test_rows_of_a_wide_frame(rows: list[tuple[float, float, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["relent", "not_asked", "declined"])
    frame.insert(0, "segment", [f"S{i}" for i in range(len(frame))])
    frame["freed"] = frame[["relent", "not_asked", "declined"]].sum(axis=1)
    rounded = fen_by_group(frame, ["relent", "not_asked", "declined"], "freed")
    together = in_fen(rounded[["relent", "not_asked", "declined"]]).sum(axis=1)
    assert together.tolist() == in_fen(rounded["freed"]).tolist()
    for row in range(len(frame)):
        expected = fen(
            frame.loc[row, ["relent", "not_asked", "declined"]].to_numpy(dtype=float), frame.loc[row, "freed"]
        )
        assert expected.tolist() == rounded.loc[row, ["relent", "not_asked", "declined"]].tolist()


@given(st.lists(st.tuples(st.sampled_from("abc"), money), min_size=1, max_size=20))
def test_groups_of_a_long_frame(rows: list[tuple[str, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["segment", "amount"])
    totals = frame.groupby("segment")["amount"].sum().round(2)
    rounded = fen_by_key(frame, ["segment"], total=totals)
    for segment, total in totals.items():
        assert in_fen(rounded.loc[rounded["segment"] == segment, "amount"]).sum() == in_fen([total])[0]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="NaN"):
        fen([1.0, float("nan")])
    with pytest.raises(ValueError, match="no part"):
        fen([], 3.0)
    frame = pd.DataFrame({"segment": ["a"], "amount": [1.0]})
    with pytest.raises(ValueError, match="without any part"):
        fen_by_key(frame, ["segment"], total=pd.Series({"a": 1.0, "b": 2.0}))
    with pytest.raises(KeyError):
        fen_by_key(frame, ["segment"], total=pd.Series({"b": 0.0}))
