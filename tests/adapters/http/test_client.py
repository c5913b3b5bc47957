"""The HTTP client against real servers that behave and misbehave."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import ssl
import struct
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.http.client import Client, Response, Settings
from protea.adapters.http.errors import HttpError
from tests.adapters.http.loopback import Asked, Writer, proxy, reply, saying, serving


def client(environment: Mapping[str, str] | None = None, **settings: Any) -> Client:
    return Client(Settings(**settings), environment or {})


async def body_of(response: Response) -> bytes:
    return await response.read(10_000_000)


async def failure(asking: Client, url: str, body: bytes = b"{}") -> HttpError:
    with pytest.raises(HttpError) as caught:
        await body_of(await asking.request("POST", url, body=body))
    await asking.aclose()
    return caught.value


# -- what goes out and comes in


async def test_a_post_carries_its_headers_and_body_and_asks_for_no_compression() -> None:
    async with serving(saying(reply())) as server:
        asking = client()
        response = await asking.request("POST", server.url + "/a?b=c", headers={"X-Team": "a"}, body=b"{}")
        assert (response.status, await body_of(response)) == (200, b"hello")
        asked = server.asked[0]
        assert (asked.method, asked.target, asked.body) == ("POST", "/a?b=c", b"{}")
        assert asked.headers["host"] == f"127.0.0.1:{server.port}"
        assert asked.headers["accept-encoding"] == "identity"
        assert asked.headers["x-team"] == "a"
        await asking.aclose()


@pytest.mark.parametrize("split", [1, 3, 1000])
@pytest.mark.parametrize(
    "data",
    [
        reply(b"hello world"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply(b"hello world"),
        b"HTTP/1.1 200 OK\nContent-Length: 11\n\nhello world",
        b"HTTP/1.0 200 OK\r\n\r\nhello world",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        + gzip.compress(b"hello world", mtime=0),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nConnection: close\r\n\r\n" + zlib.compress(b"hello world"),
    ],
    ids=["length", "chunked", "interim", "bare LF", "until close", "gzip", "deflate"],
)
async def test_bodies_of_every_framing_arrive_whole_however_they_are_cut(data: bytes, split: int) -> None:
    async def answer(_asked: Asked, writer: Writer) -> None:
        for at in range(0, len(data), split):
            writer.write(data[at : at + split])
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    async with serving(answer) as server:
        asking = client()
        assert await body_of(await asking.request("POST", server.url)) == b"hello world"
        await asking.aclose()


async def test_a_body_larger_than_the_limit_is_refused() -> None:
    async with serving(saying(reply(b"x" * 5000))) as server:
        asking = client()
        with pytest.raises(HttpError) as caught:
            await (await asking.request("GET", server.url)).read(4999)
        assert caught.value.cause == "too_large"
        await asking.aclose()


async def test_a_slow_reader_holds_the_sender_back() -> None:
    sent = 0

    async def answer(_asked: Asked, writer: Writer) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n")
        for _ in range(64):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            sent += 1

    async with serving(answer) as server:
        asking = client()
        response = await asking.request("GET", server.url)
        for _ in range(2000):
            await asyncio.sleep(0)
        assert sent < 40
        assert sum([len(block) async for block in response]) == 64_000_000
        await asking.aclose()


# -- connections


async def test_a_connection_is_used_again() -> None:
    async with serving(saying(reply())) as server:
        asking = client()
        for _ in range(3):
            assert await body_of(await asking.request("POST", server.url)) == b"hello"
        assert server.connections == 1
        await asking.aclose()


async def test_a_reply_left_at_its_end_mark_leaves_its_connection_usable() -> None:
    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.write(b"0\r\n\r\n")

    async with serving(answer) as server:
        asking = client()
        response = await asking.request("POST", server.url)
        assert await response.read_block() == b"hello"
        response.release()
        for _ in range(200):
            if any(asking._idle.values()):
                break
            await asyncio.sleep(0.005)
        await body_of(await asking.request("POST", server.url))
        assert server.connections == 1
        await asking.aclose()


async def test_two_requests_at_once_have_two_connections() -> None:
    async with serving(saying(reply())) as server:
        asking = client()
        first, second = await asyncio.gather(*(asking.request("POST", server.url) for _ in range(2)))
        assert await body_of(first) == await body_of(second) == b"hello"
        assert server.connections == 2
        await asking.aclose()


@pytest.mark.parametrize("header", ["Connection: close\r\n", ""])
async def test_a_connection_the_server_closes_is_not_used_again(header: str) -> None:
    async with serving(saying(reply(headers=header), close=True)) as server:
        asking = client()
        for _ in range(3):
            assert await body_of(await asking.request("POST", server.url)) == b"hello"
        assert server.connections == 3
        assert len(server.asked) == 3
        await asking.aclose()


async def test_a_request_is_never_sent_twice_even_on_a_used_connection() -> None:
    async def answer(asked: Asked, writer: Writer) -> None:
        if asked.body == b"fine":
            writer.write(reply())
        else:
            writer.close()

    async with serving(answer) as server:
        asking = client()
        await body_of(await asking.request("POST", server.url, body=b"fine"))
        error = await failure(asking, server.url, b"bad")
        assert (error.cause, error.retryable) == ("connection", True)
        assert [asked.body for asked in server.asked] == [b"fine", b"bad"]


async def test_leaving_a_stream_closes_its_connection_at_once() -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def answer(_asked: Asked, writer: Writer) -> None:
        begun.set()
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        try:
            while True:
                await asyncio.sleep(0.005)
                writer.write(b"1\r\nx\r\n")
                await writer.drain()
        except ConnectionError:
            gone.set()

    async with serving(answer) as server:
        asking = client()

        async def read() -> None:
            async with await asking.request("POST", server.url) as response:
                async for _ in response:
                    pass

        task = asyncio.create_task(read())
        async with asyncio.timeout(5):
            await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await gone.wait()
        assert not any(asking._idle.values())
        await asking.aclose()


async def test_after_closing_nothing_is_asked_any_more() -> None:
    asking = client()
    await asking.aclose()
    assert (await failure(asking, "http://127.0.0.1:9")).retryable is False


# -- what goes wrong


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nContent-Length: 13\r\n\r\nhello", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello", "truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!!\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\nnot gzip", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nConnection: close\r\n\r\nx", "malformed"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
            + gzip.compress(b"x" * 99, mtime=0)[:-9],
            "truncated",
        ),
    ],
)
async def test_broken_answers_are_told_apart(data: bytes, cause: str) -> None:
    async with serving(saying(data, close=True)) as server:
        error = await failure(client(), server.url)
        assert error.cause == cause
        assert "\n" not in error.message


async def test_a_reset_in_mid_answer_is_truncation() -> None:
    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER of no seconds: closing resets
        writer.transport.abort()

    async with serving(answer) as server:
        error = await failure(client(), server.url)
        assert (error.cause, error.retryable) == ("truncated", True)


async def test_silence_before_and_inside_an_answer_are_timeouts() -> None:
    async def answer(asked: Asked, writer: Writer) -> None:
        if asked.target == "/inside":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        await asyncio.sleep(30)

    async with serving(answer) as server:
        before = await failure(client(first_byte_timeout=0.1), server.url + "/before")
        assert (before.cause, before.retryable) == ("timeout", True)
        assert "did not begin to answer within 0.1 s" in before.message
        inside = await failure(client(idle_timeout=0.1), server.url + "/inside")
        assert (inside.cause, inside.retryable) == ("timeout", True)
        assert "fell silent" in inside.message


async def test_a_head_at_once_and_a_body_after_long_thought_is_no_stall() -> None:
    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.write(b"hello")

    async with serving(answer) as server:
        asking = client(first_byte_timeout=5, idle_timeout=0.05)
        assert await body_of(await asking.request("GET", server.url)) == b"hello"
        await asking.aclose()


async def test_a_stream_that_drips_is_not_silent() -> None:
    async def answer(_asked: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.04)
            writer.write(b"x")

    async with serving(answer) as server:
        asking = client(first_byte_timeout=5, idle_timeout=0.3)
        assert await body_of(await asking.request("GET", server.url)) == b"x" * 10
        await asking.aclose()


async def test_nobody_listening_is_said_plainly() -> None:
    async with serving(saying(b"")) as server:
        url = server.url
    error = await failure(client(), url)
    assert (error.cause, error.retryable) == ("connection", True)
    assert "connection refused" in error.message


async def test_a_name_that_does_not_exist_is_said_plainly() -> None:
    error = await failure(client(), "http://no-such-host.invalid/v1")
    assert error.cause == "connection"
    assert "no-such-host.invalid cannot be found" in error.message


@pytest.mark.parametrize("url", ["host/v1", "ftp://host", "http://", "http://host:99999/", "http://ho st/", ""])
async def test_addresses_that_are_none_are_refused_with_their_mistake(url: str) -> None:
    error = await failure(client(), url)
    assert (error.cause, error.retryable) == ("invalid_request", False)


@pytest.mark.parametrize("headers", [{"X": "a\r\nEvil: b"}, {"X y": "a"}, {"Authorization": "Bearer ключ"}])
async def test_headers_that_would_break_the_head_are_not_sent(headers: dict[str, str]) -> None:
    async with serving(saying(reply())) as server:
        asking = client()
        with pytest.raises(HttpError) as caught:
            await asking.request("POST", server.url, headers=headers)
        assert caught.value.cause == "invalid_request"
        assert server.asked == []
        await asking.aclose()


# -- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `key.pem`, `good.pem` and `expired.pem`, made here for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is needed to make certificates")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=localhost", "-out", "request.csr")
    signing = ("x509", "-req", "-in", "request.csr", "-signkey", "key.pem", "-extfile", "san")
    openssl(*signing, "-days", "2", "-out", "good.pem")
    openssl(*signing, "-days", "-1", "-out", "expired.pem")
    return folder


def server_context(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / name, folder / "key.pem")
    return context


async def test_a_certificate_of_ones_own_authority_is_accepted_where_named(certificate: Path) -> None:
    async with serving(saying(reply()), server_context(certificate, "good.pem")) as server:
        named = str(certificate / "good.pem")
        for asking in (client({"SSL_CERT_FILE": named}), client(ca_file=named)):
            await asking.warm(server.url)
            for _ in range(2):
                assert await body_of(await asking.request("POST", server.url)) == b"hello"
            await asking.aclose()
        assert server.connections == 2


@pytest.mark.filterwarnings("ignore:.*unclosed:ResourceWarning")
async def test_certificates_that_are_not_accepted_say_why(certificate: Path) -> None:
    async with serving(saying(reply()), server_context(certificate, "good.pem")) as server:
        error = await failure(client(), server.url)
        assert (error.cause, error.retryable) == ("tls", False)
        assert "SSL_CERT_FILE" in error.message
    async with serving(saying(reply()), server_context(certificate, "expired.pem")) as server:
        error = await failure(client(ca_file=str(certificate / "expired.pem")), server.url)
        assert error.cause == "tls"
        assert "expired" in error.message


async def test_a_server_without_tls_is_told_from_a_bad_certificate() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(plain, "127.0.0.1", 0)
    error = await failure(client(), f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
    assert error.cause == "tls"
    assert "does not speak TLS" in error.message
    listening.close()
    await listening.wait_closed()


async def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    for asking in (client({"SSL_CERT_FILE": missing}), client(ca_file=missing)):
        error = await failure(asking, "https://127.0.0.1:9/")
        assert error.cause == "tls"
        assert missing in error.message


# -- proxies


async def test_plain_http_goes_to_the_proxy_in_absolute_form() -> None:
    async with serving(saying(reply())) as server:
        asking = client({"http_proxy": f"http://me:p%40ss@127.0.0.1:{server.port}"})
        await body_of(await asking.request("POST", "http://models.example/v1/x?y=z"))
        asked = server.asked[0]
        assert asked.target == "http://models.example/v1/x?y=z"
        assert asked.headers["host"] == "models.example"
        assert asked.headers["proxy-authorization"] == "Basic bWU6cEBzcw=="
        await asking.aclose()


async def test_https_goes_through_the_proxy_in_a_tunnel(certificate: Path) -> None:
    listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with serving(saying(reply()), server_context(certificate, "good.pem")) as server:
        asking = client({}, proxy_url=f"http://127.0.0.1:{port}", ca_file=str(certificate / "good.pem"))
        for _ in range(2):
            assert await body_of(await asking.request("POST", server.url + "/v1")) == b"hello"
        assert server.connections == 1
        assert server.asked[0].target == "/v1"
        await asking.aclose()
    listening.close()
    await listening.wait_closed()


@pytest.mark.parametrize(
    ("status", "words"), [("407 Proxy Authentication Required", "user and password"), ("403 Forbidden", "refused")]
)
async def test_a_proxy_that_refuses_is_named_without_its_password(status: str, words: str) -> None:
    async with serving(saying(reply(b"", status), close=True)) as server:
        error = await failure(
            client({}, proxy_url=f"http://me:secret@127.0.0.1:{server.port}"), "https://models.example/"
        )
        assert error.cause == "connection"
        assert words in error.message
        assert "secret" not in error.message


async def test_no_proxy_names_what_is_asked_directly() -> None:
    async with serving(saying(reply())) as server:
        for spared in ("127.0.0.1", f"127.0.0.1:{server.port}", "*", "127.0.0.0/8", "example.com, 127.0.0.1"):
            asking = client({"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": spared})
            assert await body_of(await asking.request("POST", server.url)) == b"hello"
            await asking.aclose()
        asking = client({"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1:1,27.0.0.1,example.com"})
        assert "proxy 127.0.0.1:9" in (await failure(asking, server.url)).message
        asking = client({"HTTP_PROXY": "http://127.0.0.1:9"}, proxy_url="")
        assert await body_of(await asking.request("POST", server.url)) == b"hello"
        await asking.aclose()


async def test_a_socks_proxy_is_refused_with_a_reason() -> None:
    error = await failure(client({"ALL_PROXY": "socks5://127.0.0.1:1080"}), "http://models.example/")
    assert "SOCKS" in error.message


def test_no_other_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "HTTP_PROXY", "http://127.0.0.1:9")

    async def ask() -> bytes:
        async with serving(saying(reply())) as server:
            asking = client({})
            body = await body_of(await asking.request("POST", server.url))
            await asking.aclose()
            return body

    assert asyncio.run(ask()) == b"hello"
