"""Runs shell scripts for real where they can reach nothing, and tells which programs were started and what was written.

Run by `test_against_bash` inside bubblewrap, with the standard library only: `python recording.py SCRIPTS RESULTS`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time

FOLDER, BIN, HOME, LOG = "/tmp/w", "/tmp/bin", "/tmp/home", "/tmp/log"
STAND_INS = "touch rm tee curl mark ls cat git grep sed head wc cp mv npm a b x y f uniq sort".split()  # noqa: SIM905
REAL = "env timeout nice nohup xargs find setsid stdbuf bash sh dash flock".split()  # noqa: SIM905
STAND_IN = '#!/bin/sh\n{ printf \'%s\\0\' "$#" "${0##*/}" "$@"; } >>' + LOG + "\n"
FILES = {
    "keep.txt": "k\n",
    "a.txt": "a\nb\n",
    "x": "ls 1\n",
    "sub/c.txt": "c\n",
    "run.sh": "ls 2\n",
    "-e": "ls\n",
    "b c": "",
}
"""What lies there before each script; what may be run among it is harmless."""


def build(folder: str) -> None:
    for name in ("ok", "sub", "--dir"):
        os.makedirs(os.path.join(folder, name))
    for name, text in FILES.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)


def _state() -> dict[str, tuple[int, int, int, int]]:
    found = {}
    for here, folders, files in os.walk(FOLDER):
        for name in (*folders, *files):
            path = os.path.join(here, name)
            one = os.lstat(path)
            changed = 0 if name in folders else one.st_mtime_ns
            found[os.path.relpath(path, FOLDER)] = (one.st_ino, one.st_mode, one.st_size, changed)
    return found


def _all_ended(until: float) -> bool:
    """Whether every process that is left has ended by then; they are all ours here."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    return False
                signal.sigtimedwait({signal.SIGCHLD}, 0.05)
        except ChildProcessError:
            return True


def _end_all() -> None:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (1, os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(int(name), 9)


def _run(text: str) -> dict[str, object]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    build(FOLDER)
    with open(LOG, "w"):
        before = _state()
    bash = subprocess.Popen(
        ["/bin/bash", "--norc", "--noprofile", "-c", text.encode("utf-8", "surrogatepass")],
        cwd=FOLDER,
        env={"PATH": BIN, "HOME": HOME, "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, ()),
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        bash.wait(10)
    if bash.returncode is None or not _all_ended(time.monotonic() + 5):
        _end_all()
        _all_ended(time.monotonic() + 5)
    after = _state()
    with open(LOG, "rb") as file:
        parts = [part.decode("utf-8", "replace") for part in file.read().split(b"\0")[:-1]]
    ran, at = [], 0
    while at < len(parts) and parts[at].isdigit():
        count = int(parts[at])
        ran.append(parts[at + 1 : at + 2 + count])
        at += 2 + count
    return {
        "ran": ran,
        "written": sorted(name for name in before.keys() | after if before.get(name) != after.get(name)),
    }


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # whatever loses its parent becomes ours
    os.makedirs(BIN)
    os.makedirs(HOME)
    for name in STAND_INS:
        path = os.path.join(BIN, name)
        with open(path, "w") as file:
            file.write(STAND_IN)
        os.chmod(path, 0o755)
    for name in REAL:
        found = shutil.which(name, path="/usr/bin:/bin")
        if found:
            os.symlink(found, os.path.join(BIN, name))
    with open(sys.argv[1]) as file:
        texts = json.load(file)
    with open(sys.argv[2], "w") as file:
        json.dump([_run(text) for text in texts], file)


if __name__ == "__main__":
    main()
