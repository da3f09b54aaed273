"""`liquidity reverse-stress`: the mildest macro path found at which a named rule gives way, into one run folder."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from liquidity.errors import BadInput, Problem
from liquidity.report.reverse import write_reverse
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.night import Say, check_fit, quiet
from liquidity.runs.nightly import FOLDER, Job, read_inputs
from liquidity.runs.record import existing, run_id, versions, whole, write_inputs, write_json, write_tables
from liquidity.runs.stress import SATELLITES
from liquidity.scenarios.macro import COLUMNS, Macro
from liquidity.scenarios.projections import with_night
from liquidity.scenarios.reverse import Amounts, Look, Mildest, Space, looking, mildest, space_towards
from liquidity.scenarios.satellites import read_satellites
from liquidity.scenarios.scenario import read_scenario

START = Path("data/reverse/as_tonight.toml")
UNPROVED = 4
"""Exit code where the pair at the edge is not what it must be."""


@dataclass(frozen=True)
class ReverseJob:
    """What the command line asks for. `start` is the scenario that paths set out from, `towards` one that the only path
    goes to."""

    rulebook: Path
    rule: str
    start: Path = START
    towards: Path | None = None
    satellites: Path = SATELLITES
    book: str | None = None
    out: Path | None = None


def run_reverse(job: ReverseJob, say: Say = quiet) -> tuple[dict[str, Any], Path]:
    """Search, prove and write; returns the record and the run folder.

    The same inputs again return the run that is there. Raises BadInput before anything is written, SolverFailed where
    the night without a scenario has no plan.
    """
    rulebook, book = read_inputs(Job(job.rulebook, job.book))
    named(rulebook, job.rule)
    check_fit(book, rulebook)
    models, space = read_satellites(job.satellites), space_of(job, rulebook)
    options = {"rule": job.rule, "satellites": [one.model_dump(mode="json") for one in models.models],
               "distance": rulebook.reverse_stress.model_dump(),
               "start": plain(space.start.values), "towards": plain(space.towards)}  # fmt: skip
    identity = run_id(book, rulebook, "", {"reverse": options})
    target = job.out or FOLDER / f"reverse-{book.as_of.isoformat()}-{identity}"
    before = existing(target, identity)
    if before is not None:
        say("these inputs were run before; this is that run")
        return before, target
    setting, _ = with_night(book, rulebook)
    look = telling(looking(setting, models, space, job.rule), say)
    signs = (1.0,) if job.towards else (1.0, -1.0)
    found = mildest(look, space.variables(models), rulebook.reverse_stress.bound, signs)
    record = {
        "id": identity, "kind": "reverse", "status": "optimal", "as_of": book.as_of.isoformat(),
        "rulebook": rulebook.name,
        "rulebook_digest": rulebook.digest, "book_digest": book.digest, "versions": versions(), "rule": job.rule,
        "start": space.start.name, "bound": rulebook.reverse_stress.bound, "distance": found.distance,
        "amounts": found.amounts, "proved": found.proved, "monotone": found.monotone, "rays": len(found.rays),
        "sentences": sentences(job.rule, found, space), "exit_code": UNPROVED if unproved(found) else 0,
    }  # fmt: skip
    with whole(target) as folder:
        made = tables(space, found)
        write_inputs(book, rulebook, folder)
        write_tables(made, folder / "tables")
        if found.amounts:
            write_scenario(folder, space.at(found.amounts), job.rule)
        write_reverse(record, made, folder / "reverse.html")
        write_json(record, folder / "run.json")
    return record, target


def named(rulebook: Rulebook, rule: str) -> None:
    """Raises BadInput where the rulebook has no rule of that name, or one that never gives way."""
    names = [one.name for one in rulebook.rules if one.repairable]
    if rule not in names:
        raise BadInput(Problem(rulebook.name, "", "--rule", rule, f"a rule that can give way: {', '.join(names)}"))


def space_of(job: ReverseJob, rulebook: Rulebook) -> Space:
    """The paths that are looked at."""
    start = macro_of(job.start, "--start")
    if job.towards is None:
        return Space(start, rulebook.reverse_stress)
    return space_towards(start, macro_of(job.towards, "--towards"), rulebook.reverse_stress)


def macro_of(path: Path, option: str) -> Macro:
    """The macro path of a scenario file."""
    told = read_scenario(path)
    if told.macro is None:
        raise BadInput(Problem(option, told.name, "macro", "", "a scenario with a macro path"))
    return told.macro


def plain(paths: Any) -> dict[str, list[float]]:
    """Arrays as lists."""
    return {name: path.tolist() for name, path in paths.items()}


def telling(look: Look, say: Say) -> Look:
    """Tell every path that is looked at."""

    def heard(amounts: Amounts) -> Any:
        seen = look(amounts)
        say(f"{', '.join(f'{name} {amount:+.3f}' for name, amount in amounts.items()) or 'start'}: {seen}")
        return seen

    return heard


def unproved(found: Mildest) -> bool:
    """Whether an edge was found whose pair is not as it must be."""
    return bool(found.amounts) and not found.proved


def sentences(rule: str, found: Mildest, space: Space) -> list[str]:
    """What was found, and what of it is proved."""
    stopped = [ray.no_plan for ray in found.rays if ray.no_plan is not None]
    no_plan = [f"On {len(stopped)} of {len(found.rays)} rays there is no plan at all before it gives way, the nearest "
               f"at {min(stopped):.2f}."] if stopped else []  # fmt: skip
    if found.amounts is None:
        far = f"{rule} does not give way on any of {len(found.rays)} rays within {space.distance.bound:g} sizes."
        return [far, *no_plan]
    if not found.amounts:
        return [f"{rule} gives way on the start path already."]
    proof = ("Proved by re-solves: there it gives way, and at 99% of it every rule is kept or another one gives way."
             if found.proved else "NOT proved: at 99% of it the rule does not hold.")  # fmt: skip
    below = "" if found.monotone else " It gave way nearer on the same ray too, and held in between."
    return [f"{rule} gives way {found.distance:.3f} sizes from {space.start.name}: {peaks(found.amounts, space)}.",
            proof + below, f"That no direction is milder was searched over {len(found.rays)} rays, not proved.",
            *no_plan]  # fmt: skip


def peaks(amounts: Amounts, space: Space) -> str:
    """The largest move of every variable, in words."""
    path, out = space.at(amounts), []
    for name in space.sized:
        old, new = space.start.values[name], path.values[name]
        if (old != new).any():
            level = space.distance.is_level(name)
            moved = (new / old - 1) * 100 if level else new - old
            largest = moved[abs(moved).argmax()]
            out.append(f"{name} {largest:+.2f} {'% of its path' if level else 'percentage points'}")
    return ", ".join(out)


def tables(space: Space, found: Mildest) -> dict[str, pd.DataFrame]:
    """The path by quarter, and every ray that was followed."""
    path, rows = space.at(found.amounts or {}), []
    for name in (one for one in COLUMNS.values() if one in path.values):
        unit = "index" if name in space.distance.sizes and space.distance.is_level(name) else "as published"
        for quarter, old, new in zip(space.start.quarters, space.start.values[name], path.values[name], strict=True):
            rows.append((quarter, name, old, new, new - old, unit))
    ways = [(json.dumps({name: round(part, 6) for name, part in ray.direction.items()}), ray.distance, ray.no_plan)
            for ray in found.rays]  # fmt: skip
    return {
        "path": pd.DataFrame(rows, columns=["quarter", "variable", "start", "value", "deviation", "unit"]),
        "directions": pd.DataFrame(ways, columns=["direction", "gives_way_at", "no_plan_from"]),
    }


def write_scenario(folder: Path, path: Macro, rule: str) -> None:
    """The path as a macro table and a scenario that `liquidity stress --scenarios` reads."""
    known = [(title, name) for title, name in COLUMNS.items() if name in path.values]
    with (folder / "reverse_path.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["Scenario Name", "Date", *(title for title, _ in known)])
        for at, quarter in enumerate(path.quarters):
            writer.writerow(["Reverse stress", quarter, *(repr(float(path.values[name][at])) for _, name in known)])
    lines = ['name = "reverse"', 'title = { en = "Reverse stress", zh = "反向压力测试" }',
             'macro = "reverse_path.csv"', f'source = {json.dumps(f"Reverse stress of the rule {rule}")}']  # fmt: skip
    (folder / "reverse.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
