"""How much of the declined money each cause stands for, by re-solving with its rules lifted (DESIGN 7.3).

Two layers. First the causes, with funding as it is: v(S) = - declined with the causes S lifted, and the Shapley value
over the causes; inside a cause the Owen value over its rules, where that takes few enough re-solves. Then the open
market: FUNDING = v(all, open market) - v(all). What is left, UNPROFITABLE, is declined with every rule lifted and money
without limit. The parts add up to declined, by segment.

Only causes that can matter are players, and that is proved, not guessed: a cause whose rows have no price at any stage
of any program solved leaves each of those answers optimal when it is lifted, so its part is nought.

Beyond MOST players the sets are too many; then orders of the causes are drawn, seeded, and the parts have an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from liquidity.explain.lattice import FUNDING, NONE, Branch, Crew, Grown, Lifted, Node, cause_of
from liquidity.program.compile import Program
from liquidity.program.solve import Options, Packed
from liquidity.program.stages import Goals

UNPROFITABLE = "UNPROFITABLE"
HEADS = 3
"Hardest causes: each set of them is solved first and is the root of a branch."
MOST = 9
"Causes up to which every set is solved."
BUDGET = 512
"Re-solves that drawing orders may take."
SEED = 20261124


@dataclass(frozen=True)
class Amounts:
    """The parts of declined. `part[cause][w]` by segment and `alone[cause][w]` (released if only this were lifted),
    in program units; `rule_part[cause][rule]` and `rule_alone[cause][rule]` the same by rule, for causes that are
    split. `error[cause][w]` is the standard error of a part by segment where orders were drawn, else empty.
    `players` in the order of the tree; `solves` counts re-solves, `fallbacks` those not by the tree, `same` the sets
    that needed none; `cpu` seconds of all of them; `orders` how many were drawn, 0 where
    every set was solved.
    """

    segments: tuple[str, ...]
    part: dict[str, np.ndarray]
    alone: dict[str, np.ndarray]
    declined: np.ndarray
    players: tuple[str, ...]
    solves: int
    fallbacks: int
    same: int = 0
    cpu: float = 0.0
    orders: int = 0
    rule_part: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    rule_alone: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    error: dict[str, np.ndarray] = field(default_factory=dict)
    nodes: dict[Lifted, Node] = field(repr=False, default_factory=dict)

    @property
    def gap(self) -> float:
        """Largest error of adding up, program units."""
        return float(np.abs(sum(self.part.values()) - self.declined).max(initial=0.0))

    def together(self, least: float) -> dict[tuple[str, str], np.ndarray]:
        """Pairs of causes that stop the same money: lifted alone neither changes anything, lifted together they do.

        What both together release [window, segment], program units, nought where that is not so; `least` is how much
        counts as a change. Only pairs that were solved and have something in them.
        """
        found = {}
        for pair in combinations(sorted(self.players), 2):
            if frozenset(pair) not in self.nodes:
                continue
            one, other = (self.alone[name] for name in pair)
            both = self.nodes[frozenset(pair)].value + self.declined
            only = np.where((np.abs(one) < least) & (np.abs(other) < least) & (both >= least), both, 0.0)
            if only.any():
                found[pair] = only
        return found


def make_amounts(program: Program, goals: Goals, options: Options, crew: Crew, start: Packed, split: int) -> Amounts:
    """Split declined over causes, exactly where there are no more than MOST that can matter.

    `program` has its yes/no decisions held and its repaired bounds; `start` is the basis of its optimum. With n causes
    that can matter it takes at most 2^n + 2 re-solves, and up to `split` more to tell the rules of a cause apart.
    """
    crew.give(program, goals, options)
    names = {family.code for family in program.rows if family.kind == "rule" and family.liftable and family.code}
    game = Game(crew, names - {FUNDING}, start, split)
    game.play()
    return game.amounts(goals.segments)


class Game:
    """The lattice of sets of lifted causes, solved as far as it can matter."""

    def __init__(self, crew: Crew, names: Iterable[str], start: Packed, split: int) -> None:
        self.crew, self.names, self.start, self.split = crew, sorted(names), start, split
        self.nodes: dict[Lifted, Node] = {}
        self.bases: dict[Lifted, Packed] = {}
        self.players: tuple[str, ...] = ()
        self.orders: list[tuple[str, ...]] = []
        self.cpu = 0.0

    def play(self) -> None:
        """Singles first (they order the tree), then every set of the causes that can matter, then the market."""
        self.grow([Branch(((NONE, None),), start=self.start, keep=frozenset([NONE]))])
        while True:
            met = self.touched()
            self.grow(self.single(name) for name in sorted({cause_of(rule) for rule in met}))
            if self.touched() != met:
                continue
            self.players = self.order({cause_of(rule) for rule in met})
            if len(self.players) > MOST:
                self.draw()
            else:
                self.solve(self.targets())
            if self.touched() == met:
                break
        self.solve_market()

    def touched(self) -> Lifted:
        """Rules that had a price somewhere."""
        return NONE.union(*(node.touched for lifted, node in self.nodes.items() if FUNDING not in lifted))

    def grow(self, branches: Iterable[Branch]) -> None:
        """Grow branches that do not wait for each other."""
        self.crew.grow([branch for branch in branches if branch.steps], self.keep)

    def keep(self, grown: Grown) -> list[Branch]:
        """Remember what was solved."""
        self.nodes = {**grown.nodes, **self.nodes}
        self.bases = {**grown.bases, **self.bases}
        self.cpu += grown.cpu
        return []

    def single(self, name: str) -> Branch:
        """One cause lifted by itself."""
        lifted = frozenset([name])
        return self.branch([] if lifted in self.bases else [(lifted, NONE)], keep=[lifted])

    def branch(self, steps: list[tuple[Lifted, Lifted]], keep: Iterable[Lifted] = ()) -> Branch:
        """A branch from sets whose bases are known."""
        own = {lifted for lifted, _ in steps}
        known = {parent: (self.nodes[parent], self.bases[parent]) for _, parent in steps if parent not in own}
        return Branch(tuple(steps), known, keep=frozenset(own & set(keep)))

    def order(self, met: Iterable[str]) -> tuple[str, ...]:
        """Causes by how hard they are to lift alone, hardest first: easy lifts are repeated often, hard ones seldom."""

        def ease(name: str) -> tuple[bool, int, str]:
            node = self.nodes[frozenset([name])]
            return node.method in ("primal", "same"), -node.iterations, name

        return tuple(sorted(met, key=ease))

    # ---- every set

    def lattice(self) -> list[Lifted]:
        """Every set of players."""
        sizes = range(len(self.players) + 1)
        return [frozenset(group) for size in sizes for group in combinations(self.players, size)]

    def rules(self) -> dict[str, list[str]]:
        """Rules that can matter of the causes that have several, as far as `split` re-solves tell them apart."""
        found: dict[str, list[str]] = {}
        for rule in sorted(self.touched()):
            found.setdefault(cause_of(rule), []).append(rule)
        several = {cause: rules for cause, rules in found.items() if len(rules) > 1}
        half = 2 ** max(len(self.players) - 1, 0)
        return several if half * sum(2 ** len(rules) - 2 for rules in several.values()) <= self.split else {}

    def targets(self) -> list[Lifted]:
        """Every set that has to be known: of causes, and of some rules of one cause beside other causes."""
        parts = {cause: [frozenset(some) for size in range(1, len(rules)) for some in combinations(rules, size)]
                 for cause, rules in self.rules().items()}  # fmt: skip
        whole = self.lattice()
        return whole + [
            lifted | some for cause, found in parts.items() for lifted in whole if cause not in lifted for some in found
        ]

    def parent(self, lifted: Lifted) -> Lifted:
        """The set without one rule where it has single rules, else without its easiest cause."""
        single = sorted(name for name in lifted if "/" in name)
        return lifted - {single[-1] if single else max(lifted, key=self.players.index)}

    def head(self, lifted: Lifted) -> Lifted:
        """The root of the branch that a set is in."""
        return lifted & frozenset(self.players[:HEADS])

    def solve(self, targets: list[Lifted]) -> None:
        """Solve sets along the tree: roots each from its parent, and below each root a branch."""
        missing = [lifted for lifted in targets if lifted not in self.nodes]
        below: dict[Lifted, list[Lifted]] = {}
        for lifted in missing:
            if lifted != self.head(lifted):
                below.setdefault(self.head(lifted), []).append(lifted)
        roots = {self.head(lifted) for lifted in targets}

        def ready(root: Lifted) -> list[Branch]:
            heads = [head for head in roots if len(head) and self.parent(head) == root]
            unsolved = [head for head in heads if head not in self.bases]
            out = [self.branch([(head, root)], keep=[head]) for head in sorted(unsolved, key=self.rank)]
            if root in below:
                out.append(self.branch(self.path(below[root]), keep=[frozenset(self.players)]))
            return out + [branch for head in heads if head in self.bases for branch in ready(head)]

        def follow(grown: Grown) -> list[Branch]:
            self.keep(grown)
            return [branch for root in grown.bases for branch in ready(root)]

        self.crew.grow(ready(NONE), follow)

    def rank(self, lifted: Lifted) -> tuple[int, list[str]]:
        """A fixed order in which parents come before children."""
        return len(lifted), sorted(lifted)

    def path(self, targets: list[Lifted]) -> list[tuple[Lifted, Lifted]]:
        """The sets with every set on the way to them from those whose bases are known."""
        way: dict[Lifted, Lifted] = {}
        for lifted in targets:
            while lifted not in self.bases and lifted not in way:
                way[lifted] = lifted = self.parent(lifted)
        return sorted(way.items(), key=lambda step: self.rank(step[0]))

    # ---- orders drawn

    def draw(self) -> None:
        """Draw orders in pairs (one and its reverse) and solve the sets along each."""
        rng, players = np.random.default_rng(SEED), sorted(self.players)
        pairs = BUDGET // (2 * len(players))
        drawn = [tuple(str(name) for name in rng.permutation(players)) for _ in range(pairs)]
        self.orders = [order for one in drawn for order in (one, one[::-1])]
        branches = []
        for order in self.orders:
            sets = [frozenset(order[:size]) for size in range(len(order) + 1)]
            # the last set is the same for all: its basis is where the market's program starts
            branches.append(Branch(tuple(zip(sets[1:], sets)), {NONE: (self.nodes[NONE], self.bases[NONE])}))
        grown: list[Grown] = []
        self.crew.grow(branches, lambda one: grown.append(one) or [])  # type: ignore[func-returns-value]
        for one in sorted(grown, key=lambda one: self.orders.index(self.order_of(one))):
            self.keep(one)

    @staticmethod
    def order_of(grown: Grown) -> tuple[str, ...]:
        """The order whose sets these are."""
        sets = sorted(grown.nodes, key=len)
        return tuple(next(iter(lifted - before)) for lifted, before in zip(sets, [NONE, *sets]))

    # ---- the answer

    def solve_market(self) -> None:
        """Everything lifted and the open market; the market alone."""
        whole, free = frozenset(self.players), frozenset([*self.names, FUNDING])
        way = [(whole, NONE)] if whole not in self.bases and whole != NONE else []
        if whole not in self.bases and not self.orders:
            way = self.path([whole])
        self.grow([self.branch([(frozenset([FUNDING]), NONE)]), self.branch([*way, (free, whole)])])

    def amounts(self, segments: tuple[str, ...]) -> Amounts:
        """Parts of the players, then funding, then what is left."""
        value = {lifted: node.value for lifted, node in self.nodes.items()}
        part, error = self.parts(value)
        whole, free = value[frozenset(self.players)], value[frozenset([*self.names, FUNDING])]
        part[FUNDING], part[UNPROFITABLE] = free - whole, -free
        alone = {name: value[frozenset([name])] - value[NONE] for name in (*self.players, FUNDING)}
        methods = [node.method for node in self.nodes.values()]
        out = Amounts(segments, part, alone, -value[NONE], self.players,
                      solves=len(methods) - methods.count("same"), same=methods.count("same"),
                      cpu=self.cpu, orders=len(self.orders),
                      fallbacks=sum(method not in ("primal", "same") for method in methods),
                      error=error, nodes=self.nodes)  # fmt: skip
        if self.orders:
            return out
        rules = self.rules()
        split = {cause: owen(cause, some, self.players, value) for cause, some in rules.items()}
        single = {cause: {rule: value[frozenset([rule])] - value[NONE] for rule in some}
                  for cause, some in rules.items()}  # fmt: skip
        return replace(out, rule_part=split, rule_alone=single)

    def parts(self, value: dict[Lifted, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """The Shapley value of every player, and its error where orders were drawn."""
        if not self.orders:
            return shapley(self.players, {lifted: value[lifted] for lifted in self.lattice()}), {}
        return sampled(self.orders, value)


def weights(count: int) -> list[float]:
    """Share of the orders of `count` players in which a given set of each size stands before a given player."""
    return [math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count) for size in range(count)]


def shapley(players: Sequence[str], value: dict[Lifted, np.ndarray]) -> dict[str, np.ndarray]:
    """The Shapley value: each player's mean marginal part over all orders.  Source: Shapley (1953)."""
    weight = weights(len(players))
    return {
        name: sum(
            (weight[len(s)] * (value[s | {name}] - v) for s, v in value.items() if name not in s),
            np.zeros_like(value[NONE]),
        )
        for name in players
    }


