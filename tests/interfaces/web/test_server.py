"""`protea web` from outside, by what is not a browser: what it refuses, and how screens live and end."""

from __future__ import annotations

import os
import re
import resource
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import cycle
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from protea.interfaces.web.server import _FILES
from tests.interfaces.web.served import PATIENCE, Client, Served, is_alive
from tests.journeys.world import World

STATIC = Path(__file__).parents[3] / "src/protea/interfaces/web/static"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served") / "world") as running:
        yield running


# ── what is refused ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_token_opens_the_page_and_leaves_a_cookie(served: Served) -> None:
    answer = served.get(f"/?token={served.token}")
    assert answer.status == 200
    assert "HttpOnly; SameSite=Strict" in answer.headers["Set-Cookie"]
    assert served.token not in answer.headers["Set-Cookie"]
    assert served.get("/", {"Cookie": served.cookie()}).status == 200


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/?token=a&token=b", "/?screen=12345678"])
def test_without_it_there_is_a_page_that_says_how(served: Served, path: str) -> None:
    answer = served.get(path)
    assert answer.status == 403
    assert "protea web" in answer.text  # type: ignore[attr-defined]
    assert "Set-Cookie" not in answer.headers


def test_a_wrong_token_is_refused_even_with_the_cookie(served: Served) -> None:
    assert served.get("/?token=wrong", {"Cookie": served.cookie()}).status == 403


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/socket"])
def test_another_name_for_this_machine_gets_nothing(served: Served, path: str) -> None:
    answer = served.get(path, {"Host": f"evil.example:{served.port}", "Cookie": served.cookie()})
    assert answer.status == 421


def test_only_get_is_answered_and_only_what_is_listed(served: Served) -> None:
    assert served.get("/", method="POST").status == 405
    for path in (
        "/etc/passwd",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/",
        "/static/page.html",
        "//",
    ):
        assert served.get(path, {"Cookie": served.cookie()}).status == 404


def test_every_answer_says_what_a_browser_must_not_do(served: Served) -> None:
    for path in ("/", f"/?token={served.token}", "/nothing", "/static/page.js"):
        answer = served.get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        sources = re.search(r"connect-src ([^;]*);", answer.headers["Content-Security-Policy"])
        assert sources
        assert sources[1] in ("'self'", f"'self' ws://127.0.0.1:{served.port}")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_websocket_of_another_page_is_refused(served: Served, origin: str | None) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            f"ws://127.0.0.1:{served.port}/socket",
            origin=origin,  # type: ignore[arg-type]  # a new type of str
            additional_headers={"Cookie": served.cookie()},
        ),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_one_without_the_cookie_is_refused(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        Client(served, "nobody-1", cookie="")
    assert refused.value.response.status_code == 403


def test_the_cookie_alone_shows_no_screen(served: Served) -> None:
    # A browser sends it to every port of this machine, whoever listens there.
    before = served.screens()
    for token in ("", "wrong", "é"):
        assert Client(served, "nobody-1", token=token).closed()[0] == 4403
    assert Client(served, "../../etc").closed()[0] == 4403
    assert served.screens() == before


def test_what_is_no_page_gets_no_screen(served: Served) -> None:
    deep = '{"token":' + "[" * 4000
    for words in ("", "{}", "[1]", '{"token":1}', deep, '{"z":' + "[" * 4000, b'{"token":"\xff"}', "9" * 5000):
        with connect(
            f"ws://127.0.0.1:{served.port}/socket",
            origin=served.base.rstrip("/"),  # type: ignore[arg-type]  # a new type of str
            additional_headers={"Cookie": served.cookie()},
        ) as client:
            client.send(words)
            with suppress(ConnectionClosed):
                for _ in client:
                    pass
            assert client.close_code == 4403


def test_who_has_not_said_the_token_is_not_listened_to_for_long(served: Served) -> None:
    with connect(
        f"ws://127.0.0.1:{served.port}/socket",
        origin=served.base.rstrip("/"),  # type: ignore[arg-type]  # a new type of str
        additional_headers={"Cookie": served.cookie()},
    ) as client:
        client.send("x" * 10_000)
        with suppress(ConnectionClosed):
            client.recv(timeout=PATIENCE)
        assert client.close_code == 1009


def test_hundreds_who_say_nothing_keep_nobody_out_and_are_not_kept(tmp_path: Path) -> None:
    with Served(tmp_path / "world") as served, ExitStack() as open_ones:
        person = Client(served, "screen-crowd")
        person.see(" NORMAL ")
        resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (256, 256))
        silent = [open_ones.enter_context(socket.create_connection(("127.0.0.1", served.port))) for _ in range(400)]
        for each in silent[::2]:
            with suppress(OSError):
                each.sendall(b"GET / HTTP/1.1\r\n")  # and the rest never comes
        assert served.get(f"/?token={served.token}").status == 200
        other = Client(served, "screen-beside")
        other.see(" NORMAL ")
        person.type("still here")
        person.see("still here")
        assert select.select([silent[0]], [], [], PATIENCE)[0]
        with suppress(ConnectionResetError):
            assert silent[0].recv(1) == b""
        assert len(os.listdir(f"/proc/{served.process.pid}/fd")) < 100
        person.leave()
        other.leave()


