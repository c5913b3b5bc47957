"""`find src -name '*.py' | xargs wc -l`: operands that come through a pipe, where what can come is plain.

Such a consumer is looked at as if find itself ran it (`find src -exec wc -l {} +`): it reads what lies below the
folders that are listed. Without `-print0` and `-0`, a name with a blank or a quote in it would be several, so there may
be none.
"""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.permission.programs.study import study
from protea.domain.permission.shell.script import NOWHERE, Command, Script, Word, listed
from protea.domain.permission.steps.case import Case

_FIND_ONLY_NAMES = listed("-print")
_NAMING = {
    "rg": listed("-l --files-with-matches --files --files-without-match"),
    "grep": listed("-l -rl -lr -L -rL --files-with-matches --files-without-match -rln -rlni -rli -ril -Rl -lR"),
}
"""Options by which these print the names of files and nothing else."""
_ODD = set(" \t\n\r\v\f'\"\\")


def fed(script: Script, index: int) -> Command | None:
    """The command that `xargs` at `index` amounts to, as one of find; None where that is not plain."""
    consumer = script.commands[index]
    if not index or consumer.joint != "|" or not _bare(consumer) or consumer.argv[0] != "xargs":
        return None
    inner, null = _inner(consumer.words)
    before = index - 1
    while before and _keeps_lines(script.commands[before]) and script.commands[before].joint == "|":
        before -= 1
    producer = script.commands[before]
    if inner is None or not _bare(producer):
        return None
    start = _started(producer, null)
    if start is None:
        return None
    return Command((Word("find"), *start, Word("-exec"), *inner, Word("+")))


def odd_names(case: Case, command: Command, cwd: str) -> bool:
    """Whether a file that may come has a name that xargs would not take as one operand. `command` is one of `fed`."""
    if any(word.text == "-print0" for word in command.words):
        return False
    for word in command.words[1:]:
        if word.text.startswith("-"):
            break
        place = case.eyes.place(word.text, cwd)
        top = len(place.real)

        def odd(path: str, top: int = top) -> bool:
            return bool(_ODD.intersection(path[top:])) or "/-" in path[top : top + 2]

        walked = case.eyes.walk(place.real, True, odd)
        if not walked.complete or any(odd(path) for path in walked.found) or _ODD.intersection(word.text):
            return True
    return False


def _bare(command: Command) -> bool:
    return (
        bool(command.words)
        and command.known
        and not command.assignments
        and all(redirect.target.text in NOWHERE for redirect in command.redirects)
    )


def _inner(words: Sequence[Word]) -> tuple[tuple[Word, ...] | None, bool]:
    """What xargs runs, with `{}` for its operands, and whether it takes names that end in NUL."""
    index, null, mark = 1, False, ""
    while index < len(words) and words[index].text.startswith("-"):
        text = words[index].text
        index += 1
        if text in ("-0", "--null", "-0r", "-r0"):
            null = True
        elif text in ("-n", "-P", "-L"):
            index += 1
        elif text == "-I" and index < len(words):
            mark = words[index].text
            index += 1
        elif text.startswith("-I"):
            mark = text[2:]
        elif text not in ("-r", "--no-run-if-empty") and not (text[:2] in ("-n", "-P", "-L") and text[2:].isdigit()):
            return None, null
    inner = tuple(words[index:])
    if not inner or any(word.glob is not None or word.text in (";", "+") for word in inner):
        return None, null
    if mark:
        inner = tuple(Word("{}") if word.text == mark else word for word in inner)
        return (inner if any(word.text == "{}" for word in inner) else None), null
    return (None if any("{}" in word.text for word in inner) else (*inner, Word("{}"))), null


def _started(producer: Command, null: bool) -> tuple[Word, ...] | None:
    """find's words before the `-exec`: where the files lie that are listed."""
    name, one = producer.argv[0], study(producer.words)
    if not one.fit or one.hazard:
        return None
    if name == "find":
        texts = producer.argv
        if any(text in ("-printf", "-ls", "-exec") for text in texts) or null != ("-print0" in texts):
            return None
        return tuple(word for word in producer.words[1:] if word.text not in _FIND_ONLY_NAMES)
    if null:
        return None
    if producer.argv[:2] == ("git", "ls-files"):
        rest = producer.argv[2:]
        if any(text.startswith("-") for text in rest):
            return None
        one_kind = len(rest) == 1 and "/" not in rest[0] and not rest[0].startswith(":")
        return (Word("."), *((Word("-name"), Word(rest[0])) if one_kind and "*" in rest[0] else ()))
    if not _NAMING.get(name, frozenset()).intersection(producer.argv[1:]) or "--json" in producer.argv:
        return None
    folders = [use for use in one.uses if use.access in ("tree", "read", "list")]
    if not folders or any(use.glob is not None or use.path.startswith("-") for use in folders):
        return None
    return tuple(Word(use.path) for use in folders)


def _keeps_lines(command: Command) -> bool:
    """`head -5`, `sort`, `grep -v test`: lines come out as they went in."""
    if not _bare(command):
        return False
    name, rest = command.argv[0], command.argv[1:]
    if name in ("head", "tail"):
        return all(text.startswith("-") and text.lstrip("-n").isdigit() for text in rest) or (
            len(rest) == 2 and rest[0] == "-n" and rest[1].isdigit()
        )
    if name in ("sort", "uniq"):
        return all(text in ("-u", "-r") for text in rest)
    return (
        name == "grep"
        and sum(not text.startswith("-") for text in rest) == 1
        and all(text in ("-v", "-E", "-i", "-vE", "-F", "-w") for text in rest if text.startswith("-"))
    )
