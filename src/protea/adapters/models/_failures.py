"""Failures of providers as `ModelError`: what kind, whether waiting helps and how long, and a sentence to act on.

Three doors, used by every model adapter: `of_status` for an HTTP answer of 300 or above, `of_error` for an error
object inside a 2xx answer, `of_transport` for what went wrong below HTTP's meaning.

Sources: docs.anthropic.com/en/api/errors; platform.openai.com/docs/guides/error-codes; openrouter.ai/docs/errors;
ai.google.dev/gemini-api/docs/troubleshooting; google.rpc.RetryInfo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.http.errors import HttpError
from protea.domain.errors import WEB_PAGE, Cause, ModelError

MAX_BODY = 1024 * 1024
"""Bytes of a failure's body worth reading."""
_MAX_MESSAGE = 2000

_BY_STATUS: dict[int, Cause] = {
    400: "invalid_request",
    401: "auth",
    402: "billing",
    403: "auth",
    404: "not_found",
    405: "not_found",
    407: "connection",
    408: "timeout",
    409: "server",
    410: "not_found",
    413: "too_large",
    415: "invalid_request",
    422: "invalid_request",
    425: "rate_limit",
    429: "rate_limit",
    498: "overloaded",  # Groq: flex capacity exceeded
    503: "overloaded",
    504: "timeout",
    524: "timeout",
    529: "overloaded",
}

# What a provider calls its error, whichever field it says it in; small letters, `-` as `_`.
_BY_NAME: dict[str, Cause] = {
    "authentication_error": "auth",
    "permission_error": "auth",
    "permission_denied": "auth",
    "unauthenticated": "auth",
    "invalid_api_key": "auth",
    "api_key_invalid": "auth",
    "invalid_authentication": "auth",
    "unauthorized": "auth",
    "billing_error": "billing",
    "insufficient_quota": "billing",
    "billing_hard_limit_reached": "billing",
    "billing_not_active": "billing",
    "insufficient_credits": "billing",
    "payment_required": "billing",
    "not_found_error": "not_found",
    "not_found": "not_found",
    "model_not_found": "not_found",
    "deploymentnotfound": "not_found",
    "request_too_large": "too_large",
    "payload_too_large": "too_large",
    "context_length_exceeded": "context_length",
    "string_above_max_length": "context_length",
    "exceed_context_size_error": "context_length",  # llama.cpp
    "model_context_window_exceeded": "context_length",
    "model_max_prompt_tokens_exceeded": "context_length",
    "rate_limit_error": "rate_limit",
    "rate_limit_exceeded": "rate_limit",
    "ratelimitreached": "rate_limit",
    "resource_exhausted": "rate_limit",
    "too_many_requests": "rate_limit",
    "overloaded_error": "overloaded",
    "server_is_overloaded": "overloaded",
    "slow_down": "overloaded",
    "service_unavailable": "overloaded",
    "provider_unavailable": "overloaded",
    "unavailable": "overloaded",
    "engine_overloaded": "overloaded",
    "api_error": "server",
    "server_error": "server",
    "internal_server_error": "server",
    "internal_error": "server",
    "internal": "server",
    "vector_store_timeout": "timeout",
    "timeout_error": "timeout",
    "timeout": "timeout",
    "deadline_exceeded": "timeout",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "moderation_blocked": "content_filter",
    "cyber_policy": "content_filter",
    "invalid_request_error": "invalid_request",
    "invalid_argument": "invalid_request",
    "failed_precondition": "invalid_request",
    "invalid_prompt": "invalid_request",
    "tool_use_failed": "malformed",  # Groq: the model wrote a call that does not fit; it may do better
    "json_validate_failed": "malformed",
}

# Names that say little: what the message and the status say goes before them.
_VAGUE = frozenset({"invalid_request", "server"})

