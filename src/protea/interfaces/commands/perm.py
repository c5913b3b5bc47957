"""`protea perm check` and `protea perm why`: the decision about a call, and how it was reached. Nothing runs.

`--batch` reads JSON lines and answers each in order, in one process; a line that cannot be understood is answered too.
The command line gives the engine as a function, because faces do not know adapters.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TextIO, get_args

import msgspec

from protea.domain.errors import ConfigError, UsageError
from protea.domain.permission import Decision, Mode, PermissionRequest, RuleLayer
from protea.domain.permission.rules import is_known, meant
from protea.domain.surroundings import Surroundings
from protea.interfaces.arguments import Arguments
from protea.interfaces.terminal import visible
from protea.ports.permission import Permission

Engine = Callable[[tuple[RuleLayer, ...]], Permission]
"""Makes an engine with these rules and no others. Raises ConfigError for a rule that cannot be read."""

_SUBJECTS = {
    "Bash": "command",
    "Read": "path",
    "Write": "path",
    "Edit": "path",
    "Glob": "pattern",
    "Grep": "pattern",
    "WebFetch": "url",
    "A2ASend": "url",
    "Skill": "name",
    "Agent": "name",
}
"""What stands between the parentheses of a call written as `Bash(git status)`."""


def run_perm(
    arguments: Arguments,
    *,
    engine: Engine,
    layers: tuple[RuleLayer, ...],
    surroundings: Surroundings,
    mode: Mode,
    plain: Callable[[], bool],
    stdin: BinaryIO,
    stdout: TextIO,
) -> int:
    """`perm check` and `perm why`. `layers` are the rules of all settings; flags are added here. `plain` tells whether
    the project brings nothing that would have to be trusted. Raises UsageError."""
    if arguments.has("batch"):
        if arguments.words:
            raise UsageError("perm check --batch takes its requests from standard input, not from words")
        for flag in ("allow", "ask", "deny", "mode", "add_dir"):
            if arguments.has(flag):
                raise UsageError(f"--{flag.replace('_', '-')} is not for --batch: each request says its own")
        return _batch(engine, layers, surroundings, stdin, stdout)
    tool, call = _call(arguments.words)
    _check_name(tool, given=len(arguments.words) > 1)
    given = arguments.text("mode") or mode
    flags = RuleLayer("flags", arguments.all("allow"), arguments.all("ask"), arguments.all("deny"))
    add_dirs = tuple(os.path.realpath(os.path.join(surroundings.cwd, one)) for one in arguments.all("add_dir"))
    request = PermissionRequest(
        tool=tool,
        arguments=call,
        cwd=surroundings.cwd,
        root=surroundings.root,
        home=surroundings.user_home,
        mode=given,  # type: ignore[arg-type]  # the table of flags lets only the three through
        add_dirs=(*surroundings.add_dirs, *add_dirs),
        # As in a session: choosing yolo trusts nobody.
        trusted=surroundings.trusted or (given == "yolo" and plain()),
    )
    decision = engine((flags, *layers)).decide(request)
    if arguments.has("json"):
        _print(stdout, msgspec.json.format(msgspec.json.encode(_object(decision)), indent=2).decode())
    else:
        _print(stdout, _told(decision, whole=arguments.name.endswith("why")))
    return 0


def _call(words: list[str]) -> tuple[str, dict[str, Any]]:
    if not words:
        raise UsageError(
            'perm check needs a tool and its arguments, e.g. perm check Bash \'{"command": "git status"}\''
        )
    if len(words) > 2:
        raise UsageError("perm check takes a tool and one JSON object; put quotes round the object")
    if len(words) == 1:
        written = re.fullmatch(r"([A-Za-z]\w*)\((.*)\)", words[0], re.DOTALL)
        if written and written.group(1) in _SUBJECTS:
            return written.group(1), {_SUBJECTS[written.group(1)]: written.group(2)}
        return words[0], {}
    try:
        found = msgspec.json.decode(os.fsencode(words[1]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the arguments of {words[0]} are not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f'the arguments of {words[0]} must be a JSON object, like {{"command": "git status"}}')
    return words[0], found


def _check_name(tool: str, *, given: bool) -> None:
    """Raises UsageError for a name that is misspelt, or that stands alone and names nothing. With arguments `given` it
    may be a tool of a plugin."""
    if is_known(tool):
        return
    if near := meant(tool):
        raise UsageError(f"there is no tool {tool!r}; did you mean {near}?")
    if not given:
        raise UsageError(f"there is no call and no tool {tool!r}; 'protea tools list' shows the tools")


def _object(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.verdict,
        "rule": decision.rule,
        "source": decision.source,
        "why": decision.why,
        "proposals": decision.proposals,
        "effects": decision.effects,
        "trace": decision.trace,
    }


def _told(decision: Decision, whole: bool) -> str:
    lines = [f"{decision.verdict}: {visible(decision.why)}"]
    if decision.rule:
        lines.append(
            f"  rule      {visible(decision.rule)}" + (f"  ({visible(decision.source)})" if decision.source else "")
        )
    lines += [f"  proposal  {visible(rule)}" for rule in decision.proposals]
    if decision.effects:
        lines.append(f"  effects   {', '.join(decision.effects)}")
    for step in decision.trace if whole else decision.trace[-12:]:
        rule = f"  {step.rule} ({step.source})" if step.rule else ""
        subject = f"  [{step.subject}]" if whole and step.subject else ""
        lines.append(visible(f"  {step.verdict or '-':5} {step.step}{rule}{subject}"))
    return "\n".join(lines)


def _print(stdout: TextIO, text: str) -> None:
    stdout.write(text + "\n")
    stdout.flush()


# -- batch -----------------------------------------------------------------------------------------------------------


_Rules = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""A request's own: what it allows, asks about and denies."""


