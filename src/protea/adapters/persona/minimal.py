"""A persona of one sentence, or of the text given; for small models and for building your own on."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str = "You are Protea, a helpful agent. Use the tools you are given; answer briefly and truthfully."


class MinimalPersona:
    def __init__(self, text: str) -> None:
        self._text = text

    def system(self, *, cwd: str, model: str, mode: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        return (self._text, f"Directory: {cwd}")


def create(options: Options) -> MinimalPersona:
    return MinimalPersona(options.text)
