"""The run folder: its name, what may lie in its place, written whole or not at all, read back with care."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from liquidity import Book, Rulebook, read_book, read_rulebook
from liquidity.errors import BadInput, SolverFailed
from liquidity.program.solve import Infeasible
from liquidity.runs import nightly, record, sensitivity
from liquidity.runs.nightly import Job, run_nightly
from liquidity.runs.previous import pin_executed, read_record, read_table, record_at, relent_shares
from liquidity.runs.record import existing, run_id, whole

ROOT = Path(__file__).parents[2]
LEDGER = "segment,period,freed,relent\n{0},2026-11-20,100.0,60.0\nb,2026-11-20,0.0,0.0\n{0},2026-11-21,90.0,90.0\n"
ALLOCATION = (
    "segment,borrower,facility,period,amount,reduced_cost\nA-full-east,returning,balance_sheet,2026-11-20,50.0,0.0\n"
    "A-full-east,new,balance_sheet,2026-11-20,7.0,0.0\nA-full-east,new,joint_a,2026-11-20,0.0,-0.1\n"
    "A-full-east,new,balance_sheet,2026-11-21,9.0,0.0\n"
)


@pytest.fixture(scope="module")
def book() -> Book:
    return read_book(ROOT / "data" / "calm")


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return read_rulebook(ROOT / "models" / "calm.toml")


@pytest.fixture
def calm(tmp_path: Path) -> Path:
    """The calm lender's rulebook, alone in a folder, one process for the amounts."""
    text = (ROOT / "models" / "calm.toml").read_text(encoding="utf-8")
    text = text.replace("../data/calm", str(ROOT / "data" / "calm")).replace("workers = 2", "workers = 1")
    (tmp_path / "calm.toml").write_text(text, encoding="utf-8")
    return tmp_path / "calm.toml"


