"""Each search through the contract of its port, against a server of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from protea.adapters.search import metasearch, none, searxng
from protea.domain.surroundings import Surroundings
from protea.ports.search import Hit, Search, SearchError
from protea.testing.contracts.search import SearchContract


def around(**environment: str) -> Surroundings:
    return Surroundings(cwd="/", root="/", user_home="/", protea_home="/", environment=environment)


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


async def test_results_are_hits_in_plain_text(engine: Engine) -> None:
    hits = await asking(engine, language="de").search("protea flower & more", 3)
    assert hits[0] == Hit("One red", "https://a.example/1", "first page")
    assert [hit.title for hit in hits[1:]] == ["https://b.example/0", "https://b.example/1"]
    assert engine.asked == [{"q": ["protea flower & more"], "format": ["json"], "language": ["de"]}]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(403, b"", "answers 403; does it allow the format json"), (200, b"<html>", "something else than results")],
)
async def test_what_is_no_answer_is_told(engine: Engine, status: int, body: bytes, words: str) -> None:
    engine.status, engine.body = status, body
    with pytest.raises(SearchError, match=words):
        await asking(engine).search("x")


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
