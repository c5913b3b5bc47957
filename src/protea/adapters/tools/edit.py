"""Edit: replace exact pieces of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from protea.adapters.tools._files import difference, explained, judged, stale
from protea.adapters.tools._kit import Kit
from protea.domain.edit import EditError, Replacement, apply
from protea.domain.textfile import binary, decode, encode
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import WorkspaceError


class Edit:
    """All replacements or none. That the old text is there, exactly and once, proves that the model knows the place; so
    a file that changed elsewhere since it was read is edited all the same, and the model is told."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit = self._kit
        path = kit.absolute(str(arguments["path"]))
        edits = _edits(arguments)
        if isinstance(edits, str):
            return ToolResult(edits, is_error=True)
        try:
            entry = await kit.workspace.stat(path)
            old = await kit.workspace.read(path)
            if binary(old):
                return ToolResult(f"{kit.shown(path)} is not a text file; it was not changed.", is_error=True)
            changed = stale(kit, entry)
            file = decode(old)
            # What is sent with CRLF is meant as the line end of the file, whichever it is.
            if file.newline == "\r\n":
                edits = [Replacement(_plain(e.old), _plain(e.new), e.everywhere) for e in edits]
            try:
                text, places = apply(file.text, edits)
            except EditError as error:
                again = " It was changed on disk since you last read it." if changed else ""
                return ToolResult(f"{kit.shown(path)} was not changed.{again} {error}", is_error=True)
            new = encode(replace(file, text=text))
            after = await kit.workspace.write(path, new, expect=entry)
        except WorkspaceError as error:
            # The habit of other agents: a file is created by replacing nothing.
            hint = " To create a file use Write." if error.trouble == "missing" and not edits[0].old else ""
            return ToolResult(f"{await explained(kit, path, error)}{hint}", is_error=True)
        except UnicodeEncodeError as error:
            return ToolResult(f"The new text cannot be stored as {error.encoding}.", is_error=True)
        kit.seen[after.path] = after
        diff, words = difference(kit, old, new, after.path)
        what = f" in {places} places" if places > 1 else ""
        note = " Other parts of it were changed on disk since you last read it." if changed else ""
        result = ToolResult(f"Edited {kit.shown(after.path)}{what} ({words}).{note}", diff=diff or None)
        return await judged(kit, result, [(after.path, old, new)])


def _edits(arguments: Mapping[str, Any]) -> Sequence[Replacement] | str:
    """The replacements of a call, or what is wrong with it."""
    edits = [
        Replacement(str(each["old_string"]), str(each["new_string"]), bool(each.get("replace_all")))
        for each in arguments.get("edits") or ()
    ]
    if arguments.get("old_string") is not None or arguments.get("new_string") is not None:
        if arguments.get("old_string") is None or arguments.get("new_string") is None:
            return "Give old_string and new_string together."
        one = Replacement(
            str(arguments["old_string"]), str(arguments["new_string"]), bool(arguments.get("replace_all"))
        )
        edits.insert(0, one)
    return edits or "Give old_string and new_string, or edits."


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")
