"""The road not taken, in short: the best facility of a segment tonight, and what shuts the others or takes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from liquidity.explain.words_roads import item_name
from liquidity.report.numbers import LANGS

STATES = {
    "shut": ("shut by {}", "因{}不得放款"),
    "takes": ("{} takes {}", "{}扣减{}"),
    "less": ("earns less", "收益较低"),
    "tie": ("as good", "相当"),
}
_TIE = 5e-5  # 1/year: rates nearer than this are one


def compact(roads: pd.DataFrame | None, segments: Iterable[str]) -> list[dict[str, Any]]:
    """One row per segment: `facility`, `taken` (CNY), `earns` and `left` (1/year) of the best facility, and `others`.

    Each of `others` has `facility`, `left` (1/year, against the best use) and a text by language. `roads`: the table of
    a run, None where it has none.
    """
    if roads is None or roads.empty:
        return []
    by = {str(segment): part.sort_values("rank").to_dict("records") for segment, part in roads.groupby("segment")}
    return [_row(segment, by[segment]) for segment in segments if segment in by]


def _row(segment: str, lanes: list[dict[Any, Any]]) -> dict[str, Any]:
    best = lanes[0]
    others = [{"facility": lane["facility"], "left": lane["left_per_year"], **_why(lane)} for lane in lanes[1:]]
    why = {"en": "", "zh": ""} if best["state"] == "lent" else _why(best)
    return {
        "segment": segment, "facility": best["facility"], "taken": sum(lane["taken"] for lane in lanes),
        "earns": best["margin_per_year"], "left": best["left_per_year"], "why": why, "others": others,
    }  # fmt: skip


def _why(lane: Mapping[Any, Any]) -> dict[str, str]:
    """What shuts a facility or takes most of it, by language; nothing where it is lent from too."""
    if lane["state"] == "lent":
        return {"en": "lent too", "zh": "同时放款"}
    tie, takes = abs(lane["left_per_year"]) < _TIE, f"{lane['charge_per_year']:.2%}"
    kind = "shut" if lane["state"] == "shut" else "tie" if tie else "takes" if lane["shut_by"] else "less"
    return {
        lang: STATES[kind][place].format(item_name(lang, str(lane["shut_by"])), takes)
        for place, lang in enumerate(LANGS)
    }
