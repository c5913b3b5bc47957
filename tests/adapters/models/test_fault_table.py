"""Every fault on every wire, in the middle of a task: the run ends in the right state, and the history stays whole.

Each case is one headless run over real HTTP: the model calls a tool, the fault comes where the answer to its result
should, then the provider is well again. Told: what kind of failure, whether it is tried again, the exit code. Held:
the tool ran once, nothing half-said is kept, the log is consistent, no key is in anything written, and the
conversation goes on on a provider that refuses what the real one would refuse.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from protea.domain.events import MessageCompleted, TurnFinished
from protea.domain.messages import text_of
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.domain.transcript import transcript_of
from protea.interfaces.headless import HeadlessRun, run
from protea.ports.gateway import OpenSession
from protea.ports.session_store import SessionStore
from protea.testing.loopback import Cut, ErrorInside, Fault, LoopbackProvider, Malformed, MidError, Reset, Stall, Status
from protea.testing.loopback.script import END, LoopbackReply
from protea.testing.model_source import TableModelSource
from tests.adapters.http.loopback import Asked, Writer, reply, serving
from tests.adapters.models.test_loopback import SPEAKERS, speaker
from tests.application.consistency import faults, unpaired
from tests.application.world import World

Misbehave = Callable[[Asked, Writer], Awaitable[None]]


class Row(NamedTuple):
    """A fault and how it is told."""

    fault: Fault | Misbehave
    kind: str
    again: bool
    """Whether it is tried again."""
    patience: float = 30.0
    """Seconds of silence the client bears."""


def says(data: bytes, *, close: bool = False) -> Misbehave:
    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return answer


async def silence(_asked: Asked, _writer: Writer) -> None:
    await asyncio.Event().wait()


PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Wi-Fi</body></html>"
EVENTS = "Content-Type: text/event-stream\r\n"

SAID: dict[str, Row] = {
    "400 context": Row(Status(status=400, reason="context_length"), "context_length", False),
    "400": Row(Status(status=400), "invalid_request", False),
    "401": Row(Status(status=401), "auth", False),
    "402": Row(Status(status=402), "billing", False),
    "403": Row(Status(status=403), "auth", False),
    "404": Row(Status(status=404), "not_found", False),
    "408": Row(Status(status=408), "timeout", True),
    "409": Row(Status(status=409), "server", True),
    "413": Row(Status(status=413), "too_large", False),
    "429 too fast": Row(Status(status=429), "rate_limit", True),
    "429 in seconds": Row(Status(status=429, retry_after=7), "rate_limit", True),
    "429 quota": Row(Status(status=429, reason="quota"), "billing", False),
    "429 too long": Row(Status(status=429, retry_after=4000), "rate_limit", False),
    "500": Row(Status(status=500), "server", True),
    "502": Row(Status(status=502), "server", True),
    "503": Row(Status(status=503), "overloaded", True),
    "529": Row(Status(status=529), "overloaded", True),
    "500, do not": Row(Status(status=500, should_retry=False), "server", False),
    "400, do": Row(Status(status=400, should_retry=True), "invalid_request", True),
    "error under 200": Row(ErrorInside(reason="server"), "server", True),
    "quota under 200": Row(ErrorInside(reason="quota"), "billing", False),
    "error first": Row(MidError(reason="overloaded", after=0), "overloaded", True),
    "error in the middle": Row(MidError(reason="server"), "server", True),
    "error at the end": Row(MidError(reason="overloaded", after=END), "overloaded", True),
    "quota in the middle": Row(MidError(reason="quota"), "billing", False),
    "malformed": Row(Malformed(), "malformed", True),
    "reset before": Row(Reset(after=0), "connection", True),
    "reset in the middle": Row(Reset(), "truncated", True),
    "cut at once": Row(Cut(after=0), "truncated", True),
    "cut in the middle": Row(Cut(), "truncated", True),
    "cut before the end mark": Row(Cut(after=END), "truncated", True),
    "stall before": Row(Stall(after=0), "timeout", True, 1.0),
    "stall in the middle": Row(Stall(), "timeout", True, 1.0),
}
"""Faults the loopback provider has, in each wire's own words."""

