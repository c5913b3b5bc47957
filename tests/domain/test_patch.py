"""Patches as models write them."""

from __future__ import annotations

import pytest

from protea.domain.patch import FileChange, PatchError, apply, created, parse

TEXT = "one\ntwo\nthree\nfour\nfive\n"


def applied(patch: str, text: str = TEXT) -> str:
    (change,) = parse(patch)
    return apply(text, change)


def test_a_unified_diff_is_applied() -> None:
    assert applied("--- a/f\n+++ b/f\n@@ -2,2 +2,3 @@\n two\n-three\n+3\n+3b\n") == "one\ntwo\n3\n3b\nfour\nfive\n"


def test_wrong_counts_and_line_numbers_do_not_matter() -> None:
    assert applied("--- f\n+++ f\n@@ -90,9 +1,1 @@\n two\n-three\n+3\n four\n") == "one\ntwo\n3\nfour\nfive\n"


def test_a_header_without_numbers_is_understood() -> None:
    assert applied("--- a/f\n+++ b/f\n@@\n-three\n+3\n") == "one\ntwo\n3\nfour\nfive\n"


def test_the_line_number_decides_between_equal_places() -> None:
    text = "x\n" * 3 + "a\n" + "x\n" * 3
    patch = "--- a/f\n+++ b/f\n@@ -6,1 +6,1 @@\n-x\n+y\n"
    assert applied(patch, text) == "x\nx\nx\na\nx\ny\nx\n"


def test_without_a_number_equal_places_are_refused() -> None:
    with pytest.raises(PatchError, match=r"fits at lines 1, 2, 3"):
        applied("*** Begin Patch\n*** Update File: f\n@@\n-x\n+y\n*** End Patch", "x\nx\nx\n")


def test_files_are_added_removed_and_renamed() -> None:
    changes = parse(
        "diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1,2 @@\n+a\n+b\n"
        "diff --git a/old b/old\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
        "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"
    )
    assert [(change.action, change.path, change.move_to) for change in changes] == [
        ("add", "new", None),
        ("delete", "old", None),
        ("update", "x", "y"),
    ]
    assert created(changes[0]) == "a\nb\n"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"b/nl\\nx"', "nl\nx"),
        ('"b/\\303\\274 \\"q\\" \\\\"', 'ü "q" \\'),
        ("b/trail \t", "trail "),
        ("b/dated\t2026-01-01 10:00", "dated"),
        ('"b/plain"', "plain"),
    ],
)
def test_names_are_read_as_git_quotes_them(written: str, meant: str) -> None:
    (change,) = parse(f"--- /dev/null\n+++ {written}\n@@ -0,0 +1 @@\n+a\n")
    assert change.path == meant


def test_a_new_file_has_the_line_ends_that_are_written_and_one_that_is_there_keeps_its_own() -> None:
    (change,) = parse("--- /dev/null\n+++ b/new\n@@ -0,0 +1,2 @@\n+a\r\n+b\r\n")
    assert created(change) == "a\r\nb\r\n"
    assert applied("--- a/f\n+++ b/f\n@@ -3 +3 @@\n-three\r\n+3\r\n") == "one\ntwo\n3\nfour\nfive\n"
    (change,) = parse("--- /dev/null\r\n+++ b/new\r\n@@ -0,0 +1 @@\r\n+a\r\n")
    assert created(change) == "a\n"


def test_the_missing_line_feed_at_the_end_is_kept_or_mended() -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n"
    assert applied(patch, "a\nb") == "a\nc\n"
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n"
    assert applied(patch, "a\nb\n") == "a\nc"


def test_context_keeps_the_white_space_of_the_file() -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n def f():\n-  return 1\n+  return 2\n # end\n"
    assert applied(patch, "def f():   \n  return 1\n# end\t\n") == "def f():   \n  return 2\n# end\t\n"


