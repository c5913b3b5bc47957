"""How the offline model carries its steps out: which tools are called, and what is said of their results. Pure.

A step is a generator: it yields calls that may run together, is sent their results, and returns what to say. Whoever
drives it decides where the results come from, so the same code runs a turn and replays it from a conversation.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace

from protea.adapters.models._wanted import (
    Append,
    Ask,
    Cannot,
    Create,
    Files,
    Help,
    Overview,
    Plan,
    Propose,
    Read,
    Replace,
    Run,
    RunTests,
    Search,
    Send,
    Step,
    Tally,
    Watch,
)
from protea.adapters.models._words import escaped, quoted
from protea.domain.tools import ToolSpec

_SHOWN = 24_000
"""Characters of one result that are repeated in the answer."""
_FILES_EDITED = 20
_LINES_ADDED = 1000


class Call(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any]


class Given(msgspec.Struct, frozen=True):
    """What a call gave."""

    text: str
    is_error: bool = False


class Done(msgspec.Struct, frozen=True):
    text: str
    failed: bool = False
    """Then the steps behind it are left undone."""
    facts: dict[str, Any] = {}
    """What was found, by name, for answers that must have a shape."""


class Past(msgspec.Struct):
    """What the steps before left for those behind."""

    search: Search | None = None
    counts: dict[str, int] | None = None
    """Hits per file of the last search, where they are known."""
    partial: bool = False
    """Whether `counts` leaves files out."""
    where: str = ""
    files: int | None = None


Doing = Generator[tuple[Call, ...], tuple[Given, ...], Done]


class MissingError(Exception):
    """A tool this run does not offer."""


class Tools:
    """The tools a request offers: nothing else is ever called."""

    def __init__(self, specs: Sequence[ToolSpec]) -> None:
        self._parameters: dict[str, Mapping[str, Any]] = {}
        for spec in specs:
            properties = spec.parameters.get("properties")
            self._parameters[spec.name] = properties if isinstance(properties, dict) else {}

    def knows(self, name: str, *parameters: str) -> bool:
        return name in self._parameters and all(each in self._parameters[name] for each in parameters)

    def schema(self, name: str, parameter: str) -> Any:
        return self._parameters.get(name, {}).get(parameter)

    def call(self, name: str, needed: dict[str, Any], /, **wished: Any) -> Call:
        """A call with what it needs, and what else is wished where the tool takes it and it is not None."""
        if not self.knows(name, *needed):
            raise MissingError(name)
        known = self._parameters[name]
        return Call(name, needed | {key: value for key, value in wished.items() if value is not None and key in known})


def carry_out(step: Step, tools: Tools, past: Past, following: Step | None) -> Doing:
    """Do one step. `following` is the next one, for what can be asked for together."""
    try:
        return (yield from _carry_out(step, tools, past, following))
    except MissingError as missing:
        return not_there(missing)


def not_there(missing: MissingError) -> Done:
    return Done(f"This run offers no tool `{missing}` that takes what is needed, so that cannot be done.", failed=True)


def _carry_out(step: Step, tools: Tools, past: Past, following: Step | None) -> Doing:
    match step:
        case Read():
            return (yield from _read(step, tools))
        case Files():
            return (yield from _files(step, tools, past))
        case Search():
            return (yield from _search(step, tools, past, tally=isinstance(following, Tally)))
        case Tally():
            return (yield from _tally(step, tools, past))
        case Run(command):
            return (yield from _run(command, tools))
        case RunTests(where):
            return (yield from _tests(where, tools))
        case Replace():
            return (yield from _replace(step, tools))
        case Create():
            return (yield from _create(step, tools))
        case Append():
            return (yield from _append(step, tools))
        case Plan(items):
            return (yield from _plan(items, tools))
        case Ask():
            return (yield from _ask(step, tools))
        case Overview():
            return (yield from _overview(tools))
        case Help():
            return Done(HELP)
        case Cannot():
            return Done(_UNDO, failed=True)
        case Watch() | Send() | Propose():
            raise AssertionError("these are carried out by `_beside`")


# -- words


HELP = """\
I am Protea's offline model: a small command grammar, not a language model. I work on the real files with the real \
tools, and nothing leaves this machine. What I understand, for example:

