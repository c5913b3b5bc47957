"""Logs for tests of the transcript, as a hub would number them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from protea.domain.events import (
    LastingEvent,
    MessageCompleted,
    PromptSubmitted,
    SessionStarted,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import Text, Thinking, ToolCall
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage

STATES: tuple[Any, ...] = ("validating", "scheduled", "executing")


def numbered(events: Iterable[Any], first: int = 1) -> list[LastingEvent]:
    return [
        replace(event, seq=seq, at=f"2026-01-01T{seq // 3600 % 24:02}:{seq // 60 % 60:02}:{seq % 60:02}Z")
        for seq, event in enumerate(events, first)
    ]


def begun() -> list[Any]:
    return [SessionStarted(version="1", cwd="/srv/app", model="acme/big", profile="coding")]


def turn(name: str, *between: Any, prompt: str = "") -> list[Any]:
    return [
        PromptSubmitted(id=name, text=prompt or f"prompt {name}"),
        TurnStarted(id=f"t{name}", prompt=name, model="acme/big"),
        *between,
        TurnFinished(id=f"t{name}", outcome="finished", turns=1, usage=Usage(1200, 34)),
    ]


def says(text: str, *calls: ToolCall, thinking: str = "") -> MessageCompleted:
    content = (*((Thinking(thinking),) if thinking else ()), Text(text), *calls)
    return MessageCompleted(model="acme/big", content=content, stop="end_turn", usage=Usage())


def ran(call: ToolCall, text: str = "", diff: str | None = None, *, failed: bool = False) -> list[ToolCallChanged]:
    states = [ToolCallChanged(call=call, state=state) for state in STATES]
    result = ToolResult(text=text, is_error=failed, diff=diff)
    return [*states, ToolCallChanged(call=call, state="error" if failed else "success", result=result)]


def conversation(turns: int, text: str = "Answer {n}: it is *so*, and that is **why**.") -> list[LastingEvent]:
    """Each turn is four events; the first is the session's own."""
    return numbered([*begun(), *(e for n in range(1, turns + 1) for e in turn(str(n), says(text.format(n=n))))])
