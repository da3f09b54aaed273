"""Every check, by planting its error in a right book; and all errors of a book at once."""

import math

import pytest

from liquidity.book import TABLES, opening
from liquidity.errors import BadInput


def put(table, at, **values):
    """An error: other values in row number `at` of a table."""
    return lambda rows: rows[table][at].update(values)


def lose(table, *names):
    """An error: columns that are not there."""
    return lambda rows: [row.pop(name, None) for row in rows[table] for name in names]


def again(table, at, **values):
    """An error: row number `at` once more."""
    return lambda rows: rows[table].append({**rows[table][at], **values})


def drop(table, at=None):
    """An error: row number `at`, or the whole table, is not there."""
    return lambda rows: rows.pop(table) if at is None else rows[table].pop(at)


HOUSE, JOINT, WAREHOUSE, ABS = range(4)
PLANTED = [
    # the shape of the tables
    ("unknown table", lambda rows: rows.update(profiles=[{"segment": "A-east", "month": 1}]), "profiles", "", ""),
    ("missing table", drop("lines"), "lines", "", ""),
    ("missing column", lose("segments", "pd"), "segments", "", "pd"),
    ("unknown column", put("segments", 0, colour="red"), "segments", "", "colour"),
    ("missing warehouse column", lose("facilities", "advance_rate"), "facilities", "", "advance_rate"),
    ("no segments", lambda rows: rows["segments"].clear(), "segments", "", ""),
    ("lender twice", again("lender", 0), "lender", "", ""),
    ("two currencies in lender", again("lender", 0, currency="USD"), "lender", "", ""),
    ("another currency", put("lines", 0, currency="USD"), "lines", "1", "currency"),
    # cells
    ("blank number", put("lender", 0, cash=None), "lender", "1", "cash"),
    ("NaN", put("balances", 0, balance=math.nan), "balances", "A-east/house", "balance"),
    ("NaN where a default exists", put("balances", 0, npl=math.nan), "balances", "A-east/house", "npl"),
    ("infinite", put("lender", 0, cash=math.inf), "lender", "1", "cash"),
    ("text for a number", put("segments", 1, apr="12%"), "segments", "B-west", "apr"),
    ("thousands", put("segments", 1, limit="20,000"), "segments", "B-west", "limit"),
    ("true for a number", put("segments", 1, lgd=True), "segments", "B-west", "lgd"),
    ("fraction for an integer", put("segments", 1, borrowers=10.5), "segments", "B-west", "borrowers"),
    ("number for a date", put("lines", 0, maturity=20270101), "lines", "bank_a", "maturity"),
    ("no such date", put("lines", 0, maturity="2026-02-30"), "lines", "bank_a", "maturity"),
    ("hour in a date", put("lines", 0, maturity="2026-02-20 10:00"), "lines", "bank_a", "maturity"),
    ("number for a boolean", put("lines", 0, revolving=2), "lines", "bank_a", "revolving"),
    ("time of day", put("lender", 0, cut_off="25:00"), "lender", "1", "cut_off"),
    ("currency code", put("lender", 0, currency="yuan"), "lender", "1", "currency"),
    ("blanks around a label", put("segments", 0, region=" east"), "segments", "A-east", "region"),
    ("control character", put("pins", 0, reason="a\x00b"), "pins", "1", "reason"),
    ("long label", put("segments", 0, product="x" * 201), "segments", "A-east", "product"),
    ("share above 1", put("requests", 0, asked=1.01), "requests", "A-east/2026-06-01", "asked"),
    ("share below 0", put("segments", 0, lgd=-0.1), "segments", "A-east", "lgd"),
    ("pd of 1", put("segments", 0, pd=1.0), "segments", "A-east", "pd"),
    ("priority of 0", put("segments", 0, priority=0.0), "segments", "A-east", "priority"),
    ("negative balance", put("balances", 0, balance=-1.0), "balances", "A-east/house", "balance"),
    ("rate in percent", put("lines", 0, rate=4.0), "lines", "bank_a", "rate"),
    ("unknown kind", put("lines", 0, kind="loan"), "lines", "bank_a", "kind"),
    ("unknown class", put("facilities", ABS, **{"class": "other"}), "facilities", "abs_2026a", "class"),
    ("blank key", put("tranches", 1, tranche=""), "tranches", "2", "tranche"),
    ("slash in a facility", put("facilities", WAREHOUSE, facility="a/b"), "facilities", "a/b", "facility"),
    ("slash in a tranche", put("tranches", 0, tranche="a/b"), "tranches", "abs_2026a/a/b", "tranche"),
    # keys and references
    ("duplicate segment", again("segments", 0), "segments", "A-east", "segment"),
    ("duplicate pair", again("balances", 0), "balances", "A-east/house", "segment/facility"),
    ("duplicate flow", again("flows", 0, amount=1.0), "flows", "2026-07-10/tax", "date/name"),
    ("unknown segment", put("balances", 0, segment="X"), "balances", "X/house", "segment"),
    ("unknown facility", put("repaid", 0, facility="X"), "repaid", "A-east/X", "facility"),
    ("unknown line", put("pins", 1, line="X"), "pins", "2", "line"),
    ("unknown partner", put("facilities", JOINT, partner="X"), "facilities", "joint_bank", "partner"),
    # facilities
    ("two houses", again("facilities", HOUSE, facility="house_2"), "facilities", "", "kind"),
    ("joint without partner", put("facilities", JOINT, partner=None), "facilities", "joint_bank", "partner"),
    ("joint without share", put("facilities", JOINT, own_share=None), "facilities", "joint_bank", "own_share"),
    ("warehouse without rate", put("facilities", WAREHOUSE, rate=None), "facilities", "warehouse", "rate"),
    ("revolving late", put("facilities", ABS, revolving_end="2029-01-01"), "facilities", "abs_2026a", "revolving_end"),
    ("facility cash too dear", put("facilities", ABS, cash_rate=0.011), "facilities", "abs_2026a", "cash_rate"),
    # tranches
    ("same seniority", put("tranches", 1, seniority=1), "tranches", "abs_2026a/mezzanine", "seniority"),
    ("abs without tranches", lambda rows: rows["tranches"].clear(), "tranches", "abs_2026a", "facility"),
    ("tranche of a warehouse", put("tranches", 2, facility="warehouse"), "tranches", "warehouse/sub", "facility"),
    ("more notes than pool", put("tranches", 2, balance=13e6 + 1), "tranches", "abs_2026a", "balance"),
    # the rest
    ("past due above balance", put("balances", 0, past_due_1_30=151e6), "balances", "A-east/house", "balance"),
    ("stuck", put("segments", 0, pd=0.0, monthly_payment_rate=0.0), "segments", "A-east", "monthly_payment_rate"),
    ("repaid above balance", put("repaid", 0, principal=151e6), "repaid", "A-east/house", "principal"),
    ("defaulted above what is left", put("repaid", 0, defaulted=149.5e6), "repaid", "A-east/house", "defaulted"),
    ("repaid without balance", put("repaid", 0, facility="warehouse"), "repaid", "A-east/warehouse", "principal"),
    ("interest without balance", put("repaid", 0, facility="warehouse"), "repaid", "A-east/warehouse", "interest"),
    ("segment without requests", drop("requests", 2), "requests", "B-west", "from"),
    ("requests from tomorrow", put("requests", 2, **{"from": "2026-07-01"}), "requests", "B-west", "from"),
    ("condition on no column", put("eligibility", 0, field="colour"), "eligibility", "abs_2026a/colour/<=", "field"),
    ("condition with no number", put("eligibility", 0, value="low"), "eligibility", "abs_2026a/pd/<=", "value"),
    ("list with a blank", put("eligibility", 0, op="in", value="0.1|"), "eligibility", "abs_2026a/pd/in", "value"),
    ("order of texts", put("eligibility", 1, op="<"), "eligibility", "abs_2026a/region/<", "op"),
    ("unknown op", put("eligibility", 0, op="~"), "eligibility", "abs_2026a/pd/~", "op"),
    ("month not on its first", put("servicer", 0, month="2026-04-30"), "servicer", "abs_2026a/2026-04-30", "month"),
    ("pin backwards", put("pins", 0, to="2026-06-30"), "pins", "1", "from"),
    ("book does not balance", put("lender", 0, equity=330e6), "lender", "", "equity"),
    ("cash earns more than a line costs", put("lender", 0, cash_rate=0.0375), "lender", "", "cash_rate"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plant", "table", "row", "column"), [case[1:] for case in PLANTED], ids=[c[0] for c in PLANTED]
)
def test_planted_error(plant, table, row, column, rows, make):
    plant(rows)
    with pytest.raises(BadInput) as caught:
        make(rows)
    places = [(problem.table, problem.row, problem.column) for problem in caught.value.problems]
    assert (table, row, column) in places
    assert len(places) <= 5, str(caught.value)  # the error and its consequences
    assert all(problem.expected for problem in caught.value.problems)


def test_all_errors_at_once(rows, make):
    """One error of every cell check in one book: all are listed, each once."""
    put("lender", 0, cash="abc", hqla=-1.0)(rows)
    put("segments", 0, pd=2.0)(rows)
    put("segments", 1, region=None, apr=math.nan)(rows)
    put("balances", 5, balance=-5.0, facility="nowhere")(rows)
    put("pins", 0, target="wish")(rows)
    lose("lines", "rate")(rows)
    with pytest.raises(BadInput) as caught:
        make(rows)
    found = [(problem.table, problem.row, problem.column, problem.value) for problem in caught.value.problems]
    expected = {
        ("lender", "1", "cash", "abc"),
        ("lender", "1", "hqla", -1.0),
        ("segments", "A-east", "pd", 2.0),
        ("segments", "B-west", "region", ""),
        ("segments", "B-west", "apr", ""),
        ("balances", "A-east/nowhere", "balance", -5.0),
        ("balances", "A-east/nowhere", "facility", "nowhere"),
        ("pins", "1", "target", "wish"),
        ("lines", "", "rate", ""),
    }
    assert expected <= set(found)
    assert len(found) == len(set(found))


def test_a_problem_reads_well(rows, make):
    put("segments", 1, apr="12%")(rows)
    with pytest.raises(
        BadInput, match=r"segments \(row B-west, column apr\): found '12%', expected a finite number from"
    ):
        make(rows)


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if not table.required])
def test_optional_tables(table, rows, make):
    rows.pop(table, None)  # the small book has no planned issues
    book = make(rows)
    assert len(book[table]) == 0
    assert tuple(book[table].reset_index().columns[-len(TABLES[table].names) :])


