"""Git, run by Protea itself, over a worktree in which somebody else has worked.

Protea runs outside of the walls an agent's commands run behind, so nothing that lies in the worktree may make git run
anything: not its `.git`, which may be another by now, and not a repository nested in it, for git looks into those
it has in its index with *their* configuration. So the repository is named, never looked for, and what nested
repositories git is to know is taken out of a copy of its index before it compares anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from protea.adapters.tools._kit import Kit

NESTED = "160000"
"""The mode under which git keeps a nested repository."""
_LONGEST = 100
"""Characters of a name that is made of others' words."""


class WorktreeError(Exception):
    """What git, or a worktree, would not do, in a sentence."""


class Place(msgspec.Struct, frozen=True):
    """A worktree, and where its repository is, as it was when the worktree was made."""

    path: str
    inside: str
    """Its own part of the repository."""
    common: str
    """The repository."""

    @property
    def there(self) -> bool:
        return os.path.isdir(self.path)

    def environment(self, index: str) -> dict[str, str]:
        """What makes git use this repository, with that index, whatever lies in the worktree."""
        return {
            "GIT_DIR": self.inside,
            "GIT_COMMON_DIR": self.common,
            "GIT_WORK_TREE": self.path,
            "GIT_INDEX_FILE": index,
        }


async def place_of(kit: Kit, top: str, path: str) -> Place:
    """Of a worktree of a repository, as that has it in its list. Raises `WorktreeError` where it has not."""
    common = await run_git(kit, top, "rev-parse", "--path-format=absolute", "--git-common-dir")
    inside = _listed(common, path)
    if inside is None:
        raise WorktreeError(f"{path} is no worktree of {top}")
    return Place(path, inside, common)


def _listed(common: str, path: str) -> str | None:
    folder, name = os.path.split(path)
    wanted = os.path.join(os.path.realpath(folder), name, ".git")
    folder = os.path.join(common, "worktrees")
    for each in os.listdir(folder) if os.path.isdir(folder) else ():
        with contextlib.suppress(OSError), open(os.path.join(folder, each, "gitdir"), "rb") as file:
            if os.fsdecode(file.read(1 << 16)).removesuffix("\n") == wanted:
                return os.path.join(folder, each)
    return None


def name_of(*words: str) -> str:
    """A name for a folder and a branch. Words that are cut or hold other letters get a digest, so that no two share
    one: a model's provider makes up the ids of calls."""
    whole = "-".join(words)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", whole).strip("-")
    if name == whole.strip("-") and len(name) <= _LONGEST:
        return name
    from hashlib import blake2b

    return f"{name[:_LONGEST].rstrip('-')}-{blake2b(os.fsencode(whole), digest_size=4).hexdigest()}".lstrip("-")


@contextlib.contextmanager
def index_of(path: str) -> Iterator[str]:
    """A copy of an index, to be changed, with what git knows of files' times; of none, a new one."""
    with tempfile.TemporaryDirectory(prefix="protea-index-") as folder:
        copy = os.path.join(folder, "index")
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise WorktreeError(f"{path} is no file")
            shutil.copy2(path, copy)
        yield copy


