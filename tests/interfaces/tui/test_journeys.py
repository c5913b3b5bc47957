"""The program itself in a real terminal, as a person would use it."""

from __future__ import annotations

import base64
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from protea.interfaces.tui.driver import A_PAUSE
from protea.testing.loopback import LoopbackProvider, LoopbackReply, ScriptedCall
from protea.testing.loopback.recording import Recorded
from tests.interfaces.tui.conftest import Open
from tests.interfaces.tui.terminal import Terminal

READY = " NORMAL "


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[LoopbackProvider]:
    """A model that takes its time, then one that answers at once; it is the default."""
    script = [LoopbackReply(words=400, pace=0.05), "and that is all", "nothing more"]
    with LoopbackProvider.in_thread(script) as provider:
        use(tmp_path, provider)
        yield provider


def use(tmp_path: Path, provider: LoopbackProvider) -> None:
    home = tmp_path / "home" / ".protea"
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(
        f'model = "local/one"\n[providers.local]\napi = "openai-chat"\nbase_url = "{provider.url("openai-chat")}"\n'
        'api_key_env = "LOCAL_KEY"\n[providers.local.models.one]\ncontext = 100000\n'
    )


def open_with_key(open_screen: Open, *words: str, **size: int) -> Terminal:
    terminal = open_screen(*words, LOCAL_KEY="k", **size)
    terminal.see(READY)
    return terminal


def test_a_turn_is_interrupted_and_the_session_goes_on(open_screen: Open, slow: LoopbackProvider) -> None:
    terminal = open_with_key(open_screen)
    terminal.type("tell me\r")
    terminal.see("Esc interrupts", "word")
    terminal.type("\x1b")
    terminal.see("interrupted")
    terminal.gone("Esc interrupts")
    terminal.type("go on\r")
    terminal.see("and that is all")


@pytest.mark.parametrize("face", ["screen", "repl"])
def test_a_compaction_is_interrupted_and_the_session_goes_on(open_screen: Open, tmp_path: Path, face: str) -> None:
    asked = threading.Event()

    def sums_up(request: Recorded) -> LoopbackReply:
        asked.set()
        return LoopbackReply(words=4000, pace=0.05)

    script = ["first answer", "second answer", sums_up, "and that is all"]
    with LoopbackProvider.in_thread(script) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen) if face == "screen" else open_screen("repl", LOCAL_KEY="k")
        for said, heard in (("tell me\r", "first answer"), ("and more\r", "second answer")):
            terminal.type(said)
            terminal.see(heard)
            terminal.quiet()
        terminal.type("/compact\r")
        if face == "screen":
            terminal.see("making room; Esc ends it")
        assert asked.wait(30)
        terminal.type("\x1b" if face == "screen" else "\x03")
        terminal.see("nothing was made smaller")
        terminal.type("go on\r")
        terminal.see("and that is all")
        last = provider.requests[-1].body.decode()
    assert "first answer" in last
    assert "The conversation up to here" not in last


def test_what_is_steered_reaches_the_running_turn_and_what_is_queued_the_next(
    open_screen: Open, tmp_path: Path, project: Path
) -> None:
    os.mkfifo(project / "go")
    script = [ScriptedCall("Bash", {"command": "cat go"}), "Quickly done.", "It was waited for."]
    with LoopbackProvider.in_thread(script) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        terminal.type("tell me\r")
        terminal.see("y allow once")
        terminal.quiet(0.5)
        terminal.type("y")
        terminal.gone("y allow once")
        terminal.type("wait for it\r")
        terminal.see("⧗ wait for it")
        terminal.type("be quick\x1b[13;5u")  # Ctrl+Enter, as terminals that can tell it send it
        terminal.see("steering", "be quick")
        (project / "go").write_text("now\n")
        terminal.see("Quickly done.", "It was waited for.")
        first, second = (request.body.decode() for request in provider.requests[-2:])
        assert "be quick" in first
        assert "wait for it" not in first
        assert "wait for it" in second


def test_what_waits_after_an_interrupt_is_said_to_run_first(open_screen: Open, slow: LoopbackProvider) -> None:
    terminal = open_with_key(open_screen)
    terminal.type("tell me\r")
    terminal.see("Esc interrupts", "word")
    terminal.type("wait for it\r")
    terminal.see("⧗ wait for it")
    terminal.type("\x1b")
    terminal.see("run before your next prompt")


def test_a_change_is_approved_and_shown(open_screen: Open, tmp_path: Path, project: Path) -> None:
    script = [
        ScriptedCall("Read", {"path": "README.md"}),
        ScriptedCall("Edit", {"path": "README.md", "old_string": "# A project", "new_string": "# The project"}),
        "Renamed.",
    ]
    with LoopbackProvider.in_thread(script) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        terminal.type("rename it\r")
        terminal.see("? Edit README.md", "1 - # A project", "1 + # The project", "y allow once")
        terminal.quiet(0.5)
        terminal.type("y")
        terminal.see("Renamed.")
        assert (project / "README.md").read_text() == "# The project\n"


