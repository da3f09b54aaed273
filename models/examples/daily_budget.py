"""A rule of a lender's own, named by `daily_budget.toml` beside it: a budget a day for some products.

Copy this file, rename the class, say in `code` which cause its reasons are counted under (one of
`liquidity.rules.CODES`), and write the rows with `pool.limit`: decisions on the left, data on the right.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from liquidity.book import Book
from liquidity.errors import Problem
from liquidity.program.pool import Pool
from liquidity.rules.base import Lang, Rule, value
from liquidity.rules.text import join, money


class DailyBudget(Rule):
    """What is lent in some products is at most `amount` a day.

    In symbols: sum_{s of products, u, f} lend[s,u,f,t] <= amount days[t] (CNY, every period; joint loans at 100%).
    """

    code: ClassVar[str] = "LIMIT_POLICY"

    kind: Literal["daily_budget"] = value("daily_budget", "Which rule this is.", "name")
    products: tuple[str, ...] = value(..., "Products the budget is for.", "name", min_length=1)
    amount: float = value(..., "Lending allowed in a day.", "CNY/day", ge=0)

    def write(self, pool: Pool) -> None:
        """Rows `budget` (period)."""
        table, days = pool.book["segments"], pool.grid.days
        mine = pool.index(self, "budgeted", list(table.index[table["product"].isin(self.products)]))
        pool.limit(
            self,
            "budget",
            over=(self.periods(pool),),
            body=lambda m, t: sum(m.lend[s, u, f, t] for s in mine for u in m.BORROWER for f in m.OPEN),
            at_most=lambda t: pool.money(self.amount) * days[t - 1],
        )

    def check(self, book: Book) -> list[Problem]:
        """Every named product must exist."""
        known = sorted(book["segments"]["product"].unique())
        expected = f"one of {', '.join(known)}"
        return [self.problem("products", product, expected) for product in self.products if product not in known]

    def formula(self) -> str:
        """See Rule."""
        return "sum_{s of products,u,f} lend[s,u,f,t] <= amount * days[t]"

    def words(self, lang: Lang = "en") -> str:
        """See Rule."""
        if lang == "zh":
            return f"{join(self.products, lang)}类产品每日投放不超过{money(self.amount, lang)}。"
        return f"At most {money(self.amount, lang)} a day is lent in {join(self.products, lang)}."
