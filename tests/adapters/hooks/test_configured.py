"""Hooks as programs, addresses and functions: real ones."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.hooks import configured, none
from protea.adapters.hooks.configured import ConfiguredHooks, Hook, Options
from protea.adapters.sandbox import none as no_sandbox
from protea.domain.errors import ConfigError
from protea.domain.hooks import HookMoment, HookSaid
from protea.domain.surroundings import Surroundings
from protea.ports.hooks import Hooks
from protea.ports.sandbox import Sandbox
from protea.testing.contracts.hooks import HooksContract

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = no_sandbox.create(no_sandbox.Options())
    yield made
    await made.aclose()


class Desk:
    """A project with scripts in it, and hooks over it."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root, self.sandbox = root, sandbox
        self.environment = {"PATH": os.environ["PATH"], "SOME_API_KEY": "hush"}

    def script(self, name: str, text: str) -> tuple[str, ...]:
        (self.root / name).write_text(text)
        return (sys.executable, name)

    def hooks(self, **options: tuple[Hook, ...]) -> ConfiguredHooks:
        root = str(self.root)
        around = Surroundings(
            cwd=root,
            root=root,
            user_home=root,
            protea_home=root,
            environment=self.environment,
        )
        return configured.create(Options(**options), sandbox=self.sandbox, surroundings=around)

    async def before(self, *hooks: Hook, command: str = "make") -> list[HookSaid]:
        made = self.hooks(before_tool=hooks)
        said = await made.run(
            HookMoment(
                moment="before_tool", session="s", cwd=str(self.root), tool="Bash", arguments={"command": command}
            )
        )
        await made.aclose()
        return list(said)


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    return Desk(Path(os.path.realpath(tmp_path)), sandbox)


class TestConfigured(HooksContract):
    @pytest.fixture(autouse=True)
    def _desk(self, desk: Desk) -> None:
        self._hooks = desk.hooks(
            before_tool=(Hook(match="Bash", command=("cat",)),), prompt=(Hook(command=("echo", "hello")),)
        )

    def hooks(self) -> Hooks:
        return self._hooks


class TestNone(HooksContract):
    def hooks(self) -> Hooks:
        return none.create(none.Options())


async def test_a_command_is_told_the_call_and_nothing_secret(desk: Desk) -> None:
    command = desk.script(
        "hook.py",
        "import json, os, sys\n"
        "told = json.load(sys.stdin)\n"
        "open('told.json', 'w').write(json.dumps([told, dict(os.environ), os.getcwd()]))\n",
    )
    assert await desk.before(Hook(command=command)) == [HookSaid(hook=" ".join(command))]
    told, environment, cwd = json.loads((desk.root / "told.json").read_text())
    assert told["hook_event_name"] == "PreToolUse"
    assert (told["tool_name"], told["tool_input"]) == ("Bash", {"command": "make"})
    assert cwd == environment["PROTEA_PROJECT"] == str(desk.root)
    assert "hush" not in str(environment)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.stderr.write('not on a Friday'); sys.exit(2)", {"verdict": "deny", "why": "not on a Friday"}),
        ("import sys; sys.exit(2)", {"verdict": "deny", "why": "the hook said no"}),
        ('print(\'{"decision": "ask", "reason": "look"}\')', {"verdict": "ask", "why": "look"}),
        ("print('plain words')", {}),
        ("pass", {}),
        ('print(\'{"updatedInput": {"command": "ls"}}\')', {"arguments": {"command": "ls"}}),
    ],
)
async def test_a_command_answers_by_exit_code_and_json(desk: Desk, code: str, expected: dict[str, Any]) -> None:
    (said,) = await desk.before(Hook(command=desk.script("hook.py", code), name="h"))
    assert said == HookSaid(hook="h", **expected)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import sys; sys.stderr.write('oops'); sys.exit(1)", "exit code 1: oops"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("print('{not json')", "failed"),
        ('print(\'{"decision": "perhaps"}\')', "it decided 'perhaps'"),
        ("while True: print('x' * 1000)", "more than"),
    ],
)
async def test_a_hook_that_fails_is_seen_and_a_strict_one_denies(desk: Desk, code: str, problem: str) -> None:
    command = desk.script("hook.py", code)
    loose, strict = await desk.before(Hook(command=command), Hook(command=command, strict=True))
    assert problem in loose.failed
    assert (loose.verdict, strict.verdict) == (None, "deny")
    assert problem in strict.why


