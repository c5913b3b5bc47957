"""Going back to an earlier prompt: which, how far, and what would become of the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from protea.domain.columns import ago
from protea.domain.commands import Interrupt, Rewind, Undo
from protea.domain.diff import reversed_hunks
from protea.domain.events import FilesChanged, PromptSubmitted
from protea.domain.going_back import places
from protea.interfaces.terminal import one_line
from protea.interfaces.tui.changes import change_rows
from protea.interfaces.tui.front import Front
from protea.interfaces.tui.line import Row
from protea.interfaces.tui.picker import Item, open_list

NAMED = 3
"""Files that are named of those that were changed since a prompt."""


async def rewind(screen: Front) -> None:
    """The prompts of this session; one goes back to before it, and stands in the composer again."""
    tab = screen.tab
    past = await screen.desk.gateway.history(tab.session)
    prompts = places(past)
    changed = [event for event in past if isinstance(event, FilesChanged)]
    root = screen.desk.place.open.cwd
    items = [
        Item(
            key=str(prompt.seq),
            text=" ".join(prompt.text.split()),
            detail=ago(prompt.at, datetime.now(UTC).isoformat()),
            about=f"{_since(before, changed, root)}{prompt.text}",
        )
        for prompt, before in reversed(prompts)
    ]

    def then(key: str) -> None:
        at = next(at for at, (prompt, _) in enumerate(prompts) if str(prompt.seq) == key)
        if tab.state.busy:
            tab.submit(Interrupt())
        screen.desk.spawn(_how_far(screen, *prompts[at], len(prompts) - at))

    open_list(screen, "go back to before", items, then, empty="there is no prompt yet")


def _since(before: int, changed: Sequence[FilesChanged], root: str) -> str:
    paths = dict.fromkeys(
        _short(each.path, root) for event in changed if (event.seq or 0) > before for each in event.files
    )
    named = ", ".join(list(paths)[:NAMED]) + (f" and {len(paths) - NAMED} more" if len(paths) > NAMED else "")
    return f"changed since: {named}\n" if paths else ""


async def _how_far(screen: Front, prompt: PromptSubmitted, before: int, prompts: int) -> None:
    """The conversation, the files, or both: asked where files were changed since, with what would happen to them."""
    describe, session = screen.desk.gateway.describe, screen.tab.session
    changes = await describe("changes", session)
    since = [each for each in (changes or {}).get("turns", ()) if each["seq"] > before and not each["undone"]]
    if not since:
        await _rewind(screen, before, prompt.text)
        return
    undo = (await describe("undo", session))["undo"]
    would = undo[len(since) - 1] if len(since) <= len(undo) else {"missing": "too many turns to be taken back at once"}
    said = f"{prompts} prompts and their answers" if prompts > 1 else "this prompt and its answer"
    forgets = f"the model forgets {said}; {'the first' if prompts > 1 else 'it'} can be edited"
    rows = [Item(key="conversation", text="the conversation alone", detail="files stay as they are", about=forgets)]
    if not would["missing"]:
        files = _Files(would, since, screen.desk.place.open.cwd)
        rows.insert(0, Item(key="both", text="the conversation and the files", about=forgets, below=files.rows))
        rows.append(Item(key="files", text="the files alone", detail="the conversation stays", below=files.rows))
    else:
        rows.append(Item(key="conversation", text="files cannot be taken back", detail=would["missing"]))

    async def go(what: str) -> None:
        if what != "conversation":
            await screen.tab.submitted(Undo(turns=len(since)))
        if what != "files":
            await _rewind(screen, before, prompt.text)

    open_list(screen, "go back with", rows, lambda key: screen.desk.spawn(go(key)))


async def _rewind(screen: Front, to: int, text: str) -> None:
    await screen.tab.submitted(Rewind(to=to))
    screen.tab.composer.set(text)


class _Files:
    """What an undo would do to the files, as rows."""

    def __init__(self, would: Mapping[str, Any], since: Sequence[Mapping[str, Any]], root: str) -> None:
        self._root = root
        self._files = would.get("files", ())
        self._left = [(each["path"], f"stays as it is: {each['why']}") for each in would.get("skipped", ())]
        named = {path for path, _ in self._left}
        self._left += [
            (each["path"], f"cannot be brought back: {each['why']}")
            for turn in since
            for each in turn.get("uncovered", ())
            if each["path"] not in named
        ]
        self._since = since

    def rows(self, width: int) -> list[Row]:
        count, found = len(self._files), list[Row]()
        found.append([(f"  {count} file{'s go' if count != 1 else ' goes'} back to what stood there", "text")])
        # What stays comes first: who goes back should not have to look for it.
        for path, why in self._left:
            found.append([("  ! ", "warn"), (one_line(f"{_short(path, self._root)} {why}", width - 6), "warn")])
        for each in self._files:
            hunks = [line for step in self._steps(each["path"]) for line in reversed_hunks(step)]
            added, removed = (sum(line.startswith(sign) for line in hunks) for sign in "+-")
            note = f" ({each['note']})" if each.get("note") else ""
            head = one_line(f"{each['what']} {_short(each['path'], self._root)}{note}", width - 18)
            found.append([("  ", "text"), (head, "heading"), *((f" +{added}", "add"), (f" -{removed}", "remove"))])
            found += change_rows("\n".join(hunks), width)
        return found

    def _steps(self, path: str) -> Iterator[str]:
        """The diffs of a file, the latest turn first: so they are taken back."""
        for turn in reversed(self._since):
            yield from (each.get("diff", "") for each in turn.get("files", ()) if each["path"] == path)


def _short(path: str, root: str) -> str:
    return path.removeprefix(root.rstrip("/") + "/")
