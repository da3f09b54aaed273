"""Lines and warehouses are drawn within their commitment, until they mature, on business days."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

from liquidity.rules.base import Lang, Rule, day_of, value

if TYPE_CHECKING:
    from liquidity.program.pool import Pool


class LineLimit(Rule):
    """No line and no warehouse is drawn beyond what was committed.

    In symbols (CNY):
        debt[l,t]  <= commitment[l,t], and <= 0 in periods that start at or after the line's maturity
        notes[w,t] <= commitment[w,t]; a deposit without maturity has no such row, its depositors decide
        draw[l,t] <= 0 and note_draw[w,t] <= 0 in one-day periods that are no business day
        draw[l,t] <= 0 in periods that end before the line's notice has run, counted from the date of the book
    """

    code: ClassVar[str] = "FUNDING"

    kind: Literal["line_limit"] = value("line_limit", "Which rule this is.", "name")

    def write(self, pool: Pool) -> None:
        """Rows `line, closed_line, notice` (line, period) and `warehouse, closed_warehouse` (facility, period)."""
        m, periods = pool.model, self.periods(pool)
        lines = pool.book["lines"]
        room = by_period(pool, "note_commitment_path", "facility", m.WAREHOUSE)
        most = by_period(pool, "line_commitment_path", "line", m.LINE)
        alive = {line: set(pool.grid.before(day_of(lines.maturity[line]))) for line in m.LINE}
        open_ended = (lines.kind == "deposit") & lines.maturity.isna()
        limited = pool.index(self, "limited", list(lines.index[~open_ended])) if open_ended.any() else m.LINE
        pool.limit(
            self,
            "line",
            over=(limited, periods),
            body=lambda m, line, t: m.debt[line, t],
            at_most=lambda line, t: most[line, t] if t in alive[line] else 0.0,
        )
        pool.limit(
            self,
            "warehouse",
            over=(m.WAREHOUSE, periods),
            body=lambda m, w, t: m.notes[w, t],
            at_most=lambda w, t: room[w, t],
        )
        early = self.within_notice(pool)
        if early:
            index = pool.index(self, "noticed", early)
            pool.limit(self, "notice", (index,), lambda m, line, t: m.draw[line, t], at_most=0.0)
        shut = self.closed_days(pool)
        if shut:
            days = pool.index(self, "closed_day", shut)
            pool.limit(self, "closed_line", (m.LINE, days), lambda m, line, t: m.draw[line, t], at_most=0.0)
            pool.limit(self, "closed_warehouse", (m.WAREHOUSE, days), lambda m, w, t: m.note_draw[w, t], at_most=0.0)

    def within_notice(self, pool: Pool) -> list[tuple[str, int]]:
        """Lines and periods in which they cannot be drawn yet: a draw asked for tonight comes after the notice."""
        days, grid, held = pool.book["lines"].notice_days, pool.grid, self.in_force(pool)
        return [
            (line, t) for line in pool.model.LINE for t in held
            if (grid.starts[t] - grid.starts[0]).days <= days[line]
        ]  # fmt: skip

    def closed_days(self, pool: Pool) -> list[int]:
        """One-day periods that the book's calendar, or a scenario, calls no business day."""
        table, grid = pool.book["calendar"], pool.grid
        closed = {day_of(day) for day in table.index[~table.business_day.astype(bool)]}
        more = pool.inputs.closed.values
        days = [t for t in self.in_force(pool) if grid.days[t - 1] == 1]
        return [t for t in days if more[t - 1] or grid.starts[t - 1] in closed]

    def formula(self) -> str:
        """See Rule."""
        return (
            "debt[l,t] <= commitment[l] until maturity, then 0; notes[w,t] <= commitment[w]; draw[l,t] <= 0 and "
            "note_draw[w,t] <= 0 on days that are no business day; draw[l,t] <= 0 until the line's notice has run"
        )

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return "借款及仓储融资余额不超过授信承诺额度，到期须清偿；非工作日及提款通知期内不得提款。"
        return (
            "Lines and warehouses are drawn at most to their commitment, repaid at maturity, and not drawn on days "
            "that are no business day, nor before the notice of a line has run."
        )


def by_period(pool: Pool, name: str, dim: str, labels: Iterable[str]) -> dict[tuple[str, int], float]:
    """An input by label and period, units; `labels` of the dim in any order."""
    table = pool.inputs[name].transpose(dim, "period").values
    place = {label: at for at, label in enumerate(pool.inputs[dim].values.tolist())}
    return {(label, t): float(table[place[label], t - 1]) for label in labels for t in range(1, pool.grid.size + 1)}
