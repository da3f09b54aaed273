"""The pages beside the rulebooks, and the rulebooks beside their books."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from liquidity.book import read_book
from liquidity.rules.page import BESIDE, page
from liquidity.rules.rulebook import Rulebook, read_rulebook

FILES = sorted((Path(__file__).parents[2] / "models").glob("*.toml"))
MODELS = [path for path in FILES if "[[rule]]" in path.read_text(encoding="utf-8")]
"Rulebooks; the satellite models beside them are none."
CALM = MODELS[0].with_stem("calm")
WRITE = "LIQUIDITY_WRITE_GOLDEN"
each_model = pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)


@each_model
def test_page_is_fresh(path):
    file, text = path.with_suffix(".md"), page(read_rulebook(path))
    if os.environ.get(WRITE):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, f"`liquidity show {path.name}` says something else; set {WRITE}=1"


@each_model
def test_page_tells_everything(path):
    rulebook = read_rulebook(path)
    text = page(rulebook)
    for rule in rulebook.rules:
        for part in (rule.formula(), rule.words("en"), rule.words("zh"), rule.source, rule.origin):
            assert part in text, (rule.name, part)
        for name, field in type(rule).model_fields.items():
            assert name in BESIDE or field.description in text, name


@each_model
def test_rulebook_fits_its_book(path):
    rulebook = read_rulebook(path)
    book = read_book(rulebook.book)
    assert [problem for rule in rulebook.rules for problem in rule.check(book)] == []


def test_page_marks_what_is_verified():
    rule = read_rulebook(CALM).rule("pins").model_copy(update={"verified": True})
    book = Rulebook(name="one", horizon=("1 x 1 day",), market_rate=0, rules=(rule,))
    assert "(compared with the source)" in page(book)


def test_cells_cannot_break_the_table():
    rule = read_rulebook(CALM).rule("lending_stop").model_copy(update={"groups": ("a|b",)})
    text = page(Rulebook(name="one", horizon=("1 x 1 day",), market_rate=0, rules=(rule,)))
    assert "| groups | a\\|b | name |" in text
