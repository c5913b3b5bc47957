"""OpenAI Chat Completions: chunks, a chunk of usage without choices, `[DONE]`.

Source: platform.openai.com/docs/api-reference/chat-streaming, …/guides/error-codes; openrouter.ai/docs/errors.
"""

from __future__ import annotations

from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.wires.spoken import CREATED, Failing, Spoken, Stream, Wire, chunks, encode, page

_STOPS = {
    "end_turn": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "stop_sequence": "stop",
    "refusal": "stop",
    "content_filter": "content_filter",
    "malformed_tool_call": "tool_calls",
}


def stream(spoken: Spoken) -> Stream:
    head = encode(_head(spoken, "chat.completion.chunk"))[:-1]
    lead = b'data: %b,"choices":[{"index":0,"delta":' % head
    tail = b',"logprobs":null,"finish_reason":null}]%b}\n\n' % (b',"usage":null' if spoken.usage_asked else b"")
    said = [b'%b{"role":"assistant","content":"","refusal":null}%b' % (lead, tail)]
    said += [b'%b{"reasoning_content":%b}%b' % (lead, encode(piece), tail) for piece in spoken.thinking]
    field = b"refusal" if spoken.stop == "refusal" else b"content"
    said += [b'%b{"%b":%b}%b' % (lead, field, encode(piece), tail) for piece in spoken.text]
    for index, call in enumerate(spoken.calls):
        begun = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        said.append(b'%b{"tool_calls":[%b]}%b' % (lead, encode(begun), tail))
        said += [
            b'%b{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}%b' % (lead, index, encode(piece), tail)
            for piece in chunks(call.text)
        ]
    finish = encode(_STOPS.get(spoken.stop, "stop"))
    usage_field = b',"usage":null' if spoken.usage_asked else b""
    end = [b'%b{},"logprobs":null,"finish_reason":%b}]%b}\n\n' % (lead, finish, usage_field)]
    if spoken.usage_asked:
        end.append(b'data: %b,"choices":[],"usage":%b}\n\n' % (head, encode(_usage(spoken))))
    return Stream(said, [*end, b"data: [DONE]\n\n"])


def _head(spoken: Spoken, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-loopback{spoken.number + 1:04d}",
        "object": kind,
        "created": CREATED,
        "model": spoken.model,
        "service_tier": "default",
        "system_fingerprint": "fp_loopback",
    }


def _usage(spoken: Spoken) -> dict[str, Any]:
    usage = spoken.usage
    into: dict[str, Any] = {"cached_tokens": usage.cache_read, "audio_tokens": 0}
    if usage.cache_write:
        into["cache_write_tokens"] = usage.cache_write
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": into,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    }


def whole(spoken: Spoken) -> bytes:
    text = "".join(spoken.text)
    refused = spoken.stop == "refusal"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused or (spoken.calls and not text) else text,
        "refusal": text if refused else None,
    }
    if spoken.thinking:
        message["reasoning_content"] = "".join(spoken.thinking)
    if spoken.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
            for call in spoken.calls
        ]
    finish = _STOPS.get(spoken.stop, "stop")
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return encode(_head(spoken, "chat.completion") | {"choices": [choice], "usage": _usage(spoken)})


_ERRORS: dict[str, tuple[str, str | None, str]] = {
    # reason: type, code, message
    "invalid_request": ("invalid_request_error", None, "Invalid request."),
    "context_length": (
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130021 tokens.",
    ),
    "content_filter": ("invalid_request_error", "content_policy_violation", "The request was flagged."),
    "auth": ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "billing": ("billing_error", "insufficient_credits", "Insufficient credits."),
    "permission": ("invalid_request_error", "unsupported_country_region_territory", "Country not supported"),
    "not_found": (
        "invalid_request_error",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "timeout": ("timeout", None, "Request timed out."),
    "conflict": ("conflict", None, "The request could not be completed; try again."),
    "too_large": ("invalid_request_error", None, "Request too large."),
    "rate_limit": ("requests", "rate_limit_exceeded", "Rate limit reached for {model}. Please try again later."),
    "quota": ("insufficient_quota", "insufficient_quota", "You exceeded your current quota, check your plan."),
    "server": ("server_error", None, "The server had an error while processing your request."),
    "gateway": ("server_error", None, "Bad gateway."),
    "unavailable": ("service_unavailable", None, "The engine is currently overloaded, please try again later."),
    "overloaded": ("service_unavailable", None, "Overloaded"),
}


def error_of(trouble: Trouble) -> dict[str, Any]:
    """The `error` object; the Responses API has the same."""
    kind, code, message = _ERRORS[trouble.reason]
    return {
        "message": trouble.message or message.format(model=trouble.model),
        "type": kind,
        "param": trouble.param,
        "code": trouble.code or code,
    }


def failing(trouble: Trouble) -> Failing:
    return page() if trouble.status == 502 else Failing(encode({"error": error_of(trouble)}))


def _data(trouble: Trouble) -> bytes:
    return b"data: %b\n\n" % encode({"error": error_of(trouble)})


def _groq(trouble: Trouble) -> bytes:
    return b"event: error\ndata: %b\n\n" % encode({"error": error_of(trouble)})


def _openrouter(trouble: Trouble) -> bytes:
    chunk = {
        "id": "gen-loopback",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": trouble.model,
        "provider": "Loopback",
        "error": {"code": trouble.status, "message": error_of(trouble)["message"]},
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "error"},
        ],
    }
    return b"data: %b\n\n" % encode(chunk)


def headers(request_id: str) -> dict[str, str]:
    return {"x-request-id": request_id, "openai-version": "2020-10-01"}


WIRE = Wire(
    name="openai-chat",
    base="/v1",
    stream_type="text/event-stream; charset=utf-8",
    stream=stream,
    whole=whole,
    failing=failing,
    shapes={"data": _data, "groq": _groq, "openrouter": _openrouter},
    headers=headers,
    key_headers=("authorization", "api-key"),
    request_id="req_loopback",
)
