"""For every kind of rule: values, a point inside, points outside, its sentences, and what it refuses.

Amounts of the points are in units of the small book (1,000 CNY); periods are 1 and 2 (20 and 21 November 2026, a day
each), 3 and 4 (a month each from the 22nd).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

Point = Mapping[tuple[Any, ...], float]


@dataclass(frozen=True)
class Case:
    """What is known about one kind of rule on the small book.

    `outside` gives for every family of rows a point that breaks it and all families broken there; `refused` values
    that must not be accepted, with the key that is to blame.
    """

    inside: Point
    outside: Mapping[str, tuple[Point, set[str]]]
    en: str
    zh: str
    values: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[tuple[Mapping[str, Any], str], ...] = ()
    previous: pd.Series | None = None


def every(amount: float, *column: str, until: int = 4) -> dict[tuple[Any, ...], float]:
    """The same amount in all periods."""
    return {(*column, t): amount for t in range(1, until + 1)}


CASES = {
    "requests": Case(
        inside={
            ("balance", "a_east", "bs", 0): 100_000,
            ("lend", "a_east", "returning", "bs", 1): 300,
            ("lend", "a_east", "returning", "wh", 1): 284,
            ("lend", "a_east", "new", "bs", 3): 2_958,
        },
        outside={
            # rep = 0.73% a day, of which 0.8 ask
            "returning": (
                {("balance", "a_east", "bs", 0): 100_000, ("lend", "a_east", "returning", "bs", 1): 585},
                {"returning"},
            ),
            "new": ({("lend", "a_east", "new", "bs", 3): 2_960}, {"new"}),
        },
        en="Returning borrowers are lent at most the repaid principal that they ask for again and that passes every "
        "gate; new borrowers at most their demand.",
        zh="再投放金额不超过本期回款本金中客户再次申请且通过各项前置检查的部分；对新借款人的投放不超过其需求。",
        refused=(({"priority": 0}, "priority"), ({"share": 0.5}, "share")),
    ),
    "eligibility": Case(
        inside={
            ("lend", "a_east", "returning", "ja", 1): 5,
            ("lend", "b_west", "new", "wh", 2): 5,
            ("move", "b_west", "tr", 1): 5,
            ("lend", "d_shop", "returning", "bs", 1): 5,
        },
        outside={
            "closed": ({("lend", "b_west", "new", "ja", 2): 1}, {"closed"}),
            "closed_to_sale": ({("move", "d_shop", "tr", 4): 1}, {"closed_to_sale"}),
        },
        en="A segment that fails a facility's eligibility terms is neither lent to from it nor sold to it.",
        zh="不符合资金渠道入池标准的客群，该渠道不得对其放款，也不得受让其贷款。",
        refused=(({"warn_at": 1.5}, "warn_at"), ({"field": "pd"}, "field")),
    ),
    "price_cap": Case(
        values={"cap": 0.24, "steps": [{"from": "2026-12-01", "cap": 0.15}]},
        inside={("lend", "b_west", "new", "bs", 3): 7, ("lend", "a_east", "returning", "wh", 4): 7},
        outside={"cap": ({("lend", "b_west", "new", "bs", 4): 7}, {"cap"})},
        en="No new loan costs more than 24% a year all-in, 15% from 2026-12-01.",
        zh="新发放贷款的综合融资成本不得超过年化24%，自2026-12-01起为15%。",
        refused=(
            ({"cap": 0}, "cap"),
            ({"cap": 24}, "cap"),
            ({"steps": [{"from": "soon", "cap": 0.1}]}, "steps.0.from"),
            ({"steps": [{"from": "2027-12-31", "cap": 0.1}, {"from": "2026-12-31", "cap": 0.2}]}, "steps"),
        ),
    ),
    "partner_share": Case(
        values={"floor": 0.30},
        inside={("lend", "a_east", "new", "ja", 1): 9},
        outside={"floor": ({("lend", "a_east", "new", "jb", 1): 9}, {"floor"})},
        en="The lender funds at least 30% of every joint loan.",
        zh="单笔联合贷款中本机构出资比例不得低于30%。",
        refused=(({"floor": 30}, "floor"), ({"floor": -0.1}, "floor")),
    ),
    "partner_limit": Case(
        values={"tier1_share": 0.25, "total_share": 0.10},
        inside={
            ("balance", "b_west", "jb", 1): 66_000,
            ("lend", "a_east", "new", "ja", 1): 1_428,
            ("lend", "a_east", "returning", "ja", 2): 1_428,
            ("lend", "a_east", "new", "ja", 4): 44_000,
        },
        outside={
            "tier1": ({("balance", "b_west", "jb", 1): 66_700}, {"tier1"}),
            "total": ({("balance", "b_west", "jb", 1): 120_100}, {"tier1", "total"}),
            "quota": ({("lend", "a_east", "new", "ja", 1): 2_858}, {"quota"}),
            "frozen": ({("lend", "b_west", "new", "jb", 1): 1}, {"frozen"}),
        },
        en="A partner bank funds at most 25% of its net tier-1 capital and 10% of its loans jointly with this lender, "
        "at most its quota a day, and nothing while frozen.",
        zh="合作银行在与本机构联合贷款中的出资余额不超过其一级资本净额的25%及全部贷款余额的10%，"
        "每日出资不超过约定限额；合作暂停期间不放款。",
        refused=(({"tier1_share": 25}, "tier1_share"), ({"total_share": 0}, "total_share")),
    ),
    "advance_rate": Case(
        inside={("notes", "wh", 1): 60_000, ("balance", "a_east", "wh", 1): 70_000, ("facility_cash", "wh", 1): 5_000},
        outside={
            "cover": (
                {("notes", "wh", 1): 60_001, ("balance", "a_east", "wh", 1): 70_000, ("facility_cash", "wh", 1): 5_000},
                {"cover"},
            )
        },
        en="Warehouse notes are at most the agreed advance rate on the warehouse's loans and cash.",
        zh="仓储融资余额不超过其资产池余额与现金之和乘以约定的融资比例。",
        refused=(({"advance_rate": 0.8}, "advance_rate"),),
    ),
    "pool_cover": Case(
        values={"max_uninvested": 0.02},
        inside={
            **every(147_000, "balance", "b_west", "tr", until=3),
            **every(3_000, "facility_cash", "tr", until=3),
        },
        outside={
            "cover": (
                {**every(147_000, "balance", "b_west", "tr", until=3), **every(2_999, "facility_cash", "tr", until=3)},
                {"cover"},
            ),
            "uninvested": (
                {**every(147_000, "balance", "b_west", "tr", until=3), **every(3_001, "facility_cash", "tr", until=3)},
                {"uninvested"},
            ),
        },
        en="While an ABS revolves, its loans and cash cover its notes, and at most 2% of the notes waits as cash.",
        zh="循环期内，资产池余额与现金须覆盖全部证券余额，闲置现金不超过证券余额的2%。",
        refused=(({"max_uninvested": 20}, "max_uninvested"), ({"max_uninvested": "much"}, "max_uninvested")),
    ),
    "excess_concentration": Case(
        values={"by": "region", "share": 0.6, "shares": {"west": 0.45}},
        inside={
            ("balance", "a_east", "wh", 1): 55,
            ("balance", "b_west", "wh", 1): 45,
            ("balance", "b_west", "bs", 1): 900,
            ("balance", "d_shop", "am", 1): 900,
            ("balance", "d_shop", "tr", 4): 900,
        },
        outside={
            "share": (
                {
                    ("balance", "a_east", "tr", 3): 54,
                    ("balance", "d_shop", "tr", 3): 46,
                    ("balance", "a_east", "bs", 3): 99,
                },
                {"share"},
            )
        },
        en="Within the pool of a warehouse or revolving ABS, no group by region holds more than 60%, with these "
        "exceptions: west 45%.",
        zh="循环期内，各仓储融资及ABS的资产池中，任一地区的贷款余额不超过资产池余额的60%；地区上限为west 45%。",
        refused=(
            ({"share": 60}, "share"),
            ({"shares": {"west": 0}}, "shares.west"),
            ({"share": None, "shares": {}}, ""),
            ({"by": ""}, "by"),
            ({"facilities": "wh"}, "facilities"),
        ),
    ),
    "covenants": Case(
        values={"min_excess_spread": 0.02, "max_default_rate": 0.02, "min_payment_rate": 0.14},
        # tr: a_east yields 10% and defaults by 1% a year, b_west 15% and 3%
        inside={
            **every(1_000, "balance", "a_east", "tr"),
            **every(700, "balance", "b_west", "tr"),
            ("balance", "a_east", "tr", 0): 1_000,
            ("balance", "b_west", "tr", 0): 700,
            ("tranche", "tr", "A", 0): 1_500,
            **every(1_500, "tranche", "tr", "A"),
        },
        outside={
            "excess_spread": (
                {("balance", "a_east", "tr", 0): 1_000, ("tranche", "tr", "B", 2): 2_000},
                {"excess_spread"},
            ),
            "default_rate": ({("balance", "b_west", "tr", 2): 1_000}, {"default_rate", "payment_rate"}),
            "payment_rate": ({("balance", "d_shop", "tr", 2): 1_000}, {"default_rate", "payment_rate"}),
        },
        en="While an ABS revolves its pool, averaged over 3 months, earns an excess spread of at least 2% a year, "
        "defaults by at most 2% a year, pays back at least 14% a month.",
        zh="循环期内，ABS资产池按最近3个月平均，年化超额利差不低于2%，年化违约率不超过2%，月度本金回收率不低于14%。",
        refused=(
            ({"months": 0}, "months"),
            ({"max_default_rate": 8}, "max_default_rate"),
            ({"min_payment_rate": 0}, "min_payment_rate"),
            ({"min_excess_spread": None, "max_default_rate": None, "min_payment_rate": None}, ""),
        ),
    ),
    "leverage_multiple": Case(
        values={"nonstandard_multiple": 1, "standardised_multiple": 4},
        inside={
            ("debt", "bank", 1): 200_000,
            ("notes", "wh", 1): 40_010,
            ("equity", 1): 15,
            ("equity", 0): 5,
            ("debt", "bond", 1): 700_000,
            ("tranche", "tr", "A", 1): 260_040,
            ("tranche", "tr", "C", 1): 1_000,
        },
        outside={"multiple": ({("debt", "bond", 1): 700_000, ("tranche", "am", "A", 1): 260_001}, {"multiple"})},
        en="Non-standard financing is at most 1 times, standardised financing 4 times net assets.",
        zh="非标准化融资余额不超过净资产的1倍，标准化融资余额不超过净资产的4倍。",
        refused=(({"nonstandard_multiple": 0}, "nonstandard_multiple"), ({"multiple": 5}, "multiple")),
    ),
    "capital": Case(
        values={"ratio": 0.20},
        inside={
            ("balance", "a_east", "bs", 2): 1_600_000,
            ("balance", "a_east", "ja", 2): 200_000,
            ("equity", 2): 10_000,
            ("equity", 0): 11_000,
        },
        outside={"ratio": ({("balance", "a_east", "bs", 2): 1_666_667}, {"ratio"})},
        en="Total capital is at least 20% of risk-weighted assets.",
        zh="资本净额不低于风险加权资产的20%。",
        refused=(
            ({"ratio": 20}, "ratio"),
            ({"base": "cet1"}, "base"),
            ({"approach": "advanced"}, "approach"),
            ({"qrre": ["revolving"]}, ""),
            ({"approach": "standardised", "qrre": ["revolving"]}, ""),
            ({"approach": "irb", "floor": 72.5}, "floor"),
            ({"ccf": 10}, "ccf"),
            ({"retail_cap": 0}, "retail_cap"),
            ({"kept": "erba"}, "kept"),
        ),
    ),
    "leverage_ratio": Case(
        values={"ratio": 0.20, "ccf": 0.5},
        # tier 1 230,000; exposure with 10,000 HQLA and half of the limits of a_east, b_west, d_shop (950,000 in all,
        # c_east owes more than its 50,000): 485,000 + 0.5 x the loans on the balance sheet; need 97,000 + 0.1 x
        inside={
            ("balance", "a_east", "bs", 2): 1_000_000,
            ("balance", "c_east", "bs", 2): 100_000,
            ("cash", 2): 40_000,
            ("facility_cash", "wh", 2): 5_000,
            ("provision", 2): 5_000,
            ("equity", 2): 10_000,
            ("equity", 0): 5_000,
        },
        outside={"ratio": ({("balance", "a_east", "bs", 2): 1_330_001}, {"ratio"})},
        en="Tier-1 capital is at least 20% of total exposure, unweighted, 50% of undrawn limits included.",
        zh="杠杆率（一级资本净额与调整后表内外资产余额之比）不低于20%，未使用授信额度按50%计入。",
        refused=(({"ratio": 3}, "ratio"), ({"ccf": -0.1}, "ccf"), ({"base": "total"}, "base")),
    ),
    "cash_reserve": Case(
        values={"amount": 50_000_000, "line_share": 0.1, "notes_share": 0.05, "count_hqla": True},
        inside={
            **every(40_000, "cash"),
            ("debt", "bank", 1): 400_000,
            ("debt", "bond", 1): 900_000,
            ("notes", "wh", 1): 200_000,
        },
        outside={
            "amount": (every(39_999, "cash"), {"amount"}),
            "coverage": ({**every(40_000, "cash"), ("debt", "standby", 2): 500_001}, {"coverage"}),
        },
        en="Cash and liquid assets are at least CNY 50m, and at least 10% of drawn non-standard lines plus 5% of "
        "warehouse notes.",
        zh="现金及优质流动性资产不低于5,000万元，且不低于非标准化融资余额的10%与仓储融资余额的5%之和。",
        refused=(({"amount": -1}, "amount"), ({"line_share": 10}, "line_share"), ({"amount": float("nan")}, "amount")),
    ),
    "standby": Case(
        values={"keep": 0.5},
        inside={("debt", "standby", 1): 15_000, ("debt", "bank", 1): 80_000},
        outside={"keep": ({("debt", "standby", 1): 15_001}, {"keep"})},
        en="At least 50% of every standby line stays undrawn.",
        zh="备用授信额度至少保留50%不提用。",
        refused=(({"keep": 50}, "keep"), ({"keep": None}, "keep")),
    ),
    "concentration": Case(
        values={"by": "region", "share": 0.6, "shares": {"west": 0.45}},
        inside={
            ("balance", "a_east", "bs", 1): 25,
            ("balance", "c_east", "ja", 1): 30,
            ("balance", "b_west", "tr", 1): 45,
        },
        outside={"share": ({("balance", "a_east", "bs", 1): 54, ("balance", "d_shop", "bs", 1): 46}, {"share"})},
        en="No group by region holds more than 60% of the managed book, with these exceptions: west 45%.",
        zh="任一地区的贷款余额不超过在管贷款余额的60%；地区上限为west 45%。",
        refused=(
            ({"share": 60}, "share"),
            ({"shares": {"west": 0}}, "shares.west"),
            ({"share": None, "shares": {}}, ""),
            ({"by": ""}, "by"),
        ),
    ),
    "expected_loss": Case(
        values={"rate": 0.02},
        inside={("balance", "a_east", "bs", 1): 100, ("balance", "c_east", "bs", 1): 21},
        outside={"rate": ({("balance", "a_east", "ja", 1): 100, ("balance", "c_east", "bs", 1): 21}, {"rate"})},
        en="The expected loss of the own book over twelve months is at most 2% of it.",
        zh="本机构出资部分贷款未来十二个月的预期损失率不超过2%。",
        refused=(({"rate": 2}, "rate"), ({"rate": 0}, "rate")),
    ),
    "npl_ratio": Case(
        values={"share": 0.04, "write_off_rate": 1.2},
        inside={
            ("npl_ratio_npl", 1): 40,
            ("balance", "a_east", "bs", 1): 900,
            ("balance", "c_east", "ja", 1): 200,
            ("npl_ratio_npl", 0): 99,
        },
        outside={"ratio": ({("npl_ratio_npl", 1): 40.1, ("balance", "a_east", "ja", 1): 3_200}, {"ratio"})},
        en="Non-performing loans are at most 4% of the own part of all loans; they are written off at a rate of 1.2 a "
        "year.",
        zh="本机构出资部分贷款的不良率不超过4%（不良贷款年核销率1.2）。",
        refused=(
            ({"share": 4}, "share"),
            ({"share": 0}, "share"),
            ({"write_off_rate": -1}, "write_off_rate"),
            ({"write_off_rate": None}, "write_off_rate"),
        ),
    ),
    "provision_cover": Case(
        values={"npl_share": 1.5, "loan_share": 0.025, "write_off_rate": 1.2},
        inside={
            ("provision", 1): 30,
            ("provision_cover_npl", 1): 20,
            ("balance", "a_east", "bs", 1): 1_000,
            ("balance", "c_east", "ja", 1): 600,
        },
        outside={
            "npl": ({("provision", 2): 30, ("provision_cover_npl", 2): 20.1}, {"npl"}),
            "loans": ({("provision", 2): 30, ("balance", "b_west", "tr", 2): 1_201}, {"loans"}),
        },
        en="Provisions are at least 150% of non-performing loans and at least 2.5% of all loans; non-performing loans "
        "are written off at a rate of 1.2 a year.",
        zh="贷款损失准备不低于不良贷款的150%，且不低于全部贷款的2.5%（不良贷款年核销率1.2）。",
        refused=(
            ({"npl_share": 0}, "npl_share"),
            ({"loan_share": 2.5}, "loan_share"),
            ({"npl_share": None, "loan_share": None}, ""),
            ({"write_off_rate": float("inf")}, "write_off_rate"),
        ),
    ),
    "household_cap": Case(
        values={"caps": {"consumption": 200_000}, "net_assets_share": 0.01},
        inside={("balance", "c_east", "bs", 1): 1_000_000, ("balance", "d_shop", "bs", 1): 120_000},
        outside={"cap": ({("balance", "d_shop", "bs", 1): 120_001}, {"cap"})},
        en="One household owes at most CNY 200,000 for consumption, and at most 1% of net assets.",
        zh="单户贷款余额上限：消费类20万元，且不超过净资产的1%。",
        refused=(({"caps": {"consumption": 0}}, "caps.consumption"), ({"net_assets_share": 10}, "net_assets_share")),
    ),
    "stability": Case(
        values={"max_change": 0.2},
        previous=pd.Series({"a_east": 0.5, "b_west": 0.9, "c_east": 0.1, "gone": 0.3}),
        inside={
            ("balance", "a_east", "bs", 0): 100_000,
            ("lend", "a_east", "returning", "bs", 1): 511,
            ("lend", "a_east", "returning", "bs", 2): 9_999,
        },
        outside={
            "rise": (
                {("balance", "a_east", "bs", 0): 100_000, ("lend", "a_east", "returning", "bs", 1): 512},
                {"rise"},
            ),
            "fall": (
                {("balance", "a_east", "bs", 0): 100_000, ("lend", "a_east", "returning", "bs", 1): 219},
                {"fall"},
            ),
        },
        en="The relent part of a segment's freed money moves by at most 20% of it from the last executed night.",
        zh="各客群回款再投放比例较上一执行日的变动不超过20个百分点。",
        refused=(({"max_change": 20}, "max_change"), ({"max_change": -0.1}, "max_change")),
    ),
    "line_limit": Case(
        inside={
            ("debt", "bank", 3): 80_000,
            ("debt", "bond", 4): 100_000,
            ("notes", "wh", 4): 100_000,
            ("draw", "bank", 1): 30_000,
        },
        outside={
            "line": ({("debt", "bank", 4): 1}, {"line"}),
            "warehouse": ({("notes", "wh", 1): 100_001}, {"warehouse"}),
            "closed_line": ({("draw", "bank", 2): 1}, {"closed_line"}),
            "closed_warehouse": ({("note_draw", "wh", 2): 1}, {"closed_warehouse"}),
            "notice": ({("draw", "standby", 1): 1}, {"notice"}),
        },
        en="Lines and warehouses are drawn at most to their commitment, repaid at maturity, and not drawn on days that "
        "are no business day, nor before the notice of a line has run.",
        zh="借款及仓储融资余额不超过授信承诺额度，到期须清偿；非工作日及提款通知期内不得提款。",
        refused=(({"commitment": 5}, "commitment"), ({"origin": "state"}, "origin")),
    ),
    "revolving_period": Case(
        values={"stuffing_cap": 0.05},
        inside={
            ("lend", "a_east", "new", "tr", 3): 10,
            ("move", "a_east", "wh", 4): 10,
            ("balance", "a_east", "tr", 0): 152_000,
            ("move", "b_west", "tr", 1): 250,
        },
        outside={
            "ended": ({("lend", "a_east", "new", "tr", 4): 10}, {"ended"}),
            "stuffing": ({("balance", "a_east", "tr", 0): 152_000, ("move", "b_west", "tr", 1): 251}, {"stuffing"}),
        },
        en="A facility takes no loans once it no longer revolves; in the last three months before that an ABS buys "
        "seasoned loans of at most 5% of its pool a month.",
        zh="循环期结束或被冻结的资金渠道不再受让或发放贷款；循环期最后三个月，每月受让存量贷款不超过资产池的5%。",
        refused=(({"stuffing_cap": 5}, "stuffing_cap"), ({"months": 3}, "months")),
    ),
    "lending_stop": Case(
        values={"by": "region", "groups": ["west"], "from": "2026-11-21", "to": "2026-11-30"},
        inside={
            ("lend", "b_west", "new", "bs", 1): 5,
            ("lend", "a_east", "new", "bs", 2): 5,
            ("lend", "d_shop", "returning", "bs", 4): 5,
        },
        outside={"stop": ({("lend", "d_shop", "returning", "bs", 2): 5}, {"stop"})},
        en="No lending to groups by region: west from 2026-11-21 until 2026-11-30.",
        zh="自2026-11-21起至2026-11-30止暂停向地区为west的客群放款。",
        refused=(
            ({"groups": "west"}, "groups"),
            ({"from": "2026-11-30", "to": "2026-11-21"}, ""),
            ({"by": ""}, "by"),
        ),
    ),
    "relend_floor": Case(
        values={"by": "grade", "groups": ["A", "B"], "share": 0.5},
        # a_east frees 730, of which 584 pass the gates
        inside={
            ("balance", "a_east", "bs", 0): 100_000,
            ("lend", "a_east", "returning", "bs", 1): 200,
            ("lend", "b_west", "returning", "wh", 1): 93,
            ("balance", "c_east", "bs", 1): 100_000,
        },
        outside={
            "floor": (
                {
                    ("balance", "a_east", "bs", 0): 100_000,
                    ("lend", "a_east", "returning", "bs", 1): 291,
                    ("lend", "a_east", "new", "bs", 1): 99,
                    ("lend", "c_east", "returning", "bs", 1): 99,
                },
                {"floor"},
            )
        },
        en="Of what borrowers of grade A, B repaid, asked for again and passed every gate for, at least 50% is lent to "
        "them again.",
        zh="信用等级为A、B的客群，回款中再次申请且通过各项前置检查的部分，再投放比例不低于50%。",
        refused=(
            ({"share": 50}, "share"),
            ({"share": 0}, "share"),
            ({"groups": []}, "groups"),
            ({"groups": "A"}, "groups"),
            ({"by": ""}, "by"),
        ),
    ),
    "inclusion": Case(
        values={"by": "product", "groups": ["instalment"], "share": 0.2},
        inside={
            ("lend", "d_shop", "new", "bs", 1): 10,
            ("lend", "d_shop", "returning", "ja", 1): 10,
            ("lend", "a_east", "returning", "bs", 1): 50,
            ("lend", "c_east", "new", "wh", 1): 30,
        },
        outside={
            "lending": (
                {("lend", "d_shop", "new", "bs", 2): 19.9, ("lend", "a_east", "returning", "ja", 2): 80},
                {"lending"},
            )
        },
        en="At least 20% of what is lent in a period goes to borrowers of product instalment.",
        zh="每期新发放贷款中投向产品为instalment的客群的金额占比不低于20%。",
        refused=(({"share": 20}, "share"), ({"groups": []}, "groups"), ({"of": "equity"}, "of")),
    ),
    "pins": Case(
        inside={
            ("draw", "bank", 1): 5_000,
            ("lend", "b_west", "new", "bs", 1): 2_000,
            ("lend", "b_west", "returning", "ja", 2): 2_000,
            ("move", "a_east", "tr", 3): 1_000,
            ("note_pay", "wh", 1): 2_000,
            ("lend", "a_east", "returning", "bs", 4): 3_000,
        },
        outside={
            "pin_1": ({("draw", "bank", 1): 4_999}, {"pin_1", "pin_3", "pin_4", "pin_5"}),
            "pin_2": ({("lend", "b_west", "new", "bs", 2): 4_001}, {"pin_1", "pin_2", "pin_3", "pin_4", "pin_5"}),
            "pin_3": ({("move", "a_east", "tr", 1): 1_000}, {"pin_1", "pin_3", "pin_4", "pin_5"}),
            "pin_4": ({("note_pay", "wh", 2): 2_000}, {"pin_1", "pin_3", "pin_4", "pin_5"}),
            "pin_5": ({("lend", "a_east", "new", "bs", 1): 3_000}, {"pin_1", "pin_3", "pin_4", "pin_5"}),
        },
        en="Every instruction entered by hand is carried out: amount, target, dates.",
        zh="执行业务人员逐条录入的人工指令（金额、对象、起止日期）。",
        refused=(({"target": "draw"}, "target"), ({"verified": "perhaps"}, "verified")),
    ),
    "liquidity_coverage": Case(
        values={"early_runoff": 0.1},
        # 47,500 of undrawn lines, less 3,400 of level 2A, 1,000 of 2B and 4,000 of level 1, and what the bank may call
        inside={**every(50_000, "cash"), ("debt", "bank", 1): 10_900},
        outside={"cover": ({**every(50_000, "cash"), ("debt", "bank", 1): 10_901}, {"cover"})},
        en="Liquid assets are at least 100% of the net outflow of the next 30 days: borrowers draw 5% of their undrawn "
        "lines, 50% of the payments on performing loans counts, inflows up to 75% of outflows; level 2 is at most 40% "
        "of liquid assets, level 2B 15%.",
        zh="优质流动性资产不低于未来30日净现金流出的100%；未使用授信额度按5%计入流出，正常贷款还款按50%计入流入，"
        "流入以流出的75%为限；二级资产占比不超过40%，2B资产不超过15%。",
        refused=(
            ({"ratio": 0}, "ratio"),
            ({"days": 0}, "days"),
            ({"inflow_cap": 1}, "inflow_cap"),
            ({"level2_cap": 40}, "level2_cap"),
            ({"runoff": {"interbank": 2}}, "runoff.interbank"),
            ({"runoff": {"deposit": 0.1}}, "runoff.deposit.[key]"),
        ),
    ),
    "stable_funding": Case(
        # capital of 250,000; 49,300 is needed by liquid assets and undrawn lines; a loan drawn frees its line of 5%
        inside={
            ("balance", "a_east", "bs", 1): 446_000,
            ("balance", "b_west", "tr", 1): 10_000,
            ("debt", "bond", 1): 9_400,
            ("debt", "bank", 1): 70_000,
            ("equity", 1): 300,
            ("equity", 0): 200,
        },
        outside={"funding": ({("balance", "a_east", "bs", 1): 446_001}, {"funding"})},
        en="Stable funding is at least 100% of what the assets need: debt of half a year to a year counts 50%, shorter "
        "debt 0%; loans up to a year need 50%, longer ones 85%, undrawn credit lines 5%.",
        zh="可用稳定资金不低于所需稳定资金的100%：剩余期限半年至一年的融资按50%、不足半年的按0%计入；"
        "一年以内贷款按50%、一年以上贷款按85%计提，未使用授信额度按5%计提。",
        refused=(({"ratio": 0}, "ratio"), ({"asf_middle": 50}, "asf_middle"), ({"safe_weight": -1}, "safe_weight")),
    ),
    "liquidity_ratio": Case(
        values={"ratio": 0.5, "undated_share": 0.1},
        inside={("cash", 1): 5_000, ("debt", "bank", 1): 20_000, ("debt", "bond", 1): 100_000},
        outside={"ratio": ({("cash", 1): 5_000, ("debt", "bank", 1): 20_001, ("debt", "bond", 1): 100_000}, {"ratio"})},
        en="Liquid assets are at least 50% of the liabilities due within 30 days; 100% of the payments due on "
        "performing loans in that time counts.",
        zh="流动性资产不低于30日内到期负债的50%，其中30日内到期的正常贷款按100%计入。",
        refused=(({"ratio": -0.5}, "ratio"), ({"days": 0}, "days"), ({"loan_share": 2}, "loan_share")),
    ),
    "survival": Case(
        values={"days": 45, "called": 0.05, "undrawn_rate": 0.02, "haircut": 0.1},
        # 19,000 drawn by borrowers and 123.29 of costs, less 9,000 of liquid assets; the bank is paid with its interest
        inside={**every(11_130, "cash"), ("debt", "bank", 1): 1_000},
        outside={"last": ({**every(11_130, "cash"), ("debt", "bank", 1): 1_002}, {"last"})},
        en="Cash and liquid assets last 45 days with every market shut: debts due are paid, 5% of other lines is "
        "called, borrowers draw 2% of their undrawn lines, 80% of the payments due comes in, liquid assets sell at a "
        "loss of 10%.",
        zh="在融资渠道全部关闭的压力情景下，现金及优质流动性资产足以维持45日：到期债务如期偿付，未到期借款被提前收回5%，"
        "借款人动用未使用授信额度的2%，正常贷款应收还款到账80%，流动性资产变现折价10%。",
        refused=(({"days": None}, "days"), ({"days": 0}, "days"), ({"collected": 80}, "collected")),
    ),
    "large_exposure": Case(
        inside={
            ("balance", "d_shop", "bs", 1): 115_050,
            ("equity", 1): 300,
            ("equity", 0): 200,
            ("balance", "b_west", "bs", 1): 100_000,
            ("balance", "b_west", "ja", 1): 50_000,
        },
        outside={
            "borrower": ({("balance", "d_shop", "bs", 1): 115_001}, {"borrower"}),
            "guarantor": (
                {("balance", "b_west", "bs", 1): 100_000, ("balance", "b_west", "jb", 1): 60_004},
                {"guarantor"},
            ),
        },
        en="One borrower with related parties owes at most 15% of tier-1 capital, one guarantor stands for at most "
        "25%.",
        zh="单一借款人及其关联方的贷款余额不超过一级资本净额的15%，单一担保人所担保的贷款余额不超过一级资本净额的25%。",
        refused=(
            ({"borrower_share": 15}, "borrower_share"),
            ({"guarantor_share": 0}, "guarantor_share"),
            ({"base": "equity"}, "base"),
        ),
    ),
    "guarantee_share": Case(
        values={"share": 0.4},
        inside={
            ("balance", "b_west", "bs", 1): 40,
            ("balance", "a_east", "bs", 1): 54,
            ("balance", "c_east", "ja", 1): 20,
        },
        outside={"share": ({("balance", "b_west", "bs", 1): 41, ("balance", "a_east", "bs", 1): 60}, {"share"})},
        en="Loans with a guarantee or credit insurance are at most 40% of own loans.",
        zh="担保增信贷款余额不超过本机构出资贷款余额的40%。",
        refused=(({"share": 40}, "share"), ({"share": -0.1}, "share")),
    ),
}
