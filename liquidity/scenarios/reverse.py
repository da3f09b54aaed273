"""Reverse stress: how far a macro path must go from its start before a named rule gives way.

A path is the start path plus, for each direction of a `Space`, an amount times a ramp to a peak that is then held; its
distance is the root of the sum of squares of the amounts, in the sizes of the rulebook. Along a ray the edge is
bracketed outward and bisected. Over directions: every variable either way, then the design point of the first-order
reliability method (FORM) on the plane through the nearest edges, then steps aside as long as one is milder. Proved is
the pair at the edge (the rule gives way there and not at 99% of it); that no direction is milder is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import hypot
from typing import Literal

import numpy as np

from liquidity.errors import BadInput, Problem, SolverFailed
from liquidity.rules.distance import Distance
from liquidity.scenarios.apply import apply
from liquidity.scenarios.macro import COLUMNS, DERIVED, Macro, with_derived
from liquidity.scenarios.projections import Setting, has_plan, solve_case
from liquidity.scenarios.satellites import Satellites
from liquidity.scenarios.scenario import Scenario, Told

PRECISION = 0.004
"""Width of the bracket of the edge, as a part of it."""
PROVED = 0.99
BELOW = (0.25, 0.5, 0.75)
"""Parts of the edge at which the rule is looked at again, for it is taken to hold all the way there."""
OUTWARD = (0.125, 0.25, 0.5, 1.0)
"""Parts of the bound at which a ray is looked at, from the start."""
ASIDE, MILDER, ROUNDS = 0.25, 0.98, 2
"""How far a step aside goes, how much milder it must be to be taken, and how many rounds of steps there are."""
TOWARDS = "towards"
SHARES = ("unemployment", "china_npl_flow")
"""Variables that have nothing below nought."""
Amounts = dict[str, float]
Seen = Literal["holds", "gives_way", "no_plan"]
"""What a path does to the rule: no plan is found where rules that never give way cannot be kept either."""
Look = Callable[[Amounts], Seen]


@dataclass(frozen=True)
class Ray:
    """A direction of length 1 and the distance at which the rule gives way; None where it does not within the bound, or
    where from `no_plan` on there is no plan at all before it does."""

    direction: Amounts
    distance: float | None
    no_plan: float | None = None


@dataclass(frozen=True)
class Mildest:
    """The nearest edge found: `amounts` at which the rule gives way, not so at `PROVED` of them where `proved`.

    `amounts` is None where no ray gave way, and empty where the rule gives way on the start path already. `monotone`:
    the rule also held at the parts `BELOW` of the edge. `rays` are all that were followed to their edge.
    """

    amounts: Amounts | None
    distance: float | None
    proved: bool
    monotone: bool
    rays: tuple[Ray, ...]


def length(amounts: Mapping[str, float]) -> float:
    """Distance from the start path, standard sizes."""
    return hypot(*amounts.values())


def scaled(amounts: Mapping[str, float], factor: float) -> Amounts:
    """The amounts times a factor."""
    return {name: factor * amount for name, amount in amounts.items()}


def follow(look: Look, direction: Amounts, bound: float) -> Ray:
    """A ray to the first edge on it, bracketed to `PRECISION`."""
    low, high, seen = 0.0, 0.0, "holds"
    for part in OUTWARD:
        low, high = high, part * bound
        seen = look(scaled(direction, high))
        if seen != "holds":
            break
    if seen == "holds":
        return Ray(direction, None)
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        found = look(scaled(direction, middle))
        if found == "holds":
            low = middle
        else:
            high, seen = middle, found
    return Ray(direction, high) if seen == "gives_way" else Ray(direction, None, high)


def design_point(rays: list[Ray]) -> Amounts | None:
    """The direction to the point nearest the start on the plane through the single rays' edges; None with fewer than
    two variables."""
    found: dict[str, tuple[float, float]] = {}
    for ray in rays:
        if ray.distance is not None and len(ray.direction) == 1:
            ((name, sign),) = ray.direction.items()
            if name not in found or ray.distance < found[name][0]:
                found[name] = ray.distance, sign
    if len(found) < 2:
        return None
    slope = {name: sign / distance for name, (distance, sign) in found.items()}
    return scaled(slope, 1 / length(slope))


def nearest(rays: list[Ray]) -> Ray | None:
    """The ray with the nearest edge, the first of several."""
    hits = [(ray.distance, at) for at, ray in enumerate(rays) if ray.distance is not None]
    return rays[min(hits)[1]] if hits else None


def step_aside(look: Look, best: Ray, variables: tuple[str, ...]) -> Ray | None:
    """The first direction beside the best one whose edge is milder by more than the search counts."""
    assert best.distance is not None
    for name in variables:
        for by in (ASIDE, -ASIDE):
            way = {**best.direction, name: best.direction.get(name, 0.0) + by}
            way = scaled(way, 1 / length(way))
            reach = MILDER * best.distance
            if look(scaled(way, reach)) == "gives_way":
                return follow(look, way, reach)
    return None


def mildest(look: Look, variables: tuple[str, ...], bound: float, signs: tuple[float, ...] = (1.0, -1.0)) -> Mildest:
    """The nearest path found at which the rule gives way, `bound` (standard sizes) at most."""
    if look({}) == "gives_way":
        return Mildest({}, 0.0, False, True, ())
    rays = [follow(look, {name: sign}, bound) for name in variables for sign in signs]
    together = design_point(rays)
    if together is not None:
        rays.append(follow(look, together, bound))
    best = nearest(rays)
    for _ in range(ROUNDS if len(variables) > 1 and best is not None else 0):
        assert best is not None
        aside = step_aside(look, best, variables)
        if aside is None:
            break
        rays.append(aside)
        best = nearest(rays)
    if best is None or best.distance is None:
        return Mildest(None, None, False, True, tuple(rays))
    amounts = scaled(best.direction, best.distance)
    proved = look(amounts) == "gives_way" and look(scaled(amounts, PROVED)) == "holds"
    monotone = all(look(scaled(amounts, part)) == "holds" for part in BELOW)
    return Mildest(amounts, best.distance, proved, monotone, tuple(rays))


# ---- paths


@dataclass(frozen=True)
class Space:
    """Paths around a start: `at(amounts)` is one of them. `towards`, where given, is the only direction: the difference
    of another path from the start, divided by its own distance."""

    start: Macro
    distance: Distance
    towards: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def sized(self) -> tuple[str, ...]:
        """Variables of the path that have a size."""
        return tuple(name for name in COLUMNS.values() if name in self.start.values and name in self.distance.sizes)

    def at(self, amounts: Amounts) -> Macro:
        """The start path with its variables moved; tonight's quarter stays. BadInput for a variable that is not
        there."""
        values = {name: path for name, path in self.start.values.items() if name not in DERIVED}
        ramp = np.minimum(1.0, np.arange(len(self.start.quarters)) / self.distance.ramp)
        for name, amount in amounts.items():
            if name == TOWARDS:
                moves = scaled_paths(self.towards, amount)
            elif name in self.sized:
                moves = {name: amount * self.distance.sizes[name] * ramp}
            else:
                raise BadInput(Problem(self.start.name, "", "variable", name, f"one of {', '.join(self.sized)}"))
            for one, by in moves.items():
                level = one in self.distance.sizes and self.distance.is_level(one)
                values[one] = values[one] * np.maximum(0.0, 1 + by) if level else values[one] + by
                if one in SHARES:
                    values[one] = np.maximum(values[one], 0.0)
        return Macro(self.start.name, self.start.quarters, with_derived(values))

    def variables(self, models: Satellites) -> tuple[str, ...]:
        """Directions that change what some satellite sees."""
        if self.towards:
            return (TOWARDS,)
        used = {term.of for one in models.models if one.applies(self.start) for term in one.terms}
        moved = {name: self.at({name: 1.0}).values for name in self.sized}
        return tuple(name for name in self.sized if any(
            of in moved[name] and (moved[name][of] != self.start.values[of]).any() for of in used))  # fmt: skip


def scaled_paths(paths: dict[str, np.ndarray], factor: float) -> dict[str, np.ndarray]:
    """Deviations times a factor."""
    return {name: factor * path for name, path in paths.items()}


def space_towards(start: Macro, other: Macro, distance: Distance) -> Space:
    """The ray from the start towards another path, whose quarters are counted from tonight as well.

    Its length is measured by the largest move of each variable that has a size; the others move along. Raises BadInput
    where the two share no variable with a size, or do not differ in any.
    """
    count = min(len(start.quarters), len(other.quarters))
    cut = Macro(start.name, start.quarters[:count],
                {name: path[:count] for name, path in start.values.items()})  # fmt: skip
    moves = {}
    for name in (one for one in COLUMNS.values() if one in cut.values and one in other.values):
        change = other.values[name][:count] - other.values[name][0] - (cut.values[name] - cut.values[name][0])
        if name in distance.sizes and distance.is_level(name):
            change = (other.values[name][:count] / other.values[name][0]) / (cut.values[name] / cut.values[name][0]) - 1
        moves[name] = change
    reach = hypot(*(float(np.abs(path).max()) / distance.sizes[name] for name, path in moves.items()
                    if name in distance.sizes))  # fmt: skip
    if not reach > 0:
        expected = f"a scenario whose path differs from {start.name} in one of {', '.join(distance.sizes)}"
        raise BadInput(Problem("--towards", "", "macro", other.name, expected))
    return Space(cut, distance, scaled_paths(moves, 1 / reach))


def looking(setting: Setting, models: Satellites, space: Space, rule: str) -> Look:
    """What amounts do to a rule, the night decided as `liquidity stress` decides it."""
    title = {"en": "Reverse stress", "zh": "反向压力测试"}
    scenario = Scenario.model_validate({"name": "reverse", "title": title, "source": "Reverse stress"})

    def look(amounts: Amounts) -> Seen:
        applied = apply(Told(scenario=scenario, macro=space.at(amounts)), models, setting.book, setting.rulebook)
        if has_plan(setting, applied.rulebook, applied.shocks):
            return "holds"
        try:
            gave = solve_case(setting, applied.rulebook, applied.shocks).gave_way
        except SolverFailed:
            return "no_plan"
        return "gives_way" if rule in gave else "holds"

    return look
