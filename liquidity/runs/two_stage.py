"""`liquidity two-stage`: one decision tonight for all scenarios, and what it is worth in each, into one run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from liquidity.errors import BadInput, Problem
from liquidity.report.two_stage import write_two_stage
from liquidity.runs.clock import Clock
from liquidity.runs.night import Say, check_fit, quiet
from liquidity.runs.nightly import FOLDER, Job, read_inputs
from liquidity.runs.record import existing, run_id, versions, whole, write_inputs, write_json, write_tables
from liquidity.runs.stress import SATELLITES, SCENARIOS, digest
from liquidity.scenarios.apply import Applied, apply
from liquidity.scenarios.draws import from_tomorrow
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import Told, read_scenarios
from liquidity.scenarios.two_stage import TwoStagePlan, two_stage

FRONTIER = (0.0, 0.25, 0.5, 0.75, 1.0)
GOAL = 1e-7
"""Share of the objective to which it is solved: what scenarios are worth may be less than the usual 1e-5."""


@dataclass(frozen=True)
class TwoStageJob:
    """What the command line asks for. `weight` on CVaR decides tonight; CVaR is the mean of the worst 1 - `tail`."""

    rulebook: Path
    scenarios: tuple[Path, ...] = (SCENARIOS,)
    weight: float = 0.5
    tail: float = 0.9
    satellites: Path = SATELLITES
    book: str | None = None
    out: Path | None = None
    workers: int = 1


def run_two_stage(job: TwoStageJob, say: Say = quiet) -> tuple[dict[str, Any], Path]:
    """Decide tonight for all scenarios; returns the record and the run folder.

    The same inputs again return the run that is there; workers change nothing in it. Raises BadInput before anything
    is written, SolverFailed where no decision leaves every scenario a plan.
    """
    clock = Clock()
    with clock.phase("read"):
        check_weights(job)
        rulebook, book = read_inputs(Job(job.rulebook, job.book))
        told, models = read_scenarios(list(job.scenarios)), read_satellites(job.satellites)
        chance = probabilities(told)
        applied = [apply(one, models, book, rulebook) for one in told]
        for one in applied:
            check_fit(book, one.rulebook)
    shares = {one.name: float(share) for one, share in zip(told, chance)}
    options = {"two_stage": {one.name: digest(one) for one in applied}, "probability": shares,
               "weight": job.weight, "tail": job.tail}  # fmt: skip
    identity = run_id(book, rulebook, "", options)
    target = job.out or FOLDER / f"two-stage-{book.as_of.isoformat()}-{identity}"
    found = existing(target, identity)
    if found is not None:
        say("these inputs were run before; this is that run")
        return found, target
    say(f"{len(applied)} scenarios, each from the second period on")
    with clock.phase("solve"):
        plan = two_stage(
            book, rulebook, [from_tomorrow(one.shocks) for one in applied], chance.tolist(),
            weight=job.weight, tail=job.tail, weights=FRONTIER, workers=job.workers, goal=GOAL, near=True,
            rulebooks=[rulebook if one.rulebook.digest == rulebook.digest else one.rulebook for one in applied],
        )  # fmt: skip
    tables = tables_of(plan)
    record = {
        "id": identity, "as_of": book.as_of.isoformat(), "currency": book.currency, "rulebook": rulebook.name,
        "rulebook_digest": rulebook.digest, "book_digest": book.digest, "kind": "two_stage", "weight": job.weight,
        "tail": job.tail, "scenarios": options["two_stage"], "probability": shares, "route": plan.route,
        "titles": {one.name: one.title for one in applied}, "notes": notes_of(applied), "note": plan.note,
        "satellites": models.file, "versions": versions(), "status": "optimal", "checks": checks(plan),
        "exit_code": 3 if len(plan.gave_way) else 0,
    }  # fmt: skip
    with whole(target) as folder:
        write_inputs(book, rulebook, folder)
        write_tables(tables, folder / "tables")
        dataset(plan, book.currency).to_netcdf(folder / "plan.nc", engine="netcdf4")
        write_two_stage(tables, record, folder / "report.html")
        write_json({**record, "seconds": clock.seconds}, folder / "run.json")
    return {**record, "seconds": clock.seconds}, target


def check_weights(job: TwoStageJob) -> None:
    """Raise BadInput for a weight or a tail that is none."""
    problems = []
    if not 0 <= job.weight <= 1:
        problems.append(Problem("--weight", "", "", job.weight, "a number from 0 (mean) to 1 (CVaR)"))
    if not 0 < job.tail < 1:
        problems.append(Problem("--tail", "", "", job.tail, "a number between 0 and 1"))
    if problems:
        raise BadInput(problems)


def probabilities(told: Sequence[Told]) -> np.ndarray:
    """Probability of each scenario (sum 1): its own where it says one, else an equal share of what is left."""
    said = np.array([np.nan if one.scenario.probability is None else one.scenario.probability for one in told])
    silent, total = np.isnan(said), float(np.nansum(said))
    if total > 1 + 1e-9 or (silent.any() and total > 1 - 1e-9) or (not silent.any() and total < 1 - 1e-9):
        expected = "less than 1, so that something is left for the others" if silent.any() else "a sum of 1"
        raise BadInput(Problem("scenarios", "", "probability", total, expected))
    chance = np.where(silent, (1 - total) / max(int(silent.sum()), 1), said)
    whole_chance: np.ndarray = chance / chance.sum()
    return whole_chance


def notes_of(applied: Sequence[Applied]) -> dict[str, list[str]]:
    """What of each scenario matched nothing, or falls on tonight and is left out."""
    out = {}
    for one in applied:
        later = from_tomorrow(one.shocks)
        cut = any(bool((one.shocks.arrays[name].values != array.values).any()) for name, array in later.arrays.items())
        out[one.name] = [*one.notes, *(["what it changes tonight is left out: tonight is known"] if cut else [])]
    return out


def tables_of(plan: TwoStagePlan) -> dict[str, pd.DataFrame]:
    """The tables of a run, money in whole fen."""
    frontier, outcomes = plan.frontier.copy(), plan.outcomes.copy()
    frontier[["mean", "cvar", "objective"]] = frontier[["mean", "cvar", "objective"]].round(2) + 0.0
    money = ["net_worth", "wait_and_see", "plain"]
    outcomes[money] = outcomes[money].astype(float).round(2) + 0.0
    return {"figures": plan.figures, "frontier": frontier, "outcomes": outcomes, "tonight": beside(plan),
            "gave_way": plan.gave_way}  # fmt: skip


def beside(plan: TwoStagePlan) -> pd.DataFrame:
    """Tonight's decisions beside those of the night without scenarios: decision, dims, amount, without, change."""
    parts = [plan.tonight, plan.plain.rename(columns={"amount": "without"})]
    names = list(dict.fromkeys(name for part in parts for name in part if name not in ("amount", "without")))
    for part in parts:
        for name in names:
            part[name] = part.get(name, "")
    both = parts[0].merge(parts[1], "outer", on=names, sort=True)
    both[["amount", "without"]] = both[["amount", "without"]].fillna(0.0).round(2) + 0.0
    both["change"] = (both.amount - both.without).round(2) + 0.0
    return both[[*names, "amount", "without", "change"]]


