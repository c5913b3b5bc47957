"""A git worktree for an agent: made before it begins, kept where it has changed something, else removed.

While somebody works in one, a lock in its part of `.git` is held, which no death leaves held. So what a killed process
left behind is known, and swept with the next that is made, unless there is something in it.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from shlex import quote

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._repository import (
    Place,
    WorktreeError,
    changed,
    count,
    name_of,
    place_of,
    run_git,
    surely_removed,
)
from protea.domain.surroundings import Surroundings
from protea.domain.textfile import shown_name

MOST = 20
"""Changed files that are named."""


class Worktree:
    """One of them, on a branch of its own."""

    def __init__(self, kit: Kit, top: str, place: Place, base: str, held: int) -> None:
        self._kit = kit
        self.top = top
        """Of the repository it belongs to."""
        self._place = place
        self.path = place.path
        self.branch = f"protea/{os.path.basename(place.path)}"
        self._base = base
        """The commit it was made from."""
        self._held = held
        self.words = ""
        """What the agent has to know of it."""

    @classmethod
    async def make(cls, kit: Kit, name: str) -> Worktree:
        """A new one, or the one of that name where it is there already: then the agent goes on in it. Raises
        `WorktreeError`."""
        around = kit.surroundings
        top = await run_git(kit, around.cwd, "rev-parse", "--show-toplevel")
        try:
            base = await run_git(kit, top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except WorktreeError as error:
            raise WorktreeError("the repository has no commit yet, and a worktree is made from one") from error
        folder = folder_of(kit)
        os.makedirs(folder, 0o700, exist_ok=True)
        name = name_of(os.path.basename(top), name)
        path = os.path.join(folder, name)
        if _is_there(path):
            found = await cls._found(kit, top, path)
            if found is None:
                raise WorktreeError(f"another process works in {path}")
        else:
            await _sweep(kit, top)
            branch = f"protea/{name}"
            kept = await _fork_point(kit, top, branch)
            if kept:  # somebody has removed its folder: what was committed in it is there
                base = kept
                listed = await run_git(kit, top, "worktree", "list", "--porcelain")
                if elsewhere := _elsewhere(listed, branch, path):
                    raise WorktreeError(f"its branch {branch} is checked out in {elsewhere}")
                await run_git(kit, top, "worktree", "add", "--quiet", "--force", path, branch)
            else:
                await run_git(kit, top, "worktree", "add", "--quiet", "-b", branch, path, base)
            place = await place_of(kit, top, path)
            held = hold(place)
            if held is None:
                raise WorktreeError(f"another process works in {path}")
            _write_base(place.inside, base)
            found = cls(kit, top, place, base, held)
        found.words = await found._told()
        return found

    @classmethod
    async def _found(cls, kit: Kit, top: str, path: str) -> Worktree | None:
        """One that is there; None where somebody works in it."""
        place = await place_of(kit, top, path)
        held = hold(place)
        if held is None:
            return None
        return cls(kit, top, place, _read_base(place.inside), held)

    def place_of(self, folder: str) -> str:
        """Where a folder of the repository is in it."""
        return os.path.normpath(os.path.join(self.path, os.path.relpath(folder, self.top)))

    async def _told(self) -> str:
        words = [
            f"You work in a git worktree of your own, {self.path}, on the branch {self.branch}, made from the commit "
            f"{self._base[:12]}. Commit what is to be kept."
        ]
        missing = (await run_git(self._kit, self.top, *_STATUS)).splitlines()
        untracked = sum(line.startswith("??") for line in missing)
        if missing:
            words.append(
                f"Not in it is what was not committed where you were sent from: {len(missing) - untracked} changed and "
                f"{untracked} untracked files in {self.top}."
            )
        if _is_there(os.path.join(self.path, ".gitmodules")):
            words.append("Its submodules are empty until `git submodule update --init` is run in it.")
        return " ".join(words)

    async def done(self) -> str:
        """Remove it where nothing in it would be lost; what a person, or a model, should know of it."""
        try:
            told = await self._removed() or await self._kept()
        except WorktreeError as error:
            told = f"[its worktree {self.path} is left as it is: {error}]"
        finally:
            self.close()
        return told

    def close(self) -> None:
        """Nobody works in it any more."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    async def _removed(self) -> str:
        """Remove it, where all that is in it is where it was sent from as well; why, or nothing."""
        kit = self._kit
        why = "nobody has worked in it"
        if self._base:
            if await changed(kit, self._place, self._base):
                return ""
            why = "it has changed nothing"
            # It may have gone to another commit and left its own behind on the branch.
            for tip in {await self._asked("rev-parse", "HEAD"), await self._tip()} - {self._base, ""}:
                there = await run_git(kit, self.top, "rev-parse", "HEAD")
                if await run_git(kit, self.top, "merge-base", tip, there) != tip:
                    return ""
                why = "what it has committed is merged"
        # What is ignored goes with it.
        if not await surely_removed(kit, self._place):
            return f"[{why}; its worktree {self.path} could not be removed]"
        with suppress(WorktreeError):  # it has removed its branch itself
            await run_git(kit, self.top, "branch", "--quiet", "-D", self.branch)
        return f"[{why}; its worktree is removed]"

    async def _kept(self) -> str:
        commits = int(await self._asked("rev-list", "--count", f"{self._base}..HEAD"))
        committed = (await self._asked("diff", "--name-status", self._base, "HEAD")).splitlines()
        dirty = await changed(self._kit, self._place, self._base, all_files=True)
        place = f"its worktree {self.path}, branch {self.branch}, is kept"
        words = [f"{place}: {count(commits, 'commit')}"]
        words += _named("changed in them", [line.replace("\t", " ") for line in committed])
        words += _named("not committed", [f"{line[:2].strip()} {shown_name(line[3:])}" for line in dirty])
        head = await self._asked("rev-parse", "HEAD")
        tip = await self._tip()
        told = f"[{'; '.join(words)}]"
        if commits:
            told += f"\n`git merge {self.branch if head == tip else head[:12]}` takes its commits."
        if tip not in (head, self._base, ""):
            told += f"\nIts branch {self.branch} has others, which it has left."
        return told

    async def _asked(self, *words: str) -> str:
        index = os.path.join(self._place.inside, "index")
        return await run_git(self._kit, self.top, *words, more=self._place.environment(index))

    async def _tip(self) -> str:
        """The last commit of its branch; empty where that is gone."""
        try:
            return await self._asked("rev-parse", "--verify", "--quiet", f"refs/heads/{self.branch}^{{commit}}")
        except WorktreeError:
            return ""


