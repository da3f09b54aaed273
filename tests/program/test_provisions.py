"""Provisions by IFRS 9: stages of the book, rates by hand, and what they do to a night."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import pytest
from pydantic import ValidationError

from liquidity import Book, Night, Rulebook, allocate, read_book, read_rulebook
from liquidity.program.pool import Pool
from liquidity.rules.page import page
from liquidity.rules.rulebook import Provisions

ROOT = Path(__file__).parents[2]
LATE = 0.3


@lru_cache
def calm() -> tuple[Book, Rulebook]:
    return read_book(ROOT / "data" / "calm"), read_rulebook(ROOT / "models" / "calm.toml")


def by_ifrs(**values: object) -> Rulebook:
    chosen = Provisions.model_validate({"late_pd": LATE, "source": "a test", **values})
    return calm()[1].model_copy(update={"provisions": chosen})


@lru_cache
def night() -> Night:
    return allocate(late(), by_ifrs())


@lru_cache
def late() -> Book:
    """A quarter of one segment is more than 30 days past due."""
    table = calm()[0]["balances"]
    mine = table.index.get_level_values("segment") == "C-full-west"
    table.loc[mine, "past_due_31_90"] = 0.25 * table.balance[mine]
    table.loc[~mine, "past_due_31_90"] = 0.0
    return calm()[0].replace("balances", table)


def by_hand(segment: str, late_share: float, times: float = 1.0) -> float:
    """First year for what is in time, whole life for what is late; flows at constant intensities, discounted."""
    row = calm()[0]["segments"].loc[segment]
    lgd = row.lgd * (1 - row.guaranteed_share)
    apr = row.apr - row.guarantee_fee * row.guaranteed_share
    leave = -12 * math.log(1 - row.monthly_payment_rate) + math.log(1 + apr)
    first, second = (-math.log(1 - times * part) for part in (row.pd, LATE))
    year = first / (first + leave) * (1 - math.exp(-(first + leave)))
    return lgd * ((1 - late_share) * year + late_share * second / (second + leave))


def test_rates_are_the_closed_form() -> None:
    staged = Pool(late(), by_ifrs()).staged
    assert staged is not None
    assert staged.stage_2_share["C-full-west"] == pytest.approx(0.25)
    assert staged.ecl_rate["C-full-west"] == pytest.approx(by_hand("C-full-west", 0.25), rel=1e-12)
    assert staged.ecl_rate["A-full-east"] == pytest.approx(by_hand("A-full-east", 0.0), rel=1e-12)


def test_scenarios_are_weighted() -> None:
    scenarios = [{"weight": 3.0}, {"weight": 1.0, "pd_times": 2.0}]
    staged = Pool(late(), by_ifrs(scenarios=scenarios)).staged
    assert staged is not None
    share = staged.stage_2_share["A-full-east"]
    mean = 0.75 * by_hand("A-full-east", 0.0) + 0.25 * by_hand("A-full-east", 0.0, 2.0)
    assert share == 0
    assert staged.ecl_rate["A-full-east"] == pytest.approx(mean, rel=1e-12)


def test_the_night_provides_by_stage_and_stays_balanced() -> None:
    table = night().tables["provisions"].set_index("segment")
    plan, pool = night().plan, night().pool
    own = plan.balance.isel(period=0) * pool.inputs.own_share
    rate = table.ecl_rate.reindex(list(plan.segment.values)).to_numpy()
    told = float((own.sum("facility") * rate).sum())
    assert float(plan.provision.isel(period=0)) == pytest.approx(told, rel=1e-9)
    assert night().checks["balance_sheet"] <= 1e-9
    assert (table.book_rate.sort_index() == late()["segments"].ecl_rate.sort_index()).all()
    assert table.stage_1.sum() + table.stage_2.sum() > 0


def test_without_them_a_rulebook_keeps_its_digest_and_rates() -> None:
    book, rules = calm()
    assert Pool(book, rules).staged is None
    assert rules.digest != by_ifrs().digest
    assert "provisions" not in allocate(book, rules).tables


def test_the_page_tells_them() -> None:
    assert "Provisions by IFRS 9" in page(by_ifrs())
    assert "Provisions by IFRS 9" not in page(calm()[1])


@pytest.mark.parametrize("wrong", [{"late_pd": 1.0}, {"scenarios": []}, {"scenarios": [{"weight": 0.0}]}, {"stage": 1}])
def test_refusals(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        by_ifrs(**wrong)
