"""A scenario solved three ways: what is held is held, what is shut is shut, and the parts of a change add up."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from books import MILLION, calm_book, calm_rules, rule, rulebook, small_book

from liquidity import read_book, read_rulebook
from liquidity.program.shocks import Shocks
from liquidity.scenarios.apply import Applied, apply
from liquidity.scenarios.projections import (
    SLACK,
    Setting,
    decided,
    drivers,
    project,
    shapley,
    survival,
    with_night,
    worth_of,
)
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import read_scenarios

ROOT = Path(__file__).parents[2]
SHIPPED = {told.name: told for told in read_scenarios([ROOT / "data" / "scenarios"])}
MODELS = read_satellites(ROOT / "models" / "satellites.toml")


@lru_cache
def setting() -> Setting:
    return with_night(calm_book(), calm_rules())[0]


@lru_cache
def applied(name: str) -> Applied:
    return apply(SHIPPED[name], MODELS, calm_book(), calm_rules())


def test_tonight_is_held_and_the_rest_is_not():
    case = project(setting(), applied("china_severe"), "hold")
    assert case.whole
    held = decided(case.program, case.solved.staged.last.x)
    for name, values in setting().tonight.items():
        for index, value in values.items():
            assert held[name][index] == pytest.approx(value, abs=2 * SLACK)
    free = project(setting(), applied("china_severe"), "reoptimise")
    assert free.net_worth >= case.net_worth - 1.0


def test_what_cannot_be_held_is_held_in_part():
    case = project(setting(), applied("system_maintenance"), "hold")
    assert not case.whole
    held = decided(case.program, case.solved.staged.last.x)
    lent, before = (sum(tonight["lend"].values()) for tonight in (held, setting().tonight))
    assert 0 < lent < before
    assert all(held["lend"][index] <= value + 2 * SLACK for index, value in setting().tonight["lend"].items())


def test_run_off_lends_nothing_and_earns_less():
    case, free = (project(setting(), applied("china_severe"), way) for way in ("run_off", "reoptimise"))
    lend = case.program.column("lend")
    assert case.solved.staged.last.x[lend.place].max() <= 1e-9
    assert case.net_worth < free.net_worth


def lender_with_outflow(period: int, amount: float) -> tuple[Setting, Applied]:
    """A lender of cash 60m and a line with 200m undrawn; money leaves in one period."""
    book = small_book({"a": {"monthly_payment_rate": 0.05}}, {("a", "house"): 500 * MILLION})
    rules = rulebook(rule("line_limit", origin="contract"))
    at = xr.DataArray([[-amount]], coords={"account": ["other"], "period": [period]}, dims=("account", "period"))
    return with_night(book, rules)[0], Applied("out", {}, Shocks("out", {"flow": at}), rules, rules, ())


@pytest.mark.parametrize(("period", "days"), [(2, 1), (4, 3), (5, 10)])
def test_days_until_money_is_missing(period, days):
    """Without drawing, 60m and a few months' receipts do not pay 200m; with the line they do."""
    base, out = lender_with_outflow(period, 200 * MILLION)
    case = project(base, out, "run_off")
    found = survival(case)
    assert (found.days, found.whole) == (days, False)
    assert case.gave_way == []


def test_days_over_the_whole_horizon():
    base, out = lender_with_outflow(4, 1 * MILLION)
    found = survival(project(base, out, "run_off"))
    assert found.whole
    assert found.days > 100


def test_a_trust_whose_covenant_breaks_in_a_scenario_amortises_early():
    """Defaults ten times as many: the covenants of the trust cannot be met, and it buys no loans from then on."""
    book, rules = calm_book(), calm_rules()
    assert with_night(book, rules)[1].events == ()
    periods = list(range(1, setting().base.column("lend").index[-1][-1] + 1))
    losses = xr.DataArray(
        np.full((len(book["segments"]), len(periods)), 10.0),
        coords={"segment": list(book["segments"].index), "period": periods}, dims=("segment", "period"),
    )  # fmt: skip
    bad = Applied("bad", {}, Shocks("bad", {"default": losses}), rules, rules, ())
    case = project(setting(), bad, "reoptimise")
    assert {(event.facility, event.rule) for event in case.events} == {("abs_2026a", "covenants")}
    assert "covenants" in case.gave_way
    first = case.pool.amortising["abs_2026a"]
    bought = [
        case.solved.staged.last.x[at]
        for at, index in enumerate(case.program.column("lend").index, case.program.column("lend").start)
        if "abs_2026a" in index and index[-1] >= first
    ]
    assert bought
    assert max(bought) <= 1e-6


def test_shapley_of_a_game_that_can_be_done_by_hand():
    """a and b bring 6 only together, c brings 1 always."""
    players = ("a", "b", "c")
    sets = chain.from_iterable(combinations(players, size) for size in range(4))
    value = {frozenset(some): 6.0 * {"a", "b"}.issubset(some) + ("c" in some) for some in sets}
    assert shapley(players, value) == pytest.approx({"a": 3.0, "b": 3.0, "c": 1.0})


@pytest.mark.parametrize("name", ["fed_2026_severely_adverse", "policy_tightening"])
def test_parts_of_a_change_add_up(name):
    worth = project(setting(), applied(name), "reoptimise").net_worth
    parts = drivers(setting(), applied(name), worth)
    assert set(parts) == set(applied(name).channels)
    assert sum(parts.values()) == pytest.approx(worth - setting().worth, abs=1e-6)
    assert parts[max(parts, key=lambda one: abs(parts[one]))] < 0


def test_net_worth_alone_is_that_of_the_whole_night():
    one = applied("fed_2026_severely_adverse")
    full = project(setting(), one, "reoptimise").net_worth
    assert worth_of(setting(), one.rulebook, one.shocks, setting().start)[0] == pytest.approx(full, rel=1e-10)


def test_no_shock_is_the_night_itself():
    case = project(setting(), Applied("none", {}, Shocks("none"), calm_rules(), calm_rules(), ()), "reoptimise")
    assert case.net_worth == setting().worth
    np.testing.assert_array_equal(case.program.matrix.toarray(), setting().base.matrix.toarray())


def test_trusts_amortise_in_a_run_off():
    """The trust that revolves tonight pays its notes at once; one that has ended keeps its day."""
    case = project(setting(), applied("china_severe"), "run_off")
    assert list(case.pool.model.ABS) == []
    assert list(case.pool.model.SCHEDULED) == ["abs_2024a", "abs_2026a"]
    before, after = (book["facilities"].revolving_end["abs_2024a"] for book in (calm_book(), case.pool.book))
    assert before == after
    notes = case.program.column("tranche")
    owed = {index: case.solved.staged.last.x[notes.start + k] for k, index in enumerate(notes.index)}
    first = next(index for index in notes.index if index[0] == "abs_2026a")
    assert owed[(*first[:2], 1)] < owed[(*first[:2], 0)]


def test_an_error_of_the_solver_at_tight_tolerances_hides_no_repair():
    """Interior point and dual simplex end in an error on this program, whose rows contradict each other by little."""
    rules = read_rulebook(ROOT / "models" / "online_microlender.toml")
    book = read_book(ROOT / "data" / "online_microlender")
    case = project(with_night(book, rules)[0], apply(SHIPPED["china_moderate"], MODELS, book, rules), "run_off")
    assert set(case.gave_way) == {"expected_loss", "region"}
