"""The sample lender `online_microlender`: a made-up micro-loan company with a book of about CNY 120 bn.

Every figure is an assumption. Grades, loss rates, lines and payment rates follow what Chinese online lenders have
published (loss given default from auctions of written-off pools, lines of a few thousand to CNY 30,000, three to
twelve months); the funding side is laid out so that several limits are short of room on the same night.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from liquidity.book import make_funding as funding
from liquidity.book.make_parts import MILLION, Tables, close, crowd, fen, history, holdings

AS_OF = pd.Timestamp("2026-11-20")  # a Friday: no bank line can be drawn on the two days that follow
SEED = 2026

GRADES = pd.DataFrame(
    {
        "share": [0.33, 0.29, 0.20, 0.11, 0.07],
        "apr": [0.0730, 0.1095, 0.1460, 0.1825, 0.2190],
        "pd": [0.004, 0.009, 0.020, 0.050, 0.120],
        "limit": [30_000.0, 20_000.0, 12_000.0, 8_000.0, 4_000.0],
        "used": [0.15, 0.25, 0.35, 0.50, 0.65],
        "payment": [0.25, 0.18, 0.14, 0.11, 0.09],
        "asked": [0.55, 0.65, 0.75, 0.80, 0.60],
        "score_kept": [0.990, 0.985, 0.980, 0.960, 0.930],
        "tenor": [12, 12, 6, 6, 3],
    },
    index=list("ABCDE"),
)
BEHAVIOURS = pd.DataFrame(
    {"share": [0.40, 0.35, 0.25], "pd": [0.7, 1.1, 1.5], "payment": [1.35, 0.95, 0.65], "apr": [0.0, 0.004, 0.004]},
    index=["full", "partial", "minimum"],
)
REGIONS = {"east": 0.40, "south": 0.27, "central": 0.19, "west": 0.14}
PREMIUM = {"east": 0.0, "south": 0.001, "central": 0.003, "west": 0.005}
"Added to the APR of the grade, by region."
FIRM_SHARE = 0.008
"Part of the whole book that each of the four segments of small firms holds."
GUARANTEED = {"central": 0.30, "west": 0.60}
"Share of the firms' loans that the regions' guarantee funds stand behind."
DEAR = "E-full-east"
"Carries an insurance sold with the loan, which lifts its all-in cost above the cap."


def online_microlender(seed: int = SEED) -> Tables:
    """The sample lender's tables (name -> DataFrame), synthetic: 64 segments, 7 facilities, 6 lines; money in CNY."""
    noise = np.random.default_rng(seed)
    segments, weight = _segments(noise)
    totals = {name: amount * MILLION for name, amount in funding.POOLS.items()}
    terms = funding.eligibility()
    balances = holdings(segments, pd.DataFrame(dict.fromkeys(totals, weight)), terms, totals)
    segments["borrowers"] = crowd(segments, balances, segments.pop("used"))
    tables: Tables = {
        "segments": segments.reset_index(),
        "balances": balances,
        "requests": _requests(segments, balances),
        "facilities": funding.facilities(),
        "tranches": funding.tranches(),
        "eligibility": terms,
        "lines": funding.lines(),
        "partners": funding.partners(),
        "calendar": _calendar(),
        "flows": _flows(),
    }
    tables["servicer"] = history(tables, AS_OF, noise)
    return close(tables, **_lender())


def _lender() -> dict[str, object]:
    return {
        "as_of": AS_OF,
        "cut_off": "22:00",
        "cash": 1_400 * MILLION,
        "hqla": 1_600 * MILLION,
        "cash_rate": 0.012,
        "opex_rate": 0.008,
        "opex_per_year": 300 * MILLION,
    }