def test_a_missing_table_is_not_checked_against(rows, make):
    """Without facilities nothing is said of the rows that refer to them."""
    drop("facilities")(rows)
    with pytest.raises(BadInput) as caught:
        make(rows)
    assert [(p.table, p.expected) for p in caught.value.problems] == [("facilities", "a required table")]


def test_right_at_the_edge(rows, make):
    """Equal is not above: notes equal to the pool, repaid equal to the balance, a cash rate just below a line's."""
    put("tranches", 2, balance=13e6)(rows)
    put("repaid", 0, principal=150e6)(rows)
    put("lender", 0, cash_rate=0.0369)(rows)
    put("facilities", ABS, cash_rate=0.0369, revolving_end="2028-06-30")(rows)
    make(rows)


def test_lines_that_cost_nothing_are_no_money_machine(rows, make):
    put("lines", 0, rate=0.0)(rows)
    make(rows)


def test_same_currency_may_be_repeated(rows, make, small):
    for row in rows["balances"]:
        row["currency"] = "CNY"
    assert small == make(rows)


def test_opening(small):
    """By hand: house 300 + joint 0.3 x 100 + warehouse 80 + abs 110 = 520 (millions)."""
    sheet = opening(small)
    assert (
        sheet.cash, sheet.hqla, sheet.facility_cash, sheet.own_loans, sheet.provision,
    ) == (50e6, 20e6, 5e6, 520e6, 15e6)  # fmt: skip
    assert (sheet.lines, sheet.notes, sheet.sold, sheet.equity) == (140e6, 60e6, 100e6, 300e6)
    assert sheet.assets == 580e6
    assert sheet.other == 300e6 + 15e6 + 140e6 + 60e6 + 100e6 - 50e6 - 20e6 - 5e6 - 520e6
    assert pytest.approx(20 / 580) == sheet.share
    assert math.isclose(sheet.assets + sheet.other, sheet.debts + sheet.equity)
