"""Whatever the engine allows by itself is run for real: nothing on disk may change and no secret may be printed.

A short run each time, with a seed that is told; `PROTEA_FUZZ_RUNS` and `PROTEA_FUZZ_SEED` make a long or a known one.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from protea.domain.permission.programs.study import SPECIAL
from protea.domain.permission.programs.table import specs
from tests.adapters.permission.scenery import SECRET, Scenery, build

RUNS = int(os.environ.get("PROTEA_FUZZ_RUNS", "250"))
SEED = int(os.environ.get("PROTEA_FUZZ_SEED", str(random.SystemRandom().randrange(1 << 32))))

NAMES = [*specs(), *SPECIAL, *["git"] * 12, *["find"] * 4, *["grep", "rg", "sed", "awk", "sort", "diff"] * 3]
SKIPPED = {"sleep", "wait", "exit"}
GIT = """
    status diff log show branch tag remote rev-parse ls-files ls-tree cat-file describe grep blame shortlog
    reflog stash config worktree notes check-ignore for-each-ref symbolic-ref rev-list diff-tree merge-base
    show-ref
    """.split()  # noqa: SIM905
OPTIONS = """
    -a -b -c -d -e -f -g -h -i -j -k -l -m -n -o -p -q -r -s -t -u -v -w -x -y -z -A -B -C -D -E -F -G -H -I -L
    -M -N -O -P -R -S -T -U -V -W -X -Z -0 -1 -20 --all --stat --name-only --oneline --output=pwned --color
    --cached -print -name -type -exec -delete -maxdepth -newer -prune -o ! ( ) {} ; + --list --sort=name
    --format=%H --no-index -- --recursive --hidden --files --include=*.py --unified=1 --pre=./x.sh
    --compress-program=./x.sh --files0-from=.env -f.env -f -i.bak --in-place -size -printf -fprint -ls
    --contains --textconv --ext-diff -z -D --merged --get --global
    """.split()  # noqa: SIM905
OPERANDS = """
    a.txt README.md src src/app.py src/*.py * .* .e* .env .env.example ./.env src/../.env link_key hl_key
    link_ssh link_ssh/id_rsa link_out_dir ~ ~/.ssh/id_rsa $HOME .. / . - foo 1 HEAD HEAD~1 HEAD:README.md main
    evil x.sh /dev/null /etc/hostname package.json big.txt docs victim/x pwned {print} p 1p w\\ pwned
    s/a/b/w\\ pwned e s/a/id/e .scripts . %s %n +%F new tests/test_a.py [a]* ?.txt [[:alpha:]]* hl_* link_k?y
    KEY SECRET_KEY {print>"pwned"} $?
    """.split()  # noqa: SIM905
JOINTS = [" && ", " || ", "; ", " | ", "\n", " & "]
TAILS = [
    "",
    "",
    "",
    "",
    " 2>&1",
    " > /dev/null",
    " 2>/dev/null",
    " > pwned",
    " >> a.txt",
    " < a.txt",
    " < .env",
    " <<< foo",
]


def simple(chance: random.Random) -> str:
    name = chance.choice(NAMES)
    words = [name]
    if name == "git":
        words.append(chance.choice(GIT))
    if name == "[":
        return f"[ {chance.choice(['-f', '-d', '-n', '-v', '-e'])} {chance.choice(OPERANDS)} ]"
    for _ in range(chance.randrange(4)):
        word = chance.choice(OPTIONS) if chance.random() < 0.5 else chance.choice(OPERANDS)
        quote = chance.random()
        words.append(
            f"'{word}'"
            if quote < 0.25 and "'" not in word
            else f'"{word}"'
            if quote < 0.35 and '"' not in word
            else word
        )
    return " ".join(words) + chance.choice(TAILS)


def command(chance: random.Random) -> str:
    text = simple(chance)
    while chance.random() < 0.25:
        text += chance.choice(JOINTS) + simple(chance)
    return f"cd {chance.choice(['src', 'docs', 'evil', '..', 'link_ssh'])} && {text}" if chance.random() < 0.1 else text


def state(folder: str) -> dict[str, tuple[int, int, int, int]]:
    """Everything below a folder: inode, mode, size and time of change."""
    found = {}
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(here, name)
            one = os.lstat(path)
            found[path] = (one.st_ino, one.st_mode, one.st_size, one.st_mtime_ns)
    return found


def run(bash: str, text: str, scenery: Scenery) -> bytes:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": scenery.home,
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LANG": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            [bash, "--norc", "--noprofile", "-c", text],
            cwd=scenery.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=20,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as stopped:
        return stopped.output or b""
    return done.stdout


def test_what_is_allowed_changes_nothing_and_prints_no_secret(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    scenery = build(tmp_path)
    chance = random.Random(SEED)
    before = state(str(tmp_path))
    ran = 0
    tried = 0
    while ran < RUNS and tried < RUNS * 200:
        text = command(chance)
        tried += 1
        if text.split()[0] in SKIPPED:
            continue
        if scenery.decide("Bash", {"command": text}).verdict != "allow":
            continue
        ran += 1
        output = run(bash, text, scenery)
        assert SECRET.encode() not in output, f"seed {SEED}: {text!r} printed the secret"
        after = state(str(tmp_path))
        assert after == before, f"seed {SEED}: {text!r} changed {sorted(set(after.items()) ^ set(before.items()))[:4]}"
    assert ran >= RUNS // 2, f"seed {SEED}: only {ran} of {tried} were allowed"
