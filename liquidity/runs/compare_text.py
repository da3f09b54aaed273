"""A comparison on the terminal, as JSON, and as a folder with tables and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from liquidity.errors import BadInput, Problem
from liquidity.explain.words import Lang, label, money
from liquidity.explain.words_inputs import input_name
from liquidity.report.changed import fields_told, headline, signed
from liquidity.report.changes import Changes, write_changes
from liquidity.runs.compare import ROUNDED, Comparison, compare
from liquidity.runs.compare_values import ORDERS
from liquidity.runs.night import Say
from liquidity.runs.previous import read_record
from liquidity.runs.record import refuse_no_folder, whole, write_json

RECORD = "compare.json"
PAGE = "changes.html"
MOVERS = 10
ADDS_UP = 1e-6
WORDS: dict[str, tuple[str, str]] = {
    "inputs": ("What moved relending", "变动归因"),
    "input": ("input", "输入"), "change": ("change", "变动"), "error": ("± standard error", "± 标准误"),
    "all": ("all", "合计"), "segments": ("Segments that moved most", "变动最大的客群"), "segment": ("segment", "客群"),
    "relent": ("relent", "再投放"), "parts": ("of it", "其中"), "fields": ("Inputs that changed", "发生变化的输入"),
    "plan": ("Plan against what came", "计划与实际"), "planned": ("planned", "计划"), "realised": ("came", "实际"),
    "difference": ("difference", "差异"), "freed": ("freed", "回款"),
    "declined": ("declined by the pool", "资金池未投放"),
    "cash": ("treasury cash at the opening", "期初自有现金"), "reasons": ("Reasons side by side", "原因对照"),
    "cause": ("cause", "原因"), "tonight": ("tonight", "今晚"), "30d": ("30 days", "30天"),
    "none": ("Not compared", "未比较"), "checks": ("Checks", "校验"), "page": ("Page", "页面"),
}  # fmt: skip
CHECKS = {
    "parts": ("The parts of a segment add up to its change, as solved", "各部分之和等于求解所得的客群变动", ADDS_UP),
    "ledger_a": ("Relent of the first run, solved again, is its ledger's", "前次运行重新求解与其台账一致", ROUNDED / 2),
    "ledger_b": (
        "Relent of the second run, solved again, is its ledger's",
        "后次运行重新求解与其台账一致",
        ROUNDED / 2,
    ),
}


def word(key: str, lang: Lang) -> str:
    """A heading in either language."""
    return WORDS[key][0 if lang == "en" else 1]


def target_of(a: str, b: str, out: Path | None) -> Path:
    """Where a comparison is written. Raises BadInput where something else lies there, or nothing can be written."""
    target = out or Path("runs") / f"compare-{a}-{b}"
    refuse_no_folder(target)
    if target.exists() and not (target / RECORD).is_file():
        raise BadInput(Problem("--out", "", "", str(target), "a place that is free or holds a comparison"))
    return target


def write_comparison(found: Comparison, target: Path) -> dict[str, Any]:
    """Write tables, page and record, whole or not at all; returns the record."""
    with whole(target) as folder:
        with found.clock.phase("write"):
            for name, table in (("changes", found.changes), ("plan_realised", found.plan), ("inputs", found.fields),
                                ("reasons", found.causes)):  # fmt: skip
                table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
            write_changes(page_of(found), folder / PAGE)
        record = record_of(found)
        write_json(record, folder / RECORD)
    return {**record, "folder": str(target)}


def page_of(found: Comparison) -> Changes:
    """What the page tells of a comparison."""
    return Changes(
        ids=(str(found.a["id"]), str(found.b["id"])), days=(str(found.a["as_of"]), str(found.b["as_of"])),
        currency=found.currency, segments=found.segments, changes=found.changes, totals=found.totals,
        fields=found.fields, plan=found.plan, cash=found.cash, why_no_plan=found.why_no_plan, causes=found.causes,
        checks=[(en, zh, found.checks[key], most) for key, (en, zh, most) in CHECKS.items()],
        note={"en": note(found, "en"), "zh": note(found, "zh")},
    )  # fmt: skip


def record_of(found: Comparison) -> dict[str, Any]:
    """A comparison as one JSON object; amounts in the currency of the books."""
    return {
        "a": found.a["id"], "b": found.b["id"], "as_of_a": found.a["as_of"], "as_of_b": found.b["as_of"],
        "currency": found.currency, "relent_a": round(float(found.segments.relent_a.sum()), 2),
        "relent_b": round(float(found.segments.relent_b.sum()), 2),
        "change": round(float(found.segments.change.sum()), 2), "players": list(found.players), "exact": found.exact,
        "solves": found.solves, "gave_way": found.gave_way, "checks": found.checks, "cash": found.cash,
        "why_no_plan": found.why_no_plan, "seconds": found.clock.seconds,
        **{name: records(table) for name, table in (("totals", found.totals), ("segments", found.segments),
           ("changes", found.changes), ("inputs", found.fields), ("plan_realised", found.plan),
           ("reasons", found.causes))},
    }  # fmt: skip


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON has them: nothing is null."""
    return [{str(key): None if pd.isna(value) else value for key, value in row.items()}
            for row in table.to_dict("records")]  # fmt: skip


def note(found: Comparison, lang: Lang) -> str:
    """How the split was made, and what is to be known of it."""
    english = [f"{found.solves} nights solved, {'exact' if found.exact else f'{ORDERS} orders sampled, with errors'}."]
    chinese = [f"共求解{found.solves}个夜晚，{'精确归因' if found.exact else f'抽样{ORDERS}种次序，附标准误'}。"]
    for player in found.players:
        if "+" in player:
            english.append(
                f"Told as one, since no book with only one of them changed holds: {input_name('en', player)}."
            )
            chinese.append(f"“{input_name('zh', player)}”合并列示，因单独改变其一无法构成有效账簿。")
    if found.gave_way:
        english.append(f"In {found.gave_way} of them some rule had to give way.")
        chinese.append(f"其中{found.gave_way}个夜晚有规则被迫突破。")
    return " ".join(english) if lang == "en" else "".join(chinese)


