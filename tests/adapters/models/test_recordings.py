"""Every adapter against every recording of its wire: whole, in pieces of any size, and cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import pytest

from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.messages import AssistantMessage, Text, UserMessage
from protea.domain.reply import ModelRequest, Reply
from tests.adapters.models import recordings
from tests.adapters.models.recordings import Seen, ask, got, replay

HELLO = UserMessage((Text("hello"),))
AROUND = recordings.surroundings()
LONGEST = 20_000
"""Bytes of a recording that are given one by one; of longer ones some together."""


class Wire(NamedTuple):
    cases: list[str]
    model: Callable[[str], Any]
    """Makes one that asks an address."""
    end_mark: Callable[[bytes], tuple[int, int]]
    """Where the end mark of a recorded stream begins, and where it is whole."""
    told: Callable[[Any, dict[str, Any], Seen], dict[str, Any]]
    """What came of a case, as its expectations are written; given the model as well."""
    too_early: Callable[[int, int], Iterable[int]] = lambda start, end: ()
    """Further places where a stream is cut before it is whole, given where the end mark begins and where it ends."""
    whole: tuple[str, ...] = ("cut", "cut_clean")
    """Ways in which a stream may be cut behind its end mark and be a reply all the same."""


def sent_back(asked: Any, reply: Reply) -> dict[str, Any]:
    """The next request's body, with the reply in it."""
    said = AssistantMessage(reply.content, reply.model, reply.native)
    body: dict[str, Any] = json.loads(asked.body(ModelRequest((HELLO, said))))
    return body


# ── the wires ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _anthropic(address: str) -> Any:
    options = anthropic.Options(model="claude-sonnet-4-5", base_url=address, key="k")
    return anthropic.create(options, surroundings=AROUND)


def _message_stop(body: bytes) -> tuple[int, int]:
    return body.rfind(b"event: message_stop"), len(body)


def _told_by_anthropic(asked: Any, case: dict[str, Any], seen: Seen) -> dict[str, Any]:
    if seen.reply is None:
        return got(case, seen)
    messages = sent_back(asked, seen.reply)["messages"]
    return got(case, seen, messages[1]["content"] if len(messages) > 1 else [])


def _openai_responses(address: str) -> Any:
    options = openai_responses.Options(model="gpt-5.1", base_url=f"{address}/v1", key="k")
    return openai_responses.create(options, surroundings=AROUND)


def _completed(body: bytes) -> tuple[int, int]:
    return body.rfind(b'"type":"response.completed"'), len(body)


def _told_by_responses(asked: Any, case: dict[str, Any], seen: Seen) -> dict[str, Any]:
    if seen.reply is None or seen.reply.native is None:
        return got(case, seen)
    return got(case, seen, sent_back(asked, seen.reply)["input"][1:])


def _openai_chat(address: str) -> Any:
    options = openai_chat.Options(model="some-model", base_url=f"{address}/v1", key="k", dialect="generic")
    return openai_chat.create(options, surroundings=AROUND)


def _finish_reason(body: bytes) -> tuple[int, int]:
    at = body.find(b'"finish_reason":"')
    if at < 0:
        at = body.find(b"[DONE]")
    ends = [end for mark in (b"\n\n", b"\r\n\r\n", b"\r\r") if (end := body.find(mark, at)) >= 0]
    return at, min(ends) + 4


def _told_by_chat(asked: Any, case: dict[str, Any], seen: Seen) -> dict[str, Any]:
    told = got(case, seen)
    if seen.reply is not None and "reasoning_details" in case["expect"]:
        told["reasoning_details"] = sent_back(asked, seen.reply)["messages"][1].get("reasoning_details", [])
    return told


def _gemini(address: str) -> Any:
    return gemini.create(gemini.Options(model="some-model", base_url=address, key="k"), surroundings=AROUND)


def _event_with_the_finish_reason(body: bytes) -> tuple[int, int]:
    at = body.rfind(b'"finishReason"')
    ends = [end + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if (end := body.find(mark, at)) >= 0]
    return body.rfind(b"data:", 0, at), min(ends)


def _told_by_gemini(asked: Any, case: dict[str, Any], seen: Seen) -> dict[str, Any]:
    told = got(case, seen)
    if "message" in (case["expect"].get("error") or {}):  # ours stand on one line
        case["expect"]["error"]["message"] = " ".join(case["expect"]["error"]["message"].split())
    if seen.reply is not None:
        contents = sent_back(asked, seen.reply)["contents"]
        told["content"] = _as_recorded(contents[1]["parts"] if len(contents) > 1 else [])
        told["signatures"] = [part["thoughtSignature"] for part in told["content"] if "thoughtSignature" in part]
        case["expect"]["final"] = _as_recorded(case["expect"]["final"])
    return told