def checks(plan: TwoStagePlan) -> dict[str, float]:
    """Relative gap of the answer, and by how much (share of RP) WS >= RP is missed; nought where it holds."""
    figures = plan.figures.set_index("figure").value
    return {"gap": float(figures["gap"]), "ws_below_rp": max(0.0, -float(figures["EVPI"])) / abs(float(figures["RP"]))}


def dataset(plan: TwoStagePlan, currency: str) -> xr.Dataset:
    """Outcomes (scenario), the frontier (weight) and what is lent tonight (segment, borrower, facility), CNY."""
    arrays = {name: xr.DataArray(column.to_numpy(float), {"scenario": plan.outcomes.scenario.to_list()}, "scenario")
              for name, column in plan.outcomes.set_index("scenario").items()}  # fmt: skip
    for name in ("mean", "cvar"):
        arrays[name] = xr.DataArray(plan.frontier[name].to_numpy(float), {"weight": plan.frontier.weight.to_numpy()},
                                    "weight")  # fmt: skip
    lent = plan.tonight[plan.tonight.decision == "lend"].set_index(["segment", "borrower", "facility"]).amount
    if len(lent):
        arrays["lend"] = lent.to_xarray().fillna(0.0)
    whole_set = xr.Dataset({str(name): array for name, array in arrays.items()}, attrs={"currency": currency})
    for key, array in whole_set.items():
        array.attrs["units"] = "1" if key == "probability" else currency
    return whole_set
