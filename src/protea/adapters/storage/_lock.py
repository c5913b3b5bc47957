"""One writer per session, kept by `flock`: the lock ends with the process, however it ends.

The lock is on a file of its own, so that the log can be replaced under it; the file says who has it.
"""

from __future__ import annotations

import fcntl
import os
import time

from protea.domain.errors import SessionError

NAME = "lock"


class SessionLock:
    """Held from creation to `release`."""

    def __init__(self, folder: str, session: str) -> None:
        """Raises `SessionError` where another process has it, `OSError` where the file cannot be used."""
        path = os.path.join(folder, NAME)
        for attempt in range(10):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = _pid(fd)
                os.close(fd)
                # Someone who only looks (`held`) has it for microseconds. Whose number stands in the file says nothing,
                # it may be that of a process that is dead, and another's by now.
                if attempt < 9:
                    time.sleep(0.002)
                    continue
                who = f"process {pid}" if pid else "another process"
                raise SessionError(
                    f"session {session} is in use by {who}; end that, or branch off with --fork"
                ) from None
            except BaseException:
                os.close(fd)
                raise
            if _is(fd, path):
                break
            os.close(fd)  # the session was deleted between our opening and our locking
        else:
            raise SessionError(f"session {session} is being deleted by another process")
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        self._fd: int | None = fd

    def release(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            try:
                os.ftruncate(fd, 0)
            finally:
                os.close(fd)


def held(folder: str) -> bool:
    """Whether a living process has the session."""
    try:
        fd = os.open(os.path.join(folder, NAME), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Nobody's name in it: nobody has it, and a lock tried now could only be in a writer's way.
        if _pid(fd) is None:
            return False
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def _pid(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() else None


def _is(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
