"""Walks a workspace that is not on disk for Glob and Grep: the same files a walk of the disk would visit."""

from __future__ import annotations

from contextlib import suppress

from protea.adapters.tools._kit import Kit
from protea.adapters.walking.disk import IGNORE_FILES, Layers, ignored
from protea.domain.ignore import Layer, parse
from protea.ports.workspace import WorkspaceError


async def paths_below(kit: Kit, top: str) -> list[str]:
    """Relative paths of all files below a directory of any workspace, ignored ones left out."""
    found: list[str] = []
    above: Layers = ((), (), (), ())
    folder, prefix = top, ""
    while kit.inside(folder) and folder not in kit.workspace.roots:
        folder, _, name = folder.rpartition("/")
        prefix = f"{name}/{prefix}"
        # From the inside out: what is nearer comes first.
        above = tuple(
            (*known, *new) for known, new in zip(above, await _layers_in(kit, folder, prefix, 0), strict=True)
        )
    await _paths(kit, top, "", above, found)
    return found


async def _layers_in(kit: Kit, folder: str, prefix: str, base: int) -> Layers:
    found: list[tuple[Layer, ...]] = []
    for name in (*IGNORE_FILES, ".git/info/exclude"):
        rules = None
        with suppress(WorkspaceError):
            rules = parse((await kit.workspace.read(f"{folder.rstrip('/')}/{name}")).decode("utf-8", "replace"))
        found.append((Layer(rules, prefix, base),) if rules else ())
    return tuple(found)


async def _paths(kit: Kit, folder: str, path: str, layers: Layers, found: list[str]) -> None:
    try:
        entries = await kit.workspace.list(folder)
    except WorkspaceError:
        return
    here = await _layers_in(kit, folder, "", len(path))
    layers = tuple((*new, *known) for new, known in zip(here, layers, strict=True))
    for entry in entries:
        directory = entry.kind == "directory"
        if entry.name == ".git" or ignored(path + entry.name, entry.name, directory, layers):
            continue
        if directory:
            await _paths(kit, entry.path, f"{path}{entry.name}/", layers, found)
        elif entry.kind == "file":
            found.append(path + entry.name)