def make_run(folder: Path, **tables: str) -> Path:
    """A run folder with a record and some tables."""
    (folder / "tables").mkdir(parents=True)
    found = {"id": "0123456789ab", "as_of": "2026-11-20", "status": "optimal"}
    (folder / "run.json").write_text(json.dumps(found), encoding="utf-8")
    for name, text in tables.items():
        (folder / "tables" / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


# ---- the name of a run


def test_id_depends_on_everything_the_answer_depends_on(book: Book, rulebook: Rulebook, monkeypatch: Any) -> None:
    options = {"save_model": False, "executed": ""}
    first = run_id(book, rulebook, "", options)
    assert len(first) == 12
    assert set(first) <= set("0123456789abcdef")
    assert first == run_id(read_book(ROOT / "data" / "calm"), read_rulebook(ROOT / "models" / "calm.toml"), "", options)
    others = [
        run_id(book.edit("lender", None, cash=500_000_000.01), rulebook, "", options),
        run_id(book, rulebook.edit("capital", ratio=0.0801), "", options),
        run_id(book, rulebook.without("standby"), "", options),
        run_id(book, rulebook.model_copy(update={"market_rate": 0.0551}), "", options),
        run_id(book, rulebook, "0123456789ab", options),
        run_id(book, rulebook, "", {**options, "save_model": True}),
        run_id(book, rulebook, "", {**options, "executed": "0123456789ab"}),
    ]
    monkeypatch.setattr(record, "versions", lambda: {"highs": "0.0"})
    others.append(run_id(book, rulebook, "", options))
    assert len({first, *others}) == len(others) + 1


def test_default_folder_is_named_by_date_and_id(calm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(calm.parent)
    monkeypatch.setattr(nightly, "allocate", fail_with(SolverFailed("nothing", ["ipx: Error"])))
    with pytest.raises(SolverFailed):
        run_nightly(Job(calm))
    (made,) = (calm.parent / "runs").iterdir()
    assert made.name == f"2026-11-20-{read_record(made)['id']}"


# ---- what lies in its place


def test_a_free_place_and_a_failed_run_may_be_taken(tmp_path: Path) -> None:
    assert existing(tmp_path / "new" / "deep", "0123456789ab") is None
    failed = make_run(tmp_path / "failed")
    (failed / "run.json").write_text('{"id": "x", "as_of": "2026-11-20", "status": "solver_failed"}', encoding="utf-8")
    assert existing(failed, "0123456789ab") is None


def test_the_same_run_is_returned(tmp_path: Path) -> None:
    found = existing(make_run(tmp_path / "run"), "0123456789ab")
    assert found is not None
    assert found["status"] == "optimal"


@pytest.mark.parametrize("content", [None, "", "{", "[1]", "{}", '{"id": "another", "as_of": "", "status": "optimal"}'])
def test_anything_else_is_left_alone(content: str | None, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if content is not None:
        (place / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=r"--out: found '.*place', expected a place that is free"):
        existing(place, "0123456789ab")
    assert [path.name for path in place.iterdir()] == ([] if content is None else ["run.json"])


def test_a_place_inside_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for target in (tmp_path / "file", tmp_path / "file" / "run", tmp_path / "file" / "deep" / "run"):
        with pytest.raises(BadInput, match="--out"):
            existing(target, "0123456789ab")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record.os, "access", lambda *_: False)
    with pytest.raises(BadInput, match="can be written"):
        existing(tmp_path / "run", "0123456789ab")


# ---- whole or not at all


def test_written_whole(tmp_path: Path) -> None:
    with whole(tmp_path / "deep" / "run") as draft:
        (draft / "a").write_text("1", encoding="utf-8")
        assert not (tmp_path / "deep" / "run").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]
    assert (tmp_path / "deep" / "run" / "a").read_text(encoding="utf-8") == "1"


def write_until(error: type[BaseException], target: Path) -> None:
    with whole(target) as draft:
        (draft / "a").write_text("1", encoding="utf-8")
        raise error


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit, MemoryError])
def test_not_at_all(error: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(error):
        write_until(error, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_is_replaced_as_a_whole(tmp_path: Path) -> None:
    old = make_run(tmp_path / "run", ledger="old")
    with whole(old) as draft:
        (draft / "a").write_text("1", encoding="utf-8")
    assert [path.name for path in old.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [old]


KILLED = """
import os, signal, sys
from pathlib import Path
from liquidity.runs import nightly
from liquidity.runs.nightly import Job, run_nightly
nightly.write_report = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
run_nightly(Job(Path(sys.argv[1]), out=Path(sys.argv[2])))
"""


def test_a_killed_run_leaves_no_run_and_does_not_stand_in_the_way(calm: Path) -> None:
    out = calm.parent / "run"
    done = subprocess.run([sys.executable, "-c", KILLED, str(calm), str(out)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    found, folder = run_nightly(Job(calm, out=out))
    assert folder == out
    assert found["status"] == "optimal"
    assert read_record(out)["id"] == found["id"]


# ---- a solver that fails


def fail_with(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_failed_run_keeps_its_inputs_and_is_taken_up_again(calm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = calm.parent / "run"
    with monkeypatch.context() as patch:
        patch.setattr(nightly, "allocate", fail_with(SolverFailed("nothing", ["ipx: Error", "dual: Time limit"])))
        with pytest.raises(SolverFailed):
            run_nightly(Job(calm, out=out))
    kept = read_record(out)
    assert (kept["status"], kept["exit_code"], kept["fallback"]) == (
        "solver_failed",
        4,
        ["ipx: Error", "dual: Time limit"],
    )
    assert read_book(out / "book").digest == kept["book_digest"]
    again, _ = run_nightly(Job(calm, out=out))
    assert (again["status"], again["id"]) == ("optimal", kept["id"])
    assert (out / "report.html").is_file()


def test_no_plan_where_one_should_be_is_a_failed_solver(calm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "allocate", fail_with(Infeasible("no plan meets every row", ["dual: Infeasible"])))
    with pytest.raises(SolverFailed) as failed:
        run_nightly(Job(calm, out=calm.parent / "run"))
    assert failed.value.exit_code == 4
    assert read_record(calm.parent / "run")["fallback"] == ["dual: Infeasible"]


def test_a_night_stands_without_its_sensitivities(calm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("other_ref", "shorter_horizon", "hair"):
        monkeypatch.setattr(sensitivity, name, fail_with(SolverFailed("nothing")))
    found, _ = run_nightly(Job(calm, out=calm.parent / "run"))
    known = {name for name, amount in found["relent_sensitivity"].items() if amount is not None}
    assert known == {"as_planned"}
    assert len(found["relent_sensitivity"]) == 6


# ---- what a run keeps


def test_a_run_keeps_what_it_was_made_from(calm: Path, book: Book, rulebook: Rulebook) -> None:
    found, folder = run_nightly(Job(calm, out=calm.parent / "run"))
    assert read_book(folder / "book").digest == book.digest == found["book_digest"]
    kept = Rulebook.model_validate(
        {**json.loads((folder / "rulebook.json").read_text(encoding="utf-8")), "rules": (), "own_rules": {}}
    )
    assert kept.horizon == rulebook.horizon
    rules = json.loads((folder / "rulebook.json").read_text(encoding="utf-8"))["rules"]
    assert [type(rulebook.rule(one["name"])).model_validate(one) for one in rules] == list(rulebook.rules)
    assert {path.name for path in folder.iterdir()} == {
        "book", "plan.nc", "report.html", "rulebook.json", "run.json", "tables",
    }  # fmt: skip


# ---- reading runs


@pytest.mark.parametrize("text", ["", "{", "[1]", '"id"', '{"id": "x"}'])
def test_a_broken_record_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    assert record_at(tmp_path) is None
    with pytest.raises(BadInput, match=r"run\.json"):
        read_record(tmp_path)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", '"\n', "segment,period\nx,y,z\n"])
def test_a_broken_table_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="ledger"):
        read_table(make_run(tmp_path / "run", ledger=text), "ledger")


@pytest.mark.parametrize("name", ["001", "NA", "1e5", "C级华东", "true", "null"])
def test_names_are_text_whatever_they_look_like(name: str, tmp_path: Path) -> None:
    shares = relent_shares(make_run(tmp_path / "run", ledger=LEDGER.format(name)))
    assert shares.to_dict() == {name: 0.6, "b": 1.0}


def test_executed_pins_what_was_lent_that_night(tmp_path: Path, book: Book) -> None:
    run = make_run(tmp_path / "run", allocation=ALLOCATION)
    pins = pin_executed(book, run)["pins"]
    assert pins[["target", "segment", "facility", "op"]].to_numpy().tolist() == [
        ["lend", "A-full-east", "balance_sheet", ">="]
    ]
    assert pins.amount.iloc[0] == pytest.approx(57.0, abs=0.05)
    assert (pins["from"] == pd.Timestamp("2026-11-20")).all()
    assert (pins["to"] == pins["from"]).all()
    assert pins.by.tolist() == ["0123456789ab"]


def test_executed_keeps_the_instructions_of_the_book(tmp_path: Path, book: Book) -> None:
    row = {
        "target": "relend", "segment": "B-full-east", "facility": "", "line": "", "from": book.as_of, "to": book.as_of,
        "op": "<=", "amount": 5e6, "reason": "campaign on hold", "by": "desk",
    }  # fmt: skip
    pinned = book.replace("pins", pd.DataFrame([row]))
    assert set(pin_executed(pinned, make_run(tmp_path / "run", allocation=ALLOCATION))["pins"].by) == {
        "desk",
        "0123456789ab",
    }


def test_executed_must_be_todays(tmp_path: Path, book: Book) -> None:
    run = make_run(tmp_path / "run", allocation=ALLOCATION)
    (run / "run.json").write_text('{"id": "x", "as_of": "2026-11-19", "status": "optimal"}', encoding="utf-8")
    with pytest.raises(BadInput, match="--executed: found '2026-11-19', expected a run of 2026-11-20"):
        pin_executed(book, run)


def test_executed_needs_a_rule_that_holds_it(calm: Path) -> None:
    run = make_run(calm.parent / "run", allocation=ALLOCATION)
    head, *rules = calm.read_text(encoding="utf-8").split("[[rule]]")
    kept = [rule for rule in rules if 'kind = "pins"' not in rule]
    calm.write_text("[[rule]]".join([head, *kept]), encoding="utf-8")
    with pytest.raises(BadInput, match="pins"):
        run_nightly(Job(calm, out=calm.parent / "new", executed=run))
    assert not (calm.parent / "new").exists()
