"""Shocks: neutral ones change no bit, each moves what it says, and the accounts close whatever they are."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from books import SHORT, calm_book, calm_rules, random_book, random_rules, tiers

from liquidity.explain.flows import account_gaps, make_flows
from liquidity.program.build import build_pool
from liquidity.program.compile import compile_program, refill_from
from liquidity.program.night import solve_night
from liquidity.program.plan import balance_sheet_gap, make_plan
from liquidity.program.shocks import DIMS, NEUTRAL, Shocks, combine
from liquidity.program.solve import Options
from liquidity.program.stages import make_goals
from liquidity.runs.tables import funding_table

PERIODS = 8


def labels(book) -> dict[str, list]:
    return {
        "segment": list(book["segments"].index), "facility": list(book["facilities"].index),
        "line": list(book["lines"].index), "partner": list(book["partners"].index), "account": ["income", "other"],
        "gate": ["asked", "score_kept", "model_kept", "policy_kept", "available"],
        "period": list(range(1, PERIODS + 1)),
    }  # fmt: skip


def full(book, name: str, value: float) -> xr.DataArray:
    coords = {dim: labels(book)[dim] for dim in DIMS[name]}
    return xr.DataArray(np.full([len(c) for c in coords.values()], value), coords=coords, dims=DIMS[name])


def drawn(book, seed: int) -> Shocks:
    """Random shocks of every kind but marks."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, neutral in NEUTRAL.items():
        shape = full(book, name, 0.0)
        if name in ("frozen", "closed"):
            continue
        width = {"line_rate": 0.01, "note_rate": 0.01, "market_rate": 0.01, "flow": 1e6}.get(name, 0.2)
        low = -width if name not in ("default", "lgd", "line_rate") else 0.0
        arrays[name] = shape.copy(data=neutral + rng.uniform(low, width, shape.shape))
    return Shocks(f"seed {seed}", arrays)


def planned(book, rules, shocks):
    pool = build_pool(book, rules, shocks=shocks)
    program = compile_program(pool)
    solved = solve_night(program, make_goals(pool, program), tiers(rules), 0.01, 1e6, Options(1, 1e-10))
    return pool, solved, make_plan(pool, solved.program, solved.staged.last, solved.staged.first.reduced)


def test_neutral_shocks_change_no_bit():
    book, rules = calm_book(), calm_rules()
    none, neutral = Shocks(), Shocks("nothing", {name: full(book, name, at) for name, at in NEUTRAL.items()})
    plain, same = (compile_program(build_pool(book, rules, shocks=shocks)) for shocks in (none, neutral))
    for part in ("cost", "row_lower", "row_upper", "column_lower", "column_upper"):
        np.testing.assert_array_equal(getattr(plain, part), getattr(same, part))
    np.testing.assert_array_equal(plain.matrix.toarray(), same.matrix.toarray())


@pytest.mark.parametrize("seed", [1, 2])
def test_accounts_close_under_any_shocks(seed):
    book = random_book(8, 5, seed)
    rules = random_rules(book, seed)
    pool, _, plan = planned(book, rules, drawn(book, seed))
    gap = balance_sheet_gap(plan, pool.inputs.own_share, pool.inputs.sold, float(book.lender.hqla))
    assert float(abs(gap).max()) < 1e-6 * float(plan.balance.sum("facility").max())
    assert float(account_gaps(pool, plan, make_flows(pool, plan)).gap.abs().max()) < 1.0
    assert (funding_table(pool, plan).cost >= 0).all()


def test_other_shocks_are_poured_into_the_same_places():
    book, rules = calm_book(), calm_rules()
    first = compile_program(build_pool(book, rules))
    pool = build_pool(book, rules, shocks=drawn(book, 3))
    again, fresh = refill_from(first, pool), compile_program(pool)
    np.testing.assert_array_equal(again.matrix.toarray(), fresh.matrix.toarray())
    for part in ("cost", "row_lower", "row_upper"):
        np.testing.assert_array_equal(getattr(again, part), getattr(fresh, part))


def path(name: str, value: float):
    """Inputs of the calm lender with one shock in the fourth period only."""
    book = calm_book()
    array = full(book, name, NEUTRAL[name])
    array.loc[{"period": 4}] = value
    return build_pool(book, calm_rules()).inputs, build_pool(
        book, calm_rules(), shocks=Shocks(name, {name: array})
    ).inputs


