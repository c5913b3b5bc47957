"""What bash really does with scripts nobody wrote, against what was decided about them.

Programs are stand-ins that note their name and words, bash and the wrappers are real, and bubblewrap keeps it all in. A
short run with one seed each time; `pytest -m long` takes more, from a seed that is told. `PROTEA_FUZZ_SEED` names one.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from protea.adapters.permission.rules import Options, create
from protea.domain.permission import PermissionRequest, RuleLayer
from protea.domain.surroundings import Surroundings
from protea.ports.permission import Permission
from tests.adapters.permission import recording
from tests.adapters.permission.scripts_at_random import anything

_ALL_BUT = """
    ls cat git grep echo printf true false test [ env timeout nice nohup xargs find setsid stdbuf command builtin exec
    eval bash sh dash time trap export declare typeset readonly local let read mapfile readarray unset cd pushd popd .
    source set shopt alias wait hash enable complete compgen getopts flock coproc : head wc sort uniq sed ! return break
    continue a b x y f
    """
RULES = {
    "narrow": RuleLayer(
        "t", (*(f"Bash({name}:*)" for name in _ALL_BUT.split()), "Edit(/ok/**)", "Read(**)"), (), ("Bash(rm:*)",)
    ),
    "whole": RuleLayer("t", ("Bash", "Edit(**)"), (), ("Bash(rm:*)", "Edit(keep.txt)")),
    "bare": RuleLayer("t"),
}
UNNAMED = {"touch", "tee", "mark", "rm", "curl"}
"""Programs that no rule of `narrow` allows."""
READERS = {"ls", "cat", "git", "grep", "head", "wc", "sort", "uniq", "sed"}


class Ran:
    def __init__(self, found: dict[str, list[list[str]]]) -> None:
        self.programs = {words[0] for words in found["ran"]}
        self.written = [str(name) for name in found["written"]]


def engines(folder: Path) -> dict[str, Permission]:
    around = Surroundings(
        cwd=str(folder),
        root=str(folder),
        user_home=recording.HOME,
        protea_home=f"{recording.HOME}/.protea",
        environment={},
    )
    return {name: create(Options(layers=(layer,)), surroundings=around) for name, layer in RULES.items()}


def run(texts: list[str], folder: Path) -> list[Ran]:
    """Each script run on its own, in one bubblewrap for all."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("no bubblewrap on this machine")
    (folder / "texts").write_text(json.dumps(texts))
    words = [bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--dev", "/dev"]
    words += ["--proc", "/proc", "--tmpfs", "/tmp", "--bind", str(folder), "/tmp/out", "--cap-drop", "ALL"]
    for python in (sys.prefix, sys.base_prefix):  # a checkout may lie below /tmp
        words += ["--ro-bind", python, python]
    words += ["--ro-bind", recording.__file__, "/tmp/recording.py", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]
    done = subprocess.run(
        [*words, sys.executable, "-I", "/tmp/recording.py", "/tmp/out/texts", "/tmp/out/found"], capture_output=True
    )
    if b"creating new namespace" in done.stderr or b"Operation not permitted" in done.stderr:
        pytest.skip("bubblewrap makes no namespaces here")
    assert done.returncode == 0, done.stderr.decode()
    return [Ran(each) for each in json.loads((folder / "found").read_text())]


def misjudged(text: str, said: dict[str, str], ran: Ran) -> list[str]:
    """What happened that nothing had allowed."""
    wrong = []
    # `bash NAME` finds a script of that name in PATH, which is what the rule for bash allows; flock makes its file.
    by_name = re.search(r"sh[\"' a-z-]* (\S*/)?[\"'$\\]*(touch|tee|mark)", text) is not None
    written = [name for name in ran.written if "flock" not in text]
    if said["narrow"] == "allow":
        wrong += [f"ran {name}" for name in ran.programs & UNNAMED if not by_name]
        wrong += [f"wrote {name}" for name in written if not name.startswith("ok")]
    if said["whole"] == "allow":
        wrong += ["ran rm, which is denied"] if "rm" in ran.programs else []
        wrong += ["wrote keep.txt, which is denied"] if "keep.txt" in written else []
    if said["bare"] == "allow":
        wrong += [f"ran {name} without a rule" for name in ran.programs - READERS]
        wrong += [f"wrote {name} without a rule" for name in ran.written]
    return wrong


def compare(count: int, seed: int, folder: Path) -> tuple[int, list[str]]:
    place, shared = folder / "w", folder / "shared"
    shared.mkdir()
    recording.build(str(place))
    judges = engines(place)
    chance = random.Random(seed)
    decided: list[tuple[str, dict[str, str]]] = []
    for _ in range(count):
        text = anything(chance)
        if "\0" in text or len(text) > 3000:
            continue
        said = {
            name: judge.decide(
                PermissionRequest(tool="Bash", arguments={"command": text}, cwd=str(place), home=recording.HOME)
            ).verdict
            for name, judge in judges.items()
        }
        if "allow" in said.values():
            decided.append((text, said))
    found = run([text for text, _ in decided], shared)
    assert any(each.programs for each in found)
    wrong = [
        f"{text!r}: {', '.join(faults)}"
        for (text, said), each in zip(decided, found, strict=True)
        if (faults := misjudged(text, said, each))
    ]
    return len(decided), wrong


def test_whatever_bash_runs_or_writes_was_allowed(tmp_path: Path) -> None:
    seed = int(os.environ.get("PROTEA_FUZZ_SEED", "1"))
    ran, wrong = compare(1_200, seed, tmp_path)
    assert ran > 100
    assert not wrong, f"seed {seed}"


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_whatever_bash_runs_or_writes_was_allowed_in_a_long_run(tmp_path: Path) -> None:
    seed = int(os.environ.get("PROTEA_FUZZ_SEED", str(random.SystemRandom().randrange(1 << 32))))
    ran, wrong = compare(int(os.environ.get("PROTEA_FUZZ_RUNS", "20000")), seed, tmp_path)
    assert ran > 1_000
    assert not wrong, f"seed {seed}"


@pytest.mark.parametrize(
    ("text", "programs", "written"),
    [
        ("r'm' x; cat <(mark)", {"rm", "mark", "cat"}, []),
        ("env -i A=b time -p touch x > z", set(), ["x", "z"]),
        ("bash -c 'nohup touch b' & echo x > ok/y", {"touch"}, ["ok/y"]),
        ("echo touch x | sh\nfind . -name a.txt -delete", {"touch"}, ["a.txt"]),
    ],
)
def test_the_recording_sees_what_happens(tmp_path: Path, text: str, programs: set[str], written: list[str]) -> None:
    (found,) = run([text], tmp_path)
    assert found.programs == programs
    assert [name for name in found.written if name != "ok"] == written
