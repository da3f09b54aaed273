"""What must hold between the rows and tables of a book.

Every check takes the flat tables (NaN where a cell could not be read: no comparison with NaN is ever a problem) and
gives its problems; a table that is missing altogether has been reported already and is not checked against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set

import numpy as np
import pandas as pd

from liquidity.book.checks_issues import issue_problems, share_problems
from liquidity.book.eligibility import term_problems
from liquidity.book.fields import TABLES, Field
from liquidity.book.opening import opening_of
from liquidity.book.tidy import row_labels
from liquidity.errors import Problem

Tables = Mapping[str, pd.DataFrame]
ROUNDING = 1e-9
"Relative tolerance of comparisons between amounts that are added up."
LARGEST_OTHER = 0.05
"Largest part of the assets by which a book may fail to balance."


def check_tables(tables: Tables, absent: Set[str]) -> list[Problem]:
    """Every problem between tables; `absent` are the tables that were not given or could not be read."""
    problems = [problem for name in TABLES if name not in absent for problem in _references(name, tables, absent)]
    for needs, check in _CHECKS:
        if not absent & set(needs):
            problems += check(tables)
    return problems


def _at(name: str, tables: Tables, mask: pd.Series | np.ndarray, column: str, expected: str) -> list[Problem]:
    """A problem for every row of the mask, with the value found in `column`."""
    frame = tables[name]
    label = row_labels(frame, TABLES[name])
    values = frame[column]
    return [
        Problem(name, label(int(i)), column, _plain(values.iloc[i]), expected) for i in np.flatnonzero(np.asarray(mask))
    ]


def _plain(value: object) -> object:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return value.item() if isinstance(value, np.generic) else value


def _references(name: str, tables: Tables, absent: Set[str]) -> Iterable[Problem]:
    for field in TABLES[name].fields:
        if field.refers and field.refers not in absent and _is_given(field, tables):
            column = tables[name][field.name]
            known = tables[field.refers][TABLES[field.refers].keys[0]]
            unknown = ~column.isin(known) & (column != "")
            yield from _at(name, tables, unknown, field.name, f"a row of the table {field.refers}")


def _is_given(field: Field, tables: Tables) -> bool:
    """A table without rows names nobody: partners need not be described, no segments is an error of its own."""
    return field.refers == "lines" or len(tables[field.refers]) > 0


def _one_lender(tables: Tables) -> list[Problem]:
    rows = len(tables["lender"])
    return [] if rows == 1 else [Problem("lender", "", "", f"{rows} rows", "exactly one row")]


def _some_rows(tables: Tables) -> list[Problem]:
    return [
        Problem(name, "", "", "no rows", "at least one row")
        for name in ("segments", "facilities")
        if not len(tables[name])
    ]


def _one_balance_sheet(tables: Tables) -> list[Problem]:
    count = int((tables["facilities"]["kind"] == "balance_sheet").sum())
    if count == 1:
        return []
    return [Problem("facilities", "", "kind", f"{count} balance_sheet", "exactly one facility of kind balance_sheet")]


def _dates_in_order(tables: Tables) -> list[Problem]:
    frame = tables["facilities"]
    late = frame["revolving_end"] > frame["legal_final"]
    return _at("facilities", tables, late, "revolving_end", "a date not after legal_final")


def _pins_in_order(tables: Tables) -> list[Problem]:
    frame = tables["pins"]
    return _at("pins", tables, frame["from"] > frame["to"], "from", "a date not after `to`")


def _months(tables: Tables) -> list[Problem]:
    month = tables["servicer"]["month"]
    return _at("servicer", tables, month.notna() & (month.dt.day != 1), "month", "the first day of a month")


def _plain_labels(tables: Tables) -> list[Problem]:
    """`facility/tranche` is the label of a class of notes, so neither part may hold a slash."""
    return [
        problem
        for name, column in (("facilities", "facility"), ("tranches", "tranche"))
        for problem in _at(name, tables, tables[name][column].str.contains("/"), column, "a label without /")
    ]


def _past_due_within(tables: Tables) -> list[Problem]:
    frame = tables["balances"]
    late = frame["past_due_1_30"] + frame["past_due_31_90"]
    return _at("balances", tables, late > frame["balance"] * (1 + ROUNDING), "balance", "at least its past-due parts")


def _pays_down(tables: Tables) -> list[Problem]:
    """A book of segments that neither repay nor default never ends; its shares of repayment are 0/0."""
    frame = tables["segments"]
    stuck = (frame["monthly_payment_rate"] == 0) & (frame["pd"] == 0)
    return _at("segments", tables, stuck, "monthly_payment_rate", "a number above 0 where pd is 0")


def _repaid_within(tables: Tables) -> list[Problem]:
    frame, key = tables["repaid"], ["segment", "facility"]
    if frame.empty:
        return []
    held = tables["balances"].drop_duplicates(key).set_index(key)["balance"]
    rows = held.index.get_indexer(pd.MultiIndex.from_frame(frame[key]))
    most = np.append(held.to_numpy(), 0.0)[rows]  # a pair not found is row -1: it holds nothing
    known = frame["segment"].isin(tables["segments"]["segment"])
    known &= frame["facility"].isin(tables["facilities"]["facility"])
    above = known & (frame["principal"] > most * (1 + ROUNDING))
    bad = known & ~above & (frame["principal"] + frame["defaulted"] > most * (1 + ROUNDING))
    lost = known & (frame["interest"] > 0) & (most == 0)
    return [
        *_at("repaid", tables, above, "principal", "at most the balance of the segment in the facility"),
        *_at("repaid", tables, bad, "defaulted", "at most what is left of the balance after what was repaid"),
        *_at("repaid", tables, lost, "interest", "0 where the facility holds no loans of the segment"),
    ]


def _requests_tonight(tables: Tables) -> list[Problem]:
    """Every segment has a row of requests in force on the date of the book."""
    as_of = tables["lender"]["as_of"]
    if len(as_of) != 1 or as_of.isna().any():
        return []
    frame = tables["requests"]
    known = frame.loc[~(frame["from"] > as_of.iloc[0]), "segment"]
    expected = f"a row of requests that holds on {as_of.iloc[0]:%Y-%m-%d}"
    segments = tables["segments"]["segment"]
    without = segments[~segments.isin(known) & (segments != "")]
    return [Problem("requests", segment, "from", "no row", expected) for segment in without]


def _tranches_of_abs(tables: Tables) -> list[Problem]:
    facilities, tranches = tables["facilities"], tables["tranches"]
    issuers = facilities.loc[facilities["kind"] == "abs", "facility"]
    known = facilities.loc[facilities["kind"] != "", "facility"]
    foreign = tranches["facility"].isin(known) & ~tranches["facility"].isin(issuers)
    again = tranches.duplicated(["facility", "seniority"]) & tranches["seniority"].notna()
    without = issuers[~issuers.isin(tranches["facility"])]
    return [
        *_at("tranches", tables, foreign, "facility", "a facility of kind abs"),
        *_at("tranches", tables, again, "seniority", "a different seniority for each tranche of a facility"),
        *(Problem("tranches", facility, "facility", "no row", "tranches for every abs") for facility in without),
    ]


def _tranches_covered(tables: Tables) -> list[Problem]:
    facilities = tables["facilities"]
    notes = tables["tranches"].groupby("facility")["balance"].sum()
    loans = tables["balances"].groupby("facility")["balance"].sum()
    names = facilities["facility"]
    pool = names.map(loans).astype("float64").fillna(0.0) + facilities["cash"]
    owed = names.map(notes).astype("float64")
    short = (facilities["kind"] == "abs") & (owed > pool * (1 + ROUNDING))
    label = row_labels(facilities, TABLES["facilities"])
    return [
        Problem("tranches", label(int(i)), "balance", float(owed.iloc[i]), f"at most loans + cash = {pool.iloc[i]:.2f}")
        for i in np.flatnonzero(short)
    ]


def _no_money_machine(tables: Tables) -> list[Problem]:
    """Cash must never earn more where it is locked than free, nor more than it costs to borrow."""
    if len(tables["lender"]) != 1:
        return []
    treasury = float(tables["lender"]["cash_rate"].iloc[0])
    above = tables["facilities"]["cash_rate"] > treasury
    problems = _at("facilities", tables, above, "cash_rate", f"at most the lender's cash_rate {treasury:g}")
    lines = tables["lines"]
    # a deposit cannot be drawn at will, so that it may cost less than cash earns
    drawn = (lines["rate"] > 0) & (lines["kind"] != "deposit")
    cost = (lines["rate"] - lines["commitment_fee"]).where(drawn)
    return problems + [
        Problem("lender", "", "cash_rate", treasury, f"below rate - commitment_fee = {net:g} of line {line}")
        for line, net in zip(lines["line"], cost, strict=True)
        if net <= treasury
    ]


def _balances(tables: Tables) -> list[Problem]:
    if len(tables["lender"]) != 1:
        return []
    sheet = opening_of(tables)
    if not sheet.share > LARGEST_OTHER:
        return []
    found = f"assets {sheet.assets:.2f}, debts {sheet.debts:.2f}, equity {sheet.equity:.2f}"
    return [Problem("lender", "", "equity", found, "a book that balances: assets - debts = equity within 5% of assets")]


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Tables], list[Problem]]], ...] = (
    (("lender",), _one_lender),
    (("segments", "facilities"), _some_rows),
    (("facilities",), _one_balance_sheet),
    (("facilities",), _dates_in_order),
    (("pins",), _pins_in_order),
    (("servicer",), _months),
    (("facilities", "tranches"), _plain_labels),
    (("balances",), _past_due_within),
    (("segments",), _pays_down),
    (("segments", "facilities", "balances", "repaid"), _repaid_within),
    (("lender", "segments", "requests"), _requests_tonight),
    (("facilities", "tranches"), _tranches_of_abs),
    (("facilities", "tranches", "balances"), _tranches_covered),
    (("lender", "issues", "facilities", "tranches", "balances"), issue_problems),
    (("issues", "tranches"), share_problems),
    (("lender", "facilities", "lines"), _no_money_machine),
    (("eligibility",), term_problems),
    (("lender", "facilities", "balances", "tranches", "lines"), _balances),
)
