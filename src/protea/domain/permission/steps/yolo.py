"""What the mode that asks least still asks about: what no undo takes back, and what nobody can see beforehand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protea.domain.pattern import regex
from protea.domain.permission.paths import beneath, inside
from protea.domain.permission.programs.reserved import reserved
from protea.domain.permission.shell.lexer import visible
from protea.domain.permission.shell.script import NOWHERE, Unreadable
from protea.domain.permission.shell.unwrap import basename
from protea.domain.permission.steps.case import Case, shown
from protea.domain.permission.steps.harmless import SAFE_ASSIGNMENTS, repository, without_own_modules
from protea.domain.permission.steps.published import rewrites_published
from protea.domain.permission.steps.reading import Reading
from protea.domain.permission.steps.whereabouts import Studied

_STEERING = regex(
    r"(PATH|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|HOME|SHELL|EDITOR|VISUAL|PAGER|BROWSER|TMPDIR|CDPATH"
    r"|LD_.*|DYLD_.*|GIT_.*|SSH_.*|PYTHON(PATH|HOME|STARTUP|INSPECT)|PERL5?(LIB|OPT|DB)|RUBY(LIB|OPT)|NODE_(OPTIONS|PATH)"
    r"|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|CLASSPATH|MAKEFLAGS|LESS.*|MAN.*|GCONV_PATH|LOCPATH|TERMINFO.*|HTTPS?_PROXY|https?_proxy"
    r"|PROTEA_.*|.*_(KEY|TOKEN|SECRET)|CARGO_.*|RUSTC.*|npm_config_.*|PIP_.*|UV_.*|DOCKER_.*|KUBECONFIG)\Z"
)


def left_to_a_person(case: Case, reading: Reading, studies: Sequence[Studied], text: str) -> str | None:
    """Why even this mode asks, or None. What is protected was found before."""
    strict = reading.strict
    if isinstance(strict, Unreadable):
        if not reading.loose.sound:
            return f"this command is not read with certainty: {strict.reason}"
        if visible(text) is not None:
            return f"this command is not read with certainty: {strict.reason}"
        if re.search(r"\(\s*\)\s*[{(]", text) and "&" in text.replace("&&", ""):
            return "it defines a function and starts something in the background"
    for each in studies:
        command, one, cwd = each.command, each.study, each.cwd
        if command.words and not (command.words[0].known and command.words[0].text):
            return "which program runs is known only when it runs"
        why = reserved(command)
        if why is not None:
            return why
        unclear = not each.sure or not command.known
        for redirect in command.redirects:
            if redirect.writes and redirect.target.text not in NOWHERE:
                if not redirect.target.known:
                    return "where it writes is known only when it runs"
                if not _undoable(case, redirect.target.text, cwd):
                    return f"{shown(redirect.target.text)} is outside the project"
        for use in one.uses:
            if use.access in ("write", "remove"):
                if unclear and use.access == "remove":
                    return "what it removes is known only when it runs"
                if not _undoable(case, use.path, cwd):
                    return f"{shown(use.path)} is outside the project"
        if any(word.known is False for word in command.words) and not one.known and one.uses:
            return "what it writes is known only when it runs"
        for name, _ in without_own_modules(case, command, cwd).assignments:
            if _steers(name):
                return f"it sets {name}"
        if command.words and basename(command.words[0].text) == "git":
            fault = one.hazard or repository(case, cwd, config=False) or rewrites_published(case, command.words, cwd)
            if fault:
                return fault
    return None


def _undoable(case: Case, path: str, cwd: str) -> bool:
    place = case.eyes.place(path, cwd)
    names = place.names
    return all(inside(name, case.anchors) for name in names) or all(beneath(name, "/tmp") for name in names)


def _steers(name: str) -> bool:
    return bool(_STEERING.match(name)) and name not in SAFE_ASSIGNMENTS
