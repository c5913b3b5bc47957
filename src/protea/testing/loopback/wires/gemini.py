"""Google Gemini: every event a whole candidate's piece, lines that end in CRLF, signatures on the first call.

Source: ai.google.dev/api/generate-content, …/gemini-api/docs/thought-signatures, …/troubleshooting.
"""

from __future__ import annotations

from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import seal
from protea.testing.loopback.wires.spoken import Failing, Spoken, Stream, Wire, encode, page

_STOPS = {
    "end_turn": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "stop_sequence": "STOP",
    "refusal": "SAFETY",
    "content_filter": "SAFETY",
    "malformed_tool_call": "MALFORMED_FUNCTION_CALL",
}


def _malformed(spoken: Spoken) -> bool:
    """A call whose arguments are no object never reaches the client here: the turn fails instead."""
    return spoken.stop == "malformed_tool_call" or any(call.arguments is None for call in spoken.calls)


def stream(spoken: Spoken) -> Stream:
    lead = b'{"candidates":[{"content":{"parts":['
    behind = b'],"role":"model"},"index":0}],%b}' % encode(_behind(spoken, whole=False))[1:-1]
    pieces = [b'%b{"text":%b,"thought":true}%b' % (lead, encode(piece), behind) for piece in spoken.thinking]
    pieces += [b'%b{"text":%b}%b' % (lead, encode(piece), behind) for piece in spoken.text]
    calls = _calls(spoken)
    if calls:
        pieces.append(lead + b",".join(encode(part) for part in calls) + behind)
    last = encode({"candidates": [_finish(spoken, _last_parts(spoken))]} | _behind(spoken, whole=True))
    if spoken.events:
        return Stream([b"data: %b\r\n\r\n" % piece for piece in pieces], [b"data: %b\r\n\r\n" % last])
    said = [(b",\r\n" if n else b"[") + piece + b"\n" for n, piece in enumerate(pieces)]
    return Stream(said, [(b",\r\n" if said else b"[") + last + b"\n]\n"])


def _calls(spoken: Spoken) -> list[dict[str, Any]]:
    if _malformed(spoken):
        return []
    parts: list[dict[str, Any]] = []
    for place, call in enumerate(spoken.calls):
        # Ids only where the script gives them: most models send none.
        function: dict[str, Any] = {"name": call.name, "args": call.arguments}
        if call.given:
            function["id"] = call.id
        part: dict[str, Any] = {"functionCall": function}
        proof = call.signature or (seal("gemini", call.name) if place == 0 else None)
        if proof is not None:
            part["thoughtSignature"] = proof
        parts.append(part)
    return parts


def _last_parts(spoken: Spoken) -> list[dict[str, Any]]:
    """The empty text that carries the signature of what was thought for an answer."""
    if not spoken.thinking or spoken.calls:
        return []
    return [{"text": "", "thoughtSignature": spoken.signature or seal("gemini", "")}]


def _finish(spoken: Spoken, parts: list[dict[str, Any]]) -> dict[str, Any]:
    reason = "MALFORMED_FUNCTION_CALL" if _malformed(spoken) else _STOPS.get(spoken.stop, "OTHER")
    candidate: dict[str, Any] = {"finishReason": reason, "index": 0}
    if parts:
        candidate = {"content": {"parts": parts, "role": "model"}} | candidate
    if reason == "MALFORMED_FUNCTION_CALL":
        candidate["finishMessage"] = "Malformed function call: " + " ".join(call.text for call in spoken.calls)
    return candidate


def _behind(spoken: Spoken, *, whole: bool) -> dict[str, Any]:
    usage = spoken.usage
    counted: dict[str, Any] = {"promptTokenCount": usage.input}
    if whole:
        counted["candidatesTokenCount"] = usage.output - usage.reasoning
        counted["totalTokenCount"] = usage.input + usage.output
        if usage.reasoning:
            counted["thoughtsTokenCount"] = usage.reasoning
        if usage.cache_read:
            counted["cachedContentTokenCount"] = usage.cache_read
    return {
        "usageMetadata": counted,
        "modelVersion": spoken.model,
        "responseId": f"loopback{spoken.number + 1:04d}",
    }


def whole(spoken: Spoken) -> bytes:
    parts: list[dict[str, Any]] = []
    if spoken.thinking:
        parts.append({"text": "".join(spoken.thinking), "thought": True})
    if spoken.text:
        parts.append({"text": "".join(spoken.text)})
    parts += _calls(spoken) + _last_parts(spoken)
    return encode({"candidates": [_finish(spoken, parts)]} | _behind(spoken, whole=True))


_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

_MESSAGES = {
    "invalid_request": "Request contains an invalid argument.",
    "context_length": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "content_filter": "The prompt could not be submitted. This prompt contains sensitive words.",
    "auth": "API key not valid. Please pass a valid API key.",
    "billing": "Your prepayment credits are depleted. Please manage your billing.",
    "permission": "The caller does not have permission",
    "not_found": "models/{model} is not found for API version v1beta.",
    "timeout": "The request timed out. Please try again.",
    "conflict": "The operation was aborted.",
    "too_large": "Request payload size exceeds the limit: 20971520 bytes.",
    "rate_limit": "Resource has been exhausted (e.g. check quota).",
    "quota": "You exceeded your current quota, please check your plan and billing details.",
    "server": "An internal error has occurred. Please retry.",
    "unavailable": "The model is overloaded. Please try again later.",
    "overloaded": "The model is overloaded. Please try again later.",
}


def _error(trouble: Trouble) -> dict[str, Any]:
    # 529 is Anthropic's own; here the same is said with 503.
    status = 503 if trouble.status == 529 else trouble.status
    message = trouble.message or _MESSAGES.get(trouble.reason, _MESSAGES["server"]).format(model=trouble.model)
    error: dict[str, Any] = {"code": status, "message": message, "status": _STATUS.get(status, "UNKNOWN")}
    details: list[dict[str, Any]] = []
    if trouble.reason == "auth":
        details.append(_detail("ErrorInfo", reason="API_KEY_INVALID", domain="googleapis.com"))
    if trouble.reason == "quota":
        violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"}
        details.append(_detail("QuotaFailure", violations=[violation]))
    if trouble.retry_after is not None:
        details.append(_detail("RetryInfo", retryDelay=f"{trouble.retry_after:g}s"))
    return {"error": error | ({"details": details} if details else {})}


def _detail(name: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{name}"} | fields


def failing(trouble: Trouble) -> Failing:
    return page() if trouble.status == 502 else Failing(encode(_error(trouble)))


def _bare(trouble: Trouble) -> bytes:
    """As it is sent: on lines of its own, and not as an event."""
    error = _error(trouble)["error"]
    lines = [f'    "{name}": {encode(error[name]).decode()}' for name in ("code", "message", "status")]
    return ('{\n  "error": {\n' + ",\n".join(lines) + "\n  }\n}\n").encode()


def _data(trouble: Trouble) -> bytes:
    return b"data: %b\r\n\r\n" % encode(_error(trouble))


WIRE = Wire(
    name="gemini",
    base="/v1beta",
    stream_type="text/event-stream",
    stream=stream,
    whole=whole,
    failing=failing,
    shapes={"bare": _bare, "data": _data},
    headers=lambda request_id: {"server-timing": "gfet4t7; dur=1", "vary": "Origin"},
    key_headers=("x-goog-api-key", "authorization"),
    request_id="loopback",
)
