"""Reasons: every fen that a segment freed and did not get back, with a cause, an amount and a sentence.

Gates come from the ledger, pool causes from the amounts; together they add up to freed - relent, to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liquidity.explain.amounts import FUNDING, Amounts
from liquidity.explain.ledger import GATE_COLUMNS
from liquidity.explain.rounding import fen_by_key
from liquidity.explain.words import Lang, borrower_text, scope, treasury_text

COLUMNS = ["segment", "period", "rank", "cause", "rule", "origin", "scope", "amount", "share", "alone",
           "text_en", "text_zh", "borrower_text_en", "borrower_text_zh"]  # fmt: skip
KINDS = ["str", "str", "int64", "str", "str", "str", "str", "float64", "float64", "float64", *["str"] * 4]
GATE_CAUSES = {column: column.upper() for column in GATE_COLUMNS.values()}
MONTH = "30d"
NOTICED = 1.0
"Less than this (CNY) is no change."


@dataclass(frozen=True)
class Culprit:
    """What stands behind a cause tonight: names of its rules, who can change them, and their sentences.

    `about`: the segments that its rows name, where the cause is told as something about the product; None elsewhere.
    """

    rule: str
    origin: str
    words: Mapping[str, str]
    about: frozenset[str] | None = None


NOBODY = Culprit("", "", {"en": "", "zh": ""})


def make_reasons(ledgers: Mapping[str, pd.DataFrame], amounts: Amounts | None, unit: float,
                 culprits: Mapping[str, Culprit], grade: Mapping[str, str]) -> pd.DataFrame:  # fmt: skip
    """The table of reasons.

    `ledgers`: period label -> ledger by segment in whole fen, tonight first and then `30d`; `amounts` in program units
    of `unit` CNY, or None where nothing was declined; `culprits` by cause, or "cause/rule" where a cause is split over
    its rules; `grade` of each segment, the class that an action is compared with.
    """
    tables = [
        window_reasons(label, ledger, pool_parts(amounts, window, unit), culprits, grade)
        for window, (label, ledger) in enumerate(ledgers.items())
    ]
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def pool_parts(amounts: Amounts | None, window: int, unit: float) -> pd.DataFrame:
    """Parts of declined by segment in a window [segment, cause, by, amount, alone, partner, both], CNY.

    `by` is the rule ("cause/rule") where the cause is split over its rules, else the cause. `partner` is the cause
    without which lifting this one changes nothing, `both` what the two release together.
    """
    if amounts is None:
        return pd.DataFrame({name: [] for name in ("segment", "cause", "by", "amount", "alone", "partner", "both")})
    count = len(amounts.segments)
    pairs = {pair: part[window] * unit for pair, part in amounts.together(NOTICED / unit).items()}
    tables = []
    for cause in amounts.part:
        part = amounts.rule_part.get(cause) or {cause: amounts.part[cause]}
        alone = amounts.rule_alone.get(cause) or amounts.alone
        for by, share in part.items():
            single = (alone[by][window] * unit).round(2) + 0.0 if by in alone else np.full(count, np.nan)
            told = {"segment": amounts.segments, "cause": cause, "by": by, "amount": share[window] * unit}
            tables.append(pd.DataFrame({**told, "alone": single, **partners(cause, pairs, count)}))
    return pd.concat(tables, ignore_index=True)


def partners(cause: str, pairs: Mapping[tuple[str, str], np.ndarray], segments: int) -> dict[str, Any]:
    """By segment, the partner with which the cause releases most where neither does alone, and how much (CNY)."""
    partner, both = np.full(segments, "", object), np.zeros(segments)
    for pair, part in pairs.items():
        if cause in pair:
            better = part > both
            partner[better], both[better] = pair[pair[0] == cause], part[better]
    return {"partner": partner, "both": both}


def window_reasons(
    period: str, ledger: pd.DataFrame, parts: pd.DataFrame, culprits: Mapping[str, Culprit], grade: Mapping[str, str]
) -> pd.DataFrame:
    """Reasons of one window, ranked by amount within each segment."""
    if len(parts):
        parts = fen_by_key(parts, ["segment"], total=ledger.declined)
    gates = ledger[list(GATE_CAUSES)].rename(columns=GATE_CAUSES).rename_axis(columns="cause").stack()
    gates = (
        gates.reset_index()
        .set_axis(["segment", "cause", "amount"], axis=1)
        .assign(alone=np.nan, partner="", both=0.0, gate=True, by="")
    )
    table = pd.concat([frame for frame in (gates, parts.assign(gate=False)) if len(frame)], ignore_index=True)
    table = table[table.amount != 0].assign(period=period)
    if table.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in zip(COLUMNS, KINDS)})
    table["freed"] = table.segment.map(ledger.freed)
    lost = (ledger.freed - ledger.relent).round(2)
    table["share"] = table.amount / table.segment.map(lost)
    table = ranked(table)
    table["grade"] = table.segment.map(grade)
    return told(table, culprits, class_shares(table, ledger, grade))


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Rows by segment and amount, with their `rank` in the segment.

    Rules that stop the same money have the same amount but for the solver's last digits: amounts less than `NOTICED`
    apart are ordered by name, or the order of the reasons would depend on the algorithm.
    """
    table = table.sort_values(["segment", "amount"], ascending=[True, False], ignore_index=True)
    above = table.shift()
    step = (table.segment != above.segment) | (above.amount - table.amount >= NOTICED)
    table["tie"] = (step | ((above.amount > 0) & (table.amount < 0))).cumsum()
    table = table.sort_values(["tie", "cause", "gate", "by"], ascending=[True, True, False, True], ignore_index=True)
    table["rank"] = table.groupby("segment").cumcount() + 1
    return table.drop(columns="tie")


