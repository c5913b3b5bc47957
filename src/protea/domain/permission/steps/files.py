"""Tools that name the files they read or write."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from itertools import islice

from protea.domain.pattern import regex
from protea.domain.permission import Decision
from protea.domain.permission.paths import pseudo
from protea.domain.permission.rules import WRITERS, Rule
from protea.domain.permission.shell.lexer import visible
from protea.domain.permission.steps.case import Case, shown
from protea.domain.permission.steps.places import LONGEST_PATH, look

MOST_FILES = 400
"""Files that one call may name; more ask."""
_PATCHED = regex(
    r"^(?:\*\*\* (?:Add|Update|Delete) File: |\*\*\* Move to: |(?:---|\+\+\+) |(?:rename|copy) (?:from|to) )(.+)$",
    re.MULTILINE,
)


def decide_file_tool(case: Case, tool: str, paths: Sequence[object]) -> Decision:
    writing = tool in WRITERS
    for rule in (*case.rules.deny, *case.rules.ask):
        if case.bare(rule, tool):
            case.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule)
    if not paths and tool == "Patch" and is_none(case.request.arguments.get("patch")):
        why = "it is no patch, so nothing can be changed"
        return case.stopped() or case.answer("allow", why, harmless=True)
    if not paths:
        return case.denied() or case.answer("ask", "no path is given")
    if len(paths) > MOST_FILES:
        return case.denied() or case.answer("ask", "it names too many files")
    free = True
    allowing: Rule | None = None
    for path in paths:
        if not isinstance(path, str) or not path:
            return case.denied() or case.answer("ask", "no path is given")
        if len(path) > LONGEST_PATH:
            return case.answer("deny", "the path is longer than a path can be")
        permitting, alone = _look_at(case, tool, path, writing)
        allowing = allowing or permitting
        free = free and (permitting is not None or alone)
    return _answered(case, tool, writing, allowing, free, shown(str(paths[0])))


def _look_at(case: Case, tool: str, path: str, writing: bool) -> tuple[Rule | None, bool]:
    """Note what stands against one file. The rule that allows it, and whether it needs none."""
    cwd = case.request.cwd
    place = case.eyes.place(path, cwd)
    if visible(path) is not None or "\n" in path or "\t" in path:
        case.find("ask", f"the path {shown(path)} contains characters that do not show", subject=path, protection=True)
    fault = pseudo("/" + posixpath.normpath(posixpath.join(cwd, path)).lstrip("/"))
    if fault:
        # Also where it would lead back into the project: whose working directory it is, depends on who opens it.
        case.find("deny", f"{shown(path)}: {fault}", subject=path, protection=True)
    free = look(case, place, writing, bash=False, content=tool != "Glob")
    names = place.names
    if tool != "Read" and not writing and place.kind == "folder":
        closed = case.rules.on_path("deny", "Read", tuple(f"{name}/\N{HYPHEN}" for name in names))
        if closed is not None:
            case.find("deny", f"nothing in {shown(path)} may be read: {closed.text}", closed, path)
    permitting = case.rules.on_path("allow", "Edit" if writing else "Read", names)
    return permitting, free and (not writing or case.mode == "yolo")


def _answered(case: Case, tool: str, writing: bool, allowing: Rule | None, free: bool, said: str) -> Decision:
    """The decision once every file was looked at. `free`: each is allowed by a rule, or needs none."""
    denied = case.denied()
    if denied:
        return denied
    if case.mode == "plan" and writing:
        return case.answer("deny", "plan mode changes nothing: put the change into the plan instead")
    stopped = case.stopped()
    if stopped:
        return stopped
    if free:
        if allowing is not None:
            return case.answer("allow", f"allowed by {allowing.text}", allowing)
        return case.answer(
            "allow", "yolo mode: it lies in the project" if writing else "reading in the project is free"
        )
    for rule in case.rules.allow:
        if case.bare(rule, tool):
            return case.answer("allow", f"allowed by {rule.text}", rule)
    if case.mode == "yolo" and not writing:
        return case.answer("allow", "yolo mode: reading undoes nothing")
    return case.answer("ask", f"no rule allows {'writing' if writing else 'reading'} {said}")


def patch_targets(patch: object) -> list[object]:
    """The files a patch names: exactly those that would be written, as the tool itself reads it. Where it cannot be
    read nothing is written, and what looks like a name is judged all the same."""
    if not isinstance(patch, str):
        return []
    from protea.domain.patch import PatchError, parse  # only patches need it

    try:
        changes = parse(patch)
    except PatchError:
        return _names_in(patch)
    named = [name for change in changes for name in (change.path, change.move_to) if name]
    return list(dict.fromkeys(named))


def is_none(patch: object) -> bool:
    """Whether a patch cannot be read and names nothing: the tool tells the model what is wrong with it."""
    if not isinstance(patch, str):
        return False
    from protea.domain.patch import PatchError, parse

    try:
        parse(patch)
    except PatchError:
        return not _names_in(patch)
    return False


def _names_in(patch: str) -> list[object]:
    found: list[object] = []
    for match in islice(_PATCHED.finditer(patch), 4 * MOST_FILES):
        path = match.group(1).rstrip("\r").split("\t", 1)[0].strip()
        if path in ("/dev/null", ""):
            continue
        if patch[match.start() : match.start() + 4] in ("--- ", "+++ ") and path[:2] in ("a/", "b/"):
            found.append(path[2:])
        found.append(path)
    return list(dict.fromkeys(found))


def glob_base(tool: str, arguments: dict[str, object]) -> list[str]:
    """The fixed head of a Glob's pattern: `../x/*` looks in `../x`."""
    pattern = arguments.get("pattern")
    if tool != "Glob" or not isinstance(pattern, str) or not pattern:
        return []
    if len(pattern) > LONGEST_PATH:
        return [pattern]
    head: list[str] = []
    for part in pattern.split("/")[:-1]:
        if any(char in part for char in "*?[{"):
            break
        head.append(part)
    path = "/".join(head) or ("/" if pattern.startswith("/") else "")
    base = arguments.get("path")
    if not path:
        return []
    if path == "~" or path.startswith("~/"):
        return [path]
    return [posixpath.join(base if isinstance(base, str) else "", path)]
