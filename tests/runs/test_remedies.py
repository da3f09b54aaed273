"""Conflicting books: every one has a plan, exit code 3, and a remedy that, applied, ends with exit code 0."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from liquidity import read_book, read_rulebook
from liquidity.program.solve import Infeasible
from liquidity.runs.contrast import stand
from liquidity.runs.loosening import LEAST, Loosening, OutOfBudget
from liquidity.runs.negotiable import DATE, Knob, from_record, knobs_of
from liquidity.runs.night import Decided
from liquidity.runs.nightly import Job, run_nightly
from liquidity.runs.remedies import Inputs, apply_remedy, find_remedies
from tests.books import calm_book
from tests.conflicts import BOOKS, Made, calm, conflicting, write_inputs


@lru_cache
def found(name: str, seed: int) -> tuple[Decided, tuple[dict[str, Any], ...]]:
    """The night of a conflicting book and its remedies, as a record keeps them."""
    night = stand(*conflicting(name, seed))
    return night, tuple(json.loads(json.dumps(find_remedies(night).record(night.pool.rulebook))))


def working(name: str, seed: int) -> list[dict[str, Any]]:
    """The remedies that were proved."""
    return [one for one in found(name, seed)[1] if one["works"]]


def test_there_are_thirty_books_of_eighteen_kinds() -> None:
    assert len(BOOKS) == 30
    assert len({name for name, _ in BOOKS}) == 18


@pytest.mark.parametrize(("name", "seed"), BOOKS)
def test_conflict_ends_with_the_first_remedy_written_and_read_again(name: str, seed: int, tmp_path: Path) -> None:
    night, remedies = found(name, seed)
    assert night.solved.gave_way is not None
    assert len(night.solved.gave_way) > 0
    best = remedies[0]
    assert best["works"]
    path = write_inputs(*apply_remedy(best, *conflicting(name, seed)), tmp_path)
    rules = read_rulebook(path)
    again = stand(read_book(rules.book), rules)
    assert again.solved.gave_way is None
    worth = again.solved.staged.first.objective * again.pool.unit
    worth -= night.solved.staged.first.objective * night.pool.unit
    assert worth == pytest.approx(best["worth"], abs=1.0)


@pytest.mark.parametrize(("name", "seed"), [pair for pair in BOOKS if pair[1] == 0])
def test_nineteen_twentieths_of_a_change_still_contradict(name: str, seed: int) -> None:
    book, rules = conflicting(name, seed)
    for remedy in working(name, seed):
        assert remedy["lack"] > 0
        moved = [from_record(change) for change in remedy["changes"]]
        at = Inputs(book, rules)
        for knob, to in moved:
            at = knob.apply(at, knob.now + 0.94 * (to - knob.now))
        with pytest.raises(Infeasible):
            stand(at.book, at.rulebook, repairs=False)


@pytest.mark.parametrize(("name", "seed"), BOOKS)
def test_the_law_is_changed_only_where_nothing_else_does(name: str, seed: int) -> None:
    ways = working(name, seed)
    lawful = [one for one in ways if one["negotiable"]]
    assert [one["cost"] for one in lawful] == sorted(one["cost"] for one in lawful)
    for one in ways:
        assert one["negotiable"] == all(change["origin"] != "law" for change in one["changes"])
        assert one["negotiable"] or not lawful
        assert ("not negotiable" in one["text_en"]) == (not one["negotiable"])
        assert ("不可协商" in one["text_zh"]) == (not one["negotiable"])


def test_rules_that_only_together_conflict_have_three_ways_out() -> None:
    ways = working("reserve and leverage, only together", 0)
    assert [one["rules"] for one in ways] == [["line_limit"], ["leverage_multiple"], ["cash_reserve"]]
    book, rules = conflicting("reserve and leverage, only together", 0)
    alone = {"cash_reserve": ("amount",), "leverage_multiple": ("origin", "nonstandard_multiple")}
    for name, fields in alone.items():
        one = calm()[1].edit(name, **{field: getattr(rules.rule(name), field) for field in fields})
        assert stand(book, one, repairs=False).solved.gave_way is None


def test_law_in_a_conflict_is_told_where_another_rule_can_be_loosened() -> None:
    book, rules = conflicting("reserve and leverage, only together", 0)
    night = stand(book, rules.edit("leverage_multiple", origin="law"))
    remedies = find_remedies(night).record(night.pool.rulebook)
    about = [one for one in remedies if one["rules"] == ["leverage_multiple"]]
    assert [one["why"] for one in about] == ["law"]
    assert not any(change["origin"] == "law" for one in remedies for change in one["changes"])


def test_search_stops_at_its_budget_of_programs() -> None:
    night, _ = found("capital too high", 0)
    search = Loosening(night, budget=1)
    start = search.start(("capital",))
    assert start is not None
    with pytest.raises(OutOfBudget):
        search.probe(start, ())


def test_the_least_ratio_is_that_of_a_bisection_over_whole_nights() -> None:
    book, rules = conflicting("capital too high", 0)
    low, high = 0.05, rules.rule("capital").ratio  # type: ignore[attr-defined]
    while high - low > 1e-4:
        middle = (low + high) / 2
        try:
            stand(book, rules.edit("capital", ratio=middle), repairs=False)
            low = middle
        except Infeasible:
            high = middle
    (change,) = working("capital too high", 0)[0]["changes"]
    assert change["to"] == pytest.approx(low, abs=2e-4)


def test_remedies_are_the_same_again() -> None:
    night, remedies = found("region below its share", 0)
    again = stand(*conflicting("region below its share", 0))
    assert find_remedies(again).record(night.pool.rulebook) == list(remedies)


def knob(now: float, end: float, unit: str = "share") -> Knob:
    """A number of a rule."""
    return Knob("r", "capital", "board", "", "r", "ratio", "", now, end, unit)


def test_numbers_are_rounded_away_from_where_they_stand() -> None:
    assert knob(0.5, 0.0).typed((0.5 - 0.379187) / 0.5) == 0.3791
    assert knob(0.2, 1.0).typed((0.50183 - 0.2) / 0.8) == 0.5019
    assert knob(0.245, 0.0).typed((0.245 - 0.24486) / 0.245) == 0.24486
    assert knob(0.245, 0.0).typed((0.245 - 0.2448604) / 0.245) == 0.24486
    assert knob(100.0, 1e4, "CNY").typed((123.456 - 100) / 9900) == 123.5
    assert knob(739000.0, 739100.0, DATE).typed(0.105) == 739011.0
    noise = np.random.default_rng(5)
    for _ in range(200):
        now, end, part = noise.uniform(0.01, 1), noise.uniform(0.01, 1), noise.uniform(1e-4, 1)
        at, exact = knob(now, end), now + part * (end - now)
        assert (at.typed(part) - exact) * (end - now) >= -1e-9 * abs(end - now)
        assert abs(at.typed(part) - exact) <= 0.011 * abs(exact - now) + 1e-12


def test_every_number_can_be_applied_at_its_end_and_read_from_a_record() -> None:
    book, rules = made_with_pins()
    every = [one for rule in rules.rules for one in knobs_of(rule.name, Inputs(book, rules))]
    assert {one.kind for one in every} > {"capital", "pins", "line_limit", "warehouse", "advance_rate", "partner_limit"}
    for one in every:
        at = one.apply(Inputs(book, rules), one.end)
        assert (at.book.digest, at.rulebook.digest) != (book.digest, rules.digest)
        fields = ("rule", "kind", "origin", "table", "row", "column", "key", "unit")
        change = {name: getattr(one, name) for name in fields}
        change |= {"now": one.told(one.now), "to": one.told(one.end)}
        assert from_record(change) == (replace(one, end=one.end), one.end)


def made_with_pins() -> Made:
    """A lender with instructions and a bond that falls due."""
    book, rules = conflicting("instructions contradict", 0)
    return book.edit("lines", "bond", maturity=pd.Timestamp("2026-12-01")), rules


def test_run_tells_conflict_and_remedies_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from liquidity.runs.summary import print_summary

    path = write_inputs(*conflicting("instructions contradict", 0), tmp_path)
    record, run = run_nightly(Job(path, out=tmp_path / "run"))
    assert record["exit_code"] == 3
    assert record == json.loads((run / "run.json").read_text(encoding="utf-8"))
    (told,) = record["conflict_told"]
    assert "instruction 1 (relend <= CNY 5,231,763.00, by desk)" in told["text_en"]
    assert "第1条人工指令" in told["text_zh"]
    best = record["remedies"][0]
    assert best["works"]
    page = (run / "report.html").read_text(encoding="utf-8")
    print_summary(record, run, Console(width=200))
    shown = capsys.readouterr().out.replace("\n", " ")
    for text in (told["text_en"], best["text_en"]):
        assert text.split(": ")[0] in shown
        assert text.split(": ")[0] in page
    assert best["text_zh"].split("：")[0] in page
    assert set(record["remedies_search"]) == {"programs", "nights"}
    fixed = write_inputs(*apply_remedy(best, read_book(tmp_path / "book"), read_rulebook(path)), tmp_path / "fixed")
    again, _ = run_nightly(Job(fixed, out=tmp_path / "again"))
    assert again["exit_code"] == 0
    assert "remedies" not in again


def test_a_night_without_conflict_has_no_remedies() -> None:
    assert find_remedies(stand(*calm())).found == ()
    assert calm_book() == calm()[0]
    assert LEAST < 1