def test_a_running_command_goes_on_in_the_background_and_its_end_is_told(
    open_screen: Open, tmp_path: Path, project: Path
) -> None:
    os.mkfifo(project / "go")
    command = "echo begun; cat go; echo over"
    script = [ScriptedCall("Bash", {"command": command}), "On with it.", "I have heard."]
    with LoopbackProvider.in_thread(script) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        terminal.type("build it\r")
        terminal.see("y allow once")
        terminal.quiet(0.5)
        terminal.type("y")
        terminal.see("│ begun", "Esc interrupts")
        terminal.type("\x02")
        terminal.see("On with it.")
        terminal.gone("Esc interrupts")
        terminal.type("\x18k")
        terminal.see("tasks 1 running", "▶ echo begun")
        (project / "go").write_text("more\n")
        terminal.see("✓ echo begun")
        terminal.type("\x1b")
        terminal.quiet()
        terminal.type("and now?\r")
        terminal.see("I have heard.")
        told = provider.requests[-1].body.decode()
        assert "The person let this command go on in the background" in told
        assert "over" in told


def test_a_session_that_was_killed_goes_on(open_screen: Open, slow: LoopbackProvider) -> None:
    terminal = open_with_key(open_screen)
    terminal.type("tell me\r")
    terminal.see("Esc interrupts", "word")
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.ends() == -signal.SIGKILL
    again = open_with_key(open_screen, "-c")
    again.see("tell me", "interrupted")
    again.type("go on\r")
    again.see("and that is all")


