"""What an agent is made of, by hash, so that nobody else can change it unseen. Pure.

`profile.lock` holds a hash for each text that a model is shown before anyone has said a word: prompts, instruction
files, tools with their schemas, skills and other cards, and the files of the profile itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec

from protea.domain.diff import unified


class Drift(msgspec.Struct, frozen=True):
    """Something that is not as it was when it was locked."""

    item: str
    """`persona (normal)`, `tool Bash`, `instructions AGENTS.md`, `file …/mine.toml`, `skill pdf`."""
    change: Literal["changed", "new", "gone"]
    diff: str = ""
    """What changed in its text; empty where the old text is not on this machine."""


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def drift(locked: Mapping[str, str], now: Mapping[str, str], old_texts: Mapping[str, str]) -> tuple[Drift, ...]:
    """`locked` maps items to hashes, `now` items to texts, `old_texts` hashes to what they are the hash of."""
    found = []
    for item in sorted({*locked, *now}):
        if item not in now:
            found.append(Drift(item, "gone"))
        elif item not in locked:
            found.append(Drift(item, "new"))
        elif digest(now[item]) != locked[item]:
            before = old_texts.get(locked[item])
            found.append(Drift(item, "changed", "" if before is None else unified(before, now[item], item)))
    return tuple(found)


def in_words(found: tuple[Drift, ...]) -> str:
    """One line: `2 things are not as they were locked: persona (normal) changed, tool Bash is new`."""
    verbs = {"changed": "changed", "new": "is new", "gone": "is gone"}
    named = ", ".join(f"{each.item} {verbs[each.change]}" for each in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    things = "1 thing is not as it was" if len(found) == 1 else f"{len(found)} things are not as they were"
    return f"{things} locked: {named}{more}"
