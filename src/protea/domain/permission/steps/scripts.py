"""Scripts of the shell: the steps from the text to the answer, in order."""

from __future__ import annotations

from protea.domain.permission import Decision
from protea.domain.permission.programs.reach import ANYTHING, Reach
from protea.domain.permission.shell.script import Script
from protea.domain.permission.steps.allowing import by_rule
from protea.domain.permission.steps.case import Case
from protea.domain.permission.steps.harmless import only_reads
from protea.domain.permission.steps.matching import rules_on_commands, rules_on_long_script
from protea.domain.permission.steps.reading import LONGEST_TREE, MOST_COMMANDS, Reading, everything, read
from protea.domain.permission.steps.touching import rules_on_paths
from protea.domain.permission.steps.whereabouts import Studied, studied
from protea.domain.permission.steps.yolo import left_to_a_person


def decide_script(case: Case, text: object) -> Decision:
    if not isinstance(text, str) or not text.strip():
        rules_on_commands(case, (), "")
        case.effect_rules(ANYTHING)
        return case.denied() or case.answer("ask", "there is no command")
    if len(text) > LONGEST_TREE:
        return _decide_unread(case, text)
    reading = read(case, text)
    rules_on_commands(case, reading.every, text)
    studies = _studied(case, reading)
    reach = Reach((each.command, each.study) for each in studies)
    case.effects = reach.surely if reading.understood else ANYTHING
    case.effect_rules(reach.maybe if reading.understood else reach.maybe | ANYTHING)
    rules_on_paths(case, studies)
    denied = case.denied()
    if denied:
        return denied
    if len(reading.every) > MOST_COMMANDS:
        case.find("ask", "it is too long to be looked through", protection=True)
    fit = isinstance(reading.strict, Script) and reading.agree and only_reads(case, reading.strict)
    if case.mode == "plan" and not fit and not case.request.discards:
        return case.answer("deny", "plan mode: only commands that read are possible, and this is not known to be one")
    stopped = case.stopped()
    if stopped:
        return stopped
    if fit:
        return case.answer("allow", "it only reads, in the project", harmless=True)
    if case.mode == "yolo":
        return _decide_in_yolo_mode(case, reading, studies, reach, text)
    return by_rule(case, reading, reach)


def hold_code_against_rules(case: Case, arguments: dict[str, object]) -> None:
    """Scripts that are handed to a tool that runs code are held against what is said of commands, too."""
    given = arguments.get("files")
    beside = given.values() if isinstance(given, dict) else ()
    for text in (arguments.get("code"), arguments.get("stdin"), *beside):
        if arguments.get("language") != "shell" or not isinstance(text, str) or not text.strip():
            continue
        if len(text) > LONGEST_TREE:
            rules_on_long_script(case, text)
            continue
        reading = read(case, text)
        rules_on_commands(case, reading.every, text)
        rules_on_paths(case, _studied(case, reading))


def _studied(case: Case, reading: Reading) -> list[Studied]:
    return studied(case, reading.every, certain=isinstance(reading.strict, Script))


def _decide_unread(case: Case, text: str) -> Decision:
    rules_on_long_script(case, text)
    if case.mode == "plan":
        return case.denied() or case.answer("deny", "plan mode: only commands that read are possible")
    return case.denied() or case.answer("ask", f"it is longer than {LONGEST_TREE} characters and is not read")


def _decide_in_yolo_mode(case: Case, reading: Reading, studies: list[Studied], reach: Reach, text: str) -> Decision:
    if not isinstance(reading.strict, Script):  # what was cut roughly is no command that would run
        studies = studied(case, everything(case, reading.loose.commands), certain=False)
    reason = left_to_a_person(case, reading, studies, text)
    if reason is None:
        return case.answer("allow", "yolo mode: nothing in it is reserved for a person")
    case.note(f"yolo: {reason}")
    left = by_rule(case, reading, reach)
    return left if left.verdict == "allow" else case.answer("ask", reason)
