"""Language servers: a real one (ruff), and one that misbehaves in every way that was thought of."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.diagnostics import lsp, none
from protea.adapters.sandbox import bubblewrap
from protea.adapters.sandbox import none as no_sandbox
from protea.domain.diagnostics import Change
from protea.domain.errors import ConfigError
from protea.domain.surroundings import Surroundings
from protea.domain.tools import Diagnostic
from protea.ports.diagnostics import Diagnostics
from protea.ports.sandbox import Sandbox
from protea.testing.contracts.diagnostics import DiagnosticsContract
from protea.testing.contracts.sandbox import gone
from protea.testing.diagnostics import ScriptedDiagnostics

RUFF = os.path.dirname(shutil.which("ruff", path=os.path.dirname(sys.executable)) or "")
SERVER = Path(__file__).with_name("server.py")


class Place:
    """A project, and the servers that are asked about its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.root = self.folder / "a project"
        self.root.mkdir()
        self.journal = self.folder / "started"
        self.sandbox: Sandbox = no_sandbox.create(no_sandbox.Options())
        self.opened: list[Diagnostics] = []

    def around(self, path: str, *, trusted: bool = True) -> Surroundings:
        return Surroundings(
            cwd=str(self.root),
            root=str(self.root),
            user_home=str(self.folder),
            protea_home=str(self.folder / ".protea"),
            environment={"PATH": path, "HOME": str(self.folder)},
            trusted=trusted,
        )

    def real(self, path: str = f"{RUFF}:/usr/bin:/bin", *, trusted: bool = True, **options: Any) -> Diagnostics:
        made = lsp.create(
            lsp.Options(**{"only": ("ruff",), "wait": 30, "wait_first": 30, **options}),
            sandbox=self.sandbox,
            surroundings=self.around(path, trusted=trusted),
        )
        self.opened.append(made)
        return made

    def scripted(self, how: str, *, settings: dict[str, Any] | None = None, **options: Any) -> Diagnostics:
        server = lsp.Server(
            command=(sys.executable, "-S", str(SERVER), how, str(self.journal)),
            files={".txt": "plaintext"},
            settle=0.3 if how == "unversioned" else 0,
            settings=settings or {},
        )
        made = lsp.create(
            lsp.Options(**{"servers": {"odd": server}, "only": ("odd",), "wait": 30, "wait_first": 30, **options}),
            sandbox=self.sandbox,
            surroundings=self.around("/usr/bin:/bin"),
        )
        self.opened.append(made)
        return made

    def change(self, before: str | None, after: str | None, name: str = "a.txt") -> Change:
        path = self.root / name
        if after is not None:
            path.write_text(after)
        return Change(str(path), before, after)

    def starts(self) -> list[int]:
        return [int(line) for line in self.journal.read_text().split()] if self.journal.exists() else []


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    for each in made.opened:
        await each.aclose()
    await made.sandbox.aclose()
    for pid in made.starts():
        assert await gone(pid)


class _Suite(DiagnosticsContract):
    make: Callable[[Place], Diagnostics]

    @pytest.fixture(autouse=True)
    def _placed(self, place: Place) -> None:
        self._place = place
        self._made = type(self).make(place)

    def diagnostics(self) -> Diagnostics:
        return self._made

    def folder(self) -> str:
        return str(self._place.root)


class TestNone(_Suite):
    make = staticmethod(lambda place: none.create(none.Options()))


class TestScripted(_Suite):
    make = staticmethod(lambda place: ScriptedDiagnostics({"undefined_name": "there is none"}))


class TestRuff(_Suite):
    make = staticmethod(lambda place: place.real())


class TestRuffWithoutTrust(_Suite):
    make = staticmethod(lambda place: place.real(trusted=False))


class TestNothingInstalled(_Suite):
    make = staticmethod(lambda place: place.real("/nowhere"))


def messages(found: Any) -> list[str]:
    return [each.message for each in found]


