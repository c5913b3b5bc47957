"""OpenAI Responses: items that are added, filled and done, each event numbered, the whole response at the end.

Source: platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import seal
from protea.testing.loopback.wires.openai_chat import error_of, headers
from protea.testing.loopback.wires.spoken import CREATED, Failing, Spoken, Stream, Wire, chunks, encode, page


def _event(kind: str, fields: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode({"type": kind} | fields))


class _Events:
    """A stream as it grows: every event has its number."""

    def __init__(self) -> None:
        self.made: list[bytes] = []

    def add(self, kind: str, **fields: Any) -> None:
        self.made.append(_event(kind, fields | {"sequence_number": len(self.made)}))

    def deltas(self, kind: str, pieces: list[str] | tuple[str, ...], **fields: Any) -> None:
        """The same event for each piece, made quickly: a long answer has many."""
        lead = _event(kind, fields).rstrip()[:-1]
        first = len(self.made)
        self.made += [
            b'%b,"delta":%b,"sequence_number":%d}\n\n' % (lead, encode(piece), first + n)
            for n, piece in enumerate(pieces)
        ]


def stream(spoken: Spoken) -> Stream:
    events = _Events()
    begun = _response(spoken, [], "in_progress")
    events.add("response.created", response=begun)
    events.add("response.in_progress", response=begun)
    items = _items(spoken)
    for place, item in enumerate(items):
        match item["type"]:
            case "reasoning":
                _reasoning(events, place, item, spoken)
            case "message":
                _message(events, place, item, spoken)
            case "function_call":
                _call(events, place, item)
    kind = "response.incomplete" if _incomplete(spoken) else "response.completed"
    said = len(events.made)
    events.add(kind, response=_response(spoken, items, kind.partition(".")[2]))
    return Stream(events.made[:said], events.made[said:])


def _reasoning(events: _Events, place: int, item: dict[str, Any], spoken: Spoken) -> None:
    at = {"item_id": item["id"], "output_index": place}
    events.add("response.output_item.added", output_index=place, item=item | {"summary": []})
    if spoken.thinking:
        part = {"type": "summary_text", "text": ""}
        text = "".join(spoken.thinking)
        events.add("response.reasoning_summary_part.added", **at, summary_index=0, part=part)
        events.deltas("response.reasoning_summary_text.delta", spoken.thinking, **at, summary_index=0)
        events.add("response.reasoning_summary_text.done", **at, summary_index=0, text=text)
        events.add("response.reasoning_summary_part.done", **at, summary_index=0, part=part | {"text": text})
    events.add("response.output_item.done", output_index=place, item=item)


def _message(events: _Events, place: int, item: dict[str, Any], spoken: Spoken) -> None:
    at = {"item_id": item["id"], "output_index": place, "content_index": 0}
    whole = item["content"][0]
    field, name = ("refusal", "refusal") if whole["type"] == "refusal" else ("text", "output_text")
    begun = item | {"content": [], "status": "in_progress"}
    events.add("response.output_item.added", output_index=place, item=begun)
    events.add("response.content_part.added", **at, part=whole | {field: ""})
    more: dict[str, Any] = {} if field == "refusal" else {"logprobs": []}
    events.deltas(f"response.{name}.delta", spoken.text, **at, **more)
    events.add(f"response.{name}.done", **at, **{field: whole[field]}, **more)
    events.add("response.content_part.done", **at, part=whole)
    events.add("response.output_item.done", output_index=place, item=item)


def _call(events: _Events, place: int, item: dict[str, Any]) -> None:
    at = {"item_id": item["id"], "output_index": place}
    events.add("response.output_item.added", output_index=place, item=item | {"arguments": "", "status": "in_progress"})
    events.deltas("response.function_call_arguments.delta", chunks(item["arguments"]), **at)
    events.add("response.function_call_arguments.done", **at, arguments=item["arguments"])
    events.add("response.output_item.done", output_index=place, item=item)


def _items(spoken: Spoken) -> list[dict[str, Any]]:
    number = f"{spoken.number + 1:04d}"
    items: list[dict[str, Any]] = []
    status = "incomplete" if _incomplete(spoken) else "completed"
    if spoken.thinking or spoken.signature:
        text = "".join(spoken.thinking)
        summary = [{"type": "summary_text", "text": text}] if text else []
        item: dict[str, Any] = {"id": f"rs_loopback{number}", "type": "reasoning", "summary": summary}
        if spoken.sealed:
            proof = spoken.signature if spoken.signature is not None else seal("openai-responses", text)
            item["encrypted_content"] = proof
        items.append(item)
    if spoken.text:
        whole = "".join(spoken.text)
        part: dict[str, Any] = {"type": "output_text", "annotations": [], "logprobs": [], "text": whole}
        if spoken.stop == "refusal":
            part = {"type": "refusal", "refusal": whole}
        items.append(
            {"id": f"msg_loopback{number}", "type": "message", "status": status, "role": "assistant", "content": [part]}
        )
    items += [
        {
            "id": f"fc_loopback{number}_{place + 1}",
            "type": "function_call",
            "status": "completed" if call.arguments is not None else status,
            "arguments": call.text,
            "call_id": call.id,
            "name": call.name,
        }
        for place, call in enumerate(spoken.calls)
    ]
    return items


def bound(spoken: Spoken) -> tuple[str, str] | None:
    ids = [item["id"] for item in _items(spoken)]
    return (ids[1], ids[0]) if len(ids) > 1 and (spoken.thinking or spoken.signature) else None


def _incomplete(spoken: Spoken) -> bool:
    return spoken.stop in ("length", "content_filter")


def _response(spoken: Spoken, output: list[dict[str, Any]], status: str) -> dict[str, Any]:
    reason = "max_output_tokens" if spoken.stop == "length" else "content_filter"
    ended = status in ("completed", "incomplete")
    return _envelope(spoken.model, f"resp_loopback{spoken.number + 1:04d}", status) | {
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "output": output,
        "usage": _usage(spoken) if ended else None,
    }


def _envelope(model: str, response_id: str, status: str) -> dict[str, Any]:
    return {
        "id": response_id,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }


def _usage(spoken: Spoken) -> dict[str, Any]:
    usage = spoken.usage
    into: dict[str, Any] = {"cached_tokens": usage.cache_read}
    if usage.cache_write:
        into["cache_write_tokens"] = usage.cache_write
    return {
        "input_tokens": usage.input,
        "input_tokens_details": into,
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def whole(spoken: Spoken) -> bytes:
    status = "incomplete" if _incomplete(spoken) else "completed"
    return encode(_response(spoken, _items(spoken), status))


def failing(trouble: Trouble) -> Failing:
    return page() if trouble.status == 502 else Failing(encode({"error": error_of(trouble)}))


_LATE = 1_000_000
"""An event number behind all others."""


def _error(trouble: Trouble) -> bytes:
    return _event("error", {"error": error_of(trouble), "sequence_number": _LATE})


def _error_flat(trouble: Trouble) -> bytes:
    error = error_of(trouble)
    return _event("error", {name: error[name] for name in ("code", "message", "param")} | {"sequence_number": _LATE})


def _failed(trouble: Trouble) -> bytes:
    error = error_of(trouble)
    said = {"code": error["code"] or error["type"], "message": error["message"]}
    response = _envelope(trouble.model, "resp_loopback", "failed") | {"error": said}
    return _event("response.failed", {"response": response, "sequence_number": _LATE + 1})


def _both(trouble: Trouble) -> bytes:
    return _error(trouble) + _failed(trouble)


WIRE = Wire(
    name="openai-responses",
    base="/v1",
    stream_type="text/event-stream; charset=utf-8",
    stream=stream,
    whole=whole,
    failing=failing,
    shapes={"both": _both, "error": _error, "flat": _error_flat, "failed": _failed},
    headers=headers,
    key_headers=("authorization", "api-key"),
    request_id="req_loopback",
    bound=bound,
)