# Texts and not compiled patterns: compiling them would be paid at every start, and failures are rare.
_BY_WORDS: tuple[tuple[str, Cause, tuple[Cause | None, ...]], ...] = (
    (
        r"prompt is too long|(input|prompt) exceeds max length|input is too long|context (window|length|size|limit)"
        r"|too many (input )?tokens|exceeds? the (maximum|max) (number of )?(input )?tokens"
        r"|tokens exceed the .{0,20}limit|token count .{0,40}(exceeds|only supports)|model token limit"
        r"|maximum prompt length|reduce the length of|range of input length|`?max_new_tokens`? must be",
        "context_length",
        (None, "invalid_request", "server"),  # Ollama says so with 500
    ),
    (
        r"credit balance|insufficient (credits|balance|quota|funds)|exceeded your current quota",
        "billing",
        (None, "invalid_request", "auth", "rate_limit"),
    ),
    (r"api key|authentication header|unauthorized", "auth", (None, "invalid_request")),
    (r"flagged|moderation", "content_filter", (None, "invalid_request", "auth")),
    (r"overloaded|at capacity|no (healthy|available) upstream", "overloaded", (None, "server")),
)
"""Words of a message, the kind they mean, and the kinds they may overrule."""

_TOO_MUCH_AT_ONCE = r"request too large for"
"""Beside a rate limit: more than the provider takes in a minute, however long one waits."""

_RETRYABLE: frozenset[Cause] = frozenset(
    {"rate_limit", "overloaded", "server", "timeout", "connection", "truncated", "malformed"}
)

_MENDS: dict[Cause, str] = {
    "auth": "check the key for {provider}",
    "billing": "waiting does not help; add credits or use another provider",
    "not_found": "check the model's name and the provider's base_url",
    "context_length": "compact the conversation or start a new one",
    "too_large": "send less: fewer or smaller images and files",
}


class _Said(msgspec.Struct, frozen=True):
    """What an error object says, whatever its shape."""

    message: str = ""
    names: tuple[str, ...] = ()
    """Its codes and types in words, the most telling first."""
    status: int | None = None
    """An HTTP status inside it."""
    retry_after: float | None = None
    request_id: str | None = None


def of_status(
    status: int, headers: Mapping[str, str], body: bytes, *, provider: str, secret: str | None = None
) -> ModelError:
    """The failure an HTTP answer of `status` is. `secret` is kept out of the message wherever a provider echoes it."""
    said, page = _read(body), ""
    kind = _kind(status, said)
    if 300 <= status < 400:
        message = f"the address redirects to {headers.get('location', 'elsewhere')}; set base_url to that"
        kind = "not_found"
    elif said.message:
        message = said.message
    else:
        page = _page(body) or ""
        message = page or f"HTTP status {status} without an explanation"
    retryable = kind in _RETRYABLE
    wish = headers.get("x-should-retry", "").lower()
    if wish in ("true", "false"):
        retryable = wish == "true"
    wait = _retry_after(headers)
    return ModelError.of(
        kind,
        _sentence(provider, f"{message} ({status})", kind, secret),
        provider=provider,
        status=status,
        retryable=retryable,
        retry_after=(said.retry_after if wait is None else wait) if retryable else None,
        code=said.names[0] if said.names else WEB_PAGE if page else None,
        request_id=_request_id(headers) or said.request_id,
    )


def of_error(
    error: Any, headers: Mapping[str, str], *, provider: str, request_id: str | None = None, secret: str | None = None
) -> ModelError:
    """The failure an error object inside a 2xx answer is: an object, a text, or a whole body that holds one."""
    said = _said(error if isinstance(error, dict) else {"error": error})
    kind = _kind(said.status, said)
    return ModelError.of(
        kind,
        _sentence(provider, said.message or "an error without an explanation", kind, secret),
        provider=provider,
        status=said.status,
        retryable=kind in _RETRYABLE,
        retry_after=said.retry_after,
        code=said.names[0] if said.names else None,
        request_id=request_id or said.request_id or _request_id(headers),
    )


def with_exchange(error: ModelError, headers: Mapping[str, str], secret: str | None) -> ModelError:
    """`error`, found in mid-stream, with what only the exchange knows: the request's id, and the key to keep out."""
    failure = error.failure
    return ModelError(
        replace(
            failure,
            request_id=failure.request_id or _request_id(headers),
            message=_without_keys(failure.message, secret),
        )
    )