class _Line(msgspec.Struct):
    """One request. Unknown fields are left alone, so that batteries may carry their own."""

    tool: str
    args: dict[str, Any] = {}
    mode: str = "normal"
    allow: tuple[str, ...] | None = None
    ask: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    """Rules of its own, instead of all that are set; where there is none of the three those that are set hold."""
    cwd: str = ""
    home: str = ""
    interactive: bool = True
    trusted: bool = True
    add_dirs: tuple[str, ...] | None = ()
    taint: tuple[str, ...] | None = ()


def _batch(
    engine: Engine, layers: tuple[RuleLayer, ...], surroundings: Surroundings, stdin: BinaryIO, stdout: TextIO
) -> int:
    engines: dict[_Rules | None, Permission] = {}
    for number, raw in enumerate(_lines(stdin), 1):
        answer = _answer(raw, number, engine, layers, engines, surroundings)
        _print(stdout, json.dumps(answer))
    return 0


def _lines(stdin: BinaryIO) -> Iterator[bytes]:
    try:
        yield from stdin
    except OSError as error:
        raise UsageError(f"standard input cannot be read: {error.strerror}") from error


def _answer(
    raw: bytes,
    number: int,
    engine: Engine,
    layers: tuple[RuleLayer, ...],
    engines: dict[_Rules | None, Permission],
    surroundings: Surroundings,
) -> dict[str, Any]:
    identity: Any = None
    attended = True
    try:
        if not raw.strip():
            raise UsageError("the line is empty")
        # The standard library's reader lets half characters through, so that they reach the engine and are asked about.
        whole = json.loads(raw, parse_constant=_no_number)
        if not isinstance(whole, dict):
            raise UsageError("a request is a JSON object")
        identity, attended = whole.get("id"), whole.get("interactive") is not False
        if "arguments" in whole:
            if whole.get("args", whole["arguments"]) != whole["arguments"]:
                raise UsageError("args and arguments say different things; give args alone")
            whole["args"] = whole["arguments"]
        line = msgspec.convert(whole, _Line)
        if line.mode not in get_args(Mode):
            raise UsageError(f"mode is {line.mode!r}; it must be normal, plan or yolo")
        own = (line.allow, line.ask, line.deny) != (None, None, None)
        rules = (line.allow or (), line.ask or (), line.deny or ()) if own else None
        if rules not in engines:
            if len(engines) > 64:
                engines.clear()
            engines[rules] = engine(layers if rules is None else (RuleLayer("request", *rules),))
        cwd = line.cwd or surroundings.cwd
        if not cwd.startswith("/"):
            raise UsageError("cwd must be an absolute path")
        request = PermissionRequest(
            tool=line.tool,
            arguments=line.args,
            cwd=cwd,
            root=cwd,
            home=line.home or surroundings.user_home,
            mode=line.mode,  # type: ignore[arg-type]  # checked above
            add_dirs=line.add_dirs or (),
            interactive=line.interactive,
            trusted=line.trusted,
            taint=line.taint or (),
        )
        decision = engines[rules].decide(request)
    except (ValueError, msgspec.ValidationError, UsageError, RecursionError) as error:
        kind = "rule" if isinstance(error, ConfigError) else "request"
        why = f"line {number}: this {kind} is not understood: {error}"
        return {"id": identity, "decision": "ask" if attended else "deny", "rule": None, "why": why, "error": why}
    return {"id": identity, "decision": decision.verdict, "rule": decision.rule, "why": decision.why}


def _no_number(text: str) -> Any:
    raise UsageError(f"{text} is no number of JSON")
