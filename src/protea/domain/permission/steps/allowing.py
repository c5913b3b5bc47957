"""Whether allow rules cover a script: each of its parts needs one, or must only read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from protea.domain.permission import Decision
from protea.domain.permission.paths import inside
from protea.domain.permission.programs.hazards import from_input
from protea.domain.permission.programs.options import Study, Use
from protea.domain.permission.programs.reach import Reach
from protea.domain.permission.programs.study import study
from protea.domain.permission.rules import Rule, matches_argv
from protea.domain.permission.shell.lexer import read_strictly
from protea.domain.permission.shell.script import NOWHERE, Command, Unreadable, Word, listed
from protea.domain.permission.shell.unwrap import SHELLS, WRAPPERS, basename, inner_commands
from protea.domain.permission.steps.case import Case, shown
from protea.domain.permission.steps.harmless import (
    SAFE_ASSIGNMENTS,
    SAFE_VALUE,
    assignments_fault,
    free,
    opened,
    reads,
    reads_what_it_is_fed,
    repository,
    without_own_modules,
)
from protea.domain.permission.steps.published import rewrites_published
from protea.domain.permission.steps.reading import Reading
from protea.domain.permission.steps.touching import names_of
from protea.domain.permission.steps.whereabouts import lanes, with_what_it_links_to


def by_rule(case: Case, reading: Reading, reach: Reach) -> Decision:
    """Every part needs an allow rule, or must only read."""
    strict = reading.strict
    names = ("Bash", case.request.tool)
    whole = next((rule for rule in case.rules.allow if rule.tool in names and rule.shape == "any"), None)
    if whole is not None and case.request.taint and reach.outward:
        case.note(f"near miss: it reaches out, after {case.whose()}", rule=whole, subject=reach.outward)
        whole = None
    if isinstance(strict, Unreadable):
        return case.answer("ask", f"this command is not read with certainty: {strict.reason}")
    if not reading.agree:
        return case.answer("ask", "two readers of this command do not agree on what it runs")
    found = lanes(case, strict)
    if isinstance(found, str):
        return case.answer("ask", found)
    used: Rule | None = None
    faults: list[str] = []
    for index, (command, cwd) in enumerate(found):
        if reads_what_it_is_fed(case, strict, index, cwd):
            continue
        rule, why = _covered(case, command, cwd, whole)
        if why is None and len(found) > 1 and whole is None and basename(command.argv[0]) in ("ln", "cp"):
            why = _writes_fault(case, with_what_it_links_to(case, command, study(command.words), cwd), cwd)
        if why is not None:
            faults.append(why)
        used = used or rule
    for why in dict.fromkeys(faults) if len(faults) > 1 else ():
        case.note(f"not allowed: {why}")
    if faults:
        return case.answer("ask", faults[0])
    if used is None:
        return case.answer("allow", "it only reads, in the project", harmless=True)
    return case.answer("allow", f"allowed by {used.text}", used)


def _covered(case: Case, command: Command, cwd: str, whole: Rule | None) -> tuple[Rule | None, str | None]:
    """The rule that covers one command (None when it only reads), or why nothing does."""
    if not command.words:
        return None, "it only assigns or redirects"
    command = without_own_modules(case, command, cwd)
    fault = assignments_fault(case, command)
    if fault:
        return None, fault
    used, fault = _redirected(case, command, cwd)
    if fault:
        return None, fault
    if reads(case, Command(command.words, command.assignments), cwd) is None:
        return used, None
    said = shown(" ".join(command.argv), 100)
    words = opened(case, command.words)
    fault = _words_fault(case, words, cwd, said)
    if fault:
        return None, fault
    argv, one = tuple(word.text for word in words), study(words)
    if basename(argv[0]) == "git" and one.hazard is None:
        one = replace(one, hazard=rewrites_published(case, words, cwd))
    for rule in case.rules.allow:
        if rule.tool != "Bash" or rule.shape in ("any", "effect") or not matches_argv(rule, argv):
            continue
        fault = None if rule.shape == "exact" else _star_fault(case, words, one, cwd, whole)
        if fault is None:
            return rule, None
        case.note(f"near miss: {fault}", rule=rule, subject=said)
    if whole is not None:
        fault = _unseen(case, words)
        if fault is None:
            return whole, None
        case.note(f"near miss: {fault}", rule=whole, subject=said)
        return None, fault
    for rule in case.rules.allow:
        if rule.tool == "Bash" and rule.words[:1] == argv[:1] and not matches_argv(rule, argv):
            case.note("near miss: it is about other words of this command", rule=rule, subject=said)
    return None, f"no rule allows {said}" if not one.hazard else f"no rule allows {said} ({one.hazard})"


def _redirected(case: Case, command: Command, cwd: str) -> tuple[Rule | None, str | None]:
    """The rule under which a command may write where its redirects say, if one is needed, or why it may not."""
    used: Rule | None = None
    for redirect in command.redirects:
        if redirect.fed or redirect.target.text in NOWHERE:
            continue
        if redirect.writes:
            used = case.rules.on_path("allow", "Edit", case.eyes.place(redirect.target.text, cwd).names)
            if used is None:
                return None, f"no rule allows writing {shown(redirect.target.text)}"
        else:
            fault = free(case, Use("read", redirect.target.text), cwd)
            if fault:
                return None, fault
    return used, None


def _words_fault(case: Case, words: Sequence[Word], cwd: str, said: str) -> str | None:
    """Why no rule whatever covers these words."""
    if not all(word.known for word in words):
        return f"{said}: a part of it is known only when it runs"
    for word in words:
        hits = case.eyes.expand(word.glob, cwd) if word.glob is not None else ()
        if hits is None or any(hit.startswith("-") for hit in hits):
            return f"{said}: a file's name reads as an option"
    return repository(case, cwd, config=False) if words and basename(words[0].text) == "git" else None


def _star_fault(case: Case, words: Sequence[Word], one: Study, cwd: str, whole: Rule | None) -> str | None:
    """Why a rule that ends in a star does not cover these words, which fit it."""
    if one.hazard:
        return one.hazard
    name = basename(words[0].text)
    if (name in WRAPPERS and inner_commands(words)) or name in ("eval", "source", ".", "exec"):
        inner = _inner_fault(case, words, cwd, whole)
        if inner is not None:
            return inner
    return _writes_fault(case, one, cwd) or _elsewhere_fault(case, words, cwd) or _variables_fault(words)


def _inner_fault(case: Case, words: Sequence[Word], cwd: str, whole: Rule | None) -> str | None:
    for inner in inner_commands(words):
        if inner.unlikely:
            continue
        head = words[1 : len(words) - len(inner.words)] if inner.words else words[1:]
        if basename(words[0].text) == "env" and head:
            return "env changes what the command stands in"
        if inner.text is not None:
            script = read_strictly(inner.text, case.anchors.home)
            if isinstance(script, Unreadable):
                return "what it runs is not read with certainty"
            commands = list(script.commands)
        else:
            more = (Word("x", known=False),) if inner.more else ()
            commands = [Command((*inner.words, *more))]
        for command in commands:
            _, why = _covered(case, command, cwd, whole)
            if why is not None:
                return why
    if basename(words[0].text) in ("eval", "source", ".", "exec") and not inner_commands(words):
        return "what it runs cannot be seen"
    return None


def _unseen(case: Case, words: Sequence[Word], depth: int = 0) -> str | None:
    """Why even a rule for all of Bash does not cover this: within a wrapper stands what nobody can read, and what would
    ask without the wrapper."""
    name = basename(words[0].text) if words else ""
    if name in SHELLS and from_input(name, [word.text for word in words[1:]]):
        return f"{name} runs what it reads from its input"
    if depth > 6:
        return "it is nested too deep"
    if name == "time" and any(re.match(r"\w+\+?=", word.text) for word in words[1:3]):
        return "it sets a variable"
    for inner in inner_commands(words):
        if inner.text is None:
            commands = [Command(inner.words)]
        elif inner.text.strip():
            script = read_strictly(inner.text, case.anchors.home)
            if isinstance(script, Unreadable):
                return f"what {name} runs is not read with certainty: {script.reason}"
            commands = list(script.commands)
        else:
            continue
        for command in commands:
            if not command.known:
                return f"a part of what {name} runs is known only when it runs"
            fault = _unseen(case, command.words, depth + 1)
            if fault is not None:
                return fault
    return None


_BUILDERS = listed(
    """
    make gmake bmake ninja cmake meson bazel buck just rake go cargo rustc npm npx pnpm yarn bun deno node tsc tsx
    eslint jest vitest mocha webpack vite rollup prettier python python2 python3 pytest mypy pyright ruff black isort
    tox nox uv poetry pdm hatch pip pip3 gradle gradlew mvn ant sbt dotnet msbuild bundle rspec rubocop ruby perl php
    composer phpunit mix elixir swift xcodebuild zig gcc g++ cc clang clang++ bash sh dash zsh
    """
)
"""Programs that run what they are pointed at: a file, a project, a configuration."""


def _elsewhere_fault(case: Case, words: Sequence[Word], cwd: str) -> str | None:
    """A starred rule for a build is meant for this project: `make -C ../other` runs, or writes, somewhere else."""
    if basename(words[0].text) not in _BUILDERS:
        return None
    for word in words[1:]:
        text = word.text
        parts = {text, text.partition("=")[2]}
        if re.match(r"-[A-Za-z][/~.]", text):
            parts.add(text[2:])
        for part in parts:
            if not part.startswith(("/", "~/", "..", "./")) and "/../" not in part:
                continue
            place = case.eyes.place(part, cwd)
            if place.path == "/dev/null" or all(inside(name, case.anchors) for name in place.names):
                continue
            # `--grep /foo/` looks like a path and is none: at least its first folder is there.
            if case.eyes.place("/" + place.path.split("/")[1], cwd).kind != "missing":
                return f"{shown(place.path)} is outside the project"
    return None


_SETTING = listed("export declare typeset readonly local")


def _variables_fault(words: Sequence[Word]) -> str | None:
    """`export PATH=.` is an assignment too, and holds for all that follows."""
    name = words[0].text
    for word in words[1:]:
        variable, equals, value = word.text.partition("=")
        if name == "unset" and not variable.startswith("-"):
            return f"it takes {shown(variable, 40)} away"
        if name in _SETTING and equals and not (variable in SAFE_ASSIGNMENTS and SAFE_VALUE.match(value)):
            return f"it sets {shown(variable, 40)}"
        if name in ("read", "mapfile", "readarray") and re.fullmatch(r"[A-Z_]+", variable) and variable != "REPLY":
            return f"it sets {shown(variable, 40)}"
    return None


def _writes_fault(case: Case, one: Study, cwd: str) -> str | None:
    """A starred rule for a command does not widen where one may write: outside the project, Edit decides."""
    edits = ("it edits files in place", "it writes a file")
    for use in one.uses:
        if use.access not in ("write", "remove"):
            continue
        for name in names_of(case, use, cwd) or (use.path,):
            place = case.eyes.place(name, cwd)
            names = place.names
            if place.path == "/dev/null" or case.rules.on_path("allow", "Edit", names) is not None:
                continue
            if one.why in edits or one.why.endswith("which may be written to"):
                return f"no rule allows writing {shown(name)}"
            if not all(inside(one_name, case.anchors) for one_name in names):
                return f"{shown(name)} is outside the project"
    return None
