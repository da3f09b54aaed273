"""Early amortisation: which trust, from when, told where; and that a covenant which can be met is met."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from books import MILLION, ROOT, TRUST, calm_book, rule, small_book, trust_book, trust_rules
from rich.console import Console

from liquidity import Book, Rulebook, allocate, read_rulebook
from liquidity.book import write_book
from liquidity.errors import BadInput, SolverFailed
from liquidity.explain.words_events import event_text
from liquidity.program import decide as deciding
from liquidity.program.events import Event
from liquidity.runs.contrast import contrast
from liquidity.runs.events import told
from liquidity.runs.night import Night, decide
from liquidity.runs.nightly import Job, run_nightly
from liquidity.runs.restore import read_inputs_of
from liquidity.runs.summary import print_summary
from liquidity.runs.whatif import what_if

TRUSTED = "abs_2026a"
MONTHS = ("6 x 1 month",)
BAD = {"pd": 0.15}
"Defaults 16.3% of its balance a year, whatever the month."


def history(book: Book, facility: str, defaults: float, size: float = 100 * MILLION) -> Book:
    """Three reported months of a pool of `size`, `defaults` of it a year."""
    rows = [
        {"facility": facility, "month": pd.Timestamp(month), "pool_opening": size, "principal": 0.12 * size,
         "interest": 0.0125 * size, "defaults": defaults * size / 12, "recoveries": 0.0, "coupons": 0.0025 * size,
         "uninvested_cash": 0.0}
        for month in ("2026-08-01", "2026-09-01", "2026-10-01")
    ]  # fmt: skip
    more = pd.DataFrame(rows)
    known = book["servicer"]
    return book.replace("servicer", pd.concat([known.reset_index(), more], ignore_index=True) if len(known) else more)


# ---- one trust of the sample lender, from book to page


def calm(workers: int = 1) -> Rulebook:
    rules = read_rulebook(ROOT / "models" / "calm.toml")
    return rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": workers})})


@lru_cache
def broken() -> Night:
    """Two reported months of 15% beside the first month of the plan: more than 8% whatever is decided."""
    return allocate(history(calm_book(), TRUSTED, 0.15, 1.8e9), calm())


def test_the_trust_amortises_from_the_period_after_the_broken_month():
    night = broken()
    # seven days and three weeks are the first month
    assert [(event.facility, event.rule, event.what, event.broken) for event in night.events] == [
        (TRUSTED, "covenants", "default_rate", 10)
    ]
    assert night.pool.amortising == {TRUSTED: 11}
    assert night.exit_code == 3
    assert night.gave_way == ["covenants"]
    limits = night.tables["limits"]
    row = limits[limits.level == "gave_way"].iloc[0]
    assert (row["at"], row.period, row.limit, row.unit) == (f"facility={TRUSTED}", "2026-12-11", 8.0, "%")
    assert row.shortfall == pytest.approx(row.used - 8.0)
    assert row.used > 9.0


def test_purchases_stop_and_notes_are_paid():
    plan = broken().plan
    bought = plan.lend.sum(["segment", "borrower"]).sel(facility=TRUSTED) + plan.move.sum("segment").sel(
        facility=TRUSTED
    )
    assert float(bought[10:].max()) <= 1e-2
    assert float(bought[:10].sum()) > 1e6
    paid = plan.pay.sel(tranche=f"{TRUSTED}/senior").to_numpy()
    assert paid[:10].max() <= 1e-2
    assert (paid[10:] > 1e6).all()
    assert float(plan.pay.sel(tranche=f"{TRUSTED}/mezzanine").max()) <= 1e-2


def test_what_it_costs_the_borrowers_is_told_as_terms_of_the_facility():
    """`trust-west` may be lent to by that trust alone: lifting the terms gives the revolving trust back."""
    night = broken()
    month = night.tables["reasons"].query("period == '30d' and segment == 'trust-west'")
    assert set(month.cause) == {"FACILITY_TERMS"}
    assert month["rank"].min() == 1
    assert "revolving_period" in set(month.rule)
    ledger = night.tables["ledger"]
    first = ledger[ledger.period.isin(night.pool.grid.labels[: night.pool.grid.first_days()])]
    declined = first[first.segment == "trust-west"].declined.sum()
    assert month.amount.sum() == pytest.approx(declined, abs=0.011)
    assert declined > 10 * MILLION
    said = month[month.rule == "revolving_period"].iloc[0]
    assert f"{TRUSTED} amortises early from 2026-12-18" in said.text_en
    assert f"{TRUSTED}因触发约定条件自2026-12-18起提前摊还" in said.text_zh


def test_a_good_history_changes_nothing():
    night = allocate(history(calm_book(), TRUSTED, 0.02, 1.8e9), calm())
    assert (night.events, night.pool.amortising, night.exit_code) == ((), {}, 0)


def test_run_record_summary_and_page_tell_it_and_the_night_can_be_solved_again(tmp_path):
    write_book(history(calm_book(), TRUSTED, 0.15, 1.8e9), tmp_path / "book")
    text = (ROOT / "models" / "calm.toml").read_text(encoding="utf-8")
    (tmp_path / "calm.toml").write_text(text.replace("workers = 2", "workers = 1"), encoding="utf-8")
    record, folder = run_nightly(Job(tmp_path / "calm.toml", str(tmp_path / "book"), tmp_path / "run"))
    (event,) = record["amortised"]
    assert {key: value for key, value in event.items() if key != "used"} == {
        "facility": TRUSTED, "rule": "covenants", "what": "default_rate", "limit": 8.0, "unit": "%",
        "period": "2026-12-11", "from": "2026-12-18",
    }  # fmt: skip
    assert record["exit_code"] == 3
    page = (folder / "report.html").read_text(encoding="utf-8")
    for lang in ("en", "zh"):
        assert event_text(lang, event) in page
    console = Console(record=True, width=400)
    print_summary(record, folder, console)
    assert f"early amortisation: {TRUSTED} amortises early from 2026-12-18" in console.export_text()
    again = decide(*read_inputs_of(folder))
    assert again.solved.staged.first.objective * again.pool.unit == record["objective"]
    assert told(again.pool, again.solved, again.events) == [event]


def test_later_solves_stand_on_the_decided_trust():
    night = broken()
    assert what_if(night).solved.staged.first.objective == pytest.approx(night.solved.staged.first.objective, rel=1e-9)
    answer = contrast(night, "trust-west", 1e4)
    # the loans may not leave the frozen bound of the covenant: what is left is to change the segment itself
    assert answer.cost is None
    assert answer.most < answer.now + 1e4


# ---- a small trust: which month, in which order


def covenants(limit: float, **more: object) -> Rulebook:
    return trust_rules(MONTHS, None, rule("covenants", max_default_rate=limit, **more))


@pytest.mark.parametrize(("limit", "month"), [(0.04, 1), (0.09, 2), (0.14, 3)])
def test_the_month_of_the_breach_is_that_of_the_average(limit, month):
    """Two reported months without defaults, then 16.3% a year: a third of it, two thirds, all of it.

    In the first month nothing is decided yet: history and the book break the covenant alone.
    """
    night = decide(history(trust_book("2029-01-01", segment=BAD), "t", 0.0), covenants(limit), None)
    assert [(event.facility, event.broken) for event in night.events] == [("t", month)]
    assert night.pool.ends("t") == list(range(month + 1, 7))
    (event,) = night.events
    assert event.used > 100 * limit == event.limit


def test_a_breach_in_the_last_month_is_told_and_starts_beyond_the_horizon():
    rules = covenants(0.15).model_copy(update={"horizon": ("3 x 1 month",)})
    night = decide(history(trust_book("2029-01-01", segment=BAD), "t", 0.0), rules, None)
    assert [event.broken for event in night.events] == [3]
    assert night.pool.ends("t") == []
    assert told(night.pool, night.solved, night.events)[0]["from"] == "2027-02-20"


def test_a_trust_whose_time_is_up_anyway_has_no_event():
    night = decide(history(trust_book("2027-02-20", segment=BAD), "t", 0.0), covenants(0.15), None)
    assert night.solved.gave_way is not None
    assert night.events == ()


def two_trusts(**first: object) -> Book:
    """Trusts `t` and `u`, one segment each, beside the balance sheet."""
    notes = [("senior", 1, 80 * MILLION, 0.03, "third_party"), ("sub", 2, 20 * MILLION, 0.0, "retained")]
    place = {**TRUST, "cash": 2 * MILLION, "revolving_end": "2029-01-01"}
    held = {("a", "house"): 400.0, ("b", "house"): 100.0, ("a", "t"): 100.0, ("b", "u"): 100.0}
    return small_book(
        {"a": {**BAD, **first}, "b": BAD}, {pair: amount * MILLION for pair, amount in held.items()},
        facilities={"t": place, "u": place}, tranches=[(trust, *note) for trust in "tu" for note in notes],
        eligibility=[("t", "pd", ">", "0.1"), ("u", "pd", ">", "0.1")],
    )  # fmt: skip


def test_two_trusts_go_one_a_round_the_earliest_first():
    said: list[str] = []
    night = decide(history(two_trusts(), "t", 0.0), covenants(0.15), None, say=said.append)
    assert [(event.facility, event.broken) for event in night.events] == [("u", 1), ("t", 3)]
    assert night.pool.amortising == {"u": 2, "t": 4}
    assert sum("program of" in line for line in said) == 3


def test_of_two_in_the_same_month_the_first_by_name_goes_first():
    night = decide(two_trusts(), covenants(0.15), None)
    assert [(event.facility, event.broken) for event in night.events] == [("t", 1), ("u", 1)]
    assert sorted(night.solved.gave_way.what) == ["default_rate"] * 2


def test_an_amortisation_without_a_plan_leaves_the_night_as_it_was(monkeypatch):
    def attempt(given, amortising, cautious):
        if "t" in amortising:
            raise SolverFailed("no plan", ["tried"])
        return found(given, amortising, cautious)

    found = deciding.attempt
    monkeypatch.setattr(deciding, "attempt", attempt)
    night = decide(history(two_trusts(), "t", 0.0), covenants(0.15), None)
    assert [event.facility for event in night.events] == ["u"]
    assert night.pool.amortising == {"u": 2}
    assert "no plan with t amortising early" in night.solved.chain[-1]
    assert ("t", 3) in {(row.at.split(";")[0][-1], int(row.at[-1])) for row in night.solved.gave_way.itertuples()}


# ---- a covenant that can be met


def diluted(**more: object) -> tuple[Book, Rulebook]:
    """A pool of bad loans that new ones can be bought into, which default less and earn less than they cost."""
    held = {("a", "house"): 500.0, ("a", "t"): 98.0}
    notes = [("senior", 1, 80 * MILLION, 0.03, "third_party"), ("sub", 2, 20 * MILLION, 0.0, "retained")]
    book = small_book(
        {"a": {**BAD, "apr": 0.36}, "b": {"pd": 0.005, "apr": 0.02}},
        {pair: amount * MILLION for pair, amount in held.items()},
        facilities={"t": {**TRUST, "cash": 2 * MILLION, "revolving_end": "2029-01-01"}}, tranches=notes_of(notes),
        requests={"b": {"new_demand": 40 * MILLION}}, **more,
    )  # fmt: skip
    return history(book, "t", 0.0), covenants(0.131)


def notes_of(notes: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [("t", *note) for note in notes]


def test_a_covenant_that_can_be_met_at_a_price_is_met():
    night = allocate(*diluted())
    assert (night.events, night.exit_code) == ((), 0)
    limits = night.tables["limits"].query("kind == 'covenants'")
    assert (limits.level == "binding").any()
    assert limits.price.max() > 0
    free = decide(diluted()[0], diluted()[1].without("covenants"), None)
    assert free.solved.staged.first.objective > night.solved.staged.first.objective + 1e-6


def test_an_instruction_of_the_desk_does_not_break_it():
    """Whatever else has to give way, a covenant that can be met is met."""
    pin = {"target": "lend", "segment": "a", "facility": "t", "op": ">=", "amount": 24 * MILLION, "reason": "test"}
    pin |= {"from": "2026-11-20", "to": "2026-12-20", "by": "desk"}
    book, rules = diluted(pins=pd.DataFrame([pin]).astype({"from": "datetime64[ns]", "to": "datetime64[ns]"}))
    rules = rules.model_copy(update={"rules": (*rules.rules, rule("pins", origin="desk"))})
    night = decide(book, rules, None)
    assert set(night.solved.gave_way.rule) == {"pins"}
    assert night.events == ()


# ---- cover and uninvested cash


def test_a_trust_that_cannot_stay_invested_amortises():
    """Fast payers who may not be lent to: cash piles up until more than 20% of the notes lies idle."""
    book = small_book(
        {"a": {}, "k": {"product": "trust", "monthly_payment_rate": 0.5}},
        {("a", "house"): 500 * MILLION, ("k", "t"): 100 * MILLION},
        facilities={"t": {**TRUST, "cash": 1 * MILLION, "revolving_end": "2028-01-01"}},
        tranches=[
            ("t", "senior", 1, 80 * MILLION, 0.03, "third_party"),
            ("t", "sub", 2, 20 * MILLION, 0.0, "retained"),
        ],
        eligibility=[("t", "product", "==", "trust")],
        requests={"k": {"available": 0.0}},
    )
    night = allocate(book, trust_rules(("3 x 1 day", "2 x 1 week", "6 x 1 month"), 0.2))
    event = night.events[-1]
    assert (event.facility, event.rule, event.what, event.unit) == ("t", "pool_cover", "uninvested", "CNY")
    assert event.used > 1.01 * event.limit
    assert event.limit == pytest.approx(20 * MILLION)
    after = night.plan.facility_cash.sel(facility="t").values[event.broken :]
    assert np.abs(after).max() <= 1.0
    assert float(night.plan.pay.sel(tranche="t/senior").sum()) == pytest.approx(80 * MILLION, rel=1e-6)


# ---- words and refusals


def test_covenants_without_an_end_of_revolving_are_refused():
    with pytest.raises(BadInput, match="revolving_period"):
        allocate(trust_book("2029-01-01"), covenants(0.15).without("revolving_period"))


def test_a_floor_is_told_as_a_floor():
    event = {
        "facility": "t", "rule": "deal", "what": "excess_spread", "used": -0.5, "limit": 0.0, "unit": "%",
        "period": "2026-12-20", "from": "2027-01-20",
    }  # fmt: skip
    assert event_text("en", event) == (
        "t amortises early from 2027-01-20: in the period of 2026-12-20 its average excess spread a year is -0.50%, "
        "against at least 0.00% (rule deal)."
    )
    assert "年化平均超额利差为-0.50%，低于约定的0.00%" in event_text("zh", event)
    money = {**event, "what": "uninvested", "used": 25 * MILLION, "limit": 20 * MILLION, "unit": "CNY"}
    assert "its uninvested cash is CNY 25.0m, against at most CNY 20.0m" in event_text("en", money)
    assert "own words" in event_text("en", {**event, "what": "own_words"})


def test_an_event_starts_the_period_after():
    assert Event("t", "covenants", "cover", 4).start == 5
