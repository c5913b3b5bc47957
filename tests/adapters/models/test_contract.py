"""The adapters through the contract suite of the port, and the faults no recording shows, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.messages import Text, UserMessage
from protea.domain.reply import ModelRequest, TextPiece
from protea.ports.model import Model
from protea.testing.contracts.model import ModelContract, question
from tests.adapters.http.loopback import Answer, Asked, Server, Writer, reply, saying, serving
from tests.adapters.models.recordings import ask, surroundings

Wire = tuple[Any, list[dict[str, Any]], dict[str, Any], bytes]


def _response(status: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": "Orion.", "annotations": []}]
    item = {"type": "message", "role": "assistant", "content": content}
    return {"status": status, "output": [item], "usage": {"input_tokens": 3, "output_tokens": 2}}


WIRES: dict[str, Wire] = {
    "anthropic": (
        anthropic,
        [
            {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 3}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Ori"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "on."}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        ],
        {"type": "message", "content": [{"type": "text", "text": "Orion."}], "stop_reason": "end_turn"},
        b"",
    ),
    "chat": (
        openai_chat,
        [
            {"choices": [{"index": 0, "delta": {"content": "Ori"}}]},
            {"choices": [{"index": 0, "delta": {"content": "on."}}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        ],
        {"choices": [{"index": 0, "message": {"content": "Orion."}, "finish_reason": "stop"}]},
        b"data: [DONE]\n\n",
    ),
    "responses": (
        openai_responses,
        [
            {"type": "response.output_text.delta", "output_index": 0, "delta": "Ori"},
            {"type": "response.output_text.delta", "output_index": 0, "delta": "on."},
            {"type": "response.completed", "response": _response("completed")},
        ],
        _response("completed"),
        b"",
    ),
    "gemini": (
        gemini,
        [
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "Ori"}]}, "index": 0}]},
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "on."}]}, "index": 0}]},
            {"candidates": [{"finishReason": "STOP", "index": 0}], "usageMetadata": {"promptTokenCount": 3}},
        ],
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Orion."}]}, "finishReason": "STOP"}]},
        b"",
    ),
    "ollama": (
        ollama,
        [
            {"message": {"role": "assistant", "content": "Ori"}, "done": False},
            {"message": {"role": "assistant", "content": "on."}, "done": False},
            {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "eval_count": 2},
        ],
        {"message": {"role": "assistant", "content": "Orion."}, "done": True, "done_reason": "stop"},
        b"",
    ),
}
EVENT_WIRES = {name: wire for name, wire in WIRES.items() if name != "ollama"}


def framed(wire: Wire, events: list[dict[str, Any]], trailer: bytes = b"") -> bytes:
    """`events` as the wire frames them: JSON lines at Ollama, else an event stream."""
    lead, end = (b"", b"\n") if wire[0] is ollama else (b"data: ", b"\n\n")
    return b"".join(lead + json.dumps(event).encode() + end for event in events) + trailer


def answering(wire: Wire, *, events: int | None = None) -> Answer:
    _, stream, whole, trailer = wire

    async def answer(asked: Asked, writer: Writer) -> None:
        # Gemini says it in the address.
        if json.loads(asked.body).get("stream") or "stream" in asked.target:
            writer.write(reply(framed(wire, stream[:events], trailer if events is None else b""), "200 OK"))
        else:
            writer.write(reply(json.dumps(whole).encode()))
        await writer.drain()

    return answer


def model(wire: Wire, url: str, **more: Any) -> Any:
    module = wire[0]
    return module.create(module.Options(model="m", base_url=url, key="secret-key", **more), surroundings=surroundings())


class WireContract(ModelContract):
    wire: Wire

    @pytest.fixture(autouse=True)
    async def servers(self) -> Any:
        async with contextlib.AsyncExitStack() as stack:
            self.good: Server = await stack.enter_async_context(serving(answering(self.wire)))
            self.bad: Server = await stack.enter_async_context(serving(answering(self.wire, events=2)))
            yield

    async def model(self) -> Model:
        made: Model = model(self.wire, self.good.url)
        return made

    def requests(self) -> int:
        return len(self.good.asked)

    async def broken_model(self) -> Model:
        made: Model = model(self.wire, self.bad.url)
        return made


class TestAnthropic(WireContract):
    wire = WIRES["anthropic"]


class TestChat(WireContract):
    wire = WIRES["chat"]


class TestResponses(WireContract):
    wire = WIRES["responses"]


class TestGemini(WireContract):
    wire = WIRES["gemini"]


class TestOllama(WireContract):
    wire = WIRES["ollama"]


every_wire = pytest.mark.parametrize("wire", WIRES.values(), ids=list(WIRES))


@every_wire
async def test_turns_share_a_connection(wire: Wire) -> None:
    async with serving(answering(wire)) as server:
        asking = model(wire, server.url)
        for _ in range(4):
            assert (await ask(asking, question())).reply is not None
        assert server.connections == 1
        await asking.aclose()


@every_wire
async def test_cancelling_ends_the_request_at_once(wire: Wire) -> None:
    gone = asyncio.Event()

    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + framed(wire, wire[1][:-2]))
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(0.005)
                writer.write(b"\n" if wire[0] is ollama else b": ping\n\n")
                await writer.drain()
        gone.set()

    async with serving(answer) as server:
        asking, seen = model(wire, server.url), asyncio.Event()

        async def run() -> None:
            async for piece in asking.stream(question()):
                if isinstance(piece, TextPiece):
                    seen.set()

        task = asyncio.create_task(run())
        async with asyncio.timeout(5):
            await seen.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await gone.wait()
        await asking.aclose()


@pytest.mark.parametrize("wire", EVENT_WIRES.values(), ids=list(EVENT_WIRES))
@pytest.mark.parametrize(
    ("data", "kind", "retryable"),
    [
        (b"<html><title>Sign in</title></html>", "malformed", False),
        (b"", "truncated", True),
        (b"\n\n  \n", "truncated", True),
        (b"data: {not json}\n\n", "malformed", True),
        (b"data: [1, 2]\n\n", "malformed", True),
        (b": only comments\n\n", "truncated", True),
        (b"data: [DONE]\n\n", "truncated", True),
        (b'{"error": {"message": "no", "type": "overloaded_error"}}', "overloaded", True),
        (b'{"error": "no"}', "server", True),
        (b'[{"error": {"code": 503, "message": "no"}}]', "overloaded", True),
        (b'{"message": "half of a', "malformed", True),
        (b'{"surprise": true}', "malformed", False),
        (b'data: {"error": {"message": "no", "code": 401}}\n\n', "auth", False),
        (b'event: error\ndata: {"error": {"message": "no", "type": "server_error"}}\n\n', "server", True),
        (b': x\n\n{"error": {"message": "no", "code": 503}}\n', "overloaded", True),
    ],
)
async def test_what_is_no_reply_under_200_is_an_error(wire: Wire, data: bytes, kind: str, retryable: bool) -> None:
    await check_failure(wire, data, kind, retryable)


@pytest.mark.parametrize(
    ("data", "kind", "retryable"),
    [
        (b"<html><title>Sign in</title></html>", "malformed", False),
        (b"", "truncated", True),
        (b"\n\n  \n", "truncated", True),
        (b"not json\n", "malformed", True),
        (b"[1, 2]\n", "malformed", True),
        (b'"text"\n', "malformed", True),
        (b'{"error": {"message": "no", "type": "overloaded_error"}}', "overloaded", True),
        (b'{"error": "no"}', "server", True),
        (b'{"error": "unauthorized"}\n', "auth", False),
        (b'[{"error": {"code": 503, "message": "no"}}]', "overloaded", True),
        (b'{"message": "half of a', "truncated", True),
        (b'{"message": "text"}\n', "malformed", True),
        (b'{"surprise": true}\n', "truncated", True),
    ],
)
async def test_what_is_no_line_of_a_reply_is_an_error(data: bytes, kind: str, retryable: bool) -> None:
    await check_failure(WIRES["ollama"], data, kind, retryable)


async def check_failure(wire: Wire, data: bytes, kind: str, retryable: bool) -> None:
    async with serving(saying(reply(data))) as server:
        asking = model(wire, server.url)
        seen = await ask(asking, question())
        assert seen.error is not None
        assert (seen.error.failure.kind, seen.error.failure.retryable) == (kind, retryable)
        await asking.aclose()


@every_wire
async def test_a_stall_a_slow_start_and_a_refusal_are_told_apart(wire: Wire) -> None:
    async def answer(asked: Asked, writer: Writer) -> None:
        if "stall" in asked.target:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + framed(wire, wire[1][:2]))
        await asyncio.sleep(30)

    async with serving(answer) as server:
        stalled = await ask(model(wire, server.url + "/stall", idle_timeout=0.1), question())
        slow = await ask(model(wire, server.url + "/slow", first_byte_timeout=0.1), question())
    nobody = await ask(model(wire, server.url), question())
    kinds = [(s.error.failure.kind, s.error.failure.retryable) for s in (stalled, slow, nobody) if s.error]
    assert kinds == [("timeout", True), ("timeout", True), ("connection", True)]


@every_wire
async def test_a_stream_asked_for_whole_and_a_whole_reply_asked_as_a_stream_are_both_read(wire: Wire) -> None:
    _, stream, whole, trailer = wire
    for data, streamed in ((framed(wire, stream, trailer), False), (json.dumps(whole).encode(), True)):
        async with serving(saying(reply(b"\n \n" * 40 + data))) as server:
            asking = model(wire, server.url)
            seen = await ask(asking, question(stream=streamed))
            assert seen.reply is not None
            assert seen.reply.content == (Text("Orion."),)
            await asking.aclose()


@every_wire
async def test_the_key_goes_into_its_header_and_into_no_error(wire: Wire) -> None:
    body = json.dumps({"error": {"message": "Incorrect API key provided: secret-key"}}).encode()
    async with serving(saying(reply(body, "401 Unauthorized"))) as server:
        asking = model(wire, server.url, headers={"X-Team": "a", "user-agent": "mine"})
        seen = await ask(asking, question())
        assert seen.error is not None
        assert seen.error.failure.kind == "auth"
        assert "secret-key" not in str(seen.error)
        headers = server.asked[0].headers
        places = ("x-api-key", "x-goog-api-key", "authorization")
        assert [headers[name].removeprefix("Bearer ") for name in places if name in headers] == ["secret-key"]
        assert (headers["x-team"], headers["user-agent"]) == ("a", "mine")
        await asking.aclose()


@every_wire
async def test_halves_of_characters_in_a_reply_do_not_stop_it(wire: Wire) -> None:
    _, stream, _, trailer = wire
    data = framed(wire, stream, trailer).replace(b"Ori", b"\\ud83d\xff").replace(b"on.", b"end")
    async with serving(saying(reply(data))) as server:
        asking = model(wire, server.url)
        seen = await ask(asking, ModelRequest((UserMessage((Text("?"),)),)))
        assert seen.reply is not None
        assert "end" in seen.text or "end" in str(seen.reply.content)
        seen.text.encode()
        await asking.aclose()
