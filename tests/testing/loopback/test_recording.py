"""What was asked is kept, without keys, and whether each request began as the one before can be proved."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest

from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.testing.loopback import LoopbackProvider, LoopbackReply, Recorded, prefix_kept
from tests.testing.loopback.talking import HELLO, NAMES, ask, model_of


def recorded(number: int, body: dict[str, Any]) -> Recorded:
    return Recorded(
        number=number, method="POST", path="/", headers={}, body=msgspec.json.encode(body), at=0.0, connection=1
    )


@pytest.mark.parametrize("name", ["messages", "input", "contents"])
def test_a_prefix_is_kept_when_messages_are_only_added(name: str) -> None:
    one = recorded(0, {"model": "m", name: [{"role": "user", "content": "a"}], "stream": True})
    two = recorded(1, {"model": "m", name: [{"role": "user", "content": "a"}, {"role": "b"}], "stream": False})
    assert prefix_kept([one, two, two])


@pytest.mark.parametrize(
    "body",
    [
        {"model": "n", "messages": [{"role": "user", "content": "a"}, {"role": "b"}]},
        {"model": "m", "messages": [{"role": "user", "content": "A"}, {"role": "b"}]},
        {"model": "m", "messages": [{"role": "b"}]},
        {"model": "m", "tools": [], "messages": [{"role": "user", "content": "a"}]},
        {"model": "m", "messages": [{"role": "user", "content": "a", "name": "x"}]},
    ],
)
def test_a_prefix_that_changed_is_told_with_its_place(body: dict[str, Any]) -> None:
    one = recorded(3, {"model": "m", "messages": [{"role": "user", "content": "a"}]})
    told = prefix_kept([one, recorded(4, body)])
    assert not told
    assert "request 4 leaves request 3 at byte" in told.breaks[0]


def test_marks_of_the_cache_may_move_and_texts_that_look_like_them_may_not() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    one = recorded(0, {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"} | mark]}]})
    two = recorded(1, {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, {"x": 1} | mark]})
    assert prefix_kept([one, two])
    text = msgspec.json.encode(mark).decode()[1:-1]
    three = recorded(2, {"messages": [{"role": "user", "content": f"so {text}"}]})
    four = recorded(3, {"messages": [{"role": "user", "content": "so "}, {"x": 1}]})
    assert not prefix_kept([three, four])


@pytest.mark.parametrize("wire", NAMES)
async def test_a_changed_history_breaks_the_prefix(wire: str) -> None:
    async with LoopbackProvider() as provider:
        model = model_of(wire, provider)
        await ask(model, HELLO)
        said = AssistantMessage((Text("Yes."),))
        await ask(model, UserMessage((Text("Hello!"),)), said, UserMessage((Text("Go on."),)))
        await model.aclose()
    assert not provider.prefix_kept()
    assert provider.prefix_kept(first=1)


@pytest.mark.parametrize("wire", NAMES)
async def test_no_key_is_kept(wire: str) -> None:
    async with LoopbackProvider() as provider:
        model = model_of(wire, provider, headers={"X-Note": "seen"})
        await ask(model)
        await model.aclose()
    request = provider.requests[0]
    assert request.headers["x-note"] == "seen"
    assert "sk-this-is-secret" not in repr(request)
    assert any(value == "[redacted]" for value in request.headers.values())


async def test_a_key_in_the_address_is_not_kept_either() -> None:
    async with LoopbackProvider() as provider:
        reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
        writer.write(b"GET /v1beta/models?key=AIzaSecret&x=1 HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    assert provider.others[0].path == "/v1beta/models?key=[redacted]&x=1"


async def test_a_client_that_leaves_is_noticed() -> None:
    async with LoopbackProvider(LoopbackReply(words=10_000, pace=0.01)) as provider:
        model = model_of("openai-chat", provider)
        asking = asyncio.create_task(ask(model))
        await provider.arrived(1)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await provider.settled()
        await model.aclose()
    assert provider.requests[0].outcome == "left"


async def test_waiting_for_requests_has_an_end() -> None:
    async with LoopbackProvider() as provider:
        with pytest.raises(TimeoutError):
            await provider.arrived(1, within=0.01)
    with LoopbackProvider.in_thread() as threaded, pytest.raises(TimeoutError):
        threaded.wait_for(1, within=0.01)


async def test_requests_may_come_in_pieces_or_many_at_once() -> None:
    one = b'POST /v1/responses HTTP/1.1\r\nContent-Length: 13\r\n\r\n{"model":"m"}'
    two = (
        b'POST /v1/responses HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"mod\r\n8;x=y\r\nel":"m"}\r\n0\r\n\r\n'
    )
    async with LoopbackProvider(["one", LoopbackReply(text="two", delay=0.01), "three"]) as provider:
        reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
        for byte in one + two:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        writer.write(one + two + b"nonsense\r\n\r\n")
        async with asyncio.timeout(10):
            data = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert [data.count(b'"text":"%b"' % text) for text in (b"one", b"two", b"three")] == [1, 1, 2]
    assert data.count(b"HTTP/1.1 400") == 1
    assert [bytes(request.body) for request in provider.requests] == [b'{"model":"m"}'] * 4


async def test_closing_does_not_wait_for_answers_under_way() -> None:
    provider = await LoopbackProvider(LoopbackReply(text="a", delay=60)).start()
    model = model_of("openai-chat", provider)
    asking = asyncio.create_task(ask(model))
    await provider.arrived(1)
    async with asyncio.timeout(5):
        await provider.aclose()
        assert (await asking).failure is not None
    await model.aclose()
