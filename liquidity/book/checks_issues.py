"""What must hold of planned issues: the terms of each, and that nothing of it is there yet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from liquidity.errors import Problem

Tables = Mapping[str, pd.DataFrame]
ROUNDING = 1e-9


def issue_problems(tables: Tables) -> list[Problem]:
    """Problems of the table `issues` and of the facilities it names; NaN is never a problem here."""
    issues = tables["issues"]
    if issues.empty:
        return []
    start = tables["lender"]["as_of"].iloc[0] if len(tables["lender"]) else pd.NaT
    places = tables["facilities"].drop_duplicates("facility").set_index("facility")
    of = places.reindex(issues["facility"])
    found = [
        *_told(issues, issues["least"] > issues["most"], "least", "at most the column most"),
        *_told(issues, issues["date"] < start, "date", f"a date from {_day(start)} on; what was issued is in tranches"),
        *_told(issues, of["kind"].notna().to_numpy() & (of["kind"] != "abs").to_numpy(), "facility",
               "a facility of kind abs"),
        *_told(issues, (of["revolving_end"].to_numpy() <= issues["date"].to_numpy()), "date",
               "a date before the facility's revolving_end"),
    ]  # fmt: skip
    return found + _empty(tables, set(issues["facility"]), places)


def _empty(tables: Tables, planned: set[str], places: pd.DataFrame) -> list[Problem]:
    """Problems of planned facilities that hold or owe something, or may take no loans."""
    found = []
    for name in ("cash", "deficiency"):
        held = places.loc[places.index.isin(planned) & (places[name] != 0) & places[name].notna(), name]
        found += [Problem("facilities", str(f), name, float(x), "0 before the planned issue") for f, x in held.items()]
    frozen = places.index[places.index.isin(planned) & (places["frozen"] == 1)]
    found += [Problem("facilities", str(f), "frozen", "true", "false for a planned issue") for f in frozen]
    for name, key in (("tranches", "tranche"), ("balances", "segment")):
        frame = tables[name]
        full = frame[frame["facility"].isin(planned) & (frame["balance"] > 0)]
        keys = ("facility", key) if name == "tranches" else (key, "facility")
        found += [
            Problem(name, "/".join(str(row[part]) for part in keys), "balance", float(row["balance"]),
                    "0 before the planned issue")
            for row in full.to_dict("records")
        ]  # fmt: skip
    return found


def share_problems(tables: Tables) -> list[Problem]:
    """Shares of a planned issue add up to 1; a class that is outstanding has none."""
    tranches, planned = tables["tranches"], set(tables["issues"]["facility"])
    given = tranches[~tranches["facility"].isin(planned) & (tranches["issue_share"] > 0)]
    found = [
        Problem("tranches", f"{row['facility']}/{row['tranche']}", "issue_share", float(row["issue_share"]),
                "0, or a row of issues for the facility")
        for row in given.to_dict("records")
    ]  # fmt: skip
    total = tranches[tranches["facility"].isin(planned)].groupby("facility")["issue_share"].sum(min_count=1)
    off = total[np.abs(total - 1) > ROUNDING]
    return found + [
        Problem("tranches", str(f), "issue_share", float(x), "shares of a planned issue that add up to 1")
        for f, x in off.items()
    ]


def _told(issues: pd.DataFrame, mask: pd.Series | np.ndarray, column: str, expected: str) -> list[Problem]:
    """A problem for every row of the mask."""
    return [
        Problem("issues", str(issues["facility"].iloc[i]), column, _day(cell) or cell, expected)
        for i in np.flatnonzero(np.asarray(mask))
        for cell in (issues[column].iloc[i],)
    ]


def _day(stamp: object) -> str:
    return stamp.date().isoformat() if isinstance(stamp, pd.Timestamp) else ""
