"""Whether a request begins with the one before it, which is what a provider's cache needs. Pure.

`PrefixGuard` is told every event and shown every request; it says what broke the prefix, and which event did.
"""

from __future__ import annotations

import msgspec

from protea.domain.events import (
    ApprovalRequested,
    Compacted,
    CompactionUndone,
    LastingEvent,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    ProfileSwapped,
    Rewound,
)
from protea.domain.messages import AssistantMessage, Message
from protea.domain.reply import ModelRequest
from protea.domain.spending import size_of

WORTH_TELLING = 1024
"""Tokens that are read anew: providers cache nothing shorter."""
_BYTES_PER_TOKEN = 4


_CHANGES = (ModelSwitched, ModeChanged, ProfileSwapped, Compacted, CompactionUndone, Rewound)


class Break(msgspec.Struct, frozen=True):
    """Where a request leaves the one before it."""

    where: str
    """`the model`, `the system prompt`, `the tools` or `message 7`."""
    tokens: int
    """About so many that were sent before, or could have been, are read anew. What is new anyway does not count."""


class PrefixGuard:
    """One per session."""

    def __init__(self) -> None:
        self._before: tuple[str, ModelRequest] | None = None
        self._events: list[LastingEvent] = []
        self._seen = 0
        """Tokens the last reply is said to have read."""

    def note(self, event: LastingEvent) -> None:
        """Tell it what happened: of what may change a prefix it remembers the last."""
        if isinstance(event, MessageCompleted) and not event.partial:
            self._seen = event.usage.input
        elif isinstance(event, _CHANGES) or (isinstance(event, ApprovalRequested) and event.kind == "trust"):
            self._events.append(event)

    def look(self, model: str, request: ModelRequest) -> str | None:
        """A sentence where this request, the next that is sent, leaves the one before it at a price worth telling."""
        before, self._before = self._before, (model, request)
        events, self._events = self._events, []
        found = broken_at(*before, model, request, self._seen) if before is not None else None
        if found is None and before is not None:  # a mode that changes within a turn is in the prompt of the next one
            self._events += [event for event in events if isinstance(event, ModeChanged)][-1:]
        if found is None or found.tokens < WORTH_TELLING:
            return None
        by = ", ".join(dict.fromkeys(_named(event) for event in events)) or "nothing in the log says why"
        return f"The cached beginning ends at {found.where} ({by}): about {found.tokens:,} tokens are read anew."


def broken_at(
    model: str, request: ModelRequest, next_model: str, next_request: ModelRequest, seen: int = 0
) -> Break | None:
    """Where the next request leaves the one before, of which `seen` tokens were read; None where it begins so."""
    now = next_request.messages
    if next_model != model:
        return Break("the model", max(seen, _tokens(next_request, 0)))
    if next_request.system != request.system:
        return Break("the system prompt", max(seen, _tokens(next_request, 0)))
    if next_request.tools != request.tools:
        return Break("the tools", max(seen, _tokens(next_request, 0)))
    kept = request.messages
    if now[: len(kept)] == kept:
        return None
    at = next((n for n, (a, b) in enumerate(zip(kept, now, strict=False)) if a != b), min(len(kept), len(now)))
    return Break(f"message {at + 1}", _tokens(next_request, at + 1))


def _tokens(request: ModelRequest, after: int) -> int:
    """About what stands behind message number `after` and is no news: up to the last reply."""
    known: tuple[Message, ...] = request.messages
    while known and not isinstance(known[-1], AssistantMessage):
        known = known[:-1]
    size = sum(map(size_of, known[after:]))
    if not after:
        size += sum(map(len, request.system))
    return size // _BYTES_PER_TOKEN


def _named(event: LastingEvent) -> str:
    match event:
        case ModelSwitched(model=model):
            return f"model_switched to {model}"
        case ModeChanged(mode=mode):
            return f"mode_changed to {mode}"
        case ProfileSwapped(profile=profile):
            return f"profile_swapped to {profile}"
        case Compacted():
            return "compacted"
        case CompactionUndone():
            return "compaction undone"
        case ApprovalRequested():
            return "files of the project"
        case _:
            return "rewound"