def test_the_envelope_form_updates_adds_deletes_and_moves() -> None:
    changes = parse(
        "*** Begin Patch\n"
        "*** Update File: src/a.py\n*** Move to: src/b.py\n@@ class A:\n@@ def f(self):\n-        old\n+        new\n"
        "*** Add File: docs/x.md\n+# Title\n+\n+text\n"
        "*** Delete File: gone.txt\n"
        "*** End Patch\n"
    )
    assert [(change.action, change.path, change.move_to) for change in changes] == [
        ("update", "src/a.py", "src/b.py"),
        ("add", "docs/x.md", None),
        ("delete", "gone.txt", None),
    ]
    assert created(changes[1]) == "# Title\n\ntext\n"
    text = "class B:\n    def f(self):\n        old\nclass A:\n    def f(self):\n        old\n"
    assert apply(text, changes[0]) == text[: text.rindex("old")] + "new\n"


def test_end_of_file_picks_the_last_place() -> None:
    patch = "*** Begin Patch\n*** Update File: f\n@@\n-x\n+y\n*** End of File\n*** End Patch"
    assert applied(patch, "x\nx\nx\n") == "x\nx\ny\n"


def test_text_around_the_envelope_is_ignored() -> None:
    patch = "```\n*** Begin Patch\n*** Update File: f\n@@\n-two\n+2\n*** End Patch\n```"
    assert applied(patch) == "one\n2\nthree\nfour\nfive\n"


def test_blank_context_lines_may_have_lost_their_space() -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n"
    assert applied(patch, "a\n\nb\n") == "a\n\nc\n"


def test_removed_lines_that_look_like_headers_are_lines() -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,3 +1,2 @@\n a\n--- b\n-+c\n+x\n"
    assert applied(patch, "a\n-- b\n+c\n") == "a\nx\n"


def test_several_hunks_go_in_order() -> None:
    patch = "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-one\n+1\n@@ -5,1 +5,2 @@\n-five\n+5\n+6\n"
    assert applied(patch) == "1\ntwo\nthree\nfour\n5\n6\n"


def test_insertions_go_where_they_say() -> None:
    assert applied("--- a/f\n+++ b/f\n@@ -2,0 +3,1 @@\n+new\n") == "one\ntwo\nnew\nthree\nfour\nfive\n"
    assert applied("--- a/f\n+++ b/f\n@@ -0,0 +1,1 @@\n+new\n") == "new\n" + TEXT
    assert applied("*** Begin Patch\n*** Update File: f\n@@\n+new\n*** End Patch") == TEXT + "new\n"
    assert applied("*** Begin Patch\n*** Update File: f\n@@ two\n+new\n*** End Patch") == TEXT.replace(
        "two\n", "two\nnew\n"
    )


def test_everything_may_be_removed() -> None:
    assert applied("--- a/f\n+++ b/f\n@@ -1,2 +0,0 @@\n-a\n-b\n", "a\nb\n") == ""


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("", "empty"),
        ("hello\n", "No change"),
        ("@@ -1 +1 @@\n-a\n+b\n", "name the file"),
        ("*** Begin Patch\n*** Update File: f\n@@\nbad line\n*** End Patch", "hunk 1 of 1 changes nothing"),
        ("*** Begin Patch\n*** Update File: f\n*** End Patch", "f: no line of it is changed"),
        ("--- a/f\n+++ b/f\n", "f: no line of it is changed"),
        ("--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\n two\n", "hunk 1 of 1 changes nothing"),
        ("*** Begin Patch\nnonsense\n*** End Patch", "Expected a line"),
        ("diff --git a/x b/x\nGIT binary patch\nliteral 3\n", "Binary"),
    ],
)
def test_what_cannot_be_read_says_why(patch: str, why: str) -> None:
    with pytest.raises(PatchError, match=why):
        parse(patch)


def test_a_hunk_that_does_not_fit_shows_the_place() -> None:
    with pytest.raises(PatchError, match=r"f, hunk 1 of 1 does not fit(.|\n)*2\ttwo"):
        apply(TEXT, FileChange("update", "f", parse("--- a/f\n+++ b/f\n@@ -2,2 +2,2 @@\n two\n-threee\n+3\n")[0].hunks))


def test_a_missing_anchor_is_named() -> None:
    with pytest.raises(PatchError, match="class Nowhere"):
        applied("*** Begin Patch\n*** Update File: f\n@@ class Nowhere\n-two\n+2\n*** End Patch")


PYTHON = "import os\n\n\ndef one():\n    return 1\n\n\ndef two():\n    x = 1\n    return 2\n"
CHANGED = PYTHON.replace("x = 1", "x = 5")


