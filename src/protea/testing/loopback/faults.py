"""What can go wrong with an answer, as values. A reply of a script carries at most one, as `fault`.

In a script's JSON `kind` tells them apart: `{"fault": {"kind": "status", "status": 429, "retry_after": 2}}`.
"""

from __future__ import annotations

import msgspec


class _Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    pass


class Status(_Fault, frozen=True, tag_field="kind", tag="status"):
    """An HTTP status of 400 or above with the body and the headers the wire sends with it."""

    status: int
    reason: str | None = None
    """A key of `REASONS`, where the status alone does not tell: `quota` for 429, `context_length` for 400 …"""
    message: str | None = None
    """Instead of the wire's own words."""
    retry_after: float | None = None
    """Seconds: the header `retry-after`; in Gemini's body, as `retryDelay`."""
    retry_after_ms: float | None = None
    should_retry: bool | None = None
    """The header `x-should-retry`; Anthropic sends it always."""
    headers: dict[str, str] = {}


class ErrorInside(_Fault, frozen=True, tag_field="kind", tag="error_200"):
    """An error body under status 200, and nothing else."""

    reason: str = "server"
    message: str | None = None


class MidError(_Fault, frozen=True, tag_field="kind", tag="mid_error"):
    """An error in the middle of the stream, in the wire's own shape; a unary reply becomes `ErrorInside`."""

    after: int | None = None
    """Events sent before it; half of what there is to say where it is left out."""
    reason: str = "overloaded"
    message: str | None = None
    shape: str | None = None
    """One of the wire's `SHAPES`; the most usual where it is left out."""


class Malformed(_Fault, frozen=True, tag_field="kind", tag="malformed"):
    """An event whose JSON is cut off, with the events behind it; a unary reply is cut off itself."""

    after: int | None = None
    """Events sent before it; half of what there is to say where it is left out."""


class Reset(_Fault, frozen=True, tag_field="kind", tag="reset"):
    """The connection is reset."""

    after: int | None = None
    """Bytes of the body sent before; half of it where left out. 0: before the answer begins."""


class Stall(_Fault, frozen=True, tag_field="kind", tag="stall"):
    """Nothing more comes, and the connection stays open until the client leaves."""

    after: int | None = None
    """Bytes of the body sent before; half of it where left out. 0: before the answer begins."""


class Cut(_Fault, frozen=True, tag_field="kind", tag="cut"):
    """The body ends too early, and HTTP says it is whole."""

    after: int | None = None
    """Bytes of the body sent before; half of it where left out."""


class Slow(_Fault, frozen=True, tag_field="kind", tag="slow"):
    """The head of the answer comes at once and its body late. (`delay` of a reply holds both back.)"""

    seconds: float


Fault = Status | ErrorInside | MidError | Malformed | Reset | Stall | Cut | Slow

REASONS: dict[str, int] = {
    "invalid_request": 400,
    "context_length": 400,
    "content_filter": 400,
    "auth": 401,
    "billing": 402,
    "permission": 403,
    "not_found": 404,
    "timeout": 408,
    "conflict": 409,
    "too_large": 413,
    "rate_limit": 429,
    "quota": 429,
    "server": 500,
    "gateway": 502,
    "unavailable": 503,
    "overloaded": 529,
}
"""Why a provider refuses or fails, and the status it usually says so with."""


def reason_of(status: int) -> str:
    """The most usual reason for `status`."""
    for reason, usual in REASONS.items():
        if usual == status:
            return reason
    return "server" if status >= 500 else "invalid_request"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """An error on its way to a wire's own words."""

    status: int
    reason: str
    model: str = ""
    request_id: str = ""
    message: str | None = None
    retry_after: float | None = None
    code: str | None = None
    """The wire's own code, where it has one for just this."""
    param: str | None = None
    """Where in the request the mistake is."""
