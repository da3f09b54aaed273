"""Whole nights with a planned ABS: record, tables, re-solves with the issue held, and the cause where it cannot be."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from liquidity import Book, Rulebook, allocate, what_if
from liquidity.book import write_book
from liquidity.runs.compare import compare
from liquidity.runs.contrast import contrast, stand
from liquidity.runs.night import Night
from liquidity.runs.nightly import Job, body, head, run_nightly, write_run
from liquidity.runs.record import whole
from liquidity.runs.restore import read_inputs_of
from liquidity.runs.summary import issue_lines, print_summary
from tests.books import MILLION, ROOT, calm_book, calm_rules
from tests.test_planted import every_line, freed

PLANNED = "abs_2027a"
SHARES = {"senior": 0.8, "mezzanine": 0.1, "subordinated": 0.1}


def rules() -> Rulebook:
    """The calm rulebook on a short horizon, one process for the amounts."""
    found = calm_rules()
    return found.model_copy(update={"solver": found.solver.model_copy(update={"workers": 1})})


@lru_cache
def planned(date: str = "2026-11-20", cost: float = 1.0, market_open: bool = True, outflow: float = 0.0) -> Book:
    """The calm lender with one ABS planned, alike to its youngest; `cost` and `outflow` (tonight) in CNY m."""
    book = calm_book()
    made = {}
    for name in ("facilities", "tranches", "eligibility"):
        frame = book[name].reset_index()
        more = frame[frame.facility == "abs_2026a"].assign(facility=PLANNED)
        if name == "facilities":
            more = more.assign(cash=0.0, revolving_end=pd.Timestamp("2029-12-31"))
        if name == "tranches":
            more = more.assign(balance=0.0, issue_share=more.tranche.map(SHARES))
        made[name] = pd.concat([frame, more], ignore_index=True)
    row = {"facility": PLANNED, "date": pd.Timestamp(date), "least": 100 * MILLION, "most": 400 * MILLION,
           "cost": cost * MILLION, "market_open": market_open}  # fmt: skip
    flow = {"date": book.as_of, "name": "tax", "amount": -outflow * MILLION, "account": "other"}
    flows = {"flows": pd.DataFrame([flow])} if outflow else {}
    return book.replace(**made, issues=pd.DataFrame([row]), **flows)


@lru_cache
def night(**terms: Any) -> Night:
    """The night of the planned lender."""
    return allocate(planned(**terms), rules())


def stored(folder: Path, found: Night) -> Path:
    """A run folder of a night."""
    record = head(found.pool.book, found.pool.rulebook, folder.name, "", {}) | body(found)
    with whole(folder) as draft:
        write_run(found, record, draft, False)
    return folder


def test_a_night_with_an_issue_proves_itself():
    found = night()
    assert float(found.plan.issued.sum()) == pytest.approx(400e6, abs=1.0)
    assert found.exit_code == 0
    for name, most in {"primal_residual": 1e-7, "dual_residual": 1e-7, "price_identity": 1e-9}.items():
        assert found.checks[name] < most
    for name in ("balance_sheet", "cash_accounts"):
        assert found.checks[name] < 1e-9
    for name in ("ledger_fen", "uses_fen", "reasons_fen"):
        assert found.checks[name] == 0
    orders = found.tables["orders"]
    assert orders[orders.kind == "note_issue"].amount.sum() == pytest.approx(400e6, abs=0.02)


def test_the_record_says_what_is_issued_and_how_good_that_is(tmp_path, capsys):
    run = stored(tmp_path / "run", night())
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (issue,) = record["issues"]
    assert (issue["facility"], issue["date"], issue["made"], issue["cost"]) == (PLANNED, "2026-11-20", True, 1e6)
    assert issue["text"] == f"{PLANNED} of 2026-11-20: issued, CNY 400m of notes at a cost of CNY 1.00m"
    assert 0 <= record["issues_gap"] <= 1e-4
    assert issue_lines(record)[0] == issue["text"]
    print_summary(record, run, Console(width=200))
    assert "with these issues held" in capsys.readouterr().out
    assert "400m of notes" in (run / "report.html").read_text(encoding="utf-8")


def test_the_record_says_why_nothing_is_issued():
    dear, shut = body(night(cost=200.0))["issues"][0], body(night(market_open=False))["issues"][0]
    assert (dear["made"], shut["made"]) == (False, False)
    assert dear["text"].endswith("not issued, it earns less than it costs")
    assert shut["text"].endswith("not issued, the market is shut")


def test_a_lender_without_planned_issues_has_none_in_its_record():
    assert not [name for name in body(allocate(calm_book(), rules())) if name.startswith("issues")]


def test_it_is_solved_again_from_its_folder(tmp_path):
    run = stored(tmp_path / "run", night())
    book, rulebook, _ = read_inputs_of(run)
    assert book == planned()
    again = stand(book, rulebook)
    first, theirs = night().solved, again.solved
    assert theirs.staged.first.objective == pytest.approx(first.staged.first.objective, rel=1e-12)
    assert theirs.choice.values.tolist() == first.choice.values.tolist()


def test_no_road_leads_to_a_trust_that_is_not_there():
    assert PLANNED in set(night().tables["roads"].facility)
    for terms in ({"market_open": False}, {"date": "2026-11-22"}):
        assert PLANNED not in set(night(**terms).tables["roads"].facility)


def tonight(found: Night, table: str) -> pd.DataFrame:
    """Tonight's part of a table."""
    frame = found.tables[table]
    return frame[frame.period == found.pool.grid.labels[0]]