_STATUS = ("status", "--porcelain", "-unormal", "--ignore-submodules=all")
"""Nested repositories are not looked into."""


async def _fork_point(kit: Kit, top: str, branch: str) -> str:
    """The commit a branch was made from; empty where there is no such branch."""
    try:
        return await run_git(kit, top, "merge-base", "HEAD", f"refs/heads/{branch}")
    except WorktreeError:
        return ""


async def _sweep(kit: Kit, top: str) -> None:
    """Remove what processes that were killed have left behind, where nothing is in it."""
    for path in _ours(await run_git(kit, top, "worktree", "list", "--porcelain"), folder_of(kit)):
        with suppress(WorktreeError):  # it is somebody's to look at
            left = await Worktree._found(kit, top, path)
            if left is not None:
                try:
                    await left._removed()
                finally:
                    left.close()


def _elsewhere(listed: str, branch: str, path: str) -> str:
    """Of the worktrees git has listed, another one that is on the branch; empty where none is."""
    for entry in listed.split("\n\n"):
        lines = entry.splitlines()
        if f"branch refs/heads/{branch}" in lines:
            other = lines[0].removeprefix("worktree ")
            return other if os.path.realpath(other) != os.path.realpath(path) else ""
    return ""


def _ours(listed: str, folder: str) -> list[str]:
    """Of the worktrees git has listed, those that were made here."""
    real = os.path.realpath(folder)
    paths = [line.removeprefix("worktree ") for line in listed.splitlines() if line.startswith("worktree ")]
    return [path for path in paths if os.path.dirname(os.path.realpath(path)) == real and os.path.isdir(path)]


def _is_there(path: str) -> bool:
    return os.path.lexists(path)


def _write_base(inside: str, base: str) -> None:
    with open(os.path.join(inside, "protea-base"), "x", encoding="ascii") as file:
        file.write(base)


def _read_base(inside: str) -> str:
    """The commit it was made from; empty where its process died before anybody could work in it. Raises
    `WorktreeError` where something else stands there: who works in it could write it."""
    try:
        with open(os.path.join(inside, "protea-base"), "rb") as file:
            said = file.read(100).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise WorktreeError(f"the commit it was made from cannot be read: {(error.strerror or '').lower()}") from error
    if not _COMMIT.fullmatch(said):
        raise WorktreeError("what it was made from is no commit any more")
    return said


_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def folder_of(kit: Kit) -> str:
    """Not in Protea's own home, and not in `.git`: both are protected from what agents write."""
    return folder_for(kit.surroundings)


def folder_for(around: Surroundings) -> str:
    state = around.environment.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(state):  # such a one is to be passed over, says who made the name up
        state = os.path.join(around.user_home, ".cache")
    return os.path.join(state, "protea-worktrees")


def remains_of(around: Surroundings, session: str) -> list[str]:
    """What is still there of the agents and races of a session that is gone, for the person, a line each: what they
    changed is nowhere else. That one of its races waits for a choice is forgotten."""
    top = folder_for(around)
    races = os.path.join(top, "races")
    with suppress(OSError):
        os.unlink(os.path.join(races, f"{name_of(session)}.json"))
    found = []
    for folder in (top, races):
        with suppress(OSError), os.scandir(folder) as entries:
            found += [entry.path for entry in entries if f"-{session}-" in entry.name and entry.is_dir()]
    if not found:
        return []
    kept = ", ".join(quote(path) for path in sorted(found))
    return [f"what its agents changed is kept in {kept}; `git worktree remove --force FOLDER` removes one"]


def hold(place: Place) -> int | None:
    """Hold a worktree, by its part of `.git`; None where somebody else does. Raises `WorktreeError`."""
    path = os.path.join(place.inside, "protea-lock")
    try:
        held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WorktreeError(f"{place.path} cannot be held: {(error.strerror or '').lower()}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held


def _named(how: str, files: list[str]) -> list[str]:
    if not files:
        return []
    more = f" and {len(files) - MOST} more" if len(files) > MOST else ""
    return [f"{count(len(files), 'file')} {how}: {', '.join(files[:MOST])}{more}"]
