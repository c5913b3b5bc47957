"""The conversation in the whole application, in a terminal: moved in, searched, copied from, played again."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from tests.interfaces.tui.conftest import Open
from tests.interfaces.tui.terminal import Terminal


def asked(terminal: Terminal, times: int) -> None:
    """So many prompts, each answered before the next."""
    terminal.see("Ask, or")
    for number in range(1, times + 1):
        terminal.type(f"say number {number} of {times}\r")
        terminal.see(f"> say number {number} of {times}", "Ask, or")
        terminal.until(lambda shown: "interrupts" not in shown and " out" in shown, "the turn does not end")


def copied(terminal: Terminal) -> Callable[[str], bool]:
    def is_there(_: str) -> bool:
        found = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)", terminal.raw)
        return bool(found) and "say number 1 of 4" in base64.b64decode(found[-1]).decode()

    return is_there


def test_one_moves_searches_and_copies_in_it_and_goes_back_to_writing(open_screen: Open) -> None:
    terminal = open_screen(columns=70, rows=18)
    asked(terminal, 4)
    terminal.gone("say number 1 of 4")
    terminal.type("\x18j")  # ctrl+x j
    terminal.type("gg")
    terminal.see("> say number 1 of 4")
    terminal.type("G")
    terminal.see("> say number 4 of 4")
    terminal.type("/number 1\r")
    terminal.see("“say number 1 of 4”")
    terminal.type("n")
    terminal.see("> say number 1 of 4")
    terminal.type("y")
    terminal.until(copied(terminal), "nothing was copied")
    terminal.type("iand this is written")
    terminal.see("and this is written")


def test_the_wheel_moves_what_is_seen_and_not_the_keys(open_screen: Open) -> None:
    terminal = open_screen(columns=70, rows=18)
    asked(terminal, 4)
    for _ in range(40):
        terminal.type("\x1b[<64;10;5M")
    terminal.see("> say number 1 of 4")
    terminal.type("more")
    terminal.see("more", "> say number 1 of 4")
    for _ in range(40):
        terminal.type("\x1b[<65;10;5M")
    terminal.see("> say number 4 of 4")


def test_who_reads_above_and_sends_sees_what_they_sent(open_screen: Open) -> None:
    terminal = open_screen(columns=70, rows=18)
    asked(terminal, 4)
    terminal.type("\x18j")  # ctrl+x j
    terminal.type("gg")
    terminal.see("> say number 1 of 4")
    terminal.type("isay it once more\r")
    terminal.see("> say it once more")


def test_a_recording_is_played_on_the_screen(open_screen: Open) -> None:
    terminal = open_screen(columns=70, rows=30)
    asked(terminal, 1)
    session = re.search(r"20\d{6}-\d{6}-\w+", _sessions(terminal, open_screen))
    assert session is not None
    played = open_screen("sessions", "replay", session[0], "--speed", "50", columns=70, rows=30)
    played.see("> say number 1 of 1", " out")
    played.type("something\r")
    played.see("this is a recording")


def _sessions(terminal: Terminal, open_screen: Open) -> str:
    terminal.type("\x04")
    assert terminal.ends() == 0
    listed = open_screen("sessions", "list", columns=150)
    listed.ends()
    return listed.shown


def test_a_session_that_another_process_has_is_not_opened_twice(open_screen: Open) -> None:
    first = open_screen(columns=90, rows=24)
    asked(first, 1)
    listed = open_screen("sessions", "list", columns=150)
    listed.ends()
    session = re.search(r"20\d{6}-\d{6}-\w+", listed.shown)
    assert session is not None
    second = open_screen("-r", session[0], columns=90, rows=24)
    assert second.ends() == 1
    assert session[0] in second.shown
    first.type("still here")
    first.see("still here")
