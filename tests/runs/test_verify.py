"""Every published figure is met, and a wrong one is caught."""

import io
import math
from dataclasses import replace

import pandas as pd
import pytest
from published_basel import BASEL
from rich.console import Console

from liquidity.program import cases_funding
from liquidity.program.cases import CASES
from liquidity.runs.verify import ALL_CASES, COLUMNS, print_cases, verify

# typed again from the sources, with the digits printed there
PUBLISHED = {
    ("short-term financing", "final wealth"): (92.4969, 4),
    ("bank loan policy", "net return"): (0.99648, 5),
    ("bank loan policy", "home loans"): (7.2, 1),
    ("bank loan policy", "commercial loans"): (4.8, 1),
    **BASEL,
    ("LCR, gross level 2", "liquid assets"): (154, 0),
    ("LCR, gross level 2", "net outflow"): (130, 0),
    ("LCR, gross level 2", "LCR"): (118.46, 2),
    ("LCR, net level 2", "liquid assets"): (800, 0),
    ("LCR, net level 2", "net outflow"): (650, 0),
    ("LCR, net level 2", "LCR"): (123.08, 2),
    ("NSFR", "available funding"): (41.75, 2),
    ("NSFR", "NSFR"): (119.29, 2),
    ("NSFR, deposits", "of 3,400"): (3230, 0),
    ("NSFR, deposits", "of 3,873"): (3679.35, 2),
    ("farmer, extensive form", "expected cost"): (-108390, 0),
    ("farmer, extensive form", "wheat acres"): (170, 0),
    ("farmer, extensive form", "corn acres"): (80, 0),
    ("farmer, extensive form", "beets acres"): (250, 0),
    ("farmer, extensive form", "WS"): (-115405.56, 2),
    ("farmer, extensive form", "EEV"): (-107240, 0),
    ("farmer, extensive form", "VSS"): (1150, 0),
    ("farmer, extensive form", "EVPI"): (7015.56, 2),
    ("farmer, Benders", "expected cost"): (-108390, 0),
    ("farmer, Benders", "wheat acres"): (170, 0),
    ("farmer, Benders", "corn acres"): (80, 0),
    ("farmer, Benders", "beets acres"): (250, 0),
    ("farmer, Benders", "WS"): (-115405.56, 2),
    ("farmer, Benders", "EEV"): (-107240, 0),
    ("farmer, Benders", "VSS"): (1150, 0),
    ("farmer, Benders", "EVPI"): (7015.56, 2),
    ("financial planning", "expected utility"): (-1.51408, 5),
    ("financial planning", "stocks at the root"): (41.4793, 4),
    ("financial planning", "bonds at the root"): (13.5207, 4),
    **{(f"cards 2026, lag {lag}", "nine quarters"): (17.1, 1) for lag in range(3)},
    **{(f"cards 2008, lag {lag}", "peak"): (peak, 2) for lag, peak in enumerate((8.83, 9.53, 10.63))},
}


@pytest.fixture(scope="module")
def frame():
    return verify()


@pytest.fixture(scope="module")
def solved():
    """The cases with their own figures kept, so that a test may change what is published without solving again."""
    kept = [(case, case.solve()) for case in ALL_CASES]
    return tuple(replace(case, solve=lambda found=found: found) for case, found in kept)


def test_the_table_holds_every_published_figure_once(frame):
    assert tuple(frame.columns) == COLUMNS
    assert list(zip(frame.case, frame.figure)) == list(PUBLISHED)
    assert frame.source.str.len().gt(0).all()
    assert frame.unit.str.len().gt(0).all()
    assert frame.ok.dtype == bool


@pytest.mark.parametrize("key", PUBLISHED, ids=" ".join)
def test_figure(frame, key):
    published, digits = PUBLISHED[key]
    row = frame.set_index(["case", "figure"]).loc[key]
    assert row.published == published
    assert abs(row.own - published) <= 0.5 * 10**-digits
    assert row.error == row.own - row.published
    assert row.ok


@pytest.mark.parametrize("units", [-1, 1])
@pytest.mark.parametrize("key", PUBLISHED, ids=" ".join)
def test_a_figure_wrong_in_its_last_digit_is_caught(solved, key, units):
    published, digits = PUBLISHED[key]
    wrong = f"{published + units * 10**-digits:,.{digits}f}"
    case = next(case for case in solved if case.name == key[0])
    figures = tuple(replace(f, printed=wrong) if f.name == key[1] else f for f in case.figures)
    ok = verify([replace(case, figures=figures)]).set_index("figure").ok
    assert not ok[key[1]]
    assert ok.drop(key[1]).all()


def test_a_case_with_wrong_data_is_caught(monkeypatch):
    monkeypatch.setitem(cases_funding.NEED, 1, 150.01)
    assert not verify(CASES[:1]).ok.any()


def test_no_number_is_not_ok():
    case = replace(CASES[0], solve=lambda: {"final wealth": math.nan})
    assert not verify([case]).ok.any()


def test_a_figure_without_a_value_is_an_error():
    with pytest.raises(KeyError, match="final wealth"):
        verify([replace(CASES[0], solve=dict)])


def printed(frame: pd.DataFrame) -> str:
    out = io.StringIO()
    print_cases(frame, Console(file=out, width=80))
    return out.getvalue()


def test_print_shows_figures_sources_and_the_count(frame):
    text = printed(frame)
    all_of = f"{len(PUBLISHED)} of {len(PUBLISHED)} figures agree"
    for shown in ("92.4969", "-115,405.56", "7,015.56", "-1.51408", "Birge and Louveaux", all_of):
        assert shown in text
    assert "…" not in text


def test_print_counts_a_wrong_figure(frame):
    text = printed(frame.assign(ok=frame.figure.ne("EEV")))
    assert f"{len(PUBLISHED) - 2} of {len(PUBLISHED)} figures agree" in text
    assert [line.split()[0] for line in text.splitlines() if line.rstrip().endswith(" no")] == ["EEV", "EEV"]
