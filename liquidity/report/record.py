"""How a run was made, out of its record, as names and values with their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from liquidity.explain.words import Lang

_FACTS: dict[str, tuple[str, str, str]] = {
    "objective": ("Net worth at the horizon", "期末净值", "money"),
    "ref_rate": ("Reference rate", "参考利率", "%"),
    "mean_life": ("Mean remaining life", "平均剩余期限", "years"),
    "market_rate": ("Open market rate", "公开市场利率", "%"),
    "relent_sensitivity": ("Relent tonight, by change of", "今晚再投放的敏感性", "money"),
    "other_opening": ("Opening difference of the book", "账簿期初差额", "money"),
    "players": ("Causes that were lifted", "已逐一解除的原因", ""),
    "re_solves": ("Re-solves behind the reasons", "归因所用重解次数", ""),
    "sequence": ("Order of payments", "偿付顺序", ""),
    "issues": ("Planned issues", "计划发行", ""),
    "issues_gap": (
        "Most that another choice of issues could add, part of net worth",
        "其他发行方案最多可增加的净值占比",
        "",
    ),
    "issues_note": ("Planned issues and prices", "计划发行与影子价格", ""),
    "size": ("Program", "模型规模", ""),
    "unit": ("One unit of the program", "模型金额单位", "money"),
    "fallback": ("Solver chain", "求解过程", ""),
    "options": ("Solver options", "运行选项", ""),
    "versions": ("Versions", "软件版本", ""),
    "book": ("Book", "账簿", ""),
    "book_digest": ("Book digest", "账簿摘要", ""),
    "rulebook": ("Rulebook", "规则手册", ""),
    "rulebook_digest": ("Rulebook digest", "规则手册摘要", ""),
    "previous": ("Previous run", "上次运行", ""),
    "exit_code": ("Exit code", "退出码", ""),
}
_SECONDS = ("Seconds, CPU / wall", "耗时（秒），CPU/实际")
_PARTS = {
    "as_planned": "按计划", "ref_minus_1_point": "参考利率减1个百分点", "ref_plus_1_point": "参考利率加1个百分点",
    "horizon_3_months_shorter": "期限缩短3个月", "least_for_1e-8_of_net_worth": "净值差1e-8以内的最小值",
    "most_for_1e-8_of_net_worth": "净值差1e-8以内的最大值", "columns": "列", "rows": "行", "nonzeros": "非零元",
}  # fmt: skip
"""Chinese of the keys of a record's mappings; others are told as they are."""
_UNITS = {"years": "年"}
Both = tuple[str, str]


def facts(run: Mapping[str, Any], currency: str) -> list[tuple[Both, Both]]:
    """How the run was made, as (name, value with its unit) in both languages; what is not recorded is left out."""
    run = {**run, "issues": [issue["text"] for issue in run.get("issues", [])]}
    kept = {key: run[key] for key in _FACTS if run.get(key) not in (None, "", {}, [])}
    rows = [(_FACTS[key][:2], both(value, _FACTS[key][2].replace("money", currency))) for key, value in kept.items()]
    seconds = run.get("seconds", {})
    spent = ", ".join(f"{phase} {_seconds(time)}" for phase, time in seconds.items())
    return [*rows, *([(_SECONDS, (spent, spent))] if spent else [])]


def both(value: Any, unit: str) -> Both:
    """A value of the record in both languages."""
    return told(value, unit), told(value, unit, "zh")


def told(value: Any, unit: str = "", lang: Lang = "en") -> str:
    """A value of the record in words: `%` is a yearly rate, a unit of three capitals is money."""
    if isinstance(value, Mapping):
        names = {key: _PARTS.get(key, str(key)) if lang == "zh" else str(key).replace("_", " ") for key in value}
        return ", ".join(f"{names[key]} {told(part, unit, lang)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(told(part, unit, lang) for part in value)
    if value is None:
        return "无可行方案" if lang == "zh" else "no plan"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if unit == "%":
        return f"{value:.2%}（年）" if lang == "zh" else f"{value:.2%} a year"
    if len(unit) == 3 and unit.isupper():
        return f"{unit} {value:z,.2f}"
    text = f"{value:,.2f}" if unit == "years" else f"{value:,.10g}"
    return f"{text} {_UNITS.get(unit, unit) if lang == 'zh' else unit}".rstrip()


def _seconds(time: Any) -> str:
    return f"{time['cpu']:.2f} / {time['wall']:.2f}" if isinstance(time, Mapping) else f"{time:.2f}"
