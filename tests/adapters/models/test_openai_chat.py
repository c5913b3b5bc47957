"""The Chat Completions adapter against every recording of that wire, and against the rules of its requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from protea.adapters.models import openai_chat
from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.domain.reply import ModelRequest, Reply
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, got, replay

CASES = recordings.cases("openai_chat/", "openrouter/", "ollama/openai_compat")


def end_mark(body: bytes) -> tuple[int, int]:
    """Where the end mark of a recorded stream begins, and where it is whole: a finish_reason, or else `[DONE]`."""
    at = body.find(b'"finish_reason":"')
    if at < 0:
        at = body.find(b"[DONE]")
    ends = [end for mark in (b"\n\n", b"\r\n\r\n", b"\r\r") if (end := body.find(mark, at)) >= 0]
    return at, min(ends) + 4


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with replay.ReplayServer() as running:
        yield running


def model(
    base_url: str, name: str = "some-model", dialect: str = "generic", **more: Any
) -> openai_chat.OpenAIChatModel:
    options = openai_chat.Options(model=name, base_url=base_url, key="k", dialect=dialect, **more)
    return openai_chat.create(options, surroundings=recordings.surroundings())


def request(*, stream: bool = True, **more: Any) -> ModelRequest:
    return ModelRequest((UserMessage((Text("hello"),)),), stream=stream, **more)


def sent_back(asked: openai_chat.OpenAIChatModel, reply: Reply) -> dict[str, Any]:
    said = AssistantMessage(reply.content, reply.model, reply.native)
    message: dict[str, Any] = json.loads(asked.body(ModelRequest((UserMessage((Text("hello"),)), said))))["messages"][1]
    return message


@recordings.needed
@pytest.mark.parametrize("controls", ["", "split=1", "split=7", "split_random=3"])
@pytest.mark.parametrize("name", CASES)
async def test_every_recording_gives_what_it_should(server: Any, name: str, controls: str) -> None:
    case = replay.load_case(name)
    if controls == "split=1" and case["response"]["bytes"] > 12_000:
        controls = "split=97"
    asked = model(server.case_url(name, controls) + "/v1")
    seen = await ask(asked, request(stream=case["request"]["stream"]))
    given = got(case, seen)
    if seen.reply is not None and "reasoning_details" in case["expect"]:
        given["reasoning_details"] = sent_back(asked, seen.reply).get("reasoning_details", [])
    assert replay.compare(case, given) == []
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
