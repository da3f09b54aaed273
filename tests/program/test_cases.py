"""The published cases as programs: whose rows they are, how they are solved, and what their prices mean."""

import numpy as np
import pytest
from pyomo.core.expr.template_expr import templatize_constraint

from liquidity.program import cases_funding, cases_stochastic
from liquidity.program.cases import Figure
from liquidity.program.cases_funding import NEED, financing, loan_policy
from liquidity.program.cases_kit import maximise
from liquidity.program.cases_stochastic import SEASONS, farm, planning
from liquidity.program.compile import compile_program
from liquidity.program.solve import Infeasible, Options, Session

WRITERS = {
    "financing": financing,
    "loan_policy": loan_policy,
    "farm": lambda: farm(SEASONS),
    "planning": planning,
}
OWNERS = {
    "financing": {"definition", "terms", "credit_line", "commercial_paper"},
    "loan_policy": {"funds", "business", "home", "bad_debt"},
    "farm": {"land", "feed", "terms", "quota"},
    "planning": {"wealth", "terms", "goal"},
}


@pytest.fixture(params=sorted(WRITERS))
def name(request):
    return request.param


def test_every_row_has_an_owner(name):
    program = compile_program(WRITERS[name]())
    assert {family.owner for family in program.rows} == OWNERS[name]
    assert sum(len(family.index) for family in program.rows) == program.shape[0]
    assert sum(len(family.index) for family in program.columns) == program.shape[1]
    assert all(family.dims for family in program.rows + program.columns)


def test_every_body_can_be_called_with_index_templates(name):
    for rows in WRITERS[name]().rows:
        body, indices = templatize_constraint(rows.constraint)
        assert len(indices) == len(rows.dims)
        assert "_1" in str(body) or rows.dims in {("bank",), ("farm",)}


def test_simplex_and_interior_point_agree(name):
    program = compile_program(WRITERS[name]())
    found = [Session(program, Options(), methods=(method,)).solve() for method in ("dual", "ipx")]
    assert found[0].objective == pytest.approx(found[1].objective, rel=1e-10)


def test_prices_add_up_to_the_objective(name):
    found = maximise(WRITERS[name]())
    program, answer = found.program, found.answer
    bound = np.where(answer.price > 0, program.row_upper, program.row_lower)
    paid = np.abs(answer.price) > 1e-9
    at = np.where(answer.reduced > 0, program.column_upper, program.column_lower)
    earning = np.abs(answer.reduced) > 1e-9
    total = answer.price[paid] @ bound[paid] + answer.reduced[earning] @ at[earning] + program.constant
    assert total == pytest.approx(found.value, rel=1e-9)


@pytest.mark.parametrize(
    ("module", "constant", "write", "owner", "row"),
    [
        (cases_stochastic, "WEALTH", planning, "wealth", "start"),
        (cases_funding, "FUNDS", loan_policy, "funds", "total"),
        (cases_stochastic, "ACRES", WRITERS["farm"], "land", "acres"),
        (cases_stochastic, "QUOTA", WRITERS["farm"], "quota", "beets"),
    ],
)
def test_a_price_is_what_one_more_unit_earns(monkeypatch, module, constant, write, owner, row):
    before = maximise(write())
    monkeypatch.setattr(module, constant, getattr(module, constant) + 1e-3)
    gain = (maximise(write()).value - before.value) / 1e-3
    assert before.answer.price[before.program.row(owner, row).place].sum() == pytest.approx(gain, abs=1e-5)


def test_financing_adds_up_month_by_month():
    found = maximise(financing())
    cash = 0.0
    for month, need in NEED.items():
        debt, repaid = found.amount("debt", month), 1.01 * found.amount("debt", month - 1)
        paper, matured = found.amount("paper", month), 1.02 * found.amount("paper", month - 3)
        cash = 1.003 * cash + debt - repaid + paper - matured - need
        assert cash == pytest.approx(found.amount("cash", month), abs=1e-8)
        assert cash > -1e-8
    assert cash == pytest.approx(found.value)


def test_the_average_season_sows_more_beets():
    found = maximise(farm({"expected": 1.0}))
    assert found.amounts("plant") == pytest.approx({"wheat": 120.0, "corn": 80.0, "beets": 300.0})


def test_planning_decides_before_it_knows():
    held = maximise(planning()).amounts("hold")
    for asset, stage, path in held:
        same = [held[asset, stage, other] for a, t, other in held if (a, t, other[:t]) == (asset, stage, path[:stage])]
        assert same == pytest.approx([held[asset, stage, path]] * len(same), abs=1e-8)


def test_acres_beyond_the_land_have_no_answer():
    with pytest.raises(Infeasible):
        maximise(farm(SEASONS), {"plant": {"wheat": 501.0}})


@pytest.mark.parametrize(
    ("printed", "published", "tolerance"),
    [("92.4969", 92.4969, 5e-5), ("-108,390", -108390.0, 0.5), ("7.2", 7.2, 0.05), ("-115,405.56", -115405.56, 5e-3)],
)
def test_tolerance_is_half_a_unit_of_the_last_digit(printed, published, tolerance):
    figure = Figure("figure", printed, "USD")
    assert figure.published == published
    assert figure.tolerance == pytest.approx(tolerance)
