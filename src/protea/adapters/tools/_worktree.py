"""A git worktree for an agent: made before it begins, kept where it has changed something, else removed."""

from __future__ import annotations

import asyncio
import os
import re

from protea.adapters.tools._kit import Kit


class WorktreeError(Exception):
    """Why there is none, in a sentence."""


class Worktree:
    """One of them, on a branch of its own."""

    def __init__(self, kit: Kit, top: str, path: str, branch: str, base: str) -> None:
        self._kit = kit
        self.top = top
        """Of the repository it belongs to."""
        self.path = path
        self.branch = branch
        self._base = base

    @classmethod
    async def make(cls, kit: Kit, name: str) -> Worktree:
        """Raises `WorktreeError`."""
        around = kit.surroundings
        top = await _git(kit, around.cwd, "rev-parse", "--show-toplevel")
        base = await _git(kit, top, "rev-parse", "HEAD")
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")
        # Not in Protea's own home, and not in `.git`: both are protected from what agents write.
        state = around.environment.get("XDG_CACHE_HOME") or os.path.join(around.user_home, ".cache")
        path = os.path.join(state, "protea-worktrees", f"{os.path.basename(top)}-{name}")
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        branch = f"protea/{name}"
        await _git(kit, top, "worktree", "add", "--quiet", "-b", branch, path, base)
        return cls(kit, top, path, branch, base)

    def place_of(self, folder: str) -> str:
        """Where a folder of the repository is in it."""
        return os.path.normpath(os.path.join(self.path, os.path.relpath(folder, self.top)))

    async def done(self) -> str:
        """Remove it where nothing in it was changed; what a person, or a model, should know of it."""
        try:
            dirty = await _git(self._kit, self.path, "status", "--porcelain")
            head = await _git(self._kit, self.path, "rev-parse", "HEAD")
            if dirty or head != self._base:
                files = len(dirty.splitlines())
                commits = await _git(self._kit, self.path, "rev-list", "--count", f"{self._base}..HEAD")
                return (
                    f"[its worktree {self.path}, branch {self.branch}, is kept: {commits} commits, {files} files "
                    "changed and not committed]"
                )
            await _git(self._kit, self.top, "worktree", "remove", self.path)
            await _git(self._kit, self.top, "branch", "--quiet", "-D", self.branch)
        except WorktreeError as error:
            return f"[its worktree {self.path} is left as it is: {error}]"
        return "[it has changed nothing; its worktree is removed]"


async def _git(kit: Kit, cwd: str, *words: str) -> str:
    """Without the repository's own hooks: making a worktree must run nothing that lies in it."""
    git = kit.which("git")
    if git is None:
        raise WorktreeError("git is not installed")
    argv = (git, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *words)
    environment = {**kit.environment, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
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
