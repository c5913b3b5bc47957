"""Every fault, on every wire, ends in the error it means."""

from __future__ import annotations

import pytest

from protea.domain.errors import Failure
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.testing.loopback import (
    Cut,
    ErrorInside,
    Fault,
    LoopbackProvider,
    LoopbackReply,
    Malformed,
    MidError,
    Reset,
    Slow,
    Stall,
    Status,
)
from protea.testing.loopback.faults import REASONS, Trouble
from protea.testing.loopback.wires.table import WIRES
from tests.testing.loopback.talking import NAMES, Said, ask, model_of

every_wire = pytest.mark.parametrize("wire", NAMES)
streamed_or_not = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
SAYING = {"text": "one two three four five six", "tool_calls": (ScriptedCall("Read", {"path": "a"}),)}


async def told(wire: str, step: Fault | ScriptedReply, stream: bool = True) -> tuple[Said, LoopbackProvider]:
    async with LoopbackProvider(step) as provider:
        model = model_of(wire, provider)
        said = await ask(model, stream=stream)
        await model.aclose()
    return said, provider


STATUSES = {
    400: ("invalid_request", False),
    401: ("auth", False),
    402: ("billing", False),
    403: ("auth", False),
    404: ("not_found", False),
    408: ("timeout", True),
    409: ("server", True),
    413: ("too_large", False),
    429: ("rate_limit", True),
    500: ("server", True),
    502: ("server", True),
    503: ("overloaded", True),
    529: ("overloaded", True),
}


@every_wire
@pytest.mark.parametrize("status", STATUSES)
@streamed_or_not
async def test_a_status_is_the_failure_it_means(wire: str, status: int, stream: bool) -> None:
    said, provider = await told(wire, Status(status=status), stream)
    assert said.failure is not None
    assert (said.failure.kind, said.failure.retryable) == STATUSES[status]
    assert said.failure.status == status
    assert "sk-this-is-secret" not in said.failure.message
    assert provider.requests[0].status == status


@every_wire
@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [(400, "context_length", "context_length"), (429, "quota", "billing"), (401, "auth", "auth")],
)
async def test_a_reason_beyond_the_status_is_understood(wire: str, status: int, reason: str, kind: str) -> None:
    if wire == "ollama" and reason == "quota":
        kind = "rate_limit"  # there a quota is said as a limit that passes
    said, _ = await told(wire, Status(status=status, reason=reason))
    assert said.failure is not None
    assert said.failure.kind == kind


@every_wire
async def test_waiting_times_are_obeyed(wire: str) -> None:
    for fault, wait, retryable in (
        (Status(status=429, retry_after=2), 2.0, True),
        (Status(status=429, retry_after_ms=1500), 1.5, True),
        (Status(status=503, retry_after=1, headers={"x-note": "kept"}), 1.0, True),
        (Status(status=500, should_retry=False), None, False),
        (Status(status=400, should_retry=True), None, True),
    ):
        said, _ = await told(wire, fault)
        assert said.failure is not None
        assert (said.failure.retry_after, said.failure.retryable) == (wait, retryable)


@every_wire
@streamed_or_not
async def test_a_connection_that_breaks_is_told_from_one_that_never_answered(wire: str, stream: bool) -> None:
    for after, kinds in ((0, {"connection", "truncated"}), (1, {"truncated", "connection"}), (None, {"truncated"})):
        said, provider = await told(wire, LoopbackReply(**SAYING, fault=Reset(after=after)), stream)
        assert said.failure is not None
        assert said.failure.kind in kinds
        assert said.failure.retryable
        assert provider.requests[0].outcome == "broken"


@every_wire
async def test_a_stream_cut_anywhere_before_its_end_mark_is_no_reply(wire: str) -> None:
    async with LoopbackProvider(LoopbackReply(**SAYING)) as provider:
        model = model_of(wire, provider)
        whole = await ask(model)
        assert whole.reply is not None
        await model.aclose()
    for after in (1, 50, 200, 333, 700, None, 1 << 40):
        said, _ = await told(wire, LoopbackReply(**SAYING, fault=Cut(after=after)))
        assert said.failure is not None, after
        assert said.failure.kind in ("truncated", "malformed"), after
        assert said.failure.retryable


@every_wire
async def test_a_body_that_came_cut_is_not_read(wire: str) -> None:
    said, _ = await told(wire, LoopbackReply(**SAYING, fault=Cut()), stream=False)
    assert said.failure is not None
    assert said.failure.kind in ("malformed", "truncated")


