"""The wires, by name."""

from __future__ import annotations

from protea.testing.loopback.wires import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.testing.loopback.wires.spoken import Wire

WIRES: dict[str, Wire] = {
    module.WIRE.name: module.WIRE for module in (anthropic, openai_chat, openai_responses, gemini, ollama)
}
