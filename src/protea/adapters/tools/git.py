"""Git: the project's history, as commands a person can read. Each is decided, shown and run as a Bash call."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from protea.adapters.tools._kit import Kit
from protea.domain.pattern import regex
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext

_NO_BRANCH = regex(r"[\x00-\x20~^:?*\[\\\x7f]+|\.\.+|@\{|\.lock\Z")
"""What git has in no name of a branch."""


class GitError(ValueError):
    """What the call lacks, in words for the model."""


class Git:
    """Writes the command, looks first where it could rewrite what others have."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        try:
            command = command_of(arguments)
        except GitError as error:
            return ToolResult(str(error), is_error=True)
        if arguments.get("amend") and not arguments.get("published"):
            where = await _published(context)
            if where is None:
                text = (
                    "Whether others have the last commit could not be found out, so it is not amended: make a new one."
                )
                return ToolResult(text, is_error=True)
            if where:
                return ToolResult(
                    f"The last commit is on {where} already: amending it would rewrite published history. Make a new "
                    "commit, or set published if the person asked for exactly that.",
                    is_error=True,
                )
        result = await context.call("Bash", {"command": command, "description": f"git {arguments['action']}"})
        note = _note(str(arguments["action"]), result, self._kit.cwd)
        return replace(result, text=f"{result.text.rstrip()}\n[{note}]") if note else result


def _note(action: str, result: ToolResult, cwd: str) -> str | None:
    """What git does not say of itself, and one should know."""
    if result.denied is not None:
        return None
    if action == "commit" and result.is_error:
        return "no commit was made"
    if action == "commit" and result.text.startswith("[detached HEAD"):
        return "no branch has this commit: branch with create and a name keeps it"
    return _going_on(cwd) if action == "status" and not result.is_error else None


UNFINISHED = (
    ("MERGE_HEAD", "a merge is not finished: mend what is in conflict (UU, AA …), then commit with paths"),
    ("rebase-merge", "a rebase is not finished: git rebase --continue or --abort by Bash"),
    ("rebase-apply", "a rebase or git am is not finished: --continue or --abort by Bash"),
    ("CHERRY_PICK_HEAD", "a cherry-pick is not finished: git cherry-pick --continue or --abort by Bash"),
    ("REVERT_HEAD", "a revert is not finished: git revert --continue or --abort by Bash"),
    ("BISECT_LOG", "a bisection is going on: git bisect reset by Bash ends it"),
)
"""What git leaves in its folder meanwhile."""


def _going_on(folder: str) -> str | None:
    while not os.path.lexists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    git = os.path.join(folder, ".git")
    if os.path.isfile(git):  # a worktree or a submodule
        with contextlib.suppress(OSError), open(git, encoding="utf-8", errors="surrogateescape") as file:
            git = os.path.join(folder, file.read(4096).removeprefix("gitdir:").strip())
    return next((said for name, said in UNFINISHED if os.path.exists(os.path.join(git, name))), None)


async def _published(context: ToolContext) -> str | None:
    """The remote branches that hold the last commit, in words; nothing where none does, None where nobody knows."""
    held = await context.call("Bash", {"command": "git branch -r --contains HEAD"})
    names = [line.strip() for line in held.text.splitlines() if line.startswith("  ") and "->" not in line]
    return None if held.is_error else ", ".join(names[:3])


def command_of(arguments: Mapping[str, Any]) -> str:
    """The command line of a call. Raises `GitError`."""
    paths = [str(path) for path in arguments.get("paths", ())]
    at = ["--", *paths] if paths else []
    revision = [_revision(str(arguments["revision"]))] if arguments.get("revision") else []
    match arguments["action"]:
        case "status":
            return _line("status", "--short", "--branch", *at)
        case "diff":
            return _line("diff", *(["--cached"] if arguments.get("staged") else []), *revision, *at)
        case "log":
            return _line("log", f"--max-count={arguments.get('limit', 20)}", "--date=short", "--stat", *revision, *at)
        case "show":
            return _line("show", *(revision or ["HEAD"]), *at)
        case "blame":
            if len(paths) != 1:
                raise GitError("blame needs one file in paths.")
            return _line("blame", *revision, *at)
        case "commit":
            return _commit(arguments, paths)
        case "branch":
            return _branch(arguments)
        case "switch":
            return _line("switch", *(["-c"] if arguments.get("create") else []), _name(arguments), *revision)
        case "worktree":
            return _worktree(arguments, revision)
        case "stash":
            message = ["-m", str(arguments["message"])] if arguments.get("message") else []
            return _line("stash", "push", "--include-untracked", *message, *at)
        case "unstash":
            return _line("stash", "pop")
        case "restore":
            if not paths:
                raise GitError("restore throws changes away: name the files in paths.")
            source = [f"--source={revision[0]}"] if revision else []
            return _line("restore", *(["--staged"] if arguments.get("staged") else []), *source, *at)
        case other:
            raise GitError(f"There is no action {other}.")


def _commit(arguments: Mapping[str, Any], paths: list[str]) -> str:
    message = str(arguments.get("message", "")).strip()
    if not message and not arguments.get("amend"):
        raise GitError("A commit needs a message: look at the diff, then say in one line what it does, and why below.")
    words = ["commit", *(["--all"] if arguments.get("all") else []), *(["--amend"] if arguments.get("amend") else [])]
    words += ["-m", message] if message else ["--no-edit"]
    added = f"{_line('add', '--', *paths)} && " if paths else ""
    return added + _line(*words)


def _branch(arguments: Mapping[str, Any]) -> str:
    if arguments.get("delete"):
        return _line("branch", "-d", _name(arguments))
    if arguments.get("create"):
        revision = [_revision(str(arguments["revision"]))] if arguments.get("revision") else []
        return _line("branch", _name(arguments), *revision)
    return _line("branch", "--all", "--verbose")


def _worktree(arguments: Mapping[str, Any], revision: list[str]) -> str:
    if arguments.get("delete"):
        return _line("worktree", "remove", _name(arguments))
    if not arguments.get("create"):
        return _line("worktree", "list")
    folder = _name(arguments)
    last = folder.rstrip("/").rpartition("/")[2]
    branch = ["-b", _NO_BRANCH.sub("-", last).strip("-.") or "worktree"]
    return _line("worktree", "add", *branch, folder, *revision)


def _name(arguments: Mapping[str, Any]) -> str:
    name = str(arguments.get("name", ""))
    if not name or name.startswith("-"):
        raise GitError(f"{arguments['action']} needs a name.")
    return name


def _revision(text: str) -> str:
    if text.startswith("-"):
        raise GitError(f"{text!r} is no revision.")
    return text


def _line(*words: str) -> str:
    return shlex.join(("git", *words))
