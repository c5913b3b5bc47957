"""The loopback provider as a process, in a thread, and out of a file."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from protea.domain.script import Script, ScriptedReply
from protea.testing.loopback import LoopbackProvider, MidError, Reset, Status
from protea.testing.loopback.script import read, steps_of

PROGRAM = [sys.executable, "-m", "protea.testing.loopback"]


def post(port: int, body: bytes = b'{"model":"m"}') -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/v1/chat/completions", body, {"authorization": "Bearer k"})
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def test_the_program_tells_its_port_first_and_plays_the_file(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('["Hello.", {"text": "", "fault": {"kind": "status", "status": 429, "reason": "quota"}}]')
    given = [*PROGRAM, "--script", str(script), "--wire", "openai-chat", "--model", "m", "--after", "cycle", "--strict"]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("PORT=")
        port = int(line[5:])
        asked = b'{"model":"m","messages":[{"role":"user","content":"a"}]}'
        told = [post(port, asked) for _ in range(3)]
        refused = post(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert [status for status, _ in told] == [200, 429, 200]
    assert refused[0] == 400
    assert b"insufficient_quota" in told[1][1]
    assert told[0][1] == told[2][1]


def test_the_program_reads_a_script_from_stdin_and_names_mistakes() -> None:
    done = subprocess.run(
        [*PROGRAM, "--script", "-"], input='[{"text": "a", "extra": 1}]', capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown field `extra` - at `$[0]`" in done.stderr


def test_a_thread_serves_those_without_a_loop_and_ends_with_the_block() -> None:
    with LoopbackProvider.in_thread("Hello.") as provider:
        status, body = post(provider.port)
        provider.wait_for(1)
    assert status == 200
    assert b"Hello." in body
    with pytest.raises(ConnectionError):
        post(provider.port)


def test_a_port_that_is_taken_is_told() -> None:
    with (
        LoopbackProvider.in_thread("Hello.") as provider,
        pytest.raises(OSError, match="address"),
        LoopbackProvider.in_thread("Hello.", port=provider.port),
    ):
        pass


def test_an_unknown_wire_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no wire 'smoke'; there are anthropic, openai-chat"):
        LoopbackProvider().url("smoke")


def test_prepared_answers_are_those_that_would_be_made() -> None:
    async def hello(request: object) -> ScriptedReply:
        return ScriptedReply(text="a b c")

    for prepare in (True, False):
        with LoopbackProvider.in_thread([ScriptedReply(text="a b c"), hello]) as provider:
            if prepare:
                provider.prepare("openai-chat", "m", stream=False)
            bodies = [post(provider.port)[1] for _ in range(2)]
        assert bodies[0] == bodies[1].replace(b"loopback0002", b"loopback0001")


def test_a_file_is_a_list_of_replies_or_says_what_follows_them() -> None:
    plain = read(b'["a", {"words": 3, "pieces": 1}]')
    told = read(b'{"replies": [{"fault": {"kind": "mid_error", "shape": "groq"}}], "after": "fail"}')
    assert plain.after == "repeat"
    assert len(plain.steps) == 2
    assert told.after == "fail"
    assert told.steps[0].fault == MidError(shape="groq")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[]", "at least one reply"),
        (b'{"replies": ["a"], "after": "never"}', "repeat, cycle or fail, not 'never'"),
        (b'[{"fault": {"kind": "fire"}}]', "Invalid value 'fire'"),
        (b'[{"fault": {"kind": "slow"}}]', "missing required field `seconds`"),
        (b"[", "truncated"),
    ],
)
def test_a_mistake_in_a_file_is_named(data: bytes, words: str) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError), match=words):
        read(data)


def test_a_script_in_protea_s_own_words_is_played_as_it_says() -> None:
    steps = steps_of(Script(replies=(ScriptedReply(text="a"), ScriptedReply(text="b")), after="cycle"))
    assert [steps.place(n) for n in range(3)] == [0, 1, 0]
    assert steps_of(Reset()).place(5) == 0
    assert steps_of([Status(status=500)], "fail").place(1) is None
