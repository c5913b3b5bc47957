"""What every adapter that puts walls around a workspace asks about it: its folders, and what a command sees of them.

Called by `bubblewrap` and `docker`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from protea.adapters.sandbox._mounts import Mount
from protea.domain.permission.paths import beneath
from protea.domain.surroundings import Surroundings


def roots_of(surroundings: Surroundings) -> tuple[str, ...]:
    folders = (surroundings.root, surroundings.cwd, *surroundings.add_dirs)
    real = dict.fromkeys(os.path.realpath(each) for each in folders)
    return tuple(each for each in real if not any(beneath(each, other) for other in real if other != each))


def records_of(surroundings: Surroundings) -> str:
    return os.path.join(os.path.realpath(surroundings.protea_home), "sandbox")


def visible(path: str, mounts: Sequence[Mount]) -> bool:
    """Whether a command sees what the machine has at `path`."""
    how = "absent"
    for mount in mounts:
        if beneath(path, mount.path):
            how = mount.how
    return how in ("read", "write", "link")


def enterable(said: str, cwd: str, mounts: Sequence[Mount]) -> None:
    if not os.path.isdir(cwd):
        number = errno.ENOTDIR if os.path.exists(cwd) else errno.ENOENT
        raise OSError(number, os.strerror(number), said)
    if not visible(cwd, mounts):
        raise OSError(errno.EACCES, f"the sandbox hides {said}; work in a folder of the workspace", said)
