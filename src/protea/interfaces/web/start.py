"""`protea web`: what was asked for becomes a server, and a person is told where to find it. Called by `cli`."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address

from protea.domain.errors import UsageError
from protea.interfaces.arguments import Arguments, again
from protea.interfaces.manual import CHAT, EVERYWHERE
from protea.interfaces.web.door import LOCAL_NAMES, Door
from protea.interfaces.web.server import Serving, run

PORT = 7422

_ONCE = ("continue", "resume", "fork")
"""Flags that are for the first screen only: the others begin sessions of their own."""
_ELSEWHERE = ("help", "cwd")


def run_web(
    arguments: Arguments, cwd: str, environment: Mapping[str, str], home: str, write: Callable[[str], None]
) -> int:
    """Serve until it is ended. Returns the exit code; raises `UsageError` and `ConfigError`."""
    host, port = _address(arguments)
    token, pass_ = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    remote = arguments.has("allow_remote")
    names = (*LOCAL_NAMES, _bracketed(host), *((socket.gethostname().lower(),) if remote else ()))
    flags = (*CHAT, *EVERYWHERE)
    every = again(arguments, tuple(flag for flag in flags if flag.key not in (*_ONCE, *_ELSEWHERE)))
    serving = Serving(
        command=(*_protea(), f"--cwd={cwd}", *every),
        first=(*again(arguments, tuple(flag for flag in flags if flag.key in _ONCE)), *_prompt(arguments)),
        environment=environment,
        host=host,
        port=port,
        door=lambda taken: Door(token=token, pass_=pass_, port=taken, names=names, any_address=remote),
    )
    opened: list[str] = []

    def told(door: Door) -> None:
        shown = socket.gethostname() if host in ("0.0.0.0", "::") else _bracketed(host)
        url = f"http://{shown}:{door.port}/?token={door.token}"
        write(f"Protea in the browser: {url}\n")
        if remote:
            write("Other machines can reach it, and what is typed and shown is not encrypted on the way.\n")
        write("Ctrl+C ends it.\n")
        if _opens(arguments, environment):
            opened.append(_open(url, f"{home}/web", door.port))

    try:
        asyncio.run(run(serving, told))
    finally:
        for path in opened:
            with suppress(OSError):
                os.unlink(path)
    return 0


def _protea() -> tuple[str, ...]:
    """Starts this same Protea once more."""
    isolated = ("-I",) if sys.flags.isolated else ()
    return (sys.executable, *isolated, "-m", "protea")


def _prompt(arguments: Arguments) -> tuple[str, ...]:
    return ("--", *arguments.words) if arguments.words else ()


def _address(arguments: Arguments) -> tuple[str, int]:
    host = arguments.text("host") or "127.0.0.1"
    if host == "localhost":
        host = "127.0.0.1"
    host = host.removeprefix("[").removesuffix("]")
    if not _is_loopback(host) and not arguments.has("allow_remote"):
        raise UsageError(
            f"--host {host} lets other machines in, and nothing they send is encrypted; 'ssh -L' is the safe way, "
            "--allow-remote says that it is meant"
        )
    text = arguments.text("port")
    if text is None:
        return host, PORT
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise UsageError(f"--port takes a number from 0 to 65535, not '{text}'")
    return host, int(text)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _opens(arguments: Arguments, environment: Mapping[str, str]) -> bool:
    if arguments.has("open") or arguments.has("no_open"):
        return not arguments.has("no_open")
    if environment.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _open(url: str, folder: str, port: int) -> str:
    """Open the browser; the path of the file that leads it there.

    By a file that nobody else can read, not by the address itself: the words a program was started with can be read by
    everyone on the machine, and the token is among them.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = f"{folder}/open-{port}.html"
    with suppress(OSError):
        os.unlink(path)
    with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={url}">'
            f'<p><a href="{url}">Protea</a>\n'
        )
    # In a process of its own: some browsers are waited for, and what they write is not for the person at the shell.
    subprocess.Popen(
        [sys.executable, "-I", "-m", "webbrowser", f"file://{path}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return path
