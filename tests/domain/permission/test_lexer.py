"""The strict reader: what it reads, and what makes it stop."""

from __future__ import annotations

import pytest

from protea.domain.permission.shell.lexer import LONGEST, read_strictly
from protea.domain.permission.shell.script import Script, Unreadable


def argvs(text: str) -> list[tuple[str, ...]]:
    found = read_strictly(text, "/home/u")
    assert isinstance(found, Script), found
    return [command.argv for command in found.commands]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("git  status   -sb", [("git", "status", "-sb")]),
        ("a && b || c; d | e & f\ng", [("a",), ("b",), ("c",), ("d",), ("e",), ("f",), ("g",)]),
        ("echo 'a b' \"c d\" e\\ f", [("echo", "a b", "c d", "e f")]),
        ("echo a'b'\"c\"", [("echo", "abc")]),
        ("echo ''", [("echo", "")]),
        ('echo "a \\"b\\" \\$c \\n"', [("echo", 'a "b" $c \\n')]),
        ("ls # all && rm x", [("ls",)]),
        ("# first\nls", [("ls",)]),
        ("echo a#b", [("echo", "a#b")]),
        ("ls ~/x $HOME/y", [("ls", "/home/u/x", "/home/u/y")]),
        ("git show HEAD~1 stash@{0}", [("git", "show", "HEAD~1", "stash@{0}")]),
        ("cat <<'EOF'\n$(rm x)\nEOF\nls", [("cat",), ("ls",)]),
        ("cat <<EOF | wc\nplain\nEOF", [("cat",), ("wc",)]),
        ("basename $(pwd)", [("basename", ""), ("pwd",)]),
        ("find . \\( -name '*.py' \\)", [("find", ".", "(", "-name", "*.py", ")")]),
        ("npm test 2>&1 >/dev/null", [("npm", "test")]),
        ("X=1 Y=b npm test", [("npm", "test")]),
    ],
)
def test_the_grammar_is_read_as_bash_reads_it(text: str, expected: list[tuple[str, ...]]) -> None:
    assert argvs(text) == expected


@pytest.mark.parametrize(
    ("text", "operator", "target"),
    [
        ("ls > a", ">", "a"),
        ("ls >>a", ">>", "a"),
        ("ls 2> 'a b'", ">", "a b"),
        ("ls &> a", "&>", "a"),
        ("ls >& a", ">&", "a"),
        ("ls >| a", ">|", "a"),
        ("ls <> a", "<>", "a"),
        ("cat < a", "<", "a"),
        ("> a ls", ">", "a"),
    ],
)
def test_redirects_name_their_files(text: str, operator: str, target: str) -> None:
    found = read_strictly(text)
    assert isinstance(found, Script)
    (redirect,) = found.commands[0].redirects
    assert (redirect.operator, redirect.target.text) == (operator, target)


def test_globs_are_told_from_quoted_stars() -> None:
    found = read_strictly("ls *.py '*.py' \\*.py [a-c]")
    assert isinstance(found, Script)
    assert [word.glob for word in found.commands[0].words] == [None, "*.py", None, None, "[a-c]"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "ls '",
        'ls "',
        "ls \\",
        "$'ls'",
        "ls $x",
        "ls ${x}",
        'ls "$x"',
        "ls $((1))",
        "ls `x`",
        "ls <(x)",
        "(ls)",
        "{ ls; }",
        "if a; then b; fi",
        "f() { a; }",
        "case a in a) b;; esac",
        "[[ a ]]",
        "! ls",
        "\\ls",
        "'ls'",
        "l\\s",
        "-x",
        "<2>&1",
        "ls[",
        "l*",
        "ls[ a && b ]",
        "ls ;; ls",
        "ls &&",
        "&& ls",
        "| ls",
        "ls |& cat",
        "ls > $x",
        "ls > *",
        "ls >",
        "ls {a,b}",
        "ls {1..3}",
        "ls ~root",
        "ls {fd}> x",
        "a=(1)",
        "a[0]=1",
        "a+=1",
        "cat <<EOF\n$x\nEOF",
        "cat <<EOF\nnever closed",
        "cat <<'E'OF\nx\nEOF",
        "ls [[:alpha:]]",
        "ls [a'-'z]",
        "ls a\\\nb",
        "ls\r",
        "ls\x00",
        "ls\u00a0a",
        "ls\u2028a",
        "ls \u202ea",
        "ls a\u200bb",
        "ls \ufe0f",
        "echo " + "a" * LONGEST,
        "echo $(echo $(echo $(echo $(echo a))))",
    ],
)
def test_everything_else_is_not_vouched_for(text: str) -> None:
    found = read_strictly(text, "/home/u")
    assert isinstance(found, Unreadable)
    assert found.reason
