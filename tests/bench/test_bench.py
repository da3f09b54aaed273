"""The bench: every route hands over the same program, and nothing that failed is dropped."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from liquidity.bench.cases import CASES
from liquidity.bench.routes import ROUTES
from liquidity.bench.run import ROUTE_NAMES, one, run_bench, summary, write_tables
from liquidity.cli import main

RULEBOOK = Path(__file__).parents[2] / "models" / "online_microlender.toml"


def test_every_route_hands_over_the_same_program():
    table = run_bench(["small"], ROUTE_NAMES, RULEBOOK, 1, 120, lambda text: None)
    assert (table.status == "ok").all(), table.error.tolist()
    assert table[["rows", "columns", "nonzeros"]].drop_duplicates().shape[0] == 1
    assert (table.cpu_s > 0).all()
    assert table.nonzeros.iloc[0] == pytest.approx(CASES["small"].nonzeros, rel=0.2)


def test_a_time_out_and_a_failure_are_rows(tmp_path):
    assert one("small", "ours", RULEBOOK, 0.01)["status"] == "time-out"
    failed = one("small", "ours", tmp_path / "missing.toml", 60)
    assert failed["status"] == "failed"
    assert "missing.toml" in failed["error"]


def test_the_summary_counts_what_did_not_end():
    table = pd.DataFrame(
        {"case": ["a"] * 4, "route": ["ours", "ours", "slow", "slow"], "status": ["ok", "ok", "ok", "time-out"],
         "cpu_s": [1.0, 3.0, 8.0, None], "peak_mb": 1.0, "nonzeros": 5}
    )  # fmt: skip
    found = summary(table).set_index("route")
    assert found.cpu_s.to_dict() == {"ours": 2.0, "slow": 8.0}
    assert found.times_ours["slow"] == 4.0
    assert found.not_ended.to_dict() == {"ours": 0, "slow": 1}


def test_tables_are_written_whole(tmp_path):
    table = pd.DataFrame({"case": ["a"], "route": ["ours"], "status": ["ok"], "cpu_s": 1.0, "peak_mb": 1.0,
                          "nonzeros": 5})  # fmt: skip
    write_tables(table, tmp_path / "new", "compile")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["compile-summary.csv", "compile.csv"]


@pytest.mark.parametrize("name", ["--case", "--route"])
def test_unknown_names_are_refused_and_nothing_is_written(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["liquidity", "bench", name, "huge", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "huge" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_route_names_are_the_routes():
    assert tuple(ROUTES) == ROUTE_NAMES
    assert sys.modules.get("ortools") is None
