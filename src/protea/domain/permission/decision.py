"""The decision: allow, ask or deny, and why.

Strictest of: built-in protections → deny rules → ask rules → mode → allow rules → what only reads → ask. Every step
leaves a line in the trace. Pure: the two readers' other half, and everything about the disk, are handed in.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Sequence
from itertools import islice

import msgspec

from protea.domain.pattern import regex
from protea.domain.permission import Decision, PermissionRequest, TraceStep, Verdict
from protea.domain.permission.address import read_address
from protea.domain.permission.effects import EFFECTS, HARMLESS, NEVER, PLAN_READS, UNATTENDED, refused
from protea.domain.permission.git import without_globals
from protea.domain.permission.lexer import read_strictly, visible
from protea.domain.permission.options import Study, Use
from protea.domain.permission.paths import (
    Anchors,
    absolute,
    beneath,
    critical_removal,
    inside,
    is_own_output,
    path_matches,
    protected,
    pseudo,
    secret,
    segments,
)
from protea.domain.permission.reach import ANYTHING, Reach
from protea.domain.permission.rules import (
    READERS,
    WRITERS,
    PathRule,
    Rule,
    counts,
    family,
    host_matches,
    matches_argv,
    mcp_matches,
    text_matches,
)
from protea.domain.permission.script import Command, Redirect, Script, Unreadable, Word, listed
from protea.domain.permission.sight import STORES, Eyes, Place
from protea.domain.permission.study import study
from protea.domain.permission.unwrap import SHELLS, WRAPPERS, basename, inner_commands
from protea.domain.permission.yolo import reserved

MOST_COMMANDS = 400
"""Commands looked at one by one in a script; more ask."""
LONGEST_TREE = 10_000
"""Characters that the tree reader is given; in longer scripts only deny rules are looked for, and the rest asks."""
LONGEST_PATH = 4096
MOST_WORDS = 120
"""Words of one command that may each be a file; more ask."""
SAFE_ASSIGNMENTS = listed(
    """
    NODE_ENV CI LANG LANGUAGE TZ NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS LINES TERM
    PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONUTF8 RUST_BACKTRACE RUST_LOG CARGO_TERM_COLOR GOOS GOARCH
    CGO_ENABLED LOG_LEVEL DEBUG VERBOSE APP_ENV RAILS_ENV RACK_ENV DJANGO_DEBUG FLASK_ENV ENVIRONMENT
    GIT_OPTIONAL_LOCKS GIT_TERMINAL_PROMPT PORT HOST
    """
)
"""Variables that tune a program and cannot make it run or read something else."""
_SAFE_VALUE = regex(r"[A-Za-z0-9_.,:=@+*-]*\Z")
_PLAIN_SCRIPT = regex(r"[A-Za-z0-9_./,:@%+-](?:[A-Za-z0-9_./,:=@%+ -]|(?<=[A-Za-z0-9^])~)*\Z")
"""One command of plain words: no two readers could differ about it."""
SHELL_TOOLS = frozenset({"Bash", "Monitor"})
"""Tools that run a command as a shell: one set of rules, `Bash(…)`, is held against what they run."""
_ORDER: dict[Verdict, int] = {"allow": 0, "ask": 1, "deny": 2}


class Loose(msgspec.Struct, frozen=True):
    """What the tree reader found."""

    commands: tuple[Command, ...]
    sound: bool = True
    """Whether it understood all of the text."""


Reader = Callable[[str], Loose]


class Rules(msgspec.Struct, frozen=True):
    """The rules of one decision, path rules with their anchors worked out."""

    deny: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    allow: tuple[Rule, ...] = ()
    paths: dict[str, tuple[PathRule, ...]] = {}
    """`deny Read`, `ask Edit` … → rules."""


class Scene(msgspec.Struct, frozen=True):
    """Everything a decision is made of besides the request."""

    rules: Rules
    anchors: Anchors
    eyes: Eyes
    read_tree: Reader


class _Finding(msgspec.Struct, frozen=True):
    verdict: Verdict
    why: str
    rule: Rule | None = None
    subject: str | None = None
    protection: bool = False
    """Built in: nothing may be saved that would lift it."""


def shown(text: str, most: int = 160) -> str:
    """`text` for a sentence: escapes instead of control characters, cut in the middle."""
    if len(text) > 2 * most:
        text = f"{text[:most]}…{text[-most:]}"
    if not text.isprintable():
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"


class Judge:
    """One request on its way to a decision."""

    def __init__(self, request: PermissionRequest, scene: Scene) -> None:
        self.request = request
        self.rules, self.anchors, self.eyes = scene.rules, scene.anchors, scene.eyes
        self.scene = scene
        self.trace: list[TraceStep] = []
        self.findings: list[_Finding] = []
        self.reach = Reach(())
        # An untrusted project does not get the mode that asks least.
        self.mode = "normal" if request.mode == "yolo" and not request.trusted else request.mode

    # -- the answer ------------------------------------------------------------------------------------------------

    def note(
        self, step: str, verdict: Verdict | None = None, rule: Rule | None = None, subject: str | None = None
    ) -> None:
        if len(self.trace) < 200:
            self.trace.append(
                TraceStep(
                    step,
                    verdict,
                    rule.text if rule else None,
                    rule.source if rule else None,
                    shown(subject) if subject is not None else None,
                )
            )

    def find(
        self, verdict: Verdict, why: str, rule: Rule | None = None, subject: str | None = None, protection: bool = False
    ) -> None:
        step = "built in" if protection else f"{rule.verdict} rule" if rule else "mode"
        self.note(f"{step}: {why}", verdict, rule, subject)
        self.findings.append(_Finding(verdict, why, rule, subject, protection))

    def strictest(self) -> _Finding | None:
        return max(self.findings, key=lambda one: _ORDER[one.verdict], default=None)

    def answer(self, verdict: Verdict, why: str, rule: Rule | None = None, *, harmless: bool = False) -> Decision:
        self.note(f"decided: {why}", verdict, rule)
        text, source = (rule.text, rule.source) if rule else (None, None)
        return Decision(verdict, why, text, source, (), tuple(self.trace), harmless=harmless)

    def stopped(self) -> Decision | None:
        """A denial, or a question no mode takes away."""
        worst = self.strictest()
        return self.answer(worst.verdict, worst.why, worst.rule) if worst is not None else None

    def denied(self) -> Decision | None:
        worst = self.strictest()
        return self.answer("deny", worst.why, worst.rule) if worst is not None and worst.verdict == "deny" else None

    # -- paths -----------------------------------------------------------------------------------------------------

    def path_rule(self, verdict: Verdict, tool: str, names: Sequence[str]) -> Rule | None:
        """The first rule that matches one of the names (for an allow: all of them)."""
        every = all if verdict == "allow" else any
        for rule in self.rules.paths.get(f"{verdict} {tool}", ()):
            if every(rule.matches(name) for name in names):
                return rule.rule
        return None

    def look(self, place: Place, writing: bool, bash: bool, content: bool = True) -> bool:
        """Note what stands against reading or writing a place. Whether it is free without any rule (a read inside)."""
        names = tuple(dict.fromkeys((place.path, place.real)))
        said = shown(place.path)
        for tool in ("Edit", "Read") if writing else ("Read",):
            rule = self.path_rule("deny", tool, names)
            if rule is not None:
                self.find(
                    "deny", f"{said} may not be {'written' if writing else 'read'}: {rule.text}", rule, place.path
                )
                return False
            rule = self.path_rule("ask", tool, names)
            if rule is not None:
                self.find("ask", f"{said} is asked about: {rule.text}", rule, place.path)
        if place.kind in ("loop", "impossible"):
            why = "is a loop of symbolic links" if place.kind == "loop" else "is not a possible file name"
            self.find("ask" if bash else "deny", f"{said} {why}", subject=place.path, protection=True)
            return False
        free = True
        for name in names:
            fault = pseudo(name)
            if fault and not (bash and name in ("/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty")):
                self.find("ask" if bash else "deny", f"{said}: {fault}", subject=name, protection=True)
                return False
            fault = protected(name, self.anchors) if writing else secret(name, self.anchors)
            if not writing and not content and inside(name, self.anchors):
                # Its name and size are no secret.
                fault = None
            if fault and not (not writing and is_own_output(name, self.anchors)):
                self.guarded(said, fault, name)
                if not writing:
                    self.effect_rules(("secret.read",), name)
                free = False
        if content and place.kind in ("device", "fifo", "socket") and place.path != "/dev/null":
            self.find(
                "ask" if bash else "deny", f"{said} is a {place.kind}, not a file", subject=place.path, protection=True
            )
            return False
        if place.kind == "file" and place.links > 1 and content:
            free = self.hard_link(place, writing, said) and free
        return free and (
            all(inside(name, self.anchors) for name in names) or all(is_own_output(n, self.anchors) for n in names)
        )

    def guarded(self, said: str, fault: str, subject: str) -> None:
        """A protected place asks; where nobody looks closely and others' words have been heard, it is closed."""
        if self.request.taint and self.mode == "yolo":
            why = f"{said} is protected: {fault}, and yolo mode does not ask for it after {self.whose()}"
            self.find("deny", why, subject=subject, protection=True)
            return
        after = f" (and this session has heard {self.whose()})" if self.request.taint else ""
        self.find("ask", f"{said} is protected: {fault}{after}", subject=subject, protection=True)

    def whose(self) -> str:
        said = {"web": "the web", "mcp": "an MCP server", "channel": "a channel"}
        return "words from " + " and ".join(said.get(kind, kind) for kind in self.request.taint)

    def effect_rules(self, effects: Collection[str], subject: str | None = None) -> None:
        """Ask and deny rules on effects."""
        for rule in (*self.rules.deny, *self.rules.ask):
            if rule.shape == "effect" and rule.body in effects and counts(rule, self.request.taint):
                self.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule, subject)

    def hard_link(self, place: Place, writing: bool, said: str) -> bool:
        guarded = [
            "/" + "/".join(pattern[: pattern.index("**")] if "**" in pattern else pattern)
            for rule in self.rules.paths.get("deny Read", ())
            for pattern in rule.patterns
            if pattern and pattern[0] != "**" and not any(c in "/".join(p for p in pattern if p != "**") for c in "*?[")
        ]
        twin = self.eyes.twin(place, tuple(guarded)) if guarded else None
        if twin is not None:
            rule = self.path_rule("deny", "Read", (twin,))
            if rule is not None:
                self.find("deny", f"{said} is another name of {shown(twin)}: {rule.text}", rule, place.path)
                return False
        if writing or not any(store in place.real for store in STORES):
            self.find(
                "ask", f"{said} has another name somewhere else (a hard link)", subject=place.path, protection=True
            )
            return False
        return True

    # -- file tools ------------------------------------------------------------------------------------------------

    def file_tool(self, tool: str, paths: Sequence[object]) -> Decision:
        request = self.request
        writing = tool in WRITERS
        name = "Edit" if writing else "Read"
        bare = [rule for rule in (*self.rules.deny, *self.rules.ask) if self.bare(rule, tool)]
        for rule in bare:
            self.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule)
        free = True
        allowing: Rule | None = None
        if not paths:
            return self.answer("ask", "no path is given")
        if len(paths) > MOST_COMMANDS:
            return self.denied() or self.answer("ask", "it names too many files")
        for path in paths:
            if not isinstance(path, str) or not path:
                return self.denied() or self.answer("ask", "no path is given")
            if len(path) > LONGEST_PATH:
                return self.answer("deny", "the path is longer than a path can be")
            place = self.eyes.place(path, request.cwd)
            if visible(path) is not None or "\n" in path or "\t" in path:
                self.find(
                    "ask", f"the path {shown(path)} contains characters that do not show", subject=path, protection=True
                )
            alone = self.look(place, writing, bash=False, content=tool != "Glob")
            names = tuple(dict.fromkeys((place.path, place.real)))
            permitting = self.path_rule("allow", name, names)
            allowing = allowing or permitting
            if writing:
                alone = permitting is not None or (self.mode == "yolo" and alone)
            free = free and (permitting is not None or alone)
        denied = self.denied()
        if denied:
            return denied
        if self.mode == "plan" and writing:
            return self.answer("deny", "plan mode changes nothing: put the change into the plan instead")
        stopped = self.stopped()
        if stopped:
            return stopped
        if free:
            if allowing is not None:
                return self.answer("allow", f"allowed by {allowing.text}", allowing)
            return self.answer(
                "allow", "yolo mode: it lies in the project" if writing else "reading in the project is free"
            )
        for rule in self.rules.allow:
            if self.bare(rule, tool):
                return self.answer("allow", f"allowed by {rule.text}", rule)
        if self.mode == "yolo" and not writing:
            return self.answer("allow", "yolo mode: reading undoes nothing")
        said = shown(str(paths[0]))
        return self.answer("ask", f"no rule allows {'writing' if writing else 'reading'} {said}")

    def bare(self, rule: Rule, tool: str) -> bool:
        """A rule that names a file tool or an effect of it without a path."""
        if rule.shape == "effect":
            return self.brings(rule, tool)
        return rule.shape == "any" and rule.tool == family(tool) and rule.only in ("", tool)

    def brings(self, rule: Rule, tool: str) -> bool:
        """Whether a rule on an effect is about this tool; what nobody knows may do anything."""
        known = rule.body in EFFECTS.get(tool, ()) or (rule.verdict != "allow" and tool not in EFFECTS)
        return known and counts(rule, self.request.taint)

    # -- other tools that run something ------------------------------------------------------------------------------

    def rules_on_the_tool(self, tool: str) -> None:
        """Deny and ask rules on a tool that runs commands under another name than Bash."""
        for rule in (*self.rules.deny, *self.rules.ask):
            if rule.tool == tool != "Bash" and rule.shape == "any":
                self.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule)

    def code(self, tool: str, arguments: dict[str, object]) -> Decision:
        """A script of the shell is held against what is said of commands before the tool itself is decided about."""
        given = arguments.get("files")
        for text in (arguments.get("code"), *(given.values() if isinstance(given, dict) else ())):
            if arguments.get("language") != "shell" or not isinstance(text, str) or not text.strip():
                continue
            if len(text) > LONGEST_TREE:
                self.long_bash(text)
                continue
            strict, _, _, every = self.read(text)
            self.rules_on_commands(every, text)
            self.rules_on_paths(every, self.studies(strict, every))
        return self.other(tool)

    # -- everything else -------------------------------------------------------------------------------------------

    def web(self, tool: str, url: object) -> Decision:
        address = read_address(url)
        name = family(tool)
        for rule in (*self.rules.deny, *self.rules.ask):
            if self.bare(rule, tool) or (
                rule.tool == name
                and rule.shape == "domain"
                and address.host
                and host_matches(rule.body, address.host, address.port)
            ):
                self.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule, address.host)
        denied = self.denied()
        if denied:
            return denied
        allowing = None
        for rule in self.rules.allow:
            if rule.tool == name and rule.shape == "domain":
                named = rule.body.endswith(f":{address.port}")
                usual = address.port in (80, 443)
                if (
                    address.host
                    and host_matches(rule.body, address.host, address.port)
                    and (named or (usual and not address.local))
                ):
                    allowing = rule
            elif self.bare(rule, tool) and not address.local and address.port in (80, 443):
                # What was read may have written the address, and what it asks for may be what it carries out.
                if self.request.taint and isinstance(url, str) and "?" in url:
                    self.note(f"near miss: a rule for every host, a query, and {self.whose()}", rule=rule)
                    continue
                allowing = rule
        if address.verdict == "deny" and not (address.local and allowing is not None and "*" not in allowing.body):
            return self.answer("deny", address.why)
        stopped = self.stopped()
        if stopped:
            return stopped
        if self.mode == "plan" and tool != "WebFetch":
            return self.answer("deny", "plan mode sends nothing")
        if address.verdict == "ask":
            return self.answer("ask", address.why)
        if allowing is not None:
            return self.answer("allow", f"allowed by {allowing.text}", allowing)
        return self.answer("ask", f"no rule allows {address.host or 'this address'}")

    def other(self, tool: str) -> Decision:
        """Tools known by name only, of whatever protocol."""
        arguments = self.request.arguments
        subject = next(
            (
                arguments[key]
                for key in ("name", "agent", "skill", "subagent_type", "from_id")
                if isinstance(arguments.get(key), (str, int))
            ),
            "",
        )
        subject = str(subject)[:LONGEST_PATH]
        matching = [
            rule for rule in (*self.rules.deny, *self.rules.ask, *self.rules.allow) if self.names(rule, tool, subject)
        ]
        for rule in matching:
            if rule.verdict != "allow":
                self.find(rule.verdict, f"{rule.text} is set to {rule.verdict}", rule, subject or None)
        refusal = NEVER.get(tool) or refused(tool, arguments, self.request.origin)
        allowing = next((rule for rule in matching if rule.verdict == "allow"), None)
        if refusal and not (tool == "Telegram" and allowing is not None and not arguments.get("chat")):
            self.find("deny", refusal, protection=True)
        denied = self.denied()
        if denied:
            return denied
        if self.mode == "plan" and tool not in HARMLESS and tool not in PLAN_READS:
            return self.answer("deny", "plan mode: only reading is possible")
        stopped = self.stopped()
        if stopped:
            return stopped
        if tool in HARMLESS:
            return self.answer("allow", HARMLESS[tool])
        if allowing is not None:
            return self.answer("allow", f"allowed by {allowing.text}", allowing)
        if self.mode == "yolo" and tool in ("Agent", "Task", "Skill"):
            return self.answer("allow", "yolo mode: what it does is decided call by call")
        if tool in UNATTENDED:
            return self.answer("deny", "nobody is there to ask when it runs")
        return self.answer("ask", f"no rule allows {shown(tool, 80)}" + (f" {shown(subject, 80)}" if subject else ""))

    def names(self, rule: Rule, tool: str, subject: str) -> bool:
        if rule.shape == "effect":
            return self.brings(rule, tool)
        if tool.startswith("mcp__"):
            if rule.verdict == "allow" and rule.shape != "any":
                return False
            return mcp_matches(rule, tool) or (text_matches(rule.tool, tool) and "*" in rule.tool)
        if rule.tool != family(tool):
            return False
        return rule.shape == "any" or (rule.shape == "name" and text_matches(rule.body, subject))

    # -- Bash ------------------------------------------------------------------------------------------------------

    def bash(self, text: object) -> Decision:
        if not isinstance(text, str) or not text.strip():
            return self.answer("ask", "there is no command")
        if len(text) > LONGEST_TREE:
            return self.long_bash(text)
        strict, loose, agree, every = self.read(text)
        self.rules_on_commands(every, text)
        studies = self.studies(strict, every)
        self.reach = Reach((command, one) for command, one, _, _ in studies)
        understood = isinstance(strict, Script) and agree
        self.effect_rules(self.reach.maybe if understood else self.reach.maybe | ANYTHING)
        self.rules_on_paths(every, studies)
        denied = self.denied()
        if denied:
            return denied
        if len(every) > MOST_COMMANDS:
            self.find("ask", "it is too long to be looked through", protection=True)
        fit = isinstance(strict, Script) and agree and self.only_reads(strict)
        if self.mode == "plan" and not fit and not self.request.discards:
            return self.answer(
                "deny", "plan mode: only commands that read are possible, and this is not known to be one"
            )
        stopped = self.stopped()
        if stopped:
            return stopped
        if fit:
            return self.answer("allow", "it only reads, in the project", harmless=True)
        if self.mode == "yolo":
            certain = every if isinstance(strict, Script) else self.everything(loose.commands)
            reason = self.yolo(strict, loose, self.studies(strict, certain), text)
            if reason is None:
                return self.answer("allow", "yolo mode: nothing in it is reserved for a person")
            self.note(f"yolo: {reason}")
            left = self.by_rule(strict, agree)
            return left if left.verdict == "allow" else self.answer("ask", reason)
        return self.by_rule(strict, agree)

    def read(self, text: str) -> tuple[Script | Unreadable, Loose, bool, list[Command]]:
        """What the two readers make of a script, whether they agree, and every command that could be meant."""
        strict = read_strictly(text, self.anchors.home)
        loose, agree = self.second_reading(text, strict)
        if isinstance(strict, Unreadable):
            self.note(f"the strict reader stops: {strict.reason}")
        commands = list(loose.commands)
        if isinstance(strict, Unreadable) or not agree:
            commands += _crude(text, loose.sound)
            if isinstance(strict, Script):
                commands += strict.commands
        every = self.everything(commands)
        return strict, loose, agree, every

    def long_bash(self, text: str) -> Decision:
        """A script nobody reads: only what a deny rule names is looked for, in words cut roughly."""
        plain = text.replace("\\\n", "").replace("'", "").replace('"', "").replace("\\", "")
        for rule in self.rules.deny:
            if rule.tool not in ("Bash", "Effect"):
                continue
            spread = r"[ \t]+".join(re.escape(word) for word in rule.words)
            named = rule.shape in ("exact", "prefix") and spread
            effect = rule.shape == "effect" and rule.body in ANYTHING and counts(rule, self.request.taint)
            everything = effect or (rule.shape == "any" and rule.tool == "Bash")
            if everything or (named and re.search(rf"(?<![\w.-]){spread}(?![\w.-])", plain)):
                self.find("deny", f"the script contains what {rule.text} denies", rule)
        if self.mode == "plan":
            return self.denied() or self.answer("deny", "plan mode: only commands that read are possible")
        return self.denied() or self.answer("ask", f"it is longer than {LONGEST_TREE} characters and is not read")

    def second_reading(self, text: str, strict: Script | Unreadable) -> tuple[Loose, bool]:
        """The tree's reading, and whether it lists the same commands as the strict one."""
        if isinstance(strict, Script) and len(text) < 2_000 and _PLAIN_SCRIPT.match(text) and len(strict.commands) == 1:
            return Loose(strict.commands), True
        loose = self.scene.read_tree(text)
        joined = text.replace("\\\n", "")
        if joined != text:
            again = self.scene.read_tree(joined)
            loose = Loose((*loose.commands, *again.commands), loose.sound and again.sound)
        if isinstance(strict, Unreadable):
            return loose, False
        agree = loose.sound and _listing(strict.commands) == _listing(loose.commands)
        if not agree:
            self.note("the two readers list different commands")
        return loose, agree

    def everything(self, commands: Sequence[Command]) -> list[Command]:
        """The commands, and those inside them, to any depth that still matters."""
        found: list[Command] = []
        pending = [(command, 0) for command in commands]
        seen: set[tuple[tuple[str, ...], int]] = set()
        while pending and len(found) <= MOST_COMMANDS:
            command, depth = pending.pop(0)
            key = (command.argv, len(command.redirects) + len(command.assignments))
            if key in seen and not command.redirects:
                continue
            seen.add(key)
            found.append(command)
            if depth >= 6:
                continue
            for inner in inner_commands(command.words):
                if inner.text is not None:
                    if 0 < len(inner.text) <= LONGEST_TREE:
                        pending += [
                            (one, depth + 1) for one in self.scene.read_tree(inner.text).commands[:MOST_COMMANDS]
                        ]
                else:
                    more = (Word("", known=False),) if inner.more else ()
                    pending.append((Command((*inner.words, *more)), depth + 1))
            if command.words and basename(command.words[0].text) in SHELLS:
                for redirect in command.redirects:
                    if redirect.operator in ("<<", "<<<") and redirect.target.text:
                        pending += [(one, depth + 1) for one in self.scene.read_tree(redirect.target.text).commands]
        return found

    def rules_on_commands(self, commands: Sequence[Command], text: str) -> None:
        for rule in (*self.rules.deny, *self.rules.ask):
            if rule.tool != "Bash" or rule.shape == "effect":
                continue
            hit: str | None = None
            if rule.shape == "any":
                hit = text
            for command in commands:
                if hit is not None:
                    break
                for argv in _spellings(command):
                    if matches_argv(rule, argv):
                        hit = " ".join(argv)
                        break
            if hit is None and rule.shape == "glob" and text_matches(rule.body, text.strip()):
                hit = text
            if hit is not None:
                self.find(rule.verdict, f"{shown(hit, 100)} is under the {rule.verdict} rule {rule.text}", rule, hit)

    def studies(self, strict: Script | Unreadable, every: Sequence[Command]) -> list[tuple[Command, Study, str, bool]]:
        """Each command with what it does, the directory it runs in, and whether that is sure."""
        cwd, sure = self.request.cwd, True
        done = []
        for command in every:
            one = study(command.words) if command.words else Study(True, known=True)
            done.append((command, one, cwd, sure))
            if _moves_behind_another_word(command):
                sure = False
            if command.words and basename(command.words[0].text) in ("cd", "pushd") and len(command.words) > 1:
                target = command.words[-1]
                if target.known and target.text and not target.text.startswith("-"):
                    cwd = self.eyes.place(target.text, cwd).real
                    sure = isinstance(strict, Script)
                else:
                    sure = False
        return done

    def rules_on_paths(self, every: Sequence[Command], studies: Sequence[tuple[Command, Study, str, bool]]) -> None:
        """Deny rules, ask rules and protections on every path that any command touches or may touch."""
        for command, one, cwd, sure in studies:
            cwds = (cwd,) if sure else tuple(dict.fromkeys((cwd, self.request.cwd)))
            for where in cwds:
                for redirect in command.redirects:
                    self.redirect(redirect, where)
                for use in one.uses:
                    self.touch(use, where)
                if not one.known:
                    self.guess(command, where)
                for name, value in command.assignments:
                    if value.text and "/" in value.text and len(value.text) < 4096:
                        del name
                        self.guess(Command((Word("="), value)), where)

    def redirect(self, redirect: Redirect, cwd: str) -> None:
        if redirect.operator in ("<<", "<<<") or redirect.target.text == "/dev/null":
            return
        if not redirect.target.text:
            return
        for path in self.names_of(Use("read", redirect.target.text, redirect.target.glob), cwd) or ():
            if redirect.writes:
                self.look(self.eyes.place(path, cwd), True, bash=True)
            if redirect.reads:
                self.look(self.eyes.place(path, cwd), False, bash=True)

    def names_of(self, use: Use, cwd: str) -> tuple[str, ...] | None:
        if use.glob is None:
            return (use.path,)
        hits = self.eyes.expand(use.glob, cwd)
        return hits if hits is None else hits or (use.path,)

    def touch(self, use: Use, cwd: str) -> None:
        if use.access in ("enter", "absent", "repository"):
            return
        if use.glob is not None:
            self.glob_meets_rules(use, cwd)
            folder, _, last = use.path.rpartition("/")
            if use.access == "remove" and last in ("*", ".*", "**"):
                # All that is in a folder is as good as the folder.
                place = self.eyes.place(folder or ("/" if use.path.startswith("/") else "."), cwd)
                fault = critical_removal(place.real, self.anchors)
                if fault:
                    self.find("ask", f"it removes too much: {fault}", subject=place.path, protection=True)
        for path in self.names_of(use, cwd) or (use.path,):
            if "\0" in path or not path:
                continue
            place = self.eyes.place(path, cwd)
            if use.access == "write":
                if place.path != "/dev/null":
                    self.look(place, True, bash=True)
            elif use.access == "remove":
                self.look(place, True, bash=True, content=False)
                fault = critical_removal(place.path, self.anchors) or critical_removal(place.real, self.anchors)
                if fault:
                    self.find("ask", f"it removes too much: {fault}", subject=place.path, protection=True)
            elif use.access == "read" or use.access == "tree":
                if place.path != "/dev/null":
                    self.look(place, False, bash=True)
                if use.access == "tree":
                    self.tree(use, place)
            else:
                self.look(place, False, bash=True, content=False)

    def glob_meets_rules(self, use: Use, cwd: str) -> None:
        """A pattern that would match a denied name counts as that name, whether or not the file exists now."""
        assert use.glob is not None
        pattern = segments(absolute(use.glob, cwd, self.anchors.home).lower())
        if not pattern:
            return
        for rule in self.rules.paths.get("deny Read", ()):
            for guarded in rule.patterns:
                literal = guarded and guarded[0] != "**" and not any(c in "/".join(guarded) for c in "*?[")
                dotted = guarded and guarded[-1].startswith(".") and not pattern[-1:][0].startswith(".")
                if literal and not dotted and len(guarded) == len(pattern) and path_matches(pattern, guarded):
                    self.find("deny", f"{shown(use.path)} takes in what {rule.rule.text} denies", rule.rule, use.path)

    def tree(self, use: Use, place: Place) -> None:
        """Everything below a folder is read: denied or secret files in it make a question."""
        denying = self.rules.paths.get("deny Read", ()) + self.rules.paths.get("ask Read", ())
        if place.kind not in ("folder", "missing"):
            return
        if place.kind == "missing":
            for rule in denying:
                if any(
                    pattern[:1] != ("**",) and beneath("/" + "/".join(pattern), place.real) for pattern in rule.patterns
                ):
                    self.find("ask", f"it reads everything below {shown(place.path)}: {rule.rule.text}", rule.rule)
            return

        def wanted(path: str) -> bool:
            return secret(path, self.anchors) is not None or any(rule.matches(path) for rule in denying)

        walked = self.eyes.walk(place.real, use.hidden, wanted)
        if not walked.complete:
            self.find(
                "ask", f"{shown(place.path)} holds too many files to look through", subject=place.path, protection=True
            )
        for path in walked.found:
            met = next((rule for rule in denying if rule.matches(path)), None)
            if met is not None:
                self.find("ask", f"it would also read {shown(path)}: {met.rule.text}", met.rule, path)
            elif use.needle is None or self.eyes.shows(path, use.needle):
                self.find(
                    "ask", f"it would also read {shown(path)}, which may hold secrets", subject=path, protection=True
                )

    def guess(self, command: Command, cwd: str) -> None:
        """A command nobody knows: any word, or the end of any option, may be a file it reads or writes."""
        name = basename(command.words[0].text) if command.words else ""
        for word in command.words[:1] if "/" in (command.words[0].text if command.words else "") else ():
            self.look_quietly(word.text, cwd)
        if len(command.words) > MOST_WORDS:
            self.find("ask", f"{shown(name)} has too many words to look at each", protection=True)
        for word in command.words[1:MOST_WORDS]:
            text = word.text
            if not text or len(text) > 4096 or "\0" in text:
                continue
            if word.glob is not None:
                self.glob_meets_rules(Use("read", text, word.glob), cwd)
                for hit in (self.eyes.expand(word.glob, cwd) or ())[:200]:
                    self.look_quietly(hit, cwd)
                continue
            options = {text}
            if text.startswith("-") and "=" not in text:
                options = {text[2:]} if len(text) > 3 and not text.startswith("--") else set()
            for separator in ("=", "@", ":"):
                if separator in text:
                    options.add(text.rpartition(separator)[2])
                    options.add(text.partition(separator)[2])
            for option in options:
                if option and len(option) < 1024 and "\n" not in option:
                    self.look_quietly(option, cwd)

    def look_quietly(self, path: str, cwd: str) -> None:
        """Like `look`, for what may not be a path at all: only rules that deny or ask and known secrets count."""
        place = self.eyes.place(path, cwd)
        if place.kind in ("loop", "impossible"):
            return
        names = tuple(dict.fromkeys((place.path, place.real)))
        for tool in ("Read", "Edit"):
            for verdict in ("deny", "ask"):
                rule = self.path_rule(verdict, tool, names)
                if rule is not None and (tool == "Read" or place.kind != "missing"):
                    self.find(rule.verdict, f"{shown(path)} is under the {verdict} rule {rule.text}", rule, place.path)
        if place.kind == "file" and place.links > 1:
            self.hard_link(place, False, shown(place.path))
        for name in names:
            fault = secret(name, self.anchors)
            if fault and (place.kind != "missing" or name.startswith(self.anchors.home + "/.")):
                self.guarded(shown(path), fault, name)
                self.effect_rules(("secret.read",), name)
                break
            if place.kind != "missing" or "/" in path:
                fault = protected(name, self.anchors) or (pseudo(name) if place.kind != "folder" else None)
                if fault:
                    self.guarded(shown(path), fault, name)
                    break

    # -- allowing --------------------------------------------------------------------------------------------------

    def lanes(self, script: Script) -> list[tuple[Command, str]] | str:
        """Each command with its directory, or why that is not certain: one `cd`, first, joined by `&&`."""
        cwd = self.request.cwd
        done: list[tuple[Command, str]] = []
        for index, command in enumerate(script.commands):
            done.append((command, cwd))
            if _moves_behind_another_word(command):
                return "a change of directory stands behind another word"
            if command.words and command.words[0].text in ("cd", "pushd", "popd"):
                if index or command.depth:
                    return "a change of directory stands after another command"
                if len(script.commands) > 1 and script.commands[1].joint != "&&":
                    return "a change of directory is not joined by &&"
                one = study(command.words)
                if not one.fit or not one.uses:
                    return one.why
                place = self.eyes.place(one.uses[0].path, cwd)
                if not all(inside(name, self.anchors) for name in (place.path, place.real)):
                    return f"{shown(place.path)} is outside the project"
                cwd = place.real
        return done

    def only_reads(self, script: Script) -> bool:
        if not self.anchored_in_project():
            return False
        lanes = self.lanes(script)
        if isinstance(lanes, str):
            self.note(lanes)
            return False
        for command, cwd in lanes:
            why = self.reads(command, cwd)
            if why is not None:
                self.note(f"not known to only read: {why}", subject=" ".join(command.argv))
                return False
        return True

    def anchored_in_project(self) -> bool:
        return inside(self.request.cwd, self.anchors)

    def reads(self, command: Command, cwd: str) -> str | None:
        """Why this command may do more than read freely, or None."""
        if not command.words:
            return "it only assigns or redirects"
        if command.words[0].text not in _TAKES_ANYTHING and any(not word.known for word in command.words[1:]):
            return "one of its words is known only when it runs, and may become options"
        fault = self.assignments_fault(command)
        if fault:
            return fault
        for redirect in command.redirects:
            if redirect.operator in ("<<", "<<<") or redirect.target.text == "/dev/null":
                continue
            if redirect.writes:
                if redirect.target.text not in ("/dev/stdout", "/dev/stderr"):
                    return f"it writes {shown(redirect.target.text)}"
            else:
                fault = self.free(Use("read", redirect.target.text), cwd)
                if fault:
                    return fault
        words = self.opened(command.words)
        one = study(words)
        if not one.fit:
            return one.why
        if one.hazard:
            return one.hazard
        for use in one.uses:
            fault = self.free(use, cwd)
            if fault:
                return fault
        return None

    def opened(self, words: Sequence[Word]) -> Sequence[Word]:
        """The command inside wrappers that add no power."""
        for _ in range(4):
            inner = inner_commands(words)
            if len(inner) != 1 or not inner[0].transparent or not words[0].known or "/" in words[0].text:
                break
            if study(words).fit:
                break
            words = inner[0].words
        return words

    def assignments_fault(self, command: Command) -> str | None:
        for name, value in command.assignments:
            fine = name in SAFE_ASSIGNMENTS or name.startswith("LC_")
            if not fine or not value.known or not _SAFE_VALUE.match(value.text):
                return f"it sets {name}"
        return None

    def free(self, use: Use, cwd: str) -> str | None:
        """Why one use is not free reading in the project, or None. What `look` finds is noted there already."""
        if use.access == "absent":
            place = self.eyes.place(use.path, cwd)
            return None if place.kind == "missing" else f"{use.path} names a program to run"
        if use.access == "repository":
            return self.repository(cwd, config=True)
        if use.access in ("write", "remove"):
            return "it writes"
        names = self.names_of(use, cwd)
        if names is None:
            return "the glob matches too many files"
        for name in names:
            if use.glob is not None and name.startswith("-"):
                return f"a file is called {shown(name)}, which reads as an option"
            place = self.eyes.place(name, cwd)
            if place.path == "/dev/null":
                continue
            everywhere = tuple(dict.fromkeys((place.path, place.real)))
            if not all(inside(one, self.anchors) for one in everywhere):
                rule = self.path_rule("allow", "Read", everywhere)
                own = all(is_own_output(one, self.anchors) for one in everywhere)
                if rule is None and not own and self.mode != "yolo":
                    return f"{shown(place.path)} is outside the project"
            if use.access != "list" and place.kind in ("device", "fifo", "socket", "loop", "impossible"):
                return f"{shown(place.path)} is a {place.kind}"
        return None

    def repository(self, cwd: str, config: bool) -> str | None:
        return self.eyes.repository_fault(cwd, self.anchors.root, config, self.request.trusted)

    def by_rule(self, strict: Script | Unreadable, agree: bool) -> Decision:
        """Every part needs an allow rule, or must only read."""
        names = ("Bash", self.request.tool)
        whole = next((rule for rule in self.rules.allow if rule.tool in names and rule.shape == "any"), None)
        if whole is not None and self.request.taint and self.reach.outward:
            self.note(f"near miss: it reaches out, after {self.whose()}", rule=whole, subject=self.reach.outward)
            whole = None
        if isinstance(strict, Unreadable):
            return self.answer("ask", f"this command is not read with certainty: {strict.reason}")
        if not agree:
            return self.answer("ask", "two readers of this command do not agree on what it runs")
        lanes = self.lanes(strict)
        if isinstance(lanes, str):
            return self.answer("ask", lanes)
        used: Rule | None = None
        for command, cwd in lanes:
            rule, why = self.covered(command, cwd, whole)
            if why is not None:
                return self.answer("ask", why)
            used = used or rule
        if used is None:
            return self.answer("allow", "it only reads, in the project", harmless=True)
        return self.answer("allow", f"allowed by {used.text}", used)

    def covered(self, command: Command, cwd: str, whole: Rule | None) -> tuple[Rule | None, str | None]:
        """The rule that covers one command (None when it only reads), or why nothing does."""
        said = shown(" ".join(command.argv) or "a redirect", 100)
        if not command.words:
            return None, "it only assigns or redirects"
        fault = self.assignments_fault(command)
        if fault:
            return None, fault
        used: Rule | None = None
        for redirect in command.redirects:
            if redirect.operator in ("<<", "<<<") or redirect.target.text in (
                "/dev/null",
                "/dev/stdout",
                "/dev/stderr",
            ):
                continue
            place = self.eyes.place(redirect.target.text, cwd)
            names = tuple(dict.fromkeys((place.path, place.real)))
            if redirect.writes:
                rule = self.path_rule("allow", "Edit", names)
                if rule is None:
                    return None, f"no rule allows writing {shown(redirect.target.text)}"
                used = rule
            else:
                fault = self.free(Use("read", redirect.target.text), cwd)
                if fault:
                    return None, fault
        bare = Command(command.words, command.assignments)
        reads = self.reads(bare, cwd)
        if reads is None:
            return used, None
        words = self.opened(command.words)
        one = study(words)
        if not all(word.known for word in words):
            return None, f"{said}: a part of it is known only when it runs"
        argv = tuple(word.text for word in words)
        for word in words:
            hits = self.eyes.expand(word.glob, cwd) if word.glob is not None else ()
            if hits is None or any(hit.startswith("-") for hit in hits):
                return None, f"{said}: a file's name reads as an option"
        if words and basename(words[0].text) == "git":
            fault = self.repository(cwd, config=False)
            if fault:
                return None, fault
        for rule in self.rules.allow:
            if rule.tool != "Bash" or rule.shape in ("any", "effect") or not matches_argv(rule, argv):
                continue
            if rule.shape != "exact":
                if one.hazard:
                    self.note(f"near miss: {one.hazard}", rule=rule, subject=said)
                    continue
                wrapped = basename(argv[0]) in WRAPPERS and inner_commands(words)
                if wrapped or basename(argv[0]) in ("eval", "source", ".", "exec"):
                    inner = self.inner_fault(words, cwd, whole)
                    if inner is not None:
                        self.note(f"near miss: {inner}", rule=rule, subject=said)
                        continue
                fault = self.writes_fault(one, cwd)
                if fault:
                    self.note(f"near miss: {fault}", rule=rule, subject=said)
                    continue
            return rule, None
        if whole is not None:
            return whole, None
        return None, f"no rule allows {said}" if not one.hazard else f"no rule allows {said} ({one.hazard})"

    def inner_fault(self, words: Sequence[Word], cwd: str, whole: Rule | None) -> str | None:
        for inner in inner_commands(words):
            head = words[1 : len(words) - len(inner.words)] if inner.words else words[1:]
            if basename(words[0].text) == "env" and head:
                return "env changes what the command stands in"
            if inner.text is not None:
                script = read_strictly(inner.text, self.anchors.home)
                if isinstance(script, Unreadable):
                    return "what it runs is not read with certainty"
                commands = list(script.commands)
            else:
                more = (Word("x", known=False),) if inner.more else ()
                commands = [Command((*inner.words, *more))]
            for command in commands:
                _, why = self.covered(command, cwd, whole)
                if why is not None:
                    return why
        if basename(words[0].text) in ("eval", "source", ".", "exec") and not inner_commands(words):
            return "what it runs cannot be seen"
        return None

    def writes_fault(self, one: Study, cwd: str) -> str | None:
        """A starred rule for a command does not widen where one may write: outside the project, Edit decides."""
        edits = ("it edits files in place", "it writes a file")
        for use in one.uses:
            if use.access not in ("write", "remove"):
                continue
            for name in self.names_of(use, cwd) or (use.path,):
                place = self.eyes.place(name, cwd)
                names = tuple(dict.fromkeys((place.path, place.real)))
                if place.path == "/dev/null" or self.path_rule("allow", "Edit", names) is not None:
                    continue
                if one.why in edits or one.why.endswith("which may be written to"):
                    return f"no rule allows writing {shown(name)}"
                if not all(inside(one_name, self.anchors) for one_name in names):
                    return f"{shown(name)} is outside the project"
        return None

    # -- yolo ------------------------------------------------------------------------------------------------------

    def yolo(
        self,
        strict: Script | Unreadable,
        loose: Loose,
        studies: Sequence[tuple[Command, Study, str, bool]],
        text: str,
    ) -> str | None:
        """Why even this mode asks, or None. What is protected was found before."""
        if isinstance(strict, Unreadable):
            if not loose.sound:
                return f"this command is not read with certainty: {strict.reason}"
            if visible(text) is not None:
                return f"this command is not read with certainty: {strict.reason}"
            if re.search(r"\(\s*\)\s*[{(]", text) and "&" in text.replace("&&", ""):
                return "it defines a function and starts something in the background"
        for command, one, cwd, sure in studies:
            if command.words and not (command.words[0].known and command.words[0].text):
                return "which program runs is known only when it runs"
            why = reserved(command)
            if why is not None:
                return why
            unclear = not sure or not command.known
            for redirect in command.redirects:
                if redirect.writes and redirect.target.text not in ("/dev/null", "/dev/stdout", "/dev/stderr"):
                    if not redirect.target.known:
                        return "where it writes is known only when it runs"
                    if not self.undoable(redirect.target.text, cwd):
                        return f"{shown(redirect.target.text)} is outside the project"
            for use in one.uses:
                if use.access in ("write", "remove"):
                    if unclear and use.access == "remove":
                        return "what it removes is known only when it runs"
                    if not self.undoable(use.path, cwd):
                        return f"{shown(use.path)} is outside the project"
            if any(word.known is False for word in command.words) and not one.known and one.uses:
                return "what it writes is known only when it runs"
            for name, _ in command.assignments:
                if _steers(name):
                    return f"it sets {name}"
            if command.words and basename(command.words[0].text) == "git":
                fault = one.hazard or self.repository(cwd, config=False)
                if fault:
                    return fault
        return None

    def undoable(self, path: str, cwd: str) -> bool:
        place = self.eyes.place(path, cwd)
        names = (place.path, place.real)
        return all(inside(name, self.anchors) for name in names) or all(beneath(name, "/tmp") for name in names)


