"""Waiting for a provider: as long as it asks, shown, ended by an interrupt; and what waiting cannot help."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.clock.system import SystemClock
from protea.domain.commands import Interrupt, SubmitPrompt
from protea.domain.events import AnyEvent, RetryScheduled, TurnFinished
from protea.ports.gateway import OpenSession
from protea.testing.loopback import LoopbackProvider, Status
from protea.testing.model_source import TableModelSource
from tests.adapters.http.loopback import reply, saying, serving
from tests.adapters.models.test_loopback import SPEAKERS, speaker
from tests.application.world import World, of


def world_of(name: str, provider: Any, **more: Any) -> World:
    world = World()
    world.source = TableModelSource(speaker(name, provider, **more))
    return world


async def run(world: World) -> list[AnyEvent]:
    assert world.source is not None
    return await world.run("hello", model=world.source.default())


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Status(status=429, retry_after=7), 7.0),
        (Status(status=503, retry_after=0), 0.0),
        (Status(status=529, retry_after=11, should_retry=True), 11.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", SPEAKERS)
async def test_as_long_as_the_provider_asks(name: str, fault: Status, seconds: float) -> None:
    async with LoopbackProvider([fault, "Well again."]) as provider:
        world = world_of(name, provider)
        (scheduled,) = of(await run(world), RetryScheduled)
        assert seconds <= scheduled.delay <= seconds + 0.2
        assert world.clock.slept == [scheduled.delay]


@pytest.mark.parametrize("name", ["chat", "responses", "anthropic"])
async def test_milliseconds_are_understood(name: str) -> None:
    async with LoopbackProvider([Status(status=429, retry_after_ms=2500), "Well again."]) as provider:
        (scheduled,) = of(await run(world_of(name, provider)), RetryScheduled)
        assert 2.5 <= scheduled.delay <= 2.7


async def test_without_a_word_it_waits_longer_each_time_and_gives_up_in_the_end() -> None:
    async with LoopbackProvider([Status(status=503)]) as provider:
        world = world_of("anthropic", provider)
        events = await run(world)
        scheduled = of(events, RetryScheduled)
        assert [event.attempt for event in scheduled] == [2, 3, 4, 5]
        assert all(0.25 * 2**n <= event.delay <= 0.5 * 2**n for n, event in enumerate(scheduled))
        assert of(events, TurnFinished)[0].outcome == "error"
        assert len(provider.requests) == 5


async def test_an_interrupt_ends_the_waiting_at_once() -> None:
    async with LoopbackProvider([Status(status=429, retry_after=60), "Never."]) as provider:
        world = world_of("anthropic", provider)
        world.use_clock(SystemClock())
        gateway = world.gateway
        assert world.source is not None
        session = await gateway.open(OpenSession(cwd="/w", model=world.source.default()))
        begun = 0.0
        async for event in world.turn(session, SubmitPrompt(text="hello")):
            if isinstance(event, RetryScheduled):
                begun = time.monotonic()
                await gateway.submit(session, Interrupt())
            if isinstance(event, TurnFinished):
                assert event.outcome == "interrupted"
        assert time.monotonic() - begun < 40, "of 60 seconds; usually some milliseconds"
        assert len(provider.requests) == 1
        await gateway.close()


class Elsewhere:
    """Stands for the provider where there is none: an address alone."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, _wire: str) -> str:
        return self._url


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is needed to make certificates")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=localhost", "-out", "request.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signing = ["x509", "-req", "-in", "request.csr", "-signkey", "key.pem", "-extfile", "names"]
    openssl(*signing, "-days", "-1", "-out", "expired.pem")
    openssl(*signing, "-days", "2", "-out", "good.pem")
    return folder


def serving_tls(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / name, folder / "key.pem")
    return context


@pytest.mark.parametrize(
    ("certificate", "trusted", "said"),
    [("expired.pem", "expired.pem", "expired; check this machine's clock"), ("good.pem", None, "set SSL_CERT_FILE")],
)
@pytest.mark.parametrize("name", SPEAKERS)
async def test_a_certificate_that_is_not_accepted_says_why_and_is_not_tried_again(
    name: str, certificate: str, trusted: str | None, said: str, certificates: Path
) -> None:
    async with serving(saying(reply()), serving_tls(certificates, certificate)) as server:
        ca_file = str(certificates / trusted) if trusted else None
        events = await run(world_of(name, Elsewhere(server.url), ca_file=ca_file))
        assert of(events, RetryScheduled) == []
        error = of(events, TurnFinished)[0].error
        assert error is not None
        assert (error.kind, error.retryable) == ("tls", False)
        assert said in error.message


@pytest.mark.parametrize("name", SPEAKERS)
async def test_a_host_nobody_knows_is_told_by_name(name: str) -> None:
    events = await run(world_of(name, Elsewhere("http://no-such-host.invalid")))
    error = of(events, TurnFinished)[0].error
    assert error is not None
    assert error.kind == "connection"
    assert "no-such-host.invalid" in error.message


@pytest.mark.parametrize("name", SPEAKERS)
async def test_a_place_where_nobody_listens_is_tried_again_and_then_told(name: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        events = await run(world_of(name, Elsewhere(f"http://127.0.0.1:{port}")))
    assert len(of(events, RetryScheduled)) == 4
    error = of(events, TurnFinished)[0].error
    assert error is not None
    assert (error.kind, error.retryable) == ("connection", True)
    assert str(port) in error.message
