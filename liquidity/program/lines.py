"""Credit lines, warehouse notes and the open market (DESIGN 5)."""

from __future__ import annotations

from liquidity.program.known import day_of
from liquidity.program.pool import Pool


def write_lines(pool: Pool) -> None:
    """Debt of every line: debt[l,t] = debt[l,t-1] + draw - pay_down.  Units; dims line, period."""
    m = pool.model
    for name in ("draw", "pay_down"):
        pool.variable(name, "LINE", "PERIOD")
    pool.variable("debt", "LINE", "TIME", kind="state")
    start = pool.data("opening_debt", "LINE", of="debt")
    pool.define("opening_debt", (m.LINE,), lambda m, line: m.debt[line, 0], lambda line: start[line])
    pool.define(
        "debt",
        (m.LINE, m.PERIOD),
        lambda m, k, t: m.debt[k, t] - m.debt[k, t - 1] - m.draw[k, t] + m.pay_down[k, t],
    )
    pool.terms("debt_floor", (m.LINE, m.PERIOD), lambda m, k, t: m.debt[k, t], at_least=floors(pool))
    table = pool.book["lines"]
    drawn_once = [k for k in m.LINE if not table.revolving[k] or table.kind[k] == "deposit"]
    fixed = pool.index("terms", "drawn_once", drawn_once)
    pool.terms("no_redraw", (fixed, m.PERIOD), lambda m, k, t: m.draw[k, t], at_most=0.0)


def floors(pool: Pool) -> dict[tuple[str, int], float]:
    """Least debt by line and period: bonds and deposits cannot be repaid before they mature, others down to 0."""
    table = pool.book["lines"]
    out = {}
    for line in table.index:
        kept = table.kind[line] in ("bond", "deposit")
        held = set(pool.grid.before(day_of(table.maturity[line])))
        amount = pool.money(table.drawn[line])
        out.update({(line, t): amount if kept and t in held else 0.0 for t in pool.model.PERIOD})
    return out


def write_market(pool: Pool) -> None:
    """The open market: shut by the row `open_market`, which alone is lifted to ask what unlimited funding would do.

    Its rate is the dearest of the lender's own, so that lifting it is more funding, never cheaper funding.
    """
    m = pool.model
    for name in ("market_draw", "market_pay"):
        pool.variable(name, "PERIOD")
    pool.variable("market_debt", "TIME", kind="state")
    before = pool.index("definition", "market_opening", [0])
    pool.define("opening_market_debt", (before,), lambda m, t: m.market_debt[t])
    pool.define(
        "market_debt",
        (m.PERIOD,),
        lambda m, t: m.market_debt[t] - m.market_debt[t - 1] - m.market_draw[t] + m.market_pay[t],
    )
    pool.terms("market_floor", (m.PERIOD,), lambda m, t: m.market_debt[t], at_least=0.0)
    pool.terms("open_market", (m.PERIOD,), lambda m, t: m.market_debt[t], at_most=0.0, code="FUNDING")


def write_warehouses(pool: Pool) -> None:
    """Warehouse notes and contributions.

    In symbols: notes[t] = notes[t-1] + note_draw - note_pay;
    contribute <= (1 - advance_rate) (lend + move) + losses, the losses being what a borrowing base has to be cured of.
    """
    m = pool.model
    for name in ("note_draw", "note_pay", "contribute"):
        pool.variable(name, "WAREHOUSE", "PERIOD")
    pool.variable("notes", "WAREHOUSE", "TIME", kind="state")
    start = pool.data("opening_notes", "WAREHOUSE", of="notes")
    pool.define("opening_notes", (m.WAREHOUSE,), lambda m, w: m.notes[w, 0], start.array)
    pool.define(
        "notes",
        (m.WAREHOUSE, m.PERIOD),
        lambda m, w, t: m.notes[w, t] - m.notes[w, t - 1] - m.note_draw[w, t] + m.note_pay[w, t],
    )
    pool.terms("notes_floor", (m.WAREHOUSE, m.PERIOD), lambda m, w, t: m.notes[w, t], at_least=0.0)
    own = pool.param(
        "terms", "own_part", (m.WAREHOUSE, m.PERIOD), 1 - pool.arrays.advance_path[:, pool.places(m.WAREHOUSE)]
    )
    # without this row money was washed through the vehicle
    pool.terms(
        "contribute_cap",
        (m.WAREHOUSE, m.PERIOD),
        lambda m, w, t: (
            m.contribute[w, t]
            - own[w, t] * sum(m.lend[s, u, w, t] for s in m.SEGMENT for u in m.BORROWER)
            - own[w, t] * sum(m.move[s, w, t] for s in m.SEGMENT)
            - sum(m.loss[s, w, t] * m.balance[s, w, t - 1] for s in m.SEGMENT)
        ),
        at_most=0.0,
    )
