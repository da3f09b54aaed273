"""Rolling nights: the optimiser against simple policies under the same rules and the same luck (DESIGN 12)."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import pandas as pd

from liquidity.errors import BadInput, Problem, SolverFailed
from liquidity.program.grid import make_grid
from liquidity.runs.night import Say, check_fit, quiet
from liquidity.runs.roll_close import INCOME
from liquidity.runs.roll_path import Path, Roll, run_path
from liquidity.runs.roll_policies import OPTIMISER, POLICIES

MOST_NIGHTS = 366


@dataclass(frozen=True)
class Rolled:
    """A roll that was made. Tables in CNY: `results` one row a policy, `nights`, `segments`, `breaches` with the
    policy first; `checks` the largest gaps of the accounts, shares of the assets; `failed` policy -> why it ended."""

    roll: Roll
    results: pd.DataFrame
    nights: pd.DataFrame
    segments: pd.DataFrame
    breaches: pd.DataFrame
    checks: dict[str, float]
    failed: dict[str, str]

    @property
    def exit_code(self) -> int:
        """0 done, 3 some rule was broken at a close or had to give way in a plan, 4 a path ended early."""
        if self.failed:
            return 4
        return 3 if self.results.breaches.sum() + self.results.repaired.sum() > 0 else 0


def make_roll(roll: Roll, policies: Iterable[str] = POLICIES, say: Say = quiet) -> Rolled:
    """Roll every policy over the same nights and put the paths side by side.

    Paths run in as many processes as the rulebook's `solver.workers`; the result does not depend on their number. Each
    night executes its first period only, so a line that needs notice is never drawn.
    Raises BadInput where the roll cannot be made, SolverFailed where a policy has no plan in the first night.
    """
    chosen = check_roll(roll, policies)
    paths = run_paths(roll, chosen, say)
    for path in paths:
        if path.nights.empty:
            raise SolverFailed(f"{path.policy}: {path.failed}")
    nights = pd.concat([path.nights for path in paths], ignore_index=True)
    named = {name: pd.concat([getattr(path, name).assign(policy=path.policy) for path in paths], ignore_index=True)
             for name in ("segments", "breaches")}  # fmt: skip
    return Rolled(
        roll, results(roll, paths), nights,
        named["segments"][["policy", "segment", "freed", "relent", "lent_new"]],
        named["breaches"][["policy", "night", "rule", "what", "at", "shortfall"]],
        {name: float(nights[name].max()) for name in ("close_gap", "other_gap")},
        {path.policy: path.failed for path in paths if path.failed},
    )  # fmt: skip


def check_roll(roll: Roll, policies: Iterable[str]) -> tuple[str, ...]:
    """The policies, each once and the optimiser first. Raises BadInput where something cannot be."""
    chosen = tuple(dict.fromkeys((OPTIMISER, *policies)))
    problems = [Problem("--policy", "", "", name, f"one of {', '.join(POLICIES)}") for name in chosen
                if name not in POLICIES]  # fmt: skip
    if not 1 <= roll.nights <= MOST_NIGHTS:
        problems.append(Problem("--nights", "", "", roll.nights, f"a number of nights from 1 to {MOST_NIGHTS}"))
    if roll.seed < 0:
        problems.append(Problem("--seed", "", "", roll.seed, "a whole number of at least 0"))
    if make_grid(roll.book.as_of, roll.rulebook.horizon).days[0] != 1:
        expected = "a first period of one day: every night is decided anew"
        problems.append(Problem(roll.rulebook.name, "", "horizon", roll.rulebook.horizon[0], expected))
    if len(roll.book["repaid"]):
        problems.append(Problem("repaid", "", "", f"{len(roll.book['repaid'])} rows", "no receipts: they are drawn"))
    if len(roll.book["issues"]):
        expected = "no planned ABS: the close of a night knows none"
        problems.append(Problem("issues", "", "", f"{len(roll.book['issues'])} rows", expected))
    if problems:
        raise BadInput(problems)
    check_fit(roll.book, roll.rulebook)
    return chosen


def run_paths(roll: Roll, policies: tuple[str, ...], say: Say) -> list[Path]:
    """The paths in the order of the policies; in workers where the rulebook has them and its rules can travel."""
    workers = min(roll.rulebook.solver.workers, len(policies))
    if workers <= 1 or roll.rulebook.own_rules:
        return [run_path(roll, policy, say) for policy in policies]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting = {pool.submit(run_path, roll, policy): policy for policy in policies}
        for done in as_completed(waiting):
            path = done.result()
            cpu = path.nights.cpu_seconds.sum() if len(path.nights) else 0.0
            say(f"{path.policy}: {len(path.nights)} nights in {cpu:.0f} CPU s {path.failed}".strip())
    return [done.result() for done in waiting]


def results(roll: Roll, paths: list[Path]) -> pd.DataFrame:
    """One row a policy: what it came to, CNY.

    `uplift` is the optimiser's net worth less the policy's, `uplift_booked` the part of it that is in equity and
    provision already, `uplift_a_year` the uplift as a share of the opening equity a year; blank where one of the two
    paths ended early. `relent_share` is of what passed the gates.
    """
    rows = []
    for path in paths:
        nights, last = path.nights, path.nights.iloc[-1]
        row = {"policy": path.policy, "nights": len(nights), "net_worth": last.net_worth, "equity": last.equity,
               "provision": last.provision} | {name: nights[name].sum() for name in INCOME}  # fmt: skip
        for name in ("freed", "wanted", "relent", "lent_new"):
            row[name] = nights[name].sum()
        row["relent_share"] = row["relent"] / row["wanted"] if row["wanted"] > 0 else 1.0
        row |= {name: int(nights[name].sum()) for name in ("breaches", "repaired", "programs")}
        row |= {"no_plan": int(bool(path.failed)), "cpu_seconds": round(float(nights.cpu_seconds.sum()), 1)}
        rows.append(row)
    table = pd.DataFrame(rows)
    whole = (table.nights == roll.nights) & (table.nights.iloc[0] == roll.nights)
    best, booked = table.net_worth.iloc[0], table.equity + table.provision
    table["uplift"] = (best - table.net_worth).where(whole)
    table["uplift_booked"] = (booked.iloc[0] - booked).where(whole)
    table["uplift_a_year"] = table.uplift / float(roll.book.lender.equity) * 365 / roll.nights
    return table
