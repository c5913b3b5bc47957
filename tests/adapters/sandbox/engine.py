"""A container engine for the tests, if one listens, and an image made here: nothing is pulled.

The image holds no program. Its folders are links into /usr, which the tests show to the commands (`readable`): so it is
made in a moment, and has whatever this machine has.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import tarfile

from protea.adapters.sandbox import docker
from protea.adapters.sandbox._engine import Engine, EngineError, find_socket, refusal, target

IMAGE = "protea-tests:1"
READABLE = tuple(path for path in ("/usr", "/etc/alternatives", "/opt") if os.path.isdir(path))


def _socket() -> str | None:
    with contextlib.suppress(EngineError):
        return find_socket(dict(os.environ))
    return None


OPTIONS = docker.Options(image=IMAGE, readable=READABLE, socket=_socket(), uncounted=True)


@functools.cache
def why_not() -> str | None:
    """Why containers cannot be tested here, or None; then the image is there."""
    try:
        engine = Engine(find_socket(dict(os.environ)))
        if engine.ask("GET", target("images", IMAGE, "json"), patience=3).status == 404:
            _import(engine)
    except EngineError as error:
        return error.strerror
    return None


def _import(engine: Engine) -> None:
    import http.client
    import socket

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in ("bin", "sbin", "lib", "lib64", "lib32"):
            if os.path.islink(f"/{name}"):
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(f"/{name}")
                tar.addfile(entry)
        for name in (
            "usr",
            "etc",
            "etc/alternatives",
            "tmp",
            "var",
            "var/tmp",
            "proc",
            "sys",
            "dev",
            "home",
            "root",
            "opt",
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, text in {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    connection = http.client.HTTPConnection("engine")
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(engine.path)
    connection.request("POST", target("images", "create", fromSrc="-", repo=IMAGE), data.getvalue())
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != 200 or b'"error"' in said:
        raise EngineError(f"the image for the tests cannot be made: {said[:300]!r}")
    if refusal(engine.ask("GET", target("images", IMAGE, "json"))):
        raise EngineError("the image for the tests is gone as soon as it was made")
