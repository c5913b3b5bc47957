"""Names that lead elsewhere at the second look: a real name server, the system's own resolver, real sockets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("rebinding.py")
SPELLED = (
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25lo]/",
    "http://[fe80::1%lo]/",
    "http://[::1%25lo]/",
    "http://[::ffff:127.0.0.1%25lo]/",
    "http://[::]/",
    "http://0/",
    "http://127.1/",
)
LED = (
    "private.example",
    "mixed.example",
    "mapped.example",
    "nat64.example",
    "sixtofour.example",
    "link.example",
    "zero.example",
    "metadata.example",
)
URLS = (
    "http://steady.example/",
    "http://turns.example/",
    "http://turns6.example/",
    "http://turns.example/hop",
    *(f"http://{name}/" for name in LED),
    *SPELLED,
)


@cache
def outcome() -> dict[str, dict[str, Any]] | str:
    """URL → what came of it; or why that cannot be tried here."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "this needs network namespaces"
    namespaces = ["unshare", "--mount", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    prepare = (
        'printf "nameserver 127.0.0.1\\noptions timeout:2 attempts:1\\n" > "$1/r"; printf "hosts: dns\\n" > "$1/n"'
    )
    mounts = f'set -e; {prepare}; mount --bind "$1/r" /etc/resolv.conf; mount --bind "$1/n" /etc/nsswitch.conf; shift'
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *(*namespaces, "sh", "-c", f'{mounts}; exec "$@"', "sh", folder),
                *(sys.executable, str(SCRIPT), json.dumps(URLS)),
            ],
            capture_output=True,
            text=True,
            timeout=100,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    if done.returncode and not done.stdout:
        return f"no network of its own can be had: {done.stderr.strip().splitlines()[-1:]}"
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["url"]: line for line in lines}


def of(url: str) -> dict[str, Any]:
    found = outcome()
    if isinstance(found, str):
        pytest.skip(found)
    return found[url]


def test_a_name_that_stays_where_it_is_is_read() -> None:
    found = of("http://steady.example/")
    assert (found["came"], found["heard"]) == ("public", ["public"])


@pytest.mark.parametrize("name", ["turns.example", "turns6.example"])
def test_what_is_connected_to_is_the_address_that_was_looked_at(name: str) -> None:
    found = of(f"http://{name}/")
    assert (found["came"], found["heard"]) == ("public", ["public"])
    assert found["asked"] == {name: 1}, "a second look would have led inside"


def test_each_hop_is_looked_at_anew_and_refused_where_it_leads_inside_by_now() -> None:
    found = of("http://turns.example/hop")
    assert found["heard"] == ["public"]
    assert found["came"].startswith("refused: ")
    assert found["asked"] == {"turns.example": 2}


@pytest.mark.parametrize("name", LED)
def test_a_name_that_leads_inside_is_refused_unvisited(name: str) -> None:
    found = of(f"http://{name}/")
    assert found["heard"] == []
    assert found["came"].startswith(("refused: ", "unreachable: ")), found["came"]


@pytest.mark.parametrize("url", SPELLED)
def test_no_spelling_of_this_machine_is_visited(url: str) -> None:
    found = of(url)
    assert found["heard"] == []
    assert found["came"].startswith("refused: "), found["came"]
