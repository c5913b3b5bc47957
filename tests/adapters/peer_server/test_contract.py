"""Each peer server through the contract of its port, and the one of this machine over real HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.peer_server import loopback, none
from protea.domain.errors import StoreError, UsageError
from protea.domain.surroundings import Surroundings
from protea.ports.peer_server import PeerQuestion, PeerServer
from protea.testing.contracts.peer_server import CARD, PeerServerContract, echo


def opened(home: Path, **options: Any) -> loopback.Loopback:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    return loopback.create(loopback.Options(**options), surroundings=around)


async def call(address: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    host, _, port = address.removeprefix("http://").partition(":")
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = [f"{method} {path} HTTP/1.1", f"Host: {headers.pop('Host', host)}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await reader.read()
        writer.close()
    head, _, data = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(data)


class TestNoPeerServer(PeerServerContract):
    def peer_server(self) -> PeerServer:
        return none.create(none.Options())


class TestLoopback(PeerServerContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._path = tmp_path

    def peer_server(self) -> PeerServer:
        return opened(self._path)

    async def ask(self, address: str, text: str, *, known: bool) -> str | None:
        token = (self._path / "peer.token").read_text() if known else "guessed"
        status, told = await call(
            address, "POST", "/ask", json.dumps({"text": text}).encode(), Authorization=f"Bearer {token}"
        )
        return told["text"] if status == 200 else None


async def test_its_card_and_a_sign_of_life_are_there_for_everyone_of_this_machine(tmp_path: Path) -> None:
    server = opened(tmp_path)
    address = await server.start(CARD, echo)
    assert await call(address, "GET", "/health") == (200, {"ok": True})
    assert (await call(address, "GET", "/card"))[1] == {
        "name": "Protea", "description": "An agent.", "version": "1", "skills": ["reading"],
    }  # fmt: skip
    assert (tmp_path / "peer.token").stat().st_mode & 0o777 == 0o600
    await server.aclose()


async def test_a_browser_is_refused_and_so_is_what_is_no_question(tmp_path: Path) -> None:
    server = opened(tmp_path)
    address = await server.start(CARD, echo)
    bearer = f"Bearer {(tmp_path / 'peer.token').read_text()}"
    for expected, arguments, headers in (
        (403, ("GET", "/card"), {"Origin": "https://evil.example"}),
        (403, ("GET", "/card"), {"Host": "evil.example"}),
        (401, ("POST", "/ask", b'{"text":"x"}'), {}),
        (401, ("POST", "/ask", b'{"text":"x"}'), {"Authorization": "Basic x"}),
        (400, ("POST", "/ask", b"{"), {"Authorization": bearer}),
        (404, ("GET", "/etc/passwd"), {}),
        (411, ("POST", "/ask"), {"Transfer-Encoding": "chunked"}),
    ):
        status, told = await call(address, *arguments, **headers)
        assert (status, bool(told["error"])) == (expected, True)
    await server.aclose()


async def test_too_many_questions_at_once_are_told_to_come_back_and_errors_are_lines(tmp_path: Path) -> None:
    server = opened(tmp_path, most=1)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(question: PeerQuestion) -> str:
        if question.text == "fail":
            raise UsageError("not today")
        asked.set()
        await go_on.wait()
        return "done"

    address = await server.start(CARD, slow)
    bearer = f"Bearer {(tmp_path / 'peer.token').read_text()}"
    first = asyncio.create_task(call(address, "POST", "/ask", b'{"text":"x"}', Authorization=bearer))
    await asked.wait()
    assert (await call(address, "POST", "/ask", b'{"text":"y"}', Authorization=bearer))[0] == 503
    go_on.set()
    assert await first == (200, {"text": "done"})
    assert await call(address, "POST", "/ask", b'{"text":"fail"}', Authorization=bearer) == (
        502,
        {"error": "not today"},
    )
    await server.aclose()


async def test_a_token_that_others_can_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "peer.token").write_text("x" * 40)
    (tmp_path / "peer.token").chmod(0o644)
    with pytest.raises(StoreError, match="is no secret"):
        await opened(tmp_path).start(CARD, echo)
