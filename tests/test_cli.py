"""The command line and the run folder, from tables to report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr

from liquidity.cli import app, main
from liquidity.errors import SolverFailed
from liquidity.explain.rounding import in_fen
from liquidity.program.solve import Session
from liquidity.runs import nightly

ROOT = Path(__file__).parents[1]
COLUMNS = {
    "allocation": "segment borrower facility period amount reduced_cost",
    "ledger": "segment period freed relent not_asked score_lowered model_changed limit_policy system_unavailable "
    "declined",
    "uses": "period segment account use to amount",
    "reasons": "segment period rank cause rule origin scope amount share alone text_en text_zh borrower_text_en "
    "borrower_text_zh",
    "charges": "segment borrower facility period item charge per_year",
    "roads": "segment borrower facility rank state taken margin charges left shut_by also code origin charge "
    "margin_per_year left_per_year charge_per_year text_en text_zh",
    "buffers": "tier order period held required used carry_rate use_rate cost_per_year price price_per_year",
    "limits": "rule kind origin at period used limit unit headroom_cny level price price_low price_high shortfall",
    "cash": "account period opening in out closing restricted",
    "funding": "source period opening draw repay closing cost",
    "tranches": "facility tranche period opening interest principal closing deficiency",
    "orders": "from_account to_account kind amount value_date",
}


def run(*arguments: str) -> int:
    """Exit code of the command line."""
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calm lender in which grade C asks for half and the region cap bites."""
    folder = tmp_path_factory.mktemp("place")
    text = (ROOT / "models" / "calm.toml").read_text(encoding="utf-8")
    text = text.replace("../data/calm", str(ROOT / "data" / "calm")).replace("workers = 2", "workers = 1")
    (folder / "calm.toml").write_text(text, encoding="utf-8")
    tight = text.replace('by = "region"', 'by = "region"\nshares = { east = 0.501 }', 1)
    assert tight != text
    (folder / "tight.toml").write_text(tight, encoding="utf-8")
    impossible = tight.replace("ratio = 0.08", "ratio = 0.95")
    assert impossible != tight
    (folder / "impossible.toml").write_text(impossible, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tight(place: Path) -> Path:
    """A run folder of the tight night, with its model."""
    assert run("allocate", str(place / "tight.toml"), "--out", str(place / "tight"), "--save-model") == 0
    return place / "tight"


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / f"{name}.csv")


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return found


def test_tables_have_the_columns_of_the_contract(tight: Path) -> None:
    assert {path.stem for path in (tight / "tables").glob("*.csv")} == set(COLUMNS)
    for name, columns in COLUMNS.items():
        assert list(table(tight, name).columns) == columns.split()


def test_record_says_what_was_done(tight: Path) -> None:
    found = record(tight)
    assert found["status"] == "optimal"
    assert found["exit_code"] == 0
    assert found["objective"] == pytest.approx(found["objective_model"] * found["unit"], rel=1e-12)
    assert found["checks"]["duality_gap"] <= 1e-8
    assert set(found["seconds"]) >= {"read", "build", "compile", "solve", "charges", "amounts", "tables", "report"}
    assert found["relent_sensitivity"]["as_planned"] == pytest.approx(
        table(tight, "ledger").query("period == '2026-11-20'").relent.sum(), abs=1.0
    )
    low, high = (found["relent_sensitivity"][f"{word}_for_1e-8_of_net_worth"] for word in ("least", "most"))
    assert low - 1 <= found["relent_sensitivity"]["as_planned"] <= high + 1


def test_accounts_roll_forward_to_the_fen(tight: Path) -> None:
    cash = table(tight, "cash")
    assert (in_fen(cash.opening) + in_fen(cash["in"]) - in_fen(cash.out) == in_fen(cash.closing)).all()
    funding = table(tight, "funding")
    assert (in_fen(funding.opening) + in_fen(funding.draw) - in_fen(funding.repay) == in_fen(funding.closing)).all()
    assert not funding.duplicated(["source", "period"]).any()
    notes = table(tight, "tranches")
    assert (in_fen(notes.opening) - in_fen(notes.principal) == in_fen(notes.closing)).all()


