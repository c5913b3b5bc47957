"""What was asked of the loopback provider, and the proof that each request begins as the one before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import msgspec

_SECRET = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization"})
REDACTED = "[redacted]"


class Recorded(msgspec.Struct, kw_only=True, eq=False):
    """One request. Keys are never kept: their headers read `[redacted]`, a `key=` in the query too."""

    number: int
    """Among the requests for a reply, counted from 0; -1 for all others (lists of models …)."""
    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes
    at: float
    """`time.monotonic()` when it was whole."""
    connection: int
    """Which connection it came over, counted from 1."""
    wire: str | None = None
    """`anthropic`, `openai-chat` … for a request for a reply."""
    model: str = ""
    stream: bool = False
    status: int = 0
    """Of the answer, once it began."""
    outcome: Literal["open", "answered", "broken", "left"] = "open"
    """`broken`: a fault ended it; `left`: the client hung up before its end."""

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


def without_keys(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: REDACTED if name in _SECRET else value for name, value in headers.items()}


def path_without_key(path: str) -> str:
    return re.sub(r"([?&](?:key|api_key)=)[^&]*", rf"\g<1>{REDACTED}", path) if "key=" in path else path


# -- prefixes


class Prefix(msgspec.Struct, frozen=True):
    """True where every request began as the one before; else `breaks` says where not."""

    breaks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.breaks


_MARK = re.compile(rb',?"cache_control":\{[^{}]*\}')
_ARRAYS = ("messages", "input", "contents")


def prefix_kept(requests: Sequence[Recorded]) -> Prefix:
    """Whether each body begins with the one before it, up to the end of that one's messages.

    That is what a prompt cache needs. Anthropic's `cache_control` marks move and are no part of what is cached, so they
    are left out of the comparison. Give it the requests of one conversation.
    """
    breaks = []
    for before, after in pairwise(requests):
        kept, sent = _until_messages_end(before.body), _MARK.sub(b"", after.body)
        if sent.startswith(kept) and sent[len(kept) : len(kept) + 1] in (b",", b"]"):
            continue
        at = next((i for i, (a, b) in enumerate(zip(kept, sent, strict=False)) if a != b), min(len(kept), len(sent)))
        breaks.append(
            f"request {after.number} leaves request {before.number} at byte {at} of {len(kept)}: "
            f"…{_around(kept, at)}… became …{_around(sent, at)}…"
        )
    return Prefix(tuple(breaks))


def _until_messages_end(body: bytes) -> bytes:
    """The body as far as its last message goes, without marks."""
    plain = _MARK.sub(b"", body)
    fields = msgspec.json.decode(plain, type=dict[str, msgspec.Raw])
    name = next((name for name in _ARRAYS if name in fields), None)
    if name is None:
        raise ValueError("the body holds no messages")
    array = bytes(fields[name])
    start = plain.index(array, plain.index(b'"%b"' % name.encode()))
    return plain[: start + len(array)].rstrip()[:-1].rstrip()


def _around(body: bytes, at: int) -> str:
    return body[max(0, at - 40) : at + 60].decode("utf-8", "replace")
