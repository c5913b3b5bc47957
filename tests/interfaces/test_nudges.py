"""Ctrl+C, and being told to end, reach the thread that waits for keys, whatever it was doing when they came."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, json, os, select, signal, sys, threading
sys.path[:0] = json.loads(sys.argv[1])
from protea.interfaces.nudges import Nudges

class Leave(Exception):
    pass

class Dies:
    def __del__(self):
        os.kill(os.getpid(), number)
        for _ in range(1000):
            pass

loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever, daemon=True)
thread.start()
nudges = Nudges(loop, Leave)
number = signal.Signals[sys.argv[3]]
times = 0
for _ in range(2):
    try:
        if sys.argv[2] == "swallowed":
            Dies()
        else:
            os.kill(os.getpid(), number)
        select.select([], [], [], 30)
    except KeyboardInterrupt if number == signal.SIGINT else Leave:
        nudges.noticed()
        times += 1
try:
    select.select([], [], [], 0.6)
except KeyboardInterrupt if number == signal.SIGINT else Leave:
    times += 1
nudges.close()
loop.call_soon_threadsafe(loop.stop)
thread.join()
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
print(times)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("where", ["plain", "swallowed"])
def test_a_signal_arrives_once_also_where_its_exception_was_lost(where: str, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([each for each in sys.path if each]), where, name],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2\n"
    assert ("Exception ignored" in done.stderr) == (where == "swallowed")
