"""Looks back into a session: what was said, called and answered, whatever the model is still shown of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from protea.domain.events import Compacted, LastingEvent, MessageCompleted, PromptSubmitted, ToolCallChanged
from protea.domain.messages import text_of
from protea.domain.view import call_object

AROUND = 300
"""Characters shown on each side of what was looked for."""


class Recalled(msgspec.Struct, frozen=True):
    """One place in a session."""

    seq: int
    what: str
    """Who said it, or which call it is, with its id."""
    text: str


def by_id(events: Iterable[LastingEvent], call_id: str) -> Recalled | None:
    """The whole result of a call; of several with this id, the latest."""
    found = None
    for event in events:
        if isinstance(event, ToolCallChanged) and event.call.id == call_id and event.result is not None:
            found = Recalled(event.seq or 0, _named(event), event.result.text)
    return found


def places(events: Iterable[LastingEvent], wanted: str) -> Iterator[Recalled]:
    """Where all words of `wanted` stand, in the order they were written."""
    words = wanted.casefold().split()
    if not words:
        return
    for event in events:
        for what, text in _texts(event):
            folded = text.casefold()
            if all(word in folded for word in words):
                yield Recalled(event.seq or 0, what, _around(text, folded, words))


def _texts(event: LastingEvent) -> Iterator[tuple[str, str]]:
    match event:
        case PromptSubmitted():
            yield "prompt", event.text
        case MessageCompleted():
            yield "answer", text_of(event.content)
        case ToolCallChanged() if event.result is not None:
            yield _named(event), f"{call_object(event.call)}\n{event.result.text}"
        case Compacted(how="summarise"):
            yield "summary", event.summary
        case _:
            return


def _named(event: ToolCallChanged) -> str:
    about = " ".join(call_object(event.call).split())[:120]
    return f"{event.call.name} {about} (id {event.call.id})"


def _around(text: str, folded: str, words: list[str]) -> str:
    # Folding may change lengths; then the place is a little off, which does no harm.
    first = min(folded.find(word) for word in words)
    begin, end = max(0, first - AROUND), min(len(text), first + AROUND)
    return ("…" if begin else "") + text[begin:end].strip() + ("…" if end < len(text) else "")
