"""Numbers of the page: windows, steps that add up, the headline."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from liquidity.explain.words import GATES, POOL_CAUSES, label
from liquidity.report import numbers

Tables = dict[str, pd.DataFrame]
MakeTables = Callable[..., Tables]
COLUMNS = ["segment", "period", "freed", *numbers.PARTS]


def ledger(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_first_30_days_end_before_the_31st() -> None:
    days = ["2026-11-24", "2026-11-30", "2026-12-22", "2026-12-23", "2026-12-24", "2027-01-24"]
    assert days[:4] == numbers.first_30_days(days)
    assert numbers.first_30_days([]) == []


def test_a_period_that_goes_beyond_30_days_is_not_among_them() -> None:
    """The reasons count only what lies wholly within; a longer period made the page tell a decline without a cause."""
    days = ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-29", "2026-12-29"]
    assert numbers.first_30_days(days) == days[:3]
    assert numbers.first_30_days(["2026-11-20", "2027-02-20"]) == ["2026-11-20"]
    # how long the last period is a ledger does not say: the run does
    assert numbers.first_30_days(["2026-11-20", "2026-11-27"], 1) == ["2026-11-20"]
    assert numbers.first_30_days(["2026-11-20", "2026-11-27"]) == ["2026-11-20", "2026-11-27"]


def test_a_ledger_is_summed_over_30_days_by_segment() -> None:
    rows = ledger(
        ("A", "2026-11-24", 10.0, 4, 1, 1, 1, 1, 0, 2),
        ("A", "2026-12-01", 20.0, 9, 1, 2, 1, 1, 0, 6),
        ("A", "2026-12-24", 99.0, 99, 0, 0, 0, 0, 0, 0),
        ("B", "2026-11-24", 5.0, 5, 0, 0, 0, 0, 0, 0),
    )
    month = numbers.ledger_of(rows, "30d")
    assert month.loc["A", ["freed", "relent", "declined"]].tolist() == [30.0, 13.0, 8.0]
    assert month.at["B", "freed"] == 5.0
    assert numbers.ledger_of(rows, "2026-11-24").loc["A", "freed"] == 10.0
    dates = rows.assign(period=pd.to_datetime(rows["period"]))
    pd.testing.assert_frame_equal(month, numbers.ledger_of(dates, "30d"))


@pytest.mark.parametrize("declined", [0.0, 0.5, 5.0])
@pytest.mark.parametrize("period", ["30d", "2026-11-24"])
def test_the_steps_add_up(make_tables: MakeTables, declined: float, period: str) -> None:
    tables = make_tables(declined=declined)
    totals = numbers.ledger_of(tables["ledger"], period).sum()
    steps = numbers.steps(totals, numbers.by_cause(tables["reasons"], period))
    assert steps[0].kind == "freed"
    assert steps[-1].kind == "relent"
    assert sum(step.amount for step in steps[1:]) == pytest.approx(steps[0].amount, abs=0.01)
    stopped = sum(step.amount for step in steps if step.kind == "gate")
    assert stopped == pytest.approx(totals[numbers.GATE_COLUMNS].sum())
    assert any(step.kind == "declined" for step in steps) == (declined > 0)


def test_reasons_with_gates_only_leave_the_declined_money_told_as_such(make_tables: MakeTables) -> None:
    tables = make_tables()
    gates = tables["reasons"][tables["reasons"]["cause"].isin(GATES)]
    totals = numbers.ledger_of(tables["ledger"], "30d").sum()
    steps = numbers.steps(totals, numbers.by_cause(gates, "30d"))
    told = [(step.en, round(step.amount, 2)) for step in steps if step.kind == "declined"]
    assert [("Declined, cause not told", round(totals["declined"], 2))] == told
    worst = numbers.worst(tables["ledger"], gates, "2026-11-24")
    assert len(worst) == 10
    assert all(row["reasons"] == [] for row in worst)


def test_a_rule_that_stands_for_a_gates_cause_belongs_to_the_pool() -> None:
    reasons = pd.DataFrame(
        {
            "segment": "A",
            "period": "30d",
            "cause": ["LIMIT_POLICY", "LIMIT_POLICY", "FUNDING", "UNPROFITABLE"],
            "rule": ["", "household_cap", "line_limit", None],
            "amount": [5.0, 2.0, 3.0, 1.0],
        }
    )
    expected = {"FUNDING": 3.0, "LIMIT_POLICY": 2.0, "UNPROFITABLE": 1.0}
    assert expected == numbers.by_cause(reasons, "30d").to_dict()


def test_the_worst_segments_come_with_two_reasons_of_the_pool(make_tables: MakeTables) -> None:
    tables = make_tables()
    worst = numbers.worst(tables["ledger"], tables["reasons"], "2026-11-24")
    declined = [row["declined"] for row in worst]
    assert sorted(declined, reverse=True) == declined
    assert declined[0] == numbers.ledger_of(tables["ledger"], "30d")["declined"].max()
    labels = [label("en", cause) for cause in POOL_CAUSES]
    for row in worst:
        assert len(row["reasons"]) == 2
        assert all(any(reason["text_en"].startswith(f"{name}: CNY ") for name in labels) for reason in row["reasons"])
    assert numbers.worst(make_tables(declined=0.0)["ledger"], tables["reasons"], "2026-11-24") == []


def test_the_headline_says_what_happened() -> None:
    night = ledger(("A", "2026-11-24", 100e6, 60e6, 10e6, 5e6, 0, 5e6, 0, 20e6)).iloc[0]
    month = ledger(("A", "30d", 900e6, 500e6, 100e6, 50e6, 0, 50e6, 0, 200e6)).iloc[0]
    said = numbers.headline(night, month, ("FUNDING", 120e6))
    expected = [
        "Borrowers repaid CNY 100m tonight; CNY 60.0m of it (60.0%) is lent again to the same borrowers.",
        "CNY 20.0m was not asked for or was stopped by a check before the pool.",
        "CNY 20.0m was asked for and allowed, and the pool declined it.",
        "Over the next 30 days the first reason is limited funding: CNY 120m of CNY 200m declined.",
    ]
    assert expected == said["en"]
    assert said["zh"][0] == "今晚借款人还款1亿元，其中6,000万元（60.0%）再投放给原借款人。"
    assert said["zh"][3] == "未来30天未投放2亿元，首要原因是可用资金不足（1.2亿元）。"
    calm = night.copy()
    calm["declined"] = 0.0
    assert numbers.headline(calm, calm, None)["en"][2].startswith("The pool declined nothing")
    calm[numbers.GATE_COLUMNS] = 0.0
    assert numbers.headline(calm, calm, None)["en"][1].startswith("All of it was asked for again")
    empty = ledger().sum()
    assert "CNY 0" in numbers.headline(empty, empty, None)["en"][0]
