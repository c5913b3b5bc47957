"""Slash commands of one's own: a Markdown file that becomes a prompt, with what is written behind it put in. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import partial

import msgspec

from protea.domain.errors import UsageError
from protea.domain.front_matter import split
from protea.domain.pattern import regex
from protea.domain.skill import tools_of
from protea.domain.spelling import nearest

_NAME = regex(r"[a-z0-9][a-z0-9_-]*(:[a-z0-9][a-z0-9_-]*)*\Z")
_SLOT = regex(r"(\\?)\$(ARGUMENTS|[1-9])(?![0-9A-Za-z_])")
"""A place for what was typed; behind a backslash it is text. `$10` is an amount, and no place."""
LONGEST_ABOUT = 1_000
"""Characters of what it says it is."""
MOST_FAULTS = 5
"""Of one file that are told each."""
_COMMAND = regex(r"(?<![\\\w`])!`([^`\n]+)`")
"""A command whose output the prompt is to come with."""
MOST_COMMANDS = 10
_KEYS = ("description", "argument-hint", "allowed-tools")
_ELSEWHERE = {
    "model": "/model chooses it",
    "tools": "here it is allowed-tools",
    "name": "the file's name is the command's",
}


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    name: str
    """As it is typed behind the slash; `git:review` for `git/review.md`."""
    about: str
    body: str
    path: str
    arguments: str = ""
    """What it takes, as it is shown: `[FILE]`."""
    allowed_tools: tuple[str, ...] = ()
    """They only ever narrow what its turn may use."""
    faults: tuple[str, ...] = ()
    """What of its head is not used, a line each."""


def read_template(text: str, name: str, path: str) -> Template | str:
    """The template of a Markdown file, or why it is none."""
    if not _NAME.match(name):
        return f"{path}: {name!r} cannot be typed as a command: lower case letters, digits, - and _"
    head, body = split(text)
    body = body.strip()
    if not head and body.startswith("---\n"):
        return f"{path}: its head does not end: a line --- is missing below it"
    if not body:
        return f"{path}: there is no text in it"
    about = head.get("description")
    hint = head.get("argument-hint")
    first = next(line.strip("# ").strip() for line in body.splitlines() if line.strip("# ").strip() or line == body)
    return Template(
        allowed_tools=tools_of(head.get("allowed-tools", ())),
        faults=_faults(path, [key for key in head if key not in _KEYS]),
        name=name,
        about=about[:LONGEST_ABOUT] if isinstance(about, str) and about else first[:100],
        arguments=f"[{', '.join(hint)}]" if isinstance(hint, tuple) else hint or "",
        body=body,
        path=path,
    )


def _faults(path: str, unused: Sequence[str]) -> tuple[str, ...]:
    told = [f"{path}: {key} is not used: {_mend(key)}" for key in unused[:MOST_FAULTS]]
    more = len(unused) - MOST_FAULTS
    return (*told, *([f"{path}: {more} more are not used"] if more > 0 else []))


def _mend(key: str) -> str:
    near = nearest(key, _KEYS)
    return _ELSEWHERE.get(key) or (f"did you mean {near}?" if near else f"there are {', '.join(_KEYS)}")


def expanded(template: Template, rest: str) -> str:
    """The prompt: `$ARGUMENTS` is all that was written behind the command, `$1` to `$9` its words, quotes understood.
    Where the template has no place for them, they follow it."""
    body = template.body.replace("\\!`", "!`")
    if not any(not slot[1] for slot in _SLOT.finditer(body)):
        text = _SLOT.sub(lambda slot: slot[0].removeprefix("\\"), body)
        return f"{text}\n\n{rest}" if rest else text
    words = _words(rest)
    return _SLOT.sub(lambda slot: _filled(slot, words, rest), body)


def commands(template: Template, rest: str) -> tuple[str, ...]:
    """The shell commands between `` !` `` and a backtick, in order. What was typed is put into them as words that the
    shell takes as they are, whatever stands in them, also between quotes. Raises `UsageError` where that cannot be."""
    words = _words(rest)
    found = [_SLOT.sub(partial(_in_command, words), one[1]) for one in _COMMAND.finditer(template.body)]
    return tuple(dict.fromkeys(command.strip() for command in found if command.strip()))[:MOST_COMMANDS]


def _words(rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError:  # a quote that does not end
        return rest.split()


def _in_command(words: Sequence[str], slot: re.Match[str]) -> str:
    if slot[1]:
        return slot[0].removeprefix("\\")
    from protea.domain.shell_words import put_in  # few commands take words

    at = 0 if slot[2] == "ARGUMENTS" else int(slot[2]) - 1
    try:
        return put_in(words[at:] if slot[2] == "ARGUMENTS" else words[at : at + 1], slot.string[: slot.start()])
    except ValueError as error:
        raise UsageError(f"what was typed cannot be put into `{slot.string}`: {error}") from None


def _filled(slot: re.Match[str], words: Sequence[str], rest: str) -> str:
    if slot[1]:
        return slot[0].removeprefix("\\")
    if slot[2] == "ARGUMENTS":
        return rest
    at = int(slot[2]) - 1
    return words[at] if at < len(words) else ""
