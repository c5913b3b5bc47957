"""Where a provider is asked for its list, and how. Used by `provider` and by what asks for it."""

from __future__ import annotations

from typing import Literal

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True):
    api: Literal["anthropic", "openai-responses", "openai-chat", "gemini", "ollama"]
    provider: str
    base_url: str
    key: str | None = None
    headers: dict[str, str] = {}
    proxy_url: str | None = None
    dialect: str = "generic"