def class_shares(table: pd.DataFrame, ledger: pd.DataFrame, grade: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """Share of the segments of a grade with freed money that a cause hits, by (cause, grade)."""
    sizes = ledger.index[ledger.freed > 0].map(grade).value_counts()
    hit = table[table.amount > 0].groupby(["cause", "grade"]).segment.nunique()
    out = hit.reset_index(name="count") if len(hit) else pd.DataFrame(columns=["cause", "grade", "count"])
    share = zip(out.cause, out.grade, out["count"] / out.grade.map(sizes))
    return {(str(cause), str(name)): min(1.0, float(part)) for cause, name, part in share}


def told(table: pd.DataFrame, culprits: Mapping[str, Culprit], hit: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """Add rule, origin, scope and the sentences."""
    columns = ["segment", "grade", "period", "freed", "cause", "by", "gate", "amount", "alone", "partner", "both"]
    rows = [tell(row, culprits, hit) for row in table[columns].to_dict("records")]
    return pd.concat([table, pd.DataFrame(rows, index=table.index)], axis=1)


def tell(
    row: Mapping[Any, Any], culprits: Mapping[str, Culprit], hit: Mapping[tuple[str, str], float]
) -> dict[str, str]:
    """Rule, origin, scope and sentences of one reason."""
    cause, gate = row["cause"], row["gate"]
    who = NOBODY if gate else culprits.get(row["by"], NOBODY)
    when = MONTH if row["period"] == MONTH else "tonight"
    facts = (row["segment"], when, row["freed"], cause)
    out = {"rule": who.rule, "origin": who.origin, "scope": scope(hit.get((cause, row["grade"]), 0.0))}
    langs: tuple[Lang, ...] = ("en", "zh")
    for lang in langs:
        words = who.words[lang]
        out[f"text_{lang}"] = treasury_text(lang, *facts, words, who.origin, row["amount"], row["alone"],
                                            partner=row["partner"], both=row["both"])  # fmt: skip
        out[f"borrower_text_{lang}"] = (
            borrower_line(lang, row["segment"], cause, gate, who) if row["amount"] > 0 else ""
        )
    return out


def borrower_line(lang: Lang, segment: str, cause: str, gate: bool, who: Culprit) -> str:
    """What a borrower of the segment is told.

    Money that the pool declined has passed every gate, so its borrowers may be told it is not about them. A rule about
    a product acts on other segments only through the pool: there the pool's limited money is what is told.
    """
    indirect = not gate and who.about is not None and segment not in who.about
    return borrower_text(lang, FUNDING if indirect else cause, not gate)
