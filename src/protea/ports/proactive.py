"""The port that says what to do unasked. Swap class: cold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Errand(msgspec.Struct, frozen=True):
    """Something to look after without having been asked."""

    id: str
    """The same as long as it says the same."""
    text: str
    source: str
    """Where it stands: a file and its line."""


class Proactive(Protocol):
    """Asked at every heartbeat, so it must cost next to nothing where there is nothing to do.

    Methods are quick and never raise: what cannot be read says nothing.
    """

    def due(self) -> Sequence[Errand]:
        """What is to be done now. It stays due until it is done."""
        ...

    def done(self, errand: Errand) -> None:
        """It was done now; it is due again when its time comes."""
        ...
