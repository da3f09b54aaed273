"""The program itself: accounts that close, one answer, sequence of classes, repair, the waterfall, the amounts."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquidity import Book, Night, Rulebook, allocate, read_book, read_rulebook
from liquidity.book import opening
from liquidity.book.make import book_of, make_lender
from liquidity.explain.amounts import make_amounts
from liquidity.explain.lattice import FUNDING, Crew, Lifter, cause_of
from liquidity.program.build import build_pool
from liquidity.program.compile import Program, compile_program
from liquidity.program.grid import make_grid
from liquidity.program.night import Solved, solve_night
from liquidity.program.patterns import classes_of
from liquidity.program.repair import repair
from liquidity.program.solve import Infeasible, Options, Session, pack_basis
from liquidity.program.stages import Goals, make_goals, run_stages
from liquidity.program.waterfall import Deal, run_waterfall
from liquidity.runs.night import solver_options

ROOT = Path(__file__).parents[2]
SHORT = ("3 x 1 day", "2 x 1 week", "3 x 1 month")


@lru_cache
def calm(horizon: tuple[str, ...] = SHORT) -> tuple[Book, Rulebook]:
    rules = read_rulebook(ROOT / "models" / "calm.toml").model_copy(update={"horizon": horizon})
    rules = rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})
    return read_book(ROOT / "data" / "calm"), rules


@lru_cache
def made(seed: int) -> tuple[Book, Rulebook]:
    """A random lender under the sample lender's rulebook, on a short horizon."""
    rules = read_rulebook(ROOT / "models" / "online_microlender.toml").model_copy(update={"horizon": SHORT})
    rules = rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})
    return book_of(make_lender(8 + seed, 5 + seed % 3, seed)), rules


@lru_cache
def night(seed: int) -> Night:
    return allocate(*made(seed))


def settle(book: Book, rules: Rulebook, method: str = "ipx") -> tuple[Program, Goals, Solved]:
    pool = build_pool(book, rules)
    program = compile_program(pool)
    goals = make_goals(pool, program)
    tiers = {rule.name: rule.priority for rule in rules.rules}
    size = opening(book).assets / pool.unit
    return program, goals, solve_night(program, goals, tiers, 0.01, size, solver_options(rules), method)


# ---- grid


def test_months_are_counted_from_the_first_of_them() -> None:
    grid = make_grid(date(2027, 1, 31), ["1 x 1 month", "2 x 1 month"])
    assert grid.labels == ["2027-01-31", "2027-02-28", "2027-03-28"]
    assert grid.days == [28, 28, 31]


def test_first_days_and_periods_of_dates() -> None:
    grid = make_grid(date(2026, 11, 20), ["7 x 1 day", "3 x 1 week", "2 x 1 day", "11 x 1 month"])
    assert grid.size == 23
    assert grid.first_days(30) == 12
    assert grid.period_of(date(2026, 11, 20)) == 1
    assert grid.period_of(date(2026, 12, 1)) == 8
    assert grid.period_of(date(2026, 11, 19)) is None


def test_the_same_month_whatever_the_grid() -> None:
    book, rules = calm()
    daily, whole = (
        build_pool(book, rules.model_copy(update={"horizon": (step,)})).inputs for step in ("30 x 1 day", "1 x 30 day")
    )
    np.testing.assert_allclose(daily.keep.prod("period"), whole.keep.isel(period=0), rtol=1e-12)
    gone = daily.keep.cumprod("period").shift(period=1, fill_value=1.0) * daily.rep
    np.testing.assert_allclose(gone.sum("period"), whole.rep.isel(period=0), rtol=1e-12)


def test_receipts_replace_the_forecast_of_tonight() -> None:
    book, rules = calm()
    repaid = pd.DataFrame(
        {"segment": ["A-full-east"], "facility": ["balance_sheet"], "principal": [1e6], "interest": [2e5]}
    )
    data = build_pool(book.replace("repaid", repaid), rules).inputs
    held = float(book["balances"].balance["A-full-east", "balance_sheet"])
    at = data.sel(segment="A-full-east", facility="balance_sheet")
    assert float(at.rep.sel(period=1)) == pytest.approx(1e6 / held, rel=1e-12)
    assert float(at.interest.sel(period=1)) == pytest.approx(2e5 / held, rel=1e-12)
    forecast = build_pool(book, rules).inputs
    np.testing.assert_array_equal(data.rep.sel(period=2), forecast.rep.sel(period=2))


# ---- accounts and one answer


