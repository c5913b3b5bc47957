"""Whether a git repository is as `git clone` leaves one: nothing in it makes git run or read anything else.

Asked about projects nobody has trusted. A list of what is harmless, as nobody can list all that is not: settings git
itself writes, no hooks, no submodules (git looks into them with *their* configuration), no borrowed objects.
"""

from __future__ import annotations

import os

from protea.domain.pattern import regex

LARGEST_INDEX = 1 << 26
"""Bytes."""
_SECTION = regex(rb'\[([A-Za-z0-9.-]+)(?:[ \t]+"(?:[^"\\\n]|\\.)*")?\]\Z')
_SETTING = regex(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*(?:=[^\n]*[^\\\n]|=)?\Z")
_HARMLESS = {
    b"core": {
        b"repositoryformatversion",
        b"filemode",
        b"bare",
        b"logallrefupdates",
        b"ignorecase",
        b"precomposeunicode",
        b"symlinks",
        b"autocrlf",
        b"eol",
    },
    b"remote": {b"url", b"fetch", b"tagopt", b"prune"},
    b"branch": {b"remote", b"merge", b"rebase"},
    b"user": {b"name", b"email"},
    b"init": {b"defaultbranch"},
    b"pull": {b"rebase", b"ff"},
}
_GITLINK = b"\x00\x00\xe0\x00"
"""The mode of a submodule's entry in an index."""


def fault(repository: str) -> str | None:
    """What makes this git directory more than a plain one, or None."""
    if not os.path.isdir(repository) or os.path.islink(repository):
        return "its git directory lies elsewhere"
    for name in ("commondir", "config.worktree", "modules", "worktrees", "objects/info/alternates"):
        if os.path.lexists(os.path.join(repository, name)):
            return f"there is {name} in its git directory"
    try:
        hooks = [name for name in os.listdir(os.path.join(repository, "hooks")) if not name.endswith(".sample")]
    except FileNotFoundError:
        hooks = []
    except OSError:
        return "its hooks cannot be looked at"
    if hooks:
        return f"it has the hook {hooks[0]}"
    return _settings_fault(os.path.join(repository, "config")) or _index_fault(os.path.join(repository, "index"))


def _settings_fault(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            text = file.read(1 << 16)
    except FileNotFoundError:
        return None
    except OSError:
        return "its configuration cannot be read"
    if len(text) == 1 << 16:
        return "its configuration is too long to look through"
    section = b""
    for line in text.split(b"\n"):
        words = line.strip(b" \t\r")
        if not words or words[:1] in (b"#", b";"):
            continue
        header = _SECTION.match(words)
        if header is not None:
            section = header[1].lower()
            continue
        setting = _SETTING.match(words)
        if setting is None or setting[1].lower() not in _HARMLESS.get(section, ()):
            return f"its configuration has more than git itself writes ({words[:40].decode('utf-8', 'replace')})"
    return None


def _index_fault(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_INDEX)
    except FileNotFoundError:
        return None
    except OSError:
        return "its index cannot be read"
    if len(data) == LARGEST_INDEX:
        return "its index is too large to look through"
    # Chance makes these bytes of other things once in thousands of large repositories, and then somebody is asked.
    return "it has submodules" if _GITLINK in data else None
