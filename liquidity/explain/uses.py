"""Where the money a segment repaid tonight went: `same_borrowers`, `new_borrowers`, `other_segments`, `notes`, ...

Cash inside one account is fungible, so this is an attribution by a fixed rule:

1. what came into an account from a segment is first matched with what that account lent to the segment's own
   returning borrowers;
2. the rest is spread over everything else the account paid, in proportion;
3. money paid into another account is followed there, by 2., until it rests in a use.

Step 3 is an absorbing chain. With T[a, b] the share of account a's other payments that goes to account b and P[a, u]
the share that rests in use u, the money arriving in accounts y = y0 + T' y, and uses = P' y: one small linear solve,
whatever circles the transfers run in.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liquidity.explain.rounding import fen_by_key

Floats = NDArray[np.float64]

COLUMNS = ["segment", "account", "use", "to", "amount"]
USES = (
    "same_borrowers",
    "new_borrowers",
    "other_segments",
    "notes",
    "lines",
    "partner",
    "costs",
    "losses",
    "buffers",
)
# A place where money rests, before it is known whose money it is: lending to returning borrowers of a segment.
_RETURNING = "returning"


def attribute_uses(
    freed: pd.DataFrame, lent: pd.DataFrame, outflows: pd.DataFrame, transfers: pd.DataFrame
) -> pd.DataFrame:
    """Follow every segment's freed money to where it rests tonight.

    `freed` [segment, account, amount]: principal that came in; `lent` [account, segment, borrower, amount], borrower
    `returning` or `new`; `outflows` [account, use, to, amount]: everything else paid out or kept (`notes, lines,
    partner, costs, losses, buffers`); `transfers` [account, to_account, amount]. CNY, none negative; rows of one key
    add up. What an account received from repayments and transfers and did not pay out rests in its `buffers`.

    Returns rows [segment, account (where it came in), use, to, amount], CNY, sorted; they add up to `freed` for every
    (segment, account). `to` is the receiving segment where the use is lending. ValueError on a negative amount or an
    unknown use or borrower.
    """
    _check(freed, lent, outflows, transfers)
    came_in = freed.groupby(["segment", "account"])["amount"].sum()
    came_in = came_in[came_in > 0]
    own = lent[lent["borrower"] == "returning"].groupby(["segment", "account"])["amount"].sum()
    matched = own.reindex(came_in.index, fill_value=0.0).clip(upper=came_in)
    rest = came_in - matched
    resting = _resting_places(lent, outflows, matched)
    shares = _shares(rest, resting, transfers)
    rows: pd.DataFrame = pd.concat([_same(matched), _told(rest, shares)], ignore_index=True)
    rows = rows.groupby(COLUMNS[:-1])["amount"].sum().reset_index()
    return rows[rows["amount"] > 0].reset_index(drop=True)[COLUMNS]


def uses_in_fen(uses: pd.DataFrame, freed: pd.DataFrame) -> pd.DataFrame:
    """The same rows in whole fen: for every (segment, account) they add up to `freed`, rounded to fen, exactly."""
    totals = freed.groupby(["segment", "account"])["amount"].sum()
    rounded = fen_by_key(uses, ["segment", "account"], total=totals)
    return rounded[rounded["amount"] != 0].reset_index(drop=True)


def _check(freed: pd.DataFrame, lent: pd.DataFrame, outflows: pd.DataFrame, transfers: pd.DataFrame) -> None:
    tables = {"freed": freed, "lent": lent, "outflows": outflows, "transfers": transfers}
    for name, table in tables.items():
        if not (table["amount"] >= 0).all():
            raise ValueError(f"{name} holds an amount that is negative or missing")
    known = set(USES[3:])
    if unknown := set(outflows["use"]) - known:
        raise ValueError(f"unknown uses {sorted(unknown)}; known: {sorted(known)}")
    if unknown := set(lent["borrower"]) - {"returning", "new"}:
        raise ValueError(f"unknown borrowers {sorted(unknown)}; known: returning, new")


def _resting_places(lent: pd.DataFrame, outflows: pd.DataFrame, matched: pd.Series) -> pd.DataFrame:
    """What each account paid beyond the matched lending, by place: [account, use, to, amount]."""
    kinds = {"returning": _RETURNING, "new": "new_borrowers"}
    lending = lent.assign(use=lent["borrower"].map(kinds)).rename(columns={"segment": "to"})
    taken = matched.rename_axis(["to", "account"]).rename("amount").reset_index().assign(use=_RETURNING)
    taken["amount"] = -taken["amount"]
    rows = pd.concat([frame[["account", "use", "to", "amount"]] for frame in (lending, taken, outflows)])
    places = rows.groupby(["account", "use", "to"])["amount"].sum().reset_index()
    return places.assign(amount=places["amount"].clip(lower=0.0))


def _shares(rest: pd.Series, resting: pd.DataFrame, transfers: pd.DataFrame) -> pd.DataFrame:
    """Where one yuan of unmatched money rests: (account where it came in, place (use, to)); rows add up to 1."""
    named = (rest.index.get_level_values("account"), resting["account"], transfers["account"], transfers["to_account"])
    accounts = pd.Index(sorted(set().union(*named)))
    moved = _matrix(accounts, accounts, transfers["account"], transfers["to_account"], transfers["amount"])
    places = pd.MultiIndex.from_frame(resting[["use", "to"]]).unique()
    payee = pd.MultiIndex.from_frame(resting[["use", "to"]])
    paid = _matrix(accounts, places, resting["account"], payee, resting["amount"])
    received = rest.groupby(level="account").sum().reindex(accounts, fill_value=0.0).to_numpy() + moved.sum(axis=0)
    kept = np.diag(np.maximum(received - paid.sum(axis=1) - moved.sum(axis=1), 0.0))
    own_buffers = pd.MultiIndex.from_product([["buffers"], accounts], names=["use", "to"])
    shares = _absorb(moved, np.hstack([kept, paid]))
    return pd.DataFrame(shares, index=accounts, columns=own_buffers.append(places))


def _matrix(
    rows: pd.Index, columns: pd.Index, row: pd.Series, column: pd.Index | pd.Series, amount: pd.Series
) -> Floats:
    matrix = np.zeros((len(rows), len(columns)))
    np.add.at(
        matrix, (rows.get_indexer(pd.Index(row)), columns.get_indexer(pd.Index(column))), amount.to_numpy(dtype=float)
    )
    return matrix


def _absorb(moved: Floats, rests: Floats) -> Floats:
    """(accounts, accounts) transfers and (accounts, places) payments, CNY -> (accounts, places) shares.

    Accounts are eliminated one by one, without a subtraction (Grassmann, Taksar, Heyman 1985), so that circles of any
    size beside small payments cost no digits. The first places are the accounts' own buffers: an account that pays
    only in a circle has no money from outside (what comes in and is not paid out is a payment into buffers), and is
    cut loose there.
    """
    moved, rests = moved.copy(), rests.copy()
    size = len(moved)
    for last in range(size - 1, -1, -1):
        total = moved[last, :last].sum() + rests[last].sum()
        if total == 0:
            rests[last, last] = total = 1.0
        moved[last], rests[last] = moved[last] / total, rests[last] / total
        passed = moved[:last, last, None]
        moved[:last, :last] += passed * moved[last, :last]
        rests[:last] += passed * rests[last]
    for account in range(1, size):
        rests[account] += moved[account, :account] @ rests[:account]
    return rests


def _same(matched: pd.Series) -> pd.DataFrame:
    rows = matched.rename("amount").reset_index()
    return rows.assign(use="same_borrowers", to=rows["segment"])[COLUMNS]


def _told(rest: pd.Series, shares: pd.DataFrame) -> pd.DataFrame:
    """Rows of the unmatched money; lending to returning borrowers is told by whether they are the money's own."""
    amounts = rest.to_numpy()[:, None] * shares.loc[rest.index.get_level_values("account")].to_numpy()
    row, place = np.nonzero(amounts)
    keys = rest.index.to_frame(index=False).iloc[row].reset_index(drop=True)
    where = shares.columns.to_frame(index=False).iloc[place].reset_index(drop=True)
    returning = np.where(where["to"] == keys["segment"], "same_borrowers", "other_segments")
    use = where["use"].mask(where["use"] == _RETURNING, pd.Series(returning))
    return pd.concat([keys, where], axis=1).assign(use=use, amount=amounts[row, place])[COLUMNS]
