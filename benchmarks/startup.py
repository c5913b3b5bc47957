"""`protea --version` and `--help` beside `python -c pass` of the same interpreter."""

from __future__ import annotations

import os
import sys
from functools import partial

from measure import Report, paired, rounds, run
from project import PROTEA

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main() -> None:
    report = Report("start")
    nothing = [sys.executable, "-c", "pass"]
    count = rounds(40)
    for flag, limit in (("--version", 1.3), ("--help", 3.0)):
        pair = paired(partial(run, [*PROTEA, flag]), partial(run, nothing), count)
        report.compare(f"protea {flag} / python -c pass", pair, limit)
    if os.path.exists(os.path.join(ROOT, ".venv", "run.stamp")):
        script = os.path.join(ROOT, "scripts", "run")
        pair = paired(partial(run, [script, "--version"]), partial(run, nothing), count)
        report.compare("scripts/run --version / python -c pass", pair, None)
    report.exit()


if __name__ == "__main__":
    main()
