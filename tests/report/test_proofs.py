"""Limits by use, and the checks that the page makes on the tables."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from liquidity.report import proofs

MakeTables = Callable[..., dict[str, pd.DataFrame]]
NIGHT = "2026-11-24"


def limits(*rows: tuple[object, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["rule", "at", "used", "limit", "level"])
    return frame.assign(period=NIGHT, unit="%", kind="x", shortfall=0.0)


def test_use_of_caps_and_of_least_amounts() -> None:
    rows = limits(
        ("cap", "region=east", 16.0, 32.0, "green"),
        ("cap", "region=north", 32.0, 32.0, "binding"),
        ("cap", "region=west", 32.0, 32.0, "binding"),
        ("floor", "", 12.0, 10.0, "amber"),
        ("broken_floor", "", 8.0, 10.0, "gave_way"),
        ("broken_cap", "", 12.0, 10.0, "gave_way"),
        ("empty_floor", "", 0.0, 10.0, "gave_way"),
        ("shut", "segment=A", 0.0, 0.0, "binding"),
        ("shut", "segment=B", 0.0, 0.0, "green"),
        ("open", "segment=A", 0.0, 0.0, "green"),
    )
    found = proofs.limit_use(rows, NIGHT).set_index("rule")
    assert list(found.index) == ["empty_floor", "broken_floor", "broken_cap", "cap", "shut", "floor"]
    assert found["use"].tolist() == pytest.approx([1e9, 1.25, 1.2, 1.0, 1.0, 10 / 12])
    assert found["floor"].tolist() == [True, True, False, False, False, True]
    assert (found.at["cap", "at"], found.at["cap", "others"]) == ("region=north", 1)
    assert proofs.limit_use(rows, "2026-11-25").empty


def test_what_gave_way_leads_with_the_largest_shortfall() -> None:
    rows = limits(("a", "1", 1.0, 1.0, "gave_way"), ("a", "2", 1.0, 1.0, "gave_way"), ("b", "", 1.0, 1.0, "green"))
    rows["shortfall"] = [1.0, 2.0, 0.0]
    assert proofs.gave_way(rows)["at"].tolist() == ["2", "1"]


def test_the_checks_of_the_run_are_told_with_their_verdict() -> None:
    checks = {"primal_residual": 1e-12, "balance_sheet": 1e-3, "ledger_fen": 0, "own_check": 2.5, "replayed": True}
    told = {proof.says: (proof.found, proof.holds) for proof in proofs.told(checks)}
    assert told == {
        "Rows and bounds of the program are met": ("1e-12", True),
        "Assets less liabilities is equity, every period": ("0.001", False),
        "Ledger adds up, in fen": ("0 fen", True),
        "own check": ("2.5", None),
        "replayed": ("True", True),
    }


def test_identities_hold_and_a_lost_fen_is_seen(make_tables: MakeTables) -> None:
    tables = dict(make_tables())
    assert [proof.holds for proof in proofs.found(tables)] == [True] * 4
    for name, column, place in (("ledger", "declined", 0), ("uses", "amount", 1), ("reasons", "amount", -1)):
        spoilt = tables[name].copy()
        spoilt.iloc[place, spoilt.columns.get_loc(column)] += 0.01
        found = proofs.found({**tables, name: spoilt})
        assert [proof.found for proof in found if not proof.holds] == ["1 fen"]
