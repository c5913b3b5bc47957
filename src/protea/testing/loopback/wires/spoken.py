"""A reply on its way to a wire: everything decided but the words of the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from protea.domain.reply import Stop
from protea.domain.script import ScriptedReply, call_id, cut, spoken, stop_of, usage_of
from protea.domain.usage import Usage
from protea.testing.loopback.faults import Trouble

encode = msgspec.json.encode
CREATED = 1_735_689_600
"""The moment every reply says it was made (2025-01-01): the same script gives the same bytes."""


class SpokenCall(msgspec.Struct, frozen=True):
    id: str
    name: str
    text: str
    """The arguments as the model wrote them."""
    arguments: dict[str, object] | None
    """None where they are no JSON object."""
    signature: str | None = None
    given: bool = True
    """Whether the script gives the id; else it was made up."""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    """Which reply of the server this is, counted from 0; the ids in it are made of this."""
    model: str
    thinking: tuple[str, ...] = ()
    """In pieces, as they are streamed."""
    signature: str | None = None
    text: tuple[str, ...] = ()
    calls: tuple[SpokenCall, ...] = ()
    stop: Stop = "end_turn"
    usage: Usage = Usage()
    usage_asked: bool = True
    """Chat Completions: whether `stream_options.include_usage` was sent."""
    sealed: bool = True
    """Responses: whether encrypted reasoning was asked for."""
    events: bool = True
    """Gemini: whether `alt=sse` was sent."""


def spoken_of(reply: ScriptedReply, number: int, model: str) -> Spoken:
    return Spoken(
        number=number,
        model=model,
        thinking=tuple(cut(reply.thinking, reply.pieces)),
        signature=reply.signature,
        text=tuple(cut(spoken(reply), reply.pieces)),
        calls=tuple(
            SpokenCall(
                call.id or call_id(number, place),
                call.name,
                call.arguments_text if call.arguments_text is not None else encode(call.arguments).decode(),
                None if call.arguments_text is not None else call.arguments,
                call.signature,
                call.id is not None,
            )
            for place, call in enumerate(reply.tool_calls)
        ),
        stop=stop_of(reply),
        usage=usage_of(reply),
    )


class Failing(msgspec.Struct, frozen=True):
    """An error as an HTTP answer."""

    body: bytes
    headers: dict[str, str] = {}
    media_type: str = "application/json"


class Stream(msgspec.Struct, frozen=True):
    said: list[bytes]
    """Events, framed."""
    end: list[bytes]
    """The end mark and what belongs to it; without it no reply is complete."""


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    base: str
    """Path of the address a client is given."""
    stream_type: str
    """Content-Type of a stream."""
    stream: Callable[[Spoken], Stream]
    whole: Callable[[Spoken], bytes]
    failing: Callable[[Trouble], Failing]
    shapes: Mapping[str, Callable[[Trouble], bytes]]
    """Errors in mid-stream, the most usual first."""
    headers: Callable[[str], dict[str, str]]
    """Headers of every answer, of the request's id."""
    key_headers: tuple[str, ...]
    """Where a key may be; none where the wire has none."""
    request_id: str
    """How its ids begin."""
    bound: Callable[[Spoken], tuple[str, str] | None] = lambda spoken: None
    """Responses: the id of an item, and that of the reasoning it must come back behind."""


HTML = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def page() -> Failing:
    """What a proxy says in the provider's place."""
    return Failing(HTML, media_type="text/html")


def chunks(text: str, size: int = 24) -> list[str]:
    """`text` in pieces of `size` characters, as arguments are streamed."""
    return [text[at : at + size] for at in range(0, len(text), size)]
