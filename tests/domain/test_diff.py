"""Diffs that `patch` and our own reader can apply."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain import patch
from protea.domain.diff import changes, counts, reversed_hunks, unified

LINES = st.lists(st.sampled_from(["a", "b", "c", "", " d", "-e", "+f", "@@ g"]), max_size=30)
TEXTS = st.tuples(LINES, st.booleans()).map(lambda both: "\n".join(both[0]) + ("\n" if both[0] and both[1] else ""))


@given(LINES, LINES)
def test_changes_turn_one_into_the_other(a: list[str], b: list[str]) -> None:
    built: list[str] = []
    at = 0
    for i, j, k, m in changes(a, b):
        built += a[at:i] + b[k:m]
        assert a[at:i] == b[len(built) - len(a[at:i]) - (m - k) : len(built) - (m - k)]
        at = j
    assert built + a[at:] == b


@given(TEXTS.filter(bool), TEXTS.filter(bool))
def test_our_own_reader_applies_it(old: str, new: str) -> None:
    diff = unified(old, new, "x")
    if old == new:
        assert diff == ""
        return
    (change,) = patch.parse(diff)
    assert patch.apply(old, change) == new


@given(TEXTS.filter(bool), TEXTS.filter(bool))
def test_the_other_way_round_it_leads_back(old: str, new: str) -> None:
    diff = unified(old, new, "x")
    if old == new:
        assert reversed_hunks(diff) == []
        return
    back = "\n".join(["--- a/x", "+++ b/x", *reversed_hunks(diff)]) + "\n"
    (change,) = patch.parse(back)
    assert patch.apply(new, change) == old


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "a\nb\n"),
        ("a\nb\n", ""),
        ("a\nb", "a\nb\n"),
        ("a\nb\n", "a\nb"),
        ("a\nb", "a\nc"),
        ("".join(f"{n}\n" for n in range(100)), "".join(f"{n}\n" for n in range(100) if n not in (3, 50, 51, 97))),
        ("x\n" * 20, "x\n" * 10 + "y\n" + "x\n" * 10),
        ("a\u2028b\n\x0cc\n", "a\u2028b\n\x0cd\n"),
    ],
)
def test_git_applies_it(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "f").write_text(old, newline="")
    diff = unified(old, new, "f")
    command = ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"]
    done = subprocess.run(command, input=diff, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr + diff
    assert (tmp_path / "f").read_text() == new


def test_new_and_removed_files_say_so() -> None:
    assert unified("", "a\n", "x", before="/dev/null") == "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n"
    assert unified("a\n", "", "/dev/null", before="x") == "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"


def test_lines_are_counted() -> None:
    assert counts(unified("a\nb\nc\n", "a\n--x\n++y\nc\n", "f")) == (2, 1)


def test_lines_are_counted_file_by_file_and_whatever_they_begin_with() -> None:
    first = unified("a\nb\n", "a\n++i;\n-- no\n", "f")
    second = unified("-- old\nz\n", "z", "g")
    assert (counts(first), counts(second), counts(first + second)) == ((2, 1), (1, 2), (3, 3))


def test_a_large_rewrite_takes_no_time() -> None:
    old = "".join(f"old {n}\n" for n in range(20_000))
    new = "".join(f"new {n}\n" for n in range(20_000))
    assert counts(unified(old, new, "f")) == (20_000, 20_000)


def test_a_small_change_in_a_large_file_is_small() -> None:
    lines = [f"{n % 7}\n" for n in range(50_000)]
    new = [*lines[:100], "x\n", *lines[100:40_000], *lines[40_001:]]
    assert counts(unified("".join(lines), "".join(new), "f")) == (1, 1)
