"""Text without secrets, for logs and crash reports. Pure.

What is known to be a secret goes whatever it looks like; of the rest, what looks like one. It is a net under the rule
that secrets are not logged, not a licence to log them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

HIDDEN = "[hidden]"
SHORTEST = 6
"""Characters. Shorter secrets would hide ordinary words."""

_LOOKS = (
    # A private key, as far as it is there.
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", HIDDEN),
    # user:password@ of an address
    (r"(?P<keep>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", rf"\g<keep>{HIDDEN}"),
    # Authorization: Bearer …, x-api-key: …, "api_key": "…", password=…, ?key=…
    (
        r"(?i)(?P<keep>\b[\w.-]*(?:authorization|api[_-]?key|apikey|secret|token|passw(?:or)?d|cookie|[?&]key)\b[\"']?"
        r"\s*[:=]\s*[\"']?(?:(?:bearer|basic)\s+)?)(?!(?:bearer|basic)\b)[^\s\"',;&]{6,}",
        rf"\g<keep>{HIDDEN}",
    ),
    (r"(?i)(?P<keep>[?&]key=)[^\s\"'&]{6,}", rf"\g<keep>{HIDDEN}"),
    (r"(?i)(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}", rf"\g<keep>{HIDDEN}"),
    # The shapes that are in use: Anthropic, OpenAI, OpenRouter; Google; GitHub; Slack; GitLab; Hugging Face; AWS;
    # Telegram; JSON Web Tokens.
    (r"\bsk-[A-Za-z0-9_-]{16,}", HIDDEN),
    (r"\bAIza[A-Za-z0-9_-]{30,}", HIDDEN),
    (r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}", HIDDEN),
    (r"\bxox[abeprs]-[A-Za-z0-9-]{10,}", HIDDEN),
    (r"\bglpat-[A-Za-z0-9_-]{16,}|\bhf_[A-Za-z0-9]{30,}", HIDDEN),
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", HIDDEN),
    (r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b", HIDDEN),
    (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", HIDDEN),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with `secrets`, and what looks like one, replaced by `[hidden]`."""
    for secret in sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern, instead in _patterns():
        text = pattern.sub(instead, text)
    return text


SECRET_KEYS = frozenset({"headers", "api_key_command"})
"""Parts of the keys of settings whose values may hold a secret."""


def setting(key: str, value: Any) -> Any:
    """The value of a setting as it may be shown: `(set)` where the key says that it may hold a secret, a password or
    token in an address hidden, in lists and tables too."""
    if value is not None and SECRET_KEYS.intersection(key.split(".")):
        return "(set)"
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {name: setting(str(name), each) for name, each in value.items()}
        case list() | tuple():
            return [setting("", each) for each in value]
        case _:
            return value


def secrets_of(environment: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The values of variables whose names say that they are secrets."""
    marks = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
    return tuple(value for name, value in environment if any(mark in name.upper() for mark in marks))


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), instead) for pattern, instead in _LOOKS)