def state(diagnostics: Diagnostics) -> tuple[str, str]:
    (server,) = diagnostics.servers()
    return server.state, server.told


# ── a real one ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_ruff_tells_what_an_edit_broke_and_nothing_that_was_broken_before(place: Place) -> None:
    servers = place.real()
    old = "import os\n\n\ndef f():\n    return nowhere\n"
    assert await servers.look([place.change(None, old, "a.py")]) != []
    new = old.replace("def f", "def g").replace("import os\n", "import os\n\nprint(os, gone)\n")
    assert await servers.look([place.change(old, new, "a.py")]) == [
        Diagnostic(
            path=str(place.root / "a.py"),
            line=3,
            column=11,
            message="Undefined name `gone`",
            code="F821",
            source="Ruff",
        )
    ]
    assert state(servers) == ("running", "")


async def test_a_change_behind_its_back_is_not_the_edits(place: Place) -> None:
    servers = place.real()
    await servers.look([place.change(None, "x = 1\n", "a.py")])
    assert messages(await servers.look([place.change("x = aaa\n", "x = aaa\ny = bbb\n", "a.py")])) == [
        "Undefined name `bbb`"
    ]


@pytest.mark.skipif(bubblewrap.find_bwrap(os.environ.get("PATH", ""), ()) is None, reason="bubblewrap is missing")
async def test_behind_walls_it_reads_the_project_and_cannot_write_in_it(place: Place) -> None:
    around = place.around(f"{RUFF}:/usr/bin:/bin")
    place.sandbox = bubblewrap.create(bubblewrap.Options(readable=(os.path.dirname(RUFF),)), surroundings=around)
    assert messages(await place.real().look([place.change(None, "gone()\n", "a.py")])) == ["Undefined name `gone`"]

    server = lsp.Server(command=("sh", "-c", "echo >here.txt"), files={".py": "python"})
    found = lsp.create(
        lsp.Options(servers={"w": server}, only=("w",), restarts=0), sandbox=place.sandbox, surroundings=around
    )
    place.opened.append(found)
    await found.look([place.change(None, "x\n", "b.py")])
    assert state(found)[0] == "failed"
    assert "Read-only file system" in state(found)[1]
    assert not (place.root / "here.txt").exists()


BROKEN = {
    "basedpyright": ("a.py", "def f() -> int:\n", "    return 1\n", "    return 'one'\n", "int"),
    "pyright": ("a.py", "def f() -> int:\n", "    return 1\n", "    return 'one'\n", "int"),
    "pylsp": ("a.py", "def f(x):\n", "    return x\n", "    return y\n", "undefined name 'y'"),
    "typescript": ("a.ts", "let n: number = 0\n", "n = 1\n", "n = 'one'\n", "not assignable"),
    "gopls": ("a.go", "package a\n\n", "var n int = 1\n", "var n int = one\n", "undefined"),
    "clangd": ("a.c", "int main(void) {\n", "    return 0; }\n", "    return x; }\n", "undeclared"),
    "rust-analyzer": ("src/main.rs", "fn main() {\n", "    let _n = 1; }\n", "    let _n: i32 = ; }\n", "expected"),
}
"""Server → a file, what it begins with, its last line, that line broken, a word of what is told."""


@pytest.mark.parametrize("name", BROKEN)
async def test_whatever_is_installed_here_tells_what_an_edit_broke(place: Place, name: str) -> None:
    servers = place.real(os.environ.get("PATH", ""), only=(name,), wait=60, wait_first=60)
    if state(servers)[0] == "missing":
        pytest.skip(f"{name} is not installed: {state(servers)[1]}")
    file, head, fine, broken, word = BROKEN[name]
    (place.root / file).parent.mkdir(exist_ok=True)
    (place.root / "Cargo.toml").write_text('[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\n')
    (place.root / "go.mod").write_text("module a\n\ngo 1.20\n")
    assert messages(await servers.look([place.change(None, head + fine, file)])) == []
    found = await servers.look([place.change(head + fine, head + broken, file)])
    # Some first tell what follows from it: the line that was changed is told of, in words that name it.
    assert any(word in each.message and each.line == head.count("\n") + 1 for each in found), found