def test_orders_are_tonights_and_positive(tight: Path) -> None:
    orders = table(tight, "orders")
    assert (orders.amount > 0).all()
    assert set(orders.value_date) == {"2026-11-20"}
    lent = table(tight, "allocation").query("period == '2026-11-20'").amount.sum()
    assert orders[orders.kind == "lend"].amount.sum() == pytest.approx(lent, abs=1.0)


def test_uses_add_up_to_freed_by_segment(tight: Path) -> None:
    uses, ledger = table(tight, "uses"), table(tight, "ledger").query("period == '2026-11-20'")
    used = pd.Series(in_fen(uses.amount), index=uses.segment).groupby(level=0).sum()
    freed = pd.Series(in_fen(ledger.freed), index=ledger.segment)
    assert (used.sort_index() == freed.sort_index()).all()


def test_plan_can_be_read_back(tight: Path) -> None:
    with xr.open_dataset(tight / "plan.nc", engine="netcdf4") as plan:
        assert plan.attrs["currency"] == "CNY"
        assert float(plan.freed.sum("facility").isel(period=0).sum()) == pytest.approx(
            table(tight, "ledger").query("period == '2026-11-20'").freed.sum(), abs=0.1
        )


def test_same_inputs_return_the_run_that_is_there(place: Path, tight: Path) -> None:
    before = (tight / "run.json").stat().st_mtime_ns
    assert run("allocate", str(place / "tight.toml"), "--out", str(tight), "--save-model") == 0
    assert (tight / "run.json").stat().st_mtime_ns == before


def test_order_of_rows_columns_and_rules_does_not_matter(place: Path, tight: Path) -> None:
    mixed = place / "mixed"
    mixed.mkdir()
    for number, path in enumerate(sorted((ROOT / "data" / "calm").glob("*.csv"))):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame = frame.sample(frac=1, random_state=number)[list(frame.columns[::-1])]
        frame.to_csv(mixed / path.name, index=False)
    head, *rules = (place / "tight.toml").read_text(encoding="utf-8").split("[[rule]]\n")
    text = "[[rule]]\n".join([head, *(f"{rule.strip()}\n\n" for rule in rules[::-1])])
    (place / "mixed.toml").write_text(text.replace(str(ROOT / "data" / "calm"), str(mixed)), encoding="utf-8")
    assert run("allocate", str(place / "mixed.toml"), "--out", str(place / "again"), "--save-model") == 0
    assert record(place / "again")["id"] == record(tight)["id"]
    for path in (tight / "tables").glob("*.csv"):
        assert path.read_bytes() == (place / "again" / "tables" / path.name).read_bytes(), path.name
    with xr.open_dataset(tight / "plan.nc") as one, xr.open_dataset(place / "again" / "plan.nc") as two:
        xr.testing.assert_identical(one, two)


def test_hash_seed_and_workers_do_not_matter(place: Path, tight: Path) -> None:
    text = (place / "tight.toml").read_text(encoding="utf-8").replace("workers = 1", "workers = 2")
    (place / "two.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", "from liquidity.cli import main; main()", "allocate", str(place / "two.toml")]
    done = subprocess.run(
        [*command, "--out", str(place / "two"), "--save-model"], env={**os.environ, "PYTHONHASHSEED": "7"}, check=False
    )
    assert done.returncode == 0
    for path in (tight / "tables").glob("*.csv"):
        assert path.read_bytes() == (place / "two" / "tables" / path.name).read_bytes(), path.name


