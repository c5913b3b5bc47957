"""What is done, counted: for tests of costs that must not depend on how quick the machine is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from cProfile import Profile
from types import CodeType


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How often each function written in Python is called in this thread meanwhile, by its qualified name; known once
    it is over."""
    calls: Counter[str] = Counter()
    profile = Profile()
    profile.enable()
    try:
        yield calls
    finally:
        profile.disable()
        for entry in profile.getstats():
            if isinstance(entry.code, CodeType):
                calls[entry.code.co_qualname] += entry.callcount