_STEERING = regex(
    r"(PATH|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|HOME|SHELL|EDITOR|VISUAL|PAGER|BROWSER|TMPDIR|CDPATH"
    r"|LD_.*|DYLD_.*|GIT_.*|SSH_.*|PYTHON(PATH|HOME|STARTUP|INSPECT)|PERL5?(LIB|OPT|DB)|RUBY(LIB|OPT)|NODE_(OPTIONS|PATH)"
    r"|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|CLASSPATH|MAKEFLAGS|LESS.*|MAN.*|GCONV_PATH|LOCPATH|TERMINFO.*|HTTPS?_PROXY|https?_proxy"
    r"|PROTEA_.*|.*_(KEY|TOKEN|SECRET)|CARGO_.*|RUSTC.*|npm_config_.*|PIP_.*|UV_.*|DOCKER_.*|KUBECONFIG)\Z"
)


def _steers(name: str) -> bool:
    return bool(_STEERING.match(name)) and name not in SAFE_ASSIGNMENTS


def _listing(commands: Sequence[Command]) -> tuple[object, ...]:
    """What two readings are compared by."""
    words = tuple(
        (command.argv, tuple((k, v.text) for k, v in command.assignments))
        for command in commands
        if command.words or command.assignments
    )
    redirects = sorted(
        (redirect.operator, redirect.target.text if redirect.operator != "<<" else "")
        for command in commands
        for redirect in command.redirects
    )
    return words, tuple(redirects)


