"""Race: one prompt for several runners, each an agent in a worktree of its own; then the changes of one are taken.

All begin with what is there now, changes that are not committed and new files included: a commit on no branch is made
of them, with an index of its own, so neither the repository's index nor its branches are touched.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._lane import base_of, brought, difference, made, wanted
from protea.adapters.tools._repository import Place, WorktreeError, name_of, run_git, surely_removed
from protea.adapters.tools._worktree import folder_of, hold
from protea.adapters.tools.agent import together
from protea.domain.cut import cut
from protea.domain.delegation import Errand, Outcome, brief
from protea.domain.errors import UsageError
from protea.domain.racing import MOST, Race, Ran, Runner, compared, runner_of
from protea.domain.textfile import shown_name
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import Beside, ToolContext


class RaceTool:
    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        action = arguments["action"]
        try:
            race = await self._known(context.session)
            if action == "run":
                return await self._run(arguments, context, race)
            if race is None:
                return ToolResult("There is no race that waits for a choice.", is_error=True)
            if action == "show":
                return ToolResult(compared(race))
            if action == "drop":
                left = await self._end(race, context.session)
                return ToolResult("\n".join(["All of them were dropped; nothing was changed.", *left]))
            number = int(arguments.get("number") or 0)
            if not 1 <= number <= len(race.ran):
                return ToolResult(f"There is no runner {number}; there are 1 to {len(race.ran)}.", is_error=True)
            chosen = race.ran[number - 1]
            if not chosen.tree:
                why = f": {chosen.problem}" if chosen.problem else ""
                return ToolResult(f"What runner {number} changed is not known{why}.", is_error=True)
            if action == "diff":
                diff = await difference(self._kit, _place(race, chosen), race.base, chosen)
                return ToolResult(cut(diff, self._kit.options.bash_output) or "It changed nothing.")
            return await self._pick(race, number, chosen, context)
        except OSError as error:
            return ToolResult(f"{error.filename} cannot be used: {(error.strerror or '').lower()}", is_error=True)
        except (WorktreeError, UsageError) as error:
            return ToolResult(f"{str(error)[:1].upper()}{str(error)[1:]}", is_error=True)

    # ── the race ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, arguments: Mapping[str, Any], context: ToolContext, before: Race | None) -> ToolResult:
        beside, prompt = context.beside, str(arguments.get("prompt") or "")
        if beside is None:
            return ToolResult("No agents can be sent from here.", is_error=True)
        if before is not None:
            text = "A race waits for a choice: take what one changed (pick) or drop it first."
            return ToolResult(text, is_error=True)
        runners = [runner_of(str(each)) for each in arguments.get("runners") or ()]
        if not prompt.strip() or not 2 <= len(runners) <= MOST:
            return ToolResult(f"A race needs a prompt and 2 to {MOST} runners.", is_error=True)
        top = await self._top()
        base = await base_of(self._kit, top)
        places: list[Place] = []
        held: list[int | None] = []
        race: Race | None = None
        try:
            for number in range(1, len(runners) + 1):
                name = name_of(os.path.basename(top), context.session, context.call_id, str(number))
                places.append(await made(self._kit, top, self._new(name), base))
                held.append(hold(places[-1]))
            lanes = [
                Ran(runner=runner.name, folder=place.path, git=place.inside)
                for runner, place in zip(runners, places, strict=True)
            ]
            begun = Race(prompt=prompt, base=base, top=top, ran=tuple(lanes), common=places[0].common, ended=False)
            self._keep(begun, context.session)
            pairs = zip(runners, lanes, strict=True)
            sends = [self._one(beside, begun, runner, lane) for runner, lane in pairs]
            ran, taints = zip(*await together(sends), strict=True)
            race = replace(begun, ran=ran, ended=True)
            if race.to_choose:
                self._keep(race, context.session)
        finally:
            for lock in held:
                if lock is not None:
                    os.close(lock)
            if race is None or not race.to_choose:
                for place in places:
                    await surely_removed(self._kit, place)
                self._forget(context.session, places)
        denied = all(each.outcome is not None and each.outcome.outcome == "denied" for each in race.ran)
        return ToolResult(
            compared(race),
            is_error=not any(each.finished for each in race.ran),
            denied="what all runners needed is not allowed" if denied else None,
            taint=tuple(dict.fromkeys(kind for taint in taints for kind in taint)),
        )

    async def _one(self, beside: Beside, race: Race, runner: Runner, lane: Ran) -> tuple[Ran, Sequence[Any]]:
        figures: list[Outcome] = []
        errand = Errand(
            prompt=race.prompt,
            name=runner.name,
            title=f"{runner.name}: {brief(race.prompt)}",
            profile=runner.profile,
            model=runner.model,
            cwd=_within(lane.folder, race.top, self._kit.surroundings.cwd),
            rivals=len(race.ran),
        )
        result = await beside.delegate(errand, ended=figures.append)
        if not figures:
            return replace(lane, problem=result.text), result.taint
        text = result.text.rpartition("\n[")[0] or result.text
        return await self._looked_at(race, replace(lane, text=text, outcome=figures[0])), result.taint

    async def _looked_at(self, race: Race, ran: Ran) -> Ran:
        """With what it changed. Where that cannot be told the others are none the worse."""
        try:
            return await brought(self._kit, _place(race, ran), race.base, ran)
        except (WorktreeError, OSError) as error:
            return replace(ran, problem=f"what it changed cannot be told: {error}")

    async def _top(self) -> str:
        try:
            return await run_git(self._kit, self._kit.surroundings.cwd, "rev-parse", "--show-toplevel")
        except WorktreeError as error:
            if "not a git repository" in str(error):
                error = WorktreeError("a race needs a git repository: each runner works in a worktree of its own")
            raise error from None

    # ── the choice ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _pick(self, race: Race, number: int, chosen: Ran, context: ToolContext) -> ToolResult:
        if not chosen.brought:
            text = f"Runner {number} ({chosen.runner}) changed nothing: nothing was taken, and the race still waits."
            return ToolResult(text, is_error=True)
        taking = await wanted(self._kit, _place(race, chosen), race.base, chosen, race.top)
        done = ToolResult("Nothing else was changed.")
        if taking.patch:
            done = await context.call("Patch", {"patch": taking.patch})
            if done.is_error:
                return replace(done, text=f"Nothing was taken and nothing dropped. {done.text}")
        where = f"it is in {chosen.folder}" if _place(race, chosen).there else "its worktree is gone"
        notes = [f"[not taken, a patch cannot say it: {shown_name(path)}; {where}]" for path in taking.special]
        notes += [f"[not done: {shown_name(each)}]" for each in taking.modes]
        left = await self._end(race, context.session, keep=chosen.folder if taking.special else "")
        text = "\n".join([f"Taken: {number} · {chosen.runner}.", done.text, *notes, *left])
        return ToolResult(text, diff=done.diff)

    async def _end(self, race: Race, session: str, keep: str = "") -> list[str]:
        """Remove the worktrees and forget the race; a line for each that could not be removed."""
        places = [_place(race, ran) for ran in race.ran if ran.folder != keep]
        gone = [await surely_removed(self._kit, place) for place in places]
        self._forget(session, [_place(race, ran) for ran in race.ran])
        return [f"[left behind: {place.path}]" for place, was in zip(places, gone, strict=True) if not was]

    # ── what is known of it ─────────────────────────────────────────────────────────────────────────────────────────

    def _record(self, session: str) -> str:
        return self._folder(f"{name_of(session)}.json")

    def _folder(self, name: str) -> str:
        """In a folder of their own: what waits for a choice is not swept with what was left behind."""
        folder = os.path.join(folder_of(self._kit), "races")
        os.makedirs(folder, 0o700, exist_ok=True)
        return os.path.join(folder, name)

    def _new(self, name: str) -> str:
        """A path for a worktree where nothing lies."""
        path, number = self._folder(name), 1
        while os.path.lexists(path):
            number += 1
            path = self._folder(f"{name}-{number}")
        return path

    async def _known(self, session: str) -> Race | None:
        """The race of a session that waits for a choice. One whose process died has what its runners had done by then.
        Raises `UsageError` where one is under way."""
        race = self._read(session)
        if race is None:
            return None
        if not race.ended:
            race = await self._cut_off(race)
            self._keep(race, session)
        # What was changed is in the repository: it can be taken though its worktree is gone.
        return race if any(ran.tree or _place(race, ran).there for ran in race.ran) else None

    def _read(self, session: str) -> Race | None:
        """None also for what is not as it was written here: what lies in this folder is not protected."""
        try:
            with open(self._record(session), "rb", opener=_regular) as file:
                race = msgspec.json.decode(file.read(), type=Race)
        except (OSError, msgspec.DecodeError):
            return None
        own = self._folder("")
        listed = os.path.join(race.common, "worktrees", "")
        sound = all(
            os.path.join(os.path.dirname(ran.folder), "") == own
            and os.path.join(os.path.dirname(ran.git), "") == listed
            and os.path.basename(ran.folder) not in ("", ".", "..")
            for ran in race.ran
        )
        return race if sound else None

    async def _cut_off(self, race: Race) -> Race:
        ran = []
        for each in race.ran:
            with contextlib.suppress(WorktreeError):  # it is gone, or was made unusable: nobody is in it
                lock = hold(_place(race, each))
                if lock is None:
                    raise UsageError("a race of this session is under way")
                os.close(lock)
            ran.append(await self._looked_at(race, replace(each, text="(its process ended before it did)")))
        return replace(race, ran=tuple(ran), ended=True)

    def _keep(self, race: Race, session: str) -> None:
        path = self._record(session)
        draft = f"{path}.new"
        with open(draft, "wb") as file:
            file.write(msgspec.json.encode(race))
        os.replace(draft, path)

    def _forget(self, session: str, places: Sequence[Place]) -> None:
        for path in (self._record(session), *(f"{place.path}.index" for place in places)):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _regular(path: str, flags: int) -> int:
    """Opened without waiting, as a pipe in its place would make us."""
    found = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise FileNotFoundError(path)
    return found


def _place(race: Race, ran: Ran) -> Place:
    return Place(ran.folder, ran.git, race.common)


def _within(tree: str, top: str, folder: str) -> str:
    """Where a folder of the repository is in a worktree of it."""
    return os.path.normpath(os.path.join(tree, os.path.relpath(folder, top)))
