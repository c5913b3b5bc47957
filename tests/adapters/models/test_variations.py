"""Every recording, as other servers and versions would have sent it: the same reply comes of it.

Each variation changes what a reader must not care about (line ends, comments, order of keys, fields and events of
versions to come, the framing of HTTP …) and is tried on all recordings, of all wires, streamed and whole.
"""

from __future__ import annotations

import functools
import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from protea.adapters.models import anthropic, gemini, ollama, openai_chat, openai_responses
from protea.domain.messages import Text, UserMessage
from protea.domain.reply import ModelRequest
from tests.adapters.http.loopback import Asked, Writer, serving
from tests.adapters.models import recordings
from tests.adapters.models.recordings import ask, got, replay, surroundings

ADAPTERS: dict[str, Any] = {
    "anthropic": anthropic,
    "openai_chat": openai_chat,
    "openrouter": openai_chat,
    "openai_responses": openai_responses,
    "gemini": gemini,
    "ollama": ollama,
}
MARK = b"\xef\xbb\xbf"
LONGEST = 12_000
"""Bytes."""
NEW = {"x_to_come": {"of": ["a later", None, 3, {"version": True}]}}
EVENTS_TO_COME: dict[str, bytes] = {
    "anthropic": b'event: x_to_come\ndata: {"type":"x_to_come","index":9,"delta":{"type":"x_delta","text":"no"}}\n\n',
    "openai_responses": b'event: response.x_to_come\ndata: {"type":"response.x_to_come","sequence_number":9}\n\n',
    "openai_chat": b'data: {"id":"x","object":"x.to.come","choices":[]}\n\n',
    "openrouter": b'data: {"id":"x","object":"x.to.come","choices":[]}\n\n',
    "gemini": b'data: {"xToCome": 1, "candidates": []}\r\n\r\n',
    "ollama": b'{"model":"m","x_to_come":1,"message":{"role":"assistant","content":""},"done":false}\n',
}
HTTP: dict[str, Callable[[bytes, str], bytes]] = {
    "with a length": lambda body, kind: _head(kind, f"Content-Length: {len(body)}\r\n") + body,
    "until it closes": lambda body, kind: _head(kind, "Connection: close\r\n") + body,
    "compressed": lambda body, kind: _compressed(body, kind),
    "without a type": lambda body, _kind: _head("", f"Content-Length: {len(body)}\r\n") + body,
    "as text": lambda body, _kind: _head("text/plain; charset=utf-8", f"Content-Length: {len(body)}\r\n") + body,
    "as bytes": lambda body, _kind: _head("application/octet-stream", f"Content-Length: {len(body)}\r\n") + body,
}


def _head(kind: str, more: str) -> bytes:
    return ("HTTP/1.1 STATUS X\r\n" + (f"Content-Type: {kind}\r\n" if kind else "") + more + "\r\n").encode()


