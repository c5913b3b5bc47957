"""A git worktree for an agent: made before it begins, kept where it has changed something, else removed.

While somebody works in one, a lock in its part of `.git` is held, which no death leaves held. So what a killed process
left behind is known, and swept with the next that is made, unless there is something in it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
from contextlib import suppress

from protea.adapters.tools._kit import Kit

MOST = 20
"""Changed files that are named."""


class WorktreeError(Exception):
    """Why there is none, in a sentence."""


class Worktree:
    """One of them, on a branch of its own."""

    def __init__(self, kit: Kit, top: str, path: str, base: str, held: int) -> None:
        self._kit = kit
        self.top = top
        """Of the repository it belongs to."""
        self.path = path
        self.branch = f"protea/{os.path.basename(path)}"
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
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{os.path.basename(top)}-{name}").strip("-")
        path = os.path.join(folder, name)
        if _is_there(path):
            found = await cls._found(kit, top, path)
            if found is None:
                raise WorktreeError(f"another process works in {path}")
        else:
            await _sweep(kit, top)
            await run_git(kit, top, "worktree", "add", "--quiet", "-b", f"protea/{name}", path, base)
            inside = await run_git(kit, path, "rev-parse", "--absolute-git-dir")
            held = _hold(inside)
            if held is None:
                raise WorktreeError(f"another process works in {path}")
            _write_base(inside, base)
            found = cls(kit, top, path, base, held)
        found.words = await found._told()
        return found

    @classmethod
    async def _found(cls, kit: Kit, top: str, path: str) -> Worktree | None:
        """One that is there; None where somebody works in it."""
        inside = await run_git(kit, path, "rev-parse", "--absolute-git-dir")
        held = _hold(inside)
        if held is None:
            return None
        return cls(kit, top, path, _read_base(inside), held)

    def place_of(self, folder: str) -> str:
        """Where a folder of the repository is in it."""
        return os.path.normpath(os.path.join(self.path, os.path.relpath(folder, self.top)))

    async def _told(self) -> str:
        words = [
            f"You work in a git worktree of your own, {self.path}, on the branch {self.branch}, made from the commit "
            f"{self._base[:12]}. Commit what is to be kept."
        ]
        missing = (await run_git(self._kit, self.top, "status", "--porcelain", "-unormal")).splitlines()
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
        if self._base:
            if await run_git(kit, self.path, "status", "--porcelain", "-unormal"):
                return ""
            head = await run_git(kit, self.path, "rev-parse", "HEAD")
            why = "it has changed nothing"
            if head != self._base:
                there = await run_git(kit, self.top, "rev-parse", "HEAD")
                if await run_git(kit, self.top, "merge-base", head, there) != head:
                    return ""
                why = "what it has committed is merged"
        else:
            why = "nobody has worked in it"
        # What is ignored goes with it. git refuses without force where there are submodules, and where it died in the
        # midst of making it.
        await run_git(kit, self.top, "worktree", "remove", "--force", "--force", self.path)
        await run_git(kit, self.top, "branch", "--quiet", "-D", self.branch)
        return f"[{why}; its worktree is removed]"

    async def _kept(self) -> str:
        kit = self._kit
        count = await run_git(kit, self.path, "rev-list", "--count", f"{self._base}..HEAD")
        committed = (await run_git(kit, self.path, "diff", "--name-status", self._base, "HEAD")).splitlines()
        dirty = (await run_git(kit, self.path, "status", "--porcelain", "-uall")).splitlines()
        words = [f"its worktree {self.path}, branch {self.branch}, is kept: {_count(int(count), 'commit')}"]
        words += _named("changed in them", [line.replace("\t", " ") for line in committed])
        words += _named("not committed", [line.strip() for line in dirty])
        merge = f"\n`git merge {self.branch}` takes its commits." if int(count) else ""
        return f"[{'; '.join(words)}]{merge}"


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
    """The commit it was made from; empty where its process died before anybody could work in it."""
    try:
        with open(os.path.join(inside, "protea-base"), encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def folder_of(kit: Kit) -> str:
    """Not in Protea's own home, and not in `.git`: both are protected from what agents write."""
    around = kit.surroundings
    state = around.environment.get("XDG_CACHE_HOME") or os.path.join(around.user_home, ".cache")
    return os.path.join(state, "protea-worktrees")


def _hold(inside: str) -> int | None:
    """Hold a worktree, by its part of `.git`; None where somebody else does."""
    path = os.path.join(inside, "protea-lock")
    held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _named(how: str, files: list[str]) -> list[str]:
    if not files:
        return []
    more = f" and {len(files) - MOST} more" if len(files) > MOST else ""
    return [f"{_count(len(files), 'file')} {how}: {', '.join(files[:MOST])}{more}"]


async def run_git(kit: Kit, cwd: str, *words: str, index: str = "") -> str:
    """Without the repository's own hooks: making a worktree must run nothing that lies in it. With an index of its own
    where one is named. Raises `WorktreeError`."""
    git = kit.which("git")
    if git is None:
        raise WorktreeError("git is not installed")
    argv = (git, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *words)
    environment = {**kit.environment, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    if index:
        environment["GIT_INDEX_FILE"] = index
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, error = await process.communicate()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode:
        lines = error.decode("utf-8", "replace").strip().splitlines()
        raise WorktreeError(lines[-1].removeprefix("fatal: ") if lines else f"git {words[0]} failed")
    return out.decode("utf-8", "replace").rstrip("\n")
