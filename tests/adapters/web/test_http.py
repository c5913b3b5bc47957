"""Pages from a real server, and what is never connected to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protea.adapters.http.client import Client, Settings
from protea.adapters.http.errors import HttpError
from protea.adapters.http.guard import Guard, RefusedError
from protea.adapters.web import http, none
from protea.adapters.web._markdown import markdown
from protea.adapters.web._text import clean, shown
from protea.domain.surroundings import Surroundings
from protea.ports.web import Web, WebError
from protea.testing.contracts.web import WebContract
from protea.testing.web import ScriptedWeb
from tests.adapters.web.server import Site, serving

AROUND = Surroundings(cwd="/", root="/", user_home="/", protea_home="/nowhere", environment={})


class TestHttp(WebContract):
    @pytest.fixture(autouse=True)
    def _make(self) -> None:
        self._web = http.create(http.Options(), surroundings=AROUND)

    def web(self) -> Web:
        return self._web


class TestNone(WebContract):
    def web(self) -> Web:
        return none.create(none.Options())


class TestScripted(WebContract):
    def web(self) -> Web:
        return ScriptedWeb()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as made:
        yield made


@pytest.fixture
async def web(site: Site) -> AsyncIterator[Web]:
    made = http.create(http.Options(local_ports=(site.port,), timeout=20.0), surroundings=AROUND)
    yield made
    await made.aclose()


PAGE = """<!doctype html><html><head><title>A &amp; B</title><style>p {}</style></head><body><nav>Menu</nav>
<h1>Head</h1><p>Some <b>bold</b> <a href="/next">link</a>.<script>evil()</script></p>
<div style="display:none">unseen words</div><pre><code>x = 1
y = 2</code></pre><ul><li>one</li><li>two</li></ul></body></html>"""


async def test_a_page_comes_as_markdown(site: Site, web: Web) -> None:
    page = await web.fetch(site.page("/a", PAGE))
    assert (page.status, page.kind, page.title) == (200, "text/html", "A & B")
    assert "# Head" in page.text
    assert f"[link]({site.url('/next')})" in page.text
    assert "x = 1\ny = 2" in page.text
    assert "- one" in page.text
    assert not any(word in page.text for word in ("evil", "unseen", "p {}"))
    assert page.size == len(PAGE)


def test_without_the_library_it_is_much_the_same() -> None:
    text = markdown(PAGE, "https://x.org/")
    assert "# Head" in text
    assert "[link](https://x.org/next)" in text
    assert "```\nx = 1\ny = 2\n```" in text
    assert "- one\n- two" in text
    assert not any(word in text for word in ("evil", "unseen", "p {}", "Menu"))


async def test_text_json_and_other_letters_come_as_they_are(site: Site, web: Web) -> None:
    assert (await web.fetch(site.page("/t", "plain <b>", "text/plain"))).text == "plain <b>"
    assert (await web.fetch(site.page("/j", '{"a":[1]}', "application/json"))).text == '{\n  "a": [\n    1\n  ]\n}'
    assert (await web.fetch(site.page("/bad.json", "{nope", "application/json"))).text == "{nope"
    latin = site.page("/l", "<p>caf\xe9</p>".encode("latin-1"), "text/html; charset=iso-8859-1")
    assert (await web.fetch(latin)).text == "café"
    inside = site.page("/m", '<meta charset="latin1"><p>caf\xe9</p>'.encode("latin-1"), "text/html")
    assert "café" in (await web.fetch(inside)).text
    assert (await web.fetch(site.page("/w", "x", "text/html; charset=no-such-charset"))).text == "x"


async def test_what_a_person_would_not_see_is_taken_out(site: Site, web: Web) -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    said = f"a\u200bb\u202ec\x1b[31md\x07{hidden}"
    assert (await web.fetch(site.page("/x", said, "text/plain"))).text == "abcd\\x07"
    assert clean("e\u0301") == "é"


async def test_a_picture_is_refused_and_a_pdf_is_read(site: Site, web: Web) -> None:
    with pytest.raises(WebError, match=r"image/png .* cannot be read as text"):
        await web.fetch(site.page("/p.png", b"\x89PNG\r\n", "image/png"))
    with pytest.raises(WebError, match="cannot be read as text"):
        await web.fetch(site.page("/b", b"a\0b", "application/octet-stream"))
    pypdf = pytest.importorskip("pypdf", reason="the extra `media` is not installed")
    import io

    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    data = io.BytesIO()
    writer.write(data)
    assert (await web.fetch(site.page("/d", data.getvalue(), "application/pdf"))).text.startswith("── page 1")
    with pytest.raises(WebError, match="cannot be read as a PDF"):
        await web.fetch(site.page("/e", b"%PDF-1.4 nonsense", "application/pdf"))


async def test_a_failure_is_a_page_with_its_status(site: Site, web: Web) -> None:
    page = await web.fetch(site.url("/missing"))
    assert (page.status, page.text) == (404, "none")


async def test_redirects_within_the_host_are_followed_and_others_are_told(site: Site, web: Web) -> None:
    site.page("/end", "arrived", "text/plain")
    page = await web.fetch(site.redirect("/one", "/two"))
    assert page.status == 404
    site.redirect("/two", site.url("/end"), "308 Permanent Redirect")
    page = await web.fetch(site.url("/one"))
    assert (page.text, page.url) == ("arrived", site.url("/end"))
    before = len(site.asked)
    page = await web.fetch(site.redirect("/away", "https://evil.example/x?leak"))
    assert (page.moved_to, page.text) == ("https://evil.example/x?leak", "")
    assert len(site.asked) == before + 1


@pytest.mark.parametrize(
    "to",
    [
        *(
            "file:///etc/passwd",
            "//169.254.169.254/latest",
            "http://169.254.169.254/",
            "http://[::ffff:169.254.169.254]/",
        ),
        *("http://2852039166/", "http://0251.0376.0251.0376/", "http://10.0.0.1/", "http://localhost/", "gopher://x/"),
        *("http://127.0.0.1:1/", "javascript:alert(1)"),
    ],
)
async def test_a_redirect_into_the_network_is_not_followed(site: Site, web: Web, to: str) -> None:
    url = site.redirect("/hop", to)
    with contextlib.suppress(WebError):
        page = await web.fetch(url)
        assert (page.moved_to or "").endswith(to)
    assert site.asked == ["/hop"]


async def test_a_redirect_to_itself_ends(site: Site, web: Web) -> None:
    with pytest.raises(WebError, match="without end"):
        await web.fetch(site.redirect("/loop", "/loop"))
    assert len(site.asked) == 6


async def test_a_page_is_kept_for_a_while_and_failures_are_not(site: Site, web: Web) -> None:
    url = site.page("/kept", "one", "text/plain")
    assert not (await web.fetch(url)).cached
    site.page("/kept", "two", "text/plain")
    again = await web.fetch(url + "#part")
    assert (again.cached, again.text) == (True, "one")
    await web.fetch(site.url("/gone"))
    assert not (await web.fetch(site.url("/gone"))).cached


async def test_the_cache_is_bounded(site: Site) -> None:
    web = http.create(http.Options(local_ports=(site.port,), cache_pages=2, cache_bytes=100), surroundings=AROUND)
    urls = [site.page(f"/{name}", name * 40, "text/plain") for name in "abc"]
    for url in urls:
        await web.fetch(url)
    assert [(await web.fetch(url)).cached for url in reversed(urls)] == [True, True, False]
    await web.fetch(site.page("/big", "x" * 200, "text/plain"))
    assert not (await web.fetch(site.url("/big"))).cached
    await web.aclose()


async def test_size_time_and_compression_are_bounded(site: Site) -> None:
    options = http.Options(local_ports=(site.port,), max_bytes=1000, timeout=1.0)
    web = http.create(options, surroundings=AROUND)
    page = await web.fetch(site.page("/big", "x" * 5000, "text/plain"))
    assert (len(page.text), page.size, page.cut) == (1000, 1000, True)
    page = await web.fetch(site.zipped("/zip", b"y" * 100_000))
    assert (len(page.text), page.cut) == (1000, True)
    with pytest.raises(WebError, match="unfolds to more than"):
        await web.fetch(site.zipped("/bomb", b"\0" * (80 << 20)))
    with pytest.raises(WebError, match=r"longer than 1 s|did not begin to answer"):
        await web.fetch(site.url("/silent"))
    await web.aclose()


async def test_nothing_of_the_person_is_sent(site: Site, web: Web) -> None:
    await web.fetch(site.page("/a", "x", "text/plain", Set_Cookie="a=b"))
    await web.fetch(site.page("/b", "x", "text/plain"))
    assert all("cookie" not in head.lower() and "authorization" not in head.lower() for head in site.heads)
    with pytest.raises(WebError, match="a name or password, which is not sent"):
        await web.fetch(f"http://me:secret@127.0.0.1:{site.port}/a")
    assert len(site.asked) == 2


# ── what is never connected to ──────────────────────────────────────────────────────────────────────────────────────

PRIVATE = """
127.0.0.1 127.1 127.0.0.2 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 127.0.0.1. 0 0.0.0.0 0.1.2.3
10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 100.64.0.1 100.127.255.255 192.0.0.1 192.0.2.1
198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 168.63.129.16 3232235521 0xa9fea9fe
::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1
64:ff9b:1::10.0.0.1 2002:7f00:1:: 2002:a00:1:: 2001:0:4136:e378:8000:63bf:80ff:fffe fe80::1 fc00::1 fd00::1 ff02::1
2001:db8::1 100::1 3fff::1 192.88.99.2
""".split()  # noqa: SIM905 - as a list it would be a page of quotes
PUBLIC = ["93.184.216.34", "8.8.8.8", "1.1.1.1", "2606:2800:220:1::1", "64:ff9b::808:808", "192.88.100.2"]


@pytest.mark.parametrize("host", PRIVATE)
async def test_the_guard_refuses(host: str) -> None:
    with pytest.raises(RefusedError):
        await Guard().addresses(host, 80)


@pytest.mark.parametrize("host", PUBLIC)
async def test_the_guard_lets_pass(host: str) -> None:
    assert await Guard().addresses(host, 443) == [host]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_there_is_refused(address: str) -> None:
    from protea.domain.permission.address import numeric

    real = numeric(address)
    assert real is not None

    async def resolver(name: str, port: int) -> list[str]:
        return ["93.184.216.34", real]

    with pytest.raises(RefusedError):
        await Guard(resolver=resolver).addresses("innocent.example", 443)


async def test_ports_are_named() -> None:
    for port in (22, 25, 6379, 8080, 0):
        with pytest.raises(RefusedError):
            await Guard().addresses("93.184.216.34", port)
    with pytest.raises(RefusedError):
        await Guard(local_ports=frozenset({8080})).addresses("10.0.0.1", 8080)
    assert await Guard(local_ports=frozenset({8080})).addresses("127.0.0.1", 8080) == ["127.0.0.1"]


async def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_looked_at(site: Site) -> None:
    asked = 0

    async def resolver(name: str, port: int) -> list[str]:
        """The second answer leads into the network."""
        nonlocal asked
        asked += 1
        return ["127.0.0.1"] if asked == 1 else ["10.0.0.1"]

    site.page("/", "hello", "text/plain")
    client = Client(Settings(), {}, Guard(local_ports=frozenset({site.port}), resolver=resolver))
    response = await client.request("GET", site.url("/", "rebinding.example"))
    assert await response.read(100) == b"hello"
    assert asked == 1
    assert "Host: rebinding.example" in site.heads[0]
    await client.aclose()


async def test_behind_a_proxy_the_guard_looks_all_the_same(site: Site) -> None:
    async def resolver(name: str, port: int) -> list[str]:
        return ["192.168.1.1"]

    client = Client(Settings(), {"http_proxy": site.url("")}, Guard(resolver=resolver))
    with pytest.raises(HttpError, match="not a public address"):
        await client.request("GET", "http://inside.example/")
    assert site.asked == []
    await client.aclose()


@pytest.mark.parametrize(
    "url", ["http://localhost/", "http://x.localhost/", "http://printer.local/", "http://a.internal/"]
)
async def test_names_of_the_network_are_not_even_resolved(url: str) -> None:
    web = http.create(http.Options(), surroundings=AROUND)
    with pytest.raises(WebError, match="this machine or its network"):
        await web.fetch(url)
    await web.aclose()


async def test_a_port_of_this_machine_that_nobody_named_is_refused(site: Site) -> None:
    web = http.create(http.Options(local_ports=(site.port + 1,)), surroundings=AROUND)
    with pytest.raises(WebError):
        await web.fetch(site.page("/", "x"))
    assert site.asked == []
    await web.aclose()


async def test_many_at_once(site: Site, web: Web) -> None:
    urls = [site.page(f"/{n}", f"page {n}", "text/plain") for n in range(20)]
    pages = await asyncio.gather(*(web.fetch(url) for url in urls))
    assert [page.text for page in pages] == [f"page {n}" for n in range(20)]


def test_a_run_that_fetches_nothing_loads_nothing_for_it() -> None:
    import subprocess

    code = (
        "import sys; from protea.adapters.web import http; from protea.domain.surroundings import Surroundings;"
        "around = Surroundings(cwd='/', root='/', user_home='/', protea_home='/', environment={});"
        "http.create(http.Options(), surroundings=around);"
        "print(*(n for n in sys.modules if n in ('ssl', 'asyncio.base_events', 'html_to_markdown', 'pypdf')"
        " or n.startswith('protea.adapters.http')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "protea.adapters.http.client" not in done.stdout
    assert "html_to_markdown" not in done.stdout


def test_html_that_does_not_say_so_is_known_by_its_beginning() -> None:
    assert shown(b"<!DOCTYPE html><title>T</title><p>x", "", "https://x.org", cut=False)[:2] == ("T", "x")


@pytest.mark.parametrize(
    "to", ["file:///etc/hostname", "gopher://127.0.0.1:70/1x", "ftp://127.0.0.1/x", "dict://127.0.0.1:1/x"]
)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_to_another_scheme_is_told_and_nothing_is_read(
    site: Site, web: Web, to: str, status: str
) -> None:
    page = await web.fetch(site.redirect("/hop", to, status))
    assert (page.text, page.moved_to) == ("", to)
    assert site.asked == ["/hop"]
    with pytest.raises(WebError) as refused:
        await web.fetch(to)
    assert refused.value.trouble == "refused"


BOMB = """
import asyncio, gzip, io, json, resource, sys, zlib
sys.path[:0] = json.loads(sys.argv[1])
from protea.adapters.web import http
from protea.domain.surroundings import Surroundings
from protea.ports.web import WebError
from tests.adapters.web.server import serving

