"""The calm lender declines nothing; one change to it plants one cause, and the first reason names that cause."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from liquidity import Book, Night, Rulebook, allocate, read_book, read_rulebook
from liquidity.explain.rounding import in_fen

ROOT = Path(__file__).parents[1]
NIGHT = "2026-11-20"
GATES = {
    "NOT_ASKED": "asked",
    "SCORE_LOWERED": "score_kept",
    "MODEL_CHANGED": "model_kept",
    "LIMIT_POLICY": "policy_kept",
    "SYSTEM_UNAVAILABLE": "available",
}
Plant = tuple[Book, Rulebook, pd.Series | None]


@lru_cache
def book() -> Book:
    return read_book(ROOT / "data" / "calm")


@lru_cache
def rulebook() -> Rulebook:
    rules = read_rulebook(ROOT / "models" / "calm.toml")
    return rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})


@lru_cache
def calm() -> Night:
    return allocate(book(), rulebook())


def tonight(night: Night, table: str) -> pd.DataFrame:
    frame = night.tables[table]
    return frame[frame.period == NIGHT]


def room(rule: str, at: str) -> float:
    """Headroom tonight of a limit of the calm night, CNY."""
    limits = tonight(calm(), "limits")
    return float(limits[(limits.rule == rule) & (limits["at"] == at)].headroom_cny.min())


def freed() -> float:
    return float(tonight(calm(), "ledger").freed.sum())


def every_line() -> float:
    """What could still be drawn tonight, CNY."""
    return (
        room("line_limit", "line=bank_a") + room("standby", "line=standby") + room("line_limit", "facility=warehouse_a")
    )


def outflow(amount: float) -> Book:
    row = {"date": book().as_of, "name": "tax", "amount": -amount, "account": "other"}
    return book().replace("flows", pd.DataFrame([row]))


def pinned() -> Book:
    row = {
        "target": "relend", "segment": "B-full-east", "facility": "", "line": "", "from": book().as_of,
        "to": book().as_of, "op": "<=", "amount": 5e6, "reason": "campaign on hold", "by": "desk",
    }  # fmt: skip
    return book().replace("pins", pd.DataFrame([row]))


def leverage() -> Plant:
    """Both multiples: the warehouse a little below its use, and bank lines a little below what would replace it."""
    limits = tonight(calm(), "limits")
    used = limits[(limits.rule == "leverage_multiple") & limits["at"].str.contains("=standardised")].iloc[0]
    base, moved = used.headroom_cny / (used.limit - used.used), 3.8e8
    changed = {
        "standardised_multiple": float(used.used - moved / base),
        "nonstandard_multiple": float((moved - 0.5 * freed()) / base),
    }
    return book(), rulebook().edit("leverage_multiple", **changed), None


def capital() -> Plant:
    limits = tonight(calm(), "limits")
    used = limits[limits.rule == "capital"].iloc[0]
    weighted = used.headroom_cny / (used.used - used.limit) * 100
    return book(), rulebook().edit("capital", ratio=used.used / 100 + 0.5 * 0.75 * freed() * 0.3 / weighted), None


PLANTS: dict[str, tuple[str, Callable[[], Plant]]] = {
    "FUNDING": ("line_limit", lambda: (outflow(every_line() + 0.3 * freed()), rulebook(), None)),
    "LIQUIDITY_BUFFER": (
        "cash_reserve",
        lambda: (
            book(),
            rulebook().edit("cash_reserve", amount=every_line() + float(book().lender.hqla) + 0.5 * freed()),
            None,
        ),
    ),
    "CAPITAL": ("capital", capital),
    "LEVERAGE": ("leverage_multiple", leverage),
    "FACILITY_TERMS": (
        "eligibility",
        lambda: (book().edit("eligibility", ("abs_2026a", "product", "in"), value="card"), rulebook(), None),
    ),
    "PARTNER": ("partner_limit", lambda: (book().edit("partners", None, daily_quota=4e5), rulebook(), None)),
    "CONCENTRATION": ("region", lambda: (book(), rulebook().edit("region", shares={"east": 0.501}), None)),
    "RISK_BUDGET": ("expected_loss", lambda: (book(), rulebook().edit("expected_loss", rate=0.008075), None)),
    "PRICE_CAP": ("price_cap", lambda: (book(), rulebook().edit("price_cap", cap=0.14), None)),
    "PRIORITY": (
        "inclusion",
        lambda: (book(), rulebook().edit("inclusion", by="product", groups=("firm",), share=0.02094), None),
    ),
    "STABILITY": (
        "stability",
        lambda: (
            book(),
            rulebook(),
            pd.Series({s: 0.5 if s == "A-full-east" else 1.0 for s in book()["segments"].index}),
        ),
    ),
    "INSTRUCTION": ("pins", lambda: (pinned(), rulebook(), None)),
    "UNPROFITABLE": ("", lambda: (book().edit("segments", "B-full-east", opex_rate=0.15), rulebook(), None)),
}


@lru_cache
def planted(cause: str) -> Night:
    if cause in GATES:
        return allocate(book().edit("requests", "B-full-east", **{GATES[cause]: 0.5}), rulebook())
    changed, rules, previous = PLANTS[cause][1]()
    return allocate(changed, rules, previous)


def assert_adds_up(night: Night) -> None:
    """Reasons add up to freed - relent, to the fen, in both windows and every segment."""
    ledger = night.tables["ledger"]
    first = sorted(ledger.period.unique())[: night.pool.grid.first_days(30)]
    for period, part in ((NIGHT, ledger[ledger.period == NIGHT]), ("30d", ledger[ledger.period.isin(first)])):
        lost = pd.Series(in_fen(part.freed) - in_fen(part.relent), index=part.segment).groupby(level=0).sum()
        told = night.tables["reasons"]
        told = told[told.period == period]
        given = pd.Series(in_fen(told.amount), index=told.segment).groupby(level=0).sum()
        assert (lost.sub(given, fill_value=0) == 0).all()


def test_calm_declines_nothing_tonight() -> None:
    ledger = tonight(calm(), "ledger")
    assert (ledger.declined == 0).all()
    assert (ledger.freed == ledger.relent).all()
    assert calm().exit_code == 0
    assert tonight(calm(), "reasons").empty


@pytest.mark.parametrize("cause", [*GATES, *PLANTS])
def test_first_reason_names_the_planted_cause(cause: str) -> None:
    night = planted(cause)
    assert night.exit_code == 0, night.gave_way
    reasons = tonight(night, "reasons")
    total = reasons.groupby("cause").amount.sum().sort_values(ascending=False)
    assert total.index[0] == cause
    assert total.iloc[0] >= 0.5 * total.clip(lower=0).sum()
    hit = reasons[reasons.segment == reasons.loc[reasons.amount.idxmax(), "segment"]].sort_values("rank")
    assert hit.cause.iloc[0] == cause
    rule: Any = "" if cause in GATES else PLANTS[cause][0]
    assert rule in hit["rule"].iloc[0].split("+")
    assert_adds_up(night)


@pytest.mark.parametrize("cause", [*GATES, *PLANTS])
def test_every_plant_proves_itself(cause: str) -> None:
    checks = planted(cause).checks
    assert checks["primal_residual"] <= 1e-7
    assert checks["dual_residual"] <= 1e-7
    assert checks["duality_gap"] <= 1e-8
    assert checks["price_identity"] <= 1e-9
    assert checks["balance_sheet"] <= 1e-9
    assert checks["cash_accounts"] <= 1e-9
    assert checks["amounts_gap"] <= 1e-9
    assert [checks[name] for name in ("ledger_fen", "uses_fen", "reasons_fen")] == [0, 0, 0]


def test_household_cap_of_the_pool_is_told_as_limit_policy() -> None:
    small = book().edit("segments", "firm-east", borrowers=29)
    night = allocate(small, rulebook().edit("household_cap", caps={"consumption": 2e5, "operation": 10e6}))
    reasons = tonight(night, "reasons")
    assert set(reasons.cause) <= {"LIMIT_POLICY", "FACILITY_TERMS"}
    assert (reasons[reasons.cause == "LIMIT_POLICY"]["rule"] == "household_cap").all()
    assert_adds_up(night)


def test_borrowers_hear_no_price_cap_that_is_not_theirs() -> None:
    reasons = tonight(planted("PRICE_CAP"), "reasons")
    dear = set(book()["segments"].index[book()["segments"].apr_all_in > 0.14])
    theirs = reasons[(reasons.cause == "PRICE_CAP") & reasons.segment.isin(dear)]
    others = reasons[(reasons.cause == "PRICE_CAP") & ~reasons.segment.isin(dear) & (reasons.amount > 0)]
    assert theirs.borrower_text_en.str.contains("price").all()
    assert not others.borrower_text_en.str.contains("price").any()


def test_two_rules_that_stop_the_same_money_are_told_as_only_both_together():
    """An instruction at exactly what the limit on change allows: neither alone releases a fen, both together do."""
    segment = "A-full-east"
    _, rules, previous = PLANTS["STABILITY"][1]()
    first = tonight(planted("STABILITY"), "ledger").set_index("segment").loc[segment]
    assert first.declined > 1e6
    pin = {"target": "relend", "segment": segment, "facility": "", "line": "", "from": book().as_of,
           "to": book().as_of, "op": "<=", "amount": float(first.relent), "reason": "hold", "by": "desk"}  # fmt: skip
    held = book().replace("pins", pd.DataFrame([pin]))
    stories = {}
    for method in ("ipx", "dual"):
        night = allocate(held, rules, previous, method=method)
        assert_adds_up(night)
        mine = tonight(night, "reasons")
        mine = mine[mine.segment == segment].set_index("cause")
        assert set(mine.index) >= {"STABILITY", "INSTRUCTION"}
        assert mine.amount["STABILITY"] == pytest.approx(mine.amount["INSTRUCTION"], rel=1e-4)
        assert "Only together with an instruction by hand" in mine.text_en["STABILITY"]
        assert "Only together with the limit on change" in mine.text_en["INSTRUCTION"]
        assert "一并解除才可释放" in mine.text_zh["STABILITY"]
        assert mine.alone[["STABILITY", "INSTRUCTION"]].abs().max() < 1
        stories[method] = mine.text_en.to_dict()
    assert stories["ipx"] == stories["dual"]
