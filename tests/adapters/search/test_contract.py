"""Each search through the contract of its port, against a server of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ddgs.engines import ENGINES

from protea.adapters.search import metasearch, none, searxng
from protea.domain.errors import ConfigError
from protea.domain.surroundings import Surroundings
from protea.ports.search import Hit, Search, SearchError
from protea.testing.contracts.search import SearchContract


def around(**environment: str) -> Surroundings:
    return Surroundings(cwd="/", root="/", user_home="/", protea_home="/", environment=environment)


PAGE = """<html><body>
<div class="result body"><h2> One <b>red</b></h2><a href="https://a.example/1">first\n  page \u2066</a></div>
<div class="body"><h2>One again</h2><a href="https://a.example/1">x</a></div>
<div class="body"><h2>Evil</h2><a href="javascript:alert(1)">x</a></div>
<div class="body"><h2>An ad</h2><a href="https://duckduckgo.com/y.js?x">x</a></div>
<div class="body"><h2>Two</h2><a href="https://b.example/2">second</a></div>
</body></html>""".encode()
"""What an engine that ddgs knows answers, in the shape it reads."""


class Engine:
    """A SearXNG as far as its JSON goes."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.status = 200
        self.body = json.dumps(
            {
                "results": [
                    {"url": "https://a.example/1", "title": "One \x1b[31mred", "content": "first\n  page"},
                    {"url": "https://a.example/1", "title": "One again"},
                    {"url": "javascript:alert(1)", "title": "Evil"},
                    {"url": None, "title": "Nowhere"},
                    *({"url": f"https://b.example/{number}", "title": None} for number in range(20)),
                ]
            }
        ).encode()
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                engine.asked.append(parse_qs(urlsplit(self.path).query))
                self.send_response(engine.status)
                self.send_header("Content-Length", str(len(engine.body)))
                self.end_headers()
                self.wfile.write(engine.body)

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                engine.asked.append(parse_qs(asked.decode()))
                self.send_response(engine.status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(PAGE)))
                self.end_headers()
                self.wfile.write(PAGE)

            def log_message(self, *_: Any) -> None:
                """Not into the test's output."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(30)


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.close()


def asking(engine: Engine, **options: Any) -> searxng.Searxng:
    return searxng.create(searxng.Options(url=engine.url, **options), surroundings=around())


class TestNoSearch(SearchContract):
    def search(self) -> Search:
        return none.create(none.Options())


class TestSearxng(SearchContract):
    @pytest.fixture(autouse=True)
    def _engine(self, engine: Engine) -> None:
        self._server = engine

    def search(self) -> Search:
        return asking(self._server)


@pytest.fixture
def known_to_ddgs(engine: Engine) -> Iterator[Engine]:
    """The same server, as one of the engines of ddgs: its own code asks it, and reads its page."""

    class Loopback(ENGINES["text"]["duckduckgo"]):  # type: ignore[misc]  # which class that is, only ddgs knows
        name = "loopback"
        search_url = f"{engine.url}/html/"

    ENGINES["text"]["loopback"] = Loopback
    yield engine
    del ENGINES["text"]["loopback"]


def by_ddgs() -> metasearch.Metasearch:
    return metasearch.create(metasearch.Options(engines="loopback", region="de-de"), surroundings=around())


class TestMetasearch(SearchContract):
    @pytest.fixture(autouse=True)
    def _engine(self, known_to_ddgs: Engine) -> None:
        self._server = known_to_ddgs

    def search(self) -> Search:
        return by_ddgs()


async def test_what_engines_of_ddgs_answer_are_hits_in_plain_text(known_to_ddgs: Engine) -> None:
    hits = await by_ddgs().search("protea flower & more", 5)
    assert sorted(hits, key=lambda hit: hit.url) == [
        Hit("One red", "https://a.example/1", "first page"),
        Hit("Two", "https://b.example/2", "second"),
    ]
    assert known_to_ddgs.asked[0] == {"q": ["protea flower & more"], "l": ["de-de"]}


def test_an_engine_that_is_none_is_named() -> None:
    """ddgs would ask all of them instead."""
    with pytest.raises(ConfigError, match="there is no engine 'mojek'; did you mean mojeek"):
        metasearch.create(metasearch.Options(engines="wikipedia, mojek"), surroundings=around())


async def test_results_are_hits_in_plain_text(engine: Engine) -> None:
    hits = await asking(engine, language="de").search("protea flower & more", 3)
    assert hits[0] == Hit("One red", "https://a.example/1", "first page")
    assert [hit.title for hit in hits[1:]] == ["https://b.example/0", "https://b.example/1"]
    assert engine.asked == [{"q": ["protea flower & more"], "format": ["json"], "language": ["de"]}]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b"", "answers 403; does it allow the format json"),
        (429, b"", "answers 429: too many searches, wait a while$"),
        (500, b"", "answers 500$"),
        (200, b"<html>", "something else than results"),
        (200, b'{"results": 5}', "something else than results"),
        (200, b'{"results": [{"url": 1}]}', "something else than results"),
        (200, b"[" * 100_000, "something else than results"),
        (
            200,
            b'{"results": [], "unresponsive_engines": [["google", "CAPTCHA"], ["bing", "timeout"]]}',
            "none of the engines of .* answers: google CAPTCHA, bing timeout$",
        ),
    ],
)
async def test_what_is_no_answer_is_told(engine: Engine, status: int, body: bytes, words: str) -> None:
    engine.status, engine.body = status, body
    with pytest.raises(SearchError, match=words):
        await asking(engine).search("x")


async def test_one_that_drips_is_given_up() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with contextlib.suppress(OSError):
            while not over.done():
                writer.write(b" ")
                await writer.drain()
                await asyncio.wait([over], timeout=0.05)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        closed.set()

    over, closed = asyncio.get_running_loop().create_future(), asyncio.Event()
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        search = searxng.create(searxng.Options(url=url, timeout=0.5), surroundings=around())
        with pytest.raises(SearchError, match=r"took longer than 0\.5 s and was given up"):
            await search.search("x")
        over.set_result(None)
        await closed.wait()


async def test_a_server_that_is_not_there_is_told() -> None:
    search = searxng.create(searxng.Options(url="http://127.0.0.1:9"), surroundings=around())
    with pytest.raises(SearchError, match=r"http://127\.0\.0\.1:9"):
        await search.search("x")


async def test_engines_that_cannot_be_reached_are_one_line() -> None:
    search = metasearch.create(
        metasearch.Options(timeout=2, engines="mojeek"), surroundings=around(HTTPS_PROXY="http://127.0.0.1:9")
    )
    with pytest.raises(SearchError, match="no engine answers") as caught:
        await search.search("protea")
    assert "\n" not in str(caught.value)
    assert list(await search.search("   ")) == []
