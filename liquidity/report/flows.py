"""Where tonight's freed money went, grouped so that a picture of it can be read."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

USES = {
    "same_borrowers": ("Same borrowers", "原借款人"),
    "new_borrowers": ("New borrowers", "新借款人"),
    "other_segments": ("Borrowers of other segments", "其他客群的借款人"),
    "notes": ("Noteholders", "证券持有人"),
    "lines": ("Banks and other lenders", "银行及其他出资方"),
    "partner": ("Partner institutions", "合作机构"),
    "costs": ("Costs and other payments", "费用及其他支出"),
    "losses": ("Losses", "损失"),
    "buffers": ("Kept as cash", "留存现金"),
}
MIDDLE = {
    "same_borrowers": ("Same borrowers", "原借款人"),
    "other_borrowers": ("Other borrowers", "其他借款人"),
    "not_lent": ("Not lent", "未投放"),
}
_MIDDLE_OF = {
    "same_borrowers": "same_borrowers",
    "new_borrowers": "other_borrowers",
    "other_segments": "other_borrowers",
}
_MOST_GROUPS = 5
_SMALL = 0.01  # a use below this share of freed money is drawn together with the other small ones


@dataclass(frozen=True)
class Link:
    """A stream of money, CNY, between two nodes named (column, key)."""

    source: tuple[str, str]
    target: tuple[str, str]
    amount: float


ORDERS: dict[str, tuple[str, str]] = {
    "lend": ("Lending", "放款"), "draw": ("Drawing of a line", "授信提款"),
    "pay_down": ("Repayment of a line", "归还授信"), "line_interest": ("Interest of a line", "授信利息"),
    "note_draw": ("Drawing of warehouse notes", "仓储融资提款"),
    "note_pay": ("Repayment of warehouse notes", "归还仓储融资"),
    "note_interest": ("Interest of warehouse notes", "仓储融资利息"), "sale_of_loans": ("Sale of loans", "贷款转让"),
    "contribute": ("Contribution to a vehicle", "向载体注资"), "release": ("Release to the treasury", "释放至资金部"),
    "residual": ("Residual", "剩余收益"), "coupon": ("Coupon", "票息"),
    "note_principal": ("Principal of notes", "证券本金"),
    "note_issue": ("Issue of notes", "证券发行"), "issue_cost": ("Cost of an issue", "发行费用"),
}  # fmt: skip
"""Kinds of orders (`orders.csv`) in both languages."""


def groups(amounts: pd.Series) -> pd.Series:
    """The group of each segment (index): its grade, which is the name's part before the first hyphen.

    `amounts` CNY by segment. Where that gives more than five groups, the four largest stay and the rest are `other`.
    """
    grade = pd.Series([str(name).split("-")[0] for name in amounts.index], index=amounts.index, dtype=object)
    if grade.nunique() <= _MOST_GROUPS:
        return grade
    largest = amounts.groupby(grade).sum().sort_values(ascending=False, kind="stable").index[: _MOST_GROUPS - 1]
    return grade.where(grade.isin(largest), "other")


def uses_by_group(uses: pd.DataFrame) -> pd.DataFrame:
    """CNY freed tonight, (group, use): rows are groups of segments, columns every use in the order of `USES`."""
    freed = uses.groupby("segment")["amount"].sum()
    group = uses["segment"].map(groups(freed)).rename("group")
    table = uses.pivot_table(index=group, columns="use", values="amount", aggfunc="sum")
    return table.reindex(columns=list(USES)).fillna(0.0)


def links(table: pd.DataFrame) -> list[Link]:
    """At most 15 links from groups to the three middles, then links on to uses. `table` as `uses_by_group`."""
    whole = {use: float(table[use].sum()) for use in USES}
    rows = []
    for group, amounts in zip(table.index, table.to_numpy(dtype=float)):
        for key in MIDDLE:
            amount = sum(float(a) for use, a in zip(USES, amounts) if _MIDDLE_OF.get(use, "not_lent") == key)
            rows.append(Link(("group", str(group)), ("middle", key), amount))
    small = [use for use in USES if use not in _MIDDLE_OF and 0 < whole[use] < _SMALL * sum(whole.values())]
    small = small if len(small) > 1 else []
    for use in USES:
        if use != "same_borrowers" and use not in small:
            rows.append(Link(("middle", _MIDDLE_OF.get(use, "not_lent")), ("use", use), whole[use]))
    rows.append(Link(("middle", "not_lent"), ("use", "+".join(small)), sum(whole[use] for use in small)))
    return [link for link in rows if link.amount > 0]


def node_name(node: tuple[str, str]) -> tuple[str, str]:
    """What a node is called, English and Chinese."""
    column, key = node
    if column == "middle":
        return MIDDLE[key]
    if column == "use":
        names = [USES[use] for use in key.split("+")]
        return ", ".join([names[0][0], *(name[0].lower() for name in names[1:])]), "、".join(name[1] for name in names)
    if key == "other":
        return "Other grades", "其他等级"
    return (f"Grade {key}", f"{key}级") if len(key) <= 2 else (key, key)
