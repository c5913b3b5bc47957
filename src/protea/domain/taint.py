"""Whose words a session has heard: a fold of its log, as the transcript is.

What came from a page, a tool of an MCP server or a message from outside stays with the session while the model may have
it before its eyes: to the end, unless the session is rewound to before it. A summary of it is still of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from protea.domain.events import Event, PromptSubmitted, Rewound, ToolCallChanged
from protea.domain.tools import ENDED, Taint

Heard = Mapping[Taint, int]
"""Kind → the event that first brought it."""


def heard(before: Heard, event: Event) -> Heard:
    """What was heard once `event` has happened too."""
    seq = event.seq or 0
    match event:
        case Rewound():
            return {kind: at for kind, at in before.items() if at <= event.to}
        case PromptSubmitted() if event.origin.startswith("channel"):
            kinds: tuple[Taint, ...] = ("channel",)
        case PromptSubmitted() if event.origin.startswith(("mention:", "task:")):
            told = event.origin.partition(":")[2].split(",")
            kinds = tuple(kind for kind in get_args(Taint) if kind in told)
        case ToolCallChanged(result=result) if event.state in ENDED and result is not None:
            kinds = result.taint
            if event.call.name.startswith("mcp__") and result.denied is None:  # one that was refused has heard nobody
                kinds = (*kinds, "mcp")
        case _:
            return before
    new = {kind: seq for kind in kinds if kind not in before}
    return {**before, **new} if new else before


def heard_in(events: Iterable[Event]) -> Heard:
    """What a whole log has heard."""
    told: Heard = {}
    for event in events:
        told = heard(told, event)
    return told
