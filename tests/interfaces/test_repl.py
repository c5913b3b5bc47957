"""The plain chat, over a real terminal."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = str(Path(__file__).with_name("scripted_chat.py"))
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x01\x02\r]")


class Terminal:
    """A chat in a terminal of its own."""

    def __init__(self, history: Path, *arguments: str, colour: bool = False, **more: str) -> None:
        environment = {**os.environ, "TERM": "xterm", "INPUTRC": "/dev/null", "COLUMNS": "100", **more}
        environment.pop("NO_COLOR", None)
        if not colour:
            environment["NO_COLOR"] = "1"
        self.process, self.leader = pty.fork()
        if self.process == 0:
            os.execve(sys.executable, [sys.executable, PROGRAM, str(history), *arguments], environment)
        self.raw = ""
        self.decode = codecs.getincrementaldecoder("utf-8")().decode
        self.code: int | None = None

    @property
    def shown(self) -> str:
        return CONTROL.sub("", self.raw)

    def see(self, *wanted: str) -> str:
        """Wait until all of it stands there since the last look; what came, without colours."""
        deadline = time.monotonic() + 10
        while not all(each in self.shown for each in wanted):
            ready, _, _ = select.select([self.leader], [], [], max(0.0, deadline - time.monotonic()))
            try:
                data = os.read(self.leader, 4096) if ready else b""
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"{wanted} did not come; what came:\n{self.shown}")
            self.raw += self.decode(data)
        shown, self.raw = self.shown, ""
        return shown

    def type(self, text: str) -> None:
        os.write(self.leader, text.encode())

    def line(self, text: str) -> None:
        self.type(text + "\r")

    def ends(self) -> int:
        """The exit code, once the chat has ended."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found, status = os.waitpid(self.process, os.WNOHANG)
            if found:
                self.code = os.waitstatus_to_exitcode(status)
                return self.code
            ready, _, _ = select.select([self.leader], [], [], 0.05)
            try:
                if ready:
                    self.raw += self.decode(os.read(self.leader, 4096))
            except OSError:
                continue  # the other side is closed: the process is about to end
        raise AssertionError(f"it does not end; what came:\n{self.shown}")

    def close(self) -> None:
        if self.code is None:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.leader)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path / "home" / "history")
    try:
        opened.see("scripted/one", "/help", "> ")
        yield opened
    finally:
        opened.close()


def test_a_prompt_is_answered_and_the_next_may_come(terminal: Terminal) -> None:
    terminal.line("hello")
    terminal.see("heard: hello", "1.2k in", "> ")
    terminal.line("again")
    terminal.see("heard: again", "> ")


def test_how_a_task_ended_is_told_in_its_turn_or_before_the_next_prompt(terminal: Terminal) -> None:
    terminal.line("behind")
    told = terminal.see("◆ early done: exit code 0", "It runs.", "$0.0020\n")
    terminal.line("hello")
    told += terminal.see("heard: hello", "$0.0020\n> ")
    assert told.index("◆ early") < told.index("It runs.") < told.index("◆ late done: exit code 0")
    assert "◆ look" not in told  # the turn waited for it
    terminal.type("\x04")
    assert terminal.ends() == 0
    assert "To go on: protea repl -r session-1" in terminal.raw


def test_ctrl_d_leaves(terminal: Terminal) -> None:
    terminal.type("\x04")
    assert terminal.ends() == 0


def test_exit_leaves(terminal: Terminal) -> None:
    terminal.line("/exit")
    assert terminal.ends() == 0


def test_ctrl_c_interrupts_the_turn_and_the_chat_goes_on(terminal: Terminal) -> None:
    terminal.line("wait")
    terminal.see("working on it")
    terminal.type("\x03")
    terminal.see("interrupted", "> ")
    terminal.line("hello")
    terminal.see("heard: hello")


def test_ctrl_c_twice_leaves(terminal: Terminal) -> None:
    terminal.type("\x03")
    terminal.see("Ctrl+C again leaves", "> ")
    terminal.type("\x03")
    assert terminal.ends() == 0


def test_where_no_room_could_be_made_ctrl_c_has_nothing_to_interrupt(terminal: Terminal) -> None:
    terminal.line("/compact")
    terminal.see("no room can be made now", "> ")
    terminal.type("\x03")
    terminal.see("Ctrl+C again leaves", "> ")


def test_what_is_typed_between_two_ctrl_c_starts_the_count_again(terminal: Terminal) -> None:
    terminal.type("\x03")
    terminal.see("Ctrl+C again leaves", "> ")
    terminal.type("half a thought")
    terminal.see("half a thought")
    terminal.type("\x03")
    assert "again leaves" not in terminal.see("\n> ")
    terminal.type("\x03")
    terminal.see("Ctrl+C again leaves", "> ")
    terminal.line("hello")
    terminal.see("heard: hello", "> ")
    terminal.type("\x03")
    terminal.see("Ctrl+C again leaves", "> ")
    terminal.type("\x03")
    assert terminal.ends() == 0
    assert terminal.shown.endswith("\n")


