"""Random lenders of any size that balance and stay within what lenders look like: for tests and benchmarks.

The vocabulary (grades, regions, purposes, facility names) is that of the sample lender, so that its rulebook can be
used on them. All figures are drawn at random around the sample's and mean nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from liquidity.book import make_places
from liquidity.book.make_online import AS_OF, BEHAVIOURS, GRADES, REGIONS
from liquidity.book.make_parts import (
    MILLION,
    Tables,
    close,
    crowd,
    fen,
    history,
    holdings,
    notes,
    own_balance,
    provision,
)

REGION_SHARE = {"east": 0.408, "south": 0.289, "central": 0.190, "west": 0.113}
EXPECTED_LOSS = 0.0146
"Of the lender's own loans, 12 months: the default rates are scaled to it."
EQUITY_SHARE = 0.19
"Equity per CNY of the lender's own loans."
OPERATION = 11
"Every sixteenth segment, from this one on, are loans to small firms."


def make_lender(segments: int, facilities: int, seed: int) -> Tables:
    """A random lender's tables (name -> DataFrame); money in CNY, the same for the same arguments.

    `segments` at least 8, `facilities` from 5 to 32: one balance sheet, the rest joint, warehouses and ABS of every
    age. The managed book grows with the square root of the number of segments (64 segments: CNY 120 bn).
    Raises ValueError for sizes outside these.
    """
    if segments < 8 or not 5 <= facilities <= 32:
        raise ValueError("a made lender has at least 8 segments and 5 to 32 facilities")
    noise = np.random.default_rng(seed)
    people, places = _segments(segments, noise), make_places.facilities(facilities, noise)
    terms = make_places.eligibility(places, noise)
    balances = _balances(people, places, terms, noise)
    people["pd"] = (people["pd"] * _loss_factor(people, places, balances)).clip(upper=0.40).round(5)
    people["ecl_rate"] = (0.006 + 0.5 * people["pd"]).round(5)
    held = balances.groupby("facility")["balance"].sum()
    people["borrowers"] = crowd(people, balances, people.pop("used"))
    tables: Tables = {
        "segments": people.drop(columns="share").reset_index(),
        "balances": balances,
        "requests": _requests(people, balances, noise),
        "facilities": make_places.funded(places, held, noise),
        "tranches": make_places.tranches(places, held, noise),
        "eligibility": terms,
        "partners": make_places.partners(places, held),
    }
    tables["servicer"] = history(tables, AS_OF, noise)
    return _financed(tables, noise)


def _segments(count: int, noise: np.random.Generator) -> pd.DataFrame:
    """Segments indexed by name, with `share` (of the book) and `used` (of the line)."""
    table, grades, habits = _labels(count, noise)
    spread = pd.DataFrame(noise.lognormal(0.0, 0.1, (count, 4)), columns=["pd", "payment", "limit", "used"])
    firm = (table["purpose"] == "operation").to_numpy()
    table["tenor_months"] = noise.choice([3, 6, 12], count)
    table["apr"] = (grades["apr"] + habits["apr"] + noise.uniform(0.0, 0.006, count)).round(4)
    table["apr_all_in"] = (table["apr"] + noise.uniform(0.0, 0.008, count)).round(4)
    table["pd"] = (grades["pd"] * habits["pd"] * spread["pd"]).round(5)
    table["lgd"] = np.where(firm, 0.60, 0.88)
    table["opex_rate"] = 0.004
    table["risk_weight"] = np.where(firm, 0.85, 0.75)
    limit = grades["limit"] * spread["limit"] * np.where(firm, 20.0, 1.0)
    table["limit"] = limit.round(-2).clip(1_000.0, 500_000.0)
    rate = grades["payment"] * habits["payment"] * spread["payment"]
    table["monthly_payment_rate"] = rate.clip(0.02, 0.34).round(4)
    table["guaranteed_share"] = np.where(firm, noise.choice([0.0, 0.3, 0.6], count), 0.0)
    table["guarantee_fee"] = np.where(table["guaranteed_share"] > 0, 0.004, 0.0)
    table["used"] = (grades["used"] * spread["used"]).clip(upper=0.95)
    table["share"] = grades["share"] * table["region"].map(REGIONS) * noise.lognormal(0.0, 0.5, count)
    return table.set_index("segment")


def _labels(count: int, noise: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Names and labels (grades and regions go round), and each segment's row of GRADES and of BEHAVIOURS."""
    turn = np.arange(count)
    grades, habits = GRADES.iloc[turn % 5], BEHAVIOURS.iloc[noise.choice(3, count, p=BEHAVIOURS["share"])]
    table = pd.DataFrame({"grade": grades.index, "behaviour": habits.index})
    table["region"] = np.array(list(REGIONS))[turn % 4]
    table["product"] = noise.choice(["instalment", "revolving"], count)
    table["purpose"] = np.where(turn % 16 == OPERATION, "operation", "consumption")
    number = pd.Series(turn).astype(str).str.zfill(4)
    table.insert(0, "segment", table["grade"] + "-" + table["behaviour"] + "-" + table["region"] + "-" + number)
    return table, grades.reset_index(drop=True), habits.reset_index(drop=True)


