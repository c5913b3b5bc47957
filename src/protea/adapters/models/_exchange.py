"""One request and its answer, the same way for every wire: send, tell failures from replies, read, yield.

An adapter builds an `Ask` and an `Assembly` (which knows its wire) and hands both to `exchange`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import cache
from typing import Protocol

import msgspec

from protea.adapters.http.client import Client, Response
from protea.adapters.http.errors import HttpError
from protea.adapters.models import _failures
from protea.adapters.models._sse import EventReader, JsonLineReader, LineTooLong
from protea.domain.errors import ModelError
from protea.domain.messages import Content, ToolCall
from protea.domain.reply import Reply, ReplyPiece, TextPiece, ThinkingPiece, UsageSeen
from protea.domain.usage import Usage

_log = logging.getLogger("protea.providers")

MAX_REPLY = 256 * 1024 * 1024
"""Bytes of a reply, whole or as a stream."""
MAX_BLANK = 1024 * 1024
"""Bytes of blanks before a reply begins."""
_MARK = b"\xef\xbb\xbf"
"""What some servers put before UTF-8, to say that it is."""
_TRAILER_PATIENCE = 5.0
"""Seconds to wait for what may follow the end mark (usage, `[DONE]`), where a wire has such."""


_NOT_THIS_WIRE = (msgspec.MsgspecError, ValueError, TypeError, AttributeError, LookupError)
"""What an assembly meets in JSON of another shape than its wire has: a text where an object should be, and so on."""


class Ask(msgspec.Struct, frozen=True):
    provider: str
    url: str
    headers: dict[str, str]
    body: bytes
    stream: bool
    secret: str | None = None
    """The key, so that no message repeats it."""


class Assembly(Protocol):
    """What a wire's answer is put together in. One per request."""

    ended: bool
    """The wire's end mark was seen: `reply` may be called."""
    over: bool
    """Nothing more is of use; the rest of the stream is not waited for."""

    def feed(self, data: bytes) -> None:
        """Take one event. Raises ModelError for an error in it, or whatever it trips over in what is not this wire."""
        ...

    def whole(self, body: bytes) -> None:
        """Take a reply that was not streamed. Raises as `feed` does."""
        ...

    def take(self) -> list[ReplyPiece]:
        """The pieces since the last call, neighbours of one kind joined."""
        ...

    def reply(self) -> Reply: ...


async def exchange(
    client: Client, ask: Ask, assembly: Assembly, reader: EventReader | JsonLineReader
) -> AsyncGenerator[ReplyPiece]:
    """Send `ask`, feed `assembly`, yield its pieces and at last its reply. Raises ModelError and nothing else."""
    _log.debug("%s: POST %s, %d bytes", ask.provider, ask.url, len(ask.body))
    try:
        response = await client.request(
            "POST",
            ask.url,
            headers=ask.headers,
            body=ask.body,
        )
    except HttpError as exc:
        raise _failures.of_transport(exc, provider=ask.provider) from exc
    async with response:
        _log.info("%s: %d from %s", ask.provider, response.status, ask.url)
        if not 200 <= response.status < 300:
            body = await response.read_start(_failures.MAX_BODY)
            raise _failures.of_status(response.status, response.headers, body, provider=ask.provider, secret=ask.secret)
        try:
            async with aclosing(_read(response, ask, assembly, reader)) as pieces:
                async for piece in pieces:
                    yield piece
        except HttpError as exc:
            raise _failures.of_transport(exc, provider=ask.provider) from exc


async def _read(
    response: Response, ask: Ask, assembly: Assembly, reader: EventReader | JsonLineReader
) -> AsyncGenerator[ReplyPiece]:
    # What came is told by how it begins, not by what was asked or what the header says: servers answer a stream with
    # one JSON body (often an error), stream where nobody asked, and proxies put their web page before either.
    start = await _beginning(response, ask)
    lead = start.lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
    if lead == b"<":
        page = start + await response.read_start(_failures.MAX_BODY)
        raise _failures.page_instead_of_reply(ask.provider, page)
    if lead in (b"{", b"[") and isinstance(reader, EventReader):
        body = start + await response.read(MAX_REPLY)
        yield _whole(body.lstrip().removeprefix(_MARK), response.headers, ask, assembly)
        return
    block, patience, size = start, None, 0
    while True:
        size += len(block)
        if size > MAX_REPLY:
            raise _failures.malformed(ask.provider, "the stream does not end", retryable=False)
        failed = _fed(block, response, ask, assembly, reader)
        for piece in assembly.take():
            yield piece
        if failed is not None:
            raise _failures.with_exchange(failed, response.headers, ask.secret)
        if assembly.over:
            response.release()
            break
        if not block:
            break
        if assembly.ended:
            patience = _TRAILER_PATIENCE
        try:
            block = await response.read_block(patience)
        except HttpError:
            if assembly.ended:  # the reply had come to its end; only its trailer is lost
                break
            raise
    if not assembly.ended:
        raise _broken_off(response, ask, reader)
    yield _reply(ask, assembly)


