"""What fills a model's window, part by part, for the meter of any face. Called by `session`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from protea.domain.messages import PERSON, AssistantMessage, Message, ToolMessage, UserMessage, length_of
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolSpec
from protea.domain.usage import ModelInfo, Usage
from protea.ports.tokens import Tokens

PIECE = 256
"""Messages that are counted in one go: of a long conversation others are not to wait for all."""


async def metered(
    info: ModelInfo,
    tokens: Tokens | None,
    *,
    system: tuple[str, ...],
    skills: int = 0,
    instructions: int,
    tools: tuple[ToolSpec, ...],
    messages: tuple[Message, ...],
    summed_up: bool,
    seen: Usage,
) -> dict[str, Any]:
    """`window`, `used`, `counted`, `parts` (name, tokens) and `cache_read`: how much of the last request was cached.

    `counted` is what the provider counted of it (`seen`), up to the last reply; 0 where it has not counted what the
    conversation now is. Parts, and what came after that reply, are estimates in proportion to it; `used` is their sum.

    The last `instructions` parts of `system` are instruction files, the `skills` before them what is brought from
    outside; the first of `messages` is a summary where they were `summed_up`.
    """

    def of_request(system: tuple[str, ...] = (), tools: tuple[ToolSpec, ...] = ()) -> int:
        if tokens is None or not (system or tools):
            return sum(map(len, system)) // 4
        return tokens.request(ModelRequest((), system=system, tools=tools), info.id)

    async def of_messages(messages: Iterable[Message]) -> int:
        count = 0
        for number, message in enumerate(messages, 1):
            count += length_of(message) if tokens is None else tokens.message(message, info.id)
            if number % PIECE == 0:
                await asyncio.sleep(0)
        return count // 4 if tokens is None else count

    told = len(system) - instructions
    own = told - skills
    rest = messages[1:] if summed_up else messages
    parts = {
        "system": of_request(system=system[:own]),
        "skills": of_request(system=system[own:told]),
        "instructions": of_request(system=system[told:]),
        "tools": of_request(tools=tools),
        "summary": await of_messages(messages[: len(messages) - len(rest)]),
        "conversation": await of_messages(each for each in rest if isinstance(each, UserMessage | AssistantMessage)),
        "results": await of_messages(each for each in rest if isinstance(each, ToolMessage)),
    }
    counted, estimated = seen.input + seen.output, sum(parts.values())
    since = await of_messages(_since_the_last_reply(messages)) if counted else 0
    scale = counted / max(1, estimated - since) if counted else 1.0
    shown = _rounded({name: count * scale for name, count in parts.items()})
    return {
        "window": info.context,
        "used": sum(shown.values()),
        "counted": counted,
        "parts": [{"name": name, "tokens": count} for name, count in shown.items() if count],
        "cache_read": seen.cache_read / seen.input if seen.input else 0.0,
    }


def _since_the_last_reply(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    replies = (at for at in range(len(messages), 0, -1) if _is_reply(messages[at - 1]))
    return messages[next(replies, 0) :]


def _is_reply(message: Message) -> bool:
    return isinstance(message, AssistantMessage) and message.model != PERSON


def _rounded(parts: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers whose sum is the sum, rounded: what was cut off most is rounded up."""
    whole = {name: int(count) for name, count in parts.items()}
    missing = round(sum(parts.values())) - sum(whole.values())
    for name in sorted(parts, key=lambda name: whole[name] - parts[name])[:missing]:
        whole[name] += 1
    return whole