# ── what there is ──────────────────────────────────────────────────────────────────────────────────────────────────


def program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\nexit 1\n")
    (folder / name).chmod(0o755)


async def test_of_a_family_the_first_that_is_found_is_asked(place: Place) -> None:
    for name in ("pylsp", "pyright-langserver", "gopls"):
        program(place.folder / "bin", name)
    servers = {each.name: each for each in place.real(str(place.folder / "bin"), only=()).servers()}
    assert servers["pyright"].state == servers["gopls"].state == "ready"
    assert (servers["pylsp"].state, servers["pylsp"].told) == ("resting", "pyright is asked instead")
    assert (servers["clangd"].state, servers["clangd"].told) == ("missing", "clangd is not on PATH")


async def test_what_rustup_puts_in_the_place_of_a_server_is_none(place: Place) -> None:
    program(place.folder / "bin", "rustup")
    (place.folder / "bin/rust-analyzer").symlink_to("rustup")
    chain = place.folder / ".rustup/toolchains/stable/bin"
    chain.mkdir(parents=True)

    def told() -> tuple[str, str]:
        return state(place.real(str(place.folder / "bin"), only=("rust-analyzer",)))

    assert told() == (
        "missing",
        f"{place.folder}/bin/rust-analyzer only stands for it: `rustup component add rust-analyzer` installs it",
    )
    program(chain, "rust-analyzer")
    assert told()[0] == "ready"
    (place.folder / "bin/rust-analyzer").unlink()
    os.link(place.folder / "bin/rustup", place.folder / "bin/rust-analyzer")
    (chain / "rust-analyzer").unlink()
    assert told()[0] == "missing", "it may be a hard link, too"


async def test_a_program_in_the_project_is_not_found_by_a_relative_path(place: Place) -> None:
    program(place.root / "bin", "ruff")
    here = os.getcwd()
    os.chdir(place.root)
    try:
        assert state(place.real("bin:.:"))[0] == "missing"
    finally:
        os.chdir(here)


async def test_without_trust_nothing_is_started(place: Place) -> None:
    servers = place.real(trusted=False)
    assert list(await servers.look([place.change(None, "gone()\n", "a.py")])) == []
    assert state(servers) == ("barred", "the project is not trusted")


async def test_a_name_that_is_no_server_is_told_with_those_there_are(place: Place) -> None:
    with pytest.raises(ConfigError, match=r"no language server 'rufff'; there are .*ruff"):
        place.real(only=("rufff",))


# ── one that misbehaves ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["", "unversioned", "spelling", "odd", "nonsense", "curious", "stubborn"])
async def test_habits_that_differ_are_understood(place: Place, how: str) -> None:
    servers = place.scripted(how, settings={"a": {"b": 7}})
    name = "with a space.txt"
    assert messages(await servers.look([place.change(None, "fine\nwrong\n", name)])) == ["this is wrong"]
    assert messages(await servers.look([place.change("fine\nwrong\n", "wrong\nwrong\n", name)])) == ["this is wrong"]
    if how == "curious":
        answers = json.loads(place.journal.with_name("started.answers").read_text())
        assert [each.get("result", each.get("error", {}).get("code")) for each in answers] == [
            [{"a": {"b": 7}}, 7],
            {"applied": False, "failureReason": "files are changed by nobody but the agent"},
            None,
            -32601,
        ]


async def test_columns_are_counted_in_characters(place: Place) -> None:
    (found,) = await place.scripted("").look([place.change(None, "é wrong\n")])
    assert (found.line, found.column) == (1, 3)