async def _beginning(response: Response, ask: Ask) -> bytes:
    """As much as tells what came."""
    start = await response.read_block()
    while start and (start.isspace() or len(start) < 3):
        more = await response.read_block()
        if not more:
            break
        start += more
        if len(start) > MAX_BLANK:
            raise _failures.malformed(ask.provider, "nothing but blanks came instead of a reply", retryable=False)
    return start


def _fed(
    block: bytes, response: Response, ask: Ask, assembly: Assembly, reader: EventReader | JsonLineReader
) -> ModelError | None:
    """Hand on what a block holds; an empty one is the end. The failure that the stream itself tells of, if it does:
    what came before it is still to be given out. Raises `ModelError` for what cannot be read."""
    data = b""
    try:
        for data in reader.feed(block) if block else reader.finish():
            assembly.feed(data)
    except ModelError as exc:
        return exc
    except LineTooLong as exc:
        raise _failures.malformed(ask.provider, f"the stream holds {exc}", retryable=False) from exc
    except _NOT_THIS_WIRE as exc:
        if not block:  # an event without its end, at the end
            raise _failures.truncated(ask.provider, response.headers.get("request-id")) from exc
        what = f"an event of the stream cannot be read ({exc}): {data[:120].decode('utf-8', 'replace')!r}"
        raise _failures.malformed(ask.provider, what) from exc
    return None


def _broken_off(response: Response, ask: Ask, reader: EventReader | JsonLineReader) -> ModelError:
    """Why a stream is over before its end: an error that stands in it as no event, or it was cut."""
    stray = getattr(reader, "stray", b"")
    error = _failures.error_in(stray) if stray else None
    if error is not None:
        return _failures.of_error(error, response.headers, provider=ask.provider, secret=ask.secret)
    return _failures.truncated(ask.provider, response.headers.get("request-id"))


def _whole(body: bytes, headers: Mapping[str, str], ask: Ask, assembly: Assembly) -> Reply:
    error = _failures.error_in(body) if b'"error"' in body else None
    if error is not None:
        raise _failures.of_error(error, headers, provider=ask.provider, secret=ask.secret)
    try:
        assembly.whole(body.strip())
    except _NOT_THIS_WIRE as exc:
        raise _failures.malformed(ask.provider, f"the reply cannot be read ({exc})") from exc
    if not assembly.ended:
        raise _failures.truncated(ask.provider)
    return _reply(ask, assembly)


@cache
def _decoder_of_content() -> msgspec.json.Decoder[tuple[Content, ...]]:
    """Made with the first reply."""
    return msgspec.json.Decoder(tuple[Content, ...])


def _reply(ask: Ask, assembly: Assembly) -> Reply:
    try:
        reply = assembly.reply()
        # Structs do not check what they are made of; a number where a text belongs would be met only in the log.
        _decoder_of_content().decode(msgspec.json.encode(reply.content))
        return reply
    except _NOT_THIS_WIRE as exc:
        raise _failures.malformed(ask.provider, f"the reply cannot be read ({exc})") from exc


class Pieces:
    """What is to be yielded next. Deltas that came together leave together, so a fast stream costs few pieces."""

    def __init__(self) -> None:
        self._done: list[ReplyPiece] = []
        self._texts: list[str] = []
        self._thoughts: list[str] = []

    def text(self, text: str) -> None:
        if self._thoughts:
            self._flush()
        self._texts.append(text)

    def thinking(self, text: str) -> None:
        if self._texts:
            self._flush()
        self._thoughts.append(text)

    def usage(self, usage: Usage) -> None:
        self._flush()
        self._done.append(UsageSeen(usage))

    def _flush(self) -> None:
        if self._texts:
            self._done.append(TextPiece("".join(self._texts)))
            self._texts.clear()
        elif self._thoughts:
            self._done.append(ThinkingPiece("".join(self._thoughts)))
            self._thoughts.clear()

    def take(self) -> list[ReplyPiece]:
        self._flush()
        done, self._done = self._done, []
        return done


def tool_call(call_id: str, name: str, text: str, *, cut: bool = False) -> ToolCall:
    """A call whose arguments came as text. Nothing at all means `{}`, unless the reply was `cut` off there."""
    if not text.strip() and not cut:
        return ToolCall(call_id, name, {})
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError):
        value = None
    if isinstance(value, dict):
        return ToolCall(call_id, name, value)
    return ToolCall(call_id, name, arguments_text=text)