def test_what_waits_after_an_interrupt_is_said_to_run_first(terminal: Terminal) -> None:
    terminal.line("wait")
    terminal.see("working on it")
    terminal.type("hold\n")
    terminal.see("(queued)")
    terminal.type("\x03")
    terminal.see("1 waiting prompt runs before your next one")


def test_a_prompt_that_waited_is_shown_when_its_turn_starts(terminal: Terminal) -> None:
    terminal.line("wait")
    terminal.see("working on it")
    terminal.type("later\n")
    assert "> later\n" in terminal.see("heard: later")


def test_no_dollars_are_told_where_no_price_is_known(terminal: Terminal) -> None:
    terminal.line("unpriced")
    assert "$" not in terminal.see("30 out", "> ")
    terminal.line("/cost")
    assert "$" not in terminal.see("30 out · price unknown", "> ")


def test_over_a_pipe_every_line_is_answered_and_no_prompt_is_drawn(tmp_path: Path) -> None:
    command = [sys.executable, PROGRAM, str(tmp_path / "history"), "--plain"]
    lines = b"hello\n/cost\n\nask\ny\nwrite\n"
    done = subprocess.run(command, input=lines, capture_output=True, timeout=20)
    said = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    places = [said.index(each) for each in ("heard: hello", "30 out", "decided: once", "Write x.py ✗ refused")]
    assert places == sorted(places)
    assert not any(line.startswith("> ") or "n no >" in line for line in said.splitlines())
    assert "\x1b" not in said
    assert not (tmp_path / "history").exists()


def test_sigterm_ends_the_chat(terminal: Terminal) -> None:
    terminal.line("wait")
    terminal.see("working on it")
    os.kill(terminal.process, signal.SIGTERM)
    assert terminal.ends() == 0


def test_a_line_that_ends_with_a_backslash_goes_on(terminal: Terminal) -> None:
    terminal.line("one \\")
    terminal.see("… ")
    terminal.line("two")
    terminal.see("heard: one\ntwo")


def test_what_is_typed_while_a_turn_runs_waits_in_line(terminal: Terminal) -> None:
    terminal.line("wait")
    terminal.see("working on it")
    terminal.type("later\n")
    terminal.see("(queued)")


def test_an_edit_shows_its_file_and_its_diff(terminal: Terminal) -> None:
    terminal.line("edit")
    shown = terminal.see("Edited.", "> ")
    assert "● Edit x.py ✓ +1 -1\n    @@ -1 +1 @@\n    -old\n    +new\n" in shown
    assert "◐ write tests" in shown


@pytest.mark.parametrize(
    ("typed", "decided"),
    [("y", "once"), ("s", "session"), ("a", "always"), ("n use ninja", "deny use ninja")],
)
def test_a_question_is_answered_with_a_letter(terminal: Terminal, typed: str, decided: str) -> None:
    terminal.line("ask")
    shown = terminal.see("n no > ")
    assert "Bash make ␛[2K all" in shown  # what would run, and nothing of it obeyed
    assert "a allows from now on: Bash(make all)" in shown
    terminal.line(typed)
    terminal.see(f"decided: {decided}")


def test_a_change_is_shown_before_it_is_asked_about(terminal: Terminal) -> None:
    terminal.line("rewrite")
    shown = terminal.see("n no > ")
    assert "    @@ -1 +1,50 @@\n    --- drop<U+202E> it\n    +line 0\n" in shown  # a line taken away, not a header
    assert "    +line 37\n    … 12 more lines\n" in shown


def test_all_of_a_long_change_is_shown_where_that_is_wanted(terminal: Terminal) -> None:
    terminal.line("rewrite")
    terminal.see("d show all of it", "n no > ")
    terminal.line("d")
    assert "    +line 49\n" in terminal.see("n no > ")
    terminal.line("y")
    terminal.see("decided: once")
    terminal.line("write")
    assert "show all" not in terminal.see("n no > ")


def test_without_a_diff_the_arguments_show_the_change_with_nothing_invisible(terminal: Terminal) -> None:
    terminal.line("write")
    assert "    +one\n    +two<U+200B>␛[8m\n" in terminal.see("n no > ")


@pytest.mark.parametrize(("typed", "told"), [("n not today", "✗ refused: not today\n"), ("n\r", "✗ refused\n")])
def test_a_refusal_is_told_in_words_for_people(terminal: Terminal, typed: str, told: str) -> None:
    terminal.line("write")
    terminal.see("n no > ")
    terminal.line(typed)
    shown = terminal.see("I see.")
    assert told in shown
    assert "The person refused" not in shown


def test_a_refusal_asks_for_its_reason(terminal: Terminal) -> None:
    terminal.line("ask")
    terminal.see("n no > ")
    terminal.line("n")
    terminal.see("why")
    terminal.line("")
    terminal.see("decided: deny\n")