- `read README.md`, `show lines 10-40 of src/app.py`, `last 20 lines of build.log`
- `list files in src`, `find files *.py`, `how many python files are there`
- `find every TODO in src, then tell me which file has the most`, `how many "import os" in *.py files`
- `run the tests`, ``run `git log --oneline -5` ``, ``run `sleep 60` in the background``
- `send an agent to find every TODO in src`, ``watch `make serve` for ERROR``
- `replace old_name with new_name in src/app.py`, `replace every "1.0" with "1.1" in docs`
- `create notes.txt with "first line"`, `append "one more" to notes.txt`, `delete notes.txt`
- `plan: read the code, change it, run the tests`, `ask me "Which one?" "this" "that"`
- ``propose: create notes.txt with "one"; run `ls` ``, in plan mode: agree to it and it is done

Steps are joined by `then`, `;`, commas, new lines or a numbered list. To talk to a language model, """
REAL_MODEL = (
    "set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY, or start an Ollama server; "
    "`protea models` lists what there is, and `-m PROVIDER/MODEL` chooses."
)
HELP += REAL_MODEL

_UNDO = (
    "I cannot undo: the offline grammar keeps nothing of how files were. In a git repository, `run git diff` shows "
    "what changed and ``run `git checkout -- FILE` `` brings a file back as it was committed."
)


def unclear(parts: Sequence[str]) -> str:
    """What is said where a prompt makes no sense here."""
    said = ", ".join(f"“{part}”" for part in parts if part.strip()) or "an empty prompt"
    return (
        f"I could not make sense of {said}, so nothing was done. I am Protea's offline model, a small command grammar "
        "and no language model: I understand things like `read README.md`, `find every TODO in src, then tell me which "
        'file has the most`, `run the tests`, `replace A with B in FILE` or `create FILE with "text"`, and `help` '
        f"shows the rest. For anything else, {REAL_MODEL}"
    )


def block(text: str) -> str:
    """`text` as a fenced block, cut where it is long."""
    text = text.rstrip("\n")
    if len(text) > _SHOWN:
        end = text.rfind("\n", 0, _SHOWN)
        kept = text[: end if end > 0 else _SHOWN]
        text = f"{kept}\n… {text.count(chr(10), len(kept)) or 1} more lines"
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _first_line(text: str) -> str:
    line = next((line for line in text.split("\n") if line.strip()), "no reason was given")
    return line if len(line) <= 400 else line[:400] + " …"


def _trouble(what: str, given: Given) -> Done:
    # What a model is told to do about it is not for the person who reads this.
    why = _first_line(given.text).replace(" Do not try it again in another way.", "")
    return Done(f"{what}: {why}", failed=True)


def _is_missing(given: Given) -> bool:
    """Whether an error says that there is no such file or folder, rather than that it may not be looked at."""
    if not given.is_error or re.match(r"not allowed|nobody was there|the person refused", given.text, re.IGNORECASE):
        return False
    words = r"no such|not exist|doesn't exist|not found|there is no|no file|no directory"
    return re.search(words, given.text[:2000], re.IGNORECASE) is not None


def one(given: tuple[Given, ...]) -> Given:
    return given[0] if given else Given("the tool gave no answer", True)


# -- reading and listing


def _read(step: Read, tools: Tools) -> Doing:
    offset: int | None = None
    limit: int | None = None
    if step.tail is not None:
        offset, limit = -step.tail, step.tail
    elif step.first > 1 or step.last is not None:
        offset = step.first
        limit = None if step.last is None else step.last - step.first + 1
    given = yield tuple(
        tools.call("WebFetch", {"url": path})
        if path.startswith(("https://", "http://"))
        else tools.call("Read", {"path": path}, offset=offset, limit=limit)
        for path in step.paths
    )
    texts = []
    failed = False
    for path, each in zip(step.paths, given, strict=False):
        if each.is_error:
            failed = True
            texts.append(f"{path} could not be read: {_first_line(each.text)}")
        else:
            texts.append((f"{path}:\n" if len(step.paths) > 1 else "") + block(each.text))
    return Done("\n\n".join(texts), failed, {"file": step.paths[0], "files": list(step.paths)})


def _files(step: Files, tools: Tools, past: Past) -> Doing:
    where = step.folder or "this project"
    if step.pattern == "*" and tools.knows("Read", "path"):
        given = one((yield (tools.call("Read", {"path": step.folder or "."}),)))
        return _trouble(f"{where} could not be listed", given) if given.is_error else Done(block(given.text))
    given = one((yield (tools.call("Glob", {"pattern": step.pattern}, path=step.folder),)))
    if given.is_error:
        return _trouble(f"{where} could not be listed", given)
    names = [] if _says_nothing(given.text) else _rows(given.text)
    total = max(len(names), _told_total(given.text))
    past.files = total
    facts = {"count": total, "total": total, "files": names, "file": names[0] if names else None}
    if not total:
        return Done(f"There are no {step.what} in {where}.", facts=facts)
    be = "is" if total == 1 else "are"
    what = step.what.replace("files", "file", 1) if total == 1 else step.what
    head = f"There {be} {total:,} {what} in {where}"
    return Done(head + ("." if step.how == "count" else ":\n" + block(given.text)), facts=facts)


_NOTE = re.compile(r"\[.*\]")


def _rows(text: str) -> list[str]:
    """The lines of a result without the tool's own remarks."""
    return [line for line in text.split("\n") if line.strip() and not _NOTE.fullmatch(line)]


