"""Which messages of a conversation fit a window: turns as groups, a call never parted from its result. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from protea.domain.messages import AssistantMessage, Message, Text, ToolMessage, UserMessage

Group = tuple[Message, ...]
"""What belongs together: a prompt with all that followed it, or a reply with the results of its calls."""

HOP = 0.25
"""Of the room. The window moves on by this much at a time: then what stays begins alike for several requests, which is
what a provider's cache needs."""


def turns(messages: Sequence[Message]) -> list[Group]:
    """The conversation cut before each prompt; prompts that follow one another stay together."""
    found: list[list[Message]] = []
    for message in messages:
        begins = isinstance(message, UserMessage) and not (found and isinstance(found[-1][-1], UserMessage))
        if begins or not found:
            found.append([])
        found[-1].append(message)
    return [tuple(group) for group in found]


def steps(turn: Group) -> tuple[Group, list[Group]]:
    """The prompt of a turn, and each reply in it with the results of its calls."""
    first = next((at for at, message in enumerate(turn) if not isinstance(message, UserMessage)), len(turn))
    found: list[list[Message]] = []
    for message in turn[first:]:
        if not found or not isinstance(message, ToolMessage):
            found.append([])
        found[-1].append(message)
    return turn[:first], [tuple(group) for group in found]


def windowed(
    messages: tuple[Message, ...], *, room: int, count: Callable[[Message], int], recall: int = 0
) -> tuple[Message, ...]:
    """The latest turns that fit `room`, and up to `recall` older ones that share most words with the last prompt.

    Where not even the last turn fits, its prompt and the latest steps of it that do, the very last in any case.
    """
    groups = turns(messages)
    sizes = [sum(map(count, group)) for group in groups]
    if not groups or sum(sizes) <= room:
        return messages
    if sizes[-1] > room:
        return _part_of(groups[-1], room, count)
    kept = _behind(sizes, room)
    left = room - sum(sizes[kept:])
    chosen = set(range(kept, len(groups)))
    if recall:
        for at in _related(groups, kept)[:recall]:
            if sizes[at] <= left:
                left -= sizes[at]
                chosen.add(at)
    return tuple(message for at in sorted(chosen) for message in groups[at])


def _behind(sizes: Sequence[int], room: int) -> int:
    """The first group of those at the end that fit. It moves in hops: see `HOP`."""
    hop = max(1, int(room * HOP))
    excess = sum(sizes) - room
    drop = -(-excess // hop) * hop
    gone = 0
    for at, size in enumerate(sizes[:-1]):
        if gone >= drop:
            return at
        gone += size
    return len(sizes) - 1


def _part_of(turn: Group, room: int, count: Callable[[Message], int]) -> tuple[Message, ...]:
    prompt, replies = steps(turn)
    sizes = [sum(map(count, reply)) for reply in replies]
    left = max(1, room - sum(map(count, prompt)))
    # The last reply stays even where it does not fit: without it the model would do the same again, and for ever.
    first = _behind(sizes, left) if sum(sizes) > left else 0
    return (*prompt, *(message for reply in replies[first:] for message in reply))


def _related(groups: Sequence[Group], kept: int) -> list[int]:
    """Older turns that share words with the last prompt, those that share most of them first, then the later ones."""
    wanted = set(_words(groups[-1][:1]))
    shared = {at: len(wanted.intersection(_words(groups[at]))) for at in range(kept)}
    return sorted((at for at, words in shared.items() if words), key=lambda at: (-shared[at], -at))


def _words(messages: Group) -> Iterator[str]:
    for message in messages:
        if isinstance(message, UserMessage | AssistantMessage):
            for part in message.content:
                if isinstance(part, Text):
                    yield from (word.casefold() for word in re.findall(r"\w{4,}", part.text))
