"""The bench: all routes hand over the same program, all solvers find the same optimum, no failure is dropped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from liquidity.bench.cases import CASES, core_values
from liquidity.bench.page import ratios
from liquidity.bench.reference_linopy import write_linopy
from liquidity.bench.reference_numpy import write_numpy
from liquidity.bench.routes import ROUTES
from liquidity.bench.run import CORE_ROUTES, ROUTE_NAMES, SUBJECTS, one, run_bench, shifted_mean, summary, write_tables
from liquidity.bench.solvers import SOLVERS, Lp, highs
from liquidity.cli import main
from liquidity.program.build import write_pool
from liquidity.program.compile import compile_program
from liquidity.program.pool import Pool
from liquidity.program.solve import Options, Session
from liquidity.rules.rulebook import read_rulebook

RULEBOOK = Path(__file__).parents[2] / "models" / "online_microlender.toml"


def mute(_: str) -> None:
    """Say nothing."""


def test_every_route_hands_over_the_same_program():
    table = run_bench("compile", ["small"], [], RULEBOOK, 1, 120, mute)
    assert list(table.what) == list(ROUTE_NAMES)
    assert (table.status == "ok").all(), table.error.tolist()
    assert table[["rows", "columns", "nonzeros"]].drop_duplicates().shape[0] == 1
    assert (table.cpu_s > 0).all()
    assert table.nonzeros.iloc[0] == pytest.approx(CASES["small"].nonzeros, rel=0.2)


def test_the_references_hand_over_the_same_core():
    table = run_bench("compile", ["small_core"], [], RULEBOOK, 1, 120, mute)
    assert list(table.what) == list(CORE_ROUTES)
    assert (table.status == "ok").all(), table.error.tolist()
    assert table[["rows", "columns", "nonzeros"]].drop_duplicates().shape[0] == 1


@pytest.mark.filterwarnings("default")  # linopy's own
def test_the_references_have_the_same_objective():
    case = CASES["small_core"]
    pool = Pool(case.book(), case.rulebook(read_rulebook(RULEBOOK)))
    values = core_values(pool)
    made, cost = write_numpy(pool, values)
    lp = made.arrays(cost)
    by_linopy = write_linopy(pool, values).to_highspy()
    by_linopy.setOptionValue("output_flag", False)
    by_linopy.run()
    status, x = highs(lp, 60, "simplex")
    write_pool(pool)
    ours = Session(compile_program(pool), Options()).solve().objective
    assert status == "optimal"
    assert x is not None
    assert lp.objective(x) == pytest.approx(ours, rel=1e-9)
    assert by_linopy.getInfo().objective_function_value == pytest.approx(ours, rel=1e-9)


def test_the_core_refuses_other_rules():
    case = CASES["small_core"]
    with pytest.raises(ValueError, match="the core model has one rule of each"):
        core_values(Pool(case.book(), read_rulebook(RULEBOOK)))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solver_finds_the_optimum_or_says_why_not(solver, tmp_path):
    table = run_bench("solve", ["tiny"], ["highs_simplex", solver], RULEBOOK, 1, 60, mute)
    best, found = table.iloc[0], table.iloc[1]
    assert best.status == "ok"
    if found.status == "ok":
        assert found.objective == pytest.approx(best.objective, rel=1e-3 if "pdlp" in solver else 1e-6)
    else:
        assert isinstance(found.error, str)
        assert found.error


def test_every_start_ends_at_the_same_optima():
    table = run_bench("warm", ["tiny"], [], RULEBOOK, 1, 120, mute)
    assert (table.status == "ok").all(), table.error.tolist()
    assert (table.re_solves > 3).all()
    assert table.objective.to_numpy() == pytest.approx(table.objective.iloc[0], rel=1e-9)
    assert len(set(table.iterations)) > 1


def test_highs_and_ortools_never_share_a_process():
    for name, other in (("highs_simplex", "ortools"), ("ortools_glop", "highspy")):
        code = (
            "import sys, numpy as np, scipy.sparse as sp\n"
            "from liquidity.bench.solvers import Lp, SOLVERS\n"
            "lp = Lp(sp.csc_matrix([[1.0, 1.0]]), np.ones(2), 0.0, np.array([-np.inf]), np.array([3.0]),"
            " np.zeros(2), np.full(2, 2.0))\n"
            f"status, x = SOLVERS[{name!r}](lp, 10)\n"
            f"assert status == 'optimal' and abs(lp.objective(x) - 3) < 1e-6\n"
            f"assert not any(module.split('.')[0] == {other!r} for module in sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_violation_is_the_largest():
    lp = Lp(sp.csc_matrix([[1.0, 1.0]]), np.ones(2), 0.0, np.array([0.0]), np.array([1.0]), np.zeros(2), np.ones(2))
    assert lp.violation(np.array([0.5, 0.5])) == 0
    assert lp.violation(np.array([1.5, -0.25])) == 0.5
    assert lp.violation(np.array([1.0, 1.0])) == 1.0


def test_a_night_tells_the_time_inside_the_solver_apart():
    row = run_bench("night", ["small"], [], RULEBOOK, 1, 300, mute).iloc[0]
    assert row.status == "ok", row.error
    assert 0 < row.highs_s < row.cpu_s
    assert row.objective > 0


def test_a_time_out_and_a_failure_are_rows(tmp_path):
    assert one("compile", "small", "ours", RULEBOOK, 0.01)["status"] == "time-out"
    failed = one("compile", "small", "ours", tmp_path / "missing.toml", 60)
    assert failed["status"] == "failed"
    assert "missing.toml" in failed["error"]


def measurements() -> pd.DataFrame:
    """Two routes, two rounds, one of them out of time."""
    return pd.DataFrame(
        {"phase": "compile", "case": "a", "what": ["ours", "slow"] * 2, "repeat": [0, 0, 1, 1],
         "status": ["ok", "ok", "ok", "time-out"], "cpu_s": [1.0, 8.0, 3.0, None], "peak_mb": 1.0, "nonzeros": 5,
         "reference_s": [0.2, 0.3, 0.2, 0.2], "error": None}
    )  # fmt: skip


def test_the_summary_counts_what_did_not_end():
    found = summary(measurements(), limit=90.0).set_index("what")
    assert found.cpu_s.to_dict() == {"ours": 2.0, "slow": 8.0}
    assert found.times_first["slow"] == 4.0
    assert found.not_ended.to_dict() == {"ours": 0, "slow": 1}
    assert found.mean_s["slow"] == pytest.approx((18 * 100) ** 0.5 - 10)


def test_shifted_mean():
    assert shifted_mean(pd.Series([10.0, 70.0])) == pytest.approx(30.0)


def test_ratios_compare_within_a_round():
    found = ratios(measurements())
    assert found.ours.tolist() == [1.0, 1.0]
    assert found.slow.tolist() == [8.0, np.inf]


def test_tables_and_page_are_written_whole(tmp_path):
    write_tables(measurements(), 90.0, tmp_path / "new", "compile")
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["compile-summary.csv", "compile.csv", "compile.html"]
    page = (tmp_path / "new" / "compile.html").read_text()
    assert page.count("<polyline") == 2
    assert "a slow: time-out" in page
    assert "1.50 are noise" in page


@pytest.mark.parametrize("name", ["--phase", "--case", "--route"])
def test_unknown_names_are_refused_and_nothing_is_written(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["liquidity", "bench", name, "huge", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "huge" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_names_are_the_routes():
    assert tuple(ROUTES) == SUBJECTS["compile"]
