"""Streams of freed money: grouped, few, and complete."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from liquidity.report import flows

MakeTables = Callable[..., dict[str, pd.DataFrame]]


def uses(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["segment", "use", "amount"])


def test_links_keep_every_yuan_and_stay_few(make_tables: MakeTables) -> None:
    table = flows.uses_by_group(make_tables()["uses"])
    links = flows.links(table)
    left = [link for link in links if link.source[0] == "group"]
    right = [link for link in links if link.target[0] == "use"]
    assert sum(link.amount for link in left) == pytest.approx(table.to_numpy().sum())
    same = sum(link.amount for link in left if link.target[1] == "same_borrowers")
    assert sum(link.amount for link in right) + same == pytest.approx(table.to_numpy().sum())
    assert len(left) <= 15
    assert len(right) <= 15
    assert table.to_numpy().sum() == pytest.approx(make_tables()["uses"]["amount"].sum())


def test_segments_are_grouped_by_grade_and_many_groups_are_folded() -> None:
    amounts = pd.Series({"A-full-east": 5.0, "A-partial-west": 1.0, "B-full-east": 2.0})
    assert flows.groups(amounts).tolist() == ["A", "A", "B"]
    many = pd.Series({f"{name}-x": float(size) for size, name in enumerate("STUVWXYZ", 1)})
    assert flows.groups(many).tolist() == ["other"] * 4 + ["W", "X", "Y", "Z"]


def test_small_uses_are_drawn_together() -> None:
    table = flows.uses_by_group(uses(("A-x", "lines", 99.0), ("A-x", "costs", 0.4), ("A-x", "losses", 0.6)))
    right = {link.target: link.amount for link in flows.links(table) if link.target[0] == "use"}
    assert right == {("use", "lines"): 99.0, ("use", "costs+losses"): pytest.approx(1.0)}
    assert flows.node_name(("use", "costs+losses")) == ("Costs and other payments, losses", "费用及其他支出、损失")


def test_names() -> None:
    assert flows.node_name(("group", "A")) == ("Grade A", "A级")
    assert flows.node_name(("group", "students")) == ("students", "students")
    assert flows.node_name(("group", "other")) == ("Other grades", "其他等级")
    assert flows.node_name(("middle", "not_lent"))[0] == "Not lent"