RAW: dict[str, Row] = {
    "page under 200": Row(says(reply(PAGE, headers="Content-Type: text/html\r\n")), "malformed", False),
    "page as a stream": Row(says(reply(PAGE, headers=EVENTS)), "malformed", False),
    "page under 502": Row(says(reply(PAGE, "502 Bad Gateway")), "server", True),
    "page under 503": Row(says(reply(PAGE, "503 Service Unavailable")), "overloaded", True),
    "page under 404": Row(says(reply(PAGE, "404 Not Found")), "not_found", False),
    "page of a proxy": Row(says(reply(PAGE, "407 Proxy Authentication Required")), "connection", True),
    "redirect": Row(says(reply(b"", "302 Found", "Location: https://login.example\r\n")), "not_found", False),
    "empty": Row(says(reply(b"")), "truncated", True),
    "no content": Row(says(b"HTTP/1.1 204 No Content\r\n\r\n"), "truncated", True),
    "500 without a word": Row(says(reply(b"", "500 Internal Server Error")), "server", True),
    "only comments": Row(says(reply(b": hold on\n\n: hold on\n\n", headers=EVENTS)), "truncated", True),
    "no HTTP": Row(says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", close=True), "malformed", False),
    "half a head": Row(says(b"HTTP/1.1 200 OK\r\nContent-Ty", close=True), "connection", True),
    "less than it says": Row(says(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", close=True), "truncated", True),
    "chunks that are none": Row(
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n", close=True), "malformed", True
    ),
    "nothing ever": Row(silence, "timeout", True, 1.0),
}
"""What stands between us and a provider does."""

KNOWS_NO_REASONS = {"error first": "server", "error at the end": "server", "only comments": "malformed"}
"""Ollama's errors are a sentence, and its lines are JSON or nothing."""


def row_of(name: str, title: str, row: Row) -> Row | None:
    """The row as this wire has it; None where it has no such thing."""
    if name == "ollama":
        return None if "quota" in title else row._replace(kind=KNOWS_NO_REASONS.get(title, row.kind))
    # In mid-stream Gemini does not say which quota it was, and that of a minute comes back.
    return None if name.startswith("gemini") and title == "quota in the middle" else row


CASES = [
    pytest.param(name, its, id=f"{name}-{title}")
    for title, row in (SAID | RAW).items()
    for name in SPEAKERS
    if (its := row_of(name, title, row)) is not None
]


@contextlib.asynccontextmanager
async def front(provider: LoopbackProvider, misbehave: Misbehave, turn: int) -> AsyncIterator[int]:
    """A server before the provider that passes all on, but request number `turn`."""

    async def answer(asked: Asked, writer: Writer) -> None:
        if len(server.asked) == turn:
            await misbehave(asked, writer)
        else:
            await _pass_on(asked, writer, provider.port)
        writer.close()

    async with serving(answer) as server:
        yield server.port


async def _pass_on(asked: Asked, writer: Writer, port: int) -> None:
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    head = "".join(f"{name}: {value}\r\n" for name, value in asked.headers.items())
    far_writer.write(f"{asked.method} {asked.target} HTTP/1.1\r\nConnection: close\r\n{head}\r\n".encode() + asked.body)
    while data := await far_reader.read(65536):
        writer.write(data)
        await writer.drain()
    far_writer.close()


class Task:
    """A task with one tool, in a session of a store that outlives the process it is worked on in."""

    def __init__(self, name: str, provider: LoopbackProvider, folder: Path) -> None:
        self.name, self.provider, self.folder = name, provider, folder
        self.ran = 0
        self.store: SessionStore | None = None
        self.said = ""

    async def change(self, path: str) -> str:
        """Change a file."""
        self.ran += 1
        return f"{path} is changed"

    async def headless(self, prompt: str, *, resume: str | None = None, port: int = 0, patience: float = 30.0) -> Any:
        """(exit code, the lines of stream-json) of a run."""
        usual = self.provider.port
        self.provider.port = port or usual
        model = speaker(self.name, self.provider, idle_timeout=patience, first_byte_timeout=patience)
        self.provider.port = usual
        world = World(tools=[self.change], store=self.store)
        world.source = TableModelSource(model)
        self.store = world.store
        spec = OpenSession(cwd="/w", model=model.info.id, interactive=False, resume=resume)
        out = os.open(self.folder / "out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        err = os.open(self.folder / "err", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        try:
            code = await run(
                world.gateway,
                HeadlessRun(open=spec, prompt=prompt, output_format="stream-json", verbose=True),
                stdout=out,
                stderr=err,
            )
            self.said += os.pread(out, 1 << 24, 0).decode() + os.pread(err, 1 << 24, 0).decode()
            return code, [json.loads(line) for line in os.pread(out, 1 << 24, 0).splitlines()]
        finally:
            os.close(out)
            os.close(err)


CALL = ScriptedReply(thinking="A file.", text="I change it.", tool_calls=(ScriptedCall("change", {"path": "a"}),))
HALF = "half of a sentence that nobody must keep"


@pytest.mark.parametrize(("name", "row"), CASES)
async def test_a_fault_ends_in_the_right_state(name: str, row: Row, tmp_path: Path) -> None:
    fault = row.fault if not callable(row.fault) else None
    broken = [LoopbackReply(text=HALF, thinking="Half a thought.", fault=fault)] if fault is not None else []
    # Where the front misbehaves the provider is never asked; where it is not tried again "Done." answers the next run.
    script = [CALL, *broken, "Done.", "And on."]
    async with LoopbackProvider(script, strict=True) as provider, contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(front(provider, row.fault, 2)) if callable(row.fault) else 0
        task = Task(name, provider, tmp_path)
        code, lines = await task.headless("Change a.", port=port, patience=row.patience)
        result, told = lines[-1], [line for line in lines if line["type"] == "retry_scheduled"]
        assert task.store is not None
        log = list(task.store.read(result["session"]))
        kinds = [line["error"]["kind"] for line in told]
        if row.again:
            assert (code, result["outcome"], result["text"]) == (0, "finished", "Done."), result["error"]
            assert set(kinds) == {row.kind}
        else:
            assert (code, result["outcome"]) == (2, "error")
            assert kinds == []
            assert result["error"]["kind"] == row.kind, result["error"]
            (ended,) = [event for event in log if isinstance(event, TurnFinished)]
            assert ended.error is not None
            assert (ended.error.kind, ended.error.provider) == (
                row.kind,
                SPEAKERS[name][3].get("provider", ended.error.provider),
            )
        assert task.ran == 1
        messages = [event for event in log if isinstance(event, MessageCompleted)]
        assert [text_of(event.content) for event in messages] == ["I change it.", "Done."][: 2 if row.again else 1]
        assert not any(event.partial for event in messages)
        assert faults(log) == []
        assert unpaired(transcript_of(log).messages()) == []

        code, lines = await task.headless("And now?", resume=result["session"])
        assert (code, lines[-1]["outcome"]) == (0, "finished"), lines[-1]["error"]
        assert lines[-1]["text"] == ("And on." if row.again else "Done.")
        assert task.ran == 1
        assert faults(list(task.store.read(result["session"]))) == []
        assert "secret" not in task.said
        assert HALF not in provider.requests[-1].body.decode()


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 200
