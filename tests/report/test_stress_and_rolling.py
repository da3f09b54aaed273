"""The pages of stress and of rolling nights: what their headline counts, and lines without noise."""

from __future__ import annotations

import pandas as pd
import pytest

from liquidity.report.rolling import drawings
from liquidity.report.stress import NONE, headline, held_is_more
from liquidity.runs import stress

TITLES = {name: {"en": name, "zh": name} for name in ("a", "b", NONE)}


def summary(gave_way: str = "") -> pd.DataFrame:
    rows = [
        (name, way, change, "", 90.0 if way == "run_off" else None)
        for name, change in ((NONE, 0.0), ("a", -2e6), ("b", -1e6))
        for way in ("reoptimise", "hold", "run_off")
    ]
    table = pd.DataFrame(rows, columns=["scenario", "projection", "change", "gave_way", "survival_days"])
    table["net_worth"] = 1e9 + table.change
    table.loc[(table.scenario == "b") & (table.projection == "hold"), "gave_way"] = gave_way
    return table


def test_the_night_itself_is_no_scenario() -> None:
    assert NONE == stress.NONE
    assert headline(summary(), TITLES, "CNY", "en")[0] == "Of 2 scenarios “a” costs most net worth: CNY 2.00m."
    assert headline(summary(), TITLES, "CNY", "zh")[0].startswith("2个情景中")


def test_what_gives_way_is_counted_by_projection() -> None:
    said = "Scenarios in which some rule has to give way: none re-optimised, {} with tonight held."
    assert headline(summary(), TITLES, "CNY", "en")[-1] == said.format("none")
    assert headline(summary("cap"), TITLES, "CNY", "en")[-1] == said.format(1)
    assert headline(summary("cap"), TITLES, "CNY", "zh")[-1].endswith("重新优化时0个，维持今晚决策时1个。")


@pytest.mark.parametrize(("more", "told"), [(900.0, []), (1100.0, ["b"]), (float("nan"), [])])
def test_tonight_held_may_be_worth_more_where_rules_give_way_further(more: float, told: list[str]) -> None:
    """Beyond a millionth, which the search over deficiencies may leave open; nothing is told of a plan there is not."""
    table = summary("cap")
    table.loc[(table.scenario == "b") & (table.projection == "hold"), "net_worth"] += more
    assert held_is_more(table) == told
    said = {lang: headline(table, TITLES, "CNY", lang)[-1] for lang in ("en", "zh")}
    assert said["en"].startswith("In 1 of them tonight held is worth more") == bool(told)
    assert said["zh"].startswith("其中1个情景维持今晚决策的净值反而更高") == bool(told)


@pytest.mark.parametrize(("noise", "told"), [(1e-7, [0.0, 0.0]), (5e4, [0.05, 0.05])])
def test_noise_of_the_solver_is_not_drawn(noise: float, told: list[float]) -> None:
    rows = [
        (f"2026-11-{20 + night}", policy, 1e9 + (noise if policy == "optimiser" else 0.0), 5.0, 5.0 + 1e-10)
        for night in range(2)
        for policy in ("optimiser", "greedy")
    ]
    nights = pd.DataFrame(rows, columns=["date", "policy", "net_worth", "relent", "wanted"])
    figures = dict(drawings(nights, "CNY"))
    assert list(figures["uplift"].data[0].y) == pytest.approx(told)
    assert figures["uplift"].layout.yaxis.range == (told[0] - 1, told[0] + 1)
    assert list(figures["relent"].data[0].y) == [100.0, 100.0]
    assert figures["uplift"].layout.xaxis.dtick == 86_400_000
