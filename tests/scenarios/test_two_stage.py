"""One decision tonight for many scenarios: both routes, the figures of uncertainty, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import xarray as xr

from liquidity import read_book, read_rulebook, two_stage
from liquidity.bench.cases import CASES
from liquidity.errors import BadInput, SolverFailed
from liquidity.program.build import build_pool
from liquidity.program.cases_kit import maximise
from liquidity.program.cases_stochastic import SEASONS, farm, planning
from liquidity.program.compile import Family, Program, compile_program
from liquidity.program.linear import OUT
from liquidity.program.shocks import Shocks
from liquidity.program.solve import Infeasible, Options, Session
from liquidity.scenarios import alone, recourse
from liquidity.scenarios.align import align
from liquidity.scenarios.benders import Benders
from liquidity.scenarios.cases_two_stage import farmer, plan_wealth
from liquidity.scenarios.draws import Spread, draw_shocks, from_tomorrow
from liquidity.scenarios.extensive import Tree
from liquidity.scenarios.measures import frontier, solve_stages, wait_and_see, worth
from liquidity.scenarios.risk import Risk
from liquidity.scenarios.split import TwoStage, tonight
from liquidity.scenarios.two_stage import prepare

ROOT = Path(__file__).parents[2]
STERN = Spread(shut=0.5, call=0.02)
RISK = Risk(0.3, 0.8)
EXACT = 1e-10


def stern(count):
    """A small lender whose lines may shut tomorrow while cash is called."""
    case = CASES["tiny"]
    rulebook = case.rulebook(read_rulebook(ROOT / "models/online_microlender.toml"))
    return case.book(), rulebook, draw_shocks(build_pool(case.book(), rulebook), count, 0, STERN)


@pytest.fixture(scope="module")
def ready():
    return prepare(*stern(6))


@pytest.fixture(scope="module")
def parts(ready):
    with Benders(ready.problem, Options()) as made:
        yield made


@pytest.fixture(scope="module")
def found(parts):
    return {route: solve_stages(parts, RISK, route, EXACT) for route in ("benders", "extensive")}


# ---- both routes


@pytest.fixture(scope="module")
def calm():
    rulebook = read_rulebook(ROOT / "models/calm.toml")
    book = read_book(rulebook.book)
    return prepare(book, rulebook, draw_shocks(build_pool(book, rulebook), 10, 1, Spread(shut=0.5, call=0.05))).problem


@pytest.mark.parametrize("count", [3, 10])
def test_both_routes_agree_on_the_calm_lender(calm, count):
    problem = TwoStage(calm.programs[:count], np.full(count, 1 / count), calm.first)
    with Benders(problem, Options()) as parts:
        one, other = (solve_stages(parts, Risk(0.5, 0.7), route, 1e-8) for route in ("benders", "extensive"))
    assert one.objective == pytest.approx(other.objective, rel=1e-7)
    assert one.bound >= other.objective - 1e-6


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_both_routes_agree_on_the_farmer(weight):
    problem, risk = farmer(), Risk(weight, 0.5)
    with Benders(problem, Options()) as parts:
        one, other = (solve_stages(parts, risk, route, EXACT) for route in ("benders", "extensive"))
    assert one.objective == pytest.approx(other.objective, rel=1e-9)
    assert risk.of(one.value, problem.probability) == pytest.approx(one.objective, rel=1e-12)


def test_both_routes_agree_where_lines_shut(found, parts, ready):
    one, other = found["benders"], found["extensive"]
    assert one.objective == pytest.approx(other.objective, rel=1e-9)
    assert (one.route, other.route, other.rounds) == ("benders", "extensive", 0)
    assert one.gap <= EXACT
    assert any(not cut.feasible for cut in parts.cuts)
    assert RISK.of(other.value, ready.problem.probability) == pytest.approx(other.objective, rel=1e-12)


def test_the_decision_is_worth_what_is_told(found, ready):
    """Tonight's decisions held in each scenario's whole program, solved anew by the night's own solver."""
    problem = ready.problem
    decided = np.zeros_like(problem.first)
    for family in problem.programs[0].columns:
        decided[family.place] = problem.first[family.place] & (family.kind == "decision")
    at = np.flatnonzero(decided)
    for program, value in zip(problem.programs, found["benders"].value):
        free = replace(program, row_lower=np.where(problem.early & ~program.definition, -np.inf, program.row_lower),
                       row_upper=np.where(problem.early & ~program.definition, np.inf, program.row_upper))  # fmt: skip
        session = Session(free, Options(tolerance=1e-7))
        session.fix(at, found["benders"].x[at])
        assert session.solve().objective == pytest.approx(value, rel=1e-9)


