"""The rules that answering "always" would save: the narrowest that match, and only ones proved to allow the very call.

Nothing protected, no interpreter, no wrapper, nothing that holds more than was asked.
"""

from __future__ import annotations

import re

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.permission import Decision, PermissionRequest
from protea.domain.permission.address import read_address
from protea.domain.permission.decision import SHELL_TOOLS, decide
from protea.domain.permission.paths import Anchors, beneath, inside
from protea.domain.permission.programs.study import study
from protea.domain.permission.rules import READERS, WRITERS, PathRule, family, matches_argv, parse
from protea.domain.permission.shell.lexer import read_strictly
from protea.domain.permission.shell.script import Script, listed
from protea.domain.permission.shell.unwrap import SHELLS, WRAPPERS, basename
from protea.domain.permission.steps.files import patch_targets
from protea.domain.permission.steps.scene import Scene

_INTERPRETERS = SHELLS | listed(
    """
    python python2 python3 node deno bun perl ruby php lua Rscript awk gawk mawk sed osascript java npx bunx uvx
    pipx ssh make just task rm shred dd chmod chown curl wget
    """
)
_VERBS = listed(
    """
    git npm pnpm yarn bun cargo go pip pip3 uv poetry docker podman kubectl gh make just dotnet mvn gradle
    bundle rake terraform helm apt apt-get brew systemctl
    """
)
_NEVER_STARRED = {
    "npm": ("exec", "x"),
    "pnpm": ("exec", "dlx"),
    "yarn": ("exec", "dlx"),
    "bun": ("x", "run"),
    "uv": ("run", "tool"),
    "poetry": ("run",),
    "bundle": ("exec",),
    "go": ("run", "tool"),
    "docker": ("run", "exec", "compose"),
    "podman": ("run", "exec"),
    "kubectl": ("run", "exec", "debug"),
    "gh": ("api", "extension", "alias"),
}
"""Verbs behind which anything may stand: as good as a wrapper."""
_FAMILIES = {
    "git": listed("remote stash worktree submodule notes bisect reflog bundle lfs sparse-checkout"),
    "npm": listed("run config pkg cache access owner team org token"),
    "pnpm": listed("run config store"),
    "yarn": listed("run config npm workspace"),
    "docker": listed("image container volume network system buildx context builder"),
    "podman": listed("image container volume network system machine"),
    "kubectl": listed("config rollout auth certificate"),
    "gh": listed("pr issue repo release run workflow gist secret variable auth ssh-key label project cache codespace"),
    "pip": listed("config cache"),
    "uv": listed("pip cache python self"),
    "poetry": listed("env config source self cache"),
    "go": listed("mod work"),
    "helm": listed("repo plugin registry"),
    "brew": listed("services"),
    "dotnet": listed("nuget tool"),
    "terraform": listed("state workspace"),
}
"""Verbs that are only the beginning of one: `gh pr` lists, and merges."""
MOST = 4
"""Rules in one proposal."""


def proposals(request: PermissionRequest, scene: Scene, decision: Decision) -> tuple[str, ...]:
    """Rules that would have allowed this request, or none where none should be saved. Never raises."""
    if decision.rule is not None:
        return ()
    candidates = _candidates(request, scene)
    if not candidates or len(candidates) > MOST:
        return ()
    try:
        rules = tuple(parse(text, "allow", "proposed") for text in candidates)
    except ConfigError:
        return ()
    paths = dict(scene.rules.paths)
    for rule in rules:
        if rule.shape == "path":
            key = f"allow {rule.tool}"
            paths[key] = (*paths.get(key, ()), PathRule(rule, scene.anchors))
    widened = msgspec.structs.replace(scene.rules, allow=(*scene.rules.allow, *rules), paths=paths)
    proof = decide(request, msgspec.structs.replace(scene, rules=widened))
    return tuple(candidates) if proof.verdict == "allow" else ()


