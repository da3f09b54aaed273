"""Sentences about a conflict of rules and about what would end it, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from liquidity.explain.words import ORIGINS, Lang, money

if TYPE_CHECKING:
    from liquidity.book import Book
    from liquidity.program.compile import Family, Program
    from liquidity.program.pool import Pool
    from liquidity.program.repair import Repair
    from liquidity.rules.rulebook import Rulebook

WHY: dict[Lang, dict[str, str]] = {
    "en": {
        "law": "It is set by law and not negotiable; another rule has to be loosened.",
        "no_number": "It has no number that could be loosened.",
        "others": "Loosening this rule alone, by any of its numbers, does not give the night a plan.",
        "unknown": "How far it would have to be loosened was not found within the programs that are solved for this.",
        "unproved": "Loosened as far as the search found, the night decided anew still had no plan.",
        "left_out": "Enough by the search; the night was not decided anew with it, as cheaper ways out were found.",
    },
    "zh": {
        "law": "该规则由法律法规规定，不可协商；须放宽其他规则。",
        "no_number": "该规则没有可放宽的数值。",
        "others": "仅放宽该规则的数值无法得到可行方案。",
        "unknown": "在限定的求解次数内，未能求得该规则所需放宽的幅度。",
        "unproved": "按搜索所得幅度放宽后，重新求解仍无可行方案。",
        "left_out": "按搜索结果已足够；因已有成本更低的办法，未再完整求解验证。",
    },
}
BEYOND: dict[Lang, str] = {
    "en": "Set by law, not negotiable: told as nothing else was found to end the conflict; it needs the regulator.",
    "zh": "由法律法规规定，不可协商；因未找到其他办法而列出，须经监管部门同意。",
}
MOST_PLACES = 3
LANGS: tuple[Lang, ...] = ("en", "zh")
TABLES_ZH = {"lines": "借款", "facilities": "融资渠道", "partners": "合作机构", "pins": "人工指令"}


# ---- the conflict


def conflict_told(mended: Repair, program: Program, pool: Pool) -> list[dict[str, Any]]:
    """Every rule of the conflict: `rule, origin, shortfall` (CNY, the most that one of its rows gave way), `text_en,
    text_zh` with the rule's sentence, and where and when its rows contradict the others.
    """
    most = mended.gave_way.groupby("rule").shortfall.max() * pool.unit
    out = []
    for name in mended.conflict:
        short, origin = float(most.get(name, 0.0)), str(pool.rulebook.rule(name).origin)
        texts = {f"text_{lang}": conflict_text(name, mended.clash, program, pool, short, lang) for lang in LANGS}
        out.append({"rule": name, "origin": origin, "shortfall": round(short, 2), **texts})
    return out


def conflict_text(name: str, clash: np.ndarray, program: Program, pool: Pool, short: float, lang: Lang) -> str:
    """One rule of a conflict."""
    rule, mine = pool.rulebook.rule(name), [family for family in program.rows if family.owner == name]
    rows = [(family, family.index[row - family.start]) for family in mine for row in clash
            if family.start <= row < family.stop]  # fmt: skip
    where = [places(rows, pool.book, lang), times(rows, pool.grid.labels, lang)]
    told, origin = money(lang, short, pool.book.currency), ORIGINS[rule.origin][lang]
    if lang == "zh":
        lacking = f"本次最多突破{told}" if short else "本次未突破"
        return f"{name}（{origin}）：{rule.words(lang)}涉及{'，'.join(part for part in where if part)}；{lacking}。"
    lacking = f"gave way by at most {told}" if short else "held in this run"
    return f"{name} ({origin}): {rule.words(lang)} Here: {', '.join(part for part in where if part)}; {lacking}."


def places(rows: Sequence[tuple[Family, tuple[Any, ...]]], book: Book, lang: Lang) -> str:
    """Where the rows hold, by their labels but the period; instructions as they were given."""
    found = dict.fromkeys(place(family, index, book, lang) for family, index in rows)
    named = [text for text in found if text]
    more = len(named) - MOST_PLACES
    tail = [] if more <= 0 else [f"另{more}处" if lang == "zh" else f"and {more} more"]
    return ("、" if lang == "zh" else ", ").join([*named[:MOST_PLACES], *tail])


def place(family: Family, index: tuple[Any, ...], book: Book, lang: Lang) -> str:
    """Where one row holds."""
    if family.name.startswith("pin_"):
        at = int(family.name.split("_")[1])
        pin = book["pins"].iloc[at - 1]
        target = " ".join(str(pin[part]) for part in ("target", "segment", "facility", "line") if pin[part])
        amount = number(float(pin.amount), "CNY", lang, book.currency)
        if lang == "zh":
            return f"第{at}条人工指令（{target} {pin.op} {amount}，{pin.by}录入）"
        return f"instruction {at} ({target} {pin.op} {amount}, by {pin.by})"
    return " ".join(str(part) for dim, part in zip(family.dims, index) if dim != "period")


def times(rows: Sequence[tuple[Family, tuple[Any, ...]]], labels: Sequence[str], lang: Lang) -> str:
    """First and last period of the rows."""
    found = sorted({index[family.dims.index("period")] for family, index in rows if "period" in family.dims})
    if not found:
        return ""
    first, last = labels[max(found[0], 1) - 1], labels[max(found[-1], 1) - 1]
    if first == last:
        return f"{first}起的期间" if lang == "zh" else f"in the period from {first}"
    return f"{first}起至{last}起的期间" if lang == "zh" else f"in periods from {first} to {last}"


# ---- remedies


def told(remedy: Mapping[str, Any], rulebook: Rulebook, currency: str) -> dict[str, str]:
    """A remedy as `text_en` and `text_zh`."""
    return {f"text_{lang}": text(remedy, rulebook, lang, currency) for lang in LANGS}


def text(remedy: Mapping[str, Any], rulebook: Rulebook, lang: Lang, currency: str) -> str:
    """A remedy in a few sentences."""
    colon, gap = ("：", "") if lang == "zh" else (": ", " ")
    if not remedy["changes"]:
        words = gap.join(rulebook.rule(name).words(lang) for name in remedy["rules"])
        return f"{', '.join(remedy['rules'])}{colon}{words}{gap}{WHY[lang][remedy['why']]}"
    changes = ("；" if lang == "zh" else "; ").join(change(one, lang, currency) for one in remedy["changes"])
    parts = [f"{changes}{'。' if lang == 'zh' else '.'}", costs(remedy, lang, currency)]
    parts += [proof(remedy, lang, currency)] if remedy["works"] else [WHY[lang][remedy["why"]]]
    parts += [] if remedy["negotiable"] else [BEYOND[lang]]
    return gap.join(part for part in parts if part)


def costs(remedy: Mapping[str, Any], lang: Lang, currency: str) -> str:
    """What the room costs, and that less is not enough."""
    room, cost = (
        money(lang, amount, currency) for amount in (sum(one["room"] for one in remedy["changes"]), remedy["cost"])
    )
    gives, lack = remedy["cost"] > 0, money(lang, remedy["lack"], currency)
    if lang == "zh":
        less = f"仅调整至95%时仍缺{lack}。" if remedy["lack"] else ""
        return (f"释放空间{room}，年成本约{cost}。" if gives else "") + less
    less = f"With 95% of it {lack} is still lacking." if remedy["lack"] else ""
    return " ".join(part for part in (f"It gives room of {room}, about {cost} a year." if gives else "", less) if part)


def proof(remedy: Mapping[str, Any], lang: Lang, currency: str) -> str:
    """What the night decided anew says."""
    worth, more = money(lang, abs(remedy["worth"]), currency), remedy["worth"] >= 0
    if lang == "zh":
        moved = f"较本次结果{'增加' if more else '减少'}{worth}" if abs(remedy["worth"]) >= 1 else "与本次结果相同"
        return f"已重新求解证实：所有规则均得到满足，期末净值{moved}。"
    moved = f"{worth} {'higher' if more else 'lower'} than" if abs(remedy["worth"]) >= 1 else "as"
    moved = f"net worth at the horizon is {moved} in this run"
    return f"Decided anew with it, every rule is met; {moved}."


def change(one: Mapping[str, Any], lang: Lang, currency: str) -> str:
    """One number moved, where it stands and who can change it."""
    field = f"{one['column']}[{one['key']}]" if one["key"] else one["column"]
    now, new = (number(one[name], one["unit"], lang, currency) for name in ("now", "to"))
    origin = ORIGINS[one["origin"]][lang]
    if lang == "zh":
        where = f"{TABLES_ZH[one['table']]}{one['row']}的{field}" if one["table"] else f"{one['rule']}.{field}"
        return f"将{where}由{now}调整为{new}（{origin}）"
    where = f"{field} of {one['table']} {one['row']}" if one["table"] else f"{one['rule']}.{field}"
    return f"Change {where} from {now} to {new} ({origin})"


UNITS_ZH = {"times": "倍", "day": "天"}


def number(value: float | str, unit: str, lang: Lang, currency: str) -> str:
    """A number with its unit, as exact as the change is."""
    if isinstance(value, str):
        return value
    if unit in ("share", "1/year", "1/month"):
        per = {"share": ("", ""), "1/year": (" a year", "/年"), "1/month": (" a month", "/月")}[unit]
        return f"{100 * value:.10g}%{per[lang == 'zh']}"
    if unit == "CNY":
        yuan = lang == "zh" and currency == "CNY"
        return f"{value:,.2f}元" if yuan else f"{currency} {value:,.2f}"
    return f"{value:,.10g}{UNITS_ZH.get(unit, ' ' + unit)}" if lang == "zh" else f"{value:,.10g} {unit}".rstrip()
