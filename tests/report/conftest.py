"""A fabricated night: tables with the columns of a run, consistent to the fen, made from a seed."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from liquidity.explain.rounding import fen, fen_by_group
from liquidity.explain.uses import attribute_uses, uses_in_fen
from liquidity.explain.words import GATES, POOL_CAUSES, borrower_text, treasury_text

FACILITIES = ["balance_sheet", "joint_a", "joint_b", "warehouse_a", "abs_2026a", "abs_2025a", "abs_2024a"]
PARTS = ["relent", *(code.lower() for code in GATES), "declined"]
RULES = {
    "FUNDING": ("line_limit", "contract"),
    "LIQUIDITY_BUFFER": ("cash_reserve", "board"),
    "CONCENTRATION": ("concentration_region", "board"),
    "FACILITY_TERMS": ("eligibility_of_the_public_securities_2026a", "contract"),
    "LEVERAGE": ("leverage_standardised", "law"),
    "RISK_BUDGET": ("expected_loss", "desk"),
    "UNPROFITABLE": ("", ""),
}

REASONS = [
    *("segment", "period", "rank", "cause", "rule", "origin", "scope", "amount", "share", "alone"),
    *("text_en", "text_zh", "borrower_text_en", "borrower_text_zh"),
]

Tables = dict[str, pd.DataFrame]


def starts() -> list[str]:
    lengths = [1] * 7 + [7] * 3 + [1] * 2 + [30] * 11
    days = np.cumsum([0, *lengths[:-1]])
    return [(datetime.date(2026, 11, 24) + datetime.timedelta(days=int(day))).isoformat() for day in days]


def make_ledger(rng: np.random.Generator, segments: list[str], declined: float) -> pd.DataFrame:
    size = rng.lognormal(16.2, 0.8, len(segments))
    refused = np.minimum(rng.beta(1, 2, len(segments)) * declined, 1.0)
    rows = []
    for start, days in zip(starts(), [1] * 7 + [7] * 3 + [1] * 2 + [30] * 11):
        gates = rng.dirichlet([60, 12, 5, 3, 4, 1], len(segments))
        for number, segment in enumerate(segments):
            freed = size[number] * days
            lost = gates[number, 0] * freed * refused[number]
            parts = [gates[number, 0] * freed - lost, *(gates[number, 1:] * freed), lost]
            rows.append([segment, start, freed, *parts])
    return fen_by_group(pd.DataFrame(rows, columns=["segment", "period", "freed", *PARTS]), PARTS, "freed")


def make_uses(rng: np.random.Generator, night: pd.DataFrame) -> pd.DataFrame:
    shares = rng.dirichlet(np.full(len(FACILITIES), 0.7), len(night))
    freed = pd.DataFrame(
        [
            (segment, "treasury" if account in FACILITIES[:3] else account, amount)
            for segment, share, total in zip(night["segment"], shares, night["freed"])
            for account, amount in zip(FACILITIES, fen(share * total, total))
        ],
        columns=["segment", "account", "amount"],
    )
    came_in = freed.groupby("account")["amount"].sum()
    lent = pd.DataFrame(
        [("treasury", s, "returning", a * 0.8) for s, a in zip(night["segment"], night["relent"])]
        + [("abs_2026a", s, "returning", a * 0.2) for s, a in zip(night["segment"], night["relent"])]
        + [("treasury", s, "new", a * 0.1) for s, a in zip(night["segment"], night["relent"])],
        columns=["account", "segment", "borrower", "amount"],
    )
    outflows = pd.DataFrame(
        [
            ("abs_2024a", "notes", "abs_2024a:senior", came_in["abs_2024a"] * 0.9),
            ("abs_2025a", "notes", "abs_2025a:senior", came_in["abs_2025a"] * 0.5),
            ("treasury", "lines", "bank_1", came_in["treasury"] * 0.15),
            ("treasury", "partner", "partner_a", came_in["treasury"] * 0.06),
            ("treasury", "costs", "costs", came_in["treasury"] * 0.004),
            ("treasury", "losses", "losses", came_in["treasury"] * 0.003),
            ("abs_2026a", "costs", "servicing", came_in["abs_2026a"] * 0.002),
        ],
        columns=["account", "use", "to", "amount"],
    )
    transfers = pd.DataFrame(
        [
            ("abs_2024a", "treasury", came_in["abs_2024a"] * 0.1),
            ("abs_2025a", "treasury", came_in["abs_2025a"] * 0.4),
            ("warehouse_a", "treasury", came_in["warehouse_a"] * 0.7),
            ("treasury", "warehouse_a", came_in["treasury"] * 0.05),
        ],
        columns=["account", "to_account", "amount"],
    )
    uses = uses_in_fen(attribute_uses(freed, lent, outflows, transfers), freed)
    uses.insert(0, "period", starts()[0])
    return uses


def reason_rows(rng: np.random.Generator, segment: str, period: str, row: pd.Series) -> list[list[Any]]:
    """One segment and period: its gates, and what the pool declined split over causes, one of them negative."""
    split = rng.dirichlet([6, 4, 3, 2, 1, 1, 1])
    split[-2] -= 0.03
    split[0] += 0.03
    pool = fen(split * row["declined"], row["declined"]) if row["declined"] > 0 else np.zeros(len(split))
    parts = [(code, "", "", row[code.lower()]) for code in GATES]
    parts += [(code, *RULES[code], amount) for code, amount in zip(RULES, pool)]
    parts = sorted((part for part in parts if part[3] != 0), key=lambda part: -part[3])
    rows = []
    for rank, (cause, rule, origin, amount) in enumerate(parts, 1):
        alone = amount * 0.6 if rule else float("nan")
        words = {"en": f"The limit {rule} is kept every day", "zh": f"每日遵守限额{rule}"} if rule else {}
        label = "tonight" if period != "30d" else period
        texts = [
            treasury_text(lang, segment, label, row["freed"], cause, words.get(lang, ""), origin, amount, alone)
            for lang in ("en", "zh")
        ]
        said = [borrower_text(lang, cause, cause in POOL_CAUSES) for lang in ("en", "zh")]
        share = amount / (row["freed"] - row["relent"])
        rows.append([segment, period, rank, cause, rule, origin, "class", amount, share, alone, *texts, *said])
    return rows


def make_reasons(rng: np.random.Generator, ledger: pd.DataFrame) -> pd.DataFrame:
    days = [day for day in starts() if day < "2026-12-24"]
    night = ledger[ledger["period"] == days[0]].set_index("segment")
    month = ledger[ledger["period"].isin(days)].groupby("segment")[["freed", *PARTS]].sum().round(2)
    rows = []
    for period, frame in ((days[0], night), ("30d", month)):
        for segment, row in frame.iterrows():
            rows += reason_rows(rng, str(segment), period, row)
    return pd.DataFrame(rows, columns=REASONS)


def make_limits(rng: np.random.Generator) -> pd.DataFrame:
    kinds = [
        ("cash_reserve", "cash_reserve", "board", "", 9.4e8, 9.0e8, "CNY"),
        ("capital", "capital", "law", "", 11.9, 10.5, "%"),
        ("leverage_nonstandard", "leverage_multiple", "law", "class=nonstandard", 0.71, 1.0, "x"),
        ("leverage_standardised", "leverage_multiple", "law", "class=standardised", 3.98, 4.0, "x"),
        *(("line_limit", "line_limit", "contract", f"line=bank_{i}", 1e9 - 1e8 * i, 1e9, "CNY") for i in range(4)),
        *(
            ("concentration_region", "concentration", "board", f"region={name}", used, 32.0, "%")
            for name, used in (("east", 32.0), ("north", 28.1), ("south", 31.2), ("west", 8.7))
        ),
        *(("eligibility", "eligibility", "contract", f"segment={s};facility=abs_2026a", 0, 0, "CNY") for s in "ABC"),
        ("partner_share", "partner_share", "law", "partner=a_rather_long_partner_bank_name_limited", 24.0, 25.0, "%"),
        ("expected_loss_of_the_managed_book_by_product", "expected_loss", "desk", "product=revolving", 3.1, 3.4, "%"),
        *((f"desk_rule_{i:02d}", "concentration", "desk", f"product=p{i}", 2.0 * i, 50.0, "%") for i in range(14)),
    ]
    rows = []
    for start in starts():
        for rule, kind, origin, place, used, limit, unit in kinds:
            tight = limit > 0 and abs(used / limit - 1) < 1e-9
            near = limit > 0 and 0.9 < used / limit < 1.1
            level = "binding" if tight or limit == 0 else "amber" if near else "green"
            at = ";".join(part for part in (place, f"period={start}") if part)
            gap = abs(limit - used) * (1 if unit == "CNY" else 1e8)
            price = round(float(rng.uniform(0, 0.03)), 5) if level == "binding" else 0.0
            rows.append([rule, kind, origin, at, start, used, limit, unit, gap, level, price, price, price, 0.0])
    names = "rule kind origin at period used limit unit headroom_cny level price price_low price_high shortfall"
    return pd.DataFrame(rows, columns=names.split())


def make_levels(rng: np.random.Generator, names: dict[str, float], key: str, extra: dict[str, str]) -> pd.DataFrame:
    """Levels over time with `opening, in, out, closing`; `extra` renames them (a line is drawn and repaid)."""
    rows = []
    for name, level in names.items():
        for start in starts():
            into, out = fen(rng.uniform(0, 0.06, 2) * level)
            opening, level = round(level, 2), round(level + into - out, 2)
            rows.append([name, start, opening, into, out, level, 0.0])
    frame = pd.DataFrame(rows, columns=[key, "period", "opening", "in", "out", "closing", "last"])
    return frame.rename(columns=extra)


@pytest.fixture(scope="session")
def make_tables() -> Callable[..., Tables]:
    """Tables of a fabricated night; `declined` is the size of what the pool declines (0: nothing)."""

    def make(declined: float = 0.5, regions: tuple[str, ...] = ("east", "north", "south", "west")) -> Tables:
        rng = np.random.default_rng(11)
        segments = ["-".join(parts) for parts in product("ABCDE", ("full", "partial", "minimum"), regions)]
        ledger = make_ledger(rng, segments, declined)
        night = ledger[ledger["period"] == starts()[0]]
        lines = {"bank_1": 3e9, "bank_2": 1.5e9, "shareholder_loan": 8e8, "warehouse_a": 2.2e9}
        notes = {"abs_2026a": 5e9, "abs_2025a": 4e9, "abs_2024a": 1e9}
        accounts = {"abs_2025a": 2e8, "treasury": 9.4e8, "abs_2026a": 3e8, "warehouse_a": 5e7}
        orders = pd.DataFrame(
            [
                ("treasury", "bank_1", "pay_down", 81234567.89, starts()[0]),
                ("abs_2024a", "noteholders:abs_2024a:senior", "principal", 43210987.65, starts()[0]),
                ("warehouse_a", "treasury", "release", 12000000.00, starts()[0]),
            ],
            columns=["from_account", "to_account", "kind", "amount", "value_date"],
        )
        return {
            "ledger": ledger,
            "uses": make_uses(rng, night),
            "reasons": make_reasons(rng, ledger),
            "limits": make_limits(rng),
            "cash": make_levels(rng, accounts, "account", {"last": "restricted"}),
            "funding": make_levels(rng, lines | notes, "source", {"in": "draw", "out": "repay", "last": "cost"}),
            "orders": orders,
        }

    return make


@pytest.fixture(scope="session")
def run() -> dict[str, Any]:
    return {
        "id": "3f9a1c20b7de",
        "as_of": "2026-11-24",
        "book": "data/sample",
        "rulebook": "online_microlender",
        "rulebook_digest": "9b" * 32,
        "book_digest": "4e" * 32,
        "previous": "",
        "versions": {"python": "3.11.2", "liquidity": "0.1.0", "pyomo": "6.10.1", "highspy": "1.15.1"},
        "options": {"threads": 1, "tolerance": 1e-10},
        "status": "optimal",
        "objective": 4123456789.12,
        "unit": 100000.0,
        "size": {"columns": 33607, "rows": 19924, "nonzeros": 229114},
        "seconds": {"read": {"cpu": 0.2, "wall": 0.21}, "solve": {"cpu": 2.21, "wall": 2.3}},
        "checks": {
            "primal_residual": 1.2e-13,
            "dual_residual": 3e-12,
            "duality_gap": 2e-12,
            "price_identity": 6e-16,
            "balance_sheet": 1e-12,
            "cash_accounts": 1e-12,
            "ledger_fen": 0,
            "uses_fen": 0,
            "reasons_fen": 0,
        },
        "exit_code": 0,
        "fallback": ["ipx: optimal"],
        "gave_way": [],
        "ref_rate": 0.0412,
        "mean_life": 0.62,
        "relent_sensitivity": {"ref_plus_1_point": 6.01e8, "ref_minus_1_point": 6.12e8},
    }
