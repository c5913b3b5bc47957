"""What every `Persona` keeps."""

from __future__ import annotations

from protea.ports.persona import Persona

TOOLS = ("Bash", "Read")


class PersonaContract:
    def persona(self) -> Persona:
        raise NotImplementedError

    def test_it_says_something_in_every_mode(self) -> None:
        for mode in ("normal", "plan", "yolo"):
            parts = self.persona().system(cwd="/p", model="a/b", mode=mode, tools=TOOLS)
            assert parts
            assert all(part.strip() for part in parts)

    def test_the_same_session_gets_the_same_words(self) -> None:
        """Every byte that changes between two requests is a prefix that is paid for twice."""
        persona = self.persona()
        first = persona.system(cwd="/p", model="a/b", mode="normal", tools=TOOLS)
        assert persona.system(cwd="/p", model="a/b", mode="normal", tools=TOOLS) == first

    def test_the_first_part_is_the_same_in_every_project(self) -> None:
        """The most stable part comes first, so that projects share it."""
        persona = self.persona()
        here = persona.system(cwd="/here", model="a/b", mode="normal", tools=TOOLS)
        there = persona.system(cwd="/there", model="a/b", mode="normal", tools=TOOLS)
        assert here[0] == there[0]
