"""Anthropic Messages: events with names, blocks that begin and end, usage that replaces.

Source: docs.anthropic.com/en/api/messages-streaming, …/api/errors.
"""

from __future__ import annotations

from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import seal
from protea.testing.loopback.wires.spoken import Failing, Spoken, Stream, Wire, chunks, encode, page

_STOPS = {
    "end_turn": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "content_filter": "refusal",
    "pause": "pause_turn",
    "malformed_tool_call": "tool_use",
}


def _event(kind: str, fields: dict[str, Any], padding: int = 0) -> bytes:
    data = encode({"type": kind} | fields)
    return b"event: %b\ndata: %b%b\n\n" % (kind.encode(), data, b" " * padding)  # the real one pads some lines


def stream(spoken: Spoken) -> Stream:
    said = [_event("message_start", {"message": _message(spoken, [], None, started=True)}, 8)]
    pinged = False
    for index, (begun, deltas) in enumerate(_blocks(spoken)):
        said.append(_event("content_block_start", {"index": index, "content_block": begun}, 4))
        if not pinged:
            said.append(_event("ping", {}))
            pinged = True
        said += _deltas(index, deltas)
        said.append(_event("content_block_stop", {"index": index}, 6))
    end = _event(
        "message_delta",
        {
            "delta": {"stop_reason": _STOPS.get(spoken.stop, "end_turn"), "stop_sequence": None},
            "usage": _usage(spoken),
        },
        3,
    )
    return Stream(said, [end, _event("message_stop", {}, 5)])


def _blocks(spoken: Spoken) -> list[tuple[dict[str, Any], list[tuple[bytes, bytes, str]]]]:
    """Each block as it begins, and its deltas: their type, their field, their text."""
    blocks: list[tuple[dict[str, Any], list[tuple[bytes, bytes, str]]]] = []
    if spoken.thinking or spoken.signature:
        deltas = [(b"thinking_delta", b"thinking", piece) for piece in spoken.thinking]
        deltas.append((b"signature_delta", b"signature", _signature(spoken)))
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
    if spoken.text:
        blocks.append(({"type": "text", "text": ""}, [(b"text_delta", b"text", piece) for piece in spoken.text]))
    for call in spoken.calls:
        # Every call begins with an empty piece, and one without arguments has nothing else.
        pieces = ["", *(chunks(call.text) if call.text != "{}" else ())]
        begun = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        blocks.append((begun, [(b"input_json_delta", b"partial_json", piece) for piece in pieces]))
    return blocks


def _deltas(index: int, deltas: list[tuple[bytes, bytes, str]]) -> list[bytes]:
    lead = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"' % index
    return [b'%b%b","%b":%b}}\n\n' % (lead, kind, field, encode(text)) for kind, field, text in deltas]


def _signature(spoken: Spoken) -> str:
    return spoken.signature if spoken.signature is not None else seal("anthropic", "".join(spoken.thinking))


def _message(spoken: Spoken, content: list[dict[str, Any]], stop: str | None, *, started: bool) -> dict[str, Any]:
    usage = _usage(spoken)
    if started:
        usage["output_tokens"] = 1
    return {
        "model": spoken.model,
        "id": f"msg_loopback{spoken.number + 1:04d}",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(spoken: Spoken) -> dict[str, Any]:
    usage = spoken.usage
    fields: dict[str, Any] = {
        "input_tokens": max(0, usage.input - usage.cache_read - usage.cache_write),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        fields["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return fields


def whole(spoken: Spoken) -> bytes:
    content: list[dict[str, Any]] = []
    if spoken.thinking or spoken.signature:
        thinking = "".join(spoken.thinking)
        content.append({"type": "thinking", "thinking": thinking, "signature": _signature(spoken)})
    if spoken.text:
        content.append({"type": "text", "text": "".join(spoken.text)})
    for call in spoken.calls:
        if call.arguments is None:
            raise ValueError("an Anthropic reply that is not streamed cannot hold arguments that are no JSON object")
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments})
    return encode(_message(spoken, content, _STOPS.get(spoken.stop, "end_turn"), started=False))


_ERRORS: dict[str, tuple[str, str]] = {
    "invalid_request": ("invalid_request_error", "messages: at least one message is required"),
    "context_length": ("invalid_request_error", "prompt is too long: 210312 tokens > 200000 maximum"),
    "content_filter": ("invalid_request_error", "Output blocked by content filtering policy"),
    "auth": ("authentication_error", "invalid x-api-key"),
    "billing": ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    "permission": ("permission_error", "Your API key does not have permission to use the specified resource."),
    "not_found": ("not_found_error", "model: {model}"),
    "timeout": ("timeout_error", "Request timed out"),
    "conflict": ("conflict_error", "The request conflicts with the current state of the resource."),
    "too_large": ("request_too_large", "Request exceeds the maximum allowed number of bytes"),
    "rate_limit": ("rate_limit_error", "This request would exceed your organization's rate limit."),
    "quota": ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    "server": ("api_error", "Internal server error"),
    "gateway": ("api_error", "Bad gateway"),
    "unavailable": ("overloaded_error", "Overloaded"),
    "overloaded": ("overloaded_error", "Overloaded"),
}
_PASSES = frozenset({"timeout", "conflict", "rate_limit", "server", "gateway", "unavailable", "overloaded"})


def _error(trouble: Trouble) -> dict[str, Any]:
    kind, message = _ERRORS[trouble.reason]
    return {
        "type": "error",
        "error": {"type": kind, "message": trouble.message or message.format(model=trouble.model)},
        "request_id": trouble.request_id,
    }


def failing(trouble: Trouble) -> Failing:
    if trouble.status == 502:
        return page()
    return Failing(encode(_error(trouble)), {"x-should-retry": "true" if trouble.reason in _PASSES else "false"})


def _error_event(trouble: Trouble) -> bytes:
    return b"event: error\ndata: %b\n\n" % encode(_error(trouble))


WIRE = Wire(
    name="anthropic",
    base="",
    stream_type="text/event-stream; charset=utf-8",
    stream=stream,
    whole=whole,
    failing=failing,
    shapes={"event": _error_event},
    headers=lambda request_id: {"request-id": request_id},
    key_headers=("x-api-key", "authorization"),
    request_id="req_loopback",
)
