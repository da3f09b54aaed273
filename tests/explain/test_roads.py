"""The road not taken: identities of every lane, what shuts it is a fact of the book, and the sentences say no more."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from books import calm_book, calm_rules

from liquidity import Night, allocate
from liquidity.book import Book
from liquidity.explain.charges import turnover
from liquidity.explain.ranges import STEP
from liquidity.explain.roads import shutting
from liquidity.explain.words_roads import ITEMS, Road, road_text
from liquidity.program.solve import Session
from liquidity.rules.eligibility import eligible
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.night import solver_options

LANE = ["segment", "borrower", "facility"]
PLANTS = ("quota", "price_cap", "frozen", "reserve", "gates")


@lru_cache
def night(plant: str) -> Night:
    return allocate(*planted(plant))


def planted(plant: str) -> tuple[Book, Rulebook]:
    book, rules = calm_book(), calm_rules()
    rules = rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})
    if plant == "quota":
        return book.edit("partners", None, daily_quota=4e5), rules
    if plant == "price_cap":
        return book, rules.edit("price_cap", cap=0.14)
    if plant == "frozen":
        return book.edit("facilities", "joint_a", frozen=True), rules
    if plant == "gates":
        return book.edit("requests", "B-full-east", asked=0.0), rules
    lines, house = book["lines"], book["facilities"].loc["warehouse_a"]
    room = float((lines.commitment - lines.drawn).sum() + house.commitment - house.drawn)
    return book, rules.edit("cash_reserve", amount=room + float(book.lender.hqla))


def roads(plant: str) -> pd.DataFrame:
    return night(plant).tables["roads"]


def test_the_plants_reach_every_state_of_a_lane() -> None:
    states = {state for plant in PLANTS for state in roads(plant).state}
    assert states == {"lent", "open", "shut"}
    assert any((roads(plant).query("rank == 1").state != "lent").any() for plant in PLANTS)


@pytest.mark.parametrize("plant", PLANTS)
def test_margin_less_charges_is_the_reduced_cost_in_money_and_a_year(plant: str) -> None:
    tables = night(plant).tables
    table = tables["roads"].set_index(LANE)
    reduced = tables["allocation"].query("period == '2026-11-20'").set_index(LANE).reduced_cost.loc[table.index]
    speed = turnover(night(plant).pool.inputs).loc[table.index.get_level_values("segment")].to_numpy()
    assert np.abs(table.margin - table.charges - reduced).max() < 1e-12
    shut = table.state == "shut"
    assert np.abs(table.left - table.charge.where(shut, 0.0) - reduced).max() < 1e-12
    for name in ("margin", "left", "charge"):
        assert np.allclose(table[f"{name}_per_year"], table[name] * speed, rtol=1e-12, atol=1e-15)
    for column in ("charge", "per_year"):
        wide = tables["charges"].pivot(index=LANE, columns="item", values=column)
        parts = wide.drop(columns=["margin", "reduced_cost"]).sum(axis=1)
        assert np.abs(wide.margin - parts - wide.reduced_cost).max() < 1e-11
    own = tables["charges"].query("item == 'margin'").set_index(LANE).charge.loc[table.index]
    assert (own == table.margin).all()


def test_a_year_is_the_charge_over_the_years_that_a_loan_is_out() -> None:
    """A-full-east pays back 20% a month and loses 0.4% a year: 1 / (L + M) = 0.373 years, counted month by month."""
    pay, lost = 0.2, 0.004
    left = [(1 - pay) ** k * (1 - lost) ** (k / 12) for k in np.arange(0, 400, 0.001)]
    row = night("quota").tables["charges"].query("segment == 'A-full-east' and item == 'margin'").iloc[0]
    assert row.charge / row.per_year == pytest.approx(sum(left) * 0.001 / 12, rel=1e-3)


@pytest.mark.parametrize("plant", PLANTS)
def test_states_ranks_and_what_is_left(plant: str) -> None:
    table = roads(plant)
    lent, open_ = table[table.state == "lent"], table[table.state == "open"]
    assert (lent.taken > 0).all()
    assert (table[table.state != "lent"].taken < 0.005).all()
    assert lent.left.abs().max() < 1e-9
    assert open_.left.max() < 1e-9
    assert (lent[["shut_by", "also", "code", "origin"]] == "").all(axis=None)
    assert (table[table.state == "shut"].shut_by != "").all()
    for _, part in table.groupby("segment"):
        assert part["rank"].tolist() == list(range(1, len(part) + 1))
        assert part.state.map({"lent": 0, "open": 1, "shut": 2}).is_monotonic_increasing
        assert part.taken.is_monotonic_decreasing


@pytest.mark.parametrize("plant", ["quota", "reserve"])
def test_what_is_shut_is_what_the_contracts_shut(plant: str) -> None:
    book = night(plant).pool.book
    open_ = pd.DataFrame(eligible(book), index=book["segments"].index, columns=book["facilities"].index)
    table = roads(plant)
    allowed = np.array([open_.at[row.segment, row.facility] for row in table.itertuples()])
    assert ((table.state == "shut") == ~allowed).all()
    shut = table[table.state == "shut"]
    assert set(zip(shut.shut_by, shut.code, shut.origin)) == {("eligibility", "FACILITY_TERMS", "contract")}


def test_a_price_cap_shuts_every_facility_and_the_contracts_are_told_beside_it() -> None:
    table = roads("price_cap").query("segment == 'C-full-west'")
    assert set(zip(table.state, table.shut_by, table.code, table.origin)) == {("shut", "price_cap", "PRICE_CAP", "law")}
    assert (table.left > 0).all()
    assert set(table.also) == {""}
    cheap = roads("price_cap").query("segment == 'firm-east'")
    assert "price_cap" not in set(cheap.shut_by)


def test_a_partner_that_stopped_shuts_its_facility_the_law_before_the_contract() -> None:
    table = roads("frozen").query("facility == 'joint_a'").set_index("segment")
    assert set(table.shut_by) == {"partner_limit"}
    assert set(table.state) == {"shut"}
    assert table.also["firm-east"] == "eligibility"
    assert table.also["joint-east"] == ""
    assert "以及eligibility" in table.text_zh["firm-east"]
    assert "and by eligibility" in table.text_en["firm-east"]


def test_closed_gates_shut_every_facility_by_the_requests() -> None:
    table = roads("gates").query("segment == 'B-full-east'")
    assert set(table.shut_by) == {"requests"}
    assert set(table.code) == {""}
    assert table.text_en.str.contains(ITEMS["requests"]["en"], regex=False).all()


def test_what_a_shutting_row_takes_is_what_opening_it_earns() -> None:
    """The row of the price cap moved by a step, solved again: net worth rises by its charge for each CNY."""
    one = night("price_cap")
    held, first = one.solved.held, one.solved.staged.first
    at = held.row("price_cap", "cap")
    row = at.start + list(at.index).index(("C-full-west", 1))
    session = Session(held, solver_options(one.pool.rulebook))
    start = session.solve(first.basis)
    session.row_upper[row] += STEP
    gain = (session.solve(start.basis).objective - start.objective) / STEP
    table = roads("price_cap").query("segment == 'C-full-west'")
    assert gain == pytest.approx(table.charge.iloc[0], rel=1e-6)
    assert gain > 0.01
    assert table.left.max() <= gain + 1e-9


def test_rows_with_room_or_with_stocks_shut_nothing() -> None:
    held, price = night("quota").solved.held, night("quota").solved.staged.first.price
    lend = held.column("lend")
    found, takes = shutting(held, price, np.arange(lend.start, lend.stop), {})
    assert {rule["shut_by"] for rule in found if rule} == {"eligibility"}
    assert takes[[rule is None for rule in found]].max() == 0


@pytest.mark.parametrize("plant", PLANTS)
def test_an_open_lane_names_the_item_that_takes_most_more_than_at_the_best(plant: str) -> None:
    tables = night(plant).tables
    wide = (
        tables["charges"]
        .query("borrower == 'returning'")
        .pivot(index=["segment", "facility"], columns="item", values="charge")
    )
    wide = wide.drop(columns=["margin", "reduced_cost", "requests", "future_relending"], errors="ignore")
    table = tables["roads"]
    best = table[(table["rank"] == 1) & (table.state == "lent")].set_index("segment").facility
    for row in table[(table.state == "open") & (table.left < -1e-8)].itertuples():
        here = wide.loc[row.segment, row.facility]
        there = wide.loc[row.segment, best[row.segment]] if row.segment in best.index else here * 0
        more = here - there
        if more.max() > 1e-8:
            assert more[row.shut_by] == pytest.approx(more.max(), abs=1e-12)
            assert row.charge == pytest.approx(here[row.shut_by], abs=1e-12)
        else:
            assert row.shut_by == ""


@pytest.mark.parametrize("plant", PLANTS)
def test_sentences_claim_no_reason_and_shut_only_what_is_shut(plant: str) -> None:
    table = roads(plant)
    for row in table.itertuples():
        for text in (row.text_en, row.text_zh):
            assert row.facility in text
            assert not re.search(r"reason|because|due to|原因|导致|nan|  |-0\.", text)
        assert ("shut by" in row.text_en) == (row.state == "shut") == ("不得放款" in row.text_zh)
        assert row.text_en.endswith(".")
        assert row.text_zh.endswith("。")
        rates = [re.findall(r"[0-9.]+(?=%|个百分点)", text) for text in (row.text_en, row.text_zh)]
        assert rates[0] == rates[1]


def road(**changed: object) -> Road:
    values: dict[str, object] = {
        "segment": "C-full-east", "facility": "abs_2026a", "rank": 1, "state": "lent", "taken": 5e6, "shut_by": "",
        "also": "", "code": "", "origin": "", "margin": 0.0312, "margin_per_year": 0.0936, "left_per_year": 0.0,
        "charge_per_year": 0.0, "parts": {"capital": 0.02, "region": -0.01, "requests": 0.0836}, "lent": 8e6,
    }  # fmt: skip
    return Road(**{**values, **changed})  # type: ignore[arg-type]


def test_the_best_facility_tells_what_it_earns_what_is_taken_and_what_is_left() -> None:
    assert road_text("en", road()) == (
        "C-full-east is lent CNY 8.00m again tonight, most of it from abs_2026a (CNY 5.00m). A CNY lent there earns "
        "CNY 0.0312 over its life, 9.36% a year, net of losses, costs and the return on cash. At tonight's prices "
        "capital takes 2.00% a year, region adds 1.00% a year. 8.36% a year is left: all that was asked for and "
        "allowed is lent, one CNY more would earn it."
    )
    assert road_text("zh", road()) == (
        "C级华东全额还款客群今晚再投放800万元，其中由abs_2026a放款500万元，金额最大。每放款1元，存续期内净收益0.0312元"
        "（年化9.36%，已扣除预期损失、成本及闲置资金收益）。按今晚的边际价格：capital扣减年化2.00%，region贡献年化1.00%。"
        "剩余年化8.36%：通过前置检查的申请已全部满足，再多1元申请即可多得此收益。"
    )


def test_small_items_are_told_together_and_nought_is_not_told() -> None:
    parts = {"a": 0.04, "b": 0.03, "c": 0.02, "d": 0.01, "e": 0.005, "f": 1e-6}
    text = road_text("en", road(parts=parts, lent=5e6))
    assert "a takes 4.00% a year, b takes 3.00% a year, c takes 2.00% a year, the others take 1.50% a year." in text
    assert text.endswith("Nothing is left.")
    assert "all from abs_2026a" in text


def test_a_segment_that_is_lent_nothing_tells_what_comes_nearest_and_by_how_much_it_is_worth_less() -> None:
    changed = road(state="open", taken=0.0, lent=0.0, left_per_year=-0.0122, parts={"capital": 0.1058})
    text = road_text("en", changed)
    assert text.startswith("C-full-east is lent nothing again tonight; abs_2026a comes nearest. A CNY lent there earns")
    assert text.endswith("capital takes 10.58% a year. It is worth 1.22% a year less than the best use.")
    assert road_text("zh", changed).endswith("capital扣减年化10.58%。较最优用途年化低1.22个百分点。")