async def test_of_thousands_a_few_hundred_are_taken_in(place: Place) -> None:
    assert len(await place.scripted("many").look([place.change(None, "wrong\n")])) == 500


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("crash at once", "it ended by itself (exit code 1): no licence found"),
        ("junk", "it writes something else than messages"),
        ("huge", "it announces a message of 99,999,999,999 bytes"),
        ("no length", "it writes a message without a length"),
        ("not json", "it writes a message that is no JSON object of that length"),
        ("deep", "it writes a message that is no JSON object of that length"),
        ("short length", "it writes a message that is no JSON object of that length"),
        ("flood", "it wrote more than 64 MB at a stretch"),
        ("refuse", "it refuses: not today"),
    ],
)
async def test_one_that_cannot_be_talked_to_is_ended_and_said_why(place: Place, how: str, why: str) -> None:
    servers = place.scripted(how, restarts=0)
    assert list(await servers.look([place.change(None, "wrong\n")])) == []
    assert state(servers) == ("failed", why)
    assert await gone(place.starts()[0])
    assert list(await servers.look([place.change(None, "wrong\n")])) == []
    assert len(place.starts()) == 1


async def test_one_that_crashes_is_started_again_so_many_times_and_no_more(place: Place) -> None:
    servers = place.scripted("crash", restarts=2)
    for number in range(5):
        await servers.look([place.change(None, "boom wrong\n")])
        assert len(place.starts()) == min(number + 1, 3)
    assert state(servers) == ("failed", "it ended by itself (exit code 3)")


async def test_after_a_crash_the_next_edit_is_looked_at_again(place: Place) -> None:
    servers = place.scripted("crash")
    await servers.look([place.change(None, "boom\n")])
    assert state(servers)[0] == "resting"
    assert messages(await servers.look([place.change("fine\n", "wrong\n")])) == ["this is wrong"]


async def test_one_that_hangs_holds_nobody_up_for_long_and_is_ended_in_the_end(place: Place) -> None:
    servers = place.scripted("hang", wait=0.2, wait_first=0.2)
    async with asyncio.timeout(30):
        while not place.starts():
            assert list(await servers.look([place.change(None, "wrong\n")])) == []
        await servers.aclose()
    assert await gone(place.starts()[0])


async def test_one_that_reads_nothing_is_not_written_to_for_ever(place: Place) -> None:
    servers = place.scripted("deaf", wait=0.1, wait_first=0.1)
    async with asyncio.timeout(30):
        while not place.starts():
            assert list(await servers.look([place.change(None, "wrong\n" * 100_000)])) == []
        await servers.aclose()
    assert await gone(place.starts()[0])


async def test_what_comes_too_late_is_told_with_the_next_look(place: Place) -> None:
    servers = place.scripted("late", wait=0.2)
    await servers.look([place.change(None, "fine\n", "b.txt")])
    assert list(await servers.look([place.change(None, "slow wrong\n")])) == []
    place.journal.with_name("started.go").touch()
    async with asyncio.timeout(30):
        late: list[str] = []
        text = "fine\n"
        while not late:
            late = messages(await servers.look([place.change(text, text + "fine\n", "b.txt")]))
            text += "fine\n"
    assert late == ["this is wrong"]
    assert list(await servers.look([place.change(text, text, "b.txt")])) == []


async def test_one_that_nobody_needs_is_ended_and_started_again_when_somebody_does(place: Place) -> None:
    servers = place.scripted("", idle=0.05)
    await servers.look([place.change(None, "fine\n")])
    assert await gone(place.starts()[0])
    assert messages(await servers.look([place.change("fine\n", "wrong\n")])) == ["this is wrong"]
    assert len(place.starts()) == 2


async def test_a_file_of_another_kind_starts_nothing(place: Place) -> None:
    servers = place.scripted("")
    await servers.look([place.change(None, "wrong\n", "a.md")])
    assert state(servers)[0] == "ready"
    assert place.starts() == []
