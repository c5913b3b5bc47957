"""What leaves a tool: no escape sequence, and no more than fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.cut import cut, shorten
from protea.domain.environment import for_commands
from protea.domain.plain import plain, unfinished


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2;0\x1b\\after", "after"),
        ("a\x1b(Bb\x1b7c", "abc"),
        ("10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        ("b\x08bo\x08old", "bold"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("nul\0bell\x07del\x7f", "nul\\x00bell\\x07del\\x7f"),
        ("\x9b31mred", "red"),
        ("lone \x1b", "lone "),
        ("\x1b]52;c;never ended", ""),
        ("", ""),
    ],
)
def test_control_sequences_do_not_pass(written: str, shown: str) -> None:
    assert plain(written) == shown


@given(st.text(alphabet=st.sampled_from("\x1b[]0;m\x07\\\r\n\x08ab\x9b\x9c(P"), max_size=40))
def test_nothing_a_terminal_would_obey_is_left(text: str) -> None:
    shown = plain(text)
    assert not [letter for letter in shown if (letter < " " and letter not in "\n\t") or "\x7f" <= letter <= "\x9f"]


@given(st.text(alphabet=st.sampled_from("\x1b[]0;m\x07\\ab"), max_size=30), st.integers(0, 30))
def test_a_sequence_split_in_two_is_held_back(text: str, at: int) -> None:
    first = text[:at]
    held = unfinished(first)
    assert plain(first[: len(first) - held]) + plain(first[len(first) - held :] + text[at:]) == plain(text)


def test_the_middle_is_cut_at_line_ends_and_said() -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    short = cut(text, 200, "/tmp/whole.txt")
    assert len(short) < 320
    head, _, tail = short.partition("[…")
    assert head.endswith("\n")
    assert text.startswith(head)
    said, _, tail = tail.partition("…]\n")
    assert text.endswith(tail)
    missing = 1000 - head.count("\n") - tail.count("\n")
    assert f"{missing:,} lines" in said
    assert f"{len(text) - len(head) - len(tail):,} bytes" in said
    assert "/tmp/whole.txt" in said


def test_short_text_is_left_alone() -> None:
    assert cut("short", 100) == "short"
    assert shorten("short", 100) == "short"
    assert shorten("x" * 50, 10) == "x" * 10 + "… [+40 characters]"


def test_one_long_line_is_cut_too() -> None:
    short = cut("x" * 100_000, 1000)
    assert len(short) < 1100
    assert "99,000 bytes left out" in short


def test_secrets_stay_out_of_a_commands_environment() -> None:
    environment = {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_ALL": "C",
        "ANTHROPIC_API_KEY": "s",
        "GITHUB_TOKEN": "s",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_PROFILE": "s",
        "DATABASE_URL": "s",
        "SSH_AUTH_SOCK": "s",
        "MY_PASSWORD": "s",
        "LC_SECRET": "s",
        "BASH_ENV": "s",
        "LD_PRELOAD": "s",
        "PROTEA_HOME": "s",
        "HTTPS_PROXY": "http://user:s@proxy",
        "HTTP_PROXY": "http://proxy",
    }
    seen = for_commands(environment)
    assert "s" not in seen.values()
    assert "HTTPS_PROXY" not in seen
    assert seen["HTTP_PROXY"] == "http://proxy"
    assert {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_ALL": "C",
        "PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }.items() <= seen.items()


def test_what_is_kept_by_name_is_seen() -> None:
    assert for_commands({"GITHUB_TOKEN": "t"}, ["GITHUB_TOKEN"])["GITHUB_TOKEN"] == "t"