def test_where_no_more_files_can_be_opened_nothing_is_said_at_the_shell_and_it_goes_on_later(tmp_path: Path) -> None:
    with Served(tmp_path / "world") as served:
        limits = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        with socket.create_connection(("127.0.0.1", served.port)) as kept_waiting:
            assert not select.select([kept_waiting], [], [], 0.5)[0]
            resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, limits)
            assert served.get(f"/?token={served.token}").status == 200
        served.process.terminate()
        assert served.process.wait(PATIENCE) == 0
        assert served.process.stderr is not None
        assert served.process.stderr.read() == b""


def test_every_file_that_is_served_is_there_and_asks_for_nothing_from_elsewhere() -> None:
    for name in _FILES:
        text = (STATIC / name).read_text()
        imported = re.findall(r"""(?:from|import)\s*\(?["']([^"']+)["']""", text) if name == "page.js" else []
        assert all(each.removeprefix("./") in _FILES for each in imported), imported
        assert not re.search(r"""(?:fetch|importScripts)\(\s*["'`]http|@import|url\(["']?http""", text), name
    for name in ("page.html", "refused.html"):
        text = (STATIC / name).read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|https?://|style=", text), name
        for path in re.findall(r"""(?:src|href)="([^"]+)\"""", text):
            assert path.removeprefix("/static/") in _FILES


# ── how it is started ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--host", "0.0.0.0"], "--allow-remote"),
        (["--host", "example.com"], "--allow-remote"),
        (["--port", "70000"], "--port"),
        (["--port", "x"], "--port"),
        (["--permission-mode", "paln"], "plan"),
        (["--profile", "no-such-profile"], "no-such-profile"),
        (["--fork"], "--fork"),
    ],
)
def test_what_cannot_be_meant_is_one_line_at_the_shell(tmp_path: Path, words: list[str], named: str) -> None:
    done = World(tmp_path).run("web", "--no-open", *words)
    assert done.returncode == 1
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = World(tmp_path).run("web", "--no-open", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr


def test_the_browser_is_led_in_by_a_file_of_ones_own_and_the_token_is_no_argument(tmp_path: Path) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    os.mkfifo(seen)
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}\n')
    browser.chmod(0o700)
    with Served(tmp_path / "world", "--open", BROWSER=str(browser)) as served:
        [given] = seen.read_text().splitlines()
        assert given.startswith("file://")
        assert served.token not in given
        page = Path(given.removeprefix("file://"))
        assert page.stat().st_mode & 0o777 == 0o600
        assert page.parent.stat().st_mode & 0o777 == 0o700
        assert served.url in page.read_text()
    assert not page.exists()


def test_any_address_of_the_loopback_is_answered_by_its_name(tmp_path: Path) -> None:
    with Served(tmp_path / "world", "--host=127.0.0.2") as served:
        assert served.base == f"http://127.0.0.2:{served.port}/"
        with socket.create_connection(("127.0.0.2", served.port)) as page:
            page.sendall(f"GET /?token={served.token} HTTP/1.1\r\nHost: 127.0.0.2:{served.port}\r\n\r\n".encode())
            assert page.recv(20).startswith(b"HTTP/1.1 200")


def test_other_machines_are_let_in_only_where_that_was_said_and_names_are_not(tmp_path: Path) -> None:
    with Served(tmp_path / "world", "--host=0.0.0.0", "--allow-remote") as served:
        assert served.process.stdout is not None
        assert "not encrypted" in served.process.stdout.readline().decode()
        assert served.get(f"/?token={served.token}").status == 200
        assert served.get(f"/?token={served.token}", {"Host": "192.0.2.7:80"}).status == 200
        assert served.get(f"/?token={served.token}", {"Host": "evil.example"}).status == 421
        assert served.get("/").status == 403


