"""Every kind of rule: golden rows, a point inside and outside, sentences, refusals. Nothing here is solved."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pyomo.environ as pyo
import pytest
from pydantic import ValidationError
from pyomo.core.expr.template_expr import templatize_constraint
from rule_cases import CASES
from rule_rows import broken, families, lp_text

from liquidity.rules import CODES, KINDS

GOLDEN = Path(__file__).parents[1] / "golden" / "rules"
MODELS = Path(__file__).parents[2] / "models"
SIGNED = {"origin": "board", "source": "a test"}
WRITE = "LIQUIDITY_WRITE_GOLDEN"
each_kind = pytest.mark.parametrize("kind", list(KINDS))


def make(kind, **values):
    """The rule of the case, other values on top."""
    return KINDS[kind].model_validate({**SIGNED, **CASES[kind].values, **values})


@pytest.fixture(scope="module")
def pools(write):
    """The pool of every kind, written once."""
    return {kind: write(make(kind), previous=case.previous) for kind, case in CASES.items()}


@each_kind
def test_golden_rows(kind, pools):
    """The rows read as they did when a person last looked at them."""
    text = lp_text(pools[kind], kind)
    file = GOLDEN / f"{kind}.lp"
    if os.environ.get(WRITE):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, f"set {WRITE}=1 to write it anew, then read the difference"


@each_kind
def test_inside_point_holds(kind, pools):
    assert broken(pools[kind], kind, CASES[kind].inside) == set()


@each_kind
def test_outside_points_break_their_rows(kind, pools):
    for family, (point, expected) in CASES[kind].outside.items():
        assert broken(pools[kind], kind, point) == expected, family


@each_kind
def test_every_family_is_broken_somewhere(kind, pools):
    assert set(CASES[kind].outside) == families(pools[kind], kind)


@each_kind
def test_bodies_can_be_called_with_index_templates(kind, pools):
    """The compiler calls a body once for all indices; a body that asks for a number would stop it."""
    for family in pools[kind].model.rule.component(kind).component_objects(pyo.Constraint):
        body, _ = templatize_constraint(family)
        assert body.is_expression_type(), family.name


@each_kind
def test_rows_know_their_rule(kind, pools):
    rows = [row for row in pools[kind].rows if row.owner == kind]
    rule = make(kind)
    assert {row.code for row in rows} == {rule.code}
    assert {row.liftable for row in rows} == {kind != "requests"}
    assert {row.repairable for row in rows} == {type(rule).repairable}


@each_kind
def test_sentences(kind):
    rule = make(kind)
    assert (CASES[kind].en, CASES[kind].zh) == (rule.words("en"), rule.words("zh"))


@each_kind
def test_refusals(kind):
    for values, key in (*CASES[kind].refused, ({"colour": "red"}, "colour"), ({"source": ""}, "source")):
        with pytest.raises(ValidationError) as caught:
            make(kind, **values)
        places = {".".join(str(part) for part in error["loc"]) for error in caught.value.errors()}
        assert key in places, values


@each_kind
def test_source_and_origin_must_be_given(kind):
    for missing in SIGNED:
        with pytest.raises(ValidationError, match=missing):
            KINDS[kind].model_validate({**SIGNED, **CASES[kind].values, missing: None})


@each_kind
def test_values_have_unit_and_meaning(kind):
    for name, field in KINDS[kind].model_fields.items():
        assert field.description, name
        assert field.json_schema_extra["unit"], name


@each_kind
def test_rule_fits_the_small_book(kind, book):
    assert make(kind).check(book) == []


@each_kind
def test_the_same_rule_twice_under_two_names(kind, write):
    """Blocks go by name, so that two rules of a kind do not meet."""
    pool = write(make(kind, name="other"), previous=CASES[kind].previous)
    assert lp_text(pool, kind).count(":") == 1
    assert families(pool, "other") == set(CASES[kind].outside)


def test_no_kind_lacks_anything():
    """A new kind needs a case, a golden file, sentences, refusals, maths, a cause and a place in the calm rulebook."""
    assert set(CASES) == set(KINDS)
    assert {file.stem for file in GOLDEN.glob("*.lp")} == set(KINDS)
    for model in ("online_microlender", "calm"):
        used = tomllib.loads((MODELS / f"{model}.toml").read_text(encoding="utf-8"))["rule"]
        assert {entry["kind"] for entry in used} <= set(KINDS)
        assert model != "calm" or {entry["kind"] for entry in used} == set(KINDS)
        assert all(entry["source"] for entry in used)
    for kind, cls in KINDS.items():
        case, rule = CASES[kind], make(kind)
        assert case.inside, kind
        assert case.outside, kind
        assert case.refused, kind
        assert case.en.endswith("."), kind
        assert case.zh.endswith("。"), kind
        assert "In symbols" in (cls.__doc__ or ""), kind
        assert "=" in rule.formula(), kind
        assert "\n" not in rule.formula(), kind
        assert (cls.code in CODES) or kind == "requests", kind
