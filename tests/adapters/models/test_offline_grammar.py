"""What a prompt is read as."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.adapters.models._grammar import MOST_STEPS, read
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


def steps(prompt: str) -> list[Step]:
    understood = read(prompt)
    assert not understood.unclear
    return [step for step, _ in understood.steps]


TODO = Search("TODO", "TODO", "src")
LOOK = Read(("a.py",))

READ: dict[str, list[Step]] = {
    "find every TODO in src, then tell me which file has the most": [TODO, Tally("most")],
    "Find every TODO in src. Then tell me which file has the most of them.": [TODO, Tally("most")],
    "Can you find all the TODOs in the src directory and tell me which file has the most?": [TODO, Tally("most")],
    "find TODO in src; which file has the fewest?": [TODO, Tally("fewest")],
    "find TODO in src, then show the top 3": [TODO, Tally("rank", 3)],
    "grep TODO src": [TODO],
    'find "todo" in src ignoring case': [Search("(?i)todo", "todo", "src")],
    "copy a.py to b.py": [Run("cp -- a.py b.py")],
    "search for TODO in source": [Search("TODO", "TODO", "source")],
    "find every FIXME or TODO": [Search("FIXME|TODO", "FIXME or TODO")],
    'search for "a.b (c)" in docs': [Search(r"a\.b \(c\)", "a.b (c)", "docs")],
    "search for /^def \\w+/ in *.py files": [Search("^def \\w+", "/^def \\w+/", None, "*.py")],
    "find all uses of `create_gateway`": [Search("create_gateway", "create_gateway")],
    "how many TODOs are there in src?": [Search("TODO", "TODO", "src", how="count")],
    "which file in src has the most TODO comments?": [Search("TODO", "TODO", "src", how="most")],
    "which file is the longest in src": [Search("^", "lines", "src", how="most", unit="any line")],
    "how many lines does src/a.py have?": [Search("^", "lines", "src/a.py", how="count", unit="any line")],
    "which files contain TODO in src": [Search("TODO", "TODO", "src", how="files")],
    "please read a.py": [LOOK],
    "Read @a.py.": [LOOK],
    "what is in a.py?": [LOOK],
    "read a.py, b.py and c.py": [Read(("a.py", "b.py", "c.py"))],
    "read src": [Read(("src",))],
    'cat "my notes.txt"': [Read(("my notes.txt",))],
    "show lines 10-40 of a.py": [Read(("a.py",), 10, 40)],
    "lines 40 to 10 of a.py": [Read(("a.py",), 10, 40)],
    "show me line 7 of a.py": [Read(("a.py",), 7, 7)],
    "first 20 lines of a.py": [Read(("a.py",), 1, 20)],
    "show the last 5 lines of a.py": [Read(("a.py",), tail=5)],
    "list files": [Files()],
    "ls src": [Files("*", "src")],
    "find files *.py in src": [Files("**/*.py", "src", what="*.py files")],
    "find all python files": [Files("**/*.py", what="python files")],
    "how many python files are there in src?": [Files("**/*.py", "src", "count", "python files")],
    "where is config.py": [Files("**/config.py", what="files named config.py")],
    "find pyproject.toml": [Files("**/pyproject.toml", what="files named pyproject.toml")],
    "run `ls; pwd`": [Run("ls; pwd")],
    "run `make serve` in the background": [Run("make serve", True)],
    "watch `make serve` for ERROR": [Watch("make serve", "ERROR")],
    "send an agent to find every TODO in src, then tell me which file has the most": [
        Send("find every TODO in src, then tell me which file has the most")
    ],
    "please send an agent to read a.py in the background": [Send("read a.py", True)],
    "@agent-reviewer find TODO in src": [Send("find TODO in src", name="reviewer")],
    "please @agent-git-tidy run `x`, then stop, in the background": [Send("run `x`, then stop", True, "git-tidy")],
    "read a.py, then send an agent to read a.py; then b": [LOOK, Send("read a.py; then b")],
    'propose: create b.txt with "x"; read a.py': [
        Propose((('create b.txt with "x"', (Create("b.txt", "x\n"),)), ("read a.py", (LOOK,))))
    ],
    "propose a plan:\n1. read a.py\n2. run `ls`": [Propose((("read a.py", (LOOK,)), ("run `ls`", (Run("ls"),))))],
    "run make and make install": [Run("make and make install")],
    "$ echo hi": [Run("echo hi")],
    "!ls": [Run("ls")],
    "git log -3": [Run("git log -3")],
    "delete a.py": [Run("rm -- a.py")],
    "move a.py to 'b c.py'": [Run("mv -- a.py 'b c.py'")],
    "make a directory named x": [Run("mkdir -p x")],
    "run the tests": [RunTests()],
    "run all the tests in tests/domain": [RunTests("tests/domain")],
    "replace foo with bar in a.py": [Replace("foo", "bar", "a.py")],
    "in a.py, replace `x = 1` with `x = 2`": [Replace("x = 1", "x = 2", "a.py")],
    'replace every "1.0" by "1.1" in docs': [Replace("1.0", "1.1", "docs", True)],
    "rename old to new in a.py and run the tests": [Replace("old", "new", "a.py"), RunTests()],
    'create a.txt with "hello, world"': [Create("a.txt", "hello, world\n")],
    "create a.txt with hello world": [Create("a.txt", "hello world\n")],
    "create a.py with:\n```python\nx = 'read b.py'\n```": [Create("a.py", "x = 'read b.py'\n")],
    "create a.txt with:\none\nrun the tests": [Create("a.txt", "one\nrun the tests\n")],
    "create an empty file a.txt": [Create("a.txt", "")],
    'write "x" to a.txt': [Create("a.txt", "x\n")],
    'overwrite a.txt with "x"': [Create("a.txt", "x\n", True)],
    'append "x" to a.txt': [Append("a.txt", "x\n")],
    'add "x" to the end of a.txt': [Append("a.txt", "x\n")],
    "plan: read a.py, fix it, and run the tests": [Plan(("read a.py", "fix it", "run the tests"))],
    "make a plan:\n- look\n- act": [Plan(("look", "act"))],
    'ask me "Which?" "this" "that"': [Ask("Which?", ("this", "that"))],
    "what is this project about?": [Overview()],
    "help": [Help()],
    "Hello!": [Help()],
    "undo that": [Cannot("undo")],
    "1. read a.py\n2. run the tests\n\n3) $ pwd": [LOOK, RunTests(), Run("pwd")],
    "Please do this:\n- read a.py\n- run the tests": [LOOK, RunTests()],
    "read a.py\r\nrun the tests": [LOOK, RunTests()],
}


@pytest.mark.parametrize("prompt", READ)
def test_a_prompt_is_read_as(prompt: str) -> None:
    assert steps(prompt) == READ[prompt]


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " \n ",
        "write me a poem",
        "fix the bug in a.py",
        "explain the architecture",
        "find bugs in src",
        "find out why it fails",
        "summarise README.md",
        "refactor a.py to use asyncio",
        "read it",
        "(a picture)",
        "Read a.py, fix the bug and run the tests.",
        "the log said:\n\nrun rm -rf /\nand then it stopped",
        "; ; ;",
        "```",
        "\0",
    ],
)
def test_what_makes_no_sense_here_is_not_done_at_all(prompt: str) -> None:
    understood = read(prompt)
    assert understood.steps == ()
    assert understood.unclear


def test_more_steps_than_anyone_means_are_refused() -> None:
    assert read("run pwd\n" * (MOST_STEPS + 1)).steps == ()


@pytest.mark.parametrize("text", ["a", "a b", "it's", "-x", "$HOME", "a\nb", "", "ä"])
def test_a_shell_word_is_one_word(text: str) -> None:
    import shlex

    assert shlex.split(quoted(text)) == [text]


@pytest.mark.parametrize(
    "piece",
    ["a ", "'a ", "``` ", "```x\n", "`", '"', "read ", "then ", ";", "\n", "plan a, ", "replace a with b in ", "in ",
     "create a.txt with:\n", "and ", "“", "(", "find or ", "a/", "/", "*", "1. ", "\u2028"],
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_quickly(piece: str) -> None:
    begun = time.process_time()
    for size in (19_999, 1_000_000):
        read((piece * size)[:size])
    assert time.process_time() - begun < 2


def test_a_megabyte_can_be_written_into_a_file() -> None:
    text = "abc def\n" * 130_000
    assert steps("create a.txt with:\n" + text) == [Create("a.txt", text)]


WORDS = [
    *(
        "find",
        "every",
        "TODO",
        "in",
        "src",
        "then",
        "which",
        "file",
        "has",
        "the",
        "most",
        "read",
        "a.py",
        "show",
        "lines",
    ),
    *("3", "to", "9", "of", "run", "tests", "`x`", '"y', 'z"', "replace", "with", "create", "append", "and", ","),
    *(";", "-", "1.", "plan", "ask", "me", "?", "how", "many", "count", "*", "/x/", ".", "overwrite", "delete", "move"),
    *("'", "`", "```\n", "\n", "a.txt", "git", "²", "line"),
]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=40))
def test_reading_never_fails(words: list[str]) -> None:
    understood = read(" ".join(words))
    assert bool(understood.steps) != bool(understood.unclear)
    assert len(understood.steps) <= MOST_STEPS
