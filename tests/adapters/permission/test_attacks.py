"""A battery written from the threat model alone: what an attacker would try, and what nobody should be asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.permission.scenery import Scenery, build

FILE = Path(__file__).with_name("attacks.txt")
_DENIED = "Bash(rm:*); Bash(curl:*); Bash(git push:*); Read(./.env); Read(~/.ssh/**)"
_STARRED = """
    git find sed echo sort cd awk xargs npm node python python3 cargo make go tar tee cat ls grep rg docker kubectl env
    timeout dd cp mv ln install zip less man vim rsync wget uniq jq yq ssh perl test [ printf read export declare
    """
SETS = {
    "bare": "",
    "usual": "allow "
    + "; ".join(
        f"Bash({one})"
        for one in """
        git status:*, git diff:*, git log:*, git show:*, git add:*, npm test, npm test:*, npm run test:*, npm run build,
        npm run lint:*, npx tsc:*, pytest:*, python -m pytest:*, cargo build:*, cargo test:*, cargo check:*,
        cargo clippy:*, go build:*, go test:*, go vet:*, make:*, ruff check:*, mypy:*, tsc:*, eslint:*
        """.strip()
        .replace("\n        ", " ")
        .split(", ")
    )
    + "; WebFetch(domain:docs.python.org); WebFetch(domain:*.rs); mcp__github__get_issue; Agent(explore)"
    + f" | ask Bash(git commit:*) | deny {_DENIED}",
    "wide": "allow "
    + "; ".join(f"Bash({name}:*)" for name in _STARRED.split())
    + f"; Edit(**); Read(**) | deny {_DENIED}",
    "all": "allow Bash | deny Bash(rm:*)",
    "plan": "mode plan | allow Edit(**); Write(**); Bash(npm test); Bash(touch:*); Bash(git commit:*);"
    " WebFetch(domain:docs.python.org); mcp__x; Agent(*) | deny Read(./.env)",
    "yolo": f"mode yolo | ask Bash(git commit:*) | deny {_DENIED}; mcp__github__delete_repo",
    "yolob": "mode yolo",
    "headless": "allow Bash(git status:*); Bash(npm test) | deny Bash(rm:*) | nobody to ask",
    "untrusted": "not trusted",
}
_KEYS = {"Bash": "command", "WebFetch": "url", "A2ASend": "url", "Skill": "name", "Agent": "name"}
_RIGHT = {"allow": {"allow"}, "ask": {"ask"}, "deny": {"deny"}, "refuse": {"ask", "deny"}}
_MARKS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def groups() -> Iterator[tuple[str, str, list[str]]]:
    """Decision, rules, calls."""
    for block in FILE.read_text().split("\n== ")[1:]:
        head, _, calls = block.partition("\n")
        decision, _, rules = head.partition(":")
        for one in [rules.strip()] if rules.startswith(" + ") else rules.split():
            yield decision, one, [line for line in calls.split("\n") if line]


ROWS = list(groups())


@pytest.fixture(scope="session")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Scenery:
    """A project full of links and repositories, with others beside it."""
    scenery = build(tmp_path_factory.mktemp("wild"))
    root, home = Path(scenery.root), Path(scenery.home)
    for folder in (
        *(
            root / name
            for name in ("sub/.git", "globdir", ".github/workflows", ".vscode", ".claude", "sp ace", "build")
        ),
        *(home / name for name in (".aws", ".config/gh", ".kube", ".gnupg", ".protea", ".docker")),
        *(root.parent / name for name in ("other", "repo-evil", "wt")),
    ):
        folder.mkdir(parents=True, exist_ok=True)
    for file in (
        *(root / name for name in ("data.json", "data.yaml", "b.txt", "Makefile", "packages/api/package.json")),
        *(
            root / name
            for name in (".github/workflows/ci.yml", ".vscode/settings.json", "globdir/--compress-program=x")
        ),
        *(root / name for name in ("src/lib.py", "sub/.git/config", "wt")),
        *(home / name for name in (".aws/credentials", ".config/gh/hosts.yml", ".netrc", ".kube/config", "notes.txt")),
        *(root.parent / name for name in ("other/o.txt", "repo-evil/x", "wt/a.txt")),
    ):
        file.write_text("x\n")
    (root / "link_home_file").symlink_to(home / "notes.txt")
    (root / "link_out").symlink_to("/tmp")
    (root / "link_in").symlink_to("src")
    (root / "link_hooks").symlink_to(".git/hooks")
    (root / "link_env").symlink_to(".env")
    (root / "dangling").symlink_to(home / "newfile")
    (root / "tests/innocent.txt").symlink_to(home / ".ssh/id_rsa")
    (root.parent / "repolink").symlink_to(root)
    return scenery


def told(rules: str, scenery: Scenery) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in (SETS.get(rules, rules.removeprefix("+ "))).split(" | "):
        kind, _, what = part.partition(" ")
        if kind in ("allow", "ask", "deny"):
            found[kind] = tuple(put(what, scenery).split("; "))
        elif kind == "mode":
            found["mode"] = what
        elif part == "nobody to ask":
            found["interactive"] = False
        elif part == "not trusted":
            found["trusted"] = False
        else:
            assert not part, part
    return found


def put(text: str, scenery: Scenery) -> str:
    text = re.sub("«u?([^»]+)»", lambda one: _MARKS.get(one[1]) or chr(int(one[1], 16)), text)
    return text.replace("{root}", scenery.root).replace("{home}", scenery.home)


def call(line: str, scenery: Scenery) -> tuple[str, dict[str, Any]]:
    written = re.fullmatch(r"([A-Z]\w+|mcp__\w+)\((.*)\)", line)
    if written is None:
        return "Bash", {"command": put(line, scenery)}
    tool, what = written[1], put(written[2], scenery)
    if tool in ("Glob", "Grep"):
        pattern, _, path = what.rpartition(" in ")
        return tool, {"pattern": pattern, "path": path}
    return tool, {_KEYS.get(tool, "path"): what} if what else {}


def test_the_battery_is_as_large_as_promised() -> None:
    calls = [line for _, _, lines in ROWS for line in lines]
    assert len(calls) >= 3000
    assert len(set(calls)) >= 1500
    assert sum(line.startswith("WebFetch(") for line in set(calls)) >= 100
    assert sum(line.startswith(("Read(", "Write(", "Edit(", "Glob(", "Grep(")) for line in set(calls)) >= 80


@pytest.mark.parametrize(("decision", "rules", "calls"), ROWS, ids=[f"{d} {r[:40]}" for d, r, _ in ROWS])
def test_what_is_tried_gets_the_right_decision(wild: Scenery, decision: str, rules: str, calls: list[str]) -> None:
    said = told(rules, wild)
    engine = wild.engine(*(said.pop(kind, ()) for kind in ("allow", "ask", "deny")))
    wrong = []
    for line in calls:
        tool, arguments = call(line, wild)
        found = engine.decide(wild.request(tool, arguments, **said))
        if found.verdict not in _RIGHT[decision]:
            wrong.append((line, found.verdict, found.why))
    assert not wrong


DANGEROUS = """
rm -rf src
git push --force
git -c core.pager=x log
echo x > .git/config
cp x.sh .git/hooks/pre-commit
cat ~/.ssh/id_rsa
bash -c 'touch x'
docker run -v /:/h x sh
npm exec evil
python3 -c 1
git config core.fsmonitor x
uv run evil
gh pr merge 1
env evil
find . -delete
Write(.git/config)
Write(.mcp.json)
Write(link_out/x)
Read(.env)
Read(/proc/self/environ)
WebFetch(http://127.0.0.1/)
""".strip().split("\n")


def test_every_proposal_allows_its_call_and_nothing_that_is_dangerous(wild: Scenery) -> None:
    bare = wild.engine()
    proposed: dict[str, tuple[str, ...]] = {}
    for line in dict.fromkeys(line for _, _, calls in ROWS for line in calls):
        request = wild.request(*call(line, wild))
        asked = bare.decide(request)
        if asked.verdict == "ask" and asked.proposals:
            proposed[line] = asked.proposals
            assert wild.engine(asked.proposals).decide(request).verdict == "allow", (line, *asked.proposals)
    rules = {rule for each in proposed.values() for rule in each}
    assert len(rules) > 300
    for one in DANGEROUS:
        danger = wild.request(*call(one, wild))
        others = rules.difference(proposed.get(one, ()))
        # Rules that allow take nothing from one another: what all of them do not allow, none does.
        if wild.engine(tuple(others)).decide(danger).verdict == "allow":
            guilty = [rule for rule in others if wild.engine((rule,)).decide(danger).verdict == "allow"]
            raise AssertionError(f"{one} is allowed by {guilty or 'several rules together'}")
