"""Rows of one rule: as LP text, and judged at a point, both without a solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from liquidity.program.pool import Pool

TOLERANCE = 1e-9


def rows(pool: Pool, rule: str) -> list[Any]:
    """Pyomo constraints of a rule's block, in the order in which they were written."""
    block = pool.model.rule.component(rule)
    if block is None:
        return []
    return [data for made in block.component_objects(pyo.Constraint) for data in made.values()]


def families(pool: Pool, rule: str) -> set[str]:
    """Names of the families of rows of a rule; an equality is one family, whatever it is made of."""
    return {family(row) for row in rows(pool, rule)}


def family(row: Any) -> str:
    """The family a row belongs to: `pin_1` for `pin_1_most` and `pin_1_least`, the two halves of an equality."""
    return str(row.parent_component().local_name).removesuffix("_most").removesuffix("_least")


def lp_text(pool: Pool, rule: str) -> str:
    """The rows of a rule in CPLEX LP format, constants on the right, zero coefficients left out."""
    body = [line for row in rows(pool, rule) for line in lp_row(row)]
    return "\n".join(["minimize", " obj:", "subject to", *body, "end", ""])


def lp_row(row: Any) -> list[str]:
    """One row: its name, a term a line, its bound."""
    linear = generate_standard_repn(row.body)
    assert linear.is_linear()
    terms = {label(column): float(factor) for column, factor in zip(linear.linear_vars, linear.linear_coefs) if factor}
    lower, upper = pyo.value(row.lower), pyo.value(row.upper)
    sense, bound = ("=", lower) if lower == upper else ("<=", upper) if lower is None else (">=", lower)
    lines = [f"   {factor:+.12g} {name}" for name, factor in terms.items()]
    return [f" {label(row)}:", *lines, f"   {sense} {bound - float(linear.constant) + 0.0:.12g}"]


def label(component: Any) -> str:
    """`share(east,1)`: the local name with its index, in letters an LP file may hold."""
    name = component.parent_component().local_name
    index = component.index()
    parts = index if isinstance(index, tuple) else (index,)
    return f"{name}({','.join(str(part) for part in parts)})"


def broken(pool: Pool, rule: str, point: Mapping[tuple[Any, ...], float]) -> set[str]:
    """Families of rows that do not hold where the named variables have the given values and all others are 0.

    A key is the name of a variable followed by its index; values are in units of the pool.
    """
    pool.write_out()
    for variable in pool.model.component_objects(pyo.Var):
        for data in variable.values():
            data.set_value(0.0, skip_validation=True)
    for (name, *index), amount in point.items():
        pool.model.component(name)[tuple(index)].set_value(amount, skip_validation=True)
    return {family(row) for row in rows(pool, rule) if not holds(row)}


def holds(row: Any) -> bool:
    """Whether one row holds at the values its variables have now."""
    body, lower, upper = pyo.value(row.body), pyo.value(row.lower), pyo.value(row.upper)
    return (lower is None or body >= lower - TOLERANCE) and (upper is None or body <= upper + TOLERANCE)
