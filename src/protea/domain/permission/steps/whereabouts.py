"""In which directory each command of a script runs."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import msgspec

from protea.domain.permission.paths import inside
from protea.domain.permission.programs.options import Study, Use
from protea.domain.permission.programs.study import study
from protea.domain.permission.shell.script import Command, Script
from protea.domain.permission.shell.unwrap import basename
from protea.domain.permission.sight import Place
from protea.domain.permission.steps.case import Case, shown


class Studied(msgspec.Struct, frozen=True):
    """A command, what it does, and where."""

    command: Command
    study: Study
    cwd: str
    sure: bool
    """Whether it surely runs there."""


def studied(case: Case, commands: Sequence[Command], *, certain: bool) -> list[Studied]:
    """Each command with what it does and where. `certain`: the strict reader has read them."""
    cwd, sure = case.request.cwd, True
    done = []
    for command in commands:
        one = study(command.words) if command.words else Study(True, known=True)
        if len(commands) > 1:
            one = with_what_it_links_to(case, command, one, cwd)
        done.append(Studied(command, one, cwd, sure))
        if _moves_behind_another_word(command):
            sure = False
        if command.words and basename(command.words[0].text) in ("cd", "pushd") and len(command.words) > 1:
            target = command.words[-1]
            if target.known and target.text and not target.text.startswith("-"):
                cwd = case.eyes.place(target.text, cwd).real
                sure = certain
            else:
                sure = False
    return done


def with_what_it_links_to(case: Case, command: Command, one: Study, cwd: str) -> Study:
    """`ln -s /etc x && echo y > x/z`: what follows may write through a name that is not there yet, so what the name
    will lead to counts as written."""
    name = basename(command.words[0].text) if command.words else ""
    links = [use for use in one.uses if use.access in ("read", "tree")] if name in ("ln", "cp") else []
    if name == "cp":
        # A copy of a link leads where the link leads; only options tell whether it is one.
        links = [use for use in links if _is_link(case.eyes.place(use.path, cwd))]
    if not links:
        return one
    targets = [use for use in one.uses if use.access == "write"]
    folders = {posixpath.dirname(use.path) or "." for use in targets}
    meant = [posixpath.join(folder, use.path) for use in links for folder in (".", *folders)]
    return msgspec.structs.replace(one, uses=(*one.uses, *(Use("write", path) for path in dict.fromkeys(meant))))


def _is_link(place: Place) -> bool:
    return place.path != place.real


def lanes(case: Case, script: Script) -> list[tuple[Command, str]] | str:
    """Each command with its directory, or why that is not certain: one `cd`, first, joined by `&&`."""
    cwd = case.request.cwd
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
            place = case.eyes.place(one.uses[0].path, cwd)
            if not all(inside(name, case.anchors) for name in place.names):
                return f"{shown(place.path)} is outside the project"
            cwd = place.real
    return done


def _moves_behind_another_word(command: Command) -> bool:
    """`time cd x`, `command cd x`: the shell moves all the same."""
    names = [word.text for word in command.words]
    return bool(names) and names[0] in ("time", "command", "builtin") and not {"cd", "pushd", "popd"}.isdisjoint(names)