@pytest.mark.parametrize("seed", range(6))
def test_random_lenders_close_and_add_up(seed: int) -> None:
    checks = night(seed).checks
    assert checks["balance_sheet"] <= 1e-12
    assert checks["cash_accounts"] <= 1e-12
    assert checks["price_identity"] <= 1e-9
    assert checks["primal_residual"] <= 1e-7
    assert checks["duality_gap"] <= 1e-8
    assert checks["amounts_gap"] <= 1e-12
    assert [checks[name] for name in ("ledger_fen", "uses_fen", "reasons_fen")] == [0, 0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_simplex_and_interior_point_give_one_answer(seed: int) -> None:
    book, rules = made(seed)
    answers = {}
    for method in ("ipx", "dual"):
        _, goals, solved = settle(book, rules, method)
        x = solved.staged.last.x
        answers[method] = [goals.relent[w] @ x for w in (0, 1)] + [goals.wanted[w] @ x for w in (0, 1)]
    for one, two, freed in zip(answers["ipx"], answers["dual"], [*answers["ipx"][2:], *answers["ipx"][2:]]):
        assert np.abs(one - two).max() <= 1e-6 * max(freed.sum(), 1.0)


def test_a_two_period_book_by_hand() -> None:
    """One line, the balance sheet, no rule but the line: every state by hand."""
    book, rules = calm(("2 x 1 day",))
    _, _, solved = settle(book, rules)
    pool = build_pool(book, rules)
    x, program, unit = solved.staged.last.x, compile_program(pool), pool.unit
    value = {(f.name, *i): x[f.start + n] * unit for f in program.columns for n, i in enumerate(f.index)}
    table, held = book["segments"], book["balances"].balance
    segment, day = "B-full-east", 1 / 365
    pay, loss = -12 * math.log(1 - table.monthly_payment_rate[segment]), -math.log(1 - table.pd[segment])
    gone = 1 - math.exp(-(pay + loss) * day)
    lent = sum(value["lend", segment, u, "balance_sheet", 1] for u in ("returning", "new"))
    moved = sum(value["move", segment, f, 1] for f in pool.model.BOUGHT)
    expected = held[segment, "balance_sheet"] * (1 - gone) + lent - moved
    assert value["balance", segment, "balance_sheet", 1] == pytest.approx(expected, rel=1e-9)
    debt = book["lines"].drawn["bank_a"] + value["draw", "bank_a", 1] - value["pay_down", "bank_a", 1]
    assert value["debt", "bank_a", 1] == pytest.approx(debt, abs=1.0)
    assert value["provision", 0] == pytest.approx(book.lender.provision, rel=1e-12)


# ---- sequential pay


def brute_force(program: Program) -> float:
    """Best net worth over all monotone patterns, each solved on its own, deficiency decisions free."""
    best, classes = -np.inf, classes_of(program)
    ends = [range(len(one.periods) + 1) for one in classes]
    for pattern in itertools.product(*ends):
        pairs = zip(zip(classes, pattern), zip(classes[1:], pattern[1:]))
        if any(a[0].trust == b[0].trust and a[1] > b[1] for a, b in pairs):
            continue
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        for one, end in zip(classes, pattern):
            lower[one.done] = upper[one.done] = (np.arange(len(one.periods)) >= end).astype(float)
        try:
            best = max(
                best, Session(replace(program, column_lower=lower, column_upper=upper), Options()).solve().objective
            )
        except Infeasible:
            continue
    return best


def ending_trust() -> tuple[Book, Rulebook]:
    """The calm lender's revolving trust ends in a month and its classes are small enough to be paid in the horizon."""
    book, rules = calm(("2 x 1 day", "4 x 1 month"))
    book = book.edit("facilities", "abs_2026a", revolving_end="2026-12-15")
    tranches, lender = book["tranches"], book["lender"]
    before = tranches.balance[tranches.holder == "third_party"].sum()
    tranches.loc[("abs_2026a", "senior"), "balance"] = 3e8
    tranches.loc[("abs_2026a", "mezzanine"), "balance"] = 1e8
    gained = before - tranches.balance[tranches.holder == "third_party"].sum()
    lender["equity"] += gained
    return book.replace(tranches=tranches, lender=lender), rules


def test_patterns_find_what_brute_force_finds() -> None:
    book, rules = ending_trust()
    program, _, solved = settle(book, rules)
    assert program.integer.any()
    assert solved.staged.first.objective == pytest.approx(brute_force(program), rel=1e-9)
    assert solved.choice.values.sum() > 0


def test_no_class_is_paid_before_one_senior_to_it() -> None:
    result = allocate(*ending_trust())
    notes = result.tables["tranches"]
    notes = notes[notes.facility == "abs_2026a"]
    owed = notes.pivot(index="period", columns="tranche", values="closing")
    paid = notes.pivot(index="period", columns="tranche", values="principal")
    for senior, junior in (("senior", "mezzanine"), ("mezzanine", "subordinated")):
        assert (paid[junior][owed[senior] > 0.01] < 0.01).all()
    assert (paid > 0.01).any(axis=None)


rates = st.floats(0.0, 0.3)


@given(
    st.lists(st.tuples(st.floats(1, 500), rates, st.floats(0.0, 0.2), st.floats(0, 0.3)), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(1, 300), st.floats(0, 0.08)), min_size=1, max_size=4),
    st.floats(0, 20),
    st.floats(0, 20),
)
@settings(deadline=None, max_examples=60)
def test_waterfall_conserves_and_keeps_the_order(
    loans: list[tuple[float, float, float, float]], notes: list[tuple[float, float]], cash: float, reserve: float
) -> None:
    years = np.full(12, 1 / 12)
    balance, rep, interest, default = (np.array(part) for part in zip(*loans))
    flat = [np.repeat(part[:, None], 12, axis=1) for part in (rep, interest / 12, default / 12)]
    keep = 1 - flat[0] - flat[2]
    deal = Deal(
        balance=balance, collected=flat[0] + flat[1] + 0.1 * flat[2], interest=flat[1], loss=0.9 * flat[2], keep=keep,
        years=years, notes=np.array([n for n, _ in notes]), coupon=np.array([c for _, c in notes]), servicing=0.01,
        cash_rate=0.01, cash=cash, deficiency=0.0, reserve=reserve,
    )  # fmt: skip
    out = run_waterfall(deal)
    held, owed, account = balance.copy(), deal.notes.copy(), cash
    for t in range(12):
        service, coupons = 0.01 / 12 * held.sum(), float(deal.coupon @ owed) / 12
        account += account * 0.01 / 12 + float(deal.collected[:, t] @ held) - service - coupons
        account -= out.pay[:, t].sum() + out.release[t] + out.residual[t]
        assert all(out.pay[k, t] <= 1e-9 or owed[:k].sum() - out.pay[:k, t].sum() <= 1e-9 for k in range(len(owed)))
        owed, held = owed - out.pay[:, t], held * keep[:, t]
        assert (owed >= -1e-9).all()
        assert min(out.release[t], out.residual[t], out.cover[t], out.shortfall[t]) >= 0
    paid = out.pay.sum() + out.release.sum() + out.residual.sum()
    assert math.isfinite(paid)
    assert out.residual.sum() <= 1e-9 or owed.sum() <= 1e-9


