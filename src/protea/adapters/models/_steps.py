"""How the offline model carries its steps out: which tools are called, and what is said of their results. Pure; steps
that look for something stand in `_finding`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from protea.adapters.models._carrying import (
    Doing,
    Done,
    MissingError,
    Past,
    Tools,
    block,
    code,
    counted,
    is_missing,
    lines_of,
    not_there,
    one,
    says_nothing,
    trouble,
)
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
from protea.adapters.models._words import quoted

_LINES_ADDED = 1000


def carry_out(step: Step, tools: Tools, past: Past, following: Step | None) -> Doing:
    """Do one step. `following` is the next one, for what can be asked for together."""
    try:
        return (yield from _carry_out(step, tools, past, following))
    except MissingError as missing:
        return not_there(missing)


def _carry_out(step: Step, tools: Tools, past: Past, following: Step | None) -> Doing:
    match step:
        case Read() | Files() | Search() | Tally() | Replace():
            from protea.adapters.models._finding import find  # who greets looks for nothing

            return (yield from find(step, tools, past, following))
        case Run(command):
            return (yield from _run(command, tools))
        case RunTests(where):
            return (yield from _tests(where, tools))
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


# -- what it says of itself


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


_NO_CONTENT = re.compile(r"\s*(?:create|write|overwrite|append)\s.*\bwith:?\s*", re.IGNORECASE)


def unclear(parts: Sequence[str]) -> str:
    """What is said where a prompt makes no sense here."""
    if unfinished := next((part for part in parts if _NO_CONTENT.fullmatch(part)), ""):
        return (
            f"“{unfinished}” does not say what is to stand there, so nothing was done. Write the text in quotes behind "
            "`with`, or in a block between ``` on the lines below it."
        )
    said = ", ".join(f"“{part}”" for part in parts if part.strip()) or "an empty prompt"
    return (
        f"I could not make sense of {said}, so nothing was done. I am Protea's offline model, a small command grammar "
        "and no language model: I understand things like `read README.md`, `find every TODO in src, then tell me which "
        'file has the most`, `run the tests`, `replace A with B in FILE` or `create FILE with "text"`, and `help` '
        f"shows the rest. For anything else, {REAL_MODEL}"
    )


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
        return trouble("I could not look which tests there are", one(given))
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


def _create(step: Create, tools: Tools) -> Doing:
    call = tools.call("Write", {"path": step.path, "content": step.content})
    if not step.over and tools.knows("Read", "path"):
        there = one((yield (tools.call("Read", {"path": step.path}, limit=1),)))
        if not there.is_error:
            instead = f"Say `overwrite {step.path} with …` to replace it."
            return Done(f"{step.path} is there already, so nothing was written. {instead}", failed=True)
        if not is_missing(there):
            return trouble(f"I could not see whether {step.path} is there already, so nothing was written", there)
    given = one((yield (call,)))
    if given.is_error:
        return trouble(f"{step.path} was not written", given)
    return Done(given.text.strip() or f"Wrote {step.path}.", facts={"file": step.path, "ok": True})


def _append(step: Append, tools: Tools) -> Doing:
    """By the shell, which adds to a file without anyone having to know the rest of it."""
    lines = step.content.split("\n")[:-1] if step.content.endswith("\n") else step.content.split("\n")
    if len(lines) > _LINES_ADDED or len(step.content) > 60_000:
        return Done("That is more than I can append at once; create a file of its own.", failed=True)
    path = quoted(step.path if not step.path.startswith("-") else f"./{step.path}")
    ending = one((yield (tools.call("Bash", {"command": f"tail -c 1 {path} | wc -lc"}),)))
    if ending.is_error:
        return trouble(f"I could not look at {step.path}, so nothing was appended", ending)
    found = re.search(r"(\d+)\s+(\d+)\s*$", ending.text)
    joined = found is not None and found.group(1) == "0" and found.group(2) != "0"  # its last line has no end
    words = " ".join(quoted(line) if line else "''" for line in ([""] if joined else []) + lines)
    given = one((yield (tools.call("Bash", {"command": f"printf '%s\\n' {words} >> {path}"}),)))
    if given.is_error:
        return trouble(f"Nothing was appended to {step.path}", given)
    return Done(f"Appended {counted(len(lines), 'line')} to {step.path}.", facts={"file": step.path, "ok": True})


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
        return trouble("The plan could not be kept", given)
    rows = "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1))
    note = "\n\nThese are your own words: the offline grammar splits a plan into steps and cannot think one up."
    return Done(rows + note, facts={"items": list(items), "count": len(items)})


def _not_offered(name: str) -> NoReturn:
    raise MissingError(name)


def _ask(step: Ask, tools: Tools) -> Doing:
    options = list(step.options) or None
    given = one((yield (tools.call("AskUser", {"question": step.question}, options=options),)))
    if given.is_error:
        return trouble("The question was not answered", given)
    return Done(given.text.strip() or "There was no answer.")


def _overview(tools: Tools) -> Doing:
    looks = [tools.call("Read", {"path": "."})]
    if tools.knows("Glob", "pattern"):
        looks.append(tools.call("Glob", {"pattern": "[Rr][Ee][Aa][Dd][Mm][Ee]*"}))
    given = yield tuple(looks)
    if one(given).is_error:
        return trouble("I could not look at this project", one(given))
    text = f"I cannot sum a project up, but here is what it holds:\n{block(one(given).text)}"
    names = (
        lines_of(given[1].text) if len(given) > 1 and not given[1].is_error and not says_nothing(given[1].text) else []
    )
    if names:
        told = one((yield (tools.call("Read", {"path": names[0]}, limit=30),)))
        if not told.is_error:
            text += f"\n\nand how {names[0]} begins:\n{block(told.text)}"
    return Done(text, facts={"files": names})
