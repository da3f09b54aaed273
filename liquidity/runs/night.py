"""One night, end to end: book and rulebook in, plan, explanation, tables and proofs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd
import xarray as xr

from liquidity.book import Book, opening
from liquidity.errors import BadInput, Problem
from liquidity.explain.amounts import Amounts, make_amounts
from liquidity.explain.better_use import debt_rates, lending_rates, money_used, repaid_tonight, with_better_use
from liquidity.explain.buffers import make_buffers
from liquidity.explain.charges import Charges, charges_table, make_charges, turnover
from liquidity.explain.culprits import find_culprits
from liquidity.explain.flows import account_gaps, make_flows
from liquidity.explain.lattice import Crew
from liquidity.explain.ledger import make_ledger
from liquidity.explain.limits import make_limits
from liquidity.explain.ranges import binding_tonight, price_ranges
from liquidity.explain.reasons import make_reasons
from liquidity.explain.roads import make_roads
from liquidity.program import decide as deciding
from liquidity.program.compile import Program
from liquidity.program.decide import Decided, Given, quiet
from liquidity.program.events import Event
from liquidity.program.night import Solved, solver_options
from liquidity.program.plan import make_plan
from liquidity.program.pool import Pool
from liquidity.program.shocks import NO_SHOCKS, Shocks
from liquidity.program.solve import pack_basis
from liquidity.program.stages import WINDOW_DAYS, Goals
from liquidity.rules.rulebook import Rulebook
from liquidity.runs import tables as made
from liquidity.runs.checks import account_checks, solver_checks, table_checks
from liquidity.runs.clock import Clock
from liquidity.runs.events import measured
from liquidity.runs.issues import not_there_tonight

Say = Callable[[str], None]


@dataclass(frozen=True)
class Night:
    """Everything one night produced. Amounts in `tables` are CNY in whole fen; `checks` is what the run proves."""

    pool: Pool
    program: Program
    goals: Goals
    solved: Solved
    plan: xr.Dataset
    charges: Charges
    amounts: Amounts | None
    tables: dict[str, pd.DataFrame]
    checks: dict[str, float]
    clock: Clock
    events: tuple[Event, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 done, 3 some rule had to give way."""
        return 3 if self.gave_way or self.events else 0

    @property
    def gave_way(self) -> list[str]:
        """Rules that gave way, in the order of their names."""
        frame = self.solved.gave_way
        return [] if frame is None else sorted(set(frame.rule))


Beside = Callable[[Decided], None]


def allocate(book: Book, rulebook: Rulebook, previous: pd.Series | None = None, *, clock: Clock | None = None,
             say: Say = quiet, method: str = "ipx", beside: Beside | None = None,
             shocks: Shocks = NO_SHOCKS) -> Night:  # fmt: skip
    """Decide where tonight's freed money goes and say why.

    `previous`: share of freed money relent by segment in the last executed night; `say` is told each phase; `method`
    is the first algorithm tried (`ipx`, `dual`), on which the answer does not depend; `beside` is done while workers
    find the amounts; `shocks` are a scenario's. Raises BadInput where the rulebook does not fit the book, SolverFailed
    where no plan was found.
    """
    clock = clock or Clock()
    check_fit(book, rulebook)
    with Crew(rulebook.solver.workers) as crew:
        decided = decide(book, rulebook, previous, clock, say, method, crew=crew, shocks=shocks)
        say(f"solved in {clock.seconds['solve']['wall']:.1f} s")
        return explained(decided, clock, say, crew, beside)


def explained(decided: Decided, clock: Clock, say: Say, crew: Crew, beside: Beside | None) -> Night:
    """Everything that is said of a decided night. Amounts are found by workers while the rest is made."""
    pool, program, goals, solved = decided.pool, decided.program, decided.goals, decided.solved
    options, first, labels = solver_options(pool.rulebook), solved.staged.first, pool.grid.labels
    with clock.phase("tables"):
        plan = make_plan(pool, program, solved.staged.last, first.reduced)
        ledger = without_negative_zero(made.ledger_table(make_ledger(plan)))
        seen = made.windows(ledger, labels, pool.grid.first_days(WINDOW_DAYS))

    def find_amounts() -> tuple[Amounts, float]:
        begun, start, split = time.perf_counter(), pack_basis(first.basis), pool.rulebook.solver.split
        found = make_amounts(solved.held, goals, options, crew, start, split)
        return found, time.perf_counter() - begun

    declined = any(frame.declined.sum() > 0 for frame in seen.values())
    wait_for_amounts = crew.later(find_amounts) if declined else None
    with clock.phase("charges"):
        charges = make_charges(solved.held, first.price, first.reduced)
    with clock.phase("prices"):
        ranges = price_ranges(solved, binding_tonight(solved), options)
    with clock.phase("tables"):
        tables, accounts = plain_tables(pool, plan, ledger, solved, charges, ranges)
    say(f"decision, ledger and charges after {sum(part['wall'] for part in clock.seconds.values()):.1f} s")
    if beside is not None:
        beside(decided)
    amounts = None
    if wait_for_amounts is not None:
        amounts, wall = wait_for_amounts()
        clock.add("amounts", amounts.cpu, wall)
        say(f"amounts by {amounts.solves} re-solves in {wall:.1f} s")
    with clock.phase("tables"):
        grades = {str(segment): str(grade) for segment, grade in pool.book["segments"].grade.items()}
        reasons = make_reasons(seen, amounts, pool.unit, find_culprits(pool, solved, amounts), grades)
        tables["reasons"] = with_better_use(reasons, used_tonight(pool, tables), pool.book.currency)
    checks = {
        **solver_checks(solved.held, first),
        "price_identity": charges.gap,
        **account_checks(pool, plan, accounts),
        "amounts_gap": 0.0 if amounts is None else amounts.gap * pool.unit / opening(pool.book).assets,
        **table_checks(tables, labels[0]),
    }
    return Night(pool, program, goals, solved, plan, charges, amounts, tables, checks, clock, decided.events)


