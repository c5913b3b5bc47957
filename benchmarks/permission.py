"""How long a decision takes: everyday calls, and inputs made to be slow. Prints a table; exits 1 when a gate is missed.

    python benchmarks/permission.py

Gates: the median over the everyday calls ≤ 200 µs, each call's 99th percentile < 5 ms, a megabyte < 100 ms. The project
is made in a temporary folder; nothing in it is run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from protea.adapters.permission.rules import Options, create
from protea.domain.permission import PermissionRequest, RuleLayer
from protea.domain.surroundings import Surroundings

RULES = RuleLayer(
    "benchmark",
    allow=("Bash(git commit:*)", "Bash(npm test)", "Bash(npm run build:*)", "Bash(pytest:*)", "Edit(src/**)"),
    ask=("Bash(git push:*)",),
    deny=("Bash(rm:*)", "Read(./.env)", "Read(~/.ssh/**)"),
)
EVERYDAY = [
    ("Bash", "ls -la"),
    ("Bash", "git status"),
    ("Bash", "git log --oneline -n 20"),
    ("Bash", "cat src/a.py"),
    ("Bash", "head -50 src/a.py"),
    ("Bash", "grep -n foo src/a.py"),
    ("Bash", "rg -n foo src"),
    ("Bash", "npm test"),
    ("Bash", "pytest -q tests"),
    ("Bash", "pytest -q 2>&1 | tail -20"),
    ("Bash", "cd src && ls"),
    ("Bash", "find . -name '*.py' | head"),
    ("Bash", "git commit -m 'a message; with && in it'"),
    ("Bash", "npm install"),
    ("Bash", "rm -rf build"),
    ("Read", "src/a.py"),
    ("Read", "README.md"),
    ("Edit", "src/a.py"),
    ("Write", "other.txt"),
    ("Grep", "src"),
    ("WebFetch", "https://example.org/"),
    ("mcp__a__b", "x"),
]
KEYS = {"Bash": "command", "WebFetch": "url"}
SLOW = ["a ", "(", "$(", "'", '"', "\\", "`", "{a,", "a=b ", "<<A\n", "rm ", "*", "/", "../", "x", "é", "[", "; "]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "src").mkdir()
        (root / "src/a.py").write_text("foo\n" * 200)
        (root / "README.md").write_text("x\n")
        subprocess.run(["git", "init", "-q", str(root)], check=True)
        surroundings = Surroundings(
            cwd=str(root), root=str(root), user_home="/home/u", protea_home="/home/u/.protea", environment={}
        )
        engine = create(Options(layers=(RULES,)), surroundings=surroundings)

        def once(tool: str, text: str) -> float:
            request = PermissionRequest(
                tool=tool, arguments={KEYS.get(tool, "path"): text}, cwd=str(root), home="/home/u"
            )
            began = time.perf_counter()
            engine.decide(request)
            return time.perf_counter() - began

        medians, worst = [], 0.0
        for tool, text in EVERYDAY:
            once(tool, text)
            times = sorted(once(tool, text) for _ in range(300))
            medians.append(times[150])
            worst = max(worst, times[296])
            print(f"{times[150] * 1e6:8.0f} µs  p99 {times[296] * 1e6:8.0f} µs  {tool} {text}")
        large = 0.0
        for piece in SLOW:
            for tool in ("Bash", "Read", "WebFetch"):
                taken = min(once(tool, piece * (1_000_000 // len(piece))) for _ in range(2))
                large = max(large, taken)
    median = statistics.median(medians)
    # On a busy machine the 99th percentile shows the scheduler; run it again before believing a miss.
    print(f"median of the everyday calls {median * 1e6:.0f} µs (gate 200), worst p99 {worst * 1e3:.2f} ms (gate 5)")
    print(f"slowest megabyte {large * 1e3:.1f} ms (gate 100)")
    return 0 if median <= 200e-6 and worst < 5e-3 and large < 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
