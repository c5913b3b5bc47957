"""Which messages of a conversation fit a window: turns as groups, a call never parted from its result. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from protea.domain.messages import AssistantMessage, Message, Text, ToolCall, ToolMessage, UserMessage, is_own
from protea.domain.view import call_object

Group = tuple[Message, ...]
"""What belongs together: a prompt with all that followed it, or a reply with the results of its calls."""

HOP = 0.25
"""Of the room. The window moves on by this much at a time: then what stays begins alike for several requests, which is
what a provider's cache needs."""


def turns(messages: Sequence[Message]) -> list[Group]:
    """The conversation cut before each prompt; prompts that follow one another stay together.

    What Protea itself says in a person's place goes with the prompt that follows it at once, else with the turn in
    which it is said.
    """
    found: list[list[Message]] = []
    for person, run in groupby(messages, lambda message: isinstance(message, UserMessage)):
        together = list(run)
        if not found or (person and not all(map(is_own, together))):
            found.append([])
        found[-1] += together
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
    """The latest turns that fit `room`, and up to `recall` older ones that have most to do with the last prompt.

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
    """Older turns that share words with the last prompt, those that share most first, then the later ones.

    A word counts for as much as it is rare in the conversation: what every turn speaks of tells nothing.
    """
    words = [set(_words(group)) for group in groups]
    known = Counter(word for each in words for word in each)
    wanted = set(_words(steps(groups[-1])[0]))
    shared = {
        at: sum(math.log(len(groups) / known[word]) for word in wanted.intersection(words[at])) for at in range(kept)
    }
    return sorted((at for at, worth in shared.items() if worth > 0), key=lambda at: (-shared[at], -at))


def _words(messages: Group) -> Iterator[str]:
    """Words of what was said, and of what calls were about; of writing without blanks, its letters two by two."""
    for message in messages:
        if isinstance(message, UserMessage | AssistantMessage):
            for part in message.content:
                if isinstance(part, Text | ToolCall):
                    text = part.text if isinstance(part, Text) else call_object(part)
                    for word in re.findall(r"[^\W_]{2,}", text.casefold()):
                        if word[0] >= "\u3040" and word[-1] >= "\u3040":
                            yield from (word[at : at + 2] for at in range(len(word) - 1))
                        elif len(word) > 2:
                            yield word