def _compressed(body: bytes, kind: str) -> bytes:
    packed = gzip.compress(body)
    return _head(kind, f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n") + packed


def streams(case: dict[str, Any]) -> bool:
    body = replay.body_bytes(case)
    return bool(case["response"]["status"] == 200 and b"\n" in body.strip() and not _is_json(body))


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def each_json(body: bytes, change: Callable[[Any], Any], *, lines: bool) -> bytes:
    """`body` with each JSON object in it changed: those behind `data:`, those of JSON lines, or the whole."""
    if not lines:
        return json.dumps(change(json.loads(body))).encode() if _is_json(body) else body
    out = []
    for line in body.split(b"\n"):
        mark = next((mark for mark in (b"data: ", b"data:", b"") if line.startswith(mark)), b"")
        text = line[len(mark) :].rstrip(b"\r")
        end = b"\r" if line.endswith(b"\r") else b""
        out.append(
            mark + json.dumps(change(json.loads(text))).encode() + end if text[:1] == b"{" and _is_json(text) else line
        )
    return b"\n".join(out)


def turned(value: Any) -> Any:
    """Keys in another order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


def one_line_end(end: bytes) -> Callable[[bytes], bytes]:
    return lambda body: (
        body.replace(b"\r\n", b"\n").replace(b"\n", end) if b"\r" not in body.replace(b"\r\n", b"") else body
    )


def sse_lines(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda body: b"\n".join(map(change, body.split(b"\n")))


def between(body: bytes, wire: str, piece: bytes) -> bytes:
    """`piece` before every event of a stream."""
    if wire == "ollama" and not body.startswith((b"data:", b"event:", b":")):
        return b"".join(piece + line for line in body.splitlines(keepends=True) if line.strip())
    end = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n"
    return end.join(piece + event if event.strip() else event for event in body.split(end))


Change = Callable[[bytes, str], bytes]
STREAMS: dict[str, Change] = {
    "lines end in CRLF": lambda body, wire: one_line_end(b"\r\n")(body),
    "lines end in CR": lambda body, wire: body if wire == "ollama" else one_line_end(b"\r")(body),
    "no space behind data:": lambda body, wire: body.replace(b"\ndata: ", b"\ndata:").replace(b"data: ", b"data:", 1),
    "padded": lambda body, wire: sse_lines(lambda line: line + b"   " if line.endswith(b"}") else line)(body),
    "comments": lambda body, wire: body if wire == "ollama" else between(body, wire, b": hold on\n\n"),
    "ids and retries": lambda body, wire: body if wire == "ollama" else between(body, wire, b"id: 7\nretry: 300\n"),
    "no event names": lambda body, wire: sse_lines(lambda line: b": x" if line.startswith(b"event:") else line)(body),
    "a mark before it": lambda body, wire: MARK + body,
    "empty lines before it": lambda body, wire: b"\n\n\r\n" + body,
    "empty lines behind it": lambda body, wire: body + (b"\n\n: bye\n\n" if wire != "ollama" else b"\n\n"),
    "events to come": lambda body, wire: between(body, wire, EVENTS_TO_COME[wire]),
    "fields to come": lambda body, wire: each_json(body, lambda value: value | NEW, lines=True),
    "other order of keys": lambda body, wire: each_json(body, turned, lines=True),
    "every character escaped": lambda body, wire: each_json(body, lambda value: value, lines=True),
}
WHOLE: dict[str, Change] = {
    "fields to come": lambda body, wire: each_json(body, lambda v: v | NEW if isinstance(v, dict) else v, lines=False),
    "other order of keys": lambda body, wire: each_json(body, turned, lines=False),
    "spread over lines": lambda body, wire: json.dumps(json.loads(body), indent=2).encode() if _is_json(body) else body,
    "empty lines before it": lambda body, wire: b"\n   \n\r\n" * 20 + body,
    "a line end behind it": lambda body, wire: body + b"\r\n",
    "a mark before it": lambda body, wire: MARK + body,
}


def wire_of(case: dict[str, Any]) -> str:
    return str(case.get("parse_as") or case["provider"])


async def walk(names: list[str], change: Change, http: Callable[[bytes, str], bytes]) -> dict[str, list[str]]:
    """What is wrong, by recording."""
    answer_now = b""

    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(answer_now)
        await writer.drain()
        if b"Connection: close" in answer_now[:200]:
            writer.close()

    wrong: dict[str, list[str]] = {}
    async with serving(answer) as server:
        models: dict[str, Any] = {}
        for name in names:
            case = replay.load_case(name)
            wire = wire_of(case)
            if wire not in models:
                module = ADAPTERS[wire]
                options = module.Options(model="some-model", base_url=server.url, key="k")
                models[wire] = module.create(options, surroundings=surroundings())
            body = change(replay.body_bytes(case).removeprefix(MARK), wire)
            if message := (case["expect"].get("error") or {}).get("message"):
                case["expect"]["error"]["message"] = " ".join(message.split())  # a failure is one line
            kind = case["response"]["headers"].get("content-type", "")
            answer_now = _with_headers(http(body, kind), case)
            seen = await ask(
                models[wire], ModelRequest((UserMessage((Text("hello"),)),), stream=case["request"]["stream"])
            )
            if found := replay.compare(case, got(case, seen)):
                wrong[name] = found
        for model in models.values():
            await model.aclose()
    return wrong


def _with_headers(answer: bytes, case: dict[str, Any]) -> bytes:
    response = case["response"]
    more = "".join(
        f"{name}: {value}\r\n"
        for name, value in response["headers"].items()
        if name not in ("content-type", "content-length", "content-encoding", "transfer-encoding", "connection")
    )
    head, mark, body = answer.partition(b"\r\n\r\n")
    head = head.replace(b"STATUS", str(response["status"]).encode())
    return head + (b"\r\n" + more.rstrip("\r\n").encode() if more else b"") + mark + body


@functools.cache
def names(*, streamed: bool) -> list[str]:
    """Those that are streams, or are not; the longest are left to the other tests."""
    cases = {name: replay.load_case(name) for name in recordings.cases("")}
    return [n for n, case in cases.items() if streams(case) == streamed and case["response"]["bytes"] <= LONGEST]


@recordings.needed
@pytest.mark.parametrize("variation", STREAMS)
async def test_a_stream_may_be_written_otherwise(variation: str) -> None:
    chosen = names(streamed=True)
    assert len(chosen) > 50
    assert await walk(chosen, STREAMS[variation], HTTP["with a length"]) == {}


@recordings.needed
@pytest.mark.parametrize("variation", WHOLE)
async def test_a_reply_that_comes_whole_may_be_written_otherwise(variation: str) -> None:
    chosen = names(streamed=False)
    assert len(chosen) > 30
    assert await walk(chosen, WHOLE[variation], HTTP["with a length"]) == {}


@recordings.needed
@pytest.mark.parametrize("framing", HTTP)
async def test_http_may_frame_it_otherwise(framing: str) -> None:
    assert await walk(recordings.cases(""), lambda body, _wire: body, HTTP[framing]) == {}


@recordings.needed
@pytest.mark.parametrize("wire", ADAPTERS)
async def test_with_delays_between_its_pieces_it_is_the_same(wire: str) -> None:
    rnd = random.Random(wire)
    streams_of = [n for n in names(streamed=True) if wire_of(replay.load_case(n)) == wire or n.startswith(wire + "/")]
    with replay.ReplayServer() as server:
        for name in rnd.sample(streams_of, min(3, len(streams_of))):
            case = replay.load_case(name)
            size = max(1, case["response"]["bytes"] // 12)
            module = ADAPTERS[wire_of(case)]
            url = server.case_url(name, f"split={size},delay=0.005")
            model = module.create(module.Options(model="m", base_url=url, key="k"), surroundings=surroundings())
            seen = await ask(model, ModelRequest((UserMessage((Text("hello"),)),)))
            assert replay.compare(case, got(case, seen)) == [], name
            await model.aclose()
