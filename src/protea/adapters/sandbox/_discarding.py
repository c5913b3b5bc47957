"""A workspace on which a command may write as it likes, and of which nothing is left when it has ended.

Over each folder an overlay file system is put whose upper side lies in memory, in a mount namespace that ends with the
command. bubblewrap is then started in that namespace and builds its walls over what it finds there.

An ordinary user's namespace knows that user and one group. What belongs to others the kernel cannot lift into the
upper side ("Value too large for defined data type"), because there is no name for its owner. So what the person may
change all the same (a folder of a group they are in, say) is put there beforehand as their own: folders without what is
in them, files as copies, as far as there is room.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence

TRIES = 5.0
"""Seconds a try may take."""

MOST = 50_000
"""Entries of a workspace that are looked at for their owners."""

_SCRIPT = """
set -e
place=$1 size=$2 lift=$3 python=$4
shift 4
mount -t tmpfs -o "size=$size,mode=0700" tmpfs "$place"
number=0
while [ "$1" != -- ]; do
  number=$((number + 1))
  mkdir "$place/upper$number" "$place/work$number"
  if [ -n "$lift" ]; then "$python" -I -S -c "$lift" "$1" "$place/upper$number" "$size"; fi
  mount -t overlay -o "lowerdir=$1,upperdir=$place/upper$number,workdir=$place/work$number,userxattr" overlay "$1"
  shift
done
shift
exec "$@"
"""


LIFT = r"""
import os, shutil, stat, sys
root, upper, size = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), int(sys.argv[3])
left, device = size // 2, os.lstat(root).st_dev
def foreign(found):
    # Who runs this is root here; whoever the namespace does not know is not.
    return found.st_uid != 0 or found.st_gid != 0
def lift(folder):
    # Folders above come along: the kernel would have to lift them first.
    if os.path.isdir(folder):
        return
    lift(os.path.dirname(folder))
    os.mkdir(folder, 0o700)
    there = os.path.join(root, os.path.relpath(folder, upper))
    made.append((folder, stat.S_IMODE(os.lstat(there).st_mode) & 0o1777))
made, files = [], []
if foreign(os.lstat(root)):
    os.chmod(upper, stat.S_IMODE(os.lstat(root).st_mode) & 0o1777)
else:
    os.chmod(upper, stat.S_IMODE(os.lstat(root).st_mode))
for at, folders, names in os.walk(root):
    here = os.path.join(upper, os.path.relpath(at, root)) if at != root else upper
    for name in list(folders):
        found = os.lstat(os.path.join(at, name))
        if found.st_dev != device:
            folders.remove(name)
        elif stat.S_ISDIR(found.st_mode) and foreign(found) and os.access(os.path.join(at, name), os.W_OK):
            lift(os.path.join(here, name))
    for name in names:
        path = os.path.join(at, name)
        found = os.lstat(path)
        if stat.S_ISREG(found.st_mode) and foreign(found) and os.access(path, os.R_OK | os.W_OK):
            files.append((found.st_size, path, os.path.join(here, name)))
for size, path, target in sorted(files):
    if size > left:
        break
    left -= size
    lift(os.path.dirname(target))
    shutil.copyfile(path, target)
    shutil.copystat(path, target)
    os.chmod(target, stat.S_IMODE(os.lstat(path).st_mode) & 0o1777)
for folder, mode in reversed(made):
    os.chmod(folder, mode)
"""
"""Puts what is others' into the upper side: the smallest files first, and no more than half of the room."""


def words(place: str, size: int, roots: Sequence[str], *, mixed: bool = False) -> tuple[str, ...] | None:
    """What to put before a command; None where the programs for it are not there, or a folder's name cannot be told to
    the kernel. `place` is an empty folder of ours; `mixed` is whether others' files are in the workspace."""
    unshare = shutil.which("unshare", path="/usr/bin:/bin")
    if unshare is None or shutil.which("mount", path="/usr/bin:/bin") is None:
        return None
    if any(char in root for root in (place, *roots) for char in ',:\\"'):
        return None
    head = (unshare, "--user", "--map-root-user", "--mount", "--", "/bin/sh", "-c", _SCRIPT, "protea")
    lift = LIFT if mixed and sys.executable else ""
    return (*head, place, str(size), lift, sys.executable, *roots, "--")


def mixed(roots: Sequence[str]) -> bool:
    """Whether something in the workspace belongs to somebody else, or to another group."""
    own, left = (os.geteuid(), os.getegid()), MOST
    for root in roots:
        folders = [root]
        while folders and left > 0:
            folder = folders.pop()
            try:
                found = os.lstat(folder)
                if (found.st_uid, found.st_gid) != own:
                    return True
                with os.scandir(folder) as entries:
                    for entry in entries:
                        left -= 1
                        one = entry.stat(follow_symlinks=False)
                        if (one.st_uid, one.st_gid) != own and not stat.S_ISLNK(one.st_mode):
                            return True
                        if stat.S_ISDIR(one.st_mode):
                            folders.append(entry.path)
            except OSError:
                continue
    return left <= 0  # it is not known


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
