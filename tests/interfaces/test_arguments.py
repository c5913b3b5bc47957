"""Words typed → what is meant, and every mistake in one line that names the mend."""

from __future__ import annotations

import pytest

from protea.interfaces.arguments import Mistake, parse, unknown_command
from protea.interfaces.manual import COMMANDS, PLANNED, flags_of, help_text


@pytest.mark.parametrize(
    ("typed", "values", "words"),
    [
        (["-p", "hi"], {"print": [""]}, ["hi"]),
        (["hi", "-p"], {"print": [""]}, ["hi"]),
        (["--print=hi"], {"print": [""]}, ["hi"]),
        (["-p", "find", "every", "TODO"], {"print": [""]}, ["find", "every", "TODO"]),
        (["-p", "doctor"], {"print": [""]}, ["doctor"]),
        (["-p", "--", "--help"], {"print": [""]}, ["--help"]),
        (["-p", "-m", "a/b", "hi"], {"print": [""], "model": ["a/b"]}, ["hi"]),
        (["-p", "-ma/b", "hi"], {"print": [""], "model": ["a/b"]}, ["hi"]),
        (["-p", "--model=a/b", "hi"], {"print": [""], "model": ["a/b"]}, ["hi"]),
        (["-pc", "hi"], {"print": [""], "continue": [""]}, ["hi"]),
        (["-p", "-r", "abc", "hi"], {"print": [""], "resume": ["abc"]}, ["hi"]),
        (["-p", "-r", "and now the tests"], {"print": [""], "resume": [""]}, ["and now the tests"]),
        (["-r", "-p", "hi"], {"print": [""], "resume": [""]}, ["hi"]),
        (["--allow", "A", "--allow=B", "x"], {"allow": ["A", "B"]}, ["x"]),
        (["-m", "a", "-m", "b"], {"model": ["b"]}, []),
        (["--set", "a=b=c"], {"set": ["a=b=c"]}, []),
        ([""], {}, [""]),
        (["port", "this", "list"], {}, ["port", "this", "list"]),
        (["-p", "sesions", "list"], {"print": [""]}, ["sesions", "list"]),
    ],
)
def test_flags_and_words_are_told_apart(typed: list[str], values: dict[str, list[str]], words: list[str]) -> None:
    read = parse(typed)
    assert (read.values, read.words, read.path) == (values, words, ())


@pytest.mark.parametrize(
    ("typed", "name", "words"),
    [
        (["sessions"], "sessions list", []),
        (["sessions", "--json"], "sessions list", []),
        (["sessions", "show", "abc"], "sessions show", ["abc"]),
        (["sessions", "search", "two", "words"], "sessions search", ["two", "words"]),
        (["-C", "/", "sessions", "list"], "sessions list", []),
        (["config"], "config show", []),
        (["export"], "export", []),
        (["models", "--json", "anthropic"], "models", ["anthropic"]),
        (["perm", "check", "Bash", '{"command":"ls -p"}'], "perm check", ["Bash", '{"command":"ls -p"}']),
        (["perm", "check", "--batch"], "perm check", []),
        (["repl", "say", "sessions"], "repl", ["say", "sessions"]),
    ],
)
def test_commands_are_found_with_their_words(typed: list[str], name: str, words: list[str]) -> None:
    read = parse(typed)
    assert (read.name, read.words) == (name, words)


@pytest.mark.parametrize(
    ("typed", "mend"),
    [
        (["--modle", "x"], "did you mean --model?"),
        (["--output-fromat=json"], "did you mean --output-format?"),
        (["-z"], "'protea --help' lists them"),
        (["sessions", "list", "--jsno"], "did you mean --json?"),
        (["sessions", "list", "--output-format", "json"], "is not a flag of 'protea sessions list'"),
        (["--output-format", "json", "sessions", "list"], "is not a flag of 'protea sessions list'"),
        (["sessions", "lst"], "did you mean 'list'?"),
        (["sessions", "frobnicate"], "there are: list, show, export"),
        (["sessions", "show"], "needs SESSION"),
        (["config", "set", "a"], "needs KEY VALUE"),
        (["tools", "help", "a", "b"], "'b' is one too many"),
        (["doctor", "now"], "takes no arguments"),
        (["--model"], "--model needs a value: --model PROVIDER/MODEL"),
        (["--model", "--bare"], "--model needs a value"),
        (["--model="], "--model needs a value"),
        (["--bare=yes"], "--bare takes no value"),
        (["--output-format", "jsn"], "did you mean 'json'?"),
        (["--permission-mode", "xyzzy"], "it takes normal, plan, yolo"),
        (["--set", "novalue"], "--set takes KEY=VALUE"),
        (["daemon", "start"], "cannot do 'daemon' (the daemon) yet"),
        (["sesions", "list"], "did you mean 'sessions list'?"),
        (["profil", "show", "coding"], "did you mean 'profile show'?"),
    ],
)
def test_a_mistake_is_one_line_with_its_mend(typed: list[str], mend: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse(typed)
    assert mend in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "9" * 40, "٣"])
def test_counts_are_whole_and_above_zero(text: str) -> None:
    with pytest.raises(Mistake, match="--max-turns takes a whole number"):
        parse([f"--max-turns={text}"]).whole("max_turns")


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "much"])
def test_measures_are_finite_and_above_zero(text: str) -> None:
    with pytest.raises(Mistake, match="--max-budget-usd takes a number above 0"):
        parse([f"--max-budget-usd={text}"]).number("max_budget_usd")


def test_numbers_are_read() -> None:
    read = parse(["--max-turns", "3", "--time-limit=1.5"])
    assert (read.whole("max_turns"), read.number("time_limit"), read.number("max_budget_usd")) == (3, 1.5, None)


@pytest.mark.parametrize("each", COMMANDS, ids=lambda each: each.name)
def test_help_tells_every_flag_of_every_command(each: object) -> None:
    assert isinstance(each, type(COMMANDS[0]))
    for path in [(each,), *((each, sub) for sub in each.subcommands)]:
        shown = help_text(path)
        for flag in flags_of(path):
            assert flag.names[-1] in shown
        assert all(len(line) <= 120 for line in shown.splitlines())


def test_help_of_a_command_tells_its_own_flags_apart_from_those_of_all() -> None:
    sessions = next(each for each in COMMANDS if each.name == "sessions")
    shown = help_text((sessions, next(each for each in sessions.subcommands if each.name == "list")))
    own, everywhere = shown.split("\neverywhere:\n")
    assert "--here" in own
    assert "--bare" not in own
    assert "--bare" in everywhere
    assert "flags:" not in help_text((sessions,))  # it has none of its own


def test_help_can_be_asked_for_anywhere() -> None:
    assert parse(["sessions", "show", "--help"]).name == "sessions show"
    assert parse(["-p", "--help"]).has("help")


def test_no_command_is_both_here_and_still_to_come() -> None:
    assert not {each.name for each in COMMANDS} & set(PLANNED)


def test_a_lone_word_is_taken_for_a_misspelt_command() -> None:
    assert "did you mean 'sessions'?" in unknown_command("sessionz")
    assert "protea -p 'qwertz'" in unknown_command("qwertz")
