"""Errands from a list."""

from __future__ import annotations

from collections.abc import Sequence

from protea.ports.proactive import Errand


class ListProactive:
    """`Proactive` whose `errands` are due until they are done, which `finished` keeps."""

    def __init__(self, *texts: str) -> None:
        self.errands = [Errand(f"e_{number}", text, "a test") for number, text in enumerate(texts, 1)]
        self.finished: list[Errand] = []

    def due(self) -> Sequence[Errand]:
        return [errand for errand in self.errands if errand not in self.finished]

    def done(self, errand: Errand) -> None:
        self.finished.append(errand)
