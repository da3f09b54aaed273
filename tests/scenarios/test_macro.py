"""Macro tables: the shipped ones, the Federal Reserve's own files, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from liquidity.errors import BadInput
from liquidity.program.grid import make_grid
from liquidity.scenarios.macro import Macro, read_macro

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "scenarios" / "macro"
FED = next((at for up in ROOT.parents[:2] if (at := up / "shared" / "data" / "fed").is_dir()), ROOT / "none")
HEAD = "Scenario Name,Date,Unemployment rate,3-month Treasury rate\n"


def write(folder: Path, text: str) -> Path:
    file = folder / "path.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.csv")), ids=lambda file: file.stem)
def test_every_shipped_path_is_read(file):
    macro = read_macro(file)
    assert len(macro.quarters) >= 9
    assert macro.values
    assert all(len(path) == len(macro.quarters) for path in macro.values.values())


def test_figures_of_the_shipped_paths():
    """FACTS 3.1 and 3.3: mean unemployment over nine quarters, peaks, flows that add up to the published stock."""
    for year, mean in (("2026", 8.767), ("2025", 8.644)):
        path = read_macro(SHIPPED / f"fed_{year}_severely_adverse.csv").values["unemployment"]
        assert path[1:10].mean() == pytest.approx(mean, abs=5e-4)
        assert path.max() == 10.0
    for name, stock in (("mild", 6.55), ("moderate", 7.29), ("severe", 8.25)):
        flow = read_macro(SHIPPED / f"china_{name}.csv").values["china_npl_flow"]
        assert 1.22 + flow[1:].sum() / 4 == pytest.approx(stock, abs=1e-9)
    replay = read_macro(SHIPPED / "replay_2008.csv").values
    assert (replay["unemployment"][0], replay["unemployment"].max(), replay["bbb"].max()) == (4.8, 9.9, 9.7)
    assert read_macro(SHIPPED / "rates_up.csv").values["policy_rate"][[0, 4, 8]].tolist() == [4.85, 8.0, 6.7]


def test_derived_names():
    fed, boe = (read_macro(SHIPPED / f"{name}.csv").values for name in ("fed_2026_severely_adverse", "rates_up"))
    np.testing.assert_allclose(fed["credit_spread"], fed["bbb"] - fed["yield_10y"])
    np.testing.assert_array_equal(fed["short_rate"], fed["rate_3m"])
    np.testing.assert_array_equal(boe["credit_spread"], boe["ig_spread"])
    assert "gdp" not in fed  # unknown for tonight's quarter: a path with a hole is no path


@pytest.mark.skipif(not FED.is_dir(), reason="the published files are not here")
@pytest.mark.parametrize("case", ["Baseline", "Severely_Adverse"])
@pytest.mark.parametrize(("year", "file"), [("2026", "2026_Final_Supervisory_{}_Domestic.csv"),
                                            ("2025", "2025-Table_{}_Domestic.csv")])  # fmt: skip
def test_shipped_paths_are_the_published_ones(case, year, file):
    number = {"Baseline": "2A_Supervisory_Baseline", "Severely_Adverse": "3A_Supervisory_Severely_Adverse"}[case]
    theirs = read_macro(FED / file.format(case if year == "2026" else number))
    ours = read_macro(SHIPPED / f"fed_{year}_{case.lower()}.csv")
    assert ours.quarters[1:] == theirs.quarters
    for name in ("unemployment", "rate_3m", "yield_10y", "bbb", "mortgage", "prime", "house_price"):
        np.testing.assert_array_equal(ours.values[name][1:], theirs.values[name])


@pytest.mark.skipif(not FED.is_dir(), reason="the published files are not here")
def test_the_published_history_is_read_verbatim_from_any_quarter():
    macro = read_macro(FED / "2026_Final_Historic_Domestic.csv", begin="2007Q4", last="2010 Q4")
    np.testing.assert_array_equal(macro.values["unemployment"],
                                  read_macro(SHIPPED / "replay_2008.csv").values["unemployment"])  # fmt: skip
    whole = read_macro(FED / "2026_Final_Historic_Domestic.csv")
    assert len(whole.quarters) == 200
    assert "bbb" not in whole.values  # begins later than the table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Date,Unemployment rate\n2026 Q1,5\n", "begins Scenario Name,Date"),
        (HEAD, "and a row"),
        (HEAD + "A,2026 Q1,5\n", "4 cells in every row"),
        (HEAD + "A,2026 Q1,five,1\nA,2026 Q2,5,inf\n", "row 2, column Unemployment rate"),
        (HEAD + "A,2026 Q1,5,1\nA,2026 Q2,5,inf\n", "row 3, column 3-month Treasury rate"),
        (HEAD + "A,2026-03-31,5,1\nA,2026 Q2,5,1\n", "a quarter such as 2026 Q1"),
        (HEAD + "A,2026 Q1,5,1\nA,2026 Q3,5,1\n", "the quarter after 2026 Q1"),
        (HEAD + "A,2026 Q1,5,1\n", "tonight's quarter and at least one more"),
        (HEAD.replace("Unemployment", "Employment") + "A,2026 Q1,5,1\nA,2026 Q2,5,1\n", "Employment rate"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, text, said):
    with pytest.raises(BadInput, match=said):
        read_macro(write(tmp_path, text))


def test_a_file_or_quarter_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="a table of quarters"):
        read_macro(tmp_path / "none.csv")
    file = write(tmp_path, HEAD + "A,2026 Q1,5,1\nA,2026 Q2,6,1\n")
    with pytest.raises(BadInput, match="2026 Q1 to 2026 Q2"):
        read_macro(file, begin="2025 Q4")
    (tmp_path / "latin.csv").write_bytes(b"Scenario Name,Date,\xff\n")
    with pytest.raises(BadInput, match="UTF-8"):
        read_macro(tmp_path / "latin.csv")


def test_quarters_on_a_grid():
    """Tonight is quarter 0; quarter 1 is reached after half a quarter of 91.25 days; the last value stays."""
    grid = make_grid(date(2026, 1, 1), ("1 x 1 day", "1 x 3 week", "24 x 1 month"))
    path = Macro("x", ("a", "b", "c"), {}).on(grid, np.array([4.0, 6.0, 5.0]))
    assert path[0] == 4.0
    assert path[1] == pytest.approx(4 + 2 / 45.625)
    days = np.array([(start - grid.starts[0]).days for start in grid.starts[:-1]])
    assert path[days > 136.875].tolist() == [5.0] * int((days > 136.875).sum())
    assert Macro("x", ("a", "b", "c"), {"u": np.arange(3.0)}).skip(1).values["u"].tolist() == [1.0, 2.0]