def test_one_program_for_all_seasons_says_the_same():
    assert maximise(farm(SEASONS)).value == pytest.approx(
        solve_stages(Benders(farmer(), Options()), Risk(), "extensive").objective, rel=1e-12
    )
    assert maximise(planning()).value == pytest.approx(plan_wealth()[1].objective, rel=1e-12)


def test_planning_decides_before_it_knows():
    programs, form = plan_wealth()
    hold = programs[0].column("hold")
    for (_, stage, _), amounts in zip(hold.index, form.x[:, hold.place].T):
        assert len({round(amount, 9) for amount in amounts.tolist()}) <= 2**stage


def test_the_order_of_scenarios_changes_nothing(found, ready):
    problem = ready.problem
    turned = TwoStage(problem.programs[::-1], problem.probability[::-1], problem.first)
    with Benders(turned, Options()) as parts:
        again = solve_stages(parts, RISK, "benders", EXACT)
    assert again.objective == pytest.approx(found["benders"].objective, rel=1e-9)
    assert again.value[::-1] @ problem.probability == pytest.approx(
        found["benders"].value @ problem.probability, rel=1e-6
    )


def test_workers_give_the_same_bits():
    answers = []
    for workers in (1, 2):
        with Benders(farmer(), Options(), workers) as parts:
            answers.append(parts.solve(Risk(0.4, 0.5), EXACT))
    one, two = answers
    assert (one.objective, one.bound, one.rounds) == (two.objective, two.bound, two.rounds)
    assert one.x.tobytes() == two.x.tobytes()


# ---- cuts


def test_a_slope_is_what_a_column_is_worth(found, parts):
    point = found["benders"].x[parts.recourse.link]
    scenario = parts.panel.scenarios[0]
    (cut,) = scenario.ask(point)
    cash = int(np.argmax(np.abs(cut.slope)))
    for step in (1e-3, -1e-3):
        moved = point.copy()
        moved[cash] += step
        (other,) = scenario.ask(moved)
        assert other.value <= cut.value + cut.slope[cash] * step + 1e-7
    assert cut.slope[cash] != 0.0


def test_a_decision_without_a_plan_is_cut_off_and_a_good_one_is_not(found, parts):
    good = found["extensive"].x[parts.recourse.link]
    for cut in parts.cuts:
        if not cut.feasible:
            assert cut.value > 1e-7
            assert cut.value + cut.slope @ (good - cut.point) <= 1e-6
            assert np.abs(cut.slope).max() <= 1 + 1e-9


def toy(rights):
    """Tonight x <= 10 costs 1; later y <= x + right earns 3, between `need` and `most` of it; one triple a scenario."""
    matrix = sp.csc_matrix(np.array([[1.0, 0.0], [-1.0, 1.0], [0.0, 1.0]]))
    columns = (Family("", "x", "decision", ("i",), ((0,),), 0), Family("", "y", "decision", ("i",), ((0,),), 1))
    rows = tuple(
        Family("terms", name, "terms", ("i",), ((0,),), at) for at, name in enumerate(("most", "stock", "need"))
    )
    return [
        Program(
            matrix, np.array([-1.0, 3.0]), 0.0, np.array([-np.inf, -np.inf, need]), np.array([10.0, right, most]),
            np.zeros(2), np.full(2, np.inf), np.zeros(2, bool), columns, rows,
        )
        for right, need, most in rights
    ]  # fmt: skip


def staged(programs):
    return TwoStage(tuple(programs), np.full(len(programs), 1 / len(programs)), np.array([True, False]))


def test_a_need_in_one_scenario_binds_tonight():
    """y <= 2 in one scenario, y >= 8 in the other: at most 2 are sold in the one, so x is just what the other needs."""
    problem = staged(toy([(0.0, 0.0, 2.0), (0.0, 8.0, 8.0)]))
    with Benders(problem, Options()) as parts:
        for route in ("benders", "extensive"):
            found = solve_stages(parts, Risk(), route, EXACT)
            assert found.x[0] == pytest.approx(8.0)
            assert found.objective == pytest.approx(-8.0 + 3 * (2 + 8) / 2)


