"""The port to what is wrong with files, as language servers see it. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from protea.domain.diagnostics import Change
from protea.domain.tools import Diagnostic


class LanguageServer(msgspec.Struct, frozen=True):
    """How one of them stands."""

    name: str
    state: Literal["missing", "ready", "starting", "running", "resting", "failed", "barred"]
    """`missing`: not installed; `ready`: not needed yet; `resting`: ended because nobody needed it; `failed`: not
    started any more; `barred`: the project is not trusted."""
    files: tuple[str, ...] = ()
    """Endings of the names of the files it is asked about."""
    program: str = ""
    """Where it was found."""
    told: str = ""
    """What a person should know: how to get it, why it failed."""
    stand_in: bool = False
    """Of one that is missing: its name is on PATH, and something else stands behind it."""


class Diagnostics(Protocol):
    """Says what is wrong with files. A server of which there is need is started behind the call."""

    async def look(self, changes: Sequence[Change]) -> Sequence[Diagnostic]:
        """What is wrong with files that were just changed, and was not before, errors first.

        The new text is on disk. Takes no longer than it was set up to, and gives what is known by then; what comes
        later is given with the next look. Never raises for what a server does. One look at a time.
        """
        ...

    def servers(self) -> Sequence[LanguageServer]:
        """Every server it knows of. Starts none."""
        ...

    async def aclose(self) -> None:
        """End the servers and wait until they are gone."""
        ...
