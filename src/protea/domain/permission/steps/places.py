"""What stands against reading or writing one path: rules, protections, and what kind of thing lies there."""

from __future__ import annotations

from protea.domain.permission.paths import inside, is_own_output, protected, pseudo, secret
from protea.domain.permission.sight import STORES, Place
from protea.domain.permission.steps.case import Case, shown

LONGEST_PATH = 4096


def look(case: Case, place: Place, writing: bool, bash: bool, content: bool = True) -> bool:
    """Note what stands against reading or writing a place. Whether it is free without any rule (a read inside)."""
    names = place.names
    said = shown(place.path)
    for tool in ("Edit", "Read") if writing else ("Read",):
        rule = case.rules.on_path("deny", tool, names)
        if rule is not None:
            case.find("deny", f"{said} may not be {'written' if writing else 'read'}: {rule.text}", rule, place.path)
            return False
        rule = case.rules.on_path("ask", tool, names)
        if rule is not None:
            case.find("ask", f"{said} is asked about: {rule.text}", rule, place.path)
    if place.kind in ("loop", "impossible"):
        why = "is a loop of symbolic links" if place.kind == "loop" else "is not a possible file name"
        case.find("ask" if bash else "deny", f"{said} {why}", subject=place.path, protection=True)
        return False
    free = True
    for name in names:
        fault = pseudo(name)
        if fault and not (bash and name in ("/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty")):
            case.find("ask" if bash else "deny", f"{said}: {fault}", subject=name, protection=True)
            return False
        if writing:
            fault = protected(name, case.anchors) or _steers_a_repository(case, name)
        else:
            fault = secret(name, case.anchors)
        if not writing and not content and inside(name, case.anchors):
            # Its name and size are no secret.
            fault = None
        if fault and not (not writing and is_own_output(name, case.anchors)):
            case.guarded(said, fault, name)
            if not writing:
                case.effect_rules(("secret.read",), name)
            free = False
    if content and place.kind in ("device", "fifo", "socket") and place.path != "/dev/null":
        case.find(
            "ask" if bash else "deny", f"{said} is a {place.kind}, not a file", subject=place.path, protection=True
        )
        return False
    if place.kind == "file" and place.links > 1 and content:
        free = _hard_link(case, place, writing, said) and free
    return free and (
        all(inside(name, case.anchors) for name in names) or all(is_own_output(n, case.anchors) for n in names)
    )


def _steers_a_repository(case: Case, path: str) -> str | None:
    """A repository without a working tree has its hooks and configuration under any name."""
    folder, _, name = path.rpartition("/")
    above, _, parent = folder.rpartition("/")
    if parent in ("hooks", "info"):
        folder = above
    elif name not in ("config", "config.worktree", "HEAD", "packed-refs"):
        return None
    if all(case.eyes.place(f"{folder}/{part}", "/").kind != "missing" for part in ("HEAD", "objects", "refs")):
        return f"it steers the repository {shown(folder)}"
    return None


def look_quietly(case: Case, path: str, cwd: str) -> None:
    """Like `look`, for what may not be a path at all: only rules that deny or ask and known secrets count."""
    place = case.eyes.place(path, cwd)
    if place.kind in ("loop", "impossible"):
        return
    names = place.names
    for tool in ("Read", "Edit"):
        for verdict in ("deny", "ask"):
            rule = case.rules.on_path(verdict, tool, names)
            if rule is not None and (tool == "Read" or place.kind != "missing"):
                case.find(rule.verdict, f"{shown(path)} is under the {verdict} rule {rule.text}", rule, place.path)
    if place.kind == "file" and place.links > 1:
        _hard_link(case, place, False, shown(place.path))
    for name in names:
        fault = secret(name, case.anchors)
        if fault and (place.kind != "missing" or name.startswith(case.anchors.home + "/.")):
            case.guarded(shown(path), fault, name)
            case.effect_rules(("secret.read",), name)
            break
        if place.kind != "missing" or "/" in path:
            fault = protected(name, case.anchors) or (pseudo(name) if place.kind != "folder" else None)
            if fault:
                case.guarded(shown(path), fault, name)
                break


def _hard_link(case: Case, place: Place, writing: bool, said: str) -> bool:
    guarded = [
        "/" + "/".join(pattern[: pattern.index("**")] if "**" in pattern else pattern)
        for rule in case.rules.paths.get("deny Read", ())
        for pattern in rule.patterns
        if pattern and pattern[0] != "**" and not any(c in "/".join(p for p in pattern if p != "**") for c in "*?[")
    ]
    twin = case.eyes.twin(place, tuple(guarded)) if guarded else None
    if twin is not None:
        rule = case.rules.on_path("deny", "Read", (twin,))
        if rule is not None:
            case.find("deny", f"{said} is another name of {shown(twin)}: {rule.text}", rule, place.path)
            return False
    if writing or not any(store in place.real for store in STORES):
        case.find("ask", f"{said} has another name somewhere else (a hard link)", subject=place.path, protection=True)
        return False
    return True