@pytest.mark.parametrize(
    ("name", "value", "moved", "factor"),
    [
        ("payment", 1.5, "pay_path", 1.5), ("default", 2.0, "default_path", 2.0), ("lgd", 1.1, "lgd_path", 1.1),
        ("gate", 0.5, "gate_open", 0.5), ("demand", 3.0, "new_demand", 3.0), ("advance", 0.9, "advance_path", 0.9),
        ("line_commitment", 0.5, "line_commitment_path", 0.5), ("hqla", 0.8, "hqla_kept", 0.8),
        ("note_commitment", 0.0, "note_commitment_path", 0.0), ("quota", 0.1, "quota_kept", 0.1),
    ],
)  # fmt: skip
def test_a_factor_moves_its_input_in_its_period_only(name, value, moved, factor):
    before, after = path(name, value)
    ratio = after[moved] / before[moved].where(before[moved] != 0)
    held = ratio.isel(period=3).values
    np.testing.assert_allclose(held[np.isfinite(held)], factor, rtol=1e-12)
    rest = after[moved].drop_isel(period=3), before[moved].drop_isel(period=3)
    np.testing.assert_array_equal(*rest)


def test_losses_move_pd_and_provisions():
    before, after = path("default", 2.0)
    at = after.isel(period=3)
    np.testing.assert_allclose(at.pd_path, 1 - (1 - before.pd) ** 2, rtol=1e-12)
    np.testing.assert_allclose(at.ecl_path, before.ecl_rate * at.pd_path / before.pd, rtol=1e-12)
    assert float(after.ref_rate) == float(before.ref_rate)


def test_rates_rise_by_the_shift_and_fall_to_what_cash_earns():
    before, up = path("line_rate", 0.02)
    np.testing.assert_allclose(up.line_rate_path.isel(period=3), before.line_rate + 0.02)
    down = path("line_rate", -0.5)[1].line_rate_path.isel(period=3)
    np.testing.assert_allclose(down, float(before.cash_rate) + before.commitment_fee + 1e-4)
    assert (up.market_path >= up.line_rate_path.max("line")).all()


def test_a_frozen_facility_takes_no_loan():
    book, rules = calm_book(), calm_rules()
    mark = xr.DataArray(np.ones((2, 2)), coords={"facility": ["joint_a", "warehouse_a"], "period": [1, 2]},
                        dims=("facility", "period"))  # fmt: skip
    _, _, plan = planned(book, rules, Shocks("stop", {"frozen": mark}))
    lent = plan.lend.sel(facility=["joint_a", "warehouse_a"]).sum(["segment", "borrower"])
    assert float(lent.isel(period=slice(0, 2)).sum()) < 1.0
    assert float(lent.isel(period=slice(2, None)).sum()) > 1e6


def test_shocks_together():
    book = calm_book()
    half, up = full(book, "demand", 0.5), full(book, "line_rate", 0.01)
    few = half.sel(segment=["firm-east"])
    both = combine(
        "both", [Shocks("a", {"demand": half, "line_rate": up}), Shocks("b", {"demand": few, "line_rate": up})]
    )
    assert set(np.unique(both.arrays["demand"])) == {0.25, 0.5}
    np.testing.assert_allclose(both.arrays["line_rate"], 0.02)


@pytest.mark.parametrize(
    ("name", "dims", "value"),
    [("demands", ("period",), 1.0), ("demand", ("period",), 1.0), ("hqla", ("period",), np.nan)],
)
def test_what_is_no_shock_is_refused(name, dims, value):
    with pytest.raises(ValueError):
        Shocks("x", {name: xr.DataArray([value], coords={"period": [1]}, dims=dims)})


def test_a_label_that_the_book_lacks_is_refused():
    array = xr.DataArray([[0.5]], coords={"segment": ["nobody"], "period": [1]}, dims=("segment", "period"))
    with pytest.raises(ValueError, match="no segment nobody"):
        build_pool(calm_book(), calm_rules(SHORT), shocks=Shocks("x", {"demand": array}))


def test_fees_are_paid_on_what_was_committed_as_the_period_opened():
    """A line that is cut to nothing in the fourth period pays its fee in that period and not in the next."""
    _, after = path("line_commitment", 0.0)
    whole = after.line_commitment
    np.testing.assert_array_equal(after.line_committed.isel(period=3), whole)
    np.testing.assert_array_equal(after.line_committed.isel(period=4), 0 * whole)