FUNCTIONS = """
import asyncio, sys, time

def exits(told): sys.exit(3)
def interrupts(told): raise KeyboardInterrupt
def stops(told): raise StopIteration
def deep(told): return deep(told)
async def exits_later(told): sys.exit(3)
async def interrupts_later(told): raise KeyboardInterrupt
async def cancels(told): raise asyncio.CancelledError
def in_itself(told):
    answer = {}
    answer["updatedInput"] = answer
    return answer
def no_json(told): return {"updatedInput": {"command": object()}}
def no_text(told): return {"decision": "ask", "reason": "\\ud800"}
"""


@pytest.mark.parametrize("name", re.findall(r"def (\w+)", FUNCTIONS))
async def test_a_function_that_would_end_more_than_itself_has_failed(desk: Desk, name: str) -> None:
    (desk.root / "hooks.py").write_text(FUNCTIONS)
    (said,) = await desk.before(Hook(python=f"hooks.py:{name}", strict=True))
    assert said.verdict == "deny"
    assert said.failed


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "\nimport nowhere\n",
            "it cannot be imported: ModuleNotFoundError: No module named 'nowhere' ({file}, line 2)",
        ),
        ("x = 1\ny = (\n", "it cannot be imported: SyntaxError: '(' was never closed ({file}, line 2)"),
        ("def check(told):\n    return told['no']\n", "KeyError: 'no' ({file}, line 2)"),
        ("async def check(told):\n\n    return 1 / 0\n", "ZeroDivisionError: division by zero ({file}, line 3)"),
        ("def check(told):\n    return 'no'\n", "its answer is no JSON object"),
        ("def check(told):\n    return {1j: 2}\n", "what it returned is no JSON"),
    ],
)
async def test_a_mistake_in_a_file_is_told_with_its_line(desk: Desk, text: str, problem: str) -> None:
    (desk.root / "hooks.py").write_text(text)
    (said,) = await desk.before(Hook(python="hooks.py:check", name="h"))
    assert said.failed.startswith(f"the hook h failed: {problem.format(file=desk.root / 'hooks.py')}")


async def test_what_helps_stands_behind_what_failed(desk: Desk) -> None:
    (desk.root / "plain").write_text("#!/bin/sh\n")
    missing, plain, quiet, words = await desk.before(
        Hook(command=("no-such-program",)),
        Hook(command=("./plain",)),
        Hook(command=("false",)),
        Hook(command=("echo", "{oops")),
    )
    assert missing.failed.endswith("(give its whole path, or put it on PATH)")
    assert "chmod +x" in plain.failed
    assert quiet.failed.endswith("exit code 1, and nothing on standard error")
    assert words.failed.endswith("it begins '{oops'")


async def test_a_command_of_ones_home_is_found_there(desk: Desk) -> None:
    (desk.root / "in-home").write_text('#!/bin/sh\necho \'{"decision": "ask"}\'\n')
    (desk.root / "in-home").chmod(0o755)
    (said,) = await desk.before(Hook(command=("~/in-home",)))
    assert (said.verdict, said.failed, said.hook) == ("ask", "", "~/in-home")


async def test_a_file_of_functions_that_ends_python_when_it_is_read_has_failed(desk: Desk) -> None:
    (desk.root / "hooks.py").write_text("import sys\nsys.exit(0)\n")
    (said,) = await desk.before(Hook(python="hooks.py:check"))
    assert "it called sys.exit(0)" in said.failed


async def test_what_a_function_changes_in_what_it_is_told_is_no_answer(desk: Desk) -> None:
    (desk.root / "hooks.py").write_text("def check(told): told['tool_input']['command'] = 'rm -rf ~'\n")
    moment = HookMoment(moment="before_tool", session="s", cwd="/", tool="Bash", arguments={"command": "make"})
    (said,) = await desk.hooks(before_tool=(Hook(python="hooks.py:check"),)).run(moment)
    assert (said.arguments, moment.arguments) == (None, {"command": "make"})


async def test_a_function_that_does_not_let_itself_be_ended_is_not_waited_for(desk: Desk) -> None:
    (desk.root / "hooks.py").write_text(
        "import asyncio\n"
        "async def check(told):\n"
        "    for _ in range(2):\n"
        "        try:\n"
        "            await asyncio.Event().wait()\n"
        "        except asyncio.CancelledError:\n"
        "            pass\n"
    )
    (said,) = await desk.before(Hook(python="hooks.py:check", timeout=0.1))
    assert "it took longer than 0.1 s" in said.failed


