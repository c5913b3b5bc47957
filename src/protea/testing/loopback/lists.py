"""Lists of models and versions, in each wire's form."""

from __future__ import annotations

from typing import Any

import msgspec

from protea.testing.loopback.routes import Route
from protea.testing.loopback.wires.spoken import CREATED

_AT = "2025-01-01T00:00:00Z"
MODELS = ("loopback-1", "loopback-2")
"""What is listed where the provider was not told otherwise."""


def listing(route: Route | None, models: tuple[str, ...]) -> tuple[int, bytes]:
    """Status and body; 404 for an address there is nothing at."""
    names = models or MODELS
    body: dict[str, Any]
    rows: list[dict[str, Any]]
    match route.list_of if route is not None else None:
        case "anthropic":
            rows = [{"type": "model", "id": name, "display_name": name, "created_at": _AT} for name in names]
            body = {"data": rows, "has_more": False, "first_id": names[0], "last_id": names[-1]}
        case "openai":
            rows = [{"id": name, "object": "model", "created": CREATED, "owned_by": "loopback"} for name in names]
            body = {"object": "list", "data": rows}
        case "gemini":
            limits: dict[str, Any] = {
                "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
                "inputTokenLimit": 1_048_576,
                "outputTokenLimit": 65_536,
            }
            body = {"models": [limits | {"name": f"models/{name}", "displayName": name} for name in names]}
        case "ollama":
            details: dict[str, Any] = {"family": "loopback", "parameter_size": "1B", "quantization_level": "Q4_K_M"}
            body = {
                "models": [
                    {"name": name, "model": name, "modified_at": _AT, "size": 1, "digest": "0" * 64, "details": details}
                    for name in names
                ]
            }
        case "ollama-show":
            body = {"capabilities": ["completion", "tools"], "model_info": {"loopback.context_length": 32_768}}
        case "ollama-version":
            body = {"version": "0.12.0"}
        case _:
            return 404, msgspec.json.encode({"error": {"message": "no such address", "type": "not_found_error"}})
    return 200, msgspec.json.encode(body)
