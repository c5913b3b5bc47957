"""Rules: their syntax, what each matches, and what is odd about them.

    Tool                          every call of the tool
    Bash(git status)              exactly this command
    Bash(git log:*)               this and anything after it, on a word border; `Bash(git log *)` is the same
    Bash(npm run *:dev)           a glob; in an allow never before or in the command's own name
    Read(src/**)  Edit(~/x)       gitignore patterns; `//absolute` `~/home` `/project` `./cwd`; Edit is all writing
    WebFetch(domain:x.org)        this host; `*.x.org` any depth below it; `x.org:8080` a port
    mcp__server  mcp__server__t   all tools of a server, or one
    Agent(name)  Skill(name)  A2A(domain:x)  Cron  Effect(net.egress)
    Effect(net.egress, taint:web) only once a page was fetched; also taint:mcp, taint:channel, taint:any

The steps of a decision ask what matches; the adapter parses once per engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.pattern import regex
from protea.domain.permission import RuleLayer, Verdict
from protea.domain.permission.paths import Anchors, anchored, folded, path_matches, segments
from protea.domain.permission.shell.lexer import read_strictly, visible
from protea.domain.permission.shell.script import Script, listed
from protea.domain.spelling import nearest
from protea.domain.tools import Effect, Taint

Shape = Literal["any", "exact", "prefix", "glob", "path", "domain", "name", "effect", "other"]

READERS = frozenset({"Read", "Glob", "Grep"})
WRITERS = frozenset({"Edit", "Write", "Patch", "MultiEdit", "NotebookEdit"})
_FAMILY = {
    **dict.fromkeys(READERS, "Read"),
    **dict.fromkeys(WRITERS, "Edit"),
    "Task": "Agent",
    "Race": "Agent",
    "A2ASend": "A2A",
    "CronCreate": "Cron",
}
KNOWN_TOOLS = listed(
    """
    Bash BashOutput KillShell Monitor RunCode Git Packages Read Edit WebFetch WebSearch TodoWrite ProposePlan AskUser
    Recall ToolSearch Pipeline Agent Skill A2A Cron Effect
    SkillInstall McpServerStart MemoryWrite Telegram CronRun A2APush
    """
)
_FORM = regex(r"([A-Za-z][A-Za-z0-9_.-]*|mcp__[^\s()]+)(?:\((.*)\))?\Z", re.DOTALL)


class Rule(msgspec.Struct, frozen=True):
    text: str
    verdict: Verdict
    source: str
    """`file:line`, or the layer's name."""
    tool: str
    """The family: `Write` and `Edit` are one, and so are `Read`, `Glob` and `Grep`."""
    shape: Shape
    body: str = ""
    words: tuple[str, ...] = ()
    """For Bash: the words of the body."""
    taint: str = ""
    """For an effect: it counts only once the session has heard such words; `any` is whichever."""
    only: str = ""
    """`Glob` or `Grep`, when a bare rule names just that tool."""


def family(tool: str) -> str:
    return _FAMILY.get(tool, tool)


def is_known(tool: str) -> bool:
    """Whether a tool of that name may be ours or of an MCP server; those of plugins have any name."""
    return family(tool) in KNOWN_TOOLS or tool.startswith("mcp__")


def meant(tool: str) -> str | None:
    """The tool that was meant by a name nobody knows, where one is near."""
    return nearest(tool, (*sorted(KNOWN_TOOLS | READERS | WRITERS), "A2ASend", "CronCreate"))