def test_no_decision_that_suits_every_scenario_is_told():
    problem = staged(toy([(0.0, 0.0, 2.0), (0.0, 11.0, np.inf)]))
    with pytest.raises(Infeasible, match="every scenario a plan"), Benders(problem, Options()) as parts:
        solve_stages(parts, Risk(), "benders")
    with pytest.raises(Infeasible):
        wait_and_see(problem, Options())


def test_where_the_expected_numbers_have_no_plan_a_scenario_is_where_the_search_starts():
    """y >= 1 in one scenario, -y >= -0.5 in the other: on the mean 0 y >= 0.25."""
    one, other = toy([(0.0, 1.0, np.inf), (0.0, -0.5, np.inf)])
    turned = other.matrix.copy()
    turned.data[-1] = -1.0
    problem = staged([one, replace(other, matrix=turned)])
    with Benders(problem, Options()) as parts:
        found = [solve_stages(parts, Risk(), route, EXACT) for route in ("benders", "extensive")]
        figures = worth(parts, found[0], Risk(), wait_and_see(problem, Options()))
    assert [one.objective for one in found] == pytest.approx([-10 + 3 * (10 + 0.5) / 2] * 2)
    assert figures.vss == np.inf
    assert figures.ws == pytest.approx((20.0 + 1.0) / 2)


# ---- figures


def test_knowing_and_looking_are_worth_something(found, parts, ready):
    figures = worth(parts, found["benders"], RISK, ready.known)
    assert figures.evpi > 1.0
    assert figures.vss == np.inf  # the mean's decision leaves no plan where lines shut
    assert np.all(ready.known >= found["benders"].value - 1e-6)
    assert wait_and_see(ready.problem, Options()) == pytest.approx(ready.known, rel=1e-10)


def test_more_weight_on_the_worst_earns_less_and_loses_less():
    with Benders(farmer(), Options()) as parts:
        line = frontier(parts, [0.0, 0.25, 0.5, 0.75, 1.0], tail=0.6, route="benders", goal=EXACT)
    assert line["mean"].is_monotonic_decreasing
    assert line.cvar.is_monotonic_increasing
    assert line["mean"].iloc[0] == pytest.approx(108390.0)
    assert line.cvar.iloc[-1] > line.cvar.iloc[0] + 1.0


@pytest.mark.parametrize(
    ("tail", "worst"), [(0.0, 2.5), (0.5, 1.5), (0.75, 1.0), (0.9, 1.0), (0.6, (1 * 0.25 + 2 * 0.15) / 0.4)]
)
def test_cvar_is_the_mean_of_the_worst(tail, worst):
    assert Risk(1.0, tail).cvar(np.array([3.0, 1.0, 4.0, 2.0]), np.full(4, 0.25)) == pytest.approx(worst)


def test_the_answer_in_money(ready):
    plan = two_stage(*stern(3), weight=0.3, tail=0.6, weights=(0.0, 1.0), goal=1e-9)
    figures = plan.figures.set_index("figure").value
    assert set(plan.figures.unit) == {"CNY", "share of RP", "rounds"}
    assert figures["EVPI"] == pytest.approx(figures["WS"] - figures["RP"], abs=0.02)
    assert figures["RP"] == pytest.approx(0.7 * figures["mean"] + 0.3 * figures["CVaR"], rel=1e-9)
    assert (plan.outcomes.wait_and_see >= plan.outcomes.net_worth - 0.01).all()
    assert list(plan.frontier.weight) == [0.0, 1.0]
    assert set(plan.tonight.decision) >= {"lend"}
    assert plan.tonight.amount.gt(0).all()
    assert plan.gave_way.empty
    assert "yes/no decisions held" in plan.note


def defaults(shock, times):
    """A scenario whose defaults are so many times as frequent from the second period on."""
    array = shock.arrays["default"].copy()
    array[:, 1:] = times
    return Shocks(f"defaults x {times:g}", {"default": array})


@pytest.mark.parametrize("times", [3.0, 6.0])
def test_a_scenario_that_no_decision_saves_is_loosened_by_the_least(times):
    """With six times the defaults a trust no longer earns its losses: the scenarios then have other columns."""
    book, rulebook, shocks = stern(2)
    ready = prepare(book, rulebook, [defaults(shocks[0], times), shocks[1]])
    assert set(ready.gave_way.scenario) == {f"defaults x {times:g}"}
    assert ready.gave_way.shortfall.gt(0).all()
    assert not any("period=1;" in f"{at};" for at in ready.gave_way["at"])
    with Benders(ready.problem, Options()) as parts:
        one, other = (solve_stages(parts, Risk(), route, 1e-9) for route in ("benders", "extensive"))
    assert one.objective == pytest.approx(other.objective, rel=1e-7)
    assert (ready.known >= one.value - 1e-6).all()


