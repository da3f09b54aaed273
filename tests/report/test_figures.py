"""Figures: bars that hang where they should, text with units, dates that hold their levels."""

from __future__ import annotations

import pandas as pd
import pytest

from liquidity.report import figures, levels, sankey
from liquidity.report.flows import Link
from liquidity.report.numbers import Step
from liquidity.report.proofs import limit_use

STEPS = [
    Step("freed", "Freed", "回款", 100e6),
    Step("gate", "Gate", "关", 20e6),
    Step("declined", "Cause", "因", 60e6),
    Step("declined", "Helper", "助", -5e6),
    Step("relent", "Relent", "再投放", 25e6),
]


def step(relent: float) -> Step:
    return Step("relent", "Relent", "再投放", relent)


def test_the_waterfall_hangs_from_what_is_left() -> None:
    figure = figures.waterfall(STEPS, "CNY")
    ends = {
        figure.layout.yaxis.ticktext[len(STEPS) - 1 - y]: tuple(sorted((base, base + x)))
        for trace in figure.data
        for base, x, y in zip(trace.base, trace.x, trace.y)
    }
    expected = {"Freed": (0, 100), "Gate": (80, 100), "Cause": (20, 80), "Helper": (20, 25), "Relent": (0, 25)}
    assert expected == ends
    texts = [text.strip() for trace in figure.data for text in trace.text]
    assert "CNY 60.0m (60.0%)" in texts
    assert "CNY -5.00m (-5.0%), in favour" in texts
    assert figure.layout.meta["zh"][1]["yaxis.ticktext"] == ["回款", "关", "因", "助", "再投放"]


def test_the_text_of_a_bar_stands_where_there_is_room() -> None:
    """A decline of nearly all had its text right of the figure, cut."""
    all_of_it = Step("declined", "All", "全", 95e6)
    figure = figures.waterfall([STEPS[0], all_of_it, Step("declined", "Rest", "余", 3e6), step(2e6)], "CNY")
    declined = next(trace for trace in figure.data if trace.name == "Declined by the pool")
    assert list(declined.textposition) == ["inside", "outside"]
    assert (declined.base[1], declined.x[1]) == (2.0, 3.0)  # to the right, where nothing stands
    high = figures.waterfall([STEPS[0], Step("gate", "Gate", "关", 4e6), step(96e6)], "CNY")
    assert (high.data[1].base[0], high.data[1].x[0]) == (100.0, -4.0)
    tiny = figures.waterfall([STEPS[0], Step("declined", "Helper", "助", -1e4), step(100.01e6)], "CNY")
    assert " CNY -10.0k (0.0%), in favour " in [text for trace in tiny.data for text in trace.text]


def test_a_limit_is_told_in_its_unit() -> None:
    assert figures.amount_text(31.2, "%") == "31.2%"
    assert figures.amount_text(0.71, "x") == "0.71x"
    assert figures.amount_text(1.25e9, "CNY", "zh") == "12.5亿元"
    assert figures.amount_text(45.0, "days") == "45 days"
    assert figures.place_name("cap", "region=east;period=2026-11-24") == "cap, region=east"
    rows = pd.DataFrame(
        [
            ("cap", 12.0, 10.0, "gave_way"),
            ("floor", 8.0, 10.0, "gave_way"),
            ("kept", 12.0, 10.0, "green"),
            ("tight", 10.0, 10.0, "binding"),
            ("shut", 0.0, 0.0, "binding"),
            ("reserve", -3.0, -3.0, "binding"),
        ],
        columns=["rule", "used", "limit", "level"],
    ).assign(period="2026-11-24", unit="%", at="", shortfall=0.0)
    figure = figures.limits(limit_use(rows, "2026-11-24"))
    assert set(figure.data[-1].text) == {
        "12% > 10%",
        "8% < 10%",
        "12% ≥ 10%",
        "10%, the limit",
        "closed",
        "no room left",
    }
    assert max(max(trace.x) for trace in figure.data[:-1]) <= 125


def test_levels_hold_from_the_opening_to_the_end() -> None:
    table = pd.DataFrame(
        [("a", "2026-11-24", 5.0, 7.0), ("a", "2026-11-25", 7.0, 8.0), ("b", "2026-11-25", 0.0, 99.0)],
        columns=["line", "period", "opening", "closing"],
    )
    days, whole = levels.levels(table, "line")
    assert days == ["2026-11-24", "2026-11-25", "2026-11-26"]
    assert whole.loc["a"].tolist() == [5.0, 7.0, 8.0]
    assert whole.loc["b"].tolist() == [0.0, 0.0, 99.0]
    assert list(whole.index) == ["b", "a"]


def test_the_reserve_stands_at_the_ends_of_the_periods() -> None:
    days = ["2026-11-24", "2026-11-25", "2026-11-26"]
    table = pd.DataFrame({"account": "treasury", "period": days[:2], "opening": [5e6, 7e6], "closing": [7e6, 9e6]})
    reserve = pd.DataFrame(
        [(days[0], 1e6, 0.0), (days[0], 4e6, 0.0), (days[1], 0.0, 2e6)], columns=["period", "headroom_cny", "shortfall"]
    )
    figure = levels.stacked(table, "account", "CNY", "treasury", reserve)
    assert list(figure.data[1].x) == days[1:]
    assert list(figure.data[1].y) == [6.0, 11.0]
    assert figure.layout.meta["zh"][0]["name"] == ["treasury", "须保留的储备"]


def test_the_sankey_stays_inside_and_names_both_languages() -> None:
    links = [
        Link(("group", "A"), ("middle", "same_borrowers"), 60e6),
        Link(("group", "A"), ("middle", "not_lent"), 40e6),
        Link(("middle", "not_lent"), ("use", "lines"), 40e6),
    ]
    figure = sankey.sankey(links, "CNY")
    node = figure.data[0].node
    assert list(node.label) == [
        "Grade A · CNY 100m",
        "Same borrowers · CNY 60.0m",
        "Not lent<br>CNY 40.0m",
        "Banks and other lenders · CNY 40.0m",
    ]
    assert figure.layout.meta["zh"][0]["node.label"][0][0] == "A级 · 1亿元"
    assert all(0 < place < 1 for place in (*node.x, *node.y))
    assert sum(figure.data[0].link.value) == pytest.approx(140)
