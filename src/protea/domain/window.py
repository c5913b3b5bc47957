"""Which messages of a conversation fit a window: turns as groups, a call never parted from its result. Pure."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import defaultdict
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


class Measured:
    """The turns of a conversation, their sizes and words, kept from one request to the next: only what is new is looked
    at. What was counted stays so, unless a fifth more or less is counted now."""

    def __init__(self) -> None:
        self._messages: tuple[Message, ...] = ()
        self._sizes: dict[int, int] = {}
        """By the id of a message: those of `_messages` live as long as these."""
        self.turns: list[Group] = []
        self.sizes: list[int] = []
        self._where: dict[str, list[int]] = {}
        """Word → the turns that speak of it, of the first so many: the last may go on."""
        self._read = 0

    def take(self, messages: tuple[Message, ...], count: Callable[[Message], int]) -> None:
        """Be about these messages."""
        before = self._messages
        if not before or messages[: len(before)] != before or not self._still(before, count):
            self.turns, self.sizes, self._sizes, self._where, self._read = [], [], {}, {}, 0
        self._messages = messages
        del self.turns[-1:], self.sizes[-1:]
        known = sum(map(len, self.turns))
        for message in messages[known:]:
            if id(message) not in self._sizes:
                self._sizes[id(message)] = count(message)
        new = turns(messages[known:])
        self.turns += new
        self.sizes += [sum(map(self.size, turn)) for turn in new]

    def size(self, message: Message) -> int:
        return self._sizes[id(message)]

    def where(self, word: str) -> Sequence[int]:
        """The turns before the last that speak of it."""
        while self._read < len(self.turns) - 1:
            for each in set(_words(self.turns[self._read])):
                self._where.setdefault(each, []).append(self._read)
            self._read += 1
        return self._where.get(word, ())

    def _still(self, before: tuple[Message, ...], count: Callable[[Message], int]) -> bool:
        some = (before[0], before[len(before) // 2], before[-1])
        return all(abs(count(each) - self.size(each)) * 5 <= self.size(each) for each in some)


def windowed(
    messages: tuple[Message, ...],
    *,
    room: int,
    count: Callable[[Message], int],
    recall: int = 0,
    measured: Measured | None = None,
) -> tuple[Message, ...]:
    """The latest turns that fit `room`, and up to `recall` older ones that have most to do with the last prompt.

    Where not even the last turn fits, its prompt and the latest steps of it that do, the very last in any case.
    """
    measured = measured or Measured()
    measured.take(messages, count)
    groups, sizes = measured.turns, measured.sizes
    if not groups or sum(sizes) <= room:
        return messages
    if sizes[-1] > room:
        return _part_of(groups[-1], room, measured.size)
    kept = _behind(sizes, room)
    left = room - sum(sizes[kept:])
    chosen = set(range(kept, len(groups)))
    if recall:
        for at in _related(measured, kept)[:recall]:
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


def _related(measured: Measured, kept: int) -> list[int]:
    """Older turns that share words with the last prompt, those that share most first, then the later ones.

    A word counts for as much as it is rare in the conversation: what every turn speaks of tells nothing.
    """
    count = len(measured.turns)
    told: dict[int, float] = defaultdict(float)
    for word in set(_words(steps(measured.turns[-1])[0])):
        where = measured.where(word)
        worth = math.log(count / (1 + len(where)))
        for at in where[: bisect_left(where, kept)]:
            told[at] += worth
    return sorted((at for at, much in told.items() if much > 0), key=lambda at: (-told[at], -at))


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