def test_a_function_that_never_returns_does_not_keep_the_process(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text("import threading\ndef check(told): threading.Event().wait()\n")
    code = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from protea.adapters.hooks.configured import Hook\nfrom protea.adapters.sandbox import none\n"
        "from tests.adapters.hooks.test_configured import Desk\n"
        "desk = Desk(Path(sys.argv[1]), none.create(none.Options()))\n"
        "print(asyncio.run(desk.before(Hook(python='hooks.py:check', timeout=0.1)))[0].failed)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "it took longer" in done.stdout


async def test_a_hook_that_hangs_is_ended_with_all_it_started(desk: Desk) -> None:
    command = desk.script(
        "hook.py",
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "open('child', 'w').write(str(child.pid))\n"
        "time.sleep(600)\n",
    )
    (said,) = await desk.before(Hook(command=command, timeout=1.5))
    assert "longer than 1.5 s" in said.failed
    child = int((desk.root / "child").read_text())
    async with asyncio.timeout(30):
        while _runs(child):  # noqa: ASYNC110 - nothing tells of the end of somebody else's child
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_program_that_is_missing_fails_in_words(desk: Desk) -> None:
    (said,) = await desk.before(Hook(command=("no-such-program",), strict=True))
    assert said.verdict == "deny"
    assert "no-such-program" in said.failed


async def test_a_later_hook_is_told_what_an_earlier_one_rewrote(desk: Desk) -> None:
    first = desk.script("first.py", 'print(\'{"updatedInput": {"command": "ls"}}\')')
    second = desk.script("second.py", "import sys; open('seen.json', 'w').write(sys.stdin.read())")
    await desk.before(Hook(command=first), Hook(command=second))
    assert json.loads((desk.root / "seen.json").read_text())["tool_input"] == {"command": "ls"}


async def test_only_hooks_about_the_tool_are_asked(desk: Desk) -> None:
    hooks = desk.hooks(before_tool=(Hook(match="Edit|Write", command=("false",)),))
    assert (hooks.wants("before_tool", "Bash"), hooks.wants("before_tool", "Write")) == (False, True)
    assert hooks.wants("after_tool", "Write") is False
    assert await desk.before(Hook(match="Edit", command=("false",))) == []


async def test_a_function_may_wait_or_not(desk: Desk) -> None:
    (desk.root / "mine.py").write_text(
        "def no(told):\n    return {'decision': 'deny', 'reason': told['tool_input']['command']}\n"
        "async def later(told):\n    return None\n"
        "def broken(told):\n    raise RuntimeError('oops')\n"
    )
    no, later, broken, gone = await desk.before(
        *(Hook(python=f"mine.py:{name}") for name in ("no", "later", "broken", "gone"))
    )
    assert (no.verdict, no.why) == ("deny", "make")
    assert later == HookSaid(hook="mine.py:later")
    assert "oops" in broken.failed
    assert "no function gone" in gone.failed


class Answers:
    """A server that answers each path in its own way, and keeps what it was asked."""

    def __init__(self, **answers: bytes | None) -> None:
        self.answers = answers
        """Path → the whole answer, as bytes; None: nothing ever comes."""
        self.heard: list[tuple[str, bytes]] = []
        """(head, body)"""

    async def __aenter__(self) -> Answers:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.at = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split(b":")[1]
        self.heard.append((head.decode(), await reader.readexactly(int(size))))
        answer = self.answers[head.split()[1].decode().strip("/")]
        if answer is None:
            await reader.read()  # until whoever asked gives up
        else:
            writer.write(answer)
        writer.close()


def ok(body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def test_an_address_is_asked_by_post(desk: Desk) -> None:
    async with Answers(
        no=ok(b'{"decision": "deny", "reason": "by HTTP"}'),
        ask=ok(b'{"hookSpecificOutput": {"permissionDecision": "ask", "permissionDecisionReason": "look"}}'),
        allow=ok(b'{"decision": "approve"}'),
        rewrite=ok(b'{"updatedInput": {"command": "ls"}, "additionalContext": "it was too long"}'),
        quiet=ok(b""),
        empty=b"HTTP/1.1 204 No Content\r\n\r\n",
    ) as server:
        no, ask, allow, rewrite, quiet, empty = await desk.before(
            *(Hook(url=f"{server.at}/{path}", name=path) for path in server.answers)
        )
    assert (no.verdict, no.why) == ("deny", "by HTTP")
    assert (ask.verdict, ask.why) == ("ask", "look")
    assert allow.verdict == "allow"
    assert (rewrite.arguments, rewrite.context) == ({"command": "ls"}, "it was too long")
    assert (quiet, empty) == (HookSaid(hook="quiet"), HookSaid(hook="empty"))
    assert json.loads(server.heard[0][1])["tool_name"] == "Bash"
    assert json.loads(server.heard[5][1])["tool_input"] == {"command": "ls"}, "rewritten by one before it"
    assert "hush" not in str(server.heard), "nothing of the environment goes there"
    (unreachable,) = await desk.before(Hook(url=f"{server.at}/no", strict=True))
    assert unreachable.verdict == "deny"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "HTTP 500"),
        (b"HTTP/1.1 404 Oh\r\nContent-Length: 22\r\n\r\n" + b'{"decision": "allow"}', "HTTP 404"),
        (b"HTTP/1.1 503 Oh\r\nContent-Length: 8\r\n\r\nsleeping", "HTTP 503: sleeping"),
        (b"HTTP/1.1 307 Go\r\nLocation: /no\r\nContent-Length: 0\r\n\r\n", "HTTP 307: it points elsewhere"),
        (ok(b"<html>"), "its answer is no JSON"),
        (ok(b'{"decision": "allow"'), "its answer is no JSON"),
        (ok(b"[" * 100_000), "its answer is no JSON"),
        (ok(b"[]"), "its answer is no JSON object"),
        (ok(b'{"decision": "sure"}'), "it decided 'sure'"),
        (ok(b'{"updatedInput": "ls"}'), "updatedInput is no JSON object"),
        (ok(b'{"reason": "' + b"x" * (1 << 20) + b'"}'), "more than 1048576 bytes"),
        (ok(gzip.compress(b" " * (20 << 20)), b"Content-Encoding: gzip\r\n"), "more than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", ""),
        (b"nonsense\r\n\r\n", ""),
        (None, "it took longer than 0.5 s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_answer_that_is_none_has_failed_and_a_strict_hook_denies(
    desk: Desk, answer: bytes | None, problem: str
) -> None:
    async with Answers(hook=answer, no=ok(b'{"decision": "allow"}')) as server:
        loose, strict = await desk.before(
            *(Hook(url=f"{server.at}/hook", timeout=0.5 if answer is None else 30, strict=strict) for strict in (0, 1))
        )
    assert loose.failed
    assert problem in loose.failed
    assert (loose.verdict, loose.arguments, strict.verdict) == (None, None, "deny")
    assert [head.split()[1] for head, _ in server.heard] == ["/hook", "/hook"], "nobody else was asked"


async def test_what_is_told_to_this_machine_goes_through_no_proxy(desk: Desk) -> None:
    async with Answers(hook=ok(b'{"decision": "ask"}')) as server:
        desk.environment |= {"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
        (said,) = await desk.before(Hook(url=f"{server.at}/hook"))
    assert (said.verdict, said.failed) == ("ask", "")


async def test_a_function_that_hangs_or_leaves_ends_nobody(desk: Desk) -> None:
    (desk.root / "mine.py").write_text(
        "import sys, threading\ngo_on = threading.Event()\n"
        "def hang(told):\n    go_on.wait()\ndef leave(told):\n    sys.exit(3)\n"
        "async def leave_later(told):\n    sys.exit('no')\n"
    )
    (desk.root / "gone.py").write_text("raise SystemExit\n")
    hang, leave, later, gone = await desk.before(
        Hook(python="mine.py:hang", timeout=0.2),
        *(Hook(python=place) for place in ("mine.py:leave", "mine.py:leave_later", "gone.py:x")),
    )
    assert "longer than 0.2 s" in hang.failed
    assert "sys.exit(3)" in leave.failed
    assert "sys.exit('no')" in later.failed
    assert "sys.exit()" in gone.failed
    (thread,) = [each for each in threading.enumerate() if each.name == "hang"]
    assert thread.daemon, "the end of the process waits for no other"


@pytest.mark.parametrize(
    "hook",
    [
        Hook(),
        Hook(command=("a",), url="http://b"),
        Hook(python="only_a_file.py"),
        Hook(url="localhost:9000/hook"),
        Hook(command=("a",), timeout=0),
        Hook(command=("a",), match="mcp__.*"),
        Hook(command=("a",), match="^(Edit|Write)$"),
    ],
)
def test_what_no_hook_can_do_is_refused_with_its_place(desk: Desk, hook: Hook) -> None:
    with pytest.raises(ConfigError, match=r"\[\[hooks.before_tool\]\] 2 "):
        desk.hooks(before_tool=(Hook(command=("true",)), hook))


def test_a_match_where_there_is_no_tool_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigError, match=r"\[\[hooks.prompt\]\] 1 .*: match is for tools, and prompt is about none"):
        desk.hooks(prompt=(Hook(command=("true",), match="secret"),))
    with pytest.raises(ConfigError, match=r"match knows no '\.\*': .*; 'mcp__\*'\?"):
        desk.hooks(after_tool=(Hook(command=("true",), match="mcp__.*"),))
