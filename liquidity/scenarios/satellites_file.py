"""Satellite models written as the TOML file that `read_satellites` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence

from liquidity.scenarios.satellites import Satellite, Term

HEAD = """\
# Satellite models fitted by `liquidity fit`; the forms are explained in liquidity/scenarios/satellites.py.
# `base` is the mean of the last four quarters of the history; without one the book's own number of each segment is it.
"""


def satellites_text(models: Sequence[Satellite]) -> str:
    """The whole file."""
    return "\n".join([HEAD, *map(entry, models)])


def entry(model: Satellite) -> str:
    """One [[satellite]] table; what stands at its default is left out."""
    told = model.model_dump(exclude_defaults=True)
    lines = [f"{key} = {'[' + ', '.join(map(term, model.terms)) + ']' if key == 'terms' else value(told[key])}"
             for key in told]  # fmt: skip
    return "\n".join(["[[satellite]]", *lines, ""])


def term(one: Term) -> str:
    """One term on one line."""
    return value(one.model_dump(exclude_defaults=True))


def value(content: object) -> str:
    """A value as TOML writes it: of text the escapes of JSON are those of TOML, but for DEL."""
    if isinstance(content, dict):
        return "{ " + ", ".join(f"{key_of(key)} = {value(part)}" for key, part in content.items()) + " }"
    if isinstance(content, list | tuple):
        return "[" + ", ".join(map(value, content)) + "]"
    if isinstance(content, float):
        return repr(content)
    return json.dumps(content, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_of(key: str) -> str:
    """A key, quoted where it has to be."""
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else value(key)
