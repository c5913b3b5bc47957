"""The Gemini adapter against every recording of that wire, and against the rules of its requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from protea.adapters.models import gemini
from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.domain.reply import ModelRequest, Reply
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, got, replay

CASES = recordings.cases("gemini/")


def end_mark(body: bytes) -> tuple[int, int]:
    """Where the event with the finish reason begins, and where it is whole."""
    at = body.rfind(b'"finishReason"')
    ends = [end + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if (end := body.find(mark, at)) >= 0]
    return body.rfind(b"data:", 0, at), min(ends)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with replay.ReplayServer() as running:
        yield running


def model(base_url: str = "http://127.0.0.1:9", name: str = "some-model", **more: Any) -> gemini.GeminiModel:
    options = gemini.Options(model=name, base_url=base_url, key="k", **more)
    return gemini.create(options, surroundings=recordings.surroundings())


def request(*, stream: bool = True, **more: Any) -> ModelRequest:
    return ModelRequest((UserMessage((Text("hello"),)),), stream=stream, **more)


def sent_back(asked: gemini.GeminiModel, reply: Reply) -> list[dict[str, Any]]:
    said = AssistantMessage(reply.content, reply.model, reply.native)
    contents = json.loads(asked.body(ModelRequest((UserMessage((Text("hello"),)), said))))["contents"]
    return contents[1]["parts"] if len(contents) > 1 else []


def as_recorded(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts with the neighbouring texts of one kind joined and signatures in the other alphabet of base64.

    The recordings hold what Google's SDK gives: a part per chunk, bytes in the alphabet for addresses.
    """
    out: list[dict[str, Any]] = []
    for part in parts:
        part = dict(part)
        if "thoughtSignature" in part:
            part["thoughtSignature"] = part["thoughtSignature"].replace("+", "-").replace("/", "_")
        elif part.get("text") == "":
            continue
        last = out[-1] if out else {}
        joins = "text" in part and "text" in last and part.get("thought") == last.get("thought")
        if joins and "thoughtSignature" not in part and "thoughtSignature" not in last:
            last["text"] += part["text"]
        else:
            out.append(part)
    return out


@recordings.needed
@pytest.mark.parametrize("controls", ["", "split=1", "split=7", "split_random=3"])
@pytest.mark.parametrize("name", CASES)
async def test_every_recording_gives_what_it_should(server: Any, name: str, controls: str) -> None:
    case = replay.load_case(name)
    if controls == "split=1" and case["response"]["bytes"] > 20_000:
        controls = "split=97"
    asked = model(server.case_url(name, controls))
    seen = await ask(asked, request(stream=case["request"]["stream"]))
    given = got(case, seen)
    if "message" in (case["expect"].get("error") or {}):  # ours stand on one line
        case["expect"]["error"]["message"] = " ".join(case["expect"]["error"]["message"].split())
    if seen.reply is not None:
        given["content"] = as_recorded(sent_back(asked, seen.reply))
        given["signatures"] = [p["thoughtSignature"] for p in given["content"] if "thoughtSignature" in p]
        case["expect"]["final"] = as_recorded(case["expect"]["final"])
    assert replay.compare(case, given) == []
    await asked.aclose()


@recordings.needed
@pytest.mark.parametrize("how", ["cut", "cut_clean"])
@pytest.mark.parametrize("name", recordings.streamed(CASES))
async def test_a_stream_cut_before_its_end_mark_is_never_a_reply(server: Any, name: str, how: str) -> None:
    body = replay.body_bytes(replay.load_case(name))
    points = [*recordings.cut_points(end_mark(body)[0]), end_mark(body)[1] - 8]
    await recordings.never_a_reply(model, request(), server, name, [f"{how}={point}" for point in points])


@recordings.needed
@pytest.mark.parametrize("how", ["cut", "cut_clean"])
@pytest.mark.parametrize("name", recordings.streamed(CASES))
async def test_a_stream_cut_behind_its_end_mark_is_a_reply(server: Any, name: str, how: str) -> None:
    body = replay.body_bytes(replay.load_case(name))
    await recordings.a_reply(model, request(), server, name, f"{how}={end_mark(body)[1]}")
