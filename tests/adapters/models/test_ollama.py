"""The adapter for Ollama's own wire against every recording of it, and against the rules of its requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from protea.adapters.models import ollama
from protea.domain.messages import Text, UserMessage
from protea.domain.reply import ModelRequest
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, got, replay

CASES = [name for name in recordings.cases("ollama/") if not name.startswith("ollama/openai_compat")]


def end_mark(body: bytes) -> tuple[int, int]:
    """Where the line with `done` begins, and where it is whole."""
    return body.rfind(b"\n", 0, body.rfind(b'"done":true')) + 1, len(body.rstrip(b"\n"))


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with replay.ReplayServer() as running:
        yield running


def model(base_url: str = "http://127.0.0.1:9", name: str = "some-model", **more: Any) -> ollama.OllamaModel:
    options = ollama.Options(model=name, base_url=base_url, **more)
    return ollama.create(options, surroundings=recordings.surroundings())


def request(*, stream: bool = True, **more: Any) -> ModelRequest:
    return ModelRequest((UserMessage((Text("hello"),)),), stream=stream, **more)


def sent(asked: ollama.OllamaModel, asking: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(asked.body(asking))
    return body


@recordings.needed
@pytest.mark.parametrize("controls", ["", "split=1", "split=7", "split_random=3"])
@pytest.mark.parametrize("name", CASES)
async def test_every_recording_gives_what_it_should(server: Any, name: str, controls: str) -> None:
    case = replay.load_case(name)
    asked = model(server.case_url(name, controls))
    seen = await ask(asked, request(stream=case["request"]["stream"]))
    assert replay.compare(case, got(case, seen)) == []
    await asked.aclose()


@recordings.needed
@pytest.mark.parametrize("how", ["cut", "cut_clean"])
@pytest.mark.parametrize("name", recordings.streamed(CASES))
async def test_a_stream_cut_before_its_end_mark_is_whole_is_never_a_reply(server: Any, name: str, how: str) -> None:
    body = replay.body_bytes(replay.load_case(name))
    start, end = end_mark(body)
    for point in sorted({*recordings.cut_points(start), start, end - 1}):
        asked = model(server.case_url(name, f"{how}={point}"))
        seen = await ask(asked, request())
        assert seen.error is not None, f"cut at {point} of {len(body)}"
        assert seen.error.failure.kind == "truncated"
        assert seen.error.failure.retryable
        await asked.aclose()


@recordings.needed
@pytest.mark.parametrize("name", recordings.streamed(CASES))
async def test_a_stream_cleanly_cut_behind_its_last_brace_is_a_reply(server: Any, name: str) -> None:
    body = replay.body_bytes(replay.load_case(name))
    asked = model(server.case_url(name, f"cut_clean={end_mark(body)[1]}"))
    seen = await ask(asked, request())
    assert seen.reply is not None
    await asked.aclose()
