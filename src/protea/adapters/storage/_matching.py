"""Which events contain the words someone looks for, and what is shown of them. Shared by the stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from protea.domain.events import LastingEvent, MessageCompleted, PromptSubmitted, ToolCallChanged
from protea.domain.messages import text_of
from protea.domain.session import SessionSummary

AROUND = 60
"""Characters shown on each side of the first word found."""


def words_of(text: str) -> tuple[str, ...]:
    return tuple(text.lower().split())


def searched(event: LastingEvent) -> str | None:
    """What of an event is searched."""
    match event:
        case PromptSubmitted():
            return event.text
        case MessageCompleted():
            return text_of(event.content)
        case ToolCallChanged() if event.result is not None:
            return event.result.text
        case _:
            return None


def snippet(text: str, words: tuple[str, ...]) -> str | None:
    """The surroundings of the first of `words`, on one line, if all of them are in `text`."""
    folded = text.lower()
    if not words or not all(word in folded for word in words):
        return None
    # Lower case may be longer (İ): then the place is near, not exact.
    at = folded.index(words[0])
    begin, end = max(0, at - AROUND), at + len(words[0]) + AROUND
    line = " ".join(text[begin:end].split())
    line = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    return ("… " if begin else "") + line + (" …" if end < len(text) else "")


def matching(
    summaries: Iterable[SessionSummary],
    events: Callable[[str], Iterable[LastingEvent]],
    words: tuple[str, ...],
    limit: int,
) -> list[tuple[SessionSummary, int, str]]:
    """What was found: the session, the number of the event, what is shown of it. `events` reads a session."""
    found: list[tuple[SessionSummary, int, str]] = []
    for summary in summaries if words else ():
        for event in events(summary.id):
            shown = snippet(searched(event) or "", words)
            if shown is not None:
                found.append((summary, event.seq or 0, shown))
                if len(found) >= limit:
                    return found
    return found