def test_what_was_typed_before_the_question_is_no_answer(terminal: Terminal) -> None:
    terminal.type("ask\ry\r")
    terminal.see("n no > ")
    terminal.line("n no")
    terminal.see("decided: deny no")


def test_a_question_of_the_model_is_answered_by_number_or_in_words(terminal: Terminal) -> None:
    terminal.line("question")
    terminal.see("1  red", "2  blue", "  > ")
    terminal.line("2")
    terminal.see("decided: once blue", "> ")
    terminal.line("question")
    terminal.see("2  blue", "  > ")
    terminal.line("green, please")
    terminal.see("decided: once green, please")


def test_slash_commands_tell_and_change(terminal: Terminal) -> None:
    terminal.line("/help")
    terminal.see("/model", "/resume", "Ctrl+C")
    terminal.line("/model scripted/two high")
    terminal.see("model: scripted/two, effort high")
    terminal.line("/mode plan")
    terminal.see("mode: plan")
    terminal.line("/tools")
    terminal.see("runs a command")
    terminal.line("/sessions")
    terminal.see("abc123", "An old one")
    terminal.line("/cost")
    terminal.see("1.2k in · 30 out · price unknown")


def test_an_unknown_command_names_the_nearest(terminal: Terminal) -> None:
    terminal.line("/modelx x")
    terminal.see("there is no /modelx; did you mean /model?")


def test_a_path_is_a_prompt_and_not_a_command(terminal: Terminal) -> None:
    terminal.line("/etc/hosts says what?")
    terminal.see("heard: /etc/hosts says what?")


def test_another_session_can_be_gone_on_with(terminal: Terminal) -> None:
    terminal.line("/resume abc123")
    terminal.see("/help", "> ")
    terminal.line("hello")
    terminal.see("heard: hello")


def test_a_session_can_be_chosen_at_the_start(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "history", "--choose")
    try:
        terminal.see("1  abc123", "which one? ")
        terminal.line("1")
        terminal.see("/help", "> ")
    finally:
        terminal.close()


def test_history_is_kept_for_this_person_alone(tmp_path: Path) -> None:
    kept = tmp_path / "home" / "history"
    for typed, expected in (("first \\\rC:\\new", "heard: first\nC:\\new"), ("\x1b[A", "heard: first\nC:\\new")):
        terminal = Terminal(kept)
        try:
            terminal.see("> ")
            terminal.line(typed)
            terminal.see(expected, "> ")
            terminal.type("\x04")
            terminal.ends()
        finally:
            terminal.close()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_markdown_is_drawn_with_colour_where_it_is_welcome(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "history", colour=True)
    try:
        terminal.see("> ")
        terminal.line("markdown")
        deadline = time.monotonic() + 10
        while "1.2k in" not in terminal.raw and time.monotonic() < deadline:
            terminal.raw += terminal.decode(os.read(terminal.leader, 4096))
        assert "\x1b[1;35mTitle\x1b[0m" in terminal.raw
        assert "\x1b[1mone\x1b[0m and \x1b[36mtwo\x1b[0m" in terminal.raw
        assert "\x1b[36mx = 1\x1b[0m" in terminal.raw
        assert "red ␛[31mtext" in terminal.raw
    finally:
        terminal.close()


def test_without_colour_markdown_stays_as_it_was_written(terminal: Terminal) -> None:
    terminal.line("markdown")
    shown = terminal.see("1.2k in")
    assert "# Title\n\n- **one** and `two`\n\n```py\nx = 1\n```\n" in shown


def test_rows_are_broken_between_words(terminal: Terminal) -> None:
    terminal.line("rows")
    shown = terminal.see("aword")
    (row,) = [line for line in shown.split("\n") if line.startswith("a row that")]
    assert len(row) <= 100
    assert row.endswith("does,")  # the next word would have been cut in two
    assert "\naword" in shown


def test_a_plan_is_edited_before_it_is_agreed_to(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/blue/red/ "$1"\n')
    editor.chmod(0o700)
    opened = Terminal(tmp_path / "home" / "history", VISUAL=str(editor))
    try:
        opened.see("> ")
        opened.line("plan")
        opened.see("1. paint it blue", "e edit it first")
        opened.line("e")
        opened.see("decided: once 1. paint it red", "> ")
    finally:
        opened.close()


def test_a_plan_that_was_left_as_it_was_is_asked_about_again(tmp_path: Path) -> None:
    opened = Terminal(tmp_path / "home" / "history", VISUAL="true")
    try:
        opened.see("> ")
        opened.line("plan")
        opened.see("e edit it first")
        opened.line("e")
        opened.see("the plan is as it was", "e edit it first")
        opened.line("y")
        opened.see("decided: once")
    finally:
        opened.close()


def test_a_command_of_ones_own_shows_what_came_out(terminal: Terminal) -> None:
    terminal.line("!ls")
    terminal.see("  one.py\n  two.py\n", "> ")
