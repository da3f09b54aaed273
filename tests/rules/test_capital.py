"""Capital by its approaches on the small book: golden rows, points inside and outside, weights by hand, sentences."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from rule_rows import broken, families, lp_text

from liquidity.rules import basel
from liquidity.rules.capital import Capital
from liquidity.rules.risk_assets import weigh_kept

GOLDEN = Path(__file__).parents[1] / "golden" / "capital"
WRITE = "LIQUIDITY_WRITE_GOLDEN"
SIGNED = {"origin": "law", "source": "a test"}
GROUPS = {"qrre": ("revolving",), "transactors": ("transactor",)}
VALUES = {
    "standardised": {"approach": "standardised", "ratio": 0.105, "transactors": ("transactor",), "ccf": 0.1},
    "irb": {"approach": "irb", "ratio": 0.105, **GROUPS},
    "irb_kept_classes": {"approach": "irb", "ratio": 0.105, **GROUPS, "ccf": 0.1, "kept": "sec_sa"},
    "book_undrawn": {"ratio": 0.105, "ccf": 0.4},
}
each_approach = pytest.mark.parametrize("name", list(VALUES))


def make(**values):
    return Capital.model_validate({**SIGNED, **values})


def holding(book, **holder):
    """The book with other holders of the classes of the trust `tr`; what was sold before is paid for out of equity."""
    tranches, lender = book["tranches"], book["lender"]
    for name, who in holder.items():
        tranches.loc[("tr", name), "holder"] = who
    sold = [float(one.balance[one.holder == "third_party"].sum()) for one in (book["tranches"], tranches)]
    lender["equity"] += sold[0] - sold[1]
    return book.replace(tranches=tranches, lender=lender)


@pytest.fixture(scope="module")
def senior(book):
    """The lender keeps the senior class only: by its classes it holds less than the pool weighs."""
    return holding(book, A="retained", C="third_party")


@each_approach
def test_golden_rows(name, write, senior):
    text = lp_text(write(make(**VALUES[name]), of=senior), "capital")
    file = GOLDEN / f"{name}.lp"
    if os.environ.get(WRITE):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, f"set {WRITE}=1 to write it anew, then read the difference"


def test_no_golden_file_is_left_over():
    assert {file.stem for file in GOLDEN.glob("*.lp")} == set(VALUES)


def test_standardised_by_hand(write):
    """RWA = 0.45 a_east + 0.75 others, limits of 950,000 at 10%; c_east owes more than its limits."""
    pool = write(make(**VALUES["standardised"]))
    # undrawn: 0.45 x 60,000 of a_east, 0.75 x 30,000 of b_west, 0.45 x 5,000 of d_shop, a transactor within the cap
    known = 0.45 * 60_000 + 0.75 * 30_000 + 0.45 * 5_000
    most = (250_000 / 0.105 - known) / (0.75 * 0.9)
    point = {("balance", "b_west", "bs", 3): most - 1}
    assert broken(pool, "capital", point) == set()
    assert broken(pool, "capital", {("balance", "b_west", "bs", 3): most + 1}) == {"ratio"}
    # nothing of c_east is undrawn: its loans weigh in full
    whole = (250_000 / 0.105 - known) / 0.75
    assert broken(pool, "capital", {("balance", "c_east", "bs", 3): whole - 1}) == set()
    assert broken(pool, "capital", {("balance", "c_east", "bs", 3): whole + 1}) == {"ratio"}


def test_irb_and_its_floor_by_hand(write, book):
    """A transactor with a PD of 0.2% weighs less by ratings than 72.5% of 45%; a bad revolver more than 75%."""
    rule = make(**VALUES["irb"])
    pool = write(rule, of=book.edit("segments", "a_east", pd=0.002))
    assert families(pool, "capital") == {"ratio", "floor"}
    capital = 250_000 / 0.105
    weights = dict(zip(pool.book["segments"].index, rule.weights(pool.book)))
    assert weights["a_east"] == pytest.approx(float(basel.risk_weight("qrre", 0.002, 0.9)))
    assert weights["d_shop"] == pytest.approx(float(basel.risk_weight("other_retail", 0.04, 0.6)))
    assert broken(pool, "capital", {("balance", "a_east", "bs", 1): capital / (0.725 * 0.45) - 1}) == set()
    assert broken(pool, "capital", {("balance", "a_east", "bs", 1): capital / (0.725 * 0.45) + 1}) == {"floor"}
    assert weights["c_east"] > 0.75
    assert broken(pool, "capital", {("balance", "c_east", "bs", 1): capital / weights["c_east"] - 1}) == set()
    assert broken(pool, "capital", {("balance", "c_east", "bs", 1): capital / weights["c_east"] + 1}) == {"ratio"}


@pytest.mark.parametrize("floor", [0.0, 0.5, 0.725, 1.0])
def test_both_rows_are_the_output_floor(write, floor):
    """The pair of rows holds exactly where capital covers max(irb, floor x standardised), for any loans."""
    rule = make(**{**VALUES["irb"], "floor": floor})
    pool, noise = write(rule), np.random.default_rng(7)
    assert ("floor" in families(pool, "capital")) == (floor > 0)
    weights, standard = rule.weights(pool.book), rule.standardised(pool.book)
    seen = set()
    for _ in range(20):
        loans = noise.uniform(0, 2_000_000, 4)
        needed = 0.105 * float(basel.output_floor(weights @ loans, standard @ loans, floor))
        point = {("balance", s, "bs", 2): x for s, x in zip(pool.book["segments"].index, loans)}
        found = broken(pool, "capital", {**point, ("equity", 2): needed - 250_000 + 1e-3})
        assert found == set()
        seen |= broken(pool, "capital", {**point, ("equity", 2): needed - 250_000 - 1e-3})
    assert seen <= {"ratio", "floor"}
    assert seen


def test_first_loss_kept_is_no_relief(write, book):
    """The lender keeps the lowest class and the over-collateral: the cap, all loans of the pool at their own weight."""
    for name in ("ratio", "floor"):
        texts = [
            lp_text(write(make(**{**VALUES["irb"], "kept": kept})), "capital") for kept in ("look_through", "sec_sa")
        ]
        assert f"{name}(1)" in texts[0]
        assert texts[0] == texts[1]


def test_senior_kept_weighs_by_sec_sa(write, senior):
    """Pool 150,000 loans and 2,000 cash against 150,000 notes: 15% of the class kept, 1250% of the 2,000 beyond."""
    rule = make(**VALUES["irb_kept_classes"])
    pool = write(rule, of=senior)
    standard = rule.standardised(senior)
    kept = weigh_kept(pool, standard, standard)
    place, classes = pool.places(["tr"])[0], list(pool.model.CLASS)
    k_sa = float(standard @ np.array([100_000, 50_000, 0, 0])) / 152_000 / 12.5
    weight = float(basel.tranche_weight(k_sa, 0.0, 32_000 / 152_000, 1.0, senior=True))
    assert weight < 0.55 * 12.5 * k_sa
    assert (kept.through[place], kept.first[place]) == (0.0, 12.5)
    assert kept.tranche[[classes.index(("tr", k)) for k in "ABC"]].tolist() == pytest.approx([weight, 0.0, 0.0])
    # the other trust keeps its first loss
    assert kept.through[pool.places(["am"])[0]] == 1.0


def test_a_deal_sold_whole_weighs_nothing(write, book):
    """No class kept and nothing beyond the notes: the loans of the trust are no risk of the lender."""
    facilities = book["facilities"]
    facilities.loc["tr", "cash"] = 0.0
    changed = holding(book, C="third_party").replace("facilities", facilities)
    pool, standard = (
        write(make(**VALUES["standardised"]), of=changed),
        make(**VALUES["standardised"]).standardised(changed),
    )
    kept = weigh_kept(pool, standard, standard)
    place, classes = pool.places(["tr"])[0], list(pool.model.CLASS)
    assert (kept.through[place], kept.first[place]) == (0.0, 12.5)
    assert [kept.tranche[classes.index(("tr", k))] for k in "ABC"] == [0.0, 0.0, 0.0]


def test_delinquent_loans_raise_the_weight_of_the_senior_class(write, senior):
    balances = senior["balances"]
    balances.loc[("b_west", "tr"), "npl"] = 20_000_000.0
    rule = make(**VALUES["irb_kept_classes"])
    standard = rule.standardised(senior)
    calm, bad = (
        weigh_kept(write(rule, of=of), standard, standard).tranche.max()
        for of in (senior, senior.replace("balances", balances))
    )
    assert bad > calm


def test_a_line_above_the_cap_is_not_regulatory_retail(book):
    rule = make(ratio=0.1, approach="standardised", retail_cap=500_000, transactors=("transactor",))
    assert rule.standardised(book).tolist() == [0.45, 0.75, 0.75, 1.0]


def test_groups_that_the_book_has_not(book):
    rule = make(ratio=0.1, approach="irb", qrre=("card",), transactors=("idle",))
    assert [(one.column, one.value) for one in rule.check(book)] == [("qrre", "card"), ("transactors", "idle")]


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        (
            "standardised",
            "Total capital is at least 10.5% of risk-weighted assets by the standardised approach, 10% of undrawn "
            "limits included.",
            "资本净额不低于权重法下风险加权资产的10.5%，未使用授信额度按10%的信用转换系数计入。",
        ),
        (
            "irb_kept_classes",
            "Total capital is at least 10.5% of risk-weighted assets by internal ratings, which count for at least "
            "72.5% of the standardised ones, 10% of undrawn limits included, an ABS weighed by the classes kept, never "
            "above the weight of its loans.",
            "资本净额不低于内部评级法下风险加权资产的10.5%，内部评级法计量结果不得低于权重法的72.5%，"
            "未使用授信额度按10%的信用转换系数计入，资产证券化按自持档次计量，且不高于基础资产的风险权重。",
        ),
    ],
)
def test_sentences(name, en, zh):
    rule = make(**VALUES[name])
    assert (rule.words("en"), rule.words("zh")) == (en, zh)
    assert "ccf" in rule.formula()
    assert ("SEC-SA" in rule.formula()) == (name == "irb_kept_classes")
