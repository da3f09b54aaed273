"""The worked example of `liquidity/explain/README.md`: every figure on the page is computed anew and compared."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

from liquidity import Night, allocate, read_book, read_rulebook
from liquidity.explain.words import money

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "liquidity" / "explain" / "README.md").read_text(encoding="utf-8")
SEGMENT, NIGHT = "joint-east", "2026-11-20"


@lru_cache
def night() -> Night:
    """The calm lender with a daily quota of 400,000 of the partner, and nothing else changed."""
    rules = read_rulebook(ROOT / "models" / "calm.toml")
    rules = rules.model_copy(update={"solver": rules.solver.model_copy(update={"workers": 1})})
    return allocate(read_book(ROOT / "data" / "calm").edit("partners", None, daily_quota=4e5), rules)


def table(name: str) -> pd.DataFrame:
    frame = night().tables[name]
    return frame[frame.period == NIGHT] if "period" in frame else frame


def figures() -> dict[str, str]:
    """Every figure of the example by its name on the page."""
    ledger = table("ledger").set_index("segment").loc[SEGMENT]
    reasons = night().tables["reasons"]
    reasons = reasons[(reasons.segment == SEGMENT) & (reasons.cause == "PARTNER")].set_index("period")
    lane = table("charges").query("segment == @SEGMENT and borrower == 'returning' and facility == 'joint_a'")
    lane = lane.set_index("item")
    quota = table("limits").query("rule == 'partner_limit' and level == 'binding'").iloc[0]
    uses = table("uses").query("segment == @SEGMENT").groupby("use").amount.sum()
    out = {f"ledger: {name}": f"CNY {ledger[name]:,.2f}" for name in ("freed", "relent", "declined")}
    out |= {f"uses: {use}": f"CNY {uses[use]:,.2f}" for use in ("same_borrowers", "partner", "lines")}
    out["uses: all"] = f"CNY {uses.sum():,.2f}"
    for period, name in ((NIGHT, "tonight"), ("30d", "30 days")):
        out[f"amount, {name}"] = f"CNY {reasons.amount[period]:,.2f}"
        out[f"alone, {name}"] = f"CNY {reasons.alone[period]:,.2f}"
    for item in ("margin", "partner_limit", "terms", "reduced_cost"):
        taken, yearly = (float(lane[column].round(9)[item]) + 0.0 for column in ("charge", "per_year"))
        out[f"charges: {item}"] = f"CNY {taken:.6f}, {yearly:.2%} a year"
    out["limit"] = f"used CNY {quota.used:,.0f} of CNY {quota['limit']:,.0f}"
    out["price"] = f"CNY {quota.price:.6f}"
    out["price_low, price_high"] = f"CNY {quota.price_low:.6f}, CNY {quota.price_high:.6f}"
    for row in night().tables["roads"].query("segment == @SEGMENT and facility == 'balance_sheet'").itertuples():
        out["road: balance_sheet"] = f"{row.state} by {row.shut_by}, left {row.left_per_year:.2%} a year"
    return out


def printed() -> dict[str, str]:
    """Figures of the page: the table under the heading of the example."""
    part = PAGE[PAGE.index("## A worked example") :]
    rows = [line.strip().strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    start = next(place for place, row in enumerate(cells) if row[:2] == ["figure", "value"])
    return {row[0]: row[1] for row in cells[start + 2 :]}


def test_every_figure_of_the_page_is_true() -> None:
    assert printed() == figures()


def test_the_sentences_of_the_page_are_those_of_the_run() -> None:
    reasons = night().tables["reasons"].query("segment == @SEGMENT and period == @NIGHT").iloc[0]
    roads = night().tables["roads"].query("segment == @SEGMENT and rank == 1").iloc[0]
    flat = " ".join(PAGE.replace("\n> ", "\n").split())
    for text in (reasons.text_en, reasons.text_zh, reasons.borrower_text_en, roads.text_en, roads.text_zh):
        assert " ".join(text.split()) in flat
    assert len(night().tables["reasons"].query("segment == @SEGMENT")) == 2


def test_the_arithmetic_that_the_page_tells_holds() -> None:
    """Quota over the partner's 70%; price times 70%; the amount is all that was declined; uses add up to freed."""
    ledger = table("ledger").set_index("segment").loc[SEGMENT]
    assert abs(ledger.relent - 4e5 / 0.7) < 0.01
    quota = table("limits").query("rule == 'partner_limit' and level == 'binding'").iloc[0]
    lane = table("charges").query("segment == @SEGMENT and facility == 'joint_a' and item == 'partner_limit'")
    assert abs(lane.charge - 0.7 * quota.price).max() < 1e-9
    assert figures()["ledger: declined"] == figures()["amount, tonight"] == figures()["alone, tonight"]
    assert figures()["uses: all"] == figures()["ledger: freed"]
    assert money("en", ledger.declined) in PAGE
