"""What can go wrong between asking and the last byte, in sentences a person can act on."""

from __future__ import annotations

from typing import Literal

HttpCause = Literal["connection", "tls", "timeout", "truncated", "malformed", "too_large", "invalid_request"]
"""Also kinds of `ModelError`, so that a model adapter can pass them on."""

WORTH_ANOTHER_TRY: frozenset[HttpCause] = frozenset({"connection", "timeout", "truncated"})


class HttpError(Exception):
    """The exchange failed below the answer's meaning. A status of 400 or above is not one: that is an answer."""

    def __init__(self, cause: HttpCause, message: str, *, retryable: bool | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.retryable = cause in WORTH_ANOTHER_TRY if retryable is None else retryable
