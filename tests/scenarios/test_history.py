"""Histories: what is read, and what is refused with its row, column and value."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from liquidity.errors import BadInput
from liquidity.scenarios.history import read_history
from liquidity.scenarios.macro import quarter_label, quarter_number

HEAD = "quarter,target,value,unit,where\n"
GOOD = ["2019 Q4,pd,3.1,%,grade=C", "2020 Q1,pd,3.4,%,grade = C", "2019Q4,demand,1.1,1,", "2019 Q4,pd,0.01,1,grade=B|A"]


def read(tmp_path: Path, rows: list[str], head: str = HEAD):
    file = tmp_path / "history.csv"
    file.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return read_history(file)


def test_series_are_told_apart_by_target_and_place(tmp_path):
    found = read(tmp_path, GOOD)
    assert [one.name for one in found] == ["demand", "pd_grade_a_b", "pd_grade_c"]
    last = found[2]
    np.testing.assert_allclose(last.values, [0.031, 0.034])
    assert last.where == {"grade": "C"}
    assert found[1].where == {"grade": ["A", "B"]}
    assert [quarter_label(quarter) for quarter in last.quarters] == ["2019 Q4", "2020 Q1"]
    assert (last.unit, found[0].unit, last.rows) == ("%", "1", (2, 3))


def test_the_order_of_rows_and_columns_does_not_matter(tmp_path):
    rows = [f"{quarter_label(8000 + at)},pd,{at + 1},%" for at in range(30)]
    (straight,) = read(tmp_path, rows, "quarter,target,value,unit\n")
    random.Random(0).shuffle(rows)
    mixed = [",".join(reversed(row.split(","))) for row in rows]
    (other,) = read(tmp_path, mixed, "unit,value,target,quarter\n")
    np.testing.assert_array_equal(straight.values, other.values)
    np.testing.assert_array_equal(straight.quarters, other.quarters)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2019,pd,3,%,", "row 2, column quarter): found '2019', expected a quarter"),
        ("2019 Q4,weather,3,%,", "row 2, column target): found 'weather', expected one of pd, lgd"),
        ("2019 Q4,pd,,%,", "row 2, column value): found '', expected a number"),
        ("2019 Q4,pd,three,%,", "column value): found 'three'"),
        ("2019 Q4,pd,inf,%,", "column value): found 'inf'"),
        ("2019 Q4,pd,3,percent,", "row 2, column unit): found 'percent', expected 1 or %"),
        ("2019 Q4,pd,3,%,grade", "row 2, column where): found 'grade', expected columns and values"),
        ("2019 Q4,pd,3,%,grade=A|", "column where"),
        ("2019 Q4,hqla,0.9,1,grade=A", "column where): found 'grade=A', expected nothing"),
        ("2019 Q4,pd,3,%", "row 2): found '4 cells', expected 5 cells"),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path, row, said):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, [row])
    assert said in str(caught.value)
    assert "history.csv" in str(caught.value)


def test_a_file_tells_everything_at_once(tmp_path):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, ["x,pd,y,%,", "2019 Q4,pd,3,z,"])
    assert len(caught.value.problems) == 3
    with pytest.raises(BadInput) as caught:
        read(tmp_path, [], "quarter,target,target,sauce\n")
    text = str(caught.value)
    for column in ("sauce", "target", "column value", "column unit", "a row a quarter"):
        assert column in text


@pytest.mark.parametrize(
    ("quarters", "said"),
    [(["2019 Q4", "2020 Q2"], "the quarter after 2019 Q4"), (["2019 Q4", "2019Q4"], "once for pd"),
     (["2020 Q2", "2019 Q4"], "row 2, column quarter): found '2020 Q2'")],
)  # fmt: skip
def test_a_gap_or_a_quarter_twice_is_refused(tmp_path, quarters, said):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, [f"{quarter},pd,3,%," for quarter in quarters])
    assert said in str(caught.value)


def test_names_that_would_be_the_same_are_refused(tmp_path):
    with pytest.raises(BadInput, match="names that differ"):
        read(tmp_path, ["2019 Q4,pd,3,%,region=东", "2019 Q4,pd,3,%,region=西"])


def test_a_file_that_is_not_there_or_is_no_text(tmp_path):
    with pytest.raises(BadInput, match="a history of quarters"):
        read_history(tmp_path / "none.csv")
    file = tmp_path / "bytes.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="CSV in UTF-8"):
        read_history(file)


def test_quarters_count_on():
    assert quarter_number("2020 Q1") - quarter_number("2019Q4") == 1
    assert quarter_label(quarter_number("2019Q3")) == "2019 Q3"
