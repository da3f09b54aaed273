"""The time grid: a few days, a few weeks, then months. The first period is tonight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from liquidity.errors import BadInput, Problem

STEP = re.compile(r"^\s*(\d+)\s*x\s*(\d+)\s*(day|week|month)s?\s*$")
DAYS_PER_YEAR = 365.0
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


@dataclass(frozen=True)
class Grid:
    """Periods one after the other, labelled by their start date.

    `starts` holds T + 1 dates: period t (1 to T) runs from `starts[t-1]` up to, not including, `starts[t]`.
    """

    starts: tuple[date, ...]

    @property
    def size(self) -> int:
        """Number of periods T."""
        return len(self.starts) - 1

    @property
    def labels(self) -> list[str]:
        """ISO start dates of the T periods."""
        return [day.isoformat() for day in self.starts[:-1]]

    @property
    def days(self) -> list[int]:
        """Length of each period, days."""
        return [(after - before).days for before, after in zip(self.starts, self.starts[1:])]

    @property
    def years(self) -> list[float]:
        """Length of each period, years of 365 days."""
        return [days / DAYS_PER_YEAR for days in self.days]

    def first_days(self, days: int = 30) -> int:
        """How many periods lie wholly within the first `days` days (at least one)."""
        end = self.starts[0] + timedelta(days=days)
        return max(1, sum(1 for day in self.starts[1:] if day <= end))

    def period_of(self, day: date) -> int | None:
        """The period (1 to T) that contains `day`; None outside the horizon."""
        if not self.starts[0] <= day < self.starts[-1]:
            return None
        return sum(1 for start in self.starts if start <= day)

    def before(self, day: date | None) -> list[int]:
        """Periods that start before `day`; all of them when there is no such day."""
        return [t for t, start in enumerate(self.starts[:-1], 1) if day is None or start < day]


def has_day(start: date, end: date, day: int) -> bool:
    """Whether a day of the month (1 to 28) lies in the days from `start` up to, not including, `end`."""
    first = start.replace(day=day)
    return (first if first >= start else first + relativedelta(months=1)) < end


def make_grid(as_of: date, horizon: Sequence[str]) -> Grid:
    """Lay out `horizon`, e.g. `["7 x 1 day", "3 x 1 week", "11 x 1 month"]`, from `as_of` on.

    Raises BadInput where a step is not of the form `N x M day|week|month`.
    """
    starts = [as_of]
    for step in horizon:
        match = STEP.match(step)
        if match is None:
            raise BadInput(Problem("rulebook", "", "horizon", step, 'steps such as "7 x 1 day" or "11 x 1 month"'))
        count, length, unit = int(match[1]), int(match[2]), match[3]
        block = starts[-1]
        # months are counted from the block's first day, so that a 31st does not drift to the 28th
        starts += [block + relativedelta(**{f"{unit}s": length * k}) for k in range(1, count + 1)]
    return Grid(tuple(starts))
