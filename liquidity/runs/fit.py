"""`liquidity fit`: satellite models out of a lender's own history, with a page of fit and out of sample."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from liquidity.errors import BadInput, Problem
from liquidity.report.fit import write_fit
from liquidity.runs.night import Say, quiet
from liquidity.runs.nightly import FOLDER
from liquidity.runs.record import existing, versions, whole, write_json, write_tables
from liquidity.scenarios.candidates import Candidates, candidate_of, read_candidates
from liquidity.scenarios.fit import Fitted, fit_series, statsmodels
from liquidity.scenarios.fit_sample import Sample, make_sample
from liquidity.scenarios.fit_search import check_count
from liquidity.scenarios.history import read_history
from liquidity.scenarios.macro import QUARTER, quarter_number
from liquidity.scenarios.satellites_file import satellites_text

MACRO = Path("data/history/fed_domestic.csv")
CANDIDATES = Path("models/candidates.toml")
PAGE, MODELS = "fit.html", "satellites.toml"


@dataclass(frozen=True)
class FitJob:
    """What the command line asks for; `until` is the last quarter that is fitted (the history's last without it)."""

    history: Path
    macro: Path = MACRO
    candidates: Path = CANDIDATES
    until: str | None = None
    out: Path | None = None


def run_fit(job: FitJob, say: Say = quiet) -> tuple[dict[str, Any], Path]:
    """Fit every series and write the folder, whole or not at all; returns the record and the folder.

    The same inputs again return the fit that is there. Raises BadInput before anything is written, also where no
    series has a model.
    """
    statsmodels()
    candidates, until = read_candidates(job.candidates), last_quarter(job.until)
    samples = read_samples(job, candidates)
    identity = fit_id(job)
    target = job.out or FOLDER / f"fit-{identity}"
    found = existing(target, identity)
    if found is not None:
        say("these inputs were fitted before; this is that fit")
        return found, target
    fitted = []
    for sample in samples:
        say(f"fitting {sample.series.name}")
        fitted.append(fit_series(sample, candidates, until, f"{job.history.name} on {job.macro.name}"))
    if not any(one.model for one in fitted):
        expected = "a series that a declared name explains better than a constant does, with the declared sign"
        raise BadInput(Problem(job.history.name, "", "value", f"{len(fitted)} series, none with a model", expected))
    record = record_of(job, identity, candidates, fitted)
    with whole(target) as folder:
        write_inputs(job, folder / "inputs")
        write_tables(tables_of(fitted), folder / "tables")
        text = satellites_text([one.model for one in fitted if one.model])
        (folder / MODELS).write_text(text, encoding="utf-8")
        write_fit(fitted, record, folder / PAGE)
        write_json(record, folder / "run.json")
    return record, target


def last_quarter(until: str | None) -> int | None:
    """`--until` as a number."""
    if until is None:
        return None
    if not QUARTER.match(until):
        raise BadInput(Problem("--until", "", "", until, "a quarter such as 2007 Q4"))
    return quarter_number(until)


def read_samples(job: FitJob, candidates: Candidates) -> list[Sample]:
    """All series beside their macro names; raises BadInput with what is wrong with any of them."""
    samples: list[Sample] = []
    problems: list[Problem] = []
    for series in read_history(job.history):
        try:
            candidate = candidate_of(candidates, series.target, job.candidates.name)
            sample = make_sample(series, candidate, candidates, job.macro, job.history.name)
            check_count(sample, candidates, job.candidates.name)
            samples.append(sample)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(dict.fromkeys(problems))
    return samples


def fit_id(job: FitJob) -> str:
    """First 12 hex digits of the sha256 of everything the models depend on."""
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
             for path in (job.history, job.macro, job.candidates)}  # fmt: skip
    content = {"fit": files, "until": job.until, "versions": packages()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def packages() -> dict[str, str]:
    """Versions that a fit depends on."""
    return {**versions(), "statsmodels": version("statsmodels")}


def record_of(job: FitJob, identity: str, candidates: Candidates, fitted: list[Fitted]) -> dict[str, Any]:
    """What the fit says of itself; errors are plain numbers (0.01 is 1%)."""
    series = [{"name": one.name, "target": one.target, "form": one.form, "unit": one.unit,
               "model": one.model is not None, **{key: told(value) for key, value in one.figures.items()}}
              for one in fitted]  # fmt: skip
    return {
        "id": identity, "kind": "fit", "as_of": max(one.figures["last"] for one in fitted),
        "history": job.history.name, "macro": job.macro.name, "candidates": job.candidates.name, "until": job.until,
        "options": candidates.model_dump(mode="json", exclude={"candidate"}),
        "series": series, "models": sum(one["model"] for one in series), "versions": packages(),
        "status": "optimal", "exit_code": 0,
    }  # fmt: skip


def told(value: Any) -> Any:
    """A figure as JSON can hold it: missing as None."""
    return None if isinstance(value, float) and pd.isna(value) else value


def tables_of(fitted: list[Fitted]) -> dict[str, pd.DataFrame]:
    """The tables of all series, plain numbers."""
    return {name: pd.concat([getattr(one, name).assign(series=one.name) for one in fitted], ignore_index=True)
            for name in ("coefficients", "path", "forecasts")}  # fmt: skip


def write_inputs(job: FitJob, folder: Path) -> None:
    """What the fit was made from."""
    folder.mkdir()
    for name, path in (("history.csv", job.history), ("macro.csv", job.macro), ("candidates.toml", job.candidates)):
        shutil.copyfile(path, folder / name)
