"""The fake model keeps the promises of the port, and can be stopped anywhere."""

from __future__ import annotations

import asyncio

import pytest

from protea.domain.errors import Failure, ModelError
from protea.domain.messages import calls_of, text_of
from protea.domain.reply import ModelRequest, Reply, TextPiece, ThinkingPiece
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.domain.usage import Usage
from protea.ports.model import Model
from protea.testing.contracts.model import ModelContract, question
from protea.testing.model import ScriptedModel


class TestContract(ModelContract):
    async def model(self) -> Model:
        self._model = ScriptedModel(*[ScriptedReply(text="It is blue.", thinking="Sky.")] * 2)
        return self._model

    def requests(self) -> int | None:
        return len(self._model.requests)

    async def broken_model(self) -> Model | None:
        return ScriptedModel(ScriptedReply(text="It is", error=Failure("connection", "gone")))


async def test_text_calls_and_thinking_come_as_written() -> None:
    reply = ScriptedReply(
        text="Look.", thinking="Hm.", tool_calls=(ScriptedCall("Read", {"path": "a"}),), usage=Usage(7, 3)
    )
    *pieces, last = [piece async for piece in ScriptedModel(reply).stream(question())]
    assert isinstance(last, Reply)
    assert [type(piece) for piece in pieces[:2]] == [ThinkingPiece, TextPiece]
    assert text_of(last.content) == "Look."
    assert calls_of(last.content)[0].arguments == {"path": "a"}
    assert (last.stop, last.usage) == ("tool_calls", Usage(7, 3))


async def test_a_step_can_be_a_function_of_the_request() -> None:
    async def later(request: ModelRequest) -> str:
        return f"{len(request.messages)} message"

    model = ScriptedModel(lambda request: request.system[0], later)
    first = [piece async for piece in model.stream(question())][-1]
    second = [piece async for piece in model.stream(question())][-1]
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (text_of(first.content), text_of(second.content)) == ("You are an agent.", "1 message")
    assert (model.left, len(model.requests)) == (0, 2)


async def test_a_gate_stops_the_stream_between_two_pieces() -> None:
    gate = asyncio.Semaphore(0)
    stream = ScriptedModel("one two", gate=gate).stream(question())
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.release()
    assert await waiting == TextPiece("one ")
    await stream.aclose()


async def test_an_error_ends_the_stream_after_what_was_said() -> None:
    stream = ScriptedModel(ScriptedReply(text="half", error=Failure("server", "gone"))).stream(question())
    assert [await anext(stream), await anext(stream)][0] == TextPiece("half")
    with pytest.raises(ModelError, match="gone") as caught:
        await anext(stream)
    assert caught.value.failure.kind == "server"


async def test_a_request_too_many_is_said_to_the_test() -> None:
    with pytest.raises(AssertionError, match="request 1"):
        await anext(ScriptedModel().stream(question()))
