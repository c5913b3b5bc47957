"""Looks back into a session: what was said, called and answered, whatever the model is still shown of it. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from unicodedata import normalize

import msgspec
from msgspec.structs import replace

from protea.domain.compaction import told_in
from protea.domain.events import (
    Compacted,
    HookRan,
    LastingEvent,
    MessageCompleted,
    PromptSubmitted,
    PromptWithdrawn,
    ToolCallChanged,
)
from protea.domain.messages import Image, text_of
from protea.domain.view import call_object

AROUND = 300
"""Characters shown on each side of what was looked for."""
PLACES = 200
"""Of a word in one text that are looked at for the others beside it."""


class Recalled(msgspec.Struct, frozen=True):
    """One place in a session."""

    seq: int
    what: str
    """Who said it, or which call it is, with its id."""
    text: str
    images: tuple[Image, ...] = ()
    """Where it is given whole."""


OWN_TOOL = "Recall"
"""What it has found before is no news of what was there."""


def as_sent(events: Sequence[LastingEvent]) -> list[LastingEvent]:
    """The events as models have them: prompts that hooks rewrote as they were sent, without those they refused."""
    instead: dict[str, str] = {}
    for event in events:
        match event:
            case HookRan(moment="prompt", prompt=id, text=str(text)):
                instead[id] = text
            case PromptWithdrawn(id=id, why=str(why)) if why:
                instead[id] = ""
            case _:
                pass
    if not instead:
        return list(events)
    sent = ((event, instead.get(event.id)) if isinstance(event, PromptSubmitted) else (event, None) for event in events)
    return [
        event if text is None or not isinstance(event, PromptSubmitted) else replace(event, text=text)
        for event, text in sent
        if text != ""
    ]


def by_id(events: Iterable[LastingEvent], call_id: str) -> Recalled | None:
    """The whole result of a call; of several with this id, the latest."""
    found = None
    for event in events:
        if isinstance(event, ToolCallChanged) and event.call.id == call_id and event.result is not None:
            found = Recalled(event.seq or 0, _named(event), event.result.text, event.result.images)
    return found


def by_number(events: Iterable[LastingEvent], wanted: str) -> Recalled | None:
    """All of the place that is shown as `[412]`, where that is what is wanted."""
    if not (wanted.startswith("[") and wanted.endswith("]") and wanted[1:-1].isdecimal()):
        return None
    for event in events:
        if event.seq == int(wanted[1:-1]):
            for what, text in _texts(event):
                result = event.result if isinstance(event, ToolCallChanged) else None
                images = event.images if isinstance(event, PromptSubmitted) else result.images if result else ()
                whole = event.summary if isinstance(event, Compacted) else text
                return Recalled(event.seq, what, whole, images)
    return None


def places(events: Iterable[LastingEvent], wanted: str) -> Iterator[Recalled]:
    """Where all words of `wanted` stand, in the order they were written."""
    words = _folded(wanted).split()
    if not words:
        return
    for event in events:
        if isinstance(event, ToolCallChanged) and event.call.name == OWN_TOOL:
            continue
        for what, text in _texts(event):
            folded = _folded(text)
            if all(word in folded for word in words):
                yield Recalled(event.seq or 0, what, _around(text, folded, words))


def _folded(text: str) -> str:
    """Letters of one size, and written in one way: é is é, whether or not its accent is a sign of its own."""
    return text.lower() if text.isascii() else normalize("NFC", text.casefold())


def _texts(event: LastingEvent) -> Iterator[tuple[str, str]]:
    match event:
        case PromptSubmitted():
            yield "prompt", event.text
        case MessageCompleted():
            yield "answer", text_of(event.content)
        case ToolCallChanged() if event.result is not None:
            yield _named(event), "\n".join((*_strings(event.call.arguments), event.result.text))
        case Compacted(how="summarise"):
            # Of what survived in it word for word the latest would be found first, though it was said before.
            yield "summary", told_in(event.summary)
        case _:
            return


def _strings(value: Any) -> Iterator[str]:
    """What a call was given: a command, and all of what was written, too."""
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list():
            for each in value:
                yield from _strings(each)


def _named(event: ToolCallChanged) -> str:
    about = " ".join(call_object(event.call).split())[:120]
    return f"{event.call.name} {about} (id {event.call.id})"


def _around(text: str, folded: str, words: list[str]) -> str:
    first = _together(folded, words)
    if len(folded) != len(text):  # ß is two letters once it is folded: which of `text` make up so many?
        first = bisect_left(range(len(text)), first, key=lambda size: len(_folded(text[:size])))
    begin, end = max(0, first - AROUND), min(len(text), first + AROUND)
    return ("…" if begin else "") + text[begin:end].strip() + ("…" if end < len(text) else "")


def _together(folded: str, words: list[str]) -> int:
    """Where in a text that has all of them most of the words stand together, and closest: what was said of a thing,
    not where its name was mentioned first. Of several such places the last."""
    rarest = min(words, key=folded.count)
    at = best = folded.find(rarest)
    nearest = (len(words) + 1, 0)
    for _ in range(PLACES):
        far = [_distance(folded, word, at) for word in words]
        found = (sum(each > AROUND for each in far), sum(far))
        if found <= nearest:
            best, nearest = at, found
        at = folded.find(rarest, at + 1)
        if at < 0:
            break
    return best


def _distance(folded: str, word: str, at: int) -> int:
    """From there to the word, before or behind; more than `AROUND` where it is further away."""
    before = folded.rfind(word, max(0, at - AROUND), at + len(word))
    behind = folded.find(word, at, at + AROUND)
    return min([abs(place - at) for place in (before, behind) if place >= 0], default=AROUND + 1)
