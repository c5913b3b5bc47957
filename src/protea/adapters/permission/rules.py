"""The permission engine: rules, modes and built-in protections over real paths.

Looks at the disk for the pure decision in `protea.domain.permission.decision`, and turns `ask` into `deny` where nobody
can be asked. Also reads `permissions.toml`.
"""

from __future__ import annotations

import os
import stat

import msgspec

from protea.adapters.permission._disk import Disk
from protea.domain.errors import ConfigError
from protea.domain.permission import Decision, Mode, PermissionRequest, RuleLayer, TraceStep, Verdict
from protea.domain.permission.decision import SHELL_TOOLS, decide
from protea.domain.permission.paths import Anchors
from protea.domain.permission.proposals import proposals
from protea.domain.permission.rules import Odd, PathRule, Rule, oddities, parse_layers
from protea.domain.permission.shell.script import Loose
from protea.domain.permission.steps.scene import Rules, Scene
from protea.domain.surroundings import Surroundings
from protea.ports.permission import Permission


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    layers: tuple[RuleLayer, ...] = ()
    """Rules from files, flags and the session, each with its source."""
    mode: Mode = "normal"
    """The mode a session starts in; each request names the one it is made in."""


LARGEST = 1 << 20
"""Bytes of a rules file."""

_Texts = tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]
"""The rules of a session, as a key."""


class RulesPermission:
    def __init__(self, rules: tuple[Rule, ...], surroundings: Surroundings) -> None:
        self._rules = rules
        self._surroundings = surroundings
        self._scoped: dict[tuple[Anchors, _Texts], Rules] = {}

    def decide(self, request: PermissionRequest) -> Decision:
        try:
            return self._decide(request)
        except Exception as error:  # whatever is wrong with a request or the disk, the answer is a question
            why = f"the permission engine failed on this request ({type(error).__name__})"
            verdict: Verdict = "ask" if getattr(request, "interactive", False) is True else "deny"
            return Decision(verdict, why, trace=(TraceStep(why, "ask"),))

    def _decide(self, request: PermissionRequest) -> Decision:
        anchors = self._anchors(request)
        rules = self._rules_for(anchors, request.layers)
        eyes = Disk(anchors.home)
        scene = Scene(rules, anchors, eyes, lambda text: _read_tree(text, anchors.home, request.cwd))
        decision = _bound(decide(request, scene), request, anchors.home)
        if decision.verdict != "ask":
            return decision
        offered = decision.proposals or proposals(request, scene, decision)
        if request.tool in SHELL_TOOLS and not decision.scripts:
            decision = msgspec.structs.replace(decision, scripts=_scripts(request, anchors.home))
        if request.interactive:
            return msgspec.structs.replace(decision, proposals=offered)
        hint = " ".join(f"--allow '{rule}'" for rule in offered)
        why = f"{decision.why}, and nobody is there to ask" + (f"; to allow it, add {hint}" if hint else "")
        trace = (*decision.trace, TraceStep("nobody can be asked", "deny"))
        return msgspec.structs.replace(decision, verdict="deny", why=why, proposals=offered, trace=trace)

    def _anchors(self, request: PermissionRequest) -> Anchors:
        given = self._surroundings
        cwd = os.path.normpath(request.cwd)
        home = request.home or given.user_home
        protea_home = (
            given.protea_home if not request.home or request.home == given.user_home else f"{request.home}/.protea"
        )
        return Anchors(
            root=os.path.normpath(request.root or request.cwd),
            cwd=os.path.normpath(request.session_cwd or cwd),
            home=home.rstrip("/") or "/",
            protea_home=protea_home,
            session=request.session,
            add_dirs=request.add_dirs,
        )

    def _rules_for(self, anchors: Anchors, layers: tuple[RuleLayer, ...]) -> Rules:
        key = (anchors, tuple((layer.source, layer.allow, layer.ask, layer.deny) for layer in layers))
        if key not in self._scoped:
            if len(self._scoped) > 64:
                self._scoped.clear()
            self._scoped[key] = _scoped((*self._rules, *parse_layers(layers)), anchors)
        return self._scoped[key]


def _bound(decision: Decision, request: PermissionRequest, home: str) -> Decision:
    """The decision, or a question where a rule of this session was said of a script that is another one now."""
    if decision.verdict != "allow" or decision.source != "session" or request.tool not in SHELL_TOOLS:
        return decision
    pins = {(pin.path, pin.digest) for pin in request.pins if pin.rule == decision.rule}
    if not pins:
        return decision
    found = _scripts(request, home)
    changed = [path for path, digest in found.items() if (path, digest) not in pins]
    if not changed:
        return decision
    known = {path for path, _ in pins}
    what = "has changed since" if changed[0] in known else "is not the script that was meant when"
    why = f"{changed[0]} {what} {decision.rule} was allowed for this session"
    trace = (*decision.trace, TraceStep(why, "ask", decision.rule, decision.source, changed[0]))
    return Decision("ask", why, proposals=(decision.rule,) if decision.rule else (), trace=trace, scripts=found)