def _told_total(text: str) -> int:
    """How many there are in all, where a result was cut: `[the first 100 of 2,345 files; …]`."""
    found = re.search(r"\[the first [\d,]{1,15} of ([\d,]{1,15}) (?:files|lines)", text[-400:])
    digits = found.group(1).replace(",", "") if found else ""
    return int(digits) if digits.isdigit() else 0


def _says_nothing(text: str) -> bool:
    return not text.strip() or re.match(r"(nothing|no )", text, re.IGNORECASE) is not None


# -- searching


def _search(step: Search, tools: Tools, past: Past, *, tally: bool) -> Doing:
    calls = [_grep(step, tools)]
    counted = tally and step.how in ("lines", "files") and tools.knows("Grep", "output")
    if counted:
        calls.append(_grep(replace(step, how="count"), tools))
    given = yield tuple(calls)
    head = ""
    if _is_missing(one(given)) and step.folder is not None:
        head, step, given = yield from _search_all(step, calls, tools, one(given))
    answer = one(given)
    if answer.is_error:
        return _trouble("The search failed", answer)
    past.search, past.where = step, _where(step)
    counts = _counts(answer, step)
    if counted and len(given) > 1 and not given[1].is_error:
        exact = _counts(given[1], replace(step, how="count"))
        counts, answer_counts = exact if exact is not None else counts, given[1]
    else:
        answer_counts = answer
    past.counts, past.partial = counts, bool(_told_total(answer_counts.text))
    if counts is None:
        return Done(head + f"Grep answered in a way I cannot read:\n{block(answer.text)}", failed=True)
    return Done(head + _told(step, answer.text, counts, past), facts=_facts(counts))


def _grep(step: Search, tools: Tools) -> Call:
    output: str | None = {"lines": "content", "files": "files"}.get(step.how, "count")
    choices = tools.schema("Grep", "output")
    if isinstance(choices, dict) and isinstance(choices.get("enum"), list) and output not in choices["enum"]:
        output = None
    limit = None if step.how == "lines" else 10_000
    return tools.call("Grep", {"pattern": step.pattern}, path=step.folder, glob=step.glob, output=output, limit=limit)