# ── screens ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_screen_stays_while_nobody_looks_and_is_drawn_whole_for_who_comes_back(served: Served) -> None:
    first = Client(served, "screen-back")
    first.see(" NORMAL ")
    first.type("find every TODO in src\r")
    first.see(" out ")
    first.leave()
    running = served.screens()
    second = Client(served, "screen-back")
    second.see("find every TODO in src")
    second.see(" NORMAL ")
    assert served.screens() == running
    second.leave()


def test_one_that_has_drawn_much_draws_itself_anew_and_takes_the_terminal_again(served: Served) -> None:
    first = Client(served, "screen-much")
    first.see(" NORMAL ")
    first.type("list files\r")
    first.see(" out ")
    sizes = cycle(range(100, 150))
    deadline = time.monotonic() + PATIENCE
    while len(first.shown) < 80_000 and time.monotonic() < deadline:
        first.socket.send(f'{{"columns": {next(sizes)}, "rows": 40}}')  # it is drawn whole, some at a time as one
        with suppress(TimeoutError):
            first.shown += first.socket.recv(timeout=1)  # type: ignore[operator]  # it sends bytes
    first.leave()
    second = Client(served, "screen-much")
    for mode in ("\x1b[?1049h", "\x1b[?1003h", "\x1b[?2004h", "list files", " NORMAL "):
        second.see(mode)
    second.leave()


def test_two_pages_of_one_screen_are_not_shown_it_at_once(served: Served) -> None:
    first = Client(served, "screen-twice")
    first.see(" NORMAL ")
    second = Client(served, "screen-twice")
    assert first.closed()[0] == 4001
    second.see(" NORMAL ")
    second.leave()


def test_a_screen_that_is_left_says_so_and_its_session_is_gone_on_with(served: Served) -> None:
    first = Client(served, "screen-left")
    first.see(" NORMAL ")
    first.type("find every TODO in src\r")
    first.see("\x1b]7742;session;")
    first.see(" out ")
    session = first.shown.rpartition(b"7742;session;")[2].partition(b"\x07")[0].decode()
    first.type("\x03\x03")
    assert first.closed() == (4000, "0")
    second = Client(served, "screen-left", session=session)
    second.see("find every TODO in src")
    second.leave()


def test_one_that_is_suspended_goes_on_at_once(served: Served) -> None:
    client = Client(served, "screen-z")
    client.see(" NORMAL ")
    client.type("\x1a")
    client.shown = b""
    client.type("still here")
    client.see("still here")
    client.leave()


def test_a_paste_of_a_megabyte_arrives_whole(served: Served) -> None:
    client = Client(served, "screen-paste")
    client.see(" NORMAL ")
    client.type("\x1b[200~" + "0123456789abcdef\n" * 65536 + "\x1b[201~")
    client.see("lines")
    client.leave()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_screens_first(tmp_path: Path, number: int) -> None:
    with Served(tmp_path / "world") as served:
        client = Client(served, "screen-end")
        client.see(" NORMAL ")
        [screen] = served.screens()
        served.process.send_signal(number)
        assert client.closed()[0] == 4002
        assert served.process.wait(PATIENCE) == 0
        assert served.process.stderr is not None
        assert served.process.stderr.read() == b""
        assert not is_alive(screen)


def test_no_screen_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    with Served(tmp_path / "world") as served:
        client = Client(served, "screen-kill")
        client.see(" NORMAL ")
        os.mkfifo(served.world.project / "told")
        client.type("!echo $$ > told; exec sleep 1234\r")
        command = int((served.world.project / "told").read_text())
        [screen] = served.screens()
        watched = [os.pidfd_open(screen), os.pidfd_open(command)]
        served.process.kill()
        served.process.wait()
        for descriptor in watched:
            assert select.select([descriptor], [], [], PATIENCE)[0], "it lives on"
            os.close(descriptor)


def test_each_screen_is_started_as_was_asked(tmp_path: Path) -> None:
    with Served(tmp_path / "world", "--permission-mode", "plan", "--allow", "Bash(ls:*)", "look around") as served:
        first = Client(served, "screen-one")
        first.see(" PLAN ")
        first.see("look around")
        second = Client(served, "screen-two")
        second.see(" PLAN ")
        lines = subprocess.run(
            ["ps", "-ww", "-o", "args=", "--ppid", str(served.process.pid)], capture_output=True, text=True, check=True
        ).stdout
        asked = [line for line in lines.splitlines() if "--cwd" in line]
        assert len(asked) == 2
        assert all("--permission-mode=plan" in line and "--allow=Bash(ls:*)" in line for line in asked)
        assert sum("look around" in line for line in asked) == 1  # the prompt is the first one's
        assert served.token not in lines
