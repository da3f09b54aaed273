"""Made lenders: they pass every check, balance to the fen, come out the same again, and are what lies in data/."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liquidity.book import opening, read_book
from liquidity.book.make import SAMPLES, book_of, calm, main, make_lender, online_microlender
from liquidity.book.make_parts import Tables, own_balance, provision

DATA = Path(__file__).parents[2] / "data"
SIZES = [(8, 5), (9, 6), (40, 7), (64, 12), (300, 32)]


def freed_tonight(tables: Tables) -> pd.Series:
    """Principal repaid in one day, by segment, CNY."""
    segments = tables["segments"].set_index("segment")
    pays = -12 * np.log1p(-segments["monthly_payment_rate"])
    leaves = pays - np.log1p(-segments["pd"])
    share = -np.expm1(-leaves / 365) * pays / leaves
    held = tables["balances"].groupby("segment")["balance"].sum()
    return (held * share).reindex(segments.index)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_data_on_disk_is_what_the_generator_writes(name: str, tmp_path: Path) -> None:
    main([name, "--out", str(tmp_path)])
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    there = {path.name: path.read_bytes() for path in (DATA / name).glob("*.csv")}
    assert there == made


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_samples_on_disk_can_be_read(name: str) -> None:
    assert read_book(DATA / name) == book_of(SAMPLES[name]())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("segments", "facilities"), SIZES)
def test_random_lenders_pass_every_check_and_balance(segments: int, facilities: int, seed: int) -> None:
    book = book_of(make_lender(segments, facilities, seed))
    assert abs(opening(book).other) < 0.01
    assert (segments, facilities) == (len(book["segments"]), len(book["facilities"]))


@pytest.mark.parametrize("tables", [online_microlender(), calm(), online_microlender(7), make_lender(50, 9, 3)])
def test_no_jump_of_the_provision_on_day_one(tables: Tables) -> None:
    lender = tables["lender"].iloc[0]
    assert lender["provision"] == pytest.approx(provision(tables), abs=0.005)
    assert abs(opening(book_of(tables)).other) < 0.01


def test_the_same_seed_makes_the_same_lender() -> None:
    for make in (online_microlender, lambda seed: make_lender(30, 8, seed)):
        assert book_of(make(5)).digest == book_of(make(5)).digest
        assert book_of(make(5)).digest != book_of(make(6)).digest


@pytest.mark.parametrize(("segments", "facilities"), [(7, 5), (8, 4), (8, 33)])
def test_random_lenders_of_a_size_nobody_has_are_refused(segments: int, facilities: int) -> None:
    with pytest.raises(ValueError, match="at least 8 segments and 5 to 32 facilities"):
        make_lender(segments, facilities, 0)


@pytest.mark.parametrize(("segments", "facilities"), SIZES)
def test_random_lenders_have_every_kind_and_age(segments: int, facilities: int) -> None:
    tables = make_lender(segments, facilities, 1)
    places, as_of = tables["facilities"], tables["lender"].at[0, "as_of"]
    kinds = places["kind"].value_counts()
    assert set(kinds.index) == {"balance_sheet", "joint", "warehouse", "abs"}
    assert kinds["balance_sheet"] == 1
    end = places.loc[places["kind"] == "abs", "revolving_end"]
    assert (end > as_of).any()
    assert (end <= as_of).any()
    assert places["facility"].isin(tables["balances"]["facility"]).all()


def test_random_lenders_have_some_equity_behind_them() -> None:
    for seed in range(5):
        tables = make_lender(64, 8, seed)
        assert 0.15 < tables["lender"].at[0, "equity"] / own_balance(tables).sum() < 0.25


def test_the_sample_lender_is_as_large_as_it_says() -> None:
    tables = online_microlender()
    segments, balances = tables["segments"], tables["balances"]
    assert tuple(segments["purpose"].value_counts()[["consumption", "operation"]]) == (60, 4)
    assert {"A-full-east", "E-minimum-west", "firm-east"} <= set(segments["segment"])
    assert balances["balance"].sum() == pytest.approx(120e9, rel=1e-6)
    assert 600e6 < freed_tonight(tables).sum() < 1_000e6
    assert (segments.loc[segments["purpose"] == "operation", "limit"] <= 500_000).all()
    assert (segments["apr_all_in"] > 0.24).sum() == 1


def test_only_one_facility_may_take_the_two_special_segments_of_the_calm_lender() -> None:
    balances = calm()["balances"].set_index("segment")["facility"]
    assert balances["joint-east"] == "joint_a"
    assert balances["trust-west"] == "abs_2026a"


def test_every_gate_of_the_calm_lender_is_open() -> None:
    requests = calm()["requests"]
    assert (requests.drop(columns=["segment", "new_demand"]) == 1).all(axis=None)


def test_money_is_in_fen() -> None:
    for tables in (online_microlender(), calm(), make_lender(40, 7, 2)):
        for name, column in (("balances", "balance"), ("balances", "npl"), ("tranches", "balance"), ("lines", "drawn")):
            amounts = tables[name][column]
            assert (amounts == amounts.round(2)).all()
