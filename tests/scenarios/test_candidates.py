"""The file of candidates: the shipped one, and what is refused by key."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from histories import macro_values, write_history, write_macro

from liquidity.errors import BadInput
from liquidity.scenarios.candidates import Candidates, candidate_of, read_candidates
from liquidity.scenarios.fit_sample import make_sample
from liquidity.scenarios.fit_search import check_count
from liquidity.scenarios.history import read_history
from liquidity.scenarios.satellites import Target

SHIPPED = Path(__file__).parents[2] / "models" / "candidates.toml"
PD = {"target": "pd", "form": "logit", "level": {"unemployment": "+"}}


def test_the_shipped_file_has_every_target():
    found = read_candidates(SHIPPED)
    assert {one.target for one in found.candidate} == set(get_args(Target))
    assert found.left_out(2020 * 4 + 1)
    assert not found.left_out(2020 * 4)
    with pytest.raises(BadInput, match=r"a \[\[candidate\]\] for it; there are pd"):
        candidate_of(Candidates.model_validate({"candidate": [PD]}), "lgd", "x.toml")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"level": {}}, "`level` or `change` with names out of"), ({"level": {"sunshine": "+"}}, "names out of gdp"),
        ({"level": {"gdp": "up"}}, "'\\+', '-' or 'any'"), ({"form": "cubic"}, "form"),
        ({"target": "weather"}, "target"),
        ({"form": "multiplier", "change": {"gdp": "+"}}, "no change"), ({"effect": "difference"}, "effect difference"),
        ({"target": "line_rate", "effect": "difference"}, "form linear"), ({"floor": 1.0, "cap": 0.0}, "below the cap"),
        ({"sauce": 1}, "sauce"),
    ],
)  # fmt: skip
def test_what_is_no_candidate_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Candidates.model_validate({"candidate": [{**PD, **values}]})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lags": [13]}, "lags from 0 to 12"), ({"lags": [1, 1]}, "each once"), ({"lags": []}, "lags"),
        ({"terms": 4}, "terms"), ({"criterion": "luck"}, "criterion"), ({"least_quarters": 8}, "least_quarters"),
        ({"leave_out": [["2020", "2021"]]}, "pairs of quarters"), ({"candidate": [PD, PD]}, "one candidate a target"),
        ({"candidate": []}, "candidate"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_candidates_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Candidates.model_validate({"candidate": [PD], **values})


def test_a_file_is_named_with_its_key(tmp_path):
    file = tmp_path / "candidates.toml"
    file.write_text('terms = 9\n[[candidate]]\ntarget = "pd"\nform = "logit"\nlevel = { unemployment = "sideways" }\n')
    with pytest.raises(BadInput) as caught:
        read_candidates(file)
    assert "candidates.toml (column terms): found 9" in str(caught.value)
    assert "candidate.0.level.unemployment" in str(caught.value)


def test_too_many_choices_are_refused(tmp_path):
    level = dict.fromkeys(("unemployment", "gdp", "rate_3m"), "any")
    one = {**PD, "level": level, "change": level}
    told = Candidates.model_validate({"candidate": [one], "lags": list(range(13)), "terms": 3})
    macro = write_macro(tmp_path / "macro.csv", macro_values())
    (series,) = read_history(write_history(tmp_path / "history.csv", 12, macro_values()["gdp"][12:] / 100 + 0.2))
    sample = make_sample(series, told.candidate[0], told, macro, "history.csv")
    with pytest.raises(BadInput, match="at most 50,000 choices"):
        check_count(sample, told, "candidates.toml")
    check_count(sample, told.model_copy(update={"terms": 2}), "candidates.toml")
