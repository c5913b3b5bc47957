"""Headless runs as processes: what comes out where, and with which code they end."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAM = [sys.executable, str(Path(__file__).with_name("scripted_run.py"))]
USAGE = {"input": 10, "output": 2, "cache_read": 0, "cache_write": 0, "reasoning": 0}


def spec(**given: Any) -> str:
    return json.dumps({"open": {"cwd": "/"}, "prompt": "hi", **given})


def run(scenario: str, stdin: bytes | None = None, **given: Any) -> subprocess.CompletedProcess[bytes]:
    feed: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run([*PROGRAM, scenario, spec(**given)], capture_output=True, timeout=30, **feed)


def lines_of(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@contextmanager
def running(scenario: str, **given: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A run that streams, stopped at its first delta: its turn has begun."""
    given = {"output_format": "stream-json", **given}
    with subprocess.Popen(
        [*PROGRAM, scenario, spec(**given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[bytes], kind: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["type"] == kind:
            return
    raise AssertionError(f"no {kind} came")


def test_text_is_the_answer_alone() -> None:
    done = run("hello")
    assert (done.stdout, done.stderr, done.returncode) == (b"Hello there.\n", b"", 0)


def test_json_is_one_result_with_every_key() -> None:
    done = run("hello", output_format="json")
    assert lines_of(done.stdout) == [
        {
            "type": "result",
            "outcome": "finished",
            "exit_code": 0,
            "session": "session-1",
            "text": "Hello there.",
            "structured": None,
            "turns": 1,
            "usage": USAGE,
            "cost_usd": 0.0,
            "denied": [],
            "limit": None,
            "error": None,
        }
    ]


def test_a_stream_has_a_line_per_event_and_the_result_last() -> None:
    events = lines_of(run("hello", output_format="stream-json").stdout)
    assert [each["type"] for each in events] == [
        "session_started",
        "prompt_submitted",
        "turn_started",
        "text_delta",
        "text_delta",
        "message_completed",
        "turn_finished",
        "session_ended",
        "result",
    ]
    assert [each["seq"] for each in events if "seq" in each] == [1, 2, 3, 4, 5, 6]
    assert events[5]["role"] == "assistant"
    assert events[5]["usage"] == USAGE
    assert "seq" not in events[3]


@pytest.mark.parametrize(
    ("scenario", "outcome", "code", "said"),
    [
        ("failing", "error", 2, "The provider is busy"),
        ("limited", "limit", 3, "--max-turns"),
        ("denied", "denied", 5, "an action it needs is not allowed"),
        ("keyless", "error", 1, "ANTHROPIC_API_KEY is not set"),
        ("diskless", "error", 2, "the disk is full"),
    ],
)
def test_every_end_has_its_code_its_result_and_one_line_of_why(
    scenario: str, outcome: str, code: int, said: str
) -> None:
    done = run(scenario, output_format="json")
    [result] = lines_of(done.stdout)
    assert (result["outcome"], result["exit_code"], done.returncode) == (outcome, code, code)
    assert said in done.stderr.decode().splitlines()[-1]


def test_an_error_carries_what_a_program_can_act_on() -> None:
    [result] = lines_of(run("failing", output_format="json").stdout)
    assert result["error"] == {
        "kind": "overloaded",
        "message": "The provider is busy.",
        "provider": "scripted",
        "status": 529,
        "retryable": True,
    }


def test_refused_calls_are_listed_with_the_rule() -> None:
    [result] = lines_of(run("denied", output_format="json").stdout)
    assert result["denied"] == [
        {
            "tool": "Bash",
            "arguments": {"command": "rm -rf build"},
            "why": "rm removes files",
            "rule": "Bash(rm:*)",
        }
    ]


def test_the_limit_is_named_and_dollars_are_rounded() -> None:
    [limited] = lines_of(run("limited", output_format="json").stdout)
    assert (limited["limit"], limited["error"], limited["cost_usd"]) == ("turns", None, 0.123457)
    [failed] = lines_of(run("failing", output_format="json").stdout)
    assert (failed["limit"], failed["cost_usd"]) == (None, None)


def test_a_structured_answer_is_printed_as_json_without_its_fence() -> None:
    assert run("structured").stdout == b'{"count":3}\n'
    [result] = lines_of(run("structured", output_format="json").stdout)
    assert result["structured"] == {"count": 3}


def test_half_a_character_in_an_answer_is_no_reason_to_fail() -> None:
    assert run("escape").returncode == 0
    [result] = lines_of(run("escape", output_format="json").stdout)
    assert result["text"].startswith("red \x1b[31mtext")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_the_turn_and_the_result_still_comes(number: signal.Signals) -> None:
    with running("endless") as process:
        read_until(process, "text_delta")
        process.send_signal(number)
        out, _ = process.communicate(timeout=10)
    result = lines_of(out)[-1]
    assert (result["type"], result["outcome"], result["usage"]) == ("result", "interrupted", USAGE)
    assert process.returncode == 4


def test_a_turn_that_does_not_end_is_left_after_two_seconds() -> None:
    with running("deaf") as process:
        read_until(process, "text_delta")
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert time.monotonic() - begin > 1.5
    assert lines_of(out)[-1]["outcome"] == "interrupted"


def test_the_second_interrupt_does_not_wait() -> None:
    with running("patient") as process:  # the turn has ten minutes to come to its end
        read_until(process, "text_delta")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert (lines_of(out)[-1]["outcome"], process.returncode) == ("interrupted", 4)


def test_a_line_longer_than_any_prompt_is_left_out_and_the_next_is_heard() -> None:
    endless = b"x" * (80 << 20)
    done = run("counting", endless + b'\n{"type":"submit_prompt","text":"two"}\n', input_format="stream-json")
    assert b"line 1 of standard input was left out: it is longer than 64 MiB" in done.stderr
    assert (done.returncode, done.stdout) == (0, b"heard two\n")


def test_a_signal_that_was_ignored_at_the_start_stays_ignored() -> None:
    with subprocess.Popen(
        [*PROGRAM, "endless", spec(output_format="stream-json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    ) as process:
        read_until(process, "text_delta")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    # One interrupt, not two: the turn had the time to end by itself.
    assert lines_of(out)[-1]["usage"] == USAGE


def test_a_reader_that_leaves_ends_the_run_quietly() -> None:
    with running("endless") as process:
        read_until(process, "text_delta")
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(10) == 4
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize("output_format", ["text", "json", "stream-json"])
def test_a_full_disk_is_one_line_and_names_the_session_that_has_the_answer(output_format: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, "hello", spec(output_format=output_format)], stdout=full, stderr=subprocess.PIPE, timeout=30
        )
    [line] = done.stderr.decode().splitlines()
    assert "No space left on device" in line
    assert "session-1" in line
    assert done.returncode == 2


def test_a_slow_reader_gets_every_lasting_event() -> None:
    with running("flood") as process:
        assert process.stdout is not None
        read_until(process, "turn_started")
        select.select([], [], [], 0.5)  # the pipe is full by now
        events = lines_of(process.stdout.read())
    kinds = [each["type"] for each in events if each["type"] != "text_delta"]
    assert kinds == ["message_completed", "turn_finished", "session_ended", "result"]


def test_commands_come_on_standard_input() -> None:
    lines = b'{"type":"submit_prompt","text":"one"}\n\n{"type":"submit_prompt","text":"two"}'
    done = run("counting", lines, prompt=None, input_format="stream-json", output_format="json")
    [result] = lines_of(done.stdout)
    assert (result["text"], result["turns"], done.returncode) == ("heard two", 2, 0)


def test_a_prompt_on_the_command_line_comes_before_those_on_standard_input() -> None:
    lines = b'{"type":"submit_prompt","text":"two"}\n'
    done = run("counting", lines, prompt="one", input_format="stream-json", output_format="stream-json")
    events = lines_of(done.stdout)
    assert [each["text"] for each in events if each["type"] == "prompt_submitted"] == ["one", "two"]


def test_a_steering_prompt_without_a_turn_is_waited_for() -> None:
    done = run(
        "counting", b'{"type":"steer","text":"left"}\n', prompt=None, input_format="stream-json", output_format="json"
    )
    [result] = lines_of(done.stdout)
    assert result["text"] == "steered left"


def test_a_bad_line_is_named_and_the_run_goes_on() -> None:
    lines = b'nonsense\n{"type":"frob"}\n{"type":"submit_prompt"}\n\xff\xfe\n{"type":"submit_prompt","text":"on"}\n'
    done = run("counting", lines, prompt=None, input_format="stream-json", output_format="json")
    said = done.stderr.decode().splitlines()
    assert [line.split(":")[1].strip() for line in said] == [
        f"line {number} of standard input was left out" for number in (1, 2, 3, 4)
    ]
    assert "submit_prompt" in said[1]
    [result] = lines_of(done.stdout)
    assert (result["text"], done.returncode) == ("heard on", 0)


@pytest.mark.parametrize("lines", [b"", b"\n \n", b"nonsense\n"])
def test_input_in_which_nothing_is_a_command_is_a_mistake(lines: bytes) -> None:
    done = run("counting", lines, prompt=None, input_format="stream-json", output_format="json")
    [result] = lines_of(done.stdout)
    assert (result["outcome"], result["error"]["kind"], done.returncode) == ("error", "usage", 1)
    assert "no line of standard input was a command" in done.stderr.decode().splitlines()[-1]


def test_input_without_any_prompt_finishes_with_an_empty_result() -> None:
    lines = b'{"type":"set_mode","mode":"plan"}\n'
    done = run("counting", lines, prompt=None, input_format="stream-json", output_format="json")
    [result] = lines_of(done.stdout)
    assert (result["outcome"], result["text"], done.returncode) == ("finished", "", 0)


def test_questions_are_answered_on_standard_input() -> None:
    with running("asking", prompt="build", input_format="stream-json") as process:
        read_until(process, "approval_requested")
        out, _ = process.communicate(b'{"type":"resolve_approval","id":"a1","decision":"once"}\n', timeout=10)
    result = lines_of(out)[-1]
    assert (result["text"], process.returncode) == ("built", 0)


def test_a_question_that_nobody_can_answer_any_more_is_refused() -> None:
    done = run("asking", b"", input_format="stream-json", output_format="stream-json")
    events = lines_of(done.stdout)
    resolved = next(each for each in events if each["type"] == "approval_resolved")
    assert (resolved["decision"], resolved["by"]) == ("deny", "policy")
    assert (events[-1]["outcome"], done.returncode) == ("denied", 5)


def test_interrupting_by_command_leaves_the_run_going() -> None:
    with running("endless", input_format="stream-json") as process:
        read_until(process, "text_delta")
        out, _ = process.communicate(b'{"type":"interrupt"}\n', timeout=10)
    assert lines_of(out)[-1]["outcome"] == "interrupted"
    assert process.returncode == 4


def test_going_on_shows_what_is_new_and_not_what_was() -> None:
    done = run("going-on", open={"cwd": "/", "resume": "old"}, output_format="stream-json")
    events = lines_of(done.stdout)
    assert next(each["seq"] for each in events if "seq" in each) == 3
    assert {each["session"] for each in events} == {"old"}


def test_going_on_without_a_session_says_so() -> None:
    done = run("hello", latest=True, output_format="json")
    [result] = lines_of(done.stdout)
    assert (result["error"]["kind"], done.returncode) == ("session", 1)
    assert b"there is no session of /" in done.stderr


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_a_retry_is_told_as_it_happens_and_counted_at_the_end(output_format: str) -> None:
    said = run("failing", output_format=output_format).stderr.decode().splitlines()
    assert said == [
        "protea: scripted: The provider is busy; trying again in 0.5 s (attempt 2 of 5)",
        "protea: The provider is busy (tried 2 times)",
    ]


def test_progress_is_told_only_where_it_is_wanted() -> None:
    assert run("working").stderr == b""
    assert "· Bash make" in run("working", verbose=True).stderr.decode()


def test_a_terminal_is_never_sent_what_the_model_wrote_as_control() -> None:
    leader, follower = os.openpty()
    try:
        subprocess.run([*PROGRAM, "escape", spec()], stdout=follower, stdin=subprocess.DEVNULL, timeout=30, check=True)
        shown = os.read(leader, 4096)
    finally:
        os.close(leader)
        os.close(follower)
    assert b"\x1b" not in shown
    assert "␛[31mtext".encode() in shown