def parse(text: str, verdict: Verdict, source: str, file: str | None = None, line: int | None = None) -> Rule:
    """The rule that `text` writes. Raises ConfigError: a rule that cannot be read never counts as none."""

    def broken(why: str) -> ConfigError:
        where = file or (None if source in ("", "flags") else source)
        return ConfigError(f"the {verdict} rule {text!r} {why}", where, line)

    if not isinstance(text, str) or not text.strip():
        raise broken("is empty; write Tool or Tool(what)")
    text = text.strip()
    if visible(text) is not None:
        raise broken(f"contains the invisible character {visible(text)}")
    match = _FORM.match(text)
    if match is None:
        raise broken("is not of the form Tool or Tool(what)")
    tool, body = match.group(1), match.group(2)
    if body is not None and not body.strip():
        raise broken("has nothing between its parentheses")
    name = family(tool)
    if body is None:
        only = tool if tool in ("Glob", "Grep") else ""
        return Rule(text, verdict, source, name, "any", only=only)
    body = body.strip()
    if name == "Bash":
        return _bash(text, verdict, source, body)
    if name in ("Read", "Edit"):
        if body.startswith("!"):
            raise broken("starts with !, which takes nothing back here; write an allow rule of its own")
        return Rule(text, verdict, source, name, "path", body)
    if name in ("WebFetch", "A2A", "A2APush"):
        if body == "*":
            return Rule(text, verdict, source, name, "any")
        if not body.startswith("domain:") or not body[7:].strip():
            raise broken("needs domain:HOST")
        return Rule(text, verdict, source, name, "domain", body[7:].strip().lower().rstrip("."))
    if name == "Effect":
        effect, comma, said = (part.strip() for part in body.partition(","))
        if effect not in get_args(Effect):
            raise broken(f"names no effect; there are {', '.join(get_args(Effect))}")
        kind = said.removeprefix("taint:").strip()
        if comma and (not said.startswith("taint:") or kind not in (*get_args(Taint), "any")):
            raise broken(f"may name a taint behind the effect: taint:any, taint:{', taint:'.join(get_args(Taint))}")
        if kind and verdict == "allow":
            raise broken("would allow more for what others have said; name the taint in an ask or a deny")
        return Rule(text, verdict, source, name, "effect", effect, taint=kind)
    return Rule(text, verdict, source, name, "name" if body != "*" else "any", body)


def _bash(text: str, verdict: Verdict, source: str, body: str) -> Rule:
    if body in ("*", ":*", "**"):
        return Rule(text, verdict, source, "Bash", "any")
    shape: Shape = "exact"
    for tail in (":*", " *"):
        if body.endswith(tail) and "*" not in body[: -len(tail)]:
            body, shape = body[: -len(tail)].rstrip(), "prefix"
            break
    if shape == "exact" and re.search(r"(?<!\\)\*", body):
        return Rule(
            text, verdict, source, "Bash", "glob", body.removesuffix(":*") + (" *" if body.endswith(":*") else "")
        )
    script = read_strictly(body)
    words: tuple[str, ...] = tuple(body.split())
    if isinstance(script, Script) and len(script.commands) == 1:
        (command,) = script.commands
        if command.known and command.words and not (command.redirects or command.assignments):
            words = command.argv
    return Rule(text, verdict, source, "Bash", shape, body, words)


def parse_layers(layers: Iterable[RuleLayer]) -> tuple[Rule, ...]:
    """All rules of all layers. Raises ConfigError with file and line."""
    rules: list[Rule] = []
    for layer in layers:
        table: tuple[tuple[Verdict, tuple[str, ...]], ...] = (
            ("deny", layer.deny),
            ("ask", layer.ask),
            ("allow", layer.allow),
        )
        for verdict, texts in table:
            for text in texts:
                line = layer.lines.get(text) if isinstance(text, str) else None
                source = f"{layer.source}:{line}" if line is not None else layer.source
                file = layer.source if line is not None or "/" in layer.source else None
                rules.append(parse(text, verdict, source, file, line))
    return tuple(rules)


def counts(rule: Rule, taint: Sequence[str]) -> bool:
    """Whether a rule counts in a session that has heard such words."""
    return not rule.taint or rule.taint in taint or (rule.taint == "any" and bool(taint))


# -- matching --------------------------------------------------------------------------------------------------------


def matches_argv(rule: Rule, argv: Sequence[str]) -> bool:
    """Whether a Bash rule covers these words. Deny rules are asked with every spelling that was found."""
    if rule.shape == "any":
        return True
    if not argv:
        return False
    if rule.shape == "exact":
        return tuple(argv) == rule.words
    if rule.shape == "prefix":
        return tuple(argv[: len(rule.words)]) == rule.words
    if rule.verdict == "allow" and "*" in rule.body.split(None, 1)[0]:
        return False
    return text_matches(rule.body, " ".join(argv))


def text_matches(pattern: str, text: str) -> bool:
    """`*` is any text; a backslash takes a star literally; ` *` at the end also matches nothing. Linear per star."""
    if pattern.endswith(" *") and text_matches(pattern[:-2], text):
        return True
    pieces = [piece.replace("\0", "*") for piece in pattern.replace("\\*", "\0").split("*")]
    if len(pieces) == 1:
        return text == pieces[0]
    if not text.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1]:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(pieces[-1]) and text.endswith(pieces[-1])


