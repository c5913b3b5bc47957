"""Whether a script only reads, in the project: then no rule and no question is needed."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from protea.domain.pattern import regex
from protea.domain.permission.paths import beneath, inside, is_own_output
from protea.domain.permission.programs.options import Use
from protea.domain.permission.programs.reserved import reserved
from protea.domain.permission.programs.study import study
from protea.domain.permission.shell.script import NOWHERE, Command, Script, Word, listed
from protea.domain.permission.shell.unwrap import inner_commands
from protea.domain.permission.steps.case import Case, shown
from protea.domain.permission.steps.piping import fed, odd_names
from protea.domain.permission.steps.touching import names_of, rules_on_paths
from protea.domain.permission.steps.whereabouts import Studied, lanes

SAFE_ASSIGNMENTS = listed(
    """
    NODE_ENV CI LANG LANGUAGE TZ NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS LINES TERM
    PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONUTF8 RUST_BACKTRACE RUST_LOG CARGO_TERM_COLOR GOOS GOARCH
    CGO_ENABLED LOG_LEVEL DEBUG VERBOSE APP_ENV RAILS_ENV RACK_ENV DJANGO_DEBUG FLASK_ENV ENVIRONMENT
    GIT_OPTIONAL_LOCKS GIT_TERMINAL_PROMPT PORT HOST
    """
)
"""Variables that tune a program and cannot make it run or read something else."""
SAFE_VALUE = regex(r"[A-Za-z0-9_.,:=@+*-]*\Z")
_TESTS = {
    *[("pytest",), ("py.test",)],
    *[(python, "-m", tests) for python in ("python", "python3") for tests in ("pytest", "unittest")],
}
"""How Python's tests are run."""
_TAKES_ANYTHING = frozenset({"echo", "true", "false", ":", "basename", "dirname", "pwd"})
"""Commands that no word can make do more than print or compute."""


def only_reads(case: Case, script: Script) -> bool:
    if not inside(case.request.cwd, case.anchors):
        return False
    found = lanes(case, script)
    if isinstance(found, str):
        case.note(found)
        return False
    fit = True
    for index, (command, cwd) in enumerate(found):
        why = reads(case, command, cwd)
        if why is not None and not reads_what_it_is_fed(case, script, index, cwd):
            fit = False
            also = reserved(command)
            reasons = why if also is None or also == why else f"{why}; {also}"
            case.note(f"not known to only read: {reasons}", subject=" ".join(command.argv))
    return fit


def reads_what_it_is_fed(case: Case, script: Script, index: int, cwd: str) -> bool:
    """Whether this is an `xargs` that only reads, and can only be given files of the project."""
    command = fed(script, index)
    if command is None or reads(case, command, cwd) is not None:
        return False
    # What it would read is looked through on the side: a rule may cover it all the same.
    aside = Case(case.request, case.scene)
    rules_on_paths(aside, [Studied(command, study(command.words), cwd, True)])
    return aside.stopped() is None and not odd_names(case, command, cwd)


def reads(case: Case, command: Command, cwd: str) -> str | None:
    """Why this command may do more than read freely, or None."""
    if not command.words:
        return "it only assigns or redirects"
    if command.words[0].text not in _TAKES_ANYTHING and any(not word.known for word in command.words[1:]):
        return "one of its words is known only when it runs, and may become options"
    fault = assignments_fault(case, command)
    if fault:
        return fault
    for redirect in command.redirects:
        if redirect.fed or redirect.target.text == "/dev/null":
            continue
        if redirect.writes:
            if redirect.target.text not in NOWHERE:
                return f"it writes {shown(redirect.target.text)}"
        else:
            fault = free(case, Use("read", redirect.target.text), cwd)
            if fault:
                return fault
    words = opened(case, command.words)
    one = study(words)
    if not one.fit:
        return one.why
    if one.hazard:
        return one.hazard
    for use in one.uses:
        fault = free(case, use, cwd)
        if fault:
            return fault
    return None


def opened(case: Case, words: Sequence[Word]) -> Sequence[Word]:
    """The command inside wrappers that add no power."""
    for _ in range(4):
        inner = inner_commands(words)
        if len(inner) != 1 or not inner[0].transparent or not words[0].known or "/" in words[0].text:
            break
        if study(words).fit:
            break
        words = inner[0].words
    return words


def assignments_fault(case: Case, command: Command) -> str | None:
    for name, value in command.assignments:
        fine = name in SAFE_ASSIGNMENTS or name.startswith("LC_")
        if not fine or not value.known or not SAFE_VALUE.match(value.text):
            return f"it sets {name}"
    return None


def without_own_modules(case: Case, command: Command, cwd: str) -> Command:
    """The command without a `PYTHONPATH` of nothing but folders of the project, where it runs the project's tests.

    What lies there they import anyway, by `conftest.py` or from where they stand. Before any other program it could
    run code that no rule meant: a `sitecustomize.py` is loaded by whatever Python starts.
    """
    tests = command.known and (command.argv[:1] in _TESTS or command.argv[:3] in _TESTS)
    if not tests or not beneath(cwd, case.anchors.root):
        return command

    def own(name: str, value: Word) -> bool:
        folders = value.text.split(":") if name == "PYTHONPATH" and value.known else [""]
        return all(
            folder and all(beneath(path, case.anchors.root) for path in case.eyes.place(folder, cwd).names)
            for folder in folders
        )

    kept = tuple(each for each in command.assignments if not own(*each))
    return command if kept == command.assignments else replace(command, assignments=kept)


def free(case: Case, use: Use, cwd: str) -> str | None:
    """Why one use is not free reading in the project, or None. What `look` finds is noted there already."""
    if use.access == "absent":
        place = case.eyes.place(use.path, cwd)
        return None if place.kind == "missing" else f"{use.path} names a program to run"
    if use.access == "repository":
        return repository(case, cwd, config=True)
    if use.access in ("write", "remove"):
        return "it writes"
    names = names_of(case, use, cwd)
    if names is None:
        return "the glob matches too many files"
    for name in names:
        if use.glob is not None and name.startswith("-"):
            return f"a file is called {shown(name)}, which reads as an option"
        place = case.eyes.place(name, cwd)
        if place.path == "/dev/null":
            continue
        everywhere = place.names
        if not all(inside(one, case.anchors) for one in everywhere):
            rule = case.rules.on_path("allow", "Read", everywhere)
            own = all(is_own_output(one, case.anchors) for one in everywhere)
            if rule is None and not own and case.mode != "yolo":
                return f"{shown(place.path)} is outside the project"
        if use.access != "list" and place.kind in ("device", "fifo", "socket", "loop", "impossible"):
            return f"{shown(place.path)} is a {place.kind}"
    return None


def repository(case: Case, cwd: str, config: bool) -> str | None:
    return case.eyes.repository_fault(cwd, case.anchors.root, config, case.request.trusted)
