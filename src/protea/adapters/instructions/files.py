"""AGENTS.md (or CLAUDE.md where there is none), CLAUDE.local.md and `.claude/rules`, from the person's own down to the
directory.

A file may take in others by `@path` (see `_imports`). What lies deeper than the current directory, and rules with
`paths`, are given once a file they concern is touched. A project nobody has trusted says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from protea.adapters.instructions._reading import Unread, decoded, read
from protea.domain.surroundings import Surroundings
from protea.ports.instructions import Instruction


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...] = ("AGENTS.md", "CLAUDE.md", ".claude/CLAUDE.md")
    """The first that exists in a directory is read; the others there are not."""
    local: tuple[str, ...] = ("CLAUDE.local.md",)
    """Read after it where they exist: what a person keeps to themselves."""
    rules: tuple[str, ...] = (".agents/rules", ".protea/rules", ".claude/rules")
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

    @cached_property
    def _own(self) -> tuple[str, ...]:
        """Where a person's own instructions may lie, without links."""
        return tuple(os.path.realpath(folder) for folder in (self._around.protea_home, self._around.user_home))

    def load(self, cwd: str) -> tuple[Instruction, ...]:
        around = self._around
        own = self._own
        found = [*self._of(around.protea_home, own)]
        found += [rule.instruction for rule in self._own_rules(own) if not rule.paths]
        # A directory nobody has trusted may not speak to the model with a person's authority.
        if around.trusted:
            found += [rule.instruction for rule in self._rules() if not rule.paths]
            found += [each for folder in _between(around.root, cwd) for each in self._of(folder, (around.root,))]
        return _once(found)

    def near(self, cwd: str, files: Sequence[str]) -> tuple[Instruction, ...]:
        root = self._around.root
        inside = [file for file in map(os.path.normpath, files) if file.startswith(root.rstrip("/") + "/")]
        if not inside:
            return ()
        about = [os.path.relpath(file, root) for file in inside]
        found = [rule.instruction for rule in self._own_rules(self._own) if _concerns(rule, about)]
        if self._around.trusted:
            loaded = set(_between(root, cwd))
            for file in inside:
                nearest = file if os.path.isdir(file) else os.path.dirname(file)
                folders = (folder for folder in _between(root, nearest) if folder not in loaded)
                found += [each for folder in folders for each in self._of(folder, (root,))]
            found += [rule.instruction for rule in self._rules() if _concerns(rule, about)]
        if not found:
            return ()
        known = {os.path.realpath(each.path) for each in self.load(cwd)}
        return tuple(each for each in _once(found) if os.path.realpath(each.path) not in known)

    def _of(self, folder: str, within: tuple[str, ...]) -> list[Instruction]:
        """What a folder says: the first of the names that says something, and what is local."""
        named = (self._read(os.path.join(folder, name), within) for name in self._options.names)
        local = (self._read(os.path.join(folder, name), within) for name in self._options.local)
        return [each for each in (next(filter(None, named), None), *local) if each is not None]

    def _read(self, path: str, within: tuple[str, ...]) -> Instruction | None:
        most = self._options.most_bytes
        unread: list[str] = []

        def trusted(path: str) -> str | None:
            data = read(path, within)
            # What is used is what was looked at: these very bytes.
            if data is None or (isinstance(data, bytes) and not self._around.vouches(path, data)):
                return None
            text = data if isinstance(data, str) else decoded(data)
            if isinstance(text, Unread):
                unread.append(text)
                return None
            return text[: most + 1]

        text = trusted(path)
        if text is None:
            return Instruction(path=path, text=f"[{path} is {unread[0]} and was not read]") if unread else None
        from protea.adapters.instructions._imports import imported  # most projects have no such file

        whole = imported(text, path, trusted, most, home=self._around.user_home).strip()
        if len(whole.encode()) > most:
            whole = whole.encode()[:most].decode("utf-8", "ignore")
            whole += f"\n[cut after {most} bytes; read {path} for the rest]"
        return Instruction(path=path, text=whole) if whole else None

    def _own_rules(self, within: tuple[str, ...]) -> Iterator[Rule]:
        return self._rules_in(os.path.join(self._around.protea_home, "rules"), within)

    def _rules(self) -> Iterator[Rule]:
        root = self._around.root
        for folder in self._options.rules:
            yield from self._rules_in(os.path.join(root, folder), (root,))

    def _rules_in(self, folder: str, within: tuple[str, ...]) -> Iterator[Rule]:
        for path in _markdown(folder, self._options.most_rules):
            found = self._read(path, within)
            if found is None:
                continue
            from protea.domain.front_matter import listed, split

            head, body = split(found.text)
            if body.strip():
                yield Rule(Instruction(path=path, text=body.strip()), listed(head.get("paths")))


def _concerns(rule: Rule, files: Sequence[str]) -> bool:
    """Whether it is about one of these: a pattern with `!` before it takes away from what the others say."""
    wanted = [pattern for pattern in rule.paths if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in rule.paths if pattern.startswith("!")]
    return any(_fits(wanted or ["**"], file) and not _fits(unwanted, file) for file in files) if rule.paths else False


def _fits(patterns: Sequence[str], file: str) -> bool:
    from protea.domain.glob import compiled  # most rules are about everything

    for pattern in patterns:
        try:
            if compiled(pattern).fullmatch(file):
                return True
        except ValueError:
            continue  # a broken pattern is about nothing
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


def _once(found: Sequence[Instruction]) -> tuple[Instruction, ...]:
    """Each file once, whatever links lead to it: the last that was found, which is the nearest."""
    return tuple({os.path.realpath(each.path): each for each in reversed(found)}.values())[::-1]


def create(options: Options, *, surroundings: Surroundings) -> FileInstructions:
    return FileInstructions(options, surroundings)