# ---- repair


def test_least_shortfall_and_a_conflict_that_cannot_be_smaller() -> None:
    book, rules = calm()
    rules = rules.edit("capital", ratio=0.95)
    pool = build_pool(book, rules)
    program = compile_program(pool)
    tiers = {rule.name: rule.priority for rule in rules.rules}
    with pytest.raises(Infeasible):
        Session(program, Options()).solve()
    loose, mended = repair(program, tiers, 0.01, opening(book).assets / pool.unit, Options())
    assert set(mended.gave_way.rule) == {"capital"}
    Session(loose, Options()).solve()
    assert "capital" in mended.conflict
    for name in mended.conflict:
        session, free = Session(program, Options()), np.zeros(program.shape[0], bool)
        for family in program.rows:
            free[family.place] |= family.repairable and (family.owner == name or family.owner not in mended.conflict)
        session.lift(free)
        session.solve()


# ---- amounts


@pytest.mark.parametrize("seed", [1, 3])
def test_amounts_equal_shapley_by_brute_force_from_cold(seed: int) -> None:
    """Every group a player, every set solved cold by interior point: the same parts."""
    book, rules = made(seed)
    _, goals, solved = settle(book, rules)
    with Crew(1) as crew:
        found = make_amounts(solved.held, goals, Options(), crew, pack_basis(solved.staged.first.basis), 0)
    lifter = Lifter(solved.held, goals, Options())
    players = tuple(found.players) + tuple(sorted({cause_of(rule) for rule in lifter.groups} - set(found.players)))[:1]
    value = {}
    for size in range(len(players) + 1):
        for group in itertools.combinations(players, size):
            session = lifter.session
            session.reset()
            session.lift(lifter.rows(frozenset(group)))
            session.solve(None, methods=("ipx",))
            x = run_stages(session, goals.stages[:2]).last.x
            value[frozenset(group)] = np.stack([goals.relent[w] @ x - goals.wanted[w] @ x for w in (0, 1)])
    freed = max(float((goals.wanted[1] @ solved.staged.last.x).sum()), 1.0)
    for name in players:
        part = sum(
            math.factorial(len(s)) * math.factorial(len(players) - len(s) - 1) / math.factorial(len(players))
            * (value[s | {name}] - v) for s, v in value.items() if name not in s
        )  # fmt: skip
        expected = found.part.get(name, np.zeros_like(part))
        assert np.abs(part - expected).max() <= 1e-6 * freed
    assert found.gap <= 1e-9 * freed
    assert FUNDING in found.part
