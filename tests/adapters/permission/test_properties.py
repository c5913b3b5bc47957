"""What holds whatever the command, the rules and the spelling are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protea.domain.permission import Verdict
from tests.adapters.permission.scenery import Scenery, build

MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STRICTNESS: dict[Verdict, int] = {"allow": 0, "ask": 1, "deny": 2}
ALLOWED = (
    "Bash(npm test)",
    "Bash(pytest:*)",
    "Bash(make:*)",
    "Bash(git add:*)",
    "Bash(find:*)",
    "Bash(sed:*)",
    "Edit(docs/**)",
)
DENIED = (
    "Bash(rm:*)",
    "Bash(git push:*)",
    "Read(./.env)",
    "Effect(net.egress)",
    "Edit(a.txt)",
    "Bash(npm:*)",
    "Read(src/**)",
)
COMMANDS = [
    *(
        "ls",
        "cat README.md",
        "cat .env",
        "npm test",
        "npm install",
        "pytest -q",
        "make all",
        "make -C ../x",
        "git add .",
        "git push",
    ),
    *(
        "rm -rf victim",
        "touch new",
        "echo x > docs/y",
        "echo x > a.txt",
        "find . -name x",
        "find . -delete",
        "sed -n p a.txt",
    ),
    *(
        "sed -i s/a/b/ a.txt",
        "curl https://x.org",
        "git -C . status",
        "PATH=. ls",
        "CI=1 npm test",
        "cat src/app.py",
        "$x",
        "bash x.sh",
    ),
    *(
        "grep -rn foo src",
        "python3 -c 1",
        "cp a.txt docs/b",
        "ln -s / docs/l",
        "git log --oneline",
        "git commit -m x",
        "test -f a.txt",
    ),
]
WRAPPERS = [
    *("timeout 5 {}", "nice {}", "nohup {}", "env {}", "env -i {}", "command {}", "time {}", "! {}", "setsid {}"),
    "stdbuf -o0 {}",
    *("sudo {}", "exec {}", "bash -c '{}'", "sh -ec '{}'", "eval '{}'", "({})", "{{ {}; }}", "$({})", "true && {}"),
    *("{} | cat", "if true; then {}; fi", "for i in 1; do {}; done", "f() {{ {}; }}; f", "{} &", "xargs {}", "npx {}"),
    *("find . -exec {} +", "ssh h {}", "docker exec c {}", "watch '{}'", "flock l {}", "script -c '{}'", "coproc {}"),
    *("ls; {}", "cat <({})", "busybox {}", "echo $({})", "trap '{}' EXIT", "env -S '{}'", "bash <<'EOF'\n{}\nEOF"),
    *("time A=b {}", "builtin command {}", "alias q='{}'"),
]  # fmt: skip
MODES = st.sampled_from(["normal", "plan", "yolo"])


@MANY
@given(command=st.sampled_from(COMMANDS), wraps=st.lists(st.sampled_from(WRAPPERS), min_size=1, max_size=3), mode=MODES)
def test_a_wrapper_never_makes_a_decision_laxer(scenery: Scenery, command: str, wraps: list[str], mode: str) -> None:
    if "=" in command:
        return  # behind most of these it is no assignment any more
    wrapped = command
    for wrap in wraps:
        if "'" in wrap and "'" in wrapped:
            continue
        wrapped = wrap.format(wrapped)
    for allow in (ALLOWED, ("Bash", "Edit(docs/**)")):
        before = scenery.bash(command, allow=allow, deny=DENIED[:3], mode=mode)
        after = scenery.bash(wrapped, allow=allow, deny=DENIED[:3], mode=mode)
        assert STRICTNESS[after.verdict] >= STRICTNESS[before.verdict], (wrapped, before.why, after.why)


@MANY
@given(
    command=st.sampled_from(COMMANDS),
    few=st.sets(st.sampled_from(DENIED)),
    more=st.sets(st.sampled_from(DENIED)),
    asked=st.booleans(),
    mode=MODES,
)
def test_another_rule_that_denies_or_asks_never_allows(
    scenery: Scenery, command: str, few: set[str], more: set[str], asked: bool, mode: str
) -> None:
    before = scenery.bash(command, allow=ALLOWED, deny=sorted(few), mode=mode)
    added = {"ask": sorted(more), "deny": sorted(few)} if asked else {"deny": sorted(few | more)}
    after = scenery.bash(command, allow=ALLOWED, mode=mode, **added)
    assert STRICTNESS[after.verdict] >= STRICTNESS[before.verdict], (before.why, after.why)


@MANY
@given(
    command=st.sampled_from(COMMANDS),
    allowed=st.sets(st.sampled_from(ALLOWED)),
    denied=st.sets(st.sampled_from(DENIED)),
)
def test_the_order_and_the_layer_of_rules_do_not_matter(
    scenery: Scenery, command: str, allowed: set[str], denied: set[str]
) -> None:
    one = scenery.bash(command, allow=sorted(allowed), deny=sorted(denied)).verdict
    assert scenery.bash(command, allow=sorted(allowed, reverse=True), deny=sorted(denied, reverse=True)).verdict == one


@MANY
@given(command=st.sampled_from(COMMANDS), data=st.data(), mode=MODES)
def test_no_spelling_of_the_same_words_is_decided_more_laxly(
    scenery: Scenery, command: str, data: st.DataObject, mode: str
) -> None:
    words = command.split(" ")
    if any(char in command for char in "'$><=*"):
        return
    quotes = ["{}", "'{}'", '"{}"', "\\{}", "$'{}'"]
    spelled = " ".join(
        data.draw(st.sampled_from(quotes if index == 0 else quotes[:3])).format(w) for index, w in enumerate(words)
    )
    gap = data.draw(st.sampled_from([" ", "  ", "\t", " \\\n"]))
    spelled = data.draw(st.sampled_from(["", " ", "\t"])) + spelled.replace(" ", gap)
    plain = scenery.bash(command, allow=ALLOWED, deny=DENIED, mode=mode)
    other = scenery.bash(spelled, allow=ALLOWED, deny=DENIED, mode=mode)
    # Odder spellings may be asked about, or meet rules on effects, which the plain one does not.
    assert STRICTNESS[other.verdict] >= STRICTNESS[plain.verdict], (spelled, plain.why, other.why)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Scenery:
    """A project whose links lead about in it, out of it, and in circles."""
    scenery = build(tmp_path_factory.mktemp("linked"))
    root = Path(scenery.root)
    for name, target in (
        ("in", "src"),
        ("up", ".."),
        ("far", "/"),
        ("home", scenery.home),
        ("git", ".git"),
        ("docs/back", "../docs"),
    ):
        (root / name).symlink_to(target)
    (root / "docs/out.txt").symlink_to(Path(scenery.home) / ".bashrc")
    return scenery


PARTS = [
    "..",
    ".",
    "src",
    "docs",
    "in",
    "up",
    "far",
    "home",
    "git",
    "back",
    "out.txt",
    "app.py",
    "new",
    "",
    "evil",
    "link_ssh",
    "x",
]


@MANY
@given(
    parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=8),
    tool=st.sampled_from(["Write", "Edit", "Read"]),
    mode=MODES,
)
def test_no_path_is_allowed_whose_real_target_is_outside(
    linked: Scenery, parts: list[str], tool: str, mode: str
) -> None:
    path = "/".join(parts) or "x"
    text = path.lstrip("/") or "."
    decision = linked.decide(tool, {"path": text}, allow=["Edit(**)", "Read(**)"], mode=mode)
    if decision.verdict != "allow" or (mode == "yolo" and tool == "Read"):
        return
    real = os.path.realpath(os.path.join(linked.root, text))
    assert real == linked.root or real.startswith(linked.root + "/"), decision.why
    if tool != "Read":
        assert not real.startswith((linked.root + "/.git", linked.root + "/evil/config")), decision.why


@MANY
@given(
    parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=6),
    reader=st.sampled_from(["cat", "grep -rn KEY", "find", "diff a.txt"]),
)
def test_no_command_that_reads_by_itself_leaves_the_project(linked: Scenery, parts: list[str], reader: str) -> None:
    text = "/".join(parts).lstrip("/") or "."
    tail = " -exec cat {} +" if reader == "find" else ""
    if linked.bash(f"{reader} {text}{tail}").verdict != "allow":
        return
    top = os.path.realpath(os.path.join(linked.root, text))
    reached = [top] if reader != "find" and reader != "diff a.txt" else [
        os.path.realpath(os.path.join(here, name)) for here, _, names in os.walk(top) for name in names
    ]  # fmt: skip
    assert all(one == linked.root or one.startswith(linked.root + "/") for one in reached)
