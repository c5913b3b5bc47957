"""Little programs inside commands: sed and awk scripts, and git's and find's own languages."""

from __future__ import annotations

import pytest

from protea.domain.permission.programs.languages import awk_fault, sed_fault
from protea.domain.permission.programs.reserved import innocent
from protea.domain.permission.programs.study import study
from protea.domain.permission.shell.lexer import read_strictly
from protea.domain.permission.shell.script import Script


@pytest.mark.parametrize(
    "script",
    [
        "p",
        "1,40p",
        "$p",
        "/a/p",
        "/a/,/b/p",
        "/a/!d",
        "s/a/b/",
        "s/a/b/gi",
        "s,a/b,c,g",
        "1d;$d",
        "/x/{s/a/b/;p}",
        "5q",
        "y/abc/def/",
        "$!N",
        "n;d",
        "=",
        "/a\\/b/p",
        "\\,a,p",
        "0~3p",
        "s/\\//x/",
        ":a;N;$!ba;s/x/y/g",
        "# c\np",
    ],
)
def test_sed_scripts_that_only_print_are_free(script: str) -> None:
    assert sed_fault(script) is None


@pytest.mark.parametrize(
    "script",
    [
        "w x",
        "1w x",
        "/a/w x",
        "s/a/b/w x",
        "s/a/b/e",
        "s/a/b/gw x",
        "e",
        "1e id",
        "r x",
        "R x",
        "W x",
        "p;w x",
        "{w x\n}",
        "/w/w x",
        "s/;/;/;w x",
        "s/a/b/\nw x",
        "$!{w x\n}",
        "y/a/b/;w x",
        "a\\\nfoo\nw x",
        "s\na\nb\nw x",
        "p}w x",
        "s/a/b",
        "/a",
        "k",
        "F",
        "M",
        "\\wawp;w x",
        "s/[/]/w x/;w y",
        ":l;w x",
        "#n\nw x",
        "p#\nw x",
        "1!w x",
        "1,/a/w x",
    ],
)
def test_sed_scripts_that_write_run_or_are_odd_are_not(script: str) -> None:
    assert sed_fault(script) is not None


@pytest.mark.parametrize(
    "program", ["{print $1}", "NR==1", "$3 > 5 {print}", "/a|b/", "a || b", "{s+=$1} END{print s}"]
)
def test_awk_programs_that_only_print_are_free(program: str) -> None:
    assert (awk_fault(program) is None) is (program != "/a|b/")


@pytest.mark.parametrize(
    "program",
    [
        'BEGIN{system("id")}',
        '{print > "x"}',
        '{print | "sh"}',
        '{"id" | getline x}',
        '{print ENVIRON["A"]}',
        "@load x",
        'BEGIN{ARGV[1]="x"}',
        'BEGIN{SYMTAB["x"]}',
        '{printf("%s", $1) >> "x"}',
        "{f=1;@f()}",
        '{close("x")}',
    ],
)
def test_awk_programs_that_reach_further_are_not(program: str) -> None:
    assert awk_fault(program) is not None


def fit(text: str) -> bool:
    script = read_strictly(text, "/h")
    assert isinstance(script, Script)
    return study(script.commands[0].words).fit


@pytest.mark.parametrize(
    "name", ["git diff", "git log", "git show", "git grep x", "git blame x", "git branch", "git status"]
)
@pytest.mark.parametrize("option", ["--output=x", "--ext-diff", "--textconv", "--outp=x", "-Ox", "--no-index", "-o x"])
def test_git_reading_with_a_dangerous_option_is_not_reading(name: str, option: str) -> None:
    assert fit(name)
    # -o is "only what matched" for git grep and "also untracked" is not for status.
    if (name, option) != ("git grep x", "-o x"):
        assert not fit(f"{name} {option}")


@pytest.mark.parametrize(
    "option", ["-c a=b", "-C x", "--git-dir=x", "--work-tree=x", "--exec-path=x", "-p", "--paginate"]
)
def test_git_pointed_elsewhere_is_never_covered_by_a_starred_rule(option: str) -> None:
    script = read_strictly(f"git {option} status")
    assert isinstance(script, Script)
    assert study(script.commands[0].words).hazard


def test_find_may_run_only_what_reads() -> None:
    assert fit("find . -name x -exec grep -n a {} +")
    assert fit("find src -type f -exec wc -l {} \\;")
    for bad in ("rm {}", "sh -c x", "sed -i s/a/b/ {}", "touch {}", "{}", "git add {}", "grep x a{}"):
        assert not fit(f"find . -exec {bad} \\;")


def test_python_that_only_computes_is_told_from_the_rest() -> None:
    assert innocent("print(1 + 1)")
    assert innocent("import json, math; print(json.dumps([math.pi]))")
    for code in (
        "import os",
        "open('x')",
        "__import__('os')",
        "import sys; sys.modules['os']",
        "from os import remove",
    ):
        assert not innocent(code)


@pytest.mark.parametrize(
    "options", ["-o out", "--output=out", "-oout", "-no out", "--output out", "-nro out", "-noout"]
)
def test_what_sort_is_told_to_write_is_written_however_it_is_told(options: str) -> None:
    script = read_strictly(f"sort {options} a")
    assert isinstance(script, Script)
    uses = {(use.access, use.path) for use in study(script.commands[0].words).uses}
    assert {("write", "out"), ("read", "a")} <= uses