def decide(book: Book, rulebook: Rulebook, previous: pd.Series | None, clock: Clock | None = None, say: Say = quiet,
           method: str = "ipx", repairs: bool = True, crew: Crew | None = None,
           shocks: Shocks = NO_SHOCKS, near: Decided | None = None) -> Decided:  # fmt: skip
    """Decide one night, timed and told; workers of `crew` start meanwhile. Without `repairs` no rule gives way.

    `near` is a night decided before, from whose plan this one is reached soonest; its optimum does not depend on it.
    """
    known, start = (None, None) if near is None else (near.program, near.solved.start)
    decided = deciding.decide(Given(
        book, rulebook, previous, shocks, known, start, None, method, repairs, (clock or Clock()).phase, say,
        None if crew is None else crew.call,
    ))  # fmt: skip
    return replace(decided, events=tuple(measured(decided.pool, decided.solved, event) for event in decided.events))


def check_fit(book: Book, rulebook: Rulebook) -> None:
    """Every name a rule uses must be in the book; all that are not are told at once."""
    problems = [problem for rule in rulebook.rules for problem in rule.check(book)]
    kinds = [rule.kind for rule in rulebook.rules]
    if "covenants" in kinds and "revolving_period" not in kinds:
        expected = "a rule of kind revolving_period beside the covenants: a trust that breaks one has to stop buying"
        problems.append(Problem(rulebook.name, "", "rule", "no rule of kind revolving_period", expected))
    if problems:
        raise BadInput(problems)


def plain_tables(
    pool: Pool, plan: xr.Dataset, ledger: pd.DataFrame, solved: Solved, charges: Charges,
    ranges: Mapping[int, tuple[float, float]],
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:  # fmt: skip
    """All tables but the reasons, and the accounts with their gaps."""
    labels, speed = pool.grid.labels, turnover(pool.inputs)
    flows = make_flows(pool, plan)
    accounts = account_gaps(pool, plan, flows)
    tonight = ledger[ledger.period == labels[0]].set_index("segment").freed
    tables = {
        "allocation": made.allocation_table(plan),
        "ledger": ledger,
        "uses": made.uses_table(flows, accounts, tonight, labels[0]),
        "charges": charges_table(solved.held, charges, labels, speed),
        "limits": make_limits(pool, solved, ranges),
        "cash": made.cash_table(accounts, plan),
        "funding": made.funding_table(pool, plan),
        "tranches": made.tranches_table(pool, plan),
        "orders": made.orders_table(flows, labels[0]),
    }
    if pool.staged is not None:
        tables["provisions"] = made.provisions_table(pool.staged)
    origins = {rule.name: str(rule.origin) for rule in pool.rulebook.rules}
    lent = tables["allocation"].set_index(["period", "segment", "borrower", "facility"]).amount.xs(labels[0])
    absent = not_there_tonight(pool, plan)
    tables["roads"] = make_roads(solved.held, solved.staged.first.price, charges, lent, speed, origins, absent)
    tables["buffers"] = make_buffers(pool, plan, solved, tables["limits"])
    return {name: without_negative_zero(table) for name, table in tables.items()}, accounts


def used_tonight(pool: Pool, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Whom tonight's money of each segment was lent or paid to, and what that earns (`better_use.money_used`)."""
    earned = lending_rates(tables["allocation"], tables["charges"])
    repaid = repaid_tonight(tables["funding"], tables["tranches"], pool.grid.labels[0])
    return money_used(tables["uses"], earned, debt_rates(pool.inputs), repaid)


def without_negative_zero(table: pd.DataFrame) -> pd.DataFrame:
    """The table with every -0.0 as 0.0."""
    numbers = table.select_dtypes("float").columns
    return table.assign(**{name: table[name] + 0.0 for name in numbers})


def explain(night: Night, segment: str | None = None, period: str | None = None) -> pd.DataFrame:
    """The reasons of a night, ranked: of one segment or all, tonight (its ISO date), `30d`, or both.

    Columns as in the table `reasons`: cause, rule, origin, scope, amount (CNY), share, alone (CNY), sentences.
    """
    table = night.tables["reasons"]
    if segment is not None:
        table = table[table.segment == segment]
    return (table if period is None else table[table.period == period]).reset_index(drop=True)
