"""Paired measurement: two commands, run in turns in one go, compared by their medians.

Every figure is a ratio of two things measured side by side on the machine it runs on; times alone mean nothing to
anyone else. Standard library only: what measures must not weigh more than what is measured.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Sample(NamedTuple):
    wall: float
    """Seconds from start to end."""
    cpu: float
    """Seconds of processor time, of the process and what it waited for."""
    peak: float
    """MB the process held at most."""
    out: bytes


def run(
    command: Sequence[str], *, cwd: str | None = None, environment: Mapping[str, str] | None = None, expect: int = 0
) -> Sample:
    """One run, from start to end. Fails loudly where it does not end as expected: a quick failure is no good time."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    out = process.stdout.read()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    if process.returncode != expect:
        sys.exit(
            f"{' '.join(command)} ended with {process.returncode}: {(errors or out).decode(errors='replace')[-2000:]}"
        )
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, out)


class Pair(NamedTuple):
    ours: list[Sample]
    beside: list[Sample]

    def ratio(self, of: Callable[[Sample], float] = lambda sample: sample.wall) -> float:
        """Median of ours over median of the other."""
        return median(self.ours, of) / median(self.beside, of)


def median(samples: Sequence[Sample], of: Callable[[Sample], float] = lambda sample: sample.wall) -> float:
    return statistics.median(of(sample) for sample in samples)


def paired(ours: Callable[[], Sample], beside: Callable[[], Sample], rounds: int) -> Pair:
    """A B A B …, after one round of each that counts for nothing (caches, bytecode)."""
    ours(), beside()
    pair = Pair([], [])
    for _ in range(rounds):
        pair.ours.append(ours())
        pair.beside.append(beside())
    return pair


class Report:
    """Prints one line per figure and remembers whether all kept their limits."""

    def __init__(self, title: str) -> None:
        self.kept = True
        print(f"{title}  (Python {sys.version.split()[0]}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f})")

    def figure(self, name: str, value: float, limit: float | None, unit: str, note: str = "") -> None:
        verdict = "" if limit is None else f"  ≤ {limit:g}  {'ok' if value <= limit else 'OVER'}"
        self.kept &= limit is None or value <= limit
        print(f"  {name:<44} {value:8.2f} {unit:<3}{verdict}{'  ' + note if note else ''}")

    def compare(self, name: str, pair: Pair, limit: float | None) -> None:
        """The ratio of wall times, with both times, and the ratio of processor times (quieter on a busy machine)."""
        times = f"{median(pair.ours) * 1e3:.1f} ms beside {median(pair.beside) * 1e3:.1f} ms"
        self.figure(name, pair.ratio(), limit, "x", f"{times}; processor {pair.ratio(lambda s: s.cpu):.2f} x")

    def exit(self) -> None:
        """Ends the process: 1 if a limit was passed and `--check` was given."""
        sys.exit(0 if self.kept or "--check" not in sys.argv else 1)


def rounds(default: int) -> int:
    """`--rounds N`."""
    return int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else default
