"""Says what it was told to say."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.diagnostics import Change, ranked
from protea.domain.tools import Diagnostic
from protea.ports.diagnostics import LanguageServer


class ScriptedDiagnostics:
    """`Diagnostics` that finds each of its words in the files it is shown, where it was not before: `{"frobnicate":
    "there is no frobnicate"}`. `looked` keeps what it was shown."""

    def __init__(self, words: dict[str, str], *, servers: Sequence[LanguageServer] = ()) -> None:
        self._words = words
        self._servers = servers
        self.looked: list[Change] = []
        self.closed = False

    async def look(self, changes: Sequence[Change]) -> Sequence[Diagnostic]:
        self.looked += changes
        return ranked(
            Diagnostic(path=change.path, line=number, column=line.index(word) + 1, message=message, source="scripted")
            for change in changes
            for word, message in self._words.items()
            for number, line in enumerate((change.after or "").split("\n"), 1)
            if word in line and word not in (change.before or "")
        )

    def servers(self) -> Sequence[LanguageServer]:
        return self._servers

    async def aclose(self) -> None:
        self.closed = True
