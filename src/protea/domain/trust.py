"""A file of the project that is not as a person has looked at it, and the question whether it may be used. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.diff import unified

NO_YOLO = "yolo asks as normal does here: this project has not been trusted; `protea trust` does that"
MOST_SHOWN = 64_000
"""Characters of all differences together that a question shows."""
MOST_NAMED = 8
"""Files that are named in a line."""


class Unseen(msgspec.Struct, frozen=True):
    """One file."""

    name: str
    """From the project's root."""
    what: str
    """`new`, `changed`, `gone` or `unreadable`."""
    before: str | None = None
    """What it said when it was looked at, where that is known and text."""
    now: str | None = None
    digest: str = ""
    """Of what it says now: a yes is about this, and no other."""
    acts: bool = False
    """Whether it can make something run or be allowed: then nothing of the project is used without a yes."""


def difference(name: str, what: str, before: str | None, now: str | None) -> str:
    """What a person has to look at, with an end of line."""
    if what == "changed" and before is not None and now is not None:
        return f"{name}: changed\n{unified(before, now, name)}"
    if what == "new" and now is not None:
        return f"{name}: new\n{unified('', now, name, before='/dev/null')}"
    return f"{name}: {what}\n"


def named(files: Sequence[Unseen]) -> str:
    """Their names in a line."""
    names = ", ".join(each.name for each in files[:MOST_NAMED])
    return names if len(files) <= MOST_NAMED else f"{names} and {len(files) - MOST_NAMED} more"


def why_asked(files: Sequence[Unseen]) -> str:
    """The question, in a sentence."""
    one = len(files) == 1
    what = "is" if one else "are"
    kind = files[0].what if one and files[0].what in ("new", "gone") else "not as you looked at it"
    kind = kind if one else "new, or not as you looked at them"
    left = "without a yes nothing of this project's own is used" if any(each.acts for each in files) else ""
    left = left or f"without a yes {'it is' if one else 'they are'} left out"
    return f"{named(files)} {what} {kind}: {left}"


def shown(files: Sequence[Unseen]) -> tuple[str, tuple[Unseen, ...]]:
    """(the differences, the files whose whole difference is in them): only these can be said yes to."""
    text = ""
    whole: list[Unseen] = []
    for each in files:
        told = difference(each.name, each.what, each.before, each.now)
        if whole and len(text) + len(told) > MOST_SHOWN:
            break
        text += told[:MOST_SHOWN]
        whole.append(each)
    return text, tuple(whole)