def _search_all(
    step: Search, calls: list[Call], tools: Tools, missing: Given
) -> Generator[tuple[Call, ...], tuple[Given, ...], tuple[str, Search, tuple[Given, ...]]]:
    """There is no such folder: say what there is instead, and search the whole project."""
    everywhere = replace(step, folder=None)
    again = [_grep(everywhere, tools)]
    if len(calls) > 1:
        again.append(_grep(replace(everywhere, how="count"), tools))
    looked = tools.knows("Read", "path")
    if looked:
        again.append(tools.call("Read", {"path": "."}))
    given = yield tuple(again)
    found = ""
    if looked and given and not given[-1].is_error:
        names = [line for line in given[-1].text.split("\n")[1:] if line.endswith("/")][:12]
        found = f" (the folders here are {_and(names)})" if names else " (there are no folders here)"
    if looked:
        given = given[:-1]
    head = f"There is no {step.folder} in this project{found}, so I searched all of it.\n\n"
    return head, everywhere, given


def _where(step: Search) -> str:
    where = f"in {step.folder}" if step.folder else "in this project"
    return f"{where}, among {step.glob} files" if step.glob else where


def _counts(given: Given, step: Search) -> dict[str, int] | None:
    """Hits per file; None where lines came and none of them can be read."""
    if _says_nothing(given.text):
        return {}
    rows = _rows(given.text)
    counts: dict[str, int] = {}
    counting = step.how not in ("lines", "files")
    for row in rows:
        if counting and (found := re.fullmatch(r"(.+):(\d{1,12})", row)) is not None:
            counts[found.group(1)] = counts.get(found.group(1), 0) + int(found.group(2))
        elif step.how == "files":
            counts[row] = 1
        elif (found := re.match(r"(.+?):(\d{1,9}):", row)) is not None:
            counts[found.group(1)] = counts.get(found.group(1), 0) + 1
    return counts or None


def _told(step: Search, text: str, counts: dict[str, int], past: Past) -> str:
    what = _what(step)
    if not counts:
        return f"There is no {what} {_where(step)}." + (_case(step) if step.unit == "line" else "")
    total = max(sum(counts.values()), _told_total(text) if step.how == "lines" else 0)
    files = _count(len(counts), "file")
    match step.how:
        case "lines":
            return f"{_count(total, what, _whats(step))} in {files} {_where(step)}:\n{block(text)}"
        case "files":
            rows = block("\n".join(counts))
            return f"{files} with {code(step.shown)} {_where(step)}:\n{rows}"
        case "count":
            return f"{_count(total, what, _whats(step))} in {files} {_where(step)}.{_left_out(past)}"
        case how:
            return _ranking(Tally(how, step.top), step, counts, past)


def _case(step: Search) -> str:
    return "" if step.pattern.startswith("(?i)") else " (Capital and small letters were told apart.)"


def _what(step: Search) -> str:
    return "line" if step.unit != "line" else f"line with {code(step.shown)}"


def _whats(step: Search) -> str:
    return "lines" if step.unit != "line" else f"lines with {code(step.shown)}"


def _left_out(past: Past) -> str:
    return " The search was cut short, so there are more files than were counted." if past.partial else ""


def _facts(counts: dict[str, int]) -> dict[str, Any]:
    ordered = _ordered(counts)
    facts: dict[str, Any] = {"total": sum(counts.values()), "files": [name for name, _ in ordered], "file": None}
    facts["count"] = facts["total"]
    if ordered:
        facts["file"], facts["most"] = ordered[0]
    return facts