@pytest.mark.parametrize(
    "patch",
    [
        "--- a/f\n+++ b/f\n-    x = 1\n+    x = 5\n",
        "--- a/f\n+++ b/f\n def two():\n-    x = 1\n+    x = 5\n     return 2\n",
        "--- a/f\n+++ b/f\n@@ -8,3 +8,3 @@\ndef two():\n-    x = 1\n+    x = 5\n    return 2\n",
        "--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n import os\n...\n def two():\n-    x = 1\n+    x = 5\n",
        "--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n import os\n # ...\n@@\n def two():\n-    x = 1\n+    x = 5\n".replace(
            " # ...\n@@", "…"
        ),
        "+++ b/f\n@@ -8,3 +8,3 @@\n def two():\n-    x = 1\n+    x = 5\n     return 2\n",
        "diff --git a/f b/f\nindex 1..2 100644\n@@ -8,3 +8,3 @@\n def two():\n-    x = 1\n+    x = 5\n     return 2\n",
        "*** Update File: f\n@@ def two():\n-    x = 1\n+    x = 5\n*** End Patch",
        "*** Begin Patch\n*** Update File: f\n@@\ndef two():\n-    x = 1\n+    x = 5\n    return 2\n*** End Patch",
        "--- a/f\n+++ b/f\n@@ -8,9 +8,9 @@\n def two():\n-    x = 1\n+    x = 5\n     return 2\n\n"
        "This sets x.\n\n- It is five.\n",
        "--- a/f\n+++ b/f\n@@ -9,2 +9,2 @@\n-x = 1\n+x = 5\n return 2\n",
        "--- a/f\n+++ b/f\n@@ -8,3 +8,3 @@\n def two():\n-\tx = 1\n+\tx = 5\n \treturn 2\n",
    ],
    ids=[
        "no @@ line",
        "no @@ line, context",
        "no space before context",
        "context left out by dots",
        "context left out by an ellipsis",
        "no --- line",
        "neither --- nor +++",
        "no Begin Patch",
        "no space before context, Begin Patch",
        "words behind it",
        "indentation lost",
        "tabs for spaces",
    ],
)
def test_what_models_leave_out_is_understood(patch: str) -> None:
    (change,) = parse(patch)
    assert (change.path, apply(PYTHON, change)) == ("f", CHANGED)


def test_added_lines_are_indented_as_the_file_is() -> None:
    text = "class A:\n    def f(self):\n        x = 1\n"
    patch = "--- a/f\n+++ b/f\n@@\n def f(self):\n-    x = 1\n+    if x:\n+        y()\n+\n+    return x\n"
    assert applied(patch, text) == "class A:\n    def f(self):\n        if x:\n            y()\n\n        return x\n"
    tabs = "if a:\n\tif b:\n\t\tc()\n"
    patch = "--- a/f\n+++ b/f\n@@\n if a:\n     if b:\n-        c()\n+        d()\n+        if e:\n+            f()\n"
    assert applied(patch, tabs) == "if a:\n\tif b:\n\t\td()\n\t\tif e:\n\t\t    f()\n"


def test_what_the_patch_indents_in_two_ways_is_not_guessed() -> None:
    patch = "--- a/f\n+++ b/f\n@@\n def two():\n-x = 1\n+x = 5\n return 2\n"
    with pytest.raises(PatchError, match=r"hunk 1 of 1 does not fit: .* indentation"):
        applied(patch, PYTHON)
    assert applied(patch.replace("+x = 5\n", ""), PYTHON) == PYTHON.replace("    x = 1\n", "")


def test_empty_files_come_and_go() -> None:
    changes = parse(
        "diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n"
        "diff --git a/g h b/g h\ndeleted file mode 100644\nindex e69de29..0000000\n"
        "diff --git a/m b/m\nold mode 100644\nnew mode 100755\n"
    )
    assert [(change.action, change.path) for change in changes] == [("add", "e"), ("delete", "g h")]
    assert created(changes[0]) == ""


def test_dots_that_are_in_the_file_are_lines_of_it() -> None:
    patch = "--- a/f\n+++ b/f\n@@\n def f():\n-    ...\n+    return 1\n"
    assert applied(patch, "def f():\n    ...\n") == "def f():\n    return 1\n"