def _candidates(request: PermissionRequest, scene: Scene) -> list[str]:
    tool, arguments = request.tool, request.arguments
    if tool in SHELL_TOOLS:
        command = arguments.get("command")
        return _for_bash(command, request, scene) if isinstance(command, str) else []
    if tool in WRITERS or tool in READERS:
        given = (
            patch_targets(arguments.get("patch"))
            if tool == "Patch"
            else [arguments.get("path", arguments.get("file_path"))]
        )
        name = "Edit" if tool in WRITERS else "Read"
        found = []
        for path in given:
            if not isinstance(path, str) or not path:
                return []
            place = scene.eyes.place(path, request.cwd)
            if place.path != place.real:
                return []
            found.append(
                f"{name}({_pattern(place.path, scene.anchors, request.interactive)})"
                if place.kind != "folder"
                else f"{name}({_pattern(place.path, scene.anchors, request.interactive)}/**)"
            )
        return list(dict.fromkeys(found))
    if tool in ("WebFetch", "A2ASend"):
        address = read_address(arguments.get("url"))
        if address.verdict != "fine":
            return []
        port = "" if address.port in (80, 443) else f":{address.port}"
        return [f"{family(tool)}(domain:{address.host}{port})"]
    if tool.startswith("mcp__"):
        return [tool]
    if tool in ("Agent", "Task", "Skill"):
        whose = arguments.get("name", arguments.get("subagent_type"))
        return [f"{family(tool)}({whose})"] if isinstance(whose, str) and re.fullmatch(r"[\w.:-]+", whose) else []
    return []


def _pattern(path: str, anchors: Anchors, interactive: bool) -> str:
    """A path as a rule writes it. What is saved must mean this project alone, so it is absolute or from home; what a
    person is told to type may be from the project's root."""
    escaped = _escaped(path)
    if beneath(path, anchors.root) and not interactive:
        rest = escaped[len(_escaped(anchors.root)) + 1 :]
        return rest if "/" in rest else f"/{rest}"
    if beneath(path, anchors.home) and anchors.home != "/":
        return "~" + escaped[len(_escaped(anchors.home)) :]
    return "/" + escaped


def _escaped(path: str) -> str:
    return re.sub(r"([*?\[\]\\])", r"\\\1", path)


def _for_bash(text: str, request: PermissionRequest, scene: Scene) -> list[str]:
    script = read_strictly(text, scene.anchors.home)
    if not isinstance(script, Script):
        return []
    found: list[str] = []
    cwd = request.cwd
    for command in script.commands:
        if command.words and command.words[0].text == "cd" and len(command.words) == 2:
            cwd = scene.eyes.place(command.words[1].text, cwd).real
            continue
        for redirect in command.redirects:
            if redirect.writes and redirect.target.text != "/dev/null":
                place = scene.eyes.place(redirect.target.text, cwd)
                if not inside(place.real, scene.anchors) or place.real != place.path:
                    return []
                found.append(f"Edit({_pattern(place.path, scene.anchors, request.interactive)})")
        one = study(command.words)
        if one.fit and not one.hazard:
            continue
        if any(
            matches_argv(rule, command.argv)
            for rule in scene.rules.allow
            if rule.tool == "Bash" and rule.shape != "effect"
        ):
            continue
        rule = _for_command(command.argv, one.hazard)
        if rule is None:
            return []
        found.append(rule)
    return list(dict.fromkeys(found))


def _for_command(argv: tuple[str, ...], hazard: str | None) -> str | None:
    if not argv or hazard:
        return None
    name = basename(argv[0])
    if name in WRAPPERS:
        return None
    text = " ".join(argv)
    literal = all(re.fullmatch(r"[A-Za-z0-9_./,:=@%+-]+", word) for word in argv)
    if literal and len(argv) <= 6:
        inline = name in _INTERPRETERS and (len(argv) == 1 or any(word in ("-c", "-e", "-") for word in argv[1:]))
        return None if inline else f"Bash({text})"
    if name in _INTERPRETERS or re.sub(r"[\d.]+\Z", "", name) in _INTERPRETERS:
        return None
    if len(argv) > 1 and argv[1] in _NEVER_STARRED.get(name, ()):
        return None
    if name in _VERBS and len(argv) > 1 and re.fullmatch(r"[a-z][a-z-]*", argv[1]):
        if argv[1] in _FAMILIES.get(name, ()):
            verb = argv[2] if len(argv) > 2 else ""
            return f"Bash({argv[0]} {argv[1]} {verb}:*)" if re.fullmatch(r"[a-z][a-z-]*", verb) else None
        return f"Bash({argv[0]} {argv[1]}:*)"
    return None
