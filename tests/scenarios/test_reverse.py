"""Reverse stress: the nearest edge of cases known by hand, what is proved, and a path moved by its amounts."""

from __future__ import annotations

import numpy as np
import pytest

from liquidity.errors import BadInput
from liquidity.rules.distance import Distance
from liquidity.scenarios.macro import Macro
from liquidity.scenarios.reverse import TOWARDS, Space, follow, length, mildest, space_towards

QUARTERS = ("2026 Q1", "2026 Q2", "2026 Q3", "2026 Q4", "2027 Q1", "2027 Q2")
START = Macro("flat", QUARTERS, {
    "unemployment": np.full(6, 4.0), "house_price": np.full(6, 200.0), "bbb": np.full(6, 6.0),
    "yield_10y": np.full(6, 4.0), "credit_spread": np.full(6, 2.0),
})  # fmt: skip


def seen(beyond):
    """What is looked at when the rule gives way where `beyond` says so."""
    return lambda amounts: "gives_way" if beyond(amounts) else "holds"


def plane(amounts):
    return 3 * amounts.get("unemployment", 0.0) - 4 * amounts.get("house_price", 0.0) >= 10


def test_the_nearest_point_of_a_plane_is_found():
    found = mildest(seen(plane), ("unemployment", "house_price"), 20.0)
    assert found.proved
    assert found.monotone
    assert found.distance == pytest.approx(2.0, rel=0.005)  # 10 / |(3, -4)|
    assert found.amounts["unemployment"] == pytest.approx(1.2, rel=0.02)
    assert found.amounts["house_price"] == pytest.approx(-1.6, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_no_ray_tried_is_milder_than_the_answer(seed):
    weights, names = np.random.default_rng(seed).normal(size=3), ("unemployment", "house_price", "bbb")

    def curved(amounts):
        x = np.array([amounts.get(name, 0.0) for name in names])
        return bool(weights @ x + 0.1 * x @ x >= 1)

    found = mildest(seen(curved), names, 30.0)
    assert found.distance == pytest.approx(length(found.amounts))
    assert all(ray.distance is None or found.distance <= ray.distance for ray in found.rays)
    assert curved(found.amounts)
    assert found.proved


def test_a_step_aside_finds_what_the_plane_does_not():
    """A notch between two variables that no single ray and no plane through their edges points into."""

    def notch(amounts):
        a, b = amounts.get("unemployment", 0.0), amounts.get("bbb", 0.0)
        return (a >= 4 or b >= 9) or (a >= 2.5 and 0.3 <= b <= 1.0)

    found = mildest(seen(notch), ("unemployment", "bbb"), 16.0)
    assert found.distance < 3.0
    assert found.proved


def test_out_of_bound_already_there_and_not_monotone_are_told():
    assert follow(seen(plane), {"unemployment": 1.0}, 3.0).distance is None
    assert mildest(seen(lambda _: False), ("unemployment",), 5.0).amounts is None
    assert mildest(seen(lambda _: True), ("unemployment",), 5.0).amounts == {}
    island = seen(lambda a: 0.9 < length(a) < 1.1 or length(a) > 2.0)
    assert mildest(island, ("unemployment",), 4.0).distance == pytest.approx(0.9, rel=0.01)
    passed_by = mildest(island, ("unemployment",), 3.2)  # no look falls on the island on the way out
    assert passed_by.distance == pytest.approx(2.0, rel=0.01)
    assert not passed_by.monotone


def test_a_ray_without_a_plan_has_no_edge_and_says_from_where():
    def look(amounts):
        far = length(amounts)
        return "no_plan" if far > 3 else "holds"

    ray = follow(look, {"bbb": 1.0}, 8.0)
    assert ray.distance is None
    assert ray.no_plan == pytest.approx(3.0, rel=0.005)
    nearer = follow(
        lambda a: "holds" if length(a) < 2 else "gives_way" if length(a) < 3 else "no_plan", {"bbb": 1.0}, 4.0
    )
    assert nearer.distance == pytest.approx(2.0, rel=0.005)


# ---- paths


def test_a_path_is_moved_in_its_own_units():
    space = Space(START, Distance())
    path = space.at({"unemployment": 2.0, "house_price": -1.0, "bbb": 1.0}).values
    assert path["unemployment"].tolist() == [4.0, 4.5, 5.0, 5.5, 6.0, 6.0]
    assert path["house_price"][-1] == pytest.approx(180.0)
    assert path["credit_spread"][-1] == pytest.approx(3.0)
    assert space.at({"unemployment": -9.0}).values["unemployment"].min() == 0.0
    with pytest.raises(BadInput):
        space.at({"vix": 1.0})


def test_sizes_and_ramp_are_the_rulebooks():
    path = Space(START, Distance(unemployment=0.5, ramp=1)).at({"unemployment": 2.0}).values["unemployment"]
    assert path.tolist() == [4.0, 5.0, 5.0, 5.0, 5.0, 5.0]


def test_the_ray_towards_a_path_reaches_it_at_its_own_distance():
    other = Macro("bad", QUARTERS, {"unemployment": np.array([4.0, 5, 7, 7, 6, 6]), "bbb": np.full(6, 6.0),
                                    "yield_10y": np.array([4.0, 3, 3, 3, 3, 3]), "house_price":
                                    np.array([100.0, 90, 80, 80, 80, 80])})  # fmt: skip
    space = space_towards(START, other, Distance())
    far = float(np.hypot(3.0, 2.0))  # 3 points of unemployment; 20% of house prices are two sizes
    path = space.at({TOWARDS: far}).values
    assert path["unemployment"] == pytest.approx(other.values["unemployment"])
    assert path["house_price"] == pytest.approx(2 * other.values["house_price"])
    assert path["yield_10y"] == pytest.approx(other.values["yield_10y"])
    assert path["credit_spread"] == pytest.approx([2.0, 3, 3, 3, 3, 3])
    with pytest.raises(BadInput, match="differs"):
        space_towards(START, START, Distance())
