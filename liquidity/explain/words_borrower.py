"""The sentence a borrower reads. It carries no figure of the pool and never blames a borrower for what the pool did.

"This is not about you" is said only where every gate was open, and only for causes that are wholly about the pool:
a risk budget, a price cap, an order of priority, an instruction or a return that does not cover its cost may rest on
what the lender expects of the borrower's segment, so there the sentence would claim more than is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from liquidity.explain.words_money import Lang


@dataclass(frozen=True)
class _Message:
    """What is said after the repayment is acknowledged; `impersonal`: wholly about the pool."""

    en: str
    zh: str
    impersonal: bool = False


_NOT_YOU: dict[Lang, str] = {
    "en": " This is not about you or how you have repaid.",
    "zh": "，这与您的还款表现无关",
}
_RECEIVED: dict[Lang, str] = {"en": "Your repayment has been received. ", "zh": "您的还款已入账。"}
_MESSAGES = {
    "NOT_ASKED": _Message(
        "We have no new request from you. You may ask to borrow again at any time.",
        "我们尚未收到您的再次借款申请，您可以随时提出申请",
    ),
    "SCORE_LOWERED": _Message(
        "We have reviewed your limit and it is lower than before. You may ask us for the main reasons and for a "
        "review.",
        "我们重新评估了您的额度，额度较此前有所下调。您可以要求我们说明主要原因并申请复核",
    ),
    "MODEL_CHANGED": _Message(
        "We have changed the way we set limits, and your limit changed with it. The change was ours. You may ask us to "
        "explain it.",
        "我们调整了额度的评估方法，您的额度随之变化。这是我们自身的调整，您可以要求我们作出说明",
    ),
    "LIMIT_POLICY": _Message(
        "Our credit policy limits the amount we can lend on your account at present. You may ask us to explain it.",
        "按照我们的授信政策，目前您账户的可借额度受到限制。您可以要求我们作出说明",
    ),
    "SYSTEM_UNAVAILABLE": _Message(
        "Our systems cannot handle new loans at the moment. Please try again later.",
        "我们的系统暂时无法办理放款，请您稍后再试",
    ),
    "FUNDING": _Message(
        "The funds we have for lending are limited at present, so we cannot lend again for now.",
        "目前可出借资金有限，暂时无法放款",
        impersonal=True,
    ),
    "LIQUIDITY_BUFFER": _Message(
        "We have to keep part of our funds in reserve at present, so we cannot lend again for now.",
        "目前我们需要按要求留存部分资金，暂时无法放款",
        impersonal=True,
    ),
    "CAPITAL": _Message(
        "The rules on our own capital limit how much we can lend at present, so we cannot lend again for now.",
        "目前我们的放款总量受自身资本要求限制，暂时无法放款",
        impersonal=True,
    ),
    "LEVERAGE": _Message(
        "The rules on how much we may borrow limit how much we can lend at present, so we cannot lend again for now.",
        "目前我们的放款总量受自身融资规模限制，暂时无法放款",
        impersonal=True,
    ),
    "FACILITY_TERMS": _Message(
        "The agreements that fund our loans limit how much we can lend at present, so we cannot lend again for now.",
        "目前我们的放款受资金来源合同条款限制，暂时无法放款",
        impersonal=True,
    ),
    "PARTNER": _Message(
        "The institutions we lend with have limited room at present, so we cannot lend again for now.",
        "目前合作机构的可用额度有限，暂时无法放款",
        impersonal=True,
    ),
    "CONCENTRATION": _Message(
        "We limit how much we lend to any one part of our loans and have reached that limit, so we cannot lend again "
        "for now.",
        "我们对同类贷款的总量设有上限，目前已达上限，暂时无法放款",
        impersonal=True,
    ),
    "RISK_BUDGET": _Message(
        "We limit the total of certain loans we hold and have reached that limit, so we cannot lend again for now.",
        "我们对所持部分贷款的总量设有限制，目前暂时无法放款",
    ),
    "PRICE_CAP": _Message(
        "The full price of this product is above the highest price that applies now, so we cannot lend on it for now.",
        "该产品目前的综合融资成本高于适用上限，暂时无法放款",
    ),
    "STABILITY": _Message(
        "We change the amounts we lend only step by step from day to day, so we cannot lend again for now.",
        "为保持放款平稳，我们对每日放款的变化幅度设有限制，目前暂时无法放款",
        impersonal=True,
    ),
    "PRIORITY": _Message(
        "The funds we have at present are set aside for arrangements that come first, so we cannot lend again for now.",
        "目前可出借资金须优先用于既定安排，暂时无法放款",
    ),
    "INSTRUCTION": _Message(
        "We have paused part of our lending at present, so we cannot lend again for now.",
        "目前我们暂停了部分放款，暂时无法放款",
    ),
    "UNPROFITABLE": _Message(
        "We are not lending more on the present terms of this product for now.",
        "该产品在现有条件下暂不放款",
    ),
}


def borrower_text(lang: Lang, cause: str, gates_open: bool) -> str:
    """The short sentence for a borrower who repaid and is not lent to again because of `cause`.

    `gates_open`: every gate let this borrower's request through. Raises KeyError on an unknown cause.
    """
    message = _MESSAGES[cause]
    not_you = _NOT_YOU[lang] if gates_open and message.impersonal else ""
    if lang == "en":
        return f"{_RECEIVED['en']}{message.en}{not_you}"
    return f"{_RECEIVED['zh']}{message.zh}{not_you}。"
