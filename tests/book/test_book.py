"""The book as an object: what it holds, that it does not change, edits, labelled arrays."""

import datetime
import pickle

import numpy as np
import pandas as pd
import pytest

from liquidity.book import TABLES, requests_on
from liquidity.errors import BadInput


def test_canonical_tables(small):
    """All tables; key as index, rows sorted by it, columns in the order of the dictionary, no object columns."""
    assert tuple(TABLES) == tuple(small.tables)
    for name, table in TABLES.items():
        frame = small[name]
        assert list(frame.columns) == [column for column in table.names if not (table.indexed and column in table.keys)]
        assert [name for name in frame.index.names if name] == (list(table.keys) if table.indexed else [])
        assert frame.index.is_monotonic_increasing
        assert set(map(str, frame.dtypes)) <= {"float64", "int64", "bool", "str", "datetime64[s]"}


def test_lender(small):
    assert datetime.date(2026, 6, 30) == small.as_of
    assert small.currency == "CNY"
    assert small.lender.cash == 50e6
    assert "3 segments" in repr(small)


def test_defaults(rows, make, small):
    """Columns left out get their default; cells of other kinds may be blank."""
    for row in rows["balances"]:
        del row["npl"]
    del rows["lender"][0]["cash_rate"]
    for row in rows["facilities"]:
        row.pop("cash_rate", None)
    book = make(rows)
    assert (book["balances"]["npl"] == 0).all()
    assert book.lender.cash_rate == 0
    house = small["facilities"].loc["house"]
    assert tuple(house[["own_share", "advance_rate", "partner", "class", "frozen"]]) == (
        1.0,
        0.0,
        "",
        "standardised",
        False,
    )
    assert pd.isna(house["revolving_end"])


def test_requests_hold_from_the_date_of_the_book(rows, make):
    rows["requests"] = [{**rows["requests"][i], "from": None} for i in (0, 2, 3)]
    for row in rows["requests"]:
        del row["from"]
    assert {pd.Timestamp("2026-06-30")} == set(make(rows)["requests"].index.get_level_values("from"))


def test_requests_on_a_date(small):
    assert list(requests_on(small, pd.Timestamp("2026-07-14"))["new_demand"]) == [3e6, 1e6, 1e6]
    assert list(requests_on(small, pd.Timestamp("2026-07-15"))["new_demand"]) == [2e6, 1e6, 1e6]


def test_nothing_changes_a_book(small):
    before = small.digest
    balances, lines, lender = small["balances"], small.tables["lines"], small.lender
    balances.iloc[0, 0] = 1.0
    lines["rate"] = 0.9
    lender["cash"] = 0.0
    with pytest.raises(AttributeError):
        small.tables = {}
    with pytest.raises(TypeError):
        small.tables["lines"] = small["lines"]
    assert before == small.replace("lines", small["lines"]).digest
    assert small.lender.cash == 50e6


def test_digest(small, rows, make):
    """Known for ever: a change of the canonical form would orphan every stored run."""
    assert small.digest == "3bce375e9d5d1682c1b6551af5b33761d90f0ef1fd863143b54c18ce99a0b0e1"
    assert small == pickle.loads(pickle.dumps(small))
    assert hash(small) == hash(make(rows))
    assert len({small.edit("lender", cash=cash).digest for cash in (50e6, 50e6 + 1e-8)}) == 2
    assert small.edit("lender", opex_per_year=-0.0) == small.edit("lender", opex_per_year=0.0)


def test_later_columns_are_in_the_digest_where_they_say_something(small):
    assert small.edit("lender", None, hqla_2a=0.0).digest == small.digest
    assert small.edit("lender", None, hqla_2a=1.0).digest != small.digest
    first = small["segments"].index[0]
    assert small.edit("segments", first, guarantor="surety").digest != small.digest


