"""Day over day: a change of tonight's relent is split over what changed, adds up, and each planted change is found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from liquidity import BadInput, Book, Rulebook, allocate
from liquidity.book.fields import TABLES
from liquidity.explain.rounding import in_fen
from liquidity.runs.compare import Comparison, compare
from liquidity.runs.compare_fields import changed_fields
from liquidity.runs.compare_inputs import GROUPS, Inputs, Mixer, group_of, subsets
from liquidity.runs.compare_text import record_of, target_of, write_comparison
from liquidity.runs.compare_values import Nights, split
from liquidity.runs.nightly import body, head, write_run
from liquidity.runs.record import whole
from tests.test_cli import run as cli
from tests.test_planted import PLANTS, book, calm, outflow, rulebook

LIBRARY = re.compile(r"<script>/\*\*\n\* plotly\.js.*?</script>", re.DOTALL)
Given = tuple[Book, Rulebook, pd.Series | None]


def stored(folder: Path, given: Given, night: Any = None) -> Path:
    """A run folder of these inputs, as the nightly job writes it."""
    night = night or allocate(*given)
    record = head(given[0], given[1], folder.name, "earlier" if given[2] is not None else "", {}) | body(night)
    with whole(folder) as draft:
        write_run(night, record, draft, False)
    return folder


@lru_cache
def base() -> Inputs:
    return Inputs(book(), rulebook(), None)


def tight() -> Rulebook:
    return PLANTS["CONCENTRATION"][1]()[1]


def of(found: Comparison) -> dict[str, float]:
    return found.totals.set_index("input").amount.to_dict()


def assert_adds_up(found: Comparison) -> None:
    """To 1e-6 CNY as solved, to the fen as printed, and both ends are the ledgers'."""
    assert found.checks["parts"] <= 1e-6
    assert found.checks["ledger_a"] <= 0.01
    assert found.checks["ledger_b"] <= 0.01
    parts = pd.Series(in_fen(found.changes.amount), index=found.changes.segment).groupby(level=0).sum()
    change = pd.Series(in_fen(found.segments.change), index=found.segments.segment)
    assert (change.sub(parts, fill_value=0) == 0).all()
    assert in_fen(found.totals.amount).sum() == change.sum()
    assert "unexplained" not in set(found.changes.input)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folders: the calm night, and nights with one and two planted changes."""
    place = tmp_path_factory.mktemp("runs")
    stored(place / "calm", (book(), rulebook(), None), calm())
    stored(place / "rules", (book(), tight(), None))
    asked = book().edit("requests", "B-full-east", asked=0.5)
    stored(place / "two", (asked, tight(), None))
    return place


# ---- the groups


def test_every_field_of_the_book_is_in_one_group() -> None:
    groups = {group_of(table.name, field.name) for table in TABLES.values() for field in table.fields}
    assert groups == set(GROUPS) - {"rules", "previous"}


EDITS: dict[str, Callable[[], Given]] = {
    "gates": lambda: (book().edit("requests", "B-full-east", available=0.9), rulebook(), None),
    "model": lambda: (book().edit("requests", "B-full-east", model_kept=0.9), rulebook(), None),
    "demand": lambda: (book().edit("requests", "B-full-east", new_demand=1e6), rulebook(), None),
    "receipts": lambda: (book().edit("balances", ("A-full-east", "balance_sheet"), npl=1.0), rulebook(), None),
    "borrowers": lambda: (book().edit("segments", "B-full-east", pd=0.02), rulebook(), None),
    "funding": lambda: (book().edit("lines", "bank_a", commitment=1.2e9), rulebook(), None),
    "instructions": lambda: PLANTS["INSTRUCTION"][1](),
    "rules": lambda: (book(), tight(), None),
    "previous": lambda: PLANTS["STABILITY"][1](),
}


@pytest.mark.parametrize("group", GROUPS)
def test_a_change_of_one_group_makes_one_player_and_is_listed(group: str) -> None:
    mixer = Mixer(base(), Inputs(*EDITS[group]()))
    assert mixer.players == (group,)
    fields = changed_fields(mixer)
    assert set(fields.input) == {group}
    assert mixer.mix(frozenset()) is mixer.a
    assert mixer.mix({group}) is mixer.b


def test_what_does_not_change_the_answer_is_no_change() -> None:
    rules = rulebook().edit("capital", source="another page", warn_at=0.5)
    solver = rules.solver.model_copy(update={"workers": 2})
    mixer = Mixer(base(), Inputs(book(), rules.model_copy(update={"solver": solver, "name": "other"}), None))
    assert mixer.players == ()


def test_fields_are_told_with_their_numbers() -> None:
    changed = book().edit("lines", "bank_a", commitment=1.2e9).edit("requests", "B-full-east", asked=0.5)
    fields = changed_fields(Mixer(base(), Inputs(changed, tight(), None)))
    rows = {(row.table, row.row, row.field): (row.before, row.after, row.unit) for row in fields.itertuples()}
    assert rows == {
        ("lines", "bank_a", "commitment"): (1.5e9, 1.2e9, "CNY"),
        ("requests", "B-full-east", "asked"): (1.0, 0.5, "share"),
        ("rule", "region", "shares.east"): ("", 0.501, "share"),
    }


def test_a_hybrid_has_exactly_the_chosen_groups() -> None:
    changed = book().edit("lines", "bank_a", commitment=1.2e9).edit("requests", "B-full-east", asked=0.5)
    mixer = Mixer(base(), Inputs(changed.edit("segments", None, pd=0.01), tight(), None))
    assert set(mixer.players) == {"gates", "borrowers", "rules", "funding"}
    for chosen in subsets(mixer.players):
        given = mixer.mix(chosen)
        assert (given.book["lines"].commitment["bank_a"] == 1.2e9) == ("funding" in chosen)
        assert (float(given.book["requests"].asked["B-full-east"].iloc[0]) == 0.5) == ("gates" in chosen)
        assert bool((given.book["segments"].pd == 0.01).all()) == ("borrowers" in chosen)
        assert (given.rulebook.digest == tight().digest) == ("rules" in chosen)


def test_sets_follow_each_other_one_change_at_a_time() -> None:
    sets = subsets("abcd")
    assert len(set(sets)) == len(sets) == 16
    assert sets[0] == frozenset()
    assert sets[-1] == frozenset("abcd")


# ---- another date


def later(days: int = 1) -> Book:
    """The calm book some days later, everything else the same."""
    as_of = book().as_of + timedelta(days=days)
    requests = book()["requests"].reset_index()
    requests["from"] = requests["from"] + pd.Timedelta(days=days)
    return book().replace(lender=book()["lender"].assign(as_of=pd.Timestamp(as_of)), requests=requests)


def test_requests_that_only_moved_with_the_date_are_no_change() -> None:
    mixer = Mixer(base(), Inputs(later(), rulebook(), None))
    assert mixer.players == ("funding",)
    assert set(changed_fields(mixer).field) == {"as_of"}


def test_tonights_gate_of_the_later_night_is_tonights_in_a_hybrid() -> None:
    shut = later().edit("requests", "B-full-east", available=0.5)
    mixer = Mixer(base(), Inputs(shut, rulebook(), None))
    assert set(mixer.players) == {"gates", "funding"}
    mixed = mixer.mix({"gates"}).book
    assert mixed.as_of == book().as_of
    assert mixed["requests"].loc["B-full-east"].available.to_dict() == {pd.Timestamp(book().as_of): 0.5}
    mixed = mixer.mix({"funding"}).book
    assert mixed.as_of == shut.as_of
    assert (mixed["requests"].available == 1).all()


def test_requests_that_say_the_same_of_the_same_dates_stay_where_they_are() -> None:
    """A step that both books announce for one date is not moved with the night."""
    step = pd.Timestamp("2026-12-01")
    rows = book()["requests"].reset_index()
    more = rows.assign(**{"from": step, "asked": 0.8})
    early = book().replace(requests=pd.concat([rows, more]))
    late = later()
    late = late.replace(requests=pd.concat([late["requests"].reset_index(), more]))
    mixer = Mixer(Inputs(early, rulebook(), None), Inputs(late, tight(), None))
    assert set(mixer.players) == {"rules", "funding"}
    for chosen in ({"funding"}, {"rules"}):
        moved = mixer.mix(chosen).book["requests"]
        assert set(moved.index.get_level_values("from")[moved.asked == 0.8]) == {step}


# ---- the split


def test_one_planted_change_gets_the_whole_change(runs: Path) -> None:
    found = compare(runs / "calm", runs / "rules")
    assert_adds_up(found)
    assert of(found) == {"rules": pytest.approx(float(found.segments.change.sum()), abs=1e-6)}
    assert of(found)["rules"] < -1e6
    assert found.solves == 2


@pytest.mark.parametrize("cause", ["STABILITY", "FUNDING", "INSTRUCTION"])
def test_a_planted_cause_is_the_change(cause: str) -> None:
    given = Inputs(*PLANTS[cause][1]())
    group = {"STABILITY": "previous", "FUNDING": "funding", "INSTRUCTION": "instructions"}[cause]
    found = split(Mixer(base(), given))
    assert list(found.part) == [group]
    assert found.part[group].sum() < -1e5
    assert found.gap <= 1e-6


def test_two_planted_changes_share_the_change(runs: Path) -> None:
    found = compare(runs / "calm", runs / "two")
    assert_adds_up(found)
    assert set(of(found)) == {"gates", "rules"}
    assert min(abs(amount) for amount in of(found).values()) > 1e5
    asked = (book().edit("requests", "B-full-east", asked=0.5), rulebook())
    alone = [Inputs(*asked, None), Inputs(book(), tight(), None)]
    gates, rules = (Nights(Mixer(base(), one)).value(frozenset([name])) for one, name in zip(alone, ("gates", "rules")))
    start, end = found.segments.relent_a.sum(), found.segments.relent_b.sum()
    mean = ((gates.sum() - start) + (end - rules.sum())) / 2
    assert of(found)["gates"] == pytest.approx(mean, abs=0.1)


def test_a_night_from_its_neighbour_is_the_night_solved_from_the_start() -> None:
    changed = outflow(3e8).edit("requests", "B-full-east", asked=0.5).edit("segments", "C-full-west", pd=0.04)
    mixer = Mixer(base(), Inputs(changed, tight(), None))
    nights, other = Nights(mixer), Nights(mixer)
    for chosen in subsets(mixer.players):
        near = nights.value(chosen)
        np.testing.assert_allclose(near, other.whole(mixer.mix(chosen)).relent, atol=0.01)
    assert nights.warm >= 8


def test_a_run_against_itself_is_all_nought(runs: Path) -> None:
    found = compare(runs / "two", runs / "two")
    assert_adds_up(found)
    assert found.players == ()
    assert found.changes.empty
    assert found.fields.empty
    assert (found.segments.change == 0).all()
    assert (found.plan.difference == 0).all()
    assert found.cash["difference"] == 0
    assert (found.causes.difference == 0).all()


def test_backwards_is_the_opposite(runs: Path) -> None:
    there, back = of(compare(runs / "calm", runs / "two")), of(compare(runs / "two", runs / "calm"))
    assert {name: -amount for name, amount in back.items()} == pytest.approx(there, abs=0.05)


def test_sampled_orders_add_up_and_are_near_with_their_error() -> None:
    changed = book().edit("requests", "B-full-east", asked=0.5, model_kept=0.8)
    mixer = Mixer(base(), Inputs(changed, tight(), None))
    exact, drawn = split(mixer), split(mixer, most=2)
    assert exact.exact
    assert not drawn.exact
    assert drawn.gap <= 1e-6
    for name, part in exact.part.items():
        assert abs(drawn.part[name].sum() - part.sum()) <= 4 * drawn.total_error[name] + 1
    assert max(drawn.total_error.values()) > 0
    again = split(mixer, most=2)
    assert all((again.part[name] == drawn.part[name]).all() for name in drawn.part)


def test_order_of_rows_and_of_rules_does_not_matter() -> None:
    rows = {name: book()[name].reset_index() for name in ("segments", "balances", "requests", "lines")}
    mixed = book().replace(**{name: frame.iloc[::-1] for name, frame in rows.items()})
    rules = rulebook().model_copy(update={"rules": rulebook().rules[::-1]})
    assert Mixer(base(), Inputs(mixed, rules, None)).players == ()


def test_the_second_runs_plan_is_held_against_the_firsts(runs: Path, tmp_path: Path) -> None:
    found = compare(runs / "calm", stored(tmp_path / "next", (later(), rulebook(), None)))
    assert_adds_up(found)
    assert not found.why_no_plan
    planned = calm().tables["ledger"].query("period == '2026-11-21'").set_index("segment").relent
    told = found.plan[found.plan.what == "relent"].set_index("segment")
    assert told.planned.to_dict() == planned.to_dict()
    assert set(found.plan.what) == {"freed", "relent", "declined"}
    closing = calm().tables["cash"].query("period == '2026-11-20' and account == 'treasury'").closing.iloc[0]
    assert found.cash["planned"] == closing
    assert found.cash["realised"] == book().lender.cash
    far = compare(runs / "calm", stored(tmp_path / "far", (later(9), rulebook(), None)))
    assert far.plan.empty
    assert "2026-11-29" in far.why_no_plan


# ---- segments that come and go


def added(name: str = "late-west") -> Book:
    """The calm book with one segment more, a small copy of another."""
    tables = {}
    for table in ("segments", "balances", "requests"):
        rows = book()[table].reset_index()
        mine = rows[rows.segment == "C-full-west"].assign(segment=name)
        if table == "balances":
            money = ["balance", "past_due_1_30", "past_due_31_90", "npl"]
            mine = mine[mine.facility == "balance_sheet"]
            mine[money] = (mine[money] * 0.1).round(2)
        tables[table] = pd.concat([rows, mine], ignore_index=True)
    return book().replace(**tables)


def test_a_new_segment_is_told_with_its_whole_relent(runs: Path, tmp_path: Path) -> None:
    other = stored(tmp_path / "more", (added(), rulebook(), None))
    for first, second, code, sign in (("calm", other, "segment_new", 1), (other, "calm", "segment_gone", -1)):
        found = compare(runs / first, runs / second)
        assert_adds_up(found)
        mine = found.changes[found.changes.segment == "late-west"]
        assert mine.input.tolist() == [code]
        assert sign * mine.amount.iloc[0] > 1e4
        assert (found.changes[found.changes.segment != "late-west"].input != code).all()


def test_inputs_that_only_hold_together_are_told_as_one() -> None:
    """A new facility with loans in it: no book has the loans without the facility."""
    facilities, balances = book()["facilities"].reset_index(), book()["balances"].reset_index()
    terms = book()["eligibility"].reset_index()
    more = facilities[facilities.kind == "joint"].assign(facility="joint_z")
    held = balances[balances.facility == "joint_a"].assign(facility="joint_z")
    held[["balance", "past_due_1_30", "past_due_31_90", "npl"]] *= 1e-3
    terms_z = terms[terms.facility == "joint_a"].assign(facility="joint_z")
    bigger = book().replace(
        facilities=pd.concat([facilities, more]), balances=pd.concat([balances, held.round(2)]),
        eligibility=pd.concat([terms, terms_z]),
    )  # fmt: skip
    mixer = Mixer(base(), Inputs(bigger.edit("requests", "B-full-east", asked=0.9), rulebook(), None))
    assert mixer.players == ("gates", "receipts+funding")
    assert mixer.refused() == []


# ---- what is refused


def test_bad_input_is_refused_and_nothing_written(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run folder"):
        compare(runs / "calm", tmp_path)
    dollars = book().replace(lender=book()["lender"].assign(currency="USD"))
    with pytest.raises(BadInput, match="CNY, as in the other run"):
        Mixer(base(), Inputs(dollars, rulebook(), None))
    (tmp_path / "taken").mkdir()
    assert cli("compare", str(runs / "calm"), str(runs / "two"), "--out", str(tmp_path / "taken")) == 2
    assert cli("compare", str(runs / "calm"), str(runs / "two"), "--lang", "fr", "--out", str(tmp_path / "new")) == 2
    assert cli("compare", str(runs / "calm"), str(tmp_path / "none"), "--out", str(tmp_path / "new")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]


def test_a_run_whose_ledger_is_not_what_its_inputs_give_is_told(runs: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    stored(odd, (book(), tight(), None))
    path = odd / "tables" / "ledger.csv"
    ledger = pd.read_csv(path)
    ledger.loc[0, ["relent", "declined"]] += [1000.0, -1000.0]
    ledger.to_csv(path, index=False)
    found = compare(runs / "calm", odd)
    assert found.checks["ledger_b"] == pytest.approx(1000, abs=0.1)
    assert of(found)["unexplained"] == pytest.approx(1000, abs=0.1)


# ---- what is written


@pytest.fixture(scope="module")
def written(runs: Path) -> tuple[Comparison, Path]:
    found = compare(runs / "calm", runs / "two")
    write_comparison(found, runs / "compared")
    return found, runs / "compared"


def test_the_folder_is_whole_and_its_tables_add_up(written: tuple[Comparison, Path]) -> None:
    found, folder = written
    names = {"changes.csv", "plan_realised.csv", "inputs.csv", "reasons.csv", "changes.html", "compare.json"}
    assert {path.name for path in folder.iterdir()} == names
    changes = pd.read_csv(folder / "changes.csv")
    assert list(changes.columns) == ["segment", "input", "amount", "error"]
    record = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    assert in_fen(changes.amount).sum() == in_fen([record["change"]])[0]
    assert record["totals"] == record_of(found)["totals"]
    assert list(pd.read_csv(folder / "plan_realised.csv").columns) == [
        "segment", "what", "planned", "realised", "difference",
    ]  # fmt: skip


def test_the_page_has_no_network_and_holds_the_totals(written: tuple[Comparison, Path]) -> None:
    found, folder = written
    text, count = LIBRARY.subn("", (folder / "changes.html").read_text(encoding="utf-8"))
    assert count == 1
    assert not re.search(r"""(src|href)=["'](?!data:)|@import|url\(|https?://(?!www\.w3\.org)""", text)
    for amount in (*found.totals.amount, found.segments.change.sum()):
        assert f"{amount:+,.2f}" in text
    assert "与上一晚相比的变化" in text
    assert "rule region shares.east: – → 50.10%" in text
    assert 'class="tag fails"' not in text
    assert text.count('class="en"') == text.count('class="zh"')
    assert "nan" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL).lower().split()


def test_sampled_amounts_are_written_with_their_errors(runs: Path, tmp_path: Path) -> None:
    found = compare(runs / "calm", runs / "two", most=1)
    assert_adds_up(found)
    assert (found.totals.error > 0).all()
    record = write_comparison(found, tmp_path / "drawn")
    assert record["exact"] is False
    text = (tmp_path / "drawn" / "changes.html").read_text(encoding="utf-8")
    assert "standard error" in text
    assert f"{found.totals.error.iloc[0]:,.2f}" in text
    assert "16 orders sampled" in text
    assert (pd.read_csv(tmp_path / "drawn" / "changes.csv").error > 0).any()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_command_prints_json_or_the_tables(
    runs: Path, lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, out = str(runs / "calm"), str(runs / "rules"), str(tmp_path / lang)
    assert cli("compare", first, second, "--out", out, "--lang", lang) == 0
    said = capsys.readouterr().out
    assert {"en": "attributed to: rules", "zh": "规则"}[lang] in said
    assert cli("compare", first, second, "--out", out, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["players"] == ["rules"]
    assert record["folder"] == out
    assert record["exact"] is True


def test_the_default_folder_is_named_after_both_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert target_of("one", "two", None) == Path("runs/compare-one-two")
