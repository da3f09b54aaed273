"""Every event of the shipped scenarios names its own cause first, on the calm lender or one with less to spare."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest
from books import calm_book, calm_rules

from liquidity import Book
from liquidity.program.plan import make_plan
from liquidity.program.shocks import NO_SHOCKS
from liquidity.runs.stress import night_itself
from liquidity.runs.stressed import first_cause, reasons_of
from liquidity.scenarios.apply import Applied, apply
from liquidity.scenarios.projections import Case, Setting, project
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import read_scenarios

ROOT = Path(__file__).parents[2]
SHIPPED = {told.name: told for told in read_scenarios([ROOT / "data" / "scenarios"])}
MODELS = read_satellites(ROOT / "models" / "satellites.toml")
MACRO = {name for name, told in SHIPPED.items() if told.macro is not None}
PLANTED = {
    "partner_withdraws": (0.0, "PARTNER"),
    "system_maintenance": (0.0, "SYSTEM_UNAVAILABLE"),
    "policy_tightening": (0.0, "LIMIT_POLICY"),
    "line_not_renewed": (2.0e9, "FUNDING"),
    "abs_market_shut": (1.2e9, "FUNDING"),
    "regional_shortage": (0.35e9, "FUNDING"),
    "holiday_peak": (0.6e9, "FUNDING"),
}
"""By event: what leaves the treasury tonight for another reason (CNY), so that the event is felt, and its cause."""


@lru_cache
def lender(gone: float) -> Book:
    """The calm lender after a payment."""
    if gone == 0:
        return calm_book()
    row = {"date": calm_book().as_of, "name": "tax", "amount": -gone, "account": "other"}
    return calm_book().replace("flows", pd.DataFrame([row]))


def solved(book: Book, applied: Applied) -> tuple[Case, pd.DataFrame]:
    case = project(Setting(book, calm_rules()), applied, "reoptimise")
    plan = make_plan(case.pool, case.program, case.solved.staged.last, case.solved.staged.first.reduced)
    return case, reasons_of(case, plan)


@pytest.mark.parametrize("gone", sorted({gone for gone, _ in PLANTED.values()}))
def test_without_the_event_nothing_is_declined(gone):
    case, reasons = solved(lender(gone), night_itself(calm_rules()))
    assert case.pool.shocks.arrays == NO_SHOCKS.arrays
    assert reasons.amount.sum() == 0


@pytest.mark.parametrize("name", PLANTED)
def test_the_event_is_the_first_cause(name):
    gone, cause = PLANTED[name]
    book = lender(gone)
    case, reasons = solved(book, apply(SHIPPED[name], MODELS, book, calm_rules()))
    assert case.gave_way == []
    assert first_cause(reasons, case.pool.grid.labels[0]) == cause


def test_run_off_that_speeds_up_frees_more_and_declines_nothing():
    """It is no cause: borrowers pay earlier, and all of it is lent again."""
    before, _ = solved(calm_book(), night_itself(calm_rules()))
    case, reasons = solved(calm_book(), apply(SHIPPED["run_off_faster"], MODELS, calm_book(), calm_rules()))
    assert reasons.amount.sum() == 0
    assert case.goals.wanted[0].sum() > 1.3 * before.goals.wanted[0].sum()


def test_every_event_is_planted():
    assert set(SHIPPED) - MACRO == {*PLANTED, "run_off_faster"}