EDITS = [
    ("lender", None, {"cash": 60e6}),
    ("segments", "A-east", {"pd": 0.03, "region": "north", "borrowers": 7}),
    ("balances", ("A-east", "house"), {"balance": 151e6}),
    ("requests", "A-east", {"asked": 0.5}),
    ("requests", ("A-east", datetime.date(2026, 7, 15)), {"asked": 0.5}),
    ("facilities", "abs_2026a", {"frozen": True, "revolving_end": datetime.date(2026, 9, 30)}),
    ("lines", "bank_a", {"maturity": datetime.date(2027, 1, 1), "revolving": False}),
    ("lines", "bond_1", {"maturity": None}),
    ("calendar", datetime.date(2026, 7, 4), {"business_day": True}),
    ("pins", 1, {"reason": "other", "to": "2026-07-08"}),
    ("segments", None, {"priority": 3.0}),
]


@pytest.mark.parametrize(("table", "key", "columns"), EDITS)
def test_edit(table, key, columns, small):
    """Only the named cells change."""
    book = small.edit(table, key, **columns)
    assert small != book
    old, new = small[table], book[table]
    assert old.index.equals(new.index)
    for name in old.columns:
        changed = ~((old[name] == new[name]) | (old[name].isna() & new[name].isna()))
        assert changed.any() == (name in columns)
        if key is not None and name in columns:
            assert changed.sum() == (2 if key == "A-east" and table == "requests" else 1)
    assert all(small[name].equals(book[name]) for name in TABLES if name != table)


@pytest.mark.parametrize(
    ("table", "key", "columns"),
    [
        ("segments", "Z", {"pd": 0.1}),
        ("segments", "A-east", {"pd": 1.5}),
        ("segments", "A-east", {"colour": 1}),
        ("pins", 7, {"amount": 1.0}),
        ("balances", ("A-east", "house"), {"balance": np.nan}),
        ("lines", "bank_a", {"rate": "4%"}),
        ("lines", "bank_a", {"class": "\ud800"}),
    ],
)
def test_edits_are_checked(table, key, columns, small):
    with pytest.raises(BadInput):
        small.edit(table, key, **columns)


def test_replace_several_together(small):
    """A segment comes with its requests."""
    segments, requests = small["segments"].reset_index(), small["requests"].reset_index()
    book = small.replace(
        segments=pd.concat([segments, segments.iloc[:1].assign(segment="D")]),
        requests=pd.concat([requests, requests.iloc[:1].assign(segment="D")]),
    )
    assert list(book["segments"].index) == ["A-east", "B-west", "C级华东", "D"]
    with pytest.raises(BadInput):
        small.replace("segments", book["segments"])
    with pytest.raises(BadInput):
        small.replace("profiles", book["segments"])


def test_dataset(small):
    data = small.dataset()
    assert dict(data.sizes) == {"segment": 3, "facility": 4, "tranche": 3, "line": 2}
    assert list(data.tranche.values) == ["abs_2026a/mezzanine", "abs_2026a/senior", "abs_2026a/sub"]
    assert data.balance.dims == ("segment", "facility")
    assert data.balance.sel(segment="B-west", facility="warehouse") == 80e6
    assert data.balance.sel(segment="B-west", facility="abs_2026a") == 0.0
    assert data.repaid_principal.sel(segment="A-east", facility="abs_2026a") == 5e5
    assert np.isnan(data.repaid_principal.sel(segment="B-west", facility="house"))
    assert data.segment_pd.sel(segment="C级华东") == 0.07
    assert data.tranche_coupon.sel(tranche="abs_2026a/senior") == 0.035
    assert data.line_kind.sel(line="bond_1") == "bond"
    assert data.asked.sel(segment="A-east") == 0.9
    assert tuple(data[name].attrs["units"] for name in ("balance", "lender_opex_per_year", "line_rate")) == (
        "CNY",
        "CNY/year",
        "1/year",
    )
    assert all(variable.attrs["meaning"] for variable in data.data_vars.values())


def test_dataset_tells_the_currency(rows, make):
    rows["lender"][0]["currency"] = "EUR"
    assert make(rows).dataset().balance.attrs["units"] == "EUR"
