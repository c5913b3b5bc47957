"""The scripts a command would run, and what they say now: an approval is bound to it."""

from __future__ import annotations

import hashlib
import os
import re
import stat

from protea.domain.permission.shell.lexer import read_strictly
from protea.domain.permission.shell.script import Script
from protea.domain.permission.shell.unwrap import basename

LARGEST = 1 << 20
"""Bytes of a script that is looked at."""
MOST = 20
_INTERPRETERS = re.compile(r"(?:python|pypy|bash|sh|dash|zsh|ksh|node|deno|bun|ruby|perl|php|lua|Rscript)[\d.]*\Z")
_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/nix/")
"""What lies here came with the machine."""


def scripts_of(text: str, cwd: str, home: str) -> dict[str, str]:
    """Real path → digest of each script that can be told from the command's text. Raises nothing."""
    script = read_strictly(text, home)
    if not isinstance(script, Script):
        return {}
    found: dict[str, str] = {}
    where = cwd
    for command in script.commands[:MOST]:
        argv = command.argv
        if argv[:1] == ("cd",) and len(argv) == 2:
            where = os.path.join(where, argv[1])
            continue
        named = _named(argv)
        if named is not None:
            path = os.path.realpath(os.path.join(where, named))
            digest = None if path.startswith(_SYSTEM) else _digest(path)
            if digest is not None:
                found[path] = digest
    return found


def _named(argv: tuple[str, ...]) -> str | None:
    """The word that names a script."""
    if not argv:
        return None
    if _INTERPRETERS.match(basename(argv[0])):
        for word in argv[1:]:
            if word in ("-c", "-m", "-e", "-", "--eval", "-p"):
                return None  # what runs stands in the command itself, or is a module of the machine's
            if not word.startswith("-"):
                return None if word in ("run", "test") and basename(argv[0]) in ("deno", "bun") else word
        return None
    return argv[0] if "/" in argv[0] else None


def _digest(path: str) -> str | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    with os.fdopen(fd, "rb") as file:
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
                return None
            return hashlib.sha256(file.read(LARGEST + 1)).hexdigest()
        except OSError:
            return None
