"""Write: create a file or replace all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._files import difference, existing, explained, judged, stale
from protea.adapters.tools._kit import Kit
from protea.domain.textfile import binary, rewritten
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext
from protea.ports.workspace import WorkspaceError


class Write:
    """Refuses to replace a file that changed since it was read here: what is lost then nobody has seen."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        kit, content = self._kit, str(arguments["content"])
        path = kit.absolute(str(arguments["path"]))
        try:
            before = await existing(kit, path)
            if before is not None and stale(kit, before[0]):
                return ToolResult(
                    f"{kit.shown(before[0].path)} was changed on disk since you last read it, so it was not replaced. "
                    "Read it again, then write.",
                    is_error=True,
                )
            old = before[1] if before else None
            data = rewritten(old, content) if old and not binary(old) else content.encode("utf-8", "surrogatepass")
            if old is not None and old == data:
                return ToolResult(f"{kit.shown(path)} has this content already; nothing was written.")
            entry = await kit.workspace.write(path, data, expect=before[0] if before else None)
        except WorkspaceError as error:
            return ToolResult(await explained(kit, path, error), is_error=True)
        except UnicodeEncodeError as error:
            return ToolResult(f"The content cannot be stored as {error.encoding}.", is_error=True)
        kit.seen[entry.path] = entry
        diff, words = difference(kit, old, data, entry.path)
        lines = content.count("\n") + (not content.endswith("\n") and bool(content))
        size = f"{lines} line{'' if lines == 1 else 's'}"
        shown = kit.shown(entry.path)
        text = f"Created {shown} ({size})." if old is None else f"Wrote {shown} ({size}; {words})."
        return await judged(kit, ToolResult(text, diff=diff or None), [(entry.path, old, data)])
