"""The error tree.

    ProteaError
    ├── UsageError          the person can mend it: exit 1, one line
    │   ├── ConfigError     a settings, rules or profile file; names file, line, column
    │   └── SessionError    no such session, or it cannot be used that way
    ├── StoreError          the disk or database failed: exit 2
    ├── ModelError          a provider failed; says whether waiting helps
    └── TaskFailedError     a task ended badly: its words are what the model is told

What the model should read is a value (`ToolResult` with `is_error`); what stops a turn is one of these.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class ProteaError(Exception):
    """Base of all errors Protea raises on purpose. `str(error)` is one line a person can act on."""


class UsageError(ProteaError):
    """Something the person typed or wrote is wrong. The message names the mistake and the mend."""


class ConfigError(UsageError):
    """A file of settings, rules or a profile cannot be used."""

    def __init__(
        self, message: str, file: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        where = file or ""
        if file and line is not None:
            where += f":{line}" + (f":{column}" if column is not None else "")
        super().__init__(f"{where}: {message}" if where else message)
        self.file, self.line, self.column = file, line, column


class SessionError(UsageError):
    """A session that does not exist, is in use elsewhere, or does not allow what was asked."""


class TaskFailedError(ProteaError):
    """Work came to an end that is not the one that was wanted. Its words are what it brought."""


class StoreError(ProteaError):
    """Lasting data could not be read or written (disk full, read-only, damaged)."""


Cause = Literal[
    "auth",  # key missing, wrong or without rights
    "billing",  # no credits, quota used up: waiting does not help
    "not_found",  # no such model or address
    "invalid_request",  # the provider refuses this request as it stands
    "context_length",  # the conversation does not fit
    "too_large",  # the request body does not fit
    "rate_limit",  # too fast: waiting helps
    "overloaded",  # the provider is busy: waiting helps
    "server",  # the provider failed
    "timeout",  # no first byte, or silence in mid-stream
    "connection",  # refused, reset, DNS
    "tls",  # certificate or handshake
    "truncated",  # the stream ended before its end mark
    "malformed",  # what came is not this wire
    "content_filter",  # the provider refuses the content
    "internal",  # a fault of Protea's own
]

TOO_LONG: frozenset[str] = frozenset({"context_length", "too_large"})
"""Causes that go away when less is sent."""


WEB_PAGE = "web_page"
"""The `code` of a failure where a web page came instead of a reply."""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as an event carries it."""

    kind: str
    message: str
    provider: str | None = None
    status: int | None = None
    retryable: bool = False
    retry_after: float | None = None
    """Seconds."""
    code: str | None = None
    """The provider's own code or type, where it gave one."""
    request_id: str | None = None


class ModelError(ProteaError):
    """A provider failed. `failure.retryable` tells whether the same request may work later."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure

    @classmethod
    def of(
        cls,
        kind: Cause,
        message: str,
        *,
        provider: str | None = None,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> ModelError:
        return cls(Failure(kind, message, provider, status, retryable, retry_after, code, request_id))