async def nested(kit: Kit, cwd: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The nested repositories an index names: path → commit. They are no longer in it afterwards."""
    listed = await run_git(kit, cwd, "ls-files", "--stage", "-z", more=environment)
    found: dict[str, str] = {}
    for entry in listed.split("\0"):
        about, _, path = entry.partition("\t")
        if about.startswith(NESTED):
            found[path] = about.split(" ")[1]
    if found:
        given = "".join(f"{path}\0" for path in found)
        await run_git(kit, cwd, "update-index", "--force-remove", "-z", "--stdin", more=environment, given=given)
    return found


async def changed(kit: Kit, place: Place, base: str, *, all_files: bool = False) -> list[str]:
    """What is not committed in a worktree, a line for each as in `git status --porcelain`. A nested repository counts
    where there is more in it than `base` says there is."""
    with index_of(os.path.join(place.inside, "index")) as index:
        environment = place.environment(index)
        try:
            held = await nested(kit, place.path, environment)
            words = ("status", "--porcelain", "-z", "-uall" if all_files else "-unormal", "--no-renames")
            lines = (await run_git(kit, place.path, *words, more=environment)).split("\0")
        except OSError as error:
            raise WorktreeError(f"{place.path} cannot be looked at: {error.strerror}") from error
    lines = [line for line in lines if line and line[3:].rstrip("/") not in held]
    for path, commit in held.items():
        if await _differs(kit, os.path.join(place.path, path), commit):
            lines.append(f" M {path}")
    return lines


async def _differs(kit: Kit, folder: str, commit: str) -> bool:
    """Whether a nested repository has more in it than a commit. Looked at by a repository of our own that borrows its
    objects, so that nothing it is told to run is run."""
    objects = _objects(folder)
    if not objects:
        return objects is None
    with tempfile.TemporaryDirectory(prefix="protea-nested-") as own:
        await run_git(kit, own, "init", "--quiet", "--template=", own)
        inside = os.path.join(own, ".git")
        environment = Place(folder, inside, inside).environment(os.path.join(inside, "index"))
        environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = objects
        try:
            await run_git(kit, own, "read-tree", commit, more=environment)
            if await nested(kit, own, environment):
                return True
            await run_git(kit, own, "update-ref", "--no-deref", "HEAD", commit, more=environment)
            words = ("status", "--porcelain", "--ignored=no", "-unormal")
            return bool(await run_git(kit, folder, *words, more=environment))
        except (WorktreeError, OSError):
            return True


def _objects(folder: str) -> str | None:
    """Where a nested repository has its objects; empty where nothing lies in the folder, None where it is not clear."""
    try:
        if not os.listdir(folder):
            return ""
        path = os.path.join(folder, ".git")
        if not os.path.isdir(path):
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                path = os.path.join(folder, file.read(4096).strip().removeprefix("gitdir: "))
    except OSError:
        return None
    objects = os.path.join(path, "objects")
    return objects if os.path.isdir(objects) and not os.path.islink(folder) else None


async def run_git(
    kit: Kit, cwd: str, *words: str, more: Mapping[str, str] | None = None, given: str = "", patient: bool = False
) -> str:
    """Without the repository's own hooks. `more` is added to its environment, `given` is its standard input; `patient`
    takes what it could do where it could not do all. Raises `WorktreeError`."""
    code, out, error = await raw_git(kit, cwd, *words, more=more, given=given.encode("utf-8", "surrogateescape"))
    if code and not (patient and code == 1):
        lines = error.decode("utf-8", "replace").strip().splitlines()
        raise WorktreeError(lines[-1].removeprefix("fatal: ") if lines else f"git {words[0]} failed")
    return out.decode("utf-8", "surrogateescape").rstrip("\n")


async def raw_git(
    kit: Kit, cwd: str, *words: str, more: Mapping[str, str] | None = None, given: bytes = b""
) -> tuple[int, bytes, bytes]:
    """Its exit code, output and complaints. Raises `WorktreeError` where it cannot be started."""
    git = kit.which("git")
    if git is None:
        raise WorktreeError("git is not installed")
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.addEmbeddedRepo=false")
    try:
        process = await asyncio.create_subprocess_exec(
            git,
            *quiet,
            *words,
            cwd=cwd,
            env={**kit.environment, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(more or {})},
            stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise WorktreeError(f"git cannot be run in {cwd}: {(error.strerror or str(error)).lower()}") from error
    try:
        out, complaint = await process.communicate(given or None)
    except asyncio.CancelledError:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    return process.returncode or 0, out, complaint


async def surely_removed(kit: Kit, place: Place) -> bool:
    """Remove a worktree, whatever is in it and whoever has locked it; cancelled meanwhile, all the same. Whether it is
    gone."""
    removing = asyncio.ensure_future(_removed(kit, place))
    while not removing.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([removing])
    return removing.result()


async def _removed(kit: Kit, place: Place) -> bool:
    words = ("worktree", "remove", "--force", "--force", place.path)
    with contextlib.suppress(WorktreeError):
        await run_git(kit, place.common, *words, more={"GIT_DIR": place.common})
    # git leaves one alone whose `.git` is another by now, or in which it may not delete something.
    return await asyncio.to_thread(_gone, place)


def _gone(place: Place) -> bool:
    own = os.path.dirname(os.path.abspath(place.inside)) == os.path.join(os.path.abspath(place.common), "worktrees")
    for folder in (place.path, *((place.inside,) if own else ())):
        if os.path.islink(folder):
            with contextlib.suppress(OSError):
                os.unlink(folder)
        else:
            shutil.rmtree(folder, onerror=_opened)
    return not os.path.lexists(place.path)


def _opened(again: Callable[..., Any], path: str, why: object) -> None:
    """Once more, with the right to do it."""
    folder = os.path.dirname(path)
    with contextlib.suppress(OSError):
        if not os.path.islink(folder):
            os.chmod(folder, 0o700)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, 0o700)
            shutil.rmtree(path, ignore_errors=True)
        else:
            again(path)


def count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