def test_what_gave_way_is_told_in_money():
    book, rulebook, shocks = stern(2)
    scenarios = [defaults(shocks[0], 3.0), shocks[1]]
    ready, told = prepare(book, rulebook, scenarios), two_stage(book, rulebook, scenarios).gave_way
    assert told.shortfall.tolist() == pytest.approx((ready.gave_way.shortfall * ready.pool.unit).tolist(), rel=1e-6)
    assert told.shortfall.max() > 1.0


def test_a_scenario_that_nothing_saves_is_named(monkeypatch):
    def nothing_helps(*_):
        raise SolverFailed("no plan exists even when every rule gives way")

    monkeypatch.setattr(alone, "repair", nothing_helps)
    book, rulebook, shocks = stern(2)
    with pytest.raises(SolverFailed, match="scenario defaults x 3: no plan"):
        prepare(book, rulebook, [shocks[1], defaults(shocks[0], 3.0)])


def test_a_rule_that_gives_way_tonight_does_so_in_every_scenario():
    book, rulebook, shocks = stern(3)
    calm = [Shocks(one.name, {"demand": one.arrays["demand"]}) for one in shocks]
    tight = rulebook.edit("expected_loss", rate=0.8 * rulebook.rule("expected_loss").rate)
    problem = prepare(book, tight, calm).problem
    with Benders(problem, Options()) as parts:
        one, other = (solve_stages(parts, Risk(), route, 1e-9) for route in ("benders", "extensive"))
    assert one.objective == pytest.approx(other.objective, rel=1e-7)
    place = problem.programs[0].row("expected_loss", "rate").place
    given = np.array([program.row_upper[place] for program in problem.programs])
    assert given[0, 0] > 0.0  # tonight's bound was 0 before it gave way
    assert np.all(given[:, 0] == given[0, 0])


def test_a_gap_that_is_not_reached_is_no_answer():
    with pytest.raises(SolverFailed, match="no gap of 0"), Benders(farmer(), Options()) as parts:
        parts.solve(Risk(), goal=0.0, rounds=1)


# ---- what is refused


def test_what_is_known_tonight_is_the_same_everywhere(ready):
    problem = ready.problem
    program = problem.programs[1]
    row = int(np.flatnonzero(problem.early & np.isfinite(program.row_upper))[0])
    upper = program.row_upper.copy()
    upper[row] += 1.0
    with pytest.raises(BadInput, match=r"row 1.*rows of the first stage"):
        TwoStage((problem.programs[0], replace(program, row_upper=upper)), np.full(2, 0.5), problem.first)


def test_a_shock_of_tonight_is_refused():
    book, rulebook, shocks = stern(1)
    begun = Shocks("tonight", {**shocks[0].arrays, "default": shocks[0].arrays["default"] * 1.05})
    with pytest.raises(BadInput, match="first stage"):
        prepare(book, rulebook, [Shocks("calm"), begun])
    later = from_tomorrow(begun)
    assert later.arrays["default"].sel(period=1).equals(xr.ones_like(later.arrays["default"].sel(period=1)))
    assert later.arrays["default"].sel(period=2).equals(begun.arrays["default"].sel(period=2))
    assert prepare(book, rulebook, [Shocks("calm"), later]).problem.size == 2


@pytest.mark.parametrize("chance", [[0.5, 0.6], [1.0], [-0.5, 1.5], [np.nan, 1.0]])
def test_probabilities_that_are_none_are_refused(chance):
    programs = toy([(0.0, 0.0, 2.0), (0.0, 8.0, 8.0)])
    with pytest.raises(BadInput, match="probability"):
        TwoStage(tuple(programs), np.array(chance), np.array([True, False]))


def test_other_patterns_masks_and_yes_no_columns_are_refused():
    one, two = toy([(0.0, 0.0, 2.0), (0.0, 8.0, 8.0)])
    even, first = np.full(2, 0.5), np.array([True, False])
    wide = replace(two, matrix=sp.csc_matrix(np.ones((3, 2))))
    for programs, mask, said in [
        ((one, wide), first, "pattern"),
        ((one, two), np.array([True]), "mask"),
        ((one, replace(two, integer=np.array([False, True]))), first, "yes/no"),
    ]:
        with pytest.raises(BadInput, match=said):
            TwoStage(programs, even, mask)
    with pytest.raises(BadInput, match="at least one"):
        TwoStage((), np.zeros(0), first)


