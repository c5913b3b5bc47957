"""Copies skills to where they are found: looked through first, and shown to whoever decides. Called by `cli`."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator

import msgspec

from protea.composition.launch import Launch
from protea.composition.surroundings import find_surroundings
from protea.domain.errors import StoreError, UsageError
from protea.domain.skill import Skill, read_skill

MOST_FILES, MOST_BYTES = 1000, 32 << 20
CLONE_SECONDS = 300
_REMOTE = ("https://", "ssh://", "git@", "file://")


class Found(msgspec.Struct, frozen=True):
    """A skill that can be installed."""

    skill: Skill
    folder: str
    files: tuple[tuple[str, int], ...]
    """(path in its folder, bytes)."""


class Installing:
    """Used in a `with`: what was fetched for it is gone afterwards."""

    def __init__(self, launch: Launch, source: str, *, project: bool) -> None:
        around = find_surroundings(launch.cwd, (), launch.environment)
        home = os.path.join(around.root, ".protea") if project else around.protea_home
        self.target = os.path.join(home, "skills")
        self._source, self._cwd, self._environment = source, around.cwd, launch.environment
        self._passing: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Installing:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._passing is not None:
            self._passing.cleanup()

    def look(self) -> tuple[Found, ...]:
        """What there is to install. Raises `UsageError` for what is no skill, or must not be copied."""
        folder = self._fetched() if self._source.startswith(_REMOTE) else os.path.join(self._cwd, self._source)
        if not os.path.isdir(folder):
            raise UsageError(f"{self._source} is no folder and no address of git (https://, ssh://, git@, file://)")
        found = tuple(_looked_through(each, self._name(each, folder)) for each in _skills_in(folder))
        if not found:
            raise UsageError(f"there is no SKILL.md in {self._source}, in a folder of it or of its skills/")
        for each in found:
            if os.path.lexists(os.path.join(self.target, each.skill.name)):
                raise UsageError(f"{os.path.join(self.target, each.skill.name)} is there already; remove it first")
        return found

    def install(self, found: tuple[Found, ...]) -> None:
        """Copy them: no links, and nothing but what was looked at. Raises `StoreError`."""
        try:
            os.makedirs(self.target, 0o700, exist_ok=True)
            for each in found:
                passing = tempfile.mkdtemp(prefix=".installing-", dir=self.target)
                try:
                    for name, _ in each.files:
                        os.makedirs(os.path.dirname(os.path.join(passing, name)), exist_ok=True)
                        shutil.copy(os.path.join(each.folder, name), os.path.join(passing, name), follow_symlinks=False)
                    os.rename(passing, os.path.join(self.target, each.skill.name))
                except OSError:
                    shutil.rmtree(passing, ignore_errors=True)
                    raise
        except OSError as error:
            raise StoreError(f"{self.target}: the skill could not be installed: {error.strerror}") from error

    def _name(self, folder: str, top: str) -> str:
        """A skill that is a whole repository lies in a folder of ours, whose name says nothing."""
        if self._passing is None or folder != top:
            return os.path.basename(os.path.realpath(folder))
        return self._source.rstrip("/").rpartition("/")[2].removesuffix(".git")

    def _fetched(self) -> str:
        self._passing = tempfile.TemporaryDirectory(prefix="protea-skill-")
        folder = os.path.join(self._passing.name, "skill")
        settings = ("-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=true", "-c", "protocol.ext.allow=never")
        words = ["git", *settings, "clone", "-q", "--depth", "1", "--no-recurse-submodules", "--template="]
        try:
            done = subprocess.run(
                [*words, "--", self._source, folder],
                env={**self._environment, "GIT_TERMINAL_PROMPT": "0"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=CLONE_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(f"git could not fetch {self._source}: {error}") from error
        if done.returncode:
            why = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise UsageError(f"git could not fetch {self._source}: {why}")
        return folder


def _skills_in(folder: str) -> Iterator[str]:
    if os.path.isfile(os.path.join(folder, "SKILL.md")):
        yield folder
        return
    for above in (folder, os.path.join(folder, "skills")):
        for name in sorted(os.listdir(above)) if os.path.isdir(above) and not os.path.islink(above) else ():
            below = os.path.join(above, name)
            if not os.path.islink(below) and os.path.isfile(os.path.join(below, "SKILL.md")):
                yield below


def _looked_through(folder: str, name: str) -> Found:
    files: list[tuple[str, int]] = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in (".git", "__pycache__"))
        for each in sorted((*names, *(each for each in folders if os.path.islink(os.path.join(at, each))))):
            path = os.path.join(at, each)
            seen = os.lstat(path)
            if not stat.S_ISREG(seen.st_mode):
                raise UsageError(f"{path} is a link or no file; a skill that is installed holds plain files only")
            files.append((os.path.relpath(path, folder), seen.st_size))
            if len(files) > MOST_FILES or sum(size for _, size in files) > MOST_BYTES:
                raise UsageError(f"{folder} has more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
    path = os.path.join(folder, "SKILL.md")
    with open(path, encoding="utf-8", errors="replace") as file:
        skill = read_skill(file.read(), path, name)
    if isinstance(skill, str):
        raise UsageError(skill)
    if not skill.name[0].isalnum() or ":" in skill.name:
        raise UsageError(f"{path}: {skill.name} cannot be the name of a folder")
    return Found(skill, folder, tuple(files))
