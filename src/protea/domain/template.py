"""Slash commands of one's own: a Markdown file that becomes a prompt, with what is written behind it put in. Pure."""

from __future__ import annotations

import re
import shlex

import msgspec

from protea.domain.front_matter import split
from protea.domain.pattern import regex

_NAME = regex(r"[a-z0-9][a-z0-9_-]*(:[a-z0-9][a-z0-9_-]*)*\Z")
_SLOT = regex(r"\$(ARGUMENTS|[1-9])")


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    name: str
    """As it is typed behind the slash; `git:review` for `git/review.md`."""
    about: str
    body: str
    path: str
    arguments: str = ""
    """What it takes, as it is shown: `[FILE]`."""


def read_template(text: str, name: str, path: str) -> Template | str:
    """The template of a Markdown file, or why it is none."""
    if not _NAME.match(name):
        return f"{path}: {name!r} cannot be typed as a command: lower case letters, digits, - and _"
    head, body = split(text)
    body = body.strip()
    if not body:
        return f"{path}: there is no text in it"
    about = head.get("description")
    hint = head.get("argument-hint")
    first = next(line.strip("# ").strip() for line in body.splitlines() if line.strip("# ").strip() or line == body)
    return Template(
        name=name,
        about=about if isinstance(about, str) and about else first[:100],
        arguments=f"[{', '.join(hint)}]" if isinstance(hint, tuple) else hint or "",
        body=body,
        path=path,
    )


def expanded(template: Template, rest: str) -> str:
    """The prompt: `$ARGUMENTS` is all that was written behind the command, `$1` to `$9` its words, quotes understood.
    Where the template has no place for them, they follow it."""
    if not _SLOT.search(template.body):
        return f"{template.body}\n\n{rest}" if rest else template.body
    try:
        words = shlex.split(rest)
    except ValueError:  # a quote that does not end
        words = rest.split()

    def one(slot: re.Match[str]) -> str:
        if slot[1] == "ARGUMENTS":
            return rest
        at = int(slot[1]) - 1
        return words[at] if at < len(words) else ""

    return _SLOT.sub(one, template.body)
