"""Answers as bytes, whole or in the pieces a fault, a chunk size or a pace wants them in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from protea.testing.loopback import _http
from protea.testing.loopback._http import LAST_CHUNK, Connection
from protea.testing.loopback.faults import (
    REASONS,
    Cut,
    ErrorInside,
    Fault,
    Malformed,
    MidError,
    Reset,
    Slow,
    Stall,
    Status,
    Trouble,
)
from protea.testing.loopback.script import LoopbackReply
from protea.testing.loopback.wires.spoken import Spoken, Wire


class Answer(msgspec.Struct, frozen=True):
    headers: dict[str, str]
    said: list[bytes]
    """Events; of a unary reply the whole body is one."""
    end: list[bytes]
    """The end mark and what belongs to it."""
    streamed: bool
    model: str
    request_id: str


def answer(wire: Wire, spoken: Spoken, streamed: bool, request_id: str) -> Answer:
    """Raises ValueError where the wire cannot say it."""
    own = wire.headers(request_id)
    if not streamed:
        body = wire.whole(spoken)
        return Answer({"content-type": "application/json"} | own, [body], [], False, spoken.model, request_id)
    stream = wire.stream(spoken)
    media_type = wire.stream_type if spoken.events else "application/json"
    headers = {"content-type": media_type, "cache-control": "no-cache", "transfer-encoding": "chunked"} | own
    return Answer(headers, stream.said, stream.end, True, spoken.model, request_id)


def ready(answer: Answer) -> bytes:
    """All of it in one: head, a chunk per event, end."""
    if not answer.streamed:
        return _http.whole(200, answer.headers, answer.said[0])
    events = [b"%x\r\n%b\r\n" % (len(event), event) for event in answer.said]
    events += [b"%x\r\n%b\r\n" % (len(event), event) for event in answer.end]
    return b"".join([_http.head(200, answer.headers), *events, LAST_CHUNK])


def error_answer(wire: Wire, trouble: Trouble, fault: Status | None = None) -> bytes:
    failing = wire.failing(trouble)
    headers = {"content-type": failing.media_type} | wire.headers(trouble.request_id) | failing.headers
    if fault is not None:
        if fault.retry_after is not None and wire.name != "gemini":  # there it stands in the body
            headers["retry-after"] = f"{fault.retry_after:g}"
        if fault.retry_after_ms is not None:
            headers["retry-after-ms"] = f"{fault.retry_after_ms:g}"
        if fault.should_retry is not None:
            headers["x-should-retry"] = "true" if fault.should_retry else "false"
        headers |= fault.headers
    return _http.whole(trouble.status, headers, failing.body)


Outcome = Literal["answered", "broken", "left"]


async def write(connection: Connection, answer: Answer, reply: LoopbackReply) -> Outcome:
    """Send `answer`, a fault's events in it already, as `reply` says, and tell how it ended."""
    fault = reply.fault
    if isinstance(fault, Reset) and fault.after == 0:
        connection.reset()
        return "broken"
    if isinstance(fault, Stall) and fault.after == 0:
        await connection.gone.wait()
        return "left"
    pieces = [*answer.said, *answer.end]
    total = sum(map(len, pieces))
    limit = total
    if isinstance(fault, Reset | Stall | Cut):
        limit = total // 2 if fault.after is None else min(fault.after, sum(map(len, answer.said)))
    headers = answer.headers
    if not answer.streamed:
        # HTTP says that a body which was cut is whole; one that breaks or stalls was to be longer.
        headers = headers | {"content-length": str(limit if isinstance(fault, Cut) else total)}
    connection.write(_http.head(200, headers))
    if isinstance(fault, Slow) and await pause(connection, fault.seconds):
        return "left"
    for n, piece in enumerate(_sized(pieces, limit, reply.chunk)):
        if n and (reply.pace or reply.chunk) and await pause(connection, reply.pace):
            return "left"
        connection.write(_http.chunk(piece) if answer.streamed else piece)
        if connection.gone.is_set():
            return "left"
    if isinstance(fault, Stall):
        await connection.gone.wait()
        return "left"
    if isinstance(fault, Reset):
        await sent(connection)
        connection.reset()
        return "broken"
    if answer.streamed:
        connection.write(LAST_CHUNK)
    if await sent(connection):
        return "left"
    return "answered" if fault is None or isinstance(fault, Slow) else "broken"


def faulty(answer: Answer, fault: Fault | None, wire: Wire) -> Answer:
    """`answer` with the events of a fault that is in them. Raises ValueError for a shape the wire does not have."""
    said, end = answer.said, answer.end
    match fault:
        case ErrorInside(reason=reason, message=message):
            return replace(answer, said=[_error_body(answer, wire, reason, message)], end=[])
        case MidError(after=after, reason=reason, message=message, shape=shape):
            if not answer.streamed:
                return replace(answer, said=[_error_body(answer, wire, reason, message)])
            shape = shape or next(iter(wire.shapes))
            if shape not in wire.shapes:
                raise ValueError(f"{wire.name} has no mid-stream error {shape!r}; it has {', '.join(wire.shapes)}")
            error = wire.shapes[shape](_trouble(answer, reason, message))
            return replace(answer, said=[*said[: _at(after, said)], error], end=[])
        case Malformed(after=after):
            events = [*said, *end]
            at = min(_at(after, said), len(events) - 1) if answer.streamed else 0
            return replace(answer, said=[*events[:at], broken(events[at]), *events[at + 1 :]], end=[])
    return answer


def _at(after: int | None, said: list[bytes]) -> int:
    return max(1, len(said) // 2) if after is None else min(after, len(said))


def _trouble(answer: Answer, reason: str, message: str | None) -> Trouble:
    status = REASONS.get(reason, 500)
    return Trouble(
        status=status,
        reason=reason if reason in REASONS else "server",
        model=answer.model,
        request_id=answer.request_id,
        message=message,
    )


def _error_body(answer: Answer, wire: Wire, reason: str, message: str | None) -> bytes:
    return wire.failing(_trouble(answer, reason, message)).body


def broken(event: bytes) -> bytes:
    """`event` with its JSON cut off, its framing whole."""
    text = event.rstrip()
    start = max(text.find(b"{"), 0)
    return text[: start + max(1, (len(text) - start) * 2 // 3)].rstrip() + event[len(text) :].lstrip(b" ")


def _sized(pieces: list[bytes], limit: int, size: int | None) -> Iterator[bytes]:
    """`pieces` as far as byte `limit`: as they are, or joined and cut anew to `size`."""
    if size is not None:
        body = b"".join(pieces)[:limit]
        for at in range(0, len(body), max(1, size)):
            yield body[at : at + max(1, size)]
        return
    for piece in pieces:
        if limit <= 0:
            return
        yield piece[:limit]
        limit -= len(piece)


async def pause(connection: Connection, seconds: float) -> bool:
    """Wait; True at once when the client leaves meanwhile."""
    if connection.gone.is_set():
        return True
    if seconds <= 0:
        await asyncio.sleep(0)
        return connection.gone.is_set()
    try:
        async with asyncio.timeout(seconds):
            await connection.gone.wait()
    except TimeoutError:
        return False
    return True


async def sent(connection: Connection) -> bool:
    """Wait until all is with the operating system; True when the client left before."""
    done = asyncio.Event()
    connection.when_sent(done.set)
    await done.wait()
    return connection.gone.is_set()
