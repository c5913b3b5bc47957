"""Run something as an ordinary user of this machine: root reads, writes and maps what others may not.

The interpreter may lie where only root may go (in root's home, say). There a namespace of its own shows it to the user.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

USER = 54321
GROUP = 54321


def why_not() -> str | None:
    """Why nobody else can be become here, or None."""
    if os.geteuid() != 0:
        return "it takes root to become somebody else"
    missing = [name for name in ("setpriv", "unshare", "mount") if shutil.which(name) is None]
    if missing:
        return f"there is no {missing[0]}"
    done = subprocess.run(argv(["true"]), capture_output=True, timeout=30)
    return None if done.returncode == 0 else done.stderr.decode().strip() or "it does not work"


def argv(command: Sequence[str], groups: Sequence[int] = ()) -> list[str]:
    """The command as it is started for the user."""
    belongs = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    become = ["setpriv", "--reuid", str(USER), "--regid", str(GROUP), *belongs, "--no-new-privs", "--"]
    closed = _closed(Path(sys.base_prefix))
    if closed is None:
        return [*become, *command]
    show = (
        'set -e; held=$(mktemp -d); mount --bind "$2" "$held"; mount -t tmpfs -o mode=755 none "$1"; mkdir -p "$2"; '
        'mount --bind "$held" "$2"; umount "$held"; rmdir "$held"; shift 2; exec "$@"'
    )
    shown = [str(closed), sys.base_prefix]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", show, "show", *shown, *become, *command]


def python(
    script: str, *words: str, folder: Path, groups: Sequence[int] = (), environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python as the user, who may enter `folder`; the script finds what this process can import."""
    let_in(folder)
    begin = f"import json, sys; sys.path[:0] = json.loads(sys.argv.pop(1)); sys.dont_write_bytecode = True\n{script}"
    paths = json.dumps([os.path.abspath(path) for path in sys.path if path])
    return subprocess.run(
        argv([sys.executable, "-c", begin, paths, *words], groups),
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **(environment or {})},
        timeout=120,
    )


def let_in(folder: Path) -> None:
    """Let anybody go through the folders above, as far as they are ours."""
    for above in folder.parents:
        mode = above.stat().st_mode
        if above.stat().st_uid == os.geteuid() and not mode & 0o001:
            above.chmod(mode | 0o011)


def give(*paths: Path) -> None:
    """All of these, and what lies in them, to the user."""
    for path in paths:
        for each in (path, *path.rglob("*")):
            os.chown(each, USER, GROUP, follow_symlinks=False)


def _closed(path: Path) -> Path | None:
    """The outermost folder above it that others may not go through."""
    return next((each for each in reversed(path.parents) if not each.stat().st_mode & 0o001), None)
