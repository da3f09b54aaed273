"""Every event of the shipped scenarios names its own cause first, on the calm lender or one with less to spare.

An event is felt only where the lender cannot go round it. So each funding event is planted in lenders that have just
paid an amount out of the treasury: from the least at which the event is felt up to what they bear without a rule giving
way (`paid`, found by solving; between them the cause is the same). What the payment alone does is solved beside it: it
declines nothing. Which event of a scenario is the plant is proved by lifting: without it nothing is declined, with it
alone the same cause comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest
from books import calm_book, calm_rules

from liquidity import Book
from liquidity.program.plan import make_plan
from liquidity.program.shocks import NO_SHOCKS
from liquidity.runs.stress import night_itself
from liquidity.runs.stressed import MONTH, first_cause, reasons_of
from liquidity.scenarios.apply import Applied, apply
from liquidity.scenarios.projections import Case, Setting, project
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import Told, read_scenarios

ROOT = Path(__file__).parents[2]
SHIPPED = {told.name: told for told in read_scenarios([ROOT / "data" / "scenarios"])}
MODELS = read_satellites(ROOT / "models" / "satellites.toml")
MACRO = {name for name, told in SHIPPED.items() if told.macro is not None}


def calm() -> Book:
    """Revolving trusts, bank lines a third undrawn."""
    return calm_book()


def called() -> Book:
    """Its bank line is money of the interbank market."""
    lines = calm_book()["lines"].reset_index()
    lines.loc[lines.kind == "bank_line", "kind"] = "interbank"
    return calm_book().replace("lines", lines)


def amortising() -> Book:
    """Both trusts pay their notes back, so what their borrowers repay has to be lent again with other money."""
    facilities, terms = calm_book()["facilities"].reset_index(), calm_book()["eligibility"].reset_index()
    facilities.loc[facilities.kind == "abs", "revolving_end"] = pd.Timestamp("2026-06-30")
    own = terms.facility == "balance_sheet"
    terms.loc[own, "value"] = terms.value[own] + "|trust"
    return calm_book().replace("facilities", facilities).replace("eligibility", terms)


@dataclass(frozen=True)
class Plant:
    """A scenario planted: in which lender, what it has paid (CNY), which cause, by which of the scenario's events."""

    scenario: str
    cause: str
    events: tuple[int, ...]
    paid: tuple[float, ...] = (0.0,)
    book: Callable[[], Book] = calm

    def __str__(self) -> str:
        return f"{self.scenario}-{self.book.__name__}"


PLANTS = [
    Plant("partner_withdraws", "PARTNER", (0,)),
    Plant("system_maintenance", "SYSTEM_UNAVAILABLE", (0,)),
    Plant("policy_tightening", "LIMIT_POLICY", (0,)),
    Plant("line_not_renewed", "FUNDING", (1,), (1.5e9, 2.0e9, 2.5e9)),
    Plant("abs_market_shut", "FUNDING", (0,), (0.8e9, 1.2e9, 1.6e9)),
    # banks of the region: no new line, no new notes, and money called; none of the three is felt without the others
    Plant("regional_shortage", "FUNDING", (0, 1, 2), (0.2e9, 0.3e9, 0.4e9)),
    Plant("holiday_peak", "FUNDING", (0,), (0.6e9,)),
    Plant("run_off_faster", "FUNDING", (0,), (2.2e9,), amortising),
    Plant("run_off_faster", "FUNDING", (2,), (2.4e9, 2.8e9), called),
]
CASES = [pytest.param(plant, paid, id=f"{plant}-{paid / 1e9:g}bn") for plant in PLANTS for paid in plant.paid]


@lru_cache
def lender(book: Callable[[], Book], paid: float) -> Book:
    """The lender after a payment."""
    if paid == 0:
        return book()
    row = {"date": calm_book().as_of, "name": "tax", "amount": -paid, "account": "other"}
    return book().replace("flows", pd.DataFrame([row]))


def solved(book: Book, applied: Applied) -> tuple[Case, pd.DataFrame]:
    case = project(Setting(book, calm_rules()), applied, "reoptimise")
    plan = make_plan(case.pool, case.program, case.solved.staged.last, case.solved.staged.first.reduced)
    return case, reasons_of(case, plan)


def cause_of(book: Book, told: Told) -> tuple[str, list[str]]:
    """The first cause, and what gave way."""
    case, reasons = solved(book, apply(told, MODELS, book, calm_rules()))
    return first_cause(reasons, case.pool.grid.labels[0]), case.gave_way


def with_events(told: Told, kept: set[int]) -> Told:
    """The scenario with some of its events, and nothing else."""
    events = tuple(event for place, event in enumerate(told.scenario.events) if place in kept)
    scenario = told.scenario.model_copy(update={"events": events, "overrides": ()})
    return told.model_copy(update={"scenario": scenario})


@pytest.mark.parametrize(
    ("book", "paid"), sorted({(plant.book, paid) for plant in PLANTS for paid in plant.paid}, key=str),
    ids=lambda value: value.__name__ if callable(value) else f"{value / 1e9:g}bn",
)  # fmt: skip
def test_without_the_event_nothing_is_declined(book, paid):
    case, reasons = solved(lender(book, paid), night_itself(calm_rules()))
    assert case.pool.shocks.arrays == NO_SHOCKS.arrays
    assert case.gave_way == []
    assert reasons.amount.sum() == 0


@pytest.mark.parametrize(("plant", "paid"), CASES)
def test_the_event_is_the_first_cause(plant, paid):
    assert cause_of(lender(plant.book, paid), SHIPPED[plant.scenario]) == (plant.cause, [])


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_lifting_the_event_takes_the_decline_away(plant):
    book, told = lender(plant.book, plant.paid[len(plant.paid) // 2]), SHIPPED[plant.scenario]
    every = set(range(len(told.scenario.events)))
    assert cause_of(book, with_events(told, set(plant.events))) == (plant.cause, [])
    for event in plant.events:
        assert cause_of(book, with_events(told, every - {event})) == ("", [])


def test_run_off_that_speeds_up_frees_more_and_declines_nothing_where_trusts_revolve():
    """It is no cause there: borrowers pay earlier, and all of it is lent again."""
    before, _ = solved(calm_book(), night_itself(calm_rules()))
    case, reasons = solved(calm_book(), apply(SHIPPED["run_off_faster"], MODELS, calm_book(), calm_rules()))
    assert reasons.amount.sum() == 0
    assert case.goals.wanted[0].sum() > 1.3 * before.goals.wanted[0].sum()


def test_where_two_things_stop_the_same_money_both_are_told():
    """So near the end of what the lender bears, contracts shut every way round the missing line, and come first."""
    book = lender(calm, 2.6e9)
    case, reasons = solved(book, apply(SHIPPED["line_not_renewed"], MODELS, book, calm_rules()))
    assert case.gave_way == []
    sums = reasons[reasons.period == MONTH].groupby("cause").amount.sum()
    assert first_cause(reasons, case.pool.grid.labels[0]) == "FACILITY_TERMS"
    assert sums["FUNDING"] > 10e6


def test_every_event_is_planted():
    assert set(SHIPPED) - MACRO == {plant.scenario for plant in PLANTS}
