"""Ollama's own API: a JSON object per line, calls whole, arguments as objects, `done: true` at the end.

Source: docs.ollama.com/api/chat, github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.wires.spoken import Failing, Spoken, Stream, Wire, encode, page

_AT = "2025-01-01T00:00:00.000000Z"


def stream(spoken: Spoken) -> Stream:
    lead = b'{"model":%b,"created_at":"%b","message":{"role":"assistant","content":' % (
        encode(spoken.model),
        _AT.encode(),
    )
    behind = b'},"done":false}\n'
    said = [b'%b"","thinking":%b%b' % (lead, encode(piece), behind) for piece in spoken.thinking]
    said += [b"%b%b%b" % (lead, encode(piece), behind) for piece in spoken.text]
    if spoken.calls:
        said.append(b'%b"","tool_calls":%b%b' % (lead, encode(_calls(spoken)), behind))
    return Stream(said, [encode(_end(spoken, {"role": "assistant", "content": ""})) + b"\n"])


def _calls(spoken: Spoken) -> list[dict[str, Any]]:
    calls = []
    for place, call in enumerate(spoken.calls):
        if call.arguments is None:
            raise ValueError("Ollama's wire cannot hold arguments that are no JSON object")
        function = {"index": place, "name": call.name, "arguments": call.arguments}
        calls.append({"id": call.id, "function": function})
    return calls


def _end(spoken: Spoken, message: dict[str, Any]) -> dict[str, Any]:
    usage = spoken.usage
    counted: dict[str, Any] = {
        "done_reason": "length" if spoken.stop == "length" else "stop",
        "total_duration": 1_000_000,
        "load_duration": 1000,
        "prompt_eval_duration": 1000,
        "eval_count": usage.output,
        "eval_duration": 1000,
    }
    if not usage.cache_read:  # a prompt that was cached is not counted
        counted["prompt_eval_count"] = usage.input
    return {"model": spoken.model, "created_at": _AT, "message": message, "done": True} | counted


def whole(spoken: Spoken) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(spoken.text)}
    if spoken.thinking:
        message["thinking"] = "".join(spoken.thinking)
    if spoken.calls:
        message["tool_calls"] = _calls(spoken)
    return encode(_end(spoken, message))


_MESSAGES = {
    "invalid_request": "invalid request",
    "context_length": "input length exceeds maximum context length",
    "content_filter": "the request was refused",
    "auth": "unauthorized",
    "billing": "this model requires a subscription, upgrade for access",
    "permission": "forbidden",
    "not_found": "model '{model}' not found",
    "timeout": "timed out waiting for llama runner to start",
    "conflict": "conflict",
    "too_large": "request body too large",
    "rate_limit": "too many concurrent requests",
    "quota": "you've reached your hourly usage limit, please upgrade to continue",
    "server": "an error was encountered while running the model",
    "gateway": "bad gateway",
    "unavailable": "server busy, please try again. maximum pending requests exceeded",
    "overloaded": "server busy, please try again. maximum pending requests exceeded",
}


def _error(trouble: Trouble) -> bytes:
    return encode({"error": trouble.message or _MESSAGES[trouble.reason].format(model=trouble.model)})


def failing(trouble: Trouble) -> Failing:
    if trouble.status == 502:
        return page()
    return Failing(_error(trouble), media_type="application/json; charset=utf-8")


def _line(trouble: Trouble) -> bytes:
    return _error(trouble) + b"\n"


WIRE = Wire(
    name="ollama",
    base="",
    stream_type="application/x-ndjson",
    stream=stream,
    whole=whole,
    failing=failing,
    shapes={"line": _line},
    headers=lambda request_id: {},
    key_headers=(),
    request_id="",
)
