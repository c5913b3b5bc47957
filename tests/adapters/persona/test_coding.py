from __future__ import annotations

from protea.adapters.persona import coding
from protea.testing.clock import FakeClock
from protea.testing.contracts.persona import PersonaContract


def persona(clock: FakeClock | None = None, append: str = "") -> coding.CodingPersona:
    return coding.create(coding.Options(append=append), clock=clock or FakeClock())


class TestCodingPersona(PersonaContract):
    def persona(self) -> coding.CodingPersona:
        return persona()


def test_the_time_of_day_is_not_in_it() -> None:
    morning = persona(FakeClock("2025-01-02T03:04:05.000Z")).system(cwd="/p", model="a/b", mode="normal", tools=())
    evening = persona(FakeClock("2025-01-02T23:59:59.000Z")).system(cwd="/p", model="a/b", mode="normal", tools=())
    assert morning == evening
    assert "2025-01-02" in "".join(morning)


def test_plan_mode_says_that_nothing_can_be_changed() -> None:
    parts = persona().system(cwd="/p", model="a/b", mode="plan", tools=())
    assert any("nothing can be changed" in part for part in parts)


def test_what_is_appended_comes_last() -> None:
    assert (
        persona(append="Speak in rhymes.").system(cwd="/p", model="a/b", mode="normal", tools=())[-1]
        == "Speak in rhymes."
    )