def packed(size, wrap):
    made = zlib.compressobj(1, zlib.DEFLATED, wrap)
    block = b"all work " * (1 << 17)
    return b"".join(made.compress(block) for _ in range(size)) + made.flush()

async def main():
    around = Surroundings(cwd="/", root="/", user_home="/h", protea_home="/h/.protea", environment={})
    bombs = {"gzip": packed(192, 31), "deflate": packed(192, 15), "twice": gzip.compress(packed(96, 31))}
    async with serving() as site:
        web = http.create(http.Options(local_ports=(site.port,), timeout=60.0), surroundings=around)
        await web.fetch(site.page("/plain", "x", "text/plain"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for name, data in bombs.items():
            encoding = "gzip, gzip" if name == "twice" else name
            url = site.page(f"/{name}", data, "text/plain", Content_Encoding=encoding)
            try:
                page = await web.fetch(url)
                came = f"{page.size} {page.cut}"
            except WebError as error:
                came = error.trouble
            print(json.dumps([name, len(data), came]))
        print(json.dumps(["more memory", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10, ""]))
        await web.aclose()
asyncio.run(main())
"""


def test_what_unfolds_to_hundreds_of_megabytes_costs_little_memory_and_is_given_up(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOMB, json.dumps([path for path in sys.path if path])],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = {name: (size, came) for name, size, came in map(json.loads, done.stdout.splitlines())}
    assert told.pop("more memory")[0] < 64
    assert len(told) == 3
    for name, (size, came) in told.items():
        assert size < 3 << 20, name
        assert came in ("refused", "unreachable", "5000000 True"), (name, came)


async def test_a_body_that_comes_a_byte_at_a_time_is_given_up_when_its_time_is_over() -> None:
    heard = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        parts = {
            "/body": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9999\r\n\r\n", b"x"),
            "/chunks": (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"1\r\nx\r\n",
            ),
            "/head": (b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n"),
        }
        first, again = parts[head.split(" ")[1]]
        with contextlib.suppress(ConnectionError):
            writer.write(first)
            while True:
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0.02)
        heard.set()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    web = http.create(http.Options(local_ports=(port,), timeout=0.6), surroundings=AROUND)
    for path in ("/body", "/chunks", "/head"):
        heard.clear()
        with pytest.raises(WebError) as given_up:
            async with asyncio.timeout(30):
                await web.fetch(f"http://127.0.0.1:{port}{path}")
        assert given_up.value.trouble in ("too_slow", "unreachable")
        async with asyncio.timeout(30):
            await heard.wait()  # the connection was closed, too
    await web.aclose()
    server.close()
