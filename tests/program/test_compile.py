"""The vectorised compiler against Pyomo's own: same pattern, same numbers; and its doors: refill, lift, bound."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from liquidity import read_book, read_rulebook
from liquidity.book.make import book_of, make_lender
from liquidity.program.build import build_pool
from liquidity.program.cases_funding import financing, loan_policy
from liquidity.program.cases_stochastic import SEASONS, farm, planning
from liquidity.program.compile import Compiler, Index, Program, compile_program, compile_standard, refill_from
from liquidity.program.solve import Options, Session
from liquidity.program.writer import Writer

ROOT = Path(__file__).parents[2]
RULEBOOK = read_rulebook(ROOT / "models" / "online_microlender.toml")
ULP = 1e-15
WRITERS = {"financing": financing, "loan_policy": loan_policy, "farm": lambda: farm(SEASONS), "planning": planning}


def assert_equal(mine: Program, oracle: Program) -> None:
    """Same rows, columns, pattern (zeros left out) and numbers to 1e-15 of their size."""
    matrix = mine.matrix.copy()
    matrix.eliminate_zeros()
    assert [(f.owner, f.name, tuple(f.index)) for f in mine.rows] == [
        (f.owner, f.name, tuple(f.index)) for f in oracle.rows
    ]
    assert [(f.name, f.index) for f in mine.columns] == [(f.name, f.index) for f in oracle.columns]
    theirs = oracle.matrix.copy()
    theirs.eliminate_zeros()
    theirs.sort_indices()
    np.testing.assert_array_equal(matrix.indptr, theirs.indptr)
    np.testing.assert_array_equal(matrix.indices, theirs.indices)
    np.testing.assert_allclose(matrix.data, theirs.data, rtol=ULP, atol=0)
    for name in ("cost", "row_lower", "row_upper", "column_lower", "column_upper", "constant"):
        np.testing.assert_allclose(getattr(mine, name), getattr(oracle, name), rtol=ULP, atol=1e-300)
    np.testing.assert_array_equal(mine.integer, oracle.integer)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_published_cases_both_ways(name):
    writer = WRITERS[name]()
    program = compile_program(writer)
    assert program.recipe.stiff == ()
    assert_equal(program, compile_standard(writer))


@pytest.mark.parametrize("name", ["online_microlender", "calm"])
def test_sample_lenders_both_ways(name):
    rulebook = read_rulebook(ROOT / "models" / f"{name}.toml")
    pool = build_pool(read_book(ROOT / "data" / name), rulebook)
    program = compile_program(pool)
    assert program.recipe.stiff == ()
    assert_equal(program, compile_standard(pool))


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10_000),
    segments=st.integers(8, 14),
    facilities=st.integers(5, 9),
    dropped=st.sets(st.sampled_from([rule.name for rule in RULEBOOK.rules]), max_size=4),
    cautious=st.booleans(),
)
def test_random_lenders_and_rulebooks_both_ways(seed, segments, facilities, dropped, cautious):
    rulebook = RULEBOOK
    for name in sorted(dropped):
        rulebook = rulebook.without(name)
    pool = build_pool(book_of(make_lender(segments, facilities, seed)), rulebook, cautious=cautious)
    program = compile_program(pool)
    assert program.recipe.stiff == ()
    assert_equal(program, compile_standard(pool))


# ---- what a general model may hold


def parts(numbers: np.ndarray | None = None) -> Writer:
    """A model with yes/no columns, bounds by rule, a single bound, expressions, indexed sets, empty sums, ranges."""
    writer = Writer(dict.fromkeys(("ITEM", "TIME", "NONE"), ("item",)), "kg")
    m = writer.model
    writer.group("ITEM", ["a", "b b", "c"])
    writer.group("NONE", [])
    m.TIME = pyo.RangeSet(0, 3)
    m.PART = pyo.Set(m.ITEM, initialize={"a": [0, 1], "b b": [], "c": [3]})
    weight = writer.param("data", "weight", (m.ITEM, m.TIME), np.arange(12.0) - 5 if numbers is None else numbers)
    writer.variable("x", "ITEM", "TIME")
    writer.variable("y", "ITEM", kind="choice")
    m.x["a", 2].bounds = (1.0, 7.0)
    m.total = pyo.Expression(m.ITEM, rule=lambda m, i: 2 * sum(weight[i, t] * m.x[i, t] for t in m.TIME) - 1)
    writer.terms("whole", (m.ITEM,), lambda m, i: m.total[i] / 4 + 3 * m.y[i] + 5, at_most=lambda i: len(i))
    writer.terms("part", (m.ITEM,), lambda m, i: m.y[i] - sum(m.x[i, t] + m.x[i, t] for t in m.PART[i]), at_least=-2.0)
    writer.define("empty", (m.TIME,), lambda m, t: -sum(m.x[i, t] for i in m.NONE) + m.x["c", t], equal=3.0)
    writer.maximise("goal", lambda m: 4 + sum(m.x[i, t] - weight[i, t] * m.y[i] for i in m.ITEM for t in m.TIME))
    return writer


def test_a_model_with_everything_both_ways():
    writer = parts()
    program = compile_program(writer)
    assert program.recipe.stiff == ()
    assert program.integer.sum() == 3
    assert program.constant == 4
    assert_equal(program, compile_standard(writer))


def test_a_sign_does_not_depend_on_whether_a_sum_is_empty():
    program = compile_program(parts())
    row = program.row("terms", "part")
    assert np.isfinite(program.row_lower[row.place]).all()
    assert (program.row_upper[row.place] == np.inf).all()


def test_what_templates_cannot_say_is_compiled_slowly_with_one_warning():
    writer = parts()
    m = writer.model
    writer.terms("first", (m.TIME,), lambda m, t: m.x["a", t] + (m.y["a"] if t == 1 else 0), at_most=2.0)
    writer.terms("filtered", (m.TIME,), lambda m, t: sum(m.x["c", u] for u in m.TIME if u <= t), at_least=lambda t: -t)
    with pytest.warns(UserWarning, match="no template") as told:
        program = compile_program(writer)
    assert len(told) == 1
    assert "rule.terms.first" in str(told[0].message)
    assert "rule.terms.filtered" in str(told[0].message)
    assert_equal(program, compile_standard(writer))
    with pytest.raises(ValueError, match=r"cannot be refilled: rule\.terms\.first"):
        program.refill({"rule.data.weight": np.zeros(12)})


def test_a_sum_over_a_plain_list_is_never_cut_short():
    writer = parts()
    m, some = writer.model, ["a", "c"]
    writer.terms("listed", (m.TIME,), lambda m, t: sum(m.x[i, t] for i in some), at_most=1.0)
    writer.terms("mixed", (m.TIME,), lambda m, t: sum(m.x[i, u] for u in m.TIME for i in some), at_most=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_equal(compile_program(writer), compile_standard(writer))


def test_a_product_of_columns_is_refused():
    writer = parts()
    writer.terms("bent", (writer.model.TIME,), lambda m, t: m.x["a", t] * m.y["a"], at_most=1.0)
    with pytest.raises(Exception, match=r"nonlinear|bent"):
        compile_program(writer)


# ---- other numbers


def test_refill_is_compiling_again_and_leaves_the_first_as_it_was():
    numbers = np.linspace(-3, 9, 12)
    writer, other = parts(), parts(numbers)
    first = compile_program(writer)
    before = first.matrix.data.copy()
    again = first.refill({"rule.data.weight": numbers, "rule.terms.part_bound": np.full(3, -9.0)})
    other.model.rule.terms.part_bound.array[:] = -9.0
    assert_equal(again, compile_standard(other))
    np.testing.assert_array_equal(first.matrix.data, before)
    assert again.matrix.indices is first.matrix.indices or (again.matrix.indices == first.matrix.indices).all()


@pytest.mark.parametrize(
    ("name", "values", "error"),
    [("rule.data.nothing", [1.0], KeyError), ("rule.data.weight", [1.0], ValueError)],
)
def test_refill_refuses_what_does_not_fit(name, values, error):
    with pytest.raises(error, match=name.replace(".", r"\.")):
        compile_program(parts()).refill({name: np.array(values)})


def test_a_compiled_program_travels():
    program = compile_program(parts())
    there = pickle.loads(pickle.dumps(program))
    assert_equal(there.refill({"rule.data.weight": np.ones(12)}), program.refill({"rule.data.weight": np.ones(12)}))


def test_lift_and_bound_touch_one_owner():
    book = read_book(ROOT / "data" / "calm")
    program = compile_program(build_pool(book, read_rulebook(ROOT / "models" / "calm.toml")))
    lifted = program.lift("line_limit")
    mine = np.zeros(program.shape[0], bool)
    for family in program.rows:
        if family.owner == "line_limit":
            mine[family.place] = True
    assert np.isinf(lifted.row_lower[mine]).all()
    assert np.isinf(lifted.row_upper[mine]).all()
    np.testing.assert_array_equal(lifted.row_upper[~mine], program.row_upper[~mine])
    tight = program.bound("line_limit", "line", 0.0)
    assert (tight.row_upper[program.row("line_limit", "line").place] == 0).all()
    assert (tight.row_lower[program.row("line_limit", "line").place] == -np.inf).all()
    with pytest.raises(KeyError, match="no_such_rule"):
        program.lift("no_such_rule")


@pytest.mark.parametrize(("seed", "factor"), [(0, 0.7), (3, 1.3)])
def test_refill_from_another_night_is_compiling_it(seed, factor):
    """Every number of the lender and of its rules may move: none of them may hide in a body."""
    book = book_of(make_lender(9, 6, seed))
    program = compile_program(build_pool(book, RULEBOOK))
    segments, lines = book["segments"].copy(), book["lines"].copy()
    segments["lgd"] = (segments.lgd * factor).clip(0, 1)
    lines["commitment"] *= 2.0
    rulebook = RULEBOOK
    for rule in RULEBOOK.rules:
        numbers = {
            name: value * 1.25
            for name, value in rule
            if isinstance(value, float) and 0 < value * 1.25 < 1 and name not in ("warn_at",)
        }
        rulebook = rulebook.edit(rule.name, **numbers) if numbers else rulebook
    other = build_pool(book.replace(segments=segments, lines=lines), rulebook)
    again = refill_from(program, other)
    assert not np.array_equal(again.matrix.data, program.matrix.data)
    assert_equal(again, compile_standard(other))


def test_a_linear_body_over_an_index_set():
    writer = parts()
    m = writer.model
    matrix, constant = Compiler(writer).linear(lambda m, t: 2 + sum(3 * m.x[i, t] for i in m.ITEM), m.TIME)
    assert matrix.shape == (4, 15)
    assert matrix.sum() == 36
    np.testing.assert_array_equal(constant, 2)


def test_an_index_is_written_out_only_when_asked():
    index = Index([("a",), ("b",)], [(0, 1), (0, 2), (3, 4)])
    assert len(index) == 6
    assert index == tuple(("ab"[n // 3], *[(0, 1), (0, 2), (3, 4)][n % 3]) for n in range(6))
    assert [column.tolist() for column in index.columns()] == [list("aaabbb"), [0, 0, 3, 0, 0, 3], [1, 2, 4, 1, 2, 4]]


def test_labels_with_a_blank_and_with_a_line_stay_apart():
    writer = Writer({"ITEM": ("item",)}, "kg")
    writer.group("ITEM", ["A b", "A_b"])
    writer.variable("x", "ITEM")
    writer.terms("most", (writer.model.ITEM,), lambda m, i: m.x[i], at_most=1.0)
    writer.maximise("goal", lambda m: sum(m.x[i] for i in m.ITEM))
    program = compile_program(writer)
    assert len(set(program.column_labels())) == 2
    assert Session(program, Options()).solve().objective == 2
