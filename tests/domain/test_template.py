"""Slash commands of one's own."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from protea.domain.errors import UsageError
from protea.domain.template import MOST_COMMANDS, Template, commands, expanded, read_template


def template(body: str) -> Template:
    return Template(name="x", about="", body=body, path="/x.md")


@pytest.mark.parametrize(
    ("body", "rest", "prompt"),
    [
        ("Review it.", "", "Review it."),
        ("Review it.", "src a b", "Review it.\n\nsrc a b"),
        ("Review $ARGUMENTS now.", "src/a.py please", "Review src/a.py please now."),
        ("Compare $1 with $2.", "'a b' c", "Compare a b with c."),
        ("Compare $1 with $2.", "a", "Compare a with ."),
        ("Compare $1.", "it's", "Compare it's."),
        ("It costs $10 or $0, says $1.", "x", "It costs $10 or $0, says x."),
        ("awk '{print \\$1}' $1", "f", "awk '{print $1}' f"),
        ("awk '{print \\$1}'", "f", "awk '{print $1}'\n\nf"),
        ("$ARGUMENTS_OF $ARGUMENTS", "f", "$ARGUMENTS_OF f"),
        ("$1 $1", "$2", "$2 $2"),
    ],
)
def test_the_words_behind_it_are_put_in(body: str, rest: str, prompt: str) -> None:
    assert expanded(template(body), rest) == prompt


@pytest.mark.parametrize(
    ("body", "rest", "found"),
    [
        ("Nothing.", "a", ()),
        ("A: !`git diff HEAD $1` B: !`git status`", "src", ("git diff HEAD src", "git status")),
        ("!`git diff $1`", "'a b; rm -rf x' c", ("git diff 'a b; rm -rf x'",)),
        ("!`git diff -- $ARGUMENTS`", "a $(id) `id`", ("git diff -- a '$(id)' '`id`'",)),
        ("!`awk '{print \\$1}' $1`", "f", ("awk '{print $1}' f",)),
        ("!`ls` !`ls`", "", ("ls",)),
        ("\\!`ls` a!`ls` ``!`ls` `` !`two\nlines` !``", "", ()),
        (" ".join(f"!`echo {number}`" for number in range(20)), "", tuple(f"echo {n}" for n in range(MOST_COMMANDS))),
    ],
)
def test_the_commands_it_brings(body: str, rest: str, found: tuple[str, ...]) -> None:
    assert commands(template(body), rest) == found


@pytest.mark.parametrize(
    "command",
    [
        "printf %s $1",
        'printf %s "$1"',
        "printf %s '$1'",
        "printf %s it\\'s\\ $1",
        'printf %s "$(printf %s "$1")"',
        "printf %s \"$(printf %s '$1')\"",
        'printf %s "$(printf %s $1)"',
        "(printf %s '('; printf %s $ARGUMENTS)",
        'printf %s "it\'s $ARGUMENTS"',
    ],
)
@pytest.mark.parametrize(
    "word",
    [
        "plain",
        "a b",
        "$(touch x)",
        "'; touch x; '",
        '"; touch x; "',
        "\\'; touch x; '",
        '\\"; touch x; "',
        "`touch x`",
        "\\",
        "$HOME",
        "it's",
        'say "hi"',
        "*",
        "); touch x; (",
        "a\ntouch x",
    ],
)
def test_what_was_typed_is_a_word_wherever_a_command_has_it(command: str, word: str, tmp_path: Path) -> None:
    (made,) = commands(template(f"!`{command}`"), shlex.quote(word))
    ran = subprocess.run(["bash", "-c", made], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.removeprefix("it's ").removeprefix("(") == word
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["echo ${x:-'$1'}", "ls # $1", "echo $(( $1 ))", "cat <<< $1", "echo $'$1'"])
def test_where_a_word_could_be_more_than_one_it_is_refused(command: str) -> None:
    assert commands(template(f"!`{command}`"), "12") == (command.replace("$1", "12"),)
    with pytest.raises(UsageError, match="cannot be put into"):
        commands(template(f"!`{command}`"), "'a b'")


def test_a_command_behind_a_backslash_is_text() -> None:
    assert expanded(template("Say \\!`ls` and !`pwd`."), "") == "Say !`ls` and !`pwd`."


def test_its_head_says_what_it_is() -> None:
    text = "---\ndescription: Looks a change over\nargument-hint: '[FILE]'\n---\n# Review\nLook at $1.\n"
    found = read_template(text, "git:review", "/x.md")
    assert found == Template(
        name="git:review", about="Looks a change over", arguments="[FILE]", body="# Review\nLook at $1.", path="/x.md"
    )


def test_without_a_head_its_first_line_does() -> None:
    found = read_template("# Review\nLook.\n", "review", "/x.md")
    assert isinstance(found, Template)
    assert found.about == "Review"
    assert isinstance(read_template("###", "review", "/x.md"), Template)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "a"),
        ("---\na: b\n---\n", "a"),
        ("---\ndescription: x\nDo it.\n", "a"),
        ("x", "With Blank"),
        ("x", "Ä"),
        ("x", ""),
    ],
)
def test_what_is_none_says_why(text: str, name: str) -> None:
    assert isinstance(read_template(text, name, "/x.md"), str)


def test_what_of_its_head_is_not_used_is_named_with_the_mend() -> None:
    text = "---\ndescriptions: x\nmodel: fast\nallowed-tools: Read, Bash(git log:*)\nhooks: y\n---\nDo it.\n"
    found = read_template(text, "a", "/a.md")
    assert isinstance(found, Template)
    assert found.allowed_tools == ("Read", "Bash(git log:*)")
    assert found.faults == (
        "/a.md: descriptions is not used: did you mean description?",
        "/a.md: model is not used: /model chooses it",
        "/a.md: hooks is not used: there are description, argument-hint, allowed-tools",
    )
