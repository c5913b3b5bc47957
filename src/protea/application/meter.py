"""What fills a model's window, part by part, for the meter of any face. Called by `session`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from protea.domain.messages import AssistantMessage, Message, ToolMessage, UserMessage, length_of
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolSpec
from protea.domain.transcript import Transcript
from protea.domain.usage import ModelInfo, Usage
from protea.ports.tokens import Tokens


def metered(
    info: ModelInfo,
    tokens: Tokens | None,
    *,
    system: tuple[str, ...],
    skills: int = 0,
    instructions: int,
    tools: tuple[ToolSpec, ...],
    transcript: Transcript,
    seen: Usage,
) -> dict[str, Any]:
    """`window`, `used`, `parts` (name, tokens) and `cache_read`, the share of the last request that was cached.

    `used` is what the provider counted last, where it did; the parts are estimates that add up to about as much. The
    last `instructions` parts of `system` are instruction files, the `skills` before them what is brought from outside.
    """

    def of_request(system: tuple[str, ...] = (), tools: tuple[ToolSpec, ...] = ()) -> int:
        if tokens is None or not (system or tools):
            return sum(map(len, system)) // 4
        return tokens.request(ModelRequest((), system=system, tools=tools), info.id)

    def of_messages(messages: Iterable[Message]) -> int:
        if tokens is None:
            return sum(map(length_of, messages)) // 4
        return sum(tokens.message(message, info.id) for message in messages)

    messages = transcript.messages()
    summed_up = messages[:1] if transcript.compacted is not None else ()
    rest = messages[len(summed_up) :]
    told = len(system) - instructions
    own = told - skills
    parts = {
        "system": of_request(system=system[:own]),
        "skills": of_request(system=system[own:told]),
        "instructions": of_request(system=system[told:]),
        "tools": of_request(tools=tools),
        "summary": of_messages(summed_up),
        "conversation": of_messages(each for each in rest if isinstance(each, UserMessage | AssistantMessage)),
        "results": of_messages(each for each in rest if isinstance(each, ToolMessage)),
    }
    return {
        "window": info.context,
        "used": seen.input + seen.output or sum(parts.values()),
        "parts": [{"name": name, "tokens": count} for name, count in parts.items() if count],
        "cache_read": seen.cache_read / seen.input if seen.input else 0.0,
    }