def _scripts(request: PermissionRequest, home: str) -> dict[str, str]:
    from protea.adapters.permission._scripts import scripts_of  # plain decisions need none of it

    return scripts_of(str(request.arguments.get("command", "")), request.cwd, home)


def _scoped(rules: tuple[Rule, ...], anchors: Anchors) -> Rules:
    paths: dict[str, tuple[PathRule, ...]] = {}
    for rule in rules:
        if rule.shape == "path" or (
            rule.shape == "any" and rule.tool in ("Read", "Edit") and rule.verdict != "allow" and not rule.only
        ):
            key = f"{rule.verdict} {rule.tool}"
            paths[key] = (*paths.get(key, ()), PathRule(rule, anchors))
    sorted_rules = {
        verdict: tuple(rule for rule in rules if rule.verdict == verdict) for verdict in ("deny", "ask", "allow")
    }
    return Rules(sorted_rules["deny"], sorted_rules["ask"], sorted_rules["allow"], paths)


def _read_tree(text: str, home: str, cwd: str) -> Loose:
    # The grammar takes milliseconds to load, and plain commands never need it.
    from protea.adapters.permission._tree import read_tree

    return read_tree(text, {"HOME": home, "PWD": cwd})


def create(options: Options, *, surroundings: Surroundings) -> Permission:
    """Raises ConfigError for a rule that cannot be read: it never means "no rule"."""
    own = RuleLayer("profile", options.allow, options.ask, options.deny)
    return RulesPermission(parse_layers((*options.layers, own)), surroundings)


def warnings(layers: tuple[RuleLayer, ...], surroundings: Surroundings) -> list[Odd]:
    """What the writers of these rules should know: dead rules, impossible paths."""
    anchors = Anchors(surroundings.root, surroundings.cwd, surroundings.user_home, surroundings.protea_home)
    return oddities(parse_layers(layers), anchors)


class RulesFile(msgspec.Struct, frozen=True):
    """What `permissions.toml` says."""

    layer: RuleLayer
    mode: Mode | None = None
    raw: bytes = b""
    """The file they were read from, as it was then."""


def read_rules_file(path: str) -> RulesFile | None:
    """The rules of one file, None where there is none. Raises ConfigError(file, line, column) when it is not right."""
    import re
    import tomllib

    raw = _read_regular(path)
    if raw is None:
        return None
    try:
        text = raw.decode("utf-8-sig")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        raise ConfigError("not UTF-8; save it as UTF-8", path, line, column) from error
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(where.group(1)), int(where.group(2))) if where else (text.count("\n") + 1, 1)
        reason = re.sub(r" \(at .*\)\Z", "", str(error))
        raise ConfigError(f"not valid TOML: {reason[:1].lower()}{reason[1:]}", path, line, column) from error
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(f"not valid TOML: {error}", path) from error
    except RecursionError as error:
        raise ConfigError("not valid TOML: nested too deeply", path) from error
    return RulesFile(*_layer_of(table, path, text), raw)


def _read_regular(path: str) -> bytes | None:
    """A small regular file; a FIFO or device in its place, or one without end, is refused and never waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from error
    raw = b""
    try:
        kind = os.fstat(fd).st_mode
        if not stat.S_ISREG(kind):
            raise ConfigError(f"cannot be read: {'is a directory' if stat.S_ISDIR(kind) else 'it is no file'}", path)
        while len(raw) <= LARGEST and (block := os.read(fd, LARGEST + 1 - len(raw))):
            raw += block
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from error
    finally:
        os.close(fd)
    if len(raw) > LARGEST:
        raise ConfigError(f"cannot be read: it is larger than {LARGEST >> 20} MiB", path)
    return raw


def _layer_of(table: dict[str, object], path: str, text: str) -> tuple[RuleLayer, Mode | None]:
    lines = text.splitlines()

    def line_of(what: str) -> int | None:
        # TOML may write a string with escapes; then the file alone is named.
        return next(
            (number for number, line in enumerate(lines, 1) if what in line and not line.lstrip().startswith("#")), None
        )

    unknown = [key for key in table if key not in ("allow", "ask", "deny", "mode")]
    if unknown:
        raise ConfigError(f"has no {unknown[0]!r}; there are allow, ask, deny and mode", path, line_of(unknown[0]), 1)
    groups: dict[str, tuple[str, ...]] = {}
    for verdict in ("allow", "ask", "deny"):
        given = table.get(verdict, [])
        if not isinstance(given, list) or not all(isinstance(rule, str) for rule in given):
            raise ConfigError(f"{verdict} must be a list of rules in quotes", path, line_of(verdict), 1)
        groups[verdict] = tuple(given)
    mode = table.get("mode")
    if mode not in (None, "normal", "plan", "yolo"):
        raise ConfigError(f"mode is {mode!r}; it must be normal, plan or yolo", path, line_of("mode"), 1)
    numbers = {rule: line for rules in groups.values() for rule in rules if (line := line_of(rule)) is not None}
    layer = RuleLayer(path, groups["allow"], groups["ask"], groups["deny"], numbers)
    parse_layers((layer,))
    return layer, mode
