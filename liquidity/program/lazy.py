"""Pyomo components whose members are made only when somebody asks for them. Nothing here knows finance.

The algebra stays ordinary Pyomo: a body is a function of its index. The compiler calls it once with index templates,
so that no member is needed; a reader, or the slow compiler of the tests, still finds every member under its index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pyomo.core.base.constraint import IndexedConstraint
from pyomo.core.base.objective import ScalarObjective
from pyomo.core.base.param import IndexedParam
from pyomo.core.base.set import Reals
from pyomo.core.base.var import IndexedVar
from pyomo.core.expr import template_expr
from pyomo.core.expr.template_expr import IndexTemplate, _TemplateIterManager


def construct_index(component: Any) -> None:
    """Construct the index sets of a component and none of its members."""
    component._constructed = True
    for group in component._anonymous_sets or ():
        group.construct()


def parts_of(index: Any) -> tuple[Any, ...]:
    """The positions of an index."""
    return index if index.__class__ is tuple else (index,)


def is_open(index: Any) -> bool:
    """Whether an index holds a template that stands for no label yet."""
    return any(part.__class__ is IndexTemplate and part(exception=False) is None for part in parts_of(index))


class LazyRows(IndexedConstraint):
    """A Constraint that calls its rule for a member at the moment it is asked for."""

    def construct(self, data: Any = None) -> None:
        """Construct the index sets and nothing else."""
        if not self.is_constructed():
            construct_index(self)

    def keys(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """All indices, made or not."""
        return iter(self.index_set())

    def __iter__(self) -> Iterator[Any]:
        return self.keys()

    def __len__(self) -> int:
        return len(self.index_set())

    def __contains__(self, index: Any) -> bool:
        return index in self.index_set()


class LazyColumns(IndexedVar):
    """A Var whose members are made when they are asked for."""

    def __init__(self, *sets: Any, domain: Any) -> None:
        super().__init__(*sets, domain=domain, dense=False)

    def __getitem__(self, index: Any) -> Any:
        # Pyomo finds out by a visitor and an exception that an index is a template: most of the cost of a body
        if is_open(index):
            return template_expr.Numeric_GetItemExpression((self, *parts_of(index)))
        return super().__getitem__(index)


class ArrayParam(IndexedParam):
    """A Param over sets whose numbers lie in `array`, float64 in the row order of the sets."""

    def __init__(self, *sets: Any, array: np.ndarray) -> None:
        super().__init__(*sets, within=Reals)
        self.array = np.ascontiguousarray(array, float).ravel()
        self._place: dict[Any, int] | None = None

    def construct(self, data: Any = None) -> None:
        """Construct the index sets and nothing else."""
        if self.is_constructed():
            return
        construct_index(self)
        if len(self.index_set()) != len(self.array):
            raise ValueError(f"{self.name}: {len(self.array)} numbers for {len(self.index_set())} indices")

    def __getitem__(self, index: Any) -> Any:
        if is_open(index):
            return template_expr.NPV_Numeric_GetItemExpression((self, *parts_of(index)))
        return super().__getitem__(index)

    def _getitem_when_not_present(self, index: Any) -> float:
        if self._place is None:
            with _TemplateIterManager.pause():  # a body that is being templated may ask for one number
                self._place = {key: at for at, key in enumerate(self.index_set())}
        return float(self.array[self._place[index]])

    def extract_values(self) -> dict[Any, float]:
        """Numbers by index."""
        return dict(zip(self.index_set(), self.array.tolist(), strict=True))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.index_set())

    def __len__(self) -> int:
        return len(self.array)


class LazyGoal(ScalarObjective):
    """An Objective whose expression is written only by `make`."""

    def construct(self, data: Any = None) -> None:
        """Set the sense and nothing else."""
        if not self.is_constructed():
            self._constructed: bool = True
            self.set_sense(self._init_sense(self.parent_block(), None))

    def make(self) -> None:
        """Write the expression."""
        if self.expr is None:
            self.set_value(self.rule(self.parent_block(), None))
