"""When another model may help, and what it cannot do that the first could. Pure."""

from __future__ import annotations

from protea.domain.errors import Failure
from protea.domain.usage import ModelInfo

_ELSEWHERE = frozenset(
    {
        "auth",
        "billing",
        "connection",
        "malformed",
        "not_found",
        "overloaded",
        "rate_limit",
        "server",
        "timeout",
        "tls",
        "truncated",
    }
)
"""Causes that lie with one provider. A request that is wrong, too long or refused stays so with any."""


def helps(failure: Failure) -> bool:
    """Whether another model may answer where this one failed."""
    return failure.kind in _ELSEWHERE


def lost(before: ModelInfo, after: ModelInfo) -> tuple[str, ...]:
    """What the second model is known to lack of what the first is known to have."""
    found = []
    if before.images and not after.images:
        found.append("images")
    if before.thinking and not after.thinking:
        found.append("thinking")
    if before.context and after.context and after.context < before.context:
        found.append(f"window ({after.context:,} tokens instead of {before.context:,})")
    return tuple(found)
