"""Path patterns, and ignore files as git reads them."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from protea.domain.glob import compiled
from protea.domain.ignore import Layer, parse, verdict


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("*.py", ["a.py", "x/y/a.py", ".py"], ["a.pyc", "apy"]),
        ("/*.py", ["a.py"], ["x/a.py"]),
        ("./*.py", ["a.py"], ["x/a.py"]),
        ("**/*.py", ["a.py", "x/y/a.py"], ["a.txt"]),
        ("src/**/*.{ts,tsx}", ["src/a.ts", "src/x/y/b.tsx"], ["a.ts", "src/a.js", "xsrc/a.ts"]),
        ("src/**", ["src/a", "src/b/c"], ["src", "srcx/a"]),
        ("a?c", ["abc", "x/abc"], ["ac", "a/c"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "/x"]),
        ("[!a-c]x", ["dx"], ["ax"]),
        ("[^a]x", ["bx"], ["ax"]),
        ("[]]x", ["]x"], ["[x"]),
        ("[[:digit:]]x", ["1x"], ["ax"]),
        ("a[b", ["a[b"], ["ab"]),
        (r"a\*", ["a*"], ["ab"]),
        ("{a,b/c}.x", ["a.x", "b/c.x"], ["c.x"]),
        ("a{b", ["a{b"], ["ab"]),
        ("**", ["a", "a/b"], []),
        ("*", ["a", "x/a"], []),
        ("a**b", ["ab", "axxb"], ["a/b"]),
        ("a.b", ["a.b"], ["axb"]),
        ("{*.py,Makefile}", ["a.py", "Makefile"], ["a.txt"]),
    ],
)
def test_patterns_fit_what_people_mean(pattern: str, fits: list[str], fits_not: list[str]) -> None:
    expression = compiled(pattern)
    assert [path for path in fits if not expression.fullmatch(path)] == []
    assert [path for path in fits_not if expression.fullmatch(path)] == []


def test_every_pattern_compiles_or_says_why_not() -> None:
    for pattern in ("[", "[]", "{", "}", "{,}", "\\", "[z-a]", "((", "**/**", "[\\", "a{b,c", "[[:alpha:]", "[!]"):
        with contextlib.suppress(ValueError):
            compiled(pattern)
    with pytest.raises(ValueError, match="is broken"):
        compiled("[z-a]")


GITIGNORE = """
# comment
*.log
!keep.log
build/
/top
docs/*.txt
**/deep
a/**/z
trailing\\ 
\\#hash
\\!bang
with space
[ab].c
!b.c
foo/**
nested/dir/
*.{x,y}
"""

PATHS = """
a.log keep.log x/a.log x/keep.log build/f x/build/f top x/top docs/a.txt docs/x/a.txt deep/f x/deep x/y/deep
a/z a/b/z a/b/c/z b/a/z #hash !bang a.c b.c c.c foo/x foo/y/z xfoo nested/dir/f x/nested/dir/f p.{x,y} p.x
""".split()  # noqa: SIM905 - a page of quotes


def test_ignore_files_mean_what_git_says_they_mean(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(GITIGNORE)
    for path in (*PATHS, "with space"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    listed = subprocess.run(
        ["git", "-c", "core.quotePath=false", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    rules = parse(GITIGNORE)
    assert rules is not None
    layers = [Layer(rules)]

    def ours(path: str) -> bool:
        parts = path.split("/")
        folders = ["/".join(parts[: at + 1]) for at in range(len(parts) - 1)]
        return any(verdict(each, each.rpartition("/")[2], True, layers) for each in folders) or bool(
            verdict(path, parts[-1], False, layers)
        )

    expected = {path for path in listed if path and path != ".gitignore"}
    assert {path for path in (*PATHS, "with space") if not ours(path)} == expected


def test_the_innermost_file_decides() -> None:
    outer, inner = parse("*.x\n"), parse("!a.x\n")
    assert outer
    assert inner
    layers = [Layer(inner, base=len("sub/")), Layer(outer)]
    assert verdict("sub/a.x", "a.x", False, layers) is False
    assert verdict("sub/b.x", "b.x", False, layers) is True
    assert verdict("sub/b.y", "b.y", False, layers) is None


def test_rules_above_the_search_count_from_where_they_are() -> None:
    rules = parse("/src/gen/\n")
    assert rules
    assert verdict("gen", "gen", True, [Layer(rules, prefix="src/")]) is True
    assert verdict("gen", "gen", True, [Layer(rules, prefix="lib/")]) is None


def test_a_file_without_rules_is_none() -> None:
    assert parse("\n# only a comment\n\n") is None