def _segments(noise: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Segments indexed by name, with a column `used` (share of the line drawn), and their share of the book."""
    consumers = [
        _consumer(grade, behaviour, region)
        for grade in GRADES.index
        for behaviour in BEHAVIOURS.index
        for region in REGIONS
    ]
    table = pd.DataFrame(consumers + [_firm(region) for region in REGIONS]).set_index("segment")
    table["tenor_months"] = table["tenor_months"].astype(int)
    firm = table["purpose"] == "operation"
    weight = table.pop("share") * noise.lognormal(0.0, 0.10, len(table))
    weight = weight.where(firm, weight / weight[~firm].sum() * (1 - FIRM_SHARE * firm.sum()))
    table["pd"] = (table["pd"] * noise.uniform(0.98, 1.02, len(table))).round(5)
    payment = table["monthly_payment_rate"] * noise.uniform(0.96, 1.04, len(table))
    table["monthly_payment_rate"] = payment.round(4)
    table["ecl_rate"] = (0.006 + 0.5 * table["pd"]).round(5)
    return table, weight


def _consumer(grade: str, behaviour: str, region: str) -> dict[str, object]:
    name, g, b = f"{grade}-{behaviour}-{region}", GRADES.loc[grade], BEHAVIOURS.loc[behaviour]
    apr = round(g["apr"] + b["apr"] + PREMIUM[region], 4)
    return {
        "segment": name,
        "grade": grade,
        "behaviour": behaviour,
        "region": region,
        "product": "instalment" if behaviour == "full" else "revolving",
        "purpose": "consumption",
        "tenor_months": g["tenor"],
        "apr": apr,
        "apr_all_in": 0.242 if name == DEAR else round(apr + 0.006, 4),
        "pd": g["pd"] * b["pd"],
        "lgd": 0.88,
        "opex_rate": 0.004,
        "risk_weight": 0.75,
        "limit": g["limit"],
        "monthly_payment_rate": g["payment"] * b["payment"],
        "guaranteed_share": 0.0,
        "guarantee_fee": 0.0,
        "used": g["used"],
        "share": g["share"] * b["share"] * REGIONS[region],
    }


def _firm(region: str) -> dict[str, object]:
    covered = GUARANTEED.get(region, 0.0)
    return {
        "segment": f"firm-{region}",
        "grade": "B",
        "behaviour": "full",
        "region": region,
        "product": "firm",
        "purpose": "operation",
        "tenor_months": 12,
        "apr": 0.06,
        "apr_all_in": 0.06,
        "pd": 0.009,
        "lgd": 0.60,
        "opex_rate": 0.0,
        "risk_weight": 0.85,
        "limit": 500_000.0,
        "monthly_payment_rate": 0.12,
        "guaranteed_share": covered,
        "guarantee_fee": 0.004 if covered else 0.0,
        "used": 0.40,
        "share": FIRM_SHARE,
    }


def _requests(segments: pd.DataFrame, balances: pd.DataFrame) -> pd.DataFrame:
    """Gates and new demand by segment and date: the outage in `central` ends tomorrow, the model change in 14 days."""
    held = balances.groupby("segment")["balance"].sum().reindex(segments.index)
    grade = segments["grade"]
    changed = (grade == "C") & (segments["behaviour"] == "partial")
    out = segments["region"] == "central"
    tonight = pd.DataFrame({"from": AS_OF}, index=segments.index)
    tonight["asked"] = grade.map(GRADES["asked"])
    tonight["score_kept"] = grade.map(GRADES["score_kept"])
    tonight["model_kept"] = np.where(changed, 0.85, 1.0)
    tonight["policy_kept"] = np.where(segments["region"] == "west", 0.97, 1.0)
    tonight["available"] = np.where(out, 0.995, 1.0)
    tonight["new_demand"] = fen(0.11 * held)
    tomorrow = tonight.assign(available=1.0)
    tomorrow["from"] = AS_OF + pd.Timedelta(days=1)
    fortnight = tomorrow.assign(model_kept=1.0)
    fortnight["from"] = AS_OF + pd.Timedelta(days=14)
    table = pd.concat([tonight, tomorrow[out], fortnight[changed]]).reset_index()
    return table.sort_values(["segment", "from"], ignore_index=True)


def _calendar() -> pd.DataFrame:
    """Weekdays of 2027 that are public holidays, as expected; weekends worked in lieu are left out."""
    spans = [("01-01", "01-03"), ("02-05", "02-11"), ("04-03", "04-05"), ("05-01", "05-05"), ("06-09", "06-09")]
    spans += [("09-15", "09-15"), ("10-01", "10-07")]
    days = pd.DatetimeIndex([day for start, end in spans for day in pd.date_range(f"2027-{start}", f"2027-{end}")])
    return pd.DataFrame({"date": days[days.day_of_week < 5], "business_day": False})


def _flows() -> pd.DataFrame:
    rows = [
        ("2026-11-20", "deposit for payment clearing", -350, "other"),
        ("2026-12-10", "interim dividend", -400, "income"),
        ("2027-01-15", "income tax, fourth quarter", -180, "income"),
        ("2027-04-15", "income tax, first quarter", -180, "income"),
        ("2027-07-15", "income tax, second quarter", -180, "income"),
        ("2027-10-15", "income tax, third quarter", -180, "income"),
    ]
    table = pd.DataFrame(rows, columns=["date", "name", "amount", "account"])
    table["date"] = pd.to_datetime(table["date"])
    table["amount"] *= MILLION
    return table
