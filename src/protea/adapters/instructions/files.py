"""AGENTS.md (or CLAUDE.md where there is none) and `.claude/rules`, from the person's own down to the directory.

A file may take in others by `@path` (see `_imports`). What lies deeper than the current directory, and rules with
`paths`, are given once a file they concern is touched. A project nobody has trusted says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import msgspec

from protea.adapters.instructions._reading import read
from protea.domain.surroundings import Surroundings
from protea.ports.instructions import Instruction


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...] = ("AGENTS.md", "CLAUDE.md")
    """The first that exists in a directory is read; the others there are not."""
    rules: tuple[str, ...] = (".agents/rules", ".claude/rules")
    """Folders, from the project's root, of Markdown files; `paths` in their head says which files they are about."""
    most_bytes: int = 32_768
    """Of one file, what it takes in included; the rest is cut off and said so."""
    most_rules: int = 100
    """Rule files that are read."""


class Rule(msgspec.Struct, frozen=True):
    """A file of a rules folder."""

    instruction: Instruction
    paths: tuple[str, ...]
    """Patterns from the project's root; none where it is about everything."""


class FileInstructions:
    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._around = surroundings

    def load(self, cwd: str) -> tuple[Instruction, ...]:
        around = self._around
        own = tuple(os.path.realpath(folder) for folder in (around.protea_home, around.user_home))
        found = [self._of(around.protea_home, own)]
        # A directory nobody has trusted may not speak to the model with a person's authority.
        if around.trusted:
            found += [rule.instruction for rule in self._rules() if not rule.paths]
            found += [self._of(folder, (around.root,)) for folder in _between(around.root, cwd)]
        return _once(found)

    def near(self, cwd: str, files: Sequence[str]) -> tuple[Instruction, ...]:
        root = self._around.root
        if not self._around.trusted:
            return ()
        loaded = set(_between(root, cwd))
        found: list[Instruction | None] = []
        inside = [file for file in map(os.path.normpath, files) if file.startswith(root.rstrip("/") + "/")]
        for file in inside:
            folders = (folder for folder in _between(root, os.path.dirname(file)) if folder not in loaded)
            found += [self._of(folder, (root,)) for folder in folders]
        if inside:
            about = [os.path.relpath(file, root) for file in inside]
            found += [rule.instruction for rule in self._rules() if _concerns(rule, about)]
        return _once(found)

    def _of(self, folder: str, within: tuple[str, ...]) -> Instruction | None:
        for name in self._options.names:
            found = self._read(os.path.join(folder, name), within)
            if found is not None:
                return found
        return None

    def _read(self, path: str, within: tuple[str, ...]) -> Instruction | None:
        most = self._options.most_bytes

        def trusted(path: str) -> str | None:
            data = read(path, within)
            # What is used is what was looked at: these very bytes.
            if data is None or not self._around.vouches(path, data):
                return None
            return data[: most + 1].decode("utf-8", "replace")

        text = trusted(path)
        if text is None:
            return None
        from protea.adapters.instructions._imports import imported  # most projects have no such file

        whole = imported(text, path, trusted, most, home=self._around.user_home).strip()
        if len(whole.encode()) > most:
            whole = whole.encode()[:most].decode("utf-8", "ignore")
            whole += f"\n[cut after {most} bytes; read {path} for the rest]"
        return Instruction(path=path, text=whole) if whole else None

    def _rules(self) -> Iterator[Rule]:
        for folder in self._options.rules:
            for path in _markdown(os.path.join(self._around.root, folder), self._options.most_rules):
                found = self._read(path, (self._around.root,))
                if found is None:
                    continue
                from protea.domain.front_matter import listed, split

                head, body = split(found.text)
                if body.strip():
                    yield Rule(Instruction(path=path, text=body.strip()), listed(head.get("paths")))


def _concerns(rule: Rule, files: Sequence[str]) -> bool:
    from protea.domain.glob import compiled  # most rules are about everything

    for pattern in rule.paths:
        try:
            matches = compiled(pattern)
        except ValueError:
            continue  # a broken pattern is about nothing
        if any(matches.fullmatch(file) for file in files):
            return True
    return False


def _markdown(folder: str, most: int) -> list[str]:
    """The Markdown files of a folder and those below it, by name; links are not followed."""
    found: list[str] = []
    for above, folders, names in os.walk(folder):
        folders.sort()
        found += (os.path.join(above, name) for name in sorted(names) if name.endswith(".md"))
        if len(found) >= most:
            break
    return found[:most]


def _between(root: str, cwd: str) -> list[str]:
    """`root`, and the folders from there down to `cwd`."""
    folders = [cwd]
    while folders[-1] != root and folders[-1].startswith(root.rstrip("/") + "/"):
        folders.append(os.path.dirname(folders[-1]))
    return list(reversed(folders))


def _once(found: Sequence[Instruction | None]) -> tuple[Instruction, ...]:
    return tuple({each.path: each for each in reversed(found) if each is not None}.values())[::-1]


def create(options: Options, *, surroundings: Surroundings) -> FileInstructions:
    return FileInstructions(options, surroundings)
