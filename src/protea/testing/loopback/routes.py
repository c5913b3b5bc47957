"""Which wire an address belongs to, and the little of a body that must be known to answer it."""

from __future__ import annotations

from typing import Any

import msgspec

from protea.testing.loopback.wires.spoken import Wire
from protea.testing.loopback.wires.table import WIRES


class Route(msgspec.Struct, frozen=True):
    wire: Wire | None
    """The wire that is asked for a reply; None for a list."""
    list_of: str = ""
    """Which list, where none."""
    model: str | None = None
    """The model, where the address names it."""
    stream: bool | None = None
    """Whether it is streamed, where the address says so."""
    events: bool = True
    """Gemini: whether a stream is events and not an array."""


_ENDS = (
    ("/chat/completions", "openai-chat"),
    ("/messages", "anthropic"),
    ("/responses", "openai-responses"),
    ("/api/chat", "ollama"),
)


def route_of(method: str, path: str, headers: dict[str, str], wire: str | None = None) -> Route | None:
    """Where a request goes; None where there is nothing. `wire` says it without looking, where it is known."""
    bare, _, query = path.partition("?")
    bare = bare.rstrip("/")
    if wire is not None and wire != "gemini":
        return Route(WIRES[wire])
    if method == "POST":
        for end, name in _ENDS:
            if bare.endswith(end):
                return Route(WIRES[name])
        if bare.endswith("/api/show"):
            return Route(None, "ollama-show")
        model, colon, verb = bare.rpartition("/")[2].partition(":")
        if not colon and wire is None:
            return None
        if verb == "streamGenerateContent":
            return Route(WIRES["gemini"], model=model, stream=True, events="alt=sse" in query)
        if verb == "generateContent":
            return Route(WIRES["gemini"], model=model, stream=False)
        return None
    if method == "GET":
        if bare.endswith(("/v1beta/models", "/v1beta1/models")):
            return Route(None, "gemini")
        if bare.endswith("/api/tags"):
            return Route(None, "ollama")
        if bare.endswith("/api/version"):
            return Route(None, "ollama-version")
        if bare.endswith("/models"):
            return Route(None, "anthropic" if "anthropic-version" in headers else "openai")
    return None


def base_of(wire: str) -> str:
    """Path of the address a client of `wire` is given. Raises ValueError for a wire there is none of."""
    if wire not in WIRES:
        raise ValueError(f"no wire {wire!r}; there are {', '.join(WIRES)}")
    return WIRES[wire].base


class Asked(msgspec.Struct, frozen=True):
    model: str = ""
    stream: bool = False
    usage: bool = True
    """Chat Completions: whether a stream shall end with usage."""
    sealed: bool = True
    """Responses: whether encrypted reasoning is wanted."""
    broken: str | None = None
    """Why the body cannot be read."""


class _Head(msgspec.Struct):
    model: Any = ""
    stream: Any = None
    stream_options: Any = None
    include: Any = None


_SEALED = "reasoning.encrypted_content"
_HEAD = msgspec.json.Decoder(_Head)


def asked_of(route: Route, body: bytes) -> Asked:
    try:
        head = _HEAD.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        return Asked(model=route.model or "", broken=f"We could not parse the JSON body of your request: {exc}")
    model = route.model if route.model is not None else head.model
    stream = route.stream if route.stream is not None else head.stream
    name = route.wire.name if route.wire is not None else ""
    if stream is None:
        stream = name == "ollama"  # there a stream is what you get unless you say no
    options = head.stream_options
    return Asked(
        model=model if isinstance(model, str) else "",
        stream=bool(stream),
        usage=name != "openai-chat" or (isinstance(options, dict) and bool(options.get("include_usage"))),
        sealed=name != "openai-responses" or (isinstance(head.include, list) and _SEALED in head.include),
    )
