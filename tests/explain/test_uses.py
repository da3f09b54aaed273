"""Where freed money went: a case by hand, circular transfers, and conservation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquidity.explain.rounding import in_fen
from liquidity.explain.uses import USES, attribute_uses, uses_in_fen

FREED = ["segment", "account", "amount"]
LENT = ["account", "segment", "borrower", "amount"]
OUTFLOWS = ["account", "use", "to", "amount"]
TRANSFERS = ["account", "to_account", "amount"]

Rows = list[tuple[object, ...]]


def follow(freed: Rows, lent: Rows = (), outflows: Rows = (), transfers: Rows = ()) -> pd.DataFrame:
    frames = [
        pd.DataFrame(list(rows), columns=names).astype({"amount": float})
        for rows, names in ((freed, FREED), (lent, LENT), (outflows, OUTFLOWS), (transfers, TRANSFERS))
    ]
    return attribute_uses(*frames)


def by_use(uses: pd.DataFrame) -> dict[tuple[str, str, str, str], float]:
    keys = uses[["segment", "account", "use", "to"]].itertuples(index=False, name=None)
    return {key: round(amount, 9) for key, amount in zip(keys, uses["amount"])}


def test_one_account_by_hand() -> None:
    uses = follow(
        freed=[("A", "treasury", 100), ("B", "treasury", 50)],
        lent=[
            ("treasury", "A", "returning", 60),
            ("treasury", "B", "returning", 80),
            ("treasury", "A", "new", 20),
        ],
        outflows=[("treasury", "lines", "bank_1", 10), ("treasury", "costs", "costs", 10)],
    )
    # A: 60 matched, 40 left; B: 50 matched, none left. Left to be paid from: B's other 30, new 20, line 10, costs 10.
    expected = {
        ("A", "treasury", "same_borrowers", "A"): 60.0,
        ("A", "treasury", "other_segments", "B"): round(40 * 30 / 70, 9),
        ("A", "treasury", "new_borrowers", "A"): round(40 * 20 / 70, 9),
        ("A", "treasury", "lines", "bank_1"): round(40 * 10 / 70, 9),
        ("A", "treasury", "costs", "costs"): round(40 * 10 / 70, 9),
        ("B", "treasury", "same_borrowers", "B"): 50.0,
    }
    assert expected == by_use(uses)


def test_money_moved_between_accounts_is_followed_to_its_rest() -> None:
    uses = follow(
        freed=[("A", "abs_1", 100)],
        lent=[("treasury", "A", "returning", 30), ("treasury", "B", "returning", 30)],
        outflows=[("abs_1", "notes", "abs_1:senior", 60)],
        transfers=[("abs_1", "treasury", 40)],
    )
    # 60 to the notes, 40 to the treasury, which pays A and B half each; 20 comes back to A's own borrowers.
    expected = {
        ("A", "abs_1", "notes", "abs_1:senior"): 60.0,
        ("A", "abs_1", "same_borrowers", "A"): 20.0,
        ("A", "abs_1", "other_segments", "B"): 20.0,
    }
    assert expected == by_use(uses)


def test_circular_transfers_by_hand() -> None:
    # Of x paid by the treasury, half goes to the warehouse, which sends half of that back: 2/3 rest in the line.
    uses = follow(
        freed=[("A", "treasury", 30)],
        outflows=[("treasury", "lines", "bank_1", 20), ("warehouse", "notes", "warehouse", 10)],
        transfers=[("treasury", "warehouse", 20), ("warehouse", "treasury", 10)],
    )
    assert by_use(uses) == {("A", "treasury", "lines", "bank_1"): 20.0, ("A", "treasury", "notes", "warehouse"): 10.0}


def test_accounts_that_only_pay_each_other_hold_nothing_of_tonight() -> None:
    uses = follow(
        freed=[("A", "treasury", 30)],
        outflows=[("treasury", "partner", "bank", 30)],
        transfers=[("x", "y", 5), ("y", "x", 5), ("z", "z", 1)],
    )
    assert by_use(uses) == {("A", "treasury", "partner", "bank"): 30.0}


def test_a_great_circle_beside_a_small_use_costs_no_digits() -> None:
    uses = follow(
        freed=[("A", "x", 0.03)],
        outflows=[("y", "lines", "bank_1", 0.01), ("z", "costs", "c", 0.02)],
        transfers=[("x", "y", 6e11), ("y", "z", 6e11), ("z", "x", 6e11)],
    )
    assert uses["amount"].sum() == pytest.approx(0.03, rel=1e-12)
    shares = uses[uses["use"] != "buffers"].set_index("use")["amount"]
    assert shares["costs"] / shares["lines"] == pytest.approx(2.0, rel=1e-9)


def test_what_was_not_paid_out_rests_in_the_buffers_of_the_account() -> None:
    uses = follow(freed=[("A", "abs_1", 10)], transfers=[("abs_1", "treasury", 4)])
    assert by_use(uses) == {("A", "abs_1", "buffers", "abs_1"): 6.0, ("A", "abs_1", "buffers", "treasury"): 4.0}


def test_other_receipts_pay_their_part() -> None:
    # The account paid 90 and kept nothing, 60 of it from elsewhere: freed money pays a third of everything.
    uses = follow(
        freed=[("A", "treasury", 30)],
        outflows=[("treasury", "lines", "bank_1", 60), ("treasury", "buffers", "reserve", 30)],
    )
    expected = {("A", "treasury", "lines", "bank_1"): 20.0, ("A", "treasury", "buffers", "reserve"): 10.0}
    assert expected == by_use(uses)


def test_nothing_freed_gives_an_empty_table_with_its_columns() -> None:
    uses = follow(freed=[("A", "treasury", 0)], lent=[("treasury", "A", "new", 5)])
    assert list(uses.columns) == ["segment", "account", "use", "to", "amount"]
    assert uses.empty
    assert follow(freed=[]).empty


def test_refusals() -> None:
    with pytest.raises(ValueError, match="negative or missing"):
        follow(freed=[("A", "treasury", -1)])
    with pytest.raises(ValueError, match="negative or missing"):
        follow(freed=[("A", "treasury", float("nan"))])
    with pytest.raises(ValueError, match="unknown uses"):
        follow(freed=[("A", "treasury", 1)], outflows=[("treasury", "gifts", "x", 1)])
    with pytest.raises(ValueError, match="unknown borrowers"):
        follow(freed=[("A", "treasury", 1)], lent=[("treasury", "A", "old", 1)])


segments, accounts = st.sampled_from(["A", "B", "C"]), st.sampled_from(["treasury", "abs_1", "warehouse_a"])
amounts = st.one_of(st.just(0.0), st.floats(0.001, 1e9))
nights = st.fixed_dictionaries(
    {
        "freed": st.lists(st.tuples(segments, accounts, amounts), max_size=8),
        "lent": st.lists(st.tuples(accounts, segments, st.sampled_from(["returning", "new"]), amounts), max_size=8),
        "outflows": st.lists(
            st.tuples(accounts, st.sampled_from(USES[3:]), st.sampled_from(["x", "y"]), amounts), max_size=6
        ),
        "transfers": st.lists(st.tuples(accounts, accounts, amounts), max_size=6),
    }
)


@given(nights)
@settings(max_examples=300)
def test_every_fen_is_found_again(night: dict[str, Rows]) -> None:
    freed = pd.DataFrame(night["freed"], columns=FREED).astype({"amount": float})
    came_in = freed.groupby(["segment", "account"])["amount"].sum()
    uses = follow(**night)
    assert (uses["amount"] > 0).all()
    found = uses.groupby(["segment", "account"])["amount"].sum().reindex(came_in.index, fill_value=0.0)
    assert np.allclose(found, came_in, rtol=1e-9, atol=1e-9)
    rounded = uses_in_fen(uses, freed)
    in_rows = rounded.groupby(["segment", "account"])["amount"].sum().reindex(came_in.index, fill_value=0.0)
    assert in_fen(in_rows.to_numpy()).tolist() == in_fen(came_in.to_numpy()).tolist()


@given(nights)
def test_no_use_gets_more_than_was_paid_and_own_borrowers_come_first(night: dict[str, Rows]) -> None:
    lent = pd.DataFrame(night["lent"], columns=LENT).astype({"amount": float})
    returning = lent[lent["borrower"] == "returning"].groupby("segment")["amount"].sum()
    uses = follow(**night)
    lending = uses[uses["use"].isin(["same_borrowers", "other_segments"])].groupby("to")["amount"].sum()
    paid = returning.reindex(lending.index, fill_value=0.0)
    assert (lending <= paid * (1 + 1e-9) + 1e-6).all()
    same = uses["use"] == "same_borrowers"
    assert (uses.loc[same, "segment"] == uses.loc[same, "to"]).all()
    assert (
        uses.loc[uses["use"] == "other_segments", "segment"] != uses.loc[uses["use"] == "other_segments", "to"]
    ).all()