def _balances(
    people: pd.DataFrame, places: pd.DataFrame, terms: pd.DataFrame, noise: np.random.Generator
) -> pd.DataFrame:
    """The table `balances`; in a large lender a facility holds about a third of the segments it may hold."""
    shape = (len(people), len(places))
    kept = noise.random(shape) < max(1 / 3, 1 - (len(people) - 8) / 60)
    weight = pd.DataFrame(people["share"].to_numpy()[:, None] * kept, people.index, places.index)
    weight["balance_sheet"] = people["share"]
    total = 120_000 * MILLION * np.sqrt(len(people) / 64)
    totals = (places["part"] * total).to_dict()
    return holdings(people, _fitted(people, weight, terms, totals), terms, totals)


def _fitted(people: pd.DataFrame, weight: pd.DataFrame, terms: pd.DataFrame, totals: dict[str, float]) -> pd.DataFrame:
    """Weights whose holdings have the regions' usual shares, as near as eligibility lets them (a few rounds of fit)."""
    for _ in range(12):
        balances = holdings(people, weight, terms, totals)
        region = balances["balance"].groupby(balances["segment"].map(people["region"])).sum()
        factor = pd.Series(REGION_SHARE) * region.sum() / region
        weight = weight.mul(people["region"].map(factor), axis=0)
    return weight


def _loss_factor(people: pd.DataFrame, places: pd.DataFrame, balances: pd.DataFrame) -> float:
    """By how much default rates must rise for the expected loss of the lender's share to be `EXPECTED_LOSS`."""
    own = balances["balance"] * balances["facility"].map(places["own_share"])
    rate = people["pd"] * people["lgd"] * (1 - people["guaranteed_share"])
    return float(EXPECTED_LOSS * own.sum() / (own * balances["segment"].map(rate)).sum())


def _requests(people: pd.DataFrame, balances: pd.DataFrame, noise: np.random.Generator) -> pd.DataFrame:
    """Gates around those of the sample lender's grades, and new demand of 8% to 16% of the balance a month."""
    count, grades = len(people), people["grade"].map
    held = balances.groupby("segment")["balance"].sum().reindex(people.index, fill_value=0.0)
    table = pd.DataFrame(index=people.index)
    table["asked"] = (grades(GRADES["asked"]) * noise.uniform(0.95, 1.05, count)).clip(upper=1.0).round(4)
    table["score_kept"] = (grades(GRADES["score_kept"]) * noise.uniform(0.98, 1.005, count)).clip(upper=1.0).round(4)
    table["model_kept"] = np.where(noise.random(count) < 0.05, 0.85, 1.0)
    table["policy_kept"] = np.where(people["region"] == "west", 0.97, 1.0)
    table["available"] = np.where(people["region"] == "central", 0.995, 1.0)
    table["new_demand"] = fen(held * noise.uniform(0.08, 0.16, count))
    return table.reset_index()


def _financed(tables: Tables, noise: np.random.Generator) -> Tables:
    """Add cash and lines, so that equity comes out near `EQUITY_SHARE` of the lender's own loans."""
    own = own_balance(tables).sum()
    cash, hqla = round(0.017 * own, -4), round(0.020 * own, -4)
    assets = own + cash + hqla + tables["facilities"]["cash"].sum() - provision(tables)
    equity = EQUITY_SHARE * own
    tables["lines"] = _lines(assets - notes(tables) - equity, equity, noise)
    costs = {"cash_rate": 0.012, "opex_rate": 0.008, "opex_per_year": round(0.0035 * own, -4)}
    return close(tables, as_of=AS_OF, cut_off="22:00", cash=cash, hqla=hqla, **costs)


def _lines(need: float, equity: float, noise: np.random.Generator) -> pd.DataFrame:
    """Three bank lines nearly full (one matures in seven months), a shareholder loan, a bond and an unused standby."""
    banks = noise.dirichlet([8.0, 6.0, 4.0, 2.0]) * min(0.85 * equity, 0.6 * need)
    table = pd.DataFrame({"line": ["bank_a", "bank_b", "bank_c", "shareholder_loan", "bond", "standby"]})
    table["kind"] = ["bank_line"] * 3 + ["shareholder_loan", "bond", "standby"]
    table["drawn"] = np.round([*banks, max(need - banks.sum(), 0.0), 0.0], -4)
    room = table["drawn"] * [0.01, 0.01, 0.01, 0.0, 0.0, 0.0]
    table["commitment"] = (table["drawn"] + room + [0.0, 0.0, 0.0, 0.0, 0.0, 0.03 * equity]).round(-4)
    table["rate"] = [*np.sort(noise.uniform(0.039, 0.046, 3)).round(4), 0.050, 0.036, 0.052]
    table["commitment_fee"] = [0.002, 0.002, 0.002, 0.0, 0.0, 0.005]
    table["maturity"] = [AS_OF + pd.DateOffset(months=age) for age in (20, 15, 7, 24, 22, 18)]
    table["class"] = ["nonstandard"] * 4 + ["standardised", "nonstandard"]
    table["revolving"] = [True] * 4 + [False, True]
    return table