def of_transport(error: HttpError, *, provider: str) -> ModelError:
    """The failure of an exchange that broke below HTTP's meaning."""
    return ModelError.of(error.cause, f"{provider}: {error.message}", provider=provider, retryable=error.retryable)


def truncated(provider: str, request_id: str | None = None) -> ModelError:
    """The stream ended, cleanly or not, before its wire's end mark."""
    return ModelError.of(
        "truncated",
        f"{provider}: the reply ended before it was complete",
        provider=provider,
        retryable=True,
        request_id=request_id,
    )


def malformed(provider: str, what: str, *, retryable: bool = True, request_id: str | None = None) -> ModelError:
    """What came is not this wire."""
    return ModelError.of(
        "malformed", f"{provider}: {what}", provider=provider, retryable=retryable, request_id=request_id
    )


def page_instead_of_reply(provider: str, body: bytes) -> ModelError:
    """A web page under status 200: a captive portal, a login page, or a wrong base_url."""
    return malformed(provider, _page(body) or "a web page came instead of a reply", retryable=False)


def error_in(body: bytes) -> Any | None:
    """The error object in what may be a JSON body that holds one; None where there is none."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) and value.get("error") else None


def _read(body: bytes) -> _Said:
    try:
        return _said(msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf")))
    except (msgspec.MsgspecError, ValueError):
        text = body[:_MAX_MESSAGE].decode("utf-8", "replace").strip()
        return _Said() if not text or text.startswith("<") else _Said(text)


def _said(body: Any) -> _Said:
    if isinstance(body, list):  # Gemini without alt=sse
        body = body[0] if body else None
    if not isinstance(body, dict):
        return _Said(str(body)) if body else _Said()
    error = body.get("error")
    if error is None or error == "":
        error = body
    if isinstance(error, str):
        return _Said(error, _names(body.get("code"), body.get("type")), request_id=_text(body.get("request_id")))
    if not isinstance(error, dict):
        return _Said(str(error))
    details = error.get("details")
    listed = [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []
    metadata = error.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    status = next(
        (n for n in (error.get("code"), error.get("status_code"), error.get("status")) if _is_status(n)), None
    )
    return _Said(
        _message(error, metadata),
        _names(
            *("insufficient_quota" for d in listed if "PerDay" in str(d.get("violations"))),  # Gemini's daily quota
            error.get("code"),
            error.get("status"),
            error.get("type"),
            metadata.get("error_type"),
            *(d.get("reason") for d in listed),
        ),
        None if status is None else int(status),
        next((s for d in listed if (s := _seconds(_text(d.get("retryDelay")) or "")) is not None), None),
        _text(body.get("request_id")) or _text(error.get("request_id")),
    )


def _is_status(value: Any) -> bool:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600


def _names(*values: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in values if isinstance(v, (str, int)) and not isinstance(v, bool) and v != "")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _message(error: dict[str, Any], metadata: dict[str, Any]) -> str:
    message = _text(error.get("message")) or _text(error.get("detail")) or _text(error.get("msg")) or ""
    if not message and isinstance(error.get("detail"), list):  # FastAPI: what is wrong with each field
        message = msgspec.json.encode(error["detail"]).decode()
    raw = _text(metadata.get("raw"))  # OpenRouter: what the provider behind it said
    if raw:
        inner = _read(raw.encode("utf-8", "replace")).message if raw.lstrip().startswith(("{", "[")) else raw
        if inner and inner not in message:
            message = f"{message}: {inner}" if message else inner
    return message


def _kind(status: int | None, said: _Said) -> Cause:
    by_status: Cause | None = None
    if status is not None:
        by_status = _BY_STATUS.get(status) or ("server" if status >= 500 else "invalid_request")
    named = [k for name in said.names if (k := _BY_NAME.get(name.lower().replace("-", "_"))) is not None]
    telling = next((kind for kind in named if kind not in _VAGUE), None)
    if telling == "rate_limit" and re.search(_TOO_MUCH_AT_ONCE, said.message, re.IGNORECASE):
        return "too_large"
    if telling is not None:
        return telling
    for words, kind, overruled in _BY_WORDS:
        if by_status in overruled and re.search(words, said.message, re.IGNORECASE):
            return kind
    return by_status or (named[0] if named else "server")


def _sentence(provider: str, message: str, kind: Cause, secret: str | None) -> str:
    text = " ".join(message.split())
    if len(text) > _MAX_MESSAGE:
        text = text[:_MAX_MESSAGE] + " …"
    mend = _MENDS.get(kind)
    return _without_keys(f"{provider}: {text}" + (f"; {mend.format(provider=provider)}" if mend else ""), secret)


_KEYS = r"\b(?:sk|gsk|xai|pplx|key)-[A-Za-z0-9_\-]{16,}|\bAIza[A-Za-z0-9_\-]{20,}|(?<=Bearer )[^\s\"']{8,}"


def _without_keys(text: str, secret: str | None) -> str:
    if secret and len(secret) >= 4:
        text = text.replace(secret, "[key]")
    return re.sub(_KEYS, "[key]", text)


_TITLE = r"(?is)<title[^>]*>(.*?)</title>"


def _page(body: bytes) -> str | None:
    text = body[:65536].decode("utf-8", "replace").lstrip()
    if not text.startswith("<"):
        return None
    found = re.search(_TITLE, text)
    title = f" ({' '.join(found.group(1).split())[:200]})" if found else ""
    return f"a web page came instead of a reply{title}; is a proxy in between, or base_url wrong?"


def _request_id(headers: Mapping[str, str]) -> str | None:
    for name in ("request-id", "x-request-id", "apim-request-id", "x-amzn-requestid", "x-goog-request-id"):
        if value := headers.get(name):
            return value
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; the longer of two headers, for Azure sends `retry-after-ms: 0` beside `retry-after: 1`."""
    waits: list[float] = []
    millis = _number(headers.get("retry-after-ms", ""))
    if millis is not None:
        waits.append(millis / 1000)
    if text := headers.get("retry-after", "").strip():
        seconds = _number(text)
        if seconds is None:
            seconds = _until_date(text)
        if seconds is not None:
            waits.append(seconds)
    if not waits:
        waits += _resets(headers)
    return max(waits) if waits else None


