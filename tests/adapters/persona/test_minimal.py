from __future__ import annotations

from protea.adapters.persona import minimal
from protea.testing.contracts.persona import PersonaContract


class TestMinimalPersona(PersonaContract):
    def persona(self) -> minimal.MinimalPersona:
        return minimal.create(minimal.Options())


def test_its_words_can_be_chosen() -> None:
    persona = minimal.create(minimal.Options(text="You are a parrot."))
    assert persona.system(cwd="/p", model="a/b", mode="normal", tools=())[0] == "You are a parrot."
