"""One event ↔ one line of JSON, for the log on disk and whatever else keeps events.

A line is `{"type":…,"session":…,"seq":…,"at":…,…}`. The same event always gives the same bytes. What this version
cannot read (a type it has no word for, a shape it does not expect) becomes `UnknownEvent` and is written back as it
was. Fields a newer version added to a known event are passed over.

Called by the stores; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, reduce
from operator import or_
from typing import Any, cast, get_args

import msgspec

from protea.domain.events import LastingEvent, UnknownEvent

RENAMED: dict[str, str] = {}
"""Type as an older version wrote it → type now. A row is never removed: old logs always load."""

_ENVELOPE = ("session", "seq", "at", "identity")


class Header(msgspec.Struct, frozen=True, gc=False):
    """The least that makes a line an event."""

    type: str
    seq: int


_encoder = msgspec.json.Encoder()
_headers = msgspec.json.Decoder(Header)


@cache
def _decoder() -> msgspec.json.Decoder[LastingEvent]:
    """Made when a log is read: a new session's is only written."""
    return msgspec.json.Decoder(_known())


@cache
def _known() -> Any:
    # `UnknownEvent` is left out: a line is never of that type, it becomes one.
    return reduce(or_, (event for event in get_args(LastingEvent) if event is not UnknownEvent))


def encode(event: LastingEvent) -> bytes:
    """The line of an event, without the line's end."""
    return to_json(_plain(event) if isinstance(event, UnknownEvent) else event)


def encode_lines(events: Iterable[LastingEvent]) -> bytes:
    """The lines of events, each with its end."""
    return b"".join(encode(event) + b"\n" for event in events)


def to_json(value: Any) -> bytes:
    """JSON of any value, also where its text is not quite Unicode."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        # Half a surrogate pair (an argument that was not UTF-8, a cut emoji) has no place in UTF-8.
        return _encoder.encode(_whole(msgspec.to_builtins(value)))


def decode(line: bytes, renamed: Mapping[str, str] = RENAMED) -> LastingEvent:
    """The event of a line. Raises `ValueError` where the line is damaged: not JSON, or not an event."""
    try:
        event = _decoder().decode(line)
        if not line.isascii():
            str(line, "utf-8")  # keys nobody knows are passed over unread
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A `ValidationError` (well-formed, but not what we expect) is a DecodeError too: what it is shows below.
        return _unexpected(line, renamed)
    if event.seq is None or event.seq < 1:
        raise ValueError("not an event")
    return event


def decode_header(line: bytes) -> Header | None:
    """What makes the line an event, or None where it is damaged. Much cheaper than `decode`."""
    try:
        header = _headers.decode(line)
        if not line.isascii():
            str(line, "utf-8")  # the fields that were passed over, too
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return header if header.seq > 0 else None


def follow(lines: bytes, last: int) -> int | None:
    """The seq of the last of whole `lines` if each is an event and they follow `last` without a gap, else None."""
    try:
        headers = _headers.decode_lines(lines)
        if not lines.isascii():
            str(lines, "utf-8")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # Fewer or more documents than lines: blank lines, or an object broken over several.
    if len(headers) != lines.count(b"\n"):
        return None
    end = last + len(headers)
    return end if [header.seq for header in headers] == [*range(last + 1, end + 1)] else None


def _unexpected(line: bytes, renamed: Mapping[str, str]) -> LastingEvent:
    header = decode_header(line)
    if header is None:
        raise ValueError("not an event")
    try:
        data: dict[str, Any] = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        import json  # reads numbers that msgspec finds too big; only for lines we never wrote

        data = json.loads(line)
    if header.type in renamed:
        try:
            return cast("LastingEvent", msgspec.convert({**data, "type": renamed[header.type]}, _known()))
        except msgspec.ValidationError:
            pass
    del data["type"]
    kinds = {"session": str, "seq": int, "at": str, "identity": str}
    envelope = {name: data.pop(name) for name in _ENVELOPE if isinstance(data.get(name), kinds[name])}
    return UnknownEvent(name=header.type, data=data, **envelope)


def _plain(event: UnknownEvent) -> dict[str, Any]:
    """An unknown event as it was written."""
    own = {"session": event.session, "seq": event.seq, "at": event.at, "identity": event.identity}
    return {"type": event.name, **{name: value for name, value in own.items() if value}, **event.data}


def _whole(value: Any) -> Any:
    """`value` with halves of surrogate pairs joined, or replaced by U+FFFD where the other half is missing."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value
