"""A persona that knows about one garden."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `[persona]` may say beside `adapter = "gardener"`."""

    garden: str = "a garden"
    """Where it is and what grows there."""


class Gardener:
    def __init__(self, options: Options) -> None:
        self._garden = options.garden

    def system(self, *, cwd: str, model: str, mode: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        return (
            "You look after a garden, and say in plain words what is to be done and when.",
            f"It is {self._garden}.",
        )


def create(options: Options) -> Gardener:
    return Gardener(options)