class PathRule:
    """A Read or Edit rule with its anchors worked out."""

    __slots__ = ("patterns", "rule")

    def __init__(self, rule: Rule, anchors: Anchors) -> None:
        self.rule = rule
        generous = rule.verdict != "allow"
        patterns = anchored(rule.body, anchors, generous) if rule.shape == "path" else (("**",), ())
        if generous:
            patterns = tuple(tuple(folded(part) for part in pattern) for pattern in patterns)
        self.patterns = patterns

    def matches(self, path: str) -> bool:
        parts = segments(path if self.rule.verdict == "allow" else folded(path))
        return any(path_matches(pattern, parts) for pattern in self.patterns)


def host_matches(pattern: str, host: str, port: int | None) -> bool:
    """`pattern` is `x.org`, `*.x.org` (any depth below it) or either with `:port`."""
    name, _, number = pattern.rpartition(":") if re.search(r":\d+\Z", pattern) else (pattern, "", "")
    if number and (port is None or int(number) != port):
        return False
    name = name.strip("[]")
    if not name.isascii():
        from protea.domain.permission.address import ascii_host  # hardly any rule names such a host

        name = ascii_host(name)
    if name == "*":
        return True
    if name.startswith("*."):
        return host.endswith(name[1:]) and len(host) > len(name) - 1
    return host == name


def mcp_matches(rule: Rule, tool: str) -> bool:
    """`mcp__server`, `mcp__server__tool`, `mcp__server__*` against a tool's name."""
    if rule.tool == tool:
        return True
    name = rule.tool
    parts = name.split("__", 2)
    if len(parts) == 2 and parts[1]:
        return tool.startswith(name + "__")
    return False


# -- warnings --------------------------------------------------------------------------------------------------------


class Odd(msgspec.Struct, frozen=True):
    """Something about a rule that its writer should know. Nothing is changed because of it."""

    source: str
    rule: str
    why: str


def oddities(rules: Sequence[Rule], anchors: Anchors) -> list[Odd]:
    """Rules that can never match, and paths that mean something else than they look like."""
    found: list[Odd] = []
    denying = [rule for rule in rules if rule.verdict == "deny"]
    for rule in rules:

        def note(why: str, rule: Rule = rule) -> None:
            found.append(Odd(rule.source, rule.text, why))

        if rule.tool == "mcp__":
            note("it names no server, so it matches nothing; write mcp__SERVER or mcp__*")
        if rule.shape == "glob" and ":*" in rule.body:
            note("`:*` counts at the end alone")
        if rule.verdict == "allow" and rule.shape == "glob" and "*" in rule.body.split(None, 1)[0]:
            note("a glob before or in the command's name never allows anything; name the command")
        if rule.tool == "Bash" and rule.shape in ("exact", "prefix") and any(c in rule.body for c in ";|&<>\n"):
            note("each command is matched alone, so a rule with an operator in it matches none")
        if rule.shape == "path":
            _odd_path(rule, anchors, note)
        if rule.verdict == "allow":
            for other in denying:
                # What another file or a flag denies is meant to go before this one.
                if _file(other) == _file(rule) and _covers(other, rule):
                    note(f"it is dead: {other.text} ({other.source}) denies all of it")
                    break
    return found


def _file(rule: Rule) -> str:
    return rule.source.rpartition(":")[0] or rule.source


def _odd_path(rule: Rule, anchors: Anchors, note: Callable[[str], None]) -> None:
    body = rule.body
    if "\0" in body or any(len(part) > 255 for part in segments(body)):
        note("no file can have this name")
    first = "/" + segments(body)[0] if body.startswith("/") and segments(body) else ""
    if not body.startswith("//") and first in ("/etc", "/home", "/usr", "/var", "/tmp", "/opt", "/root", "/Users"):
        note(f"one slash means the project's root; write /{body} for the absolute path")
    if body.startswith("~") and body != "~" and not body.startswith("~/"):
        note("~name is not understood; write the path with //")
    pattern = anchored(body, anchors, False)[0]
    if ".." in segments(body) and not path_matches(segments(anchors.root), pattern):
        note("it climbs out of the folder it is anchored at")


def _covers(deny: Rule, allow: Rule) -> bool:
    """Whether everything `allow` matches is denied by `deny`; only where that is plain."""
    if deny.tool != allow.tool:
        return allow.tool.startswith("mcp__") and deny.tool.startswith("mcp__") and mcp_matches(deny, allow.tool)
    if deny.shape == "any" and not deny.only:
        return True
    if deny.tool == "Bash" and deny.shape == "prefix" and allow.shape in ("exact", "prefix"):
        return allow.words[: len(deny.words)] == deny.words
    return deny.shape == allow.shape and deny.body == allow.body and deny.words == allow.words
