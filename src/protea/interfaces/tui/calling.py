"""Calls a person who looks elsewhere, and names the window: what the terminal is told for that. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from protea.interfaces.terminal import one_line

BELL = "\x07"
PAGE = "protea-web"
"""What `TERM_PROGRAM` says where the terminal is the page of `protea web`."""


def way_of(wish: str, environment: Mapping[str, str]) -> str:
    """How this terminal calls: what was wished, or, for `auto`, what it is known to understand."""
    if wish != "auto":
        return wish
    if environment.get("TMUX") or environment.get("STY"):
        return "bell"  # what stands between swallows the rest, and marks the window on a bell
    if environment.get("KITTY_WINDOW_ID"):
        return "osc99"
    program = environment.get("TERM_PROGRAM", "")
    if program in ("iTerm.app", "WezTerm", "ghostty", PAGE) or environment.get("WT_SESSION"):
        return "osc9"
    if environment.get("TERM", "").startswith(("rxvt-unicode", "foot")) or environment.get("VTE_VERSION"):
        return "osc777"
    return "bell"


def call(way: str, title: str, text: str) -> str:
    """What is written to the terminal; nothing for `none`."""
    title, text = _plain(title, 60), _plain(text, 160)
    match way:
        case "osc9":
            return f"\x1b]9;{title}: {text}{BELL}"
        case "osc99":
            return f"\x1b]99;i=protea:d=0;{title}\x1b\\\x1b]99;i=protea:p=body;{text}\x1b\\"
        case "osc777":
            return f"\x1b]777;notify;{title};{text.replace(';', ',')}{BELL}"
        case "bell":
            return BELL
        case _:
            return ""


def window_title(text: str) -> str:
    """Names the window and its tab."""
    return f"\x1b]0;{_plain(text, 80)}{BELL}"


def tell_page(environment: Mapping[str, str], what: str, value: str) -> str:
    """What only the page of `protea web` understands: `session` (it comes back to that one), `open` (a link)."""
    return f"\x1b]7742;{what};{one_line(value)}{BELL}" if environment.get("TERM_PROGRAM") == PAGE else ""


def clipboard(environment: Mapping[str, str], text: str) -> str:
    """Puts a text into the clipboard of the terminal (OSC 52). Through tmux as well, which may keep it to itself."""
    said = f"\x1b]52;c;{b64encode(text.encode('utf-8', 'replace')).decode()}{BELL}"
    wrapped = said.replace("\x1b", "\x1b\x1b")
    return f"{said}\x1bPtmux;{wrapped}\x1b\\" if environment.get("TMUX") else said


def _plain(text: str, most: int) -> str:
    return one_line(text, most)