def _as_recorded(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
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


def _ollama(address: str) -> Any:
    return ollama.create(ollama.Options(model="some-model", base_url=address), surroundings=AROUND)


def _line_with_done(body: bytes) -> tuple[int, int]:
    return body.rfind(b"\n", 0, body.rfind(b'"done":true')) + 1, len(body.rstrip(b"\n"))


def _told(asked: Any, case: dict[str, Any], seen: Seen) -> dict[str, Any]:
    return got(case, seen)


CHAT = recordings.cases("openai_chat/", "openrouter/", "ollama/openai_compat")
RESPONSES = recordings.cases("openai_responses/")
OLLAMA = [name for name in recordings.cases("ollama/") if name not in CHAT]
WIRES = (
    Wire(recordings.cases("anthropic/"), _anthropic, _message_stop, _told_by_anthropic),
    Wire(RESPONSES, _openai_responses, _completed, _told_by_responses),
    Wire(CHAT, _openai_chat, _finish_reason, _told_by_chat),
    Wire(
        recordings.cases("gemini/"), _gemini, _event_with_the_finish_reason, _told_by_gemini,
        too_early=lambda start, end: (end - 8,),
    ),
    # A line is whole with its last brace; what is cut within a chunk of HTTP has no end for all that.
    Wire(OLLAMA, _ollama, _line_with_done, _told, too_early=lambda start, end: (start, end - 1), whole=("cut_clean",)),
)  # fmt: skip


# ── what all of them keep ──────────────────────────────────────────────────────────────────────────────────────────

EVERY = [pytest.param(wire, name, id=name) for wire in WIRES for name in wire.cases]
STREAMED = [pytest.param(wire, name, id=name) for wire in WIRES for name in recordings.streamed(wire.cases)]


@recordings.needed
def test_every_recording_is_one_of_a_wire() -> None:
    assert sorted(name for wire in WIRES for name in wire.cases) == sorted(recordings.cases(""))


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with replay.ReplayServer() as running:
        yield running


@recordings.needed
@pytest.mark.parametrize("controls", ["", "split=1", "split=7", "split_random=3"])
@pytest.mark.parametrize(("wire", "name"), EVERY)
async def test_every_recording_gives_what_it_should(server: Any, wire: Wire, name: str, controls: str) -> None:
    case = replay.load_case(name)
    if controls == "split=1" and case["response"]["bytes"] > LONGEST:
        controls = "split=97"
    asked = wire.model(server.case_url(name, controls))
    seen = await ask(asked, ModelRequest((HELLO,), stream=case["request"]["stream"]))
    told = wire.told(asked, case, seen)
    assert replay.compare(case, told) == []
    await asked.aclose()


@recordings.needed
@pytest.mark.parametrize("how", ["cut", "cut_clean"])
@pytest.mark.parametrize(("wire", "name"), STREAMED)
async def test_a_stream_cut_before_its_end_mark_is_whole_is_a_failure_that_waiting_may_mend(
    server: Any, wire: Wire, name: str, how: str
) -> None:
    start, end = wire.end_mark(replay.body_bytes(replay.load_case(name)))
    for point in sorted({*cut_points(start), *wire.too_early(start, end)}):
        asked = wire.model(server.case_url(name, f"{how}={point}"))
        seen = await ask(asked, ModelRequest((HELLO,)))
        assert seen.error is not None, f"{how}={point}"
        assert (seen.error.failure.kind, seen.error.failure.retryable) == ("truncated", True)
        await asked.aclose()


def cut_points(mark: int) -> list[int]:
    """Where to cut a recorded stream whose end mark begins at `mark`: before it."""
    return sorted({1, 60, mark // 4, mark // 2, mark * 7 // 8, mark - 1} & set(range(1, mark)))


@recordings.needed
@pytest.mark.parametrize(("wire", "name"), STREAMED)
async def test_a_stream_cut_behind_its_end_mark_is_a_reply(server: Any, wire: Wire, name: str) -> None:
    _, end = wire.end_mark(replay.body_bytes(replay.load_case(name)))
    for how in wire.whole:
        asked = wire.model(server.case_url(name, f"{how}={end}"))
        assert (await ask(asked, ModelRequest((HELLO,)))).reply is not None, how
        await asked.aclose()


@recordings.needed
@pytest.mark.parametrize("name", RESPONSES)
async def test_the_chat_adapter_reads_responses_too_where_an_address_turns_out_to_speak_them(
    server: Any, name: str
) -> None:
    case = replay.load_case(name)
    options = openai_chat.Options(model="gpt-5.1", base_url=server.case_url(name, "split=7"), dialect="openai")
    asked = openai_chat.create(options, surroundings=AROUND)
    seen = await ask(asked, ModelRequest((HELLO,), stream=case["request"]["stream"]))
    assert replay.compare(case, got(case, seen)) == []
    await asked.aclose()
