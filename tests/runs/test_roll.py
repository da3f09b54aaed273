"""Rolling nights: accounts that close, luck that is common, policies that keep the rules, an optimum that is one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from liquidity import BadInput, Book
from liquidity.book.make import book_of, make_lender, with_issues
from liquidity.errors import SolverFailed
from liquidity.program import shares
from liquidity.program.build import build_pool
from liquidity.program.plan import make_plan
from liquidity.program.solve import Infeasible, Session
from liquidity.report.rolling import relent_by_night, uplift_by_night, write_rolling
from liquidity.runs.night import decide
from liquidity.runs.roll import Rolled, make_roll
from liquidity.runs.roll_close import INCOME, Close, positive
from liquidity.runs.roll_draws import Truth, draw_night
from liquidity.runs.roll_path import Roll, Value, run_path, tonight
from liquidity.runs.roll_policies import GREEDY, OPTIMISER, PRO_RATA, broken, choose
from liquidity.runs.roll_text import body
from tests.books import (
    MILLION,
    TRUST,
    calm_book,
    calm_rules,
    random_book,
    random_rules,
    rule,
    rulebook,
    small_book,
    trust_rules,
)
from tests.test_cli import run as cli

SHORTEST = ("3 x 1 day", "1 x 1 month")
CLOSES = 1e-9


def alone(rules):
    """The rulebook without workers."""
    return rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})


@lru_cache
def felt() -> Roll:
    """Three nights of a lender that feels its limits."""
    book = random_book(seed=1)
    return Roll(book, alone(random_rules(book, 1, SHORTEST)), nights=3, seed=7)


@lru_cache
def rolled() -> Rolled:
    return make_roll(felt())


@lru_cache
def calm() -> Roll:
    return Roll(calm_book(), alone(calm_rules(SHORTEST)), nights=4)


# ---- luck


def test_rounding_is_no_deficiency():
    left = positive(xr.DataArray([-1e-9, 5.8e-16, 0.004, 0.006, 12.0], dims="facility"))
    assert left.values.tolist() == [0.0, 0.0, 0.0, 0.006, 12.0]


def test_without_noise_the_draw_is_the_forecast():
    book = calm_book()
    drawn = draw_night(book, book.as_of, 3, 1, Truth(noise=0.0))
    data = build_pool(book, calm_rules()).inputs.isel(period=0)
    np.testing.assert_allclose(drawn.principal, data.rep, rtol=1e-12)
    np.testing.assert_allclose(drawn.defaulted, data.default, rtol=1e-12)
    np.testing.assert_allclose(drawn.interest, data.interest, rtol=1e-12)  # nobody is guaranteed here
    assert drawn.requests.new_demand.to_dict() == pytest.approx(book["requests"].new_demand.droplevel("from").to_dict())


def test_draws_scatter_around_the_true_rates():
    book, truth = random_book(), Truth(payment=1.2, default=2.0, demand=0.5)
    plain = draw_night(book, book.as_of, 0, 1, replace(truth, noise=0.0))
    many = [draw_night(book, book.as_of, seed, 1, truth) for seed in range(300)]
    for name, within in (("principal", 0.03), ("interest", 0.03), ("defaulted", 0.08)):
        mean = sum(getattr(one, name) for one in many) / len(many)
        np.testing.assert_allclose(mean, getattr(plain, name), rtol=within)
        assert (pd.concat([getattr(one, name) for one in many]).groupby(level=0).std() > 0).all(axis=None)
    asked = pd.concat([one.requests for one in many]).groupby(level=0).mean()
    pd.testing.assert_frame_equal(asked[["asked", "new_demand"]], plain.requests[["asked", "new_demand"]], rtol=0.05)
    assert all(one.requests[gate].between(0, 1).all() for one in many for gate in ("asked", "available"))


def test_luck_is_common_whatever_a_policy_lent():
    """The same shares of other balances, the same gates and demand."""
    first = calm_book()
    other = first.replace("balances", first["balances"].assign(balance=lambda table: table.balance * 1.001))
    drawn = draw_night(first, first.as_of, 5, 2, Truth())
    one, two = tonight(first, first, drawn), tonight(other, first, drawn)
    for name in ("principal", "interest", "defaulted"):
        shares = (book["repaid"][name] / book["balances"].balance for book in (one, two))
        np.testing.assert_allclose(*shares, rtol=1e-12)
    pd.testing.assert_frame_equal(one["requests"], two["requests"])


def test_requests_come_as_drawn_tonight_and_as_forecast_from_tomorrow():
    first = random_book()
    drawn = draw_night(first, first.as_of, 5, 2, Truth())
    table = tonight(first, first, drawn)["requests"]
    now = table.xs(pd.Timestamp(first.as_of), level="from")
    pd.testing.assert_frame_equal(now, drawn.requests[now.columns], check_names=False)
    later = tonight(first, first, drawn)
    gates = build_pool(later, random_rules(first)).inputs.gate_open
    plain = build_pool(first, random_rules(first)).inputs.gate_open
    np.testing.assert_array_equal(gates.isel(period=slice(1, None)), plain.isel(period=slice(1, None)))


# ---- accounts


def test_every_night_closes():
    for table in (rolled().nights, make_roll(calm()).nights):
        assert table.close_gap.max() <= CLOSES
        assert table.other_gap.max() <= CLOSES
        parts = table[list(INCOME)].sum(axis=1)
        steps = table.groupby("policy").equity.diff()
        np.testing.assert_allclose(steps.dropna(), parts[steps.notna()], rtol=0, atol=1e-3)


def test_the_book_of_the_last_morning_is_what_the_nights_left():
    path = run_path(calm(), OPTIMISER)
    last, end = path.last, path.nights.iloc[-1]
    assert last.as_of == calm_book().as_of + timedelta(days=4)
    assert float(last.lender.equity) == pytest.approx(end.equity, rel=1e-15)
    grown = end.equity - calm_book().lender.equity
    assert last.lender.total_capital == pytest.approx(calm_book().lender.total_capital + grown, rel=1e-12)
    assert last["repaid"].empty
    # the ending trust pays its senior class first, the bond stays as it is, bad loans gather what defaulted
    before, after = (book["tranches"].balance.xs("abs_2024a", level="facility") for book in (calm_book(), last))
    assert after["senior"] < before["senior"]
    assert after["mezzanine"] == before["mezzanine"]
    assert last["lines"].drawn["bond"] == calm_book()["lines"].drawn["bond"]
    losses = -path.nights.losses.sum() / 0.85
    own = {facility: 0.3 if facility == "joint_a" else 1.0 for facility in last["facilities"].index}
    weight = last["balances"].index.get_level_values("facility").map(own).to_numpy()
    npl = [float((book["balances"].npl * weight[: len(book["balances"])]).sum()) for book in (calm_book(), last)]
    assert npl[1] == pytest.approx(npl[0] * np.exp(-1.2 * 4 / 365) + losses, rel=1e-3)


def test_a_line_that_matures_is_repaid_on_the_day():
    day = calm_book().as_of + timedelta(days=2)
    lines, lender = calm_book()["lines"], calm_book()["lender"]
    lines.loc["bank_a", "maturity"], lines.loc["bank_a", "drawn"] = pd.Timestamp(day), 1e8
    book = calm_book().replace(lines=lines, lender=lender.assign(equity=lender.equity + 9e8))
    path = run_path(Roll(book, alone(calm_rules(SHORTEST)), nights=3), OPTIMISER)
    assert path.last["lines"].drawn["bank_a"] == 0
    assert path.breaches.empty


# ---- policies


def test_every_policy_keeps_every_rule_and_none_plans_better_than_the_optimum():
    table = rolled().nights
    assert table.breaches.sum() == 0
    assert table.repaired.sum() == 0
    assert (table.planned <= table.best_planned + 1e-9 * table.best_planned.abs()).all()
    simple = table[(table.policy != OPTIMISER) & (table.night == 1)]
    assert (simple.planned < simple.best_planned - 1.0).all(), "the limits are felt: simple policies plan worse"
    same = table[table.night == 1].drop_duplicates(["freed", "wanted", "best_planned"])
    assert len(same) == 1, "all begin with the same book and the same luck"
    assert rolled().exit_code == 0


def at_most(segment: str, amount: float) -> pd.DataFrame:
    """A pin on what a segment ("": all) is lent tonight."""
    return pd.DataFrame([{"target": "lend", "segment": segment, "facility": "", "line": "", "from": "2026-11-20",
                          "to": "2026-11-20", "op": "<=", "amount": amount, "reason": "a test",
                          "by": "me"}])  # fmt: skip


def asked_and_lent(policy: str) -> pd.DataFrame:
    """Two segments ask for the same, and a pin lets CNY 1.5m through tonight: what each gets, CNY."""
    held = {("dear", "house"): 250 * MILLION, ("cheap", "house"): 250 * MILLION}
    book = small_book({"dear": {"apr": 0.2}, "cheap": {"apr": 0.1}}, held, pins=at_most("", 1.5e6))
    decided = decide(book, rulebook(rule("pins"), rule("line_limit")), None)
    staged, _ = choose(policy, decided)
    plan = make_plan(decided.pool, decided.program, staged.last, staged.first.reduced)
    now = plan.isel(period=0)
    assert broken(decided, staged.last).empty
    return pd.DataFrame({"asked": now.freed.sum("facility").to_series(),
                         "lent": now.lend.sum(["facility", "borrower"]).to_series()})  # fmt: skip


def test_pro_rata_lends_the_same_share():
    got = asked_and_lent(PRO_RATA)
    share = 1.5e6 / got.asked.sum()
    np.testing.assert_allclose(got.lent / got.asked, share, rtol=2e-6)
    assert share < 1


def test_greedy_serves_the_best_margin_first():
    got = asked_and_lent(GREEDY)
    assert got.lent["dear"] == pytest.approx(min(1.5e6, got.asked["dear"]), rel=2e-6)
    assert got.lent.sum() == pytest.approx(1.5e6, rel=2e-6)


def test_a_policy_keeps_its_plan_where_the_later_stages_end_at_none(monkeypatch):
    """The set of plans that held shares leave may be too thin for the stages after net worth."""
    before = asked_and_lent(GREEDY)

    def lost(*_):
        raise SolverFailed("the optimum was lost", [])

    monkeypatch.setattr(shares, "run_stages", lost)
    pd.testing.assert_frame_equal(asked_and_lent(GREEDY), before, rtol=1e-5)


@pytest.mark.parametrize("needed", [5e-6, 5e-5, 5e-4])
def test_held_shares_lose_a_little_more_where_no_method_finds_the_plans_left(needed, monkeypatch):
    """A solver that finds nothing until every held share may lose `needed` of itself."""
    before, solve, refused = asked_and_lent(GREEDY), Session.solve, []

    def thin(session: Session, *how, **more):
        names = [family.name for family in session.program.columns]
        if "share" in names:
            place = session.program.column("share").place
            least, most = session.lower[place], session.upper[place]
            if ((least > 0) & (least > most * (1 - needed))).any():
                refused.append(1)
                raise Infeasible("no plan meets every row", [])
        return solve(session, *how, **more)

    monkeypatch.setattr(Session, "solve", thin)
    if needed > max(shares.SLIVERS):
        with pytest.raises(Infeasible):
            asked_and_lent(GREEDY)
        return
    pd.testing.assert_frame_equal(asked_and_lent(GREEDY), before, rtol=2 * max(shares.SLIVERS))
    assert len(refused) == sum(part < needed for part in shares.SLIVERS)


def test_held_shares_lose_a_little_more_where_only_wider_tolerances_find_a_plan(monkeypatch):
    """Or each group after that would be refused by every other method first."""
    before, solve, wide = asked_and_lent(GREEDY), Session.solve, []

    def thin(session: Session, *how, **more):
        answer, names = solve(session, *how, **more), [family.name for family in session.program.columns]
        place = session.program.column("share").place if "share" in names else slice(0)
        least, most = session.lower[place], session.upper[place]
        if not ((least > 0) & (least > most * (1 - shares.SLIVERS[1]))).any():
            return answer
        wide.append(1)
        return replace(answer, method="loose")

    monkeypatch.setattr(Session, "solve", thin)
    pd.testing.assert_frame_equal(asked_and_lent(GREEDY), before, rtol=2 * shares.SLIVERS[1])
    assert len(wide) == 1


def test_pro_rata_goes_on_with_those_that_nothing_stops():
    """One of two segments is pinned to little: the other gets all it asks."""
    held = {("a", "house"): 250 * MILLION, ("b", "house"): 250 * MILLION}
    book = small_book({"a": {}, "b": {}}, held, pins=at_most("a", 1e6))
    decided = decide(book, rulebook(rule("pins")), None)
    staged, _ = choose(PRO_RATA, decided)
    now = make_plan(decided.pool, decided.program, staged.last, staged.first.reduced).isel(period=0)
    lent = now.lend.sum(["facility", "borrower"]).to_series()
    assert lent["a"] == pytest.approx(1e6, rel=2e-6)
    assert lent["b"] == pytest.approx(float(now.freed.sel(segment="b").sum()), rel=2e-6)


def test_a_warm_start_changes_no_decision():
    roll, drawn = felt(), draw_night(felt().book, felt().book.as_of, 7, 1, Truth())
    first = decide(tonight(roll.book, roll.book, drawn), roll.rulebook, None)
    cold = decide(roll.book, roll.rulebook, None)
    warm = decide(roll.book, roll.rulebook, None, near=first)
    assert warm.solved.staged.first.objective == pytest.approx(cold.solved.staged.first.objective, rel=1e-10)
    lend = cold.program.column("lend")
    now = [at for at, index in enumerate(lend.index, lend.start) if index[-1] == 1]
    np.testing.assert_allclose(*(each.solved.staged.last.x[now] for each in (warm, cold)), atol=1e-5)


def test_net_worth_is_valued_as_the_objective_values_it():
    decided = decide(calm_book(), calm_rules(), None)
    plan = make_plan(decided.pool, decided.program, decided.solved.staged.last, decided.solved.staged.first.reduced)
    end, data = plan.isel(period=-1, drop=True), decided.pool.inputs

    def of(name: str, dim: str):
        return end[name].reindex({dim: data[dim].values}, fill_value=0.0)

    last = Close(
        balance=end.balance, facility_cash=of("facility_cash", "facility"), notes=of("notes", "facility"),
        deficiency=of("deficiency", "facility"), debt=of("debt", "line"), tranche=of("tranche_balance", "tranche"),
        cash=float(end.cash), equity=float(end.equity), provision=float(end.provision), defaults=end.balance * 0.0,
        income={},
    )  # fmt: skip
    planned = decided.solved.staged.first.objective * decided.pool.unit
    assert Value(decided.pool)(last) == pytest.approx(planned, rel=1e-9)


# ---- the same again, and what is refused


def test_the_same_seed_gives_the_same_nights_in_workers_too():
    few = replace(calm(), nights=2)
    in_workers = replace(few, rulebook=few.rulebook.model_copy(
        update={"solver": few.rulebook.solver.model_copy(update={"workers": 2})}))  # fmt: skip
    one, two = (make_roll(roll, [PRO_RATA]).nights.drop(columns="cpu_seconds") for roll in (few, in_workers))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    other = make_roll(replace(few, seed=1), [PRO_RATA]).nights
    assert not np.allclose(one.freed, other.freed, rtol=1e-4)


def with_receipts() -> Book:
    receipts = pd.DataFrame([("A-full-east", "joint_a", 3e6, 1e5)],
                            columns=["segment", "facility", "principal", "interest"])  # fmt: skip
    return calm_book().replace("repaid", receipts)


REFUSED = [
    (lambda: replace(calm(), nights=0), "--nights"),
    (lambda: replace(calm(), seed=-1), "--seed"),
    (lambda: replace(calm(), rulebook=calm_rules(("2 x 1 week",))), "calm"),
    (lambda: replace(calm(), book=with_receipts()), "repaid"),
    (lambda: Truth(payment=-0.1), "--payment"),
    (lambda: Truth(noise=11.0), "--noise"),
]


@pytest.mark.parametrize(("made", "place"), REFUSED, ids=[place for _, place in REFUSED])
def test_refusals(made, place):
    with pytest.raises(BadInput) as refused:
        make_roll(made())
    assert [problem.table for problem in refused.value.problems] == [place]


def test_an_unknown_policy_is_refused():
    with pytest.raises(BadInput, match="one of optimiser, pro_rata, greedy"):
        make_roll(calm(), ["random"])


# ---- folder and page


def test_the_command_writes_a_whole_folder(tmp_path, capsys):
    out = tmp_path / "roll"
    arguments = ["roll", "models/calm.toml", "--nights", "1", "--policy", "pro_rata", "--out", str(out)]
    assert cli(*arguments, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record == {**json.loads((out / "run.json").read_text(encoding="utf-8")), "folder": str(out)}
    assert [row["policy"] for row in record["results"]] == [OPTIMISER, PRO_RATA]
    assert sorted(path.name for path in (out / "tables").iterdir()) == [
        "breaches.csv", "nights.csv", "results.csv", "segments.csv"]  # fmt: skip
    assert cli(*arguments) == 0
    assert "Uplift of the optimiser" in capsys.readouterr().out
    assert cli("roll", "models/calm.toml", "--nights", "0", "--out", str(tmp_path / "none")) == 2
    assert not (tmp_path / "none").exists()


def test_the_page_tells_the_results_in_both_languages(tmp_path):
    found = rolled()
    record = {"id": "abc", "as_of": "2026-11-20", "currency": "CNY", "nights": 3, "seed": 7, "rulebook": "test",
              **body(found)}  # fmt: skip
    write_rolling(found.results, found.nights, found.breaches, record, tmp_path / "roll.html")
    page = (tmp_path / "roll.html").read_text(encoding="utf-8")
    for text in ("Greedy by margin", "按利差优先", "None, by any policy.", "CNY m", 'data-for="uplift"'):
        assert text in page
    gain, last = uplift_by_night(found.nights), found.results.set_index("policy")
    assert gain.iloc[-1].to_dict() == pytest.approx(last.uplift.drop(OPTIMISER).to_dict())
    shares = relent_by_night(found.nights)
    assert ((shares > 0) & (shares <= 1 + 1e-9)).all(axis=None)


def test_planned_issues_are_refused():
    """A close that left them out would tell a wrong net worth."""
    planned = book_of(with_issues(make_lender(8, 5, 1), 2, 1))
    with pytest.raises(BadInput, match="no planned ABS"):
        make_roll(Roll(planned, calm_rules(), 2, 0))


def test_a_trust_that_breaks_tonight_buys_no_more_from_the_next_night_on():
    """More than 20% of its notes lies idle tonight, and nobody of its pool may be lent to."""
    book = small_book(
        {"a": {}, "k": {"product": "trust", "monthly_payment_rate": 0.5}},
        {("a", "house"): 500 * MILLION, ("k", "t"): 100 * MILLION},
        facilities={"t": {**TRUST, "cash": 30 * MILLION, "revolving_end": "2028-01-01"}},
        tranches=[
            ("t", "senior", 1, 80 * MILLION, 0.03, "third_party"),
            ("t", "sub", 2, 20 * MILLION, 0.0, "retained"),
        ],
        eligibility=[("t", "product", "==", "trust")],
        requests={"k": {"available": 0.0}},
    )
    roll = Roll(book, trust_rules(SHORTEST, 0.2), nights=2, seed=1)
    path = run_path(roll, OPTIMISER)
    assert not path.failed
    assert path.breaches.query("night == 1").rule.tolist() == ["pool_cover"]
    assert path.last["facilities"].revolving_end["t"] == pd.Timestamp(book.as_of) + pd.Timedelta(days=1)
    # the second night pays the notes out of the idle cash
    assert path.last["tranches"].balance.sum() < book["tranches"].balance.sum() - 29 * MILLION
    assert path.breaches.query("night == 2").empty
