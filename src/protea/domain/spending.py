"""What replies cost, added up, and the budgets that must not be broken. Pure; kept by `ports.ledger`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from protea.domain.messages import AssistantMessage, Message, Text, Thinking, ToolCall, ToolMessage
from protea.domain.reply import ModelRequest
from protea.domain.usage import Price, Usage

Dollars = Annotated[float, msgspec.Meta(ge=0)]

_BYTES_PER_TOKEN = 6
"""Rather many, so that an estimate of tokens is rather low."""


class Spending(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one reply cost."""

    at: str
    """RFC 3339, UTC."""
    session: str
    profile: str
    model: str
    cost_usd: float

    @property
    def day(self) -> str:
        """`2026-11-28`."""
        return self.at[:10]


class Budgets(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`[budgets]`: dollars that are never passed. A request that would pass one is not made."""

    session: Dollars | None = None
    """Per session, over all its prompts, also after it was left and taken up again."""
    day: Dollars | None = None
    """Per day (UTC), all sessions of this home together."""
    profiles: dict[str, Dollars] = {}
    """Per day, by the profile in force."""

    @property
    def any(self) -> bool:
        """Whether there is one to keep."""
        return self.session is not None or self.day is not None or bool(self.profiles)


class Spent(msgspec.Struct, frozen=True):
    """Dollars so far, by what they are counted for."""

    session: float = 0.0
    day: float = 0.0
    profile: float = 0.0
    """Today, in the profile in force."""


def broken(budgets: Budgets, spent: Spent, profile: str, expected: float) -> str | None:
    """The sentence that says which budget one more request would pass; None where it passes none.

    `expected` is what the request will cost: `next_cost`.
    """
    kept = (
        ("session", "this session's budget", budgets.session, spent.session),
        ("day", "the day's budget", budgets.day, spent.day),
        (
            f"profiles.{profile}",
            f"the day's budget of the profile {profile}",
            budgets.profiles.get(profile),
            spent.profile,
        ),
    )
    for key, name, most, so_far in kept:
        if most is not None and (so_far >= most or so_far + expected > most):
            what = "is used up" if so_far >= most else f"would be passed by a request of about ${expected:.4f}"
            return f"{name}, ${most:.2f}, {what}: ${so_far:.4f} is spent (budgets.{key})"
    return None


def next_cost(request: ModelRequest, price: Price | None, before: Usage) -> float:
    """Dollars the request must be expected to cost: what the reply `before` it in the same turn read is read again,
    from a cache at best, and about as much is written. The first one costs at least its texts, at a low estimate.

    Images are left out of that, for their bytes say nothing about their tokens.
    """
    if price is None:
        return 0.0
    size = sum(map(len, request.system)) + sum(map(size_of, request.messages))
    cheapest = price.input if price.cache_read is None else min(price.input, price.cache_read)
    read = max(size // _BYTES_PER_TOKEN, before.input) * cheapest
    return (read + before.output * price.output) / 1_000_000


def size_of(message: Message) -> int:
    """Characters of what a message says; images count for nothing."""
    match message:
        case ToolMessage(text=text):
            return len(text)
        case AssistantMessage(content=content):
            return sum(_written(part) for part in content)
        case _:
            return sum(len(part.text) for part in message.content if isinstance(part, Text))


def _written(part: object) -> int:
    match part:
        case Text(text=text) | Thinking(text=text):
            return len(text)
        case ToolCall(arguments=arguments, arguments_text=text):
            return len(text or "") if isinstance(arguments, msgspec.UnsetType) else len(msgspec.json.encode(arguments))
        case _:
            return 0