def _resets(headers: Mapping[str, str]) -> Iterator[float]:
    """Waits for the limits that are used up, from the headers that tell when each begins anew."""
    for name, value in headers.items():
        if "ratelimit" not in name or "reset" not in name:
            continue
        left = headers.get(name.replace("reset", "remaining"))
        if left is not None and left.strip() not in ("0", "0.0"):
            continue
        seconds = _seconds(value.strip())
        if seconds is None:
            seconds = _until_date(value.strip())
        if seconds is not None:
            yield seconds


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None


_DURATION = r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
_DURATION_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)


def _seconds(text: str) -> float | None:
    """`6m0s`, `120ms`, `48s`, `1.5`; also a moment as seconds or milliseconds since 1970."""
    number = _number(text)
    if number is not None:
        if number < 1e8:
            return number
        from time import time

        return max(0.0, (number / 1000 if number > 1e11 else number) - time())
    found = re.fullmatch(_DURATION, text)
    if not text or found is None:
        return None
    return sum(float(n) * unit for n, unit in zip(found.groups(), _DURATION_UNITS, strict=True) if n)


def _until_date(text: str) -> float | None:
    """Seconds until an HTTP date or an RFC 3339 time, at least 0."""
    import calendar  # dates in headers are rare, and the clock modules are not free to load
    from time import strptime, time

    plain = re.sub(r"\.\d+(?=Z|[+-]\d\d:\d\d$)", "", text)
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z"):
        try:
            moment = strptime(plain, form)
        except ValueError:
            continue
        return max(0.0, calendar.timegm(moment) - (moment.tm_gmtoff or 0) - time())
    return None