def test_json_is_the_only_thing_on_stdout(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("allocate", str(place / "calm.toml"), "--out", str(place / "calm"), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == "optimal"
    assert Path(said["folder"]) == place / "calm"


def test_foreign_solver_finds_the_same_objective(tight: Path) -> None:
    scip = pytest.importorskip("pyscipopt")
    model = scip.Model()
    model.hideOutput()
    model.readProblem(str(tight / "model.mps"))
    model.optimize()
    assert model.getStatus() == "optimal"
    assert model.getObjVal() == pytest.approx(record(tight)["objective_model"], rel=1e-6)


def test_a_rule_that_gives_way_is_exit_code_3(place: Path) -> None:
    assert run("allocate", str(place / "impossible.toml"), "--out", str(place / "impossible")) == 3
    found, limits = record(place / "impossible"), table(place / "impossible", "limits")
    assert found["gave_way"]
    assert set(limits[limits.level == "gave_way"].rule) == set(found["gave_way"])
    assert (limits[limits.level == "gave_way"].shortfall > 0).all()
    assert set(found["conflict"]) & set(found["gave_way"])


def test_previous_and_executed_runs(place: Path, tight: Path) -> None:
    rules, out = str(place / "calm.toml"), place / "after"
    assert run("allocate", rules, "--previous", str(tight), "--executed", str(tight), "--out", str(out)) == 0
    key = ["segment", "facility"]
    paid = table(tight, "allocation").query("period == '2026-11-20'").groupby(key).amount.sum()
    planned = table(out, "allocation").query("period == '2026-11-20'").groupby(key).amount.sum()
    assert (planned >= paid - 0.02).all()
    assert record(out)["previous"] == record(tight)["id"]


def test_a_failure_while_writing_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(nightly, "write_report", fail)
    before = sorted(place.iterdir())
    with pytest.raises(OSError, match="disk full"):
        main(["allocate", str(place / "calm.toml"), "--out", str(place / "never")])
    assert sorted(place.iterdir()) == before


def test_a_failed_solver_keeps_the_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SolverFailed("no method ended at an optimum", ["ipx: Time limit reached"])

    monkeypatch.setattr(Session, "solve", fail)
    assert run("allocate", str(place / "calm.toml"), "--out", str(place / "failed")) == 4
    assert record(place / "failed")["status"] == "solver_failed"
    assert record(place / "failed")["fallback"] == ["ipx: Time limit reached"]


def test_explain_speaks_to_both_audiences(tight: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reasons = table(tight, "reasons")
    segment = str(reasons[reasons.cause == "CONCENTRATION"].segment.iloc[0])
    assert run("explain", str(tight), "--segment", segment) == 0
    assert "CNY" in capsys.readouterr().out
    assert run("explain", str(tight), "--segment", segment, "--lang", "zh", "--audience", "borrower") == 0
    told = capsys.readouterr().out
    assert "您的还款" in told
    assert "渠道" not in told


def test_explain_tells_the_facilities_of_a_segment_to_the_treasury(
    tight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roads = table(tight, "roads").query("segment == 'firm-east'").sort_values("rank")
    for lang, head in (("en", "Facilities tonight:"), ("zh", "今晚各资金渠道：")):
        assert run("explain", str(tight), "--segment", "firm-east", "--lang", lang) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[lines.index(head) + 1 :] == [f"- {text}" for text in roads[f"text_{lang}"]]
    assert run("explain", str(tight)) == 0
    assert "Facilities tonight:" not in capsys.readouterr().out


def test_other_verbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(ROOT / "data" / "calm"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["segments"] == 8
    assert run("show", str(ROOT / "models" / "calm.toml")) == 0
    assert capsys.readouterr().out == (ROOT / "models" / "calm.md").read_text(encoding="utf-8")
    assert (
        run("make-lender", "--segments", "9", "--facilities", "6", "--seed", "3", "--out", str(tmp_path / "new")) == 0
    )
    assert run("check", str(tmp_path / "new")) == 0
    assert run("make-lender", "--out", str(tmp_path / "new")) == 2
    capsys.readouterr()
    assert run("verify") == 0
    assert "92.4969" in capsys.readouterr().out


@lru_cache
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_verb_is_in_the_readme() -> None:
    verbs = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert [verb for verb in verbs if f"liquidity {verb}" not in readme()] == []
    assert all(f"make {word} " in readme() for word in ("night", "test"))