@every_wire
@streamed_or_not
@pytest.mark.parametrize("after", [0, 40])
async def test_silence_times_out(wire: str, stream: bool, after: int) -> None:
    async with LoopbackProvider(LoopbackReply(**SAYING, fault=Stall(after=after))) as provider:
        model = model_of(wire, provider, first_byte_timeout=0.3)
        said = await ask(model, stream=stream)
        await model.aclose()
        assert said.failure is not None
        assert said.failure.kind == "timeout"
        await provider.settled()
        assert provider.requests[0].outcome == "left"


@every_wire
@streamed_or_not
async def test_a_late_beginning_is_waited_for(wire: str, stream: bool) -> None:
    for step in (LoopbackReply(**SAYING, fault=Slow(seconds=0.05)), LoopbackReply(**SAYING, delay=0.05)):
        said, provider = await told(wire, step, stream)
        assert said.reply is not None
        assert provider.requests[0].outcome == "answered"


@every_wire
@streamed_or_not
async def test_an_event_that_is_no_json_is_malformed(wire: str, stream: bool) -> None:
    said, _ = await told(wire, LoopbackReply(**SAYING, fault=Malformed()), stream)
    assert said.failure is not None
    assert said.failure.kind == "malformed"


@every_wire
@streamed_or_not
async def test_an_error_under_200_is_an_error(wire: str, stream: bool) -> None:
    said, _ = await told(wire, ErrorInside(reason="rate_limit"), stream)
    assert said.failure is not None
    assert said.failure.kind in ("rate_limit", "server")  # Ollama's is a text without a name
    assert said.failure.retryable


SHAPES = [(wire, shape) for wire in NAMES for shape in WIRES[wire].shapes]


@pytest.mark.parametrize(("wire", "shape"), SHAPES)
@pytest.mark.parametrize("after", [0, 3, None, 1 << 40])
async def test_an_error_in_mid_stream_is_an_error_whatever_came_before(
    wire: str, shape: str, after: int | None
) -> None:
    fault = MidError(shape=shape, after=after, reason="overloaded")
    said, provider = await told(wire, LoopbackReply(**SAYING, fault=fault))
    assert said.failure is not None
    assert said.failure.kind in ("overloaded", "server")
    assert said.failure.retryable
    assert provider.requests[0].status == 200


@every_wire
@pytest.mark.parametrize("reason", ["auth", "rate_limit", "context_length", "server"])
async def test_an_error_in_mid_stream_says_why(wire: str, reason: str) -> None:
    said, _ = await told(wire, LoopbackReply(**SAYING, fault=MidError(reason=reason, message=f"told: {reason}")))
    assert said.failure is not None
    assert f"told: {reason}" in said.failure.message


async def test_a_shape_the_wire_does_not_have_is_a_mistake_of_the_script() -> None:
    said, _ = await told("anthropic", LoopbackReply(**SAYING, fault=MidError(shape="groq")))
    assert said.failure is not None
    assert "has no mid-stream error 'groq'; it has event" in said.failure.message


@every_wire
async def test_a_fault_passes_and_the_next_request_is_answered(wire: str) -> None:
    faults = [Status(status=429), MidError(), Reset(), Reset(after=0), Cut(), Malformed(), ErrorInside()]
    async with LoopbackProvider([*faults, "Back again."]) as provider:
        model = model_of(wire, provider)
        failed = [(await ask(model)).failure for _ in faults]
        assert all(failed)
        assert (await ask(model)).reply is not None
        await model.aclose()


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure("rate_limit", "slow down", status=429, retryable=True, retry_after=3.0), "rate_limit"),
        (Failure("overloaded", "busy", retryable=True), "overloaded"),
        (Failure("auth", "no key", status=401), "auth"),
        (Failure("connection", "gone", retryable=True), "connection"),
        (Failure("truncated", "cut", retryable=True), "truncated"),
        (Failure("malformed", "noise", retryable=True), "malformed"),
        (Failure("billing", "pay", status=429), "billing"),
    ],
)
@pytest.mark.parametrize("text", ["", "Something said before it breaks."])
async def test_an_error_of_a_scripted_reply_is_said_as_the_wire_would(failure: Failure, kind: str, text: str) -> None:
    said, _ = await told("openai-chat", ScriptedReply(text=text, error=failure))
    assert said.failure is not None
    wanted = {kind, "truncated"} if kind == "connection" else {kind}
    assert said.failure.kind in wanted


def test_every_reason_has_words_on_every_wire() -> None:
    for wire in WIRES.values():
        for reason, status in REASONS.items():
            assert wire.failing(Trouble(status=status, reason=reason, model="m")).body