def _spellings(command: Command) -> list[tuple[str, ...]]:
    """The ways a deny or ask rule may have written this command."""
    argv = command.argv
    while len(argv) > 1 and not argv[-1] and not command.words[len(argv) - 1].known:
        argv = argv[:-1]
    if not argv:
        return []
    named = (basename(argv[0]), *argv[1:])
    found = [argv, named]
    if named[0] == "git":
        found.append(without_globals(named))
    if not named[0].islower():
        found.append((named[0].lower(), *named[1:]))
    if named[0] in ("npm", "yarn", "pnpm", "cargo", "docker", "kubectl", "go", "pip", "uv", "gh", "systemctl"):
        rest = [word for word in named[1:] if not word.startswith("-")]
        found.append((named[0], *rest))
    return list(dict.fromkeys(found))


_BRACES = regex(r"\{([^{}\s]*,[^{}\s]*)\}")
_CRUDE = regex(r"\$\(|[;&|\n(){}`]|<\(|>\(")


def _crude(text: str, sound: bool) -> list[Command]:
    """Commands by rough cutting, for deny and ask rules on text that neither reader is sure of."""
    found: list[Command] = []
    texts = [text.replace("\\\n", "")]
    if not sound:
        texts.append(texts[0].replace("'", "").replace('"', "").replace("\\", ""))
    for one in texts:
        one = _BRACES.sub(lambda match: match.group(1).replace(",", " "), one)
        for piece in _CRUDE.split(one)[: MOST_COMMANDS // 2]:
            words = [re.sub(r"['\"\\]", "", word) for word in piece.split()]
            while words and (
                re.match(r"\w+=", words[0])
                or words[0] in ("if", "then", "else", "elif", "do", "while", "until", "!", "time")
            ):
                words = words[1:]
            if words:
                found.append(Command(tuple(Word(word, known=False) for word in words)))
    return found


def decide(request: PermissionRequest, scene: Scene) -> Decision:
    """The decision about one request, `ask` not yet turned into `deny` where nobody can be asked."""
    judge = Judge(request, scene)
    tool, arguments = request.tool, request.arguments
    if not isinstance(tool, str) or not isinstance(arguments, dict):
        return judge.answer("ask", "the request is not understood")
    if visible(tool) is not None or len(tool) > 200:
        return judge.answer("ask", "the tool's name contains characters that do not show")
    if tool in SHELL_TOOLS:
        judge.rules_on_the_tool(tool)
        return judge.bash(arguments.get("command"))
    if tool == "RunCode":
        return judge.code(tool, arguments)
    if tool == "Patch":
        return judge.file_tool(tool, patch_targets(arguments.get("patch")))
    if tool in WRITERS or tool == "Read":
        return judge.file_tool(tool, [arguments.get("path", arguments.get("file_path"))])
    if tool in READERS:
        return judge.file_tool(tool, [arguments.get("path") or request.cwd, *_glob_base(tool, arguments)])
    if tool in ("WebFetch", "A2ASend", "A2APush"):
        url = arguments.get("url", next((value for key, value in arguments.items() if str(key).endswith("url")), None))
        return judge.web(tool, url)
    return judge.other(tool)


def _glob_base(tool: str, arguments: dict[str, object]) -> list[str]:
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
    return [posixpath.join(base if isinstance(base, str) else "", path)]


_PATCHED = regex(
    r"^(?:\*\*\* (?:Add|Update|Delete) File: |\*\*\* Move to: |(?:---|\+\+\+) |(?:rename|copy) (?:from|to) )(.+)$",
    re.MULTILINE,
)


_TAKES_ANYTHING = frozenset({"echo", "true", "false", ":", "basename", "dirname", "pwd"})
"""Commands that no word can make do more than print or compute."""


def _moves_behind_another_word(command: Command) -> bool:
    """`time cd x`, `command cd x`: the shell moves all the same."""
    names = [word.text for word in command.words]
    return bool(names) and names[0] in ("time", "command", "builtin") and not {"cd", "pushd", "popd"}.isdisjoint(names)


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


def _names_in(patch: str) -> list[object]:
    found: list[object] = []
    for match in islice(_PATCHED.finditer(patch), 4 * MOST_COMMANDS):
        path = match.group(1).rstrip("\r").split("\t", 1)[0].strip()
        if path in ("/dev/null", ""):
            continue
        if patch[match.start() : match.start() + 4] in ("--- ", "+++ ") and path[:2] in ("a/", "b/"):
            found.append(path[2:])
        found.append(path)
    return list(dict.fromkeys(found))