def owen(
    cause: str, rules: Sequence[str], players: Sequence[str], value: dict[Lifted, np.ndarray]
) -> dict[str, np.ndarray]:
    """The Owen value of a cause's rules: mean marginal part over the orders that keep causes together; adds up to the
    cause's Shapley value.  Source: Owen (1977), Values of games with a priori unions.
    """
    others = [name for name in players if name != cause]
    outer, inner = weights(len(players)), weights(len(rules))
    out = {rule: np.zeros_like(value[NONE]) for rule in rules}
    for rule in rules:
        rest = [other for other in rules if other != rule]
        for lifted in (frozenset(some) for size in range(len(others) + 1) for some in combinations(others, size)):
            for some in (part for size in range(len(rest) + 1) for part in combinations(rest, size)):
                after = lifted | ({cause} if len(some) == len(rest) else {*some, rule})
                step = value[after] - value[lifted | frozenset(some)]
                out[rule] = out[rule] + outer[len(lifted)] * inner[len(some)] * step
    return out


def sampled(
    orders: Sequence[tuple[str, ...]], value: dict[Lifted, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Mean marginal part of each player over drawn orders, and its standard error.

    Orders come in pairs that are each other's reverse; the error is that of the means of pairs. The parts of every
    order add up, so their means do.  Source: Castro, Gomez, Tejada (2009); pairs as in Mitchell et al. (2022).
    """
    part, error = {}, {}
    for name in sorted(orders[0]):
        steps = []
        for order in orders:
            before = frozenset(order[: order.index(name)])
            steps.append(value[before | {name}] - value[before])
        pairs = (np.array(steps[::2]) + np.array(steps[1::2])) / 2
        part[name] = pairs.mean(0)
        error[name] = pairs.std(0, ddof=1) / math.sqrt(len(pairs))
    return part, error
