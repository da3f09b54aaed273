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
from pyomo.core.expr.template_expr import _TemplateIterManager


class LazyRows(IndexedConstraint):
    """A Constraint that calls its rule for a member at the moment it is asked for."""

    def construct(self, data: Any = None) -> None:
        """Construct the index sets and nothing else."""
        if self.is_constructed():
            return
        self._constructed: bool = True
        for group in self._anonymous_sets or ():
            group.construct()

    def keys(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """All indices, made or not."""
        return iter(self.index_set())

    def __iter__(self) -> Iterator[Any]:
        return self.keys()

    def __len__(self) -> int:
        return len(self.index_set())

    def __contains__(self, index: Any) -> bool:
        return index in self.index_set()


class ArrayParam(IndexedParam):
    """A Param over sets whose numbers lie in `array`, float64 in the row order of the sets."""

    def __init__(self, *sets: Any, array: np.ndarray) -> None:
        super().__init__(*sets)
        self.array = np.ascontiguousarray(array, float).ravel()
        self._place: dict[Any, int] | None = None

    def construct(self, data: Any = None) -> None:
        """Construct the index sets and nothing else."""
        if self.is_constructed():
            return
        self._constructed: bool = True
        for group in self._anonymous_sets or ():
            group.construct()
        if len(self.index_set()) != len(self.array):
            raise ValueError(f"{self.name}: {len(self.array)} numbers for {len(self.index_set())} indices")

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
