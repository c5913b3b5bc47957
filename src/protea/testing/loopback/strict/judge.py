"""One request against the rules of its wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.routes import Asked, Route
from protea.testing.loopback.seal import Ledger
from protea.testing.loopback.strict import anthropic, gemini, ollama, openai_chat, openai_responses

_RULES: dict[str, Callable[[Any, Mapping[str, str], Ledger, str], Trouble | None]] = {
    "anthropic": anthropic.refuse,
    "openai-chat": openai_chat.refuse,
    "openai-responses": openai_responses.refuse,
    "gemini": gemini.refuse,
    "ollama": ollama.refuse,
}


def refusal(
    route: Route, asked: Asked, headers: dict[str, str], body: bytes, ledger: Ledger, models: tuple[str, ...]
) -> Trouble | None:
    """What the real API would refuse the request with; None where it would not."""
    assert route.wire is not None
    try:
        trouble = _RULES[route.wire.name](msgspec.json.decode(body), headers, ledger, asked.model)
    except (AttributeError, KeyError, TypeError) as exc:
        # Something is a list where an object should be, or the like; the rules read on as if it were right.
        trouble = Trouble(status=400, reason="invalid_request", message=f"the request has the wrong shape: {exc}")
    if trouble is None and models and asked.model not in models:
        # Responses says so with 400; all others with 404.
        status = 400 if route.wire.name == "openai-responses" else 404
        trouble = Trouble(status=status, reason="not_found")
    return trouble