def print_comparison(found: Comparison, target: Path, lang: Lang, console: Console) -> None:
    """The comparison in a few screens."""
    days, before = (str(found.a["as_of"]), str(found.b["as_of"])), float(found.segments.relent_a.sum())
    after = float(found.segments.relent_b.sum())
    for sentence in headline(before, after, found.totals, days, found.currency, lang):
        console.print(sentence, soft_wrap=True, markup=False)
    console.print(inputs_grid(found, lang))
    console.print(movers_grid(found, lang))
    told = fields_told(found.fields, lang, found.currency)
    console.print(f"[bold]{word('fields', lang)}[/bold]")
    for code in found.totals.input:
        for line in told.get(code, []):
            console.print(f"  {input_name(lang, code)}: {line}", soft_wrap=True, markup=False)
    console.print(plan_grid(found, lang) if len(found.plan) else why_text(found, lang))
    console.print(reasons_grid(found, lang))
    checks = "; ".join(f"{found.currency} {found.checks[key]:.1e} (<= {CHECKS[key][2]:g}) {CHECKS[key][lang == 'zh']}"
                       for key in CHECKS)  # fmt: skip
    for line in (note(found, lang), f"{word('checks', lang)}: {checks}", f"{word('page', lang)}: {target / PAGE}"):
        console.print(line, soft_wrap=True, markup=False)


def why_text(found: Comparison, lang: Lang) -> str:
    """Why the plan is not compared."""
    why = {"en": f": {found.why_no_plan}.", "zh": "：前次运行没有与该晚同日同长的期间。"}[lang]
    return f"{word('plan', lang)}: {word('none', lang)}{why}"


def grid(title: str, first: str, *others: str) -> Table:
    """A table whose first column is text and the others money."""
    table = Table(title=title, title_justify="left")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def inputs_grid(found: Comparison, lang: Lang) -> Table:
    """The change of all segments together by input."""
    extra = [] if found.exact else [word("error", lang)]
    table = grid(word("inputs", lang), word("input", lang), word("change", lang), *extra)
    for row in found.totals.to_dict("records"):
        error = [] if found.exact else [money(lang, row["error"], found.currency)]
        table.add_row(input_name(lang, str(row["input"])), signed(lang, row["amount"], found.currency), *error)
    table.add_section()
    table.add_row(word("all", lang), signed(lang, float(found.segments.change.sum()), found.currency),
                  *["" for _ in extra])  # fmt: skip
    return table


def movers_grid(found: Comparison, lang: Lang) -> Table:
    """The segments that moved most, and the inputs behind each."""
    table = grid(word("segments", lang), word("segment", lang), word("relent", lang), word("change", lang))
    table.add_column(word("parts", lang), overflow="fold")
    moved = found.segments[found.segments.change != 0]
    order = moved.change.abs().sort_values(ascending=False, kind="stable").index[:MOVERS]
    for row in moved.loc[order].to_dict("records"):
        parts = found.changes[found.changes.segment == row["segment"]]
        largest = parts.loc[parts.amount.abs().sort_values(ascending=False, kind="stable").index[:3]]
        said = [f"{input_name(lang, part['input'])} {signed(lang, part['amount'], found.currency)}"
                for part in largest.to_dict("records")]  # fmt: skip
        table.add_row(str(row["segment"]), money(lang, row["relent_b"], found.currency),
                      signed(lang, row["change"], found.currency), "; ".join(said))  # fmt: skip
    return table


def plan_grid(found: Comparison, lang: Lang) -> Table:
    """What the first run planned for the night of the second, and what came."""
    table = grid(word("plan", lang), str(found.b["as_of"]), *(word(key, lang) for key in found.cash))
    sums = found.plan.groupby("what", sort=False)[["planned", "realised", "difference"]].sum()
    rows = {**{str(what): row.tolist() for what, row in sums.iterrows()}, "cash": list(found.cash.values())}
    for what, amounts in rows.items():
        said = [money(lang, amount, found.currency) for amount in amounts[:2]]
        table.add_row(word(what, lang), *said, signed(lang, amounts[2], found.currency))
    return table


def reasons_grid(found: Comparison, lang: Lang) -> Table:
    """What was not relent by cause, in both runs."""
    table = grid(word("reasons", lang), word("cause", lang), str(found.a["id"]), str(found.b["id"]),
                 word("difference", lang))  # fmt: skip
    for row in found.causes.to_dict("records"):
        said = [money(lang, row[side], found.currency) for side in ("a", "b")]
        name = f"{word(row['period'], lang)} · {label(lang, row['cause'])}"
        table.add_row(name, *said, signed(lang, row["difference"], found.currency))
    return table


def run_compare(run_a: Path, run_b: Path, out: Path | None, lang: str, as_json: bool, console: Console,
                say: Say) -> None:  # fmt: skip
    """Compare two runs, write the folder, print. Raises BadInput before anything is solved where it can."""
    if lang not in ("en", "zh"):
        raise BadInput(Problem("--lang", "", "", lang, "en or zh"))
    a, b = (str(read_record(run)["id"]) for run in (run_a, run_b))
    target = target_of(a, b, out)
    found = compare(run_a, run_b, say)
    record = write_comparison(found, target)
    if as_json:
        print(json.dumps(record, ensure_ascii=False, sort_keys=True))
    else:
        print_comparison(found, target, "zh" if lang == "zh" else "en", console)
