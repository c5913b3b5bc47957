"""A workspace on which a command may write as it likes, and of which nothing is left when it has ended.

Over each folder an overlay file system is put whose upper side lies in memory, in a mount namespace that ends with the
command. bubblewrap is then started in that namespace and builds its walls over what it finds there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

TRIES = 5.0
"""Seconds a try may take."""

_SCRIPT = """
set -e
place=$1 size=$2
shift 2
mount -t tmpfs -o "size=$size,mode=0700" tmpfs "$place"
number=0
while [ "$1" != -- ]; do
  number=$((number + 1))
  mkdir "$place/upper$number" "$place/work$number"
  mount -t overlay -o "lowerdir=$1,upperdir=$place/upper$number,workdir=$place/work$number,userxattr" overlay "$1"
  shift
done
shift
exec "$@"
"""


def words(place: str, size: int, roots: Sequence[str]) -> tuple[str, ...] | None:
    """What to put before a command; None where the programs for it are not there, or a folder's name cannot be told to
    the kernel. `place` is an empty folder of ours."""
    unshare = shutil.which("unshare", path="/usr/bin:/bin")
    if unshare is None or shutil.which("mount", path="/usr/bin:/bin") is None:
        return None
    if any(char in root for root in (place, *roots) for char in ',:\\"'):
        return None
    head = (unshare, "--user", "--map-root-user", "--mount", "--", "/bin/sh", "-c", _SCRIPT, "protea")
    return (*head, place, str(size), *roots, "--")


def possible(place: str, roots: Sequence[str]) -> bool:
    """Whether it works here. Tries it."""
    before = words(place, 1 << 20, roots)
    if before is None:
        return False
    try:
        os.makedirs(place, 0o700, exist_ok=True)
        # PATH: what `sh` finds its programs by.
        done = subprocess.run(
            [*before, "/bin/true"], env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}, capture_output=True, timeout=TRIES
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
