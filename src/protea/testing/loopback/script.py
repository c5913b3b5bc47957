"""What the loopback provider is told to say: replies, faults, functions of the request, or a file of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from protea.domain.errors import Failure
from protea.domain.script import Script, ScriptedCall, ScriptedReply
from protea.testing.loopback.faults import REASONS, Cut, Fault, Malformed, MidError, Reset, Status, reason_of

if TYPE_CHECKING:
    from protea.testing.loopback.recording import Recorded


class LoopbackReply(ScriptedReply, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A scripted reply, with what only a wire can do to it."""

    fault: Fault | None = None
    chunk: int | None = None
    """Bytes per write and per HTTP chunk. Left out: one HTTP chunk per event, and as few writes as can be."""
    pace: float = 0.0
    """Seconds between two writes."""


Given = str | ScriptedCall | ScriptedReply | Fault
"""What a request is answered with: a text, a call, a whole reply, or a fault and nothing else."""
Step = Given | Callable[["Recorded"], Given | Awaitable[Given]]
"""… or a function of the request that tells it."""
Told = Step | Sequence[Step] | Script
"""What `LoopbackProvider` takes."""


class Steps(msgspec.Struct, frozen=True):
    """A script in the one form the provider plays."""

    steps: tuple[Step, ...]
    after: str = "repeat"
    """As in `Script`: `repeat`, `cycle` or `fail`."""

    def place(self, number: int) -> int | None:
        """Which step answers request `number`, counted from 0; None where the script is over."""
        count = len(self.steps)
        if number < count or self.after == "cycle":
            return number % count
        return count - 1 if self.after == "repeat" else None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    replies: tuple[str | LoopbackReply, ...]
    after: str = "repeat"


def steps_of(told: Told, after: str | None = None) -> Steps:
    """The script in its one form. Raises ValueError for one without a reply and for an unknown `after`."""
    if isinstance(told, Script):
        steps: tuple[Step, ...] = told.replies
        after = after or told.after
    elif isinstance(told, Sequence) and not isinstance(told, str):
        steps = tuple(told)
    else:
        steps = (told,)
    if not steps:
        raise ValueError("a script has at least one reply")
    if (after or "repeat") not in ("repeat", "cycle", "fail"):
        raise ValueError(f"after is repeat, cycle or fail, not {after!r}")
    return Steps(steps, after or "repeat")


def read(data: bytes) -> Steps:
    """A script's JSON: `{"replies": […], "after": "repeat"}`, or the list of replies alone; a text is a reply.

    Raises msgspec.ValidationError (its message names the place) or msgspec.DecodeError.
    """
    bare = data.lstrip()[:1] == b"["
    file = _File(_DECODE_LIST(data)) if bare else _DECODE_FILE(data)
    return steps_of(file.replies, file.after)


_DECODE_LIST = msgspec.json.Decoder(tuple[str | LoopbackReply, ...]).decode
_DECODE_FILE = msgspec.json.Decoder(_File).decode


def reply_of(given: Given) -> LoopbackReply:
    """Whatever was given, as a reply."""
    if isinstance(given, LoopbackReply):
        reply = given
    elif isinstance(given, str):
        reply = LoopbackReply(text=given)
    elif isinstance(given, ScriptedCall):
        reply = LoopbackReply(tool_calls=(given,))
    elif isinstance(given, ScriptedReply):
        reply = LoopbackReply(**{name: getattr(given, name) for name in given.__struct_fields__})
    else:
        reply = LoopbackReply(fault=given)
    if reply.error is not None and reply.fault is None:
        said = bool(reply.text or reply.words or reply.thinking or reply.tool_calls)
        return msgspec.structs.replace(reply, fault=_fault_of(reply.error, said))
    return reply


_BY_KIND: dict[str, str] = {"timeout": "timeout", "overloaded": "overloaded", "internal": "server", "budget": "billing"}


def _fault_of(failure: Failure, said: bool) -> Fault:
    """A failure in Protea's words as what its wire would do: a status before the first word, a break after it."""
    match failure.kind:
        case "connection" | "tls":
            return Reset(after=None if said else 0)
        case "truncated":
            return Cut(after=END)
        case "malformed":
            return Malformed(after=END)
    reason = _BY_KIND.get(failure.kind, failure.kind)
    if reason == "billing" and failure.status == 429:
        reason = "quota"
    if said:
        return MidError(after=END, reason=reason, message=failure.message)
    status = failure.status or REASONS.get(reason, 500)
    return Status(
        status=status,
        reason=reason if reason in REASONS else reason_of(status),
        message=failure.message,
        retry_after=failure.retry_after,
        should_retry=failure.retryable,
    )


END = 1 << 62
"""As `after` of a fault: behind all that is said, before the end mark."""
