"""A contrast as sentences for the treasurer, in English and Chinese."""

from __future__ import annotations

from liquidity.explain.words import ORIGINS, Lang, money, segment_name
from liquidity.runs.contrast import Change, Contrast

MOST = 5
FLOWS_ZH = {
    "drawn on lines": "授信提款", "repaid to lines": "授信还款", "drawn on warehouse notes": "仓储融资提款",
    "repaid on warehouse notes": "仓储融资还款", "loans sold to vehicles": "向资产池转让贷款",
    "paid into warehouses": "向仓储融资出资", "released by vehicles": "资产池释放资金",
    "treasury cash after tonight": "今晚后自有账户现金", "cash of vehicles after tonight": "今晚后资产池现金",
}  # fmt: skip


def tell(contrast: Contrast, lang: Lang = "en") -> list[str]:
    """The sentences: the question, forced, enabled, break-even."""
    return [question(contrast, lang), *forced(contrast, lang), *enabled(contrast, lang), *break_even(contrast, lang)]


def question(c: Contrast, lang: Lang) -> str:
    """What was asked, and what is possible at all."""
    now, wanted, most, more = (money(lang, amount) for amount in (c.now, c.wanted, c.most, c.amount))
    if lang == "zh":
        name = segment_name(lang, c.segment)
        return f"{name}今晚已再投放{now}（申请并通过前置检查{wanted}）。若再增加{more}：在全部规则下最多可投放{most}。"
    return (
        f"{c.segment} gets {now} tonight of the {wanted} it could. {more} more? At most {most} fits under every rule."
    )


def forced(c: Contrast, lang: Lang) -> list[str]:
    """What a floor costs and where the money comes from."""
    if c.cost is None:
        return ["强制投放：在现有规则下不可行。" if lang == "zh" else "Forced: not possible under the rules."]
    cost = money(lang, c.cost)
    head = (
        f"强制投放：期末净值减少{cost}。" if lang == "zh" else f"Forced: it costs {cost} of net worth at the horizon."
    )
    largest = c.moved.reindex(c.moved.abs().sort_values(ascending=False).index).head(MOST)
    return [head, *(f"  {moved_text(str(what), float(by), lang)}" for what, by in largest.items())]


def moved_text(what: str, by: float, lang: Lang) -> str:
    """One flow that changes."""
    sign = "+" if by > 0 else "-"
    if lang == "zh":
        for prefix, text in (("relent ", "再投放 "), ("new loans ", "新借款人投放 ")):
            if what.startswith(prefix):
                what = text + what.removeprefix(prefix)
        what = FLOWS_ZH.get(what, what)
    return f"{what}: {sign}{money(lang, abs(by))}"


def enabled(c: Contrast, lang: Lang) -> list[str]:
    """Single changes that would do it, the cheapest first."""
    if not c.enabled:
        none = "在可协商的条件中，任何单项调整都不足以实现。" if lang == "zh" else (
            "Enabled: no single negotiable limit, line or gate would do it.")  # fmt: skip
        return [none]
    return [f"{number}. {change_text(change, lang)}" for number, change in enumerate(c.enabled, 1)]


def change_text(change: Change, lang: Lang) -> str:
    """One change, its cost, and how it was proved."""
    values = f"{number(change.now, change.unit, lang)} -> {number(change.to, change.unit, lang)}"
    room, cost = money(lang, change.room), money(lang, change.cost)
    if lang == "zh":
        proof = "已完整重新求解验证" if change.proved else "在既定兑付顺序下验证"
        who = ORIGINS[change.origin][lang] if change.origin in ORIGINS else change.origin
        with_it, short = money(lang, change.relent), money(lang, change.short)
        return (
            f"{change.what}（{change.rule}，{who}）{values}：释放空间{room}，年成本约{cost}；"
            f"调整后可投放{with_it}，仅调整至99%则为{short}（{proof}）。"
        )
    proof = "both nights solved from the start" if change.proved else "with tonight's order of payments held"
    return (
        f"{change.what} ({change.rule}, {change.origin}) {values}: room {room}, about {cost} a year; with it "
        f"{money(lang, change.relent)} is relent, with 99% of it {money(lang, change.short)} ({proof})."
    )


def number(value: float, unit: str, lang: Lang) -> str:
    """A number of a rule with its unit, to where a change of a thousandth shows."""
    if unit in ("share", "1/year"):
        year = ("/年" if lang == "zh" else " a year") if unit == "1/year" else ""
        return f"{value:.4%}{year}"
    if unit == "CNY":
        return f"{value:,.0f}元" if lang == "zh" else f"CNY {value:,.0f}"
    return f"{value:,.6g} {unit}"


def break_even(c: Contrast, lang: Lang) -> list[str]:
    """Rate and default probability at which the optimum would do it."""
    names = {"apr": ("break-even rate", "盈亏平衡利率"), "pd": ("break-even default rate", "盈亏平衡违约率")}
    out = []
    for change in c.break_even:
        name = names[change.kind][lang == "zh"]
        proof = (
            "" if change.proved else ("（完整重新求解未能证实）" if lang == "zh" else " (not confirmed from the start)")
        )
        unit = "/年" if lang == "zh" else " a year"
        out.append(f"{name}: {change.to:.2%}{unit} ({change.now:.2%}{unit}){proof}")
    missing = {"apr", "pd"} - {change.kind for change in c.break_even}
    for kind in sorted(missing):
        none = "单独调整无法实现" if lang == "zh" else "none, it alone would not do it"
        out.append(f"{names[kind][lang == 'zh']}: {none}")
    return out
