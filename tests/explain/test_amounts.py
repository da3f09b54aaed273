"""Amounts on made-up lenders: they add up, and they depend on the lender alone.

Not on the order in which sets of rules are lifted, not on the basis a solve starts from, not on the algorithm, not on
the order of rows or the names of segments. The oracle here is the definition (DESIGN 7.3) and no more: every set solved
from nothing by the interior point method in a solver of its own, and the mean over all orders of the causes.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from liquidity import allocate
from liquidity.book import Book
from liquidity.book.fields import TABLES
from liquidity.book.tidy import flatten
from liquidity.explain import amounts as under_test
from liquidity.explain.amounts import FUNDING, UNPROFITABLE, Amounts
from liquidity.explain.rounding import in_fen
from liquidity.program.solve import Options, Session
from liquidity.program.stages import DECLINING, run_stages, tie_break
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.night import Night
from tests.books import Night as Solved
from tests.books import random_book, random_rules, solve, split
from tests.program.test_one_answer import shuffled

SEEDS = range(20)
EXACT = 1e-6
"Of what is freed in the window: the accuracy that every amount of every segment must have."
WINDOWS = ("tonight", "30 days")


@lru_cache
def lender(seed: int) -> tuple[Book, Rulebook]:
    """A made-up lender on a short horizon, with a rulebook that it feels: every fifth must let a rule give way."""
    book = random_book(8, 7 if seed % 2 else 5, seed)
    rules = random_rules(book, seed)
    if seed % 5 == 0:
        rules = rules.edit("capital", ratio=0.6)
    return book, rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})


@lru_cache
def solved(seed: int) -> Solved:
    """Its night as the program has it."""
    return solve(*lender(seed))


@lru_cache
def night(seed: int, method: str = "ipx") -> Night:
    """Its night with every table."""
    return allocate(*lender(seed), method=method)


def assert_same(one: Amounts, other: Amounts, freed: tuple[float, float]) -> None:
    """Every cause takes the same of every segment in both windows; a cause that only one names takes nothing."""
    nothing = np.zeros_like(one.declined)
    for field in ("part", "alone"):
        mine, theirs = getattr(one, field), getattr(other, field)
        for cause in {*mine, *theirs}:
            gap = np.abs(mine.get(cause, nothing) - theirs.get(cause, nothing)).max(axis=1)
            assert (gap <= EXACT * np.array(freed)).all(), (field, cause, gap)


def freed(seed: int) -> tuple[float, float]:
    """Freed in both windows, units."""
    return solved(seed).freed(0), solved(seed).freed(1)


# ---- adding up


@pytest.mark.parametrize("seed", SEEDS)
def test_amounts_add_up_to_what_was_declined(seed):
    one = solved(seed)
    assert one.declined(1).sum() > 1e-3 * one.freed(1)
    assert (one.solved.gave_way is not None) == (seed % 5 == 0)
    for window in range(len(WINDOWS)):
        total = sum(part[window] for part in one.amounts.part.values())
        assert np.abs(total - one.declined(window)).max() <= EXACT * one.freed(window)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_table_of_the_night_adds_up(seed):
    """Uses to what was freed, reasons to what was not relent, to the cent; charges to the margin, at 1e-9."""
    one = night(seed)
    ledger, uses, reasons = (one.tables[name] for name in ("ledger", "uses", "reasons"))
    labels = sorted(ledger.period.unique())
    first = {labels[0]: labels[:1], "30d": labels[: one.pool.grid.first_days(30)]}
    for period, part in first.items():
        rows = ledger[ledger.period.isin(part)]
        lost = in_fen(rows.groupby("segment").freed.sum()) - in_fen(rows.groupby("segment").relent.sum())
        told = reasons[reasons.period == period].groupby("segment").amount.sum()
        assert in_fen(told.reindex(sorted(set(rows.segment)), fill_value=0.0)).tolist() == lost.tolist()
    tonight = ledger[ledger.period == labels[0]].set_index("segment")
    found = uses.groupby("segment").amount.sum().reindex(tonight.index, fill_value=0.0)
    assert in_fen(found).tolist() == in_fen(tonight.freed).tolist()
    charges = one.tables["charges"].pivot_table(
        index=["segment", "borrower", "facility", "period"], columns="item", values="charge", aggfunc="sum"
    )
    taken = charges.drop(columns=["margin", "reduced_cost"]).fillna(0.0).sum(axis=1)
    assert (charges.margin.fillna(0.0) - taken - charges.reduced_cost.fillna(0.0)).abs().max() <= 1e-9


# ---- the same from every side


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_lifting_changes_nothing(seed, monkeypatch):
    """Sets solved in another tree start from other bases: the reverse of the usual order, and a shuffled one."""
    one, usual = solved(seed), under_test.Game.order
    assert one.amounts.players, (
        "a night is split when its amounts are first asked for: here before the order is another"
    )
    noise = np.random.default_rng(seed)
    orders = {
        "reverse": lambda names: names[::-1],
        "shuffled": lambda names: tuple(np.array(names, object)[noise.permutation(len(names))]),
    }
    for order in orders.values():
        monkeypatch.setattr(under_test.Game, "order", lambda game, met, order=order: order(usual(game, met)))
        other = split(one)
        assert set(other.players) == set(one.amounts.players)
        assert_same(one.amounts, other, freed(seed))
        if order is orders["reverse"]:
            assert other.players[0] != one.amounts.players[0]


class Oracle:
    """The definition, solved cold."""

    def __init__(self, one: Solved) -> None:
        self.one, self.program, self.solves = one, one.solved.held, 0
        self.rows: dict[str, list[slice]] = {}
        for family in self.program.rows:
            if family.kind == "rule" and family.liftable and family.code not in ("", FUNDING):
                self.rows.setdefault(family.code, []).append(family.place)
        self.market = [self.program.row("terms", "open_market").place]
        self.known: dict[frozenset[str], np.ndarray] = {}

    def value(self, lifted: frozenset[str]) -> np.ndarray:
        """Minus declined [window, segment] with the rules of some causes lifted, units."""
        if lifted not in self.known:
            session = Session(self.program, Options(), ("ipx", "dual"))
            mask = np.zeros(self.program.shape[0], bool)
            for name in lifted:
                for place in self.market if name == FUNDING else self.rows[name]:
                    mask[place] = True
            session.lift(mask)
            assert session.solve(doubt=True).method == "ipx"
            x = run_stages(session, self.one.goals.stages[:DECLINING]).last.x
            goals = self.one.goals
            self.known[lifted] = np.stack([goals.relent[w] @ x - goals.wanted[w] @ x for w in range(len(WINDOWS))])
        return self.known[lifted]

    def parts(self, players: tuple[str, ...]) -> dict[str, np.ndarray]:
        """The mean over all orders of what a cause releases when its turn comes; then funding, then what is left."""
        out = {name: np.zeros_like(self.value(frozenset())) for name in players}
        for order in itertools.permutations(players):
            for place, name in enumerate(order):
                before = frozenset(order[:place])
                out[name] += (self.value(before | {name}) - self.value(before)) / math.factorial(len(players))
        everything = frozenset(self.rows)
        out[FUNDING] = self.value(everything | {FUNDING}) - self.value(everything)
        out[UNPROFITABLE] = -self.value(everything | {FUNDING})
        return out


@pytest.mark.parametrize("seed", SEEDS)
def test_amounts_are_the_definition_solved_cold(seed):
    one = solved(seed)
    oracle, players = Oracle(one), one.amounts.players
    parts = oracle.parts(players)
    alone = {name: oracle.value(frozenset([name])) - oracle.value(frozenset()) for name in (*players, FUNDING)}
    cold = Amounts(one.amounts.segments, parts, alone, -oracle.value(frozenset()), players, len(oracle.known), 0)
    assert_same(one.amounts, cold, freed(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cause_that_is_no_player_matters_in_no_set(seed):
    """That its rules have no price anywhere is the proof; here they are lifted all the same."""
    one = solved(seed)
    oracle, players = Oracle(one), one.amounts.players
    idle = frozenset(oracle.rows) - set(players)
    assert idle
    for lifted in (frozenset(), frozenset(players[:2]), frozenset(players)):
        gap = np.abs(oracle.value(lifted | idle) - oracle.value(lifted)).max(axis=1)
        assert (gap <= EXACT * np.array(freed(seed))).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_simplex_and_interior_point_nights_give_the_same_reasons_in_the_same_order(seed):
    one, other = night(seed).tables["reasons"], night(seed, "dual").tables["reasons"]
    words = ["segment", "period", "rank", "cause", "rule", "origin", "scope", "borrower_text_en", "borrower_text_zh"]
    pd.testing.assert_frame_equal(one[words], other[words])
    for period, part in one.groupby("period"):
        money = EXACT * freed(seed)[period == "30d"] * solved(seed).pool.unit
        assert (part.amount - other.amount[part.index]).abs().max() <= money


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_changes_nothing(seed):
    book, rules = lender(seed)
    mixed = rules.model_copy(update={"rules": tuple(reversed(rules.rules))})
    assert_same(solved(seed).amounts, solve(shuffled(book, seed), mixed).amounts, freed(seed))


def renamed(book: Book, name: dict[str, str]) -> Book:
    """The same lender with other names for its segments.

    Ties fall by a weight that hangs on the name; the segments' priorities undo that, so that the weights are the same.
    """
    frames = {}
    for table in TABLES:
        frame = flatten(TABLES[table], book[table])
        if "segment" in frame and len(frame):
            frames[table] = frame.assign(segment=frame.segment.map(name))
    old = flatten(TABLES["segments"], book["segments"]).segment
    weight = old.map(tie_break) / old.map(name).map(tie_break)
    frames["segments"]["priority"] = frames["segments"].priority * weight.to_numpy()
    return book.replace(**frames)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_names_of_segments_change_nothing(seed):
    book, rules = lender(seed)
    one = solved(seed)
    names = sorted(one.amounts.segments)
    name = dict(zip(names, [f"z{len(names) - place}" for place in range(len(names))]))
    two = solve(renamed(book, name), rules)
    assert two.solved.staged.first.objective == pytest.approx(one.solved.staged.first.objective, rel=1e-10)
    order = [two.amounts.segments.index(name[segment]) for segment in one.amounts.segments]
    assert order != sorted(order)
    again = Amounts(
        one.amounts.segments,
        {cause: part[:, order] for cause, part in two.amounts.part.items()},
        {cause: part[:, order] for cause, part in two.amounts.alone.items()},
        two.amounts.declined[:, order], two.amounts.players, two.amounts.solves, two.amounts.fallbacks,
    )  # fmt: skip
    assert_same(one.amounts, again, freed(seed))
