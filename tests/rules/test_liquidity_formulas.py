"""The liquidity ratios: closed forms of the standard, figures by hand, and the rows of the rules against both."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest
from rule_rows import broken, family, rows

from liquidity.errors import BadInput
from liquidity.rules import KINDS
from liquidity.rules.liquidity_formulas import ASF, RSF, by_residual, hqla, net_outflow, weighted

SIGNED = {"origin": "board", "source": "a test"}


def make(kind, **values):
    return KINDS[kind].model_validate({**SIGNED, **values})


def adjusted(level1, level2a, level2b):
    """Liquid assets as the standard writes them: LCR30, adjustments for the 15% and the 40% cap."""
    cap15 = max(level2b - 15 / 85 * (level1 + level2a), level2b - 15 / 60 * level1, 0)
    cap40 = max(level2a + level2b - cap15 - 2 / 3 * level1, 0)
    return level1 + level2a + level2b - cap15 - cap40


def test_least_of_the_pieces_is_the_form_of_the_standard():
    draws = np.random.default_rng(5).exponential(1.0, (5_000, 3)) * np.random.default_rng(6).choice(
        [0.0, 0.1, 1.0, 10.0], (5_000, 3)
    )
    for level1, level2a, level2b in draws:
        assert hqla(level1, level2a, level2b) == pytest.approx(adjusted(level1, level2a, level2b), abs=1e-12)


def test_net_outflow_caps_the_inflow():
    for outflow, inflow in np.random.default_rng(7).exponential(1.0, (500, 2)):
        assert net_outflow(outflow, inflow) == pytest.approx(outflow - min(inflow, 0.75 * outflow))


def test_caps_by_hand():
    """L1 100, L2A 100 and L2B 60 before haircuts: level 2 is cut to two fifths."""
    assets = hqla(100, 100 * (1 - 0.15), 60 * (1 - 0.5))
    assert assets == pytest.approx(100 / 0.6)
    assert assets / net_outflow(200, 190) == pytest.approx(3.3333, abs=1e-4)


def test_stable_funding_by_hand():
    available = weighted(
        {"capital": 100, "year_or_more": 200, "half_year_to_year": 150, "financial_under_half_year": 250}, ASF
    )
    assets = {"cash": 20, "level1": 30, "loans_under_year": 400, "loans_year_or_more": 120, "other": 15, "undrawn": 500}
    required = weighted(assets, RSF)
    assert (available, required) == (375, 343.5)
    assert available / required == pytest.approx(1.0917, abs=1e-4)


def test_residual_maturity_is_read_at_its_ends():
    assert [by_residual(days, 1, 2, 3) for days in (0, 181, 182, 364, 365, float("inf"))] == [1, 1, 2, 2, 3, 3]


# ---- the rows say the same


def values_of(pool, point):
    """Put a point into the model."""
    pool.write_out()
    for variable in pool.model.component_objects(pyo.Var):
        for data in variable.values():
            data.set_value(0.0, skip_validation=True)
    for (name, *index), amount in point.items():
        pool.model.component(name)[tuple(index)].set_value(amount, skip_validation=True)


def test_coverage_rows_hold_where_the_ratio_does(write):
    """Random cash, debt and balances: the rows of tonight hold if and only if the closed form says 100% or more."""
    rule = make("liquidity_coverage", undrawn_rate=0.0, inflow_share=1.0)
    pool = write(rule)
    noise, met = np.random.default_rng(8), 0
    pay = 12 * -np.log1p(-0.20)
    for _ in range(200):
        cash, debt, loans = noise.uniform(0, 15_000), noise.uniform(0, 40_000), noise.uniform(0, 80_000)
        total = pay - np.log1p(-0.01)
        inflow = loans * (pay + 0.10) / total * (1 - np.exp(-total * 30 / 365))
        point = {("cash", 1): cash, ("debt", "bank", 1): debt, ("balance", "a_east", "bs", 1): loans}
        holds = hqla(cash + 4_000, 4_000 * 0.85, 2_000 * 0.5) >= net_outflow(debt, inflow)
        assert ("cover" in broken_tonight(pool, point)) is not holds
        met += holds
    assert 20 < met < 180


def broken_tonight(pool, point):
    """Families with a row of period 1 that does not hold."""
    values_of(pool, point)
    return {
        row.parent_component().local_name
        for row in rows(pool, "liquidity_coverage")
        if row.index()[-1] == 1 and pyo.value(row.body) < pyo.value(row.lower) - 1e-9
    }


def test_only_what_a_lender_holds_makes_pieces(write, book):
    plain = write(make("liquidity_coverage"), of=book.edit("lender", None, hqla_2a=0.0, hqla_2b=0.0))
    assert len(rows(plain, "liquidity_coverage")) == 2 * 4
    assert len(rows(write(make("liquidity_coverage")), "liquidity_coverage")) == 6 * 4


def test_required_funding_by_maturity_and_pledge(write, book):
    """bank (December) is short, bond stays; loans of 12 and 24 months; an ABS of seven months pledges half."""
    tied = book.edit("facilities", "tr", legal_final="2027-07-01", revolving_end="2026-12-20")
    pool = write(make("stable_funding", undrawn_rate=0.0), of=tied)
    block = pool.model.rule.stable_funding
    stays = {line: block.of_line[line, 1] for line in ("bank", "bond", "standby")}
    assert stays == {"bank": 0.0, "bond": 1.0, "standby": 1.0}
    assert block.of_tranche["tr", "A", 1] == 0.5
    needs = {key: block.loans[(*key, 1)] for key in (("a_east", "bs"), ("d_shop", "bs"), ("a_east", "ja"))}
    assert needs == pytest.approx({("a_east", "bs"): 0.5, ("d_shop", "bs"): 0.85, ("a_east", "ja"): 0.15})
    assert (block.loans["d_shop", "tr", 1], block.loans["a_east", "tr", 1]) == (0.85, 0.5)
    assert (block.loans["a_east", "am", 1], block.vehicle_cash["wh", 1], block.vehicle_cash["tr", 1]) == (1, 1, 0.5)


def test_known_outflows_shorten_survival(write, book):
    import pandas as pd

    def bound(of):
        return next(pyo.value(row.lower) for row in rows(write(make("survival", days=20), of=of), "survival"))

    day = pd.Timestamp("2026-11-30")
    paid = pd.DataFrame([{"date": day, "name": "tax", "amount": -5e6, "account": "income"}])
    late = paid.assign(date=pd.Timestamp("2026-12-11"))
    assert bound(book.replace("flows", paid)) - bound(book) == pytest.approx(5_000)
    assert bound(book.replace("flows", late)) == bound(book)


def test_interbank_lines_have_a_multiple_of_their_own(write, book):
    lines = book.edit("lines", "bank", kind="interbank")
    rule = make("leverage_multiple", kinds={"interbank": 1.0}, by_class=False, base="total_capital")
    pool = write(rule, of=lines)
    assert broken(pool, "leverage_multiple", {("debt", "bank", 1): 250_000, ("debt", "bond", 1): 9e6}) == set()
    assert broken(pool, "leverage_multiple", {("debt", "bank", 1): 250_001}) == {"multiple"}
    assert rule.words("en") == "Lines by kind are at most a multiple of total capital: interbank 1 times."
    assert rule.words("zh") == "同业拆入余额不超过资本净额的1倍。"


def with_deposits(book, **values):
    """The small book with its bond turned into deposits of which three quarters are stable."""
    return book.edit("lines", "bond", kind="deposit", stable_share=0.75, **values)


CLASSES = {"stable": 0.05, "less_stable": 0.10}


def test_deposits_run_off_by_class(write, book):
    """3/4 of 5% and 1/4 of 10%; all of them where no class is given; a deposit due later leaves as other debt does."""
    rule = make("liquidity_coverage", deposit_runoff=CLASSES, early_runoff=0.02)
    for of, part in ((with_deposits(book), 0.0625), (with_deposits(book, maturity="2027-12-01"), 0.02)):
        assert write(rule, of=of).model.rule.liquidity_coverage.of_line["bond", 1] == pytest.approx(part)
    bare = write(make("liquidity_coverage"), of=with_deposits(book))
    assert bare.model.rule.liquidity_coverage.of_line["bond", 1] == 1.0
    assert rule.words("en").endswith("; of deposits leave 5% of stable ones, 10% of less stable ones.")
    assert rule.words("zh").endswith("，存款流失率为稳定存款5%、欠稳定存款10%。")


def test_deposits_are_stable_funding_by_class(write, book):
    rule = make("stable_funding", deposit_asf={"stable": 0.95, "less_stable": 0.90})
    for maturity, part in ((None, 0.9375), ("2027-06-01", 0.9375), ("2028-06-01", 1.0)):
        pool = write(rule, of=with_deposits(book, maturity=maturity))
        assert pool.model.rule.stable_funding.of_line["bond", 1] == pytest.approx(part), maturity
    assert write(make("stable_funding"), of=with_deposits(book)).model.rule.stable_funding.of_line["bond", 1] == 0.0


def test_deposits_withdrawn_while_every_market_is_shut(write, book):
    pool = write(make("survival", days=30, withdrawn=0.08), of=with_deposits(book))
    assert pool.model.rule.survival.of_line["bond", 1] == pytest.approx(0.08 + 0.036 * 30 / 365)


def test_money_at_call_is_due_at_once(write, book):
    of = book.edit("lines", "standby", at_call=True)
    for kind, values in (("liquidity_coverage", {}), ("liquidity_ratio", {}), ("survival", {"days": 30})):
        block = write(make(kind, **values), of=of).model.rule.component(kind)
        assert block.of_line["standby", 1] == pytest.approx(1.0 + (0.06 * 30 / 365 if kind == "survival" else 0.0)), (
            kind
        )
    assert write(make("stable_funding"), of=of).model.rule.stable_funding.of_line["standby", 1] == 0.0


def test_a_deposit_is_neither_drawn_nor_repaid(write, book):
    """Its depositors decide: no limit of the credit agreements holds, and it may cost less than cash earns."""
    cheap = with_deposits(book, rate=0.001, revolving=True)
    pool = write(make("line_limit"), of=cheap)
    limited = {row.index()[0] for row in rows(pool, "line_limit") if family(row) == "line"}
    assert limited == {"bank", "standby"}
    assert {str(key[0]) for key in pool.model.rule.terms.no_redraw} == {"bond"}
    with pytest.raises(BadInput, match="commitment_fee"):
        book.edit("lines", "bond", rate=0.001)


# ---- refusals


def test_level_2_beyond_the_liquid_assets(book):
    for kind in ("liquidity_coverage", "stable_funding"):
        (problem,) = make(kind).check(book.edit("lender", None, hqla_2a=9_000_000.0))
        assert (problem.table, problem.column, problem.value) == ("lender", "hqla_2a", 11_000_000.0)


def test_a_guarantor_who_stands_for_nothing(book):
    (problem,) = make("large_exposure").check(book.edit("segments", "a_east", guarantor="surety"))
    assert (problem.table, problem.row, problem.column) == ("segments", "a_east", "guaranteed_share")


def test_a_share_of_the_largest_borrower_above_one(book):
    with pytest.raises(BadInput, match="largest_share"):
        book.edit("segments", "a_east", largest_share=1.5)
