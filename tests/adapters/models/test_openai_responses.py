"""The Responses adapter against every recording of that wire, and against the rules of its requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, got, replay

from protea.adapters.models import openai_responses
from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.domain.reply import ModelRequest, Reply

CASES = recordings.cases("openai_responses/")


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
