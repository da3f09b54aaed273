"""Which single fields changed between two nights, by group of inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from liquidity.book.casting import cell_text
from liquidity.book.fields import TABLES, Table
from liquidity.book.tidy import flatten, row_labels
from liquidity.rules.rulebook import Rulebook
from liquidity.runs.compare_inputs import PATHS, Inputs, Mixer, group_of, rules_content, together

COLUMNS = ["input", "table", "row", "field", "before", "after", "unit"]
ROW = "(row)"
DATED = ("requests", "pins")


def changed_fields(mixer: Mixer) -> pd.DataFrame:
    """Every changed field [input, table, row, field, before, after, unit] of the groups that differ.

    `before` and `after` are numbers or texts as the book has them (NaN or "" for none); a row that only one of the two
    has is told once, with the field `(row)`. Requests are compared night by night, counted from tonight: the row is
    `segment` or `segment +days`.
    """
    groups = {group for player in mixer.players for group in player.split("+")}
    rows = [
        *(row for name, table in TABLES.items() if name not in DATED for row in of_table(table, mixer.a, mixer.b)),
        *of_requests(mixer), *of_pins(mixer), *of_rules(mixer.a.rulebook, mixer.b.rulebook),
        *of_shares(mixer.a.previous, mixer.b.previous),
    ]  # fmt: skip
    player = {group: name for name in mixer.players for group in name.split("+")}
    kept = [{**row, "input": player[row["input"]]} for row in rows if row["input"] in groups]
    return pd.DataFrame(kept, columns=COLUMNS).astype({"before": object, "after": object})


def of_table(table: Table, a: Inputs, b: Inputs) -> Iterator[dict[str, Any]]:
    """Changed cells and rows of a table with a key, or of one row."""
    before, after = (flatten(table, side.book[table.name]) for side in (a, b))
    keys = [name for name in table.keys if name in before.columns]
    one, two = (by_key(table, frame) for frame in (before, after))
    for key in [*one, *(key for key in two if key not in one)]:
        if key not in one or key not in two:
            yield line(group_of(table.name, (keys or list(table.names))[0]), table.name, key, ROW,
                       "" if key not in one else "there", "" if key not in two else "there", "")  # fmt: skip
            continue
        for field in table.fields:
            was, now = one[key][field.name], two[key][field.name]
            if not same(was, now):
                yield line(group_of(table.name, field.name), table.name, key, field.name, plain(was), plain(now),
                           field.unit)  # fmt: skip


def by_key(table: Table, frame: pd.DataFrame) -> dict[str, Mapping[Any, Any]]:
    """Rows of a flat frame by their key as text; the one row of a table without a key has none."""
    label = row_labels(frame, table) if table.keys else lambda _: ""
    return {label(place): row for place, row in enumerate(frame.to_dict("records"))}


def of_requests(mixer: Mixer) -> Iterator[dict[str, Any]]:
    """Changed gates and demand, each told on the first day from tonight on which it differs."""
    wide = [of_side(mixer, side) for side in (mixer.a, mixer.b)]
    index = wide[0].index.union(wide[1].index)
    one, two = (frame.reindex(index).groupby("segment").ffill() for frame in wide)
    for name in one.columns:
        differs = (one[name] != two[name]) & one[name].notna() & two[name].notna()
        first = differs[differs].reset_index().drop_duplicates("segment")
        for segment, day in zip(first.segment, first.day):
            row = segment if day == 0 else f"{segment} +{day} days"
            was, now = (side[name].loc[(segment, day)] for side in (one, two))
            yield line(group_of("requests", name), "requests", row, name, float(was), float(now),
                       TABLES["requests"][name].unit)  # fmt: skip


def of_side(mixer: Mixer, side: Inputs) -> pd.DataFrame:
    """Requests of a night, indexed by segment and days from tonight."""
    paths = [mixer.dated_part(side, group, side.book.as_of) for group in PATHS]
    frame = together(paths)
    frame["day"] = (frame["from"] - pd.Timestamp(side.book.as_of)).dt.days
    return frame.drop(columns="from").set_index(["segment", "day"])


def of_pins(mixer: Mixer) -> Iterator[dict[str, Any]]:
    """Instructions that only one of the two nights has."""
    here = mixer.b.book.as_of
    told = [
        [", ".join(f"{key} {cell_text(value)}" for key, value in row.items() if cell_text(value))
         for row in mixer.dated_part(side, "instructions", here).to_dict("records")]
        for side in (mixer.a, mixer.b)
    ]  # fmt: skip
    for text in dict.fromkeys([*told[0], *told[1]]):
        count = [side.count(text) for side in told]
        if count[0] != count[1]:
            yield line("instructions", "pins", text, ROW, "there" if count[0] else "", "there" if count[1] else "", "")


def of_rules(a: Rulebook, b: Rulebook) -> Iterator[dict[str, Any]]:
    """Changed values of rules, rules that came and went, and what stands above them."""
    one, two = (rules_content(rulebook) for rulebook in (a, b))
    for name in sorted(set(one) | set(two)):
        if name != "rules" and one.get(name) != two.get(name):
            yield line("rules", "rulebook", "", name, plain(one.get(name)), plain(two.get(name)),
                       unit_of(type(b), name))  # fmt: skip
    rules = [dict(side["rules"]) for side in (one, two)]  # type: ignore[call-overload]
    for name in sorted({*rules[0], *rules[1]}):
        was, now = rules[0].get(name), rules[1].get(name)
        if was is None or now is None:
            yield line("rules", "rule", name, ROW, "" if was is None else "there", "" if now is None else "there", "")
            continue
        kind = type(b.rule(name))
        flat = [spread(values) for values in (was, now)]
        for key in sorted({*flat[0], *flat[1]}):
            if flat[0].get(key) != flat[1].get(key):
                yield line("rules", "rule", name, key, plain(flat[0].get(key)), plain(flat[1].get(key)),
                           unit_of(kind, key.split(".")[0]))  # fmt: skip


def of_shares(a: pd.Series | None, b: pd.Series | None) -> Iterator[dict[str, Any]]:
    """Last night's shares that differ; a night without an earlier one has none."""
    one, two = ({} if side is None else side.to_dict() for side in (a, b))
    for segment in sorted({*one, *two}, key=str):
        was, now = one.get(segment, np.nan), two.get(segment, np.nan)
        if not same(was, now):
            yield line("previous", "previous", str(segment), "share", was, now, "share")


def spread(values: Mapping[str, Any], head: str = "") -> dict[str, Any]:
    """Values of a rule, those of a table within it as `table.key`."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        out |= spread(value, f"{head}{key}.") if isinstance(value, Mapping) else {f"{head}{key}": value}
    return out


def unit_of(kind: Any, field: str) -> str:
    """The unit of a parameter of a rule or a rulebook."""
    known = kind.model_fields.get(field)
    extra = known.json_schema_extra if known is not None else None
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def line(group: str, table: str, row: str, field: str, before: Any, after: Any, unit: str) -> dict[str, Any]:
    """One changed field."""
    return dict(zip(COLUMNS, (group, table, row, field, before, after, unit), strict=True))


def same(one: Any, two: Any) -> bool:
    """Whether two cells are the same; nothing is the same as nothing."""
    return bool(one == two) or (pd.isna(one) and pd.isna(two))


def plain(value: Any) -> Any:
    """A cell as a number or a text."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value)
    if isinstance(value, list | tuple):
        return "; ".join(str(part) for part in value)
    if value is None or value is pd.NaT:
        return ""
    return str(value)[:10] if isinstance(value, pd.Timestamp) else str(value)
