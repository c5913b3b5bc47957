"""Events and commands as JSON lines: what `stream-json` prints and reads.

The log leaves out what has its default; the outside is promised some of those keys, so they are put back here.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec

from protea.domain.commands import AnyCommand
from protea.domain.errors import Failure, UsageError
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    MessageCompleted,
    Passing,
    RetryScheduled,
    ToolCallChanged,
    TurnFinished,
    UnknownEvent,
)

_encode = msgspec.json.Encoder().encode

_SEPARATORS = tuple((chr(code).encode(), b"\\u%04x" % code) for code in (0x85, 0x2028, 0x2029))


def event_line(event: AnyEvent) -> bytes:
    """One event as one line, newline included."""
    if isinstance(event, Passing) and not isinstance(event, RetryScheduled):
        return json_line(event)
    return json_line(event_object(event))


def event_object(event: AnyEvent) -> dict[str, Any]:
    """One event as the JSON object that INTERFACE promises."""
    if isinstance(event, UnknownEvent):
        head = {"type": event.name, "session": event.session, "seq": event.seq, "at": event.at}
        return {**head, **event.data}
    made: dict[str, Any] = msgspec.to_builtins(event)
    match event:
        case MessageCompleted():
            made["role"] = event.role
        case ToolCallChanged(result=result) if result is not None:
            made["result"]["is_error"] = result.is_error
        case ApprovalRequested():
            made["rule"] = event.rule
            made["proposals"] = list(event.proposals)
        case TurnFinished():
            made["turns"] = event.turns
            made["usage"] = msgspec.to_builtins(event.usage)
            made["cost_usd"] = event.cost_usd
            if event.error is not None:
                made["error"] = failure_object(event.error)
        case RetryScheduled():
            made["error"] = failure_object(event.error)
        case _:
            pass
    return made


def failure_object(failure: Failure) -> dict[str, Any]:
    """`{"kind","message","retryable",…}`."""
    made: dict[str, Any] = msgspec.to_builtins(failure)
    made["retryable"] = failure.retryable
    return made


def json_line(value: Any) -> bytes:
    """Any JSON-able value as one line, newline included. Half characters (surrogates) become U+FFFD.

    What many readers take for the end of a line although JSON does not (U+0085, U+2028, U+2029) is escaped.
    """
    try:
        line = _encode(value)
    except UnicodeEncodeError:
        line = _encode(_scrubbed(msgspec.to_builtins(value)))
    if not line.isascii():
        for raw, escaped in _SEPARATORS:
            line = line.replace(raw, escaped)
    return line + b"\n"


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_scrubbed(key): _scrubbed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(item) for item in value]
    return value


@cache
def _commands() -> msgspec.json.Decoder[AnyCommand]:
    return msgspec.json.Decoder(AnyCommand)


def read_command(line: bytes) -> AnyCommand:
    """One line of standard input as a command. Raises `UsageError` with what is wrong with it."""
    try:
        return _commands().decode(line.removeprefix(b"\xef\xbb\xbf"))  # some shells begin a pipe with that mark
    except msgspec.ValidationError as error:
        known = ", ".join(str(each.__struct_config__.tag) for each in get_args(AnyCommand))
        raise UsageError(f"{error}; commands are {known}" if "$.type" in str(error) else str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}") from error
