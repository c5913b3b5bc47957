"""The Responses adapter against every recording of that wire, and against the rules of its requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from protea.adapters.models import openai_chat, openai_responses
from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.domain.reply import ModelRequest, Reply
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, got, replay

CASES = recordings.cases("openai_responses/")


def end_mark(body: bytes) -> tuple[int, int]:
    """Where the end mark of a recorded stream begins, and where it is whole."""
    at = body.rfind(b'"type":"response.completed"')
    return at, len(body)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with replay.ReplayServer() as running:
        yield running


def model(base_url: str, name: str = "gpt-5.1", **more: Any) -> openai_responses.OpenAIResponsesModel:
    options = openai_responses.Options(model=name, base_url=base_url, key="k", **more)
    return openai_responses.create(options, surroundings=recordings.surroundings())


def request(*, stream: bool = True, **more: Any) -> ModelRequest:
    return ModelRequest((UserMessage((Text("hello"),)),), stream=stream, **more)


def sent_back(asked: openai_responses.OpenAIResponsesModel, reply: Reply) -> list[dict[str, Any]]:
    said = AssistantMessage(reply.content, reply.model, reply.native)
    items: list[dict[str, Any]] = json.loads(asked.body(ModelRequest((UserMessage((Text("hello"),)), said))))["input"]
    return items[1:]


@recordings.needed
@pytest.mark.parametrize("controls", ["", "split=1", "split=7", "split_random=3"])
@pytest.mark.parametrize("name", CASES)
async def test_every_recording_gives_what_it_should(server: Any, name: str, controls: str) -> None:
    case = replay.load_case(name)
    if controls == "split=1" and case["response"]["bytes"] > 12_000:
        controls = "split=97"
    asked = model(server.case_url(name, controls) + "/v1")
    seen = await ask(asked, request(stream=case["request"]["stream"]))
    content = None
    if seen.reply is not None and seen.reply.native is not None:
        content = sent_back(asked, seen.reply)
    assert replay.compare(case, got(case, seen, content)) == []
    await asked.aclose()


@recordings.needed
@pytest.mark.parametrize("name", CASES)
async def test_the_chat_adapter_reads_it_too_where_an_address_turns_out_to_speak_it(server: Any, name: str) -> None:
    case = replay.load_case(name)
    options = openai_chat.Options(model="gpt-5.1", base_url=server.case_url(name, "split=7"), dialect="openai")
    asked = openai_chat.create(options, surroundings=recordings.surroundings())
    seen = await ask(asked, request(stream=case["request"]["stream"]))
    assert replay.compare(case, got(case, seen)) == []
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
