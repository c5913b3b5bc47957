"""What Ollama refuses: little, mostly what does not fit its types.

Source: docs.ollama.com/api/chat.
The sentences are as public bug reports quote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import Ledger


def refuse(body: Any, headers: Mapping[str, str], ledger: Ledger, model: str) -> Trouble | None:
    if not model:
        return Trouble(status=400, reason="invalid_request", message="model is required")
    wrong = next(_wrongs(body), None)
    return None if wrong is None else Trouble(status=400, reason="invalid_request", message=wrong)


def _typed(value: Any, kinds: type | tuple[type, ...], field: str, wanted: str) -> Iterator[str]:
    if value is not None and not isinstance(value, kinds):
        given = {str: "string", list: "array", dict: "object", int: "number", bool: "bool"}.get(type(value), "value")
        yield f"json: cannot unmarshal {given} into Go struct field ChatRequest.{field} of type {wanted}"


def _wrongs(body: Any) -> Iterator[str]:
    if not isinstance(body, dict):
        yield "invalid character in request body"
        return
    yield from _typed(body.get("messages"), list, "messages", "[]api.Message")
    yield from _typed(body.get("options"), dict, "options", "map[string]interface {}")
    for message in body.get("messages") or ():
        yield from _typed(message.get("content"), str, "messages.content", "string")
        yield from _typed(message.get("thinking"), str, "messages.thinking", "string")
        yield from _typed(message.get("tool_name"), str, "messages.tool_name", "string")
        yield from _typed(message.get("images"), list, "messages.images", "[]api.ImageData")
        if message.get("role") not in ("system", "user", "assistant", "tool"):
            yield 'invalid role: must be one of ["system", "user", "assistant", "tool"]'
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {}
            kind = "api.ToolCallFunctionArguments"
            yield from _typed(function.get("arguments"), dict, "messages.tool_calls.function.arguments", kind)
    for tool in body.get("tools") or ():
        yield from _typed(
            (tool.get("function") or {}).get("parameters"),
            dict,
            "tools.function.parameters",
            "api.ToolFunctionParameters",
        )
