"""Rings the terminal: the bell, or one of the sequences by which terminals show a message of the desktop's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import msgspec

from protea.domain.plain import plain
from protea.domain.surroundings import Surroundings
from protea.ports.notifier import Notification

Way = Literal["bell", "osc9", "osc777", "osc99"]

_BY_PROGRAM: dict[str, Way] = {
    "iTerm.app": "osc9",
    "WezTerm": "osc9",
    "ghostty": "osc9",
    "rio": "osc9",
}
_BY_TERM: dict[str, Way] = {"xterm-kitty": "osc99", "xterm-ghostty": "osc9", "foot": "osc777", "rxvt-unicode": "osc777"}
LONGEST = 200
"""Characters of a title or body."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    way: Literal["auto", "bell", "osc9", "osc777", "osc99"] = "auto"
    """`auto`: what the terminal is known to understand, else the bell."""
    terminal: str = "/dev/tty"
    """The device that is written to: the terminal Protea was started in."""


class Bell:
    def __init__(self, options: Options, environment: Mapping[str, str]) -> None:
        self._terminal = options.terminal
        self._way = way_of(environment) if options.way == "auto" else options.way
        self._inside_tmux = bool(environment.get("TMUX"))

    async def notify(self, notification: Notification) -> bool:
        text = sequence(self._way, notification)
        if self._inside_tmux and self._way != "bell":
            doubled = text.replace("\x1b", "\x1b\x1b")
            text = f"\x1bPtmux;{doubled}\x1b\\"
        try:
            # O_NONBLOCK: a terminal that was stopped (Ctrl+S) must not hold anybody up.
            descriptor = os.open(self._terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return os.isatty(descriptor) and os.write(descriptor, text.encode("utf-8", "replace")) > 0
        except OSError:
            return False
        finally:
            os.close(descriptor)


def way_of(environment: Mapping[str, str]) -> Way:
    """What the terminal is known to understand."""
    program = _BY_PROGRAM.get(environment.get("TERM_PROGRAM", ""))
    return program or _BY_TERM.get(environment.get("TERM", ""), "bell")


def sequence(way: Way, notification: Notification) -> str:
    """What is written. Nothing of the text can end the sequence early or begin another."""
    title, body = (_line(text) for text in (notification.title, notification.body))
    match way:
        case "bell":
            return "\a"
        case "osc9":
            return f"\x1b]9;{title}{': ' if body else ''}{body}\x1b\\"
        case "osc777":
            return f"\x1b]777;notify;{title.replace(';', ',')};{body}\x1b\\"
        case "osc99":
            more = f"\x1b]99;i=protea:p=body;{body}\x1b\\" if body else ""
            return f"\x1b]99;i=protea:d={int(not body)};{title}\x1b\\{more}"


def _line(text: str) -> str:
    return " ".join(plain(text).split())[:LONGEST]


def create(options: Options, *, surroundings: Surroundings) -> Bell:
    return Bell(options, surroundings.environment)
