"""Templates from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protea.domain.template import Template


class FixedTemplates:
    """`Templates` of names and texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._templates = [
            Template(name=name, about=text.splitlines()[0], body=text, path=f"/{name}.md")
            for name, text in sorted(texts.items())
        ]
        self.problems: Sequence[str] = ()

    def load(self) -> Sequence[Template]:
        return tuple(self._templates)
