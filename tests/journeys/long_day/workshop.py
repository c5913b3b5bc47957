"""The workshop of the day: a project of parts that are written and built one by one, with real checks and real tools.

Every thing that can be asked about is said in one form, `NAME of SUBJECT is VALUE.`, by whoever says it: a person, a
file, a compiler's output, a job, an agent. What is true is told here, from what lies on the disk or was handed out.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

from tests.journeys.world import World

CONFIG = """
[providers.day]
api = "openai-chat"
base_url = "{url}"
api_key_env = "DAY_KEY"
[providers.day.models.one]
context = {window}
max_output = 2000
[ports.task_runner]
adapter = "durable"
[tasks]
again = ["python3 tools/nightly.py*"]
"""
RULES = (
    *("Agent", "Skill", "Edit(parts/**)", "Edit(sheet/**)", "Bash(python3 build.py:*)", "Bash(python3 tools/*)"),
    *("Bash(git add:*)", "Bash(git commit:*)", "Bash(git merge:*)"),
)

BUILD = '''\
"""Compiles a part, lists what came of it, checks it."""

import dis
import hashlib
import pathlib
import py_compile
import sys
import unittest

name = f"part-{int(sys.argv[1]):03}"
path = pathlib.Path("parts", name.replace("-", "_") + ".py")
print(f"{name}: compiling {path}", flush=True)
py_compile.compile(str(path), doraise=True)
dis.dis(compile(path.read_text(), str(path), "exec"))
suite = unittest.defaultTestLoader.loadTestsFromName("checks.check_" + name[-3:])
if not unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite).wasSuccessful():
    sys.exit(f"{name}: it does not do what it should")
print(f"digest of {name} is {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}.")
'''
CHECK = """\
import unittest

from parts.part_{number:03} import price


class Check(unittest.TestCase):
    def test_none_costs_the_base(self):
        self.assertEqual(price(0), {base}, "base of part-{number:03} is {base}.")

    def test_each_costs_the_same(self):
        self.assertEqual([price(count) - price(0) for count in range(5)], [{each} * count for count in range(5)])
"""
TOOLS = {
    "measure": '''\
"""Computes something, once it is let on, and says what came out; `short` asks for more than can be."""

import pathlib
import sys
import time

job, rounds, *rest = sys.argv[1:]
while not pathlib.Path("measure.go").exists():
    time.sleep(0.02)
value = 1
for number in range(int(rounds)):
    value = value * 48271 % 2147483647
    if rest == ["wordy"]:
        print(f"round {number} of {rounds}: nothing that anybody would have to remember")
        if number == int(rounds) // 2:
            print(f"middle of {job} is {value}.")
if rest == ["short"]:
    print(f"shortage of {job} is {value}.")
    raise SystemExit(3)
print(f"yield of {job} is {value}.")
''',
    "serve": '''\
"""Serves until it is ended."""

import itertools
import time

for number in itertools.count():
    print(f"served {number}", flush=True)
    time.sleep(0.2)
''',
    "watch": '''\
"""A log in which a few lines matter."""

for number in range(300):
    print(f"alarm-{number // 100} of watch is A{number * 7919 % 9973}." if number % 100 == 50 else f"tick {number}")
''',
    "nightly": '''\
"""Notes that it was begun, then waits to be let go on, and says what came out."""

import os
import pathlib
import time

begun = pathlib.Path("nightly.begun")
with begun.open("a") as file:
    file.write(f"{os.getpid()}\\n")
while not pathlib.Path("nightly.go").exists():
    time.sleep(0.05)
print(f"runs of nightly is {len(begun.read_text().split())}.")
''',
    "emboss": '''\
"""Writes a sheet; between its halves it waits to be let go on."""

import os
import pathlib
import time

with open("sheet/embossed.txt", "w") as file:
    file.write("first half\\n")
    file.flush()
    os.fsync(file.fileno())
    while not pathlib.Path("emboss.go").exists():
        time.sleep(0.05)
    file.write("second half\\n")
print("embossed")
''',
}
SKILL = """\
---
name: pricing
description: How parts are priced. Read it before the first part.
---
Prices are whole crowns, never more than asked. rounding of prices is {rounding}.
"""


class Workshop(World):
    """A home and a project, with checks for so many parts."""

    def __init__(self, folder: Path, parts: int) -> None:
        programs = folder / "programs"
        programs.mkdir(parents=True)
        (programs / "python3").symlink_to(sys.executable)  # a shim that looks for one first takes as long as a build
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        super().__init__(folder, DAY_KEY="k", XDG_CACHE_HOME=str(folder / "cache"), PATH=path)
        self.parts = parts
        self._chance = random.Random(parts)
        self.handed: dict[str, str] = {}
        """What is said by somebody and stands nowhere else: what is asked → what is true."""
        (self.home / ".gitconfig").write_text("[user]\nname = a\nemail = a@example.org\n")
        self._lay()

    def _lay(self) -> None:
        for name in ("parts", "checks", "tools", "errands", "sheet"):
            (self.project / name).mkdir()
            (self.project / name / ".keep").touch()
        (self.project / "build.py").write_text(BUILD)
        for name, text in TOOLS.items():
            (self.project / f"tools/{name}.py").write_text(text)
        for number in range(1, self.parts + 1):
            text = CHECK.format(number=number, each=each(number), base=base(number))
            (self.project / f"checks/check_{number:03}.py").write_text(text)
        for number in range(10):
            (self.project / f"errands/{number}.txt").write_text(self.hand(f"finding of errand-{number}") + "\n")
        (self.project / "AGENTS.md").write_text(self.hand("colour of house") + "\n")
        (self.project / ".gitignore").write_text("__pycache__/\n")
        skill = self.home / ".protea/skills/pricing"
        skill.mkdir(parents=True)
        (skill / "SKILL.md").write_text(SKILL.format(rounding=self.value("rounding of prices")))
        self.git("add", "--all")
        self.git("commit", "-qm", "the workshop")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.project, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def serve(self, url: str, window: int) -> None:
        (self.home / ".protea").chmod(0o700)
        (self.home / ".protea/config.toml").write_text(CONFIG.format(url=url, window=window))
        assert self.run("trust").returncode == 0

    def value(self, asked: str) -> str:
        """A new value for it, which is true from now on."""
        self.handed[asked] = f"V{self._chance.randrange(36**6):06}"
        return self.handed[asked]

    def hand(self, asked: str) -> str:
        """The sentence that says it."""
        return f"{asked} is {self.value(asked)}."

    def digest(self, number: int) -> str:
        """Of a part as it lies there."""
        return hashlib.sha256((self.project / f"parts/part_{number:03}.py").read_bytes()).hexdigest()[:12]


def each(number: int) -> int:
    return 11 + number % 7


def base(number: int) -> int:
    return 5 + number


def wrong_at_first(number: int) -> bool:
    """Parts of which nobody says the base: only their checks know it."""
    return number % 3 == 0


def source(number: int, law: str) -> str:
    return f'"""Part {number}."""\n\n\ndef price(count: int) -> int:\n    return {law}\n'


def measured(rounds: int) -> int:
    value = 1
    for _ in range(rounds):
        value = value * 48271 % 2147483647
    return value
