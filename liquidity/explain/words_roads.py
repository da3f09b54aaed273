"""The road not taken as sentences for the treasury: what a facility earns tonight, what the rules take, what shuts it.

Prices say what one more CNY is worth at the margin, so the verbs are "takes" and "leaves". "Shut" is said only of a
row that by its numbers allows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from liquidity.explain.words import CAUSES, ORIGINS
from liquidity.explain.words_money import Lang, money, segment_name

TOLD = 5e-5
"A rate nearer to nought (1/year) is not told."
MOST = 3
ITEMS: dict[str, dict[Lang, str]] = {
    "terms": {"en": "the cash of its account (and the facility's structure)", "zh": "账户资金成本与交易结构"},
    "future_relending": {"en": "the right to lend again later", "zh": "后续再投放机会"},
    "requests": {"en": "the requests that passed the gates", "zh": "通过前置检查的借款申请"},
}


@dataclass(frozen=True)
class Road:
    """One facility for the returning borrowers of a segment, tonight.

    `lent` is what the segment is lent in all facilities (CNY), `parts` what every item takes a year (1/year); the
    other fields are columns of the table of roads.
    """

    FROM_ROW: ClassVar[tuple[str, ...]] = (
        "segment", "facility", "rank", "state", "taken", "shut_by", "also", "code", "origin", "margin",
        "margin_per_year", "left_per_year", "charge_per_year",
    )  # fmt: skip
    segment: str
    facility: str
    rank: int
    state: str
    taken: float
    shut_by: str
    also: str
    code: str
    origin: str
    margin: float
    margin_per_year: float
    left_per_year: float
    charge_per_year: float
    parts: Mapping[str, float]
    lent: float


def rate(lang: Lang, share: float) -> str:
    """A rate per year: `8.60% a year`, `年化8.60%`."""
    return f"{share:.2%} a year" if lang == "en" else f"年化{share:.2%}"


def points(share: float) -> str:
    """A difference of two yearly rates in Chinese: `3.85个百分点`."""
    return f"{share * 100:.2f}个百分点"


def road_text(lang: Lang, road: Road) -> str:
    """The sentences of one facility."""
    if road.state == "shut":
        text = _shut(lang, road)
        return _nothing_open(lang, road) + text if road.rank == 1 else text
    if road.rank == 1:
        return _best(lang, road)
    return _also_lent(lang, road) if road.state == "lent" else _unused(lang, road)


def _best(lang: Lang, road: Road) -> str:
    """The best facility: what it earns, what is taken, what is left."""
    gap = " " if lang == "en" else ""
    return gap.join(
        part for part in (_head(lang, road), _earns(lang, road), _takes(lang, road), _end(lang, road)) if part
    )


def _head(lang: Lang, road: Road) -> str:
    lent, taken = money(lang, road.lent), money(lang, road.taken)
    whole = road.lent - road.taken < 0.005
    if lang == "zh":
        name = segment_name(lang, road.segment)
        if road.state == "lent":
            where = f"均由{road.facility}放款" if whole else f"其中由{road.facility}放款{taken}，金额最大"
            return f"{name}今晚再投放{lent}，{where}。"
        return f"{name}今晚未再投放；最接近放款条件的渠道是{road.facility}。"
    if road.state == "lent":
        where = f"all from {road.facility}" if whole else f"most of it from {road.facility} ({taken})"
        return f"{road.segment} is lent {lent} again tonight, {where}."
    return f"{road.segment} is lent nothing again tonight; {road.facility} comes nearest."


def _earns(lang: Lang, road: Road) -> str:
    yearly = rate(lang, road.margin_per_year)
    if lang == "zh":
        return f"每放款1元，存续期内净收益{road.margin:.4f}元（{yearly}，已扣除预期损失、成本及闲置资金收益）。"
    net = "net of losses, costs and the return on cash"
    return f"A CNY lent there earns CNY {road.margin:.4f} over its life, {yearly}, {net}."


def _takes(lang: Lang, road: Road) -> str:
    """The items that take and give most of the margin; the requests are what is left, told at the end."""
    parts = {item: part for item, part in road.parts.items() if item != "requests" and abs(part) >= TOLD}
    order = sorted(parts, key=lambda item: (-abs(parts[item]), item))
    takes, adds = [i for i in order if parts[i] > 0][:MOST], [i for i in order if parts[i] < 0][:MOST]
    told, rest = [*takes, *adds], sum(parts.values())
    rest -= sum(parts[item] for item in told)
    says = [*(_part(lang, item, parts[item]) for item in told), _rest(lang, rest)]
    says = [part for part in says if part]
    if not says:
        return "No rule takes any of it." if lang == "en" else "各项规则均不扣减该收益。"
    if lang == "zh":
        return f"按今晚的边际价格：{'，'.join(says)}。"
    return f"At tonight's prices {', '.join(says)}."


def _part(lang: Lang, item: str, part: float) -> str:
    name, size = item_name(lang, item), rate(lang, abs(part))
    if lang == "zh":
        return f"{name}扣减{size}" if part > 0 else f"{name}贡献{size}"
    return f"{name} {'takes' if part > 0 else 'adds'} {size}"


def _rest(lang: Lang, rest: float) -> str:
    if abs(rest) < TOLD:
        return ""
    size = rate(lang, abs(rest))
    if lang == "zh":
        return f"其余合计扣减{size}" if rest > 0 else f"其余合计贡献{size}"
    return f"the others {'take' if rest > 0 else 'add'} {size}"


def _end(lang: Lang, road: Road) -> str:
    """What is left for the lender: what one more request would earn, nothing, or less than nothing."""
    asked, short = road.parts.get("requests", 0.0), -road.left_per_year
    if road.state != "lent" and short >= TOLD:
        size = rate(lang, short)
        return f"It is worth {size} less than the best use." if lang == "en" else f"较最优用途年化低{points(short)}。"
    if asked < TOLD:
        return "Nothing is left." if lang == "en" else "扣除后无剩余。"
    size = rate(lang, asked)
    if lang == "zh":
        return f"剩余{size}：通过前置检查的申请已全部满足，再多1元申请即可多得此收益。"
    return (
        f"{size[0].upper() + size[1:]} is left: all that was asked for and allowed is lent, one CNY more would earn it."
    )


def _also_lent(lang: Lang, road: Road) -> str:
    taken, yearly = money(lang, road.taken), rate(lang, road.margin_per_year)
    if lang == "zh":
        return f"{road.facility}：放款{taken}，净收益{yearly}。"
    return f"{road.facility}: {taken} is lent from it too, earning {yearly}."


def _unused(lang: Lang, road: Road) -> str:
    """An open facility that is not used."""
    yearly, less = rate(lang, road.margin_per_year), -road.left_per_year
    if less < TOLD:
        if lang == "zh":
            return f"{road.facility}：可放款但今晚未使用，净收益{yearly}，按今晚的边际价格，与最优用途相当。"
        return f"{road.facility}: open and not used; it earns {yearly}, at tonight's prices as good as the best use."
    size, takes = rate(lang, less), _part(lang, road.shut_by, road.charge_per_year) if road.shut_by else ""
    if lang == "zh":
        more = f"{takes}，" if takes else ""
        head = f"{road.facility}：可放款但今晚未使用，净收益{yearly}"
        return f"{head}；按今晚的边际价格，{more}较最优用途年化低{points(less)}。"
    more = f"{takes} and " if takes else ""
    return f"{road.facility}: open and not used; it earns {yearly}; {more}it is worth {size} less than the best use."


def _shut(lang: Lang, road: Road) -> str:
    """A facility that a row shuts, and what would be left without the row."""
    who, left = _owner(lang, road), road.left_per_year
    size, yearly = rate(lang, abs(left)), rate(lang, road.margin_per_year)
    if lang == "zh":
        than = (
            "与最优用途相当" if abs(left) < TOLD else f"较最优用途年化{'高' if left > 0 else '低'}{points(abs(left))}"
        )
        return f"{road.facility}：因{who}不得放款；若可放款，净收益{yearly}，按今晚的边际价格，{than}。"
    than = "as good as" if abs(left) < TOLD else f"worth {size} {'more' if left > 0 else 'less'} than"
    return f"{road.facility}: shut by {who}; open, a CNY would earn {yearly} and be {than} tonight's best use."


def _nothing_open(lang: Lang, road: Road) -> str:
    if lang == "zh":
        return f"{segment_name(lang, road.segment)}今晚没有可放款的渠道。"
    return f"No facility is open to {road.segment} tonight. "


def _owner(lang: Lang, road: Road) -> str:
    """The rule that shuts a facility, with its cause, who can change it, and the others that shut it too."""
    names, stop = [road.shut_by, *road.also.split("+")] if road.also else [road.shut_by], ", " if lang == "en" else "，"
    cause = [CAUSES[road.code].zh if lang == "zh" else CAUSES[road.code].en] if road.code else []
    beside = stop.join([*cause, *([ORIGINS[road.origin][lang]] if road.origin else [])])
    first = item_name(lang, names[0])
    first = first if not beside else f"{first} ({beside})" if lang == "en" else f"{first}（{beside}）"
    if len(names) == 1:
        return first
    if lang == "zh":
        return f"{first}以及{'、'.join(item_name(lang, name) for name in names[1:])}"
    return f"{first}, and by {', '.join(item_name(lang, name) for name in names[1:])}"


def item_name(lang: Lang, item: str) -> str:
    """An item of the charges as it is spoken of: a rule by its name, the others in words."""
    return ITEMS[item][lang] if item in ITEMS else item
