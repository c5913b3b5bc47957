"""The Messages adapter against every recording of that wire, and against the rules of its requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from protea.adapters.models import anthropic
from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.domain.reply import ModelRequest, Reply
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, got, replay

CASES = recordings.cases("anthropic/")


def end_mark(body: bytes) -> tuple[int, int]:
    """Where the end mark of a recorded stream begins, and where it is whole."""
    at = body.rfind(b"event: message_stop")
    return at, len(body)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with replay.ReplayServer() as running:
        yield running


def model(base_url: str, name: str = "claude-sonnet-4-5", **more: Any) -> anthropic.AnthropicModel:
    options = anthropic.Options(model=name, base_url=base_url, key="k", **more)
    return anthropic.create(options, surroundings=recordings.surroundings())


def request(*, stream: bool = True, **more: Any) -> ModelRequest:
    return ModelRequest((UserMessage((Text("hello"),)),), stream=stream, **more)


def sent_back(asked: anthropic.AnthropicModel, reply: Reply) -> list[Any]:
    said = AssistantMessage(reply.content, reply.model, reply.native)
    body = json.loads(asked.body(ModelRequest((UserMessage((Text("hello"),)), said))))
    return body["messages"][1]["content"] if len(body["messages"]) > 1 else []


@recordings.needed
@pytest.mark.parametrize("controls", ["", "split=1", "split=7", "split_random=3"])
@pytest.mark.parametrize("name", CASES)
async def test_every_recording_gives_what_it_should(server: Any, name: str, controls: str) -> None:
    case = replay.load_case(name)
    if controls == "split=1" and case["response"]["bytes"] > 20_000:
        controls = "split=97"
    asked = model(server.case_url(name, controls))
    seen = await ask(asked, request(stream=case["request"]["stream"]))
    content = sent_back(asked, seen.reply) if seen.reply is not None else None
    assert replay.compare(case, got(case, seen, content)) == []
    await asked.aclose()


@recordings.needed
@pytest.mark.parametrize("how", ["cut", "cut_clean"])
@pytest.mark.parametrize("name", recordings.streamed(CASES))
async def test_a_stream_cut_before_its_end_mark_is_never_a_reply(server: Any, name: str, how: str) -> None:
    body = replay.body_bytes(replay.load_case(name))
    points = recordings.cut_points(end_mark(body)[0])
    await recordings.never_a_reply(model, request(), server, name, [f"{how}={point}" for point in points])


@recordings.needed
@pytest.mark.parametrize("how", ["cut", "cut_clean"])
@pytest.mark.parametrize("name", recordings.streamed(CASES))
async def test_a_stream_cut_behind_its_end_mark_is_a_reply(server: Any, name: str, how: str) -> None:
    body = replay.body_bytes(replay.load_case(name))
    await recordings.a_reply(model, request(), server, name, f"{how}={end_mark(body)[1]}")