@pytest.mark.parametrize(("weight", "tail"), [(-0.1, 0.5), (1.1, 0.5), (0.5, 1.0), (np.nan, 0.5)])
def test_a_risk_that_is_none_is_refused(weight, tail):
    with pytest.raises(BadInput):
        Risk(weight, tail)


def test_a_node_has_one_past():
    with pytest.raises(ValueError, match="two pasts"):
        Tree(np.array([0, 1, 2]), np.array([[0, 0, 0], [0, 1, 0]]))


# ---- scenarios


def test_programs_with_other_rows_are_brought_together():
    book, rulebook, shocks = stern(6)
    shut = next(one for one in shocks if "closed" in one.arrays)
    apart = [compile_program(build_pool(book, rulebook, shocks=one)) for one in (Shocks(), shut)]
    joined = align(apart)
    assert apart[0].shape[0] < apart[1].shape[0] == joined[0].shape[0] == joined[1].shape[0]
    for before, after in zip(apart, joined):
        assert Session(after, Options()).solve().objective == pytest.approx(
            Session(before, Options()).solve().objective, rel=1e-12
        )
        labels = set(before.row_labels())
        added = np.array([name not in labels for name in after.row_labels()])
        assert np.isinf(after.row_lower[added]).all()
        assert np.isinf(after.row_upper[added]).all()


def test_draws_leave_tonight_alone_and_do_not_depend_on_how_many():
    case = CASES["tiny"]
    pool = build_pool(case.book(), case.rulebook(read_rulebook(ROOT / "models/online_microlender.toml")))
    few, many = draw_shocks(pool, 2, 5, STERN), draw_shocks(pool, 200, 5, STERN)
    for one, other in zip(few, many):
        assert all(one.arrays[name].identical(other.arrays[name]) for name in one.arrays)
    for one in many:
        for name, array in one.arrays.items():
            assert np.all(array.sel(period=1) == (1.0 if name in ("default", "payment", "demand") else 0.0))
    mean = np.mean([one.arrays["demand"].values[:, -1].mean() for one in many])
    assert mean == pytest.approx(1.0, abs=0.05)
    assert 0.4 < np.mean(["closed" in one.arrays for one in many]) < 0.6


def test_tonight_is_the_first_period():
    program = compile_program(build_pool(*stern(0)[:2]))
    mask = tonight(program)
    lend = program.column("lend").frame()
    assert mask[program.column("lend").place].tolist() == lend.period.eq(1).tolist()


# ---- how far a decision is from one that leaves a plan


def test_the_distance_does_not_depend_on_where_it_starts(monkeypatch, ready):
    with Benders(ready.problem, Options()) as parts:
        parts.ask(ready.plain)
        shut = next(cut for cut in parts.cuts if not cut.feasible)
        one = parts.panel.scenarios[shut.at]
        warm = one._distance(shut.point)[0]
        monkeypatch.setattr(recourse.Solver, "start_from", lambda self, basis: None)
        cold = one._distance(shut.point)[0]
    assert warm == pytest.approx(cold, rel=1e-7)
    assert warm > 0


def test_the_nearest_decision_is_not_believed_to_leave_no_plan(monkeypatch, ready):
    """It lies at the edge of what is feasible, where every method has found none at tight tolerances."""
    with Benders(ready.problem, Options()) as parts:
        parts.ask(ready.plain)
        shut = next(cut for cut in parts.cuts if not cut.feasible)
        one = parts.panel.scenarios[shut.at]
        before, nearest = one.ask(shut.point)[-1], one._distance(shut.point)[2]
        attempt, asked = recourse.Solver._attempt, []

        def refuse(solver, step, seconds):
            status = attempt(solver, step, seconds)
            if solver is not one.solver or not np.allclose(solver.x()[one.link], nearest, atol=1e-6):
                return status
            asked.append(step)
            return status if step == "loose" else OUT[0]

        monkeypatch.setattr(recourse.Solver, "_attempt", refuse)
        (*_, plan) = one.ask(shut.point)
    assert asked == ["dual", "ipx", "cold", "loose"]
    assert plan.feasible
    assert plan.value == pytest.approx(before.value, rel=1e-6)