def _ordered(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _tally(step: Tally, tools: Tools, past: Past) -> Doing:
    search = past.search
    if search is None:
        if past.files is not None and step.how == "count":
            return Done(f"That makes {_count(past.files, 'file')}.", facts={"count": past.files, "total": past.files})
        return Done('Tell me what to count, for example `which file has the most "TODO" in src`.', failed=True)
    counts = past.counts
    if counts is None or search.how == "files":
        wanted = replace(search, how="count")
        answer = one((yield (_grep(wanted, tools),)))
        if answer.is_error:
            return _trouble("The count failed", answer)
        counts, past.partial = _counts(answer, wanted), bool(_told_total(answer.text))
        past.where = _where(search)
        if counts is None:
            return Done(f"Grep answered in a way I cannot read:\n{block(answer.text)}", failed=True)
        past.counts = counts
    if step.how == "count":
        total = sum(counts.values())
        text = f"{_count(total, _what(search), _whats(search))} in {_count(len(counts), 'file')} {_where(search)}."
        return Done(text + _left_out(past), facts=_facts(counts))
    facts = _facts(counts)
    if step.how == "fewest" and counts:
        facts["file"], facts["most"] = _ordered(counts)[-1]
    if counts:
        facts["count"] = facts["most"]
    return Done(_ranking(step, search, counts, past), facts=facts)


def _ranking(step: Tally, search: Search, counts: dict[str, int], past: Past) -> str:
    """Who has the most (or fewest), with ties named, and the figures behind it."""
    what = _whats(search)
    if not counts:
        return f"No file has any: there is no {_what(search)} {_where(search)}."
    ordered = _ordered(counts)
    if step.how == "fewest":
        ordered.reverse()
    total = sum(counts.values())
    best = ordered[0][1]
    first = sorted(name for name, number in ordered if number == best)
    most = "most" if step.how != "fewest" else "fewest"
    if step.how == "rank":
        text = f"{_count(total, _what(search), what)} in {_count(len(counts), 'file')} {_where(search)}, by file:"
    elif len(counts) == 1:
        text = f"{first[0]} is the only file with any: {_count(best, _what(search), what)} {_where(search)}."
    elif len(first) == 1:
        text = f"{first[0]} has the {most}: {best:,} of the {total:,} {what} {_where(search)}."
    else:
        named = _and(first) if len(first) <= 8 else ", ".join(first[:8]) + f" and {len(first) - 8} more"
        shared = f"{best:,} each of the {total:,} {what} {_where(search)}"
        text = f"{_count(len(first), 'file')} share the {most}, with {shared}: {named}."
    text += _left_out(past)
    shown = ordered[: step.top or 15]
    if len(counts) > 1 or step.how == "rank":
        width = max(len(f"{number:,}") for _, number in shown)
        rows = [f"{number:>{width},}  {name}" for name, number in shown]
        if len(shown) < len(ordered):
            rows.append(f"{'…':>{width}}  {len(ordered) - len(shown)} more files")
        text += "\n" + block("\n".join(rows))
    return text


# -- running


def _run(command: str, tools: Tools) -> Doing:
    given = one((yield (tools.call("Bash", {"command": command}),)))
    head = f"{code(command) if len(command) < 200 and chr(10) not in command else 'The command'}"
    facts = {"ok": not given.is_error, "success": not given.is_error, "command": command, "output": given.text}
    return Done(f"{head} {'failed' if given.is_error else 'gave'}:\n{block(given.text)}", given.is_error, facts)


_PYTHON = ("pyproject.toml", "pytest.ini", "setup.py", "setup.cfg", "tox.ini", "conftest.py", "tests/", "test/")


def _tests(where: str | None, tools: Tools) -> Doing:
    looks = (
        [tools.call("Read", {"path": "."})] if tools.knows("Read", "path") else [tools.call("Glob", {"pattern": "*"})]
    )
    if tools.knows("Glob", "pattern") and where is None:
        looks.append(tools.call("Glob", {"pattern": "scripts/test"}))
    given = yield tuple(looks)
    if one(given).is_error:
        return _trouble("I could not look which tests there are", one(given))
    names = {line.strip() for line in one(given).text.split("\n")}
    script = len(given) > 1 and not given[1].is_error and "scripts/test" in given[1].text.split("\n")
    command = _test_command(names, where, script=script)
    if command is None:
        return Done(
            "I found no tests I know how to run here (scripts/test, pytest, npm, cargo, go or make). "
            "Say the command itself: ``run `…` ``.",
            failed=True,
        )
    told = yield from _run(command, tools)
    if told.failed and "pytest" in command and "No module named pytest" in told.text:
        folder = where or next((name for name in ("tests", "test") if name + "/" in names), ".")
        return (yield from _run(f"python3 -m unittest discover -s {quoted(folder)}", tools))
    return told


def _test_command(names: set[str], where: str | None, *, script: bool) -> str | None:
    if script:
        return "scripts/test"
    if names & set(_PYTHON) or any(re.fullmatch(r"test_\w+\.py|\w+_test\.py", name) for name in names):
        python = ".venv/bin/python" if ".venv/" in names else "python3"
        return f"{python} -m pytest -q" + (f" {quoted(where)}" if where else "")
    rows = (
        ("package.json", "npm test"),
        ("Cargo.toml", "cargo test"),
        ("go.mod", "go test ./..."),
        ("Makefile", "make test"),
    )
    return next((command for name, command in rows if name in names), None)


# -- writing


def _replace(step: Replace, tools: Tools) -> Doing:
    where = step.where or "this project"
    shown = code(step.old if len(step.old) < 80 else step.old[:80] + "…")
    if "\n" in step.old:
        if step.where is None:
            return Done("Name the file in which several lines are to be replaced.", failed=True)
        files = [step.where]
    else:
        looked = Search(escaped(step.old), step.old, step.where, how="files" if step.every else "lines")
        given = one((yield (_grep(looked, tools),)))
        if given.is_error:
            return _trouble(f"I could not look for {shown}", given)
        counts = _counts(given, looked)
        if counts is None:
            return Done(
                f"Grep answered in a way I cannot read, so nothing was changed:\n{block(given.text)}", failed=True
            )
        if not counts:
            return Done(f"{where} does not hold {shown}, so nothing was changed.", failed=True)
        if not step.every and sum(counts.values()) > 1:
            return Done(
                f"{shown} stands in {_count(sum(counts.values()), 'line')} of {where}, so nothing was changed; "
                f"say `replace every …` for all of them, or name more of the line:\n{block(given.text)}",
                failed=True,
            )
        if len(counts) > _FILES_EDITED or _told_total(given.text):
            return Done(
                f"{shown} stands in {len(counts):,} files of {where}; I change at most {_FILES_EDITED} at once, so "
                "nothing was changed. Name a folder or file.",
                failed=True,
            )
        files = list(counts)
    arguments = {"old_string": step.old, "new_string": step.new}
    every = True if step.every else None
    edits = tuple(tools.call("Edit", {"path": path} | arguments, replace_all=every) for path in files)
    done = yield edits
    wrong = [f"{path}: {_first_line(each.text)}" for path, each in zip(files, done, strict=False) if each.is_error]
    right = [each.text.rstrip() for each in done if not each.is_error]
    facts = {"files": files, "file": files[0], "count": len(right), "ok": not wrong}
    told = (
        [f"Replaced {shown} by {code(step.new)}:\n" + "\n".join(f"- {_first_line(text)}" for text in right)]
        if right
        else []
    )
    if wrong or not done:
        told.append("Not changed:\n" + "\n".join(f"- {text}" for text in wrong or ["the tool gave no answer"]))
    return Done("\n\n".join(told), bool(wrong) or not done, facts)


def _create(step: Create, tools: Tools) -> Doing:
    call = tools.call("Write", {"path": step.path, "content": step.content})
    if not step.over and tools.knows("Read", "path"):
        there = one((yield (tools.call("Read", {"path": step.path}, limit=1),)))
        if not there.is_error:
            instead = f"Say `overwrite {step.path} with …` to replace it."
            return Done(f"{step.path} is there already, so nothing was written. {instead}", failed=True)
        if not _is_missing(there):
            return _trouble(f"I could not see whether {step.path} is there already, so nothing was written", there)
    given = one((yield (call,)))
    if given.is_error:
        return _trouble(f"{step.path} was not written", given)
    return Done(given.text.strip() or f"Wrote {step.path}.", facts={"file": step.path, "ok": True})


def _append(step: Append, tools: Tools) -> Doing:
    """By the shell, which adds to a file without anyone having to know the rest of it."""
    lines = step.content.split("\n")[:-1] if step.content.endswith("\n") else step.content.split("\n")
    if len(lines) > _LINES_ADDED or len(step.content) > 60_000:
        return Done("That is more than I can append at once; create a file of its own.", failed=True)
    path = quoted(step.path if not step.path.startswith("-") else f"./{step.path}")
    ending = one((yield (tools.call("Bash", {"command": f"tail -c 1 {path} | wc -lc"}),)))
    if ending.is_error:
        return _trouble(f"I could not look at {step.path}, so nothing was appended", ending)
    found = re.search(r"(\d+)\s+(\d+)\s*$", ending.text)
    joined = found is not None and found.group(1) == "0" and found.group(2) != "0"  # its last line has no end
    words = " ".join(quoted(line) if line else "''" for line in ([""] if joined else []) + lines)
    given = one((yield (tools.call("Bash", {"command": f"printf '%s\\n' {words} >> {path}"}),)))
    if given.is_error:
        return _trouble(f"Nothing was appended to {step.path}", given)
    return Done(f"Appended {_count(len(lines), 'line')} to {step.path}.", facts={"file": step.path, "ok": True})


# -- talking


def _plan(items: tuple[str, ...], tools: Tools) -> Doing:
    schema = tools.schema("TodoWrite", "items")
    inner = schema.get("items") if isinstance(schema, dict) else None
    fields = inner.get("properties") if isinstance(inner, dict) else None
    kept: list[Any] = list(items)
    if isinstance(fields, dict):
        name = next((name for name in ("text", "content", "task", "title") if name in fields), None)
        if name is None:
            _not_offered("TodoWrite")
        kept = [{name: item} | ({"status": "pending"} if "status" in fields else {}) for item in items]
    given = one((yield (tools.call("TodoWrite", {"items": kept}),)))
    if given.is_error:
        return _trouble("The plan could not be kept", given)
    rows = "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1))
    note = "\n\nThese are your own words: the offline grammar splits a plan into steps and cannot think one up."
    return Done(rows + note, facts={"items": list(items), "count": len(items)})


def _not_offered(name: str) -> NoReturn:
    raise MissingError(name)


def _ask(step: Ask, tools: Tools) -> Doing:
    options = list(step.options) or None
    given = one((yield (tools.call("AskUser", {"question": step.question}, options=options),)))
    if given.is_error:
        return _trouble("The question was not answered", given)
    return Done(given.text.strip() or "There was no answer.")


def _overview(tools: Tools) -> Doing:
    looks = [tools.call("Read", {"path": "."})]
    if tools.knows("Glob", "pattern"):
        looks.append(tools.call("Glob", {"pattern": "[Rr][Ee][Aa][Dd][Mm][Ee]*"}))
    given = yield tuple(looks)
    if one(given).is_error:
        return _trouble("I could not look at this project", one(given))
    text = f"I cannot sum a project up, but here is what it holds:\n{block(one(given).text)}"
    names = (
        _rows(given[1].text) if len(given) > 1 and not given[1].is_error and not _says_nothing(given[1].text) else []
    )
    if names:
        told = one((yield (tools.call("Read", {"path": names[0]}, limit=30),)))
        if not told.is_error:
            text += f"\n\nand how {names[0]} begins:\n{block(told.text)}"
    return Done(text, facts={"files": names})