def short_by() -> float:
    """CNY m that leave tonight: every line and a little more than what was repaid."""
    return (every_line() + 1.1 * freed()) / MILLION


def test_a_shut_market_is_a_lack_of_funding():
    """The issue would pay for nearly everything; shut, what is declined more is attributed to FUNDING first."""
    open_, shut = night(outflow=short_by()), night(outflow=short_by(), market_open=False)
    lost = [tonight(found, "ledger").declined.sum() for found in (open_, shut)]
    assert lost[0] < 2e6
    assert lost[1] > 20e6
    told = tonight(shut, "reasons").groupby("cause").amount.sum()
    assert told.idxmax() == "FUNDING"
    assert told["FUNDING"] > 0.85 * lost[1]


def test_what_if_and_contrast_hold_the_issue():
    found = night(outflow=short_by(), market_open=False)
    tighter = found.pool.rulebook.edit("capital", ratio=0.081)
    again = what_if(night(), night().pool.rulebook.edit("capital", ratio=0.081))
    assert again.refilled
    assert again.plan.issue.sum() == 1
    assert what_if(found, tighter).plan.issue.sum() == 0
    mild = night(outflow=(every_line() + 0.3 * freed()) / MILLION)
    worst = tonight(mild, "ledger").set_index("segment").declined.idxmax()
    asked = contrast(mild, worst, 1e5)
    assert asked.cost is not None
    assert asked.cost > 0
    assert any(change.proved for change in asked.enabled)


def test_two_nights_are_compared_over_an_issue(tmp_path):
    one = stored(tmp_path / "one", night(outflow=short_by()))
    two = stored(tmp_path / "two", night(outflow=short_by(), market_open=False))
    found = compare(one, two)
    assert found.totals.set_index("input").amount["funding"] < -18e6
    assert found.checks["parts"] <= 1e-6


def test_a_past_issue_is_refused_and_nothing_written(tmp_path):
    from liquidity.errors import BadInput

    write_book(planned(), tmp_path / "book")
    issues = tmp_path / "book" / "issues.csv"
    issues.write_text(issues.read_text(encoding="utf-8").replace("2026-11-20", "2026-11-19"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"issues \(row abs_2027a, column date\)"):
        run_nightly(Job(ROOT / "models" / "calm.toml", book=str(tmp_path / "book"), out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()
