"""Rules that deny or ask, and protections, on every path that a script's commands touch or may touch."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.permission.paths import (
    absolute,
    beneath,
    critical_removal,
    inside,
    path_matches,
    pseudo,
    secret,
    segments,
)
from protea.domain.permission.programs.options import Use
from protea.domain.permission.shell.script import Command, Redirect, Word
from protea.domain.permission.shell.unwrap import basename
from protea.domain.permission.sight import Place
from protea.domain.permission.steps.case import Case, shown
from protea.domain.permission.steps.places import LONGEST_PATH, look, look_quietly
from protea.domain.permission.steps.whereabouts import Studied

MOST_WORDS = 120
"""Words of one command that may each be a file; more ask."""


def rules_on_paths(case: Case, studies: Sequence[Studied]) -> None:
    """Deny rules, ask rules and protections on every path that any command touches or may touch."""
    for each in studies:
        command, one = each.command, each.study
        cwds = (each.cwd,) if each.sure else tuple(dict.fromkeys((each.cwd, case.request.cwd)))
        for where in cwds:
            for redirect in command.redirects:
                _redirect(case, redirect, where)
            for use in one.uses:
                _touch(case, use, where)
            if not one.known:
                _guess(case, command, where)
            for _, value in command.assignments:
                if value.text and "/" in value.text and len(value.text) < LONGEST_PATH:
                    _guess(case, Command((Word("="), value)), where)


def _redirect(case: Case, redirect: Redirect, cwd: str) -> None:
    if redirect.fed or redirect.target.text == "/dev/null":
        return
    if not redirect.target.text:
        return
    for path in names_of(case, Use("read", redirect.target.text, redirect.target.glob), cwd) or ():
        if redirect.writes:
            look(case, case.eyes.place(path, cwd), True, bash=True)
        if redirect.reads:
            look(case, case.eyes.place(path, cwd), False, bash=True)


def names_of(case: Case, use: Use, cwd: str) -> tuple[str, ...] | None:
    if use.glob is None:
        return (use.path,)
    hits = case.eyes.expand(use.glob, cwd)
    return hits if hits is None else hits or (use.path,)


def _touch(case: Case, use: Use, cwd: str) -> None:
    if use.access in ("enter", "absent", "repository"):
        return
    if use.glob is not None:
        _glob_meets_rules(case, use, cwd)
        folder, _, last = use.path.rpartition("/")
        if use.access == "remove" and last in ("*", ".*", "**"):
            # All that is in a folder is as good as the folder.
            place = case.eyes.place(folder or ("/" if use.path.startswith("/") else "."), cwd)
            fault = critical_removal(place.real, case.anchors)
            if fault:
                case.find("ask", f"it removes too much: {fault}", subject=place.path, protection=True)
    for path in names_of(case, use, cwd) or (use.path,):
        if "\0" in path or not path:
            continue
        place = case.eyes.place(path, cwd)
        if use.access == "write":
            if place.path != "/dev/null":
                look(case, place, True, bash=True)
        elif use.access == "remove":
            look(case, place, True, bash=True, content=False)
            fault = critical_removal(place.path, case.anchors) or critical_removal(place.real, case.anchors)
            if fault:
                case.find("ask", f"it removes too much: {fault}", subject=place.path, protection=True)
        elif use.access == "read" or use.access == "tree":
            if place.path != "/dev/null":
                look(case, place, False, bash=True)
            if use.access == "tree":
                _tree(case, use, place)
        else:
            look(case, place, False, bash=True, content=False)


def _glob_meets_rules(case: Case, use: Use, cwd: str) -> None:
    """A pattern that would match a denied name counts as that name, whether or not the file exists now."""
    assert use.glob is not None
    pattern = segments(absolute(use.glob, cwd, case.anchors.home).lower())
    if not pattern:
        return
    for rule in case.rules.paths.get("deny Read", ()):
        for guarded in rule.patterns:
            literal = guarded and guarded[0] != "**" and not any(c in "/".join(guarded) for c in "*?[")
            dotted = guarded and guarded[-1].startswith(".") and not pattern[-1:][0].startswith(".")
            if literal and not dotted and len(guarded) == len(pattern) and path_matches(pattern, guarded):
                case.find("deny", f"{shown(use.path)} takes in what {rule.rule.text} denies", rule.rule, use.path)


def _tree(case: Case, use: Use, place: Place) -> None:
    """Everything below a folder is read: denied or secret files in it make a question."""
    denying = case.rules.paths.get("deny Read", ()) + case.rules.paths.get("ask Read", ())
    if place.kind not in ("folder", "missing"):
        return
    if place.kind == "missing":
        for rule in denying:
            if any(
                pattern[:1] != ("**",) and beneath("/" + "/".join(pattern), place.real) for pattern in rule.patterns
            ):
                case.find("ask", f"it reads everything below {shown(place.path)}: {rule.rule.text}", rule.rule)
        return

    def wanted(path: str) -> bool:
        if secret(path, case.anchors) is not None or any(rule.matches(path) for rule in denying):
            return True
        return use.follow and _leads_out(case, path)

    walked = case.eyes.walk(place.real, use.hidden, wanted, use.follow, use.only)
    if not walked.complete:
        case.find(
            "ask", f"{shown(place.path)} holds too many files to look through", subject=place.path, protection=True
        )
    for path in walked.found:
        met = next((rule for rule in denying if rule.matches(path)), None)
        if met is not None:
            case.find("ask", f"it would also read {shown(path)}: {met.rule.text}", met.rule, path)
        elif _leads_out(case, path) and secret(path, case.anchors) is None:
            why = f"a link in {shown(place.path)} leads to {shown(path)}, outside the project"
            case.find("ask", why, subject=path, protection=True)
        elif use.needle is None or case.eyes.shows(path, use.needle):
            case.find("ask", f"it would also read {shown(path)}, which may hold secrets", subject=path, protection=True)


def _leads_out(case: Case, path: str) -> bool:
    """Whether a link leads where reading is not free."""
    if inside(path, case.anchors) or path == "/dev/null" or case.mode == "yolo":
        return pseudo(path) is not None and path != "/dev/null"
    return case.rules.on_path("allow", "Read", (path,)) is None


def _guess(case: Case, command: Command, cwd: str) -> None:
    """A command nobody knows: any word, or the end of any option, may be a file it reads or writes."""
    name = basename(command.words[0].text) if command.words else ""
    for word in command.words[:1] if "/" in (command.words[0].text if command.words else "") else ():
        look_quietly(case, word.text, cwd)
    if len(command.words) > MOST_WORDS:
        case.find("ask", f"{shown(name)} has too many words to look at each", protection=True)
    for word in command.words[1:MOST_WORDS]:
        text = word.text
        if not text or len(text) > LONGEST_PATH or "\0" in text:
            continue
        if word.glob is not None:
            _glob_meets_rules(case, Use("read", text, word.glob), cwd)
            for hit in (case.eyes.expand(word.glob, cwd) or ())[:200]:
                look_quietly(case, hit, cwd)
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
                look_quietly(case, option, cwd)
