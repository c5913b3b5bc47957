"""Race: one prompt for several runners, each an agent in a worktree of its own; then the changes of one are taken.

All begin with what is there now, changes that are not committed and new files included: a commit on no branch is made
of them, with an index of its own, so neither the repository's index nor its branches are touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._worktree import WorktreeError, folder_of, run_git
from protea.adapters.tools.agent import together
from protea.domain.cut import cut
from protea.domain.delegation import Errand, Outcome, brief
from protea.domain.errors import UsageError
from protea.domain.racing import MOST, Race, Ran, Runner, compared, runner_of, stat_of
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import Beside, ToolContext

IDENTITY = ("-c", "user.name=Protea", "-c", "user.email=protea@localhost")


class RaceTool:
    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        action = arguments["action"]
        try:
            if action == "run":
                return await self._run(arguments, context)
            race = self._known(context.session)
            if race is None:
                return ToolResult("There is no race that waits for a choice.", is_error=True)
            if action == "show":
                return ToolResult(compared(race))
            if action == "drop":
                await self._end(race, context.session)
                return ToolResult("All of them were dropped; nothing was changed.")
            number = int(arguments.get("number") or 0)
            if not 1 <= number <= len(race.ran):
                return ToolResult(f"There is no runner {number}; there are 1 to {len(race.ran)}.", is_error=True)
            chosen = race.ran[number - 1]
            if action == "diff":
                diff = await self._ask(race, chosen)
                return ToolResult(cut(diff, self._kit.options.bash_output) or "It changed nothing.")
            return await self._pick(race, number, chosen, context)
        except (WorktreeError, UsageError) as error:
            return ToolResult(f"{str(error)[:1].upper()}{str(error)[1:]}", is_error=True)

    # ── the race ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        beside, prompt = context.beside, str(arguments.get("prompt") or "")
        if beside is None:
            return ToolResult("No agents can be sent from here.", is_error=True)
        if self._known(context.session) is not None:
            text = "A race waits for a choice: take what one changed (pick) or drop it first."
            return ToolResult(text, is_error=True)
        runners = [runner_of(str(each)) for each in arguments.get("runners") or ()]
        if not prompt.strip() or not 2 <= len(runners) <= MOST:
            return ToolResult(f"A race needs a prompt and 2 to {MOST} runners.", is_error=True)
        top = await self._top()
        base = await self._base(top)
        trees: list[str] = []
        race: Race | None = None
        try:
            for number in range(len(runners)):
                path = self._place(f"{os.path.basename(top)}-{context.session}-{context.call_id}-{number + 1}")
                trees.append(path)
                await run_git(self._kit, top, "worktree", "add", "--quiet", "--detach", path, base)
            pairs = zip(runners, trees, strict=True)
            sends = [self._one(beside, prompt, runner, tree, top, base, rivals=len(runners)) for runner, tree in pairs]
            ran, taints = zip(*await together(sends), strict=True)
            race = Race(prompt=prompt, base=base, top=top, ran=ran)
            if race.to_choose:
                self._keep(race, context.session)
        finally:
            if race is None or not race.to_choose:
                for tree in trees:
                    await _surely_removed(self._kit, top, tree)
        denied = all(each.outcome is not None and each.outcome.outcome == "denied" for each in race.ran)
        return ToolResult(
            compared(race),
            is_error=not any(each.finished for each in race.ran),
            denied="what all runners needed is not allowed" if denied else None,
            taint=tuple(dict.fromkeys(kind for taint in taints for kind in taint)),
        )

    async def _one(
        self, beside: Beside, prompt: str, runner: Runner, tree: str, top: str, base: str, *, rivals: int
    ) -> tuple[Ran, Sequence[Any]]:
        figures: list[Outcome] = []
        errand = Errand(
            prompt=prompt,
            name=runner.name,
            title=f"{runner.name}: {brief(prompt)}",
            profile=runner.profile,
            model=runner.model,
            cwd=_within(tree, top, self._kit.surroundings.cwd),
            rivals=rivals,
        )
        result = await beside.delegate(errand, ended=figures.append)
        ran = Ran(runner=runner.name, folder=tree)
        if not figures:
            return replace(ran, problem=result.text), result.taint
        text = result.text.rpartition("\n[")[0] or result.text
        await run_git(self._kit, tree, "add", "--all")
        numbers = await run_git(self._kit, tree, "diff", "--cached", "--no-renames", "--numstat", "-z", base)
        stat, files, added, removed = stat_of(numbers)
        ran = replace(ran, text=text, outcome=figures[0], stat=stat, files=files, added=added, removed=removed)
        return ran, result.taint

    async def _top(self) -> str:
        try:
            return await run_git(self._kit, self._kit.surroundings.cwd, "rev-parse", "--show-toplevel")
        except WorktreeError as error:
            if "not a git repository" in str(error):
                error = WorktreeError("a race needs a git repository: each runner works in a worktree of its own")
            raise error from None

    async def _base(self, top: str) -> str:
        """A commit of what is there now."""
        try:
            head = await run_git(self._kit, top, "rev-parse", "--verify", "--quiet", "HEAD")
        except WorktreeError:
            raise WorktreeError("a race needs a first commit to begin with") from None
        if not await run_git(self._kit, top, "status", "--porcelain"):
            return head
        index = self._place(f"index-{os.getpid()}-{id(self)}.new")
        try:
            for words in (("read-tree", "HEAD"), ("add", "--all")):
                await run_git(self._kit, top, *words, index=index)
            tree = await run_git(self._kit, top, "write-tree", index=index)
            return await run_git(self._kit, top, *IDENTITY, "commit-tree", tree, "-p", head, "-m", "before a race")
        finally:
            with contextlib.suppress(OSError):
                os.unlink(index)

    # ── the choice ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _pick(self, race: Race, number: int, chosen: Ran, context: ToolContext) -> ToolResult:
        if not chosen.files:
            text = f"Runner {number} ({chosen.runner}) changed nothing: nothing was taken, and the race still waits."
            return ToolResult(text, is_error=True)
        special, empty, programs = await self._special(race, chosen)
        diff = await self._diff(race, chosen, without=special)
        parts: list[ToolResult] = []
        calls: list[tuple[str, dict[str, Any]]] = [("Patch", {"patch": diff})] if diff.strip() else []
        calls += [("Write", {"path": os.path.join(race.top, path), "content": ""}) for path in empty]
        for name, wanted in calls:
            part = await context.call(name, wanted)
            if part.is_error:
                return replace(
                    part, text=f"Nothing was taken and nothing dropped. {part.text}" if not parts else part.text
                )
            parts.append(part)
        notes = [f"[not taken, no text: {path}; it is in {chosen.folder}]" for path in special]
        notes += [f"[{path} was made executable there: chmod +x]" for path in programs]
        kept = chosen.folder if special else ""
        await self._end(race, context.session, keep=kept)
        lines = [part.text for part in parts]
        text = "\n".join([f"Taken: {number} · {chosen.runner}.", *lines, *notes])
        return ToolResult(text, diff="".join(part.diff or "" for part in parts) or None)

    async def _special(self, race: Race, chosen: Ran) -> tuple[list[str], list[str], list[str]]:
        """Of what it changed: what a patch of text cannot say, new files without anything in them, new programs."""
        raw = (await self._ask(race, chosen, "--raw", "-z")).split("\0")
        numbers = (await self._ask(race, chosen, "--numstat", "-z")).split("\0")
        sizes = {path: (plus, minus) for plus, minus, path in (each.split("\t", 2) for each in numbers if each)}
        special, empty, programs = [], [], []
        for about, path in zip(raw[::2], raw[1::2], strict=False):
            old, new, *_, status = about.removeprefix(":").split(" ")
            if {old[:3], new[:3]} & {"120", "160"} or sizes.get(path, ("",))[0] == "-":
                special.append(path)
            elif status == "A" and sizes.get(path) == ("0", "0"):
                empty.append(path)
            if new == "100755" and old != new and path not in special:
                programs.append(path)
        return special, empty, programs

    async def _diff(self, race: Race, chosen: Ran, without: Sequence[str] = ()) -> str:
        prefixes = [f"--{side}-prefix={race.top}/" for side in ("src", "dst")]
        others = [f":(exclude,literal){path}" for path in without]
        diff = await self._ask(race, chosen, *prefixes, "--", ".", *others)
        return diff + "\n" if diff else ""

    async def _ask(self, race: Race, chosen: Ran, *words: str) -> str:
        fixed = ("-c", "core.quotePath=false", "diff", "--cached", "--no-renames", "--no-color", "--no-ext-diff")
        at = words.index("--") if "--" in words else len(words)
        return await run_git(self._kit, chosen.folder, *fixed, *words[:at], race.base, *words[at:])

    async def _end(self, race: Race, session: str, keep: str = "") -> None:
        for ran in race.ran:
            if ran.folder != keep:
                await _surely_removed(self._kit, race.top, ran.folder)
        with contextlib.suppress(OSError):
            os.unlink(self._record(session))

    # ── what is known of it ─────────────────────────────────────────────────────────────────────────────────────────

    def _record(self, session: str) -> str:
        return self._place(f"{session}.json")

    def _place(self, name: str) -> str:
        """In a folder of their own: what waits for a choice is not swept with what was left behind."""
        folder = os.path.join(folder_of(self._kit), "races")
        os.makedirs(folder, 0o700, exist_ok=True)
        return os.path.join(folder, name)

    def _known(self, session: str) -> Race | None:
        try:
            with open(self._record(session), "rb") as file:
                race = msgspec.json.decode(file.read(), type=Race)
        except (OSError, msgspec.DecodeError):
            return None
        return race if all(os.path.isdir(ran.folder) for ran in race.ran) else None

    def _keep(self, race: Race, session: str) -> None:
        path = self._record(session)
        draft = f"{path}.new"
        with open(draft, "wb") as file:
            file.write(msgspec.json.encode(race))
        os.replace(draft, path)


async def _surely_removed(kit: Kit, top: str, path: str) -> None:
    """Remove a worktree, whatever is in it; cancelled meanwhile, all the same."""
    removing = asyncio.ensure_future(_removed(kit, top, path))
    while not removing.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([removing])


async def _removed(kit: Kit, top: str, path: str) -> None:
    with contextlib.suppress(WorktreeError):
        await run_git(kit, top, "worktree", "remove", "--force", path)


def _within(tree: str, top: str, folder: str) -> str:
    """Where a folder of the repository is in a worktree of it."""
    return os.path.normpath(os.path.join(tree, os.path.relpath(folder, top)))
