"""Properties of the engine that hold for text nobody thought of. A crash counts as an allow."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protea.adapters.permission._tree import read_tree
from protea.domain.permission import PermissionRequest
from protea.domain.permission.shell.lexer import read_strictly
from protea.domain.permission.shell.script import Script
from tests.adapters.permission.cases import POLICIES
from tests.adapters.permission.scenery import Scenery

QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

HARMLESS = [
    "ls",
    "git status",
    "cat README.md",
    "npm test",
    "grep -n foo src/app.py",
    "echo 'a; b'",
    "pwd",
    "wc -l a.txt",
]
HARMFUL = ["touch x", "rm x", "cat .env", "npm install", "git push", "echo x > y", "sed -i s/a/b/ a.txt", "python x.py"]
JOINTS = [" && ", " || ", "; ", " | ", " & ", "\n", " \n ", ";", "&&", "|", " # c\n", " 2>&1 | "]
WRAPS = ["{}", "({})", "{{ {}; }}", "$({})", "`{}`", "! {}", "if {}; then ls; fi", "while {}; do ls; done", "time {}"]
PIECES = [
    *["ls", "cat", "rm", "git", "-x", "--output=x", "x", "$x", "${x}", "$(", ")", "(", "`", "'", '"', "\\", "\n", " "],
    *["\t", ";", "&", "|", "<", ">", "<<", "EOF", "<<'EOF'\n", "{", "}", "*", "?", "[", "]", "~", "#", "=", "!", "$'"],
    *["\r", "\0", "\u2028", "\u00a0", "é", "2>&1", "&>", ">|", "<(", "$((", "[[", "case", "in", "esac", "for", "done"],
]


def decide(scenery: Scenery, command: str, policy: str = "typical", **more: object) -> str:
    rules = POLICIES[policy]
    return scenery.bash(command, allow=rules.allow, ask=rules.ask, deny=rules.deny, mode=rules.mode, **more).verdict


@QUICK
@given(
    parts=st.lists(st.sampled_from(HARMLESS), max_size=4),
    bad=st.sampled_from(HARMFUL),
    at=st.integers(0, 4),
    joints=st.lists(st.sampled_from(JOINTS), min_size=5, max_size=5),
    wrap=st.sampled_from(WRAPS),
)
def test_no_compound_command_is_allowed_whose_parts_are_not(
    scenery: Scenery, parts: list[str], bad: str, at: int, joints: list[str], wrap: str
) -> None:
    whole = [*parts[:at], wrap.format(bad), *parts[at:]]
    text = whole[0] + "".join(joint + part for joint, part in zip(joints, whole[1:], strict=False))
    assert decide(scenery, text) != "allow", text
    assert decide(scenery, text, interactive=False) == "deny"
    if bad in ("rm x", "git push", "cat .env"):
        assert decide(scenery, text) == "deny", text


@QUICK
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_two_readers_agree_on_everything_that_is_allowed(scenery: Scenery, pieces: list[str]) -> None:
    text = "".join(pieces)
    if decide(scenery, text, "bare") != "allow":
        return
    strict = read_strictly(text, scenery.home)
    assert isinstance(strict, Script)
    loose = read_tree(text, {"HOME": scenery.home, "PWD": scenery.root})
    assert loose.sound
    assert [command.argv for command in strict.commands] == [command.argv for command in loose.commands]


@QUICK
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14))
def test_bash_itself_can_read_what_the_strict_reader_reads(pieces: list[str]) -> None:
    text = "".join(pieces)
    if not isinstance(read_strictly(text), Script):
        return
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    found = subprocess.run([bash, "--norc", "--noprofile", "-n", "-c", "--", text], capture_output=True, timeout=10)
    assert found.returncode == 0, (text, found.stderr)


@QUICK
@given(text=st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
@pytest.mark.parametrize("mode", ["normal", "plan", "yolo"])
def test_no_text_raises_and_the_headless_answer_is_never_a_question(scenery: Scenery, mode: str, text: str) -> None:
    engine = scenery.engine(POLICIES["broad"].allow, (), POLICIES["broad"].deny)
    for tool, key in (
        ("Bash", "command"),
        ("Read", "path"),
        ("Write", "path"),
        ("Glob", "pattern"),
        ("WebFetch", "url"),
    ):
        request = PermissionRequest(
            tool=tool,
            arguments={key: text},
            cwd=scenery.root,
            home=scenery.home,
            mode=mode,  # type: ignore[arg-type]
            interactive=False,
        )
        decision = engine.decide(request)
        assert decision.verdict in ("allow", "deny")
        assert "failed on this request" not in decision.why


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@QUICK
@given(
    tool=st.sampled_from(
        ["Bash", "Read", "Write", "Patch", "Glob", "WebFetch", "A2ASend", "Skill", "mcp__a__b", "Odd", ""]
    ),
    arguments=st.dictionaries(st.sampled_from(["command", "path", "pattern", "url", "name", "patch"]), _JSON),
)
def test_odd_arguments_never_raise_and_are_never_allowed_to_write(
    scenery: Scenery, tool: str, arguments: dict[str, object]
) -> None:
    decision = scenery.decide(tool, arguments)
    assert "failed on this request" not in decision.why
    if tool in ("Write", "Patch"):
        assert decision.verdict != "allow"


@QUICK
@given(
    path=st.lists(
        st.sampled_from(["..", ".", "src", "evil", "link_out_dir", "link_ssh", "x", "", "~", ".git"]), max_size=7
    )
)
def test_no_spelling_of_a_path_is_written_outside_the_project(scenery: Scenery, path: list[str]) -> None:
    import os

    text = "/".join(path) or "x"
    decision = scenery.decide("Write", {"path": text}, allow=["Edit(**)"])
    real = os.path.realpath(os.path.join(scenery.root, text))
    if decision.verdict == "allow":
        assert real.startswith(scenery.root + "/")
        assert "/.git/" not in real + "/"


@settings(max_examples=2000, deadline=None)
@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x10FFFF), max_size=40))
def test_no_code_point_ends_the_process_of_the_tree_reader(text: str) -> None:
    # The grammar's own scanner crashes on some (0xCB9EA among them), so it must never see them.
    read_tree(text, {})
    read_tree("{\U000cb9ea\U0002bf941" + text, {})


def test_words_in_any_script_are_cut_where_they_stand() -> None:
    found = read_tree("git commit -m 'é ü' && echo 日本 \U0001f600x | cat", {})
    assert [command.argv for command in found.commands] == [
        ("git", "commit", "-m", "é ü"),
        ("echo", "日本", "\U0001f600x"),
        ("cat",),
    ]


WORDLY = [
    "a",
    "b c",
    "'",
    '"',
    "\\",
    " ",
    "\t",
    "~",
    "=",
    ":",
    "$",
    "{",
    "}",
    "#",
    "!",
    "^",
    "é",
    "%",
    "@",
    "x'y'",
    '"z"',
    "]",
]


@QUICK
@given(pieces=st.lists(st.sampled_from(WORDLY), max_size=12))
def test_bash_itself_cuts_the_same_words(scenery: Scenery, pieces: list[str]) -> None:
    text = "".join(pieces)
    found = read_strictly("echo " + text, scenery.home)
    if not isinstance(found, Script) or len(found.commands) != 1:
        return
    (command,) = found.commands
    if not command.known or any(word.glob for word in command.words) or command.redirects:
        return
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    script = f"set -- {text}\nfor word; do printf '%s\\0' \"$word\"; done"
    done = subprocess.run(
        [bash, "--norc", "--noprofile", "-c", script],
        capture_output=True,
        timeout=10,
        env={"HOME": scenery.home, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.decode() == "".join(word + "\0" for word in command.argv[1:]), text