def test_escape_twice_goes_back_to_an_earlier_prompt(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("list files\r")
    terminal.see("README.md", " out · ")
    terminal.type("\x1b")
    terminal.see("Esc again goes back")
    terminal.type("\x1b")
    terminal.see("go back to before", "list files")
    terminal.type("\r")
    terminal.see("❯ list files")


def test_going_back_shows_what_it_would_take_back_and_takes_the_files_along(open_screen: Open, project: Path) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type('create a.txt with "one"\r')
    terminal.see("1 + one", "y allow once")
    terminal.quiet(0.5)
    terminal.type("y")
    terminal.see("Created a.txt", " out · ")
    assert (project / "a.txt").read_text() == "one\n"
    terminal.type("\x18r")
    terminal.see("go back to before", "create a.txt")
    terminal.type("\r")
    terminal.see("the conversation and the files", "the model forgets this prompt and its answer", "deleted a.txt")
    terminal.type("\r")
    terminal.see("rewound", '❯ create a.txt with "one"')
    assert not (project / "a.txt").exists()


def test_the_first_pane_that_opens_has_rows_of_its_own_width(open_screen: Open) -> None:
    terminal = open_screen(columns=120)
    terminal.see(READY)
    terminal.type("plan: read all the code of the garden, change it\r")
    terminal.see("2 items", "out ·")
    terminal.type("\x14")
    terminal.see("plan 0 of 2 done", "│ ☐ read all the code of the garden")


def test_tabs_are_sessions_of_their_own(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("list files\r")
    terminal.see("README.md", " out · ")
    terminal.type("\x18t")
    terminal.see(" 1 ", " 2 ", "new session")
    terminal.type("\x181")
    terminal.see("README.md")


def test_a_storm_of_resizes_leaves_a_whole_screen(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("still here")
    for step in range(30):
        terminal.resize(40 + step * 7 % 90, 12 + step * 5 % 30)
    terminal.resize(100, 30)
    # What is drawn for a size comes in pieces: all of them are waited for.
    terminal.until(stands_whole, "it was not drawn for its last size")
    for _ in range(10):  # back where it was before anything has been drawn for it: the terminal has lost rows meanwhile
        terminal.resize(50, 12)
        terminal.resize(100, 30)
    terminal.until(stands_whole, "what was lost in between was not drawn again")


def stands_whole(shown: str) -> bool:
    """A screen of a hundred columns, with what was written in its composer."""
    rows = shown.split("\n")
    return rows[-1].startswith(READY) and rows[-4] == "─" * 100 and "❯ still here" in shown


def test_a_branch_whose_name_is_an_escape_sequence_is_only_shown(open_screen: Open, project: Path) -> None:
    (project / ".git/HEAD").write_bytes("ref: refs/heads/a\x1b]0;evil\x07\x9b31m\u202eb\n".encode())
    terminal = open_screen()
    terminal.see(READY, "a␛]0;evil␇")
    terminal.quiet()
    assert "\x1b]0;evil" not in terminal.raw
    assert not re.search(r"[\x80-\x9f\u202e]", terminal.raw)


def test_the_window_counts_and_not_what_a_shell_has_exported_about_it(open_screen: Open) -> None:
    terminal = open_screen(COLUMNS="20", LINES="5")
    terminal.see(READY, "Ctrl+P shows everything else.")
    terminal.resize(100, 30)
    terminal.until(lambda shown: READY in shown.splitlines()[-1])


def test_a_megabyte_is_pasted_at_once_and_sent_whole(open_screen: Open, tmp_path: Path) -> None:
    with LoopbackProvider.in_thread(["Long."]) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        pasted = "a line of sixty-four bytes, give or take, that is pasted often\n" * 16_500
        terminal.type("\x1b[200~" + pasted + "\x1b[201~")
        terminal.see("[pasted #1: 16500 lines]")
        terminal.type(" and more")
        terminal.see("] and more")
        terminal.type("\r")
        terminal.see("Long.")
        assert len(provider.requests[-1].body) > len(pasted)


def test_a_paste_whose_end_never_comes_is_ended_by_ctrl_c(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("before \x1b[200~pasted and then")
    terminal.quiet(A_PAUSE + 0.2)
    terminal.type(" typed\r")
    terminal.quiet(A_PAUSE + 0.2)
    terminal.type("\x03")
    terminal.see("❯ before pasted and then typed")
    terminal.type(" on")
    terminal.see("  on")


def test_whatever_a_terminal_says_keys_are_read_afterwards(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    for number, said in enumerate(
        (
            "\x1b[1114112;1u",
            "\x1b[97;1:3u",
            "\x1b[48;0;0;0;0t\x1b[48;99999;99999;1;1t",
            "\x1b[<0;99999;99999M\x1b[<;;M",
            "\x1b[" + "1;" * 50_000 + "m",
            "\x1b[?62;4c" * 2000,
            "\x1b" * 300,
            "\x10" * 300,
        )
    ):
        terminal.type(said)
        terminal.quiet(0.2)
        while "❯" not in terminal.shown:  # a list has been opened
            terminal.type("\x1b")
            terminal.quiet(0.2)
        terminal.type(f"still here {number}")
        terminal.see(f"❯ still here {number}", READY)
        terminal.type("\x15")
        terminal.gone("still here")


def test_it_is_suspended_and_comes_back_as_it_was(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("half a thought")
    terminal.see("❯ half a thought")
    terminal.type("\x1a")
    _, status = os.waitpid(terminal.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    terminal.clear()  # the other screen of a real terminal is empty when it is gone back to
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.see("❯ half a thought", "offline/grammar", READY)
    terminal.type(" and the rest")
    terminal.see("❯ half a thought and the rest")


def test_leaving_gives_the_terminal_back(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("\x04")
    assert terminal.ends() == 0
    assert "\x1b[?1049l" in terminal.raw
    after = terminal.raw.rpartition("\x1b[?1049l")[2]
    assert "\x1b[?25h" in after
    assert "To go on" not in after  # nothing was said


def test_leaving_tells_how_to_go_on(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("help\r")
    terminal.see("Steps are joined by")
    terminal.type("\x04")
    assert terminal.ends() == 0
    left = terminal.raw.rpartition("\x1b[?1049l")[2]
    assert re.search(r"To go on: protea -r \d{8}-\d{6}-[a-z0-9]{4}\r\n", left)


def test_a_signal_ends_it_and_gives_the_terminal_back(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.ends() == 0
    assert "\x1b[?1049l" in terminal.raw


def test_it_ends_with_its_terminal(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.hang_up()
    assert terminal.ends() is not None


def test_a_profile_is_swapped_with_what_that_changes_seen_before(open_screen: Open, slow: LoopbackProvider) -> None:
    terminal = open_with_key(open_screen, columns=100, rows=30)
    terminal.see("profile   coding")
    terminal.type("\x18p")
    terminal.see("─ profile ", "reviewer", "Enter takes")
    terminal.type("reviewer")
    terminal.see("tools that go:", "1/1")  # what it would bring about, before anything has changed
    terminal.type("\r")
    terminal.until(lambda shown: "reviewer" in shown.split("\n")[-1], "the bar does not say who it is")
    terminal.type("\x18p")
    terminal.see("● reviewer")


def test_what_is_dragged_over_is_copied_up_to_where_the_mouse_is(open_screen: Open, tmp_path: Path) -> None:
    with LoopbackProvider.in_thread(["It is **quite** blue, all of it."]) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        terminal.type("what is it?\r")
        terminal.see("It is quite blue, all of it.", " out · ")
        row, line = next(
            (number, each) for number, each in enumerate(terminal.shown.split("\n"), 1) if "quite blue" in each
        )
        first, last = line.index("quite") + 1, line.index("blue") + 4
        terminal.type(f"\x1b[<0;{first};{row}M\x1b[<32;{last - 3};{row}M\x1b[<32;{last};{row}M\x1b[<0;{last};{row}m")
        terminal.see("copied 1 line")
        copied = re.findall(r"\x1b\]52;c;([^\x07\x1b]*)", terminal.raw)
        assert base64.b64decode(copied[-1]).decode() == "quite blue"


def test_keys_that_terminals_send_behind_an_escape_are_what_they_are_meant_to_be(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("one\x1b\rtwo")  # Alt+Enter, as tmux and all who know no newer way send it
    terminal.see("❯ one\n  two")
    terminal.type("\x15\x7f\x15\x7f")
    terminal.see("❯ Ask")
    terminal.type("\x18")
    terminal.see("choose a model")
    terminal.type("\x1b/")  # over a slow line Esc and what is typed behind it come as one
    terminal.see("❯ /\n", "/model")
    terminal.type("\x15?")
    terminal.see("write to filter")
    terminal.type("\x1bhere")
    terminal.see("❯ here")
    terminal.type("\x15\x10")
    terminal.see("everything")
    terminal.type("\x1b\x18")
    terminal.see("choose a model")
    terminal.gone("everything")
    terminal.type("t")
    terminal.until(lambda shown: shown.split("\n")[0].count("new session") == 2, "there is no second tab")
    terminal.type("in the second\x1b1in the first\x1b2")  # Alt and a digit: a tab, and no character
    terminal.see("❯ in the second")
    terminal.type("\x1b1")
    terminal.see("❯ in the first")


def test_what_fingers_bring_from_emacs_works_as_terminals_send_it(open_screen: Open, tmp_path: Path) -> None:
    home = tmp_path / "home" / ".protea"
    home.mkdir(parents=True)
    (home / "config.toml").write_text('[tui]\nkeymap = "emacs"\n')
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("one two three")
    terminal.type("\x01\0\x1bf\x17")  # to the beginning, a mark, a word on, and away with it
    terminal.see("❯  two three")
    terminal.type("\x1bu\x05\x19")  # capitals; to the end, and back with it
    terminal.see("❯  TWO threeone")
    terminal.type("\x1b<\0\x1b>\x1bw")
    terminal.see("copied 1 line")
    copied = re.findall(r"\x1b\]52;c;([^\x07\x1b]*)", terminal.raw)
    assert base64.b64decode(copied[-1]).decode() == " TWO threeone"
    terminal.type("\x19\x1by")  # what was copied last, and instead of that what was cut before it
    terminal.see("❯  TWO threeoneone")
    terminal.type("\x15a b")
    terminal.type("\x1bt")
    terminal.see("❯ b a")
    terminal.type("\x14")
    terminal.see("❯ ba\n")
    terminal.type("\x1b.")  # Alt and a sign that is bound to nothing is nothing
    terminal.type("c")
    terminal.see("❯ ba c\n")


def test_a_click_opens_a_call_and_the_mouse_can_be_left_to_the_terminal(open_screen: Open, tmp_path: Path) -> None:
    with LoopbackProvider.in_thread([ScriptedCall("Read", {"path": "src/main.py"}), "Read."]) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        terminal.type("read it\r")
        terminal.see("● Read src/main.py", "Read.", " out · ")
        assert "def main():" not in terminal.shown
        row = next(number for number, each in enumerate(terminal.shown.split("\n"), 1) if "● Read" in each)
        terminal.type(f"\x1b[<0;4;{row}M\x1b[<0;4;{row}m")
        terminal.see("def main():")
        terminal.type("\x18u")
        terminal.see("mouse off")
        assert "\x1b[?1000l" in terminal.raw


@pytest.mark.parametrize(
    ("environment", "called"),
    [({}, "\x07"), ({"VTE_VERSION": "7000"}, "\x1b]777;notify;Protea asks;"), ({"TERM_PROGRAM": "WezTerm"}, "\x1b]9;")],
)
def test_who_looks_elsewhere_is_called_when_a_question_comes(
    open_screen: Open, tmp_path: Path, environment: dict[str, str], called: str
) -> None:
    with LoopbackProvider.in_thread([ScriptedCall("Bash", {"command": "make all"}), "Made."]) as provider:
        use(tmp_path, provider)
        terminal = open_screen(LOCAL_KEY="k", **environment)
        terminal.see(READY)
        terminal.type("\x1b[O")  # the window is left
        terminal.type("make it\r")
        terminal.see("? Bash make all", "y allow once")
        terminal.until(lambda _: called in re.sub(r"\x1b\]0;[^\x07]*\x07", "", terminal.raw), "nobody was called")
